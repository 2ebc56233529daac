"""Pieces to codes and back, and context transfer (the paper's Fig. 5).

The *donor* gives the codes of the swapped bars, the *host* gives all others: with ``bars=(1,)``, z_1 is the donor's
and z_2 to z_8 are the host's. The result is decoded free-running from the means of the codes. Bars are counted from
1, as musicians do.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

import numpy as np
import torch

from tvae import melody, midi
from tvae.baselines import LSTMVAE
from tvae.errors import TvaeError
from tvae.evaluate import BATCH
from tvae.melody import BARS, FIRST_PITCH, LOWEST, STEPS, SUSTAIN
from tvae.midi import Melody
from tvae.model import TransformerVAE


def context_transfer(
    vae: TransformerVAE | LSTMVAE, host: np.ndarray, donor: np.ndarray, bars: int | str | Sequence[int] = (1,)
) -> np.ndarray:
    """What if the host had begun as the donor does: host and donor (..., 128) tokens -> (..., 128) uint8, valid.

    The codes of these bars are the donor's. Raises TvaeError for bars that do not exist, for tokens that are no
    pieces, and for a model without a code for each bar.
    """
    host, donor = np.asarray(host), np.asarray(donor)
    piece = vae.config.bars * STEPS
    if host.shape != donor.shape or host.shape[-1:] != (piece,):
        raise TvaeError(
            f"Host and donor are as many pieces of {piece} tokens; these are of shapes {host.shape} and {donor.shape}."
        )
    bars = bar_numbers(bars, vae.config.bars)
    codes = swap(encode(vae, host.reshape(-1, piece)), encode(vae, donor.reshape(-1, piece)), bars)
    return decode(vae, codes).reshape(host.shape)


def bar_numbers(bars: int | str | Sequence[int], number: int = BARS) -> tuple[int, ...]:
    """Bars as a user gives them, 1 or "1, 2" or [1, 2] -> (1, 2). TvaeError unless all are in a piece of so many."""
    given = re.split(r"[\s,]+", bars.strip(" ,")) if isinstance(bars, str) else bars
    try:
        numbers = np.atleast_1d(given)
        found = tuple(sorted(map(int, set(numbers.tolist())))) if numbers.dtype.kind in "iuU" else ()
    except (TypeError, ValueError):
        found = ()
    if not found or not set(found) <= set(range(1, number + 1)):
        raise TvaeError(f"There are no bars {bars!r} to swap; give some of 1 to {number}, as in 1 or '1, 2'.")
    return found


def posterior(vae: TransformerVAE | LSTMVAE, tokens: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """q(z | x): pieces (N, 128) -> mu and log sigma^2, both (N, C, Z).

    Raises TvaeError for tokens that are no states.
    """
    if not ((tokens >= 0) & (tokens < melody.STATES)).all():
        raise TvaeError(f"Tokens are states 0 to {melody.STATES - 1}; these go from {tokens.min()} to {tokens.max()}.")
    device = next(vae.parameters()).device
    with torch.no_grad():
        parts = [vae.encode(part) for part in torch.as_tensor(tokens.astype(np.int64), device=device).split(BATCH)]
    mu, logvar = (torch.cat(part).cpu().numpy() for part in zip(*parts, strict=True))
    return mu, logvar


def encode(vae: TransformerVAE | LSTMVAE, tokens: np.ndarray) -> np.ndarray:
    """Pieces (N, 128) -> the means of their codes (N, C, Z)."""
    return posterior(vae, tokens)[0]


def generate(vae: TransformerVAE | LSTMVAE, codes: np.ndarray) -> np.ndarray:
    """Codes (N, C, Z) -> tokens (N, 128) uint8, free-running, as the model says them."""
    parts = torch.as_tensor(np.asarray(codes, np.float32), device=next(vae.parameters()).device).split(BATCH)
    return torch.cat([vae.generate(part) for part in parts]).cpu().numpy().astype(np.uint8)


def decode(vae: TransformerVAE | LSTMVAE, codes: np.ndarray) -> np.ndarray:
    """`generate`, made valid: a sustain of nothing is silence."""
    return melody.canonical(generate(vae, codes))


def reconstruct(vae: TransformerVAE | LSTMVAE, tokens: np.ndarray) -> np.ndarray:
    """Pieces (N, 128) through their codes and back: what the model has kept of them."""
    return decode(vae, encode(vae, tokens))


def swap(host: np.ndarray, donor: np.ndarray, bars: Sequence[int]) -> np.ndarray:
    """Codes (N, 8, Z) of hosts, those of these bars replaced by the donors'."""
    if host.shape[1] == 1:
        raise TvaeError("This model has one code for the whole piece: there is no bar's code to swap.")
    codes, index = host.copy(), [bar - 1 for bar in bars]
    codes[:, index] = donor[:, index]
    return codes


# --- songs to try it with


def tunes() -> dict[str, np.ndarray]:
    """The tunes of ``tvae/data/tunes.abc``: title -> (128,) tokens. Only as much of ABC is read as stands there."""
    text = (resources.files("tvae") / "data" / "tunes.abc").read_text(encoding="utf-8")
    found = {}
    for tune in text.split("X:")[1:]:
        (title,) = re.findall(r"^T:(.+)", tune, re.M)
        tokens = []
        for letter, octave, length in re.findall(r"([A-G])(,?)(\d+)", tune.split("K:C\n")[1]):
            pitch = 60 + "C D EF G A B".index(letter) - 12 * len(octave)
            tokens += [pitch - LOWEST + FIRST_PITCH] + (int(length) - 1) * [SUSTAIN]
        found[title] = np.array(tokens, np.uint8)
    return found


def song(name: str | Path, track: int | str | None = None, start: int | None = None) -> Melody:
    """One of `tunes` by its title, or the melody of a MIDI file by its path, `track` and `start` as in `read_midi`."""
    built_in = tunes()
    if str(name) in built_in:
        return Melody(built_in[str(name)], str(name), 120.0, 0, ())
    if not Path(name).exists():
        raise TvaeError(f"There is no file '{name}'; give a MIDI file, or one of the tunes: {', '.join(built_in)}.")
    return midi.read_midi(name, track, start)
