"""`taskworlds watch`, as far as it goes without a display."""

from __future__ import annotations

import taskworlds.videos
from taskworlds.evaluation import Episode


def test_without_a_display_it_says_what_to_do_instead(run, monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("taskworlds.rendering.offscreen.sys.platform", "linux")
    ran = run("watch", "reach-v3", "--num-goals", "1")
    assert ran.code == 1
    assert ran.err == (
        "Error: Watching needs a window, and there is no display here (neither DISPLAY nor WAYLAND_DISPLAY is set). "
        "`taskworlds record` makes videos without one.\n"
    )


def test_a_world_without_windows_is_a_mistake(run, check_mistake):
    check_mistake(run("watch", "point"), "must be of a world that draws into windows, which point does not")


def test_the_options_are_those_of_watch_and_outcomes_are_told(run, monkeypatch):
    given = {}

    def stand_in(policy, benchmark, *, on_outcome, tasks, **keywords):
        given.update(keywords, benchmark=benchmark.name)
        on_outcome(tasks[0], Episode(12.345, 7, True, False))
        on_outcome(tasks[1], Episode(1.0, 1, None, None))

    monkeypatch.setattr(taskworlds.videos, "watch", stand_in)
    ran = run(
        "watch", "push-v3", "--num-goals", "2", "--episodes-per-task", "3", "--seed", "4", "--max-episode-steps", "9",
        "--full-episodes", "--reward-version", "v1", "--one-hot", "--engine", "sync", "--camera-id", "-1", "--width",
        "64", "--height", "48",
    )  # fmt: skip
    assert ran.code == 0
    first, second = taskworlds.benchmark("push-v3", num_goals=2, seed=4).train_tasks
    assert ran.out.splitlines() == [
        f"push-v3 (task {first.id}): 7 steps, return 12.35, failure",
        f"push-v3 (task {second.id}): 1 step, return 1.00",
    ]
    assert given == {
        "benchmark": "MT1-push-v3", "split": "train", "episodes_per_task": 3, "seed": 4, "max_episode_steps": 9,
        "terminate_on_success": False, "reward_function_version": "v1", "use_one_hot": True, "vector_strategy": "sync",
        "camera_name": None, "camera_id": -1, "width": 64, "height": 48,
    }  # fmt: skip
