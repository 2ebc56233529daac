"""The bytes of a standard MIDI file -> what of it matters here. The rest is not looked at, so it cannot be wrong.

Libraries refuse files that every player plays: an impossible key signature, a volume of 255, a chunk a few bytes too
long. Here a file is damaged only if its notes cannot be told from it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from tvae.errors import TvaeError

MOST_BYTES, MOST_NOTES = 1_000_000, 50_000  # so that no file takes two seconds; a whole song has a tenth of either
LONGEST_DELTA, LONGEST = 2**28 - 1, 2**40  # ticks: of a delta (four bytes of seven bits), of a track
HEADER_WITHIN = 1024  # bytes: a RIFF or MacBinary wrapper may stand before it
END_OF_PIECE = b"end of tvae piece"  # a text event: a file knows its length even where the music ends in silence
DATA_BYTES = {0x8: 2, 0x9: 2, 0xA: 2, 0xB: 2, 0xC: 1, 0xD: 1, 0xE: 2}  # by the first half of the status
SYSTEM_BYTES = {0xF1: 1, 0xF2: 2, 0xF3: 1, 0xF6: 0} | dict.fromkeys(range(0xF8, 0xFF), 0)  # of no use in a file


@dataclass
class Track:
    """What one track chunk holds, in ticks."""

    name: bytes = b""
    notes: list[tuple[int, int, int, int]] = field(default_factory=list)  # channel, pitch, onset, end
    programs: dict[int, int] = field(default_factory=dict)  # channel -> the General MIDI number its first note has
    tempos: list[tuple[int, int]] = field(default_factory=list)  # tick, microseconds a quarter note
    meters: list[tuple[int, int, int]] = field(default_factory=list)  # tick, beats, power of two of the unit
    lyrics: list[int] = field(default_factory=list)  # ticks
    texts: list[int] = field(default_factory=list)  # ticks of texts that may be lyrics, as karaoke files have them
    end: int = 0  # of its last event
    marked: bool = False  # did `write_midi` write it?


@dataclass
class Song:
    """A whole file: ticks a quarter note, and its tracks."""

    quarter: int
    tracks: list[Track]
    missing: int  # tracks that the header counts and the file has not


class Damaged(Exception):
    """The bytes cannot be what they should be."""


def parse(data: bytes, path: object) -> Song:
    """A file's bytes -> Song; `path` is its name in sentences.

    Raises TvaeError for what is no MIDI file of type 0 or 1 with ticks a quarter note, is damaged, or is too large.
    """
    if len(data) > MOST_BYTES:
        raise TvaeError(f"'{path}' is larger than {MOST_BYTES // 1000} kB; export the melody alone.")
    at = data.find(b"MThd", 0, HEADER_WITHIN)
    if at < 0:
        raise TvaeError(f"'{path}' is not a MIDI file; export the melody as a standard MIDI file (.mid).")
    try:
        size, kind, count, quarter = (_number(data, at + k, n) for k, n in ((4, 4), (8, 2), (10, 2), (12, 2)))
        if kind == 2:
            raise TvaeError(f"'{path}' holds independent patterns (MIDI type 2); export one of them as type 0 or 1.")
        if quarter >= 2**15:
            raise TvaeError(
                f"'{path}' counts in film frames (SMPTE), not in beats; export it with ticks per quarter note."
            )
        if size < 6 or kind > 2 or quarter == 0:
            raise Damaged
        tracks = list(_tracks(data, at + 8 + size))
    except Damaged:
        raise TvaeError(f"'{path}' is a damaged MIDI file; open it in a MIDI editor and export it again.") from None
    if sum(len(track.notes) for track in tracks) > MOST_NOTES:
        raise TvaeError(f"'{path}' has more than {MOST_NOTES} notes; export the melody alone.")
    return Song(quarter, tracks, max(count - len(tracks), 0))


def _number(data: bytes, at: int, length: int) -> int:
    if at + length > len(data):
        raise Damaged
    return int.from_bytes(data[at : at + length], "big")


def _tracks(data: bytes, at: int) -> Iterator[Track]:
    """The track chunks from here on; other chunks are skipped, and a length that is a little off does no harm."""
    while at + 8 <= len(data):
        kind, end = data[at : at + 4], at + 8 + _number(data, at + 4, 4)
        if kind == b"MTrk":
            track, read = _track(data, at + 8, end)
            yield track
            at = end if end == len(data) or _is_chunk(data, end) else data.find(b"MTrk", read)
        elif kind == b"MThd" or end > len(data):
            return  # a second file, or something else, after the last track
        else:
            at = end if end == len(data) or _is_chunk(data, end) else data.find(b"MTrk", at + 4)
        if at < 0:
            return


def _is_chunk(data: bytes, at: int) -> bool:
    """Does the name of a chunk stand here?"""
    return at + 8 <= len(data) and all(65 <= byte <= 90 or 97 <= byte <= 122 for byte in data[at : at + 4])


def _track(data: bytes, at: int, end: int) -> tuple[Track, int]:
    """The events from `at` to the end of the track, or to `end` where it has none -> (Track, where they end)."""
    track, tick, running = Track(), 0, 0
    sounding = defaultdict(list)  # (channel, pitch) -> ticks of the onsets not yet ended
    program = {}
    size = len(data)
    while not (at >= end and (at == size or _is_chunk(data, at))):
        delta, at = _variable(data, at)
        tick += delta
        if at >= size or tick > LONGEST:
            raise Damaged
        status = data[at]
        if status < 0x80:
            status = running
        else:
            at += 1
        if status == 0xFF:
            if at >= size:
                raise Damaged
            kind = data[at]
            length, at = _variable(data, at + 1)
            content, at = data[at : at + length], at + length
            if at > size:
                raise Damaged
            if kind == 0x2F:
                break
            _meta(track, tick, kind, content)
        elif status >> 4 in DATA_BYTES:
            running, channel = status, status & 15
            first, second = data[at] if at < size else 255, data[at + 1] if at + 1 < size else 0
            at += DATA_BYTES[status >> 4]
            if at > size or first > 127:  # the second may be too large: it is a volume, or a loudness
                raise Damaged
            if status >> 4 == 0xC:
                program[channel] = first
            elif status >> 4 == 9 and second:
                sounding[channel, first].append(tick)
                track.programs.setdefault(channel, program.get(channel, -1))
            elif status >> 4 in (8, 9):
                onsets = sounding.pop((channel, first), [])
                # A note-off does not end the note that begins on its tick, unless there is no other.
                ended = [onset for onset in onsets if onset < tick] or onsets
                track.notes += ((channel, first, onset, tick) for onset in ended)
                if len(ended) < len(onsets):
                    sounding[channel, first] = [tick]
        elif status in (0xF0, 0xF7):
            length, at = _variable(data, at)
            at += length
            if at > size:
                raise Damaged
        elif status in SYSTEM_BYTES:
            at += SYSTEM_BYTES[status]
        else:
            raise Damaged
    for (channel, pitch), onsets in sounding.items():  # a note that is never ended ends with its track
        track.notes += ((channel, pitch, onset, tick) for onset in onsets)
    track.end = tick
    return track, at


def _variable(data: bytes, at: int) -> tuple[int, int]:
    """A number of seven bits a byte -> (number, where it ends). Five bytes have a sign: negative ones count as 0."""
    value = 0
    for length in range(1, 6):
        if at >= len(data):
            break
        value = value * 128 + (data[at] & 127)
        at += 1
        if data[at - 1] < 128:
            if length == 5 and value & 2**31:
                return 0, at
            if value > LONGEST_DELTA:
                break
            return value, at
    raise Damaged


def _meta(track: Track, tick: int, kind: int, content: bytes) -> None:
    """Keep what of a meta message matters; too short a one does not."""
    if kind == 0x03:
        track.name = content
    elif kind == 0x51 and len(content) >= 3 and any(content[:3]):
        track.tempos.append((tick, int.from_bytes(content[:3], "big")))
    elif kind == 0x58 and len(content) >= 2 and content[0] and content[1] <= 6:
        track.meters.append((tick, content[0], content[1]))
    elif kind == 0x05:
        track.lyrics.append(tick)
    elif kind == 0x01:
        track.marked |= content == END_OF_PIECE
        if content[:1] != b"@":  # a title or the like
            track.texts.append(tick)
