"""One's own MIDI files: ``corpus="folder:PATH"`` is every file below that folder, read as `tvae.midi` reads any.

Each file is a song, cut into windows of 8 bars from the bar on with which its melody begins. Left out are windows
with more than one empty bar or with notes that no octave brings into range, and files that give no melody or do not
keep to their beats.
"""

from __future__ import annotations

import csv
import hashlib
import sys
from dataclasses import dataclass, field
from pathlib import Path

from tqdm import tqdm

from tvae import melody
from tvae.corpora import PREFIX
from tvae.corpora.sources import OUTSIDE, Piece, too_empty
from tvae.errors import TvaeError
from tvae.files import expanded, write_atomically
from tvae.midi import read_pieces

ENDINGS = (".mid", ".midi", ".kar", ".rmi", ".smf")
VERSION = 1  # of the reader: a change to what it yields needs a new number, or old caches are believed


@dataclass
class Outcome:
    """What became of a file: its pieces, why windows or all of it were left out, what was chosen and changed."""

    file: str  # its path inside the folder
    pieces: list[Piece] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    refused: str = ""  # a sentence
    notices: tuple[str, ...] = ()


def root(name: str) -> Path:
    """``folder:PATH`` -> the folder. Raises TvaeError if there is none."""
    path = expanded(name.removeprefix(PREFIX))
    if not name.removeprefix(PREFIX) or not path.is_dir():
        raise TvaeError(
            f"There is no folder '{name.removeprefix(PREFIX)}'; "
            f'give one with MIDI files, as in corpus="{PREFIX}my-songs".'
        )
    return path


def midi_files(folder: Path) -> list[Path]:
    """The MIDI files below a folder, sorted."""
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in ENDINGS and path.is_file())


def find(folder: Path) -> tuple[list[Path], str]:
    """The `midi_files` below a folder, and a sha256 of names and contents; TvaeError where there are none."""
    files = midi_files(folder)
    if not files:
        raise TvaeError(f"There is no MIDI file ({', '.join(ENDINGS)}) in '{folder}' or the folders in it.")
    digest = hashlib.sha256(f"{VERSION}".encode())
    for path in files:
        digest.update(f"{path.relative_to(folder).as_posix()}\0".encode(errors="surrogateescape"))
        try:
            digest.update(hashlib.sha256(path.read_bytes()).digest())
        except OSError:  # `read` says so
            digest.update(b"unreadable")
    return files, digest.hexdigest()


def read(folder: Path, files: list[Path], report: Path) -> list[Piece | str]:
    """The pieces of these files, and as text why others are none; what became of each file stands in `report`.

    Raises TvaeError where no file gave a piece.
    """
    names = {path: path.relative_to(folder).as_posix() for path in files}
    outcomes = [outcome(path, names[path]) for path in tqdm(files, desc=folder.name, unit=" files")]
    write_report(report, outcomes)
    given = sum(bool(one.pieces) for one in outcomes)
    tqdm.write(f"{given} of {len(files)} files gave pieces; what became of each stands in {report}", file=sys.stderr)
    if not given:
        raise TvaeError(f"None of the {len(files)} MIDI files in '{folder}' gave a piece of 8 bars; {report} says why.")
    refused = [one.refused for one in outcomes if one.refused and not one.left_out]
    return [piece for one in outcomes for piece in (*one.pieces, *one.left_out)] + refused


def outcome(path: Path, name: str) -> Outcome:
    """A file and its name -> its pieces; their ids are name and bar."""
    found = Outcome(name)
    try:
        windows = read_pieces(path)
    except TvaeError as error:
        found.refused = str(error).replace(f"'{path}'", "the file")
        return found
    found.notices = windows[0].notices if windows else ()
    if windows and windows[0].free:
        found.refused = "The notes do not lie on the file's beats."
        return found
    title = Path(name).stem.replace("_", " ")
    for window in windows:
        if why := OUTSIDE if window.lost else too_empty(window.tokens):
            found.left_out.append(why)
        else:
            bars = f"bars {window.start}-{window.start + melody.BARS - 1}"
            found.pieces.append(Piece((name, window.start), window.tokens, melody.PIECE, name, f"{title}, {bars}"))
    if not found.pieces:
        found.refused = (
            "None of its windows of 8 bars has enough music." if windows else "The melody has no 8 bars in a row."
        )
    return found


def write_report(path: Path, outcomes: list[Outcome]) -> None:
    """A table for people, tab-separated: each file with its pieces, the windows left out, and why."""
    path.parent.mkdir(parents=True, exist_ok=True)

    def write(part: Path) -> None:
        with part.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
            rows = csv.writer(file, delimiter="\t", lineterminator="\n")
            rows.writerow(["file", "pieces", "windows left out", "refused", "what was chosen and changed"])
            for one in outcomes:
                rows.writerow([one.file, len(one.pieces), len(one.left_out), one.refused, " ".join(one.notices)])

    write_atomically(path, write)
