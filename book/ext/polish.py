"""Sphinx extension of this book: the last touch to pages that are written, where no option of the theme does it.

Pages load what they show, and no more. The theme loads 1.5 MB of icons as JavaScript before the first paint, the same
icons as a font, and the style of every component that Bootstrap, Font Awesome and sphinx-design know. Here the font
draws the icons and holds those that are used, style sheets keep the rules whose classes some page or script names (as
PurgeCSS does it), and scripts wait until the page is drawn. And screen readers are told which cells a header is for,
and not that citations are what they are not.
"""

import io
import logging
import re
from pathlib import Path

import tinycss2
from fontTools import subset

STYLES = ["styles/pydata-sphinx-theme.css", "sphinx-design.min.css", "mystnb.*.css"]
FONTS = "vendor/fontawesome/webfonts"
# Scripts in the head by what a page must contain to need them; pages without it do without them.
NEEDED_FOR = {
    "mathjax": 'class="math',
    "togglebutton": r'class="(?:[^"]* )?toggle[ "]|class="[^"]*admonition[^"]* dropdown|tag_hide-(?:cell|output)',
    "copybutton": 'class="highlight',
    "clipboard": 'class="highlight',
    "design-tabs": "sd-tab",
}
DROPPED = re.compile(r'<script src="[^"]*/fontawesome\.js[^>]*></script>|<link rel="preload" as="script"[^>]*>')
SCRIPT = re.compile(r'<script ([^>]*?)src="([^"]+)"([^>]*)></script>')
PRIVATE_USE = re.compile("[\ue000-\uf8ff]")  # where an icon font has its icons
SCOPES = {"head": "col", "stub": "row"}  # by the class that docutils gives a header
WORD = re.compile(r"[A-Za-z_][\w-]*")


def lighten_page(html: str) -> str:
    """A page without the scripts it does not need; the others run once it is drawn, in their order."""
    head, body = html.split("</head>", 1)

    def script(found: re.Match) -> str:
        before, address, after = found.groups()
        for name, needed in NEEDED_FOR.items():
            if f"/{name}" in address and not re.search(needed, body):
                return ""
        waits = "defer" in before + after or "async" in before + after or "documentation_options" in address
        return found[0] if waits else f'<script defer {before}src="{address}"{after}></script>'

    return SCRIPT.sub(script, DROPPED.sub("", head)) + "</head>" + body


def correct_page(html: str) -> str:
    """A page whose tables and citations say what they are, and whose title is not told twice."""
    html = re.sub(r'<th class="(head|stub)', lambda found: f'<th scope="{SCOPES[found[1]]}" class="{found[1]}', html)
    html = re.sub(r' role="(?:list"(?= class="citation-list)|doc-biblioentry")', "", html)
    html = html.replace('<a class="tvae-term', '<a data-bs-toggle="tooltip" class="tvae-term')
    return re.sub(r"<title>(.+?) &#8212; \1</title>", r"<title>\1</title>", html)


def names(selector: list) -> set[str]:
    """The classes and ids that an element needs for a selector (tokens of tinycss2) to apply to it."""
    classes = {
        token.value
        for dot, token in zip(selector, selector[1:], strict=False)
        if dot.type == "literal" and dot.value == "." and token.type == "ident"
    }
    return classes | {token.value for token in selector if token.type == "hash"}


def purge(rules: list, words: set[str]) -> list:
    """CSS rules without those selectors that name a class or an id which is not among the words."""

    def known(name: str) -> bool:  # scripts put names together: "bs-tooltip" + "-auto"
        return name in words or name.startswith("bs-")

    kept = []
    for rule in rules:
        if rule.type == "qualified-rule":
            selectors = [[]]
            for token in rule.prelude:
                if token.type == "literal" and token.value == ",":
                    selectors.append([])
                else:
                    selectors[-1].append(token)
            selectors = [selector for selector in selectors if all(map(known, names(selector)))]
            rule.prelude = [
                token for selector in selectors for token in (*selector, tinycss2.ast.LiteralToken(0, 0, ","))
            ][:-1]
            if selectors:
                kept.append(rule)
        elif rule.type == "at-rule" and rule.lower_at_keyword in ("media", "supports"):
            rule.content = purge(tinycss2.parse_rule_list(rule.content, True, True), words)
            if rule.content:
                kept.append(rule)
        else:
            kept.append(rule)
    return kept


def keep_glyphs(font: Path, characters: set[int]) -> None:
    """Rewrite a font so that it holds these characters (code points) only."""
    flavour = font.suffix[1:] if font.suffix == ".woff2" else None
    options = subset.Options(flavor=flavour, notdef_outline=True)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=characters)
    with subset.load_font(io.BytesIO(font.read_bytes()), options) as loaded:
        subsetter.subset(loaded)
        subset.save_font(loaded, font, options)


def polish(app, exception):
    if exception or app.builder.format != "html":
        return
    root = Path(app.outdir)
    static = root / "_static"
    pages = [path for path in root.rglob("*.html") if static not in path.parents]
    words = set()
    for page in pages:
        html = correct_page(lighten_page(page.read_text(encoding="utf-8")))
        page.write_text(html, encoding="utf-8")
        words |= set(WORD.findall(html))
    (static / "scripts/fontawesome.js").unlink()
    for path in static.rglob("*.js"):
        words |= set(WORD.findall(path.read_text(encoding="utf-8")))
    for path in (path for pattern in STYLES for path in static.glob(pattern)):
        rules = tinycss2.parse_stylesheet(path.read_text(encoding="utf-8"), True, True)
        path.write_text(tinycss2.serialize(purge(rules, words)), encoding="utf-8")
    logging.getLogger("fontTools").setLevel(logging.WARNING)
    icons = set(map(ord, PRIVATE_USE.findall((static / STYLES[0]).read_text(encoding="utf-8"))))
    for font in (static / FONTS).iterdir():
        keep_glyphs(font, icons)


def setup(app):
    app.connect("build-finished", polish, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
