"""From recorded runs to tables, findings and verdicts."""

import json

import numpy as np
import pandas as pd
import pytest
from examples import TINY, curves_on_file
from examples import recorded as example

from tvae import TvaeError, corpus
from tvae.melody import is_valid
from tvae.presets import MODELS, PRESETS
from tvae.report import record, results, tables
from tvae.report.typeset import number
from tvae.studies.comparison import accuracy_by_transposition
from tvae.studies.description import describe
from tvae.studies.statistics import over_bounds, over_folds
from tvae.train import train
from tvae.transfer import reconstruct

pytestmark = pytest.mark.slow

PAPER_MODELS = tuple(name for name, row in MODELS.items() if row.role == "paper" and row.trained)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """A record of toy runs (the paper's four models, and two of them at other KL weights), and its entries."""
    folder = tmp_path_factory.mktemp("record")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(PRESETS, "smoke", TINY)
        runs = [train(model, runs=folder / "runs") for model in PAPER_MODELS]
        for model in ("attention", "lstm_8x1"):
            runs += [train(model, kl_weight=weight, runs=folder / "runs") for weight in (0.01, 1, 100)]
    return folder, record.collect(runs, folder, folder / "weights")


@pytest.fixture
def block(recorded):
    (block,) = results.blocks(recorded[1])
    return block


def entry_of(entries, model):
    return next(entry for entry in entries if entry.model == model and not entry.sweep)


def test_scores_have_every_statistic_inside_its_interval(recorded, block):
    folder, entries = recorded
    scores = results.scores(folder, [block])
    assert tuple(scores.model.unique()) == PAPER_MODELS and set(scores.block) == {"folk, preset smoke, fold 0"}
    assert ((scores.low <= scores.value) & (scores.value <= scores.high)).all()
    for model in PAPER_MODELS:
        own = scores[scores.model == model].set_index("statistic").value
        for statistic in ("accuracy_free_running", "rate_nats_per_piece", "distortion_nats_per_piece"):
            assert own[statistic] == pytest.approx(entry_of(entries, model).score(statistic))
        assert ("rate_drop" in own.index) == (model != "lstm_1x8")


def test_rates_per_bar_are_those_of_the_entries(recorded, block):
    folder, entries = recorded
    rates = results.rates_per_bar(folder, block)
    assert set(rates) == {"attention", "no_attention", "lstm_8x1"}  # one code for all bars has no rate of a bar
    for model, (value, low, high) in rates.items():
        assert value == pytest.approx(entry_of(entries, model).rate_per_bar)
        assert (low <= value).all() and (value <= high).all()


def test_changing_the_record_changes_the_table(recorded):
    folder, entries = recorded
    before = tables.comparative(results.scores(folder, results.blocks(entries))).html
    changed = [
        entry.model_copy(update={"accuracy_free_running": 0.12345})
        if entry == entry_of(entries, "attention")
        else entry
        for entry in entries
    ]
    after = tables.comparative(results.scores(folder, results.blocks(changed))).html
    assert before != after and "0.123" in after and "0.123" not in before


def test_the_papers_numbers_appear_with_the_difference_on_its_corpus_only(recorded, block):
    scores = results.scores(recorded[0], [block])
    reported = {"attention": {"accuracy_free_running": 0.25}}
    assert tables.comparative(scores, reported).html == tables.comparative(scores).html
    scores["corpus"] = "hooktheory"
    assert "in the paper" not in tables.comparative(scores).html
    html = tables.comparative(scores, reported).html
    ours = scores[(scores.model == "attention") & (scores.statistic == "accuracy_free_running")].value.item()
    assert html.count("in the paper") == html.count("difference") == 1
    assert f"<td>0.250</td><td>{ours - 0.25:+.3f}</td>" in html


def test_a_model_below_always_sustain_is_marked_and_the_best_was_trained_here(recorded, block):
    scores = results.scores(recorded[0], [block])
    accuracy = scores.statistic == "accuracy_free_running"
    bar = scores[accuracy].value.min() + 1e-6
    sustain = scores[accuracy].head(1).assign(model="sustain", parameters=0, pieces=0, value=bar)
    theirs = scores[accuracy].head(1).assign(model="official", value=1.0)
    html = tables.comparative(pd.concat([scores, sustain, theirs])).html
    assert html.count("(collapsed)") == (scores[accuracy].value < bar).sum() > 0
    assert "<strong>1.000</strong>" not in html and f"<strong>{scores[accuracy].value.max():.3f}</strong>" in html


def test_the_trivial_rows_come_with_the_table(block):
    folk = corpus.load("folk")
    rows = results.trivial_rows({"folk": describe(folk)}, [block])
    assert set(rows.model) == {"sustain", "previous_bar"} and set(rows.block) == {block.title}
    test = folk.split(0)[1]
    counted = np.arange(128) < folk.length[test][:, None]
    expected = (folk.tokens[test] == 1)[counted].mean()
    value = rows[(rows.model == "sustain") & (rows.statistic == "accuracy_teacher_forced")].value.item()
    assert value == pytest.approx(expected)
    assert results.trivial_rows({}, [block]).equals(rows)  # as of a corpus of one's own, which no record describes


def test_a_commit_keeps_the_sign_that_the_code_was_changed():
    changed, clean = example(git_commit="0" * 40 + "+"), example(git_commit="1" * 40)
    said = repr(tables.runs([changed, clean]))
    assert "00000000+  " in said and "11111111  " in said and "not committed" in said
    assert "not committed" not in repr(tables.runs([clean]))


def entries_of(**folds):
    """Runs that differ in model and fold alone: model -> its folds."""
    return [example(model=model, fold=fold, seed=fold) for model, own in folds.items() for fold in own]


def test_models_are_compared_on_the_folds_that_they_share():
    found = results.blocks(entries_of(attention=range(5), lstm_8x1=range(5), bidirectional=[0]))
    assert [(block.folds, list(block.runs)) for block in found] == [
        ((0, 1, 2, 3, 4), ["attention", "lstm_8x1"]),
        ((0,), ["attention", "lstm_8x1", "bidirectional"]),
    ]
    found = results.blocks(entries_of(attention=range(5), no_attention=range(5)))
    assert [block.title for block in found] == ["folk, preset smoke, folds 0-4"]
    assert [block.title for block in results.blocks(entries_of(attention=[0, 1, 2]))] == ["folk, preset smoke, fold 0"]
    assert results.blocks(entries_of(attention=[1, 2])) == []


def test_over_folds_the_interval_holds_what_trainings_differ_by(recorded, block):
    same = over_folds([(0.5, 0.48, 0.52)] * 5)
    apart = over_folds([(0.3, 0.28, 0.32), (0.4, 0.38, 0.42), (0.5, 0.48, 0.52), (0.6, 0.58, 0.62), (0.7, 0.68, 0.72)])
    assert same[0] == apart[0] == pytest.approx(0.5)
    assert 0.015 < same[2] - same[1] < 0.03 and apart[2] - apart[1] > 0.2  # five runs know more than one, if they agree
    assert over_folds([(0.5, 0.4, 0.7)]) == (0.5, 0.4, 0.7)  # one run knows nothing of others
    assert over_bounds([(0.5, 0.5, 0.7)] * 6) == pytest.approx(
        (0.5, 0.5, 0.7)
    )  # what is not known does not average out
    assert over_bounds([(0.3, 0.2, 0.4), (0.5, 0.45, 0.6)]) == pytest.approx((0.4, 0.2, 0.6))
    folder, entries = recorded
    one = block.intervals(folder, "attention")["accuracy_free_running"]
    twice = results.Block("folk", "smoke", (0, 0), {"attention": [entry_of(entries, "attention")] * 2})
    value, low, high = twice.intervals(folder, "attention")["accuracy_free_running"]
    assert value == pytest.approx(one[0]) and high - low < one[2] - one[1]


def test_a_model_does_not_differ_from_itself_and_differences_have_a_sign(recorded, block):
    folder, entries = recorded
    assert results.difference(folder, block, "attention", "attention", "accuracy_free_running") == (0, 0, 0)
    value, low, high = results.difference(folder, block, "attention", "lstm_1x8", "rate_nats_per_piece")
    rates = [entry_of(entries, model).rate_nats_per_piece for model in ("attention", "lstm_1x8")]
    assert value == pytest.approx(rates[0] - rates[1]) and low <= value <= high
    frame = results.differences(folder, block)
    assert set(frame.model) == {"no_attention", "lstm_8x1", "lstm_1x8"}
    assert number(value, "+.1f") in tables.differences(frame).html


def test_a_difference_needs_the_same_pieces(recorded, block, tmp_path):
    folder, entries = recorded
    (tmp_path / "pieces").mkdir()
    for model in ("attention", "no_attention"):
        scores, song = record.pieces(folder, entry_of(entries, model))
        if model == "no_attention":
            song = song[::-1]
        np.savez(tmp_path / "pieces" / f"smoke-folk-{model}-fold0.npz", song=song, **scores)
    with pytest.raises(TvaeError, match="attention-fold0 and .*no_attention-fold0 were not tested on the same pieces"):
        results.difference(tmp_path, block, "attention", "no_attention", "accuracy_free_running")


def test_paired_differences_are_narrower_than_the_models_intervals(tmp_path):
    random = np.random.default_rng(0)
    song, easy = np.arange(200), random.normal(0.7, 0.1, 200)
    (tmp_path / "pieces").mkdir()
    values = {"attention": easy + 0.01, "no_attention": easy + random.normal(0, 0.01, 200)}
    runs = {}
    for model, accuracy in values.items():
        onsets = {f"onsets_{kind}_free_running": song for kind in ("found", "claimed", "true")}
        arrays = {"correct_free_running": 128 * accuracy, "steps": np.full(200, 128)} | onsets
        np.savez(tmp_path / "pieces" / f"smoke-folk-{model}-fold0.npz", song=song, **arrays)
        runs[model] = [example(model=model, accuracy_free_running=float(accuracy.mean()), n_test=200)]
    block = results.Block("folk", "smoke", (0,), runs)
    value, low, high = results.difference(tmp_path, block, "attention", "no_attention", "accuracy_free_running")
    assert low < 0.01 < high and high - low < 0.004
    own = [block.intervals(tmp_path, model)["accuracy_free_running"] for model in runs]
    assert all(high_own - low_own > 4 * (high - low) for _, low_own, high_own in own)


def test_beta_is_the_releases_weight_in_a_summed_elbo():
    assert results.beta(example(preset="paper", kl_weight=1.0)) == 0.25
    assert results.beta(example(preset="paper", model="lstm_1x8", kl_weight=4.0)) == 1


def test_a_higher_kl_weight_buys_a_lower_rate(recorded):
    folder, entries = recorded
    points = results.rate_distortion(folder, entries, "folk")
    assert list(points.kl_weight) == [0.01, 1, 100] * 2 and list(points.model) == ["attention"] * 3 + ["lstm_8x1"] * 3
    for _, own in points.groupby("model"):
        assert own.rate.is_monotonic_decreasing
    assert np.allclose(points.total, points.rate + points.distortion)
    for name in ("rate", "distortion", "total", "accuracy", "onset_f1"):
        assert ((points[f"{name}_low"] <= points[name]) & (points[name] <= points[f"{name}_high"])).all()
    assert "KL weight" in tables.rate_distortion(points).html
    assert results.rate_distortion(folder, entries, "hooktheory").empty


def test_models_are_compared_at_one_rate(tmp_path):
    # attention: D = 100 exp(-R / 100). no_attention has twice that, at rates where only a log-straight curve is right.
    def curve(factor, *rates):
        return [(weight, rate, factor * 100 * np.exp(-rate / 100)) for weight, rate in zip((4, 1, 0.25), rates)]

    entries = curves_on_file(tmp_path, attention=curve(1, 50, 100, 200), no_attention=curve(2, 80, 160, 240))
    found = results.at_equal_rate(tmp_path, entries, "folk", "attention", "no_attention")
    assert found.saving[0] == pytest.approx(0.5) and found.rate == pytest.approx(100)
    assert found.accuracy[0] == pytest.approx(-0.03)  # 0.25 less what lies between 0.16 at 80 and 0.64 at 160 nats
    assert "50.0%" in tables.equal_rate([found]).html and "−0.030" in tables.equal_rate([found]).html
    assert results.at_equal_rate(tmp_path, entries, "folk", "no_attention", "attention").saving[0] == pytest.approx(-1)


def test_accuracy_at_one_rate_is_that_of_the_table_where_pieces_are_padded(tmp_path):
    whole = np.arange(60) < 30  # the others have 60 steps of music
    pair = curves_on_file(tmp_path, attention=[(1, 100, 50.0)], no_attention=[(1, 100, 50.0)])
    for entry, right in zip(pair, (60, 30)):
        path = tmp_path / "pieces" / f"{entry.name}.npz"
        changed = {"steps": np.where(whole, 128, 60), "correct_free_running": np.where(whole, 64, right)}
        np.savez(path, **dict(np.load(path)) | changed)
    found = results.at_equal_rate(tmp_path, pair, "folk", "attention", "no_attention")
    of_table = results.paired_difference(tmp_path, *pair, "accuracy_free_running")
    assert found.accuracy == pytest.approx(of_table) and of_table[0] == pytest.approx(30 / 188)


def test_the_interval_holds_what_is_not_known_between_two_points(tmp_path):
    points = [(4, 50, 60.0), (1, 100, 37.0), (0.25, 200, 14.0)]
    near = curves_on_file(tmp_path, attention=points, no_attention=[(4, 50, 120), (1, 100, 74), (0.25, 200, 28)])
    measured = results.at_equal_rate(tmp_path, near, "folk", "attention", "no_attention")
    assert measured.saving[2] - measured.saving[1] < 0.01  # both have a point there
    assert measured.accuracy == pytest.approx((0, 0, 0))
    far = curves_on_file(tmp_path, attention=points, no_attention=[(4, 40, 134), (0.25, 200, 28)])
    chord = results.at_equal_rate(tmp_path, far, "folk", "attention", "no_attention")
    assert chord.saving[1] < measured.saving[0] < chord.saving[2] and chord.saving[2] - chord.saving[1] > 0.1
    assert chord.accuracy[1] <= 0.25 - 1 < 0.25 - 0.04 <= chord.accuracy[2]  # the accuracies of the points beside it


def test_a_point_whose_training_lost_its_way_decides_nothing(tmp_path):
    ours, theirs = [(4, 50, 60.0), (1, 100, 37.0), (0.25, 200, 14.0)], [(4, 50, 120.0), (1, 80, 90.0), (0.25, 200, 28)]
    whole = curves_on_file(tmp_path, attention=ours, no_attention=theirs)
    expected = results.at_equal_rate(tmp_path, whole, "folk", "attention", "no_attention")
    lost = curves_on_file(tmp_path, attention=[*ours, (2, 70, 61.0)], no_attention=[*theirs, (0.5, 110, 95.0)])
    assert results.at_equal_rate(tmp_path, lost, "folk", "attention", "no_attention") == expected


def test_where_the_other_curve_does_not_reach_the_nearest_common_rate_is_taken_and_without_one_nothing(tmp_path):
    apart = [(4, 120, 60), (1, 150, 50), (0.5, 160, 45)]
    entries = curves_on_file(tmp_path, attention=[(4, 50, 90), (1, 100, 40), (0.5, 130, 30)], no_attention=apart)
    assert results.at_equal_rate(tmp_path, entries, "folk", "attention", "no_attention").rate == pytest.approx(120)
    entries = curves_on_file(tmp_path, attention=[(4, 50, 90), (1, 100, 40)], no_attention=apart)
    assert results.at_equal_rate(tmp_path, entries, "folk", "attention", "no_attention") is None


def test_of_curves_that_barely_meet_the_draws_that_do_not_are_left_out(tmp_path):
    def last(entry, rates):  # of the twenty songs each has a rate of its own
        path = tmp_path / "pieces" / f"{entry.name}.npz"
        np.savez(path, **dict(np.load(path)) | {"rate": np.repeat(rates, 3)})

    theirs = [(1, 101, 40.0), (2, 80, 60.0)]
    one, more, _ = entries = curves_on_file(tmp_path, attention=[(1, 100, 50.0)], no_attention=theirs)
    last(one, 100 + np.random.default_rng(0).normal(size=20))
    last(more, 100.1 + np.random.default_rng(1).normal(size=20))
    found = results.at_equal_rate(tmp_path, entries, "folk", "attention", "no_attention")
    assert found is not None and np.isfinite([*found.saving, *found.accuracy]).all()


def test_without_curves_nothing_is_compared(tmp_path):
    one = curves_on_file(tmp_path, attention=[(4, 50, 90), (1, 100, 40)], no_attention=[(1, 150, 50)])
    assert results.at_equal_rate(tmp_path, one, "folk", "attention", "no_attention") is None
    assert results.at_equal_rate(tmp_path, [], "folk", "attention", "no_attention") is None


def test_a_description_holds_no_notes_and_its_shares_add_up():
    folk = corpus.load("folk")
    described = describe(folk)
    assert sum(described["pitch"]) == pytest.approx(1) and sum(described["test_pieces_by_fold"]) == len(folk)
    assert len(json.dumps(described)) < 20_000
    repeats = np.array(described["repeats"])
    assert repeats.shape == (8, 8) and (repeats == repeats.T).all() and (np.diag(repeats) > 0.99).all()
    assert described["repeats_earlier"][0] == 0


def test_recomputing_notices_a_record_that_is_not_its_weights(recorded):
    folder, entries = recorded
    for model in PAPER_MODELS:
        right = results.recompute(entry_of(entries, model), folder / "weights")
        assert right["equal"].all() and "4 of 4 figures of 1 runs agree" in tables.checked(right).html
    entry = entry_of(entries, "attention")
    wrong = results.recompute(
        entry.model_copy(update={"accuracy_free_running": entry.accuracy_free_running + 0.001}), folder / "weights"
    )
    checks = wrong.set_index("statistic")["equal"]
    assert not checks["accuracy_free_running"] and checks["rate_nats_per_piece"]
    html = tables.checked(wrong).html
    assert "not equal" in html and "3 of 4 figures" in html and "smoke-folk-attention-fold0" in html


def test_reconstructions_are_melodies(recorded):
    folder, entries = recorded
    tokens = corpus.load("folk").tokens[:5]
    for model in PAPER_MODELS:
        again = reconstruct(record.load_model(folder / "weights", entry_of(entries, model)), tokens)
        assert again.shape == tokens.shape and again.dtype == np.uint8 and is_valid(again)


def test_only_the_weights_of_the_table_are_released(recorded):
    folder, entries = recorded
    released = {path.stem for path in (folder / "weights").glob("*.safetensors")}
    assert released == {f"smoke-folk-{model}-fold0" for model in PAPER_MODELS} and len(entries) == 10


def test_runs_of_another_preset_leave_the_record_together_with_their_files(recorded, tmp_path, capsys):
    folder, entries = recorded
    run = folder / "runs" / "smoke" / "folk" / "attention" / "fold0"
    record.collect([run], tmp_path, tmp_path / "weights")
    older = json.loads((tmp_path / "results.json").read_text())
    older = [{**older[0], "preset": "cpu"}, {**older[0], "preset": "cpu", "corpus": "hooktheory"}]
    (tmp_path / "results.json").write_text(json.dumps(older))
    for path in [*tmp_path.glob("*/smoke-*")]:
        path.rename(path.with_name(path.name.replace("smoke", "cpu")))
    kept = record.collect([run], tmp_path, tmp_path / "weights")
    assert [entry.name for entry in kept] == [
        "cpu-hooktheory-attention-fold0",
        "smoke-folk-attention-fold0",
    ]
    assert "cpu-folk-attention-fold0 leaves the record" in capsys.readouterr().out
    assert {path.stem for path in tmp_path.glob("*/*fold0.*")} == {"smoke-folk-attention-fold0"}


def test_accuracy_by_transposition_is_the_recorded_one_where_nothing_is_moved(recorded):
    folder, entries = recorded
    entry = entry_of(entries, "no_attention")
    table = accuracy_by_transposition(record.load_model(folder / "weights", entry), corpus.load("folk"), 0)
    assert list(table.semitones) == list(range(-4, 5))
    assert table.value[4] == pytest.approx(entry.accuracy_free_running, abs=2e-4) and table.value.nunique() > 1
    assert ((table.low <= table.value) & (table.value <= table.high)).all()
