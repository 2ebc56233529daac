"""From MIDI files to melodies and back.

`read_midi` reads a file as a musician would, and says what it did; `read_parts` lists what it chooses from,
`read_pieces` takes the whole file in pieces of 8 bars. `write_midi` writes a file that `read_midi` gives back. `File`
is what stands behind the first three.

The steps on the way are `smf` (bytes), `words` (names), `parts` (which part), `line` (one note at a time), `bars`
(where bars begin), `take` (that part on the grid, bar by bar) and `read`.
"""

from tvae.midi.parts import Part
from tvae.midi.read import File, Melody, read_midi, read_parts, read_pieces
from tvae.midi.write import to_pretty_midi, write_midi

__all__ = ["File", "Melody", "Part", "read_midi", "read_parts", "read_pieces", "to_pretty_midi", "write_midi"]
