"""Beyond the paper: sixteen bars, a prior over the codes, and training on transposed repeats, for the record.

    python -m tvae prior --record figures --weights weights --data-dir DIR
    python -m tvae measure --record figures --weights weights --data-dir DIR beyond

The first trains a prior and writes ``<weights>/prior-<run>.safetensors``, the second writes ``<record>/beyond.json``.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from operator import itemgetter
from pathlib import Path

from safetensors.torch import load_file

from tvae import corpus as corpora
from tvae.checkpoint import read_settings, restored, save_weights
from tvae.errors import TvaeError
from tvae.files import write_json
from tvae.machine import git_commit
from tvae.report import measured
from tvae.report import record as records
from tvae.report.entry import Entry
from tvae.studies import codes, limits, longer, prior, songs
from tvae.studies.prior import Prior, PriorConfig, Recipe

FILE = "beyond.json"
EIGHT = {"folk": "folk16", "hooktheory": "hooktheory16"}  # what is measured beside pieces of sixteen bars


def prior_file(weights: str | Path, run: str) -> Path:
    """Where the prior over the codes of a run's model lies."""
    return Path(weights) / f"prior-{run}.safetensors"


def train_prior(record: Path, weights: Path, data: corpora.Corpus) -> Path:
    """Train the prior over the codes of a corpus's recorded attention model, on the songs that trained that."""
    entry = measured.find_run(records.compared(record), data.name)
    records.corpus_of(entry, {data.name: data})
    vae, name = records.load_model(weights, entry), entry.name
    train, validation = data.part(data.split(entry.fold)[0]), data.part(data.validation(entry.fold))
    started = time.process_time()
    found = prior.train(prior.encoded(vae, train), prior.tied(train))
    seconds = time.process_time() - started
    settings = prior.settings(found.config, Recipe()) | {
        "run": name, "seconds": round(seconds), "git_commit": git_commit(),
        "validation": prior.price(found, prior.encoded(vae, validation), prior.tied(validation)),
    }  # fmt: skip
    path = prior_file(weights, name)
    save_weights(found, path, settings, eight_bits=True)
    print(f"{path}: {seconds:.0f} s of one core, {settings['validation']:.1f} nats a bar on validation songs")
    return path


def load_prior(weights: str | Path, run: str) -> Prior:
    """The prior of a run's model as it is released, in eight bits. Raises TvaeError for any other file."""
    path = prior_file(weights, run)
    try:
        found = Prior(PriorConfig(**read_settings(path)["prior"]))
        found.load_state_dict(restored(load_file(path)))
    except Exception as error:
        raise TvaeError(f"{path} holds no prior ({error}); train it with `python -m tvae prior`.") from None
    return found.eval()


def measurable(entries: list[Entry]) -> Iterator[Entry]:
    """The runs that are measured for this page: those that are `Entry.beyond`, and the same of eight bars beside."""
    longer_ones = {entry.corpus for entry in entries} & set(corpora.LONGER)
    for entry in entries:
        beside = entry.model == "attention" and EIGHT.get(entry.corpus) in longer_ones
        if not entry.sweep and (entry.beyond or beside):
            yield entry


def measure_run(entry: Entry, vae, corpus: corpora.Corpus) -> dict:
    """What the page asks of a run: of 16 bars `tvae.studies.longer`, of 8 what repeats cost, and the limits."""
    train, test = map(corpus.part, corpus.split(entry.fold))
    if entry.corpus in corpora.LONGER:
        return longer.measure(vae, train, test)
    rate = codes.encode_with_rate(vae, test.tokens)[1].sum(-1)
    found = {"codes": {"matched": codes.matched(rate, test)}, "distance": longer.saved_by_distance(rate, test)}
    return found | ({"limits": limits.measure(vae, test)} if entry.beyond else {})


def measure_record(record: Path, weights: Path, runs: Path, data: Mapping[str, corpora.Corpus]) -> None:
    """Measure every run of this page and every prior, and write ``<record>/beyond.json``.

    As `tvae.report.measured.measure_record`: what was recorded of a run whose weights are not at hand stays.
    """
    found = records.measure_again(
        measurable(records.listed(record)),
        lambda: read(record)["runs"],
        weights,
        runs,
        lambda entry, vae: measure_run(entry, vae, records.corpus_of(entry, data)),
    )
    priors = {}
    for entry in records.compared(record):
        name = entry.name
        if prior_file(weights, name).exists():
            corpus = records.corpus_of(entry, data)
            pieces = map(corpus.part, corpus.split(entry.fold))
            about = read_settings(prior_file(weights, name))
            model = records.load_model(weights, entry)
            priors[name] = about | songs.measure(model, load_prior(weights, name), *pieces)
            print(f"the prior of {name} measured", flush=True)
    write_json(Path(record) / FILE, measured.rounded({"runs": found, "prior": priors}))


def read(record: str | Path) -> dict:
    """What was recorded: {"runs": {name: ...}, "prior": {name: ...}}; both are empty where nothing was yet."""
    path = Path(record) / FILE
    if not path.exists():
        return {"runs": {}, "prior": {}}
    return records.measurement(path, "such measurement", itemgetter("runs", "prior"))
