"""The playground's melodies and measures in JavaScript against Python's, in the engine that a browser has (V8)."""

import json
from html.parser import HTMLParser

import numpy as np
import pytest

from tvae import melody
from tvae.melody import BARS, PIECE, STATES, SUSTAIN
from tvae.report import listen, playground
from tvae.studies import transfers

pytestmark = pytest.mark.slow

FROM_TEXT = "(text) => answer(() => [...melody.from_text(text)])"


def text(tokens: np.ndarray) -> str:
    return "".join(map(chr, tokens))


def plain(value):
    """Arrays as JSON has them, NaN as null."""
    return json.loads(json.dumps(np.asarray(value).tolist()), parse_constant=lambda _: None)


def notes(found: list[melody.Note]) -> list[dict]:
    return [{"pitch": note.pitch, "onset": note.onset, "end": note.end} for note in found]


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
    assert js(f"(texts) => texts.map({FROM_TEXT})", written) == pieces.tolist()
    assert js("(texts) => texts.map((text) => encodeURIComponent(text))", written) == written


@pytest.mark.parametrize(
    "letters",
    ["", "." * 127, "." * 129, "t" + "." * 127, "." * 127 + "\0", "é" + "." * 127, "🎵" + "." * 126, "🎵" + "." * 127],
)
def test_other_letters_are_refused_with_a_sentence(js, letters):
    error = js(FROM_TEXT, letters)["error"]
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
            piece = json.loads(dict(attributes)["data-piece"])
            piece.pop("tints")  # which tune's bars they follow the page decides
            self.found.append(piece)


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
    chosen = transfers.later_bars(host, bars)
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
