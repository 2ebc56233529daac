"""Arrays in, figures out; nothing is computed here but where to put the ink.

Every figure is drawn with the one style `STYLE` and one colour a model (`MODEL_COLOURS`), corpus or role. Each one is
dark enough for white paper and light enough for a black screen, and nothing is told by colour alone. What is neither
model, corpus nor role (text, axes, grid) is drawn in `INK`, a stand-in that `show` turns into the colour of the text
around the figure and `save` into a grey that reads on both. A notebook ends a cell with `show(figure, alt, caption)`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from hashlib import sha256
from html import escape
from io import StringIO
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch, Polygon, Rectangle

from tvae.melody import BARS, HIGHEST, LOWEST, PIECE, STEPS, Note, earlier_equal, equal_bars, tokens_to_notes

GREY = "#7f868d"  # what needs no model
MODEL_COLOURS = {
    "attention": "#0077bb",
    "no_attention": "#d55e00",
    "lstm_8x1": "#009e73",
    "lstm_1x8": "#cc6fa5",
    "bidirectional": "#8560c5",
    "lstm_conductor": "#98801a",
    "compact": "#2b98c4",
}
MODEL_MARKERS = dict(zip(MODEL_COLOURS, "osD^vPp"))
MODEL_NAMES = {
    "attention": "Proposed+A (attention)",
    "no_attention": "Proposed\N{MINUS SIGN}A (no attention)",
    "lstm_8x1": "8\N{MULTIPLICATION SIGN}1-bar LSTM",
    "lstm_1x8": "1\N{MULTIPLICATION SIGN}8-bar LSTM",
    "bidirectional": "encoder unmasked (bidirectional)",
    "lstm_conductor": "LSTM with conductor",
    "compact": "compact heads (attention)",
    "no_stage_0": "no stage 0 (attention)",
    "sustain": "always \N{LEFT SINGLE QUOTATION MARK}sustain\N{RIGHT SINGLE QUOTATION MARK}",
    "previous_bar": "repeats the previous bar",
}
CORPUS_COLOURS = {"folk": "#1f8f63", "hooktheory": "#7d5fd0", "pop909": "#c9741a"}
ROLE_COLOURS = {"host": "#3b82c4", "donor": "#c27a00", "result": "#c4457a"}
TINTS = ("#0077bb", "#d98200", "#00966c", "#c05fa8")  # bars that are equal share one; 8 bars hold at most 4 such groups

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


def pitch_name(pitch: int) -> str:
    """MIDI pitch -> its name, 60 -> C4."""
    return "C C♯ D E♭ E F F♯ G A♭ A B♭ B".split()[pitch % 12] + str(pitch // 12 - 1)


def pitch_range(notes: Sequence[Note]) -> tuple[int, int]:
    """Lowest and highest MIDI pitch a roll of these notes shows: all of them, and at least an octave and a half."""
    pitches = [note.pitch for note in notes] or [60]
    low, high = min(pitches) - 1, max(pitches) + 1
    room = max(0, 18 - (high - low))
    return low - room // 2, high + room - room // 2


def _tile(ax: Axes, x: float, y: float, width: float, height: float, colour: str, alpha: float = 1) -> None:
    ax.add_patch(Rectangle((x, y), width, height, color=colour, alpha=alpha, lw=0, clip_on=False))


# --- music


def _roll(ax: Axes, tokens: np.ndarray, title: str, role: str, low: int, high: int) -> None:
    first = earlier_equal(tokens)  # (8,) the bar that each bar repeats, -1 where it is new
    tint = {bar: TINTS[k] for k, bar in enumerate(sorted(set(first.tolist()) - {-1}))}
    for bar in range(BARS):
        source = bar if first[bar] < 0 else int(first[bar])
        if source in tint:
            _tile(ax, bar * STEPS, low - 0.5, STEPS, high - low + 1, tint[source], 0.16)
            _tile(ax, bar * STEPS, high + 0.5, STEPS, (high - low) / 30, tint[source])
        label = f"{bar + 1}" if first[bar] < 0 else f"{bar + 1} = {source + 1}"
        ax.annotate(label, (bar * STEPS, 1), (2, 5), ("data", "axes fraction"), "offset points", fontsize=9)
        ax.axvline(bar * STEPS, color=INK, lw=0.8, alpha=0.35)
    for note in tokens_to_notes(tokens):
        length = note.end - note.onset - 0.24
        _tile(ax, note.onset + 0.12, note.pitch - 0.45, length, 0.9, ROLE_COLOURS.get(role, INK))
    octaves = range(-(-low // 12) * 12, high + 1, 12)
    ax.set(xlim=(0, PIECE), ylim=(low - 0.5, high + 0.5), xticks=[], yticks=octaves)
    ax.set_yticklabels([pitch_name(pitch) for pitch in octaves])
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    ax.set_title(" · ".join(filter(None, (role, title))), pad=18)


@styled
def piano_roll(tokens: np.ndarray, title: str = "", role: str = "", ax: Axes | None = None) -> Figure:
    """(128,) tokens -> the roll: bars numbered, bars that are equal in one tint and marked "5 = 1".

    ``role`` is "", "host", "donor" or "result". Draws into ``ax`` where one is given.
    """
    if ax is None:
        ax = Figure(figsize=(WIDTH, 1.7)).subplots()
    _roll(ax, tokens, title, role, *pitch_range(tokens_to_notes(tokens)))
    return ax.figure


@styled
def piano_rolls(
    pieces: Sequence[np.ndarray], titles: Sequence[str] = (), roles: Sequence[str] = (), columns: int = 1
) -> Figure:
    """Several (128,) pieces over one range of pitches, row by row."""
    low, high = pitch_range([note for tokens in pieces for note in tokens_to_notes(tokens)])
    rows = -(-len(pieces) // columns)
    figure = Figure(figsize=(WIDTH if columns == 1 else 1.5 * WIDTH, 1.7 * rows))
    axes = figure.subplots(rows, columns, squeeze=False).flat
    for k, ax in enumerate(axes):
        if k < len(pieces):
            _roll(ax, pieces[k], titles[k] if titles else "", roles[k] if roles else "", low, high)
        else:
            ax.set_axis_off()
    return figure


# --- corpora


def _heat(ax: Axes, share: np.ndarray, colour: str, most: float) -> None:
    # The shade is opacity, so that "none" is the page's own background, be it white or black.
    for i in range(1, BARS):
        for j in range(i):
            _tile(ax, j + 0.54, i + 0.54, 0.92, 0.92, colour, 0.04 + 0.81 * share[i, j] / most)
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
    top, bottom = figure.subfigures(2, 1, height_ratios=[1.25, 1])
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


# --- training


def _model(label: str) -> str:
    """The model a run's label speaks of, or "": the longest name in it, so that no_attention is not attention."""
    return max((model for model in MODEL_COLOURS if model in label), key=len, default="")


def _look(labels: Sequence[str]) -> dict[str, dict]:
    """A line's look for each run: the colour is the model's, the dashes tell runs of one model apart."""
    seen: dict[str, int] = {}
    looks = {}
    for label in labels:
        model = _model(label)
        nth = seen[model] = seen.get(model, -1) + 1
        name = label.replace(model, MODEL_NAMES[model]) if model else label
        looks[label] = {"color": MODEL_COLOURS.get(model, GREY), "ls": ("-", "--", ":", "-.")[nth % 4], "label": name}
    return looks


def _beside(ax: Axes, y: float, text: str, **look) -> None:
    """A text to the right of the axes, at the height of y."""
    ax.annotate(text, (1, y), (5, 0), ("axes fraction", "data"), "offset points", va="center", fontsize=9.5, **look)


def _short_numbers(ax: Axes) -> None:
    ax.xaxis.set_major_formatter(lambda x, _: f"{x / 1e6:g} M" if x >= 1e6 else f"{x / 1000:g}k" if x else "0")


@styled
def training_curves(histories: Mapping[str, pd.DataFrame]) -> Figure:
    """{label of a run: its history} -> loss, rate and accuracy of stage 1 against pieces seen.

    A label that has a model's name in it gets that model's colour.
    """
    figure = Figure(figsize=(WIDTH, 6.2))
    loss, rate, accuracy = figure.subplots(3, 1, sharex=True)
    for label, look in _look(list(histories)).items():
        h = histories[label]
        h = h[h["stage"] == h["stage"].max()]
        loss.plot(h["pieces"], h["loss"], **look)
        rate.plot(h["pieces"], h["rate_nats_per_piece"], **look)
        accuracy.plot(h["pieces"], h["accuracy_teacher_forced"], **look, alpha=0.7, lw=1)
        if "accuracy_free_running" in h:
            free = h.dropna(subset=["accuracy_free_running"])
            accuracy.plot(free["pieces"], free["accuracy_free_running"], **look, marker="o", ms=4)
    loss.set_title("loss")
    rate.set_title("rate (nats a piece)")
    rate.set_ylim(bottom=0)
    accuracy.set_title("accuracy (dots: free-running, line: teacher-forced)")
    accuracy.set_xlabel("pieces seen")
    _short_numbers(accuracy)
    figure.legend(*loss.get_legend_handles_labels(), loc="outside upper left", ncols=1 if len(histories) > 2 else 2)
    return figure


@styled
def rate_per_bar_over_time(history: pd.DataFrame, title: str = "") -> Figure:
    """A run's history -> the rate of each of the 8 bars while stage 1 goes on; early bars dark, late bars light."""
    h = history[history["stage"] == history["stage"].max()]
    figure = Figure(figsize=(WIDTH, 3.2))
    ax = figure.subplots()
    ends = [h[f"rate_bar_{bar}"].iloc[-1] for bar in range(1, BARS + 1)]
    places = _spread(ends, 0.055 * max(h.filter(like="rate_bar_").max()))
    for bar, colour, place in zip(range(1, BARS + 1), BAR_COLOURS, places):
        ax.plot(h["pieces"], h[f"rate_bar_{bar}"], color=colour, lw=1.5)
        _beside(ax, place, f"bar {bar}", color=colour)
    ax.set(xlabel="pieces seen", ylabel="rate (nats a bar)", title=title)
    ax.set_ylim(bottom=0)
    ax.margins(x=0)
    _short_numbers(ax)
    return figure


# From blue over violet to orange: ordered by hue, as lightness has to stay in the middle to read on white and on black.
BAR_COLOURS = ("#1f6fd0", "#4f6be0", "#7a62d8", "#9c58c4", "#b94fa6", "#cc4c80", "#d65257", "#d4661f")


def _spread(values: Sequence[float], gap: float) -> list[float]:
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


# --- results


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
            _beside(ax, k, f"{row.value:.3f}")
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
    """Points of `tvae.analysis.rate_distortion` -> distortion and free-running accuracy over rate, a line a model.

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


# --- the model

# Bar -> its middle, in twentieths of an inch; dots stand for bars 3 ... 7.
COLUMNS = {"1": 11, "2": 33, "8": 70}


def _box(ax: Axes, x: float, y: float, width: float, height: float, colour: str) -> None:
    look = {"boxstyle": "round,pad=0,rounding_size=1.2", "lw": 1.1}
    ax.add_patch(FancyBboxPatch((x, y), width, height, fc=colour + "29", ec=colour, **look))


def _funnel(ax: Axes, x: float, y: float, top: float, bottom: float, colour: str) -> None:
    corners = [(x - top / 2, y), (x + top / 2, y), (x + bottom / 2, y + 8), (x - bottom / 2, y + 8)]
    ax.add_patch(Polygon(corners, fc=colour + "29", ec=colour, lw=1.1, joinstyle="round"))


def _arrow(ax: Axes, start: tuple[float, float], end: tuple[float, float], **look) -> None:
    look = {"color": INK, "lw": 1, "arrowstyle": "-|>", "mutation_scale": 8, "shrinkA": 0, "shrinkB": 0} | look
    ax.add_patch(FancyArrowPatch(start, end, **look))


def _mask(ax: Axes, x: float, y: float, colour: str) -> None:
    for i in range(BARS):
        for j in range(BARS):
            _tile(ax, x + 1.2 * j, y + 1.2 * i, 1, 1, colour, 0.95 if j <= i else 0.16)


def _bar(ax: Axes, x: float, y: float, steps: Sequence[tuple[int, int, int]]) -> None:
    ax.add_patch(Rectangle((x - 8, y), 16, 9, fc="none", ec=INK, lw=0.9))
    for onset, length, height in steps:
        _tile(ax, x - 8 + onset + 0.15, y + 7.4 - height, length - 0.3, 1, INK)


@styled
def architecture() -> Figure:
    """The model drawn once, from a melody's bars down to the bars it gives back; names and shapes in the margin."""
    figure = Figure(figsize=(WIDTH, 7.3), layout="none")
    ax = figure.add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, 20 * WIDTH), ylim=(146, 0), aspect="equal")
    ax.set_axis_off()
    encoder, latent, decoder = TINTS[0], TINTS[1], TINTS[2]
    dashed = {"ls": (0, (3, 2)), "color": decoder}
    tune = {  # Twinkle, twinkle: bars 1, 2 and 8 as (onset, length, height)
        "1": ((0, 4, 0), (4, 4, 0), (8, 4, 4), (12, 4, 4)),
        "2": ((0, 4, 5), (4, 4, 5), (8, 8, 4)),
        "8": ((0, 4, 1), (4, 4, 1), (8, 8, 0)),
    }

    def margin(y: float, name: str, *lines: str) -> None:
        ax.text(84, y, name, fontsize=10, weight="bold", va="center")
        for k, line in enumerate(lines, 1):
            ax.text(84, y + 4 * k, line, fontsize=8.5, va="center")

    for bar, x in COLUMNS.items():
        _bar(ax, x, 7, tune[bar])
        ax.text(x, 4, f"bar {bar}", ha="center", va="center", fontsize=9.5)
        _arrow(ax, (x, 16), (x, 21))
        _funnel(ax, x, 21, 16, 9, encoder)
        _arrow(ax, (x, 29), (x, 37))
        _arrow(ax, (x, 50), (x, 56))
        for side, name in ((-1, "μ"), (1, "σ")):
            _box(ax, x - 3.4 + 3.9 * side, 56, 6.8, 6.4, encoder)
            ax.text(x + 3.9 * side, 59.3, name, ha="center", va="center", fontsize=10)
            _arrow(ax, (x + 3.9 * side, 62.4), (x + 1.6 * side, 67.4))
        ax.add_patch(Circle((x, 71.6), 4.4, fc=latent + "40", ec=latent, lw=1.4))
        ax.text(x, 71.7, "z" + {"1": "₁", "2": "₂", "8": "₈"}[bar], ha="center", va="center", fontsize=11)
        _arrow(ax, (x, 76), (x, 83))
        _arrow(ax, (x, 96), (x, 104))
        _funnel(ax, x, 104, 9, 16, decoder)
        _arrow(ax, (x, 112), (x, 119))
        _bar(ax, x, 119, tune[bar])
        if bar != "1":  # what came out so far is read again on the way to the next bar
            _arrow(ax, (x - 14, 123.5), (x - 12, 123.5), **dashed | {"arrowstyle": "-"})
            _arrow(ax, (x - 12, 123.5), (x - 12, 96), **dashed)
    for y in (11.5, 25, 59.3, 71.6, 108, 123.5):
        ax.text(51.5, y, "· · ·", ha="center", va="center", fontsize=12)
    for y, name, colour in ((37, "Transformer encoder", encoder), (83, "Transformer decoder", decoder)):
        _box(ax, 2, y, 77, 13, colour)
        ax.text(33, y + 6.5, name, ha="center", va="center", fontsize=11, weight="bold")
        _mask(ax, 66, y + 1.8, colour)

    margin(9, "xᵢ, a bar", "16 steps × 47 states")
    margin(23, "local encoder", "752 → 512 → 384 → 256", "each bar by itself")
    margin(39.5, "eq. 1: hᵉ → gᵉ", "256 a bar; bar i sees", "bars 1 … i only")
    margin(57.5, "eq. 2: μᵢ, log σᵢ²", "64 each, one Wᵢ per bar")
    margin(69.7, "eq. 3: zᵢ ~ N(μᵢ, σᵢ²)", "64 numbers a bar")
    margin(83.5, "eq. 4: z, hᵈ → gᵈ", "256 a bar; sees z₁ … zᵢ", "and the bars so far")
    margin(104, "eq. 5: local decoder", "256 → 384 → 512 → 752", "a whole bar at once")
    margin(121.5, "x̂ᵢ, the bar again", "16 steps × 47 states")
    for y, line in (
        (135, "Filled squares: which bars (across) each bar (down) may look at."),
        (139.5, "Dashed: the bars so far, through the local encoder again (hᵈ), shifted by one."),
    ):
        ax.text(2, y, line, fontsize=8.5, va="center")
    return figure


# --- context transfer


@styled
def transfer(rows: pd.DataFrame, panels: Mapping[str, str], thresholds: Mapping[str, float]) -> Figure:
    """Rows of condition, model, measure, value, low, high -> a panel a measure (its name: its title), a line a condition.

    A dashed line is what decides a measure's claim, at its threshold. What lies outside -0.4 ... 1.2 is drawn as an arrowhead
    at the edge; what is not a number is left out.
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


# --- inside the model

ATTENTIONS = {  # kind -> title, what a row and a column are
    "encoder": ("encoder", "bar that looks", "bar looked at"),
    "decoder": ("decoder", "bar being made", "bar made before"),
    "inter": ("decoder to codes", "bar being made", "code looked at"),
}


def bar_tints(tokens: np.ndarray) -> dict[int, str]:
    """(128,) -> {bar: the tint it shares with the bars it equals}, for bars that equal another one."""
    first = earlier_equal(tokens)
    groups = {bar: TINTS[k] for k, bar in enumerate(sorted(set(first.tolist()) - {-1}))}
    return {
        bar: groups[source] for bar in range(BARS) if (source := bar if first[bar] < 0 else int(first[bar])) in groups
    }


def _strip(ax: Axes, tokens: np.ndarray, shift: int, down: bool) -> None:
    """A piece along an axis of a map, `shift` bars late; with `down` time goes downwards."""
    notes = tokens_to_notes(tokens)
    low, high = pitch_range(notes)

    def place(at: float, pitch: float, length: float, height: float, colour: str, alpha: float = 1) -> None:
        _tile(ax, *((pitch, at, height, length) if down else (at, pitch, length, height)), colour, alpha)

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
        _tile(ax, j + 0.54, i + 0.54, 0.92, 0.92, colour, float(0.06 + 0.79 * weights[i, j]))
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
    """Heads {kind, layer, number, found, expected} -> a panel an attention; the mass found and the mass expected, a head.

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
    """Rows {distance, pairs, found, expected} of one head, each mass [value, low, high] -> two lines over the distance."""
    figure = Figure(figsize=(WIDTH, 3))
    ax = figure.subplots()
    looks = {"found": {"color": MODEL_COLOURS["attention"], "marker": "o", "label": "a repeated bar, to the bar it repeats"},
             "expected": {"color": GREY, "marker": "s", "ls": "--", "label": "a bar with nothing to find, to the same place"}}  # fmt: skip
    distance = np.array([row["distance"] for row in rows])
    for aside, (name, look) in zip((-0.05, 0.05), looks.items()):
        value, low, high = np.array([row[name] for row in rows]).T
        ax.errorbar(distance + aside, value, [value - low, high - value], elinewidth=1.4, **look)
    ax.set(xlabel="distance in bars", ylabel="mass", xticks=distance, ylim=(-0.03, 1.03))
    figure.legend(loc="outside upper left")
    return figure


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
                _beside(ax, y, f"{row.value:.{digits}f}")
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
        for i, j in np.ndindex(BARS, BARS):
            _tile(ax, j + 0.54, i + 0.54, 0.92, 0.92, MODEL_COLOURS.get(model, GREY), 0.03 + 0.82 * float(share[i][j]))
            if share[i][j] >= 0.005:
                ax.text(j + 1, i + 1.03, f"{100 * share[i][j]:.0f}", ha="center", va="center", fontsize=7)
        ax.set(xlim=(0.5, BARS + 0.5), ylim=(BARS + 0.5, 0.5), aspect="equal", xlabel="bar that changes")
        ax.set(xticks=range(1, BARS + 1), yticks=range(1, BARS + 1))
        ax.tick_params(length=0, labelsize=8.5)
        ax.grid(False)
        ax.spines[:].set_visible(False)
        ax.set_title(MODEL_NAMES.get(model, model).split(" (")[0])
    axes[0].set_ylabel("code drawn anew")
    return figure


@styled
def rate_per_dimension(rate: np.ndarray) -> Figure:
    """(8, Z) nats, sorted from high to low within a bar -> a line a bar; where it is flat at zero units have collapsed."""
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
                label = f"{value[chosen].min():.3g} to {value[chosen].max():.3g}"
                ax.plot(*points[chosen].T, marker, color=colour, ms=3.4, mew=0, alpha=0.8, label=label)
        ax.legend(title=name, loc="upper left", bbox_to_anchor=(1, 1), handletextpad=0.1)
        ax.set_ylabel(f"second axis ({share[1]:.0%})")
    axes[-1].set_xlabel(f"first axis ({share[0]:.0%} of the variance)")
    return figure


# --- to the page and to files


def svg(figure: Figure, alt: str, ink: str = "currentColor") -> str:
    """The figure as one <svg>: text as text in the page's font, the same bytes every time, ids no other figure has."""
    if figure.get_layout_engine() is not None:  # lay it out once: every drawing would move things by another hair
        figure.draw_without_rendering()
        figure.set_layout_engine("none")
    buffer, nothing = StringIO(), dict.fromkeys(("Date", "Creator", "Format", "Type"))
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "tvae"}):
        figure.savefig(buffer, format="svg", transparent=True, metadata=nothing)
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>|<!--.*?-->|(?<=>)\s+(?=<)", "", text, flags=re.S)
    text = re.sub(r"<[^>]+>", lambda tag: re.sub(r"\d+\.\d{3,}", lambda x: f"{float(x[0]):.2f}", tag[0]), text)
    text = re.sub(r"font: (?:(\d+) )?([\d.]+px) [^;\"]*", _font, text)  # Matplotlib up to 3.10
    text = re.sub(r" font-family: [^;\"]*;", "", text)
    used = set(re.findall(r'(?:url\(|href=")#([^")]+)', text))
    text = re.sub(r' id="([^"]+)"', lambda m: m[0] if m[1] in used else "", text)
    mark = sha256(text.encode()).hexdigest()[:8]
    text = re.sub(r'(id="|url\(#|href="#)([\w-]+)', rf"\g<1>f{mark}-\2", text)
    width, height = (float(x) for x in re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', text).groups())
    head = (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'viewBox="0 0 {width:g} {height:g}" width="{4 / 3 * width:.0f}" height="{4 / 3 * height:.0f}" '
        f'role="img" aria-label="{escape(alt)}" style="width:100%;min-width:{0.8 * width:.0f}px;'
        f'max-width:{1.5 * width:.0f}px;height:auto;stroke-linejoin:round;font-family:inherit">'
    )
    return (head + text[text.index(">") + 1 :].strip()).replace(INK, ink)


def _font(match: re.Match) -> str:
    return f"font-size: {match[2]}" + (f"; font-weight: {match[1]}" if match[1] else "")


def save(figure: Figure, path: str | Path, alt: str) -> Path:
    """Write the figure as an SVG file for use as an image: its ink is a grey that reads on white and on black."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    text = svg(figure, alt, ink="#7a7f85")
    # An image has no page to take its size and font from.
    look = 'style="stroke-linejoin:round;font-family:system-ui,sans-serif"'
    path.write_text(re.sub('style="width:100%[^"]*"', look, text, count=1) + "\n", encoding="utf-8")
    return path


@dataclass(frozen=True, repr=False)
class Shown:
    """A figure on a page: inline SVG in the colours of the page, with alternative text and a caption."""

    figure: Figure
    alt: str
    caption: str = ""

    def _repr_html_(self) -> str:
        caption = f"<figcaption>{escape(self.caption)}</figcaption>" if self.caption else ""
        return f'<figure class="tvae-figure">{svg(self.figure, self.alt)}{caption}</figure>'

    def __repr__(self) -> str:
        return self.alt


def show(figure: Figure, alt: str, caption: str = "") -> Shown:
    """What a notebook ends a cell with: a figure, a text for who does not see it, a caption that can stand alone."""
    return Shown(figure, alt, caption)
