"""Notebooks run in any folder, and give a reader who copies their visible cells the figures of the page."""

import ast
import builtins
import re
from pathlib import Path

import nbformat
import pytest
from cells import OFF_THE_PAGE, executed, html, run_cells
from execute import execute

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
FIGURE = re.compile(r'<figure class="tvae-figure".*?</figure>', re.S)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["corpora", "pointing", "training"])
def test_the_visible_cells_give_the_pages_figures_in_any_folder(name, tmp_path, monkeypatch):
    page = FIGURE.findall(executed(name))
    if not page:
        pytest.skip("the book is not built (make book)")
    monkeypatch.chdir(tmp_path)
    found = FIGURE.findall(html(run_cells(ROOT / "notebooks" / f"{name}.ipynb", only_visible=True)))
    assert len(found) == len(page)
    measured_now = {"training": 1}.get(name, 0)  # a model that is trained while the page is built is another each time
    assert sum(one != other for one, other in zip(found, page, strict=True)) <= measured_now


@pytest.mark.slow
def test_a_notebook_that_fails_says_why_and_leaves_no_page(tmp_path):
    cells = ["n = 1", "from tvae import TvaeError\nif n > 1:\n    raise TvaeError('There is no piece 2.')"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    notebook.cells[0].metadata["tags"] = ["parameters"]
    notebook.metadata = nbformat.read(NOTEBOOKS[0], as_version=4).metadata
    nbformat.write(notebook, tmp_path / "small.ipynb")
    with pytest.raises(SystemExit, match="There is no piece 2"):
        execute(tmp_path / "small.ipynb", tmp_path / "page.ipynb", {"n": 2})
    assert not (tmp_path / "page.ipynb").exists()
    with pytest.raises(SystemExit, match="no parameter m"):
        execute(tmp_path / "small.ipynb", tmp_path / "page.ipynb", {"m": 2})


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_what_a_page_shows_does_not_hang_on_hidden_cells(notebook):
    """A visible cell uses only names that visible cells have set."""
    known = set(dir(builtins))
    for cell in nbformat.read(notebook, as_version=4).cells:
        if cell.cell_type != "code" or set(cell.metadata.get("tags", [])) & OFF_THE_PAGE:
            continue
        tree = ast.parse(cell.source)
        names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
        known |= {alias.asname or alias.name.split(".")[0] for node in ast.walk(tree)
                  if isinstance(node, ast.Import | ast.ImportFrom) for alias in node.names}  # fmt: skip
        known |= {name.id for name in names if isinstance(name.ctx, ast.Store)}
        assert {name.id for name in names} <= known, cell.source


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_visible_cell_is_short(notebook):
    for cell in nbformat.read(notebook, as_version=4).cells:
        if cell.cell_type == "code" and not set(cell.metadata.get("tags", [])) & {*OFF_THE_PAGE, "parameters"}:
            assert len([line for line in cell.source.splitlines() if line.strip()]) <= 16, cell.source
