"""Files that are written as a whole."""

from __future__ import annotations

import os

import pytest

from taskworlds.core.files import drafted, write_whole


def test_a_file_is_replaced_as_a_whole(tmp_path):
    file = tmp_path / "result.json"
    write_whole(file, b"one ", b"two")
    write_whole(file, b"three")
    assert file.read_bytes() == b"three"
    assert os.listdir(tmp_path) == ["result.json"]


def test_a_link_is_replaced_and_not_followed(tmp_path):
    (tmp_path / "victim").write_text("mine")
    (tmp_path / "result.json").symlink_to("victim")
    write_whole(tmp_path / "result.json", b"new")
    assert (tmp_path / "victim").read_text() == "mine"
    assert (tmp_path / "result.json").read_bytes() == b"new"
    assert not (tmp_path / "result.json").is_symlink()


def test_what_fails_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    file = tmp_path / "result.json"
    file.write_text("old")
    monkeypatch.setattr(
        os, "fsync", lambda handle: (_ for _ in ()).throw(OSError(28, "No space left on device"))
    )
    with pytest.raises(OSError, match="No space"):
        write_whole(file, b"new")
    assert file.read_text() == "old"
    assert os.listdir(tmp_path) == ["result.json"]


@pytest.mark.skipif(os.name != "posix", reason="permissions of other systems")
@pytest.mark.parametrize(
    ("umask", "mode", "made"), [(0o022, 0o666, 0o644), (0, 0o666, 0o666), (0, 0o600, 0o600)]
)
def test_permissions_follow_the_umask(tmp_path, umask, mode, made):
    before = os.umask(umask)
    try:
        write_whole(tmp_path / "file", b"", mode=mode)
    finally:
        os.umask(before)
    assert (tmp_path / "file").stat().st_mode & 0o777 == made


def test_a_draft_takes_the_place_of_the_file_at_the_end(tmp_path):
    file = tmp_path / "video.mp4"
    file.write_text("old")
    with drafted(file) as draft:
        draft.write_text("new")
        assert file.read_text() == "old"
    assert file.read_text() == "new"
    assert list(tmp_path.iterdir()) == [file]


def test_a_draft_that_was_not_finished_is_gone(tmp_path):
    file = tmp_path / "video.mp4"

    def stop():
        with drafted(file) as draft:
            draft.write_text("a half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stop()
    with pytest.raises(FileNotFoundError), drafted(file):
        pass
    assert list(tmp_path.iterdir()) == []
