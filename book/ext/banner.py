"""Sphinx extension of this book: a book that is not built from the recorded runs says so at the top of every page."""

import os

BANNER = (
    "<strong>A toy build (preset {preset}).</strong> Its models were trained for a minute or so, to show "
    "that everything runs. None of its numbers is a result."
)


def announce(app, config):
    preset = os.environ.get("TVAE_PRESET", "recorded")
    if preset != "recorded":
        config.html_theme_options["announcement"] = BANNER.format(preset=preset)


def setup(app):
    app.connect("config-inited", announce)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
