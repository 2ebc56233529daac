"""The prior over the codes: its density, what is drawn from it, what songs are like; and the same in JavaScript."""

import json
from base64 import b64encode
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from examples import TINY, finished_run, recorded
from safetensors.torch import save

from tvae import corpus, files, melody
from tvae.checkpoint import in_eight_bits, quantised, read_settings, save_weights
from tvae.errors import TvaeError
from tvae.report import beyond, record
from tvae.studies import prior, songs
from tvae.studies.prior import Prior, PriorConfig

pytestmark = pytest.mark.slow

ASSETS = Path(__file__).parent.parent / "book" / "assets" / "playground"
SMALL = PriorConfig(bars=4, d_latent=6, d_model=16, d_hidden=24, heads=2)
FOLK = corpus.load("folk")


def small(seed: int = 0) -> Prior:
    """A prior that has learned nothing, as it would be released."""
    torch.manual_seed(seed)
    return in_eight_bits(Prior(SMALL).eval())


def test_a_dimension_is_told_the_ones_before_it_and_no_other():
    made, known = small(), torch.tensor([True, False, True, False]).expand(3, -1)
    codes = torch.randn(3, 4, 6)
    changed = codes.clone()
    changed[:, 1, 3] += 1  # of bar 2, which is not known
    one, other = (made.mixture(made.context(codes, known), each)[1] for each in (codes, changed))
    moved = (one != other).any(-1)  # (B, T, Z)
    assert moved.any(0).nonzero().tolist() == [[1, 4], [1, 5]]
    changed = codes.clone()
    changed[:, 3] += 1  # what is not known tells nothing
    assert torch.equal(made.context(codes, known), made.context(changed, known))


def test_the_density_of_a_code_is_one():
    """Of the first dimension, which is told nothing of the code: summed over a fine grid."""
    made = small()
    weight, mean, log_deviation = (x[0, 0, 0] for x in made.mixture(made.context(
        torch.zeros(1, 4, 6), torch.zeros(1, 4, dtype=torch.bool)), torch.zeros(1, 4, 6)))  # fmt: skip
    z = torch.linspace(-40, 40, 200_001)[:, None]
    density = (weight + torch.distributions.Normal(mean, log_deviation.exp()).log_prob(z)).logsumexp(-1).exp().detach()
    assert float(density.sum() * 80 / 200_000) == pytest.approx(1, abs=1e-3)


def test_what_is_known_stays_and_what_is_drawn_follows_the_noise():
    made, known = small(), np.array([False, True, False, True])
    codes = np.random.default_rng(0).standard_normal((5, 4, 6)).astype(np.float32)
    drawn = prior.filled(made, codes, known, seed=1)
    assert (drawn[:, known] == codes[:, known]).all() and not (drawn[:, ~known] == codes[:, ~known]).any()
    assert (prior.filled(made, codes, known, seed=1) == drawn).all()
    assert not (prior.filled(made, codes, known, seed=2) == drawn)[:, ~known].any()
    # A piece's songs do not depend on how many are drawn.
    assert prior.new_songs(made, 2, seed=3) == pytest.approx(prior.new_songs(made, 4, seed=3)[:2], abs=1e-5)


def test_it_learns_when_a_bar_is_tied_and_draws_it_so():
    """Bar 3 is one point where bar 1 begins above 0, as a repeated bar is, and anything elsewhere."""
    random = torch.Generator().manual_seed(0)
    codes = torch.randn(1, 400, 4, 6, generator=random)
    tied = codes[0, :, 0, 0] > 0
    codes[0, tied, 2] = 1.5
    ties = torch.where(tied[:, None] & (torch.arange(4) == 2), 2, 0)
    made = prior.train(codes, ties, SMALL, prior.Recipe(batch=64, steps=300, learning_rate=5e-3))
    known = np.array([True, True, False, False])
    density = made.log_density(codes[0], ties, torch.as_tensor(known).expand(400, -1)).detach()
    assert density[tied, 2].mean() > density[~tied, 2].mean() + 3
    drawn = prior.filled(made, codes[0].numpy(), known)[:, 2]
    at_the_point = (np.abs(drawn - 1.5) < 0.5).all(1)
    assert at_the_point[tied.numpy()].mean() > 0.7 and at_the_point[~tied.numpy()].mean() < 0.3


def test_songs_are_described_beside_real_ones():
    test, train = FOLK.part(FOLK.split(0)[1]), FOLK.part(FOLK.split(0)[0])
    few = test.part(np.arange(60))
    own = songs.describe(few.tokens, few.song, few.tokens, train.tokens)
    assert own["distances_apart"] == own["pitches_apart"] == own["intervals_apart"] == 0
    assert own["self_similarity"] == pytest.approx(1) and 0 < own["repeated"][0] < 1
    copied = songs.describe(train.tokens[:20], train.song[:20], few.tokens, train.tokens)
    assert copied["copies"][0] == 1 and copied["nearest"][0] == 1
    index, share = songs.nearest(melody.transpose(train.tokens[5:8], 2), train.tokens)
    assert index.tolist() == [5, 6, 7] and (share > 0.95).all()
    assert sum(songs.distances(few.tokens)) == pytest.approx(1)
    assert songs.as_often(few.tokens, few.tokens, few.song)[0] == pytest.approx(1)


def test_it_is_kept_in_eight_bits_and_found_again(tmp_path):
    made, run = small(), recorded()
    path = record.prior_file(tmp_path, run.name)
    save_weights(made, path, {"prior": asdict(SMALL)} | run.about(), eight_bits=True)
    again = beyond.load_prior(tmp_path, run)
    assert all(torch.equal(value, again.state_dict()[name]) for name, value in made.state_dict().items())
    with pytest.raises(TvaeError, match="tvae prior"):
        beyond.load_prior(tmp_path, recorded(fold=1))
    with pytest.raises(TvaeError, match="about the codes of an earlier training.*tvae prior"):
        beyond.load_prior(tmp_path, recorded(git_commit="a later one"))


def test_it_is_as_wide_as_the_codes_and_names_the_recipe_it_was_trained_by(tmp_path, monkeypatch):
    run, few = recorded(corpus_sha256=FOLK.sha256), prior.Recipe(steps=2)
    files.write_json(tmp_path / "results.json", [run.model_dump()])
    (finished_run(tmp_path / "run") / "weights.safetensors").rename(tmp_path / f"{run.name}.safetensors")
    monkeypatch.setattr(beyond, "Recipe", lambda: few)
    settings = read_settings(beyond.train_prior(tmp_path, tmp_path, FOLK))
    made = beyond.load_prior(tmp_path, run)
    assert made.config == PriorConfig(d_latent=TINY.transformer.d_latent)
    assert settings["recipe"] == asdict(few) and np.isfinite(settings["validation"])


def test_what_was_measured_of_a_prior_stays_where_its_file_is_not_here(tmp_path, capsys):
    run = recorded()
    files.write_json(tmp_path / "results.json", [run.model_dump()])
    measurement = {"runs": {}, "prior": {run.name: run.about() | {"as_often": "recorded"}}}
    files.write_json(tmp_path / beyond.FILE, measurement)
    beyond.measure_record(tmp_path, tmp_path, tmp_path, {})
    assert beyond.read(tmp_path) == measurement and "stays as it was recorded" in capsys.readouterr().out
    files.write_json(tmp_path / "results.json", [run.model_dump() | {"git_commit": "a later one"}])
    beyond.measure_record(tmp_path, tmp_path, tmp_path, {})
    assert beyond.read(tmp_path) == {"runs": {}, "prior": {}}


@pytest.mark.parametrize("config", [SMALL, replace(SMALL, components=2, d_hidden=20)])
def test_javascript_draws_what_python_draws(config):
    mini_racer = pytest.importorskip("py_mini_racer")
    torch.manual_seed(1)
    made = Prior(config).eval()
    tensors = quantised(made.state_dict())
    made = in_eight_bits(made)
    sizes = asdict(config) | {"norm_epsilon": config.layer.norm_epsilon}
    file = save({name: x.contiguous() for name, x in tensors.items()}, metadata={"config": json.dumps(sizes)})
    context = mini_racer.MiniRacer()
    try:
        for name in ("random", "model", "prior"):
            context.eval((ASSETS / f"{name}.js").read_text())
        context.eval(
            f"""
            const made = tvae.prior.from_bytes(Uint8Array.fromBase64("{b64encode(file).decode()}"));
            const list = (codes) => codes.map((code) => [...code]);
            const draw = (codes, known, noise) =>
                list(made.draw(codes.map((code) => Float32Array.from(code)), known, Float32Array.from(noise)));
            """
        )
        for seed, known in enumerate([[0, 0, 0, 0], [1, 0, 0, 0], [0, 1, 0, 1], [1, 1, 1, 1]]):
            codes = np.random.default_rng(seed).standard_normal((1, 4, 6)).astype(np.float32)
            noise = prior.noise(1, config, seed)
            given = torch.as_tensor(codes), torch.tensor(known, dtype=torch.bool), noise
            arguments = json.dumps([codes[0].tolist(), [bool(k) for k in known], noise.flatten().tolist()])
            found = json.loads(context.eval(f"JSON.stringify(draw(...{arguments}))"))
            assert np.array(found) == pytest.approx(made.draw(*given)[0].numpy(), abs=2e-4)
        lengths = json.loads(context.eval("JSON.stringify([1, 1, 2].map((seed) => [...made.noise(seed)]))"))
        assert lengths[0] == lengths[1] != lengths[2] and len(lengths[0]) == 2 * 4 * (1 + 6)
        assert all(0 <= x < 1 for x in lengths[0][::2])
    finally:
        context.close()
