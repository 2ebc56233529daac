"""Figures of the page of results."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from tvae.melody import BARS
from tvae.report.plots.style import GREY, MODEL_COLOURS, MODEL_LINES, MODEL_MARKERS, MODEL_NAMES, WIDTH, beside, styled


@styled
def rate_per_bar(rates: Mapping[str, tuple[np.ndarray, np.ndarray, np.ndarray]]) -> Figure:
    """{model: (mean (8,), low (8,), high (8,)) in nats a bar} -> a line a model with its intervals."""
    figure = Figure(figsize=(WIDTH, 3.4))
    ax = figure.subplots()
    for k, (model, (mean, low, high)) in enumerate(rates.items()):
        aside = 0.09 * (k - (len(rates) - 1) / 2)  # so that no interval hides another
        mean, low, high = map(np.asarray, (mean, low, high))
        ax.errorbar(
            np.arange(1, BARS + 1) + aside,
            mean,
            [mean - low, high - mean],
            color=MODEL_COLOURS.get(model, GREY),
            ls=MODEL_LINES.get(model, "-"),
            marker=MODEL_MARKERS.get(model, "o"),
            label=MODEL_NAMES.get(model, model),
            elinewidth=1.4,
        )
    ax.set(xlabel="bar", ylabel="rate (nats)", xticks=range(1, BARS + 1))
    ax.set_ylim(bottom=0)
    ax.grid(False, axis="x")
    figure.legend(loc="outside upper left", ncols=2)
    return figure


@styled
def comparison(rows: pd.DataFrame, xlabel: str) -> Figure:
    """Rows of block, model, value, low, high -> a panel a block; a dot, its interval and its number a row.

    Rows keep their order; a model without a colour (what needs no model) is grey. low and high may be NaN.
    """
    blocks = list(rows["block"].unique())
    counts = [int((rows["block"] == block).sum()) for block in blocks]
    figure = Figure(figsize=(WIDTH, 0.7 + sum(0.45 + 0.3 * n for n in counts)))
    axes = figure.subplots(len(blocks), 1, sharex=True, squeeze=False, height_ratios=[n + 0.6 for n in counts])[:, 0]
    for ax, block in zip(axes, blocks):
        part = rows[rows["block"] == block]
        for k, row in enumerate(part.itertuples()):
            colour = MODEL_COLOURS.get(row.model, GREY)
            if np.isfinite(row.low) and np.isfinite(row.high):
                ax.plot([row.low, row.high], [k, k], color=colour, lw=2.6, solid_capstyle="round")
            ax.plot(row.value, k, MODEL_MARKERS.get(row.model, "o"), color=colour, ms=7)
            beside(ax, k, f"{row.value:.3f}")
        ax.set_yticks(range(len(part)), [MODEL_NAMES.get(model, model) for model in part["model"]])
        ax.set_ylim(len(part) - 0.4, -0.6)
        ax.set_title(block)
        ax.tick_params(axis="y", length=0)
        ax.spines["left"].set_visible(False)
        ax.margins(x=0.06)
    axes[-1].set_xlabel(xlabel)
    return figure


@styled
def rate_distortion(points: pd.DataFrame) -> Figure:
    """Points of `tvae.report.results.rate_distortion` -> distortion and accuracy over rate, a line a model.

    A ring marks the release's KL weight of 1; numbers beside the first model's points are beta in a summed ELBO.
    """
    figure = Figure(figsize=(WIDTH, 7))
    distortion, accuracy = axes = figure.subplots(2, 1, sharex=True)
    for ax, statistic in zip(axes, ("distortion", "accuracy")):
        for model, own in points.groupby("model", sort=False):
            own = own.sort_values("kl_weight")
            look = {"color": MODEL_COLOURS.get(model, GREY), "marker": MODEL_MARKERS.get(model, "o")}
            errors = [[own[name] - own[f"{name}_low"], own[f"{name}_high"] - own[name]] for name in ("rate", statistic)]
            name = MODEL_NAMES.get(model, model)
            ax.errorbar(own["rate"], own[statistic], errors[1], errors[0], label=name, elinewidth=1.2, **look)
            release = own[own["kl_weight"] == 1]
            ax.plot(release["rate"], release[statistic], "o", ms=13, mfc="none", mec=look["color"], mew=1.4)
    first = points[points["model"] == points["model"].iloc[0]]
    for point in first.itertuples():
        where = (point.rate, point.distortion)
        text = f"β = {Fraction(point.beta).limit_denominator(99)}"
        distortion.annotate(text, where, (-5, -5), textcoords="offset points", fontsize=8.5, ha="right", va="top")
    distortion.set_title("distortion (nats a piece)")
    distortion.set_ylim(bottom=0)
    accuracy.set_title("free-running frame accuracy")
    accuracy.set_xlabel("rate (nats a piece)")
    accuracy.margins(x=0.11)  # room for the numbers
    figure.legend(*distortion.get_legend_handles_labels(), loc="outside upper left", ncols=2)
    return figure
