"""Files in the playground: MIDI that is read, with its part and window, and what is downloaded."""

import io
import re
import wave
from pathlib import Path

import numpy as np
import odd_midi
import pretty_midi
import pytest
from playground_page import (
    HOSTILE,
    MARY,
    ODE,
    TUNES,
    after,
    both_ways,
    drop,
    press,
    result,
    say,
    shown,
    slot,
    switch,
    title,
    tokens_of,
)

from tvae import TvaeError, melody, midi, transfer

FIVE_BAD = ("text", "chunk too long", "percussion only", "3/4", "type 2")


def sentence_of(data: bytes, name: str, folder: Path) -> str:
    (folder / name).write_bytes(data)
    with pytest.raises(TvaeError) as error:
        midi.read_midi(folder / name)
    return str(error.value).replace(str(folder / name), name)


@both_ways
def test_a_good_file_is_read_and_five_bad_ones_lose_nothing(open_page, released, tmp_path):
    page = open_page()
    tune = TUNES["Frère Jacques"]
    midi.write_midi(tune, tmp_path / "mine.mid", tempo=90, name=HOSTILE)
    found = after(
        page, lambda: drop(page, "A", f"{HOSTILE.replace('/', '')}.mid", (tmp_path / "mine.mid").read_bytes())
    )
    assert (found == transfer.context_transfer(released, tune, MARY, 1)).all()
    assert title(page, "A") == HOSTILE.replace("/", "")
    assert page.locator("tvae-playground img, tvae-playground script").count() == 0
    for name in FIVE_BAD:
        data, _ = odd_midi.NO_MUSIC[name]
        drop(page, "A", "bad.mid", data)
        page.wait_for_function("document.querySelector('.tvae-slot [role=alert]').textContent")
        assert say(slot(page, "A")) == sentence_of(data, "bad.mid", tmp_path)
        assert (tokens_of(page, "A") == tune).all() and (result(page) == found).all()
        slot(page, "A").locator('[role="alert"]').evaluate("node => { node.textContent = '' }")
    chosen = after(page, lambda: slot(page, "A").locator("input[type=file]").set_input_files(tmp_path / "mine.mid"))
    assert (chosen == found).all()
    assert say(slot(page, "A")) == ""
    kept = page.locator(".tvae-result").evaluate(
        "e => !e.dispatchEvent(new Event('drop', {bubbles: true, cancelable: true}))"
    )
    assert kept, "a file that is dropped beside the slots does not take the page away"


def test_what_was_done_to_a_file_is_said(open_page, tmp_path):
    page = open_page()
    low = [melody.Note(note.pitch - 24, note.onset, note.end) for note in melody.tokens_to_notes(ODE)]
    song = pretty_midi.PrettyMIDI()
    song.instruments.append(pretty_midi.Instrument(0, name="bass line"))
    song.instruments[0].notes = [pretty_midi.Note(90, n.pitch, n.onset / 8, n.end / 8) for n in low]
    song.write(str(tmp_path / "low.mid"))
    with pytest.warns(UserWarning):
        expected = midi.read_midi(tmp_path / "low.mid")
    after(page, lambda: drop(page, "B", "low.mid", (tmp_path / "low.mid").read_bytes()))
    assert (tokens_of(page, "B") == expected.tokens).all()
    assert tuple(slot(page, "B").locator(".tvae-notices li").all_inner_texts()) == expected.notices


def first_bar(page) -> int:
    """Which bar of the flute the melody A begins with."""
    return slot(page, "A").locator("tvae-player").evaluate("player => player.piece.notes[0][0]") - 60


def test_part_and_window_of_a_long_file_are_chosen(open_page, released, long_file):
    page = open_page()
    a = slot(page, "A")
    after(page, lambda: drop(page, "A", "long.mid", long_file))
    parts = a.get_by_label("Part of the file for melody A")
    flute, violin = parts.locator("option").all_inner_texts()
    assert flute.startswith("flute") and "96 notes" in flute and "C4–B5" in flute and violin.startswith("violin")
    if parts.input_value() != "1":
        after(page, lambda: parts.select_option(violin))
    assert {note[0] for note in a.locator("tvae-player").evaluate("p => p.piece.notes")} == {72, 74}
    after(page, lambda: parts.select_option(flute))
    strip = a.get_by_role("slider", name="Which eight bars")
    strip.focus()
    if first_bar(page):
        after(page, lambda: strip.press("Home"))
    after(page, lambda: strip.press("ArrowRight"))
    assert first_bar(page) == 1 and strip.get_attribute("aria-valuetext") == "bars 2–9 of 24"
    found = after(page, lambda: strip.press("End"))
    assert first_bar(page) == 16
    assert (found == transfer.context_transfer(released, tokens_of(page, "A"), MARY, 1)).all()
    strip.scroll_into_view_if_needed()
    box = strip.bounding_box()

    def drag():
        page.mouse.move(box["x"] + box["width"] * 20 / 24, box["y"] + 20)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] * 10 / 24, box["y"] + 20, steps=5)
        page.mouse.up()

    after(page, drag)
    assert first_bar(page) == 6
    after(page, lambda: press(page, "Undo"))
    assert first_bar(page) == 16 and strip.get_attribute("aria-valuenow") == "17", "the strip goes back too"


@both_ways
def test_the_midi_that_is_downloaded_is_the_result(open_page):
    page = open_page()
    found = after(page, switch(page, 5, "B").check)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download MIDI").click()
    assert re.fullmatch(r"[\w-]+\.mid", download.value.suggested_filename)
    read = midi.read_midi(download.value.path())
    assert (read.tokens == found).all() and read.tempo == 120
    assert read.track == "Ode to Joy with bars 1 and 5 from Mary Had a Little Lamb"


@both_ways
def test_the_wav_is_what_is_heard(open_page):
    page = open_page()
    with page.expect_download() as download:
        press(page, "Download WAV")
    assert re.fullmatch(r"ode-to-joy-with-bar-1-from-[\w-]+\.wav", download.value.suggested_filename)
    with wave.open(io.BytesIO(download.value.path().read_bytes())) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 44100)
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768
    assert len(samples) == 44100 * (16 + 0.5)
    assert 0.1 < np.abs(samples).max() < 1
    first, last = shown(page)["notes"][0], shown(page)["notes"][-1]
    assert np.abs(samples[: 44100 // 8]).max() > 0.05 and first[1] == 0
    assert np.abs(samples[round(44100 * (last[2] / 8 + 0.4)) :]).max() < 0.01, "it fades"
