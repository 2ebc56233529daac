"""What a melody is: 8 bars of 16 steps, each step one of 47 states.

==========  ===================================================================================
token       meaning
==========  ===================================================================================
0           silence (a rest is silence on each of its steps)
1           sustain: the note goes on; it only ever follows a pitch or another sustain
2 ... 46    a note begins: MIDI pitch 40 (E2) ... 84 (C6)
==========  ===================================================================================

Tokens that keep the rule for sustain are *valid*. Where shapes say ``...``, a function takes a whole corpus at once.
The way from MIDI files to melodies and back is in `tvae.midi`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from math import floor

import numpy as np

SILENCE, SUSTAIN, FIRST_PITCH = 0, 1, 2
LOWEST, HIGHEST = 40, 84  # MIDI pitches
STATES = FIRST_PITCH + HIGHEST - LOWEST + 1  # 47
BARS, STEPS = 8, 16
PIECE = BARS * STEPS  # 128 steps
OCTAVES = sorted(range(-120, 121, 12), key=abs)  # semitones, the smallest move first


@dataclass(frozen=True)
class Note:
    """A note on the grid: MIDI pitch, first step, and the step it ends before."""

    pitch: int
    onset: int
    end: int


def quantise(pitch: int, onset: float, end: float) -> Note:
    """The note nearest to one that starts and ends between steps (halves go up); it lasts at least one step."""
    step = floor(onset + 0.5)
    return Note(pitch, step, max(floor(end + 0.5), step + 1))


def one_voice(notes: Iterable[Note]) -> list[Note]:
    """One note at a time, in time: a later note cuts an earlier one, of two that start together the higher stays."""
    heard = {note.onset: note for note in sorted(notes, key=lambda n: (n.onset, n.pitch, n.end))}
    last = max((note.end for note in heard.values()), default=0)
    return [Note(heard[step].pitch, step, min(heard[step].end, cut)) for step, cut in pairwise([*heard, last])]


def notes_to_tokens(notes: Iterable[Note], length: int = PIECE) -> np.ndarray:
    """Notes, in any order and overlapping as they like (see `one_voice`) -> (length,) uint8, valid.

    Notes outside the 45 pitches become silence, as in the release (see `fit_octave`); what lies outside the steps
    0 ... length - 1 is cut off, and a note that starts before step 0 is left out.
    """
    tokens = np.full(length, SILENCE, np.uint8)
    for note in one_voice(notes):
        if LOWEST <= note.pitch <= HIGHEST and 0 <= note.onset < length:
            tokens[note.onset : note.end] = SUSTAIN
            tokens[note.onset] = note.pitch - LOWEST + FIRST_PITCH
    return tokens


def tokens_to_notes(tokens: np.ndarray) -> list[Note]:
    """(L,) tokens -> the notes they stand for, in time. A sustain with nothing to sustain is silent."""
    tokens = np.asarray(tokens)
    starts = np.flatnonzero(tokens != SUSTAIN).tolist()  # of a note or of a step of silence
    return [
        Note(int(tokens[start]) - FIRST_PITCH + LOWEST, start, end)
        for start, end in pairwise([*starts, len(tokens)])
        if tokens[start] >= FIRST_PITCH
    ]


def canonical(tokens: np.ndarray) -> np.ndarray:
    """(..., L) tokens -> the valid tokens that sound the same: a sustain with nothing to sustain becomes silence."""
    tokens = np.asarray(tokens)
    steps = np.arange(tokens.shape[-1])
    source = np.maximum.accumulate(np.where(tokens == SUSTAIN, 0, steps), axis=-1)  # where what is sustained began
    sounding = np.take_along_axis(tokens, source, axis=-1) >= FIRST_PITCH
    return np.where(sounding, tokens, SILENCE).astype(tokens.dtype)


def is_valid(tokens: np.ndarray) -> bool:
    """Are all of these (..., L) tokens states of the grid, and every sustain preceded by what it sustains?"""
    tokens = np.asarray(tokens)
    return bool(((tokens >= 0) & (tokens < STATES)).all() and (tokens == canonical(tokens)).all())


def fit_octave(pitches: Iterable[int]) -> int | None:
    """The smallest shift by octaves (in semitones) that brings all MIDI pitches into 40 ... 84; None if none does."""
    pitches = [int(pitch) for pitch in pitches]
    return next((shift for shift in OCTAVES if all(LOWEST <= pitch + shift <= HIGHEST for pitch in pitches)), None)


def transposition_table(semitones: int) -> np.ndarray:
    """(47,) uint8: what each state becomes; a pitch that leaves the grid becomes silence (as in the release)."""
    states = np.arange(STATES)
    moved = states + semitones
    inside = (moved >= FIRST_PITCH) & (moved < STATES)
    return np.where(states < FIRST_PITCH, states, np.where(inside, moved, SILENCE)).astype(np.uint8)


def transpose(tokens: np.ndarray, semitones: int) -> np.ndarray:
    """(..., L) tokens -> (..., L) uint8, valid, so many semitones higher."""
    return canonical(transposition_table(semitones)[tokens])


def bars(tokens: np.ndarray) -> np.ndarray:
    """(..., 128) -> (..., 8, 16), a view where numpy can."""
    tokens = np.asarray(tokens)
    return tokens.reshape(*tokens.shape[:-1], tokens.shape[-1] // STEPS, STEPS)


def equal_bars(tokens: np.ndarray) -> np.ndarray:
    """(..., 128) -> (..., 8, 8) bool: do bars i and j have the same tokens? A bar without an onset equals nothing."""
    x = bars(tokens)
    same = (x[..., :, None, :] == x[..., None, :, :]).all(-1)
    return same & (x >= FIRST_PITCH).any(-1, keepdims=True)  # else bars that hold different notes would be equal


def earlier_equal(tokens: np.ndarray) -> np.ndarray:
    """(..., 128) -> (..., 8) int: the first earlier bar (0 ... 6) that bar i repeats, -1 where it is new."""
    same = np.tril(equal_bars(tokens), k=-1)
    return np.where(same.any(-1), same.argmax(-1), -1)
