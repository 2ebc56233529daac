"""Who can use the playground: by keys, by fingers, on a phone, in the dark, by ear."""

import pytest
from playground_page import MARY, ODE, TUNES, after, drop, heading, slot, switch, tokens_of

from tvae import transfer


def test_keys_reach_everything(open_page):
    page = open_page()
    page.locator("#before").focus()
    reached = {}
    for _ in range(80):
        page.keyboard.press("Tab")
        name, ring, ours = page.evaluate(
            """() => {
                const e = document.activeElement;
                const label = e.getAttribute("aria-label") ?? e.closest("label")?.textContent;
                const name = label ?? e.textContent.slice(0, 40);
                const ring = getComputedStyle(e.closest(".tvae-radios label") ?? e).outlineStyle;
                return [name, ring, e.closest("tvae-playground") !== null];
            }"""
        )
        if ours:
            reached[name] = ring
    assert set(reached.values()) == {"solid"}, "the focus can be seen everywhere"
    for name in ("Model", "Reset", "Bar 1 swapped", "Melody A: search for a tune", "Open MIDI…", "Edit notes",
                 "Record", "Play Ode to Joy", "all A", "bar 1 from B", "bar 8 from A", "lock bar 3", "Mix, from A to B",
                 "New sample", "Four samples to choose from", "result", "Tempo, quarter notes a minute", "loop",
                 "Instrument", "Volume", "play on change", "Download MIDI", "Download WAV", "Copy link",
                 "Attention head"):  # fmt: skip
        assert name in reached, name
    switch(page, 1, "B").focus()
    after(page, lambda: page.keyboard.press("ArrowUp"))
    assert switch(page, 1, "A").is_checked()
    slot(page, "B").get_by_role("combobox").focus()
    page.keyboard.type("twin tw")
    after(page, lambda: page.keyboard.press("Enter"))
    assert (tokens_of(page, "B") == TUNES["Twinkle, Twinkle"]).all()


def test_fingers_reach_what_keys_reach(open_page, released, long_file):
    page = open_page(width=390, height=844, has_touch=True)
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
    after(page, page.get_by_role("button", name="Bar 1 swapped").tap)
    page.get_by_text("A reconstructed", exact=True).tap()
    assert heading(page) == "Ode to Joy, reconstructed"
    page.get_by_role("button", name="lock bar 1").tap()
    assert page.get_by_role("button", name="lock bar 1").get_attribute("aria-pressed") == "true"
    page.get_by_label("loop").tap()
    page.get_by_role("button", name="Four samples to choose from").tap()
    page.get_by_role("button", name="Use sample 2").tap()
    page.wait_for_function("!document.querySelector('.tvae-panel:not([hidden])')")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_it_fits_a_phone(open_page):
    page = open_page()
    for width in (1280, 390, 320):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        for more in slot(page, "A").locator(".tvae-more[aria-expanded=false]:visible").all():
            more.click()
        slot(page, "A").get_by_role("button", name="Edit notes").click()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        slot(page, "A").get_by_role("button", name="Edit notes").click()
        for dot in page.locator(".tvae-dot").all()[:4]:
            box = dot.bounding_box()
            assert box["width"] >= 24 and box["height"] >= 24
        for button in page.locator("tvae-playground .tvae-button:visible").all():
            assert button.bounding_box()["height"] >= 36
        left, middle = (
            page.locator(f"tvae-player[data-role=result] {part}").first.bounding_box()
            for part in (".tvae-paper", ".tvae-roll")
        )
        column = page.locator(".tvae-column").nth(2).bounding_box()
        bar = left["x"] + 2 * left["width"] / 8
        assert column["x"] == pytest.approx(bar, abs=1) and middle["y"] < column["y"], "each switch under its bar"


def test_nothing_is_cut_off_where_there_is_room(open_page):
    page = open_page()
    for width in (1400, 700):
        page.set_viewport_size({"width": width, "height": 900})
        edge = page.evaluate("document.querySelector('tvae-playground').getBoundingClientRect().right")
        for part in page.locator("tvae-playground :is(.tvae-button, .tvae-slider, .tvae-card):visible").all():
            box = part.bounding_box()
            assert box["x"] + box["width"] <= edge + 1, part.inner_text()


@pytest.mark.parametrize(("width", "height"), [(1400, 900), (390, 844)])
def test_the_switches_are_on_the_first_screen(open_page, width, height):
    page = open_page(width=width)
    page.set_viewport_size({"width": width, "height": height})
    columns = page.locator(".tvae-column").first.bounding_box()
    assert columns["y"] + columns["height"] < height, "below the page's heading there is room for them"


def test_it_follows_the_theme(open_page):
    page = open_page()
    for theme, ink in (("dark", "rgb(200, 210, 220)"), ("light", "rgb(20, 20, 20)")):
        page.evaluate(
            "([theme, ink]) => { document.documentElement.dataset.theme = theme; document.body.style.color = ink }",
            [theme, ink],
        )
        for part in (".tvae-summary", ".tvae-button", ".tvae-card dt", ".tvae-select", ".tvae-number"):
            assert page.locator(part).first.evaluate("node => getComputedStyle(node).color") == ink
        assert page.locator(".tvae-map").evaluate("node => getComputedStyle(node).fill") == ink


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
