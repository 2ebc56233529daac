"""From MIDI files to melodies and back.

Files are written with pretty_midi and read with mido, the parser under it: mido keeps the ticks, so that no tempo can bend a rhythm, and
makes no table as long as the file claims to be.
"""

from __future__ import annotations

import io
import os
import re
import warnings
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor
from pathlib import Path

import mido
import numpy as np
import pretty_midi
from mido.midifiles.meta import MetaSpec_sequencer_specific, add_meta_spec

from tvae.errors import TvaeError
from tvae.melody import (
    HIGHEST,
    LOWEST,
    OCTAVES,
    PIECE,
    STATES,
    STEPS,
    Note,
    notes_to_tokens,
    one_voice,
    quantise,
    tokens_to_notes,
)

# From tokens to MIDI ------------------------------------------------------------------------------------------------

TICKS = 480  # a quarter note
END_OF_PIECE = "end of tvae piece"  # a text event: a file knows its length even where the music ends in silence


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
    midi.text_events.append(pretty_midi.Text(END_OF_PIECE, len(tokens) * seconds))
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


# From MIDI to tokens ------------------------------------------------------------------------------------------------

MOST_BYTES = 300_000  # keeps the worst file under two seconds; the MIDI of a whole song has a tenth of this
LONGEST_DELTA = 2**28 - 1  # ticks; the format allows four bytes of seven bits
PERCUSSION = 9  # channel 10, as musicians count
MELODY_NAMES = ("m[eé]lod|旋律|멜로디|メロディ", "voice|vocal|vox", r"\blead\b")  # the best first
MOSTLY = 0.8  # "mostly monophonic": so many of the notes leave the one before them alone
METERS = ((4, 4), (2, 2))  # bars of 16 sixteenths
Part = tuple[int, int]  # track, from 1, and channel, from 0


@dataclass(frozen=True, eq=False)
class Melody:
    """A piece read from a MIDI file, and what was done to it on the way."""

    tokens: np.ndarray  # (128,) uint8, valid
    track: str  # name of the part it was taken from
    tempo: float  # quarter notes a minute, where it begins
    semitones: int  # octaves moved: pitch in the file + semitones = pitch in the tokens
    notices: tuple[str, ...]  # sentences, each also given as a warning


def read_midi(path: str | os.PathLike) -> Melody:
    """The melody in anybody's MIDI file: 8 bars in 4/4, onsets and ends at the nearest sixteenth.

    - Of several parts: the one named melody, voice or lead, else the highest mostly monophonic one; never percussion.
    - A later note cuts an earlier one, of a chord the highest note stays; no note is shorter than a sixteenth.
    - Up to 8 bars are taken as they stand and padded with silence; of more, 8 from the bar with the first note on.
    - Moved by octaves where that brings more notes into MIDI 40 ... 84; notes still outside become silence.

    Whatever was chosen or changed is in `notices`. Raises TvaeError, saying what to do, if there is no such melody.
    """
    path = Path(path)
    midi = _parse(path)
    parts, names, marks = _scan(midi)
    part, chosen = _choose(path, parts, names, marks)
    notes = parts.get(part, [])
    start, stop, placed = _window(notes, marks)
    _check_meter(path, marks, stop)
    tempos = [500_000] + [mark.tempo for step, mark in marks if mark.type == "set_tempo" and step <= start]
    if tempos[-1] == 0:
        raise TvaeError(f"'{path}' has beats of 0 microseconds; set a tempo in a MIDI editor and export it again.")
    line = one_voice(Note(n.pitch, n.onset - start, n.end - start) for n in notes if n.onset < stop)
    line, semitones, moved = _into_range(line)

    notices = (*chosen, *placed, *moved)
    for notice in notices:
        warnings.warn(notice, stacklevel=2)
    return Melody(notes_to_tokens(line), _label(part, parts, names), round(60e6 / tempos[-1], 2), semitones, notices)


# mido forgets when a meta message came whose kind it does not know, so that all after it would come too early: it is told
# all kinds, each to be kept as bytes.
for _kind in set(range(256)) - {*range(8), 0x09, 0x20, 0x21, 0x2F, 0x51, 0x54, 0x58, 0x59, 0x7F}:
    add_meta_spec(type(f"MetaSpec_kind_{_kind}", (MetaSpec_sequencer_specific,), {"type_byte": _kind}))


def _parse(path: Path) -> mido.MidiFile:
    """The file's messages, of type 0 or 1 with ticks per quarter note; TvaeError for anything else."""
    if not path.is_file():
        raise TvaeError(f"There is no file '{path}'; check its name and folder.")
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise TvaeError(f"'{path}' cannot be read: {error.strerror or error}.") from error
    if len(data) > MOST_BYTES:
        raise TvaeError(f"'{path}' is larger than {MOST_BYTES // 1000} kB; export the melody alone.")
    if data[:4] != b"MThd":
        raise TvaeError(f"'{path}' is not a MIDI file; export the melody as a standard MIDI file (.mid).")
    damaged = TvaeError(f"'{path}' is a damaged MIDI file; open it in a MIDI editor and export it again.")
    if re.search(rb"[\x80-\xff]{1000}", data):  # mido may take it for one number, in quadratic time
        raise damaged
    try:
        midi = mido.MidiFile(file=io.BytesIO(data))
    except Exception as error:  # mido checks little: a damaged file may trip it anywhere, with any error
        raise damaged from error
    if midi.type == 2:
        raise TvaeError(f"'{path}' holds independent patterns (MIDI type 2); export one of them as type 0 or 1.")
    if midi.ticks_per_beat < 0:
        raise TvaeError(f"'{path}' counts in film frames (SMPTE), not in beats; export it with ticks per quarter note.")
    if midi.type not in (0, 1) or midi.ticks_per_beat == 0:
        raise damaged
    messages = [message for track in midi.tracks for message in track]
    if any(message.time > LONGEST_DELTA or _is_of_the_wire(message) for message in messages):
        raise damaged
    return midi


def _is_of_the_wire(message: mido.Message) -> bool:
    """Is it a clock, a start, a reset or the like, which are sent to instruments and have no place in files?"""
    return not (message.is_meta or message.type == "sysex" or hasattr(message, "channel"))


def _scan(midi: mido.MidiFile) -> tuple[dict[Part, list[Note]], dict[int, str], list[tuple[int, mido.MetaMessage]]]:
    """-> each part's notes on the grid; names of tracks; the other meta messages with their steps, in time."""
    parts, names, marks = defaultdict(list), {}, []
    quarter = midi.ticks_per_beat
    for number, track in enumerate(midi.tracks, 1):
        for channel, pitch, onset, end in _note_ticks(track):
            parts[number, channel].append(quantise(pitch, onset * 4 / quarter, end * 4 / quarter))
        tick = 0
        for message in track:
            tick += message.time
            if message.type == "track_name":
                names[number] = _text(message.name).strip(" \t\r\n\0")  # some fill up with zeros
            elif message.is_meta:
                marks.append((floor(tick * 4 / quarter + 0.5), message))
    return dict(parts), names, sorted(marks, key=lambda mark: mark[0])


def _note_ticks(track: mido.MidiTrack) -> Iterator[tuple[int, int, int, int]]:
    """Yield channel, pitch, first tick and last tick of every note; a note that is never ended ends with its track."""
    tick, sounding = 0, defaultdict(list)  # (channel, pitch) -> ticks of the onsets not yet ended
    for message in track:
        tick += message.time
        if message.type == "note_on" and message.velocity:
            sounding[message.channel, message.note].append(tick)
        elif message.type in ("note_on", "note_off"):
            key = (message.channel, message.note)
            onsets = sounding.pop(key, [])
            # A note-off does not end the note that begins on its tick, unless there is no other.
            ended = [onset for onset in onsets if onset < tick] or onsets
            yield from ((*key, onset, tick) for onset in ended)
            if len(ended) < len(onsets):
                sounding[key] = [tick]
    for key, onsets in sounding.items():
        yield from ((*key, onset, tick) for onset in onsets)


def _text(latin: str) -> str:
    """mido reads text as Latin-1, but most programs write UTF-8."""
    try:
        return latin.encode("latin1").decode("utf-8")
    except UnicodeDecodeError:
        return latin


def _label(part: Part, parts: dict[Part, list[Note]], names: dict[int, str]) -> str:
    number, channel = part
    several = sum(track == number for track, _ in parts) > 1
    return (names.get(number) or f"track {number}") + (f", channel {channel + 1}" if several else "")


def _choose(path, parts, names, marks) -> tuple[Part, list[str]]:
    """-> the part that has the melody, and notices."""
    candidates = [part for part in parts if part[1] != PERCUSSION]
    if not candidates:
        if parts:
            raise TvaeError(f"'{path}' has only percussion (channel 10); put the melody on another channel.")
        if any(mark.type == "text" and mark.text == END_OF_PIECE for _, mark in marks):
            return (2, 0), []  # a silent piece that `write_midi` wrote
        raise TvaeError(f"'{path}' has no notes; choose a file that has a melody.")
    several, why = len(candidates) > 1, "the highest single line"
    for pattern in MELODY_NAMES:
        if named := [part for part in candidates if re.search(pattern, names.get(part[0], ""), re.IGNORECASE)]:
            candidates, why = named, "by its name"
            break
    candidates = [part for part in candidates if _monophony(parts[part]) >= MOSTLY] or candidates
    busy = max(len(parts[part]) for part in candidates) / 4  # a few high notes of an effect are no melody
    part = max(
        (part for part in candidates if len(parts[part]) >= busy),
        key=lambda part: np.mean([note.pitch for note in parts[part]]),
    )
    label, notices = _label(part, parts, names), []
    if several:
        notices.append(f"Several parts: the melody was taken from '{label}' (track {part[0]}), {why}.")
    if _monophony(parts[part]) < MOSTLY:
        notices.append(f"'{label}' is not a single line: of notes that start together the highest was kept.")
    return part, notices


def _monophony(notes: list[Note]) -> float:
    """The share of notes that start after the one before them, and overlap it by no more than a sixteenth."""
    notes = sorted(notes, key=lambda note: note.onset)
    free = [b.onset > a.onset and b.onset >= a.end - 1 for a, b in pairwise(notes)]
    return float(np.mean(free)) if free else 1.0


def _window(notes: list[Note], marks) -> tuple[int, int, list[str]]:
    """-> the steps to use, from the first to before the last, and notices."""
    last = max((note.end for note in notes), default=0)
    length = max([last, *(step for step, _ in marks)])  # the end of a track may come after its last note
    skip = min(note.onset for note in notes) // STEPS if last > PIECE else 0
    stop = min(last, skip * STEPS + PIECE)
    notices = []
    if skip:
        notices.append(f"The melody begins in bar {skip + 1}: the silent bars before it were skipped.")
    if last > stop:
        notices.append(f"The melody goes on to bar {ceil(last / STEPS)}: it was cut to 8 bars.")
    if length <= PIECE - STEPS:
        notices.append(f"The file ends in bar {ceil(length / STEPS)}: it was padded with silence to 8 bars.")
    return skip * STEPS, stop, notices


def _check_meter(path: Path, marks, stop: int) -> None:
    """TvaeError for a meter with other bars anywhere before step `stop`; no time signature means 4/4."""
    meters = {step: (mark.numerator, mark.denominator) for step, mark in marks if mark.type == "time_signature"}
    for step, (beats, unit) in meters.items():
        if (beats, unit) not in METERS and step < max(stop, 1):
            raise TvaeError(
                f"'{path}' is in {beats}/{unit} from bar {step // STEPS + 1}, and only 4/4 can be used; "
                "choose 8 bars in 4/4 and export them alone."
            )


def _into_range(line: list[Note]) -> tuple[list[Note], int, list[str]]:
    """-> the notes moved by the octaves that bring most of them into range, the semitones, and notices."""
    pitches = np.array([note.pitch for note in line], int)

    def inside(shift):
        return int(((pitches + shift >= LOWEST) & (pitches + shift <= HIGHEST)).sum())

    semitones = max(OCTAVES, key=inside)  # of equals the first: the smallest
    notices = []
    if semitones:
        notices.append(f"The melody was moved by {semitones:+d} semitones, into the range from E2 to C6.")
    if lost := len(line) - inside(semitones):
        notices.append(f"{lost} of {len(line)} notes lie outside the range from E2 to C6: they were silenced.")
    return [Note(note.pitch + semitones, note.onset, note.end) for note in line], semitones, notices
