"""Our model computes what the authors' code computes, and their checkpoint becomes a weights file of ours.

``tests/data/release_reference.npz`` holds what the release's own code gives for weights made by `checkpoint`, for
four triples of masks, on six pieces.
"""

from html import unescape
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from examples import recorded

import tvae
from tvae import corpus
from tvae.errors import TvaeError
from tvae.model import ModelConfig, kl_divergence
from tvae.official import convert, official, shapes
from tvae.report import results, tables

pytestmark = pytest.mark.slow

REFERENCE = dict(np.load(Path(__file__).parent / "data" / "release_reference.npz"))
TOKENS = torch.as_tensor(REFERENCE["tokens"].astype(np.int64))


@pytest.fixture(scope="module")
def checkpoint():
    """Random weights under the release's names, drawn in the order of the names."""
    random = np.random.RandomState(20200504)
    found = {}
    for name, shape in sorted(shapes(ModelConfig()).items()):
        x = random.standard_normal(shape)
        if name.endswith("normalization.weight"):
            x = 1 + 0.1 * x
        elif "_projection" in name or name.endswith("bias"):
            x = 0.05 * x
        elif "pe.weight" not in name:
            x = x * 0.8 / np.sqrt(shape[-1])
        found[name] = torch.as_tensor(x.astype(np.float32))
    return found


def test_a_checkpoint_of_the_release_has_161_tensors():
    assert len(shapes(ModelConfig())) == 161


@pytest.mark.parametrize("masks", ["111", "222", "011", "121"])
def test_our_model_computes_what_the_release_computes(checkpoint, masks):
    vae = convert(checkpoint, masks)
    expected = {
        name.removeprefix(f"m{masks}_"): value for name, value in REFERENCE.items() if name.startswith(f"m{masks}_")
    }
    with torch.no_grad():
        mu, logvar = vae.encode(TOKENS)
        logits = vae.decode(mu, TOKENS)
    np.testing.assert_allclose(mu, expected["mu"], atol=1e-4)
    np.testing.assert_allclose(logvar, expected["logvar"], atol=1e-4)
    np.testing.assert_allclose(logits[:2].flatten(1, 2), expected["logits"], atol=1e-4)
    np.testing.assert_array_equal(vae.generate(mu), expected["free_running"])
    cross_entropy = F.cross_entropy(logits.flatten(0, 2), TOKENS.flatten())
    np.testing.assert_allclose(cross_entropy, expected["cross_entropy"], atol=1e-5)
    np.testing.assert_allclose(kl_divergence(mu, logvar).mean(), expected["kld"], atol=1e-5)


def test_the_official_weights_load_like_those_of_a_run(checkpoint, tmp_path):
    torch.save(checkpoint, tmp_path / "release.sdict")
    path = official(tmp_path / "release.sdict", tmp_path / "weights" / "official.safetensors")
    vae = tvae.load(path)
    again = (vae.generate(vae.encode(TOKENS)[0]).numpy() == REFERENCE["m111_free_running"]).mean()
    assert again > 0.9  # eight bits change little, even of random weights


def test_the_official_weights_get_a_row_beside_the_recorded_runs(checkpoint, tmp_path, monkeypatch):
    folk = corpus.load("folk")
    few = folk.part(np.arange(0, len(folk), 40))
    monkeypatch.setattr(results, "load", lambda name: few)
    block = results.Block("folk", "smoke", (0,), {"attention": [recorded(corpus_sha256=few.sha256)]})
    assert not len(results.official_rows(tmp_path, [block]))  # nobody has fetched the checkpoint
    torch.save(checkpoint, tmp_path / "release.sdict")
    official(tmp_path / "release.sdict", tmp_path / "official.safetensors")
    rows = results.official_rows(tmp_path, [block])
    accuracy = rows.set_index("statistic").loc["accuracy_free_running"]
    assert accuracy.parameters == 11_999_728 and accuracy.low <= accuracy.value <= accuracy.high
    assert "authors' checkpoint" in unescape(tables.comparative(rows).html)
    other = results.Block("folk", "smoke", (0,), {"attention": [recorded(corpus_sha256="another version")]})
    assert not len(results.official_rows(tmp_path, [other]))


def damaged(checkpoint: dict, how: str) -> dict:
    name = "encoder.pe.weight"
    return {
        "missing": {key: value for key, value in checkpoint.items() if key != name},
        "extra": checkpoint | {"chord_encoder.weight": torch.zeros(2)},
        "shape": checkpoint | {name: torch.zeros(4, 256)},
        "not tensors": {"epoch": 3},
    }[how]


@pytest.mark.parametrize(
    "how, sentence",
    [
        ("missing", "it has no encoder.pe.weight"),
        ("extra", "it also has chord_encoder.weight"),
        ("shape", r"encoder.pe.weight has the shape \(4, 256\)"),
        ("not tensors", "something other than tensors"),
    ],
)
def test_another_checkpoint_is_refused_in_one_sentence(checkpoint, tmp_path, how, sentence):
    torch.save(damaged(checkpoint, how), tmp_path / "other.sdict")
    with pytest.raises(TvaeError, match=sentence):
        official(tmp_path / "other.sdict", tmp_path / "out.safetensors")
    assert not (tmp_path / "out.safetensors").exists()


def test_a_truncated_file_is_refused_in_one_sentence(checkpoint, tmp_path):
    torch.save(checkpoint, tmp_path / "whole.sdict")
    (tmp_path / "half.sdict").write_bytes((tmp_path / "whole.sdict").read_bytes()[:100_000])
    (tmp_path / "text.sdict").write_text("a text\n")
    for file, reason in (("half", "damaged"), ("text", "of another kind"), ("none", "No such file")):
        with pytest.raises(TvaeError, match=f"{file}.sdict cannot be read .* of the release .*{reason}") as said:
            official(tmp_path / f"{file}.sdict", tmp_path / "out.safetensors")
        assert "weights_only" not in str(said.value)


def test_masks_are_three_digits(checkpoint):
    with pytest.raises(TvaeError, match="three digits"):
        convert(checkpoint, "113")
