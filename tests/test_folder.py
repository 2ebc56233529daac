"""A folder of MIDI files as a corpus."""

import odd_midi as odd
import pytest
from midi_cases import TUNE, later

from tvae import TvaeError, corpus, melody
from tvae.corpora import canonical, folder, slug
from tvae.midi import write_midi


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("TVAE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def songs(tmp_path):
    """A folder of 24 songs of 16 bars each, in folders of their own, beside what is no song."""
    root, folk = tmp_path / "My songs", corpus.load("folk").tokens
    for k in range(24):
        place = root / f"album {k % 3}"
        place.mkdir(parents=True, exist_ok=True)
        both = [melody.tokens_to_notes(folk[k * 9]), melody.tokens_to_notes(folk[k * 9 + 4])]
        spans = [(n.pitch, n.onset + 128 * half, n.end + 128 * half) for half, notes in enumerate(both) for n in notes]
        (place / f"Song_{k}.{['mid', 'MIDI', 'kar'][k % 3]}").write_bytes(odd.midi(odd.track(*odd.notes(*spans))))
    (root / "notes.txt").write_text("no music")
    return root


def load(root):
    return corpus.load(f"folder:{root}")


def test_each_file_is_cut_into_pieces_and_a_song_of_its_own(songs, capsys):
    found = load(songs)
    folk = corpus.load("folk").tokens
    assert 40 <= len(found) <= 48 and found.tokens.shape == (len(found), 128) and melody.is_valid(found.tokens)
    assert {row.tobytes() for row in found.tokens} <= {
        row.tobytes() for k in range(24) for row in folk[[k * 9, k * 9 + 4]]
    }
    assert found.title[0] == "Song 0, bars 1-8" and found.song[0].startswith("album 0/Song_0.mid")
    assert "24 of 24 files gave pieces" in capsys.readouterr().err
    for fold in range(5):
        train, test = found.split(fold)
        assert len(train) and len(test) and len(found.validation(fold))
        assert not set(found.song[train]) & set(found.song[test])


def test_it_is_kept_by_content(songs, capsys, monkeypatch):
    first = load(songs)
    capsys.readouterr()
    with monkeypatch.context() as patch:
        patch.setattr(folder, "outcome", None)
        again = load(songs)
    assert again.sha256 == first.sha256 and capsys.readouterr().err == "" and again.left_out == first.left_out
    monkeypatch.setattr(folder, "outcome", None)
    for module in (corpus, folder):  # each has a version of its part of the preparation
        with monkeypatch.context() as patch, pytest.raises(TypeError):  # it is read again
            patch.setattr(module, "VERSION", 0)
            load(songs)
    write_midi(melody.transpose(first.tokens[0], 1), songs / "one more.mid")
    with pytest.raises(TypeError):
        load(songs)


def test_the_report_says_what_became_of_each_file(songs, cache):
    (songs / "broken.mid").write_bytes(b"MThd")
    (songs / "waltz.mid").write_bytes(odd.midi(odd.track((0, odd.meter(3, 2)), *odd.notes(*TUNE))))
    (songs / "free.mid").write_bytes(odd.midi(odd.track(*odd.notes(*[(p, a * 1.17, b * 1.17) for p, a, b in TUNE]))))
    (songs / "sparse.mid").write_bytes(odd.midi(odd.track(*odd.notes(*TUNE, *later(TUNE[:3], 128)))))
    found = load(songs)
    (report,) = cache.glob("*.tsv")
    rows = {row.split("\t")[0]: row.split("\t")[1:] for row in report.read_text().splitlines()}
    assert len(rows) == 1 + 28
    assert rows["broken.mid"][:3] == [
        "0",
        "0",
        "the file is a damaged MIDI file; open it in a MIDI editor and export it again.",
    ]
    assert "3/4" in rows["waltz.mid"][2] and "beats" in rows["free.mid"][2]
    assert rows["sparse.mid"][:3] == ["1", "1", ""]
    assert found.left_out["more than one empty bar"] == 1 and sum("3/4" in reason for reason in found.left_out) == 1


def test_what_is_no_corpus_gets_a_sentence(tmp_path):
    (tmp_path / "empty").mkdir()
    nowhere = ("", tmp_path / "none", "~nosuchuser/songs")
    for name, words in (*((name, "no folder") for name in nowhere), (tmp_path / "empty", "no MIDI file")):
        with pytest.raises(TvaeError, match=words):
            load(name)
    (tmp_path / "empty" / "a.mid").write_bytes(b"?")
    with pytest.raises(TvaeError, match="None of the 1 MIDI files"):
        load(tmp_path / "empty")
    for k in range(9):
        tune = [(60 + (k * n) % 12, 4 * n, 4 * n + 4) for n in range(32)]
        (tmp_path / "empty" / f"{k}.mid").write_bytes(odd.midi(odd.track(*odd.notes(*tune))))
    with pytest.raises(TvaeError, match="9 files only, and five folds need 10"):
        load(tmp_path / "empty")


def test_a_run_of_it_has_a_name_that_every_system_takes(songs, tmp_path):
    name = slug(f"folder:{songs}")
    assert name.startswith("folder-my-songs-") and len(name) == 22 and slug("folk") == "folk"
    assert slug(f"folder:{tmp_path}/Ünïcode: a/b?") != slug(f"folder:{tmp_path}/Ünïcode- a/b!")
    assert set(slug(f"folder:{tmp_path}/Ünïcode: ☃")) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")


def test_every_way_to_write_a_folder_is_one_corpus(songs, monkeypatch):
    monkeypatch.chdir(songs.parent)
    ways = [f"folder:{way}" for way in (songs, songs.name, f"./{songs.name}", f"{songs.name}/")]
    assert {canonical(way) for way in ways} == {f"folder:{songs}"} and len({slug(way) for way in ways}) == 1
    assert canonical("folk16") == "folk16"
    assert {corpus.load(way).name for way in ways} == {f"folder:{songs}"}


def test_pieces_move_by_octaves_and_never_lose_notes(tmp_path):
    root = tmp_path / "low"
    root.mkdir()
    wide = [(30 if n % 2 else 100, 4 * n, 4 * n + 4) for n in range(32)]
    (root / "wide.mid").write_bytes(odd.midi(odd.track(*odd.notes(*wide))))
    (root / "low.mid").write_bytes(odd.midi(odd.track(*odd.notes(*[(p - 36, a, b) for p, a, b in TUNE]))))
    files, _ = folder.find(root)
    outcomes = {path.name: folder.outcome(path, path.name) for path in files}
    assert outcomes["wide.mid"].left_out == ["outside the 45 pitches in every octave"] and outcomes["wide.mid"].refused
    (piece,) = outcomes["low.mid"].pieces
    notes = melody.tokens_to_notes(piece.tokens)
    assert [(n.pitch % 12, n.onset) for n in notes] == [(p % 12, a) for p, a, _ in TUNE]


def test_what_a_part_is_called_decides_nothing(tmp_path):
    """Notices hold the names of parts: here words in which other notices speak."""
    name = "silenced: they do not lie on the file's beats"
    other = [(48, 16 * bar, 16 * bar + 16) for bar in range(8)]
    parts = odd.track(odd.named(name), *odd.notes(*odd.SCALE)), odd.track(odd.named("bass"), *odd.notes(*other))
    (tmp_path / "a.mid").write_bytes(odd.midi(*parts))
    found = folder.outcome(tmp_path / "a.mid", "a.mid")
    assert name in found.notices[0] and len(found.pieces) == 1 and not found.left_out and not found.refused
