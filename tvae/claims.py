"""Claims and verdicts: what ``book/claims.md`` says would decide each claim, applied to the recorded runs.

    python -m tvae.claims --record figures        writes figures/findings.json

A finding is {claim, statement, statistic, value, low, high, threshold, verdict, source}. Later analyses add theirs
to the same file with `add`.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

from tvae import record as records
from tvae.analysis import interval
from tvae.errors import TvaeError
from tvae.evaluate import terms
from tvae.train import write_atomically

KEYS = ("claim", "statement", "statistic", "value", "low", "high", "threshold", "verdict", "source")


@dataclass(frozen=True)
class Claim:
    """A claim that one statistic of one model on one corpus decides: it should be `at_least` the threshold, or below it."""

    id: str
    statement: str
    model: str
    corpus: str
    statistic: str  # of `tvae.evaluate.terms`
    threshold: float
    at_least: bool
    presets: tuple[str, ...] = ("paper", "cpu")  # the first that was recorded decides


CLAIMS = (
    Claim("R1", "With attention, later bars store less than the first.", "attention", "hooktheory", "rate_drop", 0.25, True),
    Claim("R2", "Without attention, they do not.", "no_attention", "hooktheory", "rate_drop", 0.10, False),
    Claim("R3", "The model memorises eight bars well.", "attention", "hooktheory", "accuracy_free_running", 0.87, True),
)  # fmt: skip


def verdict(low: float, high: float, threshold: float, at_least: bool) -> str:
    """replicated: the whole interval on the claimed side; not replicated: on the other; partly: it holds the threshold."""
    if not at_least:
        low, high, threshold = -high, -low, -threshold
    return "replicated" if low >= threshold else "not replicated" if high < threshold else "partly replicated"


def decide(claim: Claim, record: str | Path, entries: list[dict]) -> dict | None:
    """The finding of a claim from the recorded run of fold 0, or None where no such run is recorded."""
    runs = {entry["preset"]: entry for entry in entries
            if (entry["model"], entry["corpus"], entry["fold"]) == (claim.model, claim.corpus, 0)}  # fmt: skip
    preset = next((preset for preset in claim.presets if preset in runs), None)
    if preset is None:
        return None
    pieces, song = records.pieces(record, runs[preset])
    value, low, high = (float(x) for x in interval(*terms(pieces)[claim.statistic], song))
    return {
        "claim": claim.id,
        "statement": claim.statement,
        "statistic": f"{claim.statistic} of {claim.model} on {claim.corpus}",
        "value": value,
        "low": low,
        "high": high,
        "threshold": f"{'at least' if claim.at_least else 'below'} {claim.threshold}",
        "verdict": verdict(low, high, claim.threshold, claim.at_least),
        "source": records.run_name(runs[preset]),
    }


def read(record: str | Path) -> list[dict]:
    """The findings of a record, sorted by claim; an empty list where there are none yet."""
    path = Path(record) / "findings.json"
    if not path.exists():
        return []
    try:
        findings = json.loads(path.read_text())
        for finding in findings:
            if missing := [key for key in KEYS if key not in finding]:
                raise TvaeError(f"{path}: the finding {finding.get('claim', '?')} has no '{missing[0]}'.")
    except (json.JSONDecodeError, AttributeError, TypeError) as error:
        raise TvaeError(f"{path} is no list of findings ({error}).") from None
    return findings


def add(record: str | Path, findings: list[dict]) -> list[dict]:
    """Put findings into the record, in place of earlier ones of the same claim and source; returns all."""
    together = {(finding["claim"], finding["source"]): finding for finding in [*read(record), *findings]}
    ordered = [together[key] for key in sorted(together)]
    write_atomically(Path(record) / "findings.json", lambda part: part.write_text(json.dumps(ordered, indent=1) + "\n"))
    return ordered


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tvae.claims", description="Decide the claims from recorded runs.")
    parser.add_argument("--record", type=Path, default=Path("figures"))
    record = parser.parse_args().record
    try:
        entries = records.read(record)
        for finding in add(record, [found for claim in CLAIMS if (found := decide(claim, record, entries))]):
            print(f"{finding['claim']}: {finding['verdict']} ({finding['value']:.3f}, {finding['threshold']})")
    except TvaeError as error:
        raise SystemExit(f"tvae: {error}") from None


if __name__ == "__main__":
    main()
