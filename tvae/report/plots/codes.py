"""Figures of the pages about the codes and the limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from tvae.report.plots.style import (
    BAR_COLOURS,
    GREY,
    MODEL_COLOURS,
    MODEL_MARKERS,
    MODEL_NAMES,
    WIDTH,
    beside,
    heat,
    styled,
)


@styled
def dots(rows: pd.DataFrame, xlabel: str, digits: int = 2) -> Figure:
    """Rows of block, row, model, value, low, high -> a panel a block; models beside each other in each row.

    Where a row has one model only its number stands beside it. A model without a colour is grey.
    """
    blocks = list(rows["block"].unique())
    names = {block: list(rows[rows["block"] == block]["row"].unique()) for block in blocks}
    models = list(rows["model"].unique())
    room = 0.24 + 0.1 * len(models)
    figure = Figure(figsize=(WIDTH, 0.9 + sum(0.45 + room * len(own) for own in names.values())))
    heights = [len(names[block]) * room + 0.2 for block in blocks]
    axes = figure.subplots(len(blocks), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0]
    for ax, block in zip(axes, blocks):
        for row in rows[rows["block"] == block].itertuples():
            y = names[block].index(row.row) + 0.5 * (models.index(row.model) - (len(models) - 1) / 2) / len(models)
            look = {"color": MODEL_COLOURS.get(row.model, GREY)}
            ax.plot([row.low, row.high], [y, y], lw=2.4, solid_capstyle="round", **look)
            ax.plot(row.value, y, MODEL_MARKERS.get(row.model, "o"), ms=6.5, label=row.model, **look)
            if len(models) == 1:
                beside(ax, y, f"{row.value:.{digits}f}")
        ax.set_yticks(range(len(names[block])), names[block])
        ax.set_ylim(len(names[block]) - 0.5, -0.5)
        ax.set_title(block)
        ax.tick_params(axis="y", length=0)
        ax.spines["left"].set_visible(False)
        ax.margins(x=0.06)
    axes[-1].set_xlabel(xlabel)
    if len(models) > 1:
        marks = {label: handle for ax in axes for handle, label in zip(*ax.get_legend_handles_labels())}
        figure.legend(
            list(marks.values()), [MODEL_NAMES.get(label, label) for label in marks], loc="outside upper left", ncols=2
        )
    return figure


@styled
def changed_bars(shares: Mapping[str, np.ndarray]) -> Figure:
    """{model: (8, 8) share of bar j's steps that change with code i} -> a map a model, in per cent."""
    figure = Figure(figsize=(WIDTH, 0.5 + WIDTH / max(2, len(shares))))
    axes = figure.subplots(1, max(2, len(shares)), squeeze=False)[0]
    for ax in axes[len(shares) :]:
        ax.set_axis_off()
    for ax, (model, share) in zip(axes, shares.items()):
        heat(ax, np.asarray(share), MODEL_COLOURS.get(model, GREY))
        ax.set_xlabel("bar that changes")
        ax.set_title(MODEL_NAMES.get(model, model).split(" (")[0])
    axes[0].set_ylabel("code drawn anew")
    return figure


@styled
def rate_per_dimension(rate: np.ndarray) -> Figure:
    """(8, Z) nats, sorted from high to low within a bar -> a line a bar. Where a line is flat at 0, units collapsed."""
    figure = Figure(figsize=(WIDTH, 3))
    ax = figure.subplots()
    for bar, (own, colour) in enumerate(zip(np.asarray(rate), BAR_COLOURS), 1):
        ax.plot(np.arange(1, len(own) + 1), own, color=colour, lw=1.5, marker=f"${bar}$", ms=7, markevery=[bar])
    ax.set(xlabel="dimensions of a bar's code, the most used first", ylabel="rate (nats)")
    ax.set_ylim(bottom=0)
    return figure


@styled
def code_map(points: np.ndarray, features: Mapping[str, np.ndarray], share: Sequence[float]) -> Figure:
    """Codes in two dimensions (N, 2) -> a panel a feature {name: (N,)}, its lower, middle and upper third told apart.

    `share` is the share of the codes' variance along each axis.
    """
    figure = Figure(figsize=(WIDTH, 0.4 + 2.9 * len(features)))
    axes = figure.subplots(len(features), 1, squeeze=False, sharex=True)[:, 0]
    for ax, (name, value) in zip(axes, features.items()):
        low, high = np.quantile(value, (1 / 3, 2 / 3))
        thirds = (value <= low, (value > low) & (value <= high), value > high)
        for chosen, marker, colour in zip(thirds, "osX", (BAR_COLOURS[0], BAR_COLOURS[4], BAR_COLOURS[7])):
            if chosen.any():
                least, most = value[chosen].min(), value[chosen].max()
                label = f"{least:.3g}" if least == most else f"{least:.3g} to {most:.3g}"
                ax.plot(*points[chosen].T, marker, color=colour, ms=3.4, mew=0, alpha=0.8, label=label)
        ax.legend(title=name, loc="upper left", bbox_to_anchor=(1, 1), handletextpad=0.1)
        ax.set_ylabel(f"second axis ({share[1]:.0%})")
    axes[-1].set_xlabel(f"first axis ({share[0]:.0%} of the variance)")
    return figure
