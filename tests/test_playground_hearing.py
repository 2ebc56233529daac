"""How the playground is heard: what plays when, beside what, how fast, on which instrument."""

import numpy as np
from playground_page import LARGE, MARY, ODE, after, heading, notes, press, result, shown, slot, switch

from tvae import melody, transfer


def test_it_plays_on_a_change_and_not_when_unticked(open_page):
    page = open_page()
    playing = "document.querySelector('tvae-player[data-role=result]').playing"
    after(page, switch(page, 2, "B").check)
    page.wait_for_function(playing)
    page.wait_for_function("window.heard.loudness > 0.01")
    page.locator("tvae-player[data-role=result] .tvae-play").click()
    assert not page.evaluate(playing)
    page.get_by_label("play on change").uncheck()
    after(page, switch(page, 3, "B").check)
    page.wait_for_timeout(200)
    assert not page.evaluate(playing)


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
