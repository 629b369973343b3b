"""Videos of a LeRobot data set: the pictures of many episodes end to end, at a constant rate.

A reader asks for the picture at a time and refuses one that is more than 0.1 ms away from it, so picture i of a file
has the time i / fps exactly. Every second picture is a key picture, so that a reader finds any picture fast.
"""

from __future__ import annotations

import fractions
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["CODEC", "PIXELS", "Span", "Videos"]

CODEC = "h264"
"""The codec, by the name that LeRobot has for it."""

PIXELS = "yuv420p"
"""How pixels are kept: colours at half the resolution, so width and height must be even."""

_ENCODER = "libx264"
# No picture refers to a later one, which would shift the times by an edit list that not every reader follows.
_OPTIONS = {"crf": "18", "g": "2", "bf": "0", "preset": "veryfast", "tune": "zerolatency"}
_MOST_BYTES = 200 * 2**20  # of a file, as LeRobot's own writer has it


class Span(NamedTuple):
    """Where an episode's pictures are.

    Attributes:
        file: the number of the file.
        start, end: seconds within the file.
    """

    file: int
    start: float
    end: float


class Videos:
    """Writes one camera's videos. Close it, or the last file is not whole.

    Args:
        path: returns the path of a file, by its number.
        shape: of a picture, (height, width, 3).
        fps: pictures per second.
    """

    def __init__(self, path: Callable[[int], Path], shape: tuple[int, ...], fps: int) -> None:
        self._path = path
        self._height, self._width = shape[:2]
        self._fps = fps
        self._file = -1
        self._pictures = 0  # in the file
        self._container: Any = None
        self._stream: Any = None

    def add(self, pictures: NDArray[np.uint8]) -> Span:
        """Appends an episode's pictures, (T, H, W, 3)."""
        import av  # optional: lerobot_data checks it

        if self._container is None or self._bytes() > _MOST_BYTES:
            self._open()
        first = self._pictures
        for picture in pictures:
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = self._pictures, fractions.Fraction(1, self._fps)
            self._container.mux(self._stream.encode(frame))
            self._pictures += 1
        return Span(self._file, first / self._fps, self._pictures / self._fps)

    def close(self) -> None:
        """Writes what is left, and closes the file."""
        if self._container is not None:
            container, self._container = self._container, None
            try:
                container.mux(self._stream.encode(None))
            finally:
                container.close()

    def _bytes(self) -> int:
        """Returns how large the file is; it is made with the first picture that the encoder gives back."""
        path = self._path(self._file)
        return path.stat().st_size if path.exists() else 0

    def _open(self) -> None:
        import av  # as above

        self.close()
        self._file += 1
        self._pictures = 0
        path = self._path(self._file)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._container = av.open(str(path), "w")
        self._stream = self._container.add_stream(_ENCODER, rate=self._fps, options=_OPTIONS)
        self._stream.width, self._stream.height, self._stream.pix_fmt = self._width, self._height, PIXELS
        self._stream.thread_count = 1  # so that equal pictures give equal files on every machine
