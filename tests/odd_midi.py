"""MIDI files byte by byte, good and bad, for tests: a library would refuse to write the bad ones.

python tests/odd_midi.py FOLDER        writes them all, several hundred, into a folder
"""

import random
import struct
import sys
from pathlib import Path


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
    "in a RIFF": b"RIFF" + struct.pack("<I", len(GOOD) + 12) + b"RMIDdata" + GOOD,
    "fewer tracks than it says": header(1, 9) + track(*notes(*SCALE)),
    "a foreign chunk": header() + chunk(b"abc", kind=b"XFIH") + track(*notes(*SCALE)),
    "an impossible key": midi(track((0, meta(0x59, b"\x63\x63")), *notes(*SCALE))),
    "a delta of five bytes": midi(chunk(b"\x8f\xff\xff\xff\x7f" + on(60) + b"\x60" + off(60))),
    "0/4": midi(track((0, meter(0, 2)), *notes(*SCALE))),
    "a meter of astronomic unit": midi(track((0, meter(4, 255)), *notes(*SCALE))),
    "tempo 0": midi(track((0, tempo(0)), *notes(*SCALE))),
    "chunk too short": header() + chunk(b"\0" + on(60) + b"\x60" + off(60), size=3),
    "a clock between the notes": midi(chunk(b"\0\xf8" + b"\0" + on(60) + b"\x60" + off(60))),
    "thirty thousand notes at once": midi(chunk((b"\0" + on(60)) * 30_000)),
}

NO_MUSIC = {  # what a user can do nothing with but read the message; with a word it must contain
    "empty": (b"", "not a MIDI file"),
    "garbage": (bytes(range(256)) * 40, "not a MIDI file"),
    "text": (b"X:1\nT:A tune\nK:D\n", "not a MIDI file"),
    "header only": (header(), "no notes"),
    "half a header": (b"MThd\0\0", "damaged"),
    "chunk too long": (header() + chunk(b"\0" + on(60) + b"\x60" + off(60), size=4000), "damaged"),
    "chunk of four gigabytes": (header() + chunk(b"\0" + on(60), size=2**32 - 1), "damaged"),
    "running status of nothing": (midi(chunk(b"\0\x3c\x64")), "damaged"),
    "undefined status": (midi(chunk(b"\0\xf5\0\0\0")), "damaged"),
    "data byte over 127": (midi(chunk(b"\0\x90\xbc\x64")), "damaged"),
    "a meta message longer than the file": (midi(chunk(b"\0\xff\x01\xff\xff\xff\x7f")), "damaged"),
    "a tempo of one byte": (midi(chunk(b"\0\xff\x51\x01\x07")), "no notes"),
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
    "more than a megabyte": (midi(chunk(b"\0\x90\x40\x40" + b"\1\x40\x40" * 333_333)), "larger than"),
    "a megabyte of notes": (midi(chunk(b"\0\x90\x40\x40" + b"\1\x40\x40" * 332_000)), "more than 50000 notes"),
    "as much as is read, of program changes": (midi(chunk(b"\0\xc0\0" + b"\0\0" * 499_000)), "no notes"),
}


def odd_files() -> dict[str, bytes]:
    """Several hundred files, the same every time: those above, and what a list of faults makes of good ones."""
    files = MUSIC | {what: data for what, (data, _) in NO_MUSIC.items()} | {"good": GOOD}
    spans = [(60 + step % 12, 4 * step, 4 * step + 4) for step in range(32)]
    low = [(pitch - 24, onset, end) for pitch, onset, end in spans]
    body = b"".join(number(0) + on(60 + k % 12) + number(480) + off(60 + k % 12) for k in range(32))
    end = number(0) + meta(0x2F)
    bases = {
        "two tracks": GOOD,
        "running": midi(chunk(RUNNING)),
        "type 0": midi(track(named("song"), *notes(*spans, channel=3), *notes(*low, channel=9)), kind=0),
    }
    for base, data in bases.items():
        for part in range(1, 16):
            files[f"{base}, cut off after {part}/16"] = data[: len(data) * part // 16]
            files[f"{base}, {part}/16 left out in the middle"] = (
                data[: len(data) // 16] + data[len(data) * part // 16 :]
            )
        for size in (0, 5, 7, 100, 2**31, 2**32 - 1):
            files[f"{base}, a header of {size} bytes"] = data[:4] + struct.pack(">I", size) + data[8:]
        for tracks in (0, 1, 3, 65535):
            files[f"{base}, {tracks} tracks it says"] = data[:10] + struct.pack(">H", tracks) + data[12:]
        for division in (0, 1, 3, 24, 32767, 0x8000, 0xE728, 0xE250, 0xFFFF):
            files[f"{base}, division {division:#06x}"] = data[:12] + struct.pack(">H", division) + data[14:]
        for kind in (0, 2, 3, 65535):
            files[f"{base}, type {kind} it says"] = data[:8] + struct.pack(">H", kind) + data[10:]
        twice = data[14:] if data[14:18] == b"MTrk" else b""
        files[f"{base}, twice over"] = data + data
        files[f"{base}, more tracks than it says"] = data + twice
    for wrong in (-100, -10, -1, 1, 10, 100, 2**24):
        files[f"a chunk size wrong by {wrong}"] = header() + chunk(body + end, size=max(0, len(body + end) + wrong))
    for status in range(0x80, 0x100):
        files[f"status {status:#04x} out of nowhere"] = midi(chunk(body + b"\0" + bytes([status]) + body + end))
    for kind in range(0, 128, 4):
        for length in (0, 3):
            files[f"meta {kind:#04x} of {length} bytes"] = midi(
                track((0, meta(kind, b"\xff" * length)), *notes(*spans))
            )
    for beats in (0, 1, 2, 3, 5, 6, 7, 12, 255):
        for power in (0, 1, 2, 3, 8, 255):
            files[f"a meter of {beats} over 2**{power}"] = midi(track((0, meter(beats, power)), *notes(*spans)))
    for bar in (1, 7, 8, 100):
        files[f"3/4 from bar {bar + 1}"] = midi(track((1920 * bar, meter(3, 2)), *notes(*spans)))
    for microseconds in (0, 1, 2, 1000, 2**23, 2**24 - 1):
        for tick in (0, 1, 1920, 10**6):
            files[f"tempo {microseconds} at {tick}"] = midi(track((tick, tempo(microseconds)), *notes(*spans)))
    for delta in (2**14, 2**21, 2**28 - 1):
        for many in (1, 100):
            files[f"{many} deltas of {delta}"] = midi(
                chunk((number(delta) + on(60) + number(delta) + off(60)) * many + end)
            )
    for channel in range(16):
        files[f"channel {channel + 1} alone"] = midi(track(*notes(*spans, channel=channel)))
    files |= {
        "all notes of length zero": midi(track(*[(480 * k, event(60)) for event in (on, off) for k in range(32)])),
        "all ends, no beginnings": midi(track(*[(480 * k, off(60)) for k in range(32)])),
        "only beginnings of velocity 0": midi(chunk((b"\x60\x90\x3c\0") * 32 + end)),
        "percussion and silence": midi(track(*notes(*spans, channel=9)), track(named("melody"))),
        "sysex without end": midi(chunk(b"\0\xf0" + b"\x01" * 500)),
        "sysex longer than the file": midi(chunk(b"\0\xf0" + number(2**27) + b"\x01" * 50)),
        "a name of 200 kB": midi(track((0, meta(3, b"x" * 200_000)), *notes(*spans))),
        "a name of control characters": midi(track((0, meta(3, bytes(range(32)))), *notes(*spans))),
        "a hundred names": midi(track(*[(0, meta(3, b"melody"))] * 100, *notes(*spans))),
        "ten thousand meters": midi(track(*[(k, meter(3 + k % 2, 2)) for k in range(10_000)], *notes(*spans))),
        "ten thousand tempos": midi(track(*[(k, tempo(500_000 + k)) for k in range(10_000)], *notes(*spans))),
        "all pitches at once": midi(track(*notes(*[(pitch, 0, 128) for pitch in range(128)]))),
        "sixty thousand beginnings of one note": midi(chunk(b"\0\x90\x3c\x64" + b"\0\x3c\x64" * 60_000 + end)),
        "trills": midi(chunk(b"\0\x90\x3c\x64" + b"\1\x3c\0\0\x3e\x64\1\x3e\0\0\x3c\x64" * 20_000 + end)),
        "a note across a year": midi(track((0, on(60)), (2**28, off(60)))),
        "pitch bends only": midi(chunk(b"\0\xe0\0\x40" * 1000 + end)),
    }  # fmt: skip
    rng = random.Random(0)
    for k in range(100):
        data = bytearray(GOOD)
        for _ in range(rng.randint(1, 8)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        files[f"bytes changed, {k}"] = bytes(data)
    for k in range(40):
        files[f"any bytes in a track, {k}"] = midi(chunk(rng.randbytes(rng.randint(0, 3000))))
    return files


def mutated(data: bytes, rng: random.Random) -> bytes:
    """A file with a few bytes changed, left out, put in or said twice."""
    data = bytearray(data)
    for _ in range(rng.randint(1, 8)):
        at = rng.randrange(len(data) or 1)
        kind = rng.randrange(4)
        if kind == 0:
            data[at : at + 1] = rng.randbytes(1)
        elif kind == 1:
            del data[at : at + rng.choice([1, 1, 2, 30])]
        elif kind == 2:
            data[at:at] = rng.choice([rng.randbytes(3), b"\xff\x51\x03\0\0\0", b"MTrk", b"\xff\x2f\0"])
        else:
            data[at:at] = data[at : at + rng.randint(1, 200)]
    return bytes(data)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    made = odd_files()
    for serial, (what, content) in enumerate(made.items()):
        words = "".join(letter if letter.isalnum() else "-" for letter in what)
        (folder / f"{serial:04}-{words}.mid").write_bytes(content)
    print(f"{len(made)} files")
