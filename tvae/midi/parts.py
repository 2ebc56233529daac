"""The parts of a file, and which of them has the melody."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import pairwise
from operator import itemgetter

from pretty_midi import program_to_instrument_name

from tvae.midi import words
from tvae.midi.smf import Song

PERCUSSION = 9  # channel 10, as musicians count
BASSES = range(32, 40)  # General MIDI programs, from 0
NOISES = {*range(112, 114), *range(115, 128)}  # bells, drums and effects; steel drums (114) do play melodies
ENSEMBLES = {*range(48, 53), *range(88, 96)}  # strings, choirs and pads
MOSTLY = 0.8  # "mostly monophonic": so many of the notes leave the one before them alone
FEW = 4  # a part with less than a quarter of another's onsets and of its sounding time has stray notes
SUNG = 0.6  # agreement of a part's onsets and the lyrics from which on it is the sung one
LONGEST_NAME = 80  # characters
SLOW = 12  # sixteenths: a part with longer notes on average plays chords, or a line behind the melody
BEHIND = 24  # semitones by which such a part, or an ensemble, must lie higher
STEPWISE = 36  # semitones by which a line may lie lower that moves by steps alone
LOW = 52  # E3: what lies below on average is a bass, where another part lies higher
Tick = tuple[int, int, int]  # onset and end in ticks, pitch


@dataclass(frozen=True)
class Part:
    """What one instrument plays: a track, or a channel of one."""

    number: int  # from 1, in the order of the file
    name: str
    instrument: str  # of General MIDI, "" if the file names none
    notes: int
    lowest: int  # MIDI pitch
    highest: int
    percussion: bool


@dataclass(eq=False)
class Voice:
    """A part with its notes, in time, and what its notes say of it."""

    part: Part
    notes: list[Tick]
    program: int  # General MIDI, from 0; -1: none given
    name: str  # of its track alone

    def measure(self, step: int) -> None:
        """Fill in what `choose` asks for; `step` is a sixteenth in ticks."""
        tops = {}  # of the notes that begin on one sixteenth, the highest pitch
        for onset, _, pitch in self.notes:
            at = onset // step
            tops[at] = max(tops.get(at, 0), pitch)
        self.onsets = len(tops)
        self.height = sum(tops.values()) / len(tops)
        self.sounding = _union(self.notes)
        self.tune = self.height + _tunefulness(list(tops.values()))
        if self.program in ENSEMBLES or self.sounding >= SLOW * step * self.onsets:
            self.tune -= BEHIND
        self.one_pitch = max(Counter(pitch for _, _, pitch in self.notes).values()) * 10 > 9 * len(self.notes)
        self.single = monophony(self.notes, step) >= MOSTLY


def monophony(notes: list[Tick], step: int) -> float:
    """The share of notes that start after the one before them, and overlap it by no more than a sixteenth."""
    free = sum(b[0] > a[0] and b[0] >= a[1] - step for a, b in pairwise(notes))
    return free / (len(notes) - 1) if len(notes) > 1 else 1.0


def _tunefulness(pitches: list[int]) -> float:
    """In semitones, what a line is worth for moving like a tune: by steps, within a small range."""
    steps = sum(abs(a - b) <= 2 for a, b in pairwise(pitches))
    return STEPWISE * steps / max(len(pitches) - 1, 1) - (max(pitches) - min(pitches)) / 2


def _union(notes: list[Tick]) -> int:
    """Ticks in which at least one note sounds."""
    total, until = 0, -1
    for onset, end, _ in notes:
        total += max(end - max(onset, until), 0)
        until = max(until, end)
    return total


def voices(song: Song, names: list[str]) -> list[Voice]:
    """All parts that have notes: the channels of each track, but those that take turns in one voice are one."""
    found = []
    for number, (track, name) in enumerate(zip(song.tracks, names), 1):
        channels = defaultdict(list)
        for channel, pitch, onset, end in track.notes:
            channels[channel].append((onset, end, pitch))
        groups = _groups(channels, track.programs, max(song.quarter // 4, 1))
        for group in groups:
            notes = sorted((note for channel in group for note in channels[channel]), key=itemgetter(0, 2, 1))
            program, percussion = track.programs[group[0]], group == [PERCUSSION]
            label = name[:LONGEST_NAME] or f"track {number}"
            if len(groups) > 1:
                label += f", channel {group[0] + 1}"
            pitches = [pitch for _, _, pitch in notes]
            instrument = "Drums" if percussion else program_to_instrument_name(program) if program >= 0 else ""
            part = Part(len(found) + 1, label, instrument, len(notes), min(pitches), max(pitches), percussion)
            found.append(Voice(part, notes, program, name))
    for voice in found:
        voice.measure(max(song.quarter // 4, 1))
    return found


def _groups(channels: dict[int, list[Tick]], programs: dict[int, int], step: int) -> list[list[int]]:
    """The channels of a track that are parts of their own, or together one voice.

    A guitar has a channel a string, and an expressive keyboard gives each note the next channel. So channels of one
    program are a voice if they take turns, or if there are three of them or more.
    """
    by_program = defaultdict(list)
    for channel in channels:
        by_program[channel if channel == PERCUSSION else (programs[channel],)].append(channel)
    groups = []
    for same in by_program.values():
        together = sorted((note for channel in same for note in channels[channel]), key=itemgetter(0, 2, 1))
        turns = len(same) > 1 and monophony(together, step) >= MOSTLY
        groups += [same] if turns or len(same) > 2 else [[channel] for channel in same]
    return sorted(groups, key=lambda group: list(channels).index(group[0]))


def choose(song: Song, candidates: list[Voice]) -> tuple[Voice, str]:
    """The voice that has the melody, of those that are no percussion, and why.

    The lyrics count most, then the names. Then what is no melody is left out: basses and noises, stray notes, one pitch
    over and over. Of what remains a single line is preferred, and then the one most like a tune: high, by steps, in a
    small range.
    """
    agreement = _agreement(song, candidates)
    sung = max(agreement.values(), default=0)
    most, longest = (max(getattr(v, what) for v in candidates) for what in ("onsets", "sounding"))
    higher = any(voice.height >= LOW for voice in candidates)

    names = {voice.name for voice in candidates}  # of channels of one track it is that of the song

    def rank(voice: Voice) -> tuple:
        stray = voice.onsets * FEW < most and voice.sounding * FEW < longest
        named = words.standing(voice.name) if len(names) > 1 or len(candidates) == 1 else 0
        other = named < 0 or voice.program in BASSES or voice.program in NOISES or (higher and voice.height < LOW)
        is_sung = sung >= SUNG and agreement[voice.part.number] >= sung - 0.05
        plausible = not stray and not voice.one_pitch
        return is_sung and plausible, plausible, named > 0, not other, max(named, 0), voice.single, voice.tune

    ranks = [rank(voice) for voice in candidates]
    best = candidates[ranks.index(max(ranks))]
    is_sung, _, named, _, _, single, _ = max(ranks)
    if is_sung:
        return best, "its notes go with the lyrics"
    return (
        best,
        "by its name" if named else "the single line most like a tune" if single else "the part most like a tune",
    )


def _agreement(song: Song, candidates: list[Voice]) -> dict[int, float]:
    """How well the onsets of each voice fit the lyrics: number of its part -> 0 ... 1; empty without lyrics."""
    lyrics = sorted({tick for track in song.tracks for tick in track.lyrics})
    if len(lyrics) < 8:
        lyrics = sorted({tick for track in song.tracks for tick in track.texts if tick})
    if len(lyrics) < 8:
        return {}
    found, near = {}, max(song.quarter // 8, 1)
    for voice in candidates:
        onsets = sorted({onset for onset, _, _ in voice.notes})
        both = 0
        for tick in lyrics:
            at = bisect_left(onsets, tick - near)
            both += at < len(onsets) and onsets[at] <= tick + near
        during = bisect_left(onsets, lyrics[-1] + near) - bisect_left(onsets, lyrics[0] - near)
        found[voice.part.number] = 2 * both / (len(lyrics) + max(during, both))
    return found
