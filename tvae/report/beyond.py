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

from tvae.checkpoint import read_settings, restored, save_weights
from tvae.corpus import LONGER, Corpus
from tvae.errors import TvaeError
from tvae.files import write_json
from tvae.machine import git_commit
from tvae.model import TransformerVAE
from tvae.report import measured
from tvae.report import record as records
from tvae.report.entry import Entry
from tvae.studies import codes, limits, longer, prior, songs
from tvae.studies.prior import Prior, PriorConfig, Recipe

FILE = "beyond.json"
NOTHING: dict[str, dict] = {"runs": {}, "prior": {}}
EIGHT = {"folk": "folk16", "hooktheory": "hooktheory16"}  # what is measured beside pieces of sixteen bars


def train_prior(record: Path, weights: Path, data: Corpus) -> Path:
    """Train the prior over the codes of a corpus's recorded attention model, on the songs that trained that."""
    entry = measured.find_run(records.compared(record), data.name)
    records.corpus_of(entry, {data.name: data})
    vae, name = records.load_model(weights, entry), entry.name
    train, validation = data.part(data.split(entry.fold)[0]), data.part(data.validation(entry.fold))
    config, recipe = PriorConfig(bars=vae.config.bars, d_latent=vae.config.d_latent), Recipe()
    started = time.process_time()
    found = prior.train(prior.encoded(vae, train), prior.tied(train), config, recipe)
    seconds = time.process_time() - started
    settings = prior.settings(config, recipe) | entry.about() | {
        "run": name, "seconds": round(seconds), "prior_git_commit": git_commit(),
        "validation": prior.price(found, prior.encoded(vae, validation), prior.tied(validation)),
    }  # fmt: skip
    path = records.prior_file(weights, name)
    save_weights(found, path, settings, eight_bits=True)
    print(f"{path}: {seconds:.0f} s of one core, {settings['validation']:.1f} nats a bar on validation songs")
    return path


def load_prior(weights: str | Path, run: Entry) -> Prior:
    """The prior of a run's model as it is released, in eight bits.

    Raises TvaeError for any other file, and for a prior of an earlier training of the run.
    """
    path = records.prior_file(weights, run.name)
    try:
        settings = read_settings(path)
        found = Prior(PriorConfig(**settings["prior"]))
        found.load_state_dict(restored(load_file(path)))
        if not run.same(settings):
            raise ValueError("it is about the codes of an earlier training")
    except Exception as error:
        raise TvaeError(
            f"{path} holds no prior of {run.name} ({error}); train it with `python -m tvae prior`."
        ) from None
    return found.eval()


def measurable(entries: list[Entry]) -> Iterator[Entry]:
    """The runs that are measured for this page: those that are `Entry.beyond`, and the same of eight bars beside."""
    longer_ones = {entry.corpus for entry in entries} & set(LONGER)
    for entry in entries:
        beside = entry.model == "attention" and EIGHT.get(entry.corpus) in longer_ones
        if not entry.sweep and (entry.beyond or beside):
            yield entry


def measure_run(entry: Entry, vae, corpus: Corpus) -> dict:
    """What the page asks of a run: of 16 bars `tvae.studies.longer`, of 8 what repeats cost, and the limits."""
    train, test = map(corpus.part, corpus.split(entry.fold))
    if entry.corpus in LONGER:
        return longer.measure(vae, train, test)
    rate = codes.encode_with_rate(vae, test.tokens)[1].sum(-1)
    found = {"codes": {"matched": codes.matched(rate, test)}, "distance": longer.saved_by_distance(rate, test)}
    return found | ({"limits": limits.measure(vae, test)} if entry.beyond else {})


def measure_record(record: Path, weights: Path, runs: Path, data: Mapping[str, Corpus]) -> None:
    """Measure every run of this page and every prior, and write ``<record>/beyond.json``.

    As `tvae.report.measured.measure_record`: what was recorded of one that cannot be measured stays.
    """
    path = Path(record) / FILE
    known = records.kept(path, lambda _: read(record), NOTHING)
    found = records.measure_again(
        measurable(records.listed(record)),
        known["runs"],
        weights,
        runs,
        lambda entry, vae: measure_run(entry, vae, records.corpus_of(entry, data)),
    )
    priors = records.measure_again(
        [
            run
            for run in records.compared(record)
            if run.name in known["prior"] or records.prior_file(weights, run.name).exists()
        ],
        known["prior"],
        weights,
        runs,
        lambda entry, vae: measure_prior(entry, vae, weights, records.corpus_of(entry, data)),
    )
    write_json(path, measured.rounded({"runs": found, "prior": priors}))


def measure_prior(entry: Entry, vae: TransformerVAE, weights: Path, corpus: Corpus) -> dict:
    """The settings of the prior over the codes of a run's model, of which training that is, and what songs it gives."""
    found, settings = load_prior(weights, entry), read_settings(records.prior_file(weights, entry.name))
    return settings | entry.about() | songs.measure(vae, found, *map(corpus.part, corpus.split(entry.fold)))


def read(record: str | Path) -> dict:
    """What was recorded: {"runs": {name: ...}, "prior": {name: ...}}; both are empty where nothing was yet.

    Of the runs that the record has (`tvae.report.record.of_recorded`).
    """
    path = Path(record) / FILE
    if not path.exists():
        return NOTHING
    found, runs = records.measurement(path, "such measurement", itemgetter("runs", "prior")), records.read(record)
    return {part: records.of_recorded(found[part], runs) for part in ("runs", "prior")}
