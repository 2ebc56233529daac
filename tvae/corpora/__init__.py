"""Where the melodies come from, one file a source: what it is, where it is found, how it is read."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from tvae.files import expanded

PREFIX = "folder:"  # of the name of a corpus that is a folder of MIDI files


def canonical(corpus: str) -> str:
    """The one name of a corpus: that of a folder has its whole path."""
    return PREFIX + str(place(corpus)) if corpus.startswith(PREFIX) else corpus


def place(corpus: str) -> Path:
    """``folder:PATH`` -> the path, from the root of the file system."""
    return expanded(corpus.removeprefix(PREFIX)).resolve()


def slug(corpus: str) -> str:
    """The name of a corpus in paths. A folder's has six digits of its place: others may be called the same."""
    if not corpus.startswith(PREFIX):
        return corpus
    path = place(corpus)
    name = re.sub(r"[^a-z0-9]+", "-", path.name.lower()).strip("-")[:40] or "songs"
    return f"folder-{name}-{hashlib.sha256(str(path).encode(errors='surrogateescape')).hexdigest()[:6]}"
