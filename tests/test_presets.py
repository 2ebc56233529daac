"""The tables of models and presets say what a run is."""

from dataclasses import asdict, replace

import numpy as np
import pytest
import torch
from examples import TINY

from tvae.baselines import LSTMVAE
from tvae.checkpoint import load, save_weights
from tvae.model import TransformerVAE, parameter_count
from tvae.presets import MODELS, PRESETS, Model, build

LSTMS = [name for name, row in MODELS.items() if row.lstm]
TRAINED = [name for name in MODELS if MODELS[name].trained]  # not that of the authors


def test_the_release_schedule():
    paper = PRESETS["paper"]
    assert paper.stage_1.batch == 16 and 6.9e6 < paper.stage_1.rows < 7.1e6 and paper.stage_0.kl_weight == 0.1
    assert [rate for _, rate in paper.stage_1.learning_rate] == [1e-4, 1e-4, 1e-5, 1e-5, 1e-6, 1e-6]
    assert paper.lstm_stage_1 == paper.stage_1 and paper.transformer.initialisation == "release"


@pytest.mark.parametrize("preset", PRESETS)
def test_the_models_of_a_preset_differ_in_what_their_names_say(preset):
    plans = {model: PRESETS[preset].plan(model) for model in TRAINED}
    attention = plans["attention"]
    for model, plan in plans.items():
        row = MODELS[model]
        assert plan.model.latent_dims == attention.model.latent_dims  # as many dimensions, and trained as long
        assert plan.stage_1.rows == (attention.stage_1.rows if not row.lstm else PRESETS[preset].lstm_stage_1.rows)
        assert (plan.stage_0 is None) == (row.lstm or model == "no_stage_0")
    assert plans["no_stage_0"] == replace(attention, stage_0=None)
    for model in ("no_attention", "bidirectional", "context_free"):
        assert plans[model] == replace(attention, model=plans[model].model) != attention
    paid = replace(attention, stage_1=replace(attention.stage_1, free_nats=147.0))  # else LSTM bars close their codes
    for model in ("attention_lstm", "no_attention_lstm"):
        assert plans[model] == replace(paid, model=plans[model].model)


@pytest.mark.parametrize("model", TRAINED)
def test_a_model_of_sixteen_bars_has_one_code_or_sixteen_as_of_eight(model):
    tokens = torch.zeros(1, 16 * 16, dtype=torch.long)
    mu, _ = build(model, TINY.plan(model, bars=16).model).encode(tokens)
    assert mu.shape[1] == (1 if MODELS[model].one_code else 16) and mu[0].numel() == 16 * TINY.transformer.d_latent


@pytest.mark.parametrize("known", [TransformerVAE, LSTMVAE])
def test_a_row_with_an_architecture_of_its_own_is_built_and_loaded_as_that(known, monkeypatch, tmp_path):
    own = type("Own", (known,), {})
    monkeypatch.setitem(MODELS, "own", Model("own", "own", "a class of its own", own))
    plan, path = TINY.plan("own"), tmp_path / "weights.safetensors"
    save_weights(build("own", plan.model), path, {"model": "own", "plan": asdict(plan)})
    assert type(load(path)) is own


def test_the_models_of_the_paper_preset_are_as_large_as_the_releases():
    with torch.device("meta"):
        counts = {model: parameter_count(build(model, PRESETS["paper"].plan(model).model)) for model in MODELS}
    for model in ("attention", "no_attention", "bidirectional", "no_stage_0", "context_free", "official", "wide"):
        assert counts[model] == 11_999_728
    assert counts["compact"] == 4_921_840
    assert counts["lstm_1x8"] / counts["attention"] < 2  # with maps of its own for each bar
    for model in set(LSTMS) - {"lstm_1x8"}:
        assert 2 / 3 < counts[model] / counts["attention"] < 4 / 3


@pytest.mark.parametrize("preset", PRESETS)
def test_the_learning_rate_of_another_kl_weight_is_the_whole_curve_in_short(preset):
    for model in ("attention", "lstm_8x1"):
        whole, short = (PRESETS[preset].plan(model, weight).stage_1 for weight in (None, 4.0))
        assert short.rows == PRESETS[preset].sweep < whole.rows and short.batch == whole.batch
        share = short.rows / whole.rows
        knots = [(seen * share, rate) for seen, rate in whole.learning_rate]
        assert np.allclose(short.learning_rate, knots, rtol=1e-12)
