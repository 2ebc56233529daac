"""tvae: an executable, listenable replication of Transformer VAE (Jiang et al., ICASSP 2020)."""

from tvae.errors import TvaeError

__all__ = ["TvaeError"]
__version__ = "0.2.0"
