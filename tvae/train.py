"""Training: stage 0 (the local layer as a one-bar VAE), then stage 1 (the whole model), as the release does it.

A run is a folder ``<runs>/<preset>/<corpus>/<model>/fold<k>/`` (`tvae.runs`) with ``config.json``, ``history.csv``,
``weights.safetensors``, ``metrics.json`` and ``pieces.npz``. While it trains there is a ``checkpoint.pt`` with everything
that the next step depends on: started again after being killed at any moment, a run ends with the same weights, bit for
bit on a CPU.

    python -m tvae.train --model attention --corpus folk --preset smoke
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import platform
import subprocess
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import cache
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from tqdm import tqdm

from tvae import corpus as corpora
from tvae.baselines import LSTMVAE, LSTMConfig
from tvae.errors import TvaeError
from tvae.evaluate import evaluate
from tvae.melody import BARS, PIECE, STEPS, transposition_table
from tvae.model import BarVAE, ModelConfig, TransformerVAE, kl_divergence, parameter_count
from tvae.runs import Run, reserve

SHIFTS = range(-4, 5)  # semitones, as in the paper
FORMAT = 1  # of checkpoints: raised when what they hold, or what training does with it, changes

DIAGONAL = {"encoder_mask": "diagonal", "inter_mask": "diagonal", "decoder_mask": "diagonal"}
# What each model changes in the preset's `ModelConfig` or `LSTMConfig`.
TRANSFORMERS = {
    "attention": {},  # Proposed+A
    "no_attention": DIAGONAL,  # Proposed-A
    "bidirectional": {"encoder_mask": "none"},
    "compact": {"d_head": 64},
    "no_stage_0": {},
}
LSTMS = {
    "lstm_8x1": {"bars_per_code": 1},
    "lstm_1x8": {"bars_per_code": 8},
    "lstm_conductor": {"bars_per_code": 8, "conductor": True},
}
MODELS = TRANSFORMERS | LSTMS


@dataclass(frozen=True)
class Stage:
    """One stage of training. `rows` are bars in stage 0, pieces in stage 1; each is seen in a random transposition.

    `learning_rate` holds knots (rows seen, rate) with straight lines between them; training ends at the last knot.
    `kl_weight` multiplies the mean KL per latent dimension, beside the mean cross-entropy per step, which is the
    release's weighting: with 128 steps and 512 dimensions its 1.0 is a beta of 0.25 in a summed ELBO.
    """

    batch: int
    learning_rate: tuple[tuple[float, float], ...]
    kl_weight: float

    @property
    def rows(self) -> int:
        return int(self.learning_rate[-1][0])

    def shortened(self, rows: int) -> Stage:
        """The same curve of the learning rate in so many rows."""
        return replace(self, learning_rate=tuple((seen * rows / self.rows, rate) for seen, rate in self.learning_rate))


@dataclass(frozen=True)
class Plan:
    """What one run does. `count_padding` trains on padded steps too, as the release does.

    An LSTM has no local layer and so no stage 0.
    """

    model: ModelConfig | LSTMConfig
    stages: tuple[Stage | None, Stage]
    count_padding: bool = True


@dataclass(frozen=True)
class Preset:
    """What a run costs and how good it can be.

    `sweep` is how many pieces a run of another KL weight goes on for, after the run of the release's weight.
    """

    transformer: Plan
    lstm: Plan
    sweep: int

    def plan(self, model: str, kl_weight: float | None = None) -> Plan:
        """The plan of a model: from scratch, or of the run that goes on from there at another KL weight."""
        plan = self.lstm if model in LSTMS else self.transformer
        plan = replace(plan, model=replace(plan.model, **MODELS[model]))
        if kl_weight is not None:
            return replace(plan, stages=(None, replace(plan.stages[1].shortened(self.sweep), kl_weight=kl_weight)))
        return replace(plan, stages=(None, plan.stages[1])) if model == "no_stage_0" else plan


RELEASE_EPOCH = len(SHIFTS) * 12_914  # the release's training pieces (80 % of 16,142), each in every transposition
RELEASE_BARS = RELEASE_EPOCH * BARS
RELEASE_STAGE_1 = Stage(
    16,
    (
        (0, 1e-4), (30 * RELEASE_EPOCH, 1e-4),
        (30 * RELEASE_EPOCH, 1e-5), (50 * RELEASE_EPOCH, 1e-5),
        (50 * RELEASE_EPOCH, 1e-6), (60 * RELEASE_EPOCH, 1e-6),
    ),
    kl_weight=1.0,
)  # fmt: skip

PRESETS = {
    # Toy sizes: proves that everything runs. One CPU core, about 20 s a run; accuracies mean nothing.
    "smoke": Preset(
        Plan(
            ModelConfig(hidden=(96, 64), d_model=64, d_head=16, d_feedforward=64, d_latent=16, heads=2, layers=1),
            (
                Stage(256, ((0, 2e-3), (50_000, 2e-3)), kl_weight=0.1),
                Stage(64, ((0, 2e-4), (2_000, 2e-3), (20_000, 1e-5)), kl_weight=1.0),
            ),
        ),
        Plan(
            LSTMConfig(d_embedding=8, d_encoder=24, d_decoder=48, d_condition=16, d_conductor=24, d_latent=16),
            (None, Stage(64, ((0, 5e-4), (1_000, 5e-3), (10_000, 1e-5)), kl_weight=1.0)),
        ),
        sweep=1_000,
    ),
    # Compact heads and one learning-rate cycle: half an hour on one CPU core (AVX2). An LSTM uses each weight in each of
    # 128 steps where the Transformer uses it in 8 bars, so the LSTMs are small, to cost no more than twice as much time.
    "cpu": Preset(
        Plan(
            ModelConfig(d_head=64),
            (
                Stage(64, ((0, 1e-3), (300_000, 1e-3), (600_000, 5e-5)), kl_weight=0.1),
                Stage(32, ((0, 2e-5), (16_000, 5e-4), (320_000, 1e-6)), kl_weight=1.0),
            ),
        ),
        Plan(
            LSTMConfig(d_embedding=32, d_encoder=128, d_decoder=256, d_condition=128, d_conductor=128),
            (None, Stage(32, ((0, 2e-5), (16_000, 2.5e-3), (320_000, 1e-6)), kl_weight=1.0)),
        ),
        sweep=24_000,
    ),
    # The release's sizes and schedule: 18 epochs of bars, 60 epochs of pieces; for a GPU.
    "paper": Preset(
        Plan(
            ModelConfig(),
            (
                Stage(
                    64,
                    (
                        (0, 1e-3), (12 * RELEASE_BARS, 1e-3),
                        (12 * RELEASE_BARS, 1e-4), (18 * RELEASE_BARS, 1e-4),
                    ),
                    kl_weight=0.1,
                ),
                RELEASE_STAGE_1,
            ),
        ),
        Plan(LSTMConfig(), (None, RELEASE_STAGE_1)),
        sweep=6 * RELEASE_EPOCH,
    ),
}  # fmt: skip


class Rows:
    """The training rows of one stage, on the device, in an order that depends on seed, stage and step alone.

    Every pass over the rows is a fresh shuffle; in nine passes each row is heard in each of the nine transpositions.
    """

    def __init__(self, tokens: np.ndarray, counted: np.ndarray, batch: int, seed: int, device: torch.device):
        self.tokens = torch.as_tensor(tokens, device=device)  # (N, L) uint8
        self.counted = torch.as_tensor(counted, device=device)  # (N, L) bool: steps that the loss counts
        self.tables = torch.as_tensor(np.stack([transposition_table(k) for k in SHIFTS]), device=device)  # (9, 47)
        self.batch, self.seed = min(batch, len(tokens)), seed
        self.first_shift = self.random(0).integers(len(SHIFTS), size=len(tokens))
        self.shuffled = (-1, None)

    def random(self, number: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, number])

    def __getitem__(self, step: int) -> tuple[Tensor, Tensor]:
        """The batch of a step: tokens (B, L) int64 and which of them count."""
        turn, index = divmod(step, len(self.tokens) // self.batch)
        if self.shuffled[0] != turn:
            self.shuffled = (turn, self.random(1 + turn).permutation(len(self.tokens)))
        rows = self.shuffled[1][index * self.batch : (index + 1) * self.batch]
        shift = torch.as_tensor((self.first_shift[rows] + turn) % len(SHIFTS), device=self.tokens.device)
        rows = torch.as_tensor(rows, device=self.tokens.device)
        return self.tables[shift[:, None], self.tokens[rows].long()].long(), self.counted[rows]


def objective(logits: Tensor, mu: Tensor, logvar: Tensor, tokens: Tensor, counted: Tensor, kl_weight: float):
    """The release's loss: mean cross-entropy a step + weight x mean KL a dimension. Returns it and a log, all tensors.

    The log's figures are in nats a piece; `rate_bar_1` to `rate_bar_8` are there where each bar has a code.
    """
    nll = F.cross_entropy(logits.float().flatten(0, -2), tokens.flatten(), reduction="none").view_as(tokens)
    nll = (nll * counted).sum() / counted.sum()
    kl = kl_divergence(mu.float(), logvar.float())
    pieces = PIECE / tokens.shape[1]  # 8 rows make a piece when rows are bars
    log = {
        "loss": nll + kl_weight * kl.mean(),
        "distortion_nats_per_piece": nll * PIECE,
        "rate_nats_per_piece": kl.flatten(1).sum(1).mean() * pieces,
        "accuracy_teacher_forced": ((logits.argmax(-1).view_as(tokens) == tokens) & counted).sum() / counted.sum(),
    }
    if kl.dim() == 3 and kl.shape[1] == BARS:
        log |= {f"rate_bar_{i + 1}": rate for i, rate in enumerate(kl.sum(-1).mean(0))}
    return log["loss"], {key: value.detach() for key, value in log.items()}


def use_bf16(device: torch.device) -> bool:
    """Does bf16 pay here? On a GPU of this decade, and on a CPU with bf16 instructions; elsewhere it is emulated, slowly."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported()
    flags = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    return "avx512_bf16" in flags or "amx_bf16" in flags


def device_name(device: torch.device) -> str:
    """For the record: the GPU's name, or the CPU's and the number of threads."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    cpuinfo = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    names = [line.split(":", 1)[1].strip() for line in cpuinfo.splitlines() if line.startswith("model name")]
    return f"{names[0] if names else platform.machine()}, {torch.get_num_threads()} threads"


def git_commit() -> str:
    """The commit of the code that runs, with '+' when it was changed since; empty outside a repository."""
    here = Path(__file__).parent
    try:
        commit = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=here, capture_output=True, text=True, check=True
        ).stdout.strip()
        dirty = subprocess.run(
            ["git", "status", "--porcelain", "--untracked-files=no", "--", "."],
            cwd=here,
            capture_output=True,
            text=True,
        ).stdout
        return commit + ("+" if dirty.strip() else "")
    except (OSError, subprocess.CalledProcessError):
        return ""


def write_atomically(path: Path, write) -> None:
    """Call `write(temporary path)`, then put the file in place: a reader sees the old file or the new, never half."""
    temporary = path.with_name(path.name + ".part")
    write(temporary)
    os.replace(temporary, path)


@contextmanager
def only_one(folder: Path):
    """Hold the run folder for this process: two trainings of one run would spoil each other's files."""
    with open(folder / ".lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise TvaeError(f"{folder} is being trained by another process; wait for it or stop it.") from None
        yield


@cache
def choose_device(runs: Path) -> torch.device:
    """The GPU that this process trains on until it ends, one with the fewest runs of this folder; the CPU where there is none.

    GPUs go by their unique ids, so that processes that see different ones (CUDA_VISIBLE_DEVICES, Slurm) agree.
    """
    gpus = [str(torch.cuda.get_device_properties(number).uuid) for number in range(torch.cuda.device_count())]
    if not gpus:
        return torch.device("cpu")
    device = torch.device("cuda", reserve(runs / ".gpus", gpus))
    torch.cuda.set_device(device)
    return device


def train(
    model: str = "attention",
    corpus: str = "folk",
    preset: str = "smoke",
    fold: int = 0,
    seed: int = 0,
    kl_weight: float | None = None,
    runs: str | Path = "runs",
    data_dir: str | Path | None = None,
) -> Path:
    """Train one model, or go on where it was interrupted, evaluate it on the held-out fold; returns the run's folder.

    With a `kl_weight` the run goes on from the finished run without one (which is trained first where it is missing), for
    the preset's `sweep`: a point of the rate-distortion curve. A finished run is returned as it is. Raises `TvaeError` on
    an unknown name, on a folder that holds a run with other settings, and when the loss stops being a number.
    """
    for name, known in ((model, MODELS), (preset, PRESETS)):
        if name not in known:
            raise TvaeError(f"There is no '{name}'; choose one of {', '.join(known)}.")
    if fold not in range(corpora.FOLDS):
        raise TvaeError(f"Fold {fold} does not exist; choose 0 to {corpora.FOLDS - 1}.")
    if kl_weight is not None and not (np.isfinite(kl_weight) and kl_weight >= 0):
        raise TvaeError(f"A KL weight of {kl_weight} makes no sense; choose a number that is not negative.")
    start = None if kl_weight is None else train(model, corpus, preset, fold, seed, None, runs, data_dir)
    data = corpora.load(corpus, data_dir)
    device = choose_device(Path(runs))
    plan = PRESETS[preset].plan(model, kl_weight)
    config = {
        "model": model, "corpus": corpus, "preset": preset, "fold": fold, "seed": seed,
        **json.loads(json.dumps({"plan": asdict(plan)})),  # tuples to lists, as they come back from the file
        "precision": "bf16" if use_bf16(device) else "fp32",
        "corpus_sha256": data.sha256,
        "format": FORMAT,
    }  # fmt: skip
    if start is not None:
        config["start"] = sha256((start / "weights.safetensors").read_bytes()).hexdigest()

    folder = Path(runs) / Run(preset, corpus, model, fold, kl_weight).folder
    folder.mkdir(parents=True, exist_ok=True)
    with only_one(folder):
        if (folder / "config.json").exists() and json.loads((folder / "config.json").read_text()) != config:
            raise TvaeError(
                f"{folder} holds a run with other settings or data; move it away or choose another folder for runs."
            )
        if (folder / "metrics.json").exists():
            return folder
        write_atomically(folder / "config.json", lambda path: path.write_text(json.dumps(config, indent=1) + "\n"))
        Training(plan, config, data, folder, device, start).run()
    return folder


class Training:
    """One run under way: what it has (models, optimiser, history), and how it goes on."""

    CHECKPOINT_SECONDS = 30

    def __init__(
        self, plan: Plan, config: dict, data: corpora.Corpus, folder: Path, device: torch.device, start: Path | None
    ):
        torch.manual_seed(config["seed"])
        self.plan, self.config, self.data, self.folder, self.device = plan, config, data, folder, device
        self.train_index, self.test_index = data.split(config["fold"])
        self.vae = build(config["model"], plan.model).to(device)
        self.bar_vae = BarVAE(self.vae).to(device) if plan.stages[0] else None
        if start is not None:
            self.vae.load_state_dict(load_file(start / "weights.safetensors"))
        self.commit = git_commit()  # of the code as it starts
        self.history: list[dict] = []
        self.seconds = 0.0  # spent training, over all interruptions
        self.saved = time.monotonic()

    @property
    def checkpoint(self) -> Path:
        return self.folder / "checkpoint.pt"

    def run(self) -> None:
        at = self.resume() if self.checkpoint.exists() else {"stage": 0, "step": 0, "optimizer": None}
        for number in range(at["stage"], len(self.plan.stages)):
            if self.plan.stages[number]:
                self.fit(number, at["step"], at["optimizer"])
            at = {"step": 0, "optimizer": None}
        self.finish()

    def fit(self, number: int, step: int, optimizer_state: dict | None) -> None:
        """Train one stage from `step` on."""
        stage, module = self.plan.stages[number], (self.bar_vae, self.vae)[number]
        rows = self.rows(number)
        steps = -(-stage.rows // rows.batch)
        log_every = max(1, steps // 100)
        seen, rates = zip(*stage.learning_rate, strict=True)
        optimizer = torch.optim.Adam(module.parameters(), lr=rates[0], fused=True)
        if optimizer_state:
            optimizer.load_state_dict(optimizer_state)
        total: dict[str, Tensor] = {}
        module.train()
        started = time.monotonic()
        with tqdm(
            total=steps, initial=step, desc=f"{self.config['model']}, stage {number}", mininterval=5, unit="step"
        ) as bar:
            while step < steps:
                tokens, counted = rows[step]
                for group in optimizer.param_groups:
                    group["lr"] = float(np.interp(step * rows.batch, seen, rates))
                with torch.autocast(self.device.type, torch.bfloat16, enabled=self.config["precision"] == "bf16"):
                    logits, mu, logvar = module(tokens)
                loss, log = objective(logits, mu, logvar, tokens, counted, stage.kl_weight)
                optimizer.zero_grad(set_to_none=True)
                loss.backward()
                optimizer.step()
                step += 1
                bar.update()
                total = {key: total.get(key, 0.0) + value for key, value in log.items()}
                if step % log_every == 0 or step == steps:
                    since = (step - 1) % log_every + 1
                    means = {key: float(value) / since for key, value in total.items()}
                    total = {}
                    healthy = all(parameter.isfinite().all() for parameter in module.parameters())
                    if not (np.isfinite(means["loss"]) and healthy):
                        raise TvaeError(
                            f"The loss is no longer a number (stage {number}, steps {step - since + 1}-{step}, learning "
                            f"rate {group['lr']:.1e}); {self.folder} keeps the last good checkpoint: lower the learning rate "
                            "or change the seed."
                        )
                    self.seconds += time.monotonic() - started
                    row = {"stage": number, "step": step, "pieces": step * rows.batch / (BARS if number == 0 else 1),
                           "seconds": self.seconds, "lr": group["lr"], **means}  # fmt: skip
                    if number == 1 and (step % (10 * log_every) == 0 or step == steps):
                        row["accuracy_free_running"] = self.glance()
                    self.history.append(row)
                    self.write_history()
                    bar.set_postfix_str(
                        f"loss {means['loss']:.3f}, accuracy {means['accuracy_teacher_forced']:.3f}", refresh=False
                    )
                    if step == steps or time.monotonic() - self.saved > self.CHECKPOINT_SECONDS:
                        self.save(number, step, optimizer)
                    started = time.monotonic()

    def rows(self, number: int) -> Rows:
        """Bars for stage 0, pieces for stage 1."""
        tokens = self.data.tokens[self.train_index]
        if self.plan.count_padding:
            counted = np.ones_like(tokens, dtype=bool)
        else:
            counted = np.arange(PIECE) < self.data.length[self.train_index][:, None]
        width = (STEPS, PIECE)[number]
        seed = 2 * self.config["seed"] + number
        return Rows(
            tokens.reshape(-1, width), counted.reshape(-1, width), self.plan.stages[number].batch, seed, self.device
        )

    def glance(self, pieces: int = 512) -> float:
        """Free-running accuracy on some test pieces, for the curve."""
        some = self.test_index[:pieces]
        return evaluate(self.vae, self.data.tokens[some], self.data.length[some])[0]["accuracy_free_running"]

    def write_history(self) -> None:
        write_atomically(self.folder / "history.csv", lambda path: pd.DataFrame(self.history).to_csv(path, index=False))

    def save(self, stage: int, step: int, optimizer: torch.optim.Optimizer) -> None:
        """Everything the next step depends on; the order of the data follows from the step."""
        state = {
            "config": json.dumps(self.config), "stage": stage, "step": step,
            "vae": self.vae.state_dict(), "bar_vae": self.bar_vae.state_dict() if self.bar_vae else {},
            "optimizer": optimizer.state_dict(),
            "random": torch.get_rng_state(),
            "cuda_random": [torch.cuda.get_rng_state(self.device)] if self.device.type == "cuda" else [],
            "history": self.history, "seconds": self.seconds,
        }  # fmt: skip
        write_atomically(self.checkpoint, lambda path: torch.save(state, path))
        self.saved = time.monotonic()

    def resume(self) -> dict:
        """Take up the checkpoint; returns stage, step and the optimiser's state."""
        try:
            state = torch.load(self.checkpoint, map_location="cpu", weights_only=True)
            if json.loads(state["config"]) != self.config:
                raise ValueError("its settings are others")
        except Exception as error:  # torch.load raises many types on a damaged file
            raise TvaeError(
                f"{self.checkpoint} cannot be continued ({error}); delete it to train this run from the start."
            ) from error
        self.vae.load_state_dict(state["vae"])
        if self.bar_vae:
            self.bar_vae.load_state_dict(state["bar_vae"])
        torch.set_rng_state(state["random"])
        for random in state["cuda_random"]:  # of the GPU that it was on, for the one that it is on
            torch.cuda.set_rng_state(random, self.device)
        self.history, self.seconds = state["history"], state["seconds"]
        return state

    def finish(self) -> None:
        """Write the weights, then measure them as they will be released, in half precision; metrics.json comes last."""
        save_weights(self.vae, self.folder / "weights.safetensors", self.config, torch.float32)
        released = build(self.config["model"], self.plan.model).to(self.device)
        released.load_state_dict({key: value.half().float() for key, value in self.vae.state_dict().items()})
        metrics, pieces = evaluate(released, self.data.tokens[self.test_index], self.data.length[self.test_index])
        last = [row for row in self.history if row["stage"] == 1]
        seconds = last[-1]["seconds"] - max((row["seconds"] for row in self.history if row["stage"] == 0), default=0.0)
        metrics = {
            **{key: self.config[key] for key in ("corpus", "model", "preset", "fold", "seed", "precision", "corpus_sha256")},
            "kl_weight": self.plan.stages[1].kl_weight,
            "sweep": "start" in self.config,
            **metrics,
            "rate_mean_per_dim": metrics["rate_nats_per_piece"] / self.plan.model.latent_dims,
            "parameters": parameter_count(self.vae),
            "steps": last[-1]["step"],
            "samples_per_second": last[-1]["pieces"] / seconds,
            "train_seconds": self.seconds,
            "device": device_name(self.device), "torch": torch.__version__, "git_commit": self.commit,
        }  # fmt: skip
        write_atomically(
            self.folder / "pieces.npz", lambda path: write_npz(path, song=self.data.song[self.test_index], **pieces)
        )
        write_atomically(
            self.folder / "metrics.json", lambda path: path.write_text(json.dumps(metrics, indent=1) + "\n")
        )
        self.checkpoint.unlink(missing_ok=True)


def write_npz(path: Path, **arrays: np.ndarray) -> None:
    with open(path, "wb") as file:  # numpy would append .npz to a path
        np.savez_compressed(file, **arrays)


def save_weights(vae: nn.Module, path: Path, config: dict, dtype: torch.dtype) -> None:
    """safetensors with the run's settings in its metadata, so that the file alone rebuilds the model."""
    tensors = {key: value.to(dtype).cpu().contiguous() for key, value in vae.state_dict().items()}
    write_atomically(path, lambda part: save_file(tensors, part, metadata={"tvae": json.dumps(config)}))


def build(model: str, config: ModelConfig | LSTMConfig) -> TransformerVAE | LSTMVAE:
    """An untrained model, by its name in `MODELS` and its sizes."""
    return LSTMVAE(config) if model in LSTMS else TransformerVAE(config)


def load_weights(path: str | Path) -> TransformerVAE | LSTMVAE:
    """A model from a file of `save_weights`, in float32, ready to evaluate."""
    try:
        with safe_open(path, framework="pt") as file:
            config = json.loads(file.metadata()["tvae"])
        sizes = LSTMConfig if config["model"] in LSTMS else ModelConfig
        vae = build(config["model"], sizes(**config["plan"]["model"]))
        vae.load_state_dict({key: value.float() for key, value in load_file(path).items()})
    except Exception as error:
        raise TvaeError(f"{path} holds no weights of a tvae model ({error}).") from error
    return vae.eval()


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tvae.train", description="Train and evaluate one model; resumable."
    )
    parser.add_argument("--model", default="attention", help=", ".join(MODELS))
    parser.add_argument("--corpus", default="folk", help=", ".join(corpora.NAMES))
    parser.add_argument("--preset", default="smoke", help=", ".join(PRESETS))
    parser.add_argument("--fold", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kl-weight", type=float, default=None, help="go on from the finished run at this KL weight")
    parser.add_argument("--runs", default="runs", help="folder of the run folders")
    parser.add_argument("--data-dir", default=None, help="local copy of the corpora")
    try:
        print(train(**vars(parser.parse_args())))
    except TvaeError as error:
        raise SystemExit(f"tvae: {error}") from None


if __name__ == "__main__":
    main()
