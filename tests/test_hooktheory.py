"""Hooktheory's annotations and recovered beat grids become pieces."""

from random import Random

import numpy as np
from examples import hooktheory_record
from hypothesis import given, settings
from hypothesis import strategies as st

from tvae.corpora import hooktheory


# The errors are drawn from a seed, and not by hypothesis, which would leave them out: notes that lie exactly on a grid
# lie on that of twice the tempo too, and no rule could tell the two apart.
@given(st.integers(32, 60), st.floats(70, 130), st.integers(0, 2**32 - 1).map(Random))
@settings(max_examples=60, deadline=None)
def test_the_beat_grid_is_found_under_small_errors(beats, tempo, random):
    steps = sorted(random.sample(range(4 * beats), 40))
    position = np.array([step + random.uniform(-0.05, 0.05) for step in steps]) / (4 * beats)
    found, residual = hooktheory.beat_grid(position, 60 * beats / tempo)
    assert residual < 0.05
    assert found == beats


def test_records_that_are_no_pieces():
    three = [{"beat": 0, "beats_per_bar": 4, "beat_unit": 4}, {"beat": 8, "beats_per_bar": 3, "beat_unit": 4}]
    assert list(hooktheory.from_record("x", hooktheory_record(meters=three))) == ["not in 4/4"]
    assert list(hooktheory.from_record("x", hooktheory_record(melody=None))) == ["no melody"]
    assert list(hooktheory.from_record("x", hooktheory_record(num_beats=31))) == ["shorter than 8 bars"]


def test_a_record_without_a_recording_is_grouped_by_its_song():
    (piece,) = hooktheory.from_record("x", hooktheory_record() | {"youtube": None})
    assert piece.song == "the-band/a-song"


def test_record_onsets_are_rounded_to_sixteenths():
    swung = [
        {"onset": b + o, "offset": b + e, "octave": -1, "pitch_class": 0}
        for b in range(32)
        for o, e in ((0, 2 / 3), (2 / 3, 1))
    ]
    (piece,) = hooktheory.from_record("x", hooktheory_record(melody=swung))
    assert list(piece.tokens[:8]) == [10, 1, 1, 10, 10, 1, 1, 10]  # the C below middle C, on steps 0, 3, 4, 7
