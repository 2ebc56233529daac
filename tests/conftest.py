"""Settings of the tests, and the fixtures that several of them use."""

import os
import threading
from collections import Counter
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import get_browser
import pytest

# Small tensors: one thread is faster than two, and leaves a core to whatever else runs.
os.environ.setdefault("OMP_NUM_THREADS", "1")

NO_BROWSER = "no Chromium"
NO_CORPUS = "no corpus"
NOT_RUN = {  # why tests are skipped -> what to do about it, for the last lines of a test run
    NO_BROWSER: "need Chromium, which `make browser` installs",
    NO_CORPUS: "need the source files of hooktheory or pop909 in the folder TVAE_DATA",
}


def pytest_collection_modifyitems(items):
    for item in items:
        if "browser" in item.fixturenames:
            item.add_marker("browser")


def pytest_terminal_summary(terminalreporter):
    """One line for each reason why tests were not run."""
    skipped = Counter(report.longrepr[2].removeprefix("Skipped: ") for report in terminalreporter.getreports("skipped"))
    for reason, tests in skipped.items():
        why = next((words for start, words in NOT_RUN.items() if reason.startswith(start)), f"were skipped: {reason}")
        terminalreporter.write_line(f"Not run: {tests} tests {why}.")


@pytest.fixture(scope="session")
def browser():
    """Chromium: the machine's own, else the one that Playwright has downloaded."""
    from playwright.sync_api import sync_playwright

    path = get_browser.find()
    if not path:
        pytest.skip(NO_BROWSER)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=get_browser.FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def site(folder):
    """The address of a server for the files in the module's fixture `folder`."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
