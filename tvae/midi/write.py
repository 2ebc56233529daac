"""From tokens to MIDI files, by way of pretty_midi."""

from __future__ import annotations

import os

import numpy as np
import pretty_midi

from tvae.errors import TvaeError
from tvae.melody import STATES, tokens_to_notes
from tvae.midi.smf import END_OF_PIECE

TICKS = 480  # a quarter note


def to_pretty_midi(tokens, tempo: float = 120.0, name: str = "melody", program: int = 0) -> pretty_midi.PrettyMIDI:
    """(L,) tokens -> one track of that name in 4/4; `tempo` in quarter notes a minute, `program` a General MIDI number.

    Raises TvaeError for tokens that are no states, a tempo outside 4 ... 1000, a program outside 0 ... 127.
    """
    tokens = np.asarray(tokens)
    if tokens.ndim != 1 or not np.issubdtype(tokens.dtype, np.integer):
        raise TvaeError(f"A piece is one row of whole numbers; this is {tokens.dtype} of shape {tokens.shape}.")
    if ((tokens < 0) | (tokens >= STATES)).any():
        raise TvaeError(f"Tokens are states 0 to {STATES - 1}; these go from {tokens.min()} to {tokens.max()}.")
    if not 4 <= tempo <= 1000:
        raise TvaeError(f"A tempo of {tempo} quarter notes a minute cannot be written; choose one from 4 to 1000.")
    if program not in range(128):
        raise TvaeError(f"There is no General MIDI program {program}; choose one from 0 to 127.")
    # A file's tempo is in whole microseconds a quarter note, and pretty_midi rounds down: the half makes that exact.
    quarter = round(60e6 / tempo) + 0.5
    seconds = quarter / 1e6 / 4  # of a step
    midi = pretty_midi.PrettyMIDI(resolution=TICKS, initial_tempo=60e6 / quarter, charset="utf-8")
    midi.time_signature_changes.append(pretty_midi.TimeSignature(4, 4, 0))
    midi.text_events.append(pretty_midi.Text(END_OF_PIECE.decode(), len(tokens) * seconds))
    track = pretty_midi.Instrument(program, name=name)
    for note in tokens_to_notes(tokens):
        track.notes.append(pretty_midi.Note(100, note.pitch, note.onset * seconds, note.end * seconds))
    midi.instruments.append(track)
    return midi


def write_midi(tokens, path: str | os.PathLike, tempo: float = 120.0, name: str = "melody", program: int = 0) -> None:
    """Write (L,) tokens as a MIDI file; `read_midi` gives the tokens back. Raises TvaeError as `to_pretty_midi`."""
    midi = to_pretty_midi(tokens, tempo, name, program)
    try:
        midi.write(os.fspath(path))
    except OSError as error:
        raise TvaeError(f"'{path}' cannot be written: {error.strerror or error}.") from error
