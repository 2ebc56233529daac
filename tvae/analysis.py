"""Statistics with intervals. The unit that is resampled is the song: two pieces of one song are not independent."""

from __future__ import annotations

import numpy as np

from tvae.melody import equal_bars

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


def repeats(tokens: np.ndarray) -> np.ndarray:
    """How often bar i equals bar j: pieces (N, 128) -> shares (T, T), ones on the diagonal unless bars are empty."""
    return equal_bars(tokens).mean(0)
