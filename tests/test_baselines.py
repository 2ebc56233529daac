"""The LSTM VAEs hear what they should and nothing else, and can learn."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from tvae.baselines import LSTMVAE, LSTMConfig
from tvae.model import kl_divergence
from tvae.presets import MODELS, PRESETS, build

LSTMS = {name: MODELS[name].sizes for name in ("lstm_8x1", "lstm_1x8", "lstm_conductor")}
SMALL = LSTMConfig(d_embedding=6, d_encoder=12, d_decoder=24, d_condition=8, d_conductor=10, d_latent=4)
each_model = pytest.mark.parametrize("name", LSTMS)
a_code_a_piece = pytest.mark.parametrize("name", ["lstm_1x8", "lstm_conductor"])


@pytest.fixture
def tokens():
    return torch.randint(0, 47, (6, 128), generator=torch.Generator().manual_seed(1))


def model(name: str, sizes: LSTMConfig = SMALL) -> LSTMVAE:
    """Untrained, with weights so large that what it generates is varied and that it remembers for a whole piece."""
    torch.manual_seed(0)
    vae = build(name, replace(sizes, **LSTMS[name])).eval()
    with torch.no_grad():
        for parameter in vae.parameters():
            parameter *= 3
        for lstm in (vae.encoder.lstm, vae.decoder.lstm):
            for key, bias in lstm.named_parameters():
                if key.startswith("bias_ih"):
                    bias.view(4, -1)[1] += 4  # of the forget gate
    return vae


def with_another_bar(tokens, bar: int):
    """The same pieces, every token of one bar changed."""
    changed = tokens.clone()
    changed[:, bar * 16 : (bar + 1) * 16] = (changed[:, bar * 16 : (bar + 1) * 16] + 1) % 47
    return changed


@each_model
def test_a_piece_has_512_latent_dimensions_in_the_codes_of_its_model(name, tokens):
    plan = PRESETS["paper"].plan(name)
    codes = {"lstm_8x1": (8, 64), "lstm_1x8": (1, 512), "lstm_conductor": (1, 512)}[name]
    vae = build(name, plan.model).eval()
    with torch.no_grad():
        logits, mu, logvar = vae(tokens)
    assert mu.shape == logvar.shape == (6, *codes) and logits.shape == (6, 8, 16, 47)
    assert mu[0].numel() == plan.model.latent_dims == 512


@each_model
def test_it_generates_tokens_of_whole_pieces(name, tokens):
    vae = model(name)
    generated = vae.generate(vae.encode(tokens)[0])
    assert generated.shape == (6, 128) and generated.dtype == torch.int64
    assert 0 <= generated.min() and generated.max() < 47


@each_model
def test_teacher_forced_it_is_decode_of_a_sampled_code(name, tokens):
    vae = model(name)
    with torch.no_grad():
        torch.manual_seed(5)
        logits, mu, logvar = vae(tokens)
        torch.manual_seed(5)
        z = mu + torch.randn_like(mu) * (0.5 * logvar).exp()
        assert torch.equal(logits, vae.decode(z, tokens)) and not torch.equal(logits, vae.decode(mu, tokens))


@pytest.mark.parametrize("bar", [0, 3, 7])
def test_of_lstm_8x1_a_changed_bar_changes_itself_alone_to_the_bit(bar, tokens):
    vae, changed = model("lstm_8x1"), with_another_bar(tokens, bar)
    with torch.no_grad():
        (mu, logvar), (mu_changed, logvar_changed) = vae.encode(tokens), vae.encode(changed)
        pairs = [
            (mu, mu_changed),
            (logvar, logvar_changed),
            (vae.decode(mu, tokens), vae.decode(mu_changed, changed)),
            (vae.generate(mu).view(6, 8, 16), vae.generate(mu_changed).view(6, 8, 16)),
        ]
    for before, after in pairs:
        assert (before != after).flatten(2).any(-1).any(0).tolist() == [other == bar for other in range(8)]


@pytest.mark.slow
def test_of_lstm_8x1_a_bar_is_the_same_wherever_it_stands(tokens):
    vae = model("lstm_8x1")
    order = torch.tensor([3, 0, 7, 1, 6, 2, 5, 4])
    moved = tokens.view(6, 8, 16)[:, order].flatten(1)
    with torch.no_grad():
        (mu, logvar), (mu_moved, logvar_moved) = vae.encode(tokens), vae.encode(moved)
        logits, logits_moved = vae.decode(mu, tokens), vae.decode(mu[:, order], moved)
        generated, generated_moved = vae.generate(mu).view(6, 8, 16), vae.generate(mu[:, order]).view(6, 8, 16)
    for there, here in ((mu, mu_moved), (logvar, logvar_moved), (logits, logits_moved)):
        torch.testing.assert_close(here, there[:, order], rtol=0, atol=1e-5)
        assert (there[:, 0] - there[:, 1]).abs().max() > 0.1  # not that all bars are one
    assert torch.equal(generated_moved, generated[:, order]) and not torch.equal(generated[:, 0], generated[:, 1])


@a_code_a_piece
@pytest.mark.parametrize("bar", [0, 3, 7])
def test_a_code_of_a_piece_knows_every_bar(name, bar, tokens):
    vae = model(name).double()
    with torch.no_grad():
        difference = vae.encode(tokens)[0] - vae.encode(with_another_bar(tokens, bar))[0]
    assert (difference.abs().amax((1, 2)) > 1e-9).all()


def hears(name: str) -> torch.Tensor:
    """(128, 128) bool: do the teacher-forced logits of the step (row) depend on the true token of another (column)?"""
    before = torch.ones(128, 128, dtype=torch.bool).tril(-1)
    bar = torch.arange(128) // 16
    if name == "lstm_1x8":  # every earlier token
        return before
    own_bar = before & (bar[:, None] == bar)
    if name == "lstm_8x1":  # the earlier tokens of its bar
        return own_bar
    last_before = (torch.arange(128) % 16 == 15) & (bar[:, None] == bar + 1)
    return own_bar | last_before  # lstm_conductor: and the last token of the bar before


@each_model
def test_a_step_hears_the_earlier_tokens_that_its_model_lets_it_hear_and_no_others(name, tokens):
    vae = model(name).double()  # the first token still moves the last logits, by more than rounding does
    truth = tokens[:1]
    changed = (truth + 1 - 2 * (truth == 46)).where(torch.eye(128, dtype=torch.bool), truth)  # row t: token t changed
    with torch.no_grad():
        z = vae.encode(truth)[0]
        one, others = vae.decode(z, truth), vae.decode(z.expand(128, -1, -1), changed)
    influence = (others - one).flatten(1, 2).abs().amax(-1).T > 1e-9
    assert torch.equal(influence, hears(name))


@each_model
def test_a_code_reaches_every_step_that_it_stands_for(name, tokens):
    vae = model(name).double()
    with torch.no_grad():
        z = vae.encode(tokens)[0]
        other = z.clone()
        other[:, 0] += 1
        changed = ((vae.decode(z, tokens) - vae.decode(other, tokens)).abs() > 1e-9).any(-1).any(0).flatten()
    assert changed.tolist() == [step < 16 or name != "lstm_8x1" for step in range(128)]


@each_model
def test_running_free_agrees_with_teacher_forcing_on_its_own_output(name, tokens):
    vae = model(name)
    with torch.no_grad():
        z = vae.encode(tokens)[0]
        generated = vae.generate(z)
        assert torch.equal(vae.decode(z, generated).argmax(-1).flatten(1), generated)
        assert not torch.equal(vae.decode(z, tokens).argmax(-1).flatten(1), generated)  # what it is fed matters
    assert len(generated.unique(dim=0)) == 6 and len(generated.unique()) > 10  # not one note for all


@each_model
def test_a_gradient_reaches_every_parameter(name, tokens):
    torch.manual_seed(0)
    vae = build(name, replace(SMALL, **LSTMS[name]))
    logits, mu, logvar = vae(tokens)
    (F.cross_entropy(logits.flatten(0, 2), tokens.flatten()) + kl_divergence(mu, logvar).mean()).backward()
    for key, parameter in vae.named_parameters():
        assert parameter.grad is not None, key
        assert parameter.grad.view(len(parameter), -1).any(-1).all(), key  # each unit's, each token's


@pytest.mark.slow
@each_model
def test_it_learns_eight_pieces_by_heart(name):
    torch.manual_seed(0)
    sizes = LSTMConfig(16, 32, 64, 16, bars=4, steps=8, states=12, d_conductor=32, d_latent=8)
    vae = build(name, replace(sizes, **LSTMS[name] | {"bars_per_code": 1 if name == "lstm_8x1" else 4}))
    tokens = torch.randint(0, 12, (8, 32))
    optimizer = torch.optim.Adam(vae.parameters(), lr=1e-2)
    for _ in range(250):
        logits, mu, logvar = vae(tokens)
        loss = F.cross_entropy(logits.flatten(0, 2), tokens.flatten()) + 1e-3 * kl_divergence(mu, logvar).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        mu = vae.eval().encode(tokens)[0]
        assert (vae.decode(mu, tokens).argmax(-1).flatten(1) == tokens).double().mean() > 0.95
        assert (vae.generate(mu) == tokens).double().mean() > 0.95  # from the codes alone
