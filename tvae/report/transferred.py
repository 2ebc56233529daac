"""Context transfer for the record: what `tvae.studies.transfers` finds in the recorded models, and claims C7 to C9.

    python -m tvae measure --record figures --weights weights --data-dir DIR

writes ``<record>/transfer.json``.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from tvae.baselines import LSTMVAE
from tvae.corpus import Corpus
from tvae.files import write_json
from tvae.model import TransformerVAE
from tvae.presets import MODELS
from tvae.report import claims, tables
from tvae.report import record as records
from tvae.report.entry import Entry
from tvae.studies.statistics import over_folds
from tvae.studies.transfers import CONDITIONS, measure

TRANSFERS = tuple(claim for claim in claims.CLAIMS if claim.group == claims.TRANSFER)


def measurable(entry: Entry) -> bool:
    """Has this run a code a bar, and is it one of the compared ones rather than a point of a curve or an ablation?"""
    return not entry.sweep and not MODELS[entry.model].one_code and MODELS[entry.model].role != "ablation"


def measure_run(entry: Entry, vae: TransformerVAE | LSTMVAE, corpus: Corpus, groups: int | None = None) -> dict:
    """`measure` of a recorded run on the test pieces of its fold, with what the record needs to know of it."""
    test = corpus.split(entry.fold)[1]
    return entry.about() | {"run": entry.name} | measure(vae, corpus.tokens[test], corpus.song[test], groups)


def measure_record(record: Path, weights: Path, runs: Path, data: Mapping[str, Corpus]) -> None:
    """Measure context transfer in every recorded run that is `measurable`, and write ``<record>/transfer.json``.

    As `tvae.report.measured.measure_record`: what was recorded of a run that cannot be measured stays.
    """
    path = record / "transfer.json"
    found = records.measure_again(
        filter(measurable, records.compared(record)),
        {run["run"]: run for run in records.kept(path, read, [])},
        weights,
        runs,
        lambda entry, vae: measure_run(entry, vae, records.corpus_of(entry, data)),
    )
    write_json(path, [*found.values()])


def read(path: str | Path) -> list[dict]:
    """The measurements that `measure_record` wrote, of the runs that the record has. TvaeError on any other file."""

    def whole(runs: list[dict]) -> None:
        for run in runs[:]:  # of a list
            run["run"], run["corpus"], run["model"], run["conditions"]["bar 1"]["structure_kept"]

    found = {run["run"]: run for run in records.measurement(path, "transfers", whole)}
    return [*records.of_recorded(found, records.read(Path(path).parent)).values()]


def table(runs: list[dict]) -> pd.DataFrame:
    """Measurements as rows: corpus, model, condition, measure, value, low, high, n.

    Runs of one model on several folds of a corpus are one row, their mean (`tvae.studies.statistics.over_folds`).
    """
    alike: dict[tuple[str, str], list[dict]] = {}
    for run in runs:
        alike.setdefault((run["corpus"], run["model"]), []).append(run)
    rows = []
    for (corpus, model), own in alike.items():
        for condition, measures in own[0]["conditions"].items():
            for name in measures:
                triples = np.array([run["conditions"][condition][name] for run in own], float)
                rows.append((corpus, model, condition, name, *over_folds(triples), sum(run["n"] for run in own)))
    columns = ["corpus", "model", "condition", "measure", "value", "low", "high", "n"]
    return pd.DataFrame(rows, columns=columns).astype({"value": float, "low": float, "high": float})


DECIDING = {claim.statistic: claim.statistic.replace("_", " ") for claim in TRANSFERS}  # a panel each in the figure
THRESHOLDS = {claim.statistic: claim.threshold for claim in TRANSFERS}
DRAWN = [name for name in CONDITIONS if "away" not in name]  # in the figure; the others move the donor
TABULATED = {  # in the table: measure -> heading
    "structure_recall": "host's repeats of bar 1 found",
    "structure_f1": "F1 of such pairs",
    "structure_f1_unrelated": "the same by chance",
    "self_similarity": "correlation of self-similarity",
    "repeats_notes": "notes that repeats share",
    "repeats_notes_unrelated": "the same in an unrelated song",
    "repeats_onsets": "onsets that repeats share",
    "repeats_onsets_unrelated": "the same in an unrelated song",
    "rhythm_donor": "rhythm as donor's bar 1",
    "rhythm_host": "rhythm as host's bar 1",
    "register_from_host": "register, of donor − host",
    "register_slope": "register, of donor − donor",
    "bars_equal": "other bars as the host's",
}


def summary(run: dict) -> pd.DataFrame:
    """What was measured of a run when z_1 was swapped, or not.

    A row for each measure, a column for each condition.
    """
    conditions = [name for name, condition in CONDITIONS.items() if condition.bars == (1,)]
    unknown = [None] * 3
    cells = {
        condition: [tables.interval(run["conditions"][condition].get(measure, unknown), ".2f") for measure in TABULATED]
        for condition in conditions
    }
    return pd.DataFrame({"": list(TABULATED.values()), **cells})
