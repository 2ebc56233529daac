"""Models beside each other."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from tvae.baselines import LSTMVAE
from tvae.corpus import FOLDS, Corpus
from tvae.melody import transposition_table
from tvae.model import TransformerVAE
from tvae.presets import SHIFTS
from tvae.studies.statistics import interval, quantiles, resampled
from tvae.transfer import encode, generate

FOLD_SETS = (tuple(range(FOLDS)), (0,))


def fold_label(folds: tuple[int, ...]) -> str:
    """``fold 0`` or ``folds 0-4``."""
    return f"fold {folds[0]}" if len(folds) == 1 else f"folds {folds[0]}-{folds[-1]}"


@dataclass(frozen=True)
class Curve:
    """A model's rate-distortion curve: its points, and the songs of the pieces that it was measured on.

    betas (points,) of a summed ELBO; by piece and point, (N, points) each: rate, distortion, and how many of the
    free-running steps are right from z = mu and, where it was recorded, from drawn codes. steps (N, 1), song (N,).
    """

    betas: np.ndarray
    rate: np.ndarray
    distortion: np.ndarray
    right: np.ndarray
    right_sampled: np.ndarray | None
    steps: np.ndarray
    song: np.ndarray

    def frontier(self) -> Curve:
        """The curve without points that another one beats in rate and in distortion: their training lost its way.

        Which ones these are is decided once, by the means over all pieces, and not in each bootstrap draw.
        """
        rate, distortion = self.rate.mean(0), self.distortion.mean(0)
        kept = ~((rate <= rate[:, None]) & (distortion < distortion[:, None])).any(1)
        return replace(
            self,
            betas=self.betas[kept],
            rate=self.rate[:, kept],
            distortion=self.distortion[:, kept],
            right=self.right[:, kept],
            right_sampled=None if self.right_sampled is None else self.right_sampled[:, kept],
        )


@dataclass(frozen=True)
class EqualRate:
    """Two models at one rate (nats a piece); each measure is (value, low, high).

    `saving` is the share of the other's distortion that the model saves; `accuracy` its free-running accuracy from z
    = mu less the other's, `sampled` the same from drawn codes.
    """

    model: str
    other: str
    rate: float
    saving: tuple[float, float, float]
    accuracy: tuple[float, float, float]
    sampled: tuple[float, float, float] | None


def equal_rate(names: tuple[str, str], ours: Curve, theirs: Curve, at: int) -> EqualRate | None:
    """Compare two models where they have one rate.

    It is the one that ours has at its point number `at`, or the nearest that both curves reach. None where they have
    no rate in common: nothing is extrapolated. Points that are beaten by others of their curve count for nothing.

    The bootstrap draws songs for both curves at once, and compares at the rate that the point has in that draw; draws
    without a rate in common are left out. The interval also holds what is not known between two points: a curve lies
    below the chord and above the tangents of slope -beta at its points (`distortion_at`), and its accuracy between
    theirs (`accuracy_at`).
    """
    wanted = by_draw(ours.song, ours.rate)[:, at]
    ours, theirs = ours.frontier(), theirs.frontier()
    drawn = [[by_draw(curve.song, array) for array in (curve.rate, curve.distortion)] for curve in (ours, theirs)]
    rates = [curve[0] for curve in drawn]  # (1 + draws, points) each, as measured first
    lowest = np.maximum(*(rate.min(1) for rate in rates))
    highest = np.minimum(*(rate.max(1) for rate in rates))
    where = np.where(lowest <= highest, np.clip(wanted, lowest, highest), np.nan)
    if np.isnan(where[0]):
        return None
    found = [
        np.array([distortion_at(*point, curve.betas) for point in zip(where, *sums, strict=True)])
        for curve, sums in zip((ours, theirs), drawn, strict=True)
    ]  # (1 + draws, 3) each: value, low, high
    (value, least, most), (other, others_least, others_most) = found[0].T, found[1].T
    saving = spread(1 - value / other, 1 - most / others_least, 1 - least / others_most)

    def gain(own: np.ndarray, others: np.ndarray) -> tuple[float, float, float]:
        heights = by_draw(ours.song, own, ours.steps), by_draw(theirs.song, others, theirs.steps)
        (value, least, most), (other, others_least, others_most) = (
            np.array([accuracy_at(*point) for point in zip(where, *pair, strict=True)]).T
            for pair in zip(rates, heights, strict=True)
        )
        return spread(value - other, least - others_most, most - others_least)

    known = ours.right_sampled is not None and theirs.right_sampled is not None
    sampled = gain(ours.right_sampled, theirs.right_sampled) if known else None
    return EqualRate(*names, float(where[0]), saving, gain(ours.right, theirs.right), sampled)


def by_draw(song: np.ndarray, array: np.ndarray, over: np.ndarray | None = None) -> np.ndarray:
    """(N, points) -> (1 + draws, points): its sum as measured, then of each bootstrap draw of songs, over another's.

    That is `over` (N, 1); without it the pieces are counted, so that it is the mean.
    """
    (total, drawn), (count, counts) = resampled(song, array, np.ones((len(array), 1)) if over is None else over)
    return np.vstack([total / count, drawn / counts])


def spread(value: np.ndarray, low: np.ndarray, high: np.ndarray) -> tuple[float, float, float]:
    """A measured value, first in its array, with the interval from the draws of its lower and its upper bound.

    Draws without a value are left out.
    """
    drawn = np.append(False, ~np.isnan(value[1:]))
    return float(value[0]), float(quantiles(low[drawn])[0]), float(quantiles(high[drawn])[1])


def distortion_at(at: float, rate: np.ndarray, distortion: np.ndarray, betas: np.ndarray) -> tuple[float, float, float]:
    """The distortion of a curve at a rate, and the least and the most that it can be, from its points (points,).

    The value is straight in log distortion between the points beside it. A rate-distortion curve is convex, so it
    lies below the chord, and where its points are optimal above the line of slope -beta through each.
    """
    order = np.argsort(rate)
    rate, distortion, betas = rate[order], distortion[order], betas[order]
    chord = np.interp(at, rate, distortion)
    tangents = (distortion - betas * (at - rate)).max()
    value = np.exp(np.interp(at, rate, np.log(distortion)))
    least = min(tangents, value)
    return value, least, max(chord, value)


def accuracy_at(at: float, rate: np.ndarray, accuracy: np.ndarray) -> tuple[float, float, float]:
    """The accuracy of a curve at a rate, straight between the points beside it, and the accuracies of these two."""
    order = np.argsort(rate)
    rate, accuracy = rate[order], accuracy[order]
    right = int(np.clip(np.searchsorted(rate, at), 0, len(rate) - 1))
    left = right if rate[right] <= at else max(right - 1, 0)
    ends = accuracy[[left, right]]
    return float(np.interp(at, rate, accuracy)), float(ends.min()), float(ends.max())


def accuracy_by_transposition(vae: TransformerVAE | LSTMVAE, corpus: Corpus, fold: int) -> pd.DataFrame:
    """Free-running accuracy of a fold's test pieces when they are transposed, as the release does before it tests.

    Columns: semitones, value, low, high, a row for each transposition that training hears.
    """
    test = corpus.split(fold)[1]
    counted = np.arange(corpus.tokens.shape[1]) < corpus.length[test][:, None]
    rows = []
    for semitones in SHIFTS:
        tokens = transposition_table(semitones)[corpus.tokens[test]]
        right = (generate(vae, encode(vae, tokens)) == tokens) & counted
        value, low, high = interval(right.sum(1), counted.sum(1), corpus.song[test])
        rows.append({"semitones": semitones, "value": value, "low": low, "high": high})
    return pd.DataFrame(rows)
