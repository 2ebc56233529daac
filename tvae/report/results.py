"""What the page of results shows: statistics of the recorded runs with their intervals, as rows.

python -m tvae.report.results --data-dir DIR    describes the corpora, into figures/corpora.json
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from tvae import corpus as corpora
from tvae.errors import TvaeError
from tvae.evaluate import Pieces, evaluate, terms
from tvae.melody import PIECE
from tvae.report import record as records
from tvae.studies.comparison import FOLD_SETS, EqualRate, equal_rate, fold_label
from tvae.studies.description import describe
from tvae.studies.statistics import interval, quantiles, ratio, resampled
from tvae.train import MODELS, PRESETS, write_atomically

DIFFERENCES = ("accuracy_free_running", "onset_f1_free_running", "rate_nats_per_piece", "distortion_nats_per_piece")


def read_descriptions(path: str | Path) -> dict[str, dict]:
    """The recorded `describe` of each corpus, by name."""
    try:
        return {description["name"]: description for description in json.loads(Path(path).read_text())}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TvaeError(
            f"{path} holds no descriptions of corpora ({error}); make it with `python -m tvae.report.results`."
        ) from None


@dataclass(frozen=True)
class Block:
    """Runs that can be compared: models trained on one corpus with one preset, tested on the same folds.

    `runs` holds a model's entries in the order of `folds`.
    """

    corpus: str
    preset: str
    folds: tuple[int, ...]
    runs: dict[str, list[dict]]

    @property
    def title(self) -> str:
        return f"{self.corpus}, preset {self.preset}, {fold_label(self.folds)}"

    def pieces(self, record: str | Path, model: str) -> tuple[Pieces, np.ndarray]:
        """The per-piece scores of a model over all the folds, and the pieces' songs; in one order for every model."""
        parts = [records.pieces(record, entry) for entry in self.runs[model]]
        scores = {key: np.concatenate([part[key] for part, _ in parts]) for key in parts[0][0]}
        return scores, np.concatenate([song for _, song in parts])

    def value(self, model: str, statistic: str, denominator: np.ndarray) -> np.ndarray | float:
        """A recorded statistic over all the folds: the entries' figures, each with the weight of its fold's pieces."""
        ends = np.cumsum([entry["n_test"] for entry in self.runs[model]])[:-1]
        weights = np.array([part.sum(0) for part in np.split(denominator, ends)])
        return (np.array([entry[statistic] for entry in self.runs[model]]) * weights).sum(0) / weights.sum(0)


def blocks(entries: list[dict]) -> list[Block]:
    """What the tables compare: for each corpus, the models recorded on all five folds, and on fold 0 where those are others.

    Sweeps over KL weights are left to `rate_distortion`.
    """
    found = []
    for corpus in dict.fromkeys(entry["corpus"] for entry in entries):
        own = [entry for entry in entries if entry["corpus"] == corpus and not entry["sweep"]]
        seen = None
        for folds in FOLD_SETS:
            runs = {}
            for model in MODELS:
                by_fold = {entry["fold"]: entry for entry in own if entry["model"] == model}
                if set(folds) <= set(by_fold):
                    runs[model] = [by_fold[fold] for fold in folds]
            if runs and set(runs) != seen:
                found.append(Block(corpus, own[0]["preset"], folds, runs))
                seen = set(runs)
    return found


def scores(record: str | Path, found: list[Block]) -> pd.DataFrame:
    """Every statistic of every model in these blocks with its interval, a row each.

    Columns: corpus, block, model, parameters, statistic, value, low, high. Values are the recorded ones, intervals are made
    from the per-piece scores. Per-bar statistics are left out.
    """
    rows = []
    for block in found:
        for model, runs in block.runs.items():
            pieces, song = block.pieces(record, model)
            for statistic, (numerator, denominator) in terms(pieces).items():
                if numerator.ndim == 1:
                    _, low, high = interval(numerator, denominator, song)
                    value = block.value(model, statistic, denominator)
                    rows.append({"corpus": block.corpus, "block": block.title, "model": model,
                                 "parameters": runs[0]["parameters"], "statistic": statistic,
                                 "value": float(value), "low": float(low), "high": float(high)})  # fmt: skip
    return pd.DataFrame(rows)


def trivial_rows(descriptions: dict[str, dict], found: list[Block]) -> pd.DataFrame:
    """The rows that need no model, for the corpora and folds of these blocks, in the columns of `scores`."""
    rows = []
    for block in found:
        for model, statistics in descriptions[block.corpus]["trivial"][fold_label(block.folds)].items():
            for statistic, (value, low, high) in statistics.items():
                rows.append({"corpus": block.corpus, "block": block.title, "model": model, "parameters": 0,
                             "statistic": statistic, "value": value, "low": low, "high": high})  # fmt: skip
    return pd.DataFrame(rows)


def rates_per_bar(record: str | Path, block: Block) -> dict[str, tuple]:
    """The rate of each bar of the models that have a code a bar: model -> (value, low, high), each (T,) nats."""
    rates = {}
    for model in block.runs:
        pieces, song = block.pieces(record, model)
        if "rate_per_bar" in pieces:
            numerator, denominator = terms(pieces)["rate_per_bar"]
            _, low, high = interval(numerator, denominator, song)
            rates[model] = block.value(model, "rate_per_bar", denominator), low, high
    return rates


def difference(record: str | Path, block: Block, model: str, other: str, statistic: str) -> tuple[float, float, float]:
    """A statistic of one model less that of another, on the same pieces, with the interval of the paired difference."""
    (pieces, song), (others, same) = block.pieces(record, model), block.pieces(record, other)
    if not np.array_equal(song, same):
        raise TvaeError(f"{model} and {other} ({block.title}) were not tested on the same pieces.")
    terms_of, terms_other = terms(pieces)[statistic], terms(others)[statistic]
    (_, top), (_, bottom), (_, top_other), (_, bottom_other) = resampled(song, *terms_of, *terms_other)
    value = block.value(model, statistic, terms_of[1]) - block.value(other, statistic, terms_other[1])
    low, high = quantiles(ratio(top, bottom) - ratio(top_other, bottom_other))
    return float(value), float(low), float(high)


def differences(record: str | Path, block: Block, model: str = "attention") -> pd.DataFrame:
    """`difference` of `model` to every other model of a block, for the table's statistics; the columns of `scores`."""
    rows = []
    for other in block.runs:
        for statistic in DIFFERENCES if other != model else ():
            value, low, high = difference(record, block, model, other, statistic)
            rows.append({"corpus": block.corpus, "block": block.title, "model": other,
                         "parameters": block.runs[other][0]["parameters"], "statistic": statistic,
                         "value": value, "low": low, "high": high})  # fmt: skip
    return pd.DataFrame(rows)


def beta(entry: dict) -> float:
    """A run's KL weight (of means, the release's) as the beta of a summed ELBO: 1 is 0.25 with 512 dimensions, 128 steps."""
    return entry["kl_weight"] * PIECE / PRESETS[entry["preset"]].plan(entry["model"]).model.latent_dims


def curves(entries: list[dict], corpus: str) -> dict[str, list[dict]]:
    """The sweeps recorded on fold 0 of a corpus: model -> its entries, from the lowest KL weight to the highest."""
    own = [entry for entry in entries if entry["corpus"] == corpus and entry["fold"] == 0 and entry["sweep"]]
    found = {model: [entry for entry in own if entry["model"] == model] for model in MODELS}
    return {model: sorted(runs, key=lambda entry: entry["kl_weight"]) for model, runs in found.items() if runs}


def rate_distortion(record: str | Path, entries: list[dict], corpus: str) -> pd.DataFrame:
    """Every point of the rate-distortion curves on a corpus, with intervals.

    Columns: model, kl_weight, beta, and rate, distortion, total (their sum, which bounds -log p(x)), accuracy and onset_f1
    (both free-running), each with `_low` and `_high`; nats are nats a piece.
    """
    named = {"rate_nats_per_piece": "rate", "distortion_nats_per_piece": "distortion",
             "accuracy_free_running": "accuracy", "onset_f1_free_running": "onset_f1"}  # fmt: skip
    rows = []
    for model, runs in curves(entries, corpus).items():
        for entry in runs:
            row = {"model": model, "kl_weight": entry["kl_weight"], "beta": beta(entry)}
            pieces, song = records.pieces(record, entry)
            for statistic, name in named.items():
                _, row[f"{name}_low"], row[f"{name}_high"] = interval(*terms(pieces)[statistic], song)
                row[name] = entry[statistic]
            row["total"] = row["rate"] + row["distortion"]
            total = pieces["rate"] + pieces["distortion"]
            _, row["total_low"], row["total_high"] = interval(total, np.ones(len(total)), song)
            rows.append(row)
    return pd.DataFrame(rows)


def at_equal_rate(record: str | Path, entries: list[dict], corpus: str, model: str, other: str) -> EqualRate | None:
    """`tvae.studies.comparison.equal_rate` of two models' recorded curves, at the rate of `model` at a KL weight of 1.

    None where one of the curves has fewer than two points or `model` none at weight 1.
    """
    found = curves(entries, corpus)
    if min(len(found.get(name, ())) for name in (model, other)) < 2:
        return None
    weights = [entry["kl_weight"] for entry in found[model]]
    if 1 not in weights:
        return None
    arrays = []
    for name in (model, other):
        parts = [records.pieces(record, entry) for entry in found[name]]
        keys = ("rate", "distortion", "correct_free_running", "steps")
        arrays.append([np.stack([scores[key] for scores, _ in parts], 1) for key in keys])  # (N, points)
    return equal_rate(model, other, arrays, parts[0][1], weights.index(1))


def recompute(entry: dict, weights: str | Path) -> pd.DataFrame:
    """A recorded run on the embedded corpus, measured again from its released weights.

    Columns: run, statistic, recorded, recomputed, equal (to 4 digits).
    """
    corpus = corpora.load(entry["corpus"])
    test = corpus.split(entry["fold"])[1]
    metrics, _ = evaluate(records.load_model(weights, entry), corpus.tokens[test], corpus.length[test])
    rows = []
    for statistic in (
        "accuracy_free_running",
        "accuracy_teacher_forced",
        "rate_nats_per_piece",
        "distortion_nats_per_piece",
    ):
        recorded, recomputed = entry[statistic], metrics[statistic]
        equal = bool(np.isclose(recorded, recomputed, rtol=5e-5, atol=0))
        rows.append({"run": records.run_name(entry), "statistic": statistic,
                     "recorded": recorded, "recomputed": recomputed, "equal": equal})  # fmt: skip
    return pd.DataFrame(rows)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tvae.report.results", description="Describe the corpora for the record."
    )
    parser.add_argument("--data-dir", type=Path, default=None, help="local copy of the corpora")
    parser.add_argument("--out", type=Path, default=Path("figures/corpora.json"))
    arguments = parser.parse_args()
    try:
        descriptions = [describe(corpora.load(name, arguments.data_dir)) for name in corpora.NAMES]
    except TvaeError as error:
        raise SystemExit(f"tvae: {error}") from None
    write_atomically(arguments.out, lambda part: part.write_text(json.dumps(descriptions, indent=1) + "\n"))
