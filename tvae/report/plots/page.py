"""Figures on a page and in files: one <svg> each, in the colours and the font of what is around it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from html import escape
from io import StringIO
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from tvae.report.plots.style import INK


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
    file: str = ""

    def _repr_html_(self) -> str:
        caption = f"<figcaption>{escape(self.caption)}</figcaption>" if self.caption else ""
        file = f' data-file="{self.file}"' if self.file else ""
        return f'<figure class="tvae-figure"{file}>{svg(self.figure, self.alt)}{caption}</figure>'

    def __repr__(self) -> str:
        return self.alt


def show(figure: Figure, alt: str, caption: str = "", file: str = "") -> Shown:
    """A figure for a page, with a text for readers who do not see it and a caption that can stand alone.

    A figure with a `file` is also kept in ``figures/<file>.svg``, by ``scripts/save_figures.py``.
    """
    return Shown(figure, alt, caption, file)
