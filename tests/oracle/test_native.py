"""The native engine beside the official environments: bit-equal physics, and the rest to 1e-9.

There are no exceptions. `taskworlds.testing.parity` states the tolerance and its reason.
"""

import ctypes

import numpy as np
import pytest

import taskworlds
from taskworlds import Task
from taskworlds.core.registry import world_of
from taskworlds.evaluation import expert_policy
from taskworlds.rows.gymnasium_rows import GymnasiumRows
from taskworlds.testing.parity import (
    KINDS,
    Actions,
    PlainKernelRows,
    compare,
    compare_goals,
    differences,
    rows_for,
)
from taskworlds.worlds.metaworld import sawyer
from taskworlds.worlds.metaworld.compiling import kernels
from taskworlds.worlds.metaworld.goals import draw_goals
from taskworlds.worlds.metaworld.native import NativeRows
from taskworlds.worlds.metaworld.official import OfficialRow
from taskworlds.worlds.metaworld.skills import SKILLS, skill

every_skill = pytest.mark.parametrize("skill", SKILLS, ids=lambda skill: skill.name)
POINTER = ctypes.POINTER(ctypes.c_double)
KERNEL = ctypes.CFUNCTYPE(None, *[POINTER] * 6, ctypes.c_int64)
both_versions = pytest.mark.parametrize("version", ["v1", "v2"])


@every_skill
@both_versions
def test_equal_to_official(skill, version):
    assert differences(skill.name, version, ["noisy"], goals=2, steps=25) == []


class BothRewards(OfficialRow):
    """An official environment with the reward v2, and another one that says what v1 says of the same simulation.

    The second has the model and the data of the first, so its reset leaves what its reward remembers of a start, and
    the reset of the first, which follows, puts the simulation to the same start again. A third of an official step
    looks for contacts with the fingers, in Python and one by one. So the first is asked only where a pad has a contact
    with the thing at all; otherwise its two sums are of nothing, and it says no. What it says is told to the second.
    """

    def __init__(self):
        super().__init__()
        self.elder = ElderReward("v1")
        self.touching = {}

    def begin(self, task, seed):
        env = self._prepared(task)
        self.elder.begin_beside(task, env)
        vars(env).pop("touching_object", None)
        touching, looked = self.touching, env.touching_object
        left, right = (env.data.geom(name).id for name in ("leftpad_geom", "rightpad_geom"))

        def look(geom_id):
            pairs = env.data.contact.geom
            pads, things = (pairs == left) | (pairs == right), pairs == geom_id
            touching[geom_id] = bool((pads.any(axis=1) & things.any(axis=1)).any()) and looked(geom_id)
            return touching[geom_id]

        found = super().begin(task, seed)
        env.touching_object = look
        self.elder.inner.touching_object = lambda geom_id: touching[geom_id]
        return found

    def advance(self, action):
        self.touching.clear()
        obs, reward, ended, info = super().advance(action)
        env = self.elder.inner
        elder_reward, elder_info = env.evaluate_state(obs.copy(), action)
        elder_info = elder_info | {"reward": elder_reward}
        return obs, reward, ended, info | {f"v1 {name}": float(value) for name, value in elder_info.items()}


class ElderReward(OfficialRow):
    """The second environment of `BothRewards`."""

    def begin_beside(self, task, other):
        self.task = task
        env = self._prepared(task)
        env.model, env.data = other.model, other.data
        env.reset()


class BothNative(NativeRows):
    """Native rows with the reward v2, and what the kernels with v1 say of the same physics.

    Physics knows of no reward, so what these kernels read is the same as in an engine of their own, whose plumbing
    `test_equal_to_official` compares. They have memories of their own, as resets leave them.
    """

    def __init__(self, env_names, num_rows):
        super().__init__(env_names, num_rows, reward_function_version="v2")
        # Is reset, and never stepped.
        self.elder = NativeRows(env_names, num_rows, reward_function_version="v1")
        (kernel,) = kernels([skill(name) for name in env_names], "v1")
        self.elder_kernel = KERNEL(kernel.address)

    def reset(self, tasks, rows, seeds):
        self.elder.reset(tasks, rows, seeds)
        return super().reset(tasks, rows, seeds)

    def step(self, actions, rows):
        step, elder = super().step(actions, rows), self.elder.engine
        single = actions.dtype == np.float32
        numbers = actions.astype(np.float64)
        for row in np.flatnonzero(rows).tolist():
            arrays = (self.engine.now, numbers, elder.params, elder.memory, elder.obs, elder.terms)
            self.elder_kernel(*(each[row].ctypes.data_as(POINTER) for each in arrays), single)
        np.testing.assert_array_equal(elder.obs[rows], self.engine.obs[rows])
        more = dict(zip(("reward", *sawyer.TERM_NAMES), elder.terms.T, strict=False))
        return step._replace(terms=step.terms | {f"v1 {name}": values for name, values in more.items()})


@pytest.mark.slow
@every_skill
def test_equal_to_official_over_whole_episodes(skill):
    """Each kind of action has a row, and each row two goals of its own, one after the other; both rewards of a step.

    Actions in float64 go a way of their own in a step and nowhere else, so they do without the rest of the episode.
    """
    whole = [kind for kind in KINDS if kind != "double"]
    num_rows = rows_for(whole)
    ours = BothNative([skill.name], num_rows)
    theirs = GymnasiumRows("sync", BothRewards, num_rows, goal_size=3)
    for kinds, steps in ((whole, 500), (["double"], 150)):
        assert compare_goals(ours, theirs, skill.name, kinds, goals=2, steps=steps, seed=1) == []
    ours.close()
    theirs.close()


@every_skill
@both_versions
def test_kernels_run_compiled_and_plain(skill, version):
    settings = {"reward_function_version": version, "num_threads": 1}
    compiled, plain = (each([skill.name], 1, **settings) for each in (NativeRows, PlainKernelRows))
    task = Task(
        skill.name, {"rand_vec": draw_goals([skill.name], 0, 1)[skill.name][0], "partially_observable": False}
    )
    act = Actions(world_of(skill.name), ["random"])
    # exp and the square of a float may differ in the last bit between Python's and numba's libraries
    outcome = compare(
        compiled,
        plain,
        [[task]],
        act,
        steps=5,
        tolerance=1e-13,
        exact=("observation",),
        names=("compiled", "plain"),
    )
    assert outcome.lines == []


def test_skills_do_not_mix_in_a_batch():
    """Kernels are compiled one by one, in several processes, and must stay apart when they run in one engine."""
    together = taskworlds.make_vec("MT50", seed=0, num_goals=1, vector_strategy="native")
    obs, _ = together.reset(seed=0)
    actions = np.random.default_rng(0).uniform(-1, 1, (4, 50, 4))
    stepped = [together.step(each) for each in actions]
    for row, tasks in enumerate(together.tasks):
        alone = taskworlds.make_vec(tasks, 1, vector_strategy="native")
        np.testing.assert_array_equal(alone.reset(seed=row)[0][0], obs[row])
        for step, each in zip(actions, stepped, strict=True):
            its = alone.step(step[row : row + 1])
            np.testing.assert_array_equal(its[0][0], each[0][row])
            assert its[1][0] == each[1][row]
        alone.close()


@pytest.mark.parametrize("num_threads", [1, 2, 3])
def test_threads_change_nothing(num_threads):
    outcomes = []
    for threads in (1, num_threads):
        envs = taskworlds.make_vec("MT10", 23, seed=0, vector_strategy="native", num_threads=threads)
        envs.reset(seed=0)
        actions = np.random.default_rng(0).uniform(-1, 1, (6, 23, 4)).astype(np.float32)
        outcomes.append([envs.step(each)[:2] for each in actions])
        envs.close()
    for one, other in zip(*outcomes, strict=True):
        np.testing.assert_array_equal(one[0], other[0])
        np.testing.assert_array_equal(one[1], other[1])


def test_the_experts_get_the_same_table():
    results = [
        taskworlds.evaluate(expert_policy(), "MT10", num_goals=1, seed=3, vector_strategy=strategy)
        for strategy in ("native", "sync")
    ]
    assert results[0].fingerprint == results[1].fingerprint
    for ours, official in zip(*(result.tasks for result in results), strict=True):
        assert ours.task == official.task
        for mine, its in zip(ours.episodes, official.episodes, strict=True):
            assert mine._replace(episode_return=0.0) == its._replace(episode_return=0.0)
            assert mine.episode_return == pytest.approx(its.episode_return, rel=1e-9)
