"""Figures of the page about the corpora."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tvae.melody import BARS, HIGHEST, LOWEST
from tvae.report.plots.rolls import pitch_name
from tvae.report.plots.style import CORPUS_COLOURS, GREY, WIDTH, styled, tile


def _heat(ax: Axes, share: np.ndarray, colour: str, most: float) -> None:
    # The shade is opacity, so that "none" is the page's own background, be it white or black.
    for i in range(1, BARS):
        for j in range(i):
            tile(ax, j + 0.54, i + 0.54, 0.92, 0.92, colour, 0.04 + 0.81 * share[i, j] / most)
            ax.text(j + 1, i + 1.03, f"{100 * share[i, j]:.0f}", ha="center", va="center", fontsize=7.5)
    ax.set(xlim=(0.5, BARS - 0.5), xticks=range(1, BARS), ylim=(BARS + 0.5, 1.5), yticks=range(2, BARS + 1))
    ax.set_aspect("equal")
    ax.tick_params(length=0, labelsize=8.5)
    ax.grid(False)
    ax.spines[:].set_visible(False)


@styled
def repeats_by_distance(share: Mapping[str, np.ndarray]) -> Figure:
    """{corpus: (8, 8) share of pieces whose bars i and j are equal} -> by distance i - j, and for every pair (in %)."""
    figure = Figure(figsize=(WIDTH, 5.2))
    top, bottom = np.ravel(figure.subfigures(2, 1, height_ratios=[1.25, 1]))
    ax = top.subplots()
    distances = np.arange(1, BARS)
    for (name, s), marker, line in zip(share.items(), "osD^vPp", ("-", "--", ":", "-.") * 2):
        per_distance = [100 * np.diagonal(np.asarray(s), -d).mean() for d in distances]
        ax.plot(distances, per_distance, line, marker=marker, color=CORPUS_COLOURS.get(name, GREY), label=name)
    ax.set(xlabel="distance in bars", ylabel="bars that are equal (%)", xticks=distances)
    ax.set_ylim(bottom=0)
    ax.legend(ncols=len(share), loc="lower left", bbox_to_anchor=(-0.01, 1), borderaxespad=0.2, handlelength=2.4)

    most = max(float(np.tril(s, -1).max()) for s in share.values()) or 1.0
    axes = bottom.subplots(1, len(share), squeeze=False)[0]
    for ax, (name, s) in zip(axes, share.items()):
        _heat(ax, np.asarray(s), CORPUS_COLOURS.get(name, GREY), most)
        ax.set_title(name)
        ax.set_xlabel("equals bar")
    axes[0].set_ylabel("bar")
    return figure


@styled
def pitch_histogram(share: Mapping[str, np.ndarray]) -> Figure:
    """{corpus: (45,) share of its notes at MIDI pitch 40 ... 84} -> one panel a corpus, above one another."""
    figure = Figure(figsize=(WIDTH, 0.7 + 1.15 * len(share)))
    axes = figure.subplots(len(share), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
    pitches = np.arange(LOWEST, HIGHEST + 1)
    for ax, (name, s) in zip(axes, share.items()):
        ax.bar(pitches, 100 * np.asarray(s), width=0.86, color=CORPUS_COLOURS.get(name, GREY), lw=0)
        ax.set_title(name)
        ax.grid(False, axis="x")
    octaves = [pitch for pitch in pitches if pitch % 12 == 0]
    axes[-1].set_xticks([LOWEST, *octaves], [pitch_name(p) for p in (LOWEST, *octaves)])
    axes[-1].set(xlabel="pitch", xlim=(LOWEST - 1, HIGHEST + 1))
    figure.supylabel("share of the notes (%)", fontsize=10.5)
    return figure
