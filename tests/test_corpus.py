"""The corpora: how many pieces, that they are what the sources say, and what happens when a source is not there."""

import contextlib
import functools
import gc
import gzip
import hashlib
import http.server
import io
import json
import os
import tarfile
import threading
import time
from pathlib import Path

import mido
import numpy as np
import pytest
from examples import hooktheory_record
from hypothesis import given, settings
from hypothesis import strategies as st
from measure_midi import pop909_bars

from tvae import TvaeError, corpus, melody, midi
from tvae.corpora import hooktheory, pop909
from tvae.corpora.sources import Piece, members, windows
from tvae.melody import PIECE, SILENCE, SUSTAIN, Note

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent

DATA = Path(os.environ.get("TVAE_DATA") or ROOT / "../shared/data").resolve()
HOOKTHEORY, POP909 = DATA / "hooktheory", DATA / "pop909"
FOLK_DATA = ROOT / "tvae" / "data"
MINIMUM = {"folk": 2_500, "hooktheory": 9_500, "pop909": 4_800}

needs_hooktheory = pytest.mark.skipif(not HOOKTHEORY.is_dir(), reason=f"no corpus in {HOOKTHEORY}")
needs_pop909 = pytest.mark.skipif(not POP909.is_dir(), reason=f"no corpus in {POP909}")
MARKS = {"folk": (), "hooktheory": needs_hooktheory, "pop909": needs_pop909}
leaves_connections = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
every_corpus = pytest.mark.parametrize("name", [pytest.param(name, marks=MARKS[name]) for name in corpus.NAMES])


@functools.cache
def loaded(name: str) -> corpus.Corpus:
    """From the user's cache: prepared by the first test run on a machine, and only by that."""
    return corpus.load(name, DATA)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache, and no TVAE_DATA."""
    monkeypatch.setenv("TVAE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("TVAE_DATA", raising=False)
    return tmp_path / "cache"


def pieces_of(found) -> list[Piece]:
    return [piece for piece in found if isinstance(piece, Piece)]


@every_corpus
class TestEveryCorpus:
    def test_has_pieces_enough_and_all_are_valid(self, name):
        c = loaded(name)
        assert len(c) >= MINIMUM[name]
        assert c.tokens.shape == (len(c), PIECE) and c.tokens.dtype == np.uint8 and melody.is_valid(c.tokens)
        assert len(c.length) == len(c.song) == len(c.title) == len(c)
        assert c.length.dtype == np.uint8 and c.length.min() > PIECE - melody.STEPS and c.length.max() == PIECE
        assert (c.tokens != SILENCE).any(1).all() and all(c.title) and all(c.song)
        assert (melody.bars(c.tokens) == SILENCE).all(-1).sum(1).max() <= 1

    def test_padding_goes_on_with_the_last_note(self, name):
        c = loaded(name)
        padding = np.arange(PIECE) >= c.length[:, None]
        assert np.isin(c.tokens[padding], (SUSTAIN, SILENCE)).all()
        last = np.take_along_axis(c.tokens, c.length[:, None].astype(int) - 1, 1)
        assert ((c.tokens == SUSTAIN) == (last != SILENCE))[padding].all()

    def test_tokens_to_notes_and_back(self, name):
        for tokens in loaded(name).tokens:
            assert (melody.notes_to_tokens(melody.tokens_to_notes(tokens)) == tokens).all()

    def test_tokens_to_midi_and_back(self, name, tmp_path):
        c = loaded(name)
        for i in np.random.default_rng(0).choice(len(c), 60, replace=False):
            midi.write_midi(c.tokens[i], tmp_path / "x.mid", tempo=float(97 + i % 60))
            assert (midi.read_midi(tmp_path / "x.mid").tokens == c.tokens[i]).all(), c.title[i]

    def test_splits_are_by_song(self, name):
        c = loaded(name)
        for fold in range(5):
            train, test = c.split(fold)
            validation = c.validation(fold)
            assert sorted([*train, *test, *validation]) == list(range(len(c)))
            assert not set(c.song[train]) & set(c.song[test]) and not set(c.song[train]) & set(c.song[validation])
            assert 0.15 < len(test) / len(c) < 0.25
            assert not {x.tobytes() for x in c.tokens[train]} & {x.tobytes() for x in c.tokens[test]}

    def test_no_piece_comes_twice(self, name):
        assert len({tokens.tobytes() for tokens in loaded(name).tokens}) == len(loaded(name))

    def test_folds_depend_on_the_song_alone(self, name):
        c = loaded(name)
        some = np.random.default_rng(1).permutation(len(c))[: len(c) // 3]
        part = corpus.Corpus(name, c.tokens[some], c.length[some], c.song[some], c.title[some])
        assert (part.fold == c.fold[some]).all()
        assert c.fold[0] == int(hashlib.sha256(str(c.song[0]).encode()).hexdigest()[:8], 16) % 5

    def test_loads_in_under_a_second(self, name):
        loaded(name)
        start = time.perf_counter()
        c = corpus.load(name, DATA)
        c.split(0)
        assert time.perf_counter() - start < 1

    def test_sha256_is_of_the_content(self, name):
        c = loaded(name)
        assert corpus.load(name, DATA).sha256 == c.sha256
        other = c.tokens.copy()
        other[0, 0] = 40
        assert corpus.Corpus(name, other, c.length, c.song, c.title).sha256 != c.sha256


def test_unknown_name_and_fold():
    with pytest.raises(TvaeError, match=r"no corpus 'nottingham'.*folk, hooktheory, pop909"):
        corpus.load("nottingham")
    with pytest.raises(TvaeError, match="no fold 5"):
        loaded("folk").split(5)


# Windows and duplicates


@given(
    st.lists(st.tuples(st.integers(40, 84), st.integers(0, 250), st.integers(1, 40)), min_size=1, max_size=60),
    st.integers(0, 120),
)
@settings(max_examples=200, deadline=None)
def test_a_window_is_a_cut_of_the_song(spans, start):
    notes = [Note(pitch, onset, onset + length) for pitch, onset, length in spans]
    song = melody.notes_to_tokens(notes, 320)
    expected = song[start : start + PIECE].copy()
    if expected[0] == SUSTAIN:  # held over the start: struck again
        expected[0] = song[:start][song[:start] != SUSTAIN][-1]
    (found,) = windows(notes, [start])
    empty = (melody.bars(expected) == SILENCE).all(-1).sum()
    assert found == "more than one empty bar" if empty > 1 else (found == expected).all()


def test_a_window_is_moved_by_octaves_when_that_helps():
    bars = range(0, PIECE, 16)
    low, wide = [Note(28, step, step + 16) for step in bars], [Note(20 + step, step, step + 16) for step in bars]
    (tokens,) = windows(low, [0])
    assert {note.pitch for note in melody.tokens_to_notes(tokens)} == {40}
    assert list(windows(wide, [0])) == ["outside the 45 pitches in every octave"]


def test_of_equal_pieces_the_first_by_id_stays():
    one, two = np.full(PIECE, 20, np.uint8), np.full(PIECE, 21, np.uint8)
    pieces = [
        Piece(("b",), one, 128, "song b", "B"),
        "too short",
        Piece(("c",), two, 120, "song c", "C"),
        Piece(("a",), one, 128, "song a", "A"),
    ]
    c = corpus.assemble("some", pieces)
    assert list(c.song) == ["song a", "song c"] and list(c.length) == [128, 120]
    assert c.left_out == {"too short": 1, "the same as another piece": 1}


# Hooktheory


@needs_hooktheory
def test_the_record_and_its_midi_give_the_same_tokens():
    records = json.loads((HOOKTHEORY / "Hooktheory_one_record.json").read_text())
    ((segment, record),) = records.items()
    with tarfile.open(HOOKTHEORY / "Hooktheory_Train_MIDI.tar.gz") as tar:
        name = next(name for name in tar.getnames() if Path(name).stem == segment)
        content = tar.extractfile(name).read()
    tag = json.loads((HOOKTHEORY / "Hooktheory_Train_Segments.json").read_text())[segment]["audio_tag"]
    (from_record,), (from_midi,) = hooktheory.from_record(segment, record), hooktheory.from_midi(segment, tag, content)
    assert from_record.id == from_midi.id and from_record.song == from_midi.song == "YOUTUBE_X1Fqn9du7xo"
    assert (from_record.tokens == from_midi.tokens).all()
    assert from_record.title == "Adam Lambert: Whataya Want From Me, bars 1-8"
    assert [note.pitch for note in melody.tokens_to_notes(from_record.tokens)][:4] == [71, 69, 64, 66]


@needs_hooktheory
def test_what_is_cached_is_what_is_prepared_now():
    tags = json.loads((HOOKTHEORY / "Hooktheory_Valid_Segments.json").read_text())
    c, found = loaded("hooktheory"), []
    for path, content in members(HOOKTHEORY / "Hooktheory_Valid_MIDI.tar.gz", ".mid"):
        found += hooktheory.from_midi(Path(path).stem, tags[Path(path).stem]["audio_tag"], content)
        if len(found) > 400:
            break
    at = {title: i for i, title in enumerate(c.title)}
    kept = [(at[piece.title], piece) for piece in pieces_of(found) if piece.title in at]
    assert len(kept) > 150
    for i, piece in kept:
        assert (c.tokens[i] == piece.tokens).all() and c.song[i] == piece.song


# POP909


def pop909_midi() -> bytes:
    """A quarter on each beat: 36 of them, the tempo halved after 16."""
    file = mido.MidiFile(ticks_per_beat=480)
    tempo = mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=500_000, time=0)])
    tempo.append(mido.MetaMessage("set_tempo", tempo=1_000_000, time=16 * 480))
    notes = mido.MidiTrack([mido.MetaMessage("track_name", name="MELODY", time=0)])
    for beat in range(36):
        notes.append(mido.Message("note_on", note=60 + beat % 12, velocity=80, time=0))
        notes.append(mido.Message("note_off", note=60 + beat % 12, velocity=0, time=480))
    file.tracks += [tempo, notes]
    out = io.BytesIO()
    file.save(file=out)
    return out.getvalue()


BEATS = [0.5 * b for b in range(16)] + [8.0 + b for b in range(20)]


@pytest.fixture
def clone(tmp_path):
    """What git clone gives, of two songs: the second has a bar of three beats in it."""
    for song, downbeats in (("001", range(0, 36, 4)), ("002", (0, 4, 8, 11, *range(15, 36, 4)))):
        folder = tmp_path / "data" / "POP909-Dataset" / "POP909" / song
        folder.mkdir(parents=True)
        (folder / f"{song}.mid").write_bytes(pop909_midi())
        lines = [f"{time} 0.0 {float(beat in downbeats)}" for beat, time in enumerate(BEATS)]
        (folder / "beat_midi.txt").write_text("\n".join(lines))
    return tmp_path / "data"


def test_pop909_from_a_clone(cache, clone):
    c = corpus.load("pop909", clone)
    assert list(c.title) == ["POP909 001, bars 1-8"] and list(c.song) == ["POP909_001"]
    assert [(n.pitch, n.onset, n.end) for n in melody.tokens_to_notes(c.tokens[0])] == [
        (60 + beat % 12, 4 * beat, 4 * beat + 4) for beat in range(32)
    ]


def test_what_is_read_right_is_measured_on_a_clone_too(clone):
    assert pop909_bars(clone)["songs"] == 2


def test_pop909_from_a_clone_that_lacks_a_file(cache, clone):
    (clone / "POP909-Dataset/POP909/002/beat_midi.txt").unlink()
    with pytest.raises(TvaeError, match=r"002.beat_midi.txt is missing: clone https://github.com/music-x-lab/POP909"):
        corpus.load("pop909", clone)


@needs_pop909
def test_pop909_archive_and_cache_agree():
    archive, c = POP909 / next(iter(pop909.ARCHIVE)), loaded("pop909")
    files = {}
    for path, data in members(archive):
        files[Path(path).parts[-2:]] = data
        songs = [song for song, name in files if name.endswith(".mid") and (song, "beat_midi.txt") in files]
        if len(songs) == 8:
            break
    for song in songs:
        found = pieces_of(pop909.from_song(song, files[song, f"{song}.mid"], files[song, "beat_midi.txt"]))
        all_of_it = {piece.tokens.tobytes() for piece in found}
        assert {x.tobytes() for x in c.tokens[c.song == f"POP909_{song}"]} <= all_of_it


# Sources that are missing, damaged or far away


@contextlib.contextmanager
def serving(folder: Path):
    """A folder as a web site."""
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=folder)
    handler.func.log_message = lambda *args: None
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture
def site(tmp_path, monkeypatch, cache):
    """A small Hooktheory.json.gz on a web site of its own, whose first mirror does not have it -> (address, file)."""
    folder = tmp_path / "site"
    (folder / "mirror").mkdir(parents=True)
    file = folder / "mirror" / "Hooktheory.json.gz"
    file.write_bytes(gzip.compress(json.dumps({"x": hooktheory_record()}).encode(), mtime=0))
    monkeypatch.setattr(hooktheory, "JSON", {file.name: hashlib.sha256(file.read_bytes()).hexdigest()})
    with serving(folder) as address:
        monkeypatch.setattr(hooktheory, "URLS", (address, address + "mirror/"))
        yield address, file
    gc.collect()  # of connections that requests leaves open when an answer is an error


@leaves_connections
def test_download_then_offline(site, cache, monkeypatch):
    first = corpus.load("hooktheory")
    assert len(first) == 1 and first.song[0] == "YOUTUBE_abc"
    monkeypatch.setattr(hooktheory, "URLS", ("http://127.0.0.1:9/",))
    assert corpus.load("hooktheory").sha256 == first.sha256


@leaves_connections
def test_download_of_something_else_is_never_accepted(site, cache):
    address, file = site
    right = file.read_bytes()
    file.write_bytes(right[:-5])
    with pytest.raises(TvaeError, match=f"{address}Hooktheory.json.gz.*sha256.*{cache}"):
        corpus.load("hooktheory")
    assert not list((cache / "downloads").iterdir())
    file.write_bytes(right)
    assert len(corpus.load("hooktheory")) == 1


def test_no_network(cache, monkeypatch):
    monkeypatch.setattr("requests.get", lambda *args, **kwargs: (_ for _ in ()).throw(ConnectionError("no route")))
    with pytest.raises(TvaeError) as error:
        corpus.load("hooktheory")
    for words in (hooktheory.URLS[0] + "Hooktheory.json.gz", "ConnectionError", str(cache), "TVAE_DATA"):
        assert words in str(error.value)


def test_local_files_with_another_sha256(cache, tmp_path):
    for folder in (tmp_path / "data", tmp_path / "other" / "hooktheory"):
        folder.mkdir(parents=True)
        (folder / "Hooktheory.json.gz").write_bytes(b"half a file")
        data_dir = folder.parent if folder.name == "hooktheory" else folder
        with pytest.raises(
            TvaeError, match="Hooktheory.json.gz is not the expected file.*fetch it again from https://"
        ):
            corpus.load("hooktheory", data_dir)
    (tmp_path / "data" / next(iter(pop909.ARCHIVE))).write_bytes(b"half a file")
    with pytest.raises(TvaeError, match="pop909_midi_beats.tar.gz is not the expected file.*https://"):
        corpus.load("pop909", tmp_path / "data")


@pytest.mark.parametrize("data_dir", ["", "not/there"])
def test_local_files_that_are_missing(cache, tmp_path, data_dir):
    with pytest.raises(TvaeError) as error:
        corpus.load("hooktheory", tmp_path / data_dir)
    for words in (hooktheory.URLS[0], *hooktheory.MIDI, str(tmp_path / data_dir / "hooktheory")):
        assert words in str(error.value)
    with pytest.raises(TvaeError, match="git clone https://github.com/music-x-lab/POP909-Dataset"):
        corpus.load("pop909", tmp_path / data_dir)


def test_pop909_without_a_folder(cache):
    with pytest.raises(TvaeError, match="git clone .* give that folder as data_dir or TVAE_DATA"):
        corpus.load("pop909")


def test_tvae_data_is_where_to_look(cache, clone, monkeypatch):
    monkeypatch.setenv("TVAE_DATA", str(clone))
    assert len(corpus.load("pop909")) == 1


@pytest.mark.parametrize("damage", [lambda b: b"", lambda b: b[: len(b) // 2], lambda b: b"PK" + b[::-1], "other"])
def test_a_damaged_cache_is_made_again(cache, clone, damage):
    first = corpus.load("pop909", clone)
    (prepared,) = cache.glob("pop909-*.npz")
    if damage == "other":  # whole, but not what was prepared
        with np.load(prepared) as stored:
            content = dict(stored)
        content["tokens"] = content["tokens"][:, ::-1]
        np.savez(prepared, **content)
    else:
        prepared.write_bytes(damage(prepared.read_bytes()))
    again = corpus.load("pop909", clone)
    assert again.sha256 == first.sha256 and again.left_out == first.left_out
    assert corpus.read(prepared, "pop909").sha256 == first.sha256
    assert [path.name for path in cache.iterdir()] == [prepared.name]  # nothing half-written stays


def test_no_pickles_are_read(tmp_path):
    keys = ("tokens", "length", "song", "title", "left_out", "sha256")
    np.savez(tmp_path / "x.npz", **{key: np.array([{}], object) for key in keys})
    with pytest.raises(ValueError, match="allow_pickle=False"):
        corpus.read(tmp_path / "x.npz", "x")
