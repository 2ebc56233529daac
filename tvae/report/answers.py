"""The answer in three sentences, made of the record: does the paper hold, on what scale, and where not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tvae.report import transferred
from tvae.report.claims import Finding
from tvae.report.entry import Entry

CORPORA = {"hooktheory": "pop songs", "folk": "fiddle tunes", "pop909": "played pop songs"}


def answers(record: str | Path, entries: Sequence[Entry], findings: Sequence[Finding]) -> dict[str, str]:
    """Three sentences for the front page: "scale", "codes" and "transfer"; each says what is not recorded yet."""
    found = {finding.claim: finding for finding in findings}
    return {
        "scale": scale(entries, findings),
        "codes": codes(found),
        "transfer": transfers(record, found),
    }


def scale(entries: Sequence[Entry], findings: Sequence[Finding]) -> str:
    """How many claims hold, for how large a model, trained how long, on what."""
    counts = Counter(finding.verdict for finding in findings)
    runs = [entry for entry in entries if entry.model == "attention" and not entry.sweep]
    if not findings or not runs:
        return "No claim of the paper is tested by these runs: they are toy runs, made to show that everything works."
    run = min(runs, key=lambda entry: (entry.corpus != "hooktheory", entry.fold))
    folds = {entry.fold for entry in runs if entry.corpus == run.corpus}
    where = f"{CORPORA.get(run.corpus, run.corpus)} ({run.corpus})"
    repeated = "one fold and one seed" if len(folds) == 1 else f"{len(folds)} folds with a seed each"
    return (
        f"Mostly, yes: of {len(findings)} tests of the paper's claims {counts['replicated']} are replicated, "
        f"{counts['partly replicated']} partly, {counts['not replicated']} not, "
        f"and {counts['not decided']} wait for runs; with {run.parameters / 1e6:.1f} million parameters, "
        f"{run.pieces:,} pieces of training on {where}, {repeated}."
        if counts["replicated"] > counts["not replicated"]
        else f"Mostly not: of {len(findings)} tests {counts['replicated']} are replicated, "
        f"{counts['not replicated']} not."
    )


def codes(found: dict[str, Finding]) -> str:
    """What a repeated bar costs, and whether attention looks back."""
    cheaper, lift = found.get("C4"), found.get("C5")
    if not cheaper or cheaper.value is None or not lift or lift.value is None:
        return "What a repeated bar costs is not measured of these runs."
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
    if not kept or not kept.runs or kept.runs[0].names[0] not in runs:
        return "What a swapped first bar takes along is not measured of these runs."
    conditions = runs[kept.runs[0].names[0]]["conditions"]
    swapped, own = (conditions[name]["structure_recall"][0] for name in ("bar 1", "no swap"))
    rhythm, register = found["C8"], found["C9"]
    return (
        f"When bar 1 is swapped, {swapped:.0%} of its repeats are found again ({own:.0%} without a swap); "
        f"the rhythm of later bars follows {rhythm.value:.0%} and the register {register.value:.0%} "
        "of the way that songs go themselves."
    )
