"""Settings of the tests, and the fixtures that several of them use."""

import json
import os
import shutil
import threading
import warnings
from collections import Counter
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import get_browser
import numpy as np
import pytest

# Small tensors: one thread is faster than two, and leaves a core to whatever else runs.
os.environ.setdefault("OMP_NUM_THREADS", "1")

ROOT = Path(__file__).parent.parent
ASSETS = ROOT / "book" / "assets"

NO_BROWSER = "no Chromium"
NO_CORPUS = "no corpus"
NOT_RUN = {  # why tests are skipped -> what to do about it, for the last lines of a test run
    NO_BROWSER: "need Chromium, which `make browser` installs",
    NO_CORPUS: "need the source files of hooktheory or pop909 in the folder TVAE_DATA",
}


def pytest_collection_modifyitems(items):
    for item in items:
        if "browser" in item.fixturenames:
            item.add_marker("browser")


def pytest_terminal_summary(terminalreporter):
    """One line for each reason why tests were not run."""
    skipped = Counter(report.longrepr[2].removeprefix("Skipped: ") for report in terminalreporter.getreports("skipped"))
    for reason, tests in skipped.items():
        why = next((words for start, words in NOT_RUN.items() if reason.startswith(start)), f"were skipped: {reason}")
        terminalreporter.write_line(f"Not run: {tests} tests {why}.")


@pytest.fixture(scope="session")
def browser():
    """Chromium: the machine's own, else the one that Playwright has downloaded."""
    from playwright.sync_api import sync_playwright

    path = get_browser.find()
    if not path:
        pytest.skip(NO_BROWSER)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=get_browser.FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def site(folder):
    """The address of a server for the files in the module's fixture `folder`."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def entries():
    """The runs whose models are on the playground's page: its first, the same without attention, one of folk."""
    from playground_page import recorded

    return recorded(("hooktheory", "attention"), ("hooktheory", "no_attention"), ("folk", "attention"))


@pytest.fixture(scope="session")
def vaes(entries):
    """Their models, with the weights of the page."""
    from tvae.report import record

    return [record.load_model(ROOT / "weights", entry) for entry in entries]


@pytest.fixture(scope="session")
def released(vaes):
    return vaes[0]


@pytest.fixture(scope="session")
def playground_folder(tmp_path_factory, entries):
    from examples import PLAYER

    from tvae import corpus
    from tvae.report import measured, playground

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
def folder(playground_folder):
    """A page and beside it all that it loads: the playground's, unless a module has its own."""
    return playground_folder


@pytest.fixture
def root(request, folder):
    """Where the page is: over http, or, for tests that ask for both, in its folder as well."""
    in_folder = getattr(request, "param", "http") == "file"
    return folder.as_uri() if in_folder else request.getfixturevalue("site")


@pytest.fixture
def open_page(browser, root):
    """open_page(hash) opens the playground and waits for its first result.

    At the end there must have been no error, and no request that leaves its own folder. With `still` the page's clock
    stands: `page.clock.run_for(milliseconds)` moves it.
    """
    from examples import LISTEN

    wrong, pages = [], []
    count = "window.shownResults = 0; addEventListener('tvae-result', () => (window.shownResults += 1));"

    def visit(hash="", width=1000, height=900, script="", still=False, **settings):
        page = browser.new_page(viewport={"width": width, "height": height}, **settings)
        pages.append(page)
        page.on("console", lambda message: message.type in ("error", "warning") and wrong.append(message.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("dialog", lambda dialog: (wrong.append("dialog"), dialog.dismiss()))
        page.on(
            "request",
            lambda request: request.url.startswith((root, "data:", "blob:")) or wrong.append(f"asks {request.url}"),
        )
        page.add_init_script(LISTEN + count + script)
        if still:
            page.clock.install(time=0)
        page.goto(f"{root}/index.html{hash}")
        page.wait_for_function("document.querySelector('tvae-playground')?.result")
        if still:
            page.clock.pause_at(3_600_000)  # an hour later, whatever it took to load
        return page

    yield visit
    for page in pages:
        page.close()
    assert not wrong


@pytest.fixture
def long_file(tmp_path) -> bytes:
    """Two parts of 24 bars in quarter notes: a flute whose bar k plays the pitch 60 + k, a violin with 72 and 74."""
    import pretty_midi

    file = pretty_midi.PrettyMIDI(initial_tempo=120)
    for name, program, pitches in (
        ("flute", 73, [[60 + bar] * 4 for bar in range(24)]),
        ("violin", 40, [[72, 74, 72, 74]] * 24),
    ):
        part = pretty_midi.Instrument(program, name=name)
        part.notes = [
            pretty_midi.Note(90, pitch, 2 * bar + beat / 2, 2 * bar + beat / 2 + 0.5)
            for bar, four in enumerate(pitches)
            for beat, pitch in enumerate(four)
        ]
        file.instruments.append(part)
    file.write(str(tmp_path / "long.mid"))
    return (tmp_path / "long.mid").read_bytes()


@pytest.fixture(scope="module")
def read(tmp_path_factory):
    """bytes, track=..., start=... -> the Melody in a MIDI file; its notices are checked to be warnings too."""
    from tvae.melody import PIECE, is_valid
    from tvae.midi import read_midi

    path = tmp_path_factory.mktemp("midi") / "x.mid"

    def read(data: bytes, **choice):
        path.write_bytes(data)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            melody = read_midi(path, **choice)
        assert [str(warning.message) for warning in caught] == list(melody.notices)
        assert melody.tokens.shape == (PIECE,) and melody.tokens.dtype == "uint8" and is_valid(melody.tokens)
        return melody

    return read


SCRIPTS = ("midi-file/load", "melody", "midi-file/midi-writer", "transfers", "score")
SCRIPTS += tuple(f"midi/{name}" for name in ("smf", "words", "parts", "line", "bars", "take", "read", "write"))
GLUE = """
    // Tokens go in and out as text of a character each, files in base64; of an error there is its sentence.
    const { melody, midi, transfers: transfer } = tvae;
    const piece = (text) => Uint8Array.from(text, (letter) => letter.codePointAt(0));
    const answer = (make) => {
        try {
            return make();
        } catch (error) {
            if (!(error instanceof melody.TvaeError)) throw error;
            return { error: error.message };
        }
    };
    const written = (_, x) => (x instanceof Uint8Array ? [...x] : x === Infinity ? "infinite" : x);
    const show = (value) => JSON.stringify(value, written);
    // V8 alone has none; here is what it does with the letters of three countries, in tables of Python's making.
    globalThis.TextDecoder = class {
        constructor(charset) {
            this.letters = charsets[charset];
        }
        decode(bytes) {
            let text = "";
            for (let at = 0; at < bytes.length;) {
                const one = String.fromCharCode(bytes[at]), two = one + String.fromCharCode(bytes[at + 1]);
                const found = bytes[at] < 128 ? one : this.letters[one] ?? this.letters[two];
                if (!found) throw new TypeError("not in this charset");
                at += bytes[at] < 128 || this.letters[one] ? 1 : 2;
                text += found;
            }
            return text;
        }
    };
"""


def _letters(charset: str) -> dict[str, str]:
    """What one or two bytes stand for in a charset; the bytes as Latin-1."""
    found = {}
    for first in range(0x80, 0x100):
        for code in (bytes([first]), *(bytes([first, second]) for second in range(0x40, 0x100))):
            text = code.decode(charset, errors="ignore")
            if len(text) == 1 and text.encode(charset, errors="ignore") == code:
                found[code.decode("latin1")] = text
    return found


@pytest.fixture(scope="module")
def js():
    """js(code, a, b, ...): what the function `code` makes of these arguments in V8, all of it by way of JSON."""
    mini_racer = pytest.importorskip("py_mini_racer")
    context = mini_racer.MiniRacer()
    for name in SCRIPTS:
        context.eval((ASSETS / "playground" / f"{name}.js").read_text(encoding="utf-8"))
    charsets = {
        name: _letters(codec) for name, codec in (("shift_jis", "cp932"), ("gb18030",) * 2, ("euc-kr", "cp949"))
    }
    context.eval(f"const charsets = {json.dumps(charsets)};{GLUE}")
    yield lambda code, *arguments: json.loads(context.eval(f"show(({code})(...{json.dumps(arguments)}))"))
    context.close()


@pytest.fixture(scope="module")
def pieces():
    """(300, 128) tokens, valid: tunes of the corpus, what chance makes, and the ends of what there can be."""
    from tvae import corpus, melody
    from tvae.melody import FIRST_PITCH, PIECE, SILENCE, STATES, SUSTAIN

    rng = np.random.default_rng(0)
    folk = corpus.load("folk").tokens
    chance = rng.choice([SILENCE, *[SUSTAIN] * 4, *range(FIRST_PITCH, STATES)], (96, PIECE))
    chance[::2, 16:] = chance[::2, np.tile(np.arange(16), 7)]  # of one bar, eight times
    alone = np.zeros((4, PIECE), int)
    alone[1, 5], alone[2, -1], alone[3] = FIRST_PITCH, STATES - 1, [STATES - 1, *[SUSTAIN] * (PIECE - 1)]
    return melody.canonical(
        np.concatenate([folk[rng.choice(len(folk), 200, replace=False)], chance, alone]).astype(np.uint8)
    )
