"""MIDI files as people have them, each with what a musician would read: for the tests of both readers."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import odd_midi as odd
from odd_midi import meta, meter, midi, named, notes, track

# Half notes and quarters over 8 bars: (pitch, onset, end) in sixteenths.
PITCHES = [67, 69, 71, 67, 72, 71, 69, 74, 71, 67, 69, 66, 67, 69, 71, 72, 74, 72, 71, 69, 67, 66, 64, 67]
TUNE = [(pitch, *span) for k, pitch in enumerate(PITCHES) for span in [[(0, 8), (8, 12), (12, 16)][k % 3]]]
TUNE = [(pitch, onset + 16 * (k // 3), end + 16 * (k // 3)) for k, (pitch, onset, end) in enumerate(TUNE)]


@dataclass
class Case:
    """A file, the notes that a musician would read, what the notices must say, and what they must not."""

    data: bytes
    heard: list[tuple[int, int, int]] | None = None  # None: it is enough that there is a piece
    says: tuple[str, ...] = ()
    never: str = ""
    name: str | None = None  # of the part that has the melody


def later(spans: list, steps: float) -> list:
    return [(pitch, onset + steps, end + steps) for pitch, onset, end in spans]


def higher(spans: list, semitones: int) -> list:
    return [(pitch + semitones, onset, end) for pitch, onset, end in spans]


def program(number: int, channel: int = 0) -> tuple[int, bytes]:
    return 0, bytes([0xC0 | channel, number])


def written(text: str, charset: str) -> tuple[int, bytes]:
    return 0, meta(0x03, text.encode(charset))


def at(step: float, event: bytes) -> tuple[int, bytes]:
    return round(step * 120), event


def part(spans: list, *events: tuple[int, bytes], channel: int = 0) -> bytes:
    """A track of these notes, and of other events."""
    return track(*events, *notes(*spans, channel=channel))


def with_size(data: bytes, more: int) -> bytes:
    """The length of the first track chunk, changed by so much."""
    (size,) = struct.unpack(">I", data[18:22])
    return data[:18] + struct.pack(">I", size + more) + data[22:]


PLAIN = midi(part(TUNE, named("melody")))
QUIET = [(48 + pitch % 5, 16 * bar, 16 * bar + 16) for bar, pitch in enumerate(PITCHES[:8])]  # a line of whole notes
ALBERTI = [(pitch, 2 * k, 2 * k + 2) for k, pitch in enumerate([48, 55, 52, 55] * 16)]
TRIADS = [(pitch, 4 * k, 4 * k + 3) for k in range(32) for pitch in (52, 55, 60)]

LENIENT = {
    f"a key signature of {sharps} sharps, mode {mode}": Case(
        midi(part(TUNE, (0, meta(0x59, bytes([sharps & 255, mode]))))), TUNE
    )
    for sharps, mode in ((7, 7), (-8, 0), (100, 1), (0, 255))
} | {
    "a key signature of no bytes": Case(midi(part(TUNE, (0, meta(0x59)))), TUNE),
    "a loudness of 255": Case(PLAIN[:22] + PLAIN[22:].replace(b"\x64", b"\xff"), TUNE),
    "a bend of 255": Case(midi(part(TUNE, (0, b"\xe0\0\xff"))), TUNE),
    "a delta of five bytes, of nought": Case(with_size(PLAIN[:22] + b"\x80\x80\x80\x80" + PLAIN[22:], 4), TUNE),
    "a negative delta": Case(with_size(PLAIN[:22] + b"\x8f\xff\xff\xff" + PLAIN[22:], 4), TUNE),
    "a chunk too long by 1": Case(with_size(PLAIN, 1), TUNE),
    "a chunk too long by a thousand": Case(with_size(PLAIN, 1000), TUNE),
    "a chunk too short by 5": Case(with_size(PLAIN, -5), TUNE),
    "a chunk too long before another": Case(
        midi(part(TUNE).replace(b"MTrk\0\0", b"MTrk\0\1"), track(named("after it"))), TUNE
    ),
    "in a RIFF with a list before it": Case(b"RIFF\0\1\0\0RMIDLIST\4\0\0\0INFOdata\0\1\0\0" + PLAIN, TUNE),
    "after a MacBinary header": Case(b"\0" * 128 + PLAIN, TUNE),
    "foreign chunks between the tracks": Case(
        odd.header(1, 3)
        + track(named("timing"))
        + odd.chunk(b"\0" * 9, b"XFKM")
        + part(TUNE)
        + odd.chunk(b"", b"CASM"),
        TUNE,
    ),
    "a time signature of two bytes": Case(midi(part(TUNE, (0, meta(0x58, b"\4\2")))), TUNE),
    "a time signature of one byte": Case(midi(part(TUNE, (0, meta(0x58, b"\3")))), TUNE),
    "running status across a lyric": Case(
        midi(odd.chunk(b"\0\x90\x3c\x64" + b"\0" + meta(5, b"la") + b"\x83\x60\x3c\0" + b"\0\xff\x2f\0")), [(60, 0, 4)]
    ),
    "fewer tracks than it says": Case(odd.header(1, 3) + part(TUNE), TUNE, ("ends before 2 of its 3 tracks",)),
    "keyswitches far below": Case(midi(part([*TUNE, *[(12, 16 * k + 1, 16 * k + 2) for k in range(8)]])), TUNE),
}

NAMES = (
    {
        f"'{good}' beside '{other}' in {charset}": Case(
            midi(part(TUNE, written(good, charset)), part(higher(QUIET, 30), written(other, charset))),
            TUNE,
            ("by its name",),
            name=good,
        )
        for charset, good, other in (
            ("latin1", "Mélodie", "Flûtes"),
            ("shift_jis", "メロディー", "オルガン"),
            ("shift_jis", "歌", "ピアノ"),
            ("gb18030", "人声", "吉他"),
            ("euc_kr", "노래", "기타"),
        )
    }
    | {
        "an apostrophe of Windows": Case(
            midi(part(TUNE, (0, meta(3, b"Chant d\x92amour")))), TUNE, name="Chant d\x92amour"
        ),
    }
    | {
        f"'{good}' beside '{other}'": Case(
            midi(part(higher(QUIET, 30), named(other)), part(TUNE, named(good))), TUNE, ("by its name",), name=good
        )
        for good, other in (
            ("Vocal", "Backing Vox"),
            ("Lead Voice", "Harmony Voice"),
            ("Singer", "Choir Aahs"),
            ("Voix", "Accords"),
            ("Voz", "Bateria Melodic Tom"),
            ("Melodia", "Strings"),
            ("Stimme Gesang", "Begleitung"),
            ("Lead guitar", "Rhythm guitar"),
            ("主旋律", "伴奏"),
            ("Мелодия", "Бас"),
            ("Tema", "Synth Pad"),
            ("Solo", "Bass Solo"),
            ("Canto", "Lead 8 (bass + lead)"),
        )
    }
)

PARTS = {
    "a bass by its program": Case(
        midi(part(higher(TUNE, 2), program(33, 1), channel=1), part([*TUNE, *higher(TUNE, -9)], program(21))),
        TUNE,
        name="track 2",
    ),
    "a bass by its pitches": Case(
        midi(part(higher(TUNE, -31)), part([*TUNE, *higher(TUNE, -9)])), TUNE, name="track 2"
    ),
    "a shaker on two pitches": Case(
        midi(part([*[(90, k, k + 1) for k in range(127)], (91, 127, 128)], program(115)), part(TUNE)),
        TUNE,
        name="track 2",
    ),
    "two stray notes above": Case(midi(part([(96, 3, 5), (98, 70, 72)]), part(TUNE)), TUNE, name="track 2"),
    "an arpeggio above": Case(midi(part(higher(ALBERTI, 24)), part(TUNE)), TUNE, name="track 2"),
    "a pad above": Case(midi(part(higher(QUIET, 28), program(89)), part(TUNE, program(73))), TUNE, name="track 2"),
    "the sung part below": Case(
        midi(track(*[at(onset, meta(5, b"la")) for _, onset, _ in TUNE]), part(higher(QUIET, 30)), part(TUNE)),
        TUNE,
        ("lyrics",),
        name="track 3",
    ),
    "karaoke with texts": Case(
        midi(
            track(
                named("Words"),
                (0, meta(1, b"@T A song")),
                *[at(onset + 0.2, meta(1, b"/la")) for _, onset, _ in TUNE[1:]],
            ),
            part(higher(ALBERTI, 24), named("Melody")),
            part(TUNE),
        ),
        TUNE,
        ("lyrics",),
        name="track 3",
    ),
    "a voice on four channels": Case(
        midi(track(*[event for k in range(4) for event in notes(*TUNE[k::4], channel=k + 2)]), part(higher(TUNE, -24))),
        TUNE,
        name="track 1",
    ),
    "a voice on two channels, by turns": Case(
        midi(track(*notes(*TUNE[:12], channel=3), *notes(*TUNE[12:], channel=4)), part(TRIADS)), TUNE, name="track 1"
    ),
    "two instruments in one track": Case(
        midi(
            track(
                named("Song"),
                program(73, 3),
                *notes(*TUNE, channel=3),
                program(33, 5),
                *notes(*higher(TUNE, -24), channel=5),
            ),
            kind=0,
        ),
        TUNE,
        name="Song, channel 4",
    ),
    "a melody over an Alberti bass": Case(midi(part([*TUNE, *ALBERTI])), TUNE, ("not a single line",)),
    "a melody over chords": Case(midi(part([*TUNE, *TRIADS])), TUNE, ("not a single line",)),
    "rests over an accompaniment": Case(
        midi(part([*[note for k, note in enumerate(TUNE) if k % 6], *ALBERTI])),
        [note for k, note in enumerate(TUNE) if k % 6],
    ),
    "rolled chords": Case(midi(part([*TUNE, *[(p - d, a + 0.1, b) for p, a, b in TUNE for d in (3, 7)]])), TUNE),
    "legato": Case(
        midi(part([(p, a, b + 0.9) for p, a, b in TUNE])), [*TUNE[:-1], (67, 124, 128)], never="single line"
    ),
    "grace notes from above": Case(
        midi(part([x for p, a, b in TUNE for x in ((p + 2, a, a + 0.3), (p, a + 0.3, b))])), TUNE, never="shorter"
    ),
    "grace notes before the beat": Case(
        midi(part([x for p, a, b in TUNE for x in ((p, a, b - 0.4), (p + 12, b - 0.4, b))][:-1])), TUNE, never="shorter"
    ),
    "mordents": Case(
        midi(part([x for p, a, b in TUNE for x in ((p, a, a + 0.5), (p + 2, a + 0.5, a + 1), (p, a + 1, b))])), TUNE
    ),
    "trills": Case(
        midi(
            part(
                [(p + (2 if k % 2 else 0), a + k / 2, a + k / 2 + 0.5) for p, a, b in TUNE for k in range(2 * (b - a))]
            )
        ),
        None,
    ),
}

EIGHTHS = [(60 + (5 * k) % 12, 2 * k, 2 * k + 2) for k in range(64)]
SWUNG = [(p, a + 0.67 * (a % 4 == 2), b + 0.67 * (b % 4 == 2)) for p, a, b in EIGHTHS]
TRIPLETS = [(60 + (5 * k) % 12, 4 * k / 3, 4 * k / 3 + 4 / 3) for k in range(96)]

BARS = {
    "an upbeat of an eighth, as a bar": Case(
        midi(part([(62, 0, 2), *later(TUNE, 2)], (0, meter(1, 3)), at(2, meter(4, 2)))), TUNE, ("upbeat before bar 1",)
    ),
    "an upbeat of three quarters, as a bar": Case(
        midi(part([(62, 0, 12), *later(TUNE, 12)], (0, meter(3, 2)), at(12, meter(4, 2)))),
        TUNE,
        ("upbeat before bar 1",),
    ),
    "an upbeat and a meter said again": Case(
        midi(part([(62, 0, 4), *later(TUNE, 4)], (0, meter(4, 2)), at(4, meter(4, 2)))), TUNE, ("upbeat before bar 1",)
    ),
    "an upbeat in a silent bar": Case(midi(part([(62, 14, 16), *later(TUNE, 16)])), TUNE, ("upbeat in bar 1",)),
    "an upbeat after three bars": Case(
        midi(part([(62, 58, 64), *later(TUNE, 64)], (0, meter(4, 2)))), TUNE, ("upbeat in bar 4",)
    ),
    "a short last bar": Case(
        midi(part([(62, 0, 4), *later(TUNE[:-1], 4)], (0, meter(1, 2)), at(4, meter(4, 2)), at(4 + 112, meter(3, 2)))),
        TUNE[:-1],
    ),
    "a bar in two pieces": Case(
        midi(part(TUNE, (0, meter(4, 2)), at(64, meter(3, 2)), at(76, meter(1, 2)), at(80, meter(4, 2)))), TUNE
    ),
    "3/4 before the melody": Case(
        midi(
            part([(40, 0, 4)], (0, meter(3, 2)), at(48, meter(4, 2)), channel=2), part(later(TUNE, 48), named("melody"))
        ),
        TUNE,
        ("from bar 5",),
    ),
    "6/8 after the melody": Case(
        midi(track((0, meter(4, 2)), at(128, meter(6, 3)), *notes(*TUNE), *notes((40, 140, 150), channel=2))), TUNE
    ),
    "a bar of 2/4 after eight": Case(
        midi(part([*TUNE, *later(TUNE, 136)], (0, meter(4, 2)), at(128, meter(2, 2)), at(136, meter(4, 2)))), TUNE
    ),
    "a bar of 2/4 after two": Case(
        midi(part([*TUNE[:6], *later(TUNE, 40)], (0, meter(4, 2)), at(32, meter(2, 2)), at(40, meter(4, 2)))),
        TUNE,
        ("from bar 4",),
    ),
    "an introduction of twenty bars": Case(
        midi(part(later(TUNE, 320)), part([*QUIET, *later(QUIET, 320)], named("Pad"))), TUNE, ("begins in bar 21",)
    ),
    "one note long before the melody": Case(midi(part([(67, 0, 2), *later(TUNE, 160)])), TUNE, ("begins in bar 11",)),
    "2/2": Case(midi(part(TUNE, (0, meter(2, 1)))), TUNE),
    "8/8": Case(midi(part(TUNE, (0, meter(8, 3)))), TUNE),
    "2/4": Case(midi(part(TUNE, (0, meter(2, 2)))), TUNE, ("bars of 2/4",)),
    "1/4": Case(midi(part(TUNE, (0, meter(1, 2)))), TUNE, ("bars of 1/4",)),
    "4/2": Case(midi(part(TUNE, (0, meter(4, 1)))), TUNE, ("bars of 4/2",)),
    "a take a third of a sixteenth late": Case(
        midi(part(later(TUNE, 0.33), (0, meter(4, 2)))), TUNE, ("3 tenths of a sixteenth after",)
    ),
    "a take a little early": Case(
        midi(part(later(TUNE, 15.7), (0, meter(4, 2)))), TUNE, ("before the beats", "begins in bar 2")
    ),
    "a take one and a half sixteenths late": Case(
        midi(part(later(TUNE, 1.5))), TUNE, ("half of a sixteenth after", "1 sixteenth after the file's")
    ),
    "beats that are not the bars": Case(
        midi(
            part(later(TUNE, 8), (0, meter(1, 2))),
            part([*later([(p - 20, a, b) for p, a, b in QUIET], 8), *later(higher(QUIET, -13), 8)]),
        ),
        TUNE,
        ("2 beats after",),
    ),
    "swung eighths": Case(midi(part(SWUNG)), EIGHTHS, ("swung",)),
    "triplets": Case(midi(part(TRIPLETS)), None, ("64 notes of triplets",), never="beats, so"),
    "thirty-second notes": Case(
        midi(part([(60 + k % 5, k / 2, k / 2 + 0.5) for k in range(256)])),
        None,
        ("127 notes shorter than a sixteenth",),
        never="single line",
    ),
    "without a click": Case(
        midi(part([(p, a * 1.17, b * 1.17) for p, a, b in TUNE])), None, ("do not lie on the file's beats",)
    ),
    "played well, to a click": Case(
        midi(part([(p, max(a + (7 * k % 5 - 2) * 0.07, 0), b - 0.2) for k, (p, a, b) in enumerate(TUNE)])),
        TUNE,
        never="beats",
    ),
}

CASES = LENIENT | NAMES | PARTS | BARS
