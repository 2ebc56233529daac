"""The record: what was measured, and on what. A folder with

- ``results.json``: the metrics of every recorded run, a flat entry each (keys: `REQUIRED`),
- ``pieces/<run>.npz``: its per-piece scores, ``history/<run>.csv``: its training curve,

and, in a folder of their own, ``<run>.safetensors``: its weights in half precision, the very ones that were measured.
``<run>`` is ``<preset>-<corpus>-<model>-fold<k>``.

    python -m tvae.record runs/cpu/*/*/fold* --record figures --weights weights
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from tvae.errors import TvaeError
from tvae.evaluate import Pieces
from tvae.model import TransformerVAE
from tvae.train import MODELS, PRESETS, load_weights, save_weights, write_atomically

REQUIRED = {
    "corpus": str, "model": str, "preset": str, "fold": int, "seed": int, "n_test": int,
    "accuracy_teacher_forced": float, "accuracy_teacher_forced_sampled": float, "accuracy_free_running": float,
    "onset_f1_free_running": float, "rate_nats_per_piece": float, "rate_mean_per_dim": float, "rate_per_bar": list,
    "rate_drop": float, "distortion_nats_per_piece": float, "parameters": int, "steps": int, "samples_per_second": float,
    "train_seconds": float, "precision": str, "device": str, "torch": str, "git_commit": str, "corpus_sha256": str,
}  # fmt: skip


def run_name(entry: dict) -> str:
    """``cpu-hooktheory-attention-fold0``."""
    return f"{entry['preset']}-{entry['corpus']}-{entry['model']}-fold{entry['fold']}"


def read(record: str | Path) -> list[dict]:
    """The entries of ``<record>/results.json``, in order; `TvaeError` names the run that something is wrong with."""
    path = Path(record) / "results.json"
    try:
        entries = json.loads(path.read_text())
    except FileNotFoundError:
        raise TvaeError(f"There is no {path}; train runs and collect them with `python -m tvae.record`.") from None
    except json.JSONDecodeError as error:
        raise TvaeError(f"{path} is not JSON (line {error.lineno}: {error.msg}).") from None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise TvaeError(f"{path} should be a list of runs, each an object.")
    for number, entry in enumerate(entries):
        check(entry, f"{path}, run {number + 1}")
    names = [run_name(entry) for entry in entries]
    for name in names:
        if names.count(name) > 1:
            raise TvaeError(f"{path} has the run {name} twice.")
    return entries


def check(entry: dict, where: str) -> None:
    """Raise a `TvaeError` unless `entry` is a complete, finite record of a known model and preset."""
    if all(key in entry for key in ("preset", "corpus", "model", "fold")):
        where = f"{where} ({run_name(entry)})"
    for key, kind in REQUIRED.items():
        if key not in entry:
            raise TvaeError(f"{where} has no '{key}'.")
        value = entry[key]
        if isinstance(value, bool) or not isinstance(value, (int, float) if kind is float else kind):
            raise TvaeError(f"{where}: '{key}' should be a {kind.__name__}, not {value!r}.")
        numbers = {str: [], list: value}.get(kind, [value])
        if not all(isinstance(number, (int, float)) and math.isfinite(number) for number in numbers):
            raise TvaeError(f"{where}: '{key}' is not a number ({value!r}).")
    for key, known in (("model", MODELS), ("preset", PRESETS)):
        if entry[key] not in known:
            raise TvaeError(f"{where}: there is no {key} '{entry[key]}'; known are {', '.join(known)}.")


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


def load_model(weights: str | Path, entry: dict) -> TransformerVAE:
    """A recorded run's model, from its released weights."""
    return load_weights(Path(weights) / f"{run_name(entry)}.safetensors")


def collect(folders: list[Path], record: Path, weights: Path) -> list[dict]:
    """Take finished runs into the record, in place of earlier ones of the same name; other entries stay."""
    entries = {run_name(entry): entry for entry in (read(record) if (record / "results.json").exists() else [])}
    for folder in (record / "pieces", record / "history", weights):
        folder.mkdir(parents=True, exist_ok=True)
    for folder in folders:
        if not (folder / "metrics.json").exists():
            raise TvaeError(f"{folder} holds no finished run (no metrics.json).")
        entry = json.loads((folder / "metrics.json").read_text())
        check(entry, str(folder))
        name = run_name(entry)
        config = json.loads((folder / "config.json").read_text())
        vae = load_weights(folder / "weights.safetensors")
        save_weights(vae, weights / f"{name}.safetensors", config, torch.float16)
        shutil.copyfile(folder / "pieces.npz", record / "pieces" / f"{name}.npz")
        shutil.copyfile(folder / "history.csv", record / "history" / f"{name}.csv")
        entries[name] = entry
    entries = [entries[name] for name in sorted(entries)]
    write_atomically(record / "results.json", lambda part: part.write_text(json.dumps(entries, indent=1) + "\n"))
    return entries


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tvae.record", description="Take finished runs into the record.")
    parser.add_argument("folders", nargs="+", type=Path, help="run folders, as tvae.train prints them")
    parser.add_argument("--record", type=Path, default=Path("figures"))
    parser.add_argument("--weights", type=Path, default=Path("weights"))
    arguments = parser.parse_args()
    try:
        for entry in collect(arguments.folders, arguments.record, arguments.weights):
            print(f"{run_name(entry):44} free-running accuracy {entry['accuracy_free_running']:.4f}")
    except TvaeError as error:
        raise SystemExit(f"tvae: {error}") from None


if __name__ == "__main__":
    main()
