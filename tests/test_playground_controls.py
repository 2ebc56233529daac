"""What the playground offers around its switches, in a real browser: models, examples, undo, hearing, searching,
samples, files, and a keyboard. Each control is used by mouse, by keys or by touch, as people do."""

# ruff: noqa: F401, F811 (fixtures)

import io
import re
import wave
from urllib.parse import quote

import numpy as np
import pretty_midi
import pytest
from playground_page import (
    MARY,
    ODE,
    TUNES,
    after,
    both_ways,
    built,
    choose,
    drop,
    entries,
    folder,
    heading,
    open_page,
    press,
    released,
    result,
    root,
    slot,
    switch,
    title,
    tokens_of,
    vaes,
)
from test_playground import from_prior

from tvae import corpus, melody, transfer
from tvae.report import record

LARGE = "document.querySelector('.tvae-result tvae-player')"


def notes(tokens: np.ndarray) -> set[tuple]:
    return {(note.pitch, note.onset, note.end) for note in melody.tokens_to_notes(tokens)}


def shown(page) -> dict:
    """What the large roll is given."""
    return page.evaluate(f"{LARGE}.piece")


@both_ways
def test_another_model_is_loaded_when_it_is_chosen_and_only_that(open_page, vaes, entries):
    page, asked = open_page(), []
    page.on("request", lambda request: "/models/" in request.url and asked.append(request.url))
    models = page.get_by_label("Model", exact=True)
    assert models.locator("option").all_inner_texts() == ["pop songs", "pop songs, without attention", "fiddle tunes"]
    found = after(page, lambda: models.select_option("pop songs, without attention"))
    assert (found == transfer.context_transfer(vaes[1], ODE, MARY, 1)).all()
    assert asked and all(f"/models/{record.run_name(entries[1])}/" in url for url in asked)
    assert record.run_name(entries[1]) in page.locator(".tvae-about").inner_text()
    before = len(asked)
    found = after(page, lambda: press(page, "Undo"))
    assert (found == transfer.context_transfer(vaes[0], ODE, MARY, 1)).all()
    after(page, lambda: press(page, "Redo"))
    assert len(asked) == before, "what was loaded stays"
    page.wait_for_function("location.hash.includes('no_attention')")
    other = open_page(page.evaluate("location.hash"))
    assert (result(other) == transfer.context_transfer(vaes[1], ODE, MARY, 1)).all(), "a link holds the model"


def test_a_model_of_a_link_that_is_not_here_is_said(open_page, released):
    page = open_page()
    after(page, switch(page, 2, "B").check)
    page.wait_for_function("location.hash.includes('patch=BB')")
    other = open_page(page.evaluate("location.hash") + "&model=cpu-elsewhere-attention-fold0")
    assert (
        "cpu-elsewhere-attention-fold0, which is not here"
        in other.locator("tvae-playground > [role=alert]").inner_text()
    )
    assert (result(other) == transfer.context_transfer(released, ODE, MARY, (1, 2))).all()


def test_things_to_try_are_one_click_each(open_page, vaes):
    page = open_page()
    names = page.locator(".tvae-examples button").all_inner_texts()
    assert len(names) == 7
    for name, expected in (
        ("Bar 7 instead", transfer.context_transfer(vaes[0], ODE, MARY, 7)),
        ("Where it fails", transfer.context_transfer(vaes[0], TUNES["Jingle Bells"], TUNES["Twinkle, Twinkle"], 1)),
        ("No attention", transfer.context_transfer(vaes[1], ODE, MARY, 1)),
        ("From nothing", transfer.decode(vaes[0], from_prior(vaes[0], 1))[0]),
    ):
        found = after(page, lambda name=name: press(page, name))
        assert (found == expected).all(), name
        assert len(page.locator(".tvae-lesson").inner_text()) > 40, "what is to be heard"
    found = after(page, lambda: page.get_by_role("button", name="Fiddle tune").press("Enter"))
    assert title(page, "A").startswith("Soldiers Joy") and title(page, "B").startswith("The Devil's Dream")
    assert (found == transfer.context_transfer(vaes[2], tokens_of(page, "A"), tokens_of(page, "B"), 1)).all()


def test_what_changed_is_marked_and_what_was_is_a_ghost(open_page, released):
    page = open_page()
    again, found = transfer.context_transfer(released, ODE, ODE), result(page)
    large = page.locator(".tvae-result tvae-player")
    assert large.locator(".tvae-changed").count() == len(notes(found) - notes(again)) > 0
    assert large.locator(".tvae-ghost").count() == len(notes(again) - notes(found)) > 0
    after(page, lambda: press(page, "all A"))
    assert large.locator(".tvae-changed, .tvae-ghost").count() == 0
    own = melody.earlier_equal(ODE)
    tints, repeats = shown(page)["tints"], shown(page)["repeats"]
    hosts = slot(page, "A").locator("tvae-player").evaluate("player => player.piece.tints")
    common = [bar for bar in range(8) if repeats[bar] >= 0 and repeats[bar] == own[bar]]
    assert common and all(tints[bar] == hosts[bar] for bar in common), "the host's colours"


def test_a_and_b_are_switched_in_time(open_page, released):
    page = open_page()
    page.evaluate(f"{LARGE}.play()")
    page.wait_for_function(f"{LARGE}.position > 4")
    again = transfer.context_transfer(released, ODE, ODE)
    for name, tokens in (("A reconstructed", again), ("A", ODE), ("B", MARY), ("result", result(page))):
        before, at, playing = page.evaluate(
            f"""async (name) => {{
                const radio = [...document.querySelectorAll(".tvae-radios label")].find((e) => e.innerText === name);
                const before = {LARGE}.position;
                radio.click();
                return [before, {LARGE}.position, {LARGE}.playing];
            }}""",
            name,
        )
        assert playing and 0 <= at - before < 1, "it goes on where it was"
        assert {tuple(note) for note in shown(page)["notes"]} == notes(tokens), name
    page.wait_for_function(f"{LARGE}.position > {at + 1}")
    page.get_by_role("radio", name="result").focus()
    page.keyboard.press("ArrowRight")
    assert heading(page) == "Ode to Joy, reconstructed"
    found = after(page, lambda: press(page, "all B"))
    assert page.locator(".tvae-hear").inner_text().splitlines()[2:3] != ["A reconstructed"], "the host is B now"
    assert (found == transfer.context_transfer(released, MARY, MARY)).all()


def test_everything_is_undone_and_reset(open_page, released):
    page, first = open_page(), None
    first = result(page)
    after(page, switch(page, 5, "B").check)
    page.get_by_label("Tempo, quarter notes a minute").fill("90")
    page.get_by_label("Tempo, quarter notes a minute").press("Enter")
    page.get_by_label("Instrument").select_option("flute")
    page.get_by_role("checkbox", name="loop").check()
    page.get_by_role("button", name="lock bar 2").click()
    slider = page.get_by_role("slider", name="Mix, from A to B")
    for _ in range(3):
        after(page, lambda: slider.press("ArrowRight"))
    assert "patch=MAMMMMMM" in page.evaluate("new Promise((f) => setTimeout(() => f(location.hash), 400))")
    after(page, lambda: press(page, "Undo"))
    assert switch(page, 5, "B").is_checked(), "a slider's way is one step"
    for name, pressed in (("lock bar 2", "false"),):
        after(page, lambda: press(page, "Undo"))
        assert page.get_by_role("button", name=name).get_attribute("aria-pressed") == pressed
    after(page, lambda: page.keyboard.press("Control+z"))
    assert not page.get_by_role("checkbox", name="loop").is_checked()
    after(page, lambda: page.keyboard.press("Control+z"))
    assert page.get_by_label("Instrument").input_value() == "piano"
    page.get_by_role("button", name="Undo").focus()
    after(page, lambda: page.keyboard.press("Enter"))
    assert shown(page)["tempo"] == 120
    assert (after(page, lambda: press(page, "Undo")) == first).all()
    after(page, lambda: choose(page, "A", "Jingle Bells"))
    assert (after(page, lambda: press(page, "Reset")) == first).all() and title(page, "A") == "Ode to Joy"
    after(page, lambda: press(page, "Undo"))
    assert title(page, "A") == "Jingle Bells", "a reset can be undone too"


def test_tempo_and_loop(open_page):
    page = open_page()
    tempo = page.get_by_label("Tempo, quarter notes a minute")
    assert tempo.input_value() == "120"
    tempo.fill("960")
    tempo.press("Tab")
    assert shown(page)["tempo"] == 960 and slot(page, "B").locator("tvae-player").evaluate("p => p.piece.tempo") == 960
    page.get_by_role("checkbox", name="loop").check()
    rounds = page.evaluate(
        f"""async () => {{
            const player = {LARGE};
            let rounds = 0, last = 0;
            player.position = 100;
            await player.play();
            while (rounds < 2) {{
                await new Promise((done) => setTimeout(done, 30));
                if (player.position < last) rounds += 1;
                last = player.position;
                if (!player.playing) break;
            }}
            return rounds;
        }}"""
    )
    assert rounds == 2 and page.evaluate(f"{LARGE}.playing")
    page.wait_for_function("window.heard.loudness > 0.01")
    page.get_by_role("checkbox", name="loop").uncheck()
    page.wait_for_function(f"!{LARGE}.playing && {LARGE}.position === 0")
    page.wait_for_function("location.hash.includes('tempo=960')")
    tempo.fill("")
    tempo.press("Enter")
    assert shown(page)["tempo"] == 120, "without a tempo of its own it is A's"


def test_instruments_sound_different_and_volume_is_heard(open_page):
    page = open_page()
    sounds = page.evaluate(
        f"""async () => {{
            const found = {{}};
            for (const name of Object.keys(tvae.sound.INSTRUMENTS)) {{
                tvae.sound.instrument = name;
                found[name] = [...(await tvae.sound.render({LARGE}.piece, 8000)).subarray(0, 8000)];
            }}
            tvae.sound.instrument = "piano";
            return found;
        }}"""
    )
    waves = {name: np.array(samples) for name, samples in sounds.items()}
    assert len(waves) >= 4
    for name, samples in waves.items():
        assert 0.05 < np.abs(samples).max() < 0.95, name
        others = [np.corrcoef(samples, other)[0, 1] for key, other in waves.items() if key != name]
        assert max(others) < 0.98, "told apart"
    page.get_by_role("checkbox", name="loop").check()
    page.evaluate(f"{LARGE}.play()")
    page.wait_for_function("window.heard.loudness > 0.05")
    page.get_by_role("slider", name="Volume").press("Home")
    page.wait_for_timeout(300)
    assert page.evaluate("window.heard.loudness") < 0.001
    page.get_by_role("slider", name="Volume").press("End")
    page.wait_for_function("window.heard.loudness > 0.05")


@both_ways
def test_tunes_are_searched_under_the_names_that_people_know(open_page):
    page = open_page()
    field = slot(page, "A").get_by_role("combobox")
    options = slot(page, "A").get_by_role("option")
    field.click()
    assert options.count() > 100 and field.get_attribute("aria-expanded") == "true"
    field.fill("soldier's joy")
    page.wait_for_function("document.querySelectorAll('[data-name=A] [role=option]').length > 2")
    assert all("soldier" in name.lower() for name in options.all_inner_texts())
    folk = corpus.load("folk")
    after(page, options.first.click)
    assert (tokens_of(page, "A") == folk.tokens[np.flatnonzero(folk.song == "aird-0109")[0]]).all()
    field.fill("flowers of edinburgh")
    options.first.wait_for()
    assert "Flowers Of Edinburg" in options.first.inner_text(), "as it is spelt today"
    field.press("Escape")
    assert title(page, "A").startswith("Soldiers Joy"), "nothing was chosen"
    field.fill("xylophone concerto")
    assert slot(page, "A").get_by_text("No tune here has such a name.").is_visible()
    field.fill("reel")
    for key in ("ArrowDown", "ArrowDown", "ArrowUp"):
        field.press(key)
    active = page.locator(f"#{field.get_attribute('aria-activedescendant')}").inner_text()
    after(page, lambda: field.press("Enter"))
    assert title(page, "A") == active


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


def test_samples_to_choose_from_and_locked_bars(open_page, released):
    page = open_page()
    own = transfer.encode(released, ODE[None])
    after(page, lambda: press(page, "all A"))
    for bar in (3, 4, 7):
        after(page, switch(page, bar, "prior").check)
    after(page, lambda: press(page, "lock bar 4"))

    def expected(seeds: dict[int, int]) -> np.ndarray:
        codes = own.copy()
        for bar, seed in seeds.items():
            codes[:, bar - 1] = from_prior(released, seed)[:, bar - 1]
        return transfer.decode(released, codes)[0]

    assert (result(page) == expected({3: 1, 4: 1, 7: 1})).all()
    page.get_by_role("button", name="Four samples to choose from").click()
    samples = page.locator(".tvae-candidates tvae-player")
    page.wait_for_function("document.querySelectorAll('.tvae-candidates tvae-player').length === 4")
    for k in range(4):
        piece = samples.nth(k).evaluate("player => player.piece.notes")
        assert {tuple(note) for note in piece} == notes(expected({3: 2 + k, 4: 1, 7: 2 + k})), "bar 4 is locked"
    found = after(page, lambda: press(page, "Use sample 3"))
    assert (found == expected({3: 4, 4: 1, 7: 4})).all()
    assert not page.locator(".tvae-panel").is_visible()
    found = after(page, lambda: press(page, "New sample"))
    assert (found == expected({3: 5, 4: 1, 7: 5})).all()
    found = after(page, lambda: press(page, "all B"))
    assert switch(page, 4, "prior").is_checked() and switch(page, 3, "B").is_checked()
    page.wait_for_function("location.hash.includes('locked=00010000')")
    after(page, lambda: press(page, "Undo"))
    page.wait_for_function("location.hash.includes('seed=1.1.5.1.1.1.5.1')")
    other = open_page(page.evaluate("location.hash"))
    assert (result(other) == expected({3: 5, 4: 1, 7: 5})).all()


@pytest.fixture
def long_file(tmp_path) -> bytes:
    """Two parts of 24 bars in quarter notes: a flute whose bar k plays the pitch 60 + k, a violin with 72 and 74."""
    file = pretty_midi.PrettyMIDI(initial_tempo=120)
    for name, program, pitches in (
        ("flute", 73, [[60 + bar] * 4 for bar in range(24)]),
        ("violin", 40, [[72, 74, 72, 74]] * 24),
    ):
        part = pretty_midi.Instrument(program, name=name)
        part.notes = [
            pretty_midi.Note(90, pitch, 2 * bar + beat / 2, 2 * bar + beat / 2 + 0.5)
            for bar, four in enumerate(pitches)
            for beat, pitch in enumerate(four)
        ]
        file.instruments.append(part)
    file.write(str(tmp_path / "long.mid"))
    return (tmp_path / "long.mid").read_bytes()


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


# A keyboard that the tests play: window.keys([pitch, from, to in ms after now], ...) with exact times.
KEYBOARD = """
    const input = Object.assign(new EventTarget(), { name: "test keyboard" });
    navigator.requestMIDIAccess = async () => ({ inputs: new Map([["one", input]]) });
    window.keys = (...notes) => {
        const now = performance.now();
        const send = (data, at) => {
            const event = Object.assign(new Event("midimessage"), { data: Uint8Array.from(data) });
            Object.defineProperty(event, "timeStamp", { value: now + at });
            input.dispatchEvent(event);
        };
        for (const [pitch, from, to] of notes) {
            send([0x90, pitch, 90], from);
            send(pitch % 2 ? [0x80, pitch, 0] : [0x90, pitch, 0], to);
        }
    };
"""


@both_ways
def test_a_keyboard_plays_into_a_slot(open_page, released):
    page = open_page(script=KEYBOARD)
    tempo = page.get_by_label("Tempo, quarter notes a minute")
    tempo.fill("60")
    tempo.press("Enter")
    record = slot(page, "B").get_by_role("button", name="Record")
    record.click()
    said = slot(page, "B").locator(".tvae-heard")
    page.wait_for_function("document.querySelector('[data-name=B] .tvae-heard').textContent.startsWith('Counting in')")
    page.wait_for_function("window.heard.loudness > 0.01"), "the click"
    page.wait_for_function(
        "document.querySelector('[data-name=B] .tvae-heard').textContent.startsWith('Recording bar 1')"
    )
    page.evaluate("keys([60, 1000, 1980], [64, 2000, 2490], [67, 2500, 4000])")  # a step is 250 ms
    page.wait_for_function("document.querySelector('[data-name=B] .tvae-heard').textContent.includes('3 notes')")
    page.wait_for_timeout(4000)
    found = after(page, lambda: slot(page, "B").get_by_role("button", name="Stop and keep").click())
    played = melody.tokens_to_notes(tokens_of(page, "B"))
    assert [note.pitch for note in played] == [60, 64, 67]
    onsets = [note.onset for note in played]
    assert onsets == [onsets[0], onsets[0] + 4, onsets[0] + 6] and onsets[0] in (4, 5), "on the grid of the click"
    assert (found == transfer.context_transfer(released, ODE, tokens_of(page, "B"), 1)).all()
    assert title(page, "B") == "Played by me" and not said.is_visible()
    record.click()
    page.wait_for_function("document.querySelector('[data-name=B] .tvae-heard').textContent.startsWith('Counting in')")
    slot(page, "B").get_by_role("button", name="Cancel").click()
    assert title(page, "B") == "Played by me" and record.get_attribute("aria-pressed") == "false"
    after(page, lambda: press(page, "Undo"))
    assert (tokens_of(page, "B") == MARY).all()


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (
            "Object.defineProperty(Navigator.prototype, 'requestMIDIAccess', { value: undefined })",
            "cannot hear MIDI keyboards",
        ),
        (
            "navigator.requestMIDIAccess = async () => { throw new DOMException('no', 'SecurityError') }",
            "does not let this page",
        ),
        ("navigator.requestMIDIAccess = async () => ({ inputs: new Map() })", "No keyboard is connected"),
    ],
)  # fmt: skip
def test_without_a_keyboard_the_button_says_why(open_page, script, words):
    page = open_page(script=script)
    slot(page, "A").get_by_role("button", name="Record").press("Enter")
    said = slot(page, "A").locator(".tvae-heard")
    page.wait_for_function(
        "(words) => document.querySelector('[data-name=A] .tvae-heard').textContent.includes(words)", arg=words
    )
    assert said.is_visible() and not slot(page, "A").get_by_role("button", name="Stop and keep").is_visible()


def test_fingers_reach_the_new_controls(browser, site, released, long_file):
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    page = context.new_page()
    page.goto(f"{site}/index.html")
    page.wait_for_function("document.querySelector('tvae-playground')?.result")
    found = after(page, page.get_by_role("button", name="Bar 7 instead").tap)
    assert (found == transfer.context_transfer(released, ODE, MARY, 7)).all()
    slot(page, "B").get_by_role("combobox").tap()
    slot(page, "B").get_by_role("combobox").fill("jingle")
    after(page, slot(page, "B").get_by_role("option").first.tap)
    assert (tokens_of(page, "B") == TUNES["Jingle Bells"]).all()
    after(page, lambda: drop(page, "A", "long.mid", long_file))
    strip = slot(page, "A").get_by_role("slider", name="Which eight bars")
    width = strip.bounding_box()["width"]
    after(page, lambda: strip.tap(position={"x": width * 18 / 24, "y": 20}))
    assert strip.get_attribute("aria-valuenow") == "15", "the window's middle comes to the finger"
    after(page, page.get_by_role("button", name="Paper's example").tap)
    page.get_by_text("A reconstructed", exact=True).tap()
    assert heading(page) == "Ode to Joy, reconstructed"
    page.get_by_role("button", name="lock bar 1").tap()
    assert page.get_by_role("button", name="lock bar 1").get_attribute("aria-pressed") == "true"
    page.get_by_label("loop").tap()
    page.get_by_role("button", name="Four samples to choose from").tap()
    page.get_by_role("button", name="Use sample 2").tap()
    page.wait_for_function("!document.querySelector('.tvae-panel:not([hidden])')")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    context.close()


def test_who_hears_the_page_finds_its_parts(open_page):
    page = open_page()
    headings = page.locator("tvae-playground h2").all_inner_texts()
    for name in (
        "Things to try",
        "Melody A",
        "Melody B",
        "Result",
        "What became of the song",
        "Where the encoder looks",
    ):
        assert name in headings
    busy = page.evaluate(
        """async () => {
            const sheet = document.querySelector(".tvae-result"), seen = [];
            const observer = new MutationObserver(() => seen.push(sheet.getAttribute("aria-busy")));
            observer.observe(sheet, { attributeFilter: ["aria-busy"] });
            document.querySelector('[aria-label="bar 3 from B"]').click();
            const element = document.querySelector("tvae-playground");
            await new Promise((done) => element.addEventListener("tvae-result", done, { once: true }));
            await new Promise((done) => setTimeout(done, 50));
            return seen;
        }"""
    )
    assert busy[0] == "true" and busy[-1] == "false"
