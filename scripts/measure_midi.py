"""How often is a MIDI file read as a musician would? The share of pieces whose part and bars are right.

    python scripts/measure_midi.py [--songs 200] [--data-dir DIR]

Three references: fiddle tunes of the corpus `folk` with an upbeat put before them; the same tunes arranged for several
instruments, in layouts that files have; and POP909, whose beats are known (only with its archive or a clone of it in
--data-dir or TVAE_DATA).
"""

from __future__ import annotations

import argparse
import io
import os
import tempfile
import warnings
from collections import defaultdict
from pathlib import Path

import mido
import numpy as np
from tqdm import tqdm

from tvae import TvaeError, corpus, melody
from tvae.corpora import pop909
from tvae.melody import BARS, PIECE, STEPS, Note
from tvae.midi import File, read_midi
from tvae.midi.take import take

QUARTER = 480
DRUMS = 9  # channel
TRIADS = [(0, 4, 7), (5, 9, 0), (7, 11, 2), (9, 0, 4)]  # on the first, fourth, fifth and sixth degree, above the tonic


def track(
    name: str, channel: int, program: int, notes: list[Note], marks: list = (), late: float = 0
) -> mido.MidiTrack:
    """Notes on the grid, each `late` sixteenths too late, as a track; marks are (step, meta message)."""
    events = [
        (0, 0, mido.MetaMessage("track_name", name=name)),
        (0, 1, mido.Message("program_change", channel=channel, program=program)),
    ]
    for note in notes:
        on, off = (round((step + late) * QUARTER / 4) for step in (note.onset, note.end))
        events += [
            (on, 3, mido.Message("note_on", channel=channel, note=note.pitch, velocity=90)),
            (off, 2, mido.Message("note_off", channel=channel, note=note.pitch)),
        ]
    events += [(round(step * QUARTER / 4), -1, mark) for step, mark in marks]
    found, now = mido.MidiTrack(), 0
    for tick, _, message in sorted(events, key=lambda event: event[:2]):
        found.append(message.copy(time=tick - now))
        now = tick
    return found


def file(tracks: list[mido.MidiTrack], kind: int = 1) -> bytes:
    midi, buffer = mido.MidiFile(type=kind, ticks_per_beat=QUARTER), io.BytesIO()
    midi.tracks.extend([mido.merge_tracks(tracks)] if kind == 0 else tracks)
    midi.save(file=buffer)
    return buffer.getvalue()


def meter(step: int, beats: int, unit: int = 4) -> tuple:
    return step, mido.MetaMessage("time_signature", numerator=beats, denominator=unit)


def with_upbeat(tune: list[Note], length: int, how: str) -> bytes:
    """A tune with an upbeat of so many steps: a bar of its own, at the end of a silent bar, or not said to be one."""
    before = {"a bar of its own": length, "in a silent bar": STEPS, "without a bar": length}[how]
    upbeat = Note(tune[0].pitch - 5, before - length, before)
    notes = [upbeat, *(Note(note.pitch, note.onset + before, note.end + before) for note in tune)]
    marks = [meter(0, length, 16), meter(length, 4)] if how == "a bar of its own" else [meter(0, 4)]
    return file([track("", 0, 0, notes, marks)])


def harmony(tune: list[Note]) -> list[tuple[int, int]]:
    """(root, triad) of each half bar, as pitch classes: of four triads the one with most of the tune's notes."""
    key = max(
        range(12),
        key=lambda tonic: (
            sum(note.end - note.onset for note in tune if (note.pitch - tonic) % 12 in (0, 2, 4, 5, 7, 9, 11))
            + ((tune[-1].pitch - tonic) % 12 == 0)
        ),
    )
    chords = []
    for half in range(2 * BARS):
        inside = [note for note in tune if note.onset < 8 * half + 8 and note.end > 8 * half]
        chords.append(max(TRIADS, key=lambda triad: sum((note.pitch - key) % 12 in triad for note in inside)))
    return [tuple((degree + key) % 12 for degree in chord) for chord in chords]


def near(pitch_class: int, low: int) -> int:
    return low + (pitch_class - low) % 12


def accompaniment(tune: list[Note], rng: np.random.Generator) -> dict[str, list[Note]]:
    """Bass, chords, arpeggio, pad and drums to a tune."""
    chords = harmony(tune)
    found = defaultdict(list)
    length = int(rng.choice([2, 4, 8]))
    high = int(rng.choice([48, 52, 55]))
    for half, chord in enumerate(chords):
        at = 8 * half
        found["bass"] += [
            Note(near(chord[0 if k == 0 else 2], 36), at + k, at + k + length) for k in range(0, 8, length)
        ]
        found["chords"] += [Note(near(c, high), at + k, at + k + 3) for k in (0, 4) for c in chord]
        found["arpeggio"] += [Note(near(chord[(0, 2, 1, 2)[k // 2]], high), at + k, at + k + 2) for k in range(0, 8, 2)]
        if half % 2 == 0:
            found["pad"] += [Note(near(c, 67), at, at + 16) for c in chord]
        found["drums"] += [Note(pitch, at + k, at + k + 1) for k, pitch in ((0, 36), (2, 42), (4, 38), (6, 42))]
    return found


LAYOUTS = (
    "tracks",
    "tracks without programs",
    "one track, channels",
    "two hands",
    "one piano track",
    "in thirds over a bass",
    "strings above",
    "voice on channels",
    "a little late",
)


def arranged(tune: list[Note], layout: str, rng: np.random.Generator) -> bytes:
    """A tune with an accompaniment, an introduction of one bar, and no name that would tell."""
    parts = {
        name: [Note(n.pitch, n.onset + STEPS, n.end + STEPS) for n in notes]
        for name, notes in accompaniment(tune, rng).items()
    }
    parts["bass"] = [
        Note(n.pitch, n.onset - STEPS, n.end - STEPS) for n in parts["bass"] if n.onset < 2 * STEPS
    ] + parts["bass"]
    line = [Note(n.pitch, n.onset + STEPS, n.end + STEPS) for n in tune]
    lead, late = int(rng.choice([0, 22, 40, 56, 65, 68, 73])), 0.3 if layout == "a little late" else 0
    first = track("", 0, 0, [], [meter(0, 4)])
    bass, drums = track("", 1, 33, parts["bass"], late=late), track("", DRUMS, 0, parts["drums"], late=late)
    chords = track("", 2, 0, parts[str(rng.choice(["chords", "arpeggio"]))], late=late)
    if layout == "two hands":
        left = track("", 1, 0, sorted(parts["bass"] + parts["arpeggio"], key=lambda n: n.onset))
        return file([first, track("", 0, 0, line), left])
    if layout == "one piano track":
        return file([first, track("", 0, 0, line + parts["arpeggio"])])
    if layout == "in thirds over a bass":
        thirds = [Note(n.pitch - 4, n.onset, n.end) for n in line]
        return file([first, track("", 0, lead, line + thirds), bass, drums])
    if layout == "strings above":
        return file([first, drums, bass, chords, track("", 4, 48, parts["pad"]), track("", 0, lead, line)])
    if layout == "voice on channels":
        voice = [track("", 3 + k, lead, line[k::4]) for k in range(4)]
        merged = mido.merge_tracks(voice)
        return file([first, bass, drums, merged])
    tracks = [bass, chords, drums]
    tracks.insert(int(rng.integers(4)), track("", 5, lead, line, late=late))
    if layout == "tracks without programs":
        tracks = [mido.MidiTrack(m for m in t if m.type != "program_change") for t in tracks]
    return file([first, *tracks], kind=0 if layout == "one track, channels" else 1)


def right(data: bytes, tune: list[Note], folder: Path) -> tuple[bool, bool]:
    """Are the notes those of the tune (19 of 20, in any octave), wherever they lie? And do they lie in its bars?"""
    path = folder / "x.mid"
    path.write_bytes(data)
    try:
        notes = melody.tokens_to_notes(read_midi(path).tokens)
    except TvaeError:
        return False, False
    expected = {(note.pitch % 12, note.onset) for note in tune}
    placed = [
        len(expected & {(note.pitch % 12, note.onset + shift) for note in notes}) for shift in range(-STEPS, STEPS + 1)
    ]
    enough = 0.95 * max(len(notes), 0.85 * len(tune))
    return max(placed) >= enough, placed[STEPS] >= enough


def pop909_bars(data_dir: Path | None) -> dict[str, int]:
    """Of the songs with nine regular downbeats from where the piece begins: in how many are those its bar lines?"""
    content = pop909.contents(pop909.find(data_dir)[0])
    found = defaultdict(int)
    with tempfile.TemporaryDirectory() as folder:
        for song in tqdm(sorted(song for song, name in content if name == "beat_midi.txt"), desc="POP909", leave=False):
            path = Path(folder) / "x.mid"
            path.write_bytes(content[song, f"{song}.mid"])
            midi = mido.MidiFile(path)
            end = max(sum(message.time for message in part) for part in midi.tracks) + 16 * QUARTER
            ticks = np.arange(0, end, 8)
            time, _, downbeat = np.loadtxt(io.BytesIO(content[song, "beat_midi.txt"]), ndmin=2).T
            down = np.interp(time[downbeat == 1], pop909.seconds(ticks, midi), ticks)
            found["songs"] += 1
            try:
                read = File(path)
                voice, _ = read.choice(None)
                taken = take(read.song, read.voices, voice)
                k, first, _ = read.first(taken)
            except TvaeError:
                continue
            quarter = midi.ticks_per_beat
            lines = taken.shift + taken.stretches[k].start + 4 * quarter * (first + np.arange(9))
            found["read"] += 1
            found["melody"] += voice.name == "MELODY"
            here = down[np.searchsorted(down, lines[0] - 2 * quarter) :][:9]
            if len(here) == 9 and np.abs(np.diff(here) - 4 * quarter).max() < quarter / 4:
                found["regular"] += 1
                found["right"] += np.abs(here - lines).max() < quarter / 8
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--songs", type=int, default=200, help="tunes of each kind")
    parser.add_argument("--data-dir", type=Path, default=os.environ.get("TVAE_DATA"))
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    rng = np.random.default_rng(0)
    folk = corpus.load("folk")
    whole = np.flatnonzero(folk.length == PIECE)
    tunes = [melody.tokens_to_notes(folk.tokens[k]) for k in rng.choice(whole, arguments.songs, replace=False)]
    print(f"{'reference':55}{'part':>8}{'bars':>8}")
    with tempfile.TemporaryDirectory() as folder:
        for how in ("a bar of its own", "in a silent bar", "without a bar"):
            for length in (2, 4):
                found = np.mean([right(with_upbeat(tune, length, how), tune, Path(folder)) for tune in tunes], 0)
                print(f"{f'upbeat of {length} sixteenths, {how}':55}{found[0]:8.1%}{found[1]:8.1%}")
        for layout in LAYOUTS:
            found = np.mean([right(arranged(tune, layout, rng), tune, Path(folder)) for tune in tunes], 0)
            print(f"{f'arranged: {layout}':55}{found[0]:8.1%}{found[1]:8.1%}")
    try:
        found = pop909_bars(arguments.data_dir)
        print(
            f"{'POP909, {read} of {songs} files read'.format(**found):55}"
            f"{found['melody'] / found['read']:8.1%}{found['right'] / found['regular']:8.1%}"
        )
        print(f"  (bars: of {found['regular']} whose reference has regular downbeats there)")
    except TvaeError as error:
        print(f"POP909 was left out: {error}")


if __name__ == "__main__":
    main()
