"""The book as a PDF, printed by Chromium: python scripts/print_book.py _build/singlehtml/index.html _build/tvae.pdf

Chromium prints the book on one page of HTML, with the book's own style for paper (`@media print` in
book/assets/tvae.css): figures, tables and captions stay, players and the playground go, and what the pages fold is
unfolded, but for code. Headings become the PDF's outline.
"""

import sys
from pathlib import Path

import get_browser
from playwright.sync_api import sync_playwright

FOOTER = """<div style="font: 8px sans-serif; width: 100%; text-align: center; color: #555">
<span class="title"></span> · <span class="pageNumber"></span> / <span class="totalPages"></span></div>"""


def print_book(browser, page_of_all: Path, pdf: Path) -> None:
    """Print a file of HTML, in a browser of Playwright, to a file of PDF."""
    page = browser.new_page(color_scheme="light")
    page.goto(page_of_all.resolve().as_uri(), timeout=120_000)
    if page.locator(".math").count():
        page.wait_for_function("MathJax.startup.promise.then(() => true)", timeout=120_000)
    page.evaluate("document.querySelectorAll('details:not(.above-input)').forEach((folded) => { folded.open = true; })")
    page.pdf(
        path=pdf,
        format="A4",
        scale=0.8,  # ten points of text
        margin={"top": "16mm", "bottom": "18mm", "left": "16mm", "right": "16mm"},
        display_header_footer=True,
        header_template="<span></span>",
        footer_template=FOOTER,
        outline=True,
        tagged=True,
    )
    page.close()


if __name__ == "__main__":
    source, target = map(Path, sys.argv[1:])
    path = get_browser.find()
    if not path:
        sys.exit("A PDF needs Chromium, and there is none: `make browser` installs it where it can.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=get_browser.FLAGS)
        print_book(browser, source, target)
        browser.close()
    print(f"The report as a PDF is {target}")
