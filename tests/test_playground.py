"""The playground in a real browser: what the switches make of two songs, held against Python's own."""

import re

import numpy as np
import pytest
import torch
from playground_page import (
    MARY,
    ODE,
    TUNES,
    after,
    both_ways,
    choose,
    from_prior,
    heading,
    notes,
    press,
    result,
    slot,
    switch,
    title,
    tokens_of,
)

from tvae import corpus, melody, transfer
from tvae.studies import transfers


@both_ways
def test_it_begins_with_the_papers_example(open_page, released):
    page = open_page()
    assert (result(page) == transfer.context_transfer(released, ODE, MARY, 1)).all()
    assert heading(page) == "Ode to Joy with bar 1 from Mary Had a Little Lamb"
    assert page.evaluate("window.contexts") == 0, "no sound until asked"
    assert page.locator('[role="alert"]:not(:empty)').count() == 0
    assert len(page.workers) == 1, "from a folder too: the page stays quick while it computes"


@both_ways
def test_every_switch_gives_what_pytorch_gives(open_page, released):
    page = open_page()
    own, other = (transfer.encode(released, piece[None]) for piece in (ODE, MARY))
    swapped = {1}
    for bar, source in ((5, "B"), (1, "A"), (8, "B"), (5, "A")):
        found = after(page, switch(page, bar, source).check)
        swapped = swapped | {bar} if source == "B" else swapped - {bar}
        expected = transfer.decode(released, transfer.swap(own, other, tuple(sorted(swapped))))[0]
        assert (found == expected).all(), swapped
    found = after(page, page.get_by_role("button", name="all A").click)
    assert (found == transfer.context_transfer(released, ODE, ODE)).all()
    right = int((found == ODE).sum())
    assert f"{right} of the 128 steps of Ode to Joy come back" in page.locator(".tvae-summary").inner_text()
    found = after(page, page.get_by_role("button", name="all B").click)
    assert (found == transfer.context_transfer(released, MARY, MARY)).all()


def test_between_the_two(open_page, released):
    page = open_page()
    own, other = (transfer.encode(released, piece[None]) for piece in (ODE, MARY))
    after(page, lambda: page.get_by_role("slider", name="Mix").press("ArrowRight"))
    assert all(switch(page, bar, "mix").is_checked() for bar in range(1, 9)), "no bar was on mix: now all are"
    after(page, lambda: page.get_by_role("slider", name="Mix").press("ArrowLeft"))
    found = after(page, page.get_by_role("button", name="all mix").click)
    assert (found == transfer.decode(released, 0.5 * (own + other))[0]).all()
    slider = page.get_by_role("slider", name="Mix")
    found = after(page, lambda: slider.press("End"))
    assert (found == transfer.decode(released, other)[0]).all()
    assert (after(page, lambda: slider.press("Home")) == transfer.decode(released, own)[0]).all()


@both_ways
def test_from_the_prior_and_once_more(open_page, released):
    page = open_page()
    first = after(page, page.get_by_role("button", name="all prior").click)
    assert (first == transfer.decode(released, from_prior(released, 1))[0]).all()
    second = after(page, page.get_by_role("button", name="New sample").click)
    assert (second == transfer.decode(released, from_prior(released, 2))[0]).all() and (first != second).any()
    page.wait_for_function("location.hash.includes('patch=PPPPPPPP&mix=50&seed=2')")
    again = open_page(page.evaluate("location.hash"))
    assert (result(again) == second).all(), "a link holds the draw"


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
    page.wait_for_function("location.hash.includes('patch=AAPPAAPA&mix=50&seed=1.1.5.1.1.1.5.1')")
    other = open_page(page.evaluate("location.hash"))
    assert (result(other) == expected({3: 5, 4: 1, 7: 5})).all()


def test_things_to_try_are_one_click_each(open_page, vaes):
    page = open_page()
    names = page.locator(".tvae-examples button").all_inner_texts()
    assert len(names) == 7
    for name, expected in (
        ("Bar 7 instead", transfer.context_transfer(vaes[0], ODE, MARY, 7)),
        ("Where it fails", transfer.context_transfer(vaes[0], TUNES["Jingle Bells"], TUNES["Frère Jacques"], 1)),
        ("No attention", transfer.context_transfer(vaes[1], ODE, MARY, 1)),
        ("From nothing", transfer.decode(vaes[0], from_prior(vaes[0], 1))[0]),
    ):
        found = after(page, lambda name=name: press(page, name))
        assert (found == expected).all(), name
        assert len(page.locator(".tvae-lesson").inner_text()) > 40, "what is to be heard"
        if name == "Where it fails":
            assert melody.equal_bars(TUNES["Jingle Bells"])[0, 1] and not melody.equal_bars(found)[0, 1]
    found = after(page, lambda: page.get_by_role("button", name="Fiddle tune").press("Enter"))
    assert title(page, "A").startswith("Soldiers Joy") and title(page, "B").startswith("The Devil's Dream")
    assert (found == transfer.context_transfer(vaes[2], tokens_of(page, "A"), tokens_of(page, "B"), 1)).all()


@both_ways
def test_another_model_is_loaded_when_it_is_chosen_and_only_that(open_page, vaes, entries):
    page, asked = open_page(), []
    page.on("request", lambda request: "/models/" in request.url and asked.append(request.url))
    models = page.get_by_label("Model", exact=True)
    assert models.locator("option").all_inner_texts() == ["pop songs", "pop songs, without attention", "fiddle tunes"]
    found = after(page, lambda: models.select_option("pop songs, without attention"))
    assert (found == transfer.context_transfer(vaes[1], ODE, MARY, 1)).all()
    assert asked and all(f"/models/{entries[1].name}/" in url for url in asked)
    assert entries[1].name in page.locator(".tvae-about").inner_text()
    before = len(asked)
    found = after(page, lambda: press(page, "Undo"))
    assert (found == transfer.context_transfer(vaes[0], ODE, MARY, 1)).all()
    after(page, lambda: press(page, "Redo"))
    assert len(asked) == before, "what was loaded stays"
    page.wait_for_function("location.hash.includes('no_attention')")
    other = open_page(page.evaluate("location.hash"))
    assert (result(other) == transfer.context_transfer(vaes[1], ODE, MARY, 1)).all(), "a link holds the model"


def test_songs_are_chosen_from_the_list(open_page, released):
    page = open_page()
    title = "Twinkle, Twinkle"
    found = after(page, lambda: choose(page, "A", title))
    assert (found == transfer.context_transfer(released, TUNES[title], MARY, 1)).all()
    after(page, slot(page, "B").get_by_role("button", name="Random").click)
    folk = corpus.load("folk")
    test = folk.tokens[folk.split(0)[1]]
    assert (test == tokens_of(page, "B")).all(1).any(), "a test piece"


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


def test_a_result_can_be_the_next_song(open_page, released):
    page = open_page()
    first = result(page)
    second = after(page, page.get_by_role("button", name="Use as A").click)
    assert (tokens_of(page, "A") == first).all()
    assert (second == transfer.context_transfer(released, first, MARY, 1)).all()


def test_the_last_of_many_changes_is_what_is_shown(open_page, released):
    page = open_page()
    page.evaluate(
        """() => {
            for (let round = 0; round < 4; round++) {
                for (let bar = 1; bar <= 8; bar++) {
                    document.querySelector(`[aria-label="bar ${bar} from ${"BA"[(round + bar) % 2]}"]`).click();
                }
            }
        }"""
    )
    expected = transfer.context_transfer(released, ODE, MARY, (1, 3, 5, 7))
    page.wait_for_function(
        "(tokens) => document.querySelector('tvae-playground').result.every((token, k) => token === tokens[k])",
        arg=expected.tolist(),
    )
    page.wait_for_timeout(300)
    assert (result(page) == expected).all()
    title = heading(page)
    assert title == "Ode to Joy with bars 1, 3, 5 and 7 from Mary Had a Little Lamb"


def test_the_measures_are_those_of_python(open_page):
    page = open_page()
    host, found = ODE, result(page)
    both, claimed, true = transfers.structure(host, found, transfers.pairs_with(tuple(range(1, 9))))
    rows = page.locator("[aria-label=Structure] dd").all_inner_texts()
    assert rows[0].strip() == f"{both} of {true}"
    assert rows[2].strip() == f"{claimed - both} of {claimed}"
    bars = {name: melody.bars(tokens)[0] for name, tokens in (("A", ODE), ("B", MARY))}
    high = {name: bar[bar > melody.SUSTAIN].mean() for name, bar in bars.items()}
    card = page.locator("[aria-label=Register]")
    moved = card.locator("dd").all_inner_texts()
    assert float(moved[0].replace("−", "-")) == pytest.approx(high["B"] - high["A"], abs=0.051)
    assert f"moves by {moved[0].strip()}; the later new bars moved by {moved[1].strip()}," in card.inner_text()


def test_the_map_shows_where_the_encoder_looks(open_page, released):
    page = open_page()
    found = result(page)
    weights = released.attention(torch.as_tensor(found[None].astype(np.int64)))["encoder"][0]
    page.get_by_label("Attention head").select_option(label="layer 1, head 1")
    titles = page.locator(".tvae-map .tvae-cell title").evaluate_all("nodes => nodes.map((node) => node.textContent)")
    shown = {tuple(map(int, re.findall(r"bar (\d)", title))): int(title.split(": ")[1].split()[0]) for title in titles}
    assert len(shown) == 36
    for (i, j), per_cent in shown.items():
        assert abs(per_cent - 100 * float(weights[0, 0, i - 1, j - 1])) <= 0.51
    equal = page.locator(".tvae-map .tvae-equal").count()
    assert equal == np.tril(melody.equal_bars(found), -1).sum()
