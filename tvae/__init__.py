"""tvae: an executable, listenable replication of Transformer VAE (Jiang et al., ICASSP 2020)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tvae.errors import TvaeError

if TYPE_CHECKING:
    from tvae.baselines import LSTMVAE
    from tvae.model import TransformerVAE

__all__ = ["TvaeError", "load"]
__version__ = "0.2.0"


def load(path: str | os.PathLike) -> TransformerVAE | LSTMVAE:
    """A model from a weights file of a run, of the record, or of the authors: in float32, ready to evaluate.

    Raises `TvaeError` on any other file.
    """
    from tvae import checkpoint  # PyTorch is imported when it is needed: the run graph asks only for names

    return checkpoint.load(path)
