"""Put each sentence of a Markdown file on a line of its own, so that a diff shows which one changed.

    python scripts/sentences.py FILE.md ...          rewrites what is not so
    python scripts/sentences.py --check FILE.md ...  names it, and paragraphs of 90 words; ends with status 1

Paragraphs and list items are looked at; code, directives, tables, quotations and comments stay as they are.
"""

import re
import sys
from pathlib import Path

from markdown_it import MarkdownIt
from mdit_py_plugins.colon_fence import colon_fence_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.front_matter import front_matter_plugin

LONGEST = 90  # words in a paragraph
PARSER = (
    MarkdownIt("commonmark").enable("table").use(colon_fence_plugin).use(dollarmath_plugin).use(front_matter_plugin)
)
# A full stop, a question or an exclamation mark, what closes after it, a space, and what may open a sentence.
END = re.compile(r"""(?<=[.!?])(?P<closing>["”’')\]*_]*)[ ]+(?=["“‘'(\[*_]*(?:[A-Z0-9β`$]|\{[a-z:]+\}`))""")
ABBREVIATION = re.compile(
    r"(?:\b(?:e\.g|i\.e|etc|cf|vs|al|resp|Fig|Figs|Eq|Eqs|eq|Sec|No|Dr|St|ed|pp|ca|[A-Z])|^\d+)\.$"
)


def sentences(text: str) -> list[str]:
    """The sentences of a paragraph, each on one line."""
    text, found, start = " ".join(text.split()), [], 0
    for end in END.finditer(text):
        before = text[start : end.start()]
        if not ABBREVIATION.search(before) and before.count("`") % 2 == 0:
            found.append(text[start : end.end("closing")])
            start = end.end()
    return [*found, text[start:]]


def paragraphs(lines: list[str]) -> list[tuple[int, int]]:
    """Where prose stands: first line, and the line after the last, counted from 0."""
    tokens = PARSER.parse("\n".join(lines))
    return [
        tuple(token.map)
        for token in tokens
        if token.type == "paragraph_open"
        and token.map
        and not lines[token.map[0]].lstrip().startswith(("<", ">", "!["))
    ]


def rewrite(text: str) -> str:
    """A Markdown text with each sentence on a line of its own."""
    lines = text.split("\n")
    for first, last in reversed(paragraphs(lines)):
        block = lines[first:last]
        if any(line.endswith(("  ", "\\")) for line in block[:-1]):
            continue  # its line breaks are meant
        lead = re.match(r"\s*(?:(?:[-*+]|\d+[.)]|:)\s+)*", block[0])[0]  # of a list
        prose = sentences(" ".join([block[0][len(lead) :], *block[1:]]))
        lines[first:last] = [(" " * len(lead) if number else lead) + sentence for number, sentence in enumerate(prose)]
    return "\n".join(lines)


def wrong(path: Path) -> list[str]:
    """What is wrong with a file, a line each."""
    text = path.read_text(encoding="utf-8")
    lines = text.split("\n")
    found = [] if rewrite(text) == text else [f"{path}: not one sentence a line (python scripts/sentences.py {path})"]
    for first, last in paragraphs(lines):
        words = len(" ".join(lines[first:last]).split())
        if words >= LONGEST:
            found.append(f"{path}:{first + 1}: a paragraph of {words} words")
    return found


if __name__ == "__main__":
    files = [Path(name) for name in sys.argv[1:] if name != "--check"]
    if "--check" in sys.argv:
        found = [line for path in files for line in wrong(path)]
        print("\n".join(found))
        sys.exit(bool(found))
    for path in files:
        path.write_text(rewrite(path.read_text(encoding="utf-8")), encoding="utf-8")
