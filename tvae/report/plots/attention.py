"""Figures of the page about attention."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from tvae.melody import BARS, STEPS, equal_bars, tokens_to_notes
from tvae.report.plots.rolls import bar_tints, pitch_range
from tvae.report.plots.style import GREY, INK, MODEL_COLOURS, WIDTH, styled, tile

ATTENTIONS = {  # kind -> title, what a row and a column are
    "encoder": ("encoder", "bar that looks", "bar looked at"),
    "decoder": ("decoder", "bar being made", "bar made before"),
    "inter": ("decoder to codes", "bar being made", "code looked at"),
}


def _strip(ax: Axes, tokens: np.ndarray, shift: int, down: bool) -> None:
    """A piece along an axis of a map, `shift` bars late; with `down` time goes downwards."""
    notes = tokens_to_notes(tokens)
    low, high = pitch_range(notes)

    def place(at: float, pitch: float, length: float, height: float, colour: str, alpha: float = 1) -> None:
        tile(ax, *((pitch, at, height, length) if down else (at, pitch, length, height)), colour, alpha)

    for bar, tint in bar_tints(tokens).items():
        if bar + shift < BARS:
            place(bar + shift + 0.54, low - 0.5, 0.92, high - low + 1, tint, 0.22)
    for note in notes:
        at, length = note.onset / STEPS + shift + 0.5, (note.end - note.onset - 0.24) / STEPS
        if at < BARS + 0.5:
            place(at, note.pitch - 0.5, length, 1, INK)
    time, pitch = (0.5, BARS + 0.5), (low - 0.5, high + 0.5)
    ax.set(**{"xlim": pitch, "ylim": time[::-1]} if down else {"xlim": time, "ylim": pitch})
    ax.set_axis_off()


def _cells(ax: Axes, weights: np.ndarray, equal: np.ndarray, colour: str, numbers: bool) -> None:
    """Attention (8, 8): the shade of a cell is its weight, which is also written in it; a frame marks equal bars."""
    for i, j in np.argwhere(weights > 0.005):
        tile(ax, j + 0.54, i + 0.54, 0.92, 0.92, colour, float(0.06 + 0.79 * weights[i, j]))
        if numbers and weights[i, j] >= 0.05:
            ax.text(j + 1, i + 1.03, f"{100 * weights[i, j]:.0f}", ha="center", va="center", fontsize=9)
    for i, j in np.argwhere(equal):
        ax.add_patch(Rectangle((j + 0.54, i + 0.54), 0.92, 0.92, fc="none", ec=INK, lw=1.4 if numbers else 0.8))
    ax.set(xlim=(0.5, BARS + 0.5), ylim=(BARS + 0.5, 0.5), aspect="equal")
    ax.grid(False)
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)


def _equal_cells(tokens: np.ndarray, kind: str) -> np.ndarray:
    """(8, 8) bool: the cells of an attention map in which a bar looks at an earlier one that it equals."""
    equal = np.tril(equal_bars(tokens), -1)
    return np.roll(equal, 1, -1) if kind == "decoder" else equal


@styled
def attention_map(weights: np.ndarray, tokens: np.ndarray, kind: str, title: str = "") -> Figure:
    """One head's attention (8, 8) on a piece (128,), which stands along both axes; numbers are per cent of a row.

    `kind` is one of `ATTENTIONS`. In the decoder a column is the bar before: column 1 holds nothing yet. A frame marks
    the cells where a bar looks at an earlier bar that it equals.
    """
    figure = Figure(figsize=(WIDTH, WIDTH + 0.2))
    grid = figure.add_gridspec(2, 2, width_ratios=(1, 5), height_ratios=(1, 5))
    _, row, column = ATTENTIONS[kind]
    shift = int(kind == "decoder")
    top, left, ax = (figure.add_subplot(grid[place]) for place in ((0, 1), (1, 0), (1, 1)))
    _strip(top, tokens, shift, down=False)
    _strip(left, tokens, 0, down=True)
    _cells(ax, weights, _equal_cells(tokens, kind), MODEL_COLOURS["attention"], numbers=True)
    ax.set_xticks(range(1, BARS + 1), ["–", *range(1, BARS)] if shift else range(1, BARS + 1))
    ax.set(xlabel=column, ylabel=row, yticks=range(1, BARS + 1))
    top.set_title(title)
    return figure


@styled
def attention_maps(weights: np.ndarray, tokens: np.ndarray, kind: str) -> Figure:
    """All heads of one attention (layers, heads, 8, 8) on a piece (128,): a row a layer, a column a head."""
    layers, heads = weights.shape[:2]
    figure = Figure(figsize=(WIDTH, 0.45 + layers * (WIDTH / heads + 0.12)))
    axes = figure.subplots(layers, heads, squeeze=False)
    for layer, number in np.ndindex(layers, heads):
        ax = axes[layer, number]
        _cells(ax, weights[layer, number], _equal_cells(tokens, kind), MODEL_COLOURS["attention"], numbers=False)
        ax.add_patch(Rectangle((0.5, 0.5), BARS, BARS, fc="none", ec=INK, lw=0.8, alpha=0.35))
        ax.set(xticks=[], yticks=[])
        ax.set_title(f"{layer + 1}.{number + 1}", fontsize=9.5)
    figure.suptitle(f"{ATTENTIONS[kind][0]}: layer.head", x=0.01, ha="left", fontsize=11, weight="bold")
    return figure


@styled
def attention_masses(heads: Sequence[Mapping], chosen: int | None = None) -> Figure:
    """Heads {kind, layer, number, found, expected} -> a panel for each attention, with both masses of each head.

    Each mass is [value, low, high]; `chosen` is the number of the head that gets a ring.
    """
    kinds = [kind for kind in ATTENTIONS if any(head["kind"] == kind for head in heads)]
    figure = Figure(figsize=(WIDTH, 0.6 + 1.75 * len(kinds)))
    axes = figure.subplots(len(kinds), 1, sharey=True, squeeze=False)[:, 0]
    colour = MODEL_COLOURS["attention"]
    for ax, kind in zip(axes, kinds):
        own = [(k, head) for k, head in enumerate(heads) if head["kind"] == kind]
        for x, (k, head) in enumerate(own):
            value, low, high = head["found"]
            ax.plot([x, x], [head["expected"][0], value], color=colour, lw=5, alpha=0.25, solid_capstyle="butt")
            ax.plot([x, x], [low, high], color=colour, lw=1.4)
            ax.plot(x, value, "o", color=colour, label="a repeated bar" if x == 0 else None)
            ax.plot(
                x,
                head["expected"][0],
                "_",
                color=INK,
                ms=11,
                mew=1.6,
                label="a bar with nothing to find" if x == 0 else None,
            )
            if k == chosen:
                ax.plot(x, value, "o", ms=14, mfc="none", mec=INK, mew=1.2)
        ax.set_xticks(range(len(own)), [f"{head['layer']}.{head['number']}" for _, head in own])
        ax.set_title(ATTENTIONS[kind][0])
        ax.grid(False, axis="x")
        ax.set_ylim(-0.04, 1)
    axes[-1].set_xlabel("layer.head")
    figure.supylabel("mass on the earlier bar", fontsize=10.5)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper left", ncols=2)
    return figure


@styled
def attention_by_distance(rows: Sequence[Mapping]) -> Figure:
    """Rows {distance, found, expected} of one head, each mass [value, low, high] -> two lines over the distance."""
    figure = Figure(figsize=(WIDTH, 3))
    ax = figure.subplots()
    found, expected = "a repeated bar, to the bar it repeats", "a bar with nothing to find, to the same place"
    looks = {
        "found": {"color": MODEL_COLOURS["attention"], "marker": "o", "label": found},
        "expected": {"color": GREY, "marker": "s", "ls": "--", "label": expected},
    }
    distance = np.array([row["distance"] for row in rows])
    for aside, (name, look) in zip((-0.05, 0.05), looks.items()):
        value, low, high = np.array([row[name] for row in rows]).T
        ax.errorbar(distance + aside, value, [value - low, high - value], elinewidth=1.4, **look)
    ax.set(xlabel="distance in bars", ylabel="mass", xticks=distance, ylim=(-0.03, 1.03))
    figure.legend(loc="outside upper left")
    return figure
