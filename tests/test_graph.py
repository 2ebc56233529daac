"""What the Snakefile and `make paper` make of the runs."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from processes import run, start, until

from tvae.runs import planned

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent
CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text())


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
        (graph.folder / "runs/smoke").mkdir(parents=True)
        (graph.folder / "runs/smoke/.anew").touch()
        graph.finish(*sorted(folders("smoke")))  # fold0 before fold0-kl4
        wanted = [f"{folder}/metrics.json" for folder in folders("smoke")]
        (graph.folder / "tvae").mkdir()
        (graph.folder / "tvae/model.py").touch()
        os.utime(graph.folder / "notebooks/train.ipynb", (0, 0))
        os.utime(graph.folder / "tvae/model.py", (0, 0))
        assert not graph.jobs(*wanted, "--config", "preset=smoke")
        (graph.folder / "tvae/model.py").write_text("changed")
        assert set(graph.jobs(*wanted, "--config", "preset=smoke")) == folders("smoke")

    def test_toy_runs_start_stage_0_anew_once(self, graph):
        shared = graph.folder / "runs/smoke/folk/local_dense/fold0/weights.safetensors"
        for model, is_kept in (("attention", False), ("no_attention", True)):
            shared.parent.mkdir(parents=True)
            shared.touch()
            graph.snakemake(f"runs/smoke/folk/{model}/fold0/metrics.json", "--config", "preset=smoke")
            assert shared.exists() == is_kept

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
