"""That what is written is read again, and that no MIDI file, good or bad, surprises its user."""

import json
import subprocess
import sys
import time
import warnings

import mido
import numpy as np
import odd_midi as odd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tvae import TvaeError
from tvae.melody import (
    FIRST_PITCH,
    HIGHEST,
    LOWEST,
    PIECE,
    SILENCE,
    STATES,
    SUSTAIN,
    Note,
    canonical,
    fit_octave,
    is_valid,
    notes_to_tokens,
    tokens_to_notes,
)
from tvae.midi import read_midi, to_pretty_midi, write_midi

a_state = st.one_of(st.just(SUSTAIN), st.just(SUSTAIN), st.just(SILENCE), st.integers(FIRST_PITCH, STATES - 1))
piece = st.lists(a_state, max_size=PIECE).map(  # often ends in silence, as hypothesis likes short lists
    lambda x: canonical(np.array(x + [SILENCE] * (PIECE - len(x)), np.uint8))
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("midi")


@pytest.fixture(scope="module")
def read(folder):
    """bytes -> Melody, with its notices checked to be given as warnings too."""

    def read(data: bytes):
        path = folder / "x.mid"
        path.write_bytes(data)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            melody = read_midi(path)
        assert [str(warning.message) for warning in caught] == list(melody.notices)
        assert melody.tokens.shape == (PIECE,) and melody.tokens.dtype == np.uint8 and is_valid(melody.tokens)
        return melody

    return read


def heard(melody) -> list[tuple[int, int, int]]:
    return [(note.pitch, note.onset, note.end) for note in tokens_to_notes(melody.tokens)]


# Tokens -> MIDI -> tokens


@settings(max_examples=150, deadline=None)
@given(piece, st.floats(4, 1000), st.integers(0, 127), st.sampled_from(["melody", "Mélodie 멜로디", "lead", "a", ""]))
def test_what_is_written_is_read_again(folder, tokens, tempo, program, name):
    path = folder / "round.mid"
    write_midi(tokens, path, tempo, name, program)
    melody = read_midi(path)  # warnings are errors: a piece of 8 bars gives none
    assert (melody.tokens == tokens).all() and melody.notices == () and melody.semitones == 0
    assert melody.tempo == round(60e6 / round(60e6 / tempo), 2)  # to the microsecond a quarter note
    assert melody.track == (name or "track 2")


@pytest.mark.parametrize("tempo", [4, 59.94, 93.7, 120, 133.33, 300.1, 1000])
def test_written_ticks_are_exact(folder, tempo):
    path = folder / "ticks.mid"
    write_midi(notes_to_tokens([Note(60 + i % 12, i, i + 1) for i in range(PIECE)]), path, tempo, "a name", 73)
    midi = mido.MidiFile(path)
    timing, track = midi.tracks
    ticks = np.cumsum([message.time for message in track])
    assert [int(t) for t, m in zip(ticks, track, strict=True) if m.type == "note_on" and m.velocity] == [
        midi.ticks_per_beat // 4 * step for step in range(PIECE)
    ]
    assert track.name == "a name" and [m.program for m in track if m.type == "program_change"] == [73]
    assert [m.tempo for m in timing if m.type == "set_tempo"] == [round(60e6 / tempo)]
    assert [(m.numerator, m.denominator) for m in timing if m.type == "time_signature"] == [(4, 4)]
    assert sum(m.time for m in timing if m.type != "end_of_track") == 32 * midi.ticks_per_beat


@pytest.mark.parametrize("silent", [slice(None), slice(0, 96), slice(16, None), slice(16, 112)])
def test_silence_survives_wherever_it_is(folder, silent):
    tokens = notes_to_tokens([Note(60, i, i + 3) for i in range(0, PIECE, 4)])
    tokens[silent] = SILENCE
    write_midi(tokens, folder / "silence.mid")
    assert (read_midi(folder / "silence.mid").tokens == tokens).all()


def test_what_cannot_be_written(folder):
    tokens = np.zeros(PIECE, np.uint8)
    for bad in (np.zeros((2, PIECE), int), np.zeros(PIECE), np.array("x")):
        with pytest.raises(TvaeError, match="one row of whole numbers"):
            to_pretty_midi(bad)
    for bad in (tokens + 47, tokens.astype(int) - 1):
        with pytest.raises(TvaeError, match="0 to 46"):
            to_pretty_midi(bad)
    for bad in (0, -120, 3.9, 1001, float("nan"), float("inf")):
        with pytest.raises(TvaeError, match="tempo"):
            to_pretty_midi(tokens, tempo=bad)
    with pytest.raises(TvaeError, match="program"):
        to_pretty_midi(tokens, program=128)
    with pytest.raises(TvaeError, match="cannot be written"):
        write_midi(tokens, folder / "nowhere" / "x.mid")


# A user's MIDI file


@pytest.mark.parametrize("quarter", [4, 24, 96, 100, 220, 480, 1000, 4096, 32767])
def test_ticks_per_quarter_do_not_matter(read, quarter):
    melody = read(odd.midi(odd.track(*odd.notes(*odd.SCALE, quarter=quarter)), quarter=quarter))
    assert heard(melody) == odd.SCALE and melody.tempo == 120


@given(st.lists(st.tuples(st.integers(0, 32 * 480), st.integers(1, 2**24 - 1))))
def test_tempo_changes_do_not_bend_the_rhythm(read, changes):
    events = [(tick, odd.tempo(microseconds)) for tick, microseconds in changes]
    melody = read(odd.midi(odd.track((0, odd.tempo(600_000)), *events), odd.track(*odd.notes(*odd.SCALE))))
    assert heard(melody) == odd.SCALE
    assert melody.tempo == 100 or min(tick for tick, _ in changes) < 60  # the half sixteenth where it begins


def test_a_played_rhythm_goes_to_the_nearest_sixteenth(read):
    events = odd.notes((60, 0.3, 3.8), (62, 4.4, 7.6), (64, 7.6, 7.9), (65, 11.5, 16.2))
    assert heard(read(odd.midi(odd.track(*events, end=32 * 480)))) == [(60, 0, 4), (62, 4, 8), (64, 8, 9), (65, 12, 16)]


def test_a_note_repeated_on_the_tick_of_its_end(read):
    events = [(0, odd.on(60)), (480, odd.on(60)), (480, odd.off(60)), (960, odd.off(60))]  # begins before it ends
    assert heard(read(odd.midi(odd.track(*events)))) == [(60, 0, 4), (60, 4, 8)]


LOW = odd.track(odd.named("Bass"), *odd.notes(*[(p - 12, a, b) for p, a, b in odd.SCALE], channel=1))
HIGH = odd.track(odd.named("Flute"), *odd.notes(*[(p + 12, a, b) for p, a, b in odd.SCALE], channel=2))
CHORDS = odd.track(*odd.notes(*[(p + d, a, b) for p, a, b in odd.SCALE for d in (12, 16, 19)], channel=3))
DRUMS = odd.track(odd.named("Melody of drums"), *odd.notes(*[(84, a, b) for _, a, b in odd.SCALE], channel=9))
EFFECT = odd.track(odd.named("Bell"), *odd.notes((84, 0, 4), (84, 64, 68)))


@pytest.mark.parametrize("name", ["MELODY", "Mélodie", "Lead vocals", "voice 1", "Synth Lead", "主旋律"])
def test_a_named_track_is_the_melody(read, name):
    melody = read(odd.midi(odd.track(), HIGH, odd.track(odd.named(name), *odd.notes(*odd.SCALE)), CHORDS, DRUMS))
    assert melody.track == name and heard(melody) == odd.SCALE
    assert len(melody.notices) == 1 and f"'{name}' (track 3)" in melody.notices[0]


def test_the_better_name_counts(read):
    voice = odd.track(odd.named("Backing voices"), *odd.notes((80, 0, 128)))
    assert read(odd.midi(voice, odd.track(odd.named("melody"), *odd.notes(*odd.SCALE)))).track == "melody"


def test_without_a_name_the_highest_single_line_is_the_melody(read):
    melody = read(odd.midi(DRUMS, LOW, CHORDS, HIGH, EFFECT))
    assert melody.track == "Flute" and heard(melody) == [(p + 12, a, b) for p, a, b in odd.SCALE]
    assert read(odd.midi(CHORDS, LOW)).track == "Bass"
    assert read(odd.midi(DRUMS, LOW)).notices == ()  # nothing to choose from


def test_chords_alone_give_their_highest_notes(read):
    melody = read(odd.midi(CHORDS))
    assert melody.track == "track 1" and melody.semitones == -12
    assert heard(melody) == [(p + 19 - 12, a, b) for p, a, b in odd.SCALE]
    assert "not a single line" in melody.notices[0]


def test_one_track_with_many_channels(read):
    low = odd.notes(*[(p - 12, a, b) for p, a, b in odd.SCALE], channel=0)
    drums = odd.notes(*odd.SCALE, channel=9)
    data = odd.midi(odd.track(odd.named("My song"), *odd.notes(*odd.SCALE, channel=4), *low, *drums), kind=0)
    melody = read(data)
    assert melody.track == "My song, channel 5" and heard(melody) == odd.SCALE


def test_legato_is_still_a_single_line(read):
    legato = odd.track(odd.named("Oboe"), *odd.notes(*[(p + 12, a, b + 0.8) for p, a, b in odd.SCALE]))
    melody = read(odd.midi(odd.track(*odd.notes(*odd.SCALE)), legato))
    assert melody.track == "Oboe" and heard(melody) == [(p + 12, a, b) for p, a, b in odd.SCALE]


@pytest.mark.parametrize("signature", [[], [(4, 2)], [(2, 1)], [(4, 2), (4, 2)], [(3, 2), (4, 2)]])
def test_meters_of_sixteen_sixteenths(read, signature):
    events = [(0, odd.meter(*s)) for s in signature]  # of two at one tick the last counts
    assert heard(read(odd.midi(odd.track(*events), odd.track(*odd.notes(*odd.SCALE))))) == odd.SCALE


def test_a_meter_after_the_bars_used_does_not_matter(read):
    more = [(60, 128, 144)]
    melody = read(odd.midi(odd.track((8 * 4 * 480, odd.meter(3, 2))), odd.track(*odd.notes(*odd.SCALE, *more))))
    assert heard(melody) == odd.SCALE


@pytest.mark.parametrize("semitones", [-48, -36, -24, 24, 36, 48])
def test_octaves_are_moved_into_range(read, semitones):
    melody = read(odd.midi(odd.track(*odd.notes(*[(p + semitones, a, b) for p, a, b in odd.SCALE]))))
    pitches = {p + semitones for p, _, _ in odd.SCALE}
    assert melody.semitones == fit_octave(pitches) != 0
    assert heard(melody) == [(p + semitones + melody.semitones, a, b) for p, a, b in odd.SCALE]
    assert len(melody.notices) == 1 and f"{melody.semitones:+d} semitones" in melody.notices[0]


def test_what_no_octave_brings_into_range_is_silent(read):
    low = (LOWEST - 2, 0, 4)
    melody = read(odd.midi(odd.track(*odd.notes(low, *odd.SCALE[1:-1], (HIGHEST, 124, 128)))))
    assert melody.semitones == 0 and heard(melody) == [*odd.SCALE[1:-1], (HIGHEST, 124, 128)]
    assert len(melody.notices) == 1 and "1 of 32 notes" in melody.notices[0]


def test_short_files_are_padded(read):
    melody = read(odd.midi(odd.track(*odd.notes(*odd.SCALE[:10]))))
    assert heard(melody) == odd.SCALE[:10]
    assert len(melody.notices) == 1 and "bar 3" in melody.notices[0] and "padded" in melody.notices[0]
    assert read(odd.midi(odd.track(*odd.notes(*odd.SCALE[:10]), end=8 * 4 * 480))).notices == ()  # silence was meant


def test_long_files_are_cut_to_the_first_bars_with_music(read):
    late = [(p, a + 40, b + 40) for p, a, b in odd.SCALE + [(60, 128, 140)]]  # after two bars and a half
    melody = read(odd.midi(odd.track(*odd.notes(*late))))
    assert heard(melody) == [(p, a + 8, b + 8) for p, a, b in odd.SCALE[:30]]
    assert len(melody.notices) == 2 and "begins in bar 3" in melody.notices[0] and "bar 12" in melody.notices[1]


def test_a_count_in_is_skipped_and_an_empty_first_bar_of_eight_is_not(read):
    late = [(p, a + 32, b + 32) for p, a, b in odd.SCALE]
    melody = read(odd.midi(odd.track(*odd.notes(*late))))
    assert heard(melody) == odd.SCALE and len(melody.notices) == 1
    melody = read(odd.midi(odd.track(*odd.notes(*late[:24]))))
    assert heard(melody) == late[:24] and melody.notices == ()


# Files nobody would want


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


def test_a_path_that_is_no_file(folder):
    for path in (folder / "missing.mid", folder, "", "nul\0.mid"):
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


def test_messages_of_the_wire_have_no_place_in_a_file(read):
    with pytest.raises(TvaeError, match="damaged"):
        read(odd.midi(odd.chunk(b"\0\xf8" + b"\0" + odd.on(60) + b"\x60" + odd.off(60))))
