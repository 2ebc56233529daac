"""The metrics count what they say they count."""

import numpy as np
import pytest
import torch

from tvae.baselines import LSTMVAE, LSTMConfig
from tvae.evaluate import evaluate, summarise, terms
from tvae.melody import SUSTAIN
from tvae.model import ModelConfig, TransformerVAE, kl_divergence
from tvae.studies.statistics import interval
from tvae.studies.trivial import evaluate_trivial

SMALL = ModelConfig(hidden=(48, 40), d_model=32, d_head=16, d_feedforward=24, d_latent=8, heads=2, layers=1)


@pytest.fixture(scope="module")
def vae():
    torch.manual_seed(0)
    return TransformerVAE(SMALL).eval()


def lstm(**changes) -> LSTMVAE:
    torch.manual_seed(0)
    sizes = {"d_embedding": 6, "d_encoder": 12, "d_decoder": 24, "d_condition": 8, "d_conductor": 10, "d_latent": 4}
    return LSTMVAE(LSTMConfig(**sizes, **changes)).eval()


@pytest.fixture(scope="module")
def melodies():
    random = np.random.default_rng(0)
    tokens = np.where(random.random((40, 128)) < 0.6, SUSTAIN, random.integers(2, 47, (40, 128))).astype(np.uint8)
    return tokens, np.full(40, 128, np.uint8)


def test_metrics_are_what_a_plain_loop_computes(vae, melodies, monkeypatch):
    monkeypatch.setattr("tvae.evaluate.BATCH", 7)
    tokens, length = melodies
    metrics, _ = evaluate(vae, tokens, length)
    truth = torch.as_tensor(tokens.astype(np.int64))
    with torch.no_grad():
        mu, logvar = vae.encode(truth)
        free = vae.generate(mu)
        forced = vae.decode(mu, truth).argmax(-1).flatten(1)
    assert metrics["accuracy_free_running"] == pytest.approx((free == truth).double().mean().item())
    assert metrics["accuracy_teacher_forced"] == pytest.approx((forced == truth).double().mean().item())
    found = ((free == truth) & (truth >= 2)).sum().item()
    expected = 2 * found / ((free >= 2).sum() + (truth >= 2).sum()).item()
    assert metrics["onset_f1_free_running"] == pytest.approx(expected)
    rate = kl_divergence(mu, logvar).sum(-1).mean(0)
    assert metrics["rate_per_bar"] == pytest.approx(rate.tolist(), rel=1e-4)
    assert metrics["rate_nats_per_piece"] == pytest.approx(rate.sum().item(), rel=1e-4)
    assert metrics["rate_drop"] == pytest.approx(1 - (rate[4:7].mean() / rate[0]).item(), rel=1e-3)


@pytest.mark.parametrize("conductor", [False, True])
def test_of_one_code_a_piece_there_is_a_rate_but_none_per_bar(conductor, melodies, monkeypatch):
    monkeypatch.setattr("tvae.evaluate.BATCH", 7)
    tokens, length = melodies
    flat = lstm(bars_per_code=8, conductor=conductor)
    metrics, pieces = evaluate(flat, tokens, length)
    with torch.no_grad():
        rate = kl_divergence(*flat.encode(torch.as_tensor(tokens.astype(np.int64)))).sum((1, 2))
    assert metrics["rate_nats_per_piece"] == pytest.approx(rate.mean().item(), rel=1e-4) and rate.mean() > 0
    np.testing.assert_allclose(pieces["rate"], rate, rtol=1e-4)
    of_a_code_a_bar = {"rate_per_bar", "rate_drop"}
    assert set(metrics) == set(evaluate(lstm(), tokens, length)[0]) - of_a_code_a_bar
    assert not of_a_code_a_bar & (set(pieces) | set(terms(pieces)))


@pytest.mark.parametrize("family", ["transformer", "lstm_8x1"])
def test_where_each_bar_has_a_code_the_rate_is_the_sum_of_the_bars_rates(family, vae, melodies):
    metrics, pieces = evaluate({"transformer": vae, "lstm_8x1": lstm()}[family], *melodies)
    assert pieces["rate_per_bar"].shape == (40, 8) and (pieces["rate_per_bar"] > 0).all()
    np.testing.assert_allclose(pieces["rate"], pieces["rate_per_bar"].sum(1), rtol=1e-5)
    assert metrics["rate_nats_per_piece"] == pytest.approx(sum(metrics["rate_per_bar"]), rel=1e-5)
    bars = metrics["rate_per_bar"]
    assert metrics["rate_drop"] == pytest.approx(1 - np.mean(bars[4:7]) / bars[0], rel=1e-3, abs=1e-5)


def test_padding_is_never_counted(vae, melodies):
    tokens, length = melodies
    short, length = tokens.copy(), np.full_like(length, 112)
    metrics, pieces = evaluate(vae, short, length)
    truth = torch.as_tensor(short.astype(np.int64))
    with torch.no_grad():
        right = (vae.generate(vae.encode(truth)[0]) == truth)[:, :112]
    assert metrics["accuracy_free_running"] == pytest.approx(right.double().mean().item())
    assert (pieces["steps"] == 112).all()
    counted_all, _ = evaluate(vae, short, np.full_like(length, 128))
    assert metrics["distortion_nats_per_piece"] < counted_all["distortion_nats_per_piece"]


def test_evaluating_twice_gives_the_same_and_leaves_the_random_state_alone(vae, melodies):
    state = torch.get_rng_state()
    first, _ = evaluate(vae, *melodies)
    assert torch.equal(state, torch.get_rng_state())
    assert first == evaluate(vae, *melodies)[0]


def test_trivial_rows(melodies):
    tokens, length = melodies
    rows = {name: summarise(pieces) for name, pieces in evaluate_trivial(tokens, length).items()}
    assert rows["sustain"]["accuracy_teacher_forced"] == pytest.approx((tokens == SUSTAIN).mean())
    assert rows["sustain"]["onset_f1_teacher_forced"] == 0
    copies = np.tile(tokens[:, :16], 8)
    again = summarise(evaluate_trivial(copies, length)["previous_bar"])
    assert again["accuracy_teacher_forced"] > 7 / 8 and rows["previous_bar"]["accuracy_teacher_forced"] < 0.6


def test_the_metrics_of_pieces_are_those_of_the_whole(vae, melodies):
    metrics, pieces = evaluate(vae, *melodies)
    assert summarise(pieces) == metrics


@pytest.mark.slow
def test_intervals_hold_the_truth_about_as_often_as_they_say():
    random, hits = np.random.default_rng(0), 0
    for _ in range(200):
        song = np.repeat(np.arange(60), 3)
        alike = np.repeat(random.normal(0, 0.2, 60), 3)  # pieces of a song
        value = 0.5 + alike + random.normal(0, 0.05, 180)
        _, low, high = interval(value, np.ones(180), song)
        hits += low <= 0.5 <= high
    assert 0.88 <= hits / 200 <= 0.99


def test_intervals_of_clustered_pieces_are_wider_than_of_independent_ones():
    random = np.random.default_rng(0)
    value = np.repeat(random.normal(size=50), 4)
    _, low, high = interval(value, np.ones(200), np.repeat(np.arange(50), 4))
    _, naive_low, naive_high = interval(value, np.ones(200), np.arange(200))
    assert high - low > 1.5 * (naive_high - naive_low)


def test_interval_of_an_array_has_its_shape(vae, melodies):
    _, pieces = evaluate(vae, *melodies)
    value, low, high = interval(*terms(pieces)["rate_per_bar"], np.arange(40))
    assert value.shape == low.shape == high.shape == (8,) and (low <= value).all() and (value <= high).all()
