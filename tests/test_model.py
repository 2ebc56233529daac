"""The model does what equations (1)-(5) and the masks promise."""

from dataclasses import replace

import pytest
import torch

from tvae import TvaeError
from tvae.lstm import LSTMSizes
from tvae.model import BarVAE, ModelConfig, TransformerVAE, kl_divergence, parameter_count

SMALL = ModelConfig(hidden=(48, 40), d_model=32, d_head=16, d_feedforward=24, d_latent=8, heads=2, layers=2)
DIAGONAL = {"encoder_mask": "diagonal", "inter_mask": "diagonal", "decoder_mask": "diagonal"}


@pytest.fixture
def tokens():
    return torch.randint(0, 47, (6, 128), generator=torch.Generator().manual_seed(1))


def model(**changes) -> TransformerVAE:
    torch.manual_seed(0)
    return TransformerVAE(replace(SMALL, **changes)).eval()


def test_the_default_is_the_release():
    assert parameter_count(TransformerVAE()) == 11_999_728


def test_shapes(tokens):
    vae = model()
    mu, logvar = vae.encode(tokens)
    assert mu.shape == logvar.shape == (6, 8, 8)
    assert vae.decode(mu, tokens).shape == (6, 8, 16, 47)
    generated = vae.generate(mu)
    assert (
        generated.shape == (6, 128) and generated.dtype == torch.int64 and 0 <= generated.min() <= generated.max() < 47
    )


@pytest.mark.parametrize("config", [SMALL, ModelConfig()], ids=["small", "release"])
@pytest.mark.parametrize("bar", [0, 3, 7])
def test_changing_a_bar_leaves_every_earlier_one_alone_to_the_bit(config, bar, tokens):
    torch.manual_seed(0)
    vae = TransformerVAE(config).eval()
    changed = tokens.clone()
    changed[:, bar * 16 : (bar + 1) * 16] = (changed[:, bar * 16 : (bar + 1) * 16] + 1) % 47
    with torch.no_grad():
        mu, logvar = vae.encode(tokens)
        mu_changed, logvar_changed = vae.encode(changed)
        logits, logits_changed = vae.decode(mu, tokens), vae.decode(mu_changed, changed)
    assert torch.equal(mu[:, :bar], mu_changed[:, :bar]) and torch.equal(logvar[:, :bar], logvar_changed[:, :bar])
    assert torch.equal(logits[:, :bar], logits_changed[:, :bar])
    assert not torch.equal(mu[:, bar], mu_changed[:, bar]) and not torch.equal(logits[:, bar], logits_changed[:, bar])


def influence(vae: TransformerVAE, tokens) -> torch.Tensor:
    """(T, T) bool: does mu of the bar (row) change with the tokens of the other (column)?"""
    with torch.no_grad():
        mu = vae.encode(tokens)[0]
        rows = []
        for bar in range(8):
            changed = tokens.clone()
            changed[:, bar * 16 : (bar + 1) * 16] = (changed[:, bar * 16 : (bar + 1) * 16] + 1) % 47
            rows.append((vae.encode(changed)[0] != mu).any(-1).any(0))
    return torch.stack(rows, 1)


@pytest.mark.parametrize(
    ("mask", "expected"),
    [
        ("none", torch.ones(8, 8, dtype=torch.bool)),
        ("causal", torch.ones(8, 8, dtype=torch.bool).tril()),
        ("diagonal", torch.eye(8, dtype=torch.bool)),
    ],
)
def test_the_encoder_mask_says_who_sees_whom(mask, expected, tokens):
    assert torch.equal(influence(model(encoder_mask=mask), tokens), expected)


@pytest.mark.parametrize("masks", [{}, DIAGONAL, {"inter_mask": "none"}], ids=["causal", "diagonal", "inter none"])
def test_bar_by_bar_agrees_with_teacher_forcing_on_its_own_output(masks, tokens):
    vae = model(**masks)
    with torch.no_grad():
        z = vae.encode(tokens)[0]
        generated = vae.generate(z)
        assert torch.equal(vae.decode(z, generated).argmax(-1).flatten(1), generated)


def test_each_bar_is_computed_once(tokens, monkeypatch):
    vae, rows = model(), []
    local_decoder = vae.local_decoder.forward
    monkeypatch.setattr(
        vae.local_decoder, "forward", lambda g, bars=None: rows.append(g.shape[:-1]) or local_decoder(g)
    )
    vae.generate(torch.zeros(6, 8, 8))
    assert [tuple(shape) for shape in rows] == [(6,)] * 8


def test_without_attention_a_code_reaches_only_its_own_bar_and_the_next_through_feedback(tokens):
    vae = model(**DIAGONAL)
    with torch.no_grad():
        z = vae.encode(tokens)[0]
        other = z.clone()
        other[:, 2] += 3
        changed = (vae.decode(z, tokens) != vae.decode(other, tokens)).flatten(2).any(-1).any(0)
    assert changed.tolist() == [bar == 2 for bar in range(8)]


@pytest.mark.parametrize("mask", ["none", "causal", "diagonal"])
def test_attention_weights_are_probabilities_under_their_mask(mask, tokens):
    vae = model(encoder_mask=mask, inter_mask=mask, decoder_mask=mask)
    allowed = {"none": torch.ones(8, 8), "causal": torch.ones(8, 8).tril(), "diagonal": torch.eye(8)}[mask].bool()
    weights = vae.attention(tokens)
    assert set(weights) == {"encoder", "decoder", "inter"}
    for maps in weights.values():
        assert maps.shape == (6, 2, 2, 8, 8)
        assert torch.allclose(maps.sum(-1), torch.ones(()), atol=1e-6)
        assert (maps[..., ~allowed] == 0).all() and (maps[..., allowed] > 0).all()


def test_the_explicit_path_equals_the_fused_one(tokens):
    vae = model()
    with torch.no_grad():
        h = vae.local(tokens)
        codes = vae.from_code(vae.encode(tokens)[0])
        assert torch.allclose(vae.encoder(h), vae.encoder(h, []), atol=1e-6)
        assert torch.allclose(vae.decoder(codes, h), vae.decoder(codes, h, [], []), atol=1e-6)


def test_kl_is_that_of_torch_distributions():
    mu, logvar = torch.randn(5, 8, 64), torch.randn(5, 8, 64)
    posterior = torch.distributions.Normal(mu, (0.5 * logvar).exp())
    prior = torch.distributions.Normal(torch.zeros(()), torch.ones(()))
    expected = torch.distributions.kl_divergence(posterior, prior)
    assert torch.allclose(kl_divergence(mu, logvar), expected, atol=1e-5)


def test_stage_0_trains_a_local_layer_that_the_model_takes_over():
    bars = BarVAE(SMALL)
    logits, mu, logvar = bars(torch.randint(0, 47, (4, 16)))
    assert logits.shape == (4, 16, 47) and mu.shape == logvar.shape == (4, 32)
    logits.sum().backward()
    assert all(weight.grad is not None for weight in bars.local_decoder.parameters())
    model().local_encoder.load_state_dict(bars.local_encoder.state_dict())
    model().local_decoder.load_state_dict(bars.local_decoder.state_dict())


def test_the_release_starts_with_wide_positions_and_small_projections():
    torch.manual_seed(0)
    release, pytorch = TransformerVAE(ModelConfig()), TransformerVAE(ModelConfig(initialisation="pytorch"))
    assert release.encoder.position.std().item() == pytest.approx(1, rel=0.05)
    assert pytorch.encoder.position.std().item() == pytest.approx(1 / 16, rel=0.05)
    for layer in (*release.encoder.layers, *release.decoder.layers):
        for projection in (layer.attention.query, layer.attention.key, layer.attention.value):
            assert projection.weight.std().item() == pytest.approx((2 / 256**2) ** 0.5, rel=0.02)
    assert pytorch.decoder.layers[0].inter.key.weight.std().item() == pytest.approx((3 * 256) ** -0.5, rel=0.02)
    assert release.encoder.layers[0].attention_norm.eps == 1e-12


def test_a_context_free_bar_hears_its_own_code_alone(tokens):
    vae = model(**DIAGONAL, previous_bar=False)
    with torch.no_grad():
        z = vae.encode(tokens)[0]
        other = with_another(tokens, bar=2)
        changed = (vae.decode(z, tokens) != vae.decode(z, other)).flatten(2).any(-1).any(0)
        assert not changed.any()  # no true bar is heard
        moved = z.clone()
        moved[:, 2] += 3
        heard = (vae.generate(z) != vae.generate(moved)).unflatten(1, (8, 16)).any(-1).any(0)
    assert heard.tolist() == [bar == 2 for bar in range(8)]


def with_another(tokens, bar: int):
    changed = tokens.clone()
    changed[:, bar * 16 : (bar + 1) * 16] = (changed[:, bar * 16 : (bar + 1) * 16] + 1) % 47
    return changed


def test_an_lstm_as_local_layer_is_told_the_steps_before_in_its_bar_and_the_bars_before(tokens):
    vae = model(local="lstm", lstm=LSTMSizes(8, 12, 16, 8)).double()
    with torch.no_grad():
        z = vae.encode(tokens[:1])[0]
        one = vae.decode(z, tokens[:1])
        changed = tokens[:1].clone()
        changed[:, 37] = (changed[:, 37] + 1) % 47  # the sixth step of bar 3
        heard = ((vae.decode(z, changed) - one).abs() > 1e-12).any(-1).flatten()
    assert heard.tolist() == [37 < step for step in range(128)]


@pytest.mark.parametrize("masks", [{}, DIAGONAL], ids=["causal", "diagonal"])
def test_an_lstm_as_local_layer_runs_free_as_it_is_taught(masks, tokens):
    vae = model(local="lstm", lstm=LSTMSizes(8, 12, 16, 8), **masks)
    with torch.no_grad():
        z = vae.encode(tokens)[0]
        generated = vae.generate(z)
        assert torch.equal(vae.decode(z, generated).argmax(-1).flatten(1), generated)


def test_an_unknown_mask_is_a_sentence():
    with pytest.raises(TvaeError, match="none, causal, diagonal"):
        ModelConfig(encoder_mask="triangle")


@pytest.mark.parametrize(("choice", "known"), [("local", "dense, lstm"), ("initialisation", "release, pytorch")])
def test_an_unknown_choice_is_a_sentence(choice, known):
    with pytest.raises(TvaeError, match=known):
        ModelConfig(**{choice: "other"})
