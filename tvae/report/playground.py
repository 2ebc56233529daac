"""The playground: a recorded model in whole numbers of eight bits, and songs to try it with, for the page's JavaScript.

    python -m tvae measure --record figures --weights weights --data-dir DIR

measures what the eight bits cost on the test pieces of the corpus that the model was trained on, and writes
``<record>/playground.json``. The page itself is ``notebooks/playground.ipynb``, which writes the model with `export`;
``book/assets/playground/model.js`` reads it.
"""

from __future__ import annotations

import json
import string
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load, save
from torch import Tensor

from tvae import transfer
from tvae.checkpoint import write_atomically
from tvae.corpus import Corpus
from tvae.errors import TvaeError
from tvae.evaluate import evaluate
from tvae.melody import STATES
from tvae.model import TransformerVAE, parameter_count
from tvae.report import record as records
from tvae.report.measured import rounded
from tvae.studies.statistics import interval

MODELS = ("attention", "compact")  # of which the smaller is put on the page
PART = 3 * 2**18  # bytes of weights in a script: a step of the progress bar; in base64 a third more
LETTERS = (".-" + string.ascii_letters.swapcase())[:STATES]  # silence, sustain, pitches: as in melody.js


# The model in eight bits -------------------------------------------------------------------------------------------------


def quantise(vae: TransformerVAE) -> dict[str, Tensor]:
    """The model's tensors by name: matrices as int8 with a float32 ``.scale`` beside each, the rest as it is.

    A scale is a 127th of the largest weight that leads to one output: of a row of a linear layer (out, in), of a column of
    a `tvae.model.BarwiseLinear` (bar, in, out).
    """
    tensors = {}
    for name, tensor in vae.state_dict().items():
        if name.endswith("weight") and tensor.ndim > 1:
            scale = tensor.abs().amax(1, keepdim=True).clamp(min=1e-12) / 127
            tensors[name] = (tensor / scale).round().to(torch.int8)
            tensors[f"{name}.scale"] = scale
        else:
            tensors[name] = tensor
    return tensors


def to_bytes(vae: TransformerVAE) -> bytes:
    """What the page loads: a safetensors file of `quantise`, with the model's sizes as its metadata "config"."""
    tensors = {name: tensor.contiguous() for name, tensor in quantise(vae).items()}
    return save(tensors, metadata={"config": json.dumps(asdict(vae.config))})


def in_eight_bits(vae: TransformerVAE) -> TransformerVAE:
    """The model as the page has it: with the weights that `to_bytes` keeps."""
    tensors = load(to_bytes(vae))
    other = TransformerVAE(vae.config)
    other.load_state_dict(
        {name: tensors[name] * tensors[f"{name}.scale"] if f"{name}.scale" in tensors else tensors[name]
         for name in vae.state_dict()}
    )  # fmt: skip
    return other.eval()


# The files of the page ---------------------------------------------------------------------------------------------------


def chosen(entries: list[dict]) -> dict:
    """The recorded run whose model is put on the page: of hooktheory where there is one, then the smallest.

    Raises TvaeError where no run of `MODELS` is recorded with its weights.
    """
    known = [entry for entry in entries if entry["model"] in MODELS and records.releases_weights(entry)]
    if not known:
        raise TvaeError(f"No run of {' or '.join(MODELS)} is recorded with its weights, and the playground needs one.")
    return min(known, key=lambda entry: (entry["corpus"] != "hooktheory", entry["parameters"]))


def to_text(tokens: np.ndarray) -> str:
    """(L,) tokens -> a letter a step, as they stand in a link: "." silence, "-" sustain, A ... Z and a ... s the pitches."""
    return "".join(LETTERS[token] for token in tokens)


def songs(folk: Corpus) -> list[dict]:
    """What there is to choose from: [{group, items: [{title, text}]}], the built-in tunes and the test pieces of fold 0."""
    _, test = folk.split(0)
    pieces = sorted(zip(folk.title[test].tolist(), folk.tokens[test]), key=lambda piece: piece[0].casefold())
    groups = {"Tunes": transfer.tunes().items(), "Fiddle tunes": pieces}
    return [
        {"group": group, "items": [{"title": title, "text": to_text(tokens)} for title, tokens in items]}
        for group, items in groups.items()
    ]


def finder(measured: dict, run: str) -> dict | None:
    """The encoder head that puts most mass on repeats beyond what is expected, where `tvae.report.measured` has measured the run:
    {layer, head}, from 1."""
    heads = measured["runs"].get(run, {}).get("attention", {}).get("heads", [])
    ours = [head for head in heads if head["kind"] == "encoder"]
    best = max(ours, key=lambda head: head["found"][0] - head["expected"][0], default=None)
    return best and {"layer": best["layer"], "head": best["number"]}


def files(vae: TransformerVAE, entry: dict, folk: Corpus, measured: dict) -> Iterator[tuple[str, str]]:
    """Name and text of each file that the page loads: data.js, and weights-0.js, weights-1.js, ..."""
    weights = to_bytes(vae)
    parts = [weights[at : at + PART] for at in range(0, len(weights), PART)]
    run = records.run_name(entry)
    about = {"run": run, "corpus": entry["corpus"], "parameters": parameter_count(vae)}
    data = {"model": about, "finder": finder(measured, run), "parts": len(parts), "songs": songs(folk)}
    yield "data.js", f"tvae.data = {json.dumps(data, ensure_ascii=False)};\n"
    for part, content in enumerate(parts):
        yield f"weights-{part}.js", f'tvae.weights({part}, "{b64encode(content).decode()}");\n'


SCRIPTS = (
    "midi-file/load",
    "midi-file/midi-parser",
    "midi-file/midi-writer",
    "melody",
    "transfer",
    "data",
    "engine",
    "elements",
    "patch",
    "words",
    "pieces",
    "links",
    "editor",
    "slot",
    "switches",
    "cards",
    "attention",
    "playground",
)


def element(folder: str) -> str:
    """The HTML of ``<tvae-playground>`` with what it needs, on a page from which `folder` has the scripts and the weights."""
    scripts = "".join(f'<script defer src="{folder}{name}.js"></script>' for name in SCRIPTS)
    return (
        f'<link rel="stylesheet" href="{folder}playground.css">{scripts}'
        f'<tvae-playground data-folder="{folder}"><noscript>The playground computes in your browser and needs scripts to be '
        "allowed on this page.</noscript></tvae-playground>"
    )


def export(vae: TransformerVAE, entry: dict, folk: Corpus, measured: dict, folder: str | Path) -> int:
    """Write `files` into a folder of their own, in place of what was there; returns their bytes.

    measured is what `tvae.report.measured.read` gives.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for old in [*folder.glob("weights-*.js"), *folder.glob("data.js")]:
        old.unlink()
    written = 0
    for name, text in files(vae, entry, folk, measured):
        written += (folder / name).write_bytes(text.encode())
    return written


# What the eight bits cost ------------------------------------------------------------------------------------------------


def measure(vae: TransformerVAE, corpus: Corpus, fold: int) -> dict:
    """Free-running accuracy on the test pieces of a fold, of the released weights and in eight bits; bytes of both.

    "change" is [value, low, high]: the second less the first, with its 95 % interval from a bootstrap over songs.
    """
    test = corpus.part(corpus.split(fold)[1])
    (released, pieces), (ours, others) = (
        evaluate(model, test.tokens, test.length) for model in (vae, in_eight_bits(vae))
    )
    right = [scores["correct_free_running"].astype(float) for scores in (pieces, others)]
    change = interval(right[1] - right[0], pieces["steps"].astype(float), test.song)
    return {
        "pieces": len(test),
        "accuracy": released["accuracy_free_running"],
        "accuracy_8_bits": ours["accuracy_free_running"],
        "change": [float(value) for value in change],
        "bytes_16_bits": 2 * parameter_count(vae),
        "bytes_8_bits": len(to_bytes(vae)),
    }


def read(path: str | Path) -> dict:
    """What `main` recorded: `measure`, and the run's name. Raises TvaeError where there is nothing of the kind."""
    try:
        found = json.loads(Path(path).read_text())
        found["run"], found["pieces"], found["change"]
        return found
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise TvaeError(
            f"{path} holds no such measurement ({error}); make it with `python -m tvae.report.playground`."
        ) from None


def measure_record(record: Path, weights: Path, data: dict[str, Corpus]) -> None:
    """Measure what eight bits cost the model that the playground shows first, and write ``<record>/playground.json``."""
    entry = chosen(records.read(record))
    found = measure(records.load_model(weights, entry), data[entry["corpus"]], entry["fold"])
    about = {"run": records.run_name(entry), "corpus_sha256": entry["corpus_sha256"]} | rounded(found)
    text = json.dumps(about, indent=1) + "\n"
    write_atomically(record / "playground.json", lambda part: part.write_text(text))
    print(f"{about['run']}: {about['accuracy']:.4f}, in eight bits {about['accuracy_8_bits']:.4f}")
