"""A part in time: one line on the grid of sixteenths, bar by bar, and what that took."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from itertools import pairwise
from operator import itemgetter

from tvae.melody import PIECE, Note
from tvae.midi import bars, line
from tvae.midi.bars import Stretch
from tvae.midi.parts import Tick, Voice
from tvae.midi.smf import Song

# Trust in a file's bar lines: as it says; but the notes lie beside them; it says nothing.
GIVEN, LATE, UNSAID = 1, 0.8, 0.5
CONTEXT = PIECE  # steps before and after the first 8 bars that tell where bars begin


@dataclass(frozen=True, eq=False)
class Take:
    """The stretches of bars in a file, and of each the notes of a part, in steps from its first bar on."""

    stretches: list[Stretch]
    notes: list[list[Note]]
    shift: int  # ticks by which the music's bars are later than the file's
    free: bool  # do the notes lie off the file's beats?
    notices: list[str]


def take(song: Song, voices: list[Voice], voice: Voice) -> Take:
    """The line of one of the voices of a song; where bars begin is asked around its first notes."""
    quarter, step, notices = song.quarter, max(song.quarter // 4, 1), []
    ticks = line.without_ornaments(line.top_line(voice.notes, step), step)
    if not voice.single and len(ticks) < len(voice.notes):
        notices.append(f"'{voice.part.name}' is not a single line: its highest notes were taken.")
    stretches, other = bars.stretches(song, ticks[-1][1])
    if other:
        notices.append(f"The file counts in bars of {other}: they were read in bars of four quarters.")
    others = [note for one in voices if one is not voice and not one.part.percussion for note in one.notes]
    music = [*others, *(ticks if voice.single else voice.notes)]

    late = bars.lateness([note[0] for note in ticks], quarter) or bars.lateness([note[0] for note in music], quarter)
    ours = any(track.marked for track in song.tracks)  # what `write_midi` wrote is meant as it stands
    if late:
        side = "after" if late > 0 else "before"
        notices.append(f"The notes lie {_tenths(late)} of a sixteenth {side} the beats: all were moved.")
    shift = (late * quarter + 2 * bars.FINE) // (4 * bars.FINE)
    ticks, free, said = _simplified(ticks, quarter, shift)
    notices += said

    meters = any(track.meters for track in song.tracks)
    trust = 0 if other else LATE if late else GIVEN if meters else UNSAID
    accompanied = 2 * len(music) >= 3 * len(ticks)
    begins = [0, *(bisect_left(ticks, s.start + shift - step // 2, key=itemgetter(0)) for s in stretches[1:])]
    many = [end - begin for begin, end in pairwise([*begins, len(ticks)])]
    most = many.index(max(many))  # the stretch with most notes
    first, base = ticks[begins[most]][0], stretches[most]
    low, high = first - CONTEXT * step, first + (PIECE + CONTEXT) * step
    near = [note for note in (music if accompanied else ticks) if low <= note[0] < high]
    later = 0 if ours else bars.first_beat(near, quarter, shift + base.start, trust, accompanied)
    if later:
        notices.append(f"The music's bars begin {_length(later)} after the file's: they were read so.")
        shift += (later * quarter + 2) // 4

    notes, lost, at = [], 0, 0
    for stretch in stretches:
        until = bisect_left(ticks, stretch.end + shift - step // 2, key=itemgetter(0))
        found, dropped = line.on_grid(ticks[at:until], quarter, shift + stretch.start)
        at = until
        notes.append(found)
        lost += dropped
    if lost:
        notices.append(f"{_many(lost, 'note')} shorter than a sixteenth {'was' if lost == 1 else 'were'} left out.")
    return Take(stretches, notes, shift, free, notices)


def _simplified(ticks: list[Tick], quarter: int, shift: int) -> tuple[list[Tick], bool, list[str]]:
    """A line with swung eighths made even; is it off the beats; and what its rhythm loses on the grid, in sentences."""
    rhythm = bars.rhythm([note[0] - shift for note in ticks], quarter)
    if rhythm.swung:
        even = [bars.straight(tick - shift, quarter) + shift for note in ticks for tick in note[:2]]
        ticks = [(onset, end, note[2]) for onset, end, note in zip(even[::2], even[1::2], ticks)]
        return ticks, False, ["The eighths are swung: they were made even."]
    if rhythm.triplets:
        return ticks, False, [f"{_many(rhythm.triplets, 'note')} of triplets were moved to the nearest sixteenths."]
    if rhythm.free:
        said = (
            "The notes do not lie on the file's beats, so their rhythm was changed: "
            "record with a click, or set the file's tempo to that of the music."
        )
        return ticks, True, [said]
    return ticks, False, []


def _tenths(late: int) -> str:
    tenths = (abs(late) * 10 + bars.FINE // 2) // bars.FINE
    return "half" if tenths == 5 else f"{tenths} tenths"


def _many(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _length(steps: int) -> str:
    beats, rest = divmod(steps, 4)
    return " and ".join(_many(number, what) for number, what in ((beats, "beat"), (rest, "sixteenth")) if number)
