"""The model drawn, for the page about the paper."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch, Polygon, Rectangle

from tvae.melody import BARS
from tvae.report.plots.style import INK, TINTS, WIDTH, styled, tile

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
            tile(ax, x + 1.2 * j, y + 1.2 * i, 1, 1, colour, 0.95 if j <= i else 0.16)


def _bar(ax: Axes, x: float, y: float, steps: Sequence[tuple[int, int, int]]) -> None:
    ax.add_patch(Rectangle((x - 8, y), 16, 9, fc="none", ec=INK, lw=0.9))
    for onset, length, height in steps:
        tile(ax, x - 8 + onset + 0.15, y + 7.4 - height, length - 0.3, 1, INK)


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
