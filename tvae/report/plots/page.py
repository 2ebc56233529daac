"""Figures on a page and in files: one <svg> each, in the colours and the font of what is around it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from html import escape
from io import BytesIO
from pathlib import Path

import matplotlib as mpl
from lxml import etree
from matplotlib.figure import Figure

from tvae.report.plots.style import INK

SVG = "http://www.w3.org/2000/svg"
LONG_NUMBER = re.compile(r"\d+\.\d{3,}")
REFERENCE = re.compile(r"(url\(#|^#)([\w-]+)")


def svg(figure: Figure, alt: str) -> str:
    """The figure as one <svg>: text as text in the page's font, the same bytes every time, ids no other figure has."""
    if figure.get_layout_engine() is not None:  # lay it out once: every drawing would move things by another hair
        figure.draw_without_rendering()
        figure.set_layout_engine("none")
    buffer, nothing = BytesIO(), dict.fromkeys(("Date", "Creator", "Format", "Type"))
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "tvae"}):
        figure.savefig(buffer, format="svg", transparent=True, metadata=nothing)
    root = etree.fromstring(buffer.getvalue(), etree.XMLParser(remove_blank_text=True, remove_comments=True))
    etree.strip_elements(root, f"{{{SVG}}}metadata", f"{{{SVG}}}style")
    for element in root.iter():
        for name, value in element.attrib.items():
            element.set(name, LONG_NUMBER.sub(lambda number: f"{float(number[0]):.2f}", value))
        if "style" in element.attrib:
            element.set("style", "; ".join(map(": ".join, page_style(element.get("style")))))
    name_apart(root)
    _, _, width, height = map(float, root.get("viewBox").split())
    look = {"width": "100%", "min-width": f"{0.8 * width:.0f}px", "max-width": f"{1.5 * width:.0f}px", "height": "auto"}
    look |= {"stroke-linejoin": "round", "font-family": "inherit"}
    root.attrib.clear()
    root.attrib.update(
        {
            "viewBox": f"0 0 {width:g} {height:g}",
            "width": f"{4 / 3 * width:.0f}",
            "height": f"{4 / 3 * height:.0f}",
            "role": "img",
            "aria-label": alt,
            "style": ";".join(map(":".join, look.items())),
        }
    )
    return etree.tostring(root, encoding="unicode").replace(INK, "currentColor")


def page_style(style: str) -> Iterator[tuple[str, str]]:
    """The properties of a style, but for the font family, which is the page's."""
    for name, value in (declaration.split(":", 1) for declaration in style.split(";") if declaration.strip()):
        name, value = name.strip(), value.strip()
        if name == "font":  # Matplotlib up to 3.10: weight (where it is not normal), size, family
            weight, size = re.match(r"(?:(\d+) )?([\d.]+px)", value).groups()
            yield "font-size", size
            if weight:
                yield "font-weight", weight
        elif name != "font-family":
            yield name, value


def name_apart(root: etree._Element) -> None:
    """Give the ids that are referred to a beginning that no other figure has, and remove the others."""
    used = {
        name for element in root.iter() for value in element.attrib.values() for _, name in REFERENCE.findall(value)
    }
    mark = sha256(etree.tostring(root)).hexdigest()[:8]
    for element in root.iter():
        if element.get("id") in used:
            element.set("id", f"f{mark}-{element.get('id')}")
        else:
            element.attrib.pop("id", None)
        for name, value in element.attrib.items():
            element.set(name, REFERENCE.sub(rf"\g<1>f{mark}-\g<2>", value))


def as_image(page: str) -> str:
    """What `svg` made for a page, as a file of its own.

    There is no page to take ink and font from: the ink is a grey that reads on white and on black, the font the
    system's.
    """
    root = etree.fromstring(page)
    root.set("style", "stroke-linejoin:round;font-family:system-ui,sans-serif")
    return etree.tostring(root, encoding="unicode").replace("currentColor", "#7a7f85") + "\n"


def save(figure: Figure, path: str | Path, alt: str) -> Path:
    """Write the figure as an SVG file, for use as an image."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(as_image(svg(figure, alt)), encoding="utf-8")
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
