"""How good a model is: accuracies, onsets, rate and distortion on test pieces, padding never counted.

Everything is kept per piece as well, so that intervals can be computed afterwards without the model. Names follow
rate-distortion usage: rate is the KL divergence from prior to posterior, distortion the cross-entropy, both in nats a
piece. z = mu is not limited by the rate, which is paid for a drawn z: the ``_sampled`` metrics draw it. What the
release calls "ACC SAMPLING" is ``accuracy_free_running`` (z = mu, nothing is sampled), its "ACC TEACHER F." is
``accuracy_teacher_forced_sampled`` (z drawn from the posterior).
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from tvae.melody import FIRST_PITCH
from tvae.model import kl_divergence

Pieces = dict[str, np.ndarray]
BATCH = 512  # pieces that a model is given at once, here and elsewhere
SEED = 0  # of the draws z ~ q in an evaluation: the same weights give the same figures


@torch.no_grad()
def evaluate(model: torch.nn.Module, tokens: np.ndarray, length: np.ndarray) -> tuple[dict, Pieces]:
    """Score `model` on pieces `tokens` (N, 128) whose first `length` (N,) steps are music.

    Returns the flat metrics and the per-piece arrays that they are sums of.
    """
    device = next(model.parameters()).device
    training = model.training
    model.eval()
    cuda = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=cuda):  # evaluation leaves the training's random state alone
        torch.manual_seed(SEED)
        parts = [
            score_batch(model, torch.as_tensor(tokens[i : i + BATCH], dtype=torch.long, device=device),
                        torch.as_tensor(length[i : i + BATCH], dtype=torch.long, device=device))
            for i in range(0, len(tokens), BATCH)
        ]  # fmt: skip
    model.train(training)
    pieces = {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
    return summarise(pieces), pieces


def score_batch(model: torch.nn.Module, tokens: Tensor, length: Tensor) -> Pieces:
    """Per-piece scores of one batch: tokens (B, 128), length (B,)."""
    mu, logvar = model.encode(tokens)
    z = model.sample(mu, logvar)
    sampled = model.decode(z, tokens).flatten(1, 2)  # (B, 128, V)
    counted = torch.arange(tokens.shape[1], device=tokens.device) < length[:, None]
    nll = F.cross_entropy(sampled.flatten(0, 1), tokens.flatten(), reduction="none").view_as(tokens)
    scores = {
        **prediction_scores("teacher_forced", model.decode(mu, tokens).flatten(1, 2).argmax(-1), tokens, counted),
        **prediction_scores("teacher_forced_sampled", sampled.argmax(-1), tokens, counted),
        **prediction_scores("free_running", model.generate(mu), tokens, counted),
        **prediction_scores("free_running_sampled", model.generate(z), tokens, counted),
        "steps": length,
        "rate": kl_divergence(mu, logvar).sum((1, 2)),
        "distortion": (nll * counted).sum(-1),
    }
    if mu.shape[1] > 1:  # a code a bar
        scores["rate_per_bar"] = kl_divergence(mu, logvar).sum(-1)  # (B, T)
    return {key: value.cpu().numpy() for key, value in scores.items()}


def prediction_scores(name: str, predicted: Tensor, tokens: Tensor, counted: Tensor) -> dict[str, Tensor]:
    """Per piece: steps that are right, and onsets found, wrong and missed; an onset is right in pitch and step."""
    right = (predicted == tokens) & counted
    onset, claimed = (tokens >= FIRST_PITCH) & counted, (predicted >= FIRST_PITCH) & counted
    return {
        f"correct_{name}": right.sum(-1),
        f"onsets_found_{name}": (right & onset).sum(-1),
        f"onsets_claimed_{name}": claimed.sum(-1),
        f"onsets_true_{name}": onset.sum(-1),
    }


def terms(pieces: Pieces) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Every metric as a ratio of sums over pieces: name -> (numerators (N, ...), denominators (N, ...)).

    The one definition that both the metrics and their intervals (`tvae.studies.statistics.interval`) use. Only what
    the arrays in `pieces` allow is there: predictions without a code have no rate.
    """
    found = {}
    for name in ("teacher_forced", "teacher_forced_sampled", "free_running", "free_running_sampled"):
        if f"correct_{name}" in pieces:
            found[f"accuracy_{name}"] = (pieces[f"correct_{name}"], pieces["steps"])
            onsets = pieces[f"onsets_claimed_{name}"] + pieces[f"onsets_true_{name}"]
            found[f"onset_f1_{name}"] = (2 * pieces[f"onsets_found_{name}"], onsets)
    if "rate" in pieces:
        one = np.ones(len(pieces["rate"]))
        found["rate_nats_per_piece"] = (pieces["rate"].astype(float), one)
        found["distortion_nats_per_piece"] = (pieces["distortion"].astype(float), one)
    if "rate_per_bar" in pieces:
        rate = pieces["rate_per_bar"].astype(float)  # (N, T)
        found["rate_per_bar"] = (rate, np.ones_like(rate))
        half = rate.shape[1] // 2  # from bar 1 to the second half without its last bar, of eight bars 5-7, as a share
        found["rate_drop"] = (rate[:, 0] - rate[:, half:-1].mean(1), rate[:, 0])
    return found


def summarise(pieces: Pieces) -> dict:
    """The metrics of a set of pieces, from their per-piece arrays."""
    values = {name: numerator.sum(0) / np.maximum(denominator.sum(0), 1e-12)  # no onset at all: F1 is 0
              for name, (numerator, denominator) in terms(pieces).items()}  # fmt: skip
    return {"n_test": len(pieces["steps"]), **{name: value.tolist() for name, value in values.items()}}
