"""Models beside each other, and beside what needs no model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch

from tvae.baselines import LSTMVAE
from tvae.corpus import FOLDS, Corpus
from tvae.evaluate import evaluate_trivial, terms
from tvae.melody import PIECE, transposition_table
from tvae.model import TransformerVAE
from tvae.studies.statistics import interval, quantiles, resampled
from tvae.train import SHIFTS

FOLD_SETS = (tuple(range(FOLDS)), (0,))


def fold_label(folds: tuple[int, ...]) -> str:
    """``fold 0`` or ``folds 0-4``."""
    return f"fold {folds[0]}" if len(folds) == 1 else f"folds {folds[0]}-{folds[-1]}"


def trivial_scores(corpus: Corpus, folds: tuple[int, ...]) -> dict[str, dict[str, list[float]]]:
    """What needs no model, on the test pieces of these folds: row -> statistic -> [value, low, high]."""
    test = np.flatnonzero(np.isin(corpus.fold, folds))
    rows = evaluate_trivial(corpus.tokens[test], corpus.length[test])
    return {
        row: {
            statistic: [float(x) for x in interval(*ratio, corpus.song[test])]
            for statistic, ratio in terms(pieces).items()
        }
        for row, pieces in rows.items()
    }


@dataclass(frozen=True)
class EqualRate:
    """Two models at one rate (nats a piece); each measure is (value, low, high).

    `saving` is the share of the other's distortion that the model saves, `accuracy` the difference in free-running
    accuracy.
    """

    model: str
    other: str
    rate: float
    saving: tuple[float, float, float]
    accuracy: tuple[float, float, float]


def equal_rate(model: str, other: str, curves: Sequence[Sequence[np.ndarray]], song: np.ndarray, at: int) -> EqualRate:
    """Compare the rate-distortion curves of two models where they have one rate.

    curves: of `model` and of `other` the rate, the distortion, the correct steps and the steps of each piece at each
    point, (N, points) each; song (N,). The rate is that of `model` at its point number `at`, or the nearest that both
    curves reach. Between points, curves are straight in log distortion and in accuracy. The bootstrap draws songs
    once for both.
    """
    arrays = [array for curve in curves for array in curve]
    # The measured sums first, then the draws: (1 + DRAWS, points) each.
    sums = [np.vstack([total, drawn]) / len(song) for total, drawn in resampled(song, *arrays)]
    savings, gains, rates = [], [], []
    for own_rate, own_distortion, own_correct, own_steps, rate, distortion, correct, steps in zip(*sums, strict=True):
        lowest, highest = max(own_rate.min(), rate.min()), min(own_rate.max(), rate.max())
        where = np.clip(own_rate[at], lowest, highest)
        ours, theirs = between(where, own_rate, np.log(own_distortion)), between(where, rate, np.log(distortion))
        savings.append(1 - np.exp(ours - theirs))
        gains.append(between(where, own_rate, own_correct / own_steps) - between(where, rate, correct / steps))
        rates.append(where)
    (saving, *savings), (gain, *gains) = savings, gains
    low, high = quantiles(np.array([savings, gains]).T)
    return EqualRate(
        model,
        other,
        float(rates[0]),
        saving=(float(saving), float(low[0]), float(high[0])),
        accuracy=(float(gain), float(low[1]), float(high[1])),
    )


def between(at: float, rate: np.ndarray, height: np.ndarray) -> float:
    """The height of a curve at a rate between its points (both (points,), in any order)."""
    order = np.argsort(rate)
    return np.interp(at, rate[order], height[order])


@torch.no_grad()
def accuracy_by_transposition(vae: TransformerVAE | LSTMVAE, corpus: Corpus, fold: int) -> pd.DataFrame:
    """Free-running accuracy of a fold's test pieces when they are transposed, as the release does before it tests.

    Columns: semitones, value, low, high, a row for each transposition that training hears.
    """
    test = corpus.split(fold)[1]
    counted = torch.arange(PIECE) < torch.as_tensor(corpus.length[test].astype(np.int64))[:, None]
    rows = []
    for semitones in SHIFTS:
        tokens = torch.as_tensor(transposition_table(semitones)[corpus.tokens[test]].astype(np.int64))
        right = (vae.generate(vae.encode(tokens)[0]) == tokens) & counted
        value, low, high = interval(right.sum(1).numpy(), counted.sum(1).numpy(), corpus.song[test])
        rows.append({"semitones": semitones, "value": value, "low": low, "high": high})
    return pd.DataFrame(rows)
