"""Figures of the page "Beyond the paper"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import seaborn
from matplotlib.figure import Figure

from tvae.report.plots.style import GREY, MODEL_COLOURS, PALETTE, WIDTH, styled

MARKERS = "osD^vP"


@styled
def saved_by_distance(sides: Mapping[str, Sequence[Mapping]]) -> Figure:
    """{side: rows of `tvae.studies.longer.saved_by_distance`} -> a line a side over the distance in bars."""
    figure = Figure(figsize=(WIDTH, 3.1))
    ax = figure.subplots()
    colours = (MODEL_COLOURS["attention"], GREY, *PALETTE[1:])
    for k, (side, rows) in enumerate(sides.items()):
        distance = np.array([row["distance"] for row in rows]) + 0.12 * (k - (len(sides) - 1) / 2)
        value, low, high = 100 * np.array([row["saving"] for row in rows]).reshape(-1, 3).T
        error = np.maximum([value - low, high - value], 0)
        ax.errorbar(distance, value, error, fmt=MARKERS[k], color=colours[k], elinewidth=1.4, label=side)
    ax.set(xlabel="bars back to the nearest equal bar", ylabel="saved (%)", ylim=(min(0, ax.get_ylim()[0]), 103))
    ax.xaxis.get_major_locator().set_params(integer=True)
    figure.legend(loc="outside upper left", ncols=2)
    return figure


@styled
def repeats_by_distance_of(sides: Mapping[str, Sequence[float]]) -> Figure:
    """{kind of songs: share of its repeats by distance (7,)} -> groups of columns, one for each distance."""
    figure = Figure(figsize=(WIDTH, 3.1))
    ax = figure.subplots()
    rows = pd.DataFrame(sides).rename_axis("distance").reset_index().melt("distance", var_name="side")
    rows["distance"], rows["value"] = rows["distance"] + 1, 100 * rows["value"]
    look = {"hue": "side", "palette": dict(zip(sides, (GREY, *PALETTE))), "saturation": 1, "lw": 0}
    seaborn.barplot(rows, x="distance", y="value", ax=ax, **look)
    ax.set(xlabel="bars back to the nearest equal bar", ylabel="of the repeats (%)")
    ax.grid(False, axis="x")
    figure.legend(*ax.get_legend_handles_labels(), loc="outside upper left", ncols=2)
    ax.get_legend().remove()  # seaborn's own
    return figure
