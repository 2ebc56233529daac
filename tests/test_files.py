"""Files are whole or not there, whatever happens while they are written."""

import numpy as np
import pytest

from tvae import files


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "figures.json"
    files.write_json(path, {"title": "β = 1"}, ensure_ascii=False)
    assert "β".encode() in path.read_bytes()  # whatever the locale
    with pytest.raises(TypeError):
        files.write_json(path, {"title": object()})

    def half(part):
        part.write_text("{")
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="full"):
        files.write_atomically(path, half)
    assert files.read_json(path) == {"title": "β = 1"} and list(tmp_path.iterdir()) == [path]


def test_arrays_lie_under_exactly_the_name_that_was_given(tmp_path):
    files.write_npz(tmp_path / "pieces.scores", song=np.array(["a", "b"]))
    with np.load(tmp_path / "pieces.scores") as found:
        assert found["song"].tolist() == ["a", "b"]
    assert [path.name for path in tmp_path.iterdir()] == ["pieces.scores"]
