"""A model is added by a row of `MODELS`: the rest of the project reads its name, label and sizes from there."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from examples import ENTRY

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent
ROW = """
from tvae.presets import MODELS, Model

MODELS["toy"] = Model("toy", "two heads", "attention with two heads", sizes={"heads": 2})
"""
# What a page shows of the record, and what the command line says, in a process that has the row from its start.
SHOWN = """
import json, sys
from tvae import __main__ as cli
from tvae.presets import PRESETS
from tvae.report import plots, record, results, tables
from tvae.report.plots.style import MODEL_COLOURS, MODEL_MARKERS

entries = record.read(sys.argv[1])
scores = results.scores(sys.argv[1], results.blocks(entries))
figure = plots.svg(plots.comparison(scores[scores.statistic == "accuracy_free_running"], "accuracy"), "Accuracy")
try:
    cli.main(["train", "--help"])
except SystemExit:
    pass
print(json.dumps({
    "heads": PRESETS["paper"].plan("toy").model.heads,
    "table": tables.comparative(scores).html,
    "who": tables.models(scores.model).html,
    "runs": tables.runs(entries).html,
    "figure": figure,
    "colours": MODEL_COLOURS,
    "markers": MODEL_MARKERS,
}))
"""


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """What the project makes of a record with runs of the toy model and of attention."""
    folder = tmp_path_factory.mktemp("record")
    (folder / "pieces").mkdir()
    entries = [ENTRY | {"model": model} for model in ("attention", "toy")]
    (folder / "results.json").write_text(json.dumps(entries))
    ones = np.ones(60)
    arrays = {f"onsets_{kind}_free_running": ones for kind in ("found", "claimed", "true")}
    arrays |= {"correct_free_running": 64 * ones, "steps": 128 * ones}
    for entry in entries:
        np.savez(folder / "pieces" / f"smoke-folk-{entry['model']}-fold0.npz", song=np.arange(60), **arrays)
    command = [sys.executable, "-c", ROW + SHOWN, str(folder)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert not ran.returncode, ran.stderr
    *said, values = ran.stdout.splitlines()
    return json.loads(values) | {"help": "\n".join(said)}


def test_the_row_is_five_lines_at_most():
    assert len(ROW.strip().splitlines()) <= 5


def test_it_can_be_trained_and_is_named_by_the_command_line(shown):
    assert shown["heads"] == 2 and "toy" in shown["help"]


def test_it_has_its_row_in_the_tables(shown):
    assert '<th scope="row">two heads</th>' in shown["table"] and ">toy<" in shown["runs"]
    assert '<th scope="row">two heads</th><td>attention with two heads</td>' in shown["who"]


def test_it_has_its_label_colour_and_mark_in_the_figures(shown):
    assert "two heads" in shown["figure"] and shown["colours"]["toy"].lower() in shown["figure"].lower()
    assert shown["markers"]["toy"] and shown["colours"]["toy"] != shown["colours"]["attention"]
