"""The built book in a real browser: every page, from its file, with no network."""

from pathlib import Path

import pytest
from check_book import pages_of

ROOT = Path(__file__).parent.parent
BOOK = ROOT / "_build" / "html"

pytestmark = pytest.mark.skipif(not (BOOK / "index.html").exists(), reason="the book is not built (make book)")


@pytest.mark.parametrize("name", pages_of(ROOT / "book" / "_toc.yml"))
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
