"""The page of context transfer in the built book, in a real browser: every player on it is played."""

from pathlib import Path

import pytest
from examples import LISTEN

BOOK = Path(__file__).parent.parent / "_build" / "html"
PAGE = BOOK / "executed" / "transfer.html"
pytestmark = pytest.mark.skipif(
    not PAGE.exists(), reason="the book is not built (make book), or has no page on transfer"
)


def test_every_player_plays_advances_and_stops(browser):
    wrong = []
    page = browser.new_page()
    page.on("console", lambda message: message.type == "error" and wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on(
        "request", lambda request: request.url.startswith(("file:", "data:")) or wrong.append(f"asks {request.url}")
    )
    page.on("requestfailed", lambda request: wrong.append(f"does not get {request.url}"))
    page.add_init_script(LISTEN)
    page.goto(PAGE.as_uri())
    page.wait_for_selector("tvae-player button")
    players = page.locator("tvae-player")
    roles = [player.get_attribute("data-role") for player in players.all()]
    assert {"host", "donor", "result"} <= set(roles) and len(roles) >= 12
    assert page.evaluate("window.contexts") == 0, "no sound until asked"
    for k in range(len(roles)):
        state = f"(([e]) => {{ const p = document.querySelectorAll('tvae-player')[{k}]; return e(p) }})"
        player, button = players.nth(k), players.nth(k).locator("button")
        assert button.get_attribute("aria-label").startswith("Play ")
        begins = player.evaluate("e => e.piece.notes.length ? e.piece.notes[0][1] : -1")
        assert begins >= 0, f"player {k + 1} has no notes"
        player.evaluate(f"e => {{ e.position = {begins} }}")
        button.click()
        page.wait_for_function(f"{state}([e => e.playing && e.position > {begins} + 0.5])", timeout=20_000)
        page.wait_for_function("heard.loudness > 1e-3", timeout=20_000)
        assert button.get_attribute("aria-label").startswith("Pause ")
        assert page.evaluate("[...document.querySelectorAll('tvae-player')].filter((e) => e.playing).length") == 1
        button.click()
        playing, at = player.evaluate("e => [e.playing, e.position]")
        assert not playing and at > begins
        player.evaluate("e => { e.position = 126; e.play() }")  # up to its end
        page.wait_for_function(f"{state}([e => !e.playing && e.position === 0])", timeout=20_000)
    assert page.evaluate("window.contexts") == 1
    page.close()
    assert not wrong
