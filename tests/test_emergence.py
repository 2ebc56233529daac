"""When "as bar 1" appears: the measures of a moment, what a long run leaves in the record, and the page's words."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from examples import ENTRY, TINY

from tvae import TvaeError, corpus
from tvae import train as training
from tvae.report import emerged, record
from tvae.report.pages import pointing

ROOT = Path(__file__).parent.parent
FOLK = corpus.load("folk")


def point(pieces: int, kept: float, prior: float = 0.1) -> dict:
    around = {name: [kept, kept - 0.1, kept + 0.1] for name in emerged.STATISTICS}
    heard = dict.fromkeys(("host", "donor", "result"), FOLK.tokens[0].tolist()) | {"titles": ["a tune", "another"]}
    return {"pieces": pieces, **around, "repeats_from_prior_mean": [prior, prior, prior], "heard": heard}


def run(*points: dict) -> dict:
    about = {"model": "attention", "corpus": "folk", "preset": "long", "fold": 0, "seed": 0, "precision": "fp32"}
    return about | {"corpus_sha256": "", "git_commit": "0" * 40, "points": list(points)}


@pytest.fixture
def folder(tmp_path):
    """A record with one run of which the moments are known."""
    (tmp_path / "results.json").write_text(json.dumps([ENTRY]))
    runs = [run(point(1000, 0.1), point(2000, 0.7), point(3000, 0.3), point(4000, 0.6), point(5000, 0.8, 0.9))]
    (tmp_path / "emergence.json").write_text(json.dumps(runs))
    (tmp_path / "history").mkdir()
    rates = {f"rate_bar_{bar}": [10, 5] for bar in range(1, 9)}
    history = pd.DataFrame({"stage": 1, "pieces": [500, 1000], **rates, "rate_bar_1": 10})
    history.to_csv(tmp_path / "history" / "smoke-folk-attention-fold0.csv")
    return tmp_path


def test_the_answer_names_the_moment_from_which_structure_stays(folder):
    fall, sentences = pointing.study(folder).answer().sentences
    assert "from 1,000 pieces on" in fall
    assert "From 4,000 pieces on, of 5,000, more than 50%" in sentences
    assert "in 10% of the A-A pieces at 1,000" in sentences and "90% at the end" in sentences


def test_and_says_so_where_there_is_none():
    assert emerged.first_above(run(point(1000, 0.9), point(2000, 0.4)), "structure_kept", 0.5) is None
    assert emerged.answer(run(point(1000, 0.9), point(2000, 0.4)), 0.5).startswith("Not within 2,000 pieces")
    assert "no run that kept its weights" in emerged.answer(None, 0.5)


def test_what_is_not_known_of_a_moment_is_said():
    """As where a model repeats no bar."""
    unknown = point(4000, 0.5) | dict.fromkeys(("structure_kept", "repeats_from_prior_mean"), [None] * 3)
    said = emerged.answer(run(point(1000, 0.9), point(2000, 0.4), unknown), 0.5)
    assert said.startswith("Within 4,000 pieces it is not known how much of the host's structure stays")
    assert "accuracy changes by +0.100, the structure kept by an unknown share" in said
    assert "10% of the A-A pieces at 1,000 pieces and in an unknown share at the end" in said


def test_the_fall_of_the_rate_says_from_when_on_it_stays():
    pieces = [100, 200, 300, 400]
    fallen = pd.DataFrame(
        {"run": ["a"] * 4 + ["b"] * 4, "pieces": pieces * 2, "fall": [0.3, 0.1, 0.3, 0.4, 0, 0.1, 0.2, 0.1]}
    )
    (sentence,) = emerged.from_then_on(fallen, 0.25)
    assert "1 of 2" in sentence and "from 300 pieces" in sentence
    assert emerged.from_then_on(fallen[fallen.run == "b"], 0.25) == ()


def test_the_page_shows_every_moment_and_three_to_hear(folder):
    study = pointing.study(folder)
    assert len(study.in_numbers()._repr_html_().split("<tr>")) == 1 + 1 + 5
    titles = [player.title for player in study.players().players]
    assert titles == ["a tune", "another", *(f"after {thousand},000 pieces" for thousand in (1, 3, 5))]
    figure = study.curves()._repr_html_()
    assert all(words.split()[0] in figure for words in emerged.STATISTICS.values())


def test_tunes_of_sixteen_bars_are_heard_as_well(folder):
    (found,) = emerged.read(folder / "emergence.json")
    for one in found["points"]:
        one["heard"] |= dict.fromkeys(("host", "donor", "result"), corpus.load("folk16").tokens[0].tolist())
    (folder / "emergence.json").write_text(json.dumps([found]))
    assert len(pointing.study(folder).players().players) == 5


def test_without_a_run_the_page_says_that_it_follows(tmp_path):
    (tmp_path / "results.json").write_text(json.dumps([ENTRY]))
    (tmp_path / "emergence.json").write_text("[]")
    study = pointing.study(tmp_path)
    for shown in (study.answer(), study.curves(), study.players(), study.falls(), study.in_numbers(), study.run()):
        assert isinstance(repr(shown), str) and "<figure" not in shown._repr_html_()


def test_a_line_for_each_recorded_run_says_how_far_the_rate_falls():
    found = emerged.falls(ROOT / "figures", record.read(ROOT / "figures"), "hooktheory")
    ends = found.groupby("run").fall.last()
    assert ends["cpu-hooktheory-attention-fold0"] > 0.3 > 0.1 > ends["cpu-hooktheory-no_attention-fold0"]
    assert "context-free" in pointing.study(ROOT / "figures").falls()._repr_html_()


def test_a_damaged_file_is_named(tmp_path):
    (tmp_path / "emergence.json").write_text('[{"corpus": "folk", "points": [{}]}]')
    with pytest.raises(TvaeError, match=r"emergence\.json holds no such measurement"):
        emerged.read(tmp_path / "emergence.json")


@pytest.mark.slow
def test_a_run_that_keeps_weights_is_measured_at_each_of_them(tmp_path, monkeypatch):
    monkeypatch.setitem(training.PRESETS, "smoke", replace(TINY, stage_1=replace(TINY.stage_1, average=320, keep=2)))
    few = FOLK.part(np.flatnonzero(np.isin(FOLK.song, np.unique(FOLK.song)[:60])))
    monkeypatch.setattr(training, "load", lambda *_: few)
    training.train("attention", "folk", "smoke", runs=tmp_path / "runs")
    emerged.measure_record(tmp_path, tmp_path / "runs", {"folk": few})
    (found,) = emerged.read(tmp_path / "emergence.json")
    assert [one["pieces"] for one in found["points"]] == [1600, 3200]
    for one in found["points"]:
        for name in emerged.STATISTICS:
            value, low, high = one[name]
            assert value is None if name == "structure_kept" else low <= value <= high, name  # a toy repeats no bar
        assert np.array(one["heard"]["result"]).shape == (128,) and {*one["heard"]["titles"]} <= {*few.title}
    emerged.measure_record(tmp_path, tmp_path / "elsewhere", {"folk": few})  # without the run, it stays
    assert emerged.read(tmp_path / "emergence.json") == [found]
    other = found | {"fold": 1, "seed": 1}
    (tmp_path / "emergence.json").write_text(json.dumps([other, found | {"points": []}]))
    monkeypatch.setattr(
        emerged, "measure", lambda *given: {name: found["points"][0][name] for name in emerged.STATISTICS}
    )
    emerged.measure_record(tmp_path, tmp_path / "runs", {"folk": few})
    assert [(one["fold"], len(one["points"])) for one in emerged.read(tmp_path / "emergence.json")] == [(1, 2), (0, 2)]
