"""Where the melodies come from, one file a source: what it is, where it is found, how it is read."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

PREFIX = "folder:"  # of the name of a corpus that is a folder of MIDI files


def slug(corpus: str) -> str:
    """The name of a corpus in paths. A folder's has six digits of its place: others may be called the same."""
    if not corpus.startswith(PREFIX):
        return corpus
    path = Path(corpus.removeprefix(PREFIX)).expanduser().resolve()
    name = re.sub(r"[^a-z0-9]+", "-", path.name.lower()).strip("-")[:40] or "songs"
    return f"folder-{name}-{hashlib.sha256(str(path).encode(errors='surrogateescape')).hexdigest()[:6]}"
