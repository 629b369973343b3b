"""Which library draws pictures without a display: found by drawing one, with each in a Python of its own.

MuJoCo and dm_control take their library from the environment variable MUJOCO_GL, once, when they are
imported. So what works is tried out elsewhere, and passed on to the processes that shall draw.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import os
import subprocess
import sys
from collections.abc import Iterator

from taskworlds.core.processes import python_command

__all__ = [
    "DRAW",
    "INSTALL",
    "LIBRARIES",
    "check_window",
    "choose_library",
    "fault",
    "prepare",
    "using_library",
    "window_fault",
]

LIBRARIES = ("egl", "osmesa", "glfw") if sys.platform.startswith("linux") else ("glfw",)
"""What MUJOCO_GL may name on this system, in the order in which they are tried. "glfw" needs a display."""

INSTALL = "apt-get install libegl1 libgl1-mesa-dri, or libosmesa6, on Debian and Ubuntu"
"""How to get a library."""

DRAW = """
import os, sys
try:
    import mujoco
    model = mujoco.MjModel.from_xml_string("<mujoco/>")
    renderer = mujoco.Renderer(model, 16, 16)
    renderer.update_scene(mujoco.MjData(model))
    renderer.render()
except Exception as error:
    print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
    os._exit(1)  # before half a renderer complains of its own end
"""
"""A program that draws a picture."""

_OPEN = """
import sys, warnings
warnings.simplefilter("ignore")
import glfw
if not glfw.init() or not glfw.get_primary_monitor():
    sys.exit("GLFW finds no screen")
"""

_DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY")

_SECONDS = 120  # that a program may take: a first import from a slow disk takes many


def fault(program: str, **environment: str) -> str | None:
    """Runs a program in a new Python process, where it may crash, and returns what went wrong.

    Args:
        program: its source code.
        **environment: environment variables, beside those of this process.

    Returns:
        The last line of its complaint; None if all went well.

    Example:
        >>> fault("raise RuntimeError('why')")
        'RuntimeError: why'
    """
    try:
        done = subprocess.run(
            python_command(program),
            env=os.environ | environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return f"no answer within {_SECONDS} s"
    if done.returncode == 0:
        return None
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    if done.returncode < 0:
        return f"crashed with signal {-done.returncode}"
    return lines[-1].strip() if lines else f"exit code {done.returncode}"


def choose_library() -> str:
    """Returns the library that processes started from here are to draw with.

    It is what MUJOCO_GL names, or else the first of `LIBRARIES` that works.

    Returns:
        A value for MUJOCO_GL.

    Raises:
        RuntimeError: it does not work, or none does. The message tells what to install.
    """
    return _working_library(os.environ.get("MUJOCO_GL"))


def prepare() -> None:
    """Prepares this process, and those that it starts, for drawing without a display.

    Sets MUJOCO_GL to the first of `LIBRARIES` that works. It stays as it is if it is set, or if there is a display.

    Raises:
        RuntimeError: no library works. The message tells what to install.
    """
    if not sys.platform.startswith("linux"):
        return
    if not any(os.environ.get(each) for each in ("MUJOCO_GL", *_DISPLAYS)):
        os.environ["MUJOCO_GL"] = choose_library()
    seen = sys.modules.get("mujoco.gl_context")  # it has looked at MUJOCO_GL already
    wanted = f"mujoco.{os.environ.get('MUJOCO_GL', '').lower().strip()}"
    if seen is not None and wanted in ("mujoco.egl", "mujoco.osmesa") and seen.GLContext.__module__ != wanted:
        importlib.reload(seen)


def check_window() -> None:
    """Raises RuntimeError if no window can be opened here, which GLFW would end the process for."""
    wrong = window_fault()
    if wrong is not None:
        raise RuntimeError(
            f'render_mode="human" opens a window, and there is no display here ({wrong}). Use '
            'render_mode="rgb_array", which needs none: render() returns pictures, and '
            "gymnasium.wrappers.RecordVideo makes a video of them."
        )


def window_fault() -> str | None:
    """Returns why no window can be opened here; None if one can."""
    if not sys.platform.startswith("linux"):
        return None
    displays = tuple(os.environ.get(each, "") for each in _DISPLAYS)
    return _fault_of_displays(*displays) if any(displays) else "neither DISPLAY nor WAYLAND_DISPLAY is set"


@functools.cache
def _fault_of_displays(*displays: str) -> str | None:
    """Tells what is wrong with the displays that the environment's variables name; None if nothing is."""
    return fault(_OPEN)


@functools.cache  # a failure is not kept: the user may install a library and try again
def _working_library(wanted: str | None) -> str:
    faults = {}
    for library in (wanted,) if wanted else LIBRARIES:
        faults[library] = fault(DRAW, MUJOCO_GL=library)
        if faults[library] is None:
            return library
    found = "; ".join(f"{library}: {(complaint or '').rstrip('.')}" for library, complaint in faults.items())
    if wanted:
        raise RuntimeError(
            f"MUJOCO_GL must name a library that can draw here, one of {', '.join(LIBRARIES)}, but with "
            f"{found}. Unset it to use the first that works, or install what is missing: {INSTALL}. "
            "`taskworlds doctor` shows what works."
        )
    raise RuntimeError(
        f"Drawing without a display needs EGL or OSMesa, and neither works here ({found}). Install one: "
        f"{INSTALL}. `taskworlds doctor` shows what works."
    )


@contextlib.contextmanager
def using_library(library: str) -> Iterator[None]:
    """Sets MUJOCO_GL for the processes that are started, and the packages imported, within.

    Example:
        >>> with using_library("egl"):
        ...     os.environ["MUJOCO_GL"]
        'egl'
    """
    before = {
        name: os.environ.get(name) for name in ("MUJOCO_GL", "PYOPENGL_PLATFORM")
    }  # imports set the second
    os.environ["MUJOCO_GL"] = library
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
