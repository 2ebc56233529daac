"""What a record says about each claim: where its statistic is found, on every fold that has it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from tvae.corpus import FOLDS
from tvae.evaluate import terms
from tvae.report import beyond, measured, transferred
from tvae.report import record as records
from tvae.report.claims import BEYOND, BEYOND_FILE, CLAIMS, DECIDING, Claim, Estimate, Evidence, Finding, decide, write
from tvae.report.entry import Entry
from tvae.report.results import at_equal_rate, curves, paired_difference, read_descriptions
from tvae.report.tables import span
from tvae.studies.comparison import EqualRate
from tvae.studies.statistics import interval, over_bounds, over_folds

Interval = tuple[float, float, float]  # three None where there was nothing to measure


@dataclass(frozen=True)
class Record:
    """A folder of recorded runs, with what was measured of them."""

    folder: Path

    @cached_property
    def entries(self) -> list[Entry]:
        return [entry for entry in records.listed(self.folder) if entry.preset in DECIDING]

    @cached_property
    def descriptions(self) -> dict[str, dict]:
        return read_descriptions(self.folder / "corpora.json")

    @cached_property
    def beyond(self) -> dict[str, dict]:
        return beyond.read(self.folder)

    @cached_property
    def inside(self) -> dict[str, dict]:
        path = self.folder / "inside.json"
        return self.beyond["runs"] | (measured.read(path)["runs"] if path.exists() else {})

    @cached_property
    def transfers(self) -> dict[str, dict]:
        path = self.folder / "transfer.json"
        longer = {
            name: {"conditions": run["transfer"]} for name, run in self.beyond["runs"].items() if "transfer" in run
        }
        return longer | ({run["run"]: run for run in transferred.read(path)} if path.exists() else {})

    def runs(self, claim: Claim, model: str) -> dict[int, Entry]:
        """The entries of a model that a claim is about, by fold."""
        return {
            entry.fold: entry
            for entry in self.entries
            if (entry.corpus, entry.model) == (claim.corpus, model)
            and (entry.sweep and entry.kl_weight == claim.kl_weight if claim.kl_weight else not entry.sweep)
        }

    def pieces_seen(self, entry: Entry) -> int:
        """What a run was trained on, with what the run was trained on that it went on from."""
        start = replace(entry.run, kl_weight=None)
        return entry.pieces + sum(one.pieces for one in self.entries if entry.sweep and one.run == start)


def score(claim: Claim, record: Record, entry: Entry) -> Interval:
    """A metric of one run, with the interval over songs."""
    pieces, song = records.pieces(record.folder, entry)
    _, low, high = interval(*terms(pieces)[claim.statistic], song)
    return entry.score(claim.statistic), float(low), float(high)


def repeats_saved(run: dict) -> Interval:
    """What repeated bars save, in what `tvae.report.measured.measure` found of a run."""
    repeated = next(row for row in run["codes"]["matched"] if row["kind"] == "repeated")
    return repeated["saving"], repeated["low"], repeated["high"]


def saved_by_repeats(claim: Claim, record: Record, entry: Entry) -> Interval:
    return repeats_saved(record.inside[entry.name])


def attention_lift(claim: Claim, record: Record, entry: Entry) -> Interval:
    heads = record.inside[entry.name]["attention"]
    return tuple(heads["heads"][heads["finder"]]["lift"])


def gain(which: str) -> Callable[[Claim, Record, Entry], Interval]:
    return lambda claim, record, entry: tuple(record.inside[entry.name]["limits"]["gain"][which])


def saved_by_copy(claim: Claim, record: Record, entry: Entry) -> Interval:
    """Beside a stranger's bars, as the claim has it; `gain` is beside the same notes in another order."""
    variants = record.inside[entry.name]["limits"]["variants"]
    return tuple(next(row["saving"] for row in variants if row["variant"] == "copy"))


def transferred_statistic(claim: Claim, record: Record, entry: Entry) -> Interval:
    return tuple(record.transfers[entry.name]["conditions"]["bar 1"][claim.statistic])


def saved_from(distance: int) -> Callable[[Claim, Record, Entry], Interval]:
    def find(claim: Claim, record: Record, entry: Entry) -> Interval:
        rows = {row["distance"]: row for row in record.beyond["runs"][entry.name]["distance"]}
        return tuple(rows[distance]["saving"])

    return find


def drawn_repeats(claim: Claim, record: Record, entry: Entry) -> Interval:
    return tuple(record.beyond["prior"][entry.name]["as_often"]["the prior"])


def drawn_copies(claim: Claim, record: Record, entry: Entry) -> Interval:
    return tuple(record.beyond["prior"][entry.name]["sets"]["the prior"]["copies"])


MEASURED = {  # statistics that `python -m tvae measure` finds: (in words, where)
    "saved_by_repeats": ("share saved by repeated bars", saved_by_repeats),
    "attention_lift": ("attention found over expected", attention_lift),
    "gain_of_limit": ("share saved by retrograde or inversion", gain("limit")),
    "saved_by_copy": ("share that a copy saves beside a stranger's bars", saved_by_copy),
    "structure_kept": ("structure kept", transferred_statistic),
    "rhythm_follows": ("rhythm follows", transferred_statistic),
    "register_follows": ("register follows", transferred_statistic),
    "saved_from_eight_back": ("share saved by bars whose nearest equal bar is eight back", saved_from(8)),
    "gain_of_transposition": ("share saved by a transposition", gain("transposition")),
    "drawn_repeats": ("repeats of drawn songs over those of real ones, with the prior", drawn_repeats),
    "drawn_copies": ("share of drawn songs that are copies, with the prior", drawn_copies),
}
AT_EQUAL_RATE: dict[str, tuple[str, Callable[[EqualRate], Interval | None]]] = {
    "distortion_saving": ("share of the distortion of {other} that {model} saves", lambda found: found.saving),
    "sampled_accuracy_gain": (
        "free-running accuracy from drawn codes less that of {other}",
        lambda found: found.sampled,
    ),
}


def evidence(claim: Claim, record: Record) -> Evidence:
    """What the record says about a claim, on every fold that both its models are recorded on."""
    if claim.statistic in AT_EQUAL_RATE:
        return evidence_at_equal_rate(claim, record)
    own = record.runs(claim, claim.model)
    others = record.runs(claim, claim.other) if claim.other else own
    words, find = MEASURED.get(claim.statistic, (claim.statistic.replace("_", " "), score))
    words += f" of {claim.model}" + (f" less that of {claim.other}" if claim.other else "")
    runs = []
    for fold in sorted(own.keys() & others.keys()):
        pair = [own[fold], others[fold]] if claim.other else [own[fold]]
        if claim.other and below_sustain(record, others[fold]):
            return below(claim, words)
        try:
            found = (
                paired_difference(record.folder, *pair, claim.statistic)
                if claim.other
                else find(claim, record, own[fold])
            )
        except KeyError:
            continue  # not measured of this run yet
        if None not in found:
            runs.append(about(record, pair, found))
    if not runs:
        missing = [model for model in (claim.model, claim.other) if model and not record.runs(claim, model)]
        return Evidence(words, reason=f"no run of {' and '.join(missing) or claim.model} is recorded with it yet")
    return Evidence(words, tuple(runs), over_folds([(run.value, run.low, run.high) for run in runs]))


def evidence_at_equal_rate(claim: Claim, record: Record) -> Evidence:
    """The same where two rate-distortion curves are compared, on every fold where they have a rate in common."""
    words, part = AT_EQUAL_RATE[claim.statistic]
    words = words.format(model=claim.model, other=claim.other)
    pair = (claim.model, claim.other)
    runs, rates, reasons = [], [], []
    for fold in range(FOLDS):
        found = at_equal_rate(record.folder, record.entries, claim.corpus, *pair, fold)
        if found is None:
            continue
        measured_there = part(found)
        if measured_there is None:
            reasons.append("the curves were recorded without accuracy from drawn codes")
        elif not all(fold in record.runs(claim, model) for model in pair):
            reasons.append("a run that these curves go on from is not recorded")
        elif below_sustain(record, record.runs(claim, claim.other)[fold]):
            return below(claim, words)
        else:
            points = curves(record.entries, claim.corpus, fold)
            runs.append(about(record, [point for model in pair for point in points[model]], measured_there))
            rates.append(found.rate)
    if not runs:
        unmet = f"the curves of {claim.model} and {claim.other} are not recorded at one rate yet"
        return Evidence(words, reason=next(iter(reasons), unmet))
    return Evidence(
        f"{words} at {span(rates, '.0f')} nats",
        tuple(runs),
        over_bounds([(one.value, one.low, one.high) for one in runs]),
    )


def about(record: Record, entries: list[Entry], found: Interval) -> Estimate:
    """The `Estimate` of a claim: the interval that was found of these entries, and where they come from."""
    names = tuple(entry.name for entry in entries)
    pieces = max(record.pieces_seen(entry) for entry in entries)
    return Estimate(entries[0].fold, entries[0].seed, pieces, names, *map(float, found))


def below_sustain(record: Record, entry: Entry) -> bool:
    """Is a run's free-running accuracy below that of always saying "sustain" on the corpus?"""
    trivial = record.descriptions[entry.corpus]["trivial"]["folds 0-4"]["sustain"]
    return entry.accuracy_free_running < trivial["accuracy_free_running"][0]


def below(claim: Claim, words: str) -> Evidence:
    """Whoever is below "always sustain" shows how it was trained, and never loses a verdict."""
    return Evidence(words, reason=f'{claim.other} is below a model that always says "sustain"')


def decide_all(folder: str | Path) -> list[Finding]:
    """Decide every claim from a record, and write ``findings.json`` and ``findings_beyond.json``."""
    record = Record(Path(folder))
    findings = [decide(claim, evidence(claim, record)) for claim in CLAIMS]
    further = [decide(claim, evidence(claim, record)) for claim in BEYOND]
    write(folder, findings)
    write(folder, further, BEYOND_FILE)
    return [*findings, *further]
