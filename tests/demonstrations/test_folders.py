"""A folder is there as a whole, or not at all."""

from __future__ import annotations

import os

import pytest

from taskworlds.demonstrations import folders


def test_a_draft_is_gone_after_a_failure(tmp_path):
    def fail():
        with folders.draft(tmp_path) as place:
            (place / "a").write_text("x")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_replaced(tmp_path):
    target = tmp_path / "one" / "two"
    for text in "ab":
        with folders.draft(tmp_path) as place:
            (place / "data").mkdir()
            (place / "data" / text).write_text(text)
            folders.put(place / "data", target)
        assert [each.name for each in target.iterdir()] == [text]
        assert folders.size_of(target) == 1
    assert [each.name for each in target.parent.iterdir()] == ["two"]


def test_what_was_there_stays_where_it_cannot_be_replaced(tmp_path, monkeypatch):
    (tmp_path / "target").mkdir()
    (tmp_path / "target" / "old").write_text("")
    (tmp_path / "new").mkdir()
    replace = os.replace

    def fail(source, target):
        if source.name == "new":
            raise OSError(28, "No space left on device")
        replace(source, target)

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="No space left"):
        folders.put(tmp_path / "new", tmp_path / "target")
    assert [each.name for each in (tmp_path / "target").iterdir()] == ["old"]


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match=r"out must be a folder that can be written to, which .* is not: "):
        folders.check_writable(tmp_path / "file" / "more", "out")


def test_room_is_looked_for(tmp_path):
    folders.check_room(tmp_path, 10_000)
    with pytest.raises(OSError, match=r"No space left on device|File too large"):
        folders.check_room(tmp_path, 2**60)
    assert list(tmp_path.iterdir()) == []
