"""What a page of a built book costs a reader: python scripts/measure_pages.py _build/html

Prints a row a page, as Markdown: bytes as they are stored, requests, and the first paint at 1.6 Mbit/s with 150 ms
delay, in headless Chromium without a cache. The paint is a time of this machine: measure on a quiet one.
"""

import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import get_browser
from playwright.sync_api import Browser, sync_playwright

SLOW = {"offline": False, "latency": 150, "downloadThroughput": 1.6e6 / 8, "uploadThroughput": 0.75e6 / 8}
QUIET = 1500  # milliseconds without a request: all that comes by itself has come
PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def measure(browser: Browser, url: str) -> tuple[int, int, float]:
    """Bytes, requests, and milliseconds until something is painted."""
    page, sizes = browser.new_page(), []
    page.on("requestfinished", lambda request: sizes.append(request.sizes()["responseBodySize"]))
    page.context.new_cdp_session(page).send("Network.emulateNetworkConditions", SLOW)
    page.goto(url, wait_until="load", timeout=180_000)
    seen = -1
    while seen != len(sizes):
        seen = len(sizes)
        page.wait_for_timeout(QUIET)
    paint = page.wait_for_function(PAINT).json_value()
    page.close()
    return sum(sizes), len(sizes), paint


if __name__ == "__main__":
    root = Path(sys.argv[1])
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=root))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print("| page | kB | requests | first paint |\n|---|---|---|---|")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=get_browser.find(), args=get_browser.FLAGS)
        for path in sorted(root.rglob("*.html")):
            name = path.relative_to(root)
            if name.parts[0].startswith("_") or name.stem in ("genindex", "search"):
                continue
            size, requests, paint = measure(browser, f"http://127.0.0.1:{server.server_port}/{name}")
            print(f"| {name.with_suffix('')} | {size / 1e3:,.0f} | {requests} | {paint / 1e3:.1f} s |", flush=True)
        browser.close()
    server.shutdown()
