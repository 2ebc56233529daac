"""Pieces of 16 bars, from the corpus to the player; and training on transposed repeats."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from examples import TINY

import tvae
from tvae import corpus, melody, presets, transfer
from tvae import train as training
from tvae.errors import TvaeError
from tvae.report import listen
from tvae.rows import transposed_repeats
from tvae.studies import attention, codes, transfers
from tvae.studies.relations import transposed

pytestmark = pytest.mark.slow

FOLK, FOLK16 = corpus.load("folk"), corpus.load("folk16")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A tiny model of sixteen bars, trained on folk16: its folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(presets.PRESETS, "smoke", TINY)
        return training.train(corpus="folk16", runs=tmp_path_factory.mktemp("runs"))


def test_the_sixteen_bars_are_those_of_the_tunes():
    assert FOLK16.bars == 16 and FOLK16.tokens.shape[1] == 256 and melody.is_valid(FOLK16.tokens)
    assert FOLK16.length.max() == 256 and 2000 < len(FOLK16) < 3000
    # Most of a tune's bars, after its first, are bars of that tune in pieces of eight.
    eight = {row.tobytes() for row in melody.bars(FOLK.tokens).reshape(-1, 16)}
    share = np.mean([row.tobytes() in eight for row in melody.bars(FOLK16.tokens)[:, 1:7].reshape(-1, 16)])
    assert share > 0.9
    # A repeated strain comes back after eight bars, and no strain twice makes all of the corpus.
    distance = np.arange(16) - melody.earlier_equal(FOLK16.tokens)
    found = distance[melody.earlier_equal(FOLK16.tokens) >= 0]
    assert 0.3 < (found == 8).mean() < 0.6


def test_songs_are_in_the_folds_that_they_are_in_with_eight_bars():
    fold = dict(zip(FOLK.song, FOLK.fold))
    common = [(fold[song], other) for song, other in zip(FOLK16.song, FOLK16.fold) if song in fold]
    assert len(common) > 2000 and all(one == other for one, other in common)


def test_a_model_of_sixteen_bars_is_trained_measured_and_loaded(run):
    metrics, settings = (json.loads((run / f"{name}.json").read_text()) for name in ("metrics", "config"))
    assert len(metrics["rate_per_bar"]) == 16 and settings["plan"]["model"]["bars"] == 16
    assert metrics["rate_nats_per_piece"] == pytest.approx(sum(metrics["rate_per_bar"]), rel=1e-4)
    vae = tvae.load(run / "weights.safetensors")
    tokens = FOLK16.tokens[:2]
    assert transfer.reconstruct(vae, tokens).shape == (2, 256)
    swapped = transfer.context_transfer(vae, tokens[0], tokens[1], bars=16)
    assert (swapped[: 15 * 16] == transfer.reconstruct(vae, tokens[:1])[0, : 15 * 16]).all()
    with pytest.raises(TvaeError, match="1 to 16"):
        transfer.context_transfer(vae, tokens[0], tokens[1], bars=17)
    with pytest.raises(TvaeError, match="256"):
        transfer.context_transfer(vae, FOLK.tokens[0], FOLK.tokens[1])


def test_eight_bars_are_trained_as_they_were():
    plan = training.settings_of(presets.PRESETS["cpu"].plan("attention"))
    assert plan["model"]["bars"] == 8 and "transposed_repeats" not in plan["stage_1"]
    assert plan == training.settings_of(presets.PRESETS["cpu"].plan("attention", bars=8))


def test_the_studies_look_at_sixteen_bars(run):
    vae, pieces = tvae.load(run / "weights.safetensors"), FOLK16.part(np.arange(400))
    searched, idle = attention.places(pieces)
    mass = attention.masses(vae, pieces.tokens)
    assert mass.shape[-1] == searched.shape[-1] == idle.shape[-1] == 120
    rows = attention.by_distance(mass[:, 0], searched, idle, pieces.song)
    counted = {row["distance"]: row["pairs"] for row in rows}
    assert counted[8] == max(counted.values()) and max(counted) > 8
    rate = codes.encode_with_rate(vae, pieces.tokens)[1].sum(-1)
    kinds = {row["kind"]: row for row in codes.matched(rate, pieces)}
    assert kinds["repeated"]["bars"] > 500 and kinds["new"]["saving"] == pytest.approx(0, abs=1e-9)
    moved = transfers.measure(vae, pieces.tokens[:60], pieces.song[:60])["conditions"]
    assert moved["no swap"]["structure_recall"][0] is not None and "bar 1 from the prior" in moved


def test_a_player_shows_sixteen_bars():
    piece = FOLK16.tokens[FOLK16.find("The Ranting Highlandman (aird-0001), strains 1 and 1")]
    shown = listen.player(piece, "A tune")
    html = shown._repr_html_()
    assert shown.bars == 16 and html.count(">=") > 0 and ">9 = 1<" not in html and "bar 9 = bar 1" in shown.text
    assert repr(shown).count("|") == 15
    with pytest.raises(TvaeError, match="one piece"):
        listen.player(piece[:100])


def test_later_bars_become_transposed_repeats():
    tokens = torch.as_tensor(FOLK.tokens[:500].astype(np.int64))
    made = transposed_repeats(tokens, 0.5, np.random.default_rng(0))
    changed = (made != tokens).any(1).numpy()
    assert 0.3 < changed.mean() < 0.5 and (made[:, :16] == tokens[:, :16]).all()
    assert np.tril(transposed(made.numpy()), -1).any((1, 2))[changed].mean() > 0.95
    assert made.max() < melody.STATES
    again = transposed_repeats(tokens, 0.5, np.random.default_rng(0))
    assert (again == made).all()
    assert (transposed_repeats(tokens, 0.0, np.random.default_rng(0)) == tokens).all()


def test_a_model_is_trained_on_transposed_repeats(monkeypatch, tmp_path):
    monkeypatch.setitem(presets.PRESETS, "smoke", TINY)
    assert presets.PRESETS["smoke"].plan("transposed_repeats").stage_1 == replace(TINY.stage_1, transposed_repeats=0.5)
    folder = training.train("transposed_repeats", runs=tmp_path)
    assert json.loads((folder / "config.json").read_text())["plan"]["stage_1"]["transposed_repeats"] == 0.5
