"""Pages of a record of one run, or of one corpus: what it does not have is said or left out."""

from pathlib import Path

import pytest
from examples import finished_run, recorded

from tvae import TvaeError
from tvae.files import read_json, write_json
from tvae.report import answers, lessons, record
from tvae.report.pages import beyond, corpora, results, training


@pytest.fixture
def one(tmp_path):
    """one(...) makes a record of one run with these values, and the folder of its weights."""

    def make(**changes):
        record.collect([finished_run(tmp_path / "run", **changes)], tmp_path / "record", tmp_path / "weights")
        return tmp_path / "record", tmp_path / "weights"

    return make


def test_where_no_weights_are_released_the_page_of_results_says_so(one):
    page = results.study(*one(model="wide"))
    for shown in (page.heard(), page.checks()):
        assert "No run is recorded with its weights" in shown._repr_html_()
    assert "nan" in page.transposed().html


@pytest.mark.parametrize("threads", ["1 thread", "1 threads"])  # as runs are recorded now, and as they were
def test_one_thread_is_a_word(threads):
    assert "(a CPU, one thread, beside" in answers.training([recorded(device=f"a CPU, {threads}")])


def test_the_page_of_results_says_which_runs_are_missing(one):
    said = repr(results.study(*one()).missing())
    assert "planned runs" in said and "`no_attention` on folk (fold 0)" in said and "3 points" in said


@pytest.mark.parametrize("about", [{"fold": 1, "seed": 1}, {"seed": 7}])
def test_without_a_run_that_the_table_could_show_the_page_of_results_says_so(about, one):
    with pytest.raises(TvaeError, match="no run of fold 0 and seed 0 for the table"):
        results.study(*one(**about))


def test_an_empty_record_has_no_table(tmp_path):
    write_json(tmp_path / "results.json", [])
    with pytest.raises(TvaeError, match="no run of fold 0 and seed 0 for the table"):
        results.study(tmp_path)


def test_the_page_of_training_draws_the_models_that_there_are(one):
    folder, _ = one(model="no_attention")
    figures = training.study(folder).rates_per_bar()
    assert len(figures.shown) == 1 and "no_attention" in figures._repr_html_()


def test_the_page_of_training_needs_no_fold_0(one):
    folder, _ = one(fold=1, seed=1)
    page = training.study(folder)
    assert page.curves().shown == page.rates_per_bar().shown == ()
    assert "smoke-folk-attention-fold1" in page.costs().html


def test_the_page_beyond_the_paper_says_what_was_not_measured_of_its_run(one):
    assert "Not recorded yet: what relations save" in repr(beyond.study(0, *one()).gains())


def test_the_page_of_corpora_wants_the_corpus_that_was_described(tmp_path):
    described = read_json(Path(__file__).parent.parent / "figures" / "corpora.json")
    folk = next(one for one in described if one["name"] == "folk")
    folk["sustain"] *= 1 + 1e-15  # as another version of NumPy may have it
    write_json(tmp_path / "corpora.json", described)
    assert corpora.study(tmp_path).described["folk"] == folk
    write_json(tmp_path / "corpora.json", [folk | {"sha256": "0"}])
    with pytest.raises(TvaeError, match="another folk corpus"):
        corpora.study(tmp_path)


@pytest.mark.parametrize(("preset", "narrow", "wide"), [("cpu", "attention", "256"), ("paper", "64", "attention")])
def test_the_lesson_about_width_compares_models_that_differ_in_the_preset(preset, narrow, wide):
    found = lessons.table("", [recorded(corpus="hooktheory", preset=preset)])
    first, second = found[found.choice == "width of the heads"].compared.item().split(" less ")
    assert narrow in first and wide in second
