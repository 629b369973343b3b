"""The sync engine against the official environments, live: every number equal to the last bit."""

from __future__ import annotations

import numpy as np
import pytest
from metaworld.env_dict import ALL_V3_ENVIRONMENTS
from metaworld.policies import ENV_POLICY_MAP

import taskworlds
from taskworlds import benchmark
from taskworlds.worlds.metaworld.skills import SKILLS

STEPS = 30
QUICK = {"reach-v3", "door-lock-v3", "basketball-v3", "hammer-v3", "pick-place-v3", "window-close-v3"}
EVERY_SKILL = [
    pytest.param(each.name, id=each.name, marks=() if each.name in QUICK else pytest.mark.slow)
    for each in SKILLS
]


def official_env(skill, version, task):
    # A new one for each visibility: an official environment cannot always change it (`set_task` may raise).
    env = ALL_V3_ENVIRONMENTS[skill](reward_function_version=version)
    env.set_task(task.to_metaworld())
    return env


def actions_for(policy, obs, step):
    """The expert's action, every third one at random and beyond the bounds; every other one in float32."""
    if step % 3 == 2:
        action = np.random.default_rng(step).uniform(-1.5, 1.5, 4)
    else:
        action = np.clip(policy.get_action(obs.copy()), -1, 1)
    return action.astype(np.float32 if step % 2 else np.float64)


def assert_bits(ours, official):
    ours, official = np.asarray(ours, dtype=np.float64), np.asarray(official, dtype=np.float64)
    assert ours.shape == official.shape
    assert ours.tobytes() == official.tobytes(), f"{ours} != {official}"


@pytest.mark.filterwarnings("ignore:Constant.s. may be too high:UserWarning")
@pytest.mark.parametrize("hidden", [False, True], ids=["visible", "hidden"])
@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize("skill", EVERY_SKILL)
def test_equal_to_the_last_bit(skill, version, hidden):
    goals = benchmark("ML1" if hidden else "MT1", skill, seed=0).train_tasks
    official = official_env(skill, version, goals[0])
    envs = taskworlds.make_vec(
        list(goals), 1, vector_strategy="sync", reward_function_version=version, autoreset_mode="Disabled"
    )
    policy = ENV_POLICY_MAP[skill]()
    # Several goals in one environment: what an episode leaves behind must not show in the next.
    for number in (0, 7, 31, 0):
        official.set_task(goals[number].to_metaworld())
        theirs, _ = official.reset()
        ours, infos = envs.reset(options={"tasks": goals[number]})
        assert_bits(ours[0], theirs)
        assert_bits(infos["goal"][0], official._target_pos)
        for step in range(STEPS):
            action = actions_for(policy, theirs, step)
            theirs, reward, terminated, truncated, info = official.step(action)
            ours, rewards, terminations, truncations, infos = envs.step(action[None])
            assert_bits(ours[0], theirs)
            assert_bits(rewards[0], reward)
            assert (terminations[0], truncations[0]) == (terminated, truncated)
            reported = {name for name in infos if not name.startswith("_")} - {"task_name", "task_id", "goal"}
            assert reported == set(info)
            for name, value in info.items():
                assert_bits(infos[name][0], float(value))
            assert_bits(infos["goal"][0], official._target_pos)


@pytest.mark.parametrize("skill", EVERY_SKILL)
def test_one_row_can_hold_goals_of_both_visibilities(skill):
    shown, hidden = (benchmark(name, skill, seed=0).train_tasks[0] for name in ("MT1", "ML1"))
    envs = taskworlds.make_vec([shown, hidden], 1, vector_strategy="sync")
    for task in (shown, hidden, shown):
        official = official_env(skill, "v2", task)
        theirs, _ = official.reset()
        ours, _ = envs.reset(options={"tasks": task})
        assert_bits(ours[0], theirs)
        for step in range(3):
            action = np.random.default_rng(step).uniform(-1, 1, 4)
            theirs, reward, *_ = official.step(action)
            ours, rewards, *_ = envs.step(action[None])
            assert_bits(ours[0], theirs)
            assert_bits(rewards[0], reward)


@pytest.mark.parametrize("skill", EVERY_SKILL)
def test_a_reset_is_the_same_whatever_came_before(skill):
    goals = benchmark("MT1", skill, seed=0).train_tasks
    envs = taskworlds.make_vec(list(goals), 1, vector_strategy="sync")
    first, _ = envs.reset(options={"tasks": goals[0]})
    after_first, *_ = envs.step(np.full((1, 4), 0.5))
    for number in (3, 4):
        envs.reset(options={"tasks": goals[number]})
        for step in range(20):
            envs.step(np.random.default_rng(step).uniform(-1, 1, (1, 4)))
        again, _ = envs.reset(options={"tasks": goals[0]})
        assert_bits(again, first)
        assert_bits(envs.step(np.full((1, 4), 0.5))[0], after_first)
