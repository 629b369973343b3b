"""`watch`: a window, where there is one."""

import numpy as np
import pytest

from taskworlds.rendering import offscreen
from taskworlds.videos import CannotDraw, watch, watching
from taskworlds.videos.playing import Stage


def test_without_a_display_it_says_what_to_do_instead(monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(offscreen.sys, "platform", "linux")
    with pytest.raises(
        CannotDraw, match=r"no display here \(neither DISPLAY .* is set\)\. `taskworlds record` makes"
    ):
        watch("expert", "reach-v3", num_goals=1)


def test_worlds_without_windows_are_refused():
    with pytest.raises(
        ValueError, match=r"draws into windows, which point does not: `taskworlds record` makes"
    ):
        watch("random", "point", num_goals=1)


def test_each_step_is_shown_in_its_time(monkeypatch):
    """Without a display: rows without a window stand for those with one, and time is counted, not waited for."""
    now, shown, outcomes, asked = [0.0], [], [], []
    make_row = Stage.make_row

    def row_without_window(stage, task, **how):
        asked.append(how)
        rows = make_row(stage, task)
        monkeypatch.setattr(rows.envs, "render", lambda: shown.append(now[0]))
        return rows

    monkeypatch.setattr(Stage, "make_row", row_without_window)
    monkeypatch.setattr(offscreen, "window_fault", lambda: None)
    monkeypatch.setattr(watching.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(watching.time, "sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))
    watch(
        "random",
        "reach-v3",
        num_goals=2,
        max_episode_steps=4,
        camera_name="corner2",
        width=64,
        on_outcome=lambda task, episode: outcomes.append((task.env_name, episode.length)),
    )
    assert outcomes == [("reach-v3", 4), ("reach-v3", 4)]
    np.testing.assert_allclose(shown, np.arange(8) / 80)  # Meta-World has 80 steps a second
    assert [(how["render_mode"], how["camera_name"], how["width"]) for how in asked] == [
        ("human", "corner2", 64)
    ] * 2


def test_wrong_arguments_are_told_first(monkeypatch):
    with pytest.raises(ValueError, match="episodes_per_task must be at least 1"):
        watch("random", "reach-v3", episodes_per_task=0)


def test_a_task_that_cannot_run_is_an_error(monkeypatch):
    make_row = Stage.make_row

    def broken_row(stage, task, **how):
        rows = make_row(stage, task)
        monkeypatch.setattr(rows.envs, "reset", None)
        return rows

    monkeypatch.setattr(Stage, "make_row", broken_row)
    monkeypatch.setattr(offscreen, "window_fault", lambda: None)
    with pytest.raises(ValueError, match=r"reach-v3 \(task .*\) cannot run: TypeError"):
        watch("random", "reach-v3", num_goals=1)
