"""The one look of every figure: colours, names and marks of models and corpora, fonts and lines.

Every figure is drawn with the one style `STYLE` and one colour a model (`MODEL_COLOURS`), corpus or role. Each one is
dark enough for white paper and light enough for a black screen, and nothing is told by colour alone. What is neither
model, corpus nor role (text, axes, grid) is drawn in `INK`, a stand-in that `show` turns into the colour of the text
around the figure and `save` into a grey that reads on both.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
import seaborn
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_rgb
from matplotlib.patches import Rectangle

from tvae.melody import BARS
from tvae.presets import MODELS

GREY = "#7f868d"  # what needs no model
PALETTE = ("#0077bb", "#d55e00", "#009e73", "#cc6fa5", "#98801a", "#8560c5", "#2b98c4", "#b8862d", "#5f8f3a", "#c0504d")
MODEL_COLOURS = dict(zip(MODELS, itertools.cycle(PALETTE)))
MODEL_LINES = {model: ("-", "--")[k // len(PALETTE) % 2] for k, model in enumerate(MODELS)}  # a colour's second model
MODEL_MARKERS = dict(zip(MODELS, itertools.cycle("osD^vPpXh*<>8dH+")))
MODEL_NAMES = {name: row.label for name, row in MODELS.items()} | {
    "sustain": "always \N{LEFT SINGLE QUOTATION MARK}sustain\N{RIGHT SINGLE QUOTATION MARK}",
    "previous_bar": "repeats the previous bar",
}
CORPUS_COLOURS = {"folk": "#1f8f63", "hooktheory": "#7d5fd0", "pop909": "#c9741a"}
ROLE_COLOURS = {"host": "#3b82c4", "donor": "#c27a00", "result": "#c4457a"}
# Bars that are equal share one; 8 bars hold at most 4 such groups, 16 at most 8.
TINTS = ("#0077bb", "#d98200", "#00966c", "#c05fa8", "#7a6ad0", "#b0553c", "#6f8f1e", "#3c93a5")
# From blue over violet to orange: ordered by hue, as lightness has to stay in the middle to read on white and on black.
BAR_COLOURS = ("#1f6fd0", "#4f6be0", "#7a62d8", "#9c58c4", "#b94fa6", "#cc4c80", "#d65257", "#d4661f")


INK = "#0b0c0d"  # no colour anybody would choose: see `svg`
WIDTH = 5.8  # inches; scaled to a phone's 360 px the text is still 9 px high
STYLE = {
    "figure.facecolor": "none",
    "figure.constrained_layout.use": True,
    "font.family": "DejaVu Sans",  # wide: what fits in it fits in the page's own font, which `svg` leaves it to
    "font.size": 10.5,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 10.5,
    "xtick.labelsize": 9.5,
    "ytick.labelsize": 9.5,
    "legend.fontsize": 9.5,
    "legend.frameon": False,
    "axes.facecolor": "none",
    "axes.edgecolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": INK,
    "grid.alpha": 0.13,
    "grid.linewidth": 0.8,
    "text.color": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "lines.linewidth": 1.8,
    "lines.markersize": 5.5,
    "hatch.linewidth": 0.6,
}
styled = mpl.rc_context(STYLE)  # used as a decorator


def tile(ax: Axes, x: float, y: float, width: float, height: float, colour: str, alpha: float = 1) -> None:
    ax.add_patch(Rectangle((x, y), width, height, color=colour, alpha=alpha, lw=0, clip_on=False))


def beside(ax: Axes, y: float, text: str, **look) -> None:
    """A text to the right of the axes, at the height of y."""
    ax.annotate(text, (1, y), (5, 0), ("axes fraction", "data"), "offset points", va="center", fontsize=9.5, **look)


def short_numbers(ax: Axes) -> None:
    ax.xaxis.set_major_formatter(lambda x, _: f"{x / 1e6:.3g} M" if x >= 1e6 else f"{x / 1000:g}k" if x else "0")


def spread(values: Sequence[float], gap: float) -> list[float]:
    """Places for labels near these values, at least ``gap`` apart, in the same order."""
    order = np.argsort(values)
    places = np.asarray(values, float)[order]
    for _ in range(100):
        for k in range(len(places) - 1):
            short = gap - (places[k + 1] - places[k])
            if short > 1e-9:
                places[k] -= short / 2
                places[k + 1] += short / 2
    return places[np.argsort(order)].tolist()


def heat(ax: Axes, share: np.ndarray, colour: str, most: float = 1.0, least: float = 0.005) -> None:
    """Bars by bars: the shade of a cell is its share of `most`, per cent are written in it; NaN leaves it out.

    The shade is opacity, so that "none" is the page's own background, be it white or black.
    """
    shades = LinearSegmentedColormap.from_list("shades", [(*to_rgb(colour), 0.04), (*to_rgb(colour), 0.85)])
    words = np.where(share >= least, np.char.mod("%.0f", np.nan_to_num(100 * share)), "")
    rows, columns = share.shape  # of a triangle without its diagonal, 7 and 7
    seaborn.heatmap(
        share, vmin=0, vmax=most, cmap=shades, annot=words, fmt="", annot_kws={"size": 7.5, "color": INK}, cbar=False,
        square=True, linewidths=1.2, linecolor="none", xticklabels=range(1, columns + 1),
        yticklabels=range(BARS + 1 - rows, BARS + 1), ax=ax,
    )  # fmt: skip
    ax.tick_params(length=0, labelsize=8.5, rotation=0)
    ax.grid(False)
