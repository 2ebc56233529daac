"""MIDI files byte by byte, good and bad, for tests: a library would refuse to write the bad ones."""

import struct


def number(value: int) -> bytes:
    """A variable-length number, seven bits a byte."""
    digits = [value & 0x7F]
    while value := value >> 7:
        digits.append(0x80 | value & 0x7F)
    return bytes(reversed(digits))


def meta(kind: int, data: bytes = b"") -> bytes:
    return bytes([0xFF, kind]) + number(len(data)) + data


def on(pitch: int, channel: int = 0) -> bytes:
    return bytes([0x90 | channel, pitch, 100])


def off(pitch: int, channel: int = 0) -> bytes:
    return bytes([0x80 | channel, pitch, 64])


def named(text: str) -> tuple[int, bytes]:
    return 0, meta(0x03, text.encode())


def tempo(microseconds: int) -> bytes:
    return meta(0x51, microseconds.to_bytes(3, "big"))


def meter(beats: int, power: int) -> bytes:
    """beats / 2**power"""
    return meta(0x58, bytes([beats, power, 24, 8]))


def chunk(body: bytes, kind: bytes = b"MTrk", size: int | None = None) -> bytes:
    return kind + struct.pack(">I", len(body) if size is None else size) + body


def track(*events: tuple[int, bytes], end: int = 0) -> bytes:
    """A track chunk of (absolute tick, event) in any order; it ends at tick `end`, or at its last event."""
    body, now = b"", 0
    for tick, event in sorted(events, key=lambda e: e[0]):
        body, now = body + number(tick - now) + event, tick
    return chunk(body + number(max(end - now, 0)) + meta(0x2F))


def notes(*spans: tuple[int, float, float], channel: int = 0, quarter: int = 480) -> list[tuple[int, bytes]]:
    """Events of (pitch, onset, end) with times in sixteenths; at one tick notes end before others begin."""
    step = quarter / 4
    ends = [(round(end * step), off(pitch, channel)) for pitch, _, end in spans]
    onsets = [(round(onset * step), on(pitch, channel)) for pitch, onset, _ in spans]
    return ends + onsets


def header(kind: int = 1, tracks: int = 1, quarter: int = 480) -> bytes:
    return b"MThd" + struct.pack(">IHHH", 6, kind, tracks, quarter & 0xFFFF)


def midi(*tracks: bytes, kind: int = 1, quarter: int = 480) -> bytes:
    return header(kind, len(tracks), quarter) + b"".join(tracks)


SCALE = [(60 + step % 12, 4 * step, 4 * step + 4) for step in range(32)]  # 8 bars of quarter notes
GOOD = midi(
    track((0, tempo(500_000)), (0, meter(4, 2))),
    track(named("melody"), *notes(*SCALE), end=8 * 4 * 480),
)
# One status byte for four events: note 60 on, off, note 62 on, off.
RUNNING = b"\0\x90\x3c\x64" + b"\x83\x60\x3c\0" + b"\0\x3e\x64" + b"\x83\x60\x3e\0" + b"\0\xff\x2f\0"

MUSIC = {  # odd, but a melody
    "zero-length notes": midi(track((0, on(60)), (0, off(60)), (480, on(62)), (480, off(62)))),
    "running status": midi(chunk(RUNNING)),
    "notes never ended": midi(track((0, on(60)), (480, on(62)))),
    "ends without a beginning": midi(track((0, off(60)), *notes((62, 0, 4)), (960, off(70)))),
    "no end of track": midi(chunk(b"\0" + on(60) + b"\x60" + off(60))),
    "bytes after the last track": GOOD + b"\0\1\2 more",
    "longest delta": midi(track((0, on(60)), (240, off(60)), (2**28, on(62)), (2**28 + 480, off(62)))),
    "many longest deltas": midi(chunk(b"\0" + on(60) + (b"\xff\xff\xff\x7f" + on(62)) * 1000)),
    "an end of track a year later": midi(track(*notes((60, 0, 4)), end=2**28)),
    "one tick per quarter": midi(track((0, on(60)), (1, off(60)), (1, on(62)), (2, off(62))), quarter=1),
    "most ticks per quarter": midi(track(*notes(*SCALE, quarter=32767)), quarter=32767),
    "highest and lowest pitch": midi(track(*notes((0, 0, 4), (127, 4, 8)))),
    "one note a thousand bars in": midi(track(*notes((60, 16_000, 16_004)))),
    "a very slow tempo": midi(track((0, tempo(2**24 - 1)), *notes(*SCALE))),
    "a very fast tempo": midi(track((0, tempo(1)), *notes(*SCALE))),
    "a system-exclusive message": midi(track((0, b"\xf0" + number(5) + b"\x7e\x7f\x09\x01\xf7"), *notes(*SCALE))),
    "a name that is no UTF-8": midi(track((0, meta(0x03, b"M\xe9lodie\0\0")), *notes(*SCALE))),
    "a thousand empty tracks": midi(*[track()] * 1000, track(*notes(*SCALE))),
    "thirty thousand notes at once": midi(chunk((b"\0" + on(60)) * 30_000)),
}

NO_MUSIC = {  # what a user can do nothing with but read the message; with a word it must contain
    "empty": (b"", "not a MIDI file"),
    "garbage": (bytes(range(256)) * 40, "not a MIDI file"),
    "text": (b"X:1\nT:A tune\nK:D\n", "not a MIDI file"),
    "in a RIFF": (b"RIFF" + struct.pack("<I", len(GOOD) + 12) + b"RMIDdata" + GOOD, "not a MIDI file"),
    "header only": (header(), "damaged"),
    "half a header": (b"MThd\0\0", "damaged"),
    "fewer tracks than it says": (header(1, 9) + track(*notes(*SCALE)), "damaged"),
    "chunk too long": (header() + chunk(b"\0" + on(60) + b"\x60" + off(60), size=4000), "damaged"),
    "chunk too short": (header() + chunk(b"\0" + on(60) + b"\x60" + off(60), size=3), "damaged"),
    "chunk of four gigabytes": (header() + chunk(b"\0" + on(60), size=2**32 - 1), "damaged"),
    "a foreign chunk": (header() + chunk(b"abc", kind=b"XFIH") + track(*notes(*SCALE)), "damaged"),
    "running status of nothing": (midi(chunk(b"\0\x3c\x64")), "damaged"),
    "undefined status": (midi(chunk(b"\0\xf5\0\0\0")), "damaged"),
    "data byte over 127": (midi(chunk(b"\0\x90\xbc\x64")), "damaged"),
    "a meta message longer than the file": (midi(chunk(b"\0\xff\x01\xff\xff\xff\x7f")), "damaged"),
    "a tempo of one byte": (midi(chunk(b"\0\xff\x51\x01\x07")), "damaged"),
    "an impossible key": (midi(track((0, meta(0x59, b"\x63\x63")), *notes(*SCALE))), "damaged"),
    "a delta of five bytes": (midi(chunk(b"\x8f\xff\xff\xff\x7f" + on(60) + b"\x60" + off(60))), "damaged"),
    "a delta without end": (midi(chunk(b"\xff" * 250_000)), "damaged"),
    "a few long deltas": (midi(chunk((b"\xff" * 80_000 + b"\0") * 3)), "damaged"),
    "many long deltas": (midi(chunk((b"\xff" * 999 + b"\0") * 250)), "damaged"),
    "type 3": (midi(track(*notes(*SCALE)), kind=3), "damaged"),
    "0 ticks per quarter": (midi(track(*notes(*SCALE)), quarter=0), "damaged"),
    "type 2": (midi(track(*notes(*SCALE)), kind=2), "type 2"),
    "SMPTE": (midi(track(*notes(*SCALE)), quarter=-25 << 8 | 40), "SMPTE"),
    "no tracks": (midi(), "no notes"),
    "no notes": (midi(track(named("melody"), (0, meter(4, 2)))), "no notes"),
    "an empty chunk": (midi(chunk(b"")), "no notes"),
    "percussion only": (midi(track(named("melody"), *notes((40, 0, 4), channel=9))), "percussion"),
    "3/4": (midi(track((0, meter(3, 2)), *notes(*SCALE))), "3/4 from bar 1"),
    "6/8 in bar 5": (midi(track((4 * 4 * 480, meter(6, 3)), *notes(*SCALE))), "6/8 from bar 5"),
    "0/4": (midi(track((0, meter(0, 2)), *notes(*SCALE))), "0/4"),
    "a meter of astronomic unit": (midi(track((0, meter(4, 255)), *notes(*SCALE))), "4/"),
    "tempo 0": (midi(track((0, tempo(0)), *notes(*SCALE))), "0 microseconds"),
    "a megabyte of notes": (midi(chunk(b"\0\x90\x40\x40" + b"\1\x40\x40" * 333_333)), "larger than"),
    "as much as is read, of program changes": (midi(chunk(b"\0\xc0\0" + b"\0\0" * 149_000)), "no notes"),
}
