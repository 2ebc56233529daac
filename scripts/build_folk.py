"""Makes the embedded corpora tvae/data/folk.npz and folk16.npz and their credits from the ABC files of music21.

    python scripts/build_folk.py [FOLDER]        (needs `pip install music21`; FOLDER instead of tvae/data)

Three collections whose tunes are in the public domain: O'Neill's Music of Ireland (1903), Ryan's Mammoth Collection
(1883) and Aird's Airs (1782-97). Taken are the tunes in 4/4, C, C| and 2/2; of each strain the bars after the pick-up,
when they are 8, 16, 24 ... bars: one piece for every 8. A repeated strain of 4 bars is taken as it is played, twice.
The last bar of a strain is often short by the pick-up: the steps it lacks are padding.

For folk16 a tune is played through, repeated strains twice (AABB), and a piece is every 16 bars that strains fill:
AA, AB, BB, or one strain of 16. The pick-up of the second strain fills up the last bar of the first. Running it again
gives the same bytes. `read_abc.py` reads the notation.
"""

from __future__ import annotations

import csv
import importlib.util
import re
import sys
import unicodedata
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby
from math import ceil
from operator import attrgetter, itemgetter
from pathlib import Path

import numpy as np
from read_abc import Reader, Strain, Unreadable

from tvae import corpus, melody
from tvae.corpora.sources import Piece, windows
from tvae.melody import SILENCE, STEPS, SUSTAIN

DATA = Path(__file__).parent.parent / "tvae" / "data"
BOOKS = {
    "oneills1850": ("oneill", "O'Neill's Music of Ireland (1903)"),
    "ryansMammoth": ("ryan", "Ryan's Mammoth Collection (1883)"),
    "airdsAirs": ("aird", "Aird's Airs (1782-97)"),
}
METRES = {"C", "C|", "4/4", "2/2"}
FORBIDS = re.compile(r"copyright|\(c\) ?\d|©|permission|not for|non-?commercial|rights reserved|(may|must) not", re.I)
CREDITS = re.compile(r"transcri|contribut|collect|correct|edit|\b(by|from)\b", re.I)


@dataclass
class Tune:
    """One tune as it stands in the file: its header, and the text of its music."""

    book: str
    number: str  # in the book; Ryan's tunes have none and go by their file
    file: str
    header: dict[str, list[str]]  # by letter
    body: str  # from the unit length, the metre and the key on

    @property
    def id(self) -> str:
        return f"{self.book}-{self.number}"

    @property
    def title(self) -> str:
        title = re.sub(r"\s+", " ", self.header["T"][0].split(" -- ")[0]).strip(' ".')
        return title.title().replace("'S", "'s") if title.isupper() else title


def tunes(folder: Path) -> Iterator[Tune]:
    for name, (book, _) in BOOKS.items():
        for path in sorted((folder / name).glob("*.abc")):
            for text in re.split(r"(?m)^(?=X:)", path.read_text(encoding="utf-8"))[1:]:
                key = re.search(r"(?m)^K:.*\n?", text)
                if key:
                    header = defaultdict(list)
                    for letter, value in re.findall(r"(?m)^([A-Za-z]):[ \t]*(.*?)[ \t]*(?:%.*)?$", text):
                        header[letter].append(value)
                    number = path.stem if book == "ryan" else header["X"][0].zfill(4)
                    length, metre = header["L"] or ["1/8"], header["M"] or [""]
                    body = f"L:{length[0]}\nM:{metre[0]}\n{text[key.start() :]}"
                    yield Tune(book, number, path.name, header, body)


# ------------------------------------------------------------------------------------------------ strains to pieces


def whole_bars(bars: list[tuple]) -> tuple[Fraction, Fraction]:
    """Bars -> where the first whole one starts and the last one ends; Unreadable if they are not 8, 16, ... in 4/4."""
    joined = []
    for start, end in bars:
        if joined and joined[-1][1] - joined[-1][0] < 1 and end - joined[-1][0] == 1:
            joined[-1] = joined[-1][0], end  # one bar, cut in two by a repeat or at the end of a line
        else:
            joined.append((start, end))
    length = [end - start for start, end in joined]
    first = int(length[0] < 1)  # after the pick-up
    last = len(joined)
    if last % 8 == first + 1 and length[-1] < Fraction(1, 2):
        last -= 1  # the next strain's pick-up
    if last <= first or (last - first) % 8:
        raise Unreadable("strain: not 8, 16, ... bars")
    if any(x != 1 for x in length[first : last - 1]) or length[last - 1] > 1:
        raise Unreadable("strain: a bar of another length")
    return joined[first][0], joined[last - 1][1]


def played(bars: list[tuple], notes: list[list]) -> tuple[list[tuple], list[list]]:
    """Bars in the order in which they are played -> the same bars and their notes, one after the other from time 0."""
    time, moved, sounding = Fraction(0), [], []
    for start, end in bars:
        moved.append((time, time + end - start))
        first, last = (bisect_left(notes, moment, key=itemgetter(1)) for moment in (start, end))
        sounding += [[pitch, on - start + time, off - start + time] for pitch, on, off in notes[first:last]]
        time = moved[-1][1]
    return moved, sounding


def strain_pieces(strain: Strain, notes: list[list]) -> Iterator[tuple[int, np.ndarray, int]]:
    """A strain and the tune's notes -> (first bar, tokens, length) of its pieces. Unreadable: its bars do not fit."""
    try:
        bars, sounding = played(strain.bars, notes)
        start, end = whole_bars(bars)
    except Unreadable:
        if not strain.repeated:
            raise
        again = strain.bars[: strain.ending] + strain.second if strain.second else strain.bars
        bars, sounding = played(strain.bars + again, notes)
        start, end = whole_bars(bars)
    yield from cut(start, end, sounding, melody.BARS)


def cut(start: Fraction, end: Fraction, sounding: list[list], size: int) -> Iterator[tuple[int, np.ndarray, int]]:
    """What sounds between two times -> (first bar, tokens, length) of its pieces of so many bars."""
    for first in range(0, ceil(end - start), size):
        begin, stop = start + first, min(start + first + size, end)
        inside = [
            melody.quantise(pitch, float(STEPS * (on - begin)), float(STEPS * (min(off, stop) - begin)))
            for pitch, on, off in sounding
            if on < stop and off > begin
        ]
        tokens, length = next(windows(inside, [0], size)), round(STEPS * (stop - begin))
        if isinstance(tokens, str):
            raise Unreadable(f"strain: {tokens}")
        tokens[length:] = SILENCE if tokens[length - 1] == SILENCE else SUSTAIN
        yield first, tokens, length


def passes(strains: list[Strain]) -> Iterator[tuple[int, list[tuple]]]:
    """Strains -> (number of the strain, its bars) in the order in which a tune is played."""
    for number, strain in enumerate(strains, start=1):
        yield number, strain.bars
        if strain.repeated:
            yield number, strain.bars[: strain.ending] + strain.second if strain.second else strain.bars


def longer_pieces(tune: Tune, size: int) -> Iterator[Piece | str]:
    """A tune -> its pieces of so many bars, from the beginning of a strain to the end of one, as in `pieces`."""
    reader = Reader()
    try:
        reader.read(tune.body)
    except Unreadable as reason:
        yield str(reason)
        return
    order = [one for one in passes(reader.strains) if reader.strains[one[0] - 1].metre in METRES]
    for first in range(len(order)):
        for last in range(first + 1, len(order) + 1):
            bars, sounding = played(sum((own for _, own in order[first:last]), []), reader.notes)
            try:
                start, end = whole_bars(bars)
                if ceil(end - start) < size:
                    continue
                if ceil(end - start) == size:
                    ((_, tokens, length),) = cut(start, end, sounding, size)
                    numbers = " and ".join(str(number) for number, _ in order[first:last])
                    title = f"{tune.title} ({tune.id}), strain{'s' * (last > first + 1)} {numbers}"
                    yield Piece((tune.id, tune.file, first), tokens, length, tune.id, title)
            except Unreadable as reason:
                if last < len(order) and last - first < 4:  # a part of it, or with the next strain
                    continue
                yield str(reason)
            break


def pieces(tune: Tune) -> Iterator[Piece | str]:
    """A tune -> its pieces, or the reasons why something was left out."""
    reader = Reader()
    try:
        reader.read(tune.body)
    except Unreadable as reason:
        yield str(reason)
        return
    for number, strain in enumerate(reader.strains, start=1):
        try:
            if strain.metre not in METRES:
                raise Unreadable("strain: in another metre")
            for first, tokens, length in strain_pieces(strain, reader.notes):
                title = f"{tune.title} ({tune.id}), strain {number}" + (f", from bar {first + 1}" if first else "")
                yield Piece((tune.id, tune.file, number, first), tokens, length, tune.id, title)
        except Unreadable as reason:
            yield str(reason)


# -------------------------------------------------------------------------------------------------- songs and credits

STYLES = set("air clog dance fling highland hornpipe jig march polka quickstep reel schottische strathspey".split())
VAGUE = re.compile(r"(a?do|ditto|for\w*|untitled|quick|favou?rite|new|scots|scotch|irish|english|country|\d*)$")


def title_key(title: str) -> str:
    """What the titles of variants share.

    "The MacLeods' -- Reel", "Macleod's Reel, The" -> 'macleods'. '': says nothing.
    """
    title = unicodedata.normalize("NFKD", title.lower()).encode("ascii", "ignore").decode()
    title = re.sub(r"\(.*?\)|\bno\b.*|\bsetting\b|--.*", " ", re.sub(r"['`]", "", title))
    words = [word for word in re.findall(r"\w+", title) if word not in ("the", "a", "an")]
    while words and words[-1] in STYLES:
        words.pop()
    key = "".join(words)
    return "" if VAGUE.match(key) else key


def songs(taken: list[Tune], found: list[Piece]) -> dict[str, str]:
    """Tune id -> song id: the least id among variants, tunes that share a title or, in any key, 8 bars."""
    parent = {}

    def root(x):
        while parent.setdefault(x, x) != x:
            x = parent[x]
        return x

    def join(x, y):
        x, y = root(x), root(y)
        parent[max(x, y)] = min(x, y)

    first = {}
    for tune in taken:
        for title in filter(None, map(title_key, tune.header["T"])):
            join(tune.id, first.setdefault(title, tune.id))
    for piece in found:
        tokens = piece.tokens
        pitches = tokens[tokens >= melody.FIRST_PITCH]
        in_any_key = np.where(tokens >= melody.FIRST_PITCH, tokens + 100 - pitches[0], tokens).tobytes()
        join(piece.song, first.setdefault(in_any_key, piece.song))
    return {tune.id: root(tune.id) for tune in taken}


def credits(tune: Tune) -> str:
    """The transcriber's lines, as they stand in the file."""
    lines = [line for line in tune.header["Z"] if line.strip(' "')]
    lines += [line for line in tune.header["N"] + tune.header["S"] if CREDITS.search(line)]
    return "; ".join(dict.fromkeys(" ".join(line.replace('"', "").split()) for line in lines))


def build(source: Path, folder: Path) -> None:
    """The three collections under source (music21's corpus) -> folk.npz, folk16.npz and folk_credits.tsv in folder."""
    common = [tune for tune in tunes(source) if tune.header["M"] and tune.header["M"][0] in METRES]
    taken = [tune for tune in common if not FORBIDS.search("\n".join(sum(tune.header.values(), [])))]
    found, left_out = [], ["tune: its lines forbid reuse"] * (len(common) - len(taken))
    for piece in (piece for tune in taken for piece in pieces(tune)):
        (left_out if isinstance(piece, str) else found).append(piece)
    song = songs(taken, found)
    grouped = [piece._replace(song=song[piece.song]) for piece in found]
    folk = corpus.assemble("folk", grouped + left_out)
    corpus.write(folder / "folk.npz", folk)
    longer = [piece for tune in taken for piece in longer_pieces(tune, 16)]
    in_songs = [piece if isinstance(piece, str) else piece._replace(song=song[piece.song]) for piece in longer]
    corpus.write(folder / "folk16.npz", corpus.assemble("folk16", in_songs))
    used = Counter(re.search(r"\((\S+)\), strain", title)[1] for title in folk.title)
    with (folder / "folk_credits.tsv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, "excel-tab", lineterminator="\n")
        table.writerow(["tune", "song", "title", "book", "file", "pieces", "credits"])
        for name, versions in groupby(sorted(taken, key=lambda tune: (tune.id, tune.file)), key=lambda tune: tune.id):
            if used[name]:
                first, *_ = versions = list(versions)
                files, thanks = ("; ".join(map(what, versions)) for what in (attrgetter("file"), credits))
                book = dict(BOOKS.values())[first.book]
                table.writerow([name, song[name], first.title, book, files, used[name], thanks])
    print(f"{len(folk)} pieces of {len(used)} tunes in {len(set(folk.song))} songs; left out: {folk.left_out}")


if __name__ == "__main__":
    music21 = importlib.util.find_spec("music21")
    if music21 is None:
        sys.exit("music21 is not here: pip install music21")
    build(Path(music21.submodule_search_locations[0]) / "corpus", Path(sys.argv[1]) if sys.argv[1:] else DATA)
