"""What can be trained: one table of models, one of presets.

A model changes a preset's sizes or its training; a preset is what a run costs and how good it can be. A row of
`MODELS` is all that a new variant of a known architecture needs: tables, figures and the command line read it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from tvae.baselines import LSTMVAE, LSTMConfig
from tvae.errors import TvaeError
from tvae.lstm import LSTMSizes
from tvae.melody import BARS
from tvae.model import ModelConfig, TransformerVAE

SHIFTS = range(-4, 5)  # semitones that training transposes by, as in the paper


@dataclass(frozen=True)
class Stage:
    """One stage of training. `rows` are bars in stage 0, pieces in stage 1; each is seen in a random transposition.

    `learning_rate` holds knots (rows seen, rate) with straight lines between them; training ends at the last knot.
    `kl_weight` multiplies the mean KL per latent dimension, beside the mean cross-entropy per step, which is the
    release's weighting: with 128 steps and 512 dimensions its 1.0 is a beta of 0.25 in a summed ELBO. Of a piece's
    rate the first `free_nats` cost nothing. `average` is the memory, in rows, of the running average of the weights
    that is kept in place of the last ones; 0 keeps the last. `keep` is at how many points along the way the weights
    are kept too. Of so large a share of the pieces some later bars are made transposed repeats of earlier ones
    (`tvae.rows.transposed_repeats`).
    """

    batch: int
    learning_rate: tuple[tuple[float, float], ...]
    kl_weight: float
    free_nats: float = 0.0
    average: float = 0.0
    keep: int = 0
    transposed_repeats: float = 0.0

    @property
    def rows(self) -> int:
        return int(self.learning_rate[-1][0])

    def lasting(self, rows: int) -> Stage:
        """The same curve of the learning rate in so many rows."""
        return replace(self, learning_rate=tuple((seen * rows / self.rows, rate) for seen, rate in self.learning_rate))


@dataclass(frozen=True)
class Plan:
    """What one run does: a model, trained in stage 1, on a local layer that stage 0 trains first (None: there is none).

    `count_padding` trains on padded steps too, as the release does.
    """

    model: ModelConfig | LSTMConfig
    stage_0: Stage | None
    stage_1: Stage
    count_padding: bool = True


@dataclass(frozen=True)
class Preset:
    """Sizes and schedule of every model. `sweep` is how many pieces a run at another KL weight goes on for."""

    transformer: ModelConfig
    lstm: LSTMConfig
    stage_0: Stage
    stage_1: Stage
    lstm_stage_1: Stage
    sweep: int

    def plan(self, model: str, kl_weight: float | None = None, bars: int = BARS) -> Plan:
        """The plan of a model of so many bars: from scratch, or of the run that goes on at another KL weight."""
        row, stage_0 = MODELS[model], None
        if row.lstm:
            whole = {name: bars for name in ("bars_per_code", "spans") if row.sizes.get(name, 1) > 1}  # of the piece
            sizes, stage_1 = replace(self.lstm, bars=bars, **row.sizes | whole), self.lstm_stage_1
        else:
            sizes, stage_1 = replace(self.transformer, bars=bars, **row.sizes), self.stage_1
            stage_0 = self.stage_0 if row.stage_0 else None
        plan = Plan(sizes, stage_0, replace(stage_1, **row.training))
        if kl_weight is None:
            return plan
        stage = replace(plan.stage_1.lasting(self.sweep), kl_weight=kl_weight, free_nats=0.0, keep=0)
        return replace(plan, stage_0=None, stage_1=stage)


@dataclass(frozen=True)
class Model:
    """A row of the table of models.

    `sizes` changes the preset's `ModelConfig` or `LSTMConfig`, `training` its `Stage`. `role` is ``paper`` for the
    four models that the paper compares and for the authors' own weights, ``baseline`` and ``control`` for what makes
    the comparison fair, ``beyond`` for what is meant to be better than the paper's, ``ablation`` for the rest.
    """

    name: str
    label: str
    says: str  # what it is, in a sentence for readers
    architecture: type = TransformerVAE  # that, `LSTMVAE`, or a class derived from one of them
    sizes: dict = field(default_factory=dict)
    training: dict = field(default_factory=dict)
    stage_0: bool = True
    trained: bool = True  # here, rather than by the authors
    role: str = "ablation"

    @property
    def lstm(self) -> bool:
        """Has it the sizes and the schedule of the LSTMs, rather than those of the Transformers?"""
        return issubclass(self.architecture, LSTMVAE)

    @property
    def one_code(self) -> bool:
        """Has a whole piece one code, rather than each bar its own?"""
        return self.sizes.get("bars_per_code", 1) > 1


DIAGONAL = {"encoder_mask": "diagonal", "inter_mask": "diagonal", "decoder_mask": "diagonal"}

MODELS = {
    row.name: row
    for row in (
        Model("attention", "Proposed+A (attention)", "the Transformer VAE with causal masks", role="paper"),
        Model("no_attention", "Proposed−A (no attention)", "the same with attention removed", sizes=DIAGONAL,
              role="paper"),
        Model("lstm_8x1", "8×1-bar LSTM", "an LSTM VAE of single bars, applied to each bar: no context",
              LSTMVAE, {"bars_per_code": 1}, role="paper"),
        Model("lstm_1x8", "1×8-bar LSTM", "one LSTM VAE of all eight bars, trained so that it uses its code", LSTMVAE,
              {"bars_per_code": 8, "spans": 8, "token_dropout": 0.5}, {"free_nats": 147.0}, role="paper"),
        Model("lstm_1x8_plain", "1×8-bar LSTM, release's rule", "the same trained by the release's rule", LSTMVAE,
              {"bars_per_code": 8}, role="baseline"),
        Model("attention_lstm", "attention, LSTM bars", "attention with an autoregressive LSTM as local layer",
              sizes={"local": "lstm"}, training={"free_nats": 147.0}, role="baseline"),
        Model("no_attention_lstm", "no attention, LSTM bars", "no attention with an autoregressive LSTM as local layer",
              sizes={"local": "lstm", **DIAGONAL}, training={"free_nats": 147.0}, role="baseline"),
        Model("context_free", "context-free",
              "no attention, and no previous bar fed back: a bar hears its own code alone",
              sizes={**DIAGONAL, "previous_bar": False}, role="control"),
        Model("lstm_conductor", "conductor LSTM",
              "one code of all eight bars, written bar by bar (hierarchical MusicVAE)",
              LSTMVAE, {"bars_per_code": 8, "conductor": True}),
        Model("bidirectional", "no encoder mask", "attention whose encoder sees all eight bars",
              sizes={"encoder_mask": "none"}),
        Model("pytorch_start", "PyTorch's initialisation", "attention that starts as PyTorch starts layers",
              sizes={"initialisation": "pytorch", "norm_epsilon": 1e-5}),
        Model("compact", "64 a head", "attention with heads 64 wide", sizes={"d_head": 64}),
        Model("wide", "256 a head", "attention with the release's heads, 256 wide", sizes={"d_head": 256}),
        Model("official", "authors' checkpoint", "the release's own weights, converted", role="paper", trained=False),
        Model("transposed_repeats", "trained on transposed repeats",
              "attention trained on pieces of which half have later bars that are earlier ones, transposed",
              training={"transposed_repeats": 0.5}, role="beyond"),
        Model("no_stage_0", "no stage 0", "attention whose local layer is not trained first", stage_0=False),
    )
}  # fmt: skip


def model_row(name: str) -> Model:
    """The row of that name in `MODELS`; `TvaeError` says which there are."""
    if name not in MODELS:
        raise TvaeError(f"There is no '{name}'; choose one of {', '.join(MODELS)}.")
    return MODELS[name]


def build(model: str, config: ModelConfig | LSTMConfig) -> TransformerVAE | LSTMVAE:
    """An untrained model of that row of `MODELS`, of these sizes."""
    return model_row(model).architecture(config)


RELEASE_EPOCH = len(SHIFTS) * 12_914  # the release's training pieces (80 % of 16,142), each in every transposition
RELEASE_BARS = RELEASE_EPOCH * BARS
RELEASE_STAGE_1 = Stage(
    16,
    ((0, 1e-4), (30 * RELEASE_EPOCH, 1e-4), (30 * RELEASE_EPOCH, 1e-5), (50 * RELEASE_EPOCH, 1e-5),
     (50 * RELEASE_EPOCH, 1e-6), (60 * RELEASE_EPOCH, 1e-6)),
    kl_weight=1.0,
)  # fmt: skip

# Toy sizes: proves that everything runs. One CPU core, about 20 s a run; accuracies mean nothing.
SMOKE = Preset(
    ModelConfig(hidden=(96, 64), d_model=64, d_head=16, d_feedforward=64, d_latent=16, heads=2, layers=1,
                lstm=LSTMSizes(8, 24, 48, 16)),
    LSTMConfig(8, 24, 48, 16, d_conductor=24, d_latent=16),
    Stage(256, ((0, 2e-3), (50_000, 2e-3)), kl_weight=0.1),
    Stage(64, ((0, 2e-4), (2_000, 2e-3), (20_000, 1e-5)), kl_weight=1.0),
    Stage(64, ((0, 5e-4), (1_000, 5e-3), (10_000, 1e-5)), kl_weight=1.0),
    sweep=1_000,
)  # fmt: skip

# The recipe of book/lab_notes.md, chosen on validation songs: for a Transformer 20 minutes of one quiet core with bf16
# instructions, 45 without. Compact heads. An LSTM uses each weight in each of 128 steps where the Transformer uses it
# in 8 bars, so the LSTMs are small, to cost no more than twice as much.
CPU = Preset(
    ModelConfig(d_head=64, lstm=LSTMSizes(32, 128, 256, 128)),
    LSTMConfig(32, 128, 256, 128, d_conductor=128),
    Stage(64, ((0, 1e-3), (300_000, 1e-3), (600_000, 5e-5)), kl_weight=0.1),
    Stage(64, ((0, 2e-5), (16_000, 1e-3), (1_000_000, 1e-6)), kl_weight=1.0),
    Stage(64, ((0, 4e-5), (16_000, 2e-3), (1_000_000, 1e-6)), kl_weight=1.0),
    sweep=80_000,
)

PRESETS = {
    "smoke": SMOKE,
    "cpu": CPU,
    # Three times as long, with averaged weights kept along the way: when does "as bar 1" appear? At the peak of `cpu` a
    # run of this length lost its attention on the way (book/lab_notes.md), so it has half of it.
    "long": replace(
        CPU, stage_1=Stage(64, ((0, 1e-5), (48_000, 5e-4), (3_000_000, 1e-6)), kl_weight=1.0, average=10_000, keep=10)
    ),
    # The release's sizes, initialisation and schedule: 18 epochs of bars, 60 epochs of pieces; for a GPU.
    "paper": Preset(
        ModelConfig(),
        LSTMConfig(),
        Stage(64, ((0, 1e-3), (12 * RELEASE_BARS, 1e-3), (12 * RELEASE_BARS, 1e-4), (18 * RELEASE_BARS, 1e-4)), 0.1),
        RELEASE_STAGE_1,
        RELEASE_STAGE_1,
        sweep=6 * RELEASE_EPOCH,
    ),
}  # fmt: skip
