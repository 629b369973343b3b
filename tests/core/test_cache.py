"""The cache on disk: only what is whole and safe is used."""

from __future__ import annotations

import os
import re
import time
import warnings

import pytest

from taskworlds.core import cache

DRAWER, DOOR, REACH = "drawer_0000000000000000.mjb", "door_0000000000000000.mjb", "reach_0000000000000000.nbc"
DATA = bytes(range(256)) * 64
posix = pytest.mark.skipif(os.name != "posix", reason="permissions of other systems")
as_root = pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root gives files away")


@pytest.fixture
def file(own_cache):
    """A file of the cache."""
    assert cache.save("models", DRAWER, DATA)
    return own_cache / "models" / DRAWER


def messages(told):
    """Returns the texts of recorded warnings, all of which must be of the kind that is documented."""
    assert all(each.category is RuntimeWarning for each in told)
    return [str(each.message) for each in told]


def swap(file):
    cache.save("models", DOOR, DATA[::-1])
    os.replace(file.with_name(DOOR), file)


def replaced_by_a_pipe(file):
    file.unlink()
    os.mkfifo(file)


def replaced_by_a_folder(file):
    file.unlink()
    file.mkdir()


def replaced_by_a_link(file):
    file.rename(file.parent.parent / "elsewhere")
    file.symlink_to(file.parent.parent / "elsewhere")


def change(file, at, to):
    data = bytearray(file.read_bytes())
    data[at : at + len(to)] = to
    file.write_bytes(data)


DAMAGE = {
    "gone": lambda file: file.unlink(),
    "emptied": lambda file: file.write_bytes(b""),
    "cut": lambda file: file.write_bytes(file.read_bytes()[:-1]),
    "cut to its head": lambda file: file.write_bytes(file.read_bytes()[:20]),
    "longer": lambda file: file.write_bytes(file.read_bytes() + b"x"),
    "a page of zeros": lambda file: change(file, 4096, bytes(4096)),
    "one bit": lambda file: change(file, 9000, b"\xff"),
    "no head": lambda file: change(file, 0, b"?"),
    "overwritten": lambda file: file.write_bytes(os.urandom(len(DATA))),
    "another's content": swap,
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_only_what_is_whole_is_used(file, damage):
    assert cache.load("models", DRAWER) == DATA
    damage(file)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert cache.load("models", DRAWER) is None
        assert cache.save("models", DRAWER, DATA)
        assert cache.load("models", DRAWER) == DATA


@posix
@pytest.mark.parametrize("strange", [replaced_by_a_pipe, replaced_by_a_link])
def test_only_files_are_read(file, strange):
    strange(file)
    assert cache.load("models", DRAWER) is None
    assert cache.save("models", DRAWER, DATA)
    assert cache.load("models", DRAWER) == DATA


def test_what_cannot_be_written_costs_one_warning(file):
    replaced_by_a_folder(file)
    with warnings.catch_warnings(record=True) as told:
        assert not cache.save("models", DRAWER, DATA)
        assert not cache.save("models", DRAWER, DATA)
    (message,) = messages(told)
    assert re.search(r"cannot be kept in .*cache \(.*\), so each .* set TASKWORLDS_CACHE_DIR", message)
    assert cache.load("models", DRAWER) is None
    assert [each.name for each in file.parent.iterdir()] == [DRAWER]


def test_a_full_disk_costs_one_warning(own_cache, monkeypatch):
    monkeypatch.setattr(
        os, "fsync", lambda handle: (_ for _ in ()).throw(OSError(28, "No space left on device"))
    )
    with warnings.catch_warnings(record=True) as told:
        assert not cache.can_save("kernels")
        assert not cache.save("kernels", REACH, DATA)
    (message,) = messages(told)
    assert "(No space left on device)" in message
    assert cache.files("kernels") == []


@posix
def test_folders_and_files_are_the_users_alone(own_cache, monkeypatch):
    monkeypatch.setenv("TASKWORLDS_CACHE_DIR", str(own_cache / "deep" / "down"))
    before = os.umask(0)
    try:
        cache.save("models", DRAWER, DATA)
    finally:
        os.umask(before)
    path = own_cache / "deep" / "down" / "models" / DRAWER
    assert path.stat().st_mode & 0o777 == 0o600
    for folder in (path.parent, *list(path.parents)[1:4]):
        assert folder.stat().st_mode & 0o777 == 0o700, folder


@posix
def test_an_open_folder_is_closed_and_an_open_file_is_not_used(file):
    file.parent.chmod(0o777)
    assert cache.load("models", DRAWER) == DATA
    assert file.parent.stat().st_mode & 0o777 == 0o700
    file.chmod(0o666)
    with pytest.warns(
        RuntimeWarning, match=r"drawer_0{16}\.mjb is not used, because it can be written to by other users"
    ):
        assert cache.load("models", DRAWER) is None
    assert cache.save("models", DRAWER, DATA)
    assert cache.load("models", DRAWER) == DATA


@posix
def test_a_folder_may_be_a_link_of_the_users_own(file):
    (file.parent.parent / "elsewhere").mkdir(mode=0o700)
    for each in file.parent.iterdir():
        each.rename(file.parent.parent / "elsewhere" / each.name)
    file.parent.rmdir()
    file.parent.symlink_to("elsewhere")
    assert cache.load("models", DRAWER) == DATA
    if os.geteuid() == 0:
        os.chown(file.parent, 65534, 65534, follow_symlinks=False)
        with pytest.warns(RuntimeWarning, match=r"models is not used, because it belongs to another user"):
            assert cache.load("models", DRAWER) is None


@as_root
@pytest.mark.parametrize("what", ["file", "folder"])
def test_what_belongs_to_another_user_is_not_used(file, what):
    os.chown(file if what == "file" else file.parent, 65534, 65534)
    with warnings.catch_warnings(record=True) as told:
        assert cache.load("models", DRAWER) is None
        assert cache.save("models", DRAWER, DATA) is (what == "file")
        assert (cache.load("models", DRAWER) is not None) is (what == "file")
    (message,) = messages(told)
    assert "is not used, because it belongs to another user (number 65534)" in message


def test_what_killed_processes_left_is_cleared_away_after_a_day(file):
    old, new = (file.with_name(f".{letter * 16}.part") for letter in "ab")
    own = file.with_name("checkpoint.pt")  # a folder may be shared with a user's own files
    own.write_text("mine")
    for draft, age in ((old, 2 * 86400), (new, 60)):
        draft.write_bytes(b"half")
        os.utime(draft, (time.time() - age,) * 2)
    cache.save("models", DOOR, DATA)
    assert not old.exists()
    assert new.exists()
    assert {each.name for each in cache.files("models")} == {DOOR, DRAWER, new.name}
    assert cache.clear("models") == 3
    assert cache.files("models") == cache.files("kernels") == []
    assert own.read_text() == "mine"
