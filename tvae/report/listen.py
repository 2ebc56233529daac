"""Melodies on a page: the element ``<tvae-player>`` with its picture, its sound and its MIDI file.

What Python writes is complete by itself: a piano roll as inline SVG and a link to the MIDI file, for paper and pages
without scripts. ``book/assets/tvae-player.js``, ``tvae-roll.js`` and ``tvae-sound.js`` make it playable, and
``tvae.css`` gives it the book's looks.
"""

from __future__ import annotations

import json
import os
import re
import wave
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from io import BytesIO

import numpy as np

from tvae.errors import TvaeError
from tvae.melody import PIECE, STEPS, Note, canonical, earlier_equal, tokens_to_notes
from tvae.midi import to_pretty_midi
from tvae.report.plots.rolls import bar_name, hosts, pitch_name, pitch_range, tints
from tvae.report.plots.style import ROLE_COLOURS, TINTS


@dataclass(frozen=True, repr=False, eq=False)
class Player:
    """One piece to see and hear. Shows itself in a notebook; its text describes the melody."""

    tokens: np.ndarray  # (128,) valid
    title: str
    tempo: float  # quarter notes a minute
    role: str  # "", "host", "donor" or "result": gives the colour
    pitches: tuple[int, int]  # lowest and highest MIDI pitch of the roll
    tints: tuple[int, ...]  # of each bar, the colour that equal bars share: `style.TINTS` from 1; 0: none

    @property
    def bars(self) -> int:
        return len(self.tokens) // STEPS

    @property
    def notes(self) -> list[Note]:
        return tokens_to_notes(self.tokens)

    @property
    def text(self) -> str:
        """The melody in a sentence: how many notes, from where to where, which bars repeat which."""
        pitches = [note.pitch for note in self.notes]
        if not pitches:
            return f"{self.bars} bars of silence"
        first = earlier_equal(self.tokens)
        repeats = [f"bar {bar + 1} = bar {source + 1}" for bar, source in enumerate(first) if source >= 0]
        notes = "1 note" if len(pitches) == 1 else f"{len(pitches)} notes"
        span = f"{notes} from {pitch_name(min(pitches))} to {pitch_name(max(pitches))}"
        return f"{span}; " + (", ".join(repeats) or "no bar repeats an earlier one")

    def midi(self) -> bytes:
        """The piece as a MIDI file: one track, named, 4/4."""
        file = BytesIO()
        to_pretty_midi(self.tokens, tempo=self.tempo, name=self.title or "melody").write(file)
        return file.getvalue()

    def _repr_html_(self) -> str:
        low, high = self.pitches
        piece = {
            "title": self.title,
            "role": self.role,
            "text": self.text,
            "tempo": self.tempo,
            "notes": [[note.pitch, note.onset, note.end] for note in self.notes],
            "repeats": earlier_equal(self.tokens).tolist(),  # the bar that each bar repeats, -1 where it is new
            "tints": self.tints,
            "low": low,
            "high": high,
        }
        name = re.sub(r"[^\w]+", "-", self.title.lower()).strip("-") or "melody"
        data = b64encode(self.midi()).decode()
        label = f"MIDI file of {self.title}" if self.title else "MIDI file"
        role = f'<span class="tvae-role">{self.role}</span> ' if self.role else ""
        return (
            f'<tvae-player data-piece="{escape(json.dumps(piece, ensure_ascii=False))}" data-role="{self.role}">'
            f'<div class="tvae-head">{role}<strong class="tvae-title">{escape(self.title)}</strong> '
            f'<a class="tvae-midi" download="{name}.mid" href="data:audio/midi;base64,{data}" '
            f'aria-label="{escape(label)}">MIDI</a></div>{self._roll()}'
            "<noscript><small>To hear it here, allow scripts; any music program plays the MIDI file.</small></noscript>"
            "</tvae-player>"
        )

    def _roll(self) -> str:
        """The roll as tvae-roll.js draws it, but with looks of its own where no style sheet is. Places are in %."""
        low, high = self.pitches
        row = 100 / (high - low + 1)
        repeats = earlier_equal(self.tokens).tolist()
        colour = ROLE_COLOURS.get(self.role, "currentColor")
        line, text = '<line stroke="currentColor"', '<text font-size="11" fill="currentColor"'
        shapes = []
        for bar in range(self.bars):
            at, width = f"{100 * bar / self.bars}%", f'width="{100 / self.bars}%"'
            if self.tints[bar]:
                tint = TINTS[self.tints[bar] - 1]
                shapes.append(f'<rect x="{at}" y="0" {width} height="100%" fill="{tint}" fill-opacity=".16"/>')
                shapes.append(f'<rect x="{at}" y="-3" {width} height="3" fill="{tint}"/>')
            label = bar_name(repeats, bar)
            shapes.append(f'{line} stroke-opacity=".3" x1="{at}" x2="{at}" y2="100%"/>')
            shapes.append(f'{text} x="{at}" y="-6" dx="2">{label}</text>')
        for pitch in range(-(-low // 12) * 12, high + 1, 12):
            y = f"{(high - pitch + 0.5) * row:.2f}%"
            shapes.append(f'{line} stroke-opacity=".15" x2="100%" y1="{y}" y2="{y}"/>')
            shapes.append(f'{text} x="-4" y="{y}" dy="4" text-anchor="end">{pitch_name(pitch)}</text>')
        for note in self.notes:
            place = f'x="{100 * note.onset / len(self.tokens):.3f}%" y="{(high - note.pitch) * row:.2f}%"'
            size = f'width="{100 * (note.end - note.onset - 0.2) / len(self.tokens):.3f}%" height="{row:.2f}%"'
            shapes.append(f'<rect class="tvae-note" {place} {size} rx="1.5" fill="{colour}"/>')
        label = escape(f"Piano roll of {self.title}: {self.text}" if self.title else f"Piano roll: {self.text}")
        style = "display:block;overflow:visible;width:calc(100% - 30px);height:100px;margin:20px 0 8px 28px"
        return f'<svg class="tvae-roll" role="img" aria-label="{label}" style="{style}">{"".join(shapes)}</svg>'

    def __repr__(self) -> str:
        sounding = ([pitch_name(n.pitch) for n in self.notes if n.onset // STEPS == bar] for bar in range(self.bars))
        heard = " | ".join(" ".join(names) or "–" for names in sounding)
        return ": ".join(filter(None, (self.role, self.title, self.text))) + f"\n{heard}"


@dataclass(frozen=True, repr=False, eq=False)
class Players:
    """Several pieces side by side, as many in a row as the page is wide."""

    players: tuple[Player, ...]

    def _repr_html_(self) -> str:
        return f'<div class="tvae-players">{"".join(player._repr_html_() for player in self.players)}</div>'

    def __repr__(self) -> str:
        return "\n\n".join(map(repr, self.players))


def player(
    tokens: np.ndarray,
    title: str = "",
    tempo: float = 120.0,
    role: str = "",
    pitches: tuple[int, int] | None = None,
    like: np.ndarray | None = None,
) -> Player:
    """(128,) tokens -> what shows and plays them; a sustain with nothing to sustain is silent.

    ``tempo`` in quarter notes a minute; ``role`` is "", "host", "donor" or "result"; ``pitches`` (lowest and highest
    MIDI pitch of the roll) fits the piece unless given; equal bars have the colours of ``like`` (128,), the host, say.
    Raises TvaeError for no piece, no tempo (4 ... 1000), no role.
    """
    tokens = np.asarray(tokens)
    if tokens.ndim != 1 or not tokens.size or tokens.size % PIECE:
        raise TvaeError(
            f"A player takes one piece, {PIECE} tokens in a row (or {2 * PIECE}, 16 bars); "
            f"this is of shape {tokens.shape}."
        )
    if role and role not in ROLE_COLOURS:
        raise TvaeError(f"There is no role {role!r}; choose one of {', '.join(ROLE_COLOURS)} or none.")
    to_pretty_midi(tokens, tempo=tempo)  # what is wrong with tokens or tempo is said now, not when the page is made
    tokens = canonical(tokens)
    return Player(
        tokens, title, float(tempo), role, pitches or pitch_range(tokens_to_notes(tokens)), tints(tokens, like)
    )


def players(
    pieces: Sequence[np.ndarray],
    titles: Sequence[str] = (),
    roles: Sequence[str] = (),
    tempo: float = 120.0,
    like: Sequence[np.ndarray | None] | None = None,
) -> Players:
    """Several (128,) pieces over one range of pitches, so that high and low can be compared.

    Equal bars have the colours of ``like``, a piece for each; without it, of the last host so far: one colour means the
    same bars in a trio. Raises TvaeError as `player` does, and for titles or roles that are not as many as the pieces.
    """
    for words, name in ((titles, "titles"), (roles, "roles")):
        if len(words) not in (0, len(pieces)):
            raise TvaeError(f"{len(pieces)} pieces need as many {name} or none, not {len(words)}.")
    pitches = pitch_range([note for tokens in pieces for note in tokens_to_notes(tokens)])
    each = zip(pieces, titles or [""] * len(pieces), roles or [""] * len(pieces), like or hosts(pieces, roles))
    return Players(tuple(player(tokens, title, tempo, role, pitches, own) for tokens, title, role, own in each))


RATE = 22050  # samples a second
PARTIALS = ((1, 0.6, 1.1), (2, 0.2, 0.7), (3, 0.08, 0.4))  # multiple, level, seconds to 1/e: as in tvae-sound.js
FADE = 0.01  # seconds, at both ends of a note


def write_wav(tokens: np.ndarray, path: str | os.PathLike, tempo: float = 120.0) -> None:
    """Write (128,) tokens as a WAV file, 16 bit and mono, that sounds about as the page.

    Raises TvaeError as `player` does.
    """
    piece = player(tokens, tempo=tempo)
    step = 15 / piece.tempo  # seconds
    sound = np.zeros(round((len(tokens) * step + 0.5) * RATE))
    for note in piece.notes:
        time = np.arange(round((note.end - note.onset) * step * RATE)) / RATE
        frequency = 440 * 2 ** ((note.pitch - 69) / 12)
        waves = [
            level * np.sin(2 * np.pi * multiple * frequency * time) * np.exp(-time / fade)
            for multiple, level, fade in PARTIALS
        ]
        ends = np.clip(np.minimum(time, time[-1] - time) / FADE, 0, 1)
        begin = round(note.onset * step * RATE)
        sound[begin : begin + len(time)] += 0.8 * ends * np.sum(waves, 0)
    try:
        with open(path, "wb") as raw, wave.open(raw, "wb") as file:
            file.setparams((1, 2, RATE, 0, "NONE", ""))
            file.writeframes((sound * 32767).astype("<i2").tobytes())
    except OSError as error:
        raise TvaeError(f"'{path}' cannot be written: {error.strerror or error}.") from error
