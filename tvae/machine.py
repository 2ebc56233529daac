"""The machine that a run is trained on: its device, its precision, its name, and the commit of the code."""

from __future__ import annotations

import itertools
import platform
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import cpuinfo
import torch
from filelock import FileLock, Timeout

HELD: list[FileLock] = []  # places on GPUs, until this process ends


def reserve(locks: Path, gpus: Sequence[str]) -> int:
    """Take one of the GPUs of these names until this process ends, however it ends; returns its number in `gpus`.

    As many processes as there are GPUs get one each, the next so many share them, and so on. A place on a GPU is a
    lock on a file in the folder `locks`, so no two processes get the same place and a killed one gives its own back.
    """
    locks.mkdir(parents=True, exist_ok=True)
    places = itertools.count()
    while True:
        place = next(places)
        for number, gpu in enumerate(gpus):
            lock = FileLock(locks / f"{gpu}-{place}", is_singleton=False)
            try:
                lock.acquire(timeout=0)
            except Timeout:
                continue
            HELD.append(lock)
            return number


@cache
def choose_device(runs: Path) -> torch.device:
    """The GPU that this process trains on until it ends, one with the fewest runs of this folder; without GPUs the CPU.

    GPUs go by their unique ids, so that processes that see different ones (CUDA_VISIBLE_DEVICES, Slurm) agree.
    """
    gpus = [str(torch.cuda.get_device_properties(number).uuid) for number in range(torch.cuda.device_count())]
    if not gpus:
        return torch.device("cpu")
    device = torch.device("cuda", reserve(runs / ".gpus", gpus))
    torch.cuda.set_device(device)
    return device


@cache
def cpu() -> dict:
    """What py-cpuinfo knows of this processor."""
    return cpuinfo.get_cpu_info()


def use_bf16(device: torch.device) -> bool:
    """Does bf16 pay here? On a recent GPU, and on a CPU with bf16 instructions; elsewhere it is emulated, slowly."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return bool({"avx512_bf16", "amx_bf16"} & set(cpu().get("flags", ())))


def device_name(device: torch.device) -> str:
    """For the record: the GPU's name, or the CPU's and the number of threads."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    threads = torch.get_num_threads()
    return f"{cpu().get('brand_raw', platform.machine())}, {threads} thread{'s' if threads > 1 else ''}"


def git_commit() -> str:
    """The commit of the code that runs, with '+' when it was changed since; empty outside a repository."""

    def git(*arguments: str) -> str:
        here = Path(__file__).parent
        return subprocess.run(["git", *arguments], cwd=here, capture_output=True, text=True, check=True).stdout.strip()

    try:
        commit, changed = git("rev-parse", "HEAD"), git("status", "--porcelain", "--untracked-files=no", "--", ".")
    except (OSError, subprocess.CalledProcessError):
        return ""
    return commit + ("+" if changed else "")
