"""Claims and verdicts: what ``book/claims.md`` says would decide each claim, applied to the recorded runs.

    python -m tvae.report.claims --record figures        writes figures/findings.json

A finding is {claim, statement, statistic, value, low, high, threshold, verdict, source}. Later analyses add theirs
to the same file with `add`.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tvae.errors import TvaeError
from tvae.evaluate import terms
from tvae.report import record as records
from tvae.report.results import at_equal_rate, blocks, curves, difference
from tvae.studies.statistics import interval
from tvae.train import write_atomically

KEYS = ("claim", "statement", "statistic", "value", "low", "high", "threshold", "verdict", "source")


SAVING = (
    "distortion_saving"  # `tvae.report.results.at_equal_rate`; every other statistic is one of `tvae.evaluate.terms`
)


@dataclass(frozen=True)
class Claim:
    """A claim that one statistic on one corpus decides: it should be `at_least` the threshold, or below it.

    With an `other` model the statistic is that of `model` less that of `other`, on the same pieces.
    """

    id: str
    statement: str
    model: str
    corpus: str
    statistic: str
    threshold: float
    at_least: bool
    other: str | None = None
    presets: tuple[str, ...] = ("paper", "cpu")  # that decide: toy runs do not


CLAIMS = (
    Claim("R1", "With attention, later bars store less than the first.", "attention", "hooktheory", "rate_drop", 0.25, True),
    Claim("R2", "Without attention, they do not.", "no_attention", "hooktheory", "rate_drop", 0.10, False),
    Claim("R3", "The model memorises eight bars well.", "attention", "hooktheory", "accuracy_free_running", 0.87, True),
    Claim("C1", "It reconstructs better than a flat LSTM VAE of eight bars.",
          "attention", "hooktheory", "accuracy_free_running", 0.02, True, other="lstm_1x8"),
    Claim("C2", "At equal rate, attention saves distortion.", "attention", "hooktheory", SAVING, 0.05, True, other="no_attention"),
    Claim("C3", "At equal rate, context saves distortion.", "attention", "hooktheory", SAVING, 0.05, True, other="lstm_8x1"),
)  # fmt: skip


def verdict(low: float, high: float, threshold: float, at_least: bool) -> str:
    """replicated: the whole interval on the claimed side; not replicated: on the other; partly: it holds the threshold."""
    if not at_least:
        low, high, threshold = -high, -low, -threshold
    return "replicated" if low >= threshold else "not replicated" if high < threshold else "partly replicated"


def decide(claim: Claim, record: str | Path, entries: list[dict]) -> dict | None:
    """The finding of a claim from the recorded runs, on as many folds as they cover, or None where they are missing."""
    entries = [entry for entry in entries if entry["corpus"] == claim.corpus and entry["preset"] in claim.presets]
    found = evidence(claim, record, entries)
    if found is None:
        return None
    statistic, interval_of, source = found
    runs = ", ".join(f"{runs[0]} to {runs[-1]}" if len(runs) > 1 else runs[0] for runs in source)
    return finding(claim, f"{statistic} on {claim.corpus}", interval_of, runs)


def finding(claim: Claim, statistic: str, evidence: Sequence[float], source: str) -> dict:
    """What the record keeps of a claim: its statistic in words, the evidence (value, low, high) and the runs it is from."""
    value, low, high = map(float, evidence)
    return {
        "claim": claim.id,
        "statement": claim.statement,
        "statistic": statistic,
        "value": value,
        "low": low,
        "high": high,
        "threshold": f"{'at least' if claim.at_least else 'below'} {claim.threshold:g}",
        "verdict": verdict(low, high, claim.threshold, claim.at_least),
        "source": source,
    }


def evidence(claim: Claim, record: str | Path, entries: list[dict]) -> tuple | None:
    """What a claim's test measures: (the statistic in words, (value, low, high), the names of each model's runs)."""
    models = (claim.model, claim.other) if claim.other else (claim.model,)
    if claim.statistic == SAVING:
        compared = at_equal_rate(record, entries, claim.corpus, *models)
        if compared is None:
            return None
        interval_of = compared.saving
        words = f"share of the distortion of {claim.other} that {claim.model} saves at {compared.rate:.0f} nats"
        runs = [curves(entries, claim.corpus)[model] for model in models]
    else:
        block = next((block for block in blocks(entries) if set(models) <= set(block.runs)), None)
        if block is None:
            return None
        if claim.other:
            interval_of = difference(record, block, *models, claim.statistic)
            words = f"{claim.statistic} of {claim.model} less that of {claim.other}"
        else:
            pieces, song = block.pieces(record, claim.model)
            interval_of = interval(*terms(pieces)[claim.statistic], song)
            words = f"{claim.statistic} of {claim.model}"
        runs = [block.runs[model] for model in models]
    return words, interval_of, [[records.run_name(entry) for entry in own] for own in runs]


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


def add(record: str | Path, findings: list[dict], claims: set[str] | frozenset[str] = frozenset()) -> list[dict]:
    """Put findings into the record, in place of all earlier ones of the same claims and of `claims`; returns all."""
    old = {finding["claim"] for finding in findings} | claims
    kept = [finding for finding in read(record) if finding["claim"] not in old]
    together = {(finding["claim"], finding["source"]): finding for finding in [*kept, *findings]}
    ordered = [together[key] for key in sorted(together)]
    write_atomically(Path(record) / "findings.json", lambda part: part.write_text(json.dumps(ordered, indent=1) + "\n"))
    return ordered


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tvae.report.claims", description="Decide the claims from recorded runs."
    )
    parser.add_argument("--record", type=Path, default=Path("figures"))
    record = parser.parse_args().record
    try:
        entries = records.read(record)
        findings = [found for claim in CLAIMS if (found := decide(claim, record, entries))]
        for finding in add(record, findings, {claim.id for claim in CLAIMS}):
            print(f"{finding['claim']}: {finding['verdict']} ({finding['value']:.3f}, {finding['threshold']})")
    except TvaeError as error:
        raise SystemExit(f"tvae: {error}") from None


if __name__ == "__main__":
    main()
