"""Inside the recorded models: `tvae.studies.attention`, `.codes` and `.limits` measured, for the record and its claims.

    python -m tvae measure --record figures --weights weights --data-dir DIR

writes ``<record>/inside.json``: what each of `INSPECTED` does on the test pieces of its corpus, and how the models of
first runs do on the other corpora. Weights that are not released are taken from the run's folder in
``runs``; without that folder, or without the corpus, what was recorded of the run stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from operator import attrgetter
from pathlib import Path

import pandas as pd

from tvae.baselines import LSTMVAE
from tvae.corpora import canonical
from tvae.corpus import NAMES, Corpus
from tvae.errors import TvaeError
from tvae.files import write_json
from tvae.model import TransformerVAE
from tvae.presets import MODELS
from tvae.report import record as records
from tvae.report import tables
from tvae.report.entry import Entry
from tvae.studies import attention, codes, limits

INSPECTED = ("attention", "no_attention", "bidirectional")  # that the pages compare


def same_corpus(run: Entry, corpus: str) -> bool:
    """Was the run trained on the corpus of that name, however a folder's path is written?"""
    return canonical(run.corpus) == canonical(corpus)


def inspected(entries: list[Entry], corpus: str) -> dict[str, Entry]:
    """The recorded runs on a corpus that can be looked into, by model, in the order of `INSPECTED`."""
    own = {entry.model: entry for entry in entries if entry.released and same_corpus(entry, corpus)}
    return {model: own[model] for model in INSPECTED if model in own}


def find_run(entries: list[Entry], corpus: str, model: str = "attention") -> Entry:
    """The recorded run of a model with a code for each bar on a corpus; `TvaeError` says which there are."""
    known = [run for run in entries if run.released and not MODELS[run.model].one_code]
    found = [run for run in known if run.model == model and same_corpus(run, corpus)]
    if not found:
        names = ", ".join(run.name for run in known) or "none"
        raise TvaeError(
            f"No run of {model} on {corpus} with a code for each bar is recorded with its weights; there are {names}."
        )
    return found[0]


def measure(vae: TransformerVAE, corpus: Corpus, fold: int) -> dict:
    """A model on the test pieces of its fold: {"attention" (where it looks back), "codes", "limits"}, JSON-able."""
    train, test = map(corpus.part, corpus.split(fold))
    measured = {"attention": attention.measure(vae, train, test)} if attention.looks_back(vae) else {}
    return measured | {"codes": codes.measure(vae, train, test), "limits": limits.measure(vae, test)}


def elsewhere(entry: Entry, vae: TransformerVAE | LSTMVAE, data: Mapping[str, Corpus], name: str) -> dict:
    """A recorded run's model on the test pieces of its fold of a corpus, which may be its own."""
    corpus = records.corpus_of(entry, data) if name == entry.corpus else data[name]
    test = corpus.part(corpus.split(entry.fold)[1])
    where = {"run": entry.name, "trained_on": entry.corpus, "tested_on": name, "pieces": len(test)}
    return entry.about() | where | limits.elsewhere(vae, test)


def elsewhere_again(
    entries: list[Entry], known: list[dict], weights: Path, runs: Path, data: Mapping[str, Corpus]
) -> list[dict]:
    """A row of `elsewhere` for every first run on every corpus; where that cannot be, one that is `known` stays.

    Why it cannot is said once.
    """
    rows, wanting = [], {}
    earlier = {(row["run"], row["tested_on"]): row for row in known}
    names = dict.fromkeys((*NAMES, *(entry.corpus for entry in entries)))
    for entry, name in product(filter(attrgetter("first"), entries), names):
        try:
            rows.append(elsewhere(entry, records.model_at_hand(weights, runs, entry), data, name))
        except TvaeError as error:
            wanting[str(error)] = None
            rows += [earlier[entry.name, name]] if (entry.name, name) in earlier else []
    for sentence in wanting:
        print(f"On another corpus what was recorded stays: {sentence}", flush=True)
    return rows


# --- rows for the pages; `sides` is {(origin, model): what was measured}

KIND_NAMES = {"repeated": "equals an earlier bar", "transposed": "is one transposed", "rhythm": "has the rhythm of one"}


@dataclass(frozen=True)
class Origin:
    """The test pieces of a corpus: what was measured on them now, or recorded."""

    corpus: str
    now: bool

    def __str__(self) -> str:
        return f"{self.corpus}, {'measured now' if self.now else 'recorded'}"


Sides = dict[tuple[Origin, str], dict]


def sides(recorded: dict, part: str, corpus: str = "", live: dict[str, dict] | None = None) -> Sides:
    """A part ("attention", "codes", "limits") of what was measured now, and of what was recorded of other corpora.

    Of a recorded corpus it is fold 0; `tvae.report.evidence` has all of them.
    """
    now = {(Origin(corpus, now=True), model): measured for model, measured in (live or {}).items()}
    then = {
        (Origin(run["corpus"], now=False), run["model"]): run[part]
        for run in recorded["runs"].values()
        if part in run and run["corpus"] != corpus and run["fold"] == 0
    }
    return now | then


def dots(found: Iterable[tuple]) -> pd.DataFrame:
    """(origin, row, model, [value, low, high]) -> what `tvae.report.plots.dots` draws."""
    rows = [(str(origin), row, model, *value) for origin, row, model, value in found]
    return pd.DataFrame(rows, columns=["block", "row", "model", "value", "low", "high"])


def rates_by_kind(sides: Sides) -> pd.DataFrame:
    """The rate of bars by their relation to earlier ones, as a multiple of that of matched new bars."""
    return dots(
        (origin, KIND_NAMES[row["kind"]], model, [1 - row[key] for key in ("saving", "high", "low")])
        for (origin, model), one in sides.items() for row in one["matched"] if row["kind"] in KIND_NAMES and row["bars"]
    )  # fmt: skip


def kinds(matched: list[dict]) -> Iterator[dict]:
    """`tvae.studies.codes.matched` as the rows of a table: what a bar costs by its relation to earlier ones."""
    for row in matched:
        if row["kind"] in KIND_NAMES and row["bars"]:
            yield {
                "bar": KIND_NAMES[row["kind"]],
                "bars": row["bars"],
                "rate (nats)": row["rate"],
                "matched new bars": row["rate_new"],
                "saved": tables.interval([row[key] for key in ("saving", "low", "high")], ".1%"),
            }


def fifth_bars(sides: Sides) -> pd.DataFrame:
    """In how many results bar 5 equals bar 1, by the z_5 that was given (`tvae.studies.codes.fifth_bar`)."""
    return dots(
        (origin, row["z_5"], model, row["equal"]) for (origin, model), one in sides.items() for row in one["fifth_bar"]
    )


def rates_by_relation(sides: Sides) -> pd.DataFrame:
    """The rate of bars 5-8 by what they are to bars 1-4 (`tvae.studies.limits.measure`)."""
    shown = (*limits.RELATIONS, *limits.OTHERS)
    return dots(
        (origin, row["variant"], model, row["rate"])
        for (origin, model), one in sides.items() for row in one["variants"] if row["variant"] in shown
    )  # fmt: skip


def gains(sides: Sides) -> pd.DataFrame:
    """What each relation saves beside its shuffled twin (`tvae.studies.limits.measure`)."""
    return dots(
        (origin, name, model, one["gain"][name]) for (origin, model), one in sides.items() for name in limits.RELATIONS
    )


def by_training(everywhere: list[dict], statistic: str) -> pd.DataFrame:
    """A statistic of `elsewhere`: a block for each test corpus, a row for each training corpus, its own first."""
    own_first = sorted(
        everywhere, key=lambda row: (row["tested_on"], row["trained_on"] != row["tested_on"], row["trained_on"])
    )
    return dots(
        (f"tested on {row['tested_on']}", f"trained on {row['trained_on']}", row["model"], row[statistic])
        for row in own_first
    )


# The record -----------------------------------------------------------------------------------------------------------


def read(path: str | Path) -> dict:
    """What was recorded: {"runs": {name: {corpus, model, ..., "attention", "codes", "limits"}}, "elsewhere": [...]}.

    Of the runs that the record has (`tvae.report.record.of_recorded`).
    """

    def whole(found: dict) -> None:
        found["runs"], [row["run"] for row in found["elsewhere"]]

    found = records.measurement(path, "such measurement", whole)
    runs = records.read(Path(path).parent)
    known = {run.name: run for run in runs}
    return {
        "runs": records.of_recorded(found["runs"], runs),
        "elsewhere": [row for row in found["elsewhere"] if row["run"] in known and known[row["run"]].same(row)],
    }


def measure_record(record: Path, weights: Path, runs: Path, data: Mapping[str, Corpus]) -> None:
    """Measure every recorded run of `INSPECTED` at the preset's own KL weight, and write ``<record>/inside.json``.

    Weights that are not released are taken from the run's folder in `runs`. What cannot be measured is said in a
    sentence each, and stays as it was recorded of the same run.
    """
    entries, path = records.compared(record), record / "inside.json"
    known = records.kept(path, read, {"runs": {}, "elsewhere": []})
    found = records.measure_again(
        [entry for entry in entries if entry.model in INSPECTED and not entry.sweep],
        known["runs"],
        weights,
        runs,
        lambda entry, vae: measure(vae, records.corpus_of(entry, data), entry.fold),
    )
    others = elsewhere_again(entries, known["elsewhere"], weights, runs, data)
    write_json(path, rounded({"runs": found, "elsewhere": others}))


def rounded(measured):
    """The same with every number to six digits: figures/ is read by people and kept in git."""
    if isinstance(measured, dict):
        return {key: rounded(value) for key, value in measured.items()}
    if isinstance(measured, list):
        return [rounded(value) for value in measured]
    return float(f"{measured:.6g}") if isinstance(measured, float) else measured
