"""Each way in which a built book can be broken is caught."""

from pathlib import Path

import pytest
from check_book import check, main, pages_of

ROOT = Path(__file__).parent.parent

INDEX = """<html><head>
<link rel="stylesheet" href="_static/book.css?v=1"><link rel="canonical" href="https://example.org/">
<script src="_static/book.js"></script>
</head><body>
<h1 id="top">Book</h1> <a href="#top">up</a> <a href="#">x</a> <a href="https://example.org/paper">the paper</a>
<a href="part/page.html#here">there</a> <img src="_static/a%20roll.svg" alt="A piano roll">
</body></html>"""
PAGE = """<html><body><span id="here"></span><a href="../index.html">home</a>
<svg role="img"><title>A curve</title></svg> <svg aria-hidden="true"></svg></body></html>"""

NETWORK = "no page asks the network for anything"
LINKS = "no internal link is broken"
PICTURES = "every picture has a text"
CELLS = "no cell failed"


@pytest.fixture
def book(tmp_path):
    for name, text in {
        "index.html": INDEX,
        "part/page.html": PAGE,
        "_static/book.css": "@font-face { src: url(font.woff2) } a { background: url('data:image/png;base64,AA') }",
        "_static/book.js": "// see https://example.org/docs\nfetch('local.json')",
        "_static/a roll.svg": "<svg xmlns='http://www.w3.org/2000/svg'/>",
        "_static/macros.html": "<img src='https://example.org/not-a-page.png'>",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def wrong(book):
    return {name for name, found in check(book, ["index", "part/page"]).items() if found}


def test_a_sound_book_passes(book):
    assert len(check(book, ["index", "part/page"])) == 6 and not wrong(book)


def test_no_index(book):
    (book / "index.html").unlink()
    assert wrong(book) == {"index.html exists"}


def test_a_page_is_missing(book):
    found = check(book, ["index", "part/other"])
    assert found["every page of the table of contents exists"] == ["part/other.html is missing"]


@pytest.mark.parametrize(
    "check_name, html",
    [
        (CELLS, "<pre>Traceback (most recent call last)\n  File ...</pre>"),
        (CELLS, '<div class="output traceback highlight">ValueError: no</div>'),
        (NETWORK, '<script src="https://unpkg.com/thebe"></script>'),
        (NETWORK, '<script src="//cdn.example.org/x.js"></script>'),
        (NETWORK, '<img alt="A roll" src="http://example.org/x.png">'),
        (NETWORK, '<img alt="A roll" src="_static/a%20roll.svg" srcset="a.png 1x, https://example.org/x.png 2x">'),
        (NETWORK, '<iframe src="https://example.org"></iframe>'),
        (NETWORK, '<audio src="https://example.org/x.mp3"></audio>'),
        (NETWORK, '<video poster="https://example.org/x.png"></video>'),
        (NETWORK, '<link rel="stylesheet" href="https://fonts.example.org/css">'),
        (NETWORK, '<link rel="preload" as="font" href="https://fonts.example.org/a.woff2">'),
        (NETWORK, '<link rel="preconnect" href="https://fonts.example.org">'),
        (NETWORK, '<style>@import "https://fonts.example.org/css";</style>'),
        (NETWORK, '<p style="background: url(https://example.org/x.png)">x</p>'),
        (NETWORK, '<script>const THEBE_JS_URL = "https://unpkg.com/thebe@0.8/lib/index.js"</script>'),
        (NETWORK, '<script>fetch("https://example.org/data.json")</script>'),
        (NETWORK, '<script type="module">import x from "https://example.org/x.js"</script>'),
        (NETWORK, '<base href="https://example.org/">'),
        (LINKS, '<a href="missing.html">x</a>'),
        (LINKS, '<a href="part/page.html#nowhere">x</a>'),
        (LINKS, '<a href="#nowhere">x</a>'),
        (LINKS, '<a href="part/">x</a>'),
        (LINKS, '<script src="_static/missing.js"></script>'),
        (LINKS, '<link rel="stylesheet" href="missing.css">'),
        (PICTURES, '<img src="_static/a%20roll.svg">'),
        (PICTURES, '<img src="_static/a%20roll.svg" alt="">'),
        (PICTURES, '<img src="_static/a%20roll.svg" alt="_static/a roll.svg">'),
        (PICTURES, "<svg><path/></svg>"),
        (PICTURES, "<canvas></canvas>"),
    ],
)
def test_a_broken_page_is_caught(book, check_name, html):
    (book / "index.html").write_text(INDEX.replace("</body>", html + "</body>"))
    assert wrong(book) == {check_name}


@pytest.mark.parametrize(
    "file, text",
    [
        ("_static/book.css", "@import url('https://fonts.example.org/css');"),
        ("_static/book.css", "@font-face { src: url(//fonts.example.org/a.woff2) }"),
        ("_static/book.js", "s.src = 'https://example.org/x.js'"),
        ("_static/book.js", "const u = 'https://cdn.example.org/x.js'"),
    ],
)
def test_a_file_that_loads_from_the_network_is_caught(book, file, text):
    (book / file).write_text(text)
    assert wrong(book) == {NETWORK}


def test_the_status_tells(book, tmp_path, capsys):
    toc = tmp_path / "_toc.yml"
    toc.write_text("format: jb-book\nroot: index\nparts:\n  - chapters:\n      - file: part/page.md\n")
    assert pages_of(toc) == ["index", "part/page"]
    assert main([str(book), str(toc)]) == 0
    (book / "part/page.html").unlink()
    assert main([str(book), str(toc)]) == 1
    assert "part/page.html is missing" in capsys.readouterr().out
