"""What the record keeps besides its runs, part by part: `python -m tvae measure`."""

from __future__ import annotations

from pathlib import Path

from tvae import corpus as corpora
from tvae.errors import TvaeError
from tvae.report import beyond, emerged, measured, playground, results, transferred


def measure_record(parts: list[str], record: Path, weights: Path, runs: Path, data_dir: str | None) -> None:
    """Measure these parts again, or all of them. Raises `TvaeError` for a part that there is not."""
    measures = {
        "corpora": lambda: results.describe_corpora(list(data.values()), record / "corpora.json"),
        "inside": lambda: measured.measure_record(record, weights, runs, data),
        "transfer": lambda: transferred.measure_record(record, weights, runs, data),
        "emergence": lambda: emerged.measure_record(record, runs, data),
        "playground": lambda: playground.measure_record(record, runs, data),
        "beyond": lambda: beyond.measure_record(record, weights, runs, data_dir),
    }
    if unknown := set(parts) - set(measures):
        raise TvaeError(f"There is no '{min(unknown)}' to measure; choose from {', '.join(measures)}.")
    data = {name: corpora.load(name, data_dir) for name in corpora.NAMES}
    for part in parts or measures:
        measures[part]()
