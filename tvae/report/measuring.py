"""What the record keeps besides its runs, part by part: `python -m tvae measure`."""

from __future__ import annotations

from pathlib import Path

from tvae.corpus import Corpus, load
from tvae.errors import TvaeError
from tvae.report import beyond, emerged, measured, playground, results, transferred
from tvae.report import record as records


class Corpora(dict[str, Corpus]):
    """Corpora by name, each loaded when it is first asked for."""

    def __init__(self, data_dir: str | None):
        super().__init__()
        self.data_dir = data_dir

    def __missing__(self, name: str) -> Corpus:
        self[name] = load(name, self.data_dir)
        return self[name]


def measure_record(parts: list[str], record: Path, weights: Path, runs: Path, data_dir: str | None) -> None:
    """Measure these parts again, or all of them. Raises `TvaeError` for a part that there is not, and no record."""
    data = Corpora(data_dir)
    measures = {
        "corpora": lambda: results.describe_corpora(data, record / "corpora.json"),
        "inside": lambda: measured.measure_record(record, weights, runs, data),
        "transfer": lambda: transferred.measure_record(record, weights, runs, data),
        "emergence": lambda: emerged.measure_record(record, runs, data),
        "playground": lambda: playground.measure_record(record, runs, data),
        "beyond": lambda: beyond.measure_record(record, weights, runs, data),
    }
    if unknown := set(parts) - set(measures):
        raise TvaeError(f"There is no '{min(unknown)}' to measure; choose from {', '.join(measures)}.")
    records.read(record)
    for part in parts or measures:
        measures[part]()
