"""What to take from all this for a model of today: one row a choice, made of the record alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from tvae.presets import MODELS, PRESETS
from tvae.report import tables
from tvae.report.entry import Entry
from tvae.report.results import paired_difference

OPEN = "not recorded yet"
CORPUS = "hooktheory"  # its fold 0
MATTERS = {"accuracy_free_running": 0.005, "rate_nats_per_piece": 3.0}  # what five trainings of attention span, about


@dataclass(frozen=True)
class Choice:
    """Two models that one choice tells apart: what one says for the first, and for the second."""

    about: str
    first: str
    second: str
    for_first: str
    for_second: str


CHOICES = (
    Choice("local decoder", "attention_lstm", "attention", "an autoregressive local decoder (an LSTM here)",
           "a dense local decoder, all steps at once"),
    Choice("masks, all three", "attention", "no_attention", "causal masks", "diagonal masks: bars on their own"),
    Choice("mask of the encoder", "attention", "bidirectional", "a causal encoder", "an encoder that sees all bars"),
    Choice("start", "attention", "pytorch_start", "the release's initialisation", "PyTorch's initialisation"),
    Choice("width of the heads", "attention", "wide", "heads of 64", "heads of 256"),  # of preset cpu
    Choice("width of the heads", "compact", "attention", "heads of 64", "heads of 256"),  # of preset paper
    Choice("stage 0", "attention", "no_stage_0", "training the local layer first", "training all at once"),
    Choice("training pieces", "attention", "transposed_repeats", "pieces as they are",
           "pieces with transposed repeats"),
)  # fmt: skip
STATISTICS = {
    "accuracy_free_running": ("accuracy, free-running", 3),
    "rate_nats_per_piece": ("rate, nats", 1),
    "distortion_nats_per_piece": ("distortion, nats", 1),
}


def sign(triple: tuple[float, float, float], least: float) -> int:
    """1 or -1 where a difference matters: its interval is beside 0, and it is no smaller than `least`."""
    value, low, high = triple
    return 0 if abs(value) < least else (low > 0) - (high < 0)


def take(found: dict[str, tuple[float, float, float]], choice: Choice) -> str:
    """What the differences allow to say: better in accuracy and rate, a trade of one for the other, or neither."""
    better, cheaper = (sign(found[name], least) for name, least in MATTERS.items())
    cheaper = -cheaper  # less is better
    names = {1: choice.for_first, -1: choice.for_second}
    if better == 0 and cheaper == 0:
        return "either: no difference that matters"
    if better + cheaper == 0:
        return f"{names[better]} for accuracy, {names[cheaper]} for a low rate"
    return names[1 if better + cheaper > 0 else -1]


def table(record: str | Path, entries: Sequence[Entry]) -> pd.DataFrame:
    """A row a choice: what is compared, how they differ on the same test songs, for how long, and what to take."""
    entries = [entry for entry in entries if entry.corpus == CORPUS and entry.fold == 0]
    runs = {entry.model: entry for entry in entries if not entry.sweep}
    plan = PRESETS[next((entry.preset for entry in entries), "cpu")].plan
    rows = []
    for choice in CHOICES:
        if plan(choice.first) == plan(choice.second):
            continue  # in this preset they are one model
        pair = [runs.get(choice.first), runs.get(choice.second)]
        row = {"choice": choice.about, "compared": f"{MODELS[choice.first].label} less {MODELS[choice.second].label}"}
        if None in pair:
            rows.append(row | {head: "–" for head, _ in STATISTICS.values()} | {"pieces": "–", "take": OPEN})
            continue
        found = {name: paired_difference(record, *pair, name) for name in STATISTICS}
        pieces = sorted({entry.pieces for entry in pair})
        verdict = take(found, choice)
        if len(pieces) > 1:
            verdict = f"{OPEN} for equally long training ({verdict} so far)"
        row |= {head: tables.interval(found[name], f"+.{digits}f") for name, (head, digits) in STATISTICS.items()}
        rows.append(row | {"pieces": " and ".join(f"{n:,}" for n in pieces), "take": verdict})
    own = [entry for entry in entries if entry.model == "attention"]
    return pd.DataFrame([*rows, weights(own), schedule(own)])


def weights(own: Sequence[Entry]) -> dict:
    """The KL weight of the sweep with the highest accuracy, and with the least rate and distortion together."""
    sweep = sorted((entry for entry in own if entry.sweep), key=lambda entry: entry.kl_weight)
    row = {"choice": "KL weight", "compared": "attention, going on at each weight"}
    if len(sweep) < 2:
        return row | {head: "–" for head, _ in STATISTICS.values()} | {"pieces": "–", "take": OPEN}
    spans = {
        head: " … ".join(f"{entry.score(name):.{digits}f}" for entry in (sweep[0], sweep[-1]))
        for name, (head, digits) in STATISTICS.items()
    }
    accurate = max(sweep, key=lambda entry: entry.accuracy_free_running).kl_weight
    bound = min(sweep, key=lambda entry: entry.rate_nats_per_piece + entry.distortion_nats_per_piece).kl_weight
    said = f"{accurate:g} for accuracy; {bound:g} for the least rate + distortion, of {sweep[0].kl_weight:g} … "
    said += f"{sweep[-1].kl_weight:g} (1 is the release's, 4 is β = 1)"
    return row | spans | {"pieces": f"{sweep[0].pieces:,} more", "take": said}


def schedule(own: Sequence[Entry]) -> dict:
    """How long to train: what the longest recorded run of attention took, and what came of it."""
    whole = [entry for entry in own if not entry.sweep]
    row = {"choice": "schedule", "compared": "one run alone, stage 0 first"}
    if not whole:
        return row | {head: "–" for head, _ in STATISTICS.values()} | {"pieces": "–", "take": OPEN}
    longest = max(whole, key=lambda entry: entry.pieces)
    found = {head: f"{longest.score(name):.{digits}f}" for name, (head, digits) in STATISTICS.items()}
    said = f"{longest.pieces:,} pieces, {longest.train_seconds / 60:.0f} minutes"
    return row | found | {"pieces": f"{longest.pieces:,}", "take": said}
