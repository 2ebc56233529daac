"""Every figure is drawn, small, the same every time, readable on white and on black, and nothing in it is cut off."""

import re
import xml.etree.ElementTree as ET
from functools import cache
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from examples import ODE, TWINKLE
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from tvae.report import plots
from tvae.report.plots import style
from tvae.report.plots.style import MODEL_LINES, spread
from tvae.report.tables import BADGES

pytestmark = pytest.mark.slow


def history(seed: int, rows: int = 400) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    pieces = np.arange(rows) * 5000.0
    loss = 0.5 + np.exp(-pieces / 1e5) + 0.01 * rng.normal(size=rows)
    table = pd.DataFrame({"stage": 1, "pieces": pieces, "loss": loss})
    table["rate_nats_per_piece"] = 150 * (1 - np.exp(-pieces / 2e5))
    for bar in range(1, 9):
        table[f"rate_bar_{bar}"] = table["rate_nats_per_piece"] * (12 - bar) / 60
    table["accuracy_teacher_forced"] = 0.9 - 0.5 * np.exp(-pieces / 1e5)
    table["validation_accuracy_free_running"] = (table["accuracy_teacher_forced"] - 0.02).where(
        np.arange(rows) % 20 == 19
    )
    before = table.head(5).assign(stage=0, loss=99.0)
    return pd.concat([before, table], ignore_index=True)


def share(most: float) -> np.ndarray:
    i, j = np.indices((8, 8))
    return np.where(i == j, 1.0, most / np.maximum(1, np.abs(np.abs(i - j) - 4)))


def rows() -> pd.DataFrame:
    models = [*style.MODEL_COLOURS, "sustain", "previous_bar"]
    table = pd.DataFrame([(c, m) for c in ("folk", "hooktheory") for m in models], columns=["block", "model"])
    table["value"] = np.linspace(0.5, 0.92, len(table))
    table["low"], table["high"] = table["value"] - 0.01, table["value"] + 0.01
    table.loc[table["model"] == "sustain", ["low", "high"]] = np.nan
    return table


def points() -> pd.DataFrame:
    weights, models = (0.25, 0.5, 1, 2, 4), list(style.MODEL_COLOURS)
    table = pd.DataFrame([(m, w, w / 4, 150 - 20 * w + 5 * k) for k, m in enumerate(models) for w in weights],
                         columns=["model", "kl_weight", "beta", "rate"])  # fmt: skip
    table["distortion"], table["accuracy"] = 9000 / table["rate"], table["rate"] / 200
    for name in ("rate", "distortion", "accuracy"):
        table[f"{name}_low"], table[f"{name}_high"] = 0.98 * table[name], 1.03 * table[name]
    return table


def transfers() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    conditions = ["no swap", "bar 1", "bar 1 from the prior", *(f"bar {bar}" for bar in range(2, 9))]
    table = pd.DataFrame(
        [(c, m, x) for c in conditions for m in ("attention", "no_attention") for x in ("kept", "follows")],
        columns=["condition", "model", "measure"],
    )
    table["value"] = rng.uniform(-1, 1.5, len(table))
    table["low"], table["high"] = table["value"] - 0.05, table["value"] + 0.05
    table.loc[table["condition"] == "bar 8", "value"] = np.nan
    return table


MEAN = np.array([24.2, 21.2, 18.0, 18.1, 14.5, 14.3, 15.2, 15.8])
RATES = {model: (MEAN + k, MEAN + k - 1, MEAN + k + 1) for k, model in enumerate(style.MODEL_COLOURS)}
TRIPLE = [ODE, TWINKLE, ODE], ["Ode to Joy", "Twinkle", "Ode to Joy"], ["host", "donor", "result"]
SHARES = {"folk": share(0.4), "hooktheory": share(0.3), "pop909": share(0.2)}
MASS = {"found": [0.7, 0.65, 0.75], "expected": [0.1, 0.08, 0.12]}
HEADS = [
    {"kind": kind, "layer": 1 + k // 4, "number": 1 + k % 4, **MASS} for kind in plots.ATTENTIONS for k in range(12)
]
DOTS = pd.DataFrame(
    [(f"block {b}", f"row {r}", model, 0.5 + 0.1 * r, 0.45 + 0.1 * r, 0.55 + 0.1 * r)
     for b in range(2) for r in range(3) for model in ("attention", "no_attention", "bidirectional")],
    columns=["block", "row", "model", "value", "low", "high"],
)  # fmt: skip
CODES = np.random.default_rng(0).random((400, 2))
FIGURES = {
    "piano_roll": lambda: plots.piano_rolls([TWINKLE], ["Twinkle, twinkle, little star"], ["host"]),
    "silence": lambda: plots.piano_rolls([np.zeros(128, int)]),
    "piano_rolls": lambda: plots.piano_rolls(*TRIPLE),
    "two columns": lambda: plots.piano_rolls([ODE, TWINKLE, ODE], columns=2),
    "repeats_by_distance": lambda: plots.repeats_by_distance(SHARES),
    "one corpus": lambda: plots.repeats_by_distance({"folk": share(0.4)}),
    "no repeats": lambda: plots.repeats_by_distance({"folk": np.eye(8)}),
    "pitch_histogram": lambda: plots.pitch_histogram({name: np.full(45, 1 / 45) for name in SHARES}),
    "training_curves": lambda: plots.training_curves({"attention": history(0), "no_attention": history(1)}),
    "many models": lambda: plots.training_curves({model: history(k) for k, model in enumerate(style.MODEL_COLOURS)}),
    "never free": lambda: plots.training_curves(
        {"attention": history(0).drop(columns="validation_accuracy_free_running")}
    ),
    "rate_per_bar_over_time": lambda: plots.rate_per_bar_over_time(history(0), "attention on folk"),
    "rate_per_bar": lambda: plots.rate_per_bar(RATES),
    "comparison": lambda: plots.comparison(rows(), "free-running accuracy"),
    "rate_distortion": lambda: plots.rate_distortion(points()),
    "transfer": lambda: plots.transfer(
        transfers(), {"kept": "structure kept", "follows": "rhythm follows"}, {"kept": 0.5}
    ),
    "architecture": plots.architecture,
    "attention_map": lambda: plots.attention_map(np.tri(8) / np.arange(1, 9)[:, None], TWINKLE, "encoder", "a head"),
    "decoder map": lambda: plots.attention_map(np.eye(8), ODE, "decoder"),
    "attention_maps": lambda: plots.attention_maps(np.full((3, 4, 8, 8), 1 / 8), TWINKLE, "inter"),
    "attention_masses": lambda: plots.attention_masses(HEADS, 3),
    "attention_by_distance": lambda: plots.attention_by_distance([{"distance": d, **MASS} for d in (1, 2, 4)]),
    "dots": lambda: plots.dots(DOTS, "rate"),
    "dots of one model": lambda: plots.dots(DOTS[DOTS["model"] == "attention"], "rate"),
    "changed_bars": lambda: plots.changed_bars({"attention": np.tri(8).T / 2, "no_attention": np.eye(8)}),
    "changed_bars of three": lambda: plots.changed_bars(dict.fromkeys(list(style.MODEL_COLOURS)[:3], np.tri(8))),
    "rate_per_dimension": lambda: plots.rate_per_dimension(np.sort(np.random.default_rng(0).random((8, 64)))[:, ::-1]),
    "code_map": lambda: plots.code_map(CODES, {"notes": CODES[:, 0] // 0.1, "contour": CODES[:, 1]}, (0.2, 0.1)),
}
figure_of = cache(lambda name: FIGURES[name]())
every_figure = pytest.mark.parametrize("name", FIGURES)


@every_figure
def test_a_figure_is_a_small_svg_with_its_text_as_text(name):
    figure = figure_of(name)
    assert isinstance(figure, Figure)
    svg = plots.svg(figure, 'a "text" <for> those who do not see')
    root = ET.fromstring(svg)
    assert root.get("role") == "img" and root.get("aria-label") == 'a "text" <for> those who do not see'
    assert len(svg) < 300_000
    assert any(node.text for node in root.iter("{http://www.w3.org/2000/svg}text"))
    assert not re.search(r"<style|<script|<image|<metadata|\d\d:\d\d:\d\d", svg)  # a <style> would be the whole page's


@every_figure
def test_a_figure_has_the_same_bytes_every_time_and_ids_of_its_own(name):
    once = plots.svg(figure_of(name), "x")
    assert once == plots.svg(figure_of(name), "x") == plots.svg(FIGURES[name](), "x")
    ids = re.findall(r' id="([^"]+)"', once)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'(?:url\(|href=")#([^")]+)', once)) == set(ids)


def test_no_two_figures_share_an_id():
    ids = [set(re.findall(r' id="([^"]+)"', plots.svg(figure_of(name), "x"))) for name in FIGURES]
    assert not any(a & b for a, b in combinations(ids, 2))


@every_figure
def test_nothing_leaves_the_figure(name):
    figure = FIGURES[name]()
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    drawn = figure.get_tightbbox(canvas.get_renderer())  # inches
    width, height = figure.get_size_inches()
    assert drawn.x0 >= -0.02 and drawn.y0 >= -0.02 and drawn.x1 <= width + 0.02 and drawn.y1 <= height + 0.02, drawn


@every_figure
def test_text_takes_the_colour_of_the_page_or_a_grey_that_reads_everywhere(name, tmp_path):
    figure = figure_of(name)
    assert "currentColor" in plots.svg(figure, "x") and style.INK not in plots.svg(figure, "x")
    saved = plots.save(figure, tmp_path / "new" / "figure.svg", "x").read_text()
    assert "currentColor" not in saved and style.INK not in saved
    assert re.search(r'<svg [^>]*width="\d+" height="\d+"', saved)


def test_show_gives_alternative_text_and_caption_as_text():
    shown = plots.show(plots.piano_rolls([TWINKLE]), 'rolls "<b>"', "5 < 7 & <i>so on</i>")
    html = shown._repr_html_()
    assert 'aria-label="rolls &quot;&lt;b&gt;&quot;"' in html
    assert "<figcaption>5 &lt; 7 &amp; &lt;i&gt;so on&lt;/i&gt;</figcaption>" in html
    assert repr(shown) == 'rolls "<b>"'
    assert "figcaption" not in plots.show(plots.piano_rolls([TWINKLE]), "x")._repr_html_()


def luminance(colour: str) -> float:
    channels = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return float(np.dot([0.2126, 0.7152, 0.0722], channels))


def contrast(a: str, b: str) -> float:
    low, high = sorted([luminance(a), luminance(b)])
    return (high + 0.05) / (low + 0.05)


PALETTES = {
    "models": list(style.MODEL_COLOURS.values()),
    "corpora": list(style.CORPUS_COLOURS.values()),
    "roles": list(style.ROLE_COLOURS.values()),
    "bars": list(style.BAR_COLOURS),
    "grey": [style.GREY, "#7a7f85"],
}


@pytest.mark.parametrize("palette", PALETTES)
def test_every_colour_reads_on_white_and_on_black(palette):
    for colour in PALETTES[palette]:
        assert contrast(colour, "#ffffff") >= 3 and contrast(colour, "#14181e") >= 3, colour


# What eyes without red or green cones see, in linear RGB (Machado, Oliveira, Fernandes 2009)
EYES = {
    "all cones": np.eye(3),
    "no red": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "no green": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
}


def oklab(colour: str, eye: str) -> np.ndarray:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    seen = np.clip(np.asarray(EYES[eye]) @ linear, 0, 1)
    cones = np.array([[0.41222, 0.53633, 0.05145], [0.21190, 0.68070, 0.10740], [0.08830, 0.28172, 0.62998]]) @ seen
    mix = np.array([[0.21045, 0.79362, -0.00407], [1.97800, -2.42859, 0.45059], [0.02590, 0.78277, -0.80868]])
    return 100 * mix @ np.cbrt(cones)


@pytest.mark.parametrize("eye", EYES)
@pytest.mark.parametrize("palette, apart", [("roles", 12), ("main models", 6), ("corpora", 6)])
def test_colours_differ_for_colour_blind_eyes(palette, apart, eye):
    colours = {**PALETTES, "main models": PALETTES["models"][:4]}[palette]
    for a, b in combinations(colours, 2):
        assert np.linalg.norm(oklab(a, eye) - oklab(b, eye)) >= apart, (a, b)


def test_models_differ_without_colour_too():
    assert len(set(style.MODEL_MARKERS.values())) == len(style.MODEL_COLOURS)
    lines = [(style.MODEL_COLOURS[model], MODEL_LINES[model]) for model in style.MODEL_COLOURS]
    assert len(set(lines)) == len(lines)  # nor is one line another's


def test_training_curves_show_stage_1():
    loss, _, accuracy = plots.training_curves({"attention": history(0)}).axes
    assert max(loss.lines[0].get_ydata()) < 2
    assert len(accuracy.lines[1].get_xdata()) == 20  # the dots: where free-running accuracy was measured


def test_labels_are_spread_in_order():
    places = spread([1.0, 1.0, 5.0, 1.1], 0.5)
    assert np.diff(sorted(places)).min() >= 0.49
    assert places[3] == max(places[0], places[1], places[3]) and places[2] > places[3]


def test_the_style_sheet_has_the_same_colours_and_verdicts(request):
    css = (request.config.rootpath / "book" / "assets" / "tvae.css").read_text()
    for role, colour in style.ROLE_COLOURS.items():
        assert f"--tvae-{role}: {colour};" in css
    for k, colour in enumerate(style.TINTS, 1):
        assert f"--tvae-group-{k}: {colour};" in css
    assert {f"tvae-verdict-{badge}" for badge in BADGES.values()} == set(re.findall(r"tvae-verdict-\w+", css))
