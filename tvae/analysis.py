"""Statistics with intervals. The unit that is resampled is the song: two pieces of one song are not independent."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from tvae import corpus as corpora
from tvae import record as records
from tvae.corpus import FOLDS, Corpus
from tvae.errors import TvaeError
from tvae.evaluate import evaluate, evaluate_trivial, terms
from tvae.melody import FIRST_PITCH, HIGHEST, LOWEST, PIECE, SILENCE, SUSTAIN, canonical, earlier_equal, equal_bars
from tvae.model import TransformerVAE
from tvae.train import write_atomically

DRAWS = 2000
SEED = 0


def interval(
    numerator: np.ndarray, denominator: np.ndarray, song: np.ndarray, level: float = 0.95
) -> tuple[np.ndarray, ...]:
    """A ratio of sums over pieces with its bootstrap interval, resampling songs.

    `numerator` and `denominator` (N, ...) as `tvae.evaluate.terms` gives them, `song` (N,) ids.
    Returns (value, low, high), each of shape (...).
    """
    _, index = np.unique(song, return_inverse=True)
    songs = index.max() + 1
    sums = []
    for array in (numerator, denominator):
        total = np.zeros((songs, *array.shape[1:]))
        np.add.at(total, index, array)
        sums.append(total)
    drawn = np.random.default_rng(SEED).multinomial(songs, np.full(songs, 1 / songs), size=DRAWS)  # (draws, songs)
    top, bottom = (np.tensordot(drawn, total, axes=1) for total in sums)
    resampled = top / np.maximum(bottom, 1e-12)
    low, high = np.quantile(resampled, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return sums[0].sum(0) / np.maximum(sums[1].sum(0), 1e-12), low, high


def describe(corpus: Corpus) -> dict:
    """What the page about the corpora shows of one: numbers and shares, JSON-able, nothing that holds its notes."""
    onset = corpus.tokens[corpus.tokens >= FIRST_PITCH].astype(int) - FIRST_PITCH + LOWEST  # MIDI
    counted = np.arange(PIECE) < corpus.length[:, None]
    return {
        "name": corpus.name,
        "pieces": len(corpus),
        "songs": len(np.unique(corpus.song)),
        "test_pieces_by_fold": np.bincount(corpus.fold, minlength=FOLDS).tolist(),
        "onsets_per_piece": float(len(onset) / len(corpus)),
        "sustain": float((corpus.tokens == SUSTAIN)[counted].mean()),
        "silence": float((corpus.tokens == SILENCE)[counted].mean()),
        "padded": float((corpus.length < PIECE).mean()),
        "lowest": int(onset.min()),
        "highest": int(onset.max()),
        "pitch": (np.bincount(onset - LOWEST, minlength=HIGHEST - LOWEST + 1) / len(onset)).tolist(),
        "repeats": equal_bars(corpus.tokens).mean(0).tolist(),  # (T, T): how often bar i equals bar j
        "repeats_earlier": (earlier_equal(corpus.tokens) >= 0).mean(0).tolist(),
        "left_out": corpus.left_out,
        "trivial": [trivial_scores(corpus, fold) for fold in range(FOLDS)],
        "sha256": corpus.sha256,
    }


def trivial_scores(corpus: Corpus, fold: int) -> dict[str, dict[str, list[float]]]:
    """What needs no model, on the test pieces of a fold: row -> statistic -> [value, low, high]."""
    test = corpus.split(fold)[1]
    rows = evaluate_trivial(corpus.tokens[test], corpus.length[test])
    return {
        row: {
            statistic: [float(x) for x in interval(*ratio, corpus.song[test])]
            for statistic, ratio in terms(pieces).items()
        }
        for row, pieces in rows.items()
    }


def read_descriptions(path: str | Path) -> dict[str, dict]:
    """The recorded `describe` of each corpus, by name."""
    try:
        return {description["name"]: description for description in json.loads(Path(path).read_text())}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TvaeError(
            f"{path} holds no descriptions of corpora ({error}); make it with `python -m tvae.analysis`."
        ) from None


def scores(record: str | Path, entries: list[dict]) -> pd.DataFrame:
    """Every statistic of every recorded run with its interval, a row each.

    Columns: corpus, model, preset, fold, parameters, statistic, value, low, high. Per-bar statistics are left out.
    """
    rows = []
    for entry in entries:
        pieces, song = records.pieces(record, entry)
        run = {key: entry[key] for key in ("corpus", "model", "preset", "fold", "parameters")}
        for statistic, (numerator, denominator) in terms(pieces).items():
            if numerator.ndim == 1:
                value, low, high = interval(numerator, denominator, song)
                rows.append(
                    {**run, "statistic": statistic, "value": float(value), "low": float(low), "high": float(high)}
                )
    return pd.DataFrame(rows)


def rates_per_bar(record: str | Path, entries: list[dict], corpus: str) -> dict[str, tuple[np.ndarray, ...]]:
    """The rate of each bar of the models recorded on fold 0 of a corpus: model -> (value, low, high), each (T,) nats."""
    rates = {}
    for entry in entries:
        if (entry["corpus"], entry["fold"]) == (corpus, 0):
            pieces, song = records.pieces(record, entry)
            rates[entry["model"]] = interval(*terms(pieces)["rate_per_bar"], song)
    return rates


def trivial_rows(descriptions: dict[str, dict], table: pd.DataFrame) -> pd.DataFrame:
    """The rows that need no model, for the corpora and folds of a table of `scores`, in its columns."""
    rows = []
    for (corpus, preset, fold), _ in table.groupby(["corpus", "preset", "fold"]):
        for model, statistics in descriptions[corpus]["trivial"][fold].items():
            run = {"corpus": corpus, "model": model, "preset": preset, "fold": fold, "parameters": 0}
            for statistic, (value, low, high) in statistics.items():
                rows.append({**run, "statistic": statistic, "value": value, "low": low, "high": high})
    return pd.DataFrame(rows)


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


@torch.no_grad()
def reconstructions(vae: TransformerVAE, tokens: np.ndarray) -> np.ndarray:
    """Pieces (N, 128) through their codes and back, free-running from z = mu; (N, 128) uint8, made valid to be heard."""
    mu, _ = vae.encode(torch.as_tensor(tokens.astype(np.int64)))
    return canonical(vae.generate(mu).numpy()).astype(np.uint8)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tvae.analysis", description="Describe the corpora for the record.")
    parser.add_argument("--data-dir", type=Path, default=None, help="local copy of the corpora")
    parser.add_argument("--out", type=Path, default=Path("figures/corpora.json"))
    arguments = parser.parse_args()
    try:
        descriptions = [describe(corpora.load(name, arguments.data_dir)) for name in corpora.NAMES]
    except TvaeError as error:
        raise SystemExit(f"tvae: {error}") from None
    write_atomically(arguments.out, lambda part: part.write_text(json.dumps(descriptions, indent=1) + "\n"))


if __name__ == "__main__":
    main()
