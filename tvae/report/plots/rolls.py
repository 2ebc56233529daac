"""Piano rolls."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import fill

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tvae.melody import BARS, STEPS, Note, earlier_equal, tokens_to_notes
from tvae.report.plots.style import INK, ROLE_COLOURS, TINTS, WIDTH, styled, tile


def pitch_name(pitch: int) -> str:
    """MIDI pitch -> its name, 60 -> C4."""
    return "C C♯ D E♭ E F F♯ G A♭ A B♭ B".split()[pitch % 12] + str(pitch // 12 - 1)


def pitch_range(notes: Sequence[Note]) -> tuple[int, int]:
    """Lowest and highest MIDI pitch a roll of these notes shows: all of them, and at least an octave and a half."""
    pitches = [note.pitch for note in notes] or [60]
    low, high = min(pitches) - 1, max(pitches) + 1
    room = max(0, 18 - (high - low))
    return low - room // 2, high + room - room // 2


def tints(tokens: np.ndarray, like: np.ndarray | None = None) -> tuple[int, ...]:
    """(128,) tokens -> for each bar the colour of the bars that equal it, from 1, and 0 where none does.

    A group of equal bars that the piece `like` (128,) has too gets its colour there; the others get what is left.
    """
    repeats = earlier_equal(tokens)
    own = sorted(set(repeats.tolist()) - {-1})
    theirs = [] if like is None else sorted(set(earlier_equal(like).tolist()) - {-1})
    colours = {group: theirs.index(group) + 1 for group in own if group in theirs}
    order = [*range(len(theirs) + 1, len(TINTS) + 1), *range(1, len(theirs) + 1)]  # first what is not in use at all
    free = [colour for colour in order if colour not in colours.values()]
    colours |= dict(zip([group for group in own if group not in colours], free))
    return tuple(colours.get(bar if earlier < 0 else int(earlier), 0) for bar, earlier in enumerate(repeats))


def hosts(pieces: Sequence[np.ndarray], roles: Sequence[str]) -> list[np.ndarray | None]:
    """For each piece the last one so far whose role is "host"."""
    found, host = [], None
    for piece, role in zip(pieces, roles or [""] * len(pieces)):
        host = piece if role == "host" else host
        found.append(host)
    return found


def bar_tints(tokens: np.ndarray, like: np.ndarray | None = None) -> dict[int, str]:
    """(128,) -> {bar: the tint it shares with the bars it equals}, for bars that equal another one; see `tints`."""
    return {bar: TINTS[colour - 1] for bar, colour in enumerate(tints(tokens, like)) if colour}


def bar_name(first: Sequence[int], bar: int) -> str:
    """ "5 = 1", or where bars are narrow "=1", by `earlier_equal` of the piece; the number of a new bar alone."""
    if first[bar] < 0:
        return f"{bar + 1}"
    return f"={first[bar] + 1}" if len(first) > BARS else f"{bar + 1} = {first[bar] + 1}"


def _roll(
    ax: Axes, tokens: np.ndarray, title: str, role: str, low: int, high: int, like: np.ndarray | None = None
) -> None:
    first = earlier_equal(tokens)  # (8,) the bar that each bar repeats, -1 where it is new
    tint = bar_tints(tokens, like)
    for bar in range(len(first)):
        if bar in tint:
            tile(ax, bar * STEPS, low - 0.5, STEPS, high - low + 1, tint[bar], 0.16)
            tile(ax, bar * STEPS, high + 0.5, STEPS, (high - low) / 30, tint[bar])
        ax.annotate(
            bar_name(first, bar), (bar * STEPS, 1), (2, 5), ("data", "axes fraction"), "offset points", fontsize=9
        )
        ax.axvline(bar * STEPS, color=INK, lw=0.8, alpha=0.35)
    for note in tokens_to_notes(tokens):
        length = note.end - note.onset - 0.24
        tile(ax, note.onset + 0.12, note.pitch - 0.45, length, 0.9, ROLE_COLOURS.get(role, INK))
    octaves = range(-(-low // 12) * 12, high + 1, 12)
    ax.set(xlim=(0, len(tokens)), ylim=(low - 0.5, high + 0.5), xticks=[], yticks=octaves)
    ax.set_yticklabels([pitch_name(pitch) for pitch in octaves])
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    ax.set_title(fill(" · ".join(filter(None, (role, title))), 38), pad=18)  # in two columns it stays in its own


@styled
def piano_rolls(
    pieces: Sequence[np.ndarray],
    titles: Sequence[str] = (),
    roles: Sequence[str] = (),
    columns: int = 1,
    like: Sequence[np.ndarray | None] | None = None,
) -> Figure:
    """(128,) pieces over one range of pitches, row by row: bars numbered, equal ones in one tint and marked "5 = 1".

    ``roles`` are "", "host", "donor" or "result". The tints are those of ``like``, a piece for each, or else of the
    last host so far.
    """
    low, high = pitch_range([note for tokens in pieces for note in tokens_to_notes(tokens)])
    rows = -(-len(pieces) // columns)
    figure = Figure(figsize=(WIDTH if columns == 1 else 1.5 * WIDTH, 1.7 * rows))
    axes = figure.subplots(rows, columns, squeeze=False).flat
    like = like or hosts(pieces, roles)
    for k, ax in enumerate(axes):
        if k < len(pieces):
            _roll(ax, pieces[k], titles[k] if titles else "", roles[k] if roles else "", low, high, like[k])
        else:
            ax.set_axis_off()
    return figure
