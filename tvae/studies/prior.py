"""A prior over the codes of a piece: p(z_i | the codes of any other bars), from which new songs are drawn bar by bar.

Codes drawn from N(0, 1) know nothing of each other. This is a small masked Transformer over the bars, an order-agnostic
autoregressive model (Uria, Murray and Larochelle 2014; Hoogeboom et al. 2022). In training any bars are known and each
other one is told from them. So a whole song is drawn from nothing, a first bar goes on, and gaps between given bars are
filled, all with the same weights.

Of a bar its *tie* comes first: how many bars back the nearest equal bar lies, or 0. The code of a repeated bar is
nearly one point, far from where new ones are, and mixtures by dimensions do not choose between the two. Then one
dimension is told after the other, by a masked network (Germain et al. 2015) that gives each a mixture of Gaussians.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tvae.corpus import Corpus
from tvae.melody import transpose
from tvae.model import EncoderLayer, ModelConfig, TransformerVAE
from tvae.studies.relations import nearest_equal
from tvae.studies.statistics import SEED
from tvae.transfer import encode

HEARD = (-4, 0, 4)  # semitones: of the transpositions that the model was trained on, the ends and the middle
LEAST = 0.03  # of a deviation


@dataclass(frozen=True)
class PriorConfig:
    """Sizes of a `Prior`. The layers over the bars are those of `tvae.model.EncoderLayer`."""

    bars: int = 8
    d_latent: int = 64
    d_model: int = 96
    d_hidden: int = 256  # of the network within a code
    heads: int = 4
    layers: int = 2
    components: int = 3

    @property
    def layer(self) -> ModelConfig:
        return ModelConfig(
            d_model=self.d_model, d_head=self.d_model // self.heads, d_feedforward=2 * self.d_model, heads=self.heads
        )


@dataclass(frozen=True)
class Recipe:
    """How a `Prior` is trained; the steps were chosen on validation songs (``book/lab_notes.md``)."""

    batch: int = 64
    steps: int = 6_000
    learning_rate: float = 2e-3
    noise: float = 0.1  # deviation of what is added to the codes


class Prior(nn.Module):
    """Codes (B, T, Z) of which some are known -> a density of each of the others."""

    def __init__(self, config: PriorConfig = PriorConfig()):
        super().__init__()
        self.config = config
        self.position = nn.Parameter(torch.randn(config.bars, config.d_model))
        self.unknown = nn.Parameter(torch.randn(config.d_model))
        self.from_code = nn.Linear(config.d_latent, config.d_model)
        self.layers = nn.ModuleList(EncoderLayer(config.layer) for _ in range(config.layers))
        self.to_tie = nn.Linear(config.d_model, config.bars)
        self.tie = nn.Parameter(0.1 * torch.randn(config.bars, config.d_model))
        self.from_context = nn.Linear(config.d_model, config.d_hidden)
        self.context_to_mixture = nn.Linear(config.d_model, 3 * config.components * config.d_latent, bias=False)
        self.from_earlier = nn.Linear(config.d_latent, config.d_hidden, bias=False)
        self.to_mixture = nn.Linear(config.d_hidden, 3 * config.components * config.d_latent)
        degree = torch.arange(config.d_hidden) * config.d_latent // config.d_hidden  # dimensions a unit is told
        dimension = torch.arange(config.d_latent)
        self.register_buffer("told", degree[:, None] > dimension, persistent=False)  # (H, Z)
        self.register_buffer("asked", dimension[:, None] >= degree, persistent=False)  # (Z, H)

    def context(self, codes: Tensor, known: Tensor) -> Tensor:
        """What the known bars say of each bar: codes (B, T, Z), known (B, T) bool -> (B, T, D)."""
        x = torch.where(known[..., None], self.from_code(codes), self.unknown) + self.position
        everything = torch.ones(self.config.bars, self.config.bars, dtype=torch.bool, device=x.device)
        for layer in self.layers:
            x = layer(x, everything)
        return x

    def mixture(self, context: Tensor, codes: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Context with the tie (..., D) and the codes themselves (..., Z), a dimension told those before it.

        Returns log weights, means and log deviations of the components, each (..., Z, K).
        """
        hidden = self.from_context(context) + F.linear(codes, self.from_earlier.weight * self.told)
        weight = self.to_mixture.weight.unflatten(0, (self.config.d_latent, -1)) * self.asked[:, None]
        out = F.linear(hidden.relu(), weight.flatten(0, 1), self.to_mixture.bias) + self.context_to_mixture(context)
        logits, mean, deviation = out.unflatten(-1, (self.config.d_latent, 3, -1)).unbind(-2)
        return logits.log_softmax(-1), mean, log_deviation(deviation)

    def log_density(self, codes: Tensor, ties: Tensor, known: Tensor) -> Tensor:
        """log p(tie and code of a bar | the known codes) in nats, (B, T); of a known bar it means nothing."""
        context = self.context(codes, known)
        tie = self.to_tie(context).log_softmax(-1).gather(-1, ties[..., None])[..., 0]
        weight, mean, deviation = self.mixture(context + self.tie[ties], codes)
        error = (codes[..., None] - mean) / deviation.exp()
        density = (weight - 0.5 * error.square() - deviation).logsumexp(-1) - 0.5 * math.log(2 * math.pi)
        return tie + density.sum(-1)

    @torch.no_grad()
    def draw(self, codes: Tensor, known: Tensor, noise: Tensor, temperature: float = 1.0) -> Tensor:
        """Fill the unknown bars of codes (B, T, Z), the first one first. known (T,) bool is the same for all.

        ``noise`` (B, T, 1 + Z, 2) chooses: the first number of each row, uniform in 0 ... 1, tie and components,
        the second, from N(0, 1), the place in it. A temperature below 1 keeps closer to the components' means.
        """
        codes, known = codes.clone(), known.clone()
        earlier, out = self.from_earlier.weight * self.told, self.to_mixture
        weight = out.weight.unflatten(0, (self.config.d_latent, -1)) * self.asked[:, None]
        bias = out.bias.unflatten(0, (self.config.d_latent, -1))
        for bar in (~known).nonzero().flatten().tolist():
            context = self.context(codes, known.expand(len(codes), -1))[:, bar]
            context = context + self.tie[choose(self.to_tie(context), noise[:, bar, 0, 0])]
            hidden, direct = self.from_context(context), self.context_to_mixture(context)
            direct = direct.unflatten(-1, (self.config.d_latent, -1))
            for dimension in range(self.config.d_latent):
                out = F.linear(hidden.relu(), weight[dimension], bias[dimension]) + direct[:, dimension]
                logits, *parts = out.unflatten(-1, (3, -1)).unbind(1)
                chosen = choose(logits, noise[:, bar, 1 + dimension, 0])[:, None]
                mean, deviation = (part.gather(-1, chosen)[:, 0] for part in parts)
                z = mean + temperature * log_deviation(deviation).exp() * noise[:, bar, 1 + dimension, 1]
                codes[:, bar, dimension] = z
                hidden = hidden + z[:, None] * earlier[:, dimension]
            known[bar] = True
        return codes


def choose(logits: Tensor, uniform: Tensor) -> Tensor:
    """Logits (B, K) and numbers in 0 ... 1 (B,) -> which of the K, (B,)."""
    below = logits.softmax(-1).cumsum(-1) <= uniform[:, None]
    return below.sum(-1).clamp(max=logits.shape[-1] - 1)


def log_deviation(x: Tensor) -> Tensor:
    """What the network says -> log deviation, not below that of `LEAST`."""
    return (F.softplus(x) + LEAST).log()


def noise(pieces: int, config: PriorConfig, seed: int = SEED) -> Tensor:
    """What `Prior.draw` chooses by, for so many pieces; a piece's does not depend on how many there are."""
    found, shape = [], (config.bars, 1 + config.d_latent)
    for piece in range(pieces):
        random = np.random.default_rng([seed, piece])
        found.append(np.stack([random.random(shape), random.standard_normal(shape)], -1))
    return torch.as_tensor(np.array(found), dtype=torch.float32)


def new_songs(prior: Prior, pieces: int, seed: int = SEED, temperature: float = 1.0) -> np.ndarray:
    """Codes (N, T, Z) of whole songs, drawn from nothing."""
    config = prior.config
    nothing = np.zeros((pieces, config.bars, config.d_latent), np.float32)
    return filled(prior, nothing, np.zeros(config.bars, bool), seed, temperature)


def filled(
    prior: Prior, codes: np.ndarray, known: np.ndarray, seed: int = SEED, temperature: float = 1.0
) -> np.ndarray:
    """Codes (N, T, Z) of which the known bars (T,) bool are kept and the others drawn."""
    given = torch.as_tensor(codes), torch.as_tensor(known)
    return prior.draw(*given, noise(len(codes), prior.config, seed), temperature).numpy()


# --- training


def encoded(vae: TransformerVAE, pieces: Corpus) -> Tensor:
    """The means of the codes of every piece in the transpositions of `HEARD`, (3, N, T, Z)."""
    return torch.as_tensor(np.stack([encode(vae, transpose(pieces.tokens, shift)) for shift in HEARD]))


def tied(pieces: Corpus) -> Tensor:
    """The tie of every bar, (N, T); a transposition does not change it."""
    return torch.as_tensor(nearest_equal(pieces.tokens))


def some_known(pieces: int, bars: int, random: torch.Generator) -> Tensor:
    """(B, T) bool: of every second piece so many first bars, of the others as many wherever they are; never all."""
    number = torch.randint(bars, (pieces, 1), generator=random)
    place = torch.rand(pieces, bars, generator=random).argsort(-1)
    place[::2] = torch.arange(bars)
    return place < number


def batches(codes: Tensor, ties: Tensor, recipe: Recipe) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Endless batches of pieces, each in a random transposition, with their ties, and of which bars are known."""
    random = torch.Generator().manual_seed(SEED)
    while True:
        rows = torch.randint(codes.shape[1], (recipe.batch,), generator=random)
        batch = codes[torch.randint(len(codes), (recipe.batch,), generator=random), rows]
        batch = batch + recipe.noise * torch.randn(batch.shape, generator=random)
        yield batch, ties[rows], some_known(recipe.batch, codes.shape[2], random)


def loss(prior: Prior, codes: Tensor, ties: Tensor, known: Tensor) -> Tensor:
    """Nats a bar that the unknown bars cost, each told from the known ones."""
    return -(prior.log_density(codes, ties, known) * ~known).sum() / (~known).sum()


@torch.no_grad()
def price(prior: Prior, codes: Tensor, ties: Tensor) -> float:
    """`loss` of codes and ties as they are in training, over ten batches of the same draws whatever the prior."""
    drawn = zip(range(10), batches(codes, ties, Recipe()))
    return float(np.mean([loss(prior, *batch).item() for _, batch in drawn]))


def train(codes: Tensor, ties: Tensor, config: PriorConfig, recipe: Recipe) -> Prior:
    """A prior of codes (3, N, T, Z) as `encoded` gives them, and of ties (N, T).

    The learning rate rises for a tenth, then falls.
    """
    torch.manual_seed(SEED)
    prior = Prior(config)
    optimizer = torch.optim.AdamW(prior.parameters(), lr=recipe.learning_rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, recipe.learning_rate, recipe.steps, pct_start=0.1)
    for _, batch in zip(range(recipe.steps), batches(codes, ties, recipe)):
        optimizer.zero_grad()
        loss(prior, *batch).backward()
        nn.utils.clip_grad_norm_(prior.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    return prior.eval()


def settings(config: PriorConfig, recipe: Recipe) -> dict:
    return {"prior": asdict(config), "recipe": asdict(recipe), "seed": SEED}
