"""The built book in a real browser: every page, from its file, with no network."""

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from bs4 import BeautifulSoup
from check_book import pages_of
from print_book import print_book

ROOT = Path(__file__).parent.parent
BOOK = ROOT / "_build" / "html"

pytestmark = pytest.mark.skipif(not (BOOK / "index.html").exists(), reason="the book is not built (make book)")

PAGES = pages_of(ROOT / "book" / "_toc.yml")
WORDS = [name for name in PAGES if not name.startswith("executed/")]  # and figures; no models, no runs


@pytest.mark.parametrize("name", PAGES)
def test_a_page_opens_without_errors_and_without_the_network(browser, name):
    wrong = []
    page = browser.new_page(viewport={"width": 390, "height": 844})  # a phone
    page.on("request", lambda request: request.url.startswith(("http", "ws")) and wrong.append(f"asks {request.url}"))
    page.on("requestfailed", lambda request: wrong.append(f"does not get {request.url}"))
    page.on("console", lambda message: message.type == "error" and wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto((BOOK / f"{name}.html").as_uri())
    page.wait_for_load_state("load")
    if page.locator(".math").count():
        page.wait_for_selector("mjx-container", timeout=20_000)
        assert page.locator("mjx-merror").count() == 0
    assert page.locator("h1").first.inner_text()
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    page.close()
    assert not wrong
    assert wide <= 1, f"the page is {wide} pixels wider than a phone"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_everybody_can_read_a_page(browser, name, scheme):
    page = browser.new_page(viewport={"width": 390, "height": 844}, color_scheme=scheme)
    page.goto((BOOK / f"{name}.html").as_uri())
    page.wait_for_load_state("load")
    page.wait_for_timeout(300)  # what scrolls is found once it is laid out
    found = Axe().run(page)
    page.close()
    found.response["violations"] = [
        rule for rule in found.response["violations"] if rule["impact"] in ("serious", "critical")
    ]
    assert not found.violations_count, found.generate_report()


def test_a_wide_table_is_reached_and_named(browser):
    page = browser.new_page(viewport={"width": 390, "height": 844})
    page.goto((BOOK / "executed/results.html").as_uri())
    table = page.locator(".tvae-table.tvae-scrolls").first
    table.wait_for()
    table.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("document.activeElement.scrollLeft > 0")
    assert table.get_attribute("aria-label").endswith("(scrolls sideways)")
    page.set_viewport_size({"width": 2400, "height": 844})
    page.wait_for_function(
        "!document.activeElement.classList.contains('tvae-scrolls') || document.activeElement === document.body"
    )
    page.close()


@pytest.mark.parametrize("name", WORDS)
def test_a_page_of_words_is_light(browser, name):
    """Under 600 kB as they lie on the disk, no formulas' code where there is no formula, no playground."""
    asked = set()
    page = browser.new_page()
    page.on("request", lambda request: asked.add(Path(unquote(urlsplit(request.url).path))))
    page.goto((BOOK / f"{name}.html").as_uri(), wait_until="networkidle")
    formulas = page.locator(".math").count()
    page.close()
    assert any("mathjax" in path.parts for path in asked) == bool(formulas)
    assert not any("playground" in path.parts for path in asked)
    assert sum(path.stat().st_size for path in asked if "mathjax" not in path.parts) < 600_000


@pytest.mark.parametrize("name", PAGES)
def test_only_styles_stand_before_the_first_paint(browser, name):
    page = browser.new_page()
    page.goto((BOOK / f"{name}.html").as_uri())
    blocking = page.evaluate(
        "performance.getEntriesByType('resource').filter(e => e.renderBlockingStatus == 'blocking').map(e => e.name)"
    )
    page.close()
    files = [Path(unquote(urlsplit(address).path)) for address in blocking]
    assert [path.name for path in files if path.suffix != ".css"] in ([], ["documentation_options.js"])
    assert sum(path.stat().st_size for path in files) < 300_000


@pytest.mark.parametrize("name", ["index", "executed/transfer", "executed/playground"])
def test_paper_shows_figures_and_tables_and_nothing_to_press(browser, name):
    page = browser.new_page(color_scheme="dark")
    page.goto((BOOK / f"{name}.html").as_uri())
    page.emulate_media(media="print")
    page.evaluate("document.querySelectorAll('details:not(.above-input)').forEach((folded) => { folded.open = true; })")
    seen = "elements => elements.filter(element => element.checkVisibility()).length"
    assert page.locator("tvae-player, tvae-playground, main article button").evaluate_all(seen) == 0
    for shown in (".tvae-figure", ".tvae-table"):
        assert page.locator(shown).evaluate_all(seen) == page.locator(shown).count()
    ground, ink = page.evaluate(
        "[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.querySelector('article p')).color]"
    )
    page.close()
    assert ground in ("rgb(255, 255, 255)", "rgba(0, 0, 0, 0)") and max(map(int, re.findall(r"\d+", ink)[:3])) < 100


def test_a_page_becomes_a_pdf(browser, tmp_path):
    (tmp_path / "index.html").write_text("<title>A title</title><h1>One</h1><h2>Two</h2><p>Words.")
    print_book(browser, tmp_path / "index.html", tmp_path / "book.pdf")
    pdf = (tmp_path / "book.pdf").read_bytes()
    assert pdf.startswith(b"%PDF") and b"/Outlines" in pdf and b"/StructTreeRoot" in pdf


@pytest.mark.parametrize("name", PAGES)
def test_the_first_use_of_a_term_leads_to_the_glossary(name):
    soup = BeautifulSoup((BOOK / f"{name}.html").read_text(encoding="utf-8"), "html.parser")
    links = soup.select("article a.tvae-term")
    entries = [link["href"].split("#")[1] for link in links]
    assert len(set(link["title"] for link in links)) == len(entries), "an entry is linked twice"
    for apart in soup.select("article :is(code, a:not(.tvae-term), .math)"):
        apart.decompose()
    words = " ".join(p.get_text() for p in soup.select("article section > p"))
    for term in ("attention", "distortion", "fold"):
        used = re.search(rf"(?<![\w-]){term}(?![\w-])", words, re.I)
        assert name == "glossary" or not used or any(entry.startswith(f"term-{term}") for entry in entries), term
    assert all(link.find_parent(["code", "pre", "h1", "h2", "table"]) is None for link in links)


def test_a_term_is_explained_where_it_is_used(browser):
    page = browser.new_page()
    page.goto((BOOK / "claims.html").as_uri())
    page.locator("a.tvae-term").first.focus()
    page.wait_for_selector(".tooltip:has-text('.')")
    page.close()
