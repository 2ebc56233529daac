"""The runs: what config.yaml plans, who trains where, how far it is; and what the Snakefile makes of it."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
import yaml

from tvae import TvaeError, corpus
from tvae.machine import choose_device, device_name
from tvae.presets import MODELS, PRESETS
from tvae.report.status import duration, status, time_left
from tvae.runs import Progress, Run, planned, progress

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent
CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text())
FOUR = ["attention", "no_attention", "lstm_8x1", "lstm_1x8"]


def start(*arguments, cwd: Path) -> subprocess.Popen:
    """This interpreter, in `cwd`, with this repository's tvae; what it prints can be read, and it can be talked to."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(cwd / ".cache")}
    pipes = dict.fromkeys(("stdin", "stdout"), subprocess.PIPE) | {"stderr": subprocess.STDOUT}
    return subprocess.Popen([sys.executable, *arguments], cwd=cwd, env=environment, text=True, **pipes)


def run(*arguments, cwd: Path) -> tuple[int, str]:
    """The same until its end: exit status and what it printed."""
    with start(*arguments, cwd=cwd) as process:
        said = process.communicate()[0]
    return process.returncode, said


def stop(process: subprocess.Popen) -> None:
    process.kill()
    process.communicate()


def until(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


class TestPlanned:
    @pytest.mark.parametrize("preset", CONFIG["presets"])
    def test_everything_in_config_yaml_can_be_trained(self, preset):
        runs, known = planned(CONFIG, preset), (*corpus.NAMES, *corpus.LONGER)
        assert len(set(runs)) == len(runs) and preset in PRESETS
        for run in runs:
            assert run.corpus in known and run.model in MODELS and run.fold in range(corpus.FOLDS)
            assert run.kl_weight is None or Run(preset, run.corpus, run.model, run.fold) in runs

    def test_the_most_important_come_first(self):
        assert planned(CONFIG, "paper")[:5] == [
            *(Run("paper", "hooktheory", model, 0) for model in FOUR),
            Run("paper", "hooktheory", "attention", 1),
        ]

    def test_a_run_of_two_blocks_is_one(self):
        block = {"corpora": ["folk"], "models": FOUR, "folds": [0]}
        assert len(planned({"presets": {"toy": [block, {**block, "folds": [0, 1]}]}}, "toy")) == 8

    def test_a_seed_of_its_own_has_a_folder_of_its_own(self):
        assert (
            Run("cpu", "folk", "attention", 2).drawn == 2 and Run("cpu", "folk", "attention", 2, seed=2).part == "fold2"
        )
        assert Run("cpu", "folk", "attention", 2, 4, seed=7).part == "fold2-seed7-kl4"

    def test_folders(self):
        run = Run("cpu", "folk", "attention", 0, 0.25)
        assert str(run.folder) == "cpu/folk/attention/fold0-kl0.25" and run.name == "cpu-folk-attention-fold0-kl0.25"

    @pytest.mark.parametrize(
        ("blocks", "sentence"),
        [
            ({"corpora": ["folk"]}, "toy should be a list of blocks"),
            (["folk"], "toy, block 1 should have corpora"),
            ([{"corpora": ["folk"], "models": FOUR}], "block 1 should have corpora, models, folds"),
            ([{"corpora": ["folk"], "models": FOUR, "folds": [0], "kl_weight": [4]}], "block 1.*nothing else"),
            ([{"corpora": "folk", "models": FOUR, "folds": [0]}], "block 1: corpora should be a list.*'folk'"),
            ([{"corpora": ["folk"], "models": FOUR, "folds": ["all"]}], r"block 1: folds.*\['all'\]"),
        ],
    )
    def test_a_block_that_is_none_is_named(self, blocks, sentence):
        with pytest.raises(TvaeError, match=sentence):
            planned({"presets": {"toy": blocks}}, "toy")

    @pytest.mark.parametrize("config", [None, {}, {"corpora": []}, {"presets": None}, [1]])
    def test_a_configuration_without_presets(self, config):
        with pytest.raises(TvaeError, match="should have `presets`"):
            planned(config, "toy")

    def test_an_unknown_preset(self):
        with pytest.raises(TvaeError, match="'papr'; choose one of smoke, cpu, paper"):
            planned(CONFIG, "papr")


@pytest.mark.parametrize(("threads", "said"), [(1, ", 1 thread"), (8, ", 8 threads")])
def test_a_cpu_is_named_with_its_threads(monkeypatch, threads, said):
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    assert device_name(torch.device("cpu")).endswith(said)


class TestReserve:
    """Each process says its GPU, and keeps it until it is ended."""

    SCRIPT = (
        "import sys; from tvae.machine import reserve; print(reserve({!r}, sys.argv[1:]), flush=True); sys.stdin.read()"
    )

    @pytest.fixture
    def reserving(self, tmp_path):
        started = []

        def reserve(*gpus):
            script = "from pathlib import Path; " + self.SCRIPT.format(tmp_path / "gpus").replace("PosixPath", "Path")
            started.append(start("-c", script, *gpus, cwd=tmp_path))
            return started[-1]

        yield reserve
        for process in started:
            stop(process)

    def test_started_at_once_they_share_evenly(self, reserving):
        processes = [reserving("one", "two", "three") for _ in range(6)]
        assert sorted(int(process.stdout.readline()) for process in processes) == [0, 0, 1, 1, 2, 2]

    def test_a_killed_process_gives_its_place_back(self, reserving):
        first = reserving("one", "two")
        assert first.stdout.readline() == "0\n"
        assert reserving("one", "two").stdout.readline() == "1\n"
        first.kill()
        first.wait()
        assert reserving("one", "two").stdout.readline() == "0\n"

    def test_a_gpu_goes_by_its_name_whatever_its_number(self, reserving):
        assert reserving("one").stdout.readline() == "0\n"
        assert reserving("two", "one").stdout.readline() == "0\n"
        assert reserving("one", "two", "three").stdout.readline() == "2\n"


class TestChooseDevice:
    @pytest.fixture(autouse=True)
    def forget(self):
        choose_device.cache_clear()
        yield
        choose_device.cache_clear()

    def test_without_a_gpu_it_is_the_cpu(self, monkeypatch, tmp_path):
        monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
        assert choose_device(tmp_path) == torch.device("cpu") and not list(tmp_path.iterdir())

    def test_a_process_keeps_its_gpu_and_the_next_takes_another(self, monkeypatch, tmp_path):
        current = []
        monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
        monkeypatch.setattr(torch.cuda, "get_device_properties", lambda number: SimpleNamespace(uuid=f"GPU {number}"))
        monkeypatch.setattr(torch.cuda, "set_device", current.append)
        assert choose_device(tmp_path) == choose_device(tmp_path) == torch.device("cuda", 0)
        choose_device.cache_clear()  # as another process would ask
        assert choose_device(tmp_path) == torch.device("cuda", 1)
        assert current == [torch.device("cuda", 0), torch.device("cuda", 1)]


HISTORY = "stage,step,pieces,seconds,lr,loss\n"
STAGE_0, STAGE_1 = "0,10,50,5.0,1e-3,1.0\n0,20,100,10.0,1e-3,1.0\n", "1,10,{pieces},{seconds},1e-3,1.0\n"


def make(folder, pieces=400, history=HISTORY, files=()):
    """A run's folder: planned are `pieces` of stage 1."""
    folder.mkdir(parents=True, exist_ok=True)
    stage = {"learning_rate": [[0, 1e-3], [pieces, 1e-3]]}
    (folder / "config.json").write_text(json.dumps({"plan": {"stage_1": stage}}))
    (folder / "history.csv").write_text(history)
    for name in (".lock", *files):
        (folder / name).touch()


@pytest.fixture
def runs(tmp_path):
    """Of four runs one is done, one running, one interrupted, one missing; of the last a killed start is left."""
    base = tmp_path / "runs/toy/folk/attention"
    make(base / "fold0", history=HISTORY + STAGE_0 + STAGE_1.format(pieces=400, seconds=90), files=["metrics.json"])
    make(base / "fold1", history=HISTORY + STAGE_0 + STAGE_1.format(pieces=100, seconds=30))
    make(base / "fold2", history=HISTORY + STAGE_0 + STAGE_1.format(pieces=40, seconds=18), files=["checkpoint.pt"])
    make(base / "fold3", history=HISTORY + "0,10,50,5.0,1e-3,1.0\n")
    (tmp_path / "config.yaml").write_text(
        "presets: {toy: [{corpora: [folk], models: [attention], folds: [0, 1, 2, 3]},"
        " {corpora: [folk], models: [attention], folds: [0], kl_weights: [4]}]}"
    )
    hold = (
        "import sys; from filelock import FileLock; lock = FileLock('.lock');"
        " lock.acquire(); print(flush=True); sys.stdin.read()"
    )
    trainer = start("-c", hold, cwd=base / "fold1")
    trainer.stdout.readline()
    yield tmp_path / "runs"
    stop(trainer)


class TestStatus:
    def read(self, runs):
        toy = planned(yaml.safe_load((runs.parent / "config.yaml").read_text()), "toy")
        return {run: progress(runs / run.folder) for run in toy}

    def test_each_state_is_told(self, runs):
        table = list(self.read(runs).values())
        assert [it.state for it in table] == ["done", "running", "interrupted", "missing", "missing"]
        assert [it.part for it in table] == [1, 100 / 400, 40 / 400, 0, 0]

    def test_asking_leaves_the_locks_alone(self, runs):
        folder = runs / "toy/folk/attention/fold0"
        progress(folder)
        hold = "from filelock import FileLock; FileLock('.lock', timeout=0).acquire()"
        assert run("-c", hold, cwd=folder) == (0, "")

    def test_time_left_is_measured_on_what_was_trained(self, runs):
        # 80 s for 400 pieces, 20 s for 100 and 8 s for 40, after the 10 s of stage 0: a fifth of a second a piece.
        seconds, unknown = time_left(self.read(runs))
        assert seconds == pytest.approx((300 + 360 + 400) / 5) and unknown == 1  # how long is a run with -kl4?

    def test_what_was_not_measured_is_unknown(self):
        done = Progress("done", 400, 80, 400)
        table = {Run("toy", "folk", "a", 0): done, Run("toy", "folk", "b", 0): Progress("missing")}
        assert time_left(table) == (0, 1)
        just_started = Progress("running", 0, 0, 400)
        assert time_left({Run("toy", "folk", "a", 0): just_started}) == (0, 1)

    def test_runs_at_another_weight_are_equally_long(self):
        done = Progress("done", 400, 80, 400)
        table = {
            Run("toy", "folk", "a", 0): done,
            Run("toy", "folk", "b", 0): done,
            Run("toy", "folk", "a", 0, 4): Progress("done", 40, 8, 40),
            Run("toy", "folk", "b", 0, 4): Progress("missing"),
        }
        assert time_left(table) == (pytest.approx(8), 0)

    def test_the_table(self, runs):
        text = status(self.read(runs)).splitlines()
        assert (
            text[0].split()
            == "folk attention fold0 done, fold1 running 25%, fold2 interrupted 10%, fold3 missing".split()
        )
        assert text[1].split() == "folk attention fold0-kl4 missing".split()
        assert text[3] == "5 runs: 1 done, 1 running, 1 interrupted, 2 missing"
        assert text[4] == "Time left: about 4 min with 1 at once" and text[5].startswith("Time left: unknown for 1 ")
        assert "about 2 min with 2 at once" in status(self.read(runs), at_once=2)

    @pytest.mark.parametrize("number", [0, -2])
    def test_no_run_at_once_is_a_sentence(self, runs, number):
        with pytest.raises(TvaeError, match=f"{number} runs at once cannot train"):
            status(self.read(runs), at_once=number)

    def test_from_the_command_line(self, runs):
        returned, said = run("-m", "tvae", "status", "toy", cwd=runs.parent)
        assert returned == 0 and "5 runs: 1 done, 1 running" in said
        sentence = "tvae: config.yaml has no preset 'other'; choose one of toy.\n"
        assert run("-m", "tvae", "status", "other", cwd=runs.parent) == (1, sentence)

    @pytest.mark.parametrize("arguments", [["status", "toy"], ["--help"]])
    def test_it_does_not_wait_for_pytorch(self, runs, arguments):
        script = (
            "import atexit, sys; from tvae.__main__ import main;"
            "atexit.register(lambda: print({'torch', 'pandas'} & {*sys.modules}));"
            f"main({arguments})"
        )
        returned, said = run("-c", script, cwd=runs.parent)
        assert returned == 0 and said.splitlines()[-1] == "set()"

    @pytest.mark.parametrize("file", ["config.json", "history.csv"])
    def test_a_broken_file_is_named(self, runs, file):
        (runs / "toy/folk/attention/fold2" / file).write_text("stage\nbroken")
        with pytest.raises(TvaeError, match=f"fold2/{file} is not what a run leaves"):
            self.read(runs)

    def test_duration(self):
        assert [duration(seconds) for seconds in (30, 3600, 7200, 200_000)] == ["1 min", "60 min", "2 h", "3 days"]


# In place of scripts/execute.py: notes which run it was called for, and leaves what a finished run leaves last.
STUB = """
import sys, time
from pathlib import Path
folder = Path(sys.argv[2]).parent
with open("order", "a") as order:
    print(folder, file=order)
while Path("wait").exists():
    time.sleep(0.05)
(folder / "metrics.json").touch()
"""


class Graph:
    """A copy of what the graph consists of, without any run."""

    def __init__(self, folder: Path):
        self.folder = folder
        for path in ("Snakefile", "config.yaml", "profiles", "notebooks/train.ipynb", "book/_toc.yml"):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (shutil.copytree if (ROOT / path).is_dir() else shutil.copyfile)(ROOT / path, folder / path)
        (folder / "scripts").mkdir()
        (folder / "scripts/execute.py").write_text(STUB)

    def snakemake(self, *arguments) -> str:
        returned, said = run("-m", "snakemake", *arguments, cwd=self.folder)
        assert returned == 0, said
        return said

    def jobs(self, *arguments) -> dict[str, str]:
        """What a dry run would train: a job's text for each run's folder."""
        said = self.snakemake(*arguments, "--dry-run", "--quiet", "host")
        assert not list(self.folder.glob(".snakemake/locks/*"))
        jobs = re.split(r"\n(?=(?:local)?rule )", re.sub(r"\n\[.*\]", "", said))
        outputs = {re.search(r"output: (\S+)/metrics.json", job): job for job in jobs if job.startswith("rule train:")}
        return {match[1]: job for match, job in outputs.items()}

    def finish(self, *folders: str):
        for folder in folders:
            (self.folder / folder).mkdir(parents=True)
            (self.folder / folder / "metrics.json").touch()


@pytest.fixture
def graph(tmp_path):
    return Graph(tmp_path)


def folders(preset: str) -> set[str]:
    return {f"runs/{run.folder}" for run in planned(CONFIG, preset)}


class TestGraph:
    def test_it_trains_what_is_planned_and_not_done(self, graph):
        base, on = "runs/cpu/hooktheory/attention/fold0", "runs/cpu/hooktheory/attention/fold0-kl4"
        graph.finish(on, base)
        os.utime(graph.folder / on / "metrics.json", (0, 0))  # older than what it went on from: it stays all the same
        jobs = graph.jobs("record", "--config", "preset=cpu")
        assert set(jobs) == folders("cpu") - {base, on}
        other = jobs["runs/cpu/hooktheory/lstm_8x1/fold0-kl0.5"]
        assert "input: runs/cpu/hooktheory/lstm_8x1/fold0/metrics.json" in other
        assert all("gpu=1" not in job for job in jobs.values())

    def test_toy_runs_are_trained_again_when_the_sources_change(self, graph):
        graph.finish(*sorted(folders("smoke")))  # fold0 before fold0-kl4
        wanted = [f"{folder}/metrics.json" for folder in folders("smoke")]
        (graph.folder / "tvae").mkdir()
        (graph.folder / "tvae/model.py").touch()
        os.utime(graph.folder / "notebooks/train.ipynb", (0, 0))
        os.utime(graph.folder / "tvae/model.py", (0, 0))
        assert not graph.jobs(*wanted, "--config", "preset=smoke")
        (graph.folder / "tvae/model.py").write_text("changed")
        assert set(graph.jobs(*wanted, "--config", "preset=smoke")) == folders("smoke")

    def test_on_slurm_every_run_is_a_job_with_a_gpu(self, graph):
        pytest.importorskip("snakemake_executor_plugin_slurm", reason="the Slurm plugin is not installed")
        jobs = graph.jobs("record", "--workflow-profile", "profiles/slurm", "--config", "preset=paper")
        assert set(jobs) == folders("paper")
        for job in jobs.values():
            assert re.search(r"\bgpu=1\b", job) and "slurm_partition=gpu" in job and "runtime=1440" in job

    def test_runs_are_trained_in_the_order_of_their_importance(self, graph):
        toy = {"models": ["no_attention", "attention"], "folds": [0], "corpora": ["hooktheory"]}
        config = {"preset": "paper", "seed": 0, "presets": {"paper": [
            toy, {**toy, "folds": [1]}, {**toy, "kl_weights": [4, 0.5]}, {**toy, "corpora": ["folk"]}
        ]}}  # fmt: skip
        (graph.folder / "config.yaml").write_text(yaml.safe_dump(config))
        order = [f"runs/{run.folder}" for run in planned(config, "paper")]
        graph.snakemake(*(f"{folder}/metrics.json" for folder in sorted(order)), "--cores", "2")
        assert (graph.folder / "order").read_text().split() == order

    def test_a_run_that_outlived_snakemake_is_kept(self, graph):
        target = "runs/cpu/folk/attention/fold0/metrics.json"
        arguments = target, "--config", "preset=cpu", "--ignore-incomplete"
        (graph.folder / "wait").touch()
        process = start("-m", "snakemake", *arguments, cwd=graph.folder)
        until((graph.folder / "order").exists)
        process.kill()
        process.wait()  # its child goes on
        (graph.folder / "wait").unlink()
        until((graph.folder / target).exists)
        process.communicate()
        graph.snakemake("--unlock")
        assert not graph.jobs(*arguments)


@pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")
class TestMakePaper:
    def gpu(self, tmp_path, *arguments, gpus=None, **environment) -> str:
        """How many runs at once `make paper` asks for, on a machine of so many GPUs; or what make says."""
        (tmp_path / "nvidia-smi").write_text(f"#!/bin/sh\nseq {gpus}\n" if gpus else "#!/bin/sh\nexit 1\n")
        (tmp_path / "nvidia-smi").chmod(0o755)
        environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", **environment}
        made = subprocess.run(
            ["make", "-n", "paper", *arguments], cwd=ROOT, env=environment, capture_output=True, text=True
        )
        found = re.search(r"--resources gpu=\$\(\((.*?)\)\)", made.stdout)
        return found[1] if found else made.stderr

    def test_one_run_on_each_gpu_or_as_many_as_is_said(self, tmp_path):
        environment = {"CUDA_VISIBLE_DEVICES": "0,3"}
        assert self.gpu(tmp_path) == "1 * 1"
        assert self.gpu(tmp_path, gpus=4) == "4 * 1"
        assert self.gpu(tmp_path, "PACK=3", gpus=4) == "4 * 3"
        assert self.gpu(tmp_path, "PACK=3", gpus=4, **environment) == "2 * 3"

    @pytest.mark.parametrize("pack", ["0", "-1", "many", ""])
    def test_another_number_is_refused_with_a_sentence(self, tmp_path, pack):
        said = self.gpu(tmp_path, f"PACK={pack}")
        assert said.count("\n") == 1 and f"PACK={pack} is no number of runs" in said
