"""Options of batches on the engine "ray": to the last bit what they are in this process."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest

import taskworlds
from taskworlds import Task, benchmark

ray = pytest.importorskip("ray")

MT2 = [task for name in ("reach-v3", "push-v3") for task in benchmark(name, num_goals=3, seed=1).train_tasks]
VARIED = [
    Task(task.env_name, {**task.params, "object_mass": mass, "friction": 0.5, "object_size": 0.9})
    for task, mass in zip(MT2[3:], (0.5, 1.5, 3.0), strict=True)
]


def favours_what_fails(episodes):
    """A curriculum: tasks that were played weigh less."""
    weights = np.full(len(MT2), 4.0)
    for episode in episodes:
        weights[MT2.index(episode.task)] = 1.0
    return weights


@pytest.fixture(scope="module", autouse=True)
def ray_here():
    ray.init("local", num_cpus=2, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()


def pair(name, num_envs, **options):
    """The batch on two workers, and the one in this process."""
    how = {"num_workers": 2, "cpus_per_worker": 0.5}
    return [
        taskworlds.make_vec(name, num_envs, **options, **on)
        for on in ({"vector_strategy": "ray", "engine_options": how}, {"num_threads": 1})
    ]


@pytest.mark.parametrize(
    ("name", "chunk", "options"),
    [
        (MT2, 5, {"max_episode_steps": 7, "group_size": 2, "task_select": "random"}),
        (MT2, 0, {"max_episode_steps": 3, "curriculum": favours_what_fails}),
        (MT2, 3, {"max_episode_steps": 4, "action_repeat": 2, "repeat_success": "last"}),
        (MT2, 0, {"protocol": "tdmpc2"}),
        (VARIED, 3, {"max_episode_steps": 5}),
        pytest.param(
            ["reach-v3", "walker-walk", "cheetah-run"],
            3,
            {"pad": True, "protocol": "newt"},
            marks=pytest.mark.requires_dm_control,
        ),
    ],
    ids=["chunks and groups", "curriculum", "repeat", "tdmpc2", "factors", "worlds, newt and chunks"],
)
def test_equal_to_one_process(same, name, chunk, options):
    there, here = pair(name, 4, seed=3, **options)
    with contextlib.closing(there), contextlib.closing(here):
        same(there.reset(seed=3), here.reset(seed=3))
        width = there.single_action_space.shape[0]
        ends = 0
        for step in range(6):
            shape = (4, chunk, width) if chunk else (4, width)
            actions = np.random.default_rng(step).uniform(-1, 1, shape)
            ours, other = there.step(actions), here.step(actions)
            same(ours, other, skip=("t",))
            ends += int(ours[3].sum())
        assert ends or "protocol" in options
        here.set_state(there.get_state())
        same(there.step(actions), here.step(actions), skip=("t",))
