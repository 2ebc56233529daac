"""Melodies that are drawn in the playground, by mouse, keys and fingers, or played on a keyboard."""

import pytest
from playground_page import MARY, ODE, TUNES, after, both_ways, choose, press, slot, title, tokens_of

from tvae import melody, transfer


@both_ways
def test_a_melody_is_drawn_with_the_mouse(open_page, released):
    page = open_page()
    after(page, slot(page, "A").get_by_role("button", name="Clear").click)
    slot(page, "A").get_by_role("button", name="Edit notes").click()
    roll = slot(page, "A").locator(".tvae-draw")
    roll.scroll_into_view_if_needed()
    box = roll.bounding_box()

    def at(step, pitch):
        return box["x"] + (step + 0.5) * box["width"] / 128, box["y"] + (84 - pitch + 0.5) * box["height"] / 45

    def drag():
        page.mouse.move(*at(4, 67))
        page.mouse.down()
        page.mouse.move(*at(7, 67), steps=4)
        page.mouse.up()

    drawn = [melody.Note(67, 4, 8)]
    found = after(page, drag)
    assert (tokens_of(page, "A") == melody.notes_to_tokens(drawn)).all()
    assert (found == transfer.context_transfer(released, melody.notes_to_tokens(drawn), MARY, 1)).all()
    after(page, lambda: page.mouse.click(*at(5, 67)))
    assert not tokens_of(page, "A").any(), "a click takes the note away"
    after(page, lambda: page.keyboard.press("Control+z"))
    assert (tokens_of(page, "A") == melody.notes_to_tokens(drawn)).all()


def test_a_melody_is_drawn_with_keys(open_page):
    page = open_page()
    after(page, slot(page, "B").get_by_role("button", name="Clear").click)
    slot(page, "B").get_by_role("button", name="Edit notes").press("Enter")
    roll = slot(page, "B").locator(".tvae-draw")
    roll.focus()
    for key in ("Home", "ArrowRight", "ArrowUp"):  # the cursor begins on G4
        roll.press(key)
    assert slot(page, "B").locator(".tvae-word").inner_text() == "bar 1, step 2, A♭4, empty"
    after(page, lambda: roll.press("Enter"))
    after(page, lambda: roll.press("Shift+ArrowRight"))
    assert (tokens_of(page, "B") == melody.notes_to_tokens([melody.Note(68, 1, 6)])).all()
    after(page, lambda: roll.press("Delete"))
    assert not tokens_of(page, "B").any()
    roll.press("Escape")
    assert slot(page, "B").locator(".tvae-draw").count() == 0
    assert page.evaluate("document.activeElement.textContent") == "Edit notes"


def test_a_finger_draws_too(open_page):
    page = open_page(width=390, height=844, has_touch=True)
    slot(page, "A").get_by_role("button", name="Other ways to melody A").tap()
    after(page, slot(page, "A").get_by_role("button", name="Clear").tap)
    slot(page, "A").get_by_role("button", name="Edit notes").tap()
    roll = slot(page, "A").locator(".tvae-draw")
    assert roll.evaluate("roll => getComputedStyle(roll).touchAction") == "none"
    width, height = roll.evaluate("roll => [roll.clientWidth, roll.clientHeight]")
    assert width >= 128 * 4, "wide enough for a finger: it scrolls inside itself"
    where = {"x": 10.5 * width / 128, "y": (84 - 72 + 0.5) * height / 45}
    after(page, lambda: roll.tap(position=where))
    assert (tokens_of(page, "A") == melody.notes_to_tokens([melody.Note(72, 10, 14)])).all(), "a quarter note"
    after(page, lambda: roll.tap(position=where | {"y": where["y"] + height / 45}))
    assert not tokens_of(page, "A").any(), "a finger is wide: it need not hit the row"
    scroll = slot(page, "A").locator(".tvae-canvas")
    slot(page, "A").get_by_role("button", name="later bars").tap()
    page.wait_for_function("canvas => canvas.scrollLeft > 100", arg=scroll.element_handle())


def test_one_voice_and_everything_can_be_undone(open_page):
    page, shown = open_page(), [ODE]
    a = slot(page, "A")
    undo, redo = page.get_by_role("button", name="Undo"), page.get_by_role("button", name="Redo")
    assert undo.get_attribute("aria-disabled") == redo.get_attribute("aria-disabled") == "true"
    a.get_by_role("button", name="Edit notes").click()
    roll = a.locator(".tvae-draw")
    assert a.locator(".tvae-word").inner_text() == "bar 1, step 1, E4, note"
    for act in (
        a.get_by_role("button", name="Clear").click,
        lambda: roll.press("Enter"),  # the cursor stays where it was: E4, a quarter note
        lambda: (roll.press("ArrowRight"), roll.press("ArrowUp"), roll.press(" ")),  # which the next note cuts
        lambda: choose(page, "A", "Frère Jacques"),
    ):
        after(page, act)
        shown.append(tokens_of(page, "A"))
    drawn = [melody.Note(64, 0, 1), melody.Note(65, 1, 5)]
    assert (shown[3] == melody.notes_to_tokens(drawn)).all() and (shown[4] == TUNES["Frère Jacques"]).all()
    for step, number in ((undo, 3), (undo, 2), (undo, 1), (undo, 0), (redo, 1), (redo, 2)):
        after(page, step.click)
        assert (tokens_of(page, "A") == shown[number]).all()
    after(page, lambda: roll.press("Control+Shift+z"))
    assert (tokens_of(page, "A") == shown[3]).all()


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


def wait_for_words(page, name: str, words: str):
    """Until the recorder of a slot says so."""
    slot(page, name).locator(".tvae-heard", has_text=words).wait_for()


@both_ways
def test_a_keyboard_plays_into_a_slot(open_page, released):
    page = open_page(script=KEYBOARD, still=True)
    tempo = page.get_by_label("Tempo, quarter notes a minute")
    tempo.fill("60")  # a step lasts 250 ms, a bar four seconds
    after(page, lambda: tempo.press("Enter"))
    record, said = slot(page, "B").get_by_role("button", name="Record"), slot(page, "B").locator(".tvae-heard")
    record.click()
    wait_for_words(page, "B", "Counting in: 1 of 4")
    page.wait_for_function("window.heard.loudness > 0.01")  # the click
    page.clock.run_for(4300)  # the click is prepared for 80 ms, and heard as much later as the loudspeaker needs
    wait_for_words(page, "B", "Recording bar 1 of 8, 0 notes")
    page.evaluate("keys([60, 1000, 1980], [64, 2000, 2490], [67, 2500, 4000])")
    page.clock.run_for(8000)
    wait_for_words(page, "B", "Recording bar 3 of 8, 3 notes")
    found = after(page, slot(page, "B").get_by_role("button", name="Stop and keep").click)
    played = [melody.Note(60, 5, 9), melody.Note(64, 9, 11), melody.Note(67, 11, 17)]
    assert melody.tokens_to_notes(tokens_of(page, "B")) == played, "on the grid of the click"
    assert (found == transfer.context_transfer(released, ODE, melody.notes_to_tokens(played), 1)).all()
    assert title(page, "B") == "Played by me" and not said.is_visible()
    record.click()
    wait_for_words(page, "B", "Counting in")
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
    wait_for_words(page, "A", words)
    assert not slot(page, "A").get_by_role("button", name="Stop and keep").is_visible()
