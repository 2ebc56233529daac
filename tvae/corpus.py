"""Where melodies come from: corpora of pieces in 4/4, and the split by song that every model shares.

Pieces have 8 bars, those of folk16 and hooktheory16 have 16. Each source is a file in ``tvae/corpora``.

============  ===============================================================  =====================================
name          source                                                           where its steps come from
============  ===============================================================  =====================================
folk          O'Neill (1903), Ryan (1883), Aird (1782-97); embedded here       notation (see scripts/build_folk.py)
hooktheory    Sheet Sage's annotations (C. Donahue et al., ISMIR 2022)         exact beats, or a recovered beat grid
pop909        POP909 (Z. Wang et al., ISMIR 2020)                              the beats that come with it
folk16        the folk tunes as they are played: AABB                          as folk
hooktheory16  hooktheory where a segment has so many bars                      as hooktheory
folder:PATH   every MIDI file below a folder of one's own                      the files' beats (see `tvae.midi`)
============  ===============================================================  =====================================

`load` reads a source once, keeps what it prepared in the user's cache, and never accepts a file with another sha256.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import cached_property
from importlib.resources.abc import Traversable
from pathlib import Path

import numpy as np

from tvae.corpora import PREFIX, canonical, folder, folk, hooktheory, pop909
from tvae.corpora.sources import Piece, cache_dir
from tvae.errors import TvaeError
from tvae.files import DAMAGED, expanded, write_npz
from tvae.melody import BARS, STEPS

SOURCES = {"hooktheory": hooktheory, "pop909": pop909}  # that are read from files; folk is embedded
NAMES = ("folk", *SOURCES)
LONGER = {"folk16": ("folk", 16), "hooktheory16": ("hooktheory", 16)}  # the same songs in pieces of more bars
FOLDS = 5
FEWEST = 10  # songs of a folder
VERSION = 1  # of the preparation: a change to what a source yields needs a new number, or old caches are believed


@dataclass(frozen=True, eq=False)
class Corpus:
    """N pieces of 8 bars, or as many as `bars` says, in a fixed order.

    tokens (N, 128) uint8, valid (see `tvae.melody`); length (N,) unsigned, how many of the steps are music: the rest is
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

    @property
    def bars(self) -> int:
        return self.tokens.shape[1] // STEPS

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
        """(train index, test index): this fold's songs are the test pieces, the others train, but for `validation`."""
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

    def part(self, index: np.ndarray) -> Corpus:
        """Some of its pieces, by their indices."""
        return replace(self, **{name: getattr(self, name)[index] for name in ("tokens", "length", "song", "title")})

    def find(self, piece: int | str) -> int:
        """The index of a piece, given as an index or a title; `TvaeError` says which there are."""
        if isinstance(piece, str) and piece.isdecimal():
            piece = int(piece)
        if not isinstance(piece, str):
            if piece not in range(len(self)):
                raise TvaeError(f"There is no piece {piece} in {self.name}; its pieces are 0 to {len(self) - 1}.")
            return int(piece)
        lower = [title.lower() for title in self.title.tolist()]
        if piece.lower() in lower:
            return lower.index(piece.lower())
        near = get_close_matches(piece.lower(), lower, 3, 0.3) or lower[:3]
        titles = "; ".join(str(self.title[lower.index(title)]) for title in near)
        raise TvaeError(
            f"{self.name} has no piece {piece!r}; take a number from 0 to {len(self) - 1}, or a title like {titles}."
        )


def load(name: str, data_dir: str | Path | None = None) -> Corpus:
    """The corpus of that name: prepared on first use (a minute), read from the user's cache after that (an instant).

    data_dir, or the environment variable TVAE_DATA, is a folder with the source files, or one whose folder `name` has
    them; without it hooktheory is downloaded. TVAE_CACHE moves the cache. TvaeError: an unknown name; a source that is
    missing, has another sha256 or cannot be downloaded. It says what to fetch and where to put it.

    ``folder:PATH`` are one's own MIDI files (see `load_folder`).
    """
    if name.startswith(PREFIX):
        return load_folder(name)
    if name not in (*NAMES, *LONGER):
        raise TvaeError(
            f"There is no corpus {name!r}; choose one of {', '.join((*NAMES, *LONGER))}, "
            f"or {PREFIX}PATH for MIDI files of your own."
        )
    origin, bars = LONGER.get(name, (name, BARS))
    if origin == "folk":
        return read(folk.DATA / f"{name}.npz", name)
    data_dir = data_dir or os.environ.get("TVAE_DATA")
    source = SOURCES[origin]
    files, sha256 = source.find(expanded(data_dir) if data_dir else None)
    return kept(cached(name, sha256), name, lambda: assemble(name, source.read(files, bars)))


def load_folder(name: str) -> Corpus:
    """Every MIDI file below a folder, ``folder:PATH``, as `tvae.corpora.folder` reads it; cached by content.

    Says how many files gave pieces, and where a table stands of what became of each. Raises TvaeError where there is no
    such folder, no MIDI file in it, or too few songs for the five folds.
    """
    root = folder.root(name)
    name, (files, sha256) = canonical(name), folder.find(root)
    prepared = cached("folder", sha256)
    report = prepared.with_suffix(".tsv")
    return kept(prepared, name, lambda: in_folds(assemble(name, folder.read(root, files, report))))


def in_folds(corpus: Corpus) -> Corpus:
    """A corpus of few songs, their names with a number by which each fold has songs to train, choose and test on.

    Raises TvaeError for fewer songs than `FEWEST`, with which that is chance.
    """
    songs = len(set(corpus.song.tolist()))
    for number in range(20_000 if songs >= FEWEST else 0):
        named = replace(corpus, song=np.array([f"{song} ({number})" for song in corpus.song])) if number else corpus
        if all(len(part) for fold in range(FOLDS) for part in (*named.split(fold), named.validation(fold))):
            return named
    raise TvaeError(
        f"{corpus.name} has pieces of {songs} files only, and five folds need {FEWEST} or more; "
        "add MIDI files to the folder."
    )


# --- prepared corpora


def assemble(name: str, pieces: Iterable[Piece | str]) -> Corpus:
    """Pieces in any order -> Corpus, sorted by id, the same tokens never twice.

    A str among them is the reason why something was left out. Of pieces with the same tokens the first by id stays: no
    test piece is also a training piece.
    """
    left_out, first = Counter(), {}
    for piece in sorted(pieces, key=lambda piece: (False, piece[0]) if isinstance(piece, str) else (True, piece.id)):
        if isinstance(piece, str):
            left_out[piece] += 1
        elif first.setdefault(piece.tokens.tobytes(), piece) is not piece:
            left_out["the same as another piece"] += 1
    _, tokens, length, song, title = zip(*first.values(), strict=True)
    length = np.array(length, np.min_scalar_type(tokens[0].size))
    return Corpus(name, np.stack(tokens), length, np.array(song), np.array(title), dict(left_out))


def write(path: Path, corpus: Corpus) -> None:
    """Corpus -> .npz without pickle; the file appears whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays = {name: getattr(corpus, name) for name in ("tokens", "length", "song", "title", "sha256")}
    write_npz(path, **arrays, left_out=np.array([*corpus.left_out.items()], str).reshape(-1, 2))


def read(path: Path | Traversable, name: str) -> Corpus:
    """.npz -> Corpus; ValueError if its content is not what was written."""
    with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
        left_out = {str(reason): int(count) for reason, count in stored["left_out"]}
        corpus = Corpus(name, *(stored[key] for key in ("tokens", "length", "song", "title")), left_out)
        if corpus.sha256 != stored["sha256"]:
            raise ValueError(f"{path} is damaged.")
    return corpus


def cached(name: str, sha256: str) -> Path:
    """Where the cache has what was prepared from a source with this sha256; with another `VERSION`, another file."""
    return cache_dir() / f"{name}-{hashlib.sha256(f'{VERSION} {sha256}'.encode()).hexdigest()[:16]}.npz"


def kept(path: Path, name: str, make: Callable[[], Corpus]) -> Corpus:
    """What `read` finds in a file of the cache; made and written there where it is missing or damaged."""
    with suppress(*DAMAGED):
        return read(path, name)
    corpus = make()
    write(path, corpus)
    return corpus
