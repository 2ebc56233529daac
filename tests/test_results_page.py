"""The page of results is made of the record: what changes there changes here, and a damaged record stops it."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from cells import html, run_cells

from tvae import TvaeError
from tvae.report import claims, record
from tvae.report.entry import Entry

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent


@pytest.fixture
def figures(tmp_path, monkeypatch):
    """A copy of the record."""
    monkeypatch.chdir(ROOT)
    shutil.copytree(ROOT / "figures", tmp_path / "figures")
    return tmp_path / "figures"


def page(figures) -> str:
    """What a reader sees of the page: the HTML and text of its outputs."""
    shown = run_cells(ROOT / "notebooks" / "results.ipynb", record=str(figures), weights=str(ROOT / "weights"))
    return html(shown) + "".join(map(str, shown))


def change(figures, name, **values):
    entries = json.loads((figures / "results.json").read_text())
    for entry in entries:
        if Entry(**entry).name == name:
            entry |= values
    (figures / "results.json").write_text(json.dumps(entries))


def test_a_changed_value_changes_the_page_and_its_check_says_so(figures):
    before = record.read(ROOT / "figures")[0]
    claims.write(figures, [replace(claims.read(figures)[0], statement="A finding that was added.")])
    change(figures, before.name, accuracy_free_running=0.123456)
    text = page(figures)
    assert "0.123" in text and "A finding that was added." in text
    assert ("not equal" in text) == (before.corpus == "folk")  # the record is not what the weights give
    assert f"{before.accuracy_free_running:.6f}"[:5] not in text.split("<small>")[0]


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"rate_nats_per_piece": float("nan")}, "'rate_nats_per_piece' is not a number"),
        ({"preset": "smoke"}, "mixes presets"),
        ({"model": "gpt"}, "there is no model 'gpt'"),
    ],
)
def test_a_damaged_record_stops_the_page_with_a_sentence_that_names_the_run(figures, values, sentence):
    damaged = record.read(ROOT / "figures")[1]
    change(figures, damaged.name, **values)
    with pytest.raises(TvaeError) as stopped:
        page(figures)
    assert sentence in str(stopped.value) and damaged.model_copy(update=values).name in str(stopped.value)
