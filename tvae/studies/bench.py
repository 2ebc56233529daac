"""How fast this machine trains and decodes the faithful model, beside how fast it multiplies matrices.

FLOP are counted as 6 x parameters x 8 bars a piece: every weight is used once for each bar, forward and twice backward.
The peak is that of plain matrix products in the best precision this machine has, measured in the same run.

    python -m tvae bench --out figures/bench.json
"""

from __future__ import annotations

import statistics
import time

import torch

from tvae.machine import device_name, use_bf16
from tvae.melody import BARS, PIECE, STATES
from tvae.model import ModelConfig, TransformerVAE, parameter_count
from tvae.presets import PRESETS
from tvae.train import objective

SECONDS = 2.0  # of each repetition
REPEATS = 5  # the median is reported
BATCHES = 16, 256  # pieces
LARGEST = 8  # operators that are named


def rate(work, device: torch.device) -> float:
    """Calls a second: the median over `REPEATS` of as many calls as fit into `SECONDS`, after a warm-up."""

    def wait():
        if device.type == "cuda":
            torch.cuda.synchronize(device)

    rates = []
    for _ in range(3):
        work()
    wait()
    for _ in range(REPEATS):
        calls, start = 0, time.perf_counter()
        while time.perf_counter() - start < SECONDS:
            work()
            calls += 1
            if calls % 20 == 0:
                wait()  # lest the queue runs ahead of the clock
        wait()
        rates.append(calls / (time.perf_counter() - start))
    return statistics.median(rates)


def matrix_peak(device: torch.device, dtype: torch.dtype) -> float:
    """GFLOP/s of square matrix products, the best of several sizes."""
    sizes = (256, 512, 1024, 2048) if device.type == "cpu" else (4096, 8192)
    if dtype == torch.bfloat16 and not use_bf16(device):
        sizes = sizes[:1]  # emulated, a hundred times slower: one size shows it
    best = 0.0
    for size in sizes:
        a, b = (torch.randn(size, size, device=device).to(dtype) for _ in range(2))
        best = max(best, rate(lambda a=a, b=b: a @ b, device) * 2 * size**3 / 1e9)
    return best


def training_step(batch: int, device: torch.device, bf16: bool):
    """A whole step of stage 1 as `tvae.train` does it, and the size of its model."""
    torch.manual_seed(0)
    vae = TransformerVAE(ModelConfig()).to(device)
    optimizer = torch.optim.Adam(vae.parameters(), lr=1e-4, fused=True)
    tokens = torch.randint(0, STATES, (batch, PIECE), device=device)
    counted = torch.ones_like(tokens, dtype=torch.bool)

    def step():
        with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
            logits, mu, logvar = vae(tokens)
        loss, _ = objective(logits, mu, logvar, tokens, counted, PRESETS["paper"].stage_1)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()

    return step, parameter_count(vae)


def profile(step, device: torch.device) -> dict[str, float]:
    """Shares of one training step's time by PyTorch operator: what the rest of the peak is spent on."""
    activities = [torch.profiler.ProfilerActivity.CPU]
    if device.type == "cuda":
        activities.append(torch.profiler.ProfilerActivity.CUDA)
    with torch.profiler.profile(activities=activities) as run:
        for _ in range(3):
            step()
    key = "self_device_time_total" if device.type == "cuda" else "self_cpu_time_total"
    times = {event.key: getattr(event, key) for event in run.key_averages()}
    whole = sum(times.values())
    largest = sorted(times, key=times.__getitem__, reverse=True)[:LARGEST]
    return {name: round(times[name] / whole, 4) for name in largest}


def bench() -> dict:
    """Every figure of ``figures/bench.json``."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    bf16 = use_bf16(device)
    peaks = {"fp32": matrix_peak(device, torch.float32), "bf16": matrix_peak(device, torch.bfloat16)}
    peak = max(peaks.values())
    trained, share, spent = {}, {}, {}
    for batch in BATCHES:
        step, parameters = training_step(batch, device, bf16)
        trained[str(batch)] = rate(step, device) * batch
        share[str(batch)] = trained[str(batch)] * 6 * parameters * BARS / (peak * 1e9)
        spent[str(batch)] = profile(step, device)
    vae = TransformerVAE(ModelConfig()).to(device).eval()
    z = torch.randn(256, vae.config.bars, vae.config.d_latent, device=device)
    return {
        "matrix_peak_gflops": peak,
        "matrix_peak_by_precision": peaks,
        "precision": "bf16" if bf16 else "fp32",
        "train_samples_per_second": trained,
        "share_of_peak": share,
        "time_by_operator": spent,
        "decode_pieces_per_second": rate(lambda: vae.generate(z), device) * len(z),
        "parameters": parameters,
        "device": device_name(device),
        "torch": torch.__version__,
    }
