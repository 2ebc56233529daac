"""Claims measured again on the page: what the element ``<tvae-measure>`` needs besides a model of the playground.

The reader's browser repeats, step by step, what `tvae.studies.transfers.measure` (claims C7 to C9) and
`tvae.studies.codes.matched` (C4) do on the test pieces of the embedded corpus: the same pieces, the same couples, the
same measures (``measurement.js``).
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

import numpy as np

from tvae.corpus import Corpus
from tvae.report import claims
from tvae.report.evidence import repeats_saved
from tvae.report.playground import Offered, listed, script, tags, to_text
from tvae.studies.statistics import SEED
from tvae.studies.transfers import couples, onsets

MEASURED_BY = {"C4": "rates", "C7": "transfers", "C8": "transfers", "C9": "transfers"}  # which steps measure a claim
STATISTICS = {"C4": "saving"}  # where it has another name than the claim's


def steps(tokens: np.ndarray, song: np.ndarray) -> tuple[list[list[int]], list[int]]:
    """Of test pieces (N, 128) of songs (N,): the couples [host, donor, other donor, group], and an order of all pieces.

    Couples are those of `tvae.studies.transfers.measure`: pieces without a note in bar 1 take no part. Songs come at
    random.
    """
    begins = np.flatnonzero(onsets(tokens)[:, 0].any(-1))
    found = couples(song[begins])
    rows = np.column_stack([begins[found.host], begins[found.donors], found.group])
    place = {name: k for k, name in enumerate(np.random.default_rng(SEED).permutation(np.unique(song)))}
    return rows.tolist(), sorted(range(len(song)), key=lambda piece: place[song[piece]])


def evidence(claim: claims.Claim, run: str, inside: dict, transfers: list[dict]) -> list[float] | None:
    """What was recorded of a claim's statistic for a run: [value, low, high], or None."""
    if claim.id == "C4":
        found = [repeats_saved(inside["runs"][run]["codes"])] if run in inside["runs"] else []
    else:
        found = [one["conditions"]["bar 1"][claim.statistic] for one in transfers if one["run"] == run]
    return next((list(triple) for triple in found if None not in triple), None)


def export(
    models: Sequence[Offered],
    corpus: Corpus,
    fold: int,
    findings: Sequence[claims.Finding],
    inside: dict,
    transfers: list[dict],
    folder: str | Path,
) -> int:
    """Write ``measure-data.js`` into the playground's folder, where the models' weights are; returns its bytes.

    Of the models those of the corpus are measured, on the test pieces of a fold that they did not see. ``findings``,
    ``inside`` and ``transfers`` are what `tvae.report.claims.read`, `tvae.report.measured.read` and
    `tvae.report.transferred.read` give.
    """
    own = [model for model in models if model.corpus == corpus.name]
    test = corpus.split(fold)[1]
    tokens, song = corpus.tokens[test], corpus.song[test]
    rows, order = steps(tokens, song)
    known = [claim for claim in claims.CLAIMS if claim.id in MEASURED_BY]
    data = {
        "models": [listed(model) for model in own],
        "pieces": [to_text(piece) for piece in tokens],
        "length": corpus.length[test].tolist(),
        "song": np.unique(song, return_inverse=True)[1].tolist(),
        "couples": rows,
        "order": order,
        "claims": [
            {
                "id": claim.id,
                "kind": MEASURED_BY[claim.id],
                "model": claim.model,
                "statement": claim.says,
                "statistic": STATISTICS.get(claim.id, claim.statistic),
                "threshold": claim.threshold,
                "at_least": claim.at_least,
                "recorded": {model.id: evidence(claim, model.id, inside, transfers) for model in own},
                "decided": decided(claim, findings),
            }
            for claim in known
        ],
    }
    return (Path(folder) / "measure-data.js").write_bytes(script("tvae.measureData =", data).encode())


def decided(claim: claims.Claim, findings: Sequence[claims.Finding]) -> dict | None:
    """What the record says of a claim: {corpus, evidence: [value, low, high], verdict}, or None where it is silent."""
    for found in findings:
        if found.claim == claim.id and found.value is not None:
            evidence = [found.value, found.low, found.high]
            return {"corpus": claim.corpus, "evidence": evidence, "verdict": found.verdict}
    return None


def element(claim: str, folder: str) -> str:
    """The HTML of ``<tvae-measure>`` for claims such as "C7 C8 C9"; `folder` leads to the playground's files."""
    return (
        f'<link rel="stylesheet" href="{folder}measure.css">{tags(folder, ("script", "measure"))}'
        f'<tvae-measure claim="{escape(claim)}" data-folder="{folder}">'
        "<noscript>To measure it here, allow scripts.</noscript></tvae-measure>"
    )
