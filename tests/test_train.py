"""Training: repeatable, resumable to the bit after SIGKILL, honest when it fails."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from examples import TINY
from filelock import FileLock

import tvae
from tvae import TvaeError, corpus
from tvae import train as training
from tvae.checkpoint import in_eight_bits
from tvae.presets import MODELS, Stage
from tvae.report import record
from tvae.report.entry import entry as checked
from tvae.runs import Run
from tvae.train import train

LSTMS = [name for name, row in MODELS.items() if row.lstm]
TRAINED = [name for name in MODELS if MODELS[name].trained]  # not that of the authors

pytestmark = pytest.mark.slow

# The same in a process of its own, that can be killed; a checkpoint at every log row gives it many states to die in.
SCRIPT = """
import json, sys
sys.path.insert(0, "tests")
from tvae import train
from examples import TINY
train.CHECKPOINT_SECONDS = 0
train.PRESETS["smoke"] = TINY
print(train.train(preset="smoke", **json.loads(sys.argv[1])))
"""


@pytest.fixture
def tiny(monkeypatch):
    monkeypatch.setitem(training.PRESETS, "smoke", TINY)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A finished tiny run of the given settings: trained by the first test that asks for it, and not to be changed."""
    runs = tmp_path_factory.mktemp("finished")
    torch.set_num_threads(1)

    def run(model: str, kl_weight: float | None = None) -> Path:
        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(training.PRESETS, "smoke", TINY)
            return train(model, kl_weight=kl_weight, runs=runs)

    return run


def start(runs, **arguments) -> subprocess.Popen:
    """The script in a process of its own; what it says is in ``runs/said``."""
    with open(runs / "said", "w") as said:
        return subprocess.Popen(
            [sys.executable, "-c", SCRIPT, json.dumps({"runs": str(runs), **arguments})],
            cwd=os.path.dirname(os.path.dirname(__file__)),
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            stdout=said,
            stderr=said,
        )


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    runs = tmp_path_factory.mktemp("whole")
    process = start(runs)
    assert process.wait(300) == 0, (runs / "said").read_text()
    return runs / "smoke/folk/attention/fold0"


def the_same(one, other) -> bool:
    """Equal weights to the bit, and the same history but for the time it took."""
    histories = [pd.read_csv(folder / "history.csv").drop(columns="seconds") for folder in (one, other)]
    weights = [(folder / "weights.safetensors").read_bytes() for folder in (one, other)]
    return weights[0] == weights[1] and histories[0].equals(histories[1])


def test_a_run_leaves_what_the_book_needs(uninterrupted):
    assert {"config.json", "history.csv", "weights.safetensors", "metrics.json", "pieces.npz"} <= {
        path.name for path in uninterrupted.iterdir()
    }
    assert not (uninterrupted / "checkpoint.pt").exists()
    metrics = json.loads((uninterrupted / "metrics.json").read_text())
    checked(metrics, "the run")
    history = pd.read_csv(uninterrupted / "history.csv")
    for number in (0, 1):
        stage = history[history.stage == number]
        assert stage.loss.iloc[-5:].mean() < stage.loss.iloc[0]
    assert history.validation_accuracy_free_running.notna().sum() >= 10


def kill_until_finished(folder, kills: int, after: str, longest: float, **arguments) -> int:
    """Start the run in `folder` again and again, killing it `kills` times; returns how often it died at work.

    A process is killed up to `longest` seconds after it first writes the file `after`.
    """
    moments, died = random.Random(7), 0
    runs, sign = folder.parents[3], folder / after
    while not (folder / "metrics.json").exists():
        process = start(runs, **arguments)
        if kills:
            deadline = time.monotonic() + 120
            before = sign.stat().st_mtime_ns if sign.exists() else 0
            while process.poll() is None and time.monotonic() < deadline:  # let it get going, then kill it
                if sign.exists() and sign.stat().st_mtime_ns != before:
                    time.sleep(moments.uniform(0, longest))
                    break
                time.sleep(0.005)
            process.send_signal(signal.SIGKILL)
            died += process.wait() == -signal.SIGKILL
            kills -= 1
        else:
            assert process.wait(300) == 0, (runs / "said").read_text()
    return died


def test_killed_at_random_moments_it_ends_with_the_same_weights(uninterrupted, tmp_path):
    folder = tmp_path / "smoke/folk/attention/fold0"
    assert kill_until_finished(folder, kills=4, after="history.csv", longest=0.3) >= 2
    assert the_same(uninterrupted, folder) and not list(folder.rglob("*.part"))


def test_a_killed_lstm_goes_on_and_ends_with_the_same_weights(finished, tmp_path):
    folder = tmp_path / "smoke/folk/lstm_conductor/fold0"
    assert kill_until_finished(folder, kills=1, after="checkpoint.pt", longest=0.1, model="lstm_conductor") == 1
    assert the_same(finished("lstm_conductor"), folder)


def test_a_killed_run_of_another_kl_weight_goes_on_and_ends_with_the_same_weights(finished, tmp_path):
    base, folder = tmp_path / "smoke/folk/attention/fold0", tmp_path / "smoke/folk/attention/fold0-kl4"
    shutil.copytree(finished("attention"), base)
    assert kill_until_finished(folder, kills=1, after="checkpoint.pt", longest=0.1, kl_weight=4.0) == 1
    assert the_same(finished("attention", 4.0), folder) and the_same(finished("attention"), base)


def test_two_runs_with_one_seed_are_equal_and_with_another_are_not(tiny, finished, tmp_path):
    assert the_same(finished("no_attention"), train("no_attention", runs=tmp_path / "two"))
    assert not the_same(finished("no_attention"), train("no_attention", seed=1, runs=tmp_path / "three"))


def test_a_finished_run_is_kept(uninterrupted, tiny):
    before = (uninterrupted / "metrics.json").stat().st_mtime_ns
    assert train("attention", runs=uninterrupted.parents[3]) == uninterrupted
    assert (uninterrupted / "metrics.json").stat().st_mtime_ns == before


def test_a_run_that_was_finished_elsewhere_is_kept_without_stage_0_and_whatever_this_machine_is(
    finished, tiny, tmp_path, monkeypatch
):
    folder = tmp_path / "smoke/folk/attention/fold0"
    shutil.copytree(finished("attention"), folder)
    before = {path: path.read_bytes() for path in folder.iterdir()}
    precision = json.loads(before[folder / "config.json"])["precision"]
    monkeypatch.setattr(training, "use_bf16", lambda _: precision != "bf16")
    assert train("attention", runs=tmp_path) == folder
    assert {path: path.read_bytes() for path in folder.iterdir()} == before
    assert [path.name for path in (tmp_path / "smoke/folk").iterdir()] == ["attention"]


def test_a_finished_stage_0_is_taken_whatever_this_machine_is(finished, tiny, tmp_path, monkeypatch):
    folder = tmp_path / "smoke/folk/local_dense/fold0"
    shutil.copytree(finished("attention").parents[1] / "local_dense/fold0", folder)
    before = {path: path.read_bytes() for path in folder.iterdir()}
    precision = json.loads(before[folder / "config.json"])["precision"]
    monkeypatch.setattr(training, "use_bf16", lambda _: precision != "bf16")
    run = Run("smoke", "folk", "attention", 0)
    assert training.train_local_layer(TINY.plan("attention"), corpus.load("folk"), run, tmp_path) == folder
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_a_folder_with_other_settings_is_not_overwritten(uninterrupted, monkeypatch):
    before = (uninterrupted / "weights.safetensors").read_bytes()
    other = replace(TINY, stage_1=replace(TINY.stage_1, kl_weight=2.0))
    monkeypatch.setitem(training.PRESETS, "smoke", other)
    with pytest.raises(TvaeError, match=r"other settings or data \(plan differ\)"):
        train("attention", runs=uninterrupted.parents[3])
    assert (uninterrupted / "weights.safetensors").read_bytes() == before


def test_one_process_a_run(tiny, tmp_path):
    folder = tmp_path / "smoke/folk/attention/fold0"
    folder.mkdir(parents=True)
    with FileLock(folder / ".lock", is_singleton=False), pytest.raises(TvaeError, match="another process"):
        train("attention", runs=tmp_path)


def test_a_loss_that_is_no_number_stops_the_run_and_keeps_the_checkpoint(tmp_path, monkeypatch):
    wild = replace(
        TINY, stage_1=replace(TINY.stage_1, learning_rate=((0, 1e-3), (1_600, 1e-3), (1_600, 1e9), (3_200, 1e9)))
    )
    monkeypatch.setattr(training, "CHECKPOINT_SECONDS", 0)
    monkeypatch.setitem(training.PRESETS, "smoke", wild)
    with pytest.raises(TvaeError, match="no longer a number.*stage 1"):
        train("attention", runs=tmp_path)
    folder = tmp_path / "smoke/folk/attention/fold0"
    state = torch.load(folder / "checkpoint.pt", weights_only=True)
    assert 0 < state["step"] <= 51 and all(torch.isfinite(value).all() for value in state["module"].values())
    assert not (folder / "metrics.json").exists()


def test_a_step_that_ruins_the_weights_is_never_saved(tiny, tmp_path, monkeypatch):
    """The loss is still a number when the last update before a checkpoint breaks the weights."""
    monkeypatch.setattr(training, "CHECKPOINT_SECONDS", 0)
    step = torch.optim.Adam.step
    calls = iter(range(10_000))

    def ruin(self, *arguments):
        step(self, *arguments)
        if next(calls) == 20:
            self.param_groups[0]["params"][0].data[0] = float("inf")

    monkeypatch.setattr(torch.optim.Adam, "step", ruin)
    with pytest.raises(TvaeError, match="no longer a number"):
        train("attention", runs=tmp_path)
    checkpoint = tmp_path / "smoke/folk/local_dense/fold0/checkpoint.pt"
    state = torch.load(checkpoint, weights_only=True)
    assert all(torch.isfinite(value).all() for value in state["module"].values())


def test_models_of_a_fold_share_stage_0_and_each_fold_has_its_own_seed(tiny, finished, tmp_path):
    first, second = finished("attention"), finished("no_attention")
    local = first.parents[1] / "local_dense" / "fold0" / "weights.safetensors"
    sums = [json.loads((folder / "config.json").read_text())["start"] for folder in (first, second)]
    assert sums == [sha256(local.read_bytes()).hexdigest()] * 2
    assert json.loads((train(fold=2, runs=tmp_path) / "metrics.json").read_text())["seed"] == 2


def test_weights_are_kept_along_the_way(monkeypatch, tmp_path):
    keeping = replace(TINY, stage_1=replace(TINY.stage_1, average=320, keep=4))
    monkeypatch.setitem(training.PRESETS, "smoke", keeping)
    folder = train(runs=tmp_path)
    kept = sorted((folder / "kept").iterdir())
    assert [int(path.stem) for path in kept] == [800, 1600, 2400, 3200]
    last, end = tvae.load(kept[-1]).state_dict(), tvae.load(folder / "weights.safetensors").state_dict()
    assert all(torch.equal(last[name], end[name]) for name in end)


def test_a_damaged_checkpoint_is_a_sentence(tiny, tmp_path):
    folder = tmp_path / "smoke/folk/attention/fold0"
    folder.mkdir(parents=True)
    (folder / "checkpoint.pt").write_bytes(b"not a checkpoint")
    with pytest.raises(TvaeError, match="delete it"):
        train("attention", runs=tmp_path)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"model": "transformer"}, "attention, no_attention"),
        ({"preset": "huge"}, "smoke, cpu, long, paper"),
        ({"corpus": "bach"}, "folk"),
        ({"fold": 7}, "0 to 4"),
        ({"model": "official"}, "`python -m tvae official` makes its weights file"),
        ({"seed": -1}, "A seed of -1 makes no sense"),
        ({"seed": 2**64}, "A seed of 18446744073709551616 makes no sense"),
        ({"kl_weight": -1.0}, "KL weight of -1.0"),
        ({"kl_weight": float("nan")}, "KL weight of nan"),
        ({"kl_weight": float("inf")}, "KL weight of inf"),
    ],
)
def test_settings_that_make_no_sense_are_a_sentence_and_leave_nothing(arguments, sentence, tmp_path):
    with pytest.raises(TvaeError, match=sentence):
        train(**{"runs": tmp_path, **arguments})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "arguments",
    [
        ["train", "--model", "nonsense", "--runs", "folder/runs"],
        ["train", "--runs", "file/runs"],
        ["playground", "--page", "file/page"],
    ],
)
def test_the_command_line_says_a_sentence_and_exits_with_1(arguments, tmp_path):
    (tmp_path / "file").touch()
    command = [sys.executable, "-m", "tvae", *arguments[:-1], str(tmp_path / arguments[-1])]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr.startswith("tvae: ") and done.stderr.count("\n") == 1


@pytest.mark.parametrize("model", TRAINED)
def test_each_model_trains_and_its_released_weights_decode_as_it_did(model, finished, tmp_path):
    folder = finished(model)
    history = pd.read_csv(folder / "history.csv")
    assert set(history.stage) == ({1} if model in ("no_stage_0", *LSTMS) else {0, 1})
    loss = history[history.stage == 1].loss
    assert loss.iloc[-5:].mean() < 0.9 * loss.iloc[0]
    [entry] = record.collect([folder], tmp_path / "record", tmp_path / "weights")
    (stored,) = record.stored(tmp_path / "record")
    assert stored == json.loads((folder / "metrics.json").read_text())
    assert (entry.model, entry.sweep, entry.kl_weight) == (model, False, 1.0)
    assert entry.accuracy_free_running > 0.4
    trained = tvae.load(folder / "weights.safetensors")
    if entry.released:
        released = record.load_model(tmp_path / "weights", entry)
    else:  # measured in eight bits like the others
        assert not any((tmp_path / "weights").iterdir())
        released = in_eight_bits(trained)
    assert type(released) is type(trained) and released.config == trained.config == TINY.plan(model).model
    trained = in_eight_bits(trained)
    data = corpus.load("folk")
    test = data.split(0)[1]
    truth = torch.as_tensor(data.tokens[test], dtype=torch.long)
    with torch.no_grad():
        mu, free = released.encode(truth)[0], released.generate(released.encode(truth)[0])
        logits = released.decode(mu, truth)
        assert torch.equal(mu, trained.encode(truth)[0]) and torch.equal(free, trained.generate(mu))
        # So little trained, it may write one and the same piece for all codes; what it almost wrote tells more.
        assert torch.equal(logits, trained.decode(mu, truth)) and not torch.equal(logits[0], logits[1])
    right = (free == truth) & (torch.arange(128) < torch.as_tensor(data.length[test])[:, None])
    scores, _ = record.pieces(tmp_path / "record", entry)
    assert (scores["correct_free_running"] == right.sum(1).numpy()).all()


@pytest.mark.parametrize("model", ["attention", "lstm_8x1"])
def test_a_run_of_another_kl_weight_goes_on_from_the_finished_one(model, finished):
    base, folder = finished(model), finished(model, 4.0)
    assert folder == base.with_name("fold0-kl4")
    config = json.loads((folder / "config.json").read_text())
    assert config["start"] == sha256((base / "weights.safetensors").read_bytes()).hexdigest()
    assert config["plan"]["stage_0"] is None and config["plan"]["stage_1"]["kl_weight"] == 4.0
    metrics = json.loads((folder / "metrics.json").read_text())
    checked(metrics, "the run")
    assert metrics["sweep"] and metrics["kl_weight"] == 4.0 and metrics["steps"] == TINY.sweep / 32
    before, history = pd.read_csv(base / "history.csv"), pd.read_csv(folder / "history.csv")
    assert set(history.stage) == {1}
    first, last = history.distortion_nats_per_piece.iloc[0], before.distortion_nats_per_piece.iloc[-5:].mean()
    untrained = before[before.stage == 1].distortion_nats_per_piece.iloc[0]
    assert abs(first - last) < 0.2 * (untrained - last)


@pytest.mark.parametrize("model", ["attention", "lstm_8x1"])
def test_before_its_first_step_a_run_of_another_kl_weight_is_the_finished_one(model, finished, tmp_path, monkeypatch):
    shutil.copytree(finished(model), tmp_path / f"smoke/folk/{model}/fold0")
    monkeypatch.setitem(training.PRESETS, "smoke", TINY)
    still = ((0, 0.0), (64, 0.0))
    monkeypatch.setattr(Stage, "lasting", lambda stage, rows: replace(stage, learning_rate=still))
    folder = train(model, kl_weight=4.0, runs=tmp_path)
    weights = [tvae.load(run / "weights.safetensors").state_dict() for run in (finished(model), folder)]
    assert all(torch.equal(weights[0][key], weights[1][key]) for key in weights[0])


def test_a_run_of_another_kl_weight_first_trains_the_one_that_it_goes_on_from(tiny, finished, tmp_path):
    folder = train("no_stage_0", kl_weight=0.25, runs=tmp_path)
    base = tmp_path / "smoke/folk/no_stage_0/fold0"
    assert folder == base.with_name("fold0-kl0.25") and (folder / "metrics.json").exists()
    assert the_same(base, finished("no_stage_0"))
    assert not the_same(base, folder)


@pytest.mark.parametrize("model", ["attention", "lstm_8x1"])
def test_a_higher_kl_weight_buys_a_lower_rate(model, finished):
    low, high = (
        json.loads((finished(model, weight) / "metrics.json").read_text())["rate_nats_per_piece"]
        for weight in (0.0, 4.0)
    )
    assert low > 5 and high < 0.5


def test_a_run_of_another_kl_weight_keeps_to_the_weights_that_it_went_on_from(tiny, finished, tmp_path):
    for kl_weight in (None, 4.0):
        folder = finished("attention", kl_weight)
        shutil.copytree(folder, tmp_path / "smoke/folk/attention" / folder.name)
    assert train("attention", kl_weight=4.0, runs=tmp_path) == tmp_path / "smoke/folk/attention/fold0-kl4"
    base = tmp_path / "smoke/folk/attention/fold0"
    vae = tvae.load(base / "weights.safetensors")
    next(vae.parameters()).data += 0.01
    training.save_weights(vae, base / "weights.safetensors", json.loads((base / "config.json").read_text()))
    with pytest.raises(TvaeError, match="fold0-kl4 holds a run with other settings"):
        train("attention", kl_weight=4.0, runs=tmp_path)
    assert the_same(finished("attention", 4.0), base.with_name("fold0-kl4"))


def test_released_weights_give_the_recorded_metrics(uninterrupted, tmp_path):
    [entry] = record.collect([uninterrupted], tmp_path / "record", tmp_path / "weights")
    vae = record.load_model(tmp_path / "weights", entry)
    data = corpus.load("folk")
    test = data.split(0)[1]
    metrics, pieces = training.evaluate(vae, data.tokens[test], data.length[test])
    for key in ("accuracy_free_running", "accuracy_teacher_forced", "rate_nats_per_piece", "distortion_nats_per_piece"):
        assert metrics[key] == pytest.approx(entry.score(key), rel=5e-5, abs=5e-5)
    recorded, song = record.pieces(tmp_path / "record", entry)
    assert (song == data.song[test]).all()
    np.testing.assert_array_equal(pieces["correct_free_running"], recorded["correct_free_running"])
    assert (tmp_path / "weights" / "smoke-folk-attention-fold0.safetensors").stat().st_size < 1.5 * entry.parameters


def test_weights_that_are_none_are_a_sentence(tmp_path):
    (tmp_path / "x.safetensors").write_bytes(b"\x00" * 40)
    for path in (tmp_path / "x.safetensors", tmp_path / "missing.safetensors"):
        with pytest.raises(TvaeError, match="no weights"):
            tvae.load(path)
