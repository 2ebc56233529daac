"""A notebook's cells, run in this process and from the folder where it stands: quicker than a kernel."""

import ast
from pathlib import Path

import nbformat

ROOT = Path(__file__).parent.parent
OFF_THE_PAGE = {"remove-cell", "remove-input"}


def run_cells(notebook: Path, only_visible: bool = False, **parameters) -> list:
    """What each code cell shows, None where it shows nothing; parameters are set after the cell that has them.

    The set-up cell is left out: it does nothing where `tvae` can be imported.

    With `only_visible`, the cells that a reader of the page sees, and can copy.
    """
    names, shown = {}, []
    for cell in nbformat.read(notebook, as_version=4).cells:
        tags = set(cell.metadata.get("tags", []))
        if cell.cell_type != "code" or "setup" in tags or only_visible and tags & OFF_THE_PAGE:
            continue
        body = ast.parse(cell.source).body
        last = body.pop() if body and isinstance(body[-1], ast.Expr) else None
        exec(compile(ast.Module(body, []), notebook.name, "exec"), names)
        shown.append(eval(compile(ast.Expression(last.value), notebook.name, "eval"), names) if last else None)
        if "parameters" in tags:
            assert set(parameters) <= set(names), "a notebook's parameters are in its cell of that tag"
            names |= parameters
    return shown


def html(shown: list) -> str:
    """What a page has of it."""
    return "".join(one._repr_html_() for one in shown if hasattr(one, "_repr_html_"))


def executed(name: str) -> str:
    """The HTML of what `make book` has shown on a page; empty where it is not built."""
    path = ROOT / "book" / "executed" / f"{name}.ipynb"
    if not path.exists():
        return ""
    outputs = [out for cell in nbformat.read(path, as_version=4).cells for out in cell.get("outputs", [])]
    return "".join(output.get("data", {}).get("text/html", "") for output in outputs)
