"""Training: repeatable, resumable to the bit after SIGKILL, honest when it fails."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from tvae import TvaeError, corpus, record
from tvae import train as training
from tvae.melody import transpose
from tvae.train import PRESETS, Preset, Rows, Stage, load_weights, train

TINY = Preset(
    replace(PRESETS["smoke"].model, hidden=(24, 16), d_model=16, d_head=8, d_feedforward=16, d_latent=8),
    (
        Stage(256, ((0, 2e-3), (10_000, 2e-3)), kl_weight=0.1),
        Stage(32, ((0, 2e-4), (800, 2e-3), (6_000, 1e-5)), kl_weight=1.0),
    ),
)
# The same in a process of its own, that can be killed; a checkpoint at every log row gives it many states to die in.
SCRIPT = """
import sys
sys.path.insert(0, "tests")
from tvae import train
from test_train import TINY
train.Training.CHECKPOINT_SECONDS = 0
train.PRESETS["smoke"] = TINY
print(train.train("attention", "folk", "smoke", runs=sys.argv[1]))
"""


@pytest.fixture
def tiny(monkeypatch):
    monkeypatch.setitem(training.PRESETS, "smoke", TINY)


def start(runs) -> subprocess.Popen:
    """The script in a process of its own; what it says is in ``runs/said``."""
    with open(runs / "said", "w") as said:
        return subprocess.Popen(
            [sys.executable, "-c", SCRIPT, str(runs)],
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
    record.check(metrics, "the run")
    history = pd.read_csv(uninterrupted / "history.csv")
    for number in (0, 1):
        stage = history[history.stage == number]
        assert stage.loss.iloc[-5:].mean() < stage.loss.iloc[0]
    assert history.accuracy_free_running.notna().sum() >= 10


def test_killed_at_random_moments_it_ends_with_the_same_weights(uninterrupted, tmp_path):
    moments, kills = random.Random(7), 0
    folder = tmp_path / "smoke/folk/attention/fold0"
    while not (folder / "metrics.json").exists():
        process = start(tmp_path)
        if kills < 4:
            deadline = time.monotonic() + 120
            before = (folder / "history.csv").stat().st_mtime_ns if (folder / "history.csv").exists() else 0
            while process.poll() is None and time.monotonic() < deadline:  # let it get going, then kill it
                if (folder / "history.csv").exists() and (folder / "history.csv").stat().st_mtime_ns != before:
                    time.sleep(moments.uniform(0, 0.5))
                    break
                time.sleep(0.005)
            process.send_signal(signal.SIGKILL)
            process.wait()
            kills += 1
        else:
            assert process.wait(300) == 0, (tmp_path / "said").read_text()
    assert kills >= 2
    assert the_same(uninterrupted, folder)


def test_two_runs_with_one_seed_are_equal_and_with_another_are_not(tiny, tmp_path):
    torch.set_num_threads(1)
    one, two = (train("no_attention", runs=tmp_path / name) for name in ("one", "two"))
    assert the_same(one, two)
    assert not the_same(one, train("no_attention", seed=1, runs=tmp_path / "three"))


def test_a_finished_run_is_kept(uninterrupted, tiny):
    before = (uninterrupted / "metrics.json").stat().st_mtime_ns
    assert train("attention", runs=uninterrupted.parents[3]) == uninterrupted
    assert (uninterrupted / "metrics.json").stat().st_mtime_ns == before


def test_a_folder_with_other_settings_is_not_overwritten(uninterrupted, tiny):
    before = (uninterrupted / "weights.safetensors").read_bytes()
    with pytest.raises(TvaeError, match="other settings"):
        train("attention", seed=5, runs=uninterrupted.parents[3])
    assert (uninterrupted / "weights.safetensors").read_bytes() == before


def test_one_process_a_run(tiny, tmp_path):
    folder = tmp_path / "smoke/folk/attention/fold0"
    folder.mkdir(parents=True)
    with training.only_one(folder), pytest.raises(TvaeError, match="another process"):
        train("attention", runs=tmp_path)


def test_a_loss_that_is_no_number_stops_the_run_and_keeps_the_checkpoint(tmp_path, monkeypatch):
    wild = replace(TINY, stages=(TINY.stages[0], replace(TINY.stages[1], learning_rate=((0, 1e9), (6_000, 1e9)))))
    monkeypatch.setitem(training.PRESETS, "smoke", wild)
    with pytest.raises(TvaeError, match="no longer a number.*stage 1"):
        train("attention", runs=tmp_path)
    folder = tmp_path / "smoke/folk/attention/fold0"
    state = torch.load(folder / "checkpoint.pt", weights_only=True)
    assert state["stage"] == 0 and all(torch.isfinite(value).all() for value in state["vae"].values())
    assert not (folder / "metrics.json").exists()


def test_a_step_that_ruins_the_weights_is_never_saved(tiny, tmp_path, monkeypatch):
    """The loss is still a number when the last update before a checkpoint breaks the weights."""
    monkeypatch.setattr(training.Training, "CHECKPOINT_SECONDS", 0)
    step = torch.optim.Adam.step
    calls = iter(range(10_000))

    def ruin(self, *arguments):
        step(self, *arguments)
        if next(calls) == 20:
            self.param_groups[0]["params"][0].data[0] = float("inf")

    monkeypatch.setattr(torch.optim.Adam, "step", ruin)
    with pytest.raises(TvaeError, match="no longer a number"):
        train("attention", runs=tmp_path)
    checkpoint = tmp_path / "smoke/folk/attention/fold0/checkpoint.pt"
    state = torch.load(checkpoint, weights_only=True)
    assert all(torch.isfinite(value).all() for value in state["vae"].values())


def test_padded_steps_count_in_the_loss_only_as_the_release_has_it(tmp_path):
    data = corpus.load("folk")
    for plan, expected in ((TINY, 128 * len(data)), (replace(TINY, count_padding=False), int(data.length.sum()))):
        config = {"seed": 0, "fold": 0}
        run = training.Training(plan, config, data, tmp_path, torch.device("cpu"))
        run.train_index = np.arange(len(data))
        assert int(run.rows(1).counted.sum()) == int(run.rows(0).counted.sum()) == expected


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
        ({"preset": "huge"}, "smoke, cpu, paper"),
        ({"corpus": "bach"}, "folk"),
        ({"fold": 7}, "0 to 4"),
    ],
)
def test_an_unknown_name_is_a_sentence(arguments, sentence, tmp_path):
    with pytest.raises(TvaeError, match=sentence):
        train(**{"runs": tmp_path, **arguments})


def test_the_command_line_says_a_sentence_and_exits_with_1(tmp_path):
    command = [sys.executable, "-m", "tvae.train", "--model", "nonsense", "--runs", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr.startswith("tvae: ") and "Traceback" not in done.stderr


def test_each_row_is_heard_in_every_transposition_in_nine_passes():
    tokens = corpus.load("folk").tokens[:20]
    rows = Rows(tokens, np.ones_like(tokens, dtype=bool), batch=5, seed=0, device=torch.device("cpu"))
    heard = {tuple(row) for step in range(9 * 4) for row in rows[step][0].numpy()}
    table = training.transposition_table  # the training's own, without making sustains of lost notes silent
    expected = {tuple(table(shift)[piece]) for piece in tokens for shift in range(-4, 5)}
    assert heard == expected


def test_transposing_on_the_device_is_transposing(tmp_path):
    tokens = corpus.load("folk").tokens[:200]
    middle = tokens[(np.where(tokens > 1, tokens, 20).min(1) > 5) & (np.where(tokens > 1, tokens, 20).max(1) < 43)]
    assert len(middle) > 20
    for shift in (-3, 2):
        assert (training.transposition_table(shift)[middle] == transpose(middle, shift)).all()


def test_the_release_schedule():
    stage_0, stage_1 = PRESETS["paper"].stages
    assert stage_1.batch == 16 and 6.9e6 < stage_1.rows < 7.1e6 and stage_0.kl_weight == 0.1
    assert [rate for _, rate in stage_1.learning_rate] == [1e-4, 1e-4, 1e-5, 1e-5, 1e-6, 1e-6]


def test_released_weights_give_the_recorded_metrics(uninterrupted, tmp_path):
    [entry] = record.collect([uninterrupted], tmp_path / "record", tmp_path / "weights")
    vae = record.load_model(tmp_path / "weights", entry)
    data = corpus.load("folk")
    test = data.split(0)[1]
    metrics, pieces = training.evaluate(vae, data.tokens[test], data.length[test])
    for key in ("accuracy_free_running", "accuracy_teacher_forced", "rate_nats_per_piece", "distortion_nats_per_piece"):
        assert metrics[key] == pytest.approx(entry[key], abs=5e-5 * max(1, abs(entry[key])))
    recorded, song = record.pieces(tmp_path / "record", entry)
    assert (song == data.song[test]).all()
    np.testing.assert_array_equal(pieces["correct_free_running"], recorded["correct_free_running"])
    assert (tmp_path / "weights" / "smoke-folk-attention-fold0.safetensors").stat().st_size < 2.2 * entry["parameters"]


def test_weights_that_are_none_are_a_sentence(tmp_path):
    (tmp_path / "x.safetensors").write_bytes(b"\x00" * 40)
    for path in (tmp_path / "x.safetensors", tmp_path / "missing.safetensors"):
        with pytest.raises(TvaeError, match="no weights"):
            load_weights(path)
