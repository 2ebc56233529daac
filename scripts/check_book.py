"""Read a built book as a browser and a screen reader would: python scripts/check_book.py _build/html [book/_toc.yml].

Prints a line for each check and, for what is wrong, the page and the thing; ends with status 1 if anything is.
"""

import re
import sys
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

import yaml
from bs4 import BeautifulSoup, Tag

# Attributes that make a browser fetch something at once, and the <link>s that do.
FETCHED = {
    "script": ["src"], "img": ["src", "srcset"], "source": ["src", "srcset"], "iframe": ["src"], "embed": ["src"],
    "audio": ["src"], "video": ["src", "poster"], "track": ["src"], "object": ["data"], "input": ["src"],
    "image": ["href", "xlink:href"], "use": ["href", "xlink:href"],
}  # fmt: skip
LINK_FETCHES = {
    "stylesheet", "preload", "modulepreload", "prefetch", "preconnect", "dns-prefetch", "icon", "manifest",
    "apple-touch-icon",
}  # fmt: skip
REMOTE = re.compile(r"^\s*(?:(?:https?|wss?):)?//", re.I)
REMOTE_IN_SRCSET = re.compile(r"(?:^|,)\s*(?:https?:)?//", re.I)
REMOTE_IN_CSS = re.compile(r"""(?:url\(\s*["']?|@import\s+["'])\s*(?:https?:)?//[^"')\s]*""", re.I)
REMOTE_IN_JS = re.compile(
    r"""(?:\.src\s*=|\bfetch\(|\bimport\(|\bfrom|\bimport|importScripts\(|new\s+(?:Web)?(?:Socket|Worker|EventSource)\()"""
    r"""\s*["'`](?:(?:https?|wss?):)?//[^"'`]*""",
    re.I,
)
CDN = re.compile(r"(?:unpkg\.com|cdnjs\.|jsdelivr\.net|googleapis\.com|gstatic\.com|\bcdn\.)[^\s\"'`<>]*", re.I)
MATHJAX = "mathjax/"  # its code names a CDN for speech on Internet Explorer, which this book never loads
IMAGE_FILE = re.compile(r"\.(?:png|svg|jpe?g|gif|webp)$", re.I)


def pages_of(toc: Path) -> list[str]:
    """The pages that a table of contents of Jupyter Book names, its root first."""

    def walk(node):
        if isinstance(node, dict):
            for key, value in node.items():
                if key in ("root", "file"):
                    yield value
                else:
                    yield from walk(value)
        elif isinstance(node, list):
            for item in node:
                yield from walk(item)

    return [re.sub(r"\.(?:md|ipynb|rst)$", "", page) for page in walk(yaml.safe_load(toc.read_text()))]


class Book:
    def __init__(self, root: Path):
        self.root = root.resolve()
        # Templates that the themes leave beside their scripts are no pages.
        files = sorted(self.root.rglob("*.html"))
        pages = [path for path in files if "_static" not in path.relative_to(self.root).parts]
        self.html = {path: BeautifulSoup(path.read_bytes(), "html.parser") for path in pages}

    def name(self, path: Path) -> str:
        return str(path.relative_to(self.root))

    @cache  # noqa: B019 one book a process
    def anchors(self, path: Path) -> set[str]:
        return {tag[key] for tag in self.html[path].find_all(True) for key in ("id", "name") if tag.get(key)}

    def target(self, page: Path, address: str) -> tuple[Path, str]:
        """The file and the anchor that a relative address on a page means."""
        parts = urlsplit(address)
        path = page if not parts.path else (page.parent / unquote(parts.path)).resolve()
        return path, unquote(parts.fragment)

    def without_errors(self):
        for path, soup in self.html.items():
            for output in soup.select(".output.traceback"):
                yield f"{self.name(path)}: a cell failed: {output.get_text()[-80:].strip()!r}"
            if "Traceback (most recent call last)" in soup.get_text():
                yield f"{self.name(path)}: shows a traceback"

    def without_network(self):
        for path, soup in self.html.items():
            for tag in soup.find_all(list(FETCHED)):
                for key in FETCHED[tag.name]:
                    remote = REMOTE_IN_SRCSET if key == "srcset" else REMOTE
                    if remote.search(tag.get(key) or ""):
                        yield f"{self.name(path)}: <{tag.name} {key}={tag[key]!r}>"
            for tag in soup.find_all("link", href=REMOTE):
                if LINK_FETCHES & {rel.lower() for rel in tag.get("rel") or ["stylesheet"]}:
                    yield f"{self.name(path)}: <link rel={' '.join(tag.get('rel', []))} href={tag['href']!r}>"
            for tag in soup.find_all("base", href=REMOTE):
                yield f"{self.name(path)}: <base href={tag['href']!r}>"
            for tag in soup.select("style, [style]"):
                css = f"{tag.get('style', '')} {tag.get_text() if tag.name == 'style' else ''}"
                yield from (f"{self.name(path)}: style {found}" for found in REMOTE_IN_CSS.findall(css))
            for tag in soup.find_all("script", src=False):
                yield from (f"{self.name(path)}: script {found}" for found in self.remote_in_script(tag.get_text()))
        for path in sorted(self.root.rglob("*.css")):
            yield from (f"{self.name(path)}: {found}" for found in REMOTE_IN_CSS.findall(path.read_text()))
        for path in sorted(self.root.rglob("*.js")):
            if MATHJAX not in self.name(path):
                yield from (f"{self.name(path)}: {found}" for found in self.remote_in_script(path.read_text()))

    @staticmethod
    def remote_in_script(text: str) -> list[str]:
        return REMOTE_IN_JS.findall(text) + CDN.findall(text)

    def without_broken_links(self):
        for path, soup in self.html.items():
            for tag in soup.find_all(True):
                for key in ("href", "src", "data", "poster"):
                    address = tag.get(key)
                    if not isinstance(address, str) or tag.name == "base" or address == "#":
                        continue
                    if urlsplit(address).scheme or address.startswith("//"):
                        continue
                    target, anchor = self.target(path, address)
                    if not target.is_file():
                        yield f"{self.name(path)}: {address} is no file of the book"
                    elif not target.is_relative_to(self.root):
                        yield f"{self.name(path)}: {address} lies outside the book"
                    elif anchor and target in self.html and anchor not in self.anchors(target):
                        yield f"{self.name(path)}: {address} has no such anchor"

    def with_alternative_text(self):
        for path, soup in self.html.items():
            for tag in soup.find_all("img"):
                alt = (tag.get("alt") or "").strip()
                if tag.get("aria-hidden") != "true" and (not alt or IMAGE_FILE.search(alt)):
                    yield f"{self.name(path)}: <img src={tag.get('src', '')[:60]!r} alt={alt!r}> is not described"
            for tag in soup.find_all(["svg", "object", "canvas"]):
                if not self.described(tag):
                    yield f"{self.name(path)}: <{tag.name} class={' '.join(tag.get('class', []))!r}> is not described"

    @staticmethod
    def described(tag: Tag) -> bool:
        """Has the drawing, or what it stands in, a text, or is it declared an ornament?"""
        for around in [tag, *tag.parents]:
            if around.get("aria-hidden") == "true" or around.get("aria-label") or around.get("aria-labelledby"):
                return True
        return bool(tag.find("title")) or (tag.name != "svg" and bool(tag.get_text(strip=True)))


def check(root: Path, pages: list[str]) -> dict[str, list[str]]:
    """What is wrong with the book in `root`, by check; `pages` are those of its table of contents."""
    if not (root / "index.html").is_file():
        return {"index.html exists": [f"there is no {root / 'index.html'}"]}
    book = Book(root)
    return {
        "index.html exists": [],
        "every page of the table of contents exists": [
            f"{page}.html is missing" for page in pages if not (root / f"{page}.html").is_file()
        ],
        "no cell failed": sorted(set(book.without_errors())),
        "no page asks the network for anything": sorted(set(book.without_network())),
        "no internal link is broken": sorted(set(book.without_broken_links())),
        "every picture has a text": sorted(set(book.with_alternative_text())),
    }


def main(arguments: list[str]) -> int:
    root, toc = Path(arguments[0]), Path(arguments[1] if len(arguments) > 1 else "book/_toc.yml")
    found = check(root, pages_of(toc))
    for name, wrong in found.items():
        print(f"{'WRONG' if wrong else 'ok':5}  {name}")
        for item in wrong:
            print(f"         {item}")
    return int(any(found.values()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
