"""The playground's melodies and measures in JavaScript against Python's, in the engine that a browser has (V8)."""

import io
import json
import random
import time
import warnings
from base64 import b64decode, b64encode
from html.parser import HTMLParser
from pathlib import Path

import mido
import numpy as np
import odd_midi as odd
import pretty_midi
import pytest

from tvae import TvaeError, corpus, melody, midi
from tvae.melody import BARS, FIRST_PITCH, PIECE, SILENCE, STATES, SUSTAIN
from tvae.report import listen, playground
from tvae.studies import transfers

mini_racer = pytest.importorskip("py_mini_racer")
ASSETS = Path(__file__).parent.parent / "book" / "assets" / "playground"
GLUE = """
    // Tokens go in and out as text of a character each, files in base64; of an error there is its sentence.
    const { melody, transfers: transfer } = tvae;
    const piece = (text) => Uint8Array.from(text, (letter) => letter.codePointAt(0));
    const answer = (make) => {
        try {
            return make();
        } catch (error) {
            if (!(error instanceof melody.TvaeError)) throw error;
            return { error: error.message };
        }
    };
    const read = (file, path) => answer(() => {
        const { tokens, ...about } = melody.read_midi(Uint8Array.fromBase64(file), path);
        return { ...about, tokens: [...tokens] };
    });
    const write = (text, how) => answer(() => melody.write_midi(piece(text), how).toBase64());
    const from_text = (text) => answer(() => [...melody.from_text(text)]);
    const written = (_, x) => (x instanceof Uint8Array ? [...x] : x === Infinity ? "infinite" : x);
    const show = (value) => JSON.stringify(value, written);
"""


@pytest.fixture(scope="module")
def js():
    """js(code, a, b, ...): what the function `code` makes of these arguments, all of it by way of JSON."""
    context = mini_racer.MiniRacer()
    for name in ("midi-file/load", "midi-file/midi-parser", "midi-file/midi-writer", "melody", "transfers"):
        context.eval((ASSETS / f"{name}.js").read_text(encoding="utf-8"))
    context.eval(GLUE)
    yield lambda code, *arguments: json.loads(context.eval(f"show(({code})(...{json.dumps(arguments)}))"))
    context.close()


@pytest.fixture(scope="module")
def pieces():
    """(300, 128) tokens, valid: tunes of the corpus, what chance makes, and the ends of what there can be."""
    rng = np.random.default_rng(0)
    folk = corpus.load("folk").tokens
    chance = rng.choice([SILENCE, *[SUSTAIN] * 4, *range(FIRST_PITCH, STATES)], (96, PIECE))
    chance[::2, 16:] = chance[::2, np.tile(np.arange(16), 7)]  # of one bar, eight times
    alone = np.zeros((4, PIECE), int)
    alone[1, 5], alone[2, -1], alone[3] = FIRST_PITCH, STATES - 1, [STATES - 1, *[SUSTAIN] * (PIECE - 1)]
    return melody.canonical(
        np.concatenate([folk[rng.choice(len(folk), 200, replace=False)], chance, alone]).astype(np.uint8)
    )


def text(tokens: np.ndarray) -> str:
    return "".join(map(chr, tokens))


def plain(value):
    """Arrays as JSON has them, NaN as null."""
    return json.loads(json.dumps(np.asarray(value).tolist()), parse_constant=lambda _: None)


def notes(found: list[melody.Note]) -> list[dict]:
    return [{"pitch": note.pitch, "onset": note.onset, "end": note.end} for note in found]


# --- MIDI files


@pytest.fixture
def both(js, tmp_path, monkeypatch):
    """bytes -> what JavaScript reads, what Python reads: all of a Melody, or the sentence."""
    monkeypatch.chdir(tmp_path)
    path = Path("a melody.mid")

    def python(data: bytes) -> dict:
        path.write_bytes(data)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found = midi.read_midi(path)
        except TvaeError as error:
            return {"error": str(error)}
        return {**vars(found), "tokens": found.tokens.tolist(), "notices": list(found.notices)}

    return lambda data: (js("read", b64encode(data).decode(), str(path)), python(data))


def test_odd_files_are_read_as_in_python(both):
    files = odd.odd_files()
    found = {name: both(data) for name, data in files.items()}
    differ = {name: pair for name, pair in found.items() if pair[0] != pair[1]}
    assert not differ
    assert len(files) >= 600 and sum("tokens" in mine for mine, _ in found.values()) > 150


def test_no_odd_file_takes_two_seconds(js):
    for name, data in odd.odd_files().items():
        file, start = b64encode(data).decode(), time.process_time()
        js("read", file, "x.mid")
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
        melodies += "tokens" in mine
        notices += " ".join(mine.get("notices", []))
    assert 100 < melodies < 200
    words = (
        "by its name",
        "the highest single line",
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


def test_a_message_that_nobody_knows_keeps_its_time(js):
    events = [
        (0, odd.on(60)),
        (480, odd.off(60)),
        (960, odd.meta(0x08, b"piano")),
        (960, odd.on(62)),
        (1440, odd.off(62)),
    ]
    found = js("read", b64encode(odd.midi(odd.track(*events))).decode(), "x.mid")
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
        data = b64decode(js("write", text(tokens), {"tempo": tempo, "name": name, "program": program}))
        expected = io.BytesIO()
        midi.to_pretty_midi(tokens, tempo, name, program).write(expected)
        assert data == expected.getvalue()
        mine, pythons = both(data)
        assert mine == pythons and mine["tokens"] == tokens.tolist() and mine["notices"] == []
        assert mine["tempo"] == round(60e6 / round(60e6 / tempo), 2)


def test_any_program_can_read_what_is_written(js, pieces):
    tokens = pieces[0]
    file = mido.MidiFile(file=io.BytesIO(b64decode(js("write", text(tokens), {"tempo": 93.7, "name": "A tune"}))))
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
    assert b64decode(js("write", text(tokens))) == defaults.getvalue()


@pytest.mark.parametrize(
    "how", [{"tempo": 3.9}, {"tempo": 1001}, {"tempo": -1}, {"program": 128}, {"program": -1}], ids=str
)
def test_what_cannot_be_written(js, how):
    with pytest.raises(TvaeError) as error:
        midi.to_pretty_midi(np.zeros(PIECE, int), **how)
    assert js("write", text([SILENCE] * PIECE), how) == {"error": str(error.value)}


def test_what_are_no_tokens_cannot_be_written(js):
    tokens = np.array([3, 47, 0, 99])
    with pytest.raises(TvaeError) as error:
        midi.to_pretty_midi(tokens)
    assert js("write", text(tokens)) == {"error": str(error.value)}


# --- tokens


def test_tokens_are_what_they_are_in_python(js, pieces):
    rng = np.random.default_rng(0)
    odd_ones = np.where(rng.random((200, PIECE)) < 0.5, SUSTAIN, rng.integers(0, STATES, (200, PIECE)))
    wrong = np.where(rng.random((20, PIECE)) < 0.02, 60, 0)  # no states
    every = [tokens.astype(np.uint8) for tokens in (*pieces, *odd_ones, *wrong)]
    found = js(
        """(texts, shifts) => texts.map((text, k) => {
            const tokens = piece(text), notes = melody.tokens_to_notes(tokens);
            return {
                canonical: melody.canonical(tokens), valid: melody.is_valid(tokens),
                notes, again: melody.notes_to_tokens(notes),
                moved: tokens.some((token) => token > 46) ? null : melody.transpose(tokens, shifts[k]),
                equal: melody.equal_bars(tokens), earlier: melody.earlier_equal(tokens), bars: melody.bars(tokens),
            };
        })""",
        [text(tokens) for tokens in every],
        shifts := [int(shift) for shift in rng.integers(-50, 50, len(every))],
    )
    assert {one["valid"] for one in found} == {True, False}
    for tokens, shift, one in zip(every, shifts, found):
        heard = melody.tokens_to_notes(tokens)
        assert one == {
            "canonical": melody.canonical(tokens).tolist(),
            "valid": melody.is_valid(tokens),
            "notes": notes(heard),
            "again": melody.notes_to_tokens(heard).tolist(),
            "moved": None if tokens.max() >= STATES else melody.transpose(tokens, shift).tolist(),
            "equal": melody.equal_bars(tokens).tolist(),
            "earlier": melody.earlier_equal(tokens).tolist(),
            "bars": melody.bars(tokens).tolist(),
        }


def test_notes_are_what_they_are_in_python(js):
    """Chords, overlaps, notes out of range and out of the piece, in any order."""
    rng = np.random.default_rng(0)
    for _ in range(200):
        spans = [
            (int(rng.integers(20, 110)), *map(float, rng.integers(-20, 600, 2) / 4)) for _ in range(rng.integers(0, 30))
        ]
        made = [melody.quantise(*span) for span in spans]
        found = js(
            """(spans) => {
                const notes = spans.map((span) => melody.quantise(...span));
                const [tokens, few] = [melody.notes_to_tokens(notes), melody.notes_to_tokens(notes, 20)];
                return { notes, line: melody.one_voice(notes), tokens, few };
            }""",
            spans,
        )
        assert found == {
            "notes": notes(made),
            "line": notes(melody.one_voice(made)),
            "tokens": melody.notes_to_tokens(made).tolist(),
            "few": melody.notes_to_tokens(made, 20).tolist(),
        }


def test_a_piece_stands_in_a_link_and_comes_back(js, pieces):
    written = js("(texts) => texts.map((text) => melody.to_text(piece(text)))", [text(tokens) for tokens in pieces])
    assert written == [playground.to_text(tokens) for tokens in pieces]
    assert js("(texts) => texts.map(from_text)", written) == pieces.tolist()
    assert js("(texts) => texts.map((text) => encodeURIComponent(text))", written) == written


@pytest.mark.parametrize(
    "letters",
    ["", "." * 127, "." * 129, "t" + "." * 127, "." * 127 + "\0", "é" + "." * 127, "🎵" + "." * 126, "🎵" + "." * 127],
)
def test_other_letters_are_refused_with_a_sentence(js, letters):
    error = js("from_text", letters)["error"]
    assert "128 letters" in error and error.endswith(".") and len(error) < 300


# --- what a player shows


class Pieces(HTMLParser):
    """What Python hands to the players of a page."""

    def __init__(self, html: str):
        super().__init__()
        self.found = []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        if tag == "tvae-player":
            self.found.append(json.loads(dict(attributes)["data-piece"]))


def test_a_player_shows_what_it_does_from_python(js, pieces):
    for k, tokens in enumerate(pieces):
        shown = listen.player(tokens, f"Tune {k}", 100 + k / 4, ["", "host", "donor", "result"][k % 4])
        about = {"title": shown.title, "role": shown.role, "tempo": shown.tempo}
        found = js("(text, about) => melody.piece(piece(text), about)", text(tokens), about)
        assert [found] == Pieces(shown._repr_html_()).found
        assert js("(text) => melody.describe(piece(text))", text(tokens)) == shown.text
    given = js("(text) => melody.piece(piece(text), { low: 30, high: 90 })", text(pieces[0]))
    assert [given] == Pieces(listen.player(pieces[0], pitches=(30, 90))._repr_html_()).found


def test_pitches_have_the_names_of_the_other_pages(js):
    assert js("(pitches) => pitches.map(melody.pitch_name)", [*range(128)]) == [
        listen.pitch_name(p) for p in range(128)
    ]


# --- the measures of a transfer


@pytest.fixture(scope="module")
def examples(pieces):
    """300 times host, its reconstruction, donor, result (128,) and the bars swapped: a result has something of each."""
    rng = np.random.default_rng(1)
    found = []
    for k in range(300):
        host, donor, other = pieces[rng.choice(len(pieces), 3)]
        bars = tuple(sorted(int(bar) for bar in rng.choice(BARS, rng.integers(0, 4) if k else 8, replace=False) + 1))
        again, result = (np.where(rng.random(PIECE) < share, host, other) for share in (0.95, 0.9))
        for bar in bars:
            for same in np.flatnonzero(melody.equal_bars(host)[bar - 1])[: rng.integers(1, 9)]:  # repeats come along
                melody.bars(result)[same] = melody.bars(donor)[bar - 1]
        if k % 10 == 1:
            result = host
        if k % 10 == 2:
            donor = host
        found.append((host, melody.canonical(again), donor, melody.canonical(result), bars))
    return found


def test_the_measures_are_those_of_python(js, examples):
    rng = np.random.default_rng(2)
    for host, _, _, result, bars in examples:
        chosen, pattern, bars = rng.random(BARS) < 0.4, rng.random(16) < 0.3, bars or (3,)
        found = js(
            """(host, result, bars, chosen, pattern) => {
                const [x, y] = [piece(host), piece(result)];
                return [
                    transfer.onsets(x), transfer.mean_pitch(x, chosen),
                    transfer.self_similarity(x), transfer.self_similarity(x, false),
                    transfer.pairs_with(bars), transfer.structure(x, y, transfer.pairs_with(bars)),
                    transfer.rhythm(x, pattern, chosen), transfer.later_bars(x, bars),
                ];
            }""",
            text(host), text(result), bars, chosen.tolist(), pattern.tolist(),
        )  # fmt: skip
        expected = (
            transfers.onsets(host), transfers.mean_pitch(host, chosen), transfers.self_similarity(host),
            transfers.self_similarity(host, False), transfers.pairs_with(bars),
            transfers.structure(host, result, transfers.pairs_with(bars)), transfers.rhythm(host, pattern, chosen),
            transfers.later_bars(host, bars),
        )  # fmt: skip
        assert found == [plain(value) for value in expected]
    assert js("() => [[3, 4], [3, 0], [0, 0]].map((parts) => transfer.share(...parts))") == [0.75, None, None]  # NaN


def measured(host, again, donor, result, bars) -> dict:
    """What the page has to show, of the functions of `tvae.studies.transfers`."""

    def equal(pairs):
        both, claimed, true = transfers.structure(host, result, pairs)
        return {"host": int(true), "result": int(claimed), "both": int(both)}

    found = {"structure": equal(transfers.pairs_with(tuple(range(1, 9)))), "kept": equal(transfers.pairs_with(bars))}
    if not bars:
        return found | {"rhythm": None, "register": None}
    _, chosen = transfers.later_bars(host, bars)
    only = np.arange(BARS) == bars[0] - 1

    def agreement(tokens, whose):
        return float(transfers.share(*transfers.rhythm(tokens, transfers.onsets(whose)[bars[0] - 1], chosen)))

    rhythm = {"donor": agreement(result, donor), "host": agreement(result, host), "before": agreement(again, donor)}
    pitch = {
        "result": float(transfers.mean_pitch(result, chosen)),
        "before": float(transfers.mean_pitch(again, chosen)),
        "donor": float(transfers.mean_pitch(donor, only)),
        "host": float(transfers.mean_pitch(host, only)),
    }
    way = transfers.share(pitch["result"] - pitch["before"], pitch["donor"] - pitch["host"])
    return found | {
        "rhythm": None if any(map(np.isnan, rhythm.values())) else rhythm,
        "register": None if any(map(np.isnan, pitch.values())) else pitch | {"share": plain(way)},
    }


def test_what_stands_beside_a_result(js, examples):
    seen = {"rhythm": set(), "register": set(), "kept": set(), "share": set()}
    for *parts, bars in examples:
        code = "(bars, ...texts) => transfer.one_transfer(...texts.map(piece), bars)"
        found = js(code, bars, *map(text, parts))
        assert found == measured(*parts, bars)
        for name in ("rhythm", "register"):
            seen[name].add(found[name] is None)
        seen["kept"].add(found["kept"]["both"] > 0)
        seen["share"].add(found["register"] and found["register"]["share"] is None)
    assert all({True, False} <= cases for cases in seen.values())  # each case was among them


def test_a_transfer_one_can_follow(js):
    """Bar 1 of the donor is an octave higher and has other onsets; the result takes over all of it."""

    def bar(pitch, *steps):
        return [pitch - 38 if step in steps else SUSTAIN for step in range(16)]

    one, two, new = bar(60, 0, 4, 8, 12), bar(62, 0, 8), bar(72, 0, 6, 12)
    host = np.concatenate([one, two, one, two, one, two, one, two])
    result = np.concatenate([new, bar(74, 0, 6, 12), new, two, new, two, one, two])
    found = js(
        "(bars, ...texts) => transfer.one_transfer(...texts.map(piece), bars)",
        [1],
        *map(text, (host, host, np.tile(new, 8), result)),
    )
    assert found["structure"] == {"host": 12, "result": 6, "both": 6}
    assert found["kept"] == {"host": 3, "result": 2, "both": 2}
    assert found["rhythm"]["donor"] == pytest.approx((6 + 3 * 2) / (6 + 3 * 5))  # bars 2, 4, 6, 8 are new
    assert found["register"]["before"] == 62 and (found["register"]["host"], found["register"]["donor"]) == (60, 72)
    assert found["register"]["share"] == pytest.approx((3 * 12 / 9) / 12)
