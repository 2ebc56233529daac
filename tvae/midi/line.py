"""From the notes of a part to one line on the grid of sixteenths: the top line, its ornaments, its short notes."""

from __future__ import annotations

from itertools import groupby, pairwise
from math import inf
from statistics import median_low

from tvae.melody import Note
from tvae.midi.parts import Tick

TWO_HANDS = 10  # semitones between the middle of the melody and that of its accompaniment in the same part


def top_line(notes: list[Tick], step: int) -> list[Tick]:
    """The highest sounding note at each time, of notes in time; `step` is a sixteenth in ticks.

    A lower note cuts a higher one only where it outlasts it, and both overlap by no more than a sixteenth or half of
    the lower one: legato. In its rests, a line that lies well above its accompaniment is silent.
    """
    line, under, alone = [], [], []  # alone: does the note have the part for itself?
    for onset, end, pitch in sorted(notes, key=lambda note: (note[0], -note[2], note[1])):
        if line:
            last_onset, last_end, last_pitch = line[-1]
            both = min(last_end, end) - onset
            # A chord, perhaps a rolled one.
            together = onset - last_onset <= step // 2 and (both > 0 or onset == last_onset)
            lower = pitch < last_pitch and (end <= last_end or (both > step and 2 * both > end - onset))
            if lower or (together and pitch <= last_pitch):
                under.append(pitch)
                alone[-1] = False
                continue
            if both > 0:
                if together:  # what stands there is a lower note of the chord
                    under.append(last_pitch)
                    line[-1], alone[-1] = (last_onset, end, pitch), False
                    continue
                alone[-1] &= both <= step
                line[-1] = last_onset, onset, last_pitch
        line.append((onset, end, pitch))
        alone.append(True)
    tops = [note[2] for note, free in zip(line, alone) if not free]
    if not under or len(tops) * 4 < len(line) or median_low(tops) - median_low(under) < TWO_HANDS:
        return line
    middle = median_low(tops) + median_low(under)  # twice the pitch between the two
    return [note for note, free in zip(line, alone) if not (free and 2 * note[2] < middle)]


def without_ornaments(line: list[Tick], step: int) -> list[Tick]:
    """Grace notes, turns and trills -> the main note alone.

    Short notes are followed within three quarters of a sixteenth, and last less than an eighth together. They give way
    to the note that they lead to, where it is longer than twice all of them: it begins where they did, or where it
    does, on the stronger step. At least four of them, to and fro between two neighbours, are a trill: one note of the
    lower pitch, or of the main note that they end on.
    """
    found, run = [], []
    for note, following in zip(line, [*line[1:], None]):
        if following and 4 * (following[0] - note[0]) < 3 * step:
            run.append(note)
            continue
        onset, end, pitch = note
        if _is_trill(run):
            if pitch in (run[0][2], run[1][2]):
                note = run[0][0], end, pitch
            else:
                found.append((run[0][0], onset, min(run[0][2], run[1][2])))
        elif run and onset - run[0][0] < 2 * step and end - onset > 2 * (onset - run[0][0]) and run[-1][2] != pitch:
            note = _stronger(run[0][0], onset, step), end, pitch
        else:
            found += run
        found.append(note)
        run = []
    return found


def _is_trill(run: list[Tick]) -> bool:
    pitches = [pitch for _, _, pitch in run]
    return (
        len(run) >= 4
        and len(set(pitches)) == 2
        and abs(pitches[0] - pitches[1]) <= 2
        and all(a != b for a, b in pairwise(pitches))
    )


def _stronger(a: int, b: int, step: int) -> int:
    """Which of two ticks lies on the stronger sixteenth: the one that more powers of two divide, else the second."""
    first, second = ((2 * tick + step) // (2 * step) for tick in (a, b))
    return a if (first & -first or 16) > (second & -second or 16) else b


def on_grid(line: list[Tick], quarter: int, shift: int) -> tuple[list[Note], int]:
    """A line in ticks, each `shift` too late -> its notes on the nearest sixteenths, and how many notes found no room.

    A note lasts at least one step. Of several on one step the longest stays, of equals the first.
    """

    def nearest(tick: int) -> int:  # halves go up
        return (8 * (tick - shift) + quarter) // (2 * quarter)

    notes, lost = [], 0
    for step, group in groupby(line, key=lambda note: nearest(note[0])):
        group = list(group)
        _, end, pitch = max(group, key=lambda note: note[1] - note[0])
        lost += len(group) - 1
        notes.append(Note(pitch, step, max(nearest(end), step + 1)))
    cuts = [*(note.onset for note in notes[1:]), inf]
    return [Note(note.pitch, note.onset, min(note.end, cut)) for note, cut in zip(notes, cuts)], lost
