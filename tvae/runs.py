"""The runs: which there are, where each lies, and how far it is. Without PyTorch, so it starts at once."""

from __future__ import annotations

import csv
import itertools
from dataclasses import dataclass, replace
from pathlib import Path

from filelock import FileLock, Timeout

from tvae.corpora import PREFIX, slug
from tvae.errors import TvaeError
from tvae.files import read_json

STATES = ("done", "running", "interrupted", "missing")
# What a block of config.yaml lists, in the order in which its product is run through: the last varies fastest, so that
# models which are compared with each other are done one after the other.
BLOCK = {"corpora": str, "folds": int, "kl_weights": (int, float), "models": str}


@dataclass(frozen=True)
class Run:
    """One training: `kl_weight` is None for a preset's own schedule, a number for a run that goes on with it.

    `seed` is None where the fold's number is the seed, as it is unless somebody chooses another.
    """

    preset: str
    corpus: str
    model: str
    fold: int
    kl_weight: float | None = None
    seed: int | None = None

    @property
    def drawn(self) -> int:
        """The seed that everything random is drawn from."""
        return self.fold if self.seed is None else self.seed

    @property
    def part(self) -> str:
        """``fold0``; ``fold0-seed7`` with a seed of its own, ``fold0-kl4`` for a run that goes on at a KL weight."""
        seed = "" if self.drawn == self.fold else f"-seed{self.drawn}"
        return f"fold{self.fold}{seed}" + ("" if self.kl_weight is None else f"-kl{self.kl_weight:g}")

    def local_layer(self, local: str) -> Run:
        """The run of stage 0 that this run starts from; models with the same kind of local layer share it."""
        return replace(self, model=f"local_{local}", kl_weight=None)

    @property
    def folder(self) -> Path:
        """``cpu/hooktheory/attention/fold0``, inside the folder of all runs."""
        return Path(self.preset) / slug(self.corpus) / self.model / self.part

    @property
    def name(self) -> str:
        """``cpu-hooktheory-attention-fold0``, in the record."""
        return f"{self.preset}-{slug(self.corpus)}-{self.model}-{self.part}"


def planned(config: object, preset: str) -> list[Run]:
    """The runs of a preset, the most important first; `config` is what config.yaml holds.

    A preset is a list of blocks, each the product of its ``corpora``, ``folds``, ``kl_weights`` (if it has them) and
    ``models``; what two blocks name is one run. Raises `TvaeError` on an unknown preset, on a block that is no such
    product, and on one with a folder of MIDI files, which the graph does not train.
    """
    presets = config.get("presets") if isinstance(config, dict) else None
    if not isinstance(presets, dict):
        raise TvaeError("config.yaml should have `presets`, each a list of blocks.")
    if preset not in presets:
        raise TvaeError(f"config.yaml has no preset '{preset}'; choose one of {', '.join(presets)}.")
    if not isinstance(presets[preset], list):
        raise TvaeError(f"config.yaml: preset {preset} should be a list of blocks, one `- {{corpora: ...}}` each.")
    runs = []
    for number, block in enumerate(presets[preset], start=1):
        where = f"config.yaml, preset {preset}, block {number}"
        if not isinstance(block, dict) or set(block) | {"kl_weights"} != set(BLOCK):
            raise TvaeError(f"{where} should have corpora, models, folds and, if wanted, kl_weights, and nothing else.")
        for key, values in block.items():
            if not isinstance(values, list) or not all(isinstance(value, BLOCK[key]) for value in values):
                raise TvaeError(f"{where}: {key} should be a list like the other blocks' {key}, not {values!r}.")
        for corpus in block["corpora"]:
            if corpus.startswith(PREFIX):  # its name in paths, which the graph knows runs by, does not say where it is
                raise TvaeError(f"{where}: train '{corpus}' with `python -m tvae train`; the graph takes no folders.")
        lists: list[list] = [{"kl_weights": [None], **block}[key] for key in BLOCK]
        for corpus, fold, kl_weight, model in itertools.product(*lists):
            runs.append(Run(preset, corpus, model, fold, kl_weight))
    return list(dict.fromkeys(runs))


@dataclass(frozen=True)
class Progress:
    """How far a run is: pieces seen in stage 1, and the seconds that took.

    `planned` are its pieces by the run's own config.json, None where there is none yet. Stage 0 takes a minute or two
    and is shared, so it is not counted.
    """

    state: str  # one of `STATES`
    pieces: float = 0.0
    seconds: float = 0.0
    planned: float | None = None

    @property
    def part(self) -> float:
        """What part of the planned pieces was seen, 0 to 1."""
        return min(1.0, self.pieces / self.planned) if self.planned else 0.0


def progress(folder: Path) -> Progress:
    """How far the run in this folder is. Raises `TvaeError` on a file that a run does not leave like that."""
    if (folder / "metrics.json").exists():
        state = "done"
    elif is_locked(folder):
        state = "running"
    elif (folder / "checkpoint.pt").exists():
        state = "interrupted"
    else:
        return Progress("missing")  # whatever lies there, training starts anew
    reading = folder / "config.json"
    try:
        settings = read_json(reading) if reading.exists() else None
        planned = settings["plan"]["stage_1"]["learning_rate"][-1][0] if settings else None
        reading = folder / "history.csv"
        history = list(csv.DictReader(reading.read_text().splitlines())) if reading.exists() else []
        last = {row["stage"]: (float(row["pieces"]), float(row["seconds"])) for row in history}
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise TvaeError(f"{reading} is not what a run leaves there ({type(error).__name__}: {error}).") from None
    pieces, seconds = last.get("1", (0.0, 0.0))
    _, before = last.get("0", (0.0, 0.0))  # history.csv counts on through both stages
    return Progress(state, pieces, seconds - before if pieces else 0.0, planned)


def is_locked(folder: Path) -> bool:
    """Does a training hold this folder? Takes its lock, if that is free, and gives it back at once."""
    if not (folder / ".lock").exists():
        return False
    try:
        with FileLock(folder / ".lock", timeout=0, is_singleton=False):
            return False
    except Timeout:
        return True
