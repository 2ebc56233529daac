"""The runs: what config.yaml plans, who trains where, how far it is."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
import yaml
from processes import run, start, stop

from tvae import TvaeError, corpus
from tvae.machine import choose_device, device_name, use_bf16
from tvae.presets import MODELS, PRESETS
from tvae.report.status import duration, missing, status, time_left
from tvae.runs import Progress, Run, planned, progress

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent
CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text())
FOUR = ["attention", "no_attention", "lstm_8x1", "lstm_1x8"]


class TestPlanned:
    @pytest.mark.parametrize("preset", CONFIG["presets"])
    def test_everything_in_config_yaml_can_be_trained(self, preset):
        runs, known = planned(CONFIG, preset), (*corpus.NAMES, *corpus.LONGER)
        assert len(set(runs)) == len(runs) and preset in PRESETS
        for one in runs:
            assert one.corpus in known and one.model in MODELS and one.fold in range(corpus.FOLDS)
            assert one.kl_weight is None or Run(preset, one.corpus, one.model, one.fold) in runs

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
            ([{"corpora": ["folder:a"], "models": FOUR, "folds": [0]}], "'folder:a' with `python -m tvae train`"),
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


def test_a_gpu_that_emulates_bf16_trains_without(monkeypatch):
    """`is_bf16_supported` says yes of any GPU, if it is asked as PyTorch asks by default."""
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: including_emulation)
    assert not use_bf16(torch.device("cuda"))


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

    def test_columns_line_up_whatever_the_names(self):
        table = {Run("toy", *names, 0): Progress("missing") for names in (("folk", "a"), ("hooktheory16", "b" * 20))}
        first, second, *_ = status(table).splitlines()
        assert first.index("fold0") == second.index("fold0") and first.index(" a ") == second.index(" bbb")
        assert status({}).endswith("0 runs: 0 done, 0 running, 0 interrupted, 0 missing")

    def test_what_the_record_lacks_is_one_sentence(self, runs):
        toy = [*self.read(runs), Run("toy", "folk", "b", 0), Run("toy", "pop", "b", 0, 1), Run("toy", "pop", "b", 0, 4)]
        names = [run.name for run in toy]
        assert missing(toy, names) == f"All {len(toy)} planned runs are recorded."
        assert missing(toy, names[1:]) == "Of 8 planned runs 1 is not recorded yet: `attention` on folk (fold 0)."
        said = (
            "`attention` on folk (folds 2, 3; 1 point at other KL weights), `b` on pop (2 points at other KL weights)."
        )
        known = ["toy-folk-attention-fold0", "toy-folk-attention-fold1", "toy-folk-b-fold0"]
        assert missing(toy, known) == f"Of 8 planned runs 5 are not recorded yet: {said}"

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
