"""Sphinx extension of this book: the first use of each term of the glossary on a page leads to its entry.

The entry is shown when the link is pointed at or focused (`title`; book/ext/polish.py lets the theme draw it).
Sentences are looked at, not headings, tables, formulas, code or what is linked already.
"""

import re

from docutils import nodes

GLOSSARY = "glossary"


def entries(app) -> dict[str, tuple[str, str]]:
    """Each term of the glossary: its anchor and its definition."""
    found = {}
    for item in app.env.get_doctree(GLOSSARY).findall(nodes.definition_list_item):
        definition = " ".join(item.next_node(nodes.definition).astext().split())
        found |= {term.astext(): (term["ids"][0], definition) for term in item.findall(nodes.term) if term["ids"]}
    return found


def link_terms(app, doctree, page):
    if page == GLOSSARY or GLOSSARY not in app.env.found_docs:
        return
    known = entries(app)
    by_name = {name if name == "z" else name.lower(): entry for name, entry in known.items()}
    pattern = re.compile(
        rf"(?<![\w-])(?:{'|'.join(map(re.escape, sorted(known, key=len, reverse=True)))})(?![\w-])", re.I
    )
    address = app.builder.get_relative_uri(page, GLOSSARY)
    used = set()
    for text in list(doctree.findall(nodes.Text)):
        around, above = [], text.parent
        while above is not None:
            around.append(above)
            above = above.parent
        apart = (
            nodes.reference,
            nodes.title,
            nodes.literal,
            nodes.math,
            nodes.table,
            nodes.raw,
            nodes.caption,
            nodes.FixedTextElement,
        )
        if any(isinstance(node, apart) for node in around) or not any(
            isinstance(node, nodes.paragraph) for node in around
        ):
            continue
        parts, start = [], 0
        for found in pattern.finditer(text.astext()):
            anchor, definition = by_name.get(found[0]) or by_name.get(found[0].lower()) or (None, None)
            if anchor is None or definition in used:
                continue
            used.add(definition)  # one link an entry, whichever of its names is used first
            link = nodes.reference("", found[0], internal=True, refuri=f"{address}#{anchor}", reftitle=definition)
            link["classes"].append("tvae-term")
            parts += [nodes.Text(text.astext()[start : found.start()]), link]
            start = found.end()
        if parts:
            text.parent.replace(text, [*parts, nodes.Text(text.astext()[start:])])


def setup(app):
    app.connect("doctree-resolved", link_terms)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
