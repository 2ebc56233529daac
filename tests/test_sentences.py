"""Markdown is written one sentence a line, in paragraphs that can be read at one go."""

import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from sentences import rewrite, sentences, wrong

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "book").glob("*.md")])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_is_written_so(page):
    assert not wrong(page)


@pytest.mark.parametrize("notebook", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem)
def test_a_notebook_has_no_long_paragraph(notebook, tmp_path):
    cells = nbformat.read(notebook, as_version=4).cells
    page = tmp_path / "page.md"
    page.write_text("\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown"), encoding="utf-8")
    assert not [line for line in wrong(page) if "a paragraph of" in line]


@pytest.mark.parametrize(
    "text, count",
    [
        ("One. Two? Three! Four", 4),
        ('*Is it so?* "It is." (It was.) [Then](x.md) 8 of 9. `make book` does it', 5),
        ("One. $x$ is. {glue}`a` is", 3),
    ],
)
def test_sentences_end_where_they_end(text, count):
    assert len(sentences(text)) == count
    assert " ".join(sentences(text)) == text


@pytest.mark.parametrize(
    "text", ["See Fig. 5 and Jiang et al. They", "0.5 of e.g. Two", "Call `a. B` and `x.y`", "1. First"]
)
def test_and_not_elsewhere(text):
    assert sentences(text) == [text]


def test_only_prose_is_touched():
    kept = "# A. B\n\n```bash\nA. B\n```\n\n:::{note}\nA. B\n:::\n\n"
    kept += "| A. B | C. D |\n|---|---|\n| E. F | G. H |\n\n$$\nA. B\n$$\n"
    assert rewrite(kept) == kept
    assert rewrite("A b. C d.\nE\nf.\n\n- G h. I j.\n  K\n") == "A b.\nC d.\nE f.\n\n- G h.\n  I j.\n  K\n"


def test_rewriting_twice_changes_nothing():
    for page in PAGES:
        once = rewrite(page.read_text(encoding="utf-8"))
        assert rewrite(once) == once


def test_a_long_paragraph_is_named(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("One\n\n" + "word " * 89 + "word\n")
    assert wrong(page) == [f"{page}:3: a paragraph of 90 words"]
    command = [sys.executable, ROOT / "scripts/sentences.py", "--check", page]
    assert subprocess.run(command, capture_output=True).returncode == 1
