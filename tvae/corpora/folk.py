"""Fiddle tunes from O'Neill's Music of Ireland (1903), Ryan's Mammoth Collection (1883) and Aird's Airs (1782-97).

The tunes are in the public domain, and the corpus is embedded: ``scripts/build_folk.py`` made it from the ABC files
in the music21 wheel. ``tvae/data/folk_credits.tsv`` names who typed them.
"""

from importlib import resources

DATA = resources.files("tvae") / "data"  # folk.npz, and folk16.npz of 16 bars
