"""The last touch to written pages: what goes was not used, what stays was."""

from pathlib import Path

import pytest
import tinycss2
from fontTools.ttLib import TTFont
from polish import correct_page, keep_glyphs, lighten_page, purge


def purged(css: str, words: str) -> str:
    return tinycss2.serialize(purge(tinycss2.parse_stylesheet(css, True, True), set(words.split()))).replace(" ", "")


@pytest.mark.parametrize(
    "css, words, kept",
    [
        ("p{a:b}", "", "p{a:b}"),
        (".used{a:b}.unused{a:b}", "used", ".used{a:b}"),
        (".used,.unused{a:b}", "used", ".used{a:b}"),
        (".used .unused{a:b}", "used", ""),
        ("#id>.used{a:b}", "used id", "#id>.used{a:b}"),
        ("a:not(.unused){a:b}", "", "a:not(.unused){a:b}"),
        ("@media print{.unused{a:b}}", "", ""),
        ("@media print{.used{a:b}.unused{a:b}}", "used", "@mediaprint{.used{a:b}}"),
        ("@font-face{font-family:x}", "", "@font-face{font-family:x}"),
        ("@keyframes x{from{a:b}}", "", "@keyframesx{from{a:b}}"),
        (".bs-tooltip-auto{a:b}", "", ".bs-tooltip-auto{a:b}"),
        (".a\\:b{a:b}", "", ""),
    ],
)
def test_a_rule_stays_if_something_on_a_page_could_need_it(css, words, kept):
    assert purged(css, words) == kept


def test_scripts_wait_or_go():
    page = """<head><script src="_static/scripts/fontawesome.js?digest=1"></script>
    <link rel="preload" as="script" href="_static/scripts/bootstrap.js" />
    <script src="_static/documentation_options.js"></script>
    <script src="_static/doctools.js?v=1"></script><script async="async" src="_static/mathjax/tex-chtml.js"></script>
    <script defer="defer" src="_static/tvae-player.js"></script></head><body>{}</body>"""
    light = lighten_page(page.replace("{}", "words"))
    assert "fontawesome" not in light and "preload" not in light and "mathjax" not in light
    assert '<script src="_static/documentation_options.js">' in light  # inline scripts go on from it
    assert '<script defer src="_static/doctools.js?v=1">' in light
    assert light.count("tvae-player.js") == 1 and "defer defer" not in light
    assert "mathjax" in lighten_page(page.replace("{}", '<span class="math notranslate">x</span>'))


def test_headers_and_citations_say_what_they_are():
    assert correct_page('<th class="head"><p>a') == '<th scope="col" class="head"><p>a'
    assert correct_page('<th class="stub"><p>a') == '<th scope="row" class="stub"><p>a'
    assert correct_page('<div role="list" class="citation-list">') == '<div class="citation-list">'
    assert (
        correct_page("<title>A &#8212; A</title><title>A &#8212; B</title>")
        == "<title>A</title><title>A &#8212; B</title>"
    )


@pytest.mark.parametrize("suffix", ["woff2", "ttf"])
def test_a_font_keeps_the_icons_that_are_used(tmp_path, suffix):
    import pydata_sphinx_theme

    fonts = Path(pydata_sphinx_theme.__file__).parent / "theme/pydata_sphinx_theme/static/vendor/fontawesome/webfonts"
    font = tmp_path / f"icons.{suffix}"
    font.write_bytes((fonts / f"fa-solid-900.{suffix}").read_bytes())
    keep_glyphs(font, {0xF0C9, 0xF002})
    assert font.stat().st_size < 3000
    with TTFont(font) as loaded:
        assert {0xF0C9, 0xF002} <= set(loaded.getBestCmap())
