"""Figures of the page about the corpora."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import seaborn
from matplotlib.figure import Figure

from tvae.melody import BARS, HIGHEST, LOWEST
from tvae.report.plots.rolls import pitch_name
from tvae.report.plots.style import CORPUS_COLOURS, GREY, WIDTH, heat, styled


@styled
def repeats_by_distance(share: Mapping[str, np.ndarray]) -> Figure:
    """{corpus: (8, 8) share of pieces whose bars i and j are equal} -> by distance i - j, and for every pair (in %)."""
    figure = Figure(figsize=(WIDTH, 5.2))
    top, bottom = np.ravel(figure.subfigures(2, 1, height_ratios=[1.25, 1]))
    ax = top.subplots()
    distances = range(1, BARS)
    rows = pd.DataFrame(
        [(name, d, 100 * np.diagonal(np.asarray(s), -d).mean()) for name, s in share.items() for d in distances],
        columns=["corpus", "distance", "equal"],
    )
    look = {"hue": "corpus", "palette": {name: CORPUS_COLOURS.get(name, GREY) for name in share}}
    seaborn.lineplot(
        rows, x="distance", y="equal", style="corpus", markers=list("osD^vPp"[: len(share)]), ax=ax, **look
    )
    ax.set(xlabel="distance in bars", ylabel="bars that are equal (%)", xticks=distances)
    ax.set_ylim(bottom=0)
    ax.legend(ncols=len(share), loc="lower left", bbox_to_anchor=(-0.01, 1), borderaxespad=0.2, handlelength=2.4)

    most = max(float(np.tril(s, -1).max()) for s in share.values()) or 1.0
    axes = bottom.subplots(1, len(share), squeeze=False)[0]
    for ax, (name, s) in zip(axes, share.items()):
        earlier = np.where(np.tri(BARS, k=-1, dtype=bool), s, np.nan)
        heat(ax, earlier[1:, :-1], CORPUS_COLOURS.get(name, GREY), most, least=0)
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
