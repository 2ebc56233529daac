"""What the playground remembers: the way back, and the link that holds everything."""

from urllib.parse import quote

from playground_page import (
    HOSTILE,
    MARY,
    ODE,
    TUNES,
    after,
    both_ways,
    choose,
    heading,
    press,
    result,
    shown,
    switch,
    title,
)

from tvae import transfer
from tvae.report import playground


def test_everything_is_undone_and_reset(open_page, released):
    page = open_page(still=True)  # a slider that moves within a second moves once
    first = result(page)
    tempo, lock = page.get_by_label("Tempo, quarter notes a minute"), page.get_by_role("button", name="lock bar 2")
    slider = page.get_by_role("slider", name="Mix, from A to B")
    for act in (
        switch(page, 5, "B").check,
        lambda: (tempo.fill("90"), tempo.press("Enter")),
        lambda: page.get_by_label("Instrument").select_option("flute"),
        page.get_by_role("checkbox", name="loop").check,
        lock.click,
        *[lambda: slider.press("ArrowRight")] * 3,
    ):
        after(page, act)
    page.clock.run_for(300)
    assert "patch=MAMMMMMM" in page.url
    after(page, lambda: press(page, "Undo"))
    assert switch(page, 5, "B").is_checked(), "a slider's way is one step"
    assert lock.get_attribute("aria-pressed") == "true"
    after(page, lambda: press(page, "Undo"))
    assert lock.get_attribute("aria-pressed") == "false"
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


@both_ways
def test_a_link_brings_everything_back(open_page):
    page = open_page()
    after(page, lambda: choose(page, "A", "Jingle Bells"))
    after(page, switch(page, 4, "mix").check)
    found = after(page, switch(page, 6, "prior").check)
    page.wait_for_function("location.hash.includes('BAAMAPAA')")
    other = open_page(page.evaluate("location.hash"))
    assert (result(other) == found).all()
    assert title(other, "A") == "Jingle Bells"
    assert switch(other, 6, "prior").is_checked()


def link(**changed) -> str:
    a, b = playground.to_text(TUNES["Jingle Bells"]), playground.to_text(TUNES["Twinkle, Twinkle"])
    fields = {"patch": "ABBBBBBB", "mix": 20, "seed": 7}
    fields |= {"a": a, "a-title": "One", "a-tempo": 90, "b": b, "b-title": "Two", "b-tempo": 60}
    return "#" + "&".join(f"{name}={quote(str(value))}" for name, value in (fields | changed).items())


DAMAGED = [
    link(patch="BAAA"), link(patch="BAAAAAAX"), link(mix=101), link(mix="5e1"), link(seed=-1), link(seed=2**32),
    link(a="!" * 128), link(a="A" * 127), link(a="-" * 128), link(**{"a-tempo": 0}), link(**{"a-tempo": 1001}),
    link(**{"a-title": ""}),
    link(**{"b-title": "x" * 101}), link(more=1), link() + "&seed=2",
    link().replace("&b-title", "&c-title"), "#patch=", "#patch=%ff%00",
]  # fmt: skip


def test_a_damaged_link_is_said_and_loses_nothing(open_page):
    page = open_page(DAMAGED[0])
    alert = page.locator("tvae-playground > [role=alert]")
    assert "This link is damaged" in alert.inner_text() and title(page, "A") == "Ode to Joy", "it begins as without"
    shown = result(page)
    for damaged in DAMAGED:
        page.evaluate("location.hash = ''")
        page.wait_for_function("!document.querySelector('tvae-playground > [role=alert]').textContent")
        page.evaluate("hash => { location.hash = hash }", damaged)
        page.wait_for_function("document.querySelector('tvae-playground > [role=alert]').textContent")
        assert "This link is damaged" in alert.inner_text() and title(page, "A") == "Ode to Joy", damaged
        assert (result(page) == shown).all()


def test_a_link_put_into_the_open_page_is_followed(open_page, released):
    page = open_page()
    found = after(page, lambda: page.evaluate("hash => { location.hash = hash }", link()))
    assert (found == transfer.context_transfer(released, TUNES["Twinkle, Twinkle"], TUNES["Jingle Bells"], 1)).all()
    assert heading(page) == "Two with bar 1 from One"
    assert not page.evaluate("document.querySelector('tvae-player[data-role=result]').playing")
    page.evaluate("location.hash = 'before'")  # another part of the page
    page.wait_for_timeout(100)
    assert (result(page) == found).all() and page.locator("tvae-playground > [role=alert]").inner_text() == ""


def test_a_link_can_be_copied(open_page):
    page = open_page()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    after(page, switch(page, 7, "B").check)
    page.get_by_role("button", name="Copy link").click()
    page.get_by_role("button", name="Link copied").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.url and "#patch=BAAAAABA&" in copied
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('not here')) }")
    page.get_by_role("button", name="Copy link").click()
    assert page.get_by_label("The link").input_value() == page.url, "to be copied by hand"


def test_a_hostile_link_stays_text(open_page):
    page = open_page(link(**{"a-title": HOSTILE}))
    assert title(page, "A") == HOSTILE
    assert page.locator("tvae-playground img, tvae-playground script").count() == 0


def test_a_model_of_a_link_that_is_not_here_is_said(open_page, released):
    page = open_page(still=True)
    after(page, switch(page, 2, "B").check)
    page.clock.run_for(300)
    assert "patch=BB" in page.url
    other = open_page(page.evaluate("location.hash") + "&model=cpu-elsewhere-attention-fold0")
    assert (
        "cpu-elsewhere-attention-fold0, which is not here"
        in other.locator("tvae-playground > [role=alert]").inner_text()
    )
    assert (result(other) == transfer.context_transfer(released, ODE, MARY, (1, 2))).all()
