"""Figures of the page about training."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from tvae.melody import BARS
from tvae.report.plots.style import (
    BAR_COLOURS,
    MODEL_COLOURS,
    MODEL_LINES,
    MODEL_NAMES,
    WIDTH,
    beside,
    short_numbers,
    spread,
    styled,
)


@styled
def training_curves(histories: Mapping[str, pd.DataFrame]) -> Figure:
    """{model: the history of its run} -> loss, rate and accuracy of stage 1 against pieces seen."""
    figure = Figure(figsize=(WIDTH, 5.6 + 0.2 * len(histories)))  # the legend has a line a model
    loss, rate, accuracy = figure.subplots(3, 1, sharex=True)
    for model, h in histories.items():
        look = {"color": MODEL_COLOURS[model], "ls": MODEL_LINES[model], "label": MODEL_NAMES[model]}
        h = h[h["stage"] == h["stage"].max()]
        loss.plot(h["pieces"], h["loss"], **look)
        rate.plot(h["pieces"], h["rate_nats_per_piece"], **look)
        accuracy.plot(h["pieces"], h["accuracy_teacher_forced"], **look, alpha=0.7, lw=1)
        if "validation_accuracy_free_running" in h:
            free = h.dropna(subset=["validation_accuracy_free_running"])
            accuracy.plot(free["pieces"], free["validation_accuracy_free_running"], **look, marker=".", ms=5)
    loss.set_title("loss")
    rate.set_title("rate (nats a piece)")
    rate.set_ylim(bottom=0)
    dotted = any("validation_accuracy_free_running" in h for h in histories.values())
    accuracy.set_title(f"accuracy ({'dots: free-running, line: ' if dotted else ''}teacher-forced)")
    accuracy.set_xlabel("pieces seen")
    short_numbers(accuracy)
    figure.legend(*loss.get_legend_handles_labels(), loc="outside upper left", ncols=1 if len(histories) > 2 else 2)
    return figure


@styled
def rate_per_bar_over_time(history: pd.DataFrame, title: str = "") -> Figure:
    """A run's history -> the rate of each of the 8 bars while stage 1 goes on; early bars dark, late bars light."""
    h = history[history["stage"] == history["stage"].max()]
    figure = Figure(figsize=(WIDTH, 3.2))
    ax = figure.subplots()
    ends = [h[f"rate_bar_{bar}"].iloc[-1] for bar in range(1, BARS + 1)]
    places = spread(ends, 0.055 * max(h.filter(like="rate_bar_").max()))
    for bar, colour, end, place in zip(range(1, BARS + 1), BAR_COLOURS, ends, places):
        ax.plot(h["pieces"], h[f"rate_bar_{bar}"], color=colour, lw=1.5)
        # The names are in the page's ink, which small text needs; a short line leads to each from its curve.
        ax.plot((1, 1.012), (end, place), color=colour, lw=1.5, transform=ax.get_yaxis_transform(), clip_on=False)
        beside(ax, place, f"bar {bar}")
    ax.set(xlabel="pieces seen", ylabel="rate (nats a bar)", title=title)
    ax.set_ylim(bottom=0)
    ax.margins(x=0)
    short_numbers(ax)
    return figure
