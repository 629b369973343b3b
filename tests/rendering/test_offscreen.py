"""The library that draws without a display."""

import os
import re
import sys

import pytest

from taskworlds.rendering import offscreen


@pytest.fixture
def works(monkeypatch):
    """Lets the libraries named draw, and no other: works("egl")."""

    def works(*libraries):
        def fault(program, **environment):
            return None if environment["MUJOCO_GL"] in libraries else "OSError: none"

        monkeypatch.setattr(offscreen, "fault", fault)
        monkeypatch.setattr(offscreen, "LIBRARIES", ("egl", "osmesa", "glfw"))

    monkeypatch.delenv("MUJOCO_GL", raising=False)
    offscreen._working_library.cache_clear()
    yield works
    offscreen._working_library.cache_clear()


@pytest.mark.parametrize(
    ("program", "fault"),
    [
        ("print(1)", None),
        ("raise RuntimeError('why')", "RuntimeError: why"),
        ("import os; os.abort()", "crashed with signal 6"),
        ("raise SystemExit(3)", "exit code 3"),
        ("import os; assert os.environ['MUJOCO_GL'] == 'egl'", None),
    ],
)
def test_what_could_crash_runs_elsewhere(program, fault):
    assert offscreen.fault(program, MUJOCO_GL="egl") == fault


def test_this_machine_draws():
    """Fails where no library can draw; the message says which to install."""
    library = offscreen.choose_library()
    assert library == os.environ.get("MUJOCO_GL", library)
    assert offscreen.fault(offscreen.DRAW, MUJOCO_GL=library) is None


def test_the_cause_is_the_last_line():
    assert offscreen.fault(offscreen.DRAW, MUJOCO_GL="off").startswith("AttributeError: ")
    assert "MUJOCO_GL: paint" in offscreen.fault(offscreen.DRAW, MUJOCO_GL="paint")


@pytest.mark.parametrize(
    ("libraries", "first"),
    [(("egl", "osmesa"), "egl"), (("osmesa", "glfw"), "osmesa"), (("glfw",), "glfw")],
)
def test_the_first_that_works_is_taken(works, libraries, first):
    works(*libraries)
    assert offscreen.choose_library() == first


def test_the_users_choice_comes_first(works, monkeypatch):
    works("egl", "osmesa")
    monkeypatch.setenv("MUJOCO_GL", "osmesa")
    assert offscreen.choose_library() == "osmesa"


def test_nothing_else_is_taken_if_the_users_choice_does_not_work(works, monkeypatch):
    works("egl")
    monkeypatch.setenv("MUJOCO_GL", "osmesa")
    message = (
        r"MUJOCO_GL must name .* one of egl, osmesa, glfw, .* osmesa: OSError: none\. Unset it .*libosmesa6"
    )
    with pytest.raises(RuntimeError, match=message):
        offscreen.choose_library()


def test_nothing_works_until_something_is_installed(works):
    works()
    message = (
        r"EGL or OSMesa, .*\(egl: OSError: none; osmesa: .*\)\. Install one: .*libegl1.*taskworlds doctor"
    )
    with pytest.raises(RuntimeError, match=message):
        offscreen.choose_library()
    works("osmesa")
    assert offscreen.choose_library() == "osmesa"


CHOSEN_LATE = """
import os, mujoco
assert "MUJOCO_GL" not in os.environ and mujoco.gl_context.GLContext.__module__ == "mujoco.glfw"
os.environ["MUJOCO_GL"] = {library!r}
import taskworlds
env = taskworlds.make("half-cheetah-vel", seed=0, render_mode="rgb_array", width=8, height=8)
env.reset()
env.render()
"""


def test_a_library_that_is_chosen_after_mujoco_is_imported(monkeypatch):
    library = offscreen.choose_library()
    monkeypatch.delenv("MUJOCO_GL", raising=False)
    assert offscreen.fault(CHOSEN_LATE.format(library=library)) is None


WINDOW = """
import gymnasium, taskworlds
{make}
"""


@pytest.mark.parametrize(
    "make",
    [
        'taskworlds.make("reach-v3", render_mode="human")',
        'taskworlds.make_vec("reach-v3", 2, vector_strategy="sync", render_mode="human")',
        'taskworlds.make_vec("half-cheetah-vel", 2, vector_strategy="async", render_mode="human")',
        'from gymnasium.utils.env_checker import check_env; check_env(taskworlds.make("half-cheetah-vel", seed=0))',
    ],
)
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems have a screen")
def test_a_window_without_a_screen_is_an_error(make):
    """GLFW would end the process."""
    nothing = {"DISPLAY": "", "WAYLAND_DISPLAY": ""}
    message = r'render_mode="human" opens a window, .* no display here \(neither DISPLAY .*Use render_mode="rgb_array"'
    assert re.search(message, offscreen.fault(WINDOW.format(make=make), **nothing))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems have a screen")
def test_a_display_that_does_not_answer_is_none(monkeypatch):
    monkeypatch.setenv("DISPLAY", ":97")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(RuntimeError, match=r"no display here \(GLFW finds no screen\)"):
        offscreen.check_window()


@pytest.mark.parametrize("before", [None, "glfw"])
def test_the_library_is_used_for_a_while(monkeypatch, before):
    if before is None:
        monkeypatch.delenv("MUJOCO_GL", raising=False)
    else:
        monkeypatch.setenv("MUJOCO_GL", before)
    monkeypatch.delenv("PYOPENGL_PLATFORM", raising=False)

    def stop():
        with offscreen.using_library("osmesa"):
            assert os.environ["MUJOCO_GL"] == "osmesa"
            os.environ["PYOPENGL_PLATFORM"] = "osmesa"
            raise KeyError("stop")

    with pytest.raises(KeyError):
        stop()
    assert os.environ.get("MUJOCO_GL") == before
    assert "PYOPENGL_PLATFORM" not in os.environ
