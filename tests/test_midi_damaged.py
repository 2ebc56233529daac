"""Files nobody would want: each gives a melody or one sentence, soon, and in little memory."""

import json
import random
import subprocess
import sys
import time
import warnings

import numpy as np
import odd_midi as odd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from midi_cases import CASES

from tvae import TvaeError
from tvae.melody import tokens_to_notes
from tvae.midi import read_midi, read_pieces


def heard(melody) -> list[tuple[int, int, int]]:
    return [(note.pitch, note.onset, note.end) for note in tokens_to_notes(melody.tokens)]


def within_two_seconds(read, data: bytes):
    """A Melody, or the TvaeError; nothing else, and soon. (Time of this process: other work does not count.)"""
    start = time.process_time()
    try:
        return read(data)
    except TvaeError as error:
        assert len(str(error)) < 300 and str(error).endswith(".")
        return error
    finally:
        assert time.process_time() - start < 2


@pytest.mark.parametrize("what", odd.MUSIC)
def test_odd_files_are_read(read, what):
    melody = within_two_seconds(read, odd.MUSIC[what])
    assert not isinstance(melody, TvaeError) and heard(melody)


def test_odd_notes_are_heard(read):
    def notes(what):
        return heard(read(odd.MUSIC[what]))

    assert notes("zero-length notes") == [(60, 0, 1), (62, 4, 5)]
    assert notes("running status") == notes("one tick per quarter") == [(60, 0, 4), (62, 4, 8)]
    assert notes("notes never ended") == [(60, 0, 4), (62, 4, 5)]
    assert notes("ends without a beginning") == [(62, 0, 4)]
    assert notes("one note a thousand bars in") == [(60, 0, 4)]
    assert notes("most ticks per quarter") == odd.SCALE
    assert read(odd.MUSIC["a name that is no UTF-8"]).track == "Mélodie"


@pytest.mark.parametrize("what", odd.NO_MUSIC)
def test_files_without_a_melody_say_so(read, what):
    data, words = odd.NO_MUSIC[what]
    error = within_two_seconds(read, data)
    assert isinstance(error, TvaeError) and words in str(error) and "x.mid" in str(error)


def test_a_path_that_is_no_file(tmp_path):
    for path in (tmp_path / "missing.mid", tmp_path, "", "nul\0.mid"):
        with pytest.raises(TvaeError, match="no file"):
            read_midi(path)


def test_files_cut_off_anywhere(read):
    assert heard(read(odd.GOOD)) == odd.SCALE
    for length in range(len(odd.GOOD)):
        assert isinstance(within_two_seconds(read, odd.GOOD[:length]), TvaeError)


def test_files_with_flipped_bits(read):
    rng = np.random.default_rng(0)
    for _ in range(300):
        data = np.frombuffer(odd.GOOD, np.uint8).copy()
        data[rng.integers(len(data), size=rng.integers(1, 6))] ^= rng.integers(1, 256, dtype=np.uint8)
        within_two_seconds(read, data.tobytes())


# Reads every file of a folder in a process of its own, so that its memory can be measured.
READER = """
import json, resource, sys, time, warnings
from pathlib import Path
from tvae import TvaeError
from tvae.melody import is_valid
from tvae.midi import read_midi

warnings.simplefilter("ignore")
found = {}
for path in sorted(Path(sys.argv[1]).iterdir()):
    start = time.process_time()
    try:
        kind = "melody" if is_valid(read_midi(path).tokens) else "invalid"
    except TvaeError as error:
        kind = "TvaeError" if str(error).endswith(".") and len(str(error).splitlines()) == 1 else "no sentence"
    except BaseException as error:
        kind = repr(error)
    found[path.name] = kind, time.process_time() - start
status = Path("/proc/self/status")
if status.exists():  # ru_maxrss would be that of the process that started this one, where that is larger
    kilobytes = int(status.read_text().split("VmHWM:")[1].split()[0])
else:
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "darwin" else 1)
print(json.dumps([found, kilobytes / 1024]))
"""


@pytest.mark.slow
def test_hundreds_of_odd_files_give_a_melody_or_a_sentence_soon_and_in_little_memory(tmp_path):
    script = [sys.executable, odd.__file__, str(tmp_path)]
    assert int(subprocess.run(script, capture_output=True, check=True).stdout.split()[0]) >= 300
    done = subprocess.run([sys.executable, "-c", READER, str(tmp_path)], capture_output=True, text=True, check=True)
    found, megabytes = json.loads(done.stdout)
    assert len(found) >= 300 and megabytes < 500
    assert {name: kind for name, (kind, _) in found.items() if kind not in ("melody", "TvaeError")} == {}
    assert {name: seconds for name, (_, seconds) in found.items() if seconds >= 2} == {}
    assert min(sum(kind == which for kind, _ in found.values()) for which in ("melody", "TvaeError")) > 100


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_files_with_any_bytes_in_a_track(read, body):
    within_two_seconds(read, odd.midi(odd.chunk(body)))


def test_a_message_of_an_unknown_kind_keeps_its_time(read):
    """A program's name a quarter note before the melody does not bring what follows forward."""
    data = odd.midi(odd.track((240, odd.meta(0x08, b"piano")), *odd.notes((60, 4, 8), (62, 8, 12))))
    assert heard(read(data)) == [(60, 4, 8), (62, 8, 12)]


def test_mutated_files(read, tmp_path):
    """A thousand files with bytes changed, left out and put in; `scripts/midi_collection.py --mutate` reads more."""
    rng, files = random.Random(0), [case.data for case in CASES.values()]
    for _ in range(1000):
        within_two_seconds(read, odd.mutated(rng.choice(files), rng))


def test_the_largest_files_are_read_soon(tmp_path):
    """As many notes, meters and tempos as a file may have, also in pieces."""
    many = [(step, odd.meter(1 + step % 5, 2)) for step in range(0, 60_000, 2)] + [
        (step, odd.tempo(500_000 + step)) for step in range(30_000)
    ]
    files = {
        "notes": odd.midi(odd.chunk(b"".join(b"\x0a" + e for p in (60, 67) for e in (odd.on(p), odd.off(p))) * 24_000)),
        "marks": odd.midi(odd.track(*many, *odd.notes(*[(60 + k % 7, k, k + 1) for k in range(4000)]))),
        "bars": odd.midi(odd.chunk((odd.number(2**20) + odd.on(60) + b"\x60" + odd.off(60)) * 40_000)),
    }  # fmt: skip
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
        for read in (lambda path: len(read_midi(path).tokens), lambda path: len(read_pieces(path))):
            start = time.process_time()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                assert read(tmp_path / name)
            assert time.process_time() - start < 2, name
