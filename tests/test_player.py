"""The player in a real browser: from its file and over http, with clicks, keys and sound."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from examples import HOSTILE, LISTEN, ODE, PLAYER, TWINKLE

from tvae.report import listen

ASSETS = Path(__file__).parent.parent / "book" / "assets"
FAST = 960  # quarter notes a minute: 8 bars last two seconds


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A page with three players, the book's script and style sheet beside it."""
    folder = tmp_path_factory.mktemp("page")
    for name in (*PLAYER, "tvae.css"):
        shutil.copy(ASSETS / name, folder)
    slow = listen.player(TWINKLE, "Twinkle", 120)._repr_html_()
    many = listen.players([ODE, TWINKLE], [HOSTILE[0], HOSTILE[1]], ["host", "donor"], FAST)._repr_html_()
    (folder / "index.html").write_text(
        '<!doctype html><html lang="en" data-theme="light"><meta charset="utf-8"><title>Players</title>'
        '<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">'
        '<link rel="stylesheet" href="tvae.css">'
        + "".join(f'<script defer src="{name}"></script>' for name in PLAYER)
        + f'<a id="before" href="#x">before</a>{slow}{many}</html>',
        encoding="utf-8",
    )
    return folder


@pytest.fixture(params=["file", "http"])
def page(request, browser, folder, site):
    """The page, open; at the end there must have been no error and no request but for its own three files."""
    root = folder.as_uri() if request.param == "file" else site
    page = browser.new_page(viewport={"width": 1000, "height": 800})
    wrong, asked = [], []
    page.on("console", lambda message: message.type in ("error", "warning") and wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("dialog", lambda dialog: (wrong.append("dialog"), dialog.dismiss()))
    page.on("request", lambda request: request.url.startswith("data:") or asked.append(request.url))
    page.add_init_script(LISTEN)
    page.goto(f"{root}/index.html")
    page.wait_for_selector("tvae-player button")
    yield page
    page.close()
    assert not wrong
    assert sorted(asked) == sorted(f"{root}/{name}" for name in ("index.html", *PLAYER, "tvae.css"))


def state(page, k: int = 0) -> tuple[bool, float]:
    return tuple(page.locator("tvae-player").nth(k).evaluate("e => [e.playing, e.position]"))


def wait(page, k: int, condition: str):
    page.wait_for_function(
        f"(() => {{ const e = document.querySelectorAll('tvae-player')[{k}]; return {condition} }})()", timeout=20_000
    )


def test_it_plays_advances_pauses_and_goes_on(page):
    button = page.locator("tvae-player").first.get_by_role("button")
    assert page.evaluate("window.contexts") == 0, "no sound until asked"
    assert button.get_attribute("aria-label") == "Play Twinkle"
    button.click()
    assert button.get_attribute("aria-label") == "Pause Twinkle"
    wait(page, 0, "e.position > 2")
    assert page.evaluate("window.contexts") == 1
    assert page.locator(".tvae-sounding").count() == 1
    button.click()
    playing, at = state(page)
    assert not playing and at > 2
    assert page.locator(".tvae-sounding").count() == 0
    page.wait_for_timeout(300)
    assert state(page) == (False, at)
    button.click()
    wait(page, 0, f"e.position > {at + 1}")
    assert (
        page.locator("tvae-player")
        .first.get_by_role("slider")
        .get_attribute("aria-valuetext")
        .startswith("bar 1, step ")
    )


def test_it_stops_at_the_end_and_starts_again(page):
    button = page.locator("tvae-player").nth(1).get_by_role("button")
    button.click()
    wait(page, 1, "e.position > 64")
    wait(page, 1, "!e.playing && e.position === 0")
    button.click()
    wait(page, 1, "e.playing && e.position > 8")


def test_the_clock_is_the_one_of_the_music(page):
    page.locator("tvae-player").first.get_by_role("button").click()
    wait(page, 0, "e.position > 1")
    steps, seconds = page.evaluate(
        """async () => {
            const player = document.querySelector("tvae-player"), from = [player.position, performance.now()];
            await new Promise((done) => setTimeout(done, 1500));
            return [player.position - from[0], (performance.now() - from[1]) / 1000];
        }"""
    )
    assert steps == pytest.approx(8 * seconds, abs=1)  # 120 quarter notes a minute


def test_only_one_plays_at_a_time(page):
    buttons = page.locator("tvae-player button")
    buttons.nth(0).click()
    wait(page, 0, "e.position > 0.5")
    buttons.nth(1).click()
    wait(page, 1, "e.position > 1")
    assert [state(page, k)[0] for k in range(3)] == [False, True, False]
    assert page.evaluate("window.contexts") == 1
    assert page.evaluate("heard.loudness") > 0.01
    buttons.nth(1).click()  # now nothing sounds, the first one neither
    page.wait_for_timeout(350)
    assert page.evaluate("heard.loudness") < 1e-3
    page.wait_for_function("heard.state === 'suspended'")


def test_a_player_taken_from_the_page_falls_silent(page):
    page.locator("tvae-player button").first.click()
    wait(page, 0, "e.position > 0.5")
    playing = page.locator("tvae-player").first.evaluate("e => { e.remove(); return e.playing }")
    assert not playing


def test_a_click_seeks(page):
    roll = page.locator("tvae-player .tvae-roll").first
    box = roll.bounding_box()
    roll.click(position={"x": box["width"] * 0.5 + 1, "y": 40})
    assert state(page) == (False, 64)
    assert roll.get_attribute("aria-valuetext") == "bar 5, step 1"
    page.locator("tvae-player button").first.click()
    wait(page, 0, "e.position > 65")
    roll.click(position={"x": 2, "y": 40})
    playing, at = state(page)
    assert playing and at < 10


def test_everything_can_be_done_with_keys(page):
    page.locator("#before").focus()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "tvae-play"
    ring = "getComputedStyle(document.activeElement).outlineStyle"
    assert page.evaluate(ring) == "solid"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "tvae-midi"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('role')") == "slider"
    assert page.evaluate(ring) == "solid"
    for key, at in [
        ("ArrowRight", 16), ("ArrowRight", 32), ("Shift+ArrowRight", 33), ("Shift+ArrowLeft", 32), ("ArrowUp", 48),
        ("Shift+ArrowRight", 49), ("Shift+ArrowRight", 50), ("Shift+ArrowRight", 51), ("ArrowLeft", 48),
        ("ArrowDown", 32), ("Home", 0), ("ArrowLeft", 0), ("End", 128), ("ArrowRight", 128), ("x", 128),
        ("Control+ArrowLeft", 128),
    ]:  # fmt: skip
        page.keyboard.press(key)
        assert state(page) == (False, at), key
    page.keyboard.press("Space")  # from the end it starts again
    wait(page, 0, "e.playing && e.position > 0.5 && e.position < 64")
    page.keyboard.press("Space")
    assert not state(page)[0]


def test_a_title_stays_text(page):
    titles = page.locator(".tvae-title")
    assert [titles.nth(k).inner_text() for k in (1, 2)] == HOSTILE[:2]
    assert page.locator("tvae-player script, tvae-player img").count() == 0
    assert page.locator(".tvae-role").all_inner_texts() == ["host", "donor"]


def test_the_picture_is_the_one_of_the_page_without_scripts(page, browser):
    places = """
        () => [...document.querySelectorAll("tvae-player")].map((player) => {
            const roll = player.querySelector(".tvae-roll");
            const place = (node) => ["x", "y", "width", "height"].map((key) => parseFloat(node.getAttribute(key)));
            return {
                notes: [...roll.querySelectorAll(".tvae-note")].map(place),
                words: [...roll.querySelectorAll("text")].map((node) => node.textContent),
                lines: roll.querySelectorAll("line:not(.tvae-playhead)").length,
                tints: [...roll.querySelectorAll("rect:not(.tvae-note, .tvae-paper)")].map(place),
                colours: [...roll.querySelectorAll("rect:not(.tvae-paper)")].map((node) => getComputedStyle(node).fill),
            };
        })
    """
    plain = browser.new_context(java_script_enabled=False).new_page()
    plain.goto(page.url)
    drawn, written = page.evaluate(places), plain.evaluate(places)
    assert plain.locator("noscript small").count() == 3 and page.locator("noscript").count() == 0
    assert plain.locator("svg[role=img][aria-label]").count() == 3
    plain.context.close()
    for one, other in zip(drawn, written, strict=True):
        assert np.allclose(one.pop("notes"), other.pop("notes"), atol=0.01)
        assert one == other


def test_the_midi_file_is_there(page):
    with page.expect_download() as download:
        page.locator(".tvae-midi").first.click()
    assert download.value.suggested_filename == "twinkle.mid"
    assert download.value.path().read_bytes() == listen.player(TWINKLE, "Twinkle").midi()


def render(page, tokens: np.ndarray, tempo: float) -> np.ndarray:
    html = listen.player(tokens, tempo=tempo)._repr_html_()
    return np.array(
        page.evaluate(
            """async (html) => {
                const other = new DOMParser().parseFromString(html, "text/html").querySelector("tvae-player");
                const samples = await tvae.sound.render(JSON.parse(other.dataset.piece), 8000);
                return Array.from(samples);
            }""",
            html,
        )
    )


def test_the_sound_is_where_the_notes_are(page):
    tokens = np.zeros(128, np.uint8)  # bars 1 and 3 are A4 in quarter notes, the rest is silent
    for bar in (0, 2):
        tokens[16 * bar : 16 * bar + 16] = np.tile([31, 1, 1, 1], 4)
    sound = render(page, tokens, 120).astype(float)
    assert len(sound) == (16 + 0.5) * 8000 and np.isfinite(sound).all()
    assert 0.1 < np.abs(sound).max() < 0.9, "loud enough, and not clipped"
    bars = np.sqrt((sound[: 16 * 8000].reshape(8, 2, 8000) ** 2).mean(-1))  # (bar, half) of one second
    assert bars[0].min() > 0.03 and bars[2].min() > 0.03
    assert max(bars[1, 1], bars[3, 1], bars[4:].max()) < 1e-4
    spectrum = np.abs(np.fft.rfft(sound[:16000] * np.hanning(16000)))
    assert spectrum.argmax() / 2 == pytest.approx(440, abs=2)  # Hz
    assert np.abs(np.diff(sound)).max() < 0.5, "no clicks"


def test_a_whole_tune_sounds_and_silence_is_silent(page):
    assert np.abs(render(page, ODE, FAST)).max() > 0.1
    assert not render(page, np.zeros(128, int), FAST).any()


def test_a_script_can_give_it_another_piece(page):
    html = listen.player(ODE, "Ode to Joy")._repr_html_()
    page.locator("tvae-player").first.evaluate(
        """(player, html) => {
            const other = new DOMParser().parseFromString(html, "text/html").querySelector("tvae-player");
            player.piece = JSON.parse(other.dataset.piece);
        }""",
        html,
    )
    assert page.locator("tvae-player").first.locator(".tvae-title").inner_text() == "Ode to Joy"
    assert page.locator("tvae-player").first.locator(".tvae-note").count() == 30
    page.locator("tvae-player button").first.click()
    wait(page, 0, "e.position > 0.5")


def test_a_player_can_be_made_by_a_script(page):
    piece = {"title": "made here", "tempo": 120, "notes": [[60, 0, 4]], "repeats": [-1] * 8, "low": 55, "high": 70}
    page.evaluate(
        """(piece) => {
            const player = document.createElement("tvae-player");
            player.piece = JSON.parse(piece);
            document.body.prepend(player);
        }""",
        json.dumps(piece),
    )
    page.get_by_role("button", name="Play made here").click()
    wait(page, 0, "e.position > 0.5")


def test_it_keeps_still_where_motion_is_unwelcome(page):
    page.emulate_media(reduced_motion="reduce")
    page.locator("tvae-player").first.evaluate("e => { e.position = 22.7 }")
    assert page.locator(".tvae-playhead").first.get_attribute("x1") == "15.625%"  # the beat begins at step 20


@pytest.mark.parametrize("width", [320, 390, 1280])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_fits_and_follows_the_theme(page, width, theme):
    page.set_viewport_size({"width": width, "height": 800})
    page.evaluate(
        """(theme) => {
            document.documentElement.dataset.theme = theme;
            document.body.style.color = theme === "dark" ? "rgb(200, 210, 220)" : "rgb(20, 20, 20)";
        }""",
        theme,
    )
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    ink = {"dark": "rgb(200, 210, 220)", "light": "rgb(20, 20, 20)"}[theme]
    assert page.locator(".tvae-note").first.evaluate("e => getComputedStyle(e).fill") == ink
    for k in range(3):
        box = page.locator(".tvae-play").nth(k).bounding_box()
        assert box["width"] >= 36 and box["height"] >= 36
