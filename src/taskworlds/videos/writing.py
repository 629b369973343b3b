"""Video files, by ffmpeg, which imageio-ffmpeg brings along: pictures go to it as they come, and none is kept."""

from __future__ import annotations

import contextlib
import math
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from taskworlds.core.errors import check_choice
from taskworlds.core.files import drafted

__all__ = ["FORMATS", "NotWritten", "check_ffmpeg", "file_writer", "suffixes"]

FORMATS = ("mp4", "gif", "both")
"""What videos are written as."""

_GIF_FPS = 20  # pictures per second at most: programs that show GIFs slow down others, and files become large
# H.264 in the colours that every browser plays, with the index first, so that a page need not load it all.
_MP4 = ["-c:v", "libx264", "-crf", "23", "-pix_fmt", "yuv420p", "-movflags", "+faststart", "-f", "mp4"]
# One palette for the whole file ("diff" would leave out the last picture); dots that stay in place keep the file small.
_PALETTE = (
    "split[a][b];[a]palettegen=stats_mode=full[p];"
    "[b][p]paletteuse=dither=bayer:bayer_scale=4:diff_mode=rectangle"
)
_GIF = [
    "-filter_complex",
    _PALETTE,
    "-final_delay",
    "100",
    "-f",
    "gif",
]  # the last for 1 s, before it begins again


class NotWritten(OSError):
    """A file could not be written, as where the disk is full. Nothing of it is left; other files are as they were."""


def suffixes(format: str) -> tuple[str, ...]:
    """Returns the endings of the files that are written for one of `FORMATS`.

    Example:
        >>> suffixes("both"), suffixes("gif")
        (('mp4', 'gif'), ('gif',))
    """
    check_choice("format", format, FORMATS)
    return ("mp4", "gif") if format == "both" else (format,)


def check_ffmpeg() -> str:
    """Returns the program that writes videos.

    Raises:
        ImportError: imageio-ffmpeg is missing, or it finds no ffmpeg. The message says what to install.
    """
    try:  # an optional library
        import imageio_ffmpeg
    except ImportError as error:
        raise ImportError('Videos need imageio-ffmpeg: pip install "taskworlds[report]"') from error
    try:
        program = str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError as error:
        raise ImportError(
            "Videos need ffmpeg, which the installed imageio-ffmpeg came without: "
            'pip install --force-reinstall "taskworlds[report]", or set IMAGEIO_FFMPEG_EXE to the program.'
        ) from error
    if shutil.which(program) is None:  # as IMAGEIO_FFMPEG_EXE says, which imageio-ffmpeg takes as it is
        raise ImportError(
            f"Videos need ffmpeg, and {program!r} is not a program that can be run. Set IMAGEIO_FFMPEG_EXE to one, or "
            "unset it to use the one that came with imageio-ffmpeg."
        )
    return program


@contextlib.contextmanager
def file_writer(path: Path, fps: Fraction) -> Iterator[Callable[[NDArray[np.uint8]], None]]:
    """Yields a function that takes pictures; at the end of the `with` block the file is there, whole.

    Args:
        path: an mp4 or gif file, by its ending. What raises in the block leaves it as it was.
        fps: pictures per second. A GIF has at most 20, so some are left out, but not the last.

    Raises:
        ImportError: as for `check_ffmpeg`.
        NotWritten: it cannot be written.
    """
    stride = math.ceil(fps / _GIF_FPS) if path.suffix == ".gif" else 1
    count, last, has_all = 0, None, False
    try:
        with drafted(path) as draft, _Encoder(path, draft, fps / stride) as encoder:

            def add(picture: NDArray[np.uint8]) -> None:
                nonlocal count, last
                last = None if count % stride == 0 else picture
                if last is None:
                    encoder.add(picture)
                count += 1

            yield add
            has_all = True
            if last is not None:
                encoder.add(last)
            encoder.end()
    except OSError as error:
        if isinstance(error, NotWritten) or not has_all:  # what the `with` block raises is its own
            raise
        raise NotWritten(f"{path} could not be written: {error.strerror}.") from error


class _Encoder:
    """A running ffmpeg, started with the first picture, which tells the size.

    Args:
        path: the file that is to be there in the end, for messages.
        draft: the file that is written.
        fps: pictures per second.

    Raises:
        ImportError: as for `check_ffmpeg`.
    """

    def __init__(self, path: Path, draft: Path, fps: Fraction) -> None:
        self._path, self._draft, self._fps = path, draft, fps
        self._program = check_ffmpeg()
        self._said = tempfile.TemporaryFile()  # noqa: SIM115, it is closed on exit
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> _Encoder:
        return self

    def __exit__(self, *raised: object) -> None:
        """Ends the program, if it still runs."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        if self._process is not None and self._process.stdin is not None:
            with contextlib.suppress(OSError):  # of pictures that it did not take
                self._process.stdin.close()
        self._said.close()

    def add(self, picture: NDArray[np.uint8]) -> None:
        """Passes a picture on, with even sides: H.264 keeps colours for two by two pixels.

        Raises:
            NotWritten: the program has ended.
        """
        height, width, _ = picture.shape
        even = np.pad(picture, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        if self._process is None:
            self._process = self._started(even.shape[1], even.shape[0])
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(even.data)
        except OSError as error:
            self._process.wait()
            raise self._fault() from error

    def _started(self, width: int, height: int) -> subprocess.Popen[bytes]:
        command = [
            self._program,
            "-hide_banner",
            "-loglevel",
            "error",
            "-y",
            "-f",
            "rawvideo",
            "-pix_fmt",
            "rgb24",
        ]
        command += ["-s", f"{width}x{height}", "-framerate", str(self._fps), "-i", "-", "-an"]
        command += [*(_GIF if self._path.suffix == ".gif" else _MP4), str(self._draft)]
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=self._said)

    def end(self) -> None:
        """Waits until the file is written.

        Raises:
            NotWritten: it could not be.
        """
        if self._process is None:
            raise NotWritten(f"{self._path} could not be written: there are no pictures.")
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):  # the program has ended before, and tells why
            self._process.stdin.close()
        if self._process.wait() != 0:
            raise self._fault()

    def _fault(self) -> NotWritten:
        self._said.seek(0)
        lines = self._said.read().decode(errors="replace").strip().splitlines()
        code = None if self._process is None else self._process.returncode
        why = lines[-1].strip().rstrip(".") if lines else f"ffmpeg ended with exit code {code}"
        return NotWritten(f"{self._path} could not be written: {why}.")
