"""A damaged record stops the build with a sentence that names the run."""

import json

import pytest

from tvae import TvaeError, record

ENTRY = {
    "corpus": "folk", "model": "attention", "preset": "smoke", "fold": 0, "seed": 0, "n_test": 10,
    "accuracy_teacher_forced": 0.5, "accuracy_teacher_forced_sampled": 0.5, "accuracy_free_running": 0.5,
    "onset_f1_free_running": 0.1, "rate_nats_per_piece": 10.0, "rate_mean_per_dim": 0.1, "rate_per_bar": [1.0] * 8,
    "rate_drop": 0.0, "distortion_nats_per_piece": 100.0, "parameters": 1000, "steps": 10, "samples_per_second": 1.0,
    "train_seconds": 1.0, "precision": "fp32", "device": "a CPU", "torch": "2", "git_commit": "", "corpus_sha256": "0",
}  # fmt: skip


def write(folder, entries):
    (folder / "results.json").write_text(json.dumps(entries))


def test_a_good_record_is_read(tmp_path):
    write(tmp_path, [ENTRY, {**ENTRY, "fold": 1}])
    assert [record.run_name(entry) for entry in record.read(tmp_path)] == [
        "smoke-folk-attention-fold0",
        "smoke-folk-attention-fold1",
    ]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"accuracy_free_running": None}, "smoke-folk-attention-fold0.*accuracy_free_running"),
        ({"rate_nats_per_piece": float("nan")}, "smoke-folk-attention-fold0.*rate_nats_per_piece.*not a number"),
        ({"rate_per_bar": [1.0, float("inf")]}, "smoke-folk-attention-fold0.*rate_per_bar.*not a number"),
        ({"n_test": "many"}, "smoke-folk-attention-fold0.*n_test"),
        ({"model": "gpt"}, "gpt.*no model"),
        ({"preset": "mega"}, "mega.*no preset"),
    ],
)
def test_a_bad_entry_names_its_run(tmp_path, change, sentence):
    write(tmp_path, [{**ENTRY, **change}])
    with pytest.raises(TvaeError, match=sentence):
        record.read(tmp_path)


@pytest.mark.parametrize("key", sorted(record.REQUIRED))
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
    with pytest.raises(TvaeError, match="twice"):
        record.read(tmp_path)


def test_missing_companions_are_sentences(tmp_path):
    for read in (record.pieces, record.history):
        with pytest.raises(TvaeError, match="smoke-folk-attention-fold0"):
            read(tmp_path, ENTRY)


def test_an_unfinished_run_is_not_collected(tmp_path):
    with pytest.raises(TvaeError, match="no finished run"):
        record.collect([tmp_path], tmp_path / "record", tmp_path / "weights")
