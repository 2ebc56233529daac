"""A user's story: a folder of MIDI files becomes a corpus, a model, pages about it, and a playground that plays."""

import odd_midi as odd
import pytest
from examples import LISTEN
from execute import execute
from playground_page import ROOT, result

from tvae import corpus, melody
from tvae.report import listen, measured, playground
from tvae.report import record as records
from tvae.report.pages import attention, results
from tvae.train import train

pytestmark = pytest.mark.slow
SONGS = 30


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """A folder of files of two parts, made by a script; the corpus made of it, a toy model, and its record."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "my songs").mkdir()
    folk = corpus.load("folk").tokens
    for k in range(SONGS):
        both = [melody.tokens_to_notes(folk[9 * k]), melody.tokens_to_notes(folk[9 * k + 4])]
        tune = [(n.pitch, n.onset + 128 * half, n.end + 128 * half) for half, notes in enumerate(both) for n in notes]
        bass = [(40, step, step + 16) for step in range(0, 256, 16)]
        parts = [odd.track(*odd.notes(*notes)) for notes in (tune, bass)]
        (folder / "my songs" / f"song {k}.mid").write_bytes(odd.midi(*parts))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TVAE_CACHE", str(folder / "cache"))
        name = f"folder:{folder / 'my songs'}"
        run = train("attention", name, "smoke", runs=folder / "runs")
        records.collect([run], folder / "record", folder / "record")
        yield folder, name, run / "weights.safetensors"


def test_its_pieces_are_those_of_the_files(own):
    _, name, _ = own
    found, folk = corpus.load(name), corpus.load("folk").tokens
    assert len(set(found.song)) == SONGS and 1.6 * SONGS < len(found) <= 2 * SONGS
    assert {row.tobytes() for row in found.tokens} <= {
        folk[9 * k + at].tobytes() for k in range(SONGS) for at in (0, 4)
    }


def test_the_transfer_notebook_takes_part_and_bar_of_ones_own_file(own, tmp_path):
    folder, name, weights = own
    song, out = folder / "my songs" / "song 3.mid", tmp_path / "out"
    execute(
        ROOT / "notebooks" / "transfer.ipynb",
        tmp_path / "transfer.ipynb",
        {"song_a": str(song), "track_a": 1, "start_a": 9, "song_b": str(folder / "my songs" / "song 7.mid"),
         "model": str(weights), "corpus": name, "groups": 3, "out": str(out), "record": str(folder / "record"),
         "weights": str(folder / "record")},
    )  # fmt: skip
    text = (tmp_path / "transfer.ipynb").read_text(encoding="utf-8")
    second_half = corpus.load("folk").tokens[9 * 3 + 4]
    assert f"host: song 3: {listen.player(second_half).text}" in text
    assert "while this page was built" in text and f"{name}, from the weights at hand" in text
    assert (out / "a-begun-as-b.mid").exists() and (out / "b-begun-as-a.wav").exists()


def test_the_pages_know_the_corpus(own):
    folder, name, weights = own
    record = folder / "record"
    looked = attention.study(name, 0, model=str(weights), record=record, weights=record)
    assert measured.Origin(name, now=True) in looked.corpora and "song" in repr(looked.map()) + looked.title
    table = results.study(record, record)
    assert "always" in table.table().html and "song" in repr(table.heard()) and "agree" in repr(table.checks())


def test_the_playground_plays_it(own, browser, tmp_path):
    _, _, weights = own
    page_file = playground.write_own(weights, ROOT / "figures", ROOT / "weights", tmp_path / "page")
    page = browser.new_page()
    page.add_init_script(LISTEN)
    page.goto(page_file.as_uri())
    page.wait_for_function("document.querySelector('tvae-playground')?.result")
    assert page.get_by_label("Model", exact=True).locator("option").first.inner_text().startswith("your own: smoke")
    assert result(page).shape == (128,)
    page.evaluate("document.querySelector('.tvae-result tvae-player').play()")
    page.wait_for_function("window.heard.loudness > 0.01")
    page.close()
