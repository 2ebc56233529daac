"""Read every MIDI file below a folder and print how many gave a piece, what was said and refused, the slowest.

    python scripts/midi_collection.py FOLDER [--mutate 10000] [--javascript]

--mutate reads so many files made of these with bytes changed, left out, put in and said twice.
Each must give a piece or one sentence.
--javascript holds what the playground reads against it, token for token.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
import tempfile
import time
import warnings
from base64 import b64encode
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from tqdm import tqdm

from tvae import TvaeError
from tvae.corpora.folder import midi_files
from tvae.melody import is_valid
from tvae.midi import read_midi

ASSETS = Path(__file__).parent.parent / "book" / "assets" / "playground"
SCRIPTS = ("melody", *(f"midi/{name}" for name in ("smf", "words", "parts", "line", "bars", "take", "read")))
SLOW = 2  # seconds that no file may take


def kind(sentence: str) -> str:
    """A sentence without its names and numbers, so that equal ones can be counted."""
    return re.sub(r"[-+]?\d+", "N", re.sub(r"'.*?'(?=[ ,(]|$)", "'...'", sentence))


def mutated(data: bytes, rng: random.Random) -> bytes:
    """A file with a few bytes changed, left out, put in or said twice."""
    data = bytearray(data)
    for _ in range(rng.randint(1, 8)):
        at, size = rng.randrange(len(data) + 1), rng.choice([1, 1, 2, 30, 200])
        part = rng.choice([b"", rng.randbytes(size), bytes(data[at : at + size]) * 2, b"MTrk", b"\xff\x2f\0"])
        data[at : at + size] = part
    return bytes(data)


def in_javascript():
    """(data, name) -> the tokens that the playground reads, or None where it says why it cannot; needs mini-racer."""
    from py_mini_racer import MiniRacer

    context = MiniRacer()
    for name in SCRIPTS:
        context.eval((ASSETS / f"{name}.js").read_text(encoding="utf-8"))
    context.eval("""
        const read = (file) => {
            try {
                return JSON.stringify([...tvae.midi.read_midi(Uint8Array.fromBase64(file), "x").tokens]);
            } catch (error) {
                if (!(error instanceof tvae.melody.TvaeError)) throw error;
                return "null";
            }
        };
    """)
    return lambda data: json.loads(context.eval(f'read("{b64encode(data).decode()}")'))


def sources(files: list[Path], mutations: int) -> Iterator[tuple[str, bytes]]:
    """Name and content of each file, or of so many made of them."""
    if not mutations:
        yield from ((str(path), path.read_bytes()) for path in files)
        return
    rng = random.Random(0)
    for number in range(mutations):
        path = rng.choice(files)
        yield f"{path}, mutation {number}", mutated(path.read_bytes(), rng)


def table(title: str, counts: Iterable[tuple[str, int]]) -> None:
    print(f"\n{title}")
    for what, many in counts:
        print(f"{many:7}  {what}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--mutate", type=int, default=0, metavar="N", help="read N damaged copies instead of the files")
    parser.add_argument("--javascript", action="store_true", help="compare with what the playground reads")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    files = midi_files(arguments.folder)
    if not files:
        raise SystemExit(f"There is no MIDI file below {arguments.folder}.")
    javascript = in_javascript() if arguments.javascript else None
    outcomes, notices, errors, wrong, seconds = Counter(), Counter(), Counter(), [], []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.mid"
        for name, data in tqdm(sources(files, arguments.mutate), total=arguments.mutate or len(files), unit=" files"):
            path.write_bytes(data)
            start, tokens = time.process_time(), None
            try:
                melody = read_midi(path)
                tokens = melody.tokens.tolist()
                outcomes["a piece" if is_valid(melody.tokens) else "no valid piece"] += 1
                notices.update({kind(notice) for notice in melody.notices} or {"(nothing to say)"})
            except TvaeError as error:
                outcomes["a sentence"] += 1
                errors[kind(str(error).replace(str(path), "..."))] += 1
            except Exception as error:  # what nobody should ever see
                outcomes["something else"] += 1
                wrong.append(f"{name}: {error!r}")
            seconds.append((time.process_time() - start, name))
            if javascript and javascript(data) != tokens:
                wrong.append(f"{name}: JavaScript reads something else")
    table("Outcomes", outcomes.most_common())
    table("Pieces, by what was said of them", notices.most_common())
    table("Files without a piece, by the reason", errors.most_common())
    print("\nThe slowest, in seconds of this process")
    for took, name in sorted(seconds, reverse=True)[:5]:
        print(f"{took:7.2f}  {name}")
    wrong += [f"{name}: took {took:.1f} s" for took, name in seconds if took >= SLOW]
    print(f"\n{len(wrong)} wrong" + "".join(f"\n  {what}" for what in wrong[:50]))
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
