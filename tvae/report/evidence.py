"""What a record says about each claim: where its statistic is found, on every fold that has it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from tvae.corpus import FOLDS
from tvae.errors import TvaeError
from tvae.evaluate import terms
from tvae.report import beyond, measured, transferred
from tvae.report import record as records
from tvae.report.claims import BEYOND, BEYOND_FILE, CLAIMS, DECIDING, Claim, Estimate, Evidence, Finding, decide, write
from tvae.report.entry import Entry
from tvae.report.results import at_equal_rate, curves, paired_difference, read_descriptions
from tvae.report.tables import span
from tvae.studies.comparison import EqualRate
from tvae.studies.statistics import interval, over_bounds, over_folds

Interval = tuple[float, float, float]
NOTHING: Any = (None, None, None)  # in its place, where there was nothing to measure


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
    def studies(self) -> dict[str, dict]:
        """What was measured of each run that was, by study: attention, codes, limits, distance, transfer, songs."""
        further, inside, transfer = beyond.read(self.folder), self.folder / "inside.json", self.folder / "transfer.json"
        swaps = transferred.read(transfer) if transfer.exists() else []
        measurements = [
            *further["runs"].items(),
            *((name, {"songs": songs}) for name, songs in further["prior"].items()),
            *(measured.read(inside)["runs"].items() if inside.exists() else ()),
            *((run["run"], {"transfer": run["conditions"]}) for run in swaps),
        ]
        found: dict[str, dict] = {}
        for name, one in measurements:
            found[name] = found.get(name, {}) | one
        return found

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


def score(record: Record, entry: Entry, statistic: str) -> Interval:
    """A metric of one run, with the interval over songs; `NOTHING` where it was not measured."""
    if entry.score(statistic) is None:
        return NOTHING
    pieces, song = records.pieces(record.folder, entry)
    _, low, high = interval(*terms(pieces)[statistic], song)
    return entry.score(statistic), float(low), float(high)


def repeats_saved(codes: dict) -> Interval:
    """What repeated bars save, in what `tvae.studies.codes` found of a run."""
    repeated = next(row for row in codes["matched"] if row["kind"] == "repeated")
    return repeated["saving"], repeated["low"], repeated["high"]


def attention_lift(heads: dict) -> Interval:
    return heads["heads"][heads["finder"]]["lift"]


def gain(which: str) -> Callable[[dict], Interval]:
    return lambda limits: limits["gain"][which]


def saved_by_copy(limits: dict) -> Interval:
    """Beside a stranger's bars, as the claim has it; `gain` is beside the same notes in another order."""
    return next(row["saving"] for row in limits["variants"] if row["variant"] == "copy")


def swapped(statistic: str) -> Callable[[dict], Interval]:
    return lambda conditions: conditions["bar 1"][statistic]


def saved_from(distance: int) -> Callable[[list[dict]], Interval]:
    """What bars save whose nearest equal bar is so far back: None where they are too few."""
    return lambda rows: next((row["saving"] for row in rows if row["distance"] == distance), NOTHING)


MEASURED: dict[str, tuple[str, str, Callable[[Any], Interval]]] = {
    # statistics that `python -m tvae measure` finds: (in words, in which of `Record.studies`, where there)
    "saved_by_repeats": ("share saved by repeated bars", "codes", repeats_saved),
    "attention_lift": ("attention found over expected", "attention", attention_lift),
    "gain_of_limit": ("share saved by retrograde or inversion", "limits", gain("limit")),
    "saved_by_copy": ("share that a copy saves beside a stranger's bars", "limits", saved_by_copy),
    "structure_kept": ("structure kept", "transfer", swapped("structure_kept")),
    "rhythm_follows": ("rhythm follows", "transfer", swapped("rhythm_follows")),
    "register_follows": ("register follows", "transfer", swapped("register_follows")),
    "saved_from_eight_back": ("share saved by bars whose nearest equal bar is eight back", "distance", saved_from(8)),
    "gain_of_transposition": ("share saved by a transposition", "limits", gain("transposition")),
    "drawn_repeats": (
        "repeats of drawn songs over those of real ones, with the prior",
        "songs",
        lambda songs: songs["as_often"]["the prior"],
    ),
    "drawn_copies": (
        "share of drawn songs that are copies, with the prior",
        "songs",
        lambda songs: songs["sets"]["the prior"]["copies"],
    ),
}
AT_EQUAL_RATE: dict[str, tuple[str, Callable[[EqualRate], Interval | None]]] = {
    "distortion_saving": ("share of the distortion of {other} that {model} saves", lambda found: found.saving),
    "sampled_accuracy_gain": (
        "free-running accuracy from drawn codes less that of {other}",
        lambda found: found.sampled,
    ),
}
KNOWN = {*MEASURED, *AT_EQUAL_RATE, *Entry.model_fields}


def looked_up(record: Record, entry: Entry, statistic: str) -> Interval | None:
    """What the record says of one run; None where that was not measured of it yet."""
    if statistic not in MEASURED:
        return score(record, entry, statistic)
    _, study, where = MEASURED[statistic]
    studies = record.studies.get(entry.name, {})
    return where(studies[study]) if study in studies else None


def evidence(claim: Claim, record: Record) -> Evidence:
    """What the record says about a claim, on every fold that both its models are recorded on.

    Raises `TvaeError` for a claim with a statistic that there is not.
    """
    if claim.statistic not in KNOWN:
        raise TvaeError(f"{claim.id} asks for '{claim.statistic}', which is no statistic; see `MEASURED` and `Entry`.")
    if claim.statistic in AT_EQUAL_RATE:
        return evidence_at_equal_rate(claim, record)
    own = record.runs(claim, claim.model)
    others = record.runs(claim, claim.other) if claim.other else own
    words = MEASURED[claim.statistic][0] if claim.statistic in MEASURED else claim.statistic.replace("_", " ")
    words += f" of {claim.model}" + (f" less that of {claim.other}" if claim.other else "")
    measurements = []
    for fold in sorted(own.keys() & others.keys()):
        pair = [own[fold], others[fold]] if claim.other else [own[fold]]
        if claim.other and below_sustain(record, others[fold]):
            return below(claim, words)
        if claim.other:
            found = paired_difference(record.folder, *pair, claim.statistic)
        else:
            found = looked_up(record, own[fold], claim.statistic)
        if found is not None:
            measurements.append((pair, found))
    runs = [about(record, pair, found) for pair, found in measurements if None not in found]
    if measurements and not runs:
        return Evidence(words, reason=f"in the recorded runs of {claim.model} there is nothing to measure it by")
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
