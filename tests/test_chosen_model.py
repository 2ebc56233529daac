"""A page looks at a recorded model, the authors', or any weights file; else it says in a sentence why not."""

from pathlib import Path

import pytest

from tvae import TvaeError
from tvae.report.pages import attention, limits, page, transfer

ROOT = Path(__file__).parent.parent
WEIGHTS = ROOT / "weights"
OWN = "cpu-hooktheory-no_attention-fold0"


def test_a_recorded_model_is_chosen_by_its_name():
    chosen = page.chosen("no_attention", "hooktheory", "figures", "weights")
    assert (chosen.name, chosen.fold) == (OWN, 0) and OWN.split("-")[1] in chosen.source.html


def test_a_weights_file_is_as_good_as_a_recorded_run():
    study = transfer.study(model=str(WEIGHTS / f"{OWN}.safetensors"))
    assert study.chosen.name == OWN and study.results.shape == (2, 128)
    named = transfer.study(model="no_attention").results
    assert (study.results == named).all() and (study.results != transfer.study().results).any()


def test_a_model_is_tested_on_the_corpus_that_it_was_trained_on(monkeypatch):
    folk = transfer.load("folk")
    monkeypatch.setattr(transfer, "load", lambda _: folk)
    study = transfer.study(model=str(WEIGHTS / "cpu-folk-attention-fold0.safetensors"))
    assert study.unseen("folk")[0] is study.vae
    assert study.unseen("hooktheory")[0] is not study.vae


@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        ("lstm_1x8", "No run of lstm_1x8 on hooktheory with a code for each bar"),
        ("official", "official.safetensors holds no weights"),
        ("nowhere.safetensors", "nowhere.safetensors holds no weights"),
        ("weights/cpu-folk16-attention-fold0.safetensors", "a model of 16 bars; the page's pieces have 8"),
        ("weights/cpu-hooktheory-lstm_1x8-fold0.safetensors", "one code for a whole piece"),
    ],
)
def test_what_cannot_be_looked_at_is_said(model, sentence):
    with pytest.raises(TvaeError, match=sentence):
        page.chosen(model, "hooktheory", "figures", "weights")


@pytest.mark.parametrize("model", ["attention", "weights/cpu-folk16-attention-fold0.safetensors"])
def test_sixteen_bars_are_on_no_page_that_has_eight(model):
    with pytest.raises(TvaeError, match="folk16 has pieces of 16 bars; the page's pieces have 8"):
        limits.study("folk16", model=model)


def test_a_model_without_attention_has_no_map():
    with pytest.raises(TvaeError, match="no attention that sees an earlier bar"):
        attention.study(model=str(WEIGHTS / f"{OWN}.safetensors"))
