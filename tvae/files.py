"""Files that are whole or not there, and JSON: one way to write and to read them, without PyTorch."""

from __future__ import annotations

import io
import json
import os
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

DAMAGED = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error)  # what reading an .npz may raise


def expanded(path: str | Path) -> Path:
    """A path with the home folder for ``~``; where nobody knows that home, as it stands, and no such file is found."""
    return Path(os.path.expanduser(path))


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Call `write(temporary path)`, then put the file in place: a reader sees the old file or the new, never half."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        write(part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def write_npz(path: Path, **arrays: np.ndarray) -> None:
    """Compressed arrays in a file of exactly this name, to which numpy alone would append .npz."""
    content = io.BytesIO()
    np.savez_compressed(content, allow_pickle=False, **arrays)
    write_atomically(path, lambda part: part.write_bytes(content.getbuffer()))


def write_json(path: Path, value: object, indent: int | None = 1, ensure_ascii: bool = True) -> None:
    """A value as JSON; indent and ensure_ascii are those of `json.dumps`."""
    text = json.dumps(value, indent=indent, ensure_ascii=ensure_ascii) + "\n"
    write_atomically(path, lambda part: part.write_text(text, encoding="utf-8"))


def read_json(path: str | Path) -> Any:
    return json.loads(Path(path).read_text(encoding="utf-8"))
