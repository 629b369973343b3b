"""The sync engine against the official environments, live: every number equal to the last bit."""

from __future__ import annotations

import numpy as np
import pytest
from metaworld.env_dict import ALL_V3_ENVIRONMENTS
from metaworld.policies import ENV_POLICY_MAP

from taskworlds import benchmark
from taskworlds.core.registry import world_of
from taskworlds.testing.parity import compare, make_rows
from taskworlds.worlds.metaworld import sawyer
from taskworlds.worlds.metaworld.skills import SKILLS

STEPS = 30
QUICK = {"reach-v3", "door-lock-v3", "basketball-v3", "hammer-v3", "pick-place-v3", "window-close-v3"}
EVERY_SKILL = [
    pytest.param(each.name, id=each.name, marks=() if each.name in QUICK else pytest.mark.slow)
    for each in SKILLS
]


def official_rows(lone_rows, skill, version, num_rows, **how):
    return lone_rows(
        lambda task: ALL_V3_ENVIRONMENTS[skill](reward_function_version=version),
        lambda env, task: env.set_task(task.to_metaworld()),
        num_rows,
        **how,
    )


def sync_rows(skill, version, num_rows):
    return make_rows("sync", world_of(skill), [skill], num_rows, reward_function_version=version)


@pytest.mark.filterwarnings("ignore:Constant.s. may be too high:UserWarning")
@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize("skill", EVERY_SKILL)
def test_equal_to_the_last_bit(skill, version, lone_rows):
    """A row with its goal shown and one with it hidden, as an official environment cannot always change that."""
    shown, hidden = (benchmark(name, skill, seed=0).train_tasks for name in ("MT1", "ML1"))
    ours, official = sync_rows(skill, version, 2), official_rows(lone_rows, skill, version, 2)
    policies = [ENV_POLICY_MAP[skill](), ENV_POLICY_MAP[skill]()]

    def act(tasks, obs, goals, step):
        """The experts' actions, every third one at random and beyond the bounds; every other one in float32."""
        if step % 3 == 2:
            actions = np.random.default_rng(step).uniform(-1.5, 1.5, (2, 4))
        else:
            chosen = [policy.get_action(each.copy()) for policy, each in zip(policies, obs, strict=True)]
            actions = np.clip(chosen, -1, 1)
        return actions.astype(np.float32 if step % 2 else np.float64)

    # Several goals in one environment: what an episode leaves behind must not show in the next.
    rounds = [(shown[number], hidden[number]) for number in (0, 7, 31, 0)]
    outcome = compare(ours, official, rounds, act, steps=STEPS, tolerance=0)
    assert outcome.lines == []
    assert outcome.steps == 4 * 2 * STEPS
    assert outcome.states > outcome.steps
    for visible, env in zip((True, False), official.envs, strict=True):
        assert_inside(
            env.sawyer_observation_space, sawyer.observation_space(visible=visible, hidden=not visible)
        )
        assert env.action_space == sawyer.action_space()
    ours.close()
    official.close()


def assert_inside(official, ours):
    """Asserts that our observation space, one for all skills, holds a skill's own; they differ in the goal alone."""
    assert (ours.low <= official.low).all()
    assert (ours.high >= official.high).all()
    assert ours.low[:36].tolist() == official.low[:36].tolist()
    assert ours.high[:36].tolist() == official.high[:36].tolist()


@pytest.mark.parametrize("skill", EVERY_SKILL)
def test_a_reset_is_the_same_whatever_came_before(skill, lone_rows):
    """One row holds goals of both visibilities, and each episode is that of an official environment just made."""
    shown, hidden = (benchmark(name, skill, seed=0).train_tasks for name in ("MT1", "ML1"))
    ours, official = sync_rows(skill, "v2", 1), official_rows(lone_rows, skill, "v2", 1, fresh=True)

    def act(tasks, obs, goals, step):
        return np.random.default_rng(step).uniform(-1, 1, (1, 4))

    rounds = [[shown[0]], [hidden[0]], [shown[3]], [shown[4]], [shown[0]]]
    assert compare(ours, official, rounds, act, steps=20, tolerance=0).lines == []
    ours.close()
    official.close()
