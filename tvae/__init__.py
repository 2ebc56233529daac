"""tvae: an executable, listenable replication of Transformer VAE (Jiang et al., ICASSP 2020)."""

from tvae.checkpoint import load
from tvae.errors import TvaeError

__all__ = ["TvaeError", "load"]
__version__ = "0.2.0"
