"""Where melodies come from: three corpora of 8-bar pieces in 4/4, and the split by song that every model shares.

==========  =================================================================  =====================================
name        source                                                             where its steps come from
==========  =================================================================  =====================================
folk        O'Neill (1903), Ryan (1883), Aird (1782-97); embedded here         notation (see scripts/build_folk.py)
hooktheory  Sheet Sage's annotations (C. Donahue et al., ISMIR 2022)           exact beats, or a recovered beat grid
pop909      POP909 (Z. Wang et al., ISMIR 2020)                                the beats that come with it
==========  =================================================================  =====================================

`load` reads a source once, keeps what it prepared in the user's cache, and never accepts a file with another sha256.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import tarfile
import warnings
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from importlib import resources
from pathlib import Path

import mido
import numpy as np
from tqdm import tqdm

from tvae import melody
from tvae.errors import TvaeError
from tvae.melody import Note

with warnings.catch_warnings():  # in a notebook it wishes for widgets, which no page of the book could show
    warnings.simplefilter("ignore")
    import pooch

NAMES = ("folk", "hooktheory", "pop909")
FOLDS = 5
VERSION = 1  # of the preparation below: a change to what it yields needs a new number, or old caches are believed

HOOKTHEORY_URLS = (  # the authors' address, and a fixed state of their repository
    "https://nlp.stanford.edu/data/cdonahue/sheetsage/hooktheory/",
    "https://github.com/chrisdonahue/sheetsage-data/raw/06113c04b109a2f27517b0399ff47550099f2466/hooktheory/",
)
HOOKTHEORY_JSON = {"Hooktheory.json.gz": "917b7cd58f5f4e07d6c36acf7bfad958c99ee05472dab3555399141094698e0c"}
HOOKTHEORY_MIDI = {
    "Hooktheory_Train_MIDI.tar.gz": "a2345e13564c81740c087b79731b47e8323c4ceb7b85d40a1a11582af58145cb",
    "Hooktheory_Valid_MIDI.tar.gz": "e369fd4a3072c7524e3cafe506bbdad6e908de969d0f1ba7abf08bf5148989fe",
    "Hooktheory_Test_MIDI.tar.gz": "3baebe9d4e19a5006d0f24bc7f0c92a4f66039ab376be86bf7b37a136d4fb6c8",
    "Hooktheory_Train_Segments.json": "f2601eb544f2e5028ffad54d3827912865578fb9ad96e6768b35e4714d5c7207",
    "Hooktheory_Valid_Segments.json": "12526962f77c2eb41cd117c8effa678b39c2b350384a7b048b327aff287b0c48",
    "Hooktheory_Test_Segments.json": "72be80045d4d28842352383e605e8712d50b3437a07b15faa541ee9d17283d5a",
}
POP909_URL = "https://github.com/music-x-lab/POP909-Dataset"
# one file made of that repository, with the MIDI files and the beats; the repository's folders do as well
POP909_ARCHIVE = {"pop909_midi_beats.tar.gz": "d3067ec66e4797c7f2d2d4a33de7322af8cb30df383729918ca6eaec5966a6dc"}


@dataclass(frozen=True, eq=False)
class Corpus:
    """N pieces of 8 bars, in a fixed order.

    tokens (N, 128) uint8, valid (see `tvae.melody`); length (N,) uint8, how many of the steps are music: the rest is
    padding, which goes on with the last note; song (N,) str, what no split tears apart; title (N,) str, for people;
    left_out, how many windows, strains or tunes were not taken, by reason.
    """

    name: str
    tokens: np.ndarray
    length: np.ndarray
    song: np.ndarray
    title: np.ndarray
    left_out: dict[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.tokens)

    @cached_property
    def sha256(self) -> str:
        """Of tokens, length and song: equal where training and evaluation see the same."""
        parts = self.tokens.tobytes(), self.length.tobytes(), "\n".join(self.song).encode()
        return hashlib.sha256(b"".join(parts)).hexdigest()

    @cached_property
    def fold(self) -> np.ndarray:
        """(N,) int in 0 ... 4: a hash of the song, so it depends on neither the order nor how much was downloaded."""
        return self._by_song(lambda number: (number >> 32) % FOLDS)

    @cached_property
    def held_back(self) -> np.ndarray:
        """(N,) bool: of the songs of every fold a twentieth, which never train."""
        return self._by_song(lambda number: number % 20 == 0)

    def split(self, fold: int) -> tuple[np.ndarray, np.ndarray]:
        """(train index, test index): the songs of this fold are the test pieces, the others train, but for `validation`."""
        self._check(fold)
        return np.flatnonzero((self.fold != fold) & ~self.held_back), np.flatnonzero(self.fold == fold)

    def validation(self, fold: int) -> np.ndarray:
        """Index of the pieces to choose by: those of a twentieth of the songs outside this fold."""
        self._check(fold)
        return np.flatnonzero((self.fold != fold) & self.held_back)

    def _check(self, fold: int) -> None:
        if fold not in range(FOLDS):
            raise TvaeError(f"There is no fold {fold}; folds are 0 ... {FOLDS - 1}.")

    def _by_song(self, function: Callable[[int], int]) -> np.ndarray:
        """(N,) a function of the first 64 bits of each piece's song, hashed."""
        songs, index = np.unique(self.song, return_inverse=True)
        return np.array([function(int(hashlib.sha256(song.encode()).hexdigest()[:16], 16)) for song in songs])[index]


def load(name: str, data_dir: str | Path | None = None) -> Corpus:
    """The corpus of that name: prepared on first use (a minute), read from the user's cache after that (an instant).

    data_dir, or the environment variable TVAE_DATA, is a folder with the source files, or one whose folder `name` has
    them; without it hooktheory is downloaded. TVAE_CACHE moves the cache. TvaeError: an unknown name; a source that is
    missing, has another sha256 or cannot be downloaded. It says what to fetch and where to put it.
    """
    if name not in NAMES:
        raise TvaeError(f"There is no corpus {name!r}; choose one of {', '.join(NAMES)}.")
    if name == "folk":
        return read(resources.files("tvae") / "data" / "folk.npz", name)
    data_dir = data_dir or os.environ.get("TVAE_DATA")
    find, prepare = {"hooktheory": (_find_hooktheory, _hooktheory), "pop909": (_find_pop909, _pop909)}[name]
    sources, sha256 = find(Path(data_dir).expanduser() if data_dir else None)
    prepared = cache_dir() / f"{name}-{hashlib.sha256(f'{VERSION} {sha256}'.encode()).hexdigest()[:16]}.npz"
    corpus = _read_prepared(prepared, name)
    if corpus is None:
        corpus = assemble(name, prepare(sources))
        write(prepared, corpus)
    return corpus


def cache_dir() -> Path:
    """Where downloads and prepared corpora are kept."""
    return Path(os.environ.get("TVAE_CACHE") or pooch.os_cache("tvae"))


# --------------------------------------------------------------------------------------- pieces and prepared corpora


def windows(notes: Iterable[Note], starts: Iterable[int]) -> Iterator[np.ndarray | str]:
    """Notes of a song -> for each start (a step) the (128,) tokens of the 8 bars from there, or why they are left out.

    A note held over the start is struck again there. Windows that leave MIDI 40 ... 84 are moved by whole octaves.
    """
    notes = melody.one_voice(notes)
    for start in starts:
        stop = start + melody.PIECE
        inside = [
            Note(note.pitch, max(note.onset, start) - start, min(note.end, stop) - start)
            for note in notes
            if note.onset < stop and note.end > start
        ]
        shift = melody.fit_octave(note.pitch for note in inside)
        if shift is None:
            yield "outside the 45 pitches in every octave"
            continue
        tokens = melody.notes_to_tokens(Note(note.pitch + shift, note.onset, note.end) for note in inside)
        empty = (melody.bars(tokens) == melody.SILENCE).all(-1).sum()
        yield "more than one empty bar" if empty > 1 else tokens


def assemble(name: str, pieces: Iterable[tuple | str]) -> Corpus:
    """Pieces (id, tokens, length, song, title) in any order -> Corpus, sorted by id, the same tokens never twice.

    A str among them is the reason why something was left out. Of pieces with the same tokens the first by id stays: no
    test piece is also a training piece.
    """
    left_out, first = Counter(), {}
    for piece in sorted(pieces, key=lambda piece: (not isinstance(piece, str), piece[0])):
        if isinstance(piece, str):
            left_out[piece] += 1
        elif first.setdefault(piece[1].tobytes(), piece) is not piece:
            left_out["the same as another piece"] += 1
    _, tokens, length, song, title = zip(*first.values(), strict=True)
    return Corpus(name, np.stack(tokens), np.array(length, np.uint8), np.array(song), np.array(title), dict(left_out))


def write(path: Path, corpus: Corpus) -> None:
    """Corpus -> .npz without pickle; the file appears whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            np.savez_compressed(
                file,
                tokens=corpus.tokens,
                length=corpus.length,
                song=corpus.song,
                title=corpus.title,
                left_out=np.array(list(corpus.left_out.items()), str).reshape(-1, 2),
                sha256=corpus.sha256,
            )
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def read(path: Path, name: str) -> Corpus:
    """.npz -> Corpus; ValueError if its content is not what was written."""
    with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
        left_out = {str(reason): int(count) for reason, count in stored["left_out"]}
        corpus = Corpus(name, *(stored[key] for key in ("tokens", "length", "song", "title")), left_out)
        if corpus.sha256 != stored["sha256"]:
            raise ValueError(f"{path} is damaged.")
    return corpus


def _read_prepared(path: Path, name: str) -> Corpus | None:
    """None: not there yet, or damaged."""
    try:
        return read(path, name)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error):
        return None


# -------------------------------------------------------------------------------------------------------- hooktheory


def _find_hooktheory(data_dir: Path | None) -> tuple[list[Path], str]:
    """The JSON file (exact beats) where there is one or it can be downloaded, else the MIDI archives."""
    if data_dir is None:
        return [_download(name, sha256) for name, sha256 in HOOKTHEORY_JSON.items()], " ".join(HOOKTHEORY_JSON.values())
    for wanted in (HOOKTHEORY_JSON, HOOKTHEORY_MIDI):
        found = [_local(data_dir, "hooktheory", name) for name in wanted]
        if all(found):
            for path in found:
                _check(path, wanted[path.name], HOOKTHEORY_URLS[0] + path.name)
            return found, " ".join(wanted.values())
    raise TvaeError(
        f"hooktheory is not in {data_dir}: fetch {HOOKTHEORY_URLS[0]}{next(iter(HOOKTHEORY_JSON))} (or, from the same "
        f"place, {', '.join(HOOKTHEORY_MIDI)}) and put it into {data_dir / 'hooktheory'}."
    )


def _hooktheory(sources: list[Path]) -> Iterator[tuple | str]:
    if sources[0].name in HOOKTHEORY_JSON:
        with gzip.open(sources[0]) as file:
            records = json.load(file)
        for segment, record in tqdm(records.items(), desc="hooktheory", unit=" segments"):
            yield from from_record(segment, record)
    else:
        tags = [json.loads(path.read_text(encoding="utf-8")) for path in sources[3:]]
        with tqdm(total=sum(map(len, tags)), desc="hooktheory", unit=" segments") as bar:
            for archive, segments in zip(sources[:3], tags, strict=True):
                for path, content in _members(archive, ".mid"):
                    segment = Path(path).stem
                    yield from from_midi(segment, segments[segment]["audio_tag"], content)
                    bar.update()


def from_record(segment: str, record: dict) -> Iterator[tuple | str]:
    """One record of Hooktheory.json -> its pieces. Onsets are in beats; octave 0 is the one of middle C."""
    annotations, origin = record["annotations"], record["hooktheory"]
    if not annotations["melody"]:
        yield "no melody"
    elif {(meter["beats_per_bar"], meter["beat_unit"]) for meter in annotations["meters"]} != {(4, 4)}:
        yield "not in 4/4"
    else:
        notes = [
            melody.quantise(60 + 12 * note["octave"] + note["pitch_class"], 4 * note["onset"], 4 * note["offset"])
            for note in annotations["melody"]
        ]
        recording = (record.get("youtube") or {}).get("id")  # what the MIDI archives know a song by
        song = f"YOUTUBE_{recording}" if recording else f"{origin['artist']}/{origin['song']}"
        title = f"{origin['artist']}: {origin['song']}".replace("-", " ").title()
        yield from _segment(segment, song, title, notes, int(annotations["num_beats"]))


def from_midi(segment: str, song: str, content: bytes) -> Iterator[tuple | str]:
    """One file of the MIDI archives -> its pieces. Its times are seconds of the recording: the beats are recovered."""
    tracks = {track.name: _notes(track) for track in mido.MidiFile(file=io.BytesIO(content)).tracks}
    (start, *_), (end, *_) = tracks["SEGMENT"]
    times = np.array(tracks["MELODY"])  # (notes, 3): onset and end in ticks of 1/4096 s, pitch
    position = (times[:, :2] - start) / (end - start)
    beats, residual = beat_grid(position, (end - start) / 4096)
    if residual > 0.09 or beats % 4:
        yield "no clear beat"
        return
    notes = [
        melody.quantise(int(pitch), *steps) for pitch, steps in zip(times[:, 2], 4 * beats * position, strict=True)
    ]
    yield from _segment(segment, song, f"Hooktheory {segment}", notes, beats)


def beat_grid(position: np.ndarray, seconds: float) -> tuple[int, float]:
    """Onsets and ends as fractions (0 ... 1) of a segment so many seconds long -> (beats in it, residual).

    Every whole number of beats that makes 65 ... 195 a minute is tried; the residual is the mean distance from the grid
    of sixteenths, in sixteenths. The least one wins, but among those about as good, a number of whole four-bar phrases.
    """
    beats = np.arange(np.ceil(65 * seconds / 60), np.floor(195 * seconds / 60) + 1).astype(int)
    steps = 4 * beats[:, None] * position.ravel()  # (candidates, onsets and ends)
    residual = np.abs(steps - np.round(steps)).mean(1)
    phrases = (beats % 16 == 0) & (residual <= residual.min() + 0.01)
    best = np.argmin(np.where(phrases, residual, np.inf) if phrases.any() else residual)
    return int(beats[best]), float(residual[best])


def _segment(segment: str, song: str, title: str, notes: list[Note], beats: int) -> Iterator[tuple | str]:
    """Windows of 8 bars from the segment's first beat on."""
    starts = range(0, 4 * beats - melody.PIECE + 1, melody.PIECE)
    if not starts:
        yield "shorter than 8 bars"
    yield from _pieces(segment, song, title, notes, starts)


def _pieces(name: str, song: str, title: str, notes: list[Note], starts: Iterable[int]) -> Iterator[tuple | str]:
    for start, tokens in zip(starts, windows(notes, starts), strict=True):
        bar = start // melody.STEPS + 1
        piece = (name, bar), tokens, melody.PIECE, song, f"{title}, bars {bar}-{bar + melody.BARS - 1}"
        yield tokens if isinstance(tokens, str) else piece


# ------------------------------------------------------------------------------------------------------------ pop909


def _find_pop909(data_dir: Path | None) -> tuple[list[Path], str]:
    """Local only: the archive, or the files of a clone."""
    (name, sha256), *_ = POP909_ARCHIVE.items()
    if archive := data_dir and _local(data_dir, "pop909", name):
        _check(archive, sha256, POP909_URL)
        return [archive], sha256
    for folder in [] if data_dir is None else (data_dir, data_dir / "pop909", data_dir / "POP909-Dataset"):
        songs = sorted((folder / "POP909").glob("[0-9][0-9][0-9]"))
        paths = [song / file for song in songs for file in (f"{song.name}.mid", "beat_midi.txt")]
        if missing := [path for path in paths if not path.is_file()]:
            raise TvaeError(f"{missing[0]} is missing: clone {POP909_URL} again in {folder}.")
        if paths:
            return paths, " ".join(map(pooch.file_hash, paths))
    where = data_dir or "a folder of your choice, and give that folder as data_dir or TVAE_DATA"
    raise TvaeError(f"pop909 has to be fetched by hand: run `git clone {POP909_URL}` in {where}.")


def _pop909(sources: list[Path]) -> Iterator[tuple | str]:
    archived = sources[0].name in POP909_ARCHIVE
    files = _members(sources[0]) if archived else ((str(path), path.read_bytes()) for path in sources)
    content = {Path(path).parts[-2:]: data for path, data in files}
    songs = sorted(song for song, file in content if file == f"{song}.mid")
    for song in tqdm(songs, desc="pop909", unit=" songs"):
        yield from from_pop909(song, content[song, f"{song}.mid"], content[song, "beat_midi.txt"])


def from_pop909(song: str, midi: bytes, beats: bytes) -> Iterator[tuple | str]:
    """A song of POP909 and its beat_midi.txt -> its pieces.

    Each line of the latter is a beat: its time in seconds, is it a downbeat of two-beat bars, one of four-beat bars. A
    step is a quarter of the way from beat to beat. Windows stand side by side where four-beat bars follow each other.
    """
    file = mido.MidiFile(file=io.BytesIO(midi))
    notes = np.array(next(_notes(track) for track in file.tracks if track.name == "MELODY"))
    time, _, downbeat = np.loadtxt(io.BytesIO(beats), ndmin=2).T
    steps = 4 * np.interp(_seconds(notes[:, :2], file), time, np.arange(len(time)))
    downbeats = np.flatnonzero(downbeat)
    downbeats = downbeats[downbeats + 4 <= len(time)]
    starts = []
    for bars in np.split(downbeats, np.flatnonzero(np.diff(downbeats) != 4) + 1):
        starts += [4 * int(bars[first]) for first in range(0, len(bars) - melody.BARS + 1, melody.BARS)]
    quantised = [melody.quantise(int(pitch), *span) for pitch, span in zip(notes[:, 2], steps, strict=True)]
    yield from _pieces(song, f"POP909_{song}", f"POP909 {song}", quantised, starts)


def _seconds(ticks: np.ndarray, file: mido.MidiFile) -> np.ndarray:
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


# ------------------------------------------------------------------------------------------------------------- files


def _local(data_dir: Path, corpus: str, name: str) -> Path | None:
    return next((path for path in (data_dir / name, data_dir / corpus / name) if path.is_file()), None)


def _check(path: Path, sha256: str, url: str) -> None:
    if pooch.file_hash(path) != sha256:
        raise TvaeError(f"{path} is not the expected file (its sha256 is not {sha256}): fetch it again from {url}.")


def _download(name: str, sha256: str) -> Path:
    """A file from the cache, else from the network; pooch moves it into place only when its sha256 is right."""
    folder = cache_dir() / "downloads"
    for url in HOOKTHEORY_URLS:
        progress = pooch.HTTPDownloader(progressbar=True)
        try:
            return Path(pooch.retrieve(url + name, f"sha256:{sha256}", name, folder, downloader=progress))
        except (OSError, ValueError) as reason:  # no network, refused, another sha256
            error = reason
    raise TvaeError(
        f"Could not download {HOOKTHEORY_URLS[0]}{name} ({type(error).__name__}): try again, or fetch it by other means "
        f"(sha256 {sha256}) and put it into {folder}, or into a folder given as data_dir or TVAE_DATA."
    ) from error


def _members(archive: Path, suffix: str = "") -> Iterator[tuple[str, bytes]]:
    """(name, content) of an archive's files; nothing is written to disk."""
    with tarfile.open(archive) as tar:
        for member in tar:
            if member.isfile() and member.name.endswith(suffix):
                yield member.name, tar.extractfile(member).read()


def _notes(track: mido.MidiTrack) -> list[tuple[int, int, int]]:
    """Track -> (onset, end, pitch) of its notes in ticks, in time."""
    tick, sounding, notes = 0, {}, []
    for message in track:
        tick += message.time
        if message.type == "note_on" and message.velocity:
            sounding.setdefault(message.note, []).append(tick)
        elif message.type in ("note_on", "note_off") and sounding.get(message.note):
            notes.append((sounding[message.note].pop(0), tick, message.note))
    return sorted(notes)
