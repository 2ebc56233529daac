"""Pieces of sixteen bars: what a repeated bar costs by how far back its nearest equal bar lies."""

from __future__ import annotations

import numpy as np

from tvae.corpus import Corpus
from tvae.melody import equal_bars
from tvae.model import TransformerVAE
from tvae.studies import attention, codes, transfers
from tvae.studies.relations import nearest_equal
from tvae.studies.transfers import couples, onsets
from tvae.transfer import decode, encode, swap

FEW = 20  # bars, below which a distance is left out


def saved_by_distance(rate: np.ndarray, pieces: Corpus) -> list[dict]:
    """`tvae.studies.codes.saved` of the rate (N, T) of repeated bars, for each distance by itself.

    `saving` is [value, low, high], `bars` how many bars have a match.
    """
    back = nearest_equal(pieces.tokens)
    found = {distance: codes.saved(rate, pieces, back == distance) for distance in range(1, rate.shape[1])}
    return [
        {"distance": distance, "bars": row["bars"], "saving": [row[key] for key in ("saving", "low", "high")]}
        for distance, row in found.items()
        if row["bars"] >= FEW
    ]


def measure(vae: TransformerVAE, train: Corpus, test: Corpus) -> dict:
    """Of test pieces, JSON-able: `codes` (`matched` alone), `distance`, `attention`, `transfer`."""
    rate = codes.encode_with_rate(vae, test.tokens)[1].sum(-1)
    return {
        "pieces": len(test),
        "codes": {"matched": codes.matched(rate, test)},
        "distance": saved_by_distance(rate, test),
        "rate_per_bar": rate.mean(0).tolist(),
        "attention": attention.measure(vae, train, test),
        "transfer": transfers.measure(vae, test.tokens, test.song)["conditions"],
    }


Heard = dict[str, np.ndarray]  # role -> tokens


def example(vae: TransformerVAE, test: Corpus, number: int) -> tuple[Heard, tuple[str, str]]:
    """The `number`-th context transfer to a test piece whose bar 9 equals bar 1: what is heard, and both titles."""
    begins = np.flatnonzero(onsets(test.tokens)[:, 0].any(-1))
    found = couples(test.song[begins])
    comes_back = equal_bars(test.tokens[begins])[:, test.bars // 2, 0][found.host]
    rows = np.flatnonzero(comes_back)
    row = rows[number % len(rows)]
    host, donor = begins[found.host[row]], begins[found.donors[row, 0]]
    mine, theirs = encode(vae, test.tokens[[host, donor]])[:, None]
    heard = {
        "host": test.tokens[host],
        "host, from its codes": decode(vae, mine)[0],
        "donor": test.tokens[donor],
        "result": decode(vae, swap(mine, theirs, (1,)))[0],
    }
    return heard, (str(test.title[host]), str(test.title[donor]))
