"""The engine "ray": rows in workers give what rows here give, to the last bit, also when workers are lost."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import subprocess
import time
import warnings

import gymnasium as gym
import numpy as np
import pytest

import taskworlds
from taskworlds import BenchmarkMaker, Task, World
from taskworlds.core.processes import python_command
from taskworlds.core.registry import engine, temporarily_registered
from taskworlds.rows.numpy_rows import NumpyRows
from taskworlds.rows.protocol import RowFault
from taskworlds.rows.python_row import PythonRow
from taskworlds.testing import check_engine

ray = pytest.importorskip("ray")

from taskworlds.rows import ray_rows  # noqa: E402

pytestmark = pytest.mark.usefixtures("ray_here")

N = 6
LIMIT = 4  # steps of an episode, so that some end within each test
SKILLS = ["drawer-close-v3", "reach-v3"]


@pytest.fixture
def make():
    """Makes a batch, on workers unless it is told otherwise; closed after the test."""
    with contextlib.ExitStack() as stack:

        def made(name="custom-mt-envs", num_envs=N, *, workers=2, **options):
            options = {"max_episode_steps": LIMIT} | options
            if name == "custom-mt-envs":
                options |= {"envs_list": SKILLS, "num_goals": 5}
            if workers:
                how = {"num_workers": workers, "cpus_per_worker": 0.5}
                options |= {"vector_strategy": "ray", "engine_options": how}
            return stack.enter_context(contextlib.closing(taskworlds.make_vec(name, num_envs, **options)))

        yield made


@pytest.fixture(scope="module")
def pair():
    """A batch on two workers and the same one in this process, for tests that reset both."""
    common = {"envs_list": SKILLS, "num_goals": 5, "max_episode_steps": LIMIT}
    how = {"num_workers": 2, "cpus_per_worker": 0.5}
    with (
        contextlib.closing(
            taskworlds.make_vec("custom-mt-envs", N, vector_strategy="ray", engine_options=how, **common)
        ) as there,
        contextlib.closing(taskworlds.make_vec("custom-mt-envs", N, num_threads=1, **common)) as here,
    ):
        yield there, here


def actions(step, envs):
    """A batch of actions, the same for equal spaces."""
    space = envs.action_space
    space.seed(step)
    return space.sample()


def play(envs, steps, first=0):
    """Steps all rows; some of them only in every third step."""
    some = np.arange(envs.num_envs) % 2 == 0
    return [
        envs.step(actions(step, envs), some if step % 3 == 2 else None)
        for step in range(first, first + steps)
    ]


def parts(envs):
    return envs.rows._parts


def pids(envs):
    return [part._worker.place.pid for part in parts(envs)]


def have_lines(envs):
    return [part._line is not None for part in parts(envs)]


def wait_until_gone(*processes):
    """Waits until processes have ended."""
    end = time.monotonic() + 30
    while any(map(is_alive, processes)):
        assert time.monotonic() < end, "a worker's process is still there"
        time.sleep(0.05)


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


# --- the same as in this process --------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [1, 3])
def test_equal_to_one_process(make, alike, workers):
    there, here = make(workers=workers), make(workers=0)
    alike(there.reset(seed=1), here.reset(seed=1))
    alike(play(there, 10), play(here, 10))
    assert have_lines(there) == [True] * workers
    for envs in (there, here):
        envs.step_async(actions(20, envs))
    alike(there.step_wait(), here.step_wait())
    mask = {"reset_mask": np.arange(N) == 1}
    alike(there.reset(options=mask), here.reset(options=mask))
    alike(play(there, 3, 30), play(here, 3, 30))


def test_snapshots_are_those_of_the_engine_inside_and_of_any_number_of_workers(make, pair, alike):
    there, here = pair
    three = make(workers=3)
    for envs in (there, here):
        envs.reset(seed=2)
        play(envs, 2)
    snapshots = [envs.get_state() for envs in pair]
    expected = play(here, 6, 10)
    for envs in (there, here, three):
        for snapshot in snapshots:
            envs.set_state(snapshot)
            alike(play(envs, 6, 10), expected)
    source = [5, 0, 0, 2, 4, 4]
    here.set_state(snapshots[1], source)
    expected = play(here, 6, 10)
    for envs in (there, three):
        envs.set_state(snapshots[0], source)
        alike(play(envs, 6, 10), expected)
    with pytest.raises(
        ValueError, match="engine is 'official' in the state and 'native' in this environment"
    ):
        there.set_state(make(workers=0, vector_strategy="sync").get_state())
    alike(play(there, 2, 20), play(here, 2, 20))


class CounterRows(NumpyRows):
    """Rows that count; a fault is reported of rows that pass 3."""

    arrays = ("count",)

    def __init__(self, env_names, num_rows):
        super().__init__(num_rows, goal_size=1)
        self.count = np.zeros(num_rows, dtype=np.int64)

    def begin(self, rows, tasks, seeds):
        self.count[rows] = seeds % 3
        self.goals[rows, 0] = [task["goal"] for task in tasks]

    def advance(self, actions, rows):
        self.count[rows] += actions[rows]
        near = (self.count >= self.goals[:, 0]).astype(np.float64)
        return -1.0 * self.count, {"near": near}, self.count >= 4

    def step(self, actions, rows):
        step = super().step(actions, rows)
        passed = np.flatnonzero(rows & (self.count > 3)).tolist()
        return step._replace(faults=[RowFault(row, "too many", went_on=True) for row in passed])

    def observe(self):
        return {"count": np.minimum(self.count, 8), "name": tuple(map(str, self.count))}


def counter_tasks(seed, num_goals):
    return tuple(Task("counter", {"goal": float(goal)}) for goal in range(num_goals or 3)), ()


COUNTER = World(
    name="counter",
    suite="tests",
    skills=("counter",),
    actions=gym.spaces.Discrete(3),
    observations=gym.spaces.Dict(count=gym.spaces.Discrete(9), name=gym.spaces.Text(2, min_length=0)),
    max_episode_steps=10,
    benchmarks={"counter": BenchmarkMaker(counter_tasks, num_goals=3)},
    rows={"numpy": CounterRows},
    goal_size=1,
)


def test_a_registered_world_with_other_spaces_and_with_faults(make, alike):
    with temporarily_registered(COUNTER):
        there, here = make("counter", max_episode_steps=9), make("counter", workers=0, max_episode_steps=9)
        alike(there.reset(seed=0), here.reset(seed=0))
        told = []
        for envs in (there, here):
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                told.append((play(envs, 12), [str(each.message) for each in caught]))
        alike(*told)
        assert any("row 4" in each and "too many" in each for each in told[0][1])
        assert have_lines(there) == [False, False]  # a text is not an array


class LampRow(PythonRow):
    """A lamp to be switched, of a brightness that can be set."""

    action_space = gym.spaces.Discrete(2)
    observation_space = gym.spaces.Dict(
        lit=gym.spaces.MultiBinary(2), light=gym.spaces.Box(0, 9, (1,), np.float32)
    )
    brightness = 1.0

    def __init__(self):
        self.brightness = 1.0
        self.lit = 0

    def begin(self, task, seed):
        self.lit = int(seed % 2)
        return self.seen(), {}

    def advance(self, action):
        self.lit = int(action)
        return self.seen(), self.brightness * self.lit, False, {}

    def seen(self):
        light = np.array([self.brightness * self.lit], dtype=np.float32)
        return {"lit": np.array([self.lit, 1 - self.lit], dtype=np.int8), "light": light}

    def brighten(self, much):
        if much < 0:
            raise KeyError("much")
        self.brightness += much
        return self.brightness


def lamp_tasks(seed, num_goals):
    return (Task("lamp", {}),), ()


LAMP = World(
    name="lamp",
    suite="tests",
    skills=("lamp",),
    actions=LampRow.action_space,
    observations=LampRow.observation_space,
    max_episode_steps=10,
    benchmarks={"lamp": BenchmarkMaker(lamp_tasks, num_goals=1)},
    row=LampRow,
)


def test_attributes_and_methods_of_python_rows(make, alike):
    with temporarily_registered(LAMP):
        there, here = make("lamp"), make("lamp", workers=0, vector_strategy="sync")
        outcomes = []
        for envs in (there, here):
            seen = [envs.reset(seed=0), *play(envs, 2)]
            rows = envs.rows
            rows.set_attr("brightness", [1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
            seen += [rows.get_attr("brightness"), rows.call("brighten", much=0.5), *play(envs, 3)]
            for call in (rows.call, rows.get_attr, lambda name, rows=rows: rows.set_attr(name, [1] * N)):
                with pytest.raises(AttributeError, match="no_such"):
                    call("no_such")
            with pytest.raises(KeyError, match="much"):
                rows.call("brighten", -1)
            seen += play(envs, 3)
            outcomes.append(seen)
        alike(*outcomes)
        assert have_lines(there) == [True, True]
        with pytest.raises(TypeError, match="What is given to call must be something that can be pickled"):
            there.rows.call("brighten", (each for each in ()))
        kill(there, 0)  # the brightness is a part of the state
        with pytest.warns(RuntimeWarning, match="was lost"):
            alike(play(there, 3), play(here, 3))


def test_pictures(make, alike):
    there, here = (
        make("reach-v3", 2, workers=each, render_mode="rgb_array", width=32, height=24) for each in (1, 0)
    )
    for envs in (there, here):
        envs.reset(seed=0)
    alike(there.render(), here.render())


@pytest.mark.parametrize("why", ["on another machine", "no such memory", "not reachable"])
def test_messages_where_memory_cannot_be_shared(make, monkeypatch, alike, why):
    if why == "on another machine":
        monkeypatch.setattr(ray_rows, "own_node", lambda: "another")
    elif why == "no such memory":
        monkeypatch.delattr(os, "memfd_create")
    else:
        monkeypatch.setattr(os, "getpid", lambda: 1)  # as in another namespace of processes
    there, here = make("grid-4x4", max_episode_steps=9), make("grid-4x4", workers=0, max_episode_steps=9)
    alike(there.reset(seed=0), here.reset(seed=0))
    alike(play(there, 12), play(here, 12))
    assert have_lines(there) == [False, False]


# --- losses -----------------------------------------------------------------------------------------------------


def kill(envs, part, by_ray=False):
    """Ends a worker, and waits until it is gone."""
    pid = pids(envs)[part]
    if by_ray:
        ray.kill(parts(envs)[part]._worker._actor)
    else:
        os.kill(pid, signal.SIGKILL)
    wait_until_gone(pid)


def lose_within(envs, part, call):
    """Has a worker lost while it is at a call, and returns the call's outcome."""
    pid = pids(envs)[part]
    os.kill(pid, signal.SIGSTOP)
    began = parts(envs)[part]._worker.begin

    def begin(*args, **kwargs):
        began(*args, **kwargs)
        with contextlib.suppress(ProcessLookupError):  # a step under SAME_STEP may begin a reset, too
            os.kill(pid, signal.SIGKILL)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parts(envs)[part]._worker, "begin", begin)
        return call()


def test_lost_workers_change_nothing(pair, monkeypatch, alike):
    monkeypatch.setattr(ray_rows, "MOST_CALLS", 3)
    there, here = pair
    calls = []

    def both(call, lose=None):
        """Makes a call on both batches, where `lose` loses a worker before or within it, and compares."""
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            ours = call(there) if lose is None else lose(call)
        alike(ours, call(here))
        lost = [each for each in told if "was lost" in str(each.message)]
        assert len(lost) == (lose is not None)
        calls.append([part._worker.num_calls for part in parts(there)])
        return [str(each.message) for each in lost]

    def before(part, **how):
        def lose(call):
            kill(there, part, **how)
            return call(there)

        return lose

    def within(part):
        return lambda call: lose_within(there, part, lambda: call(there))

    both(lambda envs: envs.reset(seed=3))
    both(lambda envs: play(envs, 1))
    (told,) = both(lambda envs: play(envs, 2, 1), before(0))
    assert "The worker with rows 0 to 2 was lost on node" in told
    both(lambda envs: play(envs, 5, 3), within(1))
    both(lambda envs: play(envs, 2, 8), before(1, by_ray=True))
    both(lambda envs: envs.reset(), within(0))
    both(lambda envs: play(envs, 4, 10))
    snapshot = here.get_state()
    both(lambda envs: [envs.set_state(snapshot, [1, 1, 5, 4, 4, 0])], within(1))
    both(lambda envs: play(envs, 5, 20))
    assert have_lines(there) == [True, True]
    assert (
        max(map(max, calls)) <= 3 + 3
    )  # bounded, whatever is played: an outcome may need two resets beside the step


def test_a_worker_that_is_lost_twice_in_one_step(pair, monkeypatch, alike):
    there, here = pair
    for envs in pair:
        envs.reset(seed=4)
        play(envs, 3)
    there.step_async(actions(9, there))
    here.step_async(actions(9, here))
    worker = parts(there)[0]._worker
    launch, launched = worker._launch, []

    def launch_and_lose():
        launch()
        if not launched:
            launched.append(True)
            ray.kill(worker._actor)

    kill(there, 0)
    monkeypatch.setattr(worker, "_launch", launch_and_lose)
    with pytest.warns(RuntimeWarning, match="was lost") as told:
        alike(there.step_wait(), here.step_wait())
    monkeypatch.undo()
    assert len([each for each in told if "was lost" in str(each.message)]) == 2
    alike(play(there, 3), play(here, 3))


# --- Ctrl-C, and the end ------------------------------------------------------------------------------------------


@contextlib.contextmanager
def interrupted_while_stopped(envs):
    """Stops the workers; Ctrl-C comes after a while, and ends the block with KeyboardInterrupt."""
    processes = pids(envs)
    for pid in processes:
        os.kill(pid, signal.SIGSTOP)

    def interrupt(*_):
        for pid in processes:
            os.kill(pid, signal.SIGCONT)
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 1.0)
    try:
        with pytest.raises(KeyboardInterrupt):
            yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_calls_that_are_interrupted(pair, alike):
    there, here = pair
    for call in (lambda _: there.step(actions(0, there)), lambda _: there.reset(), there.set_state):
        for envs in pair:
            envs.reset(seed=5)
            play(envs, 2)
        snapshot = here.get_state()
        with interrupted_while_stopped(there):
            call(snapshot)
        with pytest.raises(RuntimeError, match=r"stopped .* half-way"):
            there.step(actions(1, there))
        there.set_state(snapshot)
        alike(play(there, 3, 3), play(here, 3, 3))
    rows = there.rows
    every = np.ones(N, dtype=np.bool_)
    with interrupted_while_stopped(there):
        rows.step_async(actions(1, there), every)
        rows.step_wait()
    with contextlib.suppress(RuntimeError):
        rows.step_wait()  # ends what is under way, as the protocol has it
    with pytest.raises(RuntimeError, match="No step is under way"):
        rows.step_wait()


def test_a_batch_that_is_closed_or_forgotten_leaves_no_process(make):
    closed, forgotten = make("grid-4x4"), make("grid-4x4", workers=1)
    for envs in (closed, forgotten):
        envs.reset(seed=0)
        play(envs, 3)
    ended = pids(closed)
    closed.close()
    closed.close()
    wait_until_gone(*ended)
    rows = engine("ray").make(
        closed.world, ["grid-4x4"], 2, {}, {"num_workers": 1, "cpus_per_worker": 0.5, "address": None}
    )
    (part,) = rows._parts
    pid = part._worker.place.pid
    del rows, part
    gc.collect()
    wait_until_gone(pid)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"num_workers": 9}, ValueError, "num_workers must be at most 4, not 6: Ray has 4 processors here"),
        ({"num_workers": 0}, ValueError, "num_workers must be at least 1, not 0"),
        (
            {"cpus_per_worker": 1.5},
            ValueError,
            "cpus_per_worker must be above 0, and a whole number if it is above 1",
        ),
        (
            {"workers": 2},
            TypeError,
            "must not have 'workers'. It takes: num_workers, cpus_per_worker, address",
        ),
        ({"address": "10.0.0.1"}, ValueError, "not at '10.0.0.1'"),
    ],
)
def test_options_that_cannot_be_used(options, error, message):
    with pytest.raises(error, match=message):
        taskworlds.make_vec("point", N, vector_strategy="ray", engine_options=options)


def test_no_windows():
    with pytest.raises(ValueError, match='render_mode must not be "human"'):
        engine("ray").make(COUNTER, ["counter"], 1, {"render_mode": "human"}, {})


# --- several machines ---------------------------------------------------------------------------------------------


CLUSTER = """
import warnings
import numpy as np, ray, taskworlds
from ray.cluster_utils import Cluster

cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
away = cluster.add_node(num_cpus=2)
ray.init(address=cluster.address)
common = {"envs_list": ["drawer-close-v3", "reach-v3"], "num_goals": 5, "max_episode_steps": 4}
here = taskworlds.make_vec("custom-mt-envs", 6, **common)
how = {"num_workers": 3, "cpus_per_worker": 1, "address": cluster.address}
there = taskworlds.make_vec("custom-mt-envs", 6, vector_strategy="ray", engine_options=how, **common)
actions = np.random.default_rng(0).uniform(-1, 1, (30, 6, 4))


def both(steps):
    for each in actions[steps]:
        for ours, expected in zip(there.step(each), here.step(each)):
            if not isinstance(ours, dict):
                assert np.array_equal(ours, expected)


def told():
    nodes = {part._worker.place.node_id == away.node_id for part in there.rows._parts}
    return nodes, sum(part._line is not None for part in there.rows._parts)


assert np.array_equal(there.reset(seed=0)[0], here.reset(seed=0)[0])
both(slice(0, 10))
print(*told())
cluster.add_node(num_cpus=2)
cluster.remove_node(away)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    both(slice(10, 30))
print(told()[0], sum("was lost on node" in str(each.message) for each in caught))
there.close()
ray.shutdown()
cluster.shutdown()
"""


@pytest.mark.slow
def test_workers_on_other_nodes_and_a_node_that_is_lost():
    ran = subprocess.run(python_command(CLUSTER), capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines()[:2] == ["{False, True} 1", "{False} 2"]


# --- the conformance suite ----------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    ("world", "workers"), [("reach-v3", 3), ("half-cheetah-vel", 2), ("point", 2), ("grid-4x4", 3)]
)
def test_every_check_of_engines_passes(world, workers):
    options = {"num_workers": workers, "cpus_per_worker": 0.25, "address": None}
    check_engine(engine("ray"), world=world, options=options).raise_if_failed()


@pytest.mark.slow
@pytest.mark.requires_dm_control
def test_every_check_of_engines_passes_on_dm_control():
    options = {"num_workers": 2, "cpus_per_worker": 0.25}
    check_engine(engine("ray"), world="hopper-hop", options=options).raise_if_failed()
