"""Batches of several worlds on the engine "ray": to the last bit what they are in this process."""

from __future__ import annotations

import contextlib
import os
import signal
import time

import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector import AutoresetMode

import taskworlds
from taskworlds import Benchmark, BenchmarkMaker, Task, World, benchmark, evaluate
from taskworlds.core.registry import temporarily_registered
from taskworlds.rows.numpy_rows import NumpyRows

ray = pytest.importorskip("ray")

from taskworlds.rows import ray_rows  # noqa: E402

pytestmark = pytest.mark.usefixtures("ray_here")

MEMBERS = (benchmark("reach-v3", num_goals=3), "half-cheetah-vel", benchmark("point", num_goals=4))
ROWS = (3, 1, 2)
N = sum(ROWS)
LIMIT = 4  # steps of an episode, so that some end within each test


@pytest.fixture
def make():
    """Makes a batch, on workers if it is told how many; closed after the test."""
    with contextlib.ExitStack() as stack:

        def made(workers, rows=ROWS, **options):
            options = {"max_episode_steps": LIMIT, "pad": True} | options
            if workers:
                how = {"num_workers": workers, "cpus_per_worker": 0.25}
                options |= {"vector_strategy": "ray", "engine_options": how}
            mixture = Benchmark.union("mixture", MEMBERS, shares=rows)
            return stack.enter_context(contextlib.closing(taskworlds.make_vec(mixture, sum(rows), **options)))

        yield made


def actions(step, envs, *shape):
    return np.random.default_rng([2, step]).uniform(-1, 1, (envs.num_envs, *shape, 6))


def play(envs, steps, first=0):
    """Steps all rows; some of them only in every third step."""
    some = np.arange(envs.num_envs) % 2 == 0
    return [
        envs.step(actions(step, envs), some if step % 3 == 2 else None)
        for step in range(first, first + steps)
    ]


def worker_of(envs, part):
    return envs.rows._parts[part]._worker


def kill(envs, part):
    """Ends a worker, and waits until it is gone."""
    pid = worker_of(envs, part).place.pid
    os.kill(pid, signal.SIGKILL)
    end = time.monotonic() + 60
    while os.path.exists(f"/proc/{pid}"):
        with contextlib.suppress(OSError), open(f"/proc/{pid}/stat") as file:
            if file.read().rpartition(")")[2].split()[0] == "Z":
                return
        assert time.monotonic() < end, "a worker's process is still there"
        time.sleep(0.05)


@pytest.mark.parametrize("workers", [2, 4])
def test_equal_to_one_process_for_any_number_of_workers(make, alike, workers):
    """Two workers have rows of several worlds, four have some of one world alone."""
    there, here = make(workers), make(0)
    assert len(there.rows._parts) == workers
    assert (there.strategy, here.strategy) == ("ray", "native, numpy")
    assert there.worlds == here.worlds
    alike(there.reset(seed=1), here.reset(seed=1))
    alike(play(there, 10), play(here, 10))
    alike(there.rows.goals, here.rows.goals)
    for envs in (there, here):
        envs.step_async(actions(20, envs))
    alike(there.step_wait(), here.step_wait())
    mask = {"reset_mask": np.arange(N) % 4 == 3}
    alike(there.reset(options=mask), here.reset(options=mask))
    alike(play(there, 3, 30), play(here, 3, 30))


@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.DISABLED])
def test_the_other_autoreset_modes(make, alike, mode):
    options = {"autoreset_mode": mode, "normalize_observations": True, "record_episode_statistics": True}
    there, here = make(3, **options), make(0, **options)
    alike(there.reset(seed=1), here.reset(seed=1))
    for first in range(0, 2 * LIMIT, LIMIT):
        for step in range(first, first + LIMIT):
            alike(there.step(actions(step, there)), here.step(actions(step, here)))
        if mode is AutoresetMode.DISABLED:
            ended = {"reset_mask": np.ones(N, dtype=np.bool_)}
            alike(there.reset(options=ended), here.reset(options=ended))


def test_snapshots_are_those_of_one_process_and_of_any_number_of_workers(make, alike):
    there, here, four, one = make(2), make(0), make(4), make(1)
    for envs in (there, here):
        envs.reset(seed=2)
        play(envs, 2)
    snapshots = [there.get_state(), here.get_state()]
    expected = play(here, 6, 10)
    for envs in (there, here, four, one):
        for snapshot in snapshots:
            envs.set_state(snapshot)
            alike(play(envs, 6, 10), expected)
    source = [2, 0, 0, 3, 5, 4]
    here.set_state(snapshots[0], source)
    expected = play(here, 6, 10)
    for envs in (there, four):
        for snapshot in snapshots:
            envs.set_state(snapshot, source)
            alike(play(envs, 6, 10), expected)
    with pytest.raises(ValueError, match=r"Row 0 serves Meta-World, and row 3 of the state half-cheetah-vel"):
        there.set_state(snapshots[1], [3, 0, 0, 3, 4, 5])
    alike(play(there, 2, 20), play(here, 2, 20))
    shared, again = make(2, rows=(2, 2, 2)), make(0, rows=(2, 2, 2))
    for envs in (shared, again):
        envs.set_state(snapshots[0], rows=[0, 2, 3, 3, 4, 5])
    alike(play(shared, 6, 10), play(again, 6, 10))


def test_a_lost_worker_changes_nothing(make, alike, monkeypatch):
    monkeypatch.setattr(ray_rows, "MOST_CALLS", 3)
    there, here = make(2), make(0)
    alike(there.reset(seed=3), here.reset(seed=3))
    alike(play(there, 5), play(here, 5))
    for part in (0, 1):
        kill(there, part)
        with pytest.warns(RuntimeWarning, match=r"The worker with rows \d to \d was lost"):
            alike(play(there, 5, 5), play(here, 5, 5))
    kill(there, 1)
    with pytest.warns(RuntimeWarning, match="was lost"):
        here.set_state(there.get_state())
    alike(play(there, 3, 10), play(here, 3, 10))


@pytest.mark.requires_dm_control
def test_pictures(alike, monkeypatch):
    size = {"width": 24, "height": 16, "observation": "state+pixels"}
    names = ["reach-v3", "walker-walk"]
    how = {"num_workers": 2, "cpus_per_worker": 0.25}
    there, here = (
        taskworlds.make_vec(names, 2, pad=True, **size, **on)
        for on in ({"vector_strategy": "ray", "engine_options": how}, {})
    )
    with contextlib.closing(there), contextlib.closing(here):
        alike(there.reset(seed=0), here.reset(seed=0))
        acts = np.zeros((2, 6))
        alike(there.step(acts), here.step(acts))
    monkeypatch.setattr("taskworlds.rendering.offscreen.check_window", lambda: None)  # no window is opened
    with pytest.raises(ValueError, match='render_mode must not be "human" for the engine "ray"'):
        taskworlds.make_vec(
            ["half-cheetah-vel", "ant-dir"], 2, pad=True, render_mode="human", vector_strategy="ray"
        )


def test_more_workers_than_there_are_processors():
    with pytest.raises(ValueError, match="num_workers must be at most 4, not 5"):
        taskworlds.make_vec(
            ["reach-v3", "point"], 6, pad=True, vector_strategy="ray", engine_options={"num_workers": 5}
        )
    with pytest.raises(TypeError, match="must not have 'num_threads'"):
        taskworlds.make_vec(
            ["reach-v3", "point"], 6, pad=True, vector_strategy="ray", engine_options={"num_threads": 5}
        )


# --- a world that workers do not know ---------------------------------------------------------------------------------


class CounterRows(NumpyRows):
    """Rows that add up their actions."""

    arrays = ("sums",)

    def __init__(self, env_names, num_rows):
        super().__init__(num_rows, goal_size=1)
        self.sums = np.zeros((num_rows, 2))

    def begin(self, rows, tasks, seeds):
        self.sums[rows] = 0
        self.goals[rows, 0] = [task["goal"] for task in tasks]

    def advance(self, actions, rows):
        self.sums[rows] += actions[rows]
        return self.sums[:, 0] - self.goals[:, 0], {"far": np.abs(self.sums[:, 1])}, None

    def observe(self):
        return self.sums.copy()


def counter_tasks(seed, num_goals):
    return tuple(Task("counter", {"goal": float(goal)}) for goal in range(num_goals or 2)), ()


COUNTER = World(
    name="counter",
    suite="tests",
    skills=("counter",),
    actions=spaces.Box(-0.5, 0.5, (2,), np.float64),
    observations=spaces.Box(-9.0, 9.0, (2,), np.float64),
    max_episode_steps=10,
    benchmarks={"counter": BenchmarkMaker(counter_tasks, num_goals=2)},
    rows={"numpy": CounterRows},
    goal_size=1,
)


def test_batches_and_evaluations_with_a_registered_world(alike):
    with temporarily_registered(COUNTER):
        mixture = Benchmark.union("mixture", [*MEMBERS, "counter"])
        how = {"pad": True, "max_episode_steps": LIMIT}
        on = {"vector_strategy": "ray", "engine_options": {"num_workers": 2, "cpus_per_worker": 0.25}}
        there, here = (taskworlds.make_vec(mixture, 5, **how, **each) for each in (on, {}))
        with contextlib.closing(there), contextlib.closing(here):
            alike(there.reset(seed=0), here.reset(seed=0))
            alike(play(there, 6), play(here, 6))
        how = {"split": "train", "max_episode_steps": 5, "episodes_per_task": 2}
        result = evaluate("random", mixture, **how)
        assert evaluate("random", mixture, workers=2, **how) == result
        assert {each.task.env_name for each in result.tasks} == {
            "reach-v3",
            "half-cheetah-vel",
            "point",
            "counter",
        }
