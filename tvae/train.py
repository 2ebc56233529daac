"""Training: stage 0 (the local layer as a one-bar VAE), then stage 1 (the whole model), as the release does it.

A run is a folder ``<runs>/<preset>/<corpus>/<model>/fold<k>/`` (`tvae.runs`) with ``config.json``, ``history.csv``,
``weights.safetensors``, ``metrics.json`` and ``pieces.npz``. Stage 0 depends on corpus, fold and seed alone, so it has
a folder of its own that models share. While a stage trains there is a ``checkpoint.pt`` with everything that the next
step depends on: started again after being killed at any moment, a run ends with the same weights, bit for bit on a CPU.
"""

from __future__ import annotations

import json
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict, replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from filelock import FileLock, Timeout
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm import tqdm

from tvae.checkpoint import in_eight_bits, load_state, save_state, save_weights
from tvae.corpus import FOLDS, Corpus, load
from tvae.errors import TvaeError
from tvae.evaluate import evaluate
from tvae.files import read_json, write_atomically, write_json, write_npz
from tvae.machine import choose_device, device_name, git_commit, use_bf16
from tvae.melody import PIECE, STEPS
from tvae.model import BarVAE, ModelConfig, kl_divergence, parameter_count
from tvae.presets import PRESETS, Plan, Stage, build, model_row
from tvae.rows import training_rows
from tvae.runs import Run

FORMAT = 2  # of run folders: raised when what training does with the same settings changes
CHECKPOINT_SECONDS = 30


def objective(
    logits: Tensor, mu: Tensor, logvar: Tensor, tokens: Tensor, counted: Tensor, stage: Stage, piece: int = PIECE
):
    """The release's loss: mean cross-entropy a step + weight x mean KL a dimension. Returns it and a log, all tensors.

    With `Stage.free_nats` only the rate above them is weighed. The log's figures are in nats a piece of so many steps;
    `rate_bar_1`, `rate_bar_2` ... are there where each bar has a code.
    """
    nll = F.cross_entropy(logits.float().flatten(0, -2), tokens.flatten(), reduction="none").view_as(tokens)
    nll = (nll * counted).sum() / counted.sum()
    kl = kl_divergence(mu.float(), logvar.float())
    pieces = piece / tokens.shape[1]  # 8 rows make a piece when rows are bars
    dimensions = kl[0].numel()
    weighed = F.relu(kl.sum() / len(kl) - stage.free_nats) / dimensions
    log = {
        "loss": nll + stage.kl_weight * weighed,
        "distortion_nats_per_piece": nll * piece,
        "rate_nats_per_piece": kl.flatten(1).sum(1).mean() * pieces,
        "accuracy_teacher_forced": ((logits.argmax(-1).view_as(tokens) == tokens) & counted).sum() / counted.sum(),
    }
    if kl.dim() == 3 and kl.shape[1] > 1:
        log |= {f"rate_bar_{i + 1}": rate for i, rate in enumerate(kl.sum(-1).mean(0))}
    return log["loss"], {key: value.detach() for key, value in log.items()}


def train(
    model: str = "attention",
    corpus: str = "folk",
    preset: str = "smoke",
    fold: int = 0,
    seed: int | None = None,
    kl_weight: float | None = None,
    runs: str | Path = "runs",
    data_dir: str | Path | None = None,
) -> Path:
    """Train one model, or go on where it was interrupted, evaluate it on the held-out fold; returns the run's folder.

    Without a `seed` each fold has its own, its number, so that folds repeat the training as well. With a `kl_weight`
    the run goes on from the finished run without one (which is trained first where it is missing), for the preset's
    `sweep`: a point of the rate-distortion curve. A finished run is returned as it is. Raises `TvaeError` on an
    unknown name, on a folder that holds a run with other settings, and when the loss stops being a number.
    """
    if not model_row(model).trained:
        raise TvaeError(f"'{model}' is not trained here; `python -m tvae {model}` makes its weights file.")
    if preset not in PRESETS:
        raise TvaeError(f"There is no '{preset}'; choose one of {', '.join(PRESETS)}.")
    if fold not in range(FOLDS):
        raise TvaeError(f"Fold {fold} does not exist; choose 0 to {FOLDS - 1}.")
    if seed is not None and seed not in range(2**63):
        raise TvaeError(f"A seed of {seed} makes no sense; choose a whole number from 0 to 2^63 - 1.")
    if kl_weight is not None and not (np.isfinite(kl_weight) and kl_weight >= 0):
        raise TvaeError(f"A KL weight of {kl_weight} makes no sense; choose a number that is not negative.")
    data = load(corpus, data_dir)
    plan = PRESETS[preset].plan(model, kl_weight, data.bars)
    run = Run(preset, data.name, model, fold, kl_weight, seed)
    folder, start = Path(runs) / run.folder, None
    finished = (folder / "metrics.json").exists()
    if kl_weight is not None:
        start = Path(runs) / replace(run, kl_weight=None).folder
        finished or train(model, corpus, preset, fold, seed, None, runs, data_dir)
    elif plan.stage_0:
        start = Path(runs) / run.local_layer(plan.model.local).folder
        finished or train_local_layer(plan, data, run, Path(runs))
    settings = run_settings(run, settings_of(plan), data, Path(runs), start)
    with prepared(folder / "metrics.json", settings, wait=1):
        if not (folder / "metrics.json").exists():
            torch.manual_seed(run.drawn)
            vae = build(model, plan.model)
            if start is not None:  # the whole model, or its local layer alone
                vae.load_state_dict(vae.state_dict() | load_file(start / "weights.safetensors"))
            history = pd.read_csv(start / "history.csv") if start and plan.stage_0 else pd.DataFrame()
            training = Training(vae, 1, plan, settings, data, folder, choose_device(Path(runs)), history)
            training.run()
            finish(training, data, settings)
    return folder


def train_local_layer(plan: Plan, data: Corpus, run: Run, runs: Path) -> Path:
    """Stage 0: the local layer of a plan, as a one-bar VAE. Models with the same local layer share its folder."""
    shared = run.local_layer(plan.model.local)
    part = {"model": local_sizes(plan.model), "stage_0": settings_of(plan.stage_0), "count_padding": plan.count_padding}
    settings = run_settings(shared, part, data, runs, None)
    folder = runs / shared.folder
    with prepared(folder / "weights.safetensors", settings, wait=24 * 3600):  # another model of this fold may be at it
        if not (folder / "weights.safetensors").exists():
            torch.manual_seed(run.drawn)
            bars = BarVAE(plan.model)
            training = Training(bars, 0, plan, settings, data, folder, choose_device(runs), pd.DataFrame())
            training.run()
            local = nn.ModuleDict({name: getattr(training.result, name) for name in ("local_encoder", "local_decoder")})
            save_weights(local, folder / "weights.safetensors", settings)
            training.checkpoint.unlink(missing_ok=True)
    return folder


def local_sizes(config: ModelConfig) -> dict:
    """Of a Transformer's sizes, those that its local layer has."""
    names = ("steps", "states", "d_model", "lstm" if config.local == "lstm" else "hidden")
    return {name: value for name, value in asdict(config).items() if name in names}


def settings_of(config: Plan | Stage) -> dict:
    """Its values by name, without what earlier runs did not know of and is off: so their folders stay theirs."""
    return asdict(config, dict_factory=lambda items: {k: v for k, v in items if (k, v) != ("transposed_repeats", 0.0)})


def run_settings(run: Run, plan: dict, data: Corpus, runs: Path, start: Path | None) -> dict:
    """Everything that a run's result depends on, JSON-able: a folder holds runs of one such set of settings."""
    settings = {
        "model": run.model, "corpus": run.corpus, "preset": run.preset, "fold": run.fold, "seed": run.drawn,
        "sweep": run.kl_weight is not None,
        **json.loads(json.dumps({"plan": plan})),  # tuples to lists, as they come back from the file
        "precision": "bf16" if use_bf16(choose_device(runs)) else "fp32",
        "corpus_sha256": data.sha256,
        "format": FORMAT,
    }  # fmt: skip
    if start is not None and (start / "weights.safetensors").exists():
        settings["start"] = sha256((start / "weights.safetensors").read_bytes()).hexdigest()
    return settings


@contextmanager
def prepared(last: Path, settings: dict, wait: float) -> Generator[None, None, None]:
    """Hold a run's folder for this process, waiting so many seconds for it: two trainings would spoil its files.

    The run is finished where `last` is there, the file that it writes last into its folder. `TvaeError` where the
    folder holds a run with other settings. What a finished run started from may be cleared away, and on which precision
    this machine would train makes no difference to it.
    """
    folder = last.parent
    folder.mkdir(parents=True, exist_ok=True)
    try:
        lock = FileLock(folder / ".lock", timeout=wait, is_singleton=False).acquire()
    except Timeout:
        raise TvaeError(f"{folder} is being trained by another process; wait for it or stop it.") from None
    with lock:
        path = folder / "config.json"
        known = read_json(path) if path.exists() else settings
        if last.exists():
            settings = {"start": known.get("start"), **settings, "precision": known["precision"]}
        if other := sorted(key for key in {*known, *settings} if known.get(key) != settings.get(key)):
            raise TvaeError(
                f"{folder} holds a run with other settings or data ({', '.join(other)} differ); "
                "move it away or choose another folder for runs."
            )
        for left in folder.rglob("*.part"):  # by one that was killed while it wrote
            left.unlink()
        write_json(path, known)
        yield


class Training:
    """One stage under way: the module, its rows, its optimiser and its history, and how it goes on."""

    def __init__(self, module: nn.Module, number: int, plan: Plan, settings: dict, data: Corpus, folder: Path,
                 device: torch.device, history: pd.DataFrame):  # fmt: skip
        torch.manual_seed(2 * settings["seed"] + number)
        self.number, self.stage = number, (plan.stage_0, plan.stage_1)[number]
        self.settings, self.folder, self.device = settings, folder, device
        self.bars = data.bars  # of a piece
        self.module = module.to(device)
        self.rows = training_rows(data, settings, number, self.stage, plan.count_padding, device)
        self.steps = -(-self.stage.rows // self.rows.batch)
        self.log_every = max(1, self.steps // 100)
        self.optimizer = torch.optim.Adam(module.parameters(), lr=0.0, fused=True)
        self.average = None
        if self.stage.average:
            decay = 1 - self.rows.batch / self.stage.average
            self.average = AveragedModel(self.module, multi_avg_fn=get_ema_multi_avg_fn(decay))
        some = data.validation(settings["fold"])
        self.validation = data.tokens[some], data.length[some]
        self.history: list[dict] = history.to_dict("records")
        self.seconds = self.history[-1]["seconds"] if self.history else 0.0  # spent training, over all interruptions
        self.total: dict[str, Tensor] = {}
        self.commit = git_commit()  # of the code as it starts
        self.saved = time.monotonic()

    @property
    def checkpoint(self) -> Path:
        return self.folder / "checkpoint.pt"

    @property
    def result(self) -> nn.Module:
        """The module with the weights that count: their running average, where one is kept."""
        return self.average.module if self.average else self.module

    def run(self) -> None:
        """Train from the checkpoint, or from the start, to the end."""
        first = self.resume() if self.checkpoint.exists() else 0
        self.module.train()
        self.started = time.monotonic()
        title = f"{self.settings['model']}, stage {self.number}"
        with tqdm(total=self.steps, initial=first, desc=title, mininterval=5, unit="step") as bar:
            for step in range(first, self.steps):
                log = self.step(step)
                self.total = {key: self.total.get(key, 0.0) + value for key, value in log.items()}
                bar.update()
                if (step + 1) % self.log_every == 0 or step + 1 == self.steps:
                    self.log(step + 1, bar)
                    if step + 1 == self.steps or time.monotonic() - self.saved > CHECKPOINT_SECONDS:
                        self.save(step + 1)
                    self.started = time.monotonic()

    def step(self, step: int) -> dict[str, Tensor]:
        """One batch: forward, backward, update; returns what `objective` logs."""
        tokens, counted = self.rows[step]
        for group in self.optimizer.param_groups:
            group["lr"] = self.learning_rate(step)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.settings["precision"] == "bf16"):
            logits, mu, logvar = self.module(tokens)
        loss, log = objective(logits, mu, logvar, tokens, counted, self.stage, self.bars * STEPS)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        if self.average:
            self.average.update_parameters(self.module)
        if self.stage.keep and (step + 1) * self.stage.keep // self.steps > step * self.stage.keep // self.steps:
            self.keep((step + 1) * self.rows.batch)
        return log

    def learning_rate(self, step: int) -> float:
        seen, rates = zip(*self.stage.learning_rate, strict=True)
        return float(np.interp(step * self.rows.batch, seen, rates))

    def log(self, step: int, bar: tqdm) -> None:
        """Add the means of the steps since the last row to the history; `TvaeError` when they are no numbers."""
        since = (step - 1) % self.log_every + 1
        means = {key: float(value) / since for key, value in self.total.items()}
        self.total = {}
        self.seconds += time.monotonic() - self.started
        if not (np.isfinite(means["loss"]) and all(weight.isfinite().all() for weight in self.module.parameters())):
            raise TvaeError(
                f"The loss is no longer a number (stage {self.number}, steps {step - since + 1}-{step}, learning rate "
                f"{self.learning_rate(step - 1):.1e}); {self.folder} keeps the last good checkpoint: "
                "lower the learning rate or change the seed."
            )
        pieces = step * self.rows.batch / (self.bars if self.number == 0 else 1)
        row = {"stage": self.number, "step": step, "pieces": pieces, "seconds": self.seconds,
               "lr": self.learning_rate(step - 1), **means}  # fmt: skip
        if self.number == 1 and (step % (10 * self.log_every) == 0 or step == self.steps):
            row |= self.glance()
        self.history.append(row)
        table = pd.DataFrame(self.history)
        write_atomically(self.folder / "history.csv", lambda path: table.to_csv(path, index=False))
        text = f"loss {means['loss']:.3f}, accuracy {means['accuracy_teacher_forced']:.3f}"
        bar.set_postfix_str(text, refresh=False)

    def glance(self) -> dict[str, float]:
        """How good the model is on the validation songs, for the curve."""
        found, _ = evaluate(self.result, *self.validation)
        names = ("accuracy_free_running", "rate_nats_per_piece", "distortion_nats_per_piece")
        return {f"validation_{name}": found[name] for name in names}

    def keep(self, rows: int) -> None:
        """Put the weights aside as they are after so many rows."""
        (self.folder / "kept").mkdir(exist_ok=True)
        save_weights(self.result, self.folder / "kept" / f"{rows:08d}.safetensors", self.settings)

    def save(self, step: int) -> None:
        """Everything the next step depends on; the order of the data follows from the step."""
        save_state(self.checkpoint, {
            "config": json.dumps(self.settings), "step": step,
            "module": self.module.state_dict(),
            "average": self.average.state_dict() if self.average else {},
            "optimizer": self.optimizer.state_dict(),
            "random": torch.get_rng_state(),
            "cuda_random": [torch.cuda.get_rng_state(self.device)] if self.device.type == "cuda" else [],
            "history": self.history, "seconds": self.seconds,
        })  # fmt: skip
        self.saved = time.monotonic()

    def resume(self) -> int:
        """Take up the checkpoint; returns the steps that are done."""
        state = load_state(self.checkpoint, self.settings)
        self.module.load_state_dict(state["module"])
        if self.average:
            self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        torch.set_rng_state(state["random"])
        for random in state["cuda_random"]:  # of the GPU that it was on, for the one that it is on
            torch.cuda.set_rng_state(random, self.device)
        self.history, self.seconds = state["history"], state["seconds"]
        return state["step"]


def finish(training: Training, data: Corpus, settings: dict) -> None:
    """Write the weights, then measure them as they are released, in eight bits; metrics.json comes last."""
    vae, stage, folder = training.result, training.stage, training.folder
    save_weights(vae, folder / "weights.safetensors", settings)
    _, test = data.split(settings["fold"])
    metrics, pieces = evaluate(in_eight_bits(vae), data.tokens[test], data.length[test])
    last = [row for row in training.history if row["stage"] == 1]
    before = max((row["seconds"] for row in training.history if row["stage"] == 0), default=0.0)
    names = ("corpus", "model", "preset", "fold", "seed", "sweep", "precision", "corpus_sha256")
    metrics = {
        **{name: settings[name] for name in names},
        "kl_weight": stage.kl_weight, "pieces": stage.rows,
        **metrics,
        "rate_mean_per_dim": metrics["rate_nats_per_piece"] / vae.config.latent_dims,
        "parameters": parameter_count(vae), "steps": last[-1]["step"],
        "samples_per_second": last[-1]["pieces"] / (last[-1]["seconds"] - before),
        "train_seconds": training.seconds,
        "device": device_name(training.device), "torch": torch.__version__, "git_commit": training.commit,
    }  # fmt: skip
    write_npz(folder / "pieces.npz", song=data.song[test], **pieces)
    write_json(folder / "metrics.json", metrics)
    training.checkpoint.unlink(missing_ok=True)
