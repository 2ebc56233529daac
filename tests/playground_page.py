"""The playground in a browser, for the tests of its parts: what is on the page, and how it is used.

The page itself is the fixture `open_page`.
"""

from pathlib import Path

import numpy as np
import pytest

from tvae import melody, transfer
from tvae.report import playground, record
from tvae.report.entry import Entry

ROOT = Path(__file__).parent.parent
ASSETS = ROOT / "book" / "assets"
TUNES = transfer.tunes()
ODE, MARY = TUNES["Ode to Joy"], TUNES["Mary Had a Little Lamb"]
HOSTILE = '<img src=x onerror="alert(1)"> & <script>alert(2)</script>'
both_ways = pytest.mark.parametrize("root", ["file", "http"], indirect=True)

LARGE = "document.querySelector('.tvae-result tvae-player')"


def recorded(*wanted: tuple[str, str]) -> list[Entry]:
    """The recorded runs of these corpora and models."""
    runs = {(entry.corpus, entry.model): entry for entry in playground.chosen(record.read(ROOT / "figures"))}
    return [runs[name] for name in wanted]


def result(page) -> np.ndarray:
    return np.array(page.evaluate("[...document.querySelector('tvae-playground').result]"), np.uint8)


def settled(page) -> int:
    """Wait until the page has answered all that was asked of it; returns how many results it has shown."""
    return page.wait_for_function(
        "document.querySelector('.tvae-result')?.getAttribute('aria-busy') === 'false' && window.shownResults"
    ).json_value()


def after(page, act) -> np.ndarray:
    """The result that is shown when this is done and answered; what was asked before is answered before."""
    before = settled(page)
    act()
    page.wait_for_function("before => window.shownResults > before", arg=before)
    settled(page)
    return result(page)


def slot(page, name: str):
    return page.locator(f'.tvae-slot[data-name="{name}"]')


def choose(page, name: str, title: str):
    """Search for a tune in a slot and take the first that is found."""
    field = slot(page, name).get_by_role("combobox", name=f"Melody {name}: search for a tune")
    field.fill(title)
    field.press("Enter")


def title(page, name: str) -> str:
    return slot(page, name).get_by_role("combobox", name=f"Melody {name}: search for a tune").input_value()


def heading(page) -> str:
    """What the large roll says it shows."""
    return page.locator(".tvae-result .tvae-title").inner_text()


def press(page, name: str, **options):
    page.get_by_role("button", name=name, exact=True, **options).click()


def switch(page, bar: int, source: str):
    return page.get_by_role("radio", name=f"bar {bar} from {source}", exact=True)


def say(slot) -> str:
    return slot.locator('[role="alert"]').inner_text()


def tokens_of(page, name: str) -> np.ndarray:
    """What a slot's player shows, as tokens."""
    notes = slot(page, name).locator("tvae-player").evaluate("player => player.piece.notes")
    return melody.notes_to_tokens([melody.Note(*note) for note in notes])


def drop(page, name: str, file_name: str, data: bytes):
    handle = page.evaluate_handle(
        """([name, bytes]) => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([Uint8Array.from(bytes)], name));
            return transfer;
        }""",
        [file_name, list(data)],
    )
    for kind in ("dragenter", "dragover", "drop"):
        slot(page, name).dispatch_event(kind, {"dataTransfer": handle})


def notes(tokens: np.ndarray) -> set[tuple]:
    return {(note.pitch, note.onset, note.end) for note in melody.tokens_to_notes(tokens)}


def shown(page) -> dict:
    """What the large roll is given."""
    return page.evaluate(f"{LARGE}.piece")


def from_prior(vae, seed: int) -> np.ndarray:
    """The codes that the page draws: mulberry32, then Box and Muller."""

    def uniform(state):
        while True:
            state = (state + 0x6D2B79F5) % 2**32
            t = (state ^ state >> 15) * (state | 1) % 2**32
            t ^= (t + (t ^ t >> 7) * (t | 61)) % 2**32
            yield (t ^ t >> 14) / 2**32

    random, count = uniform(seed), 8 * vae.config.d_latent
    pairs = np.array([(1 - next(random), next(random)) for _ in range(count)])
    normal = np.sqrt(-2 * np.log(pairs[:, 0])) * np.cos(2 * np.pi * pairs[:, 1])
    return normal.astype(np.float32).reshape(1, 8, -1)
