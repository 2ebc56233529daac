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

from tvae.lstm import LSTMDecoder, LSTMEncoder, LSTMSizes
from tvae.model import TransformerVAE


@dataclass(frozen=True)
class LSTMConfig(LSTMSizes):
    """The sizes of an `LSTMVAE`. A code stands for ``bars_per_code`` bars and has ``d_latent`` dimensions for each."""

    bars: int = 8
    steps: int = 16
    states: int = 47
    d_conductor: int = 512
    d_latent: int = 64
    bars_per_code: int = 1
    conductor: bool = False
    spans: int = 1  # of a code's bars: each is read into states and hears the code through maps of its own
    token_dropout: float = 0.0  # in training, of the tokens fed back to the decoder

    @property
    def latent_dims(self) -> int:
        """Dimensions of a piece's whole code (512)."""
        return self.bars * self.d_latent


class Conductor(nn.Module):
    """A code (N, Z) -> a state for each of its bars (N, bars, d_conductor)."""

    def __init__(self, config: LSTMConfig, d_code: int):
        super().__init__()
        self.bars = config.bars_per_code
        self.lstm = nn.LSTM(d_code, config.d_conductor, batch_first=True)

    def forward(self, code: Tensor) -> Tensor:
        return self.lstm(code[:, None].expand(-1, self.bars, -1))[0]


class LSTMVAE(nn.Module):
    """A sequence VAE over spans of ``bars_per_code`` bars: 1 makes ``lstm_8x1``, 8 makes ``lstm_1x8``.

    With a conductor the span is decoded bar by bar, each from a state of its own and from the last token before it.
    """

    def __init__(self, config: LSTMConfig = LSTMConfig()):
        super().__init__()
        self.config = config
        d_code = config.bars_per_code * config.d_latent
        self.encoder = LSTMEncoder(config.states, config, config.spans)
        self.to_mu = nn.Linear(config.spans * 2 * config.d_encoder, d_code)
        self.to_logvar = nn.Linear(config.spans * 2 * config.d_encoder, d_code)
        self.conductor = Conductor(config, d_code) if config.conductor else None
        d_state = config.d_conductor if config.conductor else d_code
        self.decoder = LSTMDecoder(config.states, d_state, config, config.spans, config.token_dropout)

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
