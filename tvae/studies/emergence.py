"""When a copy becomes a pointer: how far a model says "as bar 1" at one moment of its training.

A model that copies writes bar 1 into z_5 once more. A model that points says only that bar 5 is as bar 1, and lets
attention fetch it. Then a repeated bar is cheap, a z_5 that says nothing still repeats bar 1, and repeats survive a
swap of z_1.
"""

from __future__ import annotations

import numpy as np

from tvae.corpus import Corpus
from tvae.evaluate import evaluate, terms
from tvae.model import TransformerVAE
from tvae.studies import attention, codes, transfers
from tvae.studies.statistics import SEED, interval
from tvae.transfer import decode, encode, swap


def measure(vae: TransformerVAE, train: Corpus, test: Corpus, groups: int | None = None) -> dict[str, list]:
    """Five measures of pointing on test pieces, each [value, low, high], JSON-able; None where there is nothing.

    ==========================  ======================================================================================
    structure_kept              repeats of bar 1 found after a swap of z_1 (`tvae.studies.transfers.measures`), of
                                `groups` of songs or all
    repeats_from_prior_mean     A-A pieces whose bar 5 still is their bar 1 with z_5 at the prior mean
    repeat_rate                 rate of repeated bars as a share of that of new bars (`tvae.studies.codes.matched`)
    attention_found             attention of repeated bars on the bar they equal, of the head chosen on training pieces
    accuracy_free_running       free-running frame accuracy
    ==========================  ======================================================================================
    """
    swapped = {"bar 1": transfers.CONDITIONS["bar 1"]}
    kept = transfers.measure(vae, test.tokens, test.song, groups, conditions=swapped)["conditions"]["bar 1"]
    mu, rate = codes.encode_with_rate(vae, test.tokens)
    repeated = next(row for row in codes.matched(rate.sum(-1), test) if row["kind"] == "repeated")
    fifth = next(row for row in codes.fifth_bar(vae, mu, test) if row["z_5"] == "prior mean")
    head = attention.finder(vae, train)
    mass = attention.masses(vae, test.tokens)[:, [head]]
    _, scores = evaluate(vae, test.tokens, test.length)
    accuracy = interval(*terms(scores)["accuracy_free_running"], test.song)
    return {
        "structure_kept": kept["structure_kept"],
        "repeats_from_prior_mean": fifth["equal"],
        "repeat_rate": [1 - repeated[key] if repeated["bars"] else None for key in ("saving", "high", "low")],
        "attention_found": attention.lift(mass, *attention.places(test), test.song)["found"][0].tolist(),
        "accuracy_free_running": [float(value) for value in accuracy],
    }


def example(vae: TransformerVAE, tunes: Corpus) -> dict[str, np.ndarray]:
    """A transfer to listen to: an A-A tune and a donor, drawn by seed, and the result of the swap, (128,) each.

    With the ``titles`` of tune and donor, (2,) str.
    """
    returning = np.flatnonzero(codes.returns(tunes))
    host = np.random.default_rng(SEED).choice(returning)
    (donor,) = codes.of_other_songs(np.array([host]), returning, tunes.song)
    z = encode(vae, tunes.tokens[[host, donor]])
    return {
        "titles": tunes.title[[host, donor]],
        "host": tunes.tokens[host],
        "donor": tunes.tokens[donor],
        "result": decode(vae, swap(z[:1], z[1:], (1,)))[0],
    }
