"""What needs no model: always "sustain", and each bar as the copy of the one before."""

from __future__ import annotations

import numpy as np
import torch

from tvae.corpus import Corpus
from tvae.evaluate import Pieces, prediction_scores, terms
from tvae.melody import STEPS, SUSTAIN
from tvae.studies.statistics import interval


def trivial_scores(corpus: Corpus, folds: tuple[int, ...]) -> dict[str, dict[str, list[float]]]:
    """What needs no model, on the test pieces of these folds: row -> statistic -> [value, low, high]."""
    test = np.flatnonzero(np.isin(corpus.fold, folds))
    rows = evaluate_trivial(corpus.tokens[test], corpus.length[test])
    return {
        row: {
            statistic: [float(x) for x in interval(*ratio, corpus.song[test])]
            for statistic, ratio in terms(pieces).items()
        }
        for row, pieces in rows.items()
    }


def trivial_predictions(tokens: np.ndarray) -> dict[str, np.ndarray]:
    """What needs no model, for pieces (N, 128): always "sustain", and each true bar followed by its copy.

    The copy of the previous bar knows the true earlier bars, as a teacher-forced model does; bar 1 is all "sustain".
    """
    sustain = np.full_like(tokens, SUSTAIN)
    repeat = np.concatenate([sustain[:, :STEPS], tokens[:, :-STEPS]], axis=1)
    return {"sustain": sustain, "previous_bar": repeat}


def evaluate_trivial(tokens: np.ndarray, length: np.ndarray) -> dict[str, Pieces]:
    """Per-piece scores of `trivial_predictions`. Only "sustain" also runs free: the copy needs the true bars."""
    truth = torch.as_tensor(tokens.astype(np.int64))
    counted = torch.arange(tokens.shape[1]) < torch.as_tensor(length.astype(np.int64))[:, None]
    rows = {}
    for row, predicted in trivial_predictions(tokens).items():
        predicted = torch.as_tensor(predicted.astype(np.int64))
        scores = prediction_scores("teacher_forced", predicted, truth, counted)
        if row == "sustain":
            scores |= prediction_scores("free_running", predicted, truth, counted)
        rows[row] = {key: value.numpy() for key, value in scores.items()} | {"steps": length.astype(np.int64)}
    return rows
