"""The figure of the page about context transfer; its piano rolls are in `tvae.report.plots.rolls`."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from tvae.report.plots.style import GREY, INK, MODEL_COLOURS, MODEL_MARKERS, MODEL_NAMES, WIDTH, styled


@styled
def transfer(rows: pd.DataFrame, panels: Mapping[str, str], thresholds: Mapping[str, float]) -> Figure:
    """Rows of condition, model, measure, value, low, high -> a panel for each of `panels` (measure: title).

    A dashed line marks the threshold of a measure's claim. A value outside -0.4 ... 1.2 is an arrowhead at the edge;
    what is not a number is left out.
    """
    conditions, models = list(rows["condition"].unique()), list(rows["model"].unique())
    low_end, high_end = -0.4, 1.2
    figure = Figure(figsize=(1.3 * WIDTH, 1.3 + 0.3 * len(conditions)))
    axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for ax, (measure, title) in zip(axes, panels.items()):
        for row in rows[rows["measure"] == measure].itertuples():
            if not np.isfinite([row.value, row.low, row.high]).all():
                continue
            aside = 0.22 * (models.index(row.model) - (len(models) - 1) / 2)
            y, colour = conditions.index(row.condition) + aside, MODEL_COLOURS.get(row.model, GREY)
            outside = "<" if row.value < low_end else ">" if row.value > high_end else ""
            ax.plot(np.clip([row.low, row.high], low_end, high_end), [y, y], color=colour, lw=2.4)
            marker = outside or MODEL_MARKERS.get(row.model, "o")
            ax.plot(np.clip(row.value, low_end, high_end), y, marker, color=colour, ms=6)
        for x in (0, 1):
            ax.axvline(x, color=INK, lw=0.9, alpha=0.5, zorder=0)
        if measure in thresholds:
            ax.axvline(thresholds[measure], color=INK, lw=1.2, ls=(0, (3, 2)), zorder=0)
        ax.set(xlim=(low_end - 0.08, high_end + 0.08), xticks=[0, 1], xticklabels=["chance\n0", "songs\n1"])
        ax.set_title(title)
        ax.tick_params(axis="y", length=0)
        ax.spines["left"].set_visible(False)
    axes[0].set_yticks(range(len(conditions)), conditions)
    axes[0].set_ylim(len(conditions) - 0.4, -0.6)
    looks = [
        axes[0].plot([], [], MODEL_MARKERS.get(m, "o"), color=MODEL_COLOURS.get(m, GREY), label=MODEL_NAMES.get(m, m))
        for m in models
    ]
    figure.legend(handles=[look[0] for look in looks], loc="outside upper left", ncols=2)
    return figure
