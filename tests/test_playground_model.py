"""The model in JavaScript against PyTorch, in the engine that a browser has (V8), and the files that the page loads."""

import json
import shutil
from base64 import b64encode
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load, load_file

from tvae import TvaeError, corpus, melody, transfer
from tvae.checkpoint import in_eight_bits, quantised, restored, save_weights
from tvae.model import ModelConfig, TransformerVAE, kl_divergence, parameter_count
from tvae.report import measured, playground, record
from tvae.report.entry import Entry

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent
ASSETS = ROOT / "book" / "assets" / "playground"
PIECES = 200
mini_racer = pytest.importorskip("py_mini_racer")


@pytest.fixture
def javascript():
    """A JavaScript engine; one that is not closed may keep Python from ending."""
    context = mini_racer.MiniRacer()
    yield context
    context.close()


def model(context, vae: TransformerVAE, tensors: dict):
    """model.js with this model in an engine: what is given back calls encode, generate or attention there."""
    context.eval((ASSETS / "model.js").read_text())
    file = b64encode(playground.to_bytes(tensors, vae.config)).decode()
    context.eval(
        f"""
        const [metadata, weights] = tvae.model.read_weights(Uint8Array.fromBase64("{file}"));
        const vae = new tvae.model.TransformerVAE(JSON.parse(metadata.config), weights);
        const encode = (tokens) => vae.encode(Uint8Array.from(tokens)).map((codes) => codes.map((code) => [...code]));
        const generate = (z) => [...vae.generate(z.map((code) => Float32Array.from(code)))];
        const attention = (tokens) => [...vae.attention(Uint8Array.from(tokens))];
        """
    )
    return lambda name, argument: json.loads(context.eval(f"JSON.stringify({name}({json.dumps(argument)}))"))


def first() -> Entry:
    """The run whose model the page begins with."""
    return playground.chosen(record.read(ROOT / "figures"))[0]


@pytest.fixture(scope="module")
def offered():
    """The model that the page begins with: as PyTorch has it, and its weights as they are released."""
    return playground.offered(first(), ROOT / "weights", playground.NOTHING_MEASURED)


@pytest.fixture(scope="module")
def released(offered):
    return offered.vae


@pytest.fixture(scope="module")
def pieces():
    folk = corpus.load("folk")
    return folk.tokens[np.random.default_rng(0).choice(len(folk), 2 * PIECES, replace=False)]


def test_what_comes_out_is_what_pytorch_gives(javascript, offered, released, pieces):
    js = model(javascript, released, offered.tensors)
    hosts, donors = pieces[:PIECES], pieces[PIECES:]
    z, z_donor = (transfer.encode(released, tokens) for tokens in (hosts, donors))
    own, others = ([js("encode", tokens.tolist())[0] for tokens in side] for side in (hosts, donors))
    np.testing.assert_allclose(own, z, atol=1e-4)
    mine, theirs = np.array(own), np.array(others)  # from here on JavaScript goes on with codes of its own
    for name, codes, same in (
        ("reconstruction", z, mine),
        ("transfer", transfer.swap(z, z_donor, (1,)), np.concatenate([theirs[:, :1], mine[:, 1:]], 1)),
        ("interpolation", 0.5 * (z + z_donor), 0.5 * (mine + theirs)),
    ):
        expected = transfer.generate(released, codes)
        found = np.array([js("generate", one.tolist()) for one in same])
        differ = np.flatnonzero((found != expected).any(1))
        assert not len(differ), f"{name}: {len(differ)} of {PIECES} pieces differ, the first is {differ[0]}"


def test_in_a_browser_too(browser, tmp_path, released, pieces):
    """From file://, in the page's worker; the 200 pieces are reconstructed, transferred and interpolated in turn."""
    shutil.copytree(ASSETS, tmp_path, dirs_exist_ok=True)
    model = playground.offered(first(), ROOT / "weights", playground.NOTHING_MEASURED)
    playground.export([model], corpus.load("folk"), tmp_path)
    scripts = "".join(f'<script src="{name}.js"></script>' for name in ("script", "engine", "data"))
    (tmp_path / "index.html").write_text(f'<!doctype html><meta charset="utf-8">{scripts}')
    page = browser.new_page()
    page.goto((tmp_path / "index.html").as_uri())
    found = page.evaluate(
        """async (pieces) => {
            const model = await new tvae.Engine("").load(tvae.data.models[0], () => {}), found = [];
            for (const [k, pair] of pieces.entries()) {
                const [a, b] = await Promise.all(pair.map((tokens) => model.encode(Uint8Array.from(tokens))));
                const width = a.length / 8;
                const codes = a.map((own, at) => [own, at < width ? b[at] : own, 0.5 * (own + b[at])][k % 3]);
                found.push([...(await model.generate(codes)).tokens]);
            }
            return found;
        }""",
        pieces.reshape(2, PIECES, -1).swapaxes(0, 1).tolist(),
    )
    page.close()
    z, z_donor = (transfer.encode(released, tokens) for tokens in (pieces[:PIECES], pieces[PIECES:]))
    kinds = [z, transfer.swap(z, z_donor, (1,)), 0.5 * (z + z_donor)]
    codes = np.stack([kinds[k % 3][k] for k in range(PIECES)])
    differ = np.flatnonzero((np.array(found) != transfer.decode(released, codes)).any(1))
    assert not len(differ), f"{len(differ)} of {PIECES} pieces differ, the first is {differ[0]}"


def test_the_map_of_attention_is_what_pytorch_gives(javascript, offered, released, pieces):
    js, config = model(javascript, released, offered.tensors), released.config
    shape = (config.layers, config.heads, config.bars, config.bars)
    expected = released.attention(torch.as_tensor(pieces[:5].astype(np.int64)))["encoder"].numpy()
    found = np.array([js("attention", tokens.tolist()) for tokens in pieces[:5]]).reshape(5, *shape)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    np.testing.assert_allclose(found.sum(-1), 1, atol=1e-5)


@pytest.mark.parametrize(
    "sizes",
    [
        {"d_head": 32},
        {"encoder_mask": "none"},
        {"encoder_mask": "diagonal", "inter_mask": "diagonal", "decoder_mask": "diagonal"},
        {"previous_bar": False, "norm_epsilon": 0.03},
        {"layers": 1, "heads": 2, "hidden": (48, 40), "d_latent": 6, "d_feedforward": 24},
    ],
    ids=str,
)
def test_other_sizes_and_masks_are_the_same_model_too(javascript, sizes):
    torch.manual_seed(0)
    small = {"hidden": (64, 48), "d_model": 32, "d_head": 16, "d_feedforward": 32, "d_latent": 8, "layers": 2}
    vae = TransformerVAE(ModelConfig(**small | sizes)).eval()
    for parameter in vae.parameters():
        parameter.data *= 3  # from the start everything is near a tie
    js = model(javascript, vae, quantised(vae.state_dict()))
    vae = in_eight_bits(vae)
    tokens = torch.randint(0, 47, (6, 128))
    mu, logvar = vae.encode(tokens)
    for one, found in zip(range(6), (js("encode", one.tolist()) for one in tokens)):
        np.testing.assert_allclose(found[0], mu[one].detach(), atol=1e-4)
        np.testing.assert_allclose(found[1], logvar[one].detach(), atol=1e-4)
        assert js("generate", mu[one].tolist()) == vae.generate(mu[one : one + 1])[0].tolist()
        weights = vae.attention(tokens[one : one + 1])["encoder"].flatten()
        np.testing.assert_allclose(js("attention", tokens[one].tolist()), weights, atol=1e-5)


def test_what_a_worker_answers_is_the_model_and_valid(javascript, offered, released, pieces):
    """worker.js: load, encode, generate, rate."""
    javascript.eval("const self = globalThis;")
    for name in playground.WORKER:
        javascript.eval((ASSETS / f"{name}.js").read_text())
    weights = b64encode(playground.to_bytes(offered.tensors, released.config)).decode()

    def ask(name: str, about: str):
        return json.loads(javascript.eval(f"JSON.stringify(tvae.answers.{name}({{model: 'm', {about}}}))"))

    config = ask("load", f'bytes: Uint8Array.fromBase64("{weights}")')
    assert config["bars"] == 8 and config["d_latent"] == released.config.d_latent
    z = torch.randn(4, 8, released.config.d_latent, generator=torch.Generator().manual_seed(0))
    for codes, expected in zip(z, transfer.decode(released, z)):  # draws from the prior: not all come out valid
        found = ask("generate", f"codes: Float32Array.from({json.dumps(codes.flatten().tolist())})")
        assert list(found["tokens"].values()) == expected.tolist()
    tokens = f"tokens: Uint8Array.from({pieces[0].tolist()})"
    mu, logvar = released.encode(torch.as_tensor(pieces[:1].astype(np.int64)))
    np.testing.assert_allclose(list(ask("encode", tokens).values()), mu.detach().flatten(), atol=1e-4)
    np.testing.assert_allclose(ask("rate", tokens), kl_divergence(mu, logvar).sum(-1)[0].detach(), rtol=1e-4)


def test_eight_bits_cost_less_than_a_fifth_of_a_point():
    found = playground.read(ROOT / "figures" / "playground.json")
    assert found["run"] == first().name
    assert found["change"][0] > -0.002
    assert found["change"][0] == pytest.approx(found["accuracy_8_bits"] - found["accuracy"], abs=1e-5)
    assert found["bytes_8_bits"] < 1.2 * first().parameters, "about a byte each"


def test_released_weights_are_on_the_page_as_they_are(offered):
    path = ROOT / "weights" / f"{offered.id}.safetensors"
    given, kept = load_file(path), load(b"".join(offered.parts))
    assert set(given) == set(kept) and all(torch.equal(given[name], kept[name]) for name in given)
    assert {given["to_mu.weight"].dtype, given["to_mu.weight.scale"].dtype} == {torch.int8, torch.float32}


def test_the_page_gets_the_models_and_the_songs(tmp_path, released):
    entries = playground.chosen(record.read(ROOT / "figures"))
    assert [(entry.corpus, entry.model) for entry in entries[:2]] == [
        ("hooktheory", "attention"),
        ("hooktheory", "no_attention"),
    ]
    inside = measured.read(ROOT / "figures" / "inside.json")
    models = [playground.offered(entry, ROOT / "weights", inside) for entry in entries[:2]]
    left = tmp_path / "models" / "former" / "weights-0.js"
    left.parent.mkdir(parents=True)
    left.write_text("of a model that is not on the page any more")
    folk = corpus.load("folk")
    written = playground.export(models, folk, tmp_path)
    files = {path.relative_to(tmp_path).as_posix(): path for path in tmp_path.rglob("*.js")}
    assert written == {name: path.stat().st_size for name, path in files.items()}
    data = json.loads(files["data.js"].read_text(encoding="utf-8").removeprefix("tvae.data = ").removesuffix(";\n"))
    many = json.loads(
        files["songs.js"].read_text(encoding="utf-8").removeprefix("tvae.data.moreSongs = ").removesuffix(";\n")
    )
    for listed in data["models"]:
        parts = [name for name in files if name.startswith(f"models/{listed['id']}/")]
        assert listed["parts"] == len(parts) and listed["parameters"] == parameter_count(released)
    heads = inside["runs"][data["models"][0]["id"]]["attention"]["heads"]
    beyond = {(h["layer"], h["number"]): h["found"][0] - h["expected"][0] for h in heads if h["kind"] == "encoder"}
    finder = data["models"][0]["finder"]
    assert max(beyond, key=beyond.get) == (finder["layer"], finder["head"])
    tunes, well_known, test = data["songs"]
    ode = transfer.tunes()["Ode to Joy"]
    assert {"title": "Ode to Joy", "text": playground.to_text(ode)} in tunes["items"]
    assert any("Devil's Dream" in item["title"] for item in well_known["items"])
    assert len(test["items"]) + len(many[0]["items"]) == len(folk)
    assert all(len(item["text"]) == melody.PIECE for group in [*data["songs"], *many] for item in group["items"])
    page = sum(size for name, size in written.items() if "no_attention" not in name)
    page += sum(path.stat().st_size for path in ASSETS.rglob("*") if path.is_file())
    assert page < 10e6, "a page with one model"


@pytest.mark.parametrize(
    ("title", "song", "name"),
    [
        ("Harvest Home, The (oneill-1603), strain 1", "oneill-1603", "The Harvest Home, part 1 (O'Neill 1603)"),
        ("Devil's Dream., The (oneill-1564), strain 1", "oneill-1564", "The Devil's Dream, part 1 (O'Neill 1564)"),
        (
            "Birmingham (ryan-BirminghamHornpipe), strain 2",
            "ryan-BirminghamHornpipe",
            "Birmingham, hornpipe, part 2 (Ryan)",
        ),
        (
            "Higgins' Best (oneill-0750), strain 2, from bar 9",
            "oneill-0750",
            "Higgins' Best, part 2, from bar 9 (O'Neill 750)",
        ),
    ],
)
def test_tunes_have_the_names_that_people_know(title, song, name):
    assert playground.known_as(title, song) == name


def run(folder: Path, **sizes) -> Path:
    """The weights of a run, in float32, as training leaves them."""
    torch.manual_seed(0)
    small = {"hidden": (24, 16), "d_model": 16, "d_head": 8, "d_feedforward": 16, "d_latent": 8, "layers": 1}
    config = ModelConfig(**small | sizes)
    settings = {"preset": "smoke", "corpus": "folk", "model": "attention", "plan": {"model": asdict(config)}}
    save_weights(TransformerVAE(config), folder / "weights.safetensors", settings)
    return folder / "weights.safetensors"


def test_one_s_own_model_becomes_a_page(tmp_path):
    """make playground WEIGHTS=...: the file of any finished run."""
    mine = playground.own(run(tmp_path))
    assert (mine.label, mine.id) == ("your own: smoke-folk-attention", "own-smoke-folk-attention")
    page = playground.write_page([mine], corpus.load("folk"), tmp_path / "page")
    assert "tvae-playground" in page.read_text() and (page.parent / "playground" / "models" / mine.id).is_dir()
    for name in playground.SCRIPTS:
        assert (page.parent / "playground" / f"{name}.js").exists(), name
    kept = restored(load(b"".join(mine.parts)))
    assert all(torch.equal(kept[name], tensor) for name, tensor in in_eight_bits(mine.vae).state_dict().items())


def test_a_model_that_the_page_cannot_run_is_refused(tmp_path):
    lstm = next((ROOT / "weights").glob("*lstm_8x1*.safetensors"))
    with pytest.raises(TvaeError, match="the page runs the Transformer VAE only"):
        playground.own(lstm)
    with pytest.raises(TvaeError, match="the page runs dense local layers only"):
        playground.own(run(tmp_path, local="lstm"))
    (tmp_path / "no.safetensors").write_text("no weights")
    with pytest.raises(TvaeError, match="holds no weights"):
        playground.own(tmp_path / "no.safetensors")


def test_without_a_model_it_says_so():
    with pytest.raises(TvaeError, match="No run of attention or no_attention is recorded with its weights"):
        playground.chosen([])


def test_a_missing_measurement_names_the_command(tmp_path):
    with pytest.raises(TvaeError, match="python -m tvae measure"):
        playground.read(tmp_path / "playground.json")
