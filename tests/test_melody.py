"""What a melody is: tokens, bars, equal bars, transposition."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tvae.melody import (
    BARS,
    FIRST_PITCH,
    HIGHEST,
    LOWEST,
    PIECE,
    SILENCE,
    STATES,
    STEPS,
    SUSTAIN,
    Note,
    bars,
    canonical,
    earlier_equal,
    equal_bars,
    fit_octave,
    is_valid,
    notes_to_tokens,
    one_voice,
    quantise,
    tokens_to_notes,
    transpose,
    transposition_table,
)

any_tokens = st.lists(st.integers(0, STATES - 1), min_size=PIECE, max_size=PIECE).map(lambda x: np.array(x, np.uint8))
a_state = st.one_of(st.just(SUSTAIN), st.just(SUSTAIN), st.just(SILENCE), st.integers(FIRST_PITCH, STATES - 1))
piece = st.lists(a_state, max_size=PIECE).map(  # often ends in silence, as hypothesis likes short lists
    lambda x: canonical(np.array(x + [SILENCE] * (PIECE - len(x)), np.uint8))
)
a_bar = st.lists(a_state, min_size=STEPS, max_size=STEPS)
repeating = st.lists(a_bar, min_size=1, max_size=3).flatmap(
    lambda few: st.lists(st.sampled_from(few), min_size=BARS, max_size=BARS)
)
repeating = repeating.map(lambda b: canonical(np.array(b, np.uint8).reshape(PIECE)))


def test_the_grid_is_the_papers():
    assert (STATES, PIECE, FIRST_PITCH + HIGHEST - LOWEST) == (47, 128, STATES - 1)
    tokens = notes_to_tokens([Note(LOWEST, 0, 4), Note(HIGHEST, 6, 7), Note(60, 127, 128)])
    assert tokens[:8].tolist() == [2, 1, 1, 1, 0, 0, 46, 0] and tokens[127] == 22


def test_of_overlapping_notes_the_later_and_the_higher_stay():
    notes = [Note(60, 0, 16), Note(67, 4, 6), Note(64, 4, 12), Note(62, 8, 9)]
    kept = [Note(60, 0, 4), Note(67, 4, 6), Note(62, 8, 9)]
    assert one_voice(reversed(notes)) == kept == tokens_to_notes(notes_to_tokens(notes))


def test_what_does_not_fit_is_left_out():
    notes = [Note(LOWEST - 1, 0, 4), Note(60, 2, 6), Note(HIGHEST + 1, 4, 8), Note(61, 120, 140), Note(62, 130, 131)]
    assert tokens_to_notes(notes_to_tokens(notes)) == [Note(60, 2, 4), Note(61, 120, 128)]
    assert not notes_to_tokens([Note(60, -4, 4)]).any() and not notes_to_tokens([]).any()
    assert len(notes_to_tokens([], length=32)) == 32


def test_no_piece_has_no_bar():
    assert bars(np.zeros((0, PIECE), np.uint8)).shape == (0, BARS, STEPS)


@pytest.mark.parametrize(
    "onset, end, steps",
    [(0, 4, (0, 4)), (0.5, 1.49, (1, 2)), (0.49, 0.6, (0, 1)), (2, 2, (2, 3)), (1.5, 2.5, (2, 3)), (3.9, 3.95, (4, 5))],
)
def test_notes_move_to_the_nearest_sixteenth_and_never_vanish(onset, end, steps):
    assert quantise(60, onset, end) == Note(60, *steps)


@given(any_tokens)
def test_canonical_tokens_are_valid_and_sound_the_same(tokens):
    clean = canonical(tokens)
    assert is_valid(clean) and clean.dtype == tokens.dtype
    assert (canonical(clean) == clean).all()
    assert is_valid(tokens) == (clean == tokens).all()
    assert tokens_to_notes(clean) == tokens_to_notes(tokens)
    assert (notes_to_tokens(tokens_to_notes(tokens)) == clean).all()


def test_what_is_not_valid():
    assert is_valid([0, 2, 1, 1, 0]) and is_valid([46, 1])
    assert not any(map(is_valid, ([1, 2], [2, 0, 1], [47], [-1], [0, 200])))


@given(piece, st.integers(-60, 60))
def test_transposition_moves_pitches_and_nothing_else(tokens, semitones):
    moved = transpose(tokens, semitones)
    inside = [n for n in tokens_to_notes(tokens) if LOWEST <= n.pitch + semitones <= HIGHEST]
    assert moved.dtype == np.uint8 and is_valid(moved)
    assert tokens_to_notes(moved) == [Note(n.pitch + semitones, n.onset, n.end) for n in inside]
    if len(inside) == len(tokens_to_notes(tokens)):
        assert (transpose(moved, -semitones) == tokens).all()


def test_transposition_table():
    assert transposition_table(0).tolist() == list(range(STATES))
    up = transposition_table(4)
    assert up.dtype == np.uint8 and up[[SILENCE, SUSTAIN, 2, 42, 43, 46]].tolist() == [0, 1, 6, 46, 0, 0]
    assert not transposition_table(-99)[FIRST_PITCH:].any()


@given(st.lists(st.integers(0, 127)))
def test_fit_octave(pitches):
    shift = fit_octave(pitches)
    fits = [s for s in range(-120, 121, 12) if all(LOWEST <= p + s <= HIGHEST for p in pitches)]
    assert (shift is None) == (not fits)
    assert shift is None or (shift in fits and abs(shift) == min(map(abs, fits)))
    assert fit_octave(np.array(pitches, np.uint8)) == shift


@given(st.lists(repeating, min_size=1, max_size=3))
def test_equal_bars(pieces):
    tokens = np.stack(pieces)
    same, sounding = equal_bars(tokens), (bars(tokens) >= FIRST_PITCH).any(-1)
    assert bars(tokens).shape == (len(pieces), BARS, STEPS) and same.shape == (len(pieces), BARS, BARS)
    assert (same == same.swapaxes(1, 2)).all()
    assert (np.diagonal(same, axis1=1, axis2=2) == sounding).all()
    for n, i, j in np.ndindex(same.shape):
        assert same[n, i, j] == (sounding[n, i] and (bars(tokens)[n, i] == bars(tokens)[n, j]).all())
    first = earlier_equal(tokens)
    for n, i in np.ndindex(first.shape):
        assert first[n, i] == next((j for j in range(i) if same[n, i, j]), -1)
    assert (earlier_equal(tokens[0]) == first[0]).all()
