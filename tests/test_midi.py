"""That what is written is read again, and that no MIDI file, good or bad, surprises its user."""

import warnings

import mido
import numpy as np
import odd_midi as odd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from midi_cases import CASES, TUNE, later

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
    notes_to_tokens,
    tokens_to_notes,
)
from tvae.midi import read_midi, read_parts, read_pieces, to_pretty_midi, write_midi

a_state = st.one_of(st.just(SUSTAIN), st.just(SUSTAIN), st.just(SILENCE), st.integers(FIRST_PITCH, STATES - 1))
piece = st.lists(a_state, max_size=PIECE).map(  # often ends in silence, as hypothesis likes short lists
    lambda x: canonical(np.array(x + [SILENCE] * (PIECE - len(x)), np.uint8))
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("midi")


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
    assert len(melody.notices) == 1 and f"'{name}' (part 2 of 4), by its name" in melody.notices[0]


def test_the_better_name_counts(read):
    voice = odd.track(odd.named("Backing voices"), *odd.notes((80, 0, 128)))
    assert read(odd.midi(voice, odd.track(odd.named("melody"), *odd.notes(*odd.SCALE)))).track == "melody"


def test_without_a_name_the_highest_single_line_is_the_melody(read):
    melody = read(odd.midi(DRUMS, LOW, CHORDS, HIGH, EFFECT))
    assert melody.track == "Flute" and heard(melody) == [(p + 12, a, b) for p, a, b in odd.SCALE]
    assert read(odd.midi(CHORDS, LOW)).track == "track 1"  # a bass is no melody
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
    late = [(p, a + 36, b + 36) for p, a, b in odd.SCALE + [(60, 128, 140)]]  # after two bars and a quarter
    melody = read(odd.midi(odd.track(*odd.notes(*late))))
    assert heard(melody) == [(p, a + 4, b + 4) for p, a, b in odd.SCALE[:31]]
    assert len(melody.notices) == 2 and "begins in bar 3" in melody.notices[0] and "bar 11" in melody.notices[1]


def test_a_count_in_is_skipped_and_an_empty_first_bar_of_eight_is_not(read):
    late = [(p, a + 32, b + 32) for p, a, b in odd.SCALE]
    melody = read(odd.midi(odd.track(*odd.notes(*late))))
    assert heard(melody) == odd.SCALE and len(melody.notices) == 1
    melody = read(odd.midi(odd.track(*odd.notes(*late[:24]))))
    assert heard(melody) == late[:24] and melody.notices == ()


@pytest.mark.parametrize("what", CASES)
def test_files_as_people_have_them_are_read_as_a_musician_would(read, what):
    case = CASES[what]
    melody = read(case.data)
    said = " ".join(melody.notices)
    assert case.heard is None or [(p - melody.semitones, a, b) for p, a, b in heard(melody)] == case.heard
    assert all(words in said for words in case.says) and not (case.never and case.never in said), said
    assert case.name in (None, melody.track)


# A choice of one's own

SONG = odd.midi(
    odd.track((0, odd.meter(4, 2))),
    odd.track(odd.named("Melody"), (0, b"\xc0\x49"), *odd.notes(*later(TUNE, 64), *later(odd.SCALE, 192))),
    odd.track(odd.named("Bass"), (0, b"\xc1\x21"), *odd.notes(*[(p - 24, a, b) for p, a, b in odd.SCALE], channel=1)),
    odd.track(odd.named("Bass"), *odd.notes((50, 0, 4), channel=2)),
    odd.track(odd.named("Kit"), *odd.notes((38, 0, 4), channel=9)),
)


@pytest.fixture
def song(tmp_path):
    (tmp_path / "song.mid").write_bytes(SONG)
    return tmp_path / "song.mid"


def quiet(read, *arguments, **named):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return read(*arguments, **named)


def test_the_parts_of_a_file(song):
    parts = read_parts(song)
    assert [(p.number, p.name, p.instrument, p.notes, p.percussion) for p in parts] == [
        (1, "Melody", "Flute", 56, False),
        (2, "Bass", "Electric Bass (finger)", 32, False),
        (3, "Bass", "", 1, False),
        (4, "Kit", "Drums", 1, True),
    ]
    assert (parts[1].lowest, parts[1].highest) == (36, 47)


@pytest.mark.parametrize("track, part", [(2, 2), ("2", 2), ("bass", 2), ("BASS", 2), (3, 3), ("Kit", 4), ("mel", 1)])
def test_a_part_is_chosen_by_its_number_or_name(song, track, part):
    melody = quiet(read_midi, song, track=track)
    assert melody.part == part and melody.track == read_parts(song)[part - 1].name
    assert not any("Several parts" in notice for notice in melody.notices)


def test_a_bar_to_begin_with(song):
    assert heard(quiet(read_midi, song)) == TUNE and quiet(read_midi, song).start == 5
    melody = quiet(read_midi, song, start=13)
    assert heard(melody) == odd.SCALE and melody.start == 13
    assert heard(quiet(read_midi, song, start=1)) == [(p, a + 64, b + 64) for p, a, b in TUNE if a < 64]
    assert heard(quiet(read_midi, song, start=20)) == [(60 + k % 12, 4 * k - 112, 4 * k - 108) for k in range(28, 32)]
    assert quiet(read_midi, song, track="bass", start=2).start == 2


@pytest.mark.parametrize(
    "choice, words",
    [
        ({"track": 5}, "no part '5'; its parts are 1 'Melody', 2 'Bass'"),
        ({"track": "Flute"}, "no part 'Flute'"),
        ({"start": 99}, "from bar 99 on"),
        ({"start": 0}, "from bar 0 on"),
        ({"start": "x"}, "by its number"),
        ({"start": 1.5}, "by its number"),
    ],
)
def test_what_cannot_be_chosen(song, choice, words):
    with pytest.raises(TvaeError, match=words) as error:
        read_midi(song, **choice)
    assert len(str(error.value).splitlines()) == 1


def test_a_whole_file_in_pieces(song):
    pieces = read_pieces(song)  # without warnings, which are errors here
    assert [(piece.start, heard(piece)) for piece in pieces] == [(5, TUNE), (13, odd.SCALE)]
    assert [piece.start for piece in read_pieces(song, start=9)] == [9, 17]
    assert [piece.part for piece in read_pieces(song, track="bass")] == [2]


def test_pieces_end_where_bars_are_others(tmp_path):
    events = [(0, odd.meter(4, 2)), (10 * 1920, odd.meter(3, 2)), (10 * 1920 + 1440, odd.meter(4, 2))]
    long = [(60 + k % 12, 4 * k, 4 * k + 4) for k in range(120)]
    (tmp_path / "x.mid").write_bytes(odd.midi(odd.track(*events, *odd.notes(*long))))
    assert [piece.start for piece in read_pieces(tmp_path / "x.mid")] == [1, 12, 20, 28]  # bar 11 is the one in 3/4


def test_a_note_held_over_the_bar_line_is_struck_again_there(tmp_path):
    held = (
        [(60, 4 * k, 4 * k + 4) for k in range(31)] + [(72, 124, 136)] + [(60, 4 * k, 4 * k + 4) for k in range(34, 64)]
    )
    (tmp_path / "x.mid").write_bytes(odd.midi(odd.track(*odd.notes(*held))))
    first, second = read_pieces(tmp_path / "x.mid")
    assert heard(first)[-1] == (72, 124, 128) and heard(second)[0] == (72, 0, 8)
