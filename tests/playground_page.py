"""The playground in a browser, for the tests of its parts: the page, what is on it, and how it is used."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from examples import LISTEN, PLAYER

from tvae import corpus, melody, transfer
from tvae.report import measured, playground, record

ROOT = Path(__file__).parent.parent
ASSETS = ROOT / "book" / "assets"
TUNES = transfer.tunes()
ODE, MARY = TUNES["Ode to Joy"], TUNES["Mary Had a Little Lamb"]
HOSTILE = '<img src=x onerror="alert(1)"> & <script>alert(2)</script>'
both_ways = pytest.mark.parametrize("root", ["file", "http"], indirect=True)


def recorded(*wanted: tuple[str, str]) -> list[dict]:
    """The recorded runs of these corpora and models."""
    runs = {(entry["corpus"], entry["model"]): entry for entry in playground.chosen(record.read(ROOT / "figures"))}
    return [runs[name] for name in wanted]


@pytest.fixture(scope="session")
def entries():
    """The runs whose models are on the page: the one that it begins with, the same without attention, one of folk."""
    return recorded(("hooktheory", "attention"), ("hooktheory", "no_attention"), ("folk", "attention"))


@pytest.fixture(scope="session")
def vaes(entries):
    """Their models, with the weights of the page."""
    return [record.load_model(ROOT / "weights", entry) for entry in entries]


@pytest.fixture(scope="session")
def released(vaes):
    return vaes[0]


@pytest.fixture(scope="session")
def built(tmp_path_factory, entries):
    folder = tmp_path_factory.mktemp("page")
    for name in (*PLAYER, "tvae.css"):
        shutil.copy(ASSETS / name, folder)
    shutil.copytree(ASSETS / "playground", folder / "playground")
    inside = measured.read(ROOT / "figures" / "inside.json")
    models = [playground.offered(entry, ROOT / "weights", inside) for entry in entries]
    playground.export(models, corpus.load("folk"), folder / "playground")
    scripts = "".join(f'<script defer src="{name}"></script>' for name in PLAYER)
    (folder / "index.html").write_text(
        '<!doctype html><html lang="en" data-theme="light"><meta charset="utf-8"><title>Playground</title>'
        '<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">'
        f'<link rel="stylesheet" href="tvae.css">{scripts}'
        f'<h1>Playground</h1><a id="before" href="#x">before</a>{playground.element("playground/")}</html>',
        encoding="utf-8",
    )
    return folder


@pytest.fixture(scope="module")
def folder(built):
    """A page with the playground on it, and beside it all that it loads."""
    return built


@pytest.fixture
def root(request, folder):
    """Where the page is: over http, or, for tests that ask for both, in its folder as well."""
    in_folder = getattr(request, "param", "http") == "file"
    return folder.as_uri() if in_folder else request.getfixturevalue("site")


@pytest.fixture
def open_page(browser, root):
    (
        """open_page(hash) opens it and waits for the first result.

    At the end there must have been no error, and no request that leaves its own folder.
    """
        ""
    )
    wrong, pages = [], []

    def visit(hash="", width=1000, script="", **settings):
        page = browser.new_page(viewport={"width": width, "height": 900}, **settings)
        page.on("console", lambda message: message.type in ("error", "warning") and wrong.append(message.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("dialog", lambda dialog: (wrong.append("dialog"), dialog.dismiss()))
        page.on(
            "request",
            lambda request: request.url.startswith((root, "data:", "blob:")) or wrong.append(f"asks {request.url}"),
        )
        page.add_init_script(LISTEN + script)
        page.goto(f"{root}/index.html{hash}")
        page.wait_for_function("document.querySelector('tvae-playground')?.result")
        pages.append(page)
        return page

    yield visit
    for page in pages:
        page.close()
    assert not wrong


def result(page) -> np.ndarray:
    return np.array(page.evaluate("[...document.querySelector('tvae-playground').result]"), np.uint8)


def after(page, act) -> np.ndarray:
    """The next result that is shown when this is done."""
    page.evaluate(
        """() => {
            const element = document.querySelector("tvae-playground");
            window.next = new Promise((resolve) => element.addEventListener("tvae-result", resolve, { once: true }));
        }"""
    )
    act()
    page.evaluate("() => window.next.then(() => {})")
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
