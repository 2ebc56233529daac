"""The playground's reader and writer of MIDI files in JavaScript against Python's, in a browser's engine (V8)."""

import io
import random
import time
import warnings
from base64 import b64decode, b64encode
from pathlib import Path

import mido
import numpy as np
import odd_midi as odd
import pretty_midi
import pytest
from midi_cases import CASES, TUNE, later

from tvae import TvaeError, melody, midi
from tvae.melody import FIRST_PITCH, PIECE, SILENCE
from tvae.midi import words

pytestmark = pytest.mark.slow

WRITE = "(text, how) => answer(() => midi.write_midi(piece(text), how).toBase64())"
READ = """(file, path, choice) => answer(() => {
    const found = new midi.File(Uint8Array.fromBase64(file), path);
    return { parts: found.parts, read: found.read(choice), pieces: found.pieces(choice) };
})"""


def text(tokens: np.ndarray) -> str:
    return "".join(map(chr, tokens))


@pytest.fixture
def both(js, tmp_path, monkeypatch):
    """bytes, track=..., start=... -> what JavaScript and Python read: parts, a Melody, all pieces; or the sentence."""
    monkeypatch.chdir(tmp_path)
    path = Path("a melody.mid")

    def plain(found) -> dict:
        shown = {
            name: value for name, value in vars(found).items() if name not in ("free", "lost")
        }  # for corpora alone
        return {**shown, "tokens": found.tokens.tolist(), "notices": list(found.notices)}

    def python(data: bytes, **choice) -> dict:
        path.write_bytes(data)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                parts, read = midi.read_parts(path), midi.read_midi(path, **choice)
                pieces = midi.read_pieces(path, **choice)
        except TvaeError as error:
            return {"error": str(error)}
        return {
            "parts": [vars(part) for part in parts],
            "read": plain(read),
            "pieces": [plain(piece) for piece in pieces],
        }

    return lambda data, **choice: (js(READ, b64encode(data).decode(), str(path), choice), python(data, **choice))


@pytest.mark.parametrize("what", CASES)
def test_files_as_people_have_them_are_read_as_in_python(both, what):
    data = CASES[what].data
    for choice in ({}, {"track": 1}, {"track": 2}, {"start": 1}, {"start": 2}, {"track": 1, "start": 3}):
        mine, pythons = both(data, **choice)
        assert mine == pythons or ("error" in mine and "error" in pythons and choice), choice


def test_the_words_in_names_are_those_of_python(js):
    assert js("() => [midi.MELODY, midi.OTHER]") == [list(words.MELODY), words.OTHER]
    names = [case.name for case in CASES.values() if case.name] + [
        "Bassoon",
        "Harmonica",
        "ooh",
        "HAUPTSTIMME",
        "Ὀδυσσεύς",
        "İ",
    ]
    assert js("(names) => names.map(midi.standing)", names) == [words.standing(name) for name in names]
    assert js("() => midi.INSTRUMENTS") == [pretty_midi.program_to_instrument_name(k) for k in range(128)]


STRIP = "(file, track) => new midi.File(Uint8Array.fromBase64(file), 'x').strip(track)"


def test_the_strip_of_a_part_has_what_is_read_from_its_bars(both, js):
    song = [
        (0, odd.meter(1, 2)),
        (480, odd.meter(4, 2)),
        (480 + 10 * 1920, odd.meter(3, 2)),
        (480 + 11 * 1920 - 480, odd.meter(4, 2)),
    ]
    data = odd.midi(
        odd.track(*song, *odd.notes((62, 0, 4), *later(TUNE, 4), *later(odd.SCALE, 132), *later(odd.SCALE, 260)))
    )
    strip = js(STRIP, b64encode(data).decode())
    assert strip["part"]["notes"] == 89 and len(strip["notes"]) == 89
    assert [bar["number"] for bar in strip["bars"]] == [*range(26)] and strip["notes"][0] == {
        "pitch": 62,
        "onset": 0,
        "end": 4,
    }
    usable = [k for k, bar in enumerate(strip["bars"]) if bar["usable"]]
    assert usable == [0, *range(1, 11), *range(12, 26)]  # bar 11 is the one in 3/4
    for k in (1, 3, 12, 16):
        mine, pythons = both(data, start=strip["bars"][k]["number"])
        assert mine == pythons
        found = melody.tokens_to_notes(np.array(mine["read"]["tokens"]))
        shown = [note for note in strip["notes"] if 16 * k <= note["onset"] < 16 * (k + 8)][: len(found)]
        assert [(n["pitch"], n["onset"] - 16 * k) for n in shown][1:] == [(n.pitch, n.onset) for n in found][1:]


def test_odd_files_are_read_as_in_python(both):
    files = odd.odd_files()
    found = {name: both(data) for name, data in files.items()}
    differ = {name: pair for name, pair in found.items() if pair[0] != pair[1]}
    assert not differ
    assert len(files) >= 600 and sum("read" in mine for mine, _ in found.values()) > 300


def test_no_odd_file_takes_two_seconds(js):
    for name, data in odd.odd_files().items():
        file, start = b64encode(data).decode(), time.process_time()
        js(READ, file, "x.mid")
        assert time.process_time() - start < 2, name


NAMES = [
    "",
    "melody",
    "Mélodie 1",
    "LEAD",
    "mislead",
    "Mélead",
    "lead_2",
    "Vocals",
    "主旋律",
    "멜로디",
    " \0",
    "Bass",
    "M🎵",
]


def played(rng: random.Random) -> bytes:
    """A file as programs write them: parts, names, chords, drums, tempos, meters, in any range and of any length."""
    tempo, resolution = rng.uniform(20, 400), rng.choice([24, 96, 220, 480, 960])
    song = pretty_midi.PrettyMIDI(resolution=resolution, initial_tempo=tempo, charset="utf-8")
    step = 15 / tempo
    for _ in range(rng.randint(1, 4)):
        part = pretty_midi.Instrument(rng.randrange(128), is_drum=rng.random() < 0.1, name=rng.choice(NAMES))
        at, low = 16 * rng.choice([0, 0, 0, 0.5, 3]), rng.randint(0, 100)
        for _ in range(rng.randint(0, 60)):
            long = rng.choice([1, 2, 4, 4, 8, 3.7])
            for pitch in range(low, low + 5 * rng.choice([1, 1, 1, 1, 3]), 5):
                end = at + long * rng.choice([1, 1, 1, 0.4, 1.3])
                part.notes.append(pretty_midi.Note(100, pitch, at * step, end * step))
            at, low = at + long + rng.choice([0, 0, 0, 2]), min(110, max(0, low + rng.randint(-5, 5)))
        if rng.random() < 0.3:
            part.pitch_bends.append(pretty_midi.PitchBend(rng.randint(-8192, 8191), at * step / 2))
            part.control_changes.append(pretty_midi.ControlChange(7, 100, at * step / 3))
        song.instruments.append(part)
    if rng.random() < 0.3:
        meter = rng.choice([(4, 4), (2, 2), (3, 4), (6, 8)])
        song.time_signature_changes.append(pretty_midi.TimeSignature(*meter, rng.choice([0, 64, 192]) * step))
    if rng.random() < 0.3:
        song.key_signature_changes.append(pretty_midi.KeySignature(rng.randrange(24), 0))
        song.lyrics.append(pretty_midi.Lyric("lā", 0.1))
    file = io.BytesIO()
    song.write(file)
    return file.getvalue()


def test_files_of_other_programs_are_read_as_in_python(both):
    rng = random.Random(0)
    melodies, notices = 0, ""
    for _ in range(200):
        mine, pythons = both(played(rng))
        assert mine == pythons
        melodies += "read" in mine
        notices += " ".join(mine.get("read", {}).get("notices", []))
    assert 100 < melodies < 200
    words = (
        "by its name",
        "most like a tune",
        "not a single line",
        "begins in",
        "goes on",
        "ends in",
        "moved by",
        "silenced",
    )
    assert all(some in notices for some in words)


def scribbled(rng: random.Random) -> bytes:
    """A file in which notes begin and end as they like, often together and more than once."""
    events, tick = [], 0
    for _ in range(rng.randint(1, 80)):
        tick += 30 * rng.choice([0, 0, 1, 2, 4, 8])
        pitch, channel = rng.randint(60, 63), rng.randint(0, 1)
        events.append((tick, rng.choice([odd.on, odd.on, odd.off])(pitch, channel)))
    return odd.midi(odd.track(*events))


def test_any_beginnings_and_ends_give_the_notes_of_python(both):
    rng = random.Random(0)
    for _ in range(200):
        mine, pythons = both(scribbled(rng))
        assert mine == pythons


@pytest.mark.parametrize(
    "events",
    [
        [(0, odd.tempo(768_000))],  # 78.125 quarter notes a minute: Python rounds to 78.12
        [(0, odd.tempo(960_000)), (0, odd.tempo(6_400_000))],  # 9.375
        [(0, odd.tempo(1_280_000))],  # 46.875
        [(0, odd.meta(0x51, b"\x09\x27\xc0\0\0"))],  # longer than it need be
        [(0, odd.meta(0x58, b"\4\2\x18\x08\0"))],
        [(0, odd.meta(0x58, b"\3\x21\x18\x08"))],  # 3/2**33
        [(0, odd.meta(0x00)), (0, odd.meta(0x21)), (0, odd.meta(0x20, b"\1"))],  # as some programs write them
        [(0, odd.meta(0x00, b"\1"))],
        [(0, odd.meta(0x03, "旋律".encode() * 200))],  # bytes over 127 in a row
        [(0, odd.meta(0x03, "M\u00e9lodie".encode("latin1") + b"\0 "))],
        [(0, odd.meta(0x03, b"\xed\xa0\x80"))],  # half a character
        [(0, odd.meta(0x03, b"melody" + b" " * 99_000 + b"!"))],
        [(0, odd.meta(0x01, b"x" * 150_000))],
        [(0, odd.meta(0xD1, b"\0\0\0")), (0, odd.meta(0xFF, b"\1"))],  # kinds of messages there are not
        [(0, odd.meta(0x54, b"\x60\x3b\x3b\xff\x63"))],
        [(0, odd.meta(0x54, b"\x60\x3c\x3b\xff\x63"))],
        [(0, odd.meta(0x54, b"\x60\x3b\x3b\xff\x64"))],
        [(0, b"\xf0\4\xf0\1\x7f\xf7"), (0, b"\xf7\2\1\2")],
        [(0, b"\xf0\2\xf7\xf7")],
        [(0, b"\xe0\x7f\x80")],
        [(0, b"\xe0\x80\x7f")],
    ],
    ids=lambda events: events[0][1][:8].hex(),
)  # fmt: skip
def test_what_stands_before_the_notes_is_taken_as_in_python(both, events):
    mine, pythons = both(odd.midi(odd.track(*events, *odd.notes(*odd.SCALE))))
    assert mine == pythons


def test_damaged_files_are_read_as_in_python(both):
    rng = np.random.default_rng(0)
    for size in (0, 5, 6, 7, 99):
        mine, pythons = both(b"MThd" + bytes([0, 0, 0, size, 0, 1, 0, 0, 1, 0xE0]) + bytes(20))
        assert mine == pythons
    for length in range(0, len(odd.GOOD), 3):
        mine, pythons = both(odd.GOOD[:length])
        assert mine == pythons and "error" in mine
    for _ in range(300):
        data = np.frombuffer(odd.GOOD, np.uint8).copy()
        data[rng.integers(len(data), size=rng.integers(1, 6))] ^= rng.integers(1, 256, dtype=np.uint8)
        mine, pythons = both(data.tobytes())
        assert mine == pythons
    files, chance = [case.data for case in CASES.values()], random.Random(1)
    for _ in range(300):
        mine, pythons = both(odd.mutated(chance.choice(files), chance))
        assert mine == pythons or ("error" in mine and "error" in pythons)


def test_a_message_that_nobody_knows_keeps_its_time(js):
    events = [
        (0, odd.on(60)),
        (480, odd.off(60)),
        (960, odd.meta(0x08, b"piano")),
        (960, odd.on(62)),
        (1440, odd.off(62)),
    ]
    found = js(READ, b64encode(odd.midi(odd.track(*events))).decode(), "x.mid")["read"]
    assert np.flatnonzero(np.array(found["tokens"]) >= FIRST_PITCH).tolist() == [0, 8]


def test_what_is_written_is_what_python_writes(js, both, pieces):
    rng = np.random.default_rng(0)
    names = ["melody", "", "Half way between Ode & Twinkle – 50 %", "Mélodie 멜로디", "x" * 300]
    for k, tokens in enumerate(pieces):
        tempo, program, name = (
            float(rng.choice([120, 4, 1000, 512, rng.uniform(4, 1000)])),
            int(rng.integers(128)),
            names[k % 5],
        )
        data = b64decode(js(WRITE, text(tokens), {"tempo": tempo, "name": name, "program": program}))
        expected = io.BytesIO()
        midi.to_pretty_midi(tokens, tempo, name, program).write(expected)
        assert data == expected.getvalue()
        mine, pythons = both(data)
        assert mine == pythons and mine["read"]["tokens"] == tokens.tolist() and mine["read"]["notices"] == []
        assert mine["read"]["tempo"] == round(60e6 / round(60e6 / tempo), 2)


def test_any_program_can_read_what_is_written(js, pieces):
    tokens = pieces[0]
    file = mido.MidiFile(file=io.BytesIO(b64decode(js(WRITE, text(tokens), {"tempo": 93.7, "name": "A tune"}))))
    timing, track = file.tracks
    assert (file.type, file.ticks_per_beat, track.name) == (1, 480, "A tune")
    assert [message.tempo for message in timing if message.type == "set_tempo"] == [round(60e6 / 93.7)]
    assert [(m.numerator, m.denominator, m.time) for m in timing if m.type == "time_signature"] == [(4, 4, 0)]
    ticks = np.cumsum([message.time for message in track])
    begun = [(m.note, t / 120) for t, m in zip(ticks, track) if m.type == "note_on" and m.velocity]
    assert begun == [(note.pitch, note.onset) for note in melody.tokens_to_notes(tokens)]
    assert sum(message.time for message in timing[:-1]) == 8 * 4 * 480
    defaults = io.BytesIO()
    midi.to_pretty_midi(tokens).write(defaults)
    assert b64decode(js(WRITE, text(tokens))) == defaults.getvalue()


@pytest.mark.parametrize(
    "how", [{"tempo": 3.9}, {"tempo": 1001}, {"tempo": -1}, {"program": 128}, {"program": -1}], ids=str
)
def test_what_cannot_be_written(js, how):
    with pytest.raises(TvaeError) as error:
        midi.to_pretty_midi(np.zeros(PIECE, int), **how)
    assert js(WRITE, text([SILENCE] * PIECE), how) == {"error": str(error.value)}


def test_what_are_no_tokens_cannot_be_written(js):
    tokens = np.array([3, 47, 0, 99])
    with pytest.raises(TvaeError) as error:
        midi.to_pretty_midi(tokens)
    assert js(WRITE, text(tokens)) == {"error": str(error.value)}
