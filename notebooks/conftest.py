"""How pytest runs the notebooks: from the root of the repository, as papermill does."""

from pathlib import Path

import nbval.plugin

ROOT = Path(__file__).parent.parent

# It trains a model into runs/; the toy book (`make book PRESET=smoke`) executes it.
collect_ignore = ["train.ipynb"]


class KernelAtRoot(nbval.plugin.RunningKernel):
    def __init__(self, kernel_name, cwd=None, **settings):
        super().__init__(kernel_name, cwd=str(ROOT), **settings)


nbval.plugin.RunningKernel = KernelAtRoot
