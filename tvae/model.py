r"""The paper's model, equations (1)-(5), in the paper's order.

===================  ==============================  =======================  ======================================
paper                here                            shape                    what it is
===================  ==============================  =======================  ======================================
:math:`x_i`          ``tokens``                      (B, T*S) int64           a piece: T=8 bars of S=16 steps
:math:`h^e_i`        ``LocalEncoder``                (B, T, D)                one bar, seen alone
:math:`g^e_i`        ``TransformerEncoder`` (1)      (B, T, D)                one bar, seen in its context
:math:`\mu_i`        ``to_mu`` (2)                   (B, T, Z)                mean of the code's posterior
:math:`\log\sigma^2` ``to_logvar`` (2)               (B, T, Z)                its log-variance
:math:`z_i`          ``sample`` (3)                  (B, T, Z)                the code of bar i
:math:`h^d_i`        ``LocalEncoder`` again          (B, T, D)                a decoded bar, fed back for the next one
:math:`g^d_i`        ``TransformerDecoder`` (4)      (B, T, D)                bar i, made from codes and earlier bars
:math:`\hat x_i`     ``LocalDecoder`` (5)            (B, T, S, V) logits      bar i, as V=47 states a step
===================  ==============================  =======================  ======================================

Sizes, post-norm, bar positions and per-bar projections are the official release's; ``book/deviations.md`` lists where
it leaves the paper.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tvae.errors import TvaeError
from tvae.lstm import LocalLSTMDecoder, LocalLSTMEncoder, LSTMSizes

MASKS = ("none", "causal", "diagonal")
LOCALS = ("dense", "lstm")
INITIALISATIONS = ("release", "pytorch")


@dataclass(frozen=True)
class ModelConfig:
    """The sizes and masks of a `TransformerVAE`; the defaults are the release's (11,999,728 parameters).

    A mask says which bars bar i may see: ``causal`` bars 1..i (the paper's "upper triangular"), ``diagonal`` bar i
    alone (attention removed, "Proposed-A"), ``none`` all eight. ``d_head`` is the width of queries, keys and values
    *per head*: the release's 256 makes attention four times as wide as the model; 64 is the usual, ``compact``, choice.

    ``local`` says how a bar is read and written: ``dense``, all 16 steps at once, as in the release, or ``lstm``, one
    after the other, each told the one before. ``previous_bar`` feeds each decoded bar back for the next one; without
    it, and with diagonal masks, a bar knows nothing but its own code. ``initialisation`` is what the weights start
    from (`TransformerVAE.initialise`).
    """

    bars: int = 8
    steps: int = 16
    states: int = 47
    hidden: tuple[int, ...] = (512, 384)  # of the local encoder; the local decoder's are these reversed
    d_model: int = 256
    d_head: int = 256
    d_feedforward: int = 256
    d_latent: int = 64
    heads: int = 4
    layers: int = 3
    encoder_mask: str = "causal"
    inter_mask: str = "causal"  # from the decoder to the codes z
    decoder_mask: str = "causal"
    previous_bar: bool = True
    local: str = "dense"
    lstm: LSTMSizes = LSTMSizes()  # of the local layer, where it is an LSTM
    initialisation: str = "release"
    norm_epsilon: float = 1e-12  # of LayerNorm; PyTorch's is 1e-5

    def __post_init__(self):
        object.__setattr__(self, "hidden", tuple(self.hidden))  # a list, when it comes from JSON
        if isinstance(self.lstm, dict):
            object.__setattr__(self, "lstm", LSTMSizes(**self.lstm))
        masks = {"mask": self.encoder_mask, "mask to the codes": self.inter_mask, "decoder mask": self.decoder_mask}
        choices: list[tuple[str, str, tuple[str, ...]]] = [(what, mask, MASKS) for what, mask in masks.items()]
        choices += [("local layer", self.local, LOCALS), ("initialisation", self.initialisation, INITIALISATIONS)]
        for what, choice, known in choices:
            if choice not in known:
                raise TvaeError(f"There is no {what} '{choice}'; choose one of {', '.join(known)}.")

    @property
    def latent_dims(self) -> int:
        """Dimensions of a piece's whole code (512)."""
        return self.bars * self.d_latent


def visible(mask: str, bars: int) -> Tensor:
    """(T, T) bool: may bar i (row) see bar j (column)?"""
    everything = torch.ones(bars, bars, dtype=torch.bool)
    return {"none": everything, "causal": everything.tril(), "diagonal": everything.tril().triu()}[mask]


def mlp(*widths: int) -> nn.Sequential:
    """Linear layers of these widths with ReLU between them."""
    layers = [layer for a, b in pairwise(widths) for layer in (nn.Linear(a, b), nn.ReLU())]
    return nn.Sequential(*layers[:-1])


class LocalEncoder(nn.Module):
    """x_i -> h_i: a whole bar at once, as one one-hot vector (16 x 47 = 752). Bars (..., S) -> (..., D)."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.states = config.states
        self.net = mlp(config.steps * config.states, *config.hidden, config.d_model)

    def forward(self, bars: Tensor) -> Tensor:
        one_hot = F.one_hot(bars, self.states).flatten(-2)  # (..., S*V)
        return self.net(one_hot.to(self.net[0].weight.dtype))


class LocalDecoder(nn.Module):
    """Equation (5), g_i -> x̂_i: all 16 steps of a bar at once."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.bar = (config.steps, config.states)
        self.net = mlp(config.d_model, *reversed(config.hidden), config.steps * config.states)

    def forward(self, g: Tensor, bars: Tensor | None = None) -> Tensor:
        """(..., D) -> logits (..., S, V). The true bars (..., S) make no difference: no step is told another."""
        return self.net(g).unflatten(-1, self.bar)

    def generate(self, g: Tensor) -> Tensor:
        """(..., D) -> the likeliest bars (..., S)."""
        return self(g).argmax(-1)


def local_layer(config: ModelConfig) -> tuple[nn.Module, nn.Module]:
    """The local encoder and decoder that ``config.local`` names."""
    if config.local == "lstm":
        return LocalLSTMEncoder(config), LocalLSTMDecoder(config)
    return LocalEncoder(config), LocalDecoder(config)


class BarwiseLinear(nn.Module):
    """A linear map for each bar position, the W_i and b_i of equation (2). (B, T, in) -> (B, T, out)."""

    def __init__(self, bars: int, d_in: int, d_out: int):
        super().__init__()
        bound = d_in**-0.5  # as nn.Linear starts
        self.weight = nn.Parameter(torch.empty(bars, d_in, d_out).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(bars, 1, d_out).uniform_(-bound, bound))

    def forward(self, x: Tensor) -> Tensor:
        return (torch.bmm(x.transpose(0, 1), self.weight) + self.bias).transpose(0, 1)


class Attention(nn.Module):
    """Multi-head attention from bars to bars; queries, keys and values without bias."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.heads = config.heads
        width = config.heads * config.d_head
        self.query = nn.Linear(config.d_model, width, bias=False)
        self.key = nn.Linear(config.d_model, width, bias=False)
        self.value = nn.Linear(config.d_model, width, bias=False)
        self.out = nn.Linear(width, config.d_model)

    def split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)  # (B, heads, T, d_head)

    def memory(self, bars: Tensor) -> tuple[Tensor, Tensor]:
        """What can be attended to: bars (B, T, D) -> keys and values, each (B, heads, T, d_head)."""
        return self.split(self.key(bars)), self.split(self.value(bars))

    def forward(self, x: Tensor, memory: tuple[Tensor, Tensor], visible: Tensor, weights: list | None = None) -> Tensor:
        """x (B, T', D) attends to `memory` where `visible` (T', T) allows -> (B, T', D).

        With a list as `weights`, the attention weights (B, heads, T', T) are computed explicitly and appended to it.
        """
        query, (key, value) = self.split(self.query(x)), memory
        if weights is None:
            heads = F.scaled_dot_product_attention(query, key, value, attn_mask=visible)
        else:
            scores = query @ key.transpose(-1, -2) * query.shape[-1] ** -0.5
            weights.append(scores.masked_fill(~visible, -torch.inf).softmax(-1))
            heads = weights[-1] @ value
        return self.out(heads.transpose(1, 2).flatten(-2))


class EncoderLayer(nn.Module):
    """Self-attention, then feed-forward; each added to its input and normalised afterwards (post-norm)."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.attention = Attention(config)
        self.attention_norm = nn.LayerNorm(config.d_model, eps=config.norm_epsilon)
        self.feedforward = mlp(config.d_model, config.d_feedforward, config.d_model)
        self.feedforward_norm = nn.LayerNorm(config.d_model, eps=config.norm_epsilon)

    def forward(self, x: Tensor, visible: Tensor, weights: list | None = None) -> Tensor:
        x = self.attention_norm(x + self.attention(x, self.attention.memory(x), visible, weights))
        return self.feedforward_norm(x + self.feedforward(x))


class DecoderLayer(nn.Module):
    """Self-attention over earlier bars, attention to the codes, feed-forward; all post-norm."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.attention = Attention(config)
        self.attention_norm = nn.LayerNorm(config.d_model, eps=config.norm_epsilon)
        self.inter = Attention(config)
        self.inter_norm = nn.LayerNorm(config.d_model, eps=config.norm_epsilon)
        self.feedforward = mlp(config.d_model, config.d_feedforward, config.d_model)
        self.feedforward_norm = nn.LayerNorm(config.d_model, eps=config.norm_epsilon)

    def forward(self, x, past, codes, seen_past, seen_codes, self_weights=None, inter_weights=None) -> Tensor:
        """x (B, T', D); `past` and `codes` are memories of the bars so far and of z, each with its visibility."""
        x = self.attention_norm(x + self.attention(x, past, seen_past, self_weights))
        x = self.inter_norm(x + self.inter(x, codes, seen_codes, inter_weights))
        return self.feedforward_norm(x + self.feedforward(x))


class TransformerEncoder(nn.Module):
    """Equation (1): g^e_1..T = E(h^e_1..T). (B, T, D) -> (B, T, D)."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.position = nn.Parameter(torch.randn(config.bars, config.d_model))
        self.layers = nn.ModuleList(EncoderLayer(config) for _ in range(config.layers))
        self.register_buffer("visible", visible(config.encoder_mask, config.bars), persistent=False)

    def forward(self, h: Tensor, weights: list | None = None) -> Tensor:
        g = h + self.position
        for layer in self.layers:
            g = layer(g, self.visible, weights)
        return g


class TransformerDecoder(nn.Module):
    """Equation (4): g^d_1..i = D(z_1..i, h^d_0..i-1)."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.previous_bar = config.previous_bar
        self.position = nn.Parameter(torch.randn(config.bars, config.d_model))
        self.layers = nn.ModuleList(DecoderLayer(config) for _ in range(config.layers))
        self.register_buffer("seen_codes", visible(config.inter_mask, config.bars), persistent=False)
        self.register_buffer("seen_past", visible(config.decoder_mask, config.bars), persistent=False)

    def forward(
        self, codes: Tensor, h: Tensor, self_weights: list | None = None, inter_weights: list | None = None
    ) -> Tensor:
        """All bars at once, when the true ones are known: codes and h (B, T, D) -> g (B, T, D)."""
        before = F.pad(h, (0, 0, 1, -1))  # the previous bar's h, zero for bar 1
        g = self.position + (before if self.previous_bar else torch.zeros_like(h))
        for layer in self.layers:
            past, memory = layer.attention.memory(g), layer.inter.memory(codes)
            g = layer(g, past, memory, self.seen_past, self.seen_codes, self_weights, inter_weights)
        return g

    def bar_by_bar(self, codes: Tensor):
        """The same, one bar at a time: a coroutine that is sent h_{i-1} (B, D) and yields g_i (B, D).

        Keys and values of earlier bars are kept, so each bar is computed once; bar i sees no more than bars 1..i.
        """
        memories = [layer.inter.memory(codes) for layer in self.layers]
        pasts: list[tuple[Tensor, ...]] = [()] * len(self.layers)
        h = torch.zeros_like(codes[:, 0])
        for i, position in enumerate(self.position):
            g = (position + (h if self.previous_bar else torch.zeros_like(h)))[:, None]
            for n, layer in enumerate(self.layers):
                new = layer.attention.memory(g)
                pasts[n] = tuple(torch.cat(kv, 2) for kv in zip(pasts[n], new, strict=True)) if i else new
                g = layer(g, pasts[n], memories[n], self.seen_past[i : i + 1, : i + 1], self.seen_codes[i : i + 1])
            h = yield g[:, 0]


class TransformerVAE(nn.Module):
    """Melodies of eight bars to eight codes and back.

    Tokens are (B, 128) int64 in 0..46 (`tvae.melody`), codes (B, 8, 64).
    """

    def __init__(self, config: ModelConfig = ModelConfig()):
        super().__init__()
        self.config = config
        self.local_encoder, self.local_decoder = local_layer(config)
        self.encoder = TransformerEncoder(config)
        self.to_mu = BarwiseLinear(config.bars, config.d_model, config.d_latent)
        self.to_logvar = BarwiseLinear(config.bars, config.d_model, config.d_latent)
        self.from_code = BarwiseLinear(config.bars, config.d_latent, config.d_model)
        self.decoder = TransformerDecoder(config)
        self.initialise()

    @torch.no_grad()
    def initialise(self) -> None:
        """What the top layer's attention starts from; everything else starts as PyTorch starts it.

        ``release``: bar positions are standard normal, and the query, key and value weights normal with the small
        deviation that He's rule gives the release, whose fan-in is D * d_head. ``pytorch``: positions have the
        deviation 1 / sqrt(D), and the weights are those of `nn.Linear`.
        """
        if self.config.initialisation == "pytorch":
            for layer in (self.encoder, self.decoder):
                layer.position.mul_(self.config.d_model**-0.5)
            return
        deviation = (2 / (self.config.d_model * self.config.d_head)) ** 0.5
        for attention in (module for module in self.modules() if isinstance(module, Attention)):
            for projection in (attention.query, attention.key, attention.value):
                projection.weight.normal_(std=deviation)

    def bars(self, tokens: Tensor) -> Tensor:
        """Tokens (B, T*S) -> bars (B, T, S)."""
        return tokens.unflatten(-1, (self.config.bars, self.config.steps))

    def local(self, tokens: Tensor) -> Tensor:
        """Each bar alone: tokens (B, T*S) -> h (B, T, D)."""
        return self.local_encoder(self.bars(tokens))

    def posterior(self, h: Tensor) -> tuple[Tensor, Tensor]:
        """Equations (1) and (2): h (B, T, D) -> mu and log sigma^2, each (B, T, Z)."""
        g = self.encoder(h)
        return self.to_mu(g), self.to_logvar(g)

    def encode(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """q(z | x): tokens (B, T*S) -> mu and log sigma^2, each (B, T, Z)."""
        return self.posterior(self.local(tokens))

    @staticmethod
    def sample(mu: Tensor, logvar: Tensor) -> Tensor:
        """Equation (3): z_i ~ N(mu_i, sigma_i^2)."""
        return mu + torch.randn_like(mu) * (0.5 * logvar).exp()

    def reconstruct(self, z: Tensor, h: Tensor, bars: Tensor) -> Tensor:
        """Equations (4) and (5) with the true bars (B, T, S): z (B, T, Z), h (B, T, D) -> logits (B, T, S, V)."""
        return self.local_decoder(self.decoder(self.from_code(z), h), bars)

    def decode(self, z: Tensor, tokens: Tensor) -> Tensor:
        """Teacher-forced: z (B, T, Z) and the true tokens (B, T*S) -> logits (B, T, S, V)."""
        return self.reconstruct(z, self.local(tokens), self.bars(tokens))

    @torch.no_grad()
    def generate(self, z: Tensor) -> Tensor:
        """Free-running: z (B, T, Z) -> tokens (B, T*S); each bar's argmax is re-encoded for the next."""
        bars = []
        decoder = self.decoder.bar_by_bar(self.from_code(z))
        g = next(decoder)
        while True:
            bars.append(self.local_decoder.generate(g))  # (B, S)
            if len(bars) == self.config.bars:
                return torch.cat(bars, -1)
            g = decoder.send(self.local_encoder(bars[-1]))

    def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """One training step's view: tokens (B, T*S) -> teacher-forced logits (B, T, S, V), mu and log sigma^2."""
        h = self.local(tokens)
        mu, logvar = self.posterior(h)
        return self.reconstruct(self.sample(mu, logvar), h, self.bars(tokens)), mu, logvar

    @torch.no_grad()
    def attention(self, tokens: Tensor) -> dict[str, Tensor]:
        """Attention weights while z = mu is decoded teacher-forced.

        Returns `encoder`, `decoder` (bars to earlier bars) and `inter` (bars to codes), each (B, layers, heads, T, T)
        with rows that sum to one.
        """
        weights: dict[str, list[Tensor]] = {"encoder": [], "decoder": [], "inter": []}
        h = self.local(tokens)
        codes = self.from_code(self.to_mu(self.encoder(h, weights["encoder"])))
        self.decoder(codes, h, weights["decoder"], weights["inter"])
        return {name: torch.stack(layers, 1) for name, layers in weights.items()}


class BarVAE(nn.Module):
    """Stage 0 of the release: a one-bar VAE that trains the local layer of a `TransformerVAE` before the rest.

    Its code is as wide as h (256) and goes straight into the local decoder.
    """

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.local_encoder, self.local_decoder = local_layer(config)
        self.to_mu = nn.Linear(config.d_model, config.d_model)
        self.to_logvar = nn.Linear(config.d_model, config.d_model)

    def forward(self, bars: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Bars (B, S) -> logits (B, S, V), mu and log sigma^2, each (B, D)."""
        h = self.local_encoder(bars)
        mu, logvar = self.to_mu(h), self.to_logvar(h)
        return self.local_decoder(TransformerVAE.sample(mu, logvar), bars), mu, logvar


def parameter_count(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def kl_divergence(mu: Tensor, logvar: Tensor) -> Tensor:
    """KL(N(mu, sigma^2) || N(0, 1)) of each latent dimension, in nats; same shape as `mu`."""
    return 0.5 * (mu.square() + logvar.exp() - logvar - 1)
