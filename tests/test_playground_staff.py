"""The staff of the playground: what abcjs, another program, reads from our notation, and how the page shows it."""

import pytest
from playground_page import ODE, TUNES, after, both_ways, notes, press, result, slot, tokens_of

from tvae import melody
from tvae.melody import Note

RESULT = ".tvae-result .tvae-staff"
# What abcjs would play, ties and accidentals resolved: [[pitch, onset, end], ...] for each piece.
HEARD = """(pieces) => pieces.map((tokens) => {
    const { abc } = tvae.score.score(Uint8Array.from(tokens));
    const [tune] = ABCJS.renderAbc(document.createElement("div"), abc, {});
    if (tune.warnings) throw new Error(tune.warnings + abc);
    const played = tune.setUpAudio({ chordsOff: true }).tracks[0].filter(({ cmd }) => cmd === "note");
    const step = (time) => Math.round(16 * time);
    return played.map(({ pitch, start, duration }) => [pitch, step(start), step(start + duration)]);
})"""


@pytest.fixture
def abc(js):
    return lambda tokens: js("(text) => tvae.score.score(piece(text)).abc", "".join(map(chr, tokens)))


def staff_of(page, name: str):
    return page.get_by_role("button", name=f"Staff of {name}", exact=True)


def test_what_is_written_is_what_a_musician_would_write(abc):
    assert abc(ODE).splitlines() == [
        "X:1", "M:4/4", "L:1/16", "K:C clef=treble",
        "E4 E4 F4 G4|G4 F4 E4 D4|C4 C4 D4 E4|E6D2 D8|", "E4 E4 F4 G4|G4 F4 E4 D4|C4 C4 D4 E4|D6C2 C8|]",
    ]  # fmt: skip
    low = [Note(45, 0, 5), Note(46, 5, 10), Note(46, 12, 20)]  # A2, B♭2 across a beat, and across a bar line
    assert abc(melody.notes_to_tokens(low)).splitlines()[3:5] == [
        "K:Bb clef=bass", "A,,4- A,,1B,,3- B,,2z2 B,,4-|B,,4 z12|z16|z16|"
    ]  # fmt: skip
    sharp = [Note(62, 0, 4), Note(66, 4, 8), Note(69, 8, 12), Note(68, 12, 14), Note(67, 14, 16), Note(62, 16, 32)]
    assert abc(melody.notes_to_tokens(sharp)).splitlines()[3:5] == [
        "K:D clef=treble", "D4 F4 A4 ^G2=G2|D16|z16|z16|"
    ]  # fmt: skip


def test_abcjs_reads_what_was_meant(open_page, pieces):
    page = open_page()
    after_loading = "document.querySelector('.tvae-result .tvae-staff svg')"
    staff_of(page, "the result").click()
    page.wait_for_function(after_loading)
    wanted = [*pieces[::3], *TUNES.values()]
    assert [{tuple(note) for note in found} for found in page.evaluate(HEARD, [x.tolist() for x in wanted])] == [
        notes(tokens) for tokens in wanted
    ]


@both_ways
def test_a_staff_comes_when_it_is_asked_for(open_page):
    page, asked = open_page(), []
    page.on("request", lambda request: asked.append(request.url.rsplit("/", 1)[1]))
    assert page.evaluate("globalThis.ABCJS") is None, "nothing of it is loaded before"
    button = staff_of(page, "the result")
    button.press("Enter")
    page.wait_for_selector(f"{RESULT} svg")
    assert asked == ["abcjs-basic-min.js"] and button.get_attribute("aria-pressed") == "true"
    heads = page.locator(f"{RESULT} .abcjs-notehead")
    assert heads.count() >= len(notes(result(page)))
    changed = page.locator(f"{RESULT} .abcjs-note.tvae-changed")
    assert 0 < changed.count() < page.locator(f"{RESULT} .abcjs-note").count()
    after(page, lambda: press(page, "all A"))
    assert changed.count() == 0, "it follows the result"
    player = page.locator("tvae-player[data-role=result]")
    onsets = sorted(note[1] for note in notes(result(page)))
    player.evaluate("player => player.pause()")  # it plays on a change
    page.locator(f"{RESULT} .abcjs-note").last.click(force=True)  # beside its shape, which may be hollow
    assert player.evaluate("player => player.position") == onsets[-1], "a click on a note goes there"
    player.evaluate("player => player.play()")
    page.wait_for_selector(f"{RESULT} .tvae-sounding")
    button.click()
    assert not page.locator(RESULT).is_visible()


def test_the_staff_of_a_melody_on_a_phone_in_the_dark(open_page):
    page = open_page(width=390, height=844, has_touch=True)
    page.evaluate("document.documentElement.dataset.theme = 'dark'; document.body.style.color = 'rgb(200, 210, 220)'")
    slot(page, "B").get_by_role("button", name="Other ways to melody B").tap()
    staff_of(page, "melody B").tap()
    drawing = slot(page, "B").locator(".tvae-staff svg")
    drawing.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert (
        drawing.evaluate("svg => getComputedStyle(svg.querySelector('.abcjs-note path')).fill") == "rgb(200, 210, 220)"
    )
    assert slot(page, "B").locator(".abcjs-staff").count() == 4, "two bars a line"
    label = drawing.get_attribute("aria-label")
    assert label.startswith(f"melody B as a staff: {len(notes(tokens_of(page, 'B')))} notes")


def test_a_staff_that_does_not_come_is_said_and_asked_for_again(open_page):
    page = open_page()
    page.evaluate(
        "() => { window.real = tvae.script; tvae.script = async () => { throw new Error('It could not be loaded.') } }"
    )
    staff_of(page, "the result").click()
    page.locator(f"{RESULT} [role=alert]", has_text="It could not be loaded.").wait_for()
    page.evaluate("() => { tvae.script = window.real }")
    staff_of(page, "the result").click()
    staff_of(page, "the result").click()
    page.wait_for_selector(f"{RESULT} svg")
