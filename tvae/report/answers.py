"""The answers in words, made of the record: four for the front page, one for each page that asks."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import mean

from tvae.model import parameter_count
from tvae.presets import PRESETS, build
from tvae.report import emerged, transferred
from tvae.report.claims import CLAIMS, Finding
from tvae.report.entry import Entry
from tvae.report.tables import CORPORA


def answers(record: str | Path, entries: Sequence[Entry], findings: Sequence[Finding]) -> dict[str, str]:
    """The sentences that pages open with, by name; each says so where its evidence is not recorded yet.

    "verdicts", "codes", "transfer" and "scale" are the front page's as well.
    """
    found = {finding.claim: finding for finding in findings}
    return {
        "verdicts": verdicts(record, found),
        "scale": scale(entries, findings),
        "codes": codes(found),
        "transfer": transfers(record, found),
        "heard": heard(record, found),
        "training": training(entries),
        "table": table(entries, found),
        "attention": attention(found),
        "limits": limits(found),
    }


def papers_run(entries: Sequence[Entry]) -> Entry | None:
    """The run of `attention` that the answers are about: on the paper's corpus where there is one."""
    runs = [entry for entry in entries if entry.model == "attention" and not entry.sweep]
    return min(runs, key=lambda entry: (entry.corpus != "hooktheory", entry.fold), default=None)


def known(found: dict[str, Finding], *claims: str) -> bool:
    """Is there a value for each of these claims?"""
    return all(claim in found and found[claim].value is not None for claim in claims)


def verdicts(record: str | Path, found: dict[str, Finding]) -> str:
    """How many claims hold, and whether the one that the paper is named for does so in every training."""
    if not found:
        return "No claim of the paper is tested by these runs: they are toy runs, made to show that everything works."
    counts = Counter(finding.verdict for finding in found.values())
    waiting = counts["not decided"]
    outcomes = [
        f"{counts['replicated']} are replicated",
        f"{counts['partly replicated']} partly",
        f"{counts['not replicated']} not",
        *([f"{waiting} {'waits' if waiting == 1 else 'wait'} for runs"] if waiting else []),
    ]
    said = (
        f"{'Most' if 2 * counts['replicated'] > len(found) else 'Not most'} of the paper's claims hold: of "
        f"{len(found)} tests {listed(outcomes)}."
    )
    kept, asked = found.get("C7"), next(claim.threshold for claim in CLAIMS if claim.id == "C7")
    if not kept or not kept.runs:
        return said
    held, trainings = sum(run.value >= asked for run in kept.runs), len(kept.runs)
    if trainings == 1:
        return said
    where = {0: "in none", trainings: "in all"}.get(held, f"in {held}")
    longer = [
        f", and from {emerged.seen(since)} pieces on in a run of {emerged.seen(run['points'][-1]['pieces'])}"
        for run in emerged.read(Path(record) / "emergence.json")
        if (since := emerged.first_above(run, "structure_kept", asked))
    ]
    return (
        f'{said} Whether a repeated bar is stored as "as bar 1", so that it repeats another first bar too, depends on '
        f"the training: {where} of {trainings} it mostly is{''.join(longer)}."
    )


def scale(entries: Sequence[Entry], findings: Sequence[Finding]) -> str:
    """How large the model is, how long it was trained, on what, and how many trainings the tests rest on."""
    run = papers_run(entries)
    if not run:
        return "No run of the model with attention is recorded."
    release = PRESETS["paper"]
    size = parameter_count(build("attention", release.plan("attention").model))
    said = (
        f"The model has {run.parameters / 1e6:.1f} million parameters and was trained on {run.pieces:,} pieces of "
        f"{CORPORA.get(run.corpus, run.corpus)} ({run.corpus}); the release has {size / 1e6:.1f} million and "
        f"{release.stage_1.rows / 1e6:.1f} million pieces."
    )
    trainings = Counter(len(finding.runs) for finding in findings if finding.runs)
    if not trainings:
        return said
    (most, number), *rest = sorted(trainings.items(), reverse=True)
    first = f"{number} of the tests rest on {counted(most)}"
    return f"{said} {listed([first, *(f'{number} on {runs}' for runs, number in rest)])}."


def codes(found: dict[str, Finding]) -> str:
    """What a repeated bar costs, and whether attention looks back."""
    if not known(found, "C4", "C5"):
        return "What a repeated bar costs is not measured of these runs."
    cheaper = found["C4"]
    return (
        f"A repeated bar's code is {cheaper.value:.0%} cheaper than a new bar's "
        f"({cheaper.low:.0%} to {cheaper.high:.0%}), and the bar it repeats gets {lift(found['C5'])} times as much "
        "attention as chance would give it."
    )


def lift(found: Finding) -> str:
    """How many times as much attention, in each training where there are several."""
    each = listed(f"{run.value:.0f}" for run in found.runs)
    among = f" ({each} in {len(found.runs)} trainings)" if len(found.runs) > 1 else ""
    return f"{found.value:.0f}{among}"


def recalls(record: str | Path, found: dict[str, Finding], condition: str = "bar 1") -> dict[int, float]:
    """Of the repeats of bar 1, the share that is found again in each training that C7 rests on, by fold."""
    kept, path = found.get("C7"), Path(record) / "transfer.json"
    runs = {run["run"]: run["conditions"] for run in transferred.read(path)} if path.exists() else {}
    measured = [run for run in kept.runs if run.names[0] in runs] if kept else []
    return {run.fold: runs[run.names[0]][condition]["structure_recall"][0] for run in measured}


def listed(words: Iterable[str]) -> str:
    """One after the other: "75%, 12% and 20%"."""
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def transfers(record: str | Path, found: dict[str, Finding]) -> str:
    """What a swapped first bar takes along, and what it leaves."""
    swapped, own = (recalls(record, found, name) for name in ("bar 1", "no swap"))
    if not swapped or not known(found, "C8", "C9"):
        return "What a swapped first bar takes along is not measured of these runs."
    each = listed(f"{share:.0%}" for share in swapped.values())
    trainings = f" in {len(swapped)} trainings" if len(swapped) > 1 else ""
    return (
        f"When bar 1 is swapped, {each} of its repeats are found again{trainings} "
        f"({sum(own.values()) / len(own):.0%} without a swap); the rhythm of later bars follows "
        f"{found['C8'].value:.0%} and the register {found['C9'].value:.0%} of the way that songs go themselves."
    )


def heard(record: str | Path, found: dict[str, Finding]) -> str:
    """Which training the pages play, beside the others."""
    again = recalls(record, found)
    if 0 not in again or len(again) < 2:
        return "What is heard comes from the one training that is recorded."
    others = listed(f"{share:.0%}" for fold, share in again.items() if fold)
    return (
        f"The model of the pop songs that you hear is that of fold 0: after a swap {again[0]:.0%} of the repeats are "
        f"found again with it, in the other trainings {others}."
    )


def training(entries: Sequence[Entry]) -> str:
    """How far one run gets, and how long that takes."""
    run = papers_run(entries)
    if not run:
        return "No run of the model with attention is recorded."
    alike = [entry for entry in entries if (entry.model, entry.corpus) == (run.model, run.corpus) and not entry.sweep]
    minutes = sorted(round(entry.train_seconds / 60) for entry in alike if entry.pieces == run.pieces)
    took = f"{minutes[0]} minutes" if len(minutes) == 1 else f"{minutes[0]} to {minutes[-1]} minutes"
    device = re.sub(r"\b1 threads?$", "one thread", run.device)
    return (
        f"Yes: {run.pieces:,} pieces took {took} ({device}, beside other work), and after them "
        f"{run.accuracy_free_running:.0%} of the steps of unheard songs come back from their codes alone."
    )


def table(entries: Sequence[Entry], found: dict[str, Finding]) -> str:
    """Attention beside no attention at equal rate and as they stand, and beside a flat LSTM."""
    if not known(found, "C1", "C2"):
        return "Whether it is better is not decided by these runs."
    saved, flat = found["C2"], found["C1"]
    said = (
        f"With the same amount of stored information, attention loses {saved.value:.0%} less than no attention "
        f"({saved.low:.0%} to {saved.high:.0%}; {counted(len(saved.runs))}), and of 100 steps it gives back "
        f"{100 * flat.value:.0f} more than a flat LSTM ({counted(len(flat.runs))})."
    )
    by_run = {one.run: one for one in entries}
    first = papers_run(entries)
    alike = [one for one in entries if first and one.run == replace(first.run, fold=one.fold, seed=one.seed)]
    pairs = [(one, other) for one in alike if (other := by_run.get(replace(one.run, model="no_attention")))]
    if not pairs:
        return said
    steps, nats = (
        mean(other.score(statistic) - one.score(statistic) for one, other in pairs)
        for statistic in ("accuracy_free_running", "rate_nats_per_piece")
    )
    return (
        f"{said} At the same KL weight it gives back {100 * abs(steps):.1f} of 100 steps "
        f"{'less' if steps > 0 else 'more'} than no attention, with {abs(nats):.0f} nats "
        f"{'less' if nats > 0 else 'more'} ({counted(len(pairs))})."
    )


def counted(trainings: int) -> str:
    """How many there are: "1 training", "5 trainings"."""
    return f"{trainings} training{'s' * (trainings > 1)}"


def attention(found: dict[str, Finding]) -> str:
    """How much more attention than chance the repeated bar gets."""
    if not known(found, "C5"):
        return "Where the model looks is not measured of these runs."
    where = found["C5"]
    return (
        f"{'Yes' if where.verdict == 'replicated' else 'Not clearly'}: the bar that is repeated gets {lift(where)} "
        "times as much attention as chance would give it."
    )


def limits(found: dict[str, Finding]) -> str:
    """What a copy saves, and what retrograde or inversion do."""
    if not known(found, "C6", "C6, a copy"):
        return "What the model does not notice is not measured of these runs."
    copy, mirrored = found["C6, a copy"], found["C6"]
    saves = f"{mirrored.value:.0%}" if mirrored.value >= 0.005 else "nothing"
    return (
        f"A plain copy makes the second half of a melody {copy.value:.0%} cheaper than another song's bars "
        f"({copy.low:.0%} to {copy.high:.0%}); a half that runs backwards or upside down saves {saves} beside the same "
        "notes in another order."
    )
