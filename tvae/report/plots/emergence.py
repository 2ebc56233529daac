"""The figure of the page about when "as bar 1" appears."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import seaborn
from matplotlib.figure import Figure

from tvae.report.plots.style import GREY, INK, MODEL_COLOURS, MODEL_NAMES, WIDTH, short_numbers, styled


@styled
def emergence(curves: pd.DataFrame, ended: pd.DataFrame, names: Mapping[str, str], release: int) -> Figure:
    """Rows of statistic, pieces, value, low, high -> a panel a statistic, against pieces seen on a logarithmic axis.

    `ended` (statistic, pieces, value) are runs that ended there, `names` the statistics in words and in order. A dashed
    line marks the pieces of the `release`.
    """
    figure = Figure(figsize=(WIDTH, 0.5 + 1.45 * len(names)))
    axes = figure.subplots(len(names), 1, sharex=True)
    colour = MODEL_COLOURS["attention"]
    for ax, (statistic, name) in zip(axes, names.items()):
        own = curves[curves["statistic"] == statistic]
        ax.fill_between(own["pieces"], own["low"], own["high"], color=colour, alpha=0.2, lw=0)
        ax.plot(own["pieces"], own["value"], marker="o", color=colour, label="one long run, on its way")
        there = ended[ended["statistic"] == statistic]
        ax.plot(there["pieces"], there["value"], "D", ms=7, mfc="none", color=INK, label="runs that ended here")
        ax.axvline(release, color=GREY, ls="--", lw=1.2, label="the release's length")
        ax.set_title(name)
    axes[-1].set_xscale("log")
    ticks = (300_000, 600_000, 1_000_000, 2_000_000, 3_000_000, release)
    axes[-1].set_xticks(ticks, minor=False)
    axes[-1].set_xticks([], minor=True)
    short_numbers(axes[-1])
    axes[-1].set_xlabel("pieces seen")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper left", ncols=1)
    return figure


@styled
def falls(found: pd.DataFrame) -> Figure:
    """Rows of model, run, pieces, fall (a share) -> a line a run, in the colour of its model."""
    figure = Figure(figsize=(WIDTH, 3.4))
    ax = figure.subplots()
    colours = {MODEL_NAMES[model]: MODEL_COLOURS[model] for model in found["model"].unique()}
    named = found.assign(model=found["model"].map(MODEL_NAMES))
    look = {"palette": colours, "lw": 1.4, "legend": False, "ax": ax}
    seaborn.lineplot(named, x="pieces", y="fall", hue="model", units="run", estimator=None, **look)
    for name, colour in colours.items():
        ax.plot([], [], color=colour, label=name)
    ax.set(xlabel="pieces seen", ylabel="fall of the rate, bar 1 to bars 5-7")
    ax.set_ylim(-0.15, 0.6)
    short_numbers(ax)
    figure.legend(loc="outside upper left", ncols=2)
    return figure
