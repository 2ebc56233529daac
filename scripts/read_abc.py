"""Reads what ABC notation the three collections of `build_folk.py` have: notes, in whole notes since the tune began.

music21's parser takes minutes for a book and misses some of what is written: accidentals later in a bar, dotted
rhythm across a slur or an ornament.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fractions import Fraction

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
