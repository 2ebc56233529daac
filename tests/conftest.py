"""Settings of the tests."""

import os

# Small tensors: one thread is faster than two, and leaves a core to whatever else runs.
os.environ.setdefault("OMP_NUM_THREADS", "1")
