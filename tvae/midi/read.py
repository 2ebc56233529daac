"""From a MIDI file to melodies of 8 bars: which part, which bars, and what was done to them."""

from __future__ import annotations

import os
import warnings
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from operator import itemgetter
from pathlib import Path

import numpy as np

from tvae.errors import TvaeError
from tvae.melody import BARS, HIGHEST, LOWEST, OCTAVES, PIECE, STEPS, Note, notes_to_tokens
from tvae.midi import smf, words
from tvae.midi.bars import Stretch
from tvae.midi.parts import Part, Voice, choose, voices
from tvae.midi.take import Take, take

UPBEAT = STEPS // 2  # steps: a bar whose music begins so late, or later, holds an upbeat
MOST_EMPTY = 3  # of 8 bars may be silent, before a later bar is taken for the first


@dataclass(frozen=True, eq=False)
class Melody:
    """A piece read from a MIDI file, and what was done to it on the way."""

    tokens: np.ndarray  # (128,) uint8, valid
    track: str  # name of the part it was taken from
    tempo: float  # quarter notes a minute, where it begins
    semitones: int  # octaves moved: pitch in the file + semitones = pitch in the tokens
    notices: tuple[str, ...]  # sentences, each also given as a warning
    part: int = 1  # the number of that part
    start: int = 1  # the bar it begins with
    free: bool = False  # do its notes lie off the file's beats?
    lost: int = 0  # notes that were silenced: no octave has them in range


def read_parts(path: str | os.PathLike) -> list[Part]:
    """The parts of a MIDI file that have notes, for `read_midi(path, track=...)`. Raises TvaeError as `read_midi`."""
    return [voice.part for voice in File(path).voices]


def read_midi(path: str | os.PathLike, track: int | str | None = None, start: int | None = None) -> Melody:
    """The melody in anybody's MIDI file: 8 bars in 4/4, onsets and ends at the nearest sixteenth.

    track: the part to take, by its number or name among `read_parts`. By default the one that is sung (where there are
    lyrics), is named melody or the like, or is most like a tune; never percussion.
    start: the bar to begin with. By default up to 8 bars are taken as they stand and padded with silence; of more, 8
    from the first bar of the melody on, without its upbeat.

    - Of notes that sound together the highest stays. Ornaments leave their main note. No note is shorter than a
      sixteenth.
    - Bars of other lengths end a piece; 2/4 and the like are read in bars of four quarters. A constant lateness is
      removed.
    - Moved by octaves where that brings more notes into MIDI 40 ... 84; notes still outside become silence.

    Whatever was chosen or changed is in `notices`. Raises TvaeError, saying what to do, if there is no such melody.
    """
    file = File(path)
    voice, notices = file.choice(track)
    found = file.read(voice, notices, start)
    for notice in found.notices:
        warnings.warn(notice, stacklevel=2)
    return found


def read_pieces(path: str | os.PathLike, track: int | str | None = None, start: int | None = None) -> list[Melody]:
    """The melody of a MIDI file in pieces of 8 bars, from `start` (or where `read_midi` begins) to its end.

    Only pieces with music, in file order; the last may end in silence. No warnings are given. Raises TvaeError as
    `read_midi`.
    """
    file = File(path)
    voice, notices = file.choice(track)
    return list(file.pieces(voice, notices, start))


class File:
    """A MIDI file with its parts. Raises TvaeError as `read_midi`."""

    def __init__(self, path: str | os.PathLike):
        self.path = Path(path)
        self.song = smf.parse(_content(self.path), self.path)
        self.names = words.decode([track.name for track in self.song.tracks])
        self.voices = voices(self.song, self.names)
        self.tempos = sorted((tempo for track in self.song.tracks for tempo in track.tempos), key=itemgetter(0))
        self.end = max((track.end for track in self.song.tracks), default=0)

    def choice(self, track: int | str | None) -> tuple[Voice | None, list[str]]:
        """The voice asked for, or with the melody, and notices; None for a silent piece that `write_midi` wrote."""
        notices = []
        if missing := self.song.missing:
            notices.append(f"The file ends before {missing} of its {len(self.song.tracks) + missing} tracks.")
        if track is not None:
            return self._asked_for(track), notices
        candidates = [voice for voice in self.voices if not voice.part.percussion]
        if not candidates:
            if self.voices:
                raise TvaeError(f"'{self.path}' has only percussion (channel 10); put the melody on another channel.")
            if any(track.marked for track in self.song.tracks):
                return None, notices
            raise TvaeError(f"'{self.path}' has no notes; choose a file that has a melody.")
        voice, why = choose(self.song, candidates)
        if len(candidates) > 1:
            place = f"part {voice.part.number} of {len(self.voices)}"
            notices.append(f"Several parts: the melody was taken from '{voice.part.name}' ({place}), {why}.")
        return voice, notices

    def _asked_for(self, track: int | str) -> Voice:
        asked = str(track).strip().lower()
        matches = (
            lambda part: part.name.lower() == asked,
            lambda part: str(part.number) == asked,
            lambda part: asked and asked in part.name.lower(),
        )
        for fits in matches:
            if found := [voice for voice in self.voices if fits(voice.part)]:
                return found[0]
        listed = ", ".join(f"{voice.part.number} '{voice.part.name[:24]}'" for voice in self.voices[:5]) or "none"
        more = f", and {len(self.voices) - 5} more" if len(self.voices) > 5 else ""
        raise TvaeError(f"'{self.path}' has no part {str(track)[:40]!r}; its parts are {listed}{more}.")

    def read(self, voice: Voice | None, notices: list[str], start: int | None) -> Melody:
        """8 bars of the voice, from `start` or the first bar of its melody on."""
        if voice is None:
            name = self.names[-1] or f"track {len(self.names)}"
            return Melody(np.zeros(PIECE, np.uint8), name, self._tempo(0), 0, tuple(notices))
        taken = take(self.song, self.voices, voice)
        k, first, placed = self.first(taken) if start is None else self._at(taken, start)
        return self._piece(voice, taken, k, first, [*notices, *taken.notices, *placed])

    def pieces(self, voice: Voice | None, notices: list[str], start: int | None) -> Iterator[Melody]:
        """8 bars after 8 bars, as `read` gives the first."""
        if voice is None:
            return
        taken = take(self.song, self.voices, voice)
        begin, first, _ = self.first(taken) if start is None else self._at(taken, start)
        for k, (stretch, notes) in enumerate(zip(taken.stretches, taken.notes)):
            if k < begin or not stretch.usable or not notes:
                continue
            origin = first if k == begin else notes[0].onset // STEPS
            for bar in sorted({origin + (note.onset // STEPS - origin) // BARS * BARS for note in notes}):
                if bar >= origin and bar + BARS <= stretch.bars():
                    yield self._piece(voice, taken, k, bar, [*notices, *taken.notices])

    def first(self, taken: Take) -> tuple[int, int, list[str]]:
        """-> which stretch, the bar of it (from 0) with which the piece begins, and notices."""
        foreign, filled = None, [k for k, notes in enumerate(taken.notes) if notes]
        for k, (stretch, notes) in enumerate(zip(taken.stretches, taken.notes)):
            if not notes:
                continue
            if not stretch.usable:
                foreign = foreign or stretch
                continue
            first, notices = self._begin(notes, stretch)
            if stretch.bars() - first >= BARS or k == filled[-1]:
                if k and stretch.number + first > 1 and not notices:
                    notices = [
                        f"The melody was taken from bar {stretch.number + first} on, where bars are of four quarters."
                    ]
                if k and stretch.number == 1 and taken.notes[0]:
                    notices = ["The upbeat before bar 1 was left out.", *notices]
                return k, first, notices
            foreign = foreign or taken.stretches[k + 1]
        what = f"is in {foreign.meter}" if not foreign.usable else "has a bar of another length just before it goes on"
        raise TvaeError(
            f"'{self.path}' {what} from bar {foreign.number}, and only 4/4 can be used; "
            "choose 8 bars in 4/4 and export them alone."
        )

    def _begin(self, notes: list[Note], stretch: Stretch) -> tuple[int, list[str]]:
        """The bar (from 0) of a stretch with which its melody begins, and notices."""
        last, number = notes[-1].end, stretch.number
        end = ceil(max(last, 4 * (self.end - stretch.start) / self.song.quarter) / STEPS)  # its track may end later
        if notes[0].onset >= 0 and last <= PIECE:
            padded = [f"The file ends in bar {end + number - 1}: it was padded with silence to 8 bars."]
            return 0, padded if end < BARS else []
        starts = sorted({note.onset // STEPS for note in notes})
        filled = {
            bar for note in notes for bar in range(note.onset // STEPS, ceil(min(note.end, note.onset + PIECE) / STEPS))
        }
        enough = (s for s in starts if sum(s + k in filled for k in range(BARS)) >= BARS - MOST_EMPTY)
        first, notices = next(enough, starts[0]), []
        begins = next(note.onset for note in notes if note.onset // STEPS == first)
        if begins - first * STEPS >= UPBEAT and any(note.onset >= (first + 1) * STEPS for note in notes):
            notices.append(f"The upbeat in bar {first + number} was left out.")
            first += 1
        elif first > 0:
            notices.append(f"The melody begins in bar {first + number}: the bars before it were skipped.")
        if last > (first + BARS) * STEPS:
            notices.append(f"The melody goes on to bar {ceil(last / STEPS) + number - 1}: it was cut to 8 bars.")
        return first, notices

    def _at(self, taken: Take, start: int) -> tuple[int, int, list[str]]:
        """As `first`, for the bar that was asked for."""
        if isinstance(start, bool) or not isinstance(start, int):
            raise TvaeError(f"A piece begins with a bar, by its number: 1, 2, 3 ..., not {start!r}.")
        for k, (stretch, notes) in enumerate(zip(taken.stretches, taken.notes)):
            first = start - stretch.number
            if (0 if k or not notes else min(notes[0].onset // STEPS, 0)) <= first < stretch.bars():
                if not stretch.usable:
                    raise TvaeError(f"'{self.path}' is in {stretch.meter} in bar {start}, and only 4/4 can be used.")
                inside = [note for note in notes if first * STEPS <= note.onset < (first + BARS) * STEPS]
                if not inside:
                    break
                return k, first, []
        raise TvaeError(
            f"'{self.path}' has no note of this part in the 8 bars from bar {start} on; choose another start."
        )

    def _piece(self, voice: Voice, taken: Take, k: int, first: int, notices: list[str]) -> Melody:
        stretch, begin = taken.stretches[k], first * STEPS
        length = min(PIECE, (stretch.bars() - first) * STEPS)
        low, high = (bisect_left(taken.notes[k], at, key=lambda note: note.onset) for at in (begin, begin + length))
        if low and taken.notes[k][low - 1].end > begin:
            low -= 1  # it is held over the bar line: struck again there
        inside = [
            Note(note.pitch, max(note.onset - begin, 0), min(note.end - begin, length))
            for note in taken.notes[k][low:high]
        ]
        moved, semitones, lost, said = _into_range(inside)
        tick = taken.shift + stretch.start + (begin * self.song.quarter + 2) // 4
        return Melody(
            notes_to_tokens(moved), voice.part.name, self._tempo(tick), semitones, (*notices, *said), voice.part.number,
            first + stretch.number, taken.free, lost,
        )  # fmt: skip

    def _tempo(self, tick: int) -> float:
        """Quarter notes a minute at this tick, or half a sixteenth after it."""
        at = bisect_left(self.tempos, 8 * tick + self.song.quarter, key=lambda tempo: 8 * tempo[0])
        return round(60e6 / (self.tempos[at - 1][1] if at else 500_000), 2)


def _content(path: Path) -> bytes:
    """The bytes of a file, up to one more than are read."""
    if not path.is_file():
        raise TvaeError(f"There is no file '{path}'; check its name and folder.")
    try:
        with path.open("rb") as file:
            return file.read(smf.MOST_BYTES + 1)
    except OSError as error:
        raise TvaeError(f"'{path}' cannot be read: {error.strerror or error}.") from error


def _into_range(notes: list[Note]) -> tuple[list[Note], int, int, list[str]]:
    """-> the notes moved by the octaves that bring most into range, the semitones, how many stay out, and notices."""

    def inside(shift: int) -> int:
        return sum(LOWEST <= note.pitch + shift <= HIGHEST for note in notes)

    semitones = max(OCTAVES, key=inside)  # of equals the first: the smallest
    notices = []
    if semitones:
        notices.append(f"The melody was moved by {semitones:+d} semitones, into the range from E2 to C6.")
    lost = len(notes) - inside(semitones)
    if lost:
        notices.append(f"{lost} of {len(notes)} notes lie outside the range from E2 to C6: they were silenced.")
    return [Note(note.pitch + semitones, note.onset, note.end) for note in notes], semitones, lost, notices
