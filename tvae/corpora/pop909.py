"""POP909: performances of pop songs with their melodies and beats (Z. Wang et al., ISMIR 2020; MIT licence)."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import mido
import numpy as np
import pooch
from tqdm import tqdm

from tvae import melody
from tvae.corpora.sources import Piece, check, local, members, pieces, track_notes
from tvae.errors import TvaeError

URL = "https://github.com/music-x-lab/POP909-Dataset"
# one file made of that repository, with the MIDI files and the beats; the repository's folders do as well
ARCHIVE = {"pop909_midi_beats.tar.gz": "d3067ec66e4797c7f2d2d4a33de7322af8cb30df383729918ca6eaec5966a6dc"}


def find(data_dir: Path | None) -> tuple[list[Path], str]:
    """Local only: the archive, or the files of a clone."""
    (name, sha256), *_ = ARCHIVE.items()
    if archive := data_dir and local(data_dir, "pop909", name):
        check(archive, sha256, URL)
        return [archive], sha256
    for folder in [] if data_dir is None else (data_dir, data_dir / "pop909", data_dir / "POP909-Dataset"):
        songs = sorted((folder / "POP909").glob("[0-9][0-9][0-9]"))
        paths = [song / file for song in songs for file in (f"{song.name}.mid", "beat_midi.txt")]
        if missing := [path for path in paths if not path.is_file()]:
            raise TvaeError(f"{missing[0]} is missing: clone {URL} again in {folder}.")
        if paths:
            return paths, " ".join(map(pooch.file_hash, paths))
    where = data_dir or "a folder of your choice, and give that folder as data_dir or TVAE_DATA"
    raise TvaeError(f"pop909 has to be fetched by hand: run `git clone {URL}` in {where}.")


def contents(sources: list[Path]) -> dict[tuple[str, ...], bytes]:
    """Of the files that `find` found: (song, name of the file) -> what it holds."""
    archived = sources[0].name in ARCHIVE
    files = members(sources[0]) if archived else ((str(path), path.read_bytes()) for path in sources)
    return {Path(path).parts[-2:]: data for path, data in files}


def read(sources: list[Path], bars: int = melody.BARS) -> Iterator[Piece | str]:
    """The pieces of so many bars of the files that `find` found; a str is the reason why something is left out."""
    content = contents(sources)
    songs = sorted(song for song, file in content if file == f"{song}.mid")
    for song in tqdm(songs, desc="pop909", unit=" songs"):
        yield from from_song(song, content[song, f"{song}.mid"], content[song, "beat_midi.txt"], bars)


def from_song(song: str, midi: bytes, beats: bytes, bars: int = melody.BARS) -> Iterator[Piece | str]:
    """A song of POP909 and its beat_midi.txt -> its pieces.

    Each line of the latter is a beat: its time in seconds, is it a downbeat of two-beat bars, one of four-beat bars. A
    step is a quarter of the way from beat to beat. Windows stand side by side where four-beat bars follow each other.
    """
    file = mido.MidiFile(file=io.BytesIO(midi))
    notes = np.array(next(track_notes(track) for track in file.tracks if track.name == "MELODY"))
    time, _, downbeat = np.loadtxt(io.BytesIO(beats), ndmin=2).T
    steps = 4 * np.interp(seconds(notes[:, :2], file), time, np.arange(len(time)))
    downbeats = np.flatnonzero(downbeat)
    downbeats = downbeats[downbeats + 4 <= len(time)]
    starts = []
    for run in np.split(downbeats, np.flatnonzero(np.diff(downbeats) != 4) + 1):
        starts += [4 * int(run[first]) for first in range(0, len(run) - bars + 1, bars)]
    quantised = [melody.quantise(int(pitch), *span) for pitch, span in zip(notes[:, 2], steps, strict=True)]
    yield from pieces(song, f"POP909_{song}", f"POP909 {song}", quantised, starts, bars)


def seconds(ticks: np.ndarray, file: mido.MidiFile) -> np.ndarray:
    """Ticks of a MIDI file -> seconds, through its changes of tempo."""
    tick, changes = 0, {0: 500_000}  # microseconds a quarter
    for message in mido.merge_tracks(file.tracks[:1]):
        tick += message.time
        if message.type == "set_tempo":
            changes[tick] = message.tempo
    at, tempo = np.array(list(changes)), np.array(list(changes.values())) / file.ticks_per_beat / 1e6
    begin = np.concatenate([[0.0], np.cumsum(np.diff(at) * tempo[:-1])])
    last = np.searchsorted(at, ticks, side="right") - 1
    return begin[last] + (ticks - at[last]) * tempo[last]
