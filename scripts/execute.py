"""Execute a notebook as one step of the graph: python scripts/execute.py NOTEBOOK OUTPUT [name=value ...].

What papermill alone leaves open: OUTPUT appears only when every cell ran, a parameter that the notebook does not have
is an error, the kernel is this interpreter's own, and the cell of given parameters is hidden from the book.
"""

import logging
import os
import re
import sys
from pathlib import Path

import yaml

# Before jupyter_core is imported: kernels that the machine or the user has installed elsewhere are not looked at.
os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"
os.environ.pop("JUPYTER_PATH", None)

import nbformat  # noqa: E402
import papermill  # noqa: E402
from papermill.exceptions import PapermillExecutionError  # noqa: E402

ANSI = re.compile(r"\x1b\[[0-9;]*m")


def execute(notebook: Path, output: Path, parameters: dict) -> None:
    unknown = set(parameters) - set(papermill.inspect_notebook(str(notebook)))
    if unknown:
        sys.exit(f"{notebook} has no parameter {', '.join(sorted(unknown))} in its cell tagged `parameters`.")
    output.parent.mkdir(parents=True, exist_ok=True)
    partial = output.with_suffix(".partial.ipynb")
    try:
        papermill.execute_notebook(
            str(notebook), str(partial), parameters, kernel_name="python3", cwd=".", progress_bar=False, log_output=True
        )
    except PapermillExecutionError as error:
        sys.exit(f"{notebook} failed; its cells so far are in {partial}.\n{ANSI.sub('', str(error)).strip()}")
    done = nbformat.read(partial, as_version=4)
    for cell in done.cells:
        tags = cell.metadata.get("tags", [])
        if "injected-parameters" in tags:
            tags.append("remove-cell")
    nbformat.write(done, partial)
    partial.rename(output)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")  # what the cells print, as they print it
    given = (argument.split("=", 1) for argument in sys.argv[3:])
    execute(Path(sys.argv[1]), Path(sys.argv[2]), {name: yaml.safe_load(value) for name, value in given})
