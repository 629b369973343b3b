"""Mended versions: the official one stays as it is, the thermos of the mended one starts at rest."""

import numpy as np
import pytest

import taskworlds
from taskworlds import Benchmark, Task
from taskworlds.core.registry import world_of
from taskworlds.evaluation import MendedExpertPolicy, expert_policy
from taskworlds.testing.parity import make_rows
from taskworlds.worlds.metaworld import sims
from taskworlds.worlds.metaworld.mended import skill_of
from taskworlds.worlds.metaworld.official import OfficialRow
from taskworlds.worlds.metaworld.skills import skill

STICKS = ("stick-push-v3", "stick-pull-v3")
THERMOS_QVEL = slice(15, 17)


def task_of(name, **more):
    own = taskworlds.benchmark("MT1", name, seed=0, num_goals=1).train_tasks[0]
    return Task(name, {**own.params, **more})


def rows(engine, tasks, steps=30):
    """Plays the tasks in turn in one environment; gives observations and rewards."""
    envs = taskworlds.make_vec(
        Benchmark("b", tuple(tasks)),
        1,
        seed=0,
        vector_strategy=engine,
        autoreset_mode="Disabled",
        task_select="fixed",
    )
    found = []
    for task in tasks:
        envs.set_tasks([task])
        obs, _ = envs.reset(seed=0)
        found.append(obs.copy())
        for _ in range(steps):
            obs, reward, *_ = envs.step(np.array([[0.1, 0.2, -0.5, 0.3]], np.float32))
            found += [obs.copy(), reward.copy()]
    envs.close()
    return found


@pytest.mark.parametrize("name", STICKS)
def test_engines_agree_and_the_official_version_comes_back(name):
    tasks = [task_of(name, version="mended"), task_of(name)]
    native, sync = rows("native", tasks), rows("sync", tasks)
    for ours, theirs in zip(native, sync, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-9)
    half = len(native) // 2
    for ours, theirs in zip(native[half:], rows("native", [task_of(name)]), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("name", STICKS)
def test_the_mended_reset_stops_the_thermos_and_the_official_one_does_not(name):
    """The defect shows where the thermos moves before it is placed: in `reset_model` alone, not in a whole reset."""
    row = OfficialRow()
    speeds = {}
    for task in (task_of(name), task_of(name, version="mended"), task_of(name)):
        row.next_task = task
        row.reset()
        assert not row.inner.data.qvel[THERMOS_QVEL].any()
        row.inner.data.qvel[THERMOS_QVEL] = 0.5, 0.5  # m/s
        row.inner._set_obj_xyz(np.zeros(2))
        speeds.setdefault("version" in task.params, []).append(row.inner.data.qvel[THERMOS_QVEL].tolist())
    assert speeds == {False: [[0.5, 0.0]] * 2, True: [[0.0, 0.0]]}
    row.close()


@pytest.mark.parametrize("name", STICKS)
def test_a_kernel_of_ours_stops_it_likewise(name):
    """As above, with the resets of the native engine."""
    for task, speed in ((task_of(name), 0.5), (task_of(name, version="mended"), 0.0)):
        with sims.simulation(skill(name).model) as sim:
            sim.settle_hand = lambda place, sim=sim: set_moving(sim)
            skill_of(task).reset(sim, np.array(task["rand_vec"]), None)
            assert sim.data.qvel[THERMOS_QVEL].tolist() == [speed, 0.0]
            del sim.settle_hand


def set_moving(sim):
    sim.data.qvel[THERMOS_QVEL] = 0.5, 0.5
    return sim.tcp()


@pytest.mark.parametrize("name", STICKS)
def test_the_thermos_starts_at_rest(name):
    """Also in the official version, with the packages that this one requires, so both versions have the same starts."""
    suite = taskworlds.benchmark(name, seed=0)
    found = []
    for benchmark in (suite, taskworlds.mended(suite)):
        rows = make_rows("native", world_of(name), [name], 50)
        rows.reset(benchmark.train_tasks, np.ones(50, np.bool_), np.zeros(50, np.int64))
        size = rows.engine.scenes[0].native.state_size
        states = rows.engine.states[:, :size].copy()
        model = rows.engine.scenes[0].model.to_mujoco()
        qvel = 1 + model.nq  # time and positions come first
        assert not states[:, qvel + 15 : qvel + 17].any()
        found.append(states)
        rows.close()
    np.testing.assert_array_equal(*found)


def test_mended_benchmarks():
    mended = taskworlds.mended("MT50")
    versions = {task.env_name for task in mended.train_tasks if "version" in task.params}
    assert versions == set(STICKS)
    assert mended.fingerprint != taskworlds.benchmark("MT50").fingerprint
    with pytest.raises(ValueError, match="must have a skill of which there is a mended version"):
        taskworlds.mended("MT10")


@pytest.mark.slow
def test_the_mended_expert_inserts_more_pegs():
    official, mended = (
        taskworlds.evaluate(policy, "peg-insert-side-v3", seed=0, episodes_per_task=1)
        for policy in ("expert", "taskworlds.evaluation:MendedExpertPolicy")
    )
    official, mended = (each.overall["success_once"].mean.value for each in (official, mended))
    assert official < 0.95 < mended


def test_other_experts_are_metaworlds():
    expert = MendedExpertPolicy()
    expert.begin_episodes(np.array([True]), {"task_name": ["push-v3"], "goal": [[0.0, 0.8, 0.02]]})
    obs = np.random.default_rng(0).uniform(-0.5, 0.5, (1, 39))
    plain = expert_policy()
    plain.begin_episodes(np.array([True]), {"task_name": ["push-v3"], "goal": [[0.0, 0.8, 0.02]]})
    np.testing.assert_array_equal(expert(obs), plain(obs))
