"""A corpus in numbers."""

from __future__ import annotations

import numpy as np

from tvae.corpus import FOLDS, Corpus
from tvae.melody import FIRST_PITCH, HIGHEST, LOWEST, SILENCE, SUSTAIN, earlier_equal, equal_bars
from tvae.studies.comparison import FOLD_SETS, fold_label
from tvae.studies.trivial import trivial_scores


def describe(corpus: Corpus) -> dict:
    """What the page about the corpora shows of one: numbers and shares, JSON-able, nothing that holds its notes."""
    onset = corpus.tokens[corpus.tokens >= FIRST_PITCH].astype(int) - FIRST_PITCH + LOWEST  # MIDI
    counted = np.arange(corpus.tokens.shape[1]) < corpus.length[:, None]
    return {
        "name": corpus.name,
        "pieces": len(corpus),
        "songs": len(np.unique(corpus.song)),
        "test_pieces_by_fold": np.bincount(corpus.fold, minlength=FOLDS).tolist(),
        "onsets_per_piece": float(len(onset) / len(corpus)),
        "sustain": float((corpus.tokens == SUSTAIN)[counted].mean()),
        "silence": float((corpus.tokens == SILENCE)[counted].mean()),
        "padded": float((corpus.length < corpus.tokens.shape[1]).mean()),
        "lowest": int(onset.min()),
        "highest": int(onset.max()),
        "pitch": (np.bincount(onset - LOWEST, minlength=HIGHEST - LOWEST + 1) / len(onset)).tolist(),
        "repeats": equal_bars(corpus.tokens).mean(0).tolist(),  # (T, T): how often bar i equals bar j
        "repeats_earlier": (earlier_equal(corpus.tokens) >= 0).mean(0).tolist(),
        "left_out": corpus.left_out,
        "trivial": {fold_label(folds): trivial_scores(corpus, folds) for folds in FOLD_SETS},
        "sha256": corpus.sha256,
    }
