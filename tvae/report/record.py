"""The record: what was measured, and on what. A folder with

- ``results.json``: the metrics of every recorded run, a flat entry each (keys: `REQUIRED`),
- ``pieces/<run>.npz``: its per-piece scores, ``history/<run>.csv``: its training curve,

and, in a folder of their own, ``<run>.safetensors``: its weights in eight bits, the very ones that were measured,
of fold 0 at the preset's own schedule, but of no ablation (`releases_weights`). ``<run>`` is `tvae.runs.Run.name`.

    python -m tvae record runs/cpu/*/*/fold* --record figures --weights weights
"""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from tvae.baselines import LSTMVAE
from tvae.checkpoint import in_eight_bits, load, save_weights, write_atomically
from tvae.errors import TvaeError
from tvae.evaluate import Pieces
from tvae.model import TransformerVAE
from tvae.presets import MODELS, PRESETS
from tvae.runs import Run

REQUIRED = {
    "corpus": str, "model": str, "preset": str, "fold": int, "seed": int, "n_test": int, "kl_weight": float,
    "sweep": bool, "pieces": int,
    "accuracy_teacher_forced": float, "accuracy_teacher_forced_sampled": float, "accuracy_free_running": float,
    "onset_f1_free_running": float, "rate_nats_per_piece": float, "rate_mean_per_dim": float,
    "distortion_nats_per_piece": float, "parameters": int, "steps": int, "samples_per_second": float,
    "train_seconds": float, "precision": str, "device": str, "torch": str, "git_commit": str, "corpus_sha256": str,
}  # fmt: skip
A_CODE_A_BAR = {"rate_per_bar": list, "rate_drop": float}  # required as well, where each bar has a code


def run(entry: dict) -> Run:
    """The run that an entry records."""
    weight = entry["kl_weight"] if entry["sweep"] else None
    return Run(entry["preset"], entry["corpus"], entry["model"], entry["fold"], weight, entry["seed"])


def run_name(entry: dict) -> str:
    """``cpu-hooktheory-attention-fold0``, or ``...-fold0-kl4`` for a point of a rate-distortion curve."""
    return run(entry).name


def releases_weights(entry: dict) -> bool:
    """Are the weights of this run part of the record?"""
    ablation = MODELS[entry["model"]].role == "ablation"  # measured; the repository stays small without their weights
    return entry["fold"] == 0 and not entry["sweep"] and not ablation


def read(record: str | Path) -> list[dict]:
    """The entries of ``<record>/results.json``, in order; `TvaeError` names the run that something is wrong with."""
    path = Path(record) / "results.json"
    try:
        entries = json.loads(path.read_text())
    except FileNotFoundError:
        raise TvaeError(f"There is no {path}; train runs and collect them with `python -m tvae record`.") from None
    except json.JSONDecodeError as error:
        raise TvaeError(f"{path} is not JSON (line {error.lineno}: {error.msg}).") from None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise TvaeError(f"{path} should be a list of runs, each an object.")
    for number, entry in enumerate(entries):
        check(entry, f"{path}, run {number + 1}")
    first = {}  # of each corpus
    for entry in entries:
        other = first.setdefault(entry["corpus"], entry)
        for key, what in (("preset", "presets"), ("corpus_sha256", "versions of the corpus")):
            if entry[key] != other[key]:
                raise TvaeError(
                    f"{path} mixes {what} on {entry['corpus']}: {run_name(entry)} has {entry[key]}, "
                    f"{run_name(other)} has {other[key]}; what stands in one table has to be one."
                )
    names = [run_name(entry) for entry in entries]
    for name in names:
        if names.count(name) > 1:
            raise TvaeError(f"{path} has the run {name} twice.")
    return entries


def check(entry: dict, where: str) -> None:
    """Raise a `TvaeError` unless `entry` is a complete, finite record of a known model and preset."""
    if all(key in entry for key in ("preset", "corpus", "model", "fold", "seed")):
        named = entry.get("sweep") is True and isinstance(entry.get("kl_weight"), (int, float))
        where = f"{where} ({run_name(entry if named else entry | {'kl_weight': None, 'sweep': False})})"
    check_values(entry, REQUIRED, where)
    for key, known in (("model", MODELS), ("preset", PRESETS)):
        if entry[key] not in known:
            raise TvaeError(f"{where}: there is no {key} '{entry[key]}'; known are {', '.join(known)}.")
    if not MODELS[entry["model"]].one_code:
        check_values(entry, A_CODE_A_BAR, where)


def check_values(entry: dict, required: dict[str, type], where: str) -> None:
    """Raise a `TvaeError` unless `entry` has these keys, with finite values of their types."""
    for key, kind in required.items():
        if key not in entry:
            raise TvaeError(f"{where} has no '{key}'.")
        value = entry[key]
        right = isinstance(value, (int, float) if kind is float else kind)
        if not right or isinstance(value, bool) is not (kind is bool):
            raise TvaeError(f"{where}: '{key}' should be a {kind.__name__}, not {value!r}.")
        numbers = {str: [], list: value}.get(kind, [value])
        if not all(isinstance(number, (int, float)) and math.isfinite(number) for number in numbers):
            raise TvaeError(f"{where}: '{key}' is not a number ({value!r}).")


def read_reported(path: str | Path) -> dict[str, dict[str, float]]:
    """The paper's own numbers, model -> statistic -> number; empty until somebody fills the file in.

    Raises `TvaeError` where a model or a statistic is none that the record knows, or a number is none.
    """
    try:
        reported = yaml.safe_load(Path(path).read_text()) or {}
        numbers = [(model, *item) for model, statistics in reported.items() for item in statistics.items()]
    except (OSError, yaml.YAMLError, AttributeError) as error:
        raise TvaeError(f"{path} is no list of models with their numbers ({error}).") from None
    known = [key for key, kind in REQUIRED.items() if kind is float]
    for model, statistic, number in numbers:
        if model not in MODELS:
            raise TvaeError(f"{path}: there is no model '{model}'; known are {', '.join(MODELS)}.")
        if statistic not in known:
            raise TvaeError(
                f"{path}: {model} has a '{statistic}', which the record does not know; choose from {', '.join(known)}."
            )
        if isinstance(number, bool) or not isinstance(number, (int, float)) or not math.isfinite(number):
            raise TvaeError(f"{path}: '{statistic}' of {model} should be a number, not {number!r}.")
    return reported


def pieces(record: str | Path, entry: dict) -> tuple[Pieces, np.ndarray]:
    """A recorded run's per-piece scores and the pieces' songs."""
    path = Path(record) / "pieces" / f"{run_name(entry)}.npz"
    try:
        with np.load(path, allow_pickle=False) as arrays:
            scores = dict(arrays)
    except (OSError, ValueError) as error:
        raise TvaeError(f"The per-piece scores of {run_name(entry)} cannot be read from {path} ({error}).") from None
    return scores, scores.pop("song")


def history(record: str | Path, entry: dict) -> pd.DataFrame:
    """A recorded run's training curve, the columns of its history.csv."""
    path = Path(record) / "history" / f"{run_name(entry)}.csv"
    try:
        return pd.read_csv(path)
    except (OSError, ValueError) as error:
        raise TvaeError(f"The training curve of {run_name(entry)} cannot be read from {path} ({error}).") from None


def load_model(weights: str | Path, entry: dict) -> TransformerVAE | LSTMVAE:
    """A recorded run's model, from its released weights."""
    return load(Path(weights) / f"{run_name(entry)}.safetensors")


def model_at_hand(weights: str | Path, runs: str | Path, entry: dict) -> TransformerVAE | LSTMVAE | None:
    """A recorded run's model in eight bits, released or as it lies in its folder in `runs`; None without either."""
    if releases_weights(entry):
        return load_model(weights, entry)
    path = Path(runs) / run(entry).folder / "weights.safetensors"
    if not path.exists():
        return None
    vae = load(path)
    vae.load_state_dict(in_eight_bits(vae.state_dict()))
    return vae


def collect(folders: list[Path], record: Path, weights: Path) -> list[dict]:
    """Take finished runs into the record, in place of earlier ones of the same name; other entries stay.

    Runs of another preset or another version of their corpus leave the record, and so do their files: they could not
    stand in one table with the new ones.
    """
    entries = {run_name(entry): entry for entry in (read(record) if (record / "results.json").exists() else [])}
    for folder in (record / "pieces", record / "history", weights):
        folder.mkdir(parents=True, exist_ok=True)
    for folder in folders:
        if not (folder / "metrics.json").exists():
            raise TvaeError(f"{folder} holds no finished run (no metrics.json).")
    left = []
    for folder in folders:
        entry = json.loads((folder / "metrics.json").read_text())
        check(entry, str(folder))
        for name, old in list(entries.items()):
            if old["corpus"] == entry["corpus"] and any(old[key] != entry[key] for key in ("preset", "corpus_sha256")):
                del entries[name]
                left.append(name)
        name = run_name(entry)
        if releases_weights(entry):
            config = json.loads((folder / "config.json").read_text())
            vae = load(folder / "weights.safetensors")
            save_weights(vae, weights / f"{name}.safetensors", config, eight_bits=True)
        shutil.copyfile(folder / "pieces.npz", record / "pieces" / f"{name}.npz")
        shutil.copyfile(folder / "history.csv", record / "history" / f"{name}.csv")
        entries[name] = entry
    entries = [entries[name] for name in sorted(entries)]
    write_atomically(record / "results.json", lambda part: part.write_text(json.dumps(entries, indent=1) + "\n"))
    for name in left:
        print(f"{name} leaves the record")
        for file in (record / f"pieces/{name}.npz", record / f"history/{name}.csv", weights / f"{name}.safetensors"):
            file.unlink(missing_ok=True)
    return entries
