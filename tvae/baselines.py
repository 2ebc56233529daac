r"""What the paper compares with: LSTM variational autoencoders of the same melodies, with the same latent budget.

==================  ==============================  ========================================================
model               codes of a piece                what it is
==================  ==============================  ========================================================
``lstm_8x1``        8 of 64, one a bar              one one-bar VAE, applied to each bar: no context at all
``lstm_1x8``        1 of 512                        a flat sequence VAE over all 128 steps (MusicVAE-like)
``lstm_conductor``  1 of 512                        the same code, but a conductor LSTM first makes eight bar
                                                    states of it (hierarchical MusicVAE; beyond the paper)
==================  ==============================  ========================================================

The release has no code for its baselines and the paper gives no sizes; these follow MusicVAE (Roberts et al., 2018): a
bidirectional LSTM encoder, and an LSTM decoder that starts from the code, hears the code at every step, and is fed the
previous token. Unlike the Transformer's local decoder they are autoregressive step by step, also inside a bar.

They have the interface of `tvae.model.TransformerVAE`: tokens are (B, 128) int64, codes (B, C, Z) with C codes a piece.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from tvae.model import TransformerVAE


@dataclass(frozen=True)
class LSTMConfig:
    """The sizes of an `LSTMVAE`. A code stands for ``bars_per_code`` bars and has ``d_latent`` dimensions for each."""

    bars: int = 8
    steps: int = 16
    states: int = 47
    d_embedding: int = 128
    d_encoder: int = 640  # in each direction
    d_decoder: int = 1024
    d_condition: int = 256  # what the decoder hears of the code at every step
    d_conductor: int = 512
    d_latent: int = 64
    bars_per_code: int = 1
    conductor: bool = False

    @property
    def latent_dims(self) -> int:
        """Dimensions of a piece's whole code (512)."""
        return self.bars * self.d_latent


class Encoder(nn.Module):
    """Tokens (N, L) -> the last states of a bidirectional LSTM (N, 2 * d_encoder)."""

    def __init__(self, config: LSTMConfig):
        super().__init__()
        self.embedding = nn.Embedding(config.states, config.d_embedding)
        self.lstm = nn.LSTM(config.d_embedding, config.d_encoder, batch_first=True, bidirectional=True)

    def forward(self, tokens: Tensor) -> Tensor:
        _, (last, _) = self.lstm(self.embedding(tokens))
        return last.transpose(0, 1).flatten(1)


class Conductor(nn.Module):
    """A code (N, Z) -> a state for each of its bars (N, bars, d_conductor)."""

    def __init__(self, config: LSTMConfig, d_code: int):
        super().__init__()
        self.bars = config.bars_per_code
        self.lstm = nn.LSTM(d_code, config.d_conductor, batch_first=True)

    def forward(self, code: Tensor) -> Tensor:
        return self.lstm(code[:, None].expand(-1, self.bars, -1))[0]


class Decoder(nn.Module):
    """An LSTM from a state (N, d_state) to tokens; it hears the state and the previous token at every step."""

    def __init__(self, config: LSTMConfig, d_state: int):
        super().__init__()
        self.start = config.states  # the token before the first
        self.embedding = nn.Embedding(config.states + 1, config.d_embedding)
        self.initial = nn.Linear(d_state, 2 * config.d_decoder)
        self.condition = nn.Linear(d_state, config.d_condition)
        self.lstm = nn.LSTM(config.d_embedding + config.d_condition, config.d_decoder, batch_first=True)
        self.out = nn.Linear(config.d_decoder, config.states)

    def prepare(self, state: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """What it hears at every step (N, 1, d_condition), and how the LSTM starts (1, N, d_decoder each)."""
        h, c = self.initial(state).tanh().chunk(2, -1)
        return self.condition(state)[:, None], (h[None].contiguous(), c[None].contiguous())

    def forward(self, state: Tensor, previous: Tensor) -> Tensor:
        """Teacher-forced: the token before each step, `previous` (N, L) -> logits (N, L, V)."""
        heard, start = self.prepare(state)
        heard = heard.expand(-1, previous.shape[1], -1)
        return self.out(self.lstm(torch.cat([self.embedding(previous), heard], -1), start)[0])

    def generate(self, state: Tensor, previous: Tensor, steps: int) -> Tensor:
        """Free-running from the token `previous` (N,): each argmax is fed back -> tokens (N, steps)."""
        heard, memory = self.prepare(state)
        tokens = []
        for _ in range(steps):
            out, memory = self.lstm(torch.cat([self.embedding(previous)[:, None], heard], -1), memory)
            previous = self.out(out[:, 0]).argmax(-1)
            tokens.append(previous)
        return torch.stack(tokens, 1)


class LSTMVAE(nn.Module):
    """A sequence VAE over spans of ``bars_per_code`` bars: 1 makes ``lstm_8x1``, 8 makes ``lstm_1x8``.

    With a conductor the span is decoded bar by bar, each from a state of its own and from the last token before it.
    """

    def __init__(self, config: LSTMConfig = LSTMConfig()):
        super().__init__()
        self.config = config
        d_code = config.bars_per_code * config.d_latent
        self.encoder = Encoder(config)
        self.to_mu = nn.Linear(2 * config.d_encoder, d_code)
        self.to_logvar = nn.Linear(2 * config.d_encoder, d_code)
        self.conductor = Conductor(config, d_code) if config.conductor else None
        self.decoder = Decoder(config, config.d_conductor if config.conductor else d_code)

    sample = staticmethod(TransformerVAE.sample)

    def encode(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """q(z | x): tokens (B, T*S) -> mu and log sigma^2, each (B, C, Z)."""
        spans = tokens.unflatten(-1, (-1, self.config.bars_per_code * self.config.steps))  # (B, C, span)
        g = self.encoder(spans.flatten(0, 1)).unflatten(0, spans.shape[:2])
        return self.to_mu(g), self.to_logvar(g)

    def states(self, z: Tensor) -> Tensor:
        """What the decoder starts from: codes (B, C, Z) -> (B, stretches, d_state), a stretch being a bar or a span."""
        if self.conductor is None:
            return z
        return self.conductor(z.flatten(0, 1)).unflatten(0, z.shape[:2]).flatten(1, 2)

    def decode(self, z: Tensor, tokens: Tensor) -> Tensor:
        """Teacher-forced: z (B, C, Z) and the true tokens (B, T*S) -> logits (B, T, S, V)."""
        states = self.states(z)
        stretches = tokens.unflatten(-1, (states.shape[1], -1))  # (B, stretches, L)
        start = torch.full_like(stretches[:, :1, -1:], self.decoder.start)  # (B, 1, 1)
        if self.conductor is None:  # spans know nothing of each other
            before = start.expand(-1, states.shape[1], -1)
        else:
            before = torch.cat([start, stretches[:, :-1, -1:]], 1)
        previous = torch.cat([before, stretches[..., :-1]], -1)
        logits = self.decoder(states.flatten(0, 1), previous.flatten(0, 1))  # (B * stretches, L, V)
        return logits.reshape(len(tokens), self.config.bars, self.config.steps, -1)

    @torch.no_grad()
    def generate(self, z: Tensor) -> Tensor:
        """Free-running: z (B, C, Z) -> tokens (B, T*S); each step's argmax is fed back, across bars too."""
        states = self.states(z)
        steps = self.config.bars * self.config.steps // states.shape[1]
        start = torch.full(states.shape[:1], self.decoder.start, device=z.device)
        if self.conductor is None:
            start = start[:, None].expand(states.shape[:2]).flatten()
            return self.decoder.generate(states.flatten(0, 1), start, steps).view(len(z), -1)
        tokens, last = [], start
        for state in states.unbind(1):
            tokens.append(self.decoder.generate(state, last, steps))
            last = tokens[-1][:, -1]
        return torch.cat(tokens, 1)

    def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """One training step's view: tokens (B, T*S) -> teacher-forced logits (B, T, S, V), mu and log sigma^2."""
        mu, logvar = self.encode(tokens)
        return self.decode(self.sample(mu, logvar), tokens), mu, logvar
