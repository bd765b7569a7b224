"""What cannot be written is known before anything is computed."""

from __future__ import annotations

from pathlib import Path

from mlxc.utils.writable import is_writable_file, obstacle_to_writing


def test_a_file_needs_a_folder_and_must_not_be_one(tmp_path: Path) -> None:
    assert is_writable_file(tmp_path / "result.h5")
    assert not is_writable_file(tmp_path)
    assert not is_writable_file(tmp_path / "nowhere" / "result.h5")


def test_a_folder_is_made_and_what_stands_in_its_way_is_said(tmp_path: Path) -> None:
    assert obstacle_to_writing(tmp_path / "new" / "folder") is None
    assert list((tmp_path / "new" / "folder").iterdir()) == []
    (tmp_path / "file").write_text("")
    assert obstacle_to_writing(tmp_path / "file") == "File exists"
