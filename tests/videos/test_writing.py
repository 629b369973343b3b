"""Files of pictures."""

import sys
from fractions import Fraction

import imageio_ffmpeg
import numpy as np
import pytest
from PIL import Image

from taskworlds.videos.writing import NotWritten, check_ffmpeg, file_writer, suffixes


def pictures(count, height=32, width=48):
    """Grey ones, from dark to light."""
    return [np.full((height, width, 3), 10 + 4 * number, np.uint8) for number in range(count)]


def write(path, made, fps=Fraction(20)):
    with file_writer(path, fps) as add:
        for each in made:
            add(each)
    return path


def test_an_mp4_has_all_pictures_in_order(tmp_path, frames):
    path = write(tmp_path / "a.mp4", pictures(12), Fraction(80, 3))
    found = frames(path)
    assert found.shape == (12, 32, 48, 3)
    assert np.abs(found.mean(axis=(1, 2, 3)) - [10 + 4 * number for number in range(12)]).max() < 3
    about = next(imageio_ffmpeg.read_frames(str(path)))
    assert (about["codec"], about["pix_fmt"].partition("(")[0]) == ("h264", "yuv420p")
    assert about["fps"] == pytest.approx(80 / 3, abs=0.01)


def test_odd_sides_become_even(tmp_path, frames):
    assert frames(write(tmp_path / "odd.mp4", pictures(2, 33, 47))).shape == (2, 34, 48, 3)


def test_a_gif_has_at_most_20_pictures_a_second_and_the_last_one(tmp_path, frames):
    path = write(tmp_path / "a.gif", pictures(12), Fraction(80))
    found = frames(path)
    assert np.abs(found[:, 0, 0, 0] - np.array([10, 26, 42, 54])).max() <= 4
    with Image.open(path) as image:
        assert image.info["duration"] == 50
        image.seek(3)
        assert image.info["duration"] == 1000  # before it begins again


def test_what_raises_leaves_the_file_as_it_was(tmp_path):
    path = tmp_path / "a.mp4"
    path.write_bytes(b"before")

    def stop():
        with file_writer(path, Fraction(20)) as add:
            add(pictures(1)[0])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stop()
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


def test_errors_of_others_are_their_own(tmp_path):
    def stop():
        with file_writer(tmp_path / "a.mp4", Fraction(20)):
            raise FileNotFoundError("mine")

    with pytest.raises(FileNotFoundError, match=r"^mine$"):
        stop()


def test_on_a_full_disk_no_half_file_is_left(tmp_path, full_disk):
    folder = tmp_path / "videos"
    folder.mkdir()
    with pytest.raises(NotWritten, match=r"a\.mp4 could not be written: .*No space left on device\.$"):
        write(folder / "a.mp4", pictures(50))
    assert list(folder.iterdir()) == []


def test_without_pictures_there_is_no_file(tmp_path):
    with pytest.raises(NotWritten, match="there are no pictures"):
        write(tmp_path / "a.mp4", [])
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_missing_is_named(tmp_path):
    with pytest.raises(NotWritten, match=r"none/a\.mp4 could not be written: .*No such file or directory"):
        write(tmp_path / "none" / "a.mp4", pictures(3))


def test_without_ffmpeg_the_message_says_what_to_install(monkeypatch):
    def missing():
        raise RuntimeError("No ffmpeg exe could be found.")

    with monkeypatch.context() as patch:
        patch.setattr(imageio_ffmpeg, "get_ffmpeg_exe", missing)
        with pytest.raises(
            ImportError, match=r"came without: pip install --force-reinstall .*IMAGEIO_FFMPEG_EXE"
        ):
            check_ffmpeg()
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    with pytest.raises(ImportError, match=r'Videos need imageio-ffmpeg: pip install "taskworlds\[report\]"'):
        check_ffmpeg()


def test_an_ffmpeg_that_is_not_there_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(tmp_path / "none"))
    with pytest.raises(
        ImportError, match=r"'.*none' is not a program that can be run\. Set IMAGEIO_FFMPEG_EXE"
    ):
        check_ffmpeg()
    (tmp_path / "none").write_text("not a program")
    with pytest.raises(ImportError, match="is not a program that can be run"):
        check_ffmpeg()


def test_formats():
    assert [suffixes(each) for each in ("mp4", "gif", "both")] == [("mp4",), ("gif",), ("mp4", "gif")]
    with pytest.raises(ValueError, match=r"format must be one of 'mp4', 'gif', 'both', not 'avi'"):
        suffixes("avi")
