"""The runs: which there are, where each lies, and how far it is. Knows nothing of models or PyTorch, so it starts at once.

python -m tvae.runs paper        what is done, running, interrupted and missing of a preset (`make paper-status`)
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Run:
    """One training: `kl_weight` is None for a preset's own schedule, a number for a run that goes on from there with it."""

    preset: str
    corpus: str
    model: str
    fold: int
    kl_weight: float | None = None

    @property
    def part(self) -> str:
        """``fold0``, or ``fold0-kl4`` for the run that goes on at another KL weight."""
        return f"fold{self.fold}" + ("" if self.kl_weight is None else f"-kl{self.kl_weight:g}")

    @property
    def folder(self) -> Path:
        """``cpu/hooktheory/attention/fold0``, inside the folder of all runs."""
        return Path(self.preset) / self.corpus / self.model / self.part

    @property
    def name(self) -> str:
        """``cpu-hooktheory-attention-fold0``, in the record."""
        return f"{self.preset}-{self.corpus}-{self.model}-{self.part}"
