"""What Python writes for a page: the element, its picture without scripts, its MIDI file."""

import json
import re
import wave
from base64 import b64decode
from html.parser import HTMLParser

import numpy as np
import pytest
from examples import HOSTILE, ODE, TWINKLE

from tvae import TvaeError, melody, midi
from tvae.report import listen

VOID = {"rect", "line", "path", "br"}  # here always written as <rect .../>


class Reader(HTMLParser):
    """Reads HTML, keeps what it finds, and fails where tags do not pair."""

    def __init__(self, html: str):
        super().__init__()
        self.open, self.tags, self.text = [], [], ""
        self.feed(html)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attributes):
        assert tag not in VOID
        self.open.append(tag)
        self.tags.append((tag, dict(attributes)))

    def handle_startendtag(self, tag, attributes):
        assert tag in VOID
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data

    def first(self, name: str) -> dict:
        return next(attributes for tag, attributes in self.tags if tag == name)

    def count(self, name: str) -> int:
        return sum(tag == name for tag, _ in self.tags)


def read(shown) -> Reader:
    return Reader(shown._repr_html_())


def midi_of(page: Reader) -> bytes:
    kind, data = page.first("a")["href"].split(",")
    assert kind == "data:audio/midi;base64"
    return b64decode(data)


def test_the_element_holds_the_notes_and_the_equal_bars():
    piece = json.loads(read(listen.player(TWINKLE, "Twinkle", 100, "host")).first("tvae-player")["data-piece"])
    assert piece["title"] == "Twinkle" and piece["tempo"] == 100 and piece["role"] == "host"
    assert piece["notes"][:3] == [[60, 0, 4], [60, 4, 8], [67, 8, 12]]
    assert piece["repeats"] == [-1, -1, -1, -1, -1, -1, 4, 5]
    assert piece["low"] < 60 and piece["high"] > 69


@pytest.mark.parametrize("tokens", [TWINKLE, ODE, np.zeros(128, np.uint8), np.full(128, 46, np.uint8)])
def test_the_embedded_midi_reads_back_as_the_same_tokens(tokens, tmp_path):
    page = read(listen.player(tokens, "A tune"))
    (tmp_path / "a.mid").write_bytes(midi_of(page))
    if not tokens.any():
        return  # a silent file has no melody to read: that it could be written is enough
    back = midi.read_midi(tmp_path / "a.mid")
    assert (back.tokens == tokens).all()
    assert back.tempo == pytest.approx(120, abs=0.01)
    assert page.first("a")["download"] == "a-tune.mid"


@pytest.mark.parametrize("title", HOSTILE)
def test_a_title_is_text_and_nothing_else(title):
    page = read(listen.player(TWINKLE, title))
    assert page.count("script") == page.count("img") == 0
    assert page.count("tvae-player") == page.count("svg") == 1
    assert title in page.text
    assert json.loads(page.first("tvae-player")["data-piece"])["title"] == title
    assert set(page.first("a")) == {"class", "download", "href", "aria-label"}
    assert not set('/\\"<>') & set(page.first("a")["download"])


def test_without_scripts_there_is_a_picture_with_a_text():
    page = read(listen.player(TWINKLE, "Twinkle"))
    assert page.first("svg")["role"] == "img"
    assert page.first("svg")["aria-label"] == (
        "Piano roll of Twinkle: 28 notes from C4 to A4; bar 7 = bar 5, bar 8 = bar 6"
    )
    assert sum(a.get("class") == "tvae-note" for _, a in page.tags) == 28
    assert page.count("noscript") == 1
    tints = {a["x"]: a["fill"] for tag, a in page.tags if tag == "rect" and a.get("fill-opacity")}
    assert set(tints) == {"50.0%", "62.5%", "75.0%", "87.5%"}
    assert tints["50.0%"] == tints["75.0%"] != tints["62.5%"] == tints["87.5%"]
    assert "8 = 6" in page.text


def test_plain_text_describes_the_melody():
    assert repr(listen.player(TWINKLE, "Twinkle", role="donor")).splitlines() == [
        "donor: Twinkle: 28 notes from C4 to A4; bar 7 = bar 5, bar 8 = bar 6",
        "C4 C4 G4 G4 | A4 A4 G4 | F4 F4 E4 E4 | D4 D4 C4 | G4 G4 F4 F4 | E4 E4 D4 | G4 G4 F4 F4 | E4 E4 D4",
    ]
    assert repr(listen.player(np.zeros(128, int))).startswith("8 bars of silence\n–")
    held = np.r_[np.zeros(16, int), 22, np.ones(111, int)]
    assert (
        repr(listen.player(held))
        == "1 note from C4 to C4; no bar repeats an earlier one\n– | C4 | – | – | – | – | – | –"
    )


def test_what_a_model_says_is_played_as_it_sounds():
    tokens = TWINKLE.copy()
    tokens[:4] = [1, 1, 0, 1]  # sustain with nothing to sustain
    assert melody.is_valid(listen.player(tokens).tokens)


def test_players_share_a_range_of_pitches_and_pair_titles_with_pieces():
    high = melody.transpose(ODE, 12)
    page = read(listen.players([ODE, high], ["Ode", "higher"], ["host", "result"]))
    pieces = [json.loads(a["data-piece"]) for tag, a in page.tags if tag == "tvae-player"]
    assert [piece["title"] for piece in pieces] == ["Ode", "higher"]
    assert [piece["role"] for piece in pieces] == ["host", "result"]
    assert pieces[0]["low"] == pieces[1]["low"] < 60 and pieces[0]["high"] == pieces[1]["high"] > 79
    assert read(listen.players([ODE])).count("tvae-player") == 1
    assert read(listen.players([])).count("tvae-player") == 0


@pytest.mark.parametrize(
    "wrong, says",
    [
        (lambda: listen.player(TWINKLE[:64]), "128 tokens"),
        (lambda: listen.player(np.stack([TWINKLE, ODE])), "one piece"),
        (lambda: listen.player(TWINKLE + 40), "0 to 46"),
        (lambda: listen.player(TWINKLE / 2), "whole numbers"),
        (lambda: listen.player(TWINKLE, tempo=0), "tempo"),
        (lambda: listen.player(TWINKLE, role="guest"), "host, donor, result"),
        (lambda: listen.players([TWINKLE, ODE], ["one"]), "2 pieces need as many titles"),
    ],
)
def test_wrong_input_is_one_helpful_sentence(wrong, says):
    with pytest.raises(TvaeError, match=re.escape(says)):
        wrong()


def test_the_same_piece_gives_the_same_html():
    assert listen.player(ODE, "Ode")._repr_html_() == listen.player(ODE.copy(), "Ode")._repr_html_()


def test_a_wav_file_sounds_where_the_notes_are(tmp_path):
    tokens = np.zeros(128, np.uint8)  # bar 1 is one long A4, bar 2 a rest, bar 3 sixteenths
    tokens[:16], tokens[32:48] = [31] + 15 * [1], 31
    listen.write_wav(tokens, tmp_path / "a.wav", tempo=120)
    with wave.open(str(tmp_path / "a.wav")) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 22050)
        sound = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768
    assert len(sound) == round(16.5 * 22050)
    assert 0.3 < np.abs(sound).max() < 0.99, "loud enough, and not clipped"
    loud = np.sqrt((sound[: 16 * 22050].reshape(8, -1) ** 2).mean(-1))  # of each bar
    assert loud[[0, 2]].min() > 0.03 and not loud[[1, 3, 4, 5, 6, 7]].any()
    spectrum = np.abs(np.fft.rfft(sound[:44100] * np.hanning(44100)))
    assert spectrum.argmax() / 2 == pytest.approx(440, abs=1)  # Hz
    listen.write_wav(np.full(128, 46, np.uint8), tmp_path / "fast.wav", tempo=1000)
    with pytest.raises(TvaeError, match="cannot be written"):
        listen.write_wav(tokens, tmp_path / "nowhere" / "a.wav")
    with pytest.raises(TvaeError, match="tempo"):
        listen.write_wav(tokens, tmp_path / "a.wav", tempo=0)


def bars_that_repeat(*first: int) -> np.ndarray:
    """A piece of one note a bar, in which bars of the same number are equal."""
    tokens = np.ones((8, 16), np.uint8)
    tokens[:, 0] = 20 + np.array(first)
    return tokens.reshape(-1)


def test_one_colour_means_the_same_bars_in_a_trio():
    host = bars_that_repeat(0, 1, 2, 1, 0, 5, 6, 7)  # bars 1 = 5 and 2 = 4
    result = bars_that_repeat(0, 1, 2, 1, 4, 5, 2, 5)  # bars 2 = 4, as in the host, 3 = 7 and 6 = 8
    assert listen.tints(host) == (1, 2, 0, 2, 1, 0, 0, 0)
    assert listen.tints(result) == (0, 1, 2, 1, 0, 3, 2, 3)
    assert listen.tints(result, host) == (0, 2, 3, 2, 0, 4, 3, 4)
    trio = listen.players([host, result, result], roles=["host", "donor", "result"]).players
    assert [player.tints for player in trio] == [listen.tints(host), *2 * [listen.tints(result, host)]]
    full = bars_that_repeat(0, 1, 2, 3, 0, 1, 2, 3)
    assert listen.tints(bars_that_repeat(0, 1, 2, 3, 4, 4, 2, 1), full) == (0, 2, 3, 0, 5, 5, 3, 2), "what is free"
