"""What notebooks/train.ipynb shows of the run that it has trained."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from tvae import checkpoint, transfer
from tvae.corpus import load
from tvae.files import read_json
from tvae.report import listen, plots, tables


def metrics(folder: Path) -> tables.Table:
    found = read_json(folder / "metrics.json")
    return tables.plain(pd.DataFrame({"metric": found.keys(), "value": [str(value) for value in found.values()]}))


def curves(folder: Path) -> plots.Shown:
    run = read_json(folder / "config.json")
    model = run["model"]
    return plots.show(
        plots.training_curves({model: pd.read_csv(folder / "history.csv")}),
        "Loss, rate and accuracy of stage 1 against pieces seen.",
        f"Stage 1 of {model} on {run['corpus']}, preset {run['preset']}, {folder.name}.",
    )


def given_back(folder: Path, data_dir: str | None = None) -> listen.Players:
    """Two test pieces, each followed by what the model gives back from its codes alone."""
    run = read_json(folder / "config.json")
    data = load(run["corpus"], data_dir)
    test = data.part(data.split(run["fold"])[1][:2])
    again = transfer.reconstruct(checkpoint.load(folder / "weights.safetensors"), test.tokens)
    heard = [tokens for pair in zip(test.tokens, again) for tokens in pair]
    return listen.players(heard, [title for piece in test.title for title in (piece, f"{piece}, given back")])
