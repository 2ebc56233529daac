"""O'Neill's Music of Ireland (1903), Ryan's Mammoth Collection (1883), Aird's Airs (1782-97): tunes in the public domain.

The corpus is embedded. ``scripts/build_folk.py`` made it from the ABC files that the music21 wheel ships; who typed them is
in ``tvae/data/folk_credits.tsv``.
"""

from importlib import resources

PREPARED = resources.files("tvae") / "data" / "folk.npz"
