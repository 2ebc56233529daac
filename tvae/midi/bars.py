"""Where the bars of a file begin, and where its notes lie in them.

Positions are ticks, or steps: sixteenths. A piece needs bars of four quarters. A file may count in other bars, in
beats, or not at all. It may begin with an upbeat, and it may have been played a little late.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from math import cos, inf, pi

from tvae.melody import STEPS
from tvae.midi.parts import Tick
from tvae.midi.smf import Song

FINE = 96  # parts of a sixteenth, or of a beat, in which it is asked how far notes lie from the grid
COSINE = [round(1000 * cos(2 * pi * k / FINE)) for k in range(FINE)]  # whole numbers: JavaScript finds the same
ENOUGH = 8  # onsets that tell something of the grid
TOGETHER = 0.7  # of 1: how much onsets agree on how late they are, before they are moved
LATE, LATEST = 10, 58  # 96ths of a sixteenth: from where on they are moved; what lies later is early
FAR = 16.5  # 96ths of a sixteenth from onsets to the nearest one, on average, without beats; 24 by chance
BASS = 4  # times as much as another note the lowest one tells of where bars begin
# Of what sounds: begins so much off the beat, the beat is wrong; the second where bars are not given.
CLEARLY, PLAINLY = 0.9, 0.75


@dataclass
class Stretch:
    """Bars of equal length, one after the other."""

    start: int  # tick
    end: float  # tick before which it ends; infinite for the last
    bar: int  # 16ths of a tick
    usable: bool  # are these bars of four quarters?
    meter: str  # "3/4"
    number: int = 1  # of its first bar

    def bars(self) -> float:
        """How many bars it has, the last perhaps a short one."""
        return self.end if self.end == inf else -(-16 * (self.end - self.start) // self.bar)


def stretches(song: Song, end: int) -> tuple[list[Stretch], str]:
    """The file's bars up to tick `end`, and the meter that is read in bars of four quarters though it has others."""
    whole = 64 * song.quarter
    meters = sorted((meter for track in song.tracks for meter in track.meters), key=lambda meter: meter[0])
    meters = list({tick: (tick, *meter) for tick, *meter in meters}.values())  # of two at one tick the last counts
    if not meters or meters[0][0] > 0:
        meters.insert(0, (0, 4, 2))
    found, other = [], ""
    for k, (tick, beats, power) in enumerate(meters):
        bar, until = beats * whole >> power, meters[k + 1][0] if k + 1 < len(meters) else inf
        usable = whole % bar == 0 or bar % whole == 0
        meter = f"{beats}/{2**power}"
        if found and found[-1].meter == meter:
            inside = 16 * (tick - found[-1].start)
            if inside > whole or inside % (16 * song.quarter):  # else a new bar begins: what came before was an upbeat
                found[-1].end = until
                continue
        if usable and bar != whole and 16 * (min(until, end) - tick) > 2 * whole:
            other = other or meter
        found.append(Stretch(tick, until, whole if usable else bar, usable, meter))
    found = _joined(found, whole, end)
    number = 0 if len(found) > 1 and 16 * found[0].end < whole else 1  # an upbeat is no bar
    for stretch in found:
        stretch.number = number
        number += stretch.bars() if stretch is not found[-1] else 0
    return found, other


def _joined(found: list[Stretch], whole: int, end: int) -> list[Stretch]:
    """Stretches that go on with the bars of the one before are one; so are a split bar and a short last bar."""
    last = found[-1]
    if len(found) > 1 and last.bar < whole and 16 * (end - last.start) <= last.bar:
        last.bar, last.usable = whole, True
    joined, k = [], 0
    while k < len(found):
        stretch, parts = found[k], 1
        if not (stretch.usable and stretch.bars() > 1):
            while parts < 4 and k + parts < len(found) and 16 * (found[k + parts - 1].end - stretch.start) < whole:
                parts += 1
            if parts > 1 and 16 * (found[k + parts - 1].end - stretch.start) == whole:
                stretch = Stretch(stretch.start, found[k + parts - 1].end, whole, True, stretch.meter)
            else:
                parts = 1
        before = joined[-1] if joined else None
        if before and before.usable and stretch.usable and 16 * (stretch.start - before.start) % whole == 0:
            before.end = stretch.end
        else:
            joined.append(stretch)
        k += parts
    return joined


def fine(onsets: Iterable[int], quarter: int, unit: int) -> list[int]:
    """Where onsets lie between two neighbours of a grid of `unit` to a quarter note, in 96ths."""
    return [(2 * FINE * unit * onset + quarter) // (2 * quarter) % FINE for onset in onsets]


def lateness(onsets: list[int], quarter: int) -> int:
    """How much later than the sixteenths most onsets lie, in 96ths of one; 0 where they do not agree."""
    places = Counter(fine(onsets, quarter, 4))
    if len(onsets) < ENOUGH:
        return 0
    x = sum(COSINE[place] * many for place, many in places.items())
    y = sum(COSINE[place - FINE // 4] * many for place, many in places.items())  # the sine
    along = [x * COSINE[k] + y * COSINE[k - FINE // 4] for k in range(FINE)]
    best = along.index(max(along))
    if along[best] < TOGETHER * 1e6 * len(onsets):
        return 0
    late = best if best < LATEST else best - FINE
    return late if abs(late) >= LATE else 0


@dataclass
class Rhythm:
    """How the onsets of a line lie: are they swung; how many are triplets; do they keep to the beat?"""

    swung: bool
    triplets: int
    free: bool


def rhythm(onsets: list[int], quarter: int) -> Rhythm:
    """Look at onsets in ticks, which are not late."""
    places = fine(onsets, quarter, 1)  # in a beat: 24 is a sixteenth, 32 a third

    def near(*targets: int, by: int = 2) -> int:
        return sum(any(abs(place - target) <= by for target in targets) for place in places)

    thirds, second = near(32), near(64)
    swung = near(62, by=6) * 5 >= len(places) and near(62, by=6) > 5 * (near(32) + near(48)) and len(places) >= ENOUGH
    triplets = 0 if swung else thirds + second + near(16, 80)
    if 20 * triplets < len(places) or triplets < 3:
        triplets = 0
    slow = [16 * (b - a) >= 3 * quarter for a, b in pairwise(onsets)] + [True]  # what is faster cannot lie on the grid
    distance = [4 * min(place % 24, 24 - place % 24) for place, one in zip(places, slow) if one]  # 96ths of a sixteenth
    known = near(0, 16, 24, 32, 48, 64, 72, 80, 96) if triplets else 0
    free = (
        len(distance) >= ENOUGH and sum(distance) > FAR * len(distance) and 10 * known < 9 * len(places) and not swung
    )
    return Rhythm(swung, 0 if free else triplets, free)


def straight(tick: int, quarter: int) -> int:
    """A tick of swung music -> where it lies with even eighths: two thirds of each beat become half of it."""
    beat, inside = divmod(tick, quarter)
    if 3 * inside <= 2 * quarter:
        return beat * quarter + (6 * inside + 4) // 8
    return (beat + 1) * quarter - (6 * (quarter - inside) + 2) // 4


def first_beat(notes: list[Tick], quarter: int, shift: int, trust: float, accompanied: bool) -> int:
    """How many steps after the file's bar lines the music's bars begin: 0 ... 15.

    A bar begins where most of the sound begins: long notes, chords, and above all the bass. `trust` in the file's bar
    lines is 0 where it has none, else how much of the most sound must begin on them. Of a melody alone, or at a trust
    of 1, bar lines are only believed to be wrong where all but nothing begins on their beats.
    """
    steps = [(8 * (onset - shift) + quarter) // (2 * quarter) for onset, _, _ in notes]
    lowest = {}
    for step, (_, _, pitch) in zip(steps, notes):
        lowest[step] = min(lowest.get(step, pitch), pitch)
    weight = [0] * STEPS
    for step, (onset, end, pitch) in zip(steps, notes):
        weight[step % STEPS] += min(end - onset, 4 * quarter) * (BASS if pitch == lowest[step] else 1)
    if accompanied and trust < 1:
        return weight.index(max(weight)) if weight[0] < (trust or 1) * max(weight) else 0
    beats = [sum(weight[k::4]) for k in range(4)]
    best = beats.index(max(beats))
    enough = max(beats) >= (CLEARLY if trust == 1 else PLAINLY) * sum(weight)
    return best if enough and len(notes) >= ENOUGH else 0
