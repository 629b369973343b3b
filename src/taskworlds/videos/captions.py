"""Captions: a dark strip below a picture, with what is known of the moment."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from taskworlds.core.task import Task

__all__ = ["Captions", "Words", "check_pillow", "goal_in_words", "number_in_words"]

_BACKGROUND, _TEXT = (24, 24, 27), (244, 244, 245)
_COLOURS = {"success": (22, 128, 61), "failure": (185, 28, 28)}  # white text on either has a contrast above 5
_SMALLEST, _LARGEST = 11, 20  # pixels, of the letters' height
_PART = 30  # of a picture's width, is that height between these two
_NUMBER = 1000.0  # from which on numbers are written with a power of ten


class Words(NamedTuple):
    """What a caption says.

    Attributes:
        skill: its name.
        goal: in words; may be empty.
        step: as "step 3 of 104".
        reward: as "reward 1.25".
        status: "success", "failure" or nothing.
    """

    skill: str
    goal: str
    step: str
    reward: str
    status: str = ""


def number_in_words(value: float) -> str:
    """Returns a number with two digits after the point, in at most eight characters.

    Example:
        >>> [number_in_words(value) for value in (1.0, -0.001, -123.456, 54321.0)]
        ['1.00', '0.00', '-123.46', '5.4e+04']
    """
    if not math.isfinite(value) or abs(value) >= _NUMBER:
        return f"{value:.1e}"
    return f"{round(value, 2) + 0.0:.2f}"  # no minus before zero


def goal_in_words(task: Task, goal: Sequence[float] | None) -> str:
    """Returns what a task's goal is: where the world reports one, or else the parameters, as far as they are short.

    Example:
        >>> goal_in_words(Task("reach-v3"), [0.1, 0.8, 0.2])
        'goal 0.10, 0.80, 0.20'
        >>> goal_in_words(Task("half-cheetah-vel", {"velocity": 1.27}), None)
        'velocity 1.27'
        >>> goal_in_words(Task("grid-4x4"), None)
        ''
    """
    if goal is not None:
        return "goal " + ", ".join(number_in_words(float(each)) for each in goal)
    parts = []
    for name, value in task.params.items():
        if isinstance(value, bool) or value is None:
            continue
        values = value if isinstance(value, tuple) else (value,)
        if len(values) <= _MOST_VALUES and all(isinstance(each, int | float | str) for each in values):
            shown = (each if isinstance(each, str | int) else number_in_words(each) for each in values)
            parts.append(f"{name} {', '.join(str(each) for each in shown)}")
    return "; ".join(parts)


_MOST_VALUES = 3  # of a parameter that is shown


def check_pillow() -> None:
    """Raises ImportError if Pillow, an optional library, is missing."""
    try:
        import PIL.ImageFont  # noqa: F401
    except ImportError as error:
        raise ImportError('Captions need Pillow: pip install "taskworlds[report]"') from error


class Captions:
    """Draws strips of one layout, in which each piece of text keeps its place from picture to picture.

    Args:
        width: of the pictures, pixels.
        widest: for each of the pictures side by side, words that are as long as they get; numbers may be any, and so
            may the status if there is one.

    Attributes:
        height: of a strip, pixels.

    Raises:
        ImportError: Pillow is missing.

    Example:
        >>> words = Words("reach-v3", "goal 0.10, 0.80, 0.20", "step 10 of 100", "reward 1.00")
        >>> captions = Captions(240, [words])
        >>> captions.strip(words).shape == (captions.height, 240, 3)
        True
    """

    def __init__(self, width: int, widest: Sequence[Words]) -> None:
        check_pillow()
        from PIL import Image, ImageDraw, ImageFont  # an optional library

        self._image, self._draw = Image, ImageDraw
        self._width = width
        size = min(_LARGEST, max(_SMALLEST, round(width / _PART)))
        self._font: Any = ImageFont.load_default(size)
        self._pad = max(3, size // 3)
        self._line = size + round(1.2 * self._pad)
        self._places = self._arranged(widest)
        self.height = self._line * (1 + max(line for line, _ in self._places)) + self._pad

    def _arranged(self, widest: Sequence[Words]) -> list[tuple[int, int]]:
        """Returns line and left edge of each piece of text, with as many lines as they need."""
        gap = self._line
        line, left, places = 0, self._pad, []
        for name, pieces in zip(Words._fields, zip(*widest, strict=True), strict=True):
            texts = (*_COLOURS,) if name == "status" and any(pieces) else pieces
            needed = max(self._length(_with_wide_digits(each)) for each in texts)
            if name == "step" or (left > self._pad and left + needed + self._pad > self._width):
                line, left = line + 1, self._pad
            places.append((line, left))
            if needed:
                left += needed + gap
        return places

    def strip(self, words: Words) -> NDArray[np.uint8]:
        """Returns a strip, (height, width, 3) uint8. Characters beyond ASCII are shown as a question mark."""
        picture = self._image.new("RGB", (self._width, self.height), _BACKGROUND)
        draw = self._draw.Draw(picture)
        for text, (line, left) in zip(words, self._places, strict=True):
            top = self._pad // 2 + line * self._line
            shown = self._cut(_ascii(text), self._width - self._pad - left)
            if text and text in _COLOURS:
                right = min(self._width - 1, left + self._length(shown) + self._pad)
                box = (left - self._pad // 2, top, right, top + self._line - 2)
                draw.rectangle(box, fill=_COLOURS[text])
            draw.text((left, top), shown, fill=_TEXT, font=self._font)
        return np.asarray(picture)

    def _cut(self, text: str, room: int) -> str:
        if self._length(text) <= room:
            return text
        while text and self._length(f"{text}..") > room:
            text = text[:-1]
        return f"{text}.."

    def _length(self, text: str) -> int:
        length: float = self._font.getlength(text)
        return math.ceil(length)


def _ascii(text: str) -> str:
    return text.encode("ascii", "replace").decode()


def _with_wide_digits(text: str) -> str:
    return "".join("8" if each.isdigit() else each for each in _ascii(text))
