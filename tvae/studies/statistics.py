"""Intervals from the bootstrap. The unit that is resampled is the song: two pieces of one song are not independent."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from scipy.stats import ttest_1samp

DRAWS = 2000
LEVEL = 0.95  # of what is drawn, an interval holds so much
SEED = 0  # of all that the studies draw


@lru_cache(maxsize=8)
def draws(songs: int) -> np.ndarray:
    """(DRAWS, songs): how often each song is drawn in each bootstrap sample; the same for all statistics."""
    return np.random.default_rng(SEED).multinomial(songs, np.full(songs, 1 / songs), size=DRAWS).astype(float)


def resampled(song: np.ndarray, *arrays: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Bootstrap over songs, the same draws for every array: (N, ...) -> its sum (...), drawn sums (DRAWS, ...)."""
    _, index = np.unique(song, return_inverse=True)
    songs = index.max() + 1
    sums = []
    for array in arrays:
        total = np.zeros((songs, *array.shape[1:]))
        np.add.at(total, index, array)
        sums.append((total.sum(0), np.tensordot(draws(songs), total, axes=1)))
    return sums


def ratio(top: np.ndarray, bottom: np.ndarray) -> np.ndarray:
    return top / np.maximum(bottom, 1e-12)  # no onset at all: F1 is 0


def interval(numerator: np.ndarray, denominator: np.ndarray, song: np.ndarray) -> tuple[np.ndarray, ...]:
    """A ratio of sums over pieces with its bootstrap interval, resampling songs.

    `numerator` and `denominator` (N, ...) as `tvae.evaluate.terms` gives them, `song` (N,) ids.
    Returns (value, low, high), each of shape (...).
    """
    top, bottom = resampled(song, numerator, denominator)
    return ratio(top[0], bottom[0]), *quantiles(ratio(top[1], bottom[1]))


def quantiles(drawn: np.ndarray) -> np.ndarray:
    """The two ends of the central interval of drawn values (DRAWS, ...)."""
    return np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)


def over_folds(intervals: Sequence[Sequence[np.ndarray | float]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The mean of a statistic over runs, with an interval that holds both what songs and what trainings differ by.

    intervals: value, low, high (...) of each run, on its own songs and from its own seed. Runs are resampled, and of
    each drawn run a value from its own interval, taken as normal. One run keeps its interval: it says nothing of other
    trainings, and few runs say little: see `of_trainings`.
    """
    values, lows, highs = np.moveaxis(np.asarray(intervals, float), 1, 0)  # (runs, ...) each
    if len(values) == 1:
        return values[0], lows[0], highs[0]
    random = np.random.default_rng(SEED)
    drawn = random.integers(len(values), size=(DRAWS, len(values)))
    deviations = (highs - lows) / (2 * 1.96)
    noise = random.standard_normal((*drawn.shape, *values.shape[1:]))
    means = (values[drawn] + deviations[drawn] * noise).mean(1)
    return values.mean(0), *quantiles(means)


def over_bounds(intervals: Sequence[Sequence[float]]) -> tuple[float, float, float]:
    """The same where an interval also holds what is not known of a run, as between two points of a curve.

    That has one sign in every run, so it does not average out: runs are resampled, and the ends of the drawn ones'
    intervals averaged.
    """
    values, lows, highs = np.asarray(intervals, float).T
    drawn = np.random.default_rng(SEED).integers(len(values), size=(DRAWS, len(values)))
    low, high = quantiles(lows[drawn].mean(1))[0], quantiles(highs[drawn].mean(1))[1]
    return float(values.mean()), float(low), float(high)


def of_trainings(values: Sequence[float]) -> tuple[float, float]:
    """Student's 95 % interval of the mean of two or more trainings, which knows how little few values say of their
    spread. The bootstrap of `over_folds` does not: where trainings differ five times as much as songs do it holds the
    true mean in 68 % of the cases with two, in 77 % with three and in 86 % with five. Student's holds it in 95 % where
    trainings scatter normally; of five that are each near 1 in 20 (30) % of the cases and else
    near 0.1 it holds it in 67 (83) %.
    """
    low, high = ttest_1samp(values, 0).confidence_interval(0.95)
    return float(low), float(high)
