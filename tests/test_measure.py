"""`python -m tvae measure`: it needs what it measures and no more, and makes damaged files anew."""

import json
from dataclasses import asdict, replace

import pytest
from examples import ENTRY, TINY, recorded

from tvae import TvaeError, corpus
from tvae.checkpoint import save_weights
from tvae.files import write_json
from tvae.presets import build
from tvae.report import beyond, measuring, transferred

FOLK = corpus.load("folk")


def measure(folder, *parts):
    measuring.measure_record([*parts], folder, folder / "weights", folder / "runs", None)


def test_a_record_that_is_not_there_is_a_sentence_before_anything_is_described(tmp_path):
    with pytest.raises(TvaeError, match="There is no .*results.json"):
        measure(tmp_path / "typo")
    with pytest.raises(TvaeError, match="There is no 'insides' to measure"):
        measure(tmp_path, "insides")


def test_a_damaged_file_of_measurements_is_made_anew_also_where_there_is_nothing_to_measure(tmp_path, capsys):
    (tmp_path / "results.json").write_text(json.dumps([ENTRY | {"model": "wide"}]))
    for content in ("damaged", "[]"):
        (tmp_path / "transfer.json").write_text(content)
        measure(tmp_path, "transfer")
        assert transferred.read(tmp_path / "transfer.json") == []
        assert ("Nothing that was measured earlier is kept" in capsys.readouterr().out) == (content == "damaged")


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A record of one model of a folder of MIDI files, and the names of the corpora that are loaded."""
    run, loaded = recorded(corpus="folder:my-songs", corpus_sha256=FOLK.sha256), []
    (tmp_path / "results.json").write_text(json.dumps([run.model_dump()]))
    plan, folder = TINY.plan("attention"), tmp_path / "runs" / run.run.folder
    (tmp_path / "weights").mkdir()
    (folder / "kept").mkdir(parents=True)
    write_json(folder / "metrics.json", run.model_dump())
    for path in (tmp_path / f"weights/{run.name}.safetensors", folder / "weights.safetensors"):
        save_weights(build(plan.model), path, {"model": "attention", "plan": asdict(plan)})
    monkeypatch.setattr(measuring.corpora, "load", lambda name, _: loaded.append(name) or FOLK)
    monkeypatch.setattr(transferred, "measure", lambda *given: {"n": 1, "conditions": {"bar 1": {"structure_kept": 1}}})
    return tmp_path, loaded


def test_ones_own_run_is_measured_on_ones_own_corpus_and_no_other_is_loaded(own):
    folder, loaded = own
    measure(folder, "transfer")
    (run,) = transferred.read(folder / "transfer.json")
    assert run["corpus"] == "folder:my-songs" and loaded == ["folder:my-songs"]


@pytest.mark.parametrize("part", ["inside", "transfer", "emergence", "playground", "a prior"])
def test_a_run_is_not_measured_on_another_version_of_its_corpus(own, part):
    folder, _ = own
    (run,) = json.loads((folder / "results.json").read_text())
    for path, value in ((folder / "results.json", [run]), (*folder.glob("runs/*/*/*/*/metrics.json"), run)):
        run["corpus_sha256"] = "0"
        write_json(path, value)
    with pytest.raises(TvaeError, match="was trained on another version of folder:my-songs"):
        if part == "a prior":
            beyond.train_prior(folder, folder / "weights", replace(FOLK, name=run["corpus"]))
        else:
            measure(folder, part)
