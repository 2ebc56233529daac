"""What several tests are about: two tunes, a recorded run, a preset that trains in a second, a page's scripts."""

from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from tvae import files
from tvae.baselines import LSTMConfig
from tvae.checkpoint import save_weights
from tvae.lstm import LSTMSizes
from tvae.presets import PRESETS, Preset, Stage, build
from tvae.report.entry import Entry, entry


def tune(*bars: str) -> np.ndarray:
    """Bars of quarter notes (letters of the octave from middle C, - goes on, . is a rest) -> (128,) tokens."""
    tokens = []
    for quarter in "".join(bars):
        first = {"-": 1, ".": 0}.get(quarter) if quarter in "-." else "C D EF G A B".index(quarter) + 60 - 38
        tokens += [first] + 3 * [0 if quarter == "." else 1]
    return np.array(tokens, np.uint8)


TWINKLE = tune("CCGG", "AAG-", "FFEE", "DDC-", "GGFF", "EED-", "GGFF", "EED-")
ODE = tune("EEFG", "GFED", "CCDE", "E-DD", "EEFG", "GFED", "CCDE", "D-CC")


HOSTILE = ["<script>alert(1)</script>", "\"'><img src=x onerror=alert(1)>", "&amp; ]]> </svg>", "'", "é♯ 🎵"]

ENTRY = {
    "corpus": "folk", "model": "attention", "preset": "smoke", "fold": 0, "seed": 0, "n_test": 10,
    "kl_weight": 1.0, "sweep": False, "pieces": 1000,
    "accuracy_teacher_forced": 0.5, "accuracy_teacher_forced_sampled": 0.5, "accuracy_free_running": 0.5,
    "onset_f1_free_running": 0.1, "rate_nats_per_piece": 10.0, "rate_mean_per_dim": 0.1, "rate_per_bar": [1.0] * 8,
    "rate_drop": 0.0, "distortion_nats_per_piece": 100.0, "parameters": 1000, "steps": 10, "samples_per_second": 1.0,
    "train_seconds": 1.0, "precision": "fp32", "device": "a CPU", "torch": "2", "git_commit": "", "corpus_sha256": "0",
}  # fmt: skip


def recorded(**changes) -> Entry:
    """That run as the report knows it, with other values where they are given."""
    return entry(ENTRY | changes, "an example")


TINY = Preset(
    replace(
        PRESETS["smoke"].transformer, hidden=(24, 16), d_model=16, d_head=8, d_feedforward=16, d_latent=8,
        lstm=LSTMSizes(4, 8, 16, 4),
    ),
    LSTMConfig(4, 8, 16, 4, d_conductor=8, d_latent=8),
    Stage(256, ((0, 2e-3), (10_000, 2e-3)), kl_weight=0.1),
    Stage(32, ((0, 2e-4), (400, 4e-3), (3_200, 1e-5)), kl_weight=1.0),
    Stage(32, ((0, 1e-3), (400, 1e-2), (3_200, 1e-4)), kl_weight=1.0),
    sweep=1_600,
)  # fmt: skip


def finished_run(folder: Path, accuracy: float = 0.5, **changes) -> Path:
    """What a finished run leaves that is recorded, of an untrained model of that preset; returns its folder."""
    folder.mkdir(parents=True)
    files.write_json(folder / "metrics.json", {**ENTRY, "accuracy_free_running": accuracy, **changes})
    right = {f"onsets_{kind}_free_running": np.ones(1) for kind in ("found", "claimed", "true")}
    right["correct_free_running"] = np.array([100 * accuracy])
    files.write_npz(folder / "pieces.npz", song=np.array(["a"]), steps=np.array([100]), **right)
    rates = {f"rate_bar_{bar}": 1.0 for bar in range(1, 9)}
    row = {"stage": 1, "pieces": 10, "loss": 1.0, "accuracy": accuracy, "accuracy_teacher_forced": accuracy,
           "rate_nats_per_piece": 8.0, "distortion_nats_per_piece": 1.0,
           "validation_accuracy_free_running": accuracy} | rates  # fmt: skip
    (folder / "history.csv").write_text(f"{','.join(row)}\n{','.join(map(str, row.values()))}\n")
    plan = TINY.plan("attention")
    save_weights(
        build("attention", plan.model), folder / "weights.safetensors", {"model": "attention", "plan": asdict(plan)}
    )
    return folder


PLAYER = ("tvae-roll.js", "tvae-sound.js", "tvae-player.js")
# Counts the page's audio contexts and listens to what they send to the loudspeaker.
LISTEN = """
    window.contexts = 0;
    window.AudioContext = class extends AudioContext {
        constructor(...options) {
            super(...options);
            window.contexts += 1;
            window.heard = this;
            this.ear = new AnalyserNode(this, { fftSize: 1024 });
            this.ear.connect(super.destination);
        }
        get destination() { return this.ear; }
        get loudness() {
            const samples = new Float32Array(1024);
            this.ear.getFloatTimeDomainData(samples);
            return Math.max(...samples.map(Math.abs));
        }
    };
"""


def hooktheory_record(**changes) -> dict:
    """A song of 36 beats as Hooktheory's JSON has it, with other annotations where they are given."""
    beats = [{"onset": b, "offset": b + 1, "octave": 0, "pitch_class": b % 12} for b in range(36)]
    annotations = {"num_beats": 36, "meters": [{"beat": 0, "beats_per_bar": 4, "beat_unit": 4}], "melody": beats}
    names = {"artist": "the-band", "song": "a-song"}
    return {"youtube": {"id": "abc"}, "hooktheory": names, "annotations": annotations | changes}


def curves_on_file(folder: Path, about: dict | None = None, **curves) -> list[Entry]:
    """Entries of sweeps with known curves: model -> (KL weight, rate, distortion) points, for 60 pieces.

    `about` is what else is known of all of them.
    """
    (folder / "pieces").mkdir(exist_ok=True)
    entries = []
    for model, points in curves.items():
        for weight, rate, distortion in points:
            entry = recorded(model=model, sweep=True, kl_weight=weight, **(about or {}))
            spread = 1 + 0.1 * np.random.default_rng(0).normal(size=60)  # pieces differ
            np.savez(
                folder / "pieces" / f"{entry.name}.npz",
                song=np.arange(60) // 3,
                rate=rate * spread / spread.mean(),
                steps=np.full(60, 128),
                correct_free_running=np.full(60, 128 * (rate / 200) ** 2),
                distortion=distortion * spread / spread.mean(),
                **{f"onsets_{kind}_free_running": np.ones(60) for kind in ("found", "claimed", "true")},
            )
            entries.append(entry)
    return entries
