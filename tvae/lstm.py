"""The two LSTMs that every LSTM model here is made of: one reads tokens into a state, one writes tokens from a state.

They follow MusicVAE (Roberts et al., 2018): a bidirectional encoder, and a decoder that starts from the state, hears
it at every step, and is fed the previous token. `tvae.baselines` builds the paper's LSTM models of them. At the end
is a local layer made of them, for a `tvae.model.TransformerVAE` that is autoregressive inside a bar.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn

if TYPE_CHECKING:
    from tvae.model import ModelConfig


@dataclass(frozen=True)
class LSTMSizes:
    """Widths of an `LSTMEncoder` and an `LSTMDecoder`."""

    d_embedding: int = 128
    d_encoder: int = 640  # in each direction
    d_decoder: int = 1024
    d_condition: int = 256  # what the decoder hears of its state at every step


class LSTMEncoder(nn.Module):
    """Tokens (N, L) -> the last states of both directions in each of `spans` equal spans (N, spans * 2 * d_encoder)."""

    def __init__(self, states: int, sizes: LSTMSizes, spans: int = 1):
        super().__init__()
        self.spans = spans
        self.embedding = nn.Embedding(states, sizes.d_embedding)
        self.lstm = nn.LSTM(sizes.d_embedding, sizes.d_encoder, batch_first=True, bidirectional=True)

    def forward(self, tokens: Tensor) -> Tensor:
        forwards, backwards = self.lstm(self.embedding(tokens))[0].unflatten(1, (self.spans, -1)).chunk(2, -1)
        return torch.cat([forwards[:, :, -1], backwards[:, :, 0]], -1).flatten(1)


class LSTMDecoder(nn.Module):
    """An LSTM from a state (N, d_state) to tokens. It hears the state and the previous token at every step.

    Each of `spans` equal spans of the tokens hears the state through a map of its own. ``token_dropout`` is the share
    of previous tokens that it does not hear in training: it hears the start token instead, so that it has to learn
    what the state says (Bowman et al., 2016).
    """

    def __init__(self, states: int, d_state: int, sizes: LSTMSizes, spans: int = 1, token_dropout: float = 0.0):
        super().__init__()
        self.spans = spans
        self.start = states  # the token before the first
        self.token_dropout = token_dropout
        self.embedding = nn.Embedding(states + 1, sizes.d_embedding)
        self.initial = nn.Linear(d_state, 2 * sizes.d_decoder)
        self.condition = nn.Linear(d_state, spans * sizes.d_condition)
        self.lstm = nn.LSTM(sizes.d_embedding + sizes.d_condition, sizes.d_decoder, batch_first=True)
        self.out = nn.Linear(sizes.d_decoder, states)

    def prepare(self, state: Tensor, steps: int) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """What it hears at every step (N, steps, d_condition), and how the LSTM starts (1, N, d_decoder each)."""
        h, c = self.initial(state).tanh().chunk(2, -1)
        heard = self.condition(state).unflatten(-1, (self.spans, 1, -1)).expand(-1, -1, steps // self.spans, -1)
        return heard.flatten(1, 2), (h[None].contiguous(), c[None].contiguous())

    def forward(self, state: Tensor, previous: Tensor) -> Tensor:
        """Teacher-forced: the token before each step, `previous` (N, L) -> logits (N, L, V)."""
        if self.training and self.token_dropout:
            unheard = torch.rand(previous.shape, device=previous.device) < self.token_dropout
            previous = previous.masked_fill(unheard, self.start)
        heard, start = self.prepare(state, previous.shape[1])
        return self.out(self.lstm(torch.cat([self.embedding(previous), heard], -1), start)[0])

    def generate(self, state: Tensor, previous: Tensor, steps: int) -> Tensor:
        """Free-running from the token `previous` (N,): each argmax is fed back -> tokens (N, steps)."""
        heard, memory = self.prepare(state, steps)
        tokens = []
        for step in range(steps):
            inputs = torch.cat([self.embedding(previous)[:, None], heard[:, step : step + 1]], -1)
            out, memory = self.lstm(inputs, memory)
            previous = self.out(out[:, 0]).argmax(-1)
            tokens.append(previous)
        return torch.stack(tokens, 1)


class LocalLSTMEncoder(nn.Module):
    """x_i -> h_i with an LSTM over the steps of the bar, as ``lstm_8x1`` reads it. Bars (..., S) -> (..., D)."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.encoder = LSTMEncoder(config.states, config.lstm)
        self.to_h = nn.Linear(2 * config.lstm.d_encoder, config.d_model)

    def forward(self, bars: Tensor) -> Tensor:
        return self.to_h(self.encoder(bars.flatten(0, -2))).unflatten(0, bars.shape[:-1])


class LocalLSTMDecoder(nn.Module):
    """Equation (5), g_i -> x̂_i, one step after the other, as ``lstm_8x1`` writes it."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.steps = config.steps
        self.decoder = LSTMDecoder(config.states, config.d_model, config.lstm)

    def forward(self, g: Tensor, bars: Tensor) -> Tensor:
        """(..., D) and the true bars (..., S), of which each step is told the one before -> logits (..., S, V)."""
        previous = F.pad(bars[..., :-1], (1, 0), value=self.decoder.start)
        return self.decoder(g.flatten(0, -2), previous.flatten(0, -2)).unflatten(0, g.shape[:-1])

    def generate(self, g: Tensor) -> Tensor:
        """(..., D) -> bars (..., S); each step's likeliest state is told to the next."""
        rows = g.flatten(0, -2)
        start = torch.full((len(rows),), self.decoder.start, device=g.device)
        return self.decoder.generate(rows, start, self.steps).unflatten(0, g.shape[:-1])
