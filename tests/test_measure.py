"""`python -m tvae measure`: it needs what it measures and no more, and makes damaged files anew."""

import json
from dataclasses import asdict, replace

import pytest
from examples import ENTRY, TINY, recorded

from tvae import TvaeError, corpus
from tvae.checkpoint import save_weights
from tvae.files import write_json
from tvae.presets import build
from tvae.report import beyond, measured, measuring, transferred

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
        save_weights(build("attention", plan.model), path, {"model": "attention", "plan": asdict(plan)})
    monkeypatch.setattr(measuring, "load", lambda name, _: loaded.append(name) or FOLK)
    monkeypatch.setattr(transferred, "measure", lambda *given: {"n": 1, "conditions": {"bar 1": {"structure_kept": 1}}})
    return tmp_path, loaded


def test_ones_own_run_is_measured_on_ones_own_corpus_and_no_other_is_loaded(own):
    folder, loaded = own
    measure(folder, "transfer")
    (run,) = transferred.read(folder / "transfer.json")
    assert run["corpus"] == "folder:my-songs" and loaded == ["folder:my-songs"]


@pytest.fixture
def another_version(own):
    """The same record, where the run was trained on another version of its corpus."""
    folder, _ = own
    (run,) = json.loads((folder / "results.json").read_text())
    for path, value in ((folder / "results.json", [run]), (*folder.glob("runs/*/*/*/*/metrics.json"), run)):
        run["corpus_sha256"] = "0"
        write_json(path, value)
    return folder


@pytest.mark.parametrize("part", ["playground", "a prior"])
def test_a_run_is_not_measured_on_another_version_of_its_corpus(another_version, part):
    folder = another_version
    with pytest.raises(TvaeError, match="was trained on another version of folder:my-songs"):
        if part == "a prior":
            beyond.train_prior(folder, folder / "weights", replace(FOLK, name="folder:my-songs"))
        else:
            measure(folder, part)


@pytest.mark.parametrize(
    ("part", "file", "nothing"),
    [
        ("inside", "inside.json", {"runs": {}, "elsewhere": []}),
        ("transfer", "transfer.json", []),
        ("emergence", "emergence.json", None),
    ],
)
def test_and_where_several_are_measured_it_is_said_of_that_one(
    another_version, part, file, nothing, capsys, monkeypatch
):
    folder = another_version
    monkeypatch.setattr(measured, "NAMES", ())
    measure(folder, part)
    assert "was trained on another version of folder:my-songs" in capsys.readouterr().out
    assert (json.loads((folder / file).read_text()) if (folder / file).exists() else None) == nothing


def test_what_cannot_be_measured_costs_nothing_of_what_can(tmp_path, monkeypatch, capsys):
    """One corpus is not at hand, the weights of a run neither: what was recorded of them stays, the others are new."""
    runs = [
        recorded(corpus="folk", corpus_sha256=FOLK.sha256, rate_nats_per_piece=20.0),
        recorded(corpus="hooktheory", rate_nats_per_piece=30.0),
        recorded(corpus="hooktheory", model="no_attention", rate_nats_per_piece=40.0),
    ]
    rows = [
        run.about() | {"run": run.name, "trained_on": run.corpus, "tested_on": name}
        for run in runs
        for name in (run.corpus, "pop909")
    ]
    rows[-1]["git_commit"] = rows[-2]["git_commit"] = "an earlier one"
    rows.append(rows[0] | {"tested_on": "a corpus that there is no more"})
    earlier = {run.name: run.about() | {"codes": "recorded"} for run in runs}
    earlier[runs[2].name]["git_commit"] = "an earlier one"
    write_json(tmp_path / "results.json", [run.model_dump() for run in runs])
    write_json(tmp_path / "inside.json", {"runs": earlier, "elsewhere": rows})
    plan = TINY.plan("attention")
    (tmp_path / "weights").mkdir()
    for run in runs[:2]:
        path = tmp_path / "weights" / f"{run.name}.safetensors"
        save_weights(build("attention", plan.model), path, {"model": "attention", "plan": asdict(plan)})

    def load(name, _):
        if name != "folk":
            raise TvaeError(f"{name} is not here.")
        return FOLK

    monkeypatch.setattr(measuring, "load", load)
    monkeypatch.setattr(measured, "measure", lambda *given: {"codes": "measured"})
    monkeypatch.setattr(measured.limits, "elsewhere", lambda *given: {"rate_nats_per_piece": [20.0] * 3})
    measure(tmp_path, "corpora", "inside")
    found, said = measured.read(tmp_path / "inside.json"), capsys.readouterr().out
    assert {name: one["codes"] for name, one in found["runs"].items()} == {
        runs[0].name: "measured",
        runs[1].name: "recorded",
    }
    # Of the third run the rows are of an earlier training.
    assert [(row["trained_on"], row["tested_on"]) for row in found["elsewhere"]] == [
        ("folk", "folk"), ("folk", "pop909"), ("hooktheory", "folk"), ("hooktheory", "hooktheory"),
        ("hooktheory", "pop909"),
    ]  # fmt: skip
    assert f"{runs[1].name} stays as it was recorded: hooktheory is not here." in said
    assert f"{runs[2].name} is not measured:" in said and said.count("stays: pop909 is not here.") == 1
    assert [one["name"] for one in json.loads((tmp_path / "corpora.json").read_text())] == ["folk"]
