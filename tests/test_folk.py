"""The embedded tunes: what ABC says, what becomes pieces, and that the script makes the embedded files again."""

import importlib.util
from pathlib import Path

import build_folk
import numpy as np
import pytest

from tvae import corpus, melody
from tvae.melody import SUSTAIN

pytestmark = pytest.mark.slow

FOLK_DATA = Path(__file__).parent.parent / "tvae" / "data"


def pieces_of(found) -> list[np.ndarray]:
    return [piece.tokens for piece in found if not isinstance(piece, str)]


def tune(body: str, key: str = "G", number: str = "1", title: str = "A Tune"):
    header = {"T": [title], "X": [number]}
    return build_folk.Tune("book", number, "file.abc", header, f"L:1/8\nM:C\nK:{key}\n{body}")


def notes_of(body: str, key: str = "C") -> list[tuple]:
    """(pitch, onset, end) in sixteenths."""
    reader = build_folk.Reader()
    reader.read(tune(body, key).body)
    return [(pitch, float(16 * onset), float(16 * end)) for pitch, onset, end in reader.notes]


def pitches(body: str, key: str = "C") -> list[int]:
    return [pitch for pitch, _, _ in notes_of(body, key)]


class TestAbc:
    def test_pitches_and_octaves(self):
        assert pitches("C,C c c' ^F _B") == [48, 60, 72, 84, 66, 70]

    @pytest.mark.parametrize(
        "key, expected",
        [("D", [66, 61]), ("Am", [65, 60]), ("A Dorian", [66, 60]), ("Bb", [65, 60]), ("Emix", [66, 61]),
         ("Hp", [66, 61]), ("F#m", [66, 61]), ("Gmix", [65, 60]), ("Dmix=f", [65, 60]),
         ("A Mixolydian", [66, 61]), ("GM", [66, 60])],
    )  # fmt: skip
    def test_keys(self, key, expected):
        assert pitches("FC", key) == expected

    def test_an_accidental_holds_in_its_octave_until_the_bar_ends(self):
        assert pitches("^F F f|F =c ^c c|c", "C") == [66, 66, 77, 65, 72, 73, 73, 72]
        assert pitches("=F F f|F", "G") == [65, 65, 78, 66]

    def test_lengths(self):
        assert [end - onset for _, onset, end in notes_of("A A2 A/ A3/2 A// A/4 A0", "C")][:6] == [2, 4, 1, 3, 0.5, 0.5]

    def test_triplets_and_broken_rhythm(self):
        onsets = [onset for _, onset, _ in notes_of("(3ABc d2 A>B c<d e>>f g")]
        assert onsets == pytest.approx([0, 4 / 3, 8 / 3, 4, 8, 11, 12, 13, 16, 19.5, 20])
        assert [onset for _, onset, _ in notes_of("A>(~B {c}d)>.e")] == [0, 3, 4, 7]

    def test_ties_join_and_slurs_do_not(self):
        assert notes_of("A4-|A2 B2") == [(69, 0, 12), (71, 12, 16)]
        assert notes_of("A-B (AB)") == [(69, 0, 2), (71, 2, 4), (69, 4, 6), (71, 6, 8)]
        assert pitches("^c-|c c") == [73, 72]  # the tie carries the sharp over the bar line, and no further

    def test_ornaments_names_and_chords(self):
        assert notes_of('"Am"{gf}~A2 !trill!.B2 [Ace]2 T`[EC]2') == notes_of("A2 B2 e2 E2")
        assert pitches("[Ac]|[Bd]:|:[ce]||[DF]|]") == [72, 74, 76, 65]

    @pytest.mark.parametrize("body", ["[V:1] A", "A ? B", "[A|B", "A2 ] B"])
    def test_what_cannot_be_read_is_left_out(self, body):
        (reason,) = build_folk.pieces(tune(body))
        assert reason.startswith("tune: ")

    def test_pick_up_and_padding(self):
        (piece,) = build_folk.pieces(tune("AB|" + "G2A2B2c2|" * 7 + "d6:|"))
        assert piece.length == 124
        assert list(piece.tokens[:8]) == [29, 1, 1, 1, 31, 1, 1, 1]
        assert list(piece.tokens[-16:]) == [36] + [1] * 15

    def test_padding_after_a_rest_is_silent(self):
        (piece,) = build_folk.pieces(tune("AB|" + "G2A2B2c2|" * 7 + "d4z2:|"))
        assert piece.length == 124 and list(piece.tokens[-9:]) == [1] + [0] * 8

    def test_strains_are_divided_at_double_bars_and_repeats(self):
        for sign in ("||", "|]", ":|", "::", ":||:", "|:"):
            found = pieces_of(build_folk.pieces(tune("|".join(["G8"] * 8) + sign + "|".join(["A8"] * 8) + "|]")))
            assert [x[0] for x in found] == [29, 31], sign

    def test_sixteen_bars_are_two_pieces(self):
        first, second = build_folk.pieces(tune("|".join(["G8"] * 8 + ["A4B4"] * 8) + "|]"))
        assert first.title == "A Tune (book-1), strain 1" and second.title == "A Tune (book-1), strain 1, from bar 9"
        assert (first.tokens[0], second.tokens[0]) == (29, 31)

    def test_of_two_endings_the_first_is_taken(self):
        body = "|".join(["G8"] * 7) + "|1 A8:|2 B8|" + "|".join(["c8"] * 8) + "||"
        assert [(x[0], x[-16]) for x in pieces_of(build_folk.pieces(tune(body)))] == [(29, 31), (34, 34)]

    def test_four_repeated_bars_are_taken_twice(self):
        (piece,) = build_folk.pieces(tune("cd|G8|A8|B8|c6:|"))
        assert [list(x) for x in melody.equal_bars(piece.tokens)[:3, 4:7]] == np.eye(3, dtype=bool).tolist()
        assert list(melody.bars(piece.tokens)[3][-4:]) == [34, 1, 36, 1]  # the pick-up, played again
        assert piece.length == 124
        (piece,) = build_folk.pieces(tune("|:G8|A8|B8|1 c8:|2 d8|]"))
        assert list(melody.bars(piece.tokens)[:, 0]) == [29, 31, 33, 34, 29, 31, 33, 36]

    @pytest.mark.parametrize("body", ["G8|A8|B8|c8||", "|".join(["G8"] * 3 + ["G6"] + ["G8"] * 4) + "||", "G8|" * 11])
    def test_bars_that_do_not_fit_are_left_out(self, body):
        (reason,) = build_folk.pieces(tune(body))
        assert reason.startswith("strain: ")

    def test_titles_of_variants(self):
        key = build_folk.title_key
        assert key("The MacLeods' -- Reel") == key("Macleod's Reel, The") == "macleods"
        assert key("Fisher's Hornpipe (1st Setting)") == key("FISHERS HORNPIPE.") == "fishers"
        assert not any(map(key, ("A Reel", "For the Violin", "Ditto.", "(untitled)", "The Hornpipe", "A Do.")))

    def test_lines_that_forbid_reuse(self):
        for line in ("Copyright 1999 by somebody", "(c) 1999", "with permission", "not for commercial use"):
            assert build_folk.FORBIDS.search(line)
        assert not build_folk.FORBIDS.search("Transcribed by somebody, collected by F. O'Neill")


KNOWN = {  # by hand, from the books: a letter is a note, - goes on
    "Miss McLeod's Reel (oneill-1418), strain 1": """
        G---B-G-D-G-B-G- B---B-A-B-c-B-A- G---B-G-D-G-B-G- A---A-G-A-c-B-A-
        G---B-G-D-G-B-G- B---B-A-B---d--- e-----f-e-d-e-f- g-e-d-B-A-c-B-A-""",
    "Soldiers Joy (aird-0109), strain 1": """
        A-F-D-F-A-F-D-F- A---d-------C-B- A-F-D-F-A-F-D-F- G---E-------F-G-
        A-F-D-F-A-F-D-F- A---d-------f-g- a-f-d-f-g-e-C-e- d---d-----------""",
    "The Soldier's Joy (oneill-1642), strain 2": """
        f-d-f-d-f-a-g-f- e-d-C-d-e-f-g-e- f-d-f-d-f-a-g-f- e-d-C-B-A---d-e-
        f-d-f-d-f-a-g-f- e-C-A-C-e-f-g-e- f-a-f-d-e-g-e-C- d---d---d-------""",
}
PITCH = dict(zip("DEFGABcCdefga", (62, 64, 66, 67, 69, 71, 72, 73, 74, 76, 78, 79, 81), strict=True))  # C: c sharp


@pytest.mark.parametrize("title", KNOWN)
def test_known_tunes(title):
    c = corpus.load("folk")
    (i,) = np.flatnonzero(c.title == title)
    expected = [SUSTAIN if x == "-" else PITCH[x] - 38 for x in "".join(KNOWN[title].split())]
    assert c.tokens[i].tolist() == expected


def test_variants_are_one_song():
    c = corpus.load("folk")
    songs = {str(c.song[i]) for i in range(len(c)) if "soldiers joy" in c.title[i].lower().replace("'", "")}
    assert len(songs) == 1


def test_folk_is_small_and_credited():
    files = sorted(path.name for path in FOLK_DATA.iterdir())
    assert files == ["folk.npz", "folk16.npz", "folk_credits.tsv", "tunes.abc"]  # the last: tvae/transfer.py's
    sizes = {path.name: path.stat().st_size for path in FOLK_DATA.iterdir()}
    assert sizes.pop("folk16.npz") <= 150_000 and sum(sizes.values()) <= 500_000  # the same tunes in longer pieces
    lines = (FOLK_DATA / "folk_credits.tsv").read_text(encoding="utf-8").splitlines()
    rows = [dict(zip(lines[0].split("\t"), line.split("\t"), strict=True)) for line in lines[1:]]
    c = corpus.load("folk")
    assert sum(int(row["pieces"]) for row in rows) == len(c)
    assert {row["song"] for row in rows} == set(c.song)
    assert all(row["title"] and row["book"] and row["file"] for row in rows)
    assert sum(bool(row["credits"]) for row in rows) > 0.9 * len(rows)


@pytest.mark.skipif(importlib.util.find_spec("music21") is None, reason="music21 is not installed")
def test_the_script_makes_the_embedded_files_again(tmp_path):
    source = Path(importlib.util.find_spec("music21").submodule_search_locations[0]) / "corpus"
    build_folk.build(source, tmp_path)
    again, embedded = corpus.read(tmp_path / "folk.npz", "folk"), corpus.load("folk")
    assert again.sha256 == embedded.sha256 and again.left_out == embedded.left_out
    assert (again.title == embedded.title).all()
    assert (tmp_path / "folk_credits.tsv").read_bytes() == (FOLK_DATA / "folk_credits.tsv").read_bytes()
