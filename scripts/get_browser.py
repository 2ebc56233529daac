"""Chromium for the tests: the machine's own, else Playwright's download, else Debian's package where we may install it.

    python scripts/get_browser.py

Where there is none to be had it says so in a line, and the tests that need it are left out.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync")  # fmt: skip
DEBIAN = "apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium"


def runs(path: str) -> bool:
    """Does the program start? A download may lack libraries that the system should have."""
    try:
        return subprocess.run([path, "--version"], capture_output=True, timeout=60).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def downloaded() -> str:
    """Where Playwright puts its Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        return playwright.chromium.executable_path


def find() -> str | None:
    """The path of a Chromium that starts, or None."""
    known = [path for name in NAMES if (path := shutil.which(name))]
    return next(filter(runs, known), None) or next((path for path in [downloaded()] if runs(path)), None)


def get() -> str | None:
    """`find`, after trying to install one where there is none."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    if path := find():
        return path
    subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], **quiet)
    if not (path := find()) and shutil.which("apt-get") and os.geteuid() == 0:
        subprocess.run(DEBIAN, shell=True, env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"}, **quiet)
        path = find()
    return path


if __name__ == "__main__":
    path = get()
    print(f"Browser: {Path(path)}" if path else "No Chromium could be installed: the tests that need one are left out.")
