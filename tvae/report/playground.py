"""The playground: a recorded model in whole numbers of eight bits, and songs to try it with, for the page's JavaScript.

    python -m tvae measure --record figures --weights weights --data-dir DIR

measures what the eight bits cost on the test pieces of the corpus that the model was trained on, and writes
``<record>/playground.json``. The page itself is ``notebooks/playground.ipynb``, which writes the model with `export`;
``book/assets/playground/model.js`` reads it.
"""

from __future__ import annotations

import json
import re
import shutil
import string
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from operator import itemgetter
from pathlib import Path

import numpy as np
from safetensors.torch import load_file, save
from torch import Tensor

from tvae import checkpoint, transfer
from tvae.checkpoint import in_eight_bits, quantised, read_settings
from tvae.corpus import Corpus, load
from tvae.errors import TvaeError
from tvae.evaluate import evaluate
from tvae.files import write_json
from tvae.melody import BARS, STATES, STEPS
from tvae.model import ModelConfig, TransformerVAE, parameter_count
from tvae.report import beyond
from tvae.report import record as records
from tvae.report.entry import Entry
from tvae.report.measured import rounded
from tvae.report.tables import CORPORA
from tvae.studies.songs import TEMPERATURE
from tvae.studies.statistics import interval

NOTHING_MEASURED = {"runs": {}}
PLAYED = ("attention", "no_attention")  # that are put on the page
PART = 3 * 2**18  # bytes of weights in a script: a step of the progress bar; in base64 a third more
LETTERS = (".-" + string.ascii_letters.swapcase())[:STATES]  # silence, sustain, pitches: as in melody.js


# The model in eight bits ---------------------------------------------------------------------------------------------


def to_bytes(tensors: Mapping[str, Tensor], config: ModelConfig) -> bytes:
    """What the page loads: a safetensors file of `tvae.checkpoint.quantised` tensors, the sizes in its metadata."""
    contiguous = {name: tensor.contiguous() for name, tensor in tensors.items()}
    return save(contiguous, metadata={"config": json.dumps(asdict(config))})


# The files of the page -----------------------------------------------------------------------------------------------


WITHOUT = {"no_attention": ", without attention"}  # what a label says of a model besides its corpus


@dataclass(frozen=True)
class Offered:
    """A model that the page offers: `id` names its files, `about` says what it was trained on."""

    vae: TransformerVAE
    tensors: Mapping[str, Tensor]  # its weights in eight bits: those of a released file as they are
    id: str
    model: str  # as `tvae.presets.MODELS` names it
    corpus: str
    label: str
    about: str
    finder: dict | None = None  # the head that finds repeats: {layer, head}, from 1
    prior: bytes = b""  # the prior over its codes, where there is one

    @cached_property
    def parts(self) -> list[bytes]:
        """The bytes of its weights, cut for scripts."""
        weights = to_bytes(self.tensors, self.vae.config)
        return [weights[at : at + PART] for at in range(0, len(weights), PART)]


def chosen(entries: list[Entry]) -> list[Entry]:
    """The recorded runs whose models a page can run, in the order of its list; the first one is loaded with the page.

    Raises TvaeError where no run of `PLAYED` is recorded with its weights.
    """
    known = [entry for entry in entries if entry.model in PLAYED and entry.released and not entry.beyond]
    if not known:
        raise TvaeError(f"No run of {' or '.join(PLAYED)} is recorded with its weights, and the playground needs one.")
    order = [*CORPORA, *sorted({entry.corpus for entry in known} - set(CORPORA))]
    return sorted(known, key=lambda entry: (order.index(entry.corpus), PLAYED.index(entry.model)))


def offered(entry: Entry, weights: str | Path, measured: dict) -> Offered:
    """A recorded run as the page offers it; `measured` is what `tvae.report.measured.read` gives."""
    name = entry.name
    return Offered(
        *from_file(Path(weights) / f"{name}.safetensors", name),
        id=name,
        model=entry.model,
        corpus=entry.corpus,
        label=CORPORA.get(entry.corpus, entry.corpus) + WITHOUT.get(entry.model, ""),
        about=f"trained on {entry.corpus}, preset {entry.preset}",
        finder=finder(measured, name),
        prior=prior_bytes(weights, entry),
    )


def prior_bytes(weights: str | Path, run: Entry) -> bytes:
    """The prior over the codes of a run's model as the page loads it; nothing where none is trained."""
    path = records.prior_file(weights, run.name)
    if not path.exists():
        return b""
    config = beyond.load_prior(weights, run).config
    sizes = asdict(config) | {"norm_epsilon": config.layer.norm_epsilon, "temperature": TEMPERATURE}
    return save({name: x.contiguous() for name, x in load_file(path).items()}, metadata={"config": json.dumps(sizes)})


def own(path: str | Path) -> Offered:
    """A model of the reader's own, from a file of weights. Raises TvaeError for a model that the page cannot run."""
    settings = read_settings(path)
    known = [str(settings[key]) for key in ("preset", "corpus", "model") if key in settings]
    name = re.sub(r"[^\w.-]+", "-", "-".join(known) or Path(path).stem)
    return Offered(
        *from_file(path, name), f"own-{name}", "own", "own", f"your own: {name}", f"read from {Path(path).name}"
    )


def from_file(path: str | Path, name: str) -> tuple[TransformerVAE, dict[str, Tensor]]:
    """A model with its weights in eight bits. Raises TvaeError unless ``model.js`` can run it, saying why."""
    vae = checkpoint.load(path)
    if not isinstance(vae, TransformerVAE):
        raise TvaeError(f"{name} is a {type(vae).__name__}, and the page runs the Transformer VAE only.")
    if vae.config.local != "dense":
        raise TvaeError(f"{name} reads and writes its bars by an LSTM, and the page runs dense local layers only.")
    if (vae.config.bars, vae.config.steps, vae.config.states) != (BARS, STEPS, STATES):
        raise TvaeError(f"{name} has other sizes than 8 bars of 16 steps in 47 states, which the page needs.")
    tensors = load_file(path)
    released = any(name.endswith(".scale") for name in tensors)
    return vae, tensors if released else quantised(tensors)


def to_text(tokens: np.ndarray) -> str:
    """(L,) tokens -> a letter a step, as in a link: "." silence, "-" sustain, A ... Z and a ... s the pitches."""
    return "".join(LETTERS[token] for token in tokens)


BOOKS = {"oneill": "O'Neill", "ryan": "Ryan", "aird": "Aird"}
WELL_KNOWN = (  # songs of the folk corpus
    "aird-0109", "oneill-1564", "oneill-1603", "oneill-1577", "oneill-1575", "oneill-1565", "oneill-1425",
    "oneill-1418", "oneill-1518", "oneill-1268", "oneill-1343", "oneill-1509", "ryan-FlowersOfEdinburgReel",
    "aird-0681", "oneill-1803", "oneill-1824", "oneill-1556",
)  # fmt: skip


def known_as(title: str, song: str) -> str:
    """A tune's name as one would say it: "Home, The (oneill-16), strain 1" -> "The Home, part 1 (O'Neill 16)"."""
    name, _, rest = title.partition(f" ({song})")
    name = re.sub(r"^(.*?)\.?, (The|A)$", r"\2 \1", name.strip(" ,."))
    book, _, number = song.partition("-")
    kind = re.search("(Reel|Hornpipe|Clog|Jig|Strathspey|Highland Fling)$", re.sub("([a-z])([A-Z])", r"\1 \2", number))
    if kind and kind[1].lower() not in name.lower():
        name += f", {kind[1].lower()}"
    where = f"{BOOKS.get(book, book)} {int(number)}" if number.isdigit() else BOOKS.get(book, book)
    return f"{name}{rest.replace('strain', 'part')} ({where})"


def songs(folk: Corpus) -> tuple[list[dict], list[dict]]:
    """What there is to choose from: [{group, items: [{title, text}]}], and the many that only a search finds.

    Together they are the built-in tunes and all pieces of the folk corpus, those of fold 0's test set first.
    """
    names = [known_as(str(title), str(song)) for title, song in zip(folk.title, folk.song)]
    first = {song: int(np.flatnonzero(folk.song == song)[0]) for song in WELL_KNOWN if (folk.song == song).any()}
    _, test = folk.split(0)
    others = np.setdiff1d(np.arange(len(folk)), test)

    def group(name, index):
        return {"group": name, "items": [{"title": names[k], "text": to_text(folk.tokens[k])} for k in index]}

    def by_name(index):
        return sorted(index, key=lambda k: names[k].casefold())

    tunes = {
        "group": "Tunes",
        "items": [{"title": t, "text": to_text(tokens)} for t, tokens in transfer.tunes().items()],
    }
    well_known = group("Well-known fiddle tunes", first.values())
    unseen = group("Fiddle tunes that no model here was trained on", by_name(test))
    return [tunes, well_known, unseen], [group("Fiddle tunes that the folk models know", by_name(others))]


def finder(measured: dict, run: str) -> dict | None:
    """The encoder head that puts most mass on repeats beyond what is expected: {layer, head}, from 1.

    None where `tvae.report.measured` has not measured the run.
    """
    heads = measured["runs"].get(run, {}).get("attention", {}).get("heads", [])
    ours = [head for head in heads if head["kind"] == "encoder"]
    best = max(ours, key=lambda head: head["found"][0] - head["expected"][0], default=None)
    return best and {"layer": best["layer"], "head": best["number"]}


ASSETS = Path(__file__).parents[2] / "book" / "assets"
PLAYER = ("tvae-roll", "tvae-sound", "tvae-player")  # scripts that every page of the book has
WORKER = ("melody", "random", "model", "prior", "worker")  # whose texts are the worker's
SCRIPTS = (  # of the element, in the order in which they are loaded
    "midi-file/load", "melody", "midi-file/midi-writer",
    *(f"midi/{name}" for name in ("smf", "words", "parts", "line", "bars", "take", "read", "write")),
    "transfers", "script", "data", "engine",
    "elements", "random", "patch", "words", "pieces", "links", "history", "score", "staff", "editor", "chooser",
    "strip", "recorder", "slot", "switches", "transport", "candidates", "actions", "cards", "attention", "examples",
    "heard", "playground",
)  # fmt: skip


def script(call: str, value: object) -> str:
    """A script that hands a value to the page."""
    return f"{call} {json.dumps(value, ensure_ascii=False)};\n"


def listed(model: Offered) -> dict:
    """What the page knows of a model before it is loaded."""
    about = {name: getattr(model, name) for name in ("id", "model", "corpus", "label", "about", "finder")}
    return about | {
        "parameters": parameter_count(model.vae),
        "parts": len(model.parts),
        "prior": int(bool(model.prior)),
    }


def files(models: Sequence[Offered], folk: Corpus) -> Iterator[tuple[str, str]]:
    """Name and text of each file that the page loads: data.js with it, the others when they are asked for."""
    for model in models:
        for part, content in enumerate(model.parts):
            call = f'tvae.weights("{model.id}", {part}, "{b64encode(content).decode()}");\n'
            yield f"models/{model.id}/weights-{part}.js", call
        if model.prior:
            call = f'tvae.weights("{model.id}-prior", 0, "{b64encode(model.prior).decode()}");\n'
            yield f"models/{model.id}-prior/weights-0.js", call
    few, many = songs(folk)
    yield "data.js", script("tvae.data =", {"models": [listed(model) for model in models], "songs": few})
    yield "songs.js", script("tvae.data.moreSongs =", many)
    source = "".join((ASSETS / "playground" / f"{name}.js").read_text(encoding="utf-8") for name in WORKER)
    yield "worker-source.js", script("tvae.workerSource =", source)


AT_FIRST = ("data.js", "worker-source.js")  # of `files` what every reader loads, besides the first model


def tags(folder: str, names: Sequence[str]) -> str:
    """The tags of scripts that are in a folder; they run in this order, after the page is read."""
    return "".join(f'<script defer src="{folder}{name}.js"></script>' for name in names)


def element(folder: str) -> str:
    """The HTML of ``<tvae-playground>`` with what it needs; `folder` leads to the scripts and the weights."""
    return (
        f'<link rel="stylesheet" href="{folder}playground.css">{tags(folder, SCRIPTS)}'
        f'<tvae-playground data-folder="{folder}">'
        "<noscript>The playground computes in your browser and needs scripts to be "
        "allowed on this page.</noscript></tvae-playground>"
    )


def export(models: Sequence[Offered], folk: Corpus, folder: str | Path) -> dict[str, int]:
    """Write `files` into a folder, in place of what was there; returns their bytes by name."""
    folder = Path(folder)
    shutil.rmtree(folder / "models", ignore_errors=True)
    written = {}
    for name, text in files(models, folk):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        written[name] = path.write_bytes(text.encode())
    return written


def write_page(models: Sequence[Offered], folk: Corpus, folder: str | Path) -> Path:
    """The playground as a page by itself, to be opened from its folder or put on a server; returns its path."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name in (*(f"{name}.js" for name in PLAYER), "tvae.css"):
        shutil.copy(ASSETS / name, folder)
    shutil.copytree(ASSETS / "playground", folder / "playground", dirs_exist_ok=True)
    export(models, folk, folder / "playground")
    page = folder / "index.html"
    page.write_text(
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Playground of a Transformer VAE</title>'
        '<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">'
        "<style>:root { color-scheme: light dark } body { font-family: system-ui, sans-serif; margin: 1rem auto; "
        "max-width: 46rem; padding: 0 1rem }</style>"
        f'<link rel="stylesheet" href="tvae.css">{tags("", PLAYER)}</head><body><h1>Playground</h1>'
        f"{element('playground/')}</body></html>\n",
        encoding="utf-8",
    )
    return page


# What the eight bits cost --------------------------------------------------------------------------------------------


def measure(vae: TransformerVAE, corpus: Corpus, fold: int) -> dict:
    """Free-running accuracy on the test pieces of a fold, of a run's own weights and in eight bits; bytes of both.

    "change" is [value, low, high]: the second less the first, with its 95 % interval from a bootstrap over songs.
    """
    test = corpus.part(corpus.split(fold)[1])
    models = vae, in_eight_bits(vae)
    (released, pieces), (ours, others) = (evaluate(model, test.tokens, test.length) for model in models)
    right = [scores["correct_free_running"].astype(float) for scores in (pieces, others)]
    change = interval(right[1] - right[0], pieces["steps"].astype(float), test.song)
    return {
        "pieces": len(test),
        "accuracy": released["accuracy_free_running"],
        "accuracy_8_bits": ours["accuracy_free_running"],
        "change": [float(value) for value in change],
        "bytes_32_bits": 4 * parameter_count(vae),
        "bytes_8_bits": len(to_bytes(quantised(vae.state_dict()), vae.config)),
    }


def read(path: str | Path) -> dict:
    """What `measure_record` wrote: `measure`, and the run's name. Raises TvaeError where there is nothing of it."""
    return records.measurement(path, "such measurement", itemgetter("run", "pieces", "change"))


def write_own(weights_file: Path | None, record: Path, weights: Path, page: Path) -> Path:
    """Write a playground into a folder of its own: with the model of `weights_file` first, then the recorded ones."""
    mine = [own(weights_file)] if weights_file else []
    others = [offered(entry, weights, NOTHING_MEASURED) for entry in chosen(records.compared(record))]
    return write_page([*mine, *others], load("folk"), page)


def measure_record(record: Path, runs: Path, data: Mapping[str, Corpus]) -> None:
    """Measure what eight bits cost the model that the playground shows first, and write ``<record>/playground.json``.

    That needs the run's own weights; where its folder is not in `runs`, what was recorded stays.
    """
    entry = chosen(records.compared(record))[0]
    own_weights = runs / entry.run.folder / "weights.safetensors"
    if not own_weights.exists():
        print(f"{entry.name}: what eight bits cost stays as it was recorded: {own_weights} is not here")
        return
    found = measure(checkpoint.load(own_weights), records.corpus_of(entry, data), entry.fold)
    about = {"run": entry.name, "corpus_sha256": entry.corpus_sha256} | rounded(found)
    write_json(record / "playground.json", about)
    print(f"{about['run']}: {about['accuracy']:.4f}, in eight bits {about['accuracy_8_bits']:.4f}")
