"""The figure of the claims: each fold's value, and all folds together, beside the threshold."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from tvae.report.claims import CLAIMS, Finding
from tvae.report.plots.style import GREY, INK, WIDTH, styled

COLOURS = {"replicated": "#1b8a5a", "partly replicated": "#b27a00", "not replicated": "#c4457a"}


@styled
def strip(findings: Sequence[Finding]) -> Figure:
    """A row a decided claim: small dots are folds, the large one all together; right of the line at 0 the claim holds.

    Every row has its own scale, in which the farthest end of its interval, or of a fold, is one away from the
    threshold.
    """
    thresholds = {claim.id: (claim.threshold, 1 if claim.at_least else -1) for claim in CLAIMS}
    shown = [found for found in findings if found.value is not None and found.claim in thresholds]
    figure = Figure(figsize=(WIDTH, 0.9 + 0.32 * max(1, len(shown))))
    ax = figure.subplots()
    for row, found in enumerate(shown):
        threshold, sign = thresholds[found.claim]
        values = [run.value for run in found.runs]
        scale = max(abs(value - threshold) for value in (found.low, found.high, *values)) or 1.0
        low, high, middle, *folds = (
            sign * (value - threshold) / scale for value in (found.low, found.high, found.value, *values)
        )
        colour = COLOURS.get(found.verdict, GREY)
        ax.plot([low, high], [row, row], color=colour, lw=2.6, solid_capstyle="round")
        ax.plot(middle, row, "o", color=colour, ms=8)
        if len(folds) > 1:
            ax.plot(folds, [row + 0.22] * len(folds), "o", color=colour, ms=3.5)
    ax.axvline(0, color=INK, lw=1, ls="--")
    ax.set_yticks(range(len(shown)), [found.claim for found in shown])
    ax.set_ylim(len(shown) - 0.4, -0.6)
    ax.set_xlim(-1.1, 1.1)
    ax.set_xticks([-1, 0, 1], ["against it", "threshold", "for it"])
    ax.grid(False)
    return figure
