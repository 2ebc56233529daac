"""Processes for the tests of runs: this interpreter with this repository's tvae, started, stopped, waited for."""

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent


def start(*arguments, cwd: Path) -> subprocess.Popen:
    """This interpreter, in `cwd`, with this repository's tvae; what it prints can be read, and it can be talked to."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(cwd / ".cache")}
    pipes = dict.fromkeys(("stdin", "stdout"), subprocess.PIPE) | {"stderr": subprocess.STDOUT}
    return subprocess.Popen([sys.executable, *arguments], cwd=cwd, env=environment, text=True, **pipes)


def run(*arguments, cwd: Path) -> tuple[int, str]:
    """The same until its end: exit status and what it printed."""
    with start(*arguments, cwd=cwd) as process:
        said = process.communicate()[0]
    return process.returncode, said


def stop(process: subprocess.Popen) -> None:
    process.kill()
    process.communicate()


def until(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
