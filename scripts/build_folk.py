"""Makes the embedded corpus tvae/data/folk.npz and its credits from the ABC files that the music21 wheel ships.

    python scripts/build_folk.py [FOLDER]        (needs `pip install music21`; FOLDER instead of tvae/data)

Three collections whose tunes are in the public domain: O'Neill's Music of Ireland (1903), Ryan's Mammoth Collection
(1883) and Aird's Airs (1782-97). Taken are the tunes in 4/4, C, C| and 2/2; of each strain the bars after the pick-up,
when they are 8, 16, 24 ... bars: one piece for every 8. A repeated strain of 4 bars is taken as it is played, twice.
The last bar of a strain is often short by the pick-up: the steps it lacks are padding. Running it again gives the same
bytes. ABC is read here and not by music21, whose parser takes minutes for a book and misses some of what is written
(accidentals later in a bar, dotted rhythm across a slur or an ornament).
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
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import groupby
from math import ceil
from operator import attrgetter, itemgetter
from pathlib import Path

import numpy as np

from tvae import corpus, melody
from tvae.corpora.sources import windows
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


# ------------------------------------------------------------------------------------------------------ reading ABC

LENGTH = r"\d*(?:/+\d*)*"
TOKEN = re.compile(
    rf"""
      (?P<field>\[([A-Za-z]):([^\]]*)\])
    | (?P<skip>"[^"]*"|\{{[^}}]*\}}|![^!\s|]{{1,12}}!|\((?!\d)|[\s)`\\.~!yuvklHIJKLMOPQRSTUVW*$]|=20)  # and decorations
    | (?P<tuplet>\((\d)(?::(\d*))?(?::(\d*))?)
    | (?P<note>(\^\^|\^|__|_|=)?([A-Ga-g])([,']*)({LENGTH}))
    | (?P<rest>[zx]({LENGTH}))
    | (?P<bar>(:*\|?\[?\|+\]?:*|::+)\s*(?:\[?(\d)[\d,.\-]*)?|(\[)(\d))
    | (?P<open>\[)
    | (?P<close>\]({LENGTH}))
    | (?P<broken>>+|<+)
    | (?P<tie>-)
    """,
    re.X,
)
SEMITONES = dict(zip("CDEFGAB", (0, 2, 4, 5, 7, 9, 11), strict=True))
FIFTHS = {"": 0, "maj": 0, "m": -3, "min": -3, "dor": -2, "phr": -4, "lyd": 1, "mix": -1}  # from the major key
ALTERATION = {"^^": 2, "^": 1, "=": 0, "_": -1, "__": -2}


class Unreadable(Exception):
    """Its message is the reason why a tune or a strain is left out."""


def key_signature(text: str) -> dict[str, int]:
    """The value of a K: field -> semitones of the altered letters."""
    text = "D" if text.lower().startswith("hp") else text  # on the pipes F and C are sharp
    found = re.match(r"([A-G])([#b]?)\s*([A-Za-z]*)((?:\s*(?:\^\^|\^|__|_|=)[A-Ga-g])*)$", text)
    mode = "" if not found or found[3] == "M" else found[3].lower()[:3]
    if not found or mode not in FIFTHS:
        raise Unreadable("tune: key not understood")
    fifths = "FCGDAEB".index(found[1]) - 1 + 7 * (("#" in found[2]) - ("b" in found[2])) + FIFTHS[mode]
    letters = "FCGDAEB"[:fifths] if fifths >= 0 else "BEADGCF"[:-fifths]
    changes = re.findall(r"(\^\^|\^|__|_|=)([A-Ga-g])", found[4])  # as in K:Dmix=c
    return {x: 1 if fifths > 0 else -1 for x in letters} | {x.upper(): ALTERATION[sign] for sign, x in changes}


def multiple(text: str) -> Fraction:
    """'3', '/', '//', '3/2' -> how many unit lengths."""
    numerator, *denominators = re.split(r"(?=/)", text)
    value = Fraction(int(numerator or 1))
    for denominator in denominators:
        value /= int(denominator[1:] or 2)
    return value


@dataclass
class Strain:
    """What stands between double bars or repeat signs; a bar is (start, end) in whole notes since the tune began."""

    metre: str
    bars: list[tuple[Fraction, Fraction]] = field(default_factory=list)
    ending: int | None = None  # where in bars the first ending starts
    second: list[tuple[Fraction, Fraction]] = field(default_factory=list)  # the bars of the second ending
    repeated: bool = False


@dataclass
class Reader:
    """Reads the music of one tune: notes [pitch, onset, end], in whole notes since the tune began, and its strains."""

    notes: list[list] = field(default_factory=list)
    strains: list[Strain] = field(default_factory=list)
    time: Fraction = Fraction(0)
    bar_start: Fraction = Fraction(0)
    unit: Fraction = Fraction(1, 8)
    metre: str = ""
    signature: dict[str, int] = field(default_factory=dict)
    accidentals: dict[str, int] = field(default_factory=dict)  # of this bar
    tie: tuple | None = None  # (name, pitch) of a note with a tie after it
    dotted: Fraction = Fraction(1)  # what a broken rhythm does to the note after it
    tuplet: tuple[Fraction, int] = (Fraction(1), 0)  # factor, notes left
    chord: list | None = None  # (pitch, name, length) while a chord is open
    last: tuple | None = None  # (note or None for a rest, length, name)
    strain: Strain | None = None
    in_second: bool = False

    def read(self, body: str) -> None:
        for line in body.splitlines():
            line, position = line.split("%")[0].strip(), 0
            if re.match(r"[A-Za-z]:(?![|:])", line):
                self.field(line[0], line[2:].strip())
                continue
            while position < len(line):
                token = TOKEN.match(line, position)
                if not token:
                    raise Unreadable("tune: notation not understood")
                self.token(token.lastgroup, token[token.lastgroup], token)
                position = token.end()
        self.end_bar()
        self.end_strain()

    def field(self, letter: str, value: str) -> None:
        if letter == "K":
            self.signature = key_signature(value)
        elif letter == "L":
            self.unit = Fraction(value)
        elif letter == "M":
            self.metre = value
        elif letter == "V":
            raise Unreadable("tune: more than one voice")
        elif letter == "P":
            self.end_bar()
            self.end_strain()

    def token(self, kind: str, text: str, token: re.Match) -> None:
        if self.chord is not None and kind not in ("note", "tie", "skip", "close"):
            raise Unreadable("tune: notation not understood")
        parts = token.groups()[TOKEN.groupindex[kind] :]  # of this kind, what is in parentheses
        if kind == "field":
            self.field(parts[0], parts[1].strip())
        elif kind == "bar":
            self.bar(parts[0] or parts[2], parts[1] or parts[3])
        elif kind == "tuplet":
            count = int(parts[0])
            into = int(parts[1] or {2: 3, 4: 3, 8: 3}.get(count, 2))
            self.tuplet = Fraction(into, count), int(parts[2] or count)
        elif kind == "note":
            accidental, letter, octave, length = parts[:4]
            note = self.pitch(accidental, letter, octave), letter + octave, multiple(length)
            if self.chord is None:
                self.add(*note)
            else:
                self.chord.append(note)
        elif kind == "rest":
            self.add(None, "", multiple(parts[0]))
        elif kind == "open":
            self.chord = []
        elif kind == "close" and self.chord:
            pitch, name, length = max(self.chord)  # of a double stop the upper note is the melody
            self.chord = None
            self.add(pitch, name, length * multiple(parts[0]))
        elif kind == "broken" and self.last:
            self.broken(text)
        elif kind == "tie" and self.chord is None and self.last and self.last[0]:
            self.tie = self.last[2], self.last[0][0]
        elif kind not in ("skip", "tie"):
            raise Unreadable("tune: notation not understood")

    def pitch(self, accidental: str | None, letter: str, octave: str) -> int:
        """MIDI pitch. As in print, an accidental holds for its line or space until the bar ends."""
        name = letter + octave
        if accidental:
            self.accidentals[name] = ALTERATION[accidental]
        elif self.tie and self.tie[0] == name:
            return self.tie[1]  # also over a bar line
        alteration = self.accidentals.get(name, self.signature.get(letter.upper(), 0))
        octaves = octave.count("'") - octave.count(",") + letter.islower()
        return 60 + SEMITONES[letter.upper()] + alteration + 12 * octaves

    def add(self, pitch: int | None, name: str, length: Fraction) -> None:
        factor, left = self.tuplet
        length *= self.unit * self.dotted * (factor if left else 1)
        if pitch is not None and self.tie and self.tie[1] == pitch:
            self.notes[-1][2] += length
        elif pitch is not None:
            self.notes.append([pitch, self.time, self.time + length])
        self.last = (None if pitch is None else self.notes[-1]), length, name
        self.time += length
        self.tuplet, self.dotted, self.tie = (factor, max(left - 1, 0)), Fraction(1), None

    def broken(self, sign: str) -> None:
        """a>b is a dotted a and a short b, a<b the other way round; a>>b has two dots."""
        short = Fraction(1, 2 ** len(sign))
        before, self.dotted = (2 - short, short) if sign[0] == ">" else (short, 2 - short)
        note, length, _ = self.last
        self.time += length * (before - 1)
        if note:
            note[2] += length * (before - 1)

    def bar(self, sign: str, ending: str | None) -> None:
        self.end_bar()
        plain = sign in ("|", "[", "|[", "[|]")
        if self.strain and ending == "1":
            self.strain.ending = len(self.strain.bars)
        elif self.strain and ending == "2" and self.strain.ending is not None:
            self.strain.repeated = self.in_second = True
            return
        if not plain or ending and ending != "1":
            if self.strain:
                self.strain.repeated |= sign.startswith(":")
            self.end_strain()

    def end_bar(self) -> None:
        if self.time > self.bar_start:
            self.strain = self.strain or Strain(self.metre)
            (self.strain.second if self.in_second else self.strain.bars).append((self.bar_start, self.time))
            if self.in_second and len(self.strain.second) == len(self.strain.bars) - self.strain.ending:
                self.end_strain()
        self.bar_start = self.time
        self.accidentals = {}

    def end_strain(self) -> None:
        if self.strain:
            self.strains.append(self.strain)
            self.tie = None
        self.strain, self.in_second = None, False


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
    for first in range(0, ceil(end - start), melody.BARS):
        begin, stop = start + first, min(start + first + melody.BARS, end)
        inside = [
            melody.quantise(pitch, float(STEPS * (on - begin)), float(STEPS * (min(off, stop) - begin)))
            for pitch, on, off in sounding
            if on < stop and off > begin
        ]
        tokens, length = next(windows(inside, [0])), round(STEPS * (stop - begin))
        if isinstance(tokens, str):
            raise Unreadable(f"strain: {tokens}")
        tokens[length:] = SILENCE if tokens[length - 1] == SILENCE else SUSTAIN
        yield first, tokens, length


def pieces(tune: Tune) -> Iterator[tuple | str]:
    """A tune -> its pieces, (id, tokens, length, song, title), or the reasons why something was left out."""
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
                yield (tune.id, tune.file, number, first), tokens, length, tune.id, title
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


def songs(taken: list[Tune], found: list[tuple]) -> dict[str, str]:
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
    for _, tokens, _, tune, _ in found:
        pitches = tokens[tokens >= melody.FIRST_PITCH]
        in_any_key = np.where(tokens >= melody.FIRST_PITCH, tokens + 100 - pitches[0], tokens).tobytes()
        join(tune, first.setdefault(in_any_key, tune))
    return {tune.id: root(tune.id) for tune in taken}


def credits(tune: Tune) -> str:
    """The transcriber's lines, as they stand in the file."""
    lines = [line for line in tune.header["Z"] if line.strip(' "')]
    lines += [line for line in tune.header["N"] + tune.header["S"] if CREDITS.search(line)]
    return "; ".join(dict.fromkeys(" ".join(line.replace('"', "").split()) for line in lines))


def build(source: Path, folder: Path) -> None:
    """The three collections under source (music21's corpus) -> folder/folk.npz and folder/folk_credits.tsv."""
    common = [tune for tune in tunes(source) if tune.header["M"] and tune.header["M"][0] in METRES]
    taken = [tune for tune in common if not FORBIDS.search("\n".join(sum(tune.header.values(), [])))]
    found, left_out = [], ["tune: its lines forbid reuse"] * (len(common) - len(taken))
    for piece in (piece for tune in taken for piece in pieces(tune)):
        (left_out if isinstance(piece, str) else found).append(piece)
    song = songs(taken, found)
    grouped = [(key, tokens, length, song[tune], title) for key, tokens, length, tune, title in found]
    folk = corpus.assemble("folk", grouped + left_out)
    corpus.write(folder / "folk.npz", folk)
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
