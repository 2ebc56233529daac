"""Where the model stops: pieces whose bars 5-8 are made of bars 1-4, and other corpora.

The pieces are made from test bars, with as many notes in bar i + 4 as in bar i. Each of `RELATIONS` has a *shuffled*
twin: the same rhythm and the same pitches, in an order that is neither the bar's own, nor its inversion's, nor their
retrogrades'. The relation itself is worth what it costs less than its twin.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import nn

from tvae.corpus import Corpus
from tvae.evaluate import evaluate, terms
from tvae.melody import BARS, FIRST_PITCH, HIGHEST, LOWEST, STEPS, SUSTAIN, bars
from tvae.model import TransformerVAE
from tvae.studies.codes import encode_with_rate, some
from tvae.studies.relations import (
    Pool,
    another_order,
    counted,
    inversion,
    pitches,
    pool,
    relatives,
    retrograde,
    stranger,
    with_pitches,
)
from tvae.studies.statistics import SEED, interval, quantiles, ratio, resampled
from tvae.transfer import decode

RELATIONS = ("copy", "transposition", "retrograde", "inversion")
OTHERS = ("rhythm-only copy", "unrelated")
LIMITS = ("retrograde", "inversion")  # what the paper says is not caught
SEMITONES = np.array([-6, -5, -4, -3, -2, -1, 1, 2, 3, 4, 5, 6])  # of the transposition, one of those that fit a piece


def twin(relation: str) -> str:
    return f"{relation}, shuffled"


VARIANTS = (*RELATIONS, *map(twin, RELATIONS), *OTHERS)


@dataclass(frozen=True, eq=False)
class Variants:
    """M pieces in every variant: tokens {variant: (M, 128)}, and the index (M,) of the piece each was made from."""

    tokens: dict[str, np.ndarray]
    source: np.ndarray


def suitable(pieces: Corpus) -> np.ndarray:
    """(N, 4) bool: which of bars 1-4 can be used. No note may be held over these bars' lines.

    A bar is out if it has fewer than three notes, or if its melodic intervals are those of its own inversion,
    retrograde or retrograde inversion.
    """
    x = bars(pieces.tokens)
    apart = (x[:, 1:5, 0] != SUSTAIN).all(1)
    lines = [[pitches(bar) for bar in piece[:4]] for piece in x]
    distinct = [[len(line) >= 3 and len(set(relatives(line))) == 4 for line in piece] for piece in lines]
    return apart[:, None] & np.array(distinct) & counted(pieces.tokens, pieces.length)[:, :4]


def variants(pieces: Corpus) -> Variants:
    """Every variant of each piece whose bars 1-4 are all `suitable` and for which one could be found of every kind."""
    usable = suitable(pieces)
    strangers = pool(pieces.tokens, pieces.song, np.pad(usable, ((0, 0), (0, BARS - 4))))
    made, source = [], []
    for piece in np.flatnonzero(usable.all(1)):
        first = bars(pieces.tokens)[piece, :4]
        second = second_halves(first, str(pieces.song[piece]), strangers, np.random.default_rng([SEED, int(piece)]))
        if second is not None:
            made.append({name: np.concatenate([first, half]).ravel() for name, half in second.items()})
            source.append(piece)
    tokens = {name: np.array([piece[name] for piece in made], np.uint8).reshape(-1, BARS * STEPS) for name in VARIANTS}
    return Variants(tokens, np.array(source, int))


def second_halves(first: np.ndarray, song: str, strangers: Pool, rng: np.random.Generator) -> dict[str, list] | None:
    """Bars 1-4 (4, 16) -> bars 5-8 in each variant, or None. Bars that are equal stay equal in every variant."""
    line = np.concatenate([pitches(bar) for bar in first])
    shifts = SEMITONES[(line.min() + SEMITONES >= LOWEST) & (line.max() + SEMITONES <= HIGHEST)]
    if not len(shifts):
        return None
    shift = rng.choice(shifts)
    change = {"copy": np.copy, "transposition": lambda bar: with_pitches(bar, pitches(bar) + shift),
              "retrograde": retrograde, "inversion": inversion}  # fmt: skip
    halves: dict[str, list] = {name: [change[name](bar) for bar in first] for name in RELATIONS}
    for name in RELATIONS:
        # One order for all bars with the same intervals: a sequence stays one.
        orders = {relatives(pitches(bar))[0]: another_order(pitches(bar), rng) for bar in halves[name]}
        halves[twin(name)] = [reordered(bar, orders[relatives(pitches(bar))[0]]) for bar in halves[name]]
    drawn = {bar.tobytes(): stranger(bar, song, strangers, rng) for bar in first}
    halves["unrelated"] = [drawn[bar.tobytes()] for bar in first]
    if any(bar is None for half in halves.values() for bar in half):
        return None
    halves["rhythm-only copy"] = [with_pitches(bar, pitches(other)) for bar, other in zip(first, halves["unrelated"])]
    return halves


def reordered(bar: np.ndarray, order: np.ndarray | None) -> np.ndarray | None:
    """The bar's rhythm with its pitches in another order."""
    return None if order is None else with_pitches(bar, pitches(bar)[order])


def in_place(tokens: np.ndarray) -> float:
    """The share of the notes of bars 5-8 of pieces (M, 128) that begin where the bar four before has the same pitch."""
    first, second = bars(tokens)[:, :4], bars(tokens)[:, 4:]
    return float((first == second)[second >= FIRST_PITCH].mean())


def second_half_scores(vae: TransformerVAE, tokens: np.ndarray) -> dict[str, np.ndarray]:
    """Of bars 5-8 of pieces (M, 128): `rate` in nats a bar, and `accuracy`, free-running, (M,) each."""
    mu, rate = encode_with_rate(vae, tokens)
    right = bars(decode(vae, mu) == tokens)[:, 4:]
    return {"rate": rate[:, 4:].sum(-1).mean(1), "accuracy": right.mean((1, 2))}


def measure(vae: TransformerVAE, pieces: Corpus) -> dict:
    """Rate and accuracy of bars 5-8 in each variant of the pieces, JSON-able.

    `variants` is a list of {variant, rate, accuracy, saving}, each [value, low, high]. `saving` is the share by which
    the rate is below that of unrelated bars. `gain` is, for each of `RELATIONS`, the share by which the rate is below
    that of its twin, and under "limit" the greater gain of `LIMITS`.
    """
    made = variants(pieces)
    some(made.source, "whose bars 1-4 have three notes or more each and can be told from their mirror images")
    song, one = pieces.song[made.source], np.ones(len(made.source))
    scores = {name: second_half_scores(vae, tokens) for name, tokens in made.tokens.items()}
    rate = {name: score["rate"] for name, score in scores.items()}
    rows = []
    for name, score in scores.items():
        shares = {key: interval(each, one, song) for key, each in score.items()}
        shares["saving"] = interval(rate["unrelated"] - rate[name], rate["unrelated"], song)
        rows.append({"variant": name} | {key: [float(value) for value in share] for key, share in shares.items()})
    sums = resampled(song, *(rate[kind] for name in RELATIONS for kind in (name, twin(name))))
    values, draws = ([1 - ratio(*pair) for pair in zip(each[::2], each[1::2])] for each in zip(*sums))
    limit = [RELATIONS.index(name) for name in LIMITS]
    gains = dict(zip(RELATIONS, zip(values, draws)))
    gains["limit"] = max(values[k] for k in limit), np.max([draws[k] for k in limit], 0)
    return {
        "pieces": len(made.source),
        "variants": rows,
        "gain": {name: [float(value), *map(float, quantiles(drawn))] for name, (value, drawn) in gains.items()},
    }


def elsewhere(model: nn.Module, pieces: Corpus) -> dict[str, list[float]]:
    """A model on pieces of any corpus: {statistic of `tvae.evaluate.terms`: [value, low, high]}."""
    _, scores = evaluate(model, pieces.tokens, pieces.length)
    wanted = ("accuracy_free_running", "onset_f1_free_running", "rate_nats_per_piece", "distortion_nats_per_piece")
    found = terms(scores)
    return {name: [float(value) for value in interval(*found[name], pieces.song)] for name in wanted}
