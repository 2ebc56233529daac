"""What a stage trains on: rows of the songs that train, in a fixed random order, each transposed."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from tvae.corpus import Corpus
from tvae.melody import FIRST_PITCH, STATES, STEPS, transposition_table
from tvae.presets import SHIFTS, Stage


def training_rows(
    data: Corpus, settings: dict, number: int, stage: Stage, count_padding: bool, device: torch.device
) -> Rows:
    """The rows of the songs that train: bars for stage 0, pieces for stage 1."""
    train, _ = data.split(settings["fold"])
    tokens = data.tokens[train]
    counted = np.ones_like(tokens, bool) if count_padding else np.arange(tokens.shape[1]) < data.length[train][:, None]
    width = (STEPS, tokens.shape[1])[number]
    seed = 2 * settings["seed"] + number
    return Rows(
        tokens.reshape(-1, width), counted.reshape(-1, width), stage.batch, seed, device, stage.transposed_repeats
    )


class Rows:
    """The training rows of one stage, on the device, in an order that depends on seed, stage and step alone.

    Every pass over the rows is a fresh shuffle, whose last rows are left out where they fill no batch. From pass to
    pass a row's transposition is the next of nine.
    """

    def __init__(
        self, tokens: np.ndarray, counted: np.ndarray, batch: int, seed: int, device: torch.device, repeats: float = 0.0
    ):
        self.tokens = torch.as_tensor(tokens, device=device)  # (N, L) uint8
        self.counted = torch.as_tensor(counted, device=device)  # (N, L) bool: steps that the loss counts
        self.tables = torch.as_tensor(np.stack([transposition_table(k) for k in SHIFTS]), device=device)  # (9, 47)
        self.batch, self.seed, self.repeats = min(batch, len(tokens)), seed, repeats
        self.first_shift = self.random(0).integers(len(SHIFTS), size=len(tokens))
        self.shuffled = (-1, np.empty(0, int))

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
        tokens = self.tables[shift[:, None], self.tokens[rows].long()].long()
        if self.repeats:
            tokens = transposed_repeats(tokens, self.repeats, np.random.default_rng([self.seed, 0, step]))
        return tokens, self.counted[rows]


def transposed_repeats(tokens: Tensor, share: float, random: np.random.Generator) -> Tensor:
    """Pieces (B, L): in such a share of them 1, 2 or 4 bars in a row become earlier ones, transposed.

    Where bars come from, where they go and how far, up to six semitones, is drawn for each piece; it stays as it is
    where a note would leave the grid.
    """
    x = tokens.unflatten(-1, (-1, STEPS))
    pieces, bars = x.shape[:2]
    size = random.choice([1, 2, 4])
    source = random.integers(bars - 2 * size + 1, size=pieces)
    target = random.integers(source + size, bars - size + 1)
    semitones = random.choice([-1, 1], size=pieces) * random.integers(1, 7, size=pieces)
    drawn = random.random(pieces) < share
    at = np.arange(bars) - target[:, None]
    copied = (at >= 0) & (at < size) & drawn[:, None]
    origin = np.where(copied, source[:, None] + at, np.arange(bars))
    copied, origin, semitones = (torch.as_tensor(each, device=x.device) for each in (copied, origin, semitones))
    repeated = x.gather(1, origin[..., None].expand_as(x))
    moved = torch.where(copied[..., None] & (repeated >= FIRST_PITCH), repeated + semitones[:, None, None], repeated)
    inside = ((moved >= FIRST_PITCH) == (repeated >= FIRST_PITCH)).all((1, 2)) & (moved < STATES).all((1, 2))
    return torch.where(inside[:, None, None], moved, x).flatten(1)
