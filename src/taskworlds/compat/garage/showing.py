"""garage's `visualize()`: an environment is shown in a window, as text, or at least drawn."""

from __future__ import annotations

import os
import sys
import warnings
from typing import Any, Protocol

__all__ = ["Shown", "show", "visualize"]

_TEXT = ("ansi", "ascii")


class Shown(Protocol):
    """An environment with garage's way to be rendered."""

    @property
    def render_mode(self) -> Any:
        """The mode that it was made with."""

    @property
    def render_modes(self) -> list[str]:
        """Names of the modes in which it can be rendered."""

    def render(self, mode: str | None = None) -> Any:
        """Renders it."""


def visualize(env: Shown) -> str | None:
    """Shows an environment once, in the mode that shows it best here.

    Returns:
        The mode to `show` each later step in: a window, or text. None where pictures can only be drawn offscreen: one
        was drawn, and a warning says that it is not shown.

    Raises:
        RuntimeError: the environment has no render modes.
    """
    modes = env.render_modes
    text = [mode for mode in _TEXT if mode in modes]
    if env.render_mode in ("human", *_TEXT):
        mode: str = env.render_mode
    elif "human" in modes and _has_display():
        mode = "human"
    elif text:
        mode = text[0]
    else:
        offscreen = [mode for mode in modes if mode != "human"]
        if not offscreen:
            raise RuntimeError(
                "visualize() needs an environment that can be drawn here, and the render modes of this one are "
                f"{modes}."
            )
        env.render(offscreen[0])
        warnings.warn(
            f"There is no display, so visualize() draws offscreen and shows nothing. render({offscreen[0]!r}) returns "
            "the picture.",
            stacklevel=3,
        )
        return None
    show(env, mode)
    return mode


def show(env: Shown, mode: str) -> None:
    """Shows an environment in a mode that `visualize` returned."""
    shown = env.render(None if mode == env.render_mode else mode)
    if isinstance(shown, str):
        print(shown)


def _has_display() -> bool:
    displays = ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER")
    return not sys.platform.startswith("linux") or any(os.environ.get(each) for each in displays)
