"""When does "as bar 1" appear? Runs that kept their weights along the way, measured at each of them, for the record.

    python -m tvae measure --record figures --weights weights --runs runs --data-dir DIR

writes ``<record>/emergence.json``.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from tvae import checkpoint
from tvae.checkpoint import in_eight_bits, read_settings
from tvae.corpus import Corpus
from tvae.errors import TvaeError
from tvae.files import write_json
from tvae.melody import BARS
from tvae.presets import PRESETS
from tvae.report import record as records
from tvae.report.entry import Entry
from tvae.report.measured import read as read_inside
from tvae.report.measured import rounded
from tvae.report.transferred import read as read_transfers
from tvae.report.typeset import number
from tvae.studies.emergence import example, measure

STATISTICS = {  # of `tvae.studies.emergence.measure`, in words
    "structure_kept": "structure kept when z₁ is swapped",
    "repeats_from_prior_mean": "bar 5 repeats bar 1 although z₅ says nothing",
    "repeat_rate": "what a repeated bar costs, of a new bar's rate",
    "attention_found": "attention on the bar that is repeated",
    "accuracy_free_running": "free-running accuracy",
}
RELEASE = PRESETS["paper"].stage_1.rows  # pieces that the release trains for
COMPARED = ("attention", "no_attention", "context_free")  # what they may hear of earlier bars: all, one, none
ABOUT = ("model", "corpus", "preset", "fold", "seed", "precision", "corpus_sha256")


def kept_weights(run: Path) -> dict[int, Path]:
    """The weights that a run put aside: pieces seen -> file."""
    return {int(path.stem): path for path in sorted((run / "kept").glob("*.safetensors"))}


def measure_run(run: Path, data: Mapping[str, Corpus]) -> dict:
    """A finished run at every moment that it kept: {..., "points": [{"pieces", "heard", and what `measure` gives}]}.

    What is heard are fiddle tunes, which may be given on.
    """
    entry, _ = records.run_in(run)
    corpus = records.corpus_of(entry, data)
    tunes = data["folk" if corpus.bars == BARS else "folk16"]
    train, test = map(corpus.part, corpus.split(entry.fold))
    points, about = [], {}
    for pieces, path in kept_weights(run).items():
        about = read_settings(path)
        vae = in_eight_bits(checkpoint.load(path))
        heard = {name: found.tolist() for name, found in example(vae, tunes).items()}
        points.append({"pieces": pieces} | measure(vae, train, test) | {"heard": heard})
        print(f"{run} measured at {pieces:,} pieces", flush=True)
    return {name: about[name] for name in ABOUT} | {"git_commit": entry.git_commit, "points": points}


def measure_record(record: Path, runs: Path, data: Mapping[str, Corpus]) -> None:
    """Measure every finished run in `runs` that kept weights, in place of an earlier one of its name; others stay.

    Of a run that cannot be measured it is said why.
    """
    path = record / "emergence.json"
    found = {which(run): run for run in records.kept(path, read, [])}
    for folder in (kept.parent for kept in sorted(runs.glob("*/*/*/fold*/kept"))):
        if (folder / "metrics.json").exists():
            try:
                run = measure_run(folder, data)
                found[which(run)] = run
            except TvaeError as error:
                print(f"{folder} is not measured: {error}", flush=True)
    if found:
        write_json(path, rounded([*found.values()]), indent=None)


def which(run: dict) -> tuple:
    """What a run is called by: of one name there is one."""
    return tuple(run[name] for name in ("model", "corpus", "preset", "fold", "seed"))


def read(path: str | Path) -> list[dict]:
    """What was recorded, a run each; an empty list where nothing was yet."""

    def whole(runs: list[dict]) -> None:
        for run in runs:
            which(run), [(one["pieces"], one["structure_kept"], one["heard"]["titles"]) for one in run["points"]]

    return records.measurement(path, "such measurement", whole) if Path(path).exists() else []


def curves(run: dict) -> pd.DataFrame:
    """A run as rows: statistic, pieces, value, low, high."""
    rows = [(name, point["pieces"], *point[name]) for point in run["points"] for name in STATISTICS]
    return pd.DataFrame(rows, columns=["statistic", "pieces", "value", "low", "high"]).astype(
        {"value": float, "low": float, "high": float}
    )


def ended(record: Path, entries: list[Entry], corpus: str) -> pd.DataFrame:
    """The same statistics of the recorded runs of `attention`, where they ended; a row a run and statistic."""
    inside = read_inside(record / "inside.json")["runs"] if (record / "inside.json").exists() else {}
    path = record / "transfer.json"
    transfers = {run["run"]: run["conditions"]["bar 1"] for run in read_transfers(path)} if path.exists() else {}
    rows = []
    for entry in entries:
        name = entry.name
        if (entry.model, entry.corpus, entry.sweep) != ("attention", corpus, False) or name not in inside:
            continue
        codes, heads = inside[name]["codes"], inside[name]["attention"]
        repeated = next(row for row in codes["matched"] if row["kind"] == "repeated")
        found = {
            "structure_kept": transfers[name]["structure_kept"][0] if name in transfers else None,
            "repeats_from_prior_mean": next(row for row in codes["fifth_bar"] if row["z_5"] == "prior mean")["equal"][
                0
            ],
            "repeat_rate": None if repeated["saving"] is None else 1 - repeated["saving"],
            "attention_found": heads["heads"][heads["finder"]]["found"][0],
            "accuracy_free_running": entry.accuracy_free_running,
        }
        rows += [(key, entry.pieces, value) for key, value in found.items() if value is not None]
    return pd.DataFrame(rows, columns=["statistic", "pieces", "value"])


def falls(record: str | Path, entries: list[Entry], corpus: str) -> pd.DataFrame:
    """The fall of the rate from bar 1 to bars 5-7 while recorded runs of `COMPARED` train: model, run, pieces, fall."""
    found = []
    for one in entries:
        if one.corpus == corpus and one.model in COMPARED and not one.sweep:
            h = records.history(record, one)
            h = h[h["stage"] == 1]
            later = h[["rate_bar_5", "rate_bar_6", "rate_bar_7"]].mean(axis=1)
            columns = {"model": one.model, "run": one.name, "pieces": h["pieces"], "fall": 1 - later / h["rate_bar_1"]}
            found.append(pd.DataFrame(columns))
    return pd.concat(found) if found else pd.DataFrame(columns=["model", "run", "pieces", "fall"])


def from_then_on(fallen: pd.DataFrame, threshold: float) -> tuple[str, ...]:
    """A sentence on rows of `falls`: from when on the fall stays above a threshold; none where there is no run."""
    since = []
    for _, run in fallen.groupby("run"):
        below = run["pieces"][run["fall"] < threshold]
        after = run["pieces"][run["pieces"] > (below.max() if len(below) else 0)]
        since.append(int(after.min()) if len(after) else None)
    known = [pieces for pieces in since if pieces is not None]
    if not known:
        return ()
    when = f"from {seen(min(known))} pieces on" + (
        f" in the earliest, from {seen(max(known))} in the latest" if min(known) != max(known) else ""
    )
    return (
        f"In {len(known)} of {len(since)} recorded trainings with attention later bars stay more than {threshold:.0%} "
        f"cheaper than the first, {when}.",
    )


def first_above(run: dict, statistic: str, threshold: float) -> int | None:
    """The pieces seen at the first of the kept moments from which on a statistic stays at or above a threshold."""
    above = None
    for point in reversed(run["points"]):
        if point[statistic][0] is None or point[statistic][0] < threshold:
            break
        above = point["pieces"]
    return above


def answer(run: dict | None, threshold: float) -> str:
    """The page in three sentences; `threshold` is C7's."""
    if run is None:
        return "When the structure begins to stay is not known: no run that kept its weights on the way is recorded."
    points = run["points"]
    first, half, last = points[0], points[len(points) // 2], points[-1]
    above = first_above(run, "structure_kept", threshold)
    if above:
        when = f"From {seen(above)} pieces on, of {seen(last['pieces'])}, more than {threshold:.0%} of"
    elif last["structure_kept"][0] is None:
        when = f"Within {seen(last['pieces'])} pieces it is not known how much of"
    else:
        when = f"Not within {seen(last['pieces'])} pieces: less than {threshold:.0%} of"
    accuracy, structure = (change(half, last, name) for name in ("accuracy_free_running", "structure_kept"))
    prior = [point["repeats_from_prior_mean"][0] for point in (first, last)]
    return (
        f"{when} the host's structure stays when bar 1 is swapped. "
        f"From {seen(half['pieces'])} pieces on free-running accuracy changes by {share(accuracy, '+.3f')}, the "
        f"structure kept by {share(structure, '+.2f')}. With a z₅ that says nothing, bar 5 repeats bar 1 in "
        f"{share(prior[0], '.0%')} of the A-A pieces at {seen(first['pieces'])} pieces and in {share(prior[1], '.0%')} "
        f"at the end; the release trains for {RELEASE / 1e6:.0f} million."
    )


def change(point: dict, later: dict, statistic: str) -> float | None:
    """How much a statistic is greater at a later moment; None where it is not known at one of them."""
    before, after = (one[statistic][0] for one in (point, later))
    return None if None in (before, after) else after - before


def share(value: float | None, spec: str) -> str:
    """A share, or how much it changes, in words."""
    return "an unknown share" if value is None else number(value, spec)


def seen(pieces: int) -> str:
    """Pieces seen in words: a batch may end some pieces after the moment that was meant."""
    return f"{round(pieces, -2):,}"
