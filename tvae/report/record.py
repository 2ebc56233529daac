"""The record: what was measured, and on what. A folder with

- ``results.json``: the metrics of every recorded run, a flat `Entry` each,
- ``pieces/<run>.npz``: its per-piece scores, ``history/<run>.csv``: its training curve,

and, in a folder of their own, ``<run>.safetensors``: its weights in eight bits, the very ones that were measured,
of the runs that are `Entry.released`. ``<run>`` is `tvae.runs.Run.name`.

    python -m tvae record runs/cpu/*/*/fold* --record figures --weights weights
"""

from __future__ import annotations

import math
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from tvae import checkpoint
from tvae.baselines import LSTMVAE
from tvae.checkpoint import in_eight_bits, read_settings, save_weights
from tvae.corpus import Corpus
from tvae.errors import TvaeError
from tvae.evaluate import Pieces, terms
from tvae.files import DAMAGED, read_json, write_atomically, write_json
from tvae.model import TransformerVAE
from tvae.presets import MODELS
from tvae.report.entry import SCORES, Entry, entry


def stored(record: str | Path) -> list[dict]:
    """What ``<record>/results.json`` holds; `TvaeError` where it is no list of runs."""
    path = Path(record) / "results.json"
    try:
        runs = read_json(path)
    except FileNotFoundError:
        raise TvaeError(f"There is no {path}; train runs and collect them with `python -m tvae record`.") from None
    except ValueError as error:
        raise TvaeError(f"{path} is not JSON ({error}).") from None
    if not isinstance(runs, list):
        raise TvaeError(f"{path} should be a list of runs, each an object.")
    return runs


def read(record: str | Path) -> list[Entry]:
    """The recorded runs, in order; `TvaeError` names the one that something is wrong with."""
    path = Path(record) / "results.json"
    entries = [entry(values, f"{path}, run {number}") for number, values in enumerate(stored(record), start=1)]
    first = {}  # of each corpus
    for one in entries:
        other = first.setdefault(one.corpus, one)
        for what, ours, theirs in (
            ("presets", one.preset, other.preset),
            ("versions of the corpus", one.corpus_sha256, other.corpus_sha256),
        ):
            if ours != theirs:
                raise TvaeError(
                    f"{path} mixes {what} on {one.corpus}: {one.name} has {ours}, {other.name} has {theirs}; "
                    "what stands in one table has to be one."
                )
    for name, times in Counter(one.name for one in entries).items():
        if times > 1:
            raise TvaeError(f"{path} has the run {name} twice.")
    return entries


def listed(record: str | Path) -> list[Entry]:
    """Those of `read` that pages and claims are about: of each fold the run whose seed is the fold's number.

    A run of another seed is kept beside them, and compared with none.
    """
    return [run for run in read(record) if run.seed == run.fold]


def compared(record: str | Path) -> list[Entry]:
    """Those of `listed` that are compared with each other and with the paper: all but those that are `beyond` it."""
    return [run for run in listed(record) if not run.beyond]


def read_reported(path: str | Path) -> dict[str, dict[str, float]]:
    """The paper's own numbers, model -> statistic -> number; empty until somebody fills the file in.

    Raises `TvaeError` where a model or a statistic is none that the record knows, or a number is none.
    """
    try:
        reported = yaml.safe_load(Path(path).read_bytes()) or {}
        numbers = [(model, *item) for model, statistics in reported.items() for item in statistics.items()]
    except (OSError, yaml.YAMLError, AttributeError) as error:
        raise TvaeError(f"{path} is no list of models with their numbers ({error}).") from None
    for model, statistic, number in numbers:
        if model not in MODELS:
            raise TvaeError(f"{path}: there is no model '{model}'; known are {', '.join(MODELS)}.")
        if statistic not in SCORES:
            raise TvaeError(
                f"{path}: {model} has a '{statistic}', which the record does not know; choose from {', '.join(SCORES)}."
            )
        if isinstance(number, bool) or not isinstance(number, (int, float)) or not math.isfinite(number):
            raise TvaeError(f"{path}: '{statistic}' of {model} should be a number, not {number!r}.")
    return reported


def measurement(path: str | Path, what: str, whole: Callable[[Any], object]) -> Any:
    """What a file of measurements holds; `whole` reads what has to stand in it. `TvaeError` on any other file."""
    try:
        found = read_json(path)
        whole(found)
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise TvaeError(f"{path} holds no {what} ({error}); make it with `python -m tvae measure`.") from None
    return found


def of_recorded(found: Mapping[str, dict], runs: Iterable[Entry]) -> dict[str, dict]:
    """Those of these measurements, by name, that are of the recorded runs.

    What was measured of an earlier training may still stand there under the name of the run that took its place.
    """
    known = {run.name: run for run in runs}
    return {name: one for name, one in found.items() if name in known and known[name].same(one)}


def kept(path: Path, read: Callable[[Path], Any], nothing: Any) -> Any:
    """What `read` finds in a file of measurements; `nothing` where it is not there yet, or damaged: it is made anew."""
    try:
        return read(path) if path.exists() else nothing
    except TvaeError as error:
        print(f"Nothing that was measured earlier is kept: {error}", flush=True)
        return nothing


def pieces(record: str | Path, run: Entry) -> tuple[Pieces, np.ndarray]:
    """A recorded run's per-piece scores and the pieces' songs."""
    return scores(Path(record) / "pieces" / f"{run.name}.npz", run)


def scores(path: Path, run: Entry) -> tuple[Pieces, np.ndarray]:
    """Per-piece scores and songs of a run as a file has them; `TvaeError` unless its metrics can be made of them."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            found = dict(arrays)
        song = found.pop("song")
        terms(found)
        return found, song
    except DAMAGED as error:
        raise TvaeError(f"The per-piece scores of {run.name} cannot be read from {path} ({error}).") from None


def history(record: str | Path, run: Entry) -> pd.DataFrame:
    """A recorded run's training curve, the columns of its history.csv."""
    return curve(Path(record) / "history" / f"{run.name}.csv", run)


def curve(path: Path, run: Entry) -> pd.DataFrame:
    """The training curve of a run as a file has it."""
    try:
        return pd.read_csv(path)
    except (OSError, ValueError) as error:
        raise TvaeError(f"The training curve of {run.name} cannot be read from {path} ({error}).") from None


def load_model(weights: str | Path, run: Entry) -> TransformerVAE | LSTMVAE:
    """A recorded run's model, from its released weights."""
    return checkpoint.load(Path(weights) / f"{run.name}.safetensors")


def prior_file(weights: str | Path, run: str) -> Path:
    """Where the prior over the codes of a run's model lies (`tvae.report.beyond`)."""
    return Path(weights) / f"prior-{run}.safetensors"


def model_at_hand(weights: str | Path, runs: str | Path, run: Entry) -> TransformerVAE | LSTMVAE:
    """A recorded run's model in eight bits, released or as it lies in its folder in `runs`."""
    if run.released:
        return load_model(weights, run)
    return in_eight_bits(checkpoint.load(Path(runs) / run.run.folder / "weights.safetensors"))


def corpus_of(run: Entry, data: Mapping[str, Corpus]) -> Corpus:
    """The corpus that a run was trained on; `TvaeError` where another version of it is at hand."""
    corpus = data[run.corpus]
    if corpus.sha256 != run.corpus_sha256:
        raise TvaeError(f"{run.name} was trained on another version of {run.corpus} than the one that is here.")
    return corpus


def measure_again(
    entries: Iterable[Entry],
    known: Mapping[str, dict],
    weights: Path,
    runs: Path,
    measure: Callable[[Entry, TransformerVAE | LSTMVAE], dict],
) -> dict[str, dict]:
    """What is measured of each run, by name.

    Of one that cannot be measured, for want of its weights or of its corpus, it is said why, and what is `known` of it
    stays.
    """
    found = {}
    for run in entries:
        name = run.name
        try:
            found[name] = run.about() | measure(run, model_at_hand(weights, runs, run))
            print(f"{name} measured", flush=True)
        except TvaeError as error:
            if name in known:
                found[name] = known[name]
            print(f"{name} {'stays as it was recorded' if name in known else 'is not measured'}: {error}", flush=True)
    return found


def run_in(folder: Path) -> tuple[Entry, dict]:
    """The finished run in a folder, and its values as they stand there. Raises `TvaeError` where there is none."""
    path = folder / "metrics.json"
    try:
        values = read_json(path)
    except FileNotFoundError:
        raise TvaeError(f"{folder} holds no finished run (no metrics.json).") from None
    except (OSError, ValueError) as error:
        raise TvaeError(f"{path} cannot be read ({error}).") from None
    return entry(values, folder), values


def recordable(folder: Path) -> tuple[Entry, dict]:
    """`run_in` a folder; `TvaeError` unless all that is recorded of it can be read."""
    run, values = run_in(folder)
    scores(folder / "pieces.npz", run)
    curve(folder / "history.csv", run)
    if run.released:
        checkpoint.load(folder / "weights.safetensors")
    return run, values


def collect(folders: list[Path], record: Path, weights: Path) -> list[Entry]:
    """Take finished runs into the record, in place of earlier ones of the same name; other runs stay.

    Runs of another preset or another version of their corpus leave the record, and so do their files: they could not
    stand in one table with the new ones. A prior over the codes of a run leaves with it, also where another training
    takes its place. Nothing is written before all of it was read.
    """
    known = {}  # name -> the run, and its values as they stand in the file
    if (record / "results.json").exists():
        known = {run.name: (run, values) for run, values in zip(read(record), stored(record), strict=True)}
    earlier = [run for run, _ in known.values()]
    taken, left = {}, set()
    for folder in folders:
        new, values = recordable(folder)
        for name, (old, _) in list(known.items()):
            same = (old.preset, old.corpus_sha256) == (new.preset, new.corpus_sha256)
            if old.corpus == new.corpus and not same:
                del known[name]
                left.add(name)
        known[new.name], taken[new.name] = (new, values), folder
    for place in (record / "pieces", record / "history", weights):
        place.mkdir(parents=True, exist_ok=True)
    for name, folder in taken.items():
        if name in known and known[name][0].released:
            own = folder / "weights.safetensors"
            save_weights(checkpoint.load(own), weights / f"{name}.safetensors", read_settings(own), eight_bits=True)
        for file, kept in (("pieces.npz", f"pieces/{name}.npz"), ("history.csv", f"history/{name}.csv")):
            write_atomically(record / kept, partial(shutil.copyfile, folder / file))
    write_json(record / "results.json", [known[name][1] for name in sorted(known)])
    for name in sorted(left - known.keys()):
        print(f"{name} leaves the record")
        for file in (record / f"pieces/{name}.npz", record / f"history/{name}.csv", weights / f"{name}.safetensors"):
            file.unlink(missing_ok=True)
    for run in earlier:
        path = prior_file(weights, run.name)
        if path.exists() and not (run.name in known and known[run.name][0].same(run.about())):
            print(f"{path} goes with the training whose codes it is about")
            path.unlink()
    return [known[name][0] for name in sorted(known)]
