"""How a bar relates to earlier bars, and how to make a transposition, a retrograde or an inversion of it."""

from __future__ import annotations

import numpy as np

from tvae.melody import (
    FIRST_PITCH,
    HIGHEST,
    LOWEST,
    STEPS,
    SUSTAIN,
    Note,
    bars,
    equal_bars,
    notes_to_tokens,
    tokens_to_notes,
)

KINDS = ("repeated", "transposed", "rhythm", "new")  # what a bar is to the bars before it; the first that fits


def counted(tokens: np.ndarray, length: np.ndarray) -> np.ndarray:
    """Pieces (N, 128), of which `length` (N,) steps are music -> (N, 8) bool: bars that hold a note and no padding."""
    whole = length[:, None] >= STEPS * (1 + np.arange(tokens.shape[1] // STEPS))
    return whole & (note_counts(tokens) > 0)


def note_counts(tokens: np.ndarray) -> np.ndarray:
    """(..., 128) -> (..., 8): how many notes begin in each bar."""
    return (bars(tokens) >= FIRST_PITCH).sum(-1)


def same_rhythm(tokens: np.ndarray) -> np.ndarray:
    """(..., 128) -> (..., 8, 8) bool: do notes, sustains and silences of bars i and j fall on the same steps?"""
    x = np.minimum(bars(tokens), FIRST_PITCH)
    return (x[..., :, None, :] == x[..., None, :, :]).all(-1)


def transposed(tokens: np.ndarray) -> np.ndarray:
    """(..., 128) -> (..., 8, 8) bool: is bar i bar j transposed? Both need two notes: one note alone tells nothing."""
    x = bars(tokens).astype(int)
    onset = (x >= FIRST_PITCH)[..., :, None, :]
    apart = x[..., :, None, :] - x[..., None, :, :]  # where the rhythm is the same, notes stand against notes
    lowest = np.where(onset, apart, 99).min(-1)
    highest = np.where(onset, apart, -99).max(-1)
    several = note_counts(tokens)[..., :, None] > 1
    return same_rhythm(tokens) & several & (lowest == highest) & (lowest != 0)


def kinds(tokens: np.ndarray) -> np.ndarray:
    """(..., 128) -> (..., 8) int, the kind of each bar as an index into `KINDS`; the first that fits."""
    found = [np.tril(pairs(tokens), -1).any(-1) for pairs in (equal_bars, transposed, same_rhythm)]
    return np.select(found, range(len(found)), default=len(found))


def nearest_equal(tokens: np.ndarray) -> np.ndarray:
    """(..., 128) -> (..., 8) int: how many bars back the nearest equal bar lies; 0 where there is none before it."""
    equal = np.tril(equal_bars(tokens), -1)
    last = equal.shape[-1] - 1 - np.argmax(equal[..., ::-1], -1)
    return np.where(equal.any(-1), np.arange(equal.shape[-1]) - last, 0)


# A bar by itself: (16,) tokens that no note is held into. What is made of it has as many notes. -----------------------


def pitches(bar: np.ndarray) -> np.ndarray:
    """(16,) tokens -> its notes' MIDI pitches, in time."""
    return np.array([note.pitch for note in tokens_to_notes(bar)], int)


def with_pitches(bar: np.ndarray, new: np.ndarray) -> np.ndarray:
    """The bar's rhythm with other MIDI pitches, as many as it has notes."""
    notes = [Note(int(pitch), note.onset, note.end) for pitch, note in zip(new, tokens_to_notes(bar), strict=True)]
    return notes_to_tokens(notes, STEPS)


def retrograde(bar: np.ndarray) -> np.ndarray:
    """From its end to its beginning, rhythm and pitches."""
    return notes_to_tokens([Note(n.pitch, STEPS - n.end, STEPS - n.onset) for n in tokens_to_notes(bar)], STEPS)


def inversion(bar: np.ndarray) -> np.ndarray:
    """Up for down; mirrored so that its lowest and its highest pitch stay what they are."""
    own = pitches(bar)
    return with_pitches(bar, own.min() + own.max() - own)


def relatives(own: np.ndarray) -> list[tuple[int, ...]]:
    """Melodic intervals of a line of MIDI pitches, and of its inversion, retrograde and retrograde inversion."""
    steps = np.diff(own)
    return [tuple(line.tolist()) for line in (steps, -steps, -steps[::-1], steps[::-1])]


def another_order(own: np.ndarray, rng: np.random.Generator) -> np.ndarray | None:
    """An order of a line's notes, as indices, that makes none of its `relatives`; None if a hundred draws find none."""
    known = relatives(own)
    orders = (rng.permutation(len(own)) for _ in range(100))
    return next((order for order in orders if tuple(np.diff(own[order]).tolist()) not in known), None)


Pool = dict[int, list[tuple[str, np.ndarray]]]  # number of notes -> (song, bar)


def pool(tokens: np.ndarray, song: np.ndarray, chosen: np.ndarray) -> Pool:
    """The chosen (N, 8) bars of pieces (N, 128) that no note is held into, to draw from with `stranger`."""
    x, found = bars(tokens), {}
    for piece, bar in np.argwhere(chosen & (x[:, :, 0] != SUSTAIN)):
        found.setdefault(int((x[piece, bar] >= FIRST_PITCH).sum()), []).append((str(song[piece]), x[piece, bar]))
    return found


def stranger(bar: np.ndarray, song: str, pool: Pool, rng: np.random.Generator) -> np.ndarray | None:
    """A bar of another song with as many notes, moved to lie as high on average; None where twenty draws find none.

    It shares neither rhythm nor melodic intervals (nor any of their `relatives`) with the given bar.
    """
    own = pitches(bar)
    known, candidates = relatives(own), pool.get(len(own), [])
    for k in rng.integers(len(candidates), size=20) if candidates else ():
        name, other = candidates[k]
        line = pitches(other)
        line = line + round(own.mean() - line.mean())
        inside = LOWEST <= line.min() and line.max() <= HIGHEST
        alike = tuple(np.diff(line).tolist()) in known or (with_pitches(bar, line) == with_pitches(other, line)).all()
        if name != song and inside and not alike:
            return with_pitches(other, line)
    return None
