"""Hooktheory: pop melodies transcribed by volunteers, in the annotations of Sheet Sage (C. Donahue et al., ISMIR 2022).

The JSON file has exact beats. The MIDI archives hold the same melodies in seconds of a recording, so their beats have
to be recovered. The licence is CC BY-NC-SA 3.0: nothing of it is redistributed.
"""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Iterator
from pathlib import Path

import mido
import numpy as np
from tqdm import tqdm

from tvae import melody
from tvae.corpora.sources import Piece, check, download, local, members, pieces, track_notes
from tvae.errors import TvaeError
from tvae.melody import Note

URLS = (  # the authors' address, and a fixed state of their repository
    "https://nlp.stanford.edu/data/cdonahue/sheetsage/hooktheory/",
    "https://github.com/chrisdonahue/sheetsage-data/raw/06113c04b109a2f27517b0399ff47550099f2466/hooktheory/",
)
JSON = {"Hooktheory.json.gz": "917b7cd58f5f4e07d6c36acf7bfad958c99ee05472dab3555399141094698e0c"}
MIDI = {
    "Hooktheory_Train_MIDI.tar.gz": "a2345e13564c81740c087b79731b47e8323c4ceb7b85d40a1a11582af58145cb",
    "Hooktheory_Valid_MIDI.tar.gz": "e369fd4a3072c7524e3cafe506bbdad6e908de969d0f1ba7abf08bf5148989fe",
    "Hooktheory_Test_MIDI.tar.gz": "3baebe9d4e19a5006d0f24bc7f0c92a4f66039ab376be86bf7b37a136d4fb6c8",
    "Hooktheory_Train_Segments.json": "f2601eb544f2e5028ffad54d3827912865578fb9ad96e6768b35e4714d5c7207",
    "Hooktheory_Valid_Segments.json": "12526962f77c2eb41cd117c8effa678b39c2b350384a7b048b327aff287b0c48",
    "Hooktheory_Test_Segments.json": "72be80045d4d28842352383e605e8712d50b3437a07b15faa541ee9d17283d5a",
}


def find(data_dir: Path | None) -> tuple[list[Path], str]:
    """The JSON file (exact beats) where there is one or it can be downloaded, else the MIDI archives."""
    if data_dir is None:
        return [download(URLS, name, sha256) for name, sha256 in JSON.items()], " ".join(JSON.values())
    for wanted in (JSON, MIDI):
        found = [path for name in wanted if (path := local(data_dir, "hooktheory", name))]
        if len(found) == len(wanted):
            for path in found:
                check(path, wanted[path.name], URLS[0] + path.name)
            return found, " ".join(wanted.values())
    raise TvaeError(
        f"hooktheory is not in {data_dir}: fetch {URLS[0]}{next(iter(JSON))} (or, from the same "
        f"place, {', '.join(MIDI)}) and put it into {data_dir / 'hooktheory'}."
    )


def read(sources: list[Path], bars: int = melody.BARS) -> Iterator[Piece | str]:
    """The pieces of so many bars of the files that `find` found; a str is the reason why something is left out."""
    if sources[0].name in JSON:
        with gzip.open(sources[0]) as file:
            records = json.load(file)
        for segment, record in tqdm(records.items(), desc="hooktheory", unit=" segments"):
            yield from from_record(segment, record, bars)
    else:
        tags = [json.loads(path.read_text(encoding="utf-8")) for path in sources[3:]]
        with tqdm(total=sum(map(len, tags)), desc="hooktheory", unit=" segments") as bar:
            for archive, segments in zip(sources[:3], tags, strict=True):
                for path, content in members(archive, ".mid"):
                    segment = Path(path).stem
                    yield from from_midi(segment, segments[segment]["audio_tag"], content, bars)
                    bar.update()


def from_record(segment: str, record: dict, bars: int = melody.BARS) -> Iterator[Piece | str]:
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
        yield from segment_pieces(segment, song, title, notes, int(annotations["num_beats"]), bars)


def from_midi(segment: str, song: str, content: bytes, bars: int = melody.BARS) -> Iterator[Piece | str]:
    """One file of the MIDI archives -> its pieces. Its times are seconds of the recording: the beats are recovered."""
    tracks = {track.name: track_notes(track) for track in mido.MidiFile(file=io.BytesIO(content)).tracks}
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
    yield from segment_pieces(segment, song, f"Hooktheory {segment}", notes, beats, bars)


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


def segment_pieces(
    segment: str, song: str, title: str, notes: list[Note], beats: int, bars: int
) -> Iterator[Piece | str]:
    """Windows of so many bars from the segment's first beat on."""
    steps = bars * melody.STEPS
    starts = range(0, 4 * beats - steps + 1, steps)
    if not starts:
        yield f"shorter than {bars} bars"
    yield from pieces(segment, song, title, notes, starts, bars)
