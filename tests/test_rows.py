"""What training hears: which rows, how they are transposed, and which steps count in the loss."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from examples import TINY

from tvae import corpus
from tvae.melody import transpose, transposition_table
from tvae.rows import Rows, training_rows
from tvae.train import objective


def test_padded_steps_count_in_the_loss_only_as_the_release_has_it():
    data = corpus.load("folk")
    train_index, _ = data.split(0)
    for count_padding, expected in ((True, 128 * len(train_index)), (False, int(data.length[train_index].sum()))):
        for number, stage in enumerate((TINY.stage_0, TINY.stage_1)):
            settings = {"fold": 0, "seed": 0}
            rows = training_rows(data, settings, number, stage, count_padding, torch.device("cpu"))
            assert int(rows.counted.sum()) == expected


def test_no_song_that_is_tested_or_chosen_by_trains():
    data = corpus.load("folk")
    for fold in range(corpus.FOLDS):
        (train_index, test_index), validation = data.split(fold), data.validation(fold)
        songs = [set(data.song[index]) for index in (train_index, test_index, validation)]
        assert not songs[0] & songs[1] and not songs[0] & songs[2] and not songs[1] & songs[2]
        assert len(train_index) + len(test_index) + len(validation) == len(data)
        assert 0.02 < len(validation) / len(data) < 0.06


def test_free_nats_cost_nothing():
    logits, tokens = torch.randn(3, 8, 16, 47), torch.randint(0, 47, (3, 128))
    mu, logvar, counted = torch.randn(3, 8, 64), torch.zeros(3, 8, 64), torch.ones(3, 128, dtype=torch.bool)
    loss = {}
    for nats in (0.0, 100.0, 1e6):
        stage = replace(TINY.stage_1, free_nats=nats)
        loss[nats], log = objective(logits, mu, logvar, tokens, counted, stage)
    distortion = log["distortion_nats_per_piece"] / 128
    assert loss[1e6].item() == pytest.approx(distortion.item(), rel=1e-5)
    assert (loss[0.0] - loss[100.0]).item() == pytest.approx(100 / 512, rel=1e-3)


def test_each_row_is_heard_in_every_transposition_in_nine_passes():
    tokens = corpus.load("folk").tokens[:20]
    rows = Rows(tokens, np.ones_like(tokens, dtype=bool), batch=5, seed=0, device=torch.device("cpu"))
    heard = {tuple(row) for step in range(9 * 4) for row in rows[step][0].numpy()}
    table = transposition_table  # the training's own, without making sustains of lost notes silent
    expected = {tuple(table(shift)[piece]) for piece in tokens for shift in range(-4, 5)}
    assert heard == expected


def test_transposing_on_the_device_is_transposing():
    tokens = corpus.load("folk").tokens[:200]
    middle = tokens[(np.where(tokens > 1, tokens, 20).min(1) > 5) & (np.where(tokens > 1, tokens, 20).max(1) < 43)]
    assert len(middle) > 20
    for shift in (-3, 2):
        assert (transposition_table(shift)[middle] == transpose(middle, shift)).all()
