"""Sphinx extension of this book: where it is published, and the buttons that open a notebook page somewhere else.

The addresses are those of `[project.urls]` in pyproject.toml. Where GitHub Actions builds the book they are those of
the repository that it runs in, so that a fork's pages lead to the fork.
"""

import os
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
BRANCH = "main"


def published() -> tuple[str, str]:
    """The repository's address and the book's."""
    here = os.environ.get("GITHUB_REPOSITORY")  # owner/name
    if here:
        owner, name = here.split("/")
        return f"https://github.com/{here}", f"https://{owner}.github.io/{name}/"
    urls = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["urls"]
    return urls["Repository"], urls["Documentation"]


def configure(app, config):
    repository, book = published()
    config.html_baseurl = config.ogp_site_url = book
    config.ogp_site_name = config.html_title
    config.html_theme_options |= {
        "repository_url": repository,
        "repository_branch": BRANCH,
        "path_to_docs": "book",
        "use_repository_button": True,
        "launch_buttons": {
            "colab_url": "https://colab.research.google.com",
            "binderhub_url": "https://mybinder.org",
            "notebook_interface": "jupyterlab",
        },
    }


def complete_buttons(app, pagename, templatename, context, doctree):
    """Buttons open the notebook of a page, and offer the whole report as the workflow printed it."""
    for group in context.get("header_buttons", []):
        for button in group.get("buttons", []):
            if "url" in button:
                button["url"] = button["url"].replace("book/executed/", "notebooks/")
        if group.get("label") == "download-buttons":
            address = app.config.html_baseurl + "tvae.pdf"
            words = {
                "text": "the report, .pdf",
                "tooltip": "Download the whole report",
                "label": "download-report-button",
            }
            group["buttons"].append({"type": "link", "url": address, "icon": "fas fa-book", **words})


def setup(app):
    app.connect("config-inited", configure)
    app.connect("html-page-context", complete_buttons, priority=900)  # after the theme has added its buttons
    return {"parallel_read_safe": True, "parallel_write_safe": True}
