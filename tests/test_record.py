"""A damaged record stops the build with a sentence that names the run."""

import json

import numpy as np
import pytest
from examples import ENTRY
from examples import finished_run as run

from tvae import TvaeError, files
from tvae.report import record
from tvae.report.entry import A_CODE_A_BAR, Entry, entry

REQUIRED = [name for name, field in Entry.model_fields.items() if field.is_required()]


def write(folder, entries):
    (folder / "results.json").write_text(json.dumps(entries))


def kept(folder) -> dict[str, bytes]:
    """Every file below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_good_record_is_read(tmp_path):
    write(tmp_path, [ENTRY, {**ENTRY, "fold": 1, "seed": 1}])
    assert [entry.name for entry in record.read(tmp_path)] == [
        "smoke-folk-attention-fold0",
        "smoke-folk-attention-fold1",
    ]


def test_a_run_of_another_seed_is_kept_and_compared_with_none(tmp_path):
    write(tmp_path, [{**ENTRY, "seed": 7}, ENTRY, {**ENTRY, "seed": 7, "sweep": True}, {**ENTRY, "fold": 1, "seed": 1}])
    assert [run.name for run in record.read(tmp_path)][0] == "smoke-folk-attention-fold0-seed7"
    assert [(run.fold, run.seed, run.sweep) for run in record.compared(tmp_path)] == [(0, 0, False), (1, 1, False)]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"accuracy_free_running": None}, "smoke-folk-attention-fold0.*accuracy_free_running"),
        ({"rate_nats_per_piece": float("nan")}, "smoke-folk-attention-fold0.*rate_nats_per_piece.*not a number"),
        ({"rate_per_bar": [1.0, float("inf")]}, "smoke-folk-attention-fold0.*rate_per_bar.*not a number"),
        ({"n_test": "many"}, "smoke-folk-attention-fold0.*n_test"),
        ({"fold": 7}, "smoke-folk-attention-fold7.*'fold' is 7; input should be less than 5"),
        ({"seed": None}, "'seed' should be a whole number, not None"),
        ({"model": "gpt"}, "gpt.*no model"),
        ({"preset": "mega"}, "mega.*no preset"),
        ({"fold": True}, "'fold' should be a whole number, not True"),
        ({"sweep": 1}, "smoke-folk-attention-fold0.*'sweep' should be true or false"),
        ({"sweep": True, "kl_weight": float("nan")}, "smoke-folk-attention-fold0.*'kl_weight' is not a number"),
        (
            {"sweep": True, "kl_weight": "much"},
            "'kl_weight' should be a number, not 'much'",
        ),
        ({"corpus": 5}, "'corpus' should be text, not 5"),
        ({"sweep": True, "kl_weight": 4, "n_test": 0.5}, "smoke-folk-attention-fold0-kl4.*n_test"),
    ],
)
def test_a_bad_entry_names_its_run(tmp_path, change, sentence):
    write(tmp_path, [{**ENTRY, **change}])
    with pytest.raises(TvaeError, match=sentence):
        record.read(tmp_path)


@pytest.mark.parametrize("key", [*REQUIRED, *A_CODE_A_BAR])
def test_a_missing_key_is_named(tmp_path, key):
    write(tmp_path, [{name: value for name, value in ENTRY.items() if name != key}])
    with pytest.raises(TvaeError, match=key):
        record.read(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "{}", "[1]", "null"])
def test_a_file_that_is_no_record(tmp_path, text):
    (tmp_path / "results.json").write_text(text)
    with pytest.raises(TvaeError):
        record.read(tmp_path)


def test_no_record_or_a_run_twice(tmp_path):
    with pytest.raises(TvaeError, match="There is no"):
        record.read(tmp_path)
    write(tmp_path, [ENTRY, ENTRY])
    with pytest.raises(TvaeError, match="has the run smoke-folk-attention-fold0 twice"):
        record.read(tmp_path)


def test_missing_companions_are_sentences(tmp_path):
    for read in (record.pieces, record.history):
        with pytest.raises(TvaeError, match="smoke-folk-attention-fold0"):
            read(tmp_path, entry(ENTRY, "a test"))


def test_scores_without_what_they_are_shares_of_are_damaged_rather_than_not_recorded_yet(tmp_path):
    run_there = entry(ENTRY, "a test")
    (tmp_path / "pieces").mkdir()
    for arrays in ({"correct_free_running": np.ones(3)}, {"correct_free_running": np.ones(3), "song": np.ones(3)}):
        files.write_npz(tmp_path / "pieces" / f"{run_there.name}.npz", **arrays)
        with pytest.raises(TvaeError, match="per-piece scores of smoke-folk-attention-fold0 cannot be read"):
            record.pieces(tmp_path, run_there)


def test_an_unfinished_run_is_not_collected(tmp_path):
    with pytest.raises(TvaeError, match="no finished run"):
        record.collect([tmp_path], tmp_path / "record", tmp_path / "weights")


def test_a_run_on_a_new_version_of_its_corpus_takes_the_place_of_the_old_one_of_its_name(tmp_path, capsys):
    folder, weights = tmp_path / "record", tmp_path / "weights"
    old = [run(tmp_path / "a"), run(tmp_path / "b", model="no_attention"), run(tmp_path / "c", corpus="hooktheory")]
    record.collect(old, folder, weights)
    found = record.collect([run(tmp_path / "new", 0.75, corpus_sha256="1")], folder, weights)
    assert [entry.name for entry in found] == ["smoke-folk-attention-fold0", "smoke-hooktheory-attention-fold0"]
    assert capsys.readouterr().out == "smoke-folk-no_attention-fold0 leaves the record\n"
    scores, song = record.pieces(folder, found[0])
    assert scores["correct_free_running"] == 75 and song == "a"
    assert record.history(folder, found[0]).accuracy.tolist() == [0.75]
    record.load_model(weights, found[0])
    assert len(list(tmp_path.glob("record/*/*"))) == 4 and len(list(weights.iterdir())) == 2


def test_a_prior_leaves_with_the_training_whose_codes_it_is_about(tmp_path, capsys):
    folder, weights = tmp_path / "record", tmp_path / "weights"
    (entry,) = record.collect([run(tmp_path / "old")], folder, weights)
    prior = record.prior_file(weights, entry.name)
    prior.touch()
    record.collect([tmp_path / "old"], folder, weights)
    assert prior.exists()
    record.collect([run(tmp_path / "new", git_commit="a later one")], folder, weights)
    assert not prior.exists() and "goes with the training whose codes it is about" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("file", "content", "sentence"),
    [
        ("metrics.json", b"{", "metrics.json cannot be read"),
        ("metrics.json", b"{}", "has no 'corpus'"),
        ("pieces.npz", b"PK", "per-piece scores of smoke-folk-no_attention-fold0 cannot be read"),
        ("pieces.npz", b"", "per-piece scores of smoke-folk-no_attention-fold0 cannot be read"),
        ("history.csv", b"", "training curve of smoke-folk-no_attention-fold0 cannot be read"),
        ("weights.safetensors", b"", "holds no weights"),
    ],
)
def test_of_several_runs_none_is_recorded_where_one_is_damaged(tmp_path, file, content, sentence):
    record.collect([run(tmp_path / "old")], tmp_path / "record", tmp_path / "weights")
    before = kept(tmp_path / "record"), kept(tmp_path / "weights")
    bad = run(tmp_path / "bad", model="no_attention")
    (bad / file).write_bytes(content)
    with pytest.raises(TvaeError, match=sentence):
        record.collect([run(tmp_path / "good", 0.75), bad], tmp_path / "record", tmp_path / "weights")
    assert (kept(tmp_path / "record"), kept(tmp_path / "weights")) == before


def test_a_model_with_one_code_for_all_bars_has_no_rate_per_bar(tmp_path):
    flat = {key: value for key, value in ENTRY.items() if key not in A_CODE_A_BAR}
    write(tmp_path, [{**flat, "model": "lstm_1x8"}, {**flat, "model": "lstm_conductor"}])
    assert len(record.read(tmp_path)) == 2
    write(tmp_path, [{**flat, "model": "lstm_8x1"}])
    with pytest.raises(TvaeError, match="smoke-folk-lstm_8x1-fold0.*rate_per_bar"):
        record.read(tmp_path)


def test_of_the_repetitions_of_a_fold_the_one_with_its_own_seed_is_released():
    known = [Entry(**{**ENTRY, "seed": seed}) for seed in (0, 1)]
    assert [(run.name.rpartition("-")[2], run.released) for run in known] == [("fold0", True), ("seed1", False)]


def test_a_run_on_a_corpus_that_no_page_plays_is_measured_but_not_released():
    run = Entry(**{**ENTRY, "corpus": "pop909"})
    assert run.first and not run.released


def test_runs_at_other_kl_weights_have_names_of_their_own(tmp_path):
    weights = [{**ENTRY, "sweep": True, "kl_weight": weight} for weight in (0.25, 1.0, 4)]
    write(tmp_path, [ENTRY, *weights])
    assert [entry.name.rpartition("-")[2] for entry in record.read(tmp_path)] == [
        "fold0",
        "kl0.25",
        "kl1",
        "kl4",
    ]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {"preset": "cpu"},
            "mixes presets on folk: cpu-folk-no_attention-fold0 has cpu, smoke-folk-attention-fold0 has smoke",
        ),
        ({"corpus_sha256": "1"}, "mixes versions of the corpus on folk: smoke-folk-no_attention-fold0"),
    ],
)
def test_what_cannot_stand_in_one_table_is_named(tmp_path, change, sentence):
    other = {**ENTRY, "model": "no_attention", **change}
    write(tmp_path, [ENTRY, other])
    with pytest.raises(TvaeError, match=sentence):
        record.read(tmp_path)
    write(tmp_path, [ENTRY, {**other, "corpus": "hooktheory"}])  # another corpus has a table of its own
    assert len(record.read(tmp_path)) == 2


def test_the_numbers_of_the_paper_may_be_missing_and_are_checked(tmp_path):
    path = tmp_path / "paper_reported.yml"
    path.write_text("# nothing yet\n")
    assert record.read_reported(path) == {}
    path.write_text("attention: {accuracy_free_running: 0.5}\n")
    assert record.read_reported(path) == {"attention": {"accuracy_free_running": 0.5}}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("gpt: {accuracy_free_running: 0.5}", "no model 'gpt'"),
        ("attention: {accuracy: 0.5}", "attention has a 'accuracy', which the record does not know"),
        ("attention: {accuracy_free_running: high}", "'accuracy_free_running' of attention should be a number"),
        ("attention: {accuracy_free_running: .nan}", "'accuracy_free_running' of attention should be a number"),
        ("attention: 0.5", "is no list of models with their numbers"),
        ("[1, 2]", "is no list of models with their numbers"),
        ("{", "is no list of models with their numbers"),
    ],
)
def test_bad_numbers_of_the_paper_are_a_sentence(tmp_path, text, sentence):
    (tmp_path / "paper_reported.yml").write_text(text)
    with pytest.raises(TvaeError, match=sentence):
        record.read_reported(tmp_path / "paper_reported.yml")


def test_a_missing_file_of_the_papers_numbers_is_a_sentence(tmp_path):
    with pytest.raises(TvaeError, match="is no list of models"):
        record.read_reported(tmp_path / "none.yml")
