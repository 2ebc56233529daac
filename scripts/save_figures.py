"""Keep the figures of executed notebooks as SVG files: python scripts/save_figures.py FOLDER NOTEBOOK...

A notebook that shows a figure with a `file` (`tvae.report.plots.show`) has drawn it; here it is only taken out of the
page. As an image it has no page to take its ink and its font from, so its ink is a grey that reads on white and on
black.
"""

import re
import sys
from pathlib import Path

import nbformat

from tvae.report.plots import as_image

FIGURE = re.compile(r'<figure class="tvae-figure" data-file="([\w-]+)">(<svg.*?</svg>)', re.S)


def figures(notebook: Path) -> dict[str, str]:
    """What a notebook has drawn for a file: its name -> its <svg>."""
    found = {}
    for cell in nbformat.read(notebook, as_version=4).cells:
        for output in cell.get("outputs", []):
            found |= dict(FIGURE.findall(output.get("data", {}).get("text/html", "")))
    return found


if __name__ == "__main__":
    folder, *notebooks = map(Path, sys.argv[1:])
    for notebook in notebooks:
        for name, svg in figures(notebook).items():
            (folder / f"{name}.svg").write_text(as_image(svg), encoding="utf-8")
