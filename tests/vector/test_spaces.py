"""Observations lie in their space, at reset and at each step, whichever skills share the batch."""

from __future__ import annotations

import numpy as np
import pytest

from taskworlds import benchmark


def assert_inside(envs, steps):
    obs, _ = envs.reset(seed=0)
    for step in range(steps + 1):
        assert obs.dtype == np.float64
        outside = ~((envs.observation_space.low <= obs) & (obs <= envs.observation_space.high))
        assert not outside.any(), f"step {step}: {np.argwhere(outside).tolist()}"
        assert obs in envs.observation_space
        actions = np.random.default_rng(step).uniform(-1, 1, (envs.num_envs, 4)) * (3 if step % 2 else 1)
        obs, *_ = envs.step(actions)


@pytest.mark.parametrize("name", ["MT10", "ML10-train", "ML10-test"])
@pytest.mark.parametrize(
    ("strategy", "use_one_hot"),
    # Whatever the engine, the one-hot is added here.
    [("native", False), ("native", True), ("sync", False), ("sync", True), ("async", True)],
    indirect=["strategy"],
)
def test_mixes(make_vec, name, use_one_hot):
    assert_inside(make_vec(name, 10, seed=0, use_one_hot=use_one_hot, max_episode_steps=4, num_goals=3), 9)


def test_visible_and_hidden_goals_together(make_vec):
    skills = ["reach-v3", "soccer-v3", "peg-unplug-side-v3"]
    both = [
        task
        for name in ("custom-mt-envs", "custom-ml-envs")
        for task in benchmark(
            name,
            seed=0,
            num_goals=2,
            **(
                {"envs_list": skills}
                if name == "custom-mt-envs"
                else {"train_envs": skills, "test_envs": ["push-v3"]}
            ),
        ).train_tasks
    ]
    assert_inside(make_vec(both, 6, max_episode_steps=3, task_select="round_robin"), 12)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["MT50", "ML45-train", "ML45-test"])
@pytest.mark.parametrize("strategy", ["native"], indirect=True)  # the others observe the same: tests/oracle
def test_all_skills_and_goals(make_vec, name):
    assert_inside(make_vec(name, seed=0, max_episode_steps=5, sample_tasks_on_reset=True), 60)
