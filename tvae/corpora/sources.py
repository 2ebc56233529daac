"""What the sources have in common: files that are checked, and windows of so many bars cut from songs."""

from __future__ import annotations

import os
import tarfile
import warnings
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import mido
import numpy as np

from tvae import melody
from tvae.errors import TvaeError
from tvae.melody import Note

with warnings.catch_warnings():  # in a notebook it wishes for widgets, which no page of the book could show
    warnings.simplefilter("ignore")
    import pooch


class Piece(NamedTuple):
    """What a source yields: one row of a `tvae.corpus.Corpus`, and by what it is sorted."""

    id: tuple
    tokens: np.ndarray  # (bars * 16,) uint8
    length: int  # how many steps are music
    song: str
    title: str


# --- files


def cache_dir() -> Path:
    """Where downloads and prepared corpora are kept."""
    return Path(os.environ.get("TVAE_CACHE") or pooch.os_cache("tvae"))


def local(data_dir: Path, corpus: str, name: str) -> Path | None:
    """The file of that name in the folder, or in the folder's own folder for the corpus; None where there is none."""
    return next((path for path in (data_dir / name, data_dir / corpus / name) if path.is_file()), None)


def check(path: Path, sha256: str, url: str) -> None:
    """Raise a `TvaeError` unless the file has that sha256."""
    if pooch.file_hash(path) != sha256:
        raise TvaeError(f"{path} is not the expected file (its sha256 is not {sha256}): fetch it again from {url}.")


def download(urls: Sequence[str], name: str, sha256: str) -> Path:
    """A file from the cache, else from one of these addresses. It appears only when its sha256 is right."""
    folder = cache_dir() / "downloads"
    for url in urls:
        progress = pooch.HTTPDownloader(progressbar=True)
        try:
            return Path(pooch.retrieve(url + name, f"sha256:{sha256}", name, folder, downloader=progress))  # ty: ignore[invalid-argument-type]
        except (OSError, ValueError) as reason:  # no network, refused, another sha256
            error = reason
    raise TvaeError(
        f"Could not download {urls[0]}{name} ({type(error).__name__}): try again, or fetch it by other means "
        f"(sha256 {sha256}) and put it into {folder}, or into a folder given as data_dir or TVAE_DATA."
    ) from error


def members(archive: Path, suffix: str = "") -> Iterator[tuple[str, bytes]]:
    """(name, content) of an archive's files; nothing is written to disk."""
    with tarfile.open(archive) as tar:
        for member in tar:
            if member.isfile() and member.name.endswith(suffix):
                yield member.name, tar.extractfile(member).read()


# --- pieces


OUTSIDE = "outside the 45 pitches in every octave"  # why a window is left out


def too_empty(tokens: np.ndarray) -> str:
    """Tokens of whole bars -> why a window of them is left out, or ""."""
    empty = (melody.bars(tokens) == melody.SILENCE).all(-1).sum()
    return "more than one empty bar" if empty > 1 else ""


def windows(notes: Iterable[Note], starts: Iterable[int], bars: int = melody.BARS) -> Iterator[np.ndarray | str]:
    """Notes of a song -> for each start (a step) the tokens of so many bars from there, or why they are left out.

    A note held over the start is struck again there. Windows that leave MIDI 40 ... 84 are moved by whole octaves.
    """
    notes = melody.one_voice(notes)
    for start in starts:
        stop = start + bars * melody.STEPS
        inside = [
            Note(note.pitch, max(note.onset, start) - start, min(note.end, stop) - start)
            for note in notes
            if note.onset < stop and note.end > start
        ]
        shift = melody.fit_octave(note.pitch for note in inside)
        if shift is None:
            yield OUTSIDE
            continue
        moved = (Note(note.pitch + shift, note.onset, note.end) for note in inside)
        tokens = melody.notes_to_tokens(moved, stop - start)
        yield too_empty(tokens) or tokens


def pieces(
    id: str, song: str, title: str, notes: list[Note], starts: Iterable[int], bars: int = melody.BARS
) -> Iterator[Piece | str]:
    """Windows of a song from these steps on -> its pieces; a str is the reason why one is left out."""
    for start, tokens in zip(starts, windows(notes, starts, bars), strict=True):
        bar = start // melody.STEPS + 1
        if isinstance(tokens, str):
            yield tokens
        else:
            yield Piece((id, bar), tokens, bars * melody.STEPS, song, f"{title}, bars {bar}-{bar + bars - 1}")


def track_notes(track: mido.MidiTrack) -> list[tuple[int, int, int]]:
    """Track -> (onset, end, pitch) of its notes in ticks, in time."""
    tick, sounding, notes = 0, {}, []
    for message in track:
        tick += message.time
        if message.type == "note_on" and message.velocity:
            sounding.setdefault(message.note, []).append(tick)
        elif message.type in ("note_on", "note_off") and sounding.get(message.note):
            notes.append((sounding[message.note].pop(0), tick, message.note))
    return sorted(notes)
