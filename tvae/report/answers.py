"""The answers in words, made of the record: three sentences for the front page, one for each page that asks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tvae.report import transferred
from tvae.report.claims import Finding
from tvae.report.entry import Entry

CORPORA = {"hooktheory": "pop songs", "folk": "fiddle tunes", "pop909": "played pop songs"}


def answers(record: str | Path, entries: Sequence[Entry], findings: Sequence[Finding]) -> dict[str, str]:
    """The sentences that pages open with, by name; each says so where its evidence is not recorded yet.

    "scale", "codes" and "transfer" are the front page's as well.
    """
    found = {finding.claim: finding for finding in findings}
    return {
        "scale": scale(entries, findings),
        "codes": codes(found),
        "transfer": transfers(record, found),
        "training": training(entries),
        "table": table(found),
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


def scale(entries: Sequence[Entry], findings: Sequence[Finding]) -> str:
    """How many claims hold, for how large a model, trained how long, on what."""
    counts, run = Counter(finding.verdict for finding in findings), papers_run(entries)
    if not findings or not run:
        return "No claim of the paper is tested by these runs: they are toy runs, made to show that everything works."
    alike = [entry for entry in entries if (entry.model, entry.corpus) == ("attention", run.corpus)]
    folds = {entry.fold for entry in alike if not entry.sweep}
    waiting = "waits" if counts["not decided"] == 1 else "wait"
    where = f"{CORPORA.get(run.corpus, run.corpus)} ({run.corpus})"
    repeated = "one fold and one seed" if len(folds) == 1 else f"up to {len(folds)} folds with a seed each"
    return (
        f"Mostly, yes: of {len(findings)} tests of the paper's claims {counts['replicated']} are replicated, "
        f"{counts['partly replicated']} partly, {counts['not replicated']} not, "
        f"and {counts['not decided']} {waiting} for runs; with {run.parameters / 1e6:.1f} million parameters, "
        f"{run.pieces:,} pieces of training on {where}, {repeated}."
        if counts["replicated"] > counts["not replicated"]
        else f"Mostly not: of {len(findings)} tests {counts['replicated']} are replicated, "
        f"{counts['not replicated']} not."
    )


def codes(found: dict[str, Finding]) -> str:
    """What a repeated bar costs, and whether attention looks back."""
    if not known(found, "C4", "C5"):
        return "What a repeated bar costs is not measured of these runs."
    cheaper, lift = found["C4"], found["C5"]
    return (
        f"A repeated bar's code is {cheaper.value:.0%} cheaper than a new bar's "
        f"({cheaper.low:.0%} to {cheaper.high:.0%}), and the bar it repeats gets {lift.value:.0f} times as much "
        f"attention as chance would give it ({lift.low:.1f} to {lift.high:.1f})."
    )


def transfers(record: str | Path, found: dict[str, Finding]) -> str:
    """What a swapped first bar takes along, and what it leaves."""
    kept = found.get("C7")
    path = Path(record) / "transfer.json"
    runs = {run["run"]: run for run in transferred.read(path)} if path.exists() else {}
    trained = [runs[run.names[0]]["conditions"] for run in kept.runs if run.names[0] in runs] if kept else []
    if not trained:
        return "What a swapped first bar takes along is not measured of these runs."
    swapped, own = ([run[name]["structure_recall"][0] for run in trained] for name in ("bar 1", "no swap"))
    rhythm, register = found["C8"], found["C9"]
    least, most, unswapped = min(swapped), max(swapped), sum(own) / len(own)
    recall = (
        f"{sum(swapped) / len(swapped):.0%} of its repeats are found again"
        if most - least < 0.2
        else f"{least:.0%} of its repeats are found again after one training and {most:.0%} after another"
    )
    return (
        f"When bar 1 is swapped, {recall} ({unswapped:.0%} without a swap); the rhythm of later bars follows "
        f"{rhythm.value:.0%} and the register {register.value:.0%} of the way that songs go themselves."
    )


def training(entries: Sequence[Entry]) -> str:
    """How far one run gets, and how long that takes."""
    run = papers_run(entries)
    if not run:
        return "No run of the model with attention is recorded."
    device = run.device.replace(", 1 threads", ", one thread")
    return (
        f"Yes: {run.pieces:,} pieces take {run.train_seconds / 60:.0f} minutes ({device}), and after them "
        f"{run.accuracy_free_running:.0%} of the steps of unheard songs come back from their codes alone."
    )


def table(found: dict[str, Finding]) -> str:
    """Attention beside no attention at equal rate, and beside a flat LSTM."""
    if not known(found, "C1", "C2"):
        return "Whether it is better is not decided by these runs."
    saved, flat = found["C2"], found["C1"]
    return (
        f"With the same amount of stored information, attention loses {saved.value:.0%} less than no attention "
        f"({saved.low:.0%} to {saved.high:.0%}), and of 100 steps it gives back {100 * flat.value:.0f} more than "
        "a flat LSTM."
    )


def attention(found: dict[str, Finding]) -> str:
    """How much more attention than chance the repeated bar gets."""
    if not known(found, "C5"):
        return "Where the model looks is not measured of these runs."
    lift = found["C5"]
    return (
        f"{'Yes' if lift.verdict == 'replicated' else 'Not clearly'}: the bar that is repeated gets {lift.value:.0f} "
        f"times as much attention as chance would give it ({lift.low:.0f} to {lift.high:.0f})."
    )


def limits(found: dict[str, Finding]) -> str:
    """What a copy saves, and what retrograde or inversion do."""
    if not known(found, "C6", "C6, a copy"):
        return "What the model does not notice is not measured of these runs."
    copy, mirrored = found["C6, a copy"], found["C6"]
    saves = f"{mirrored.value:.0%}" if mirrored.value >= 0.005 else "nothing"
    return (
        f"A plain copy makes the second half of a melody {copy.value:.0%} cheaper ({copy.low:.0%} to {copy.high:.0%}); "
        f"a half that runs backwards or upside down saves {saves}."
    )
