"""Context transfer for the record: what `tvae.studies.transfers` finds in the recorded models, and claims C7 to C9.

    python -m tvae.report.transferred --record figures --weights weights --data-dir DIR

writes ``<record>/transfer.json`` and the findings; what they test is in ``book/claims.md``.
"""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path

import pandas as pd

from tvae import corpus as corpora
from tvae.errors import TvaeError
from tvae.report import claims
from tvae.report import record as records
from tvae.report.claims import Claim
from tvae.studies.transfers import CONDITIONS, measure
from tvae.train import write_atomically

CLAIMS = (
    Claim("C7", "Context transfer: the structure stays.", "attention", "hooktheory", "structure_kept", 0.5, True),
    Claim("C8", "Context transfer: the rhythm begins to follow.", "attention", "hooktheory",
          "rhythm_follows", 0.1, True),
    Claim("C9", "Context transfer: the register moves along.", "attention", "hooktheory",
          "register_follows", 0.5, True),
)  # fmt: skip


def measurable(entries: list[dict]) -> list[dict]:
    """The recorded runs whose weights are released and that have a code a bar."""
    return [entry for entry in entries if records.releases_weights(entry) and entry["model"] not in records.ONE_CODE]


def measure_run(entry: dict, weights: str | Path, corpus: corpora.Corpus, groups: int | None = None) -> dict:
    """`measure` of a recorded run on the test pieces of its fold, with what the record needs to know of it."""
    test = corpus.split(entry["fold"])[1]
    vae = records.load_model(weights, entry)
    about = {key: entry[key] for key in ("corpus", "model", "preset", "fold", "corpus_sha256")}
    return about | {"run": records.run_name(entry)} | measure(vae, corpus.tokens[test], corpus.song[test], groups)


def write(runs: list[dict], path: Path) -> None:
    """Measurements as JSON, a line each."""
    text = json.dumps(runs, indent=1)
    text = re.sub(r"\[\s+([^\[\]{}]*?)\s+\]", lambda triple: "[" + re.sub(r"\s+", " ", triple[1]) + "]", text)
    write_atomically(path, lambda part: part.write_text(text + "\n"))


def read(path: str | Path) -> list[dict]:
    """The measurements that `main` recorded, a run each. Raises TvaeError where there are none."""
    try:
        runs = json.loads(Path(path).read_text())
        for run in [*runs, runs[0]]:
            run["corpus"], run["model"], run["conditions"]["bar 1"]["structure_kept"]
        return runs
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise TvaeError(
            f"{path} holds no transfers ({error}); make it with `python -m tvae.report.transferred`."
        ) from None


def table(runs: list[dict]) -> pd.DataFrame:
    """Measurements as rows: corpus, model, condition, measure, value, low, high, n."""
    rows = [
        (run["corpus"], run["model"], condition, name, *triple, run["n"])
        for run in runs
        for condition, measures in run["conditions"].items()
        for name, triple in measures.items()
    ]
    columns = ["corpus", "model", "condition", "measure", "value", "low", "high", "n"]
    return pd.DataFrame(rows, columns=columns).astype({"value": float, "low": float, "high": float})


DECIDING = {claim.statistic: claim.statistic.replace("_", " ") for claim in CLAIMS}  # a panel each in the figure
THRESHOLDS = {claim.statistic: claim.threshold for claim in CLAIMS}
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


def summary(runs: list[dict], model: str) -> pd.DataFrame:
    """What was measured of a model when z_1 was swapped, or not.

    A row for each measure, a column for each condition.
    """
    conditions = [name for name, condition in CONDITIONS.items() if condition.bars == (1,)]
    (run,) = [run for run in runs if run["model"] == model]
    unknown = [None] * 3
    cells = {
        condition: [cell(*run["conditions"][condition].get(measure, unknown)) for measure in TABULATED]
        for condition in conditions
    }
    return pd.DataFrame({"": list(TABULATED.values()), **cells})


def cell(value: float | None, low: float | None, high: float | None) -> str:
    return "–" if None in (value, low, high) else f"{value:.2f} ({low:.2f} … {high:.2f})"


def findings(runs: list[dict]) -> list[dict]:
    """What these measurements say about C7 to C9; nothing where the deciding run is not among them."""
    found = []
    for claim in CLAIMS:
        for run in runs:
            if (run["model"], run["corpus"]) == (claim.model, claim.corpus) and run["preset"] in claim.presets:
                words = f"{claim.statistic} of {claim.model} on {claim.corpus}"
                found.append(claims.finding(claim, words, run["conditions"]["bar 1"][claim.statistic], run["run"]))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tvae.report.transferred", description="Measure context transfer.")
    parser.add_argument("--record", type=Path, default=Path("figures"))
    parser.add_argument("--weights", type=Path, default=Path("weights"))
    parser.add_argument("--data-dir", type=Path, default=None, help="local copy of the corpora")
    arguments = parser.parse_args()
    try:
        runs, corpus = [], None
        for entry in measurable(records.read(arguments.record)):
            if corpus is None or corpus.name != entry["corpus"]:
                corpus = corpora.load(entry["corpus"], arguments.data_dir)
            if corpus.sha256 != entry["corpus_sha256"]:
                raise TvaeError(f"{records.run_name(entry)} was trained on another version of {corpus.name}.")
            runs.append(measure_run(entry, arguments.weights, corpus))
            measured = runs[-1]["conditions"]["bar 1"]
            figures = ", ".join(f"{claim.statistic} {measured[claim.statistic][0]:.3f}" for claim in CLAIMS)
            print(f"{runs[-1]['run']:42} {figures}", flush=True)
        write(runs, arguments.record / "transfer.json")
        claims.add(arguments.record, findings(runs), {claim.id for claim in CLAIMS})
    except TvaeError as error:
        raise SystemExit(f"tvae: {error}") from None
