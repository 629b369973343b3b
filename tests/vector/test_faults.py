"""Faults in the middle of use: simulations that break down, Ctrl-C, threads, forks, and the interpreter's end."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import textwrap
import threading
import warnings

import numpy as np
import pytest

import taskworlds
from taskworlds import benchmark
from taskworlds.engine import Model
from taskworlds.worlds.metaworld import native, starts
from taskworlds.worlds.metaworld.model_files import read_spec

CLOCK = ("t", "_t")
HAS_FORK = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


@pytest.fixture(scope="module")
def two_skills():
    return benchmark("custom-mt-envs", envs_list=["drawer-close-v3", "reach-v3"], seed=0, num_goals=4)


@pytest.fixture
def make(two_skills):
    """Makes native environments, and closes them after the test."""
    made = []

    def make(num_envs=3, **keywords):
        keywords = {"seed": 0, "vector_strategy": "native"} | keywords
        made.append(taskworlds.make_vec(two_skills, num_envs, **keywords))
        return made[-1]

    yield make
    for envs in made:
        envs.close()


def actions_at(step, n):
    return np.random.default_rng([5, step]).uniform(-1, 1, (n, 4))


def step(envs, actions, waits):
    """A step in one call, or in its two halves."""
    if waits:
        envs.step_async(actions)
        return envs.step_wait()
    return envs.step(actions)


def run(envs, steps, start=0):
    return [envs.step(actions_at(start + step, envs.num_envs)) for step in range(steps)]


def spoil(envs, row, value):
    """Writes a number into the physics of a row, at a velocity of the arm."""
    envs.rows.engine.states[row, 20] = value


# --- simulations that break down ------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e30])
@pytest.mark.parametrize("waits", [False, True])
def test_a_row_that_diverges_is_named_and_harms_no_other(make, same, bad, waits):
    options = {
        "normalize_observations": True,
        "reward_normalization_method": "gymnasium",
        "max_episode_steps": 9,
    }
    envs, untouched = make(4, **options), make(4, **options)
    for each in (envs, untouched):
        each.reset(seed=3)
        run(each, 3)
    task = envs.current_tasks[2]
    spoil(envs, 2, bad)
    message = rf"The simulation of row 2, step 4, task {task.id} of {task.env_name} diverged \(.*BAD_Q"
    with pytest.warns(RuntimeWarning, match=message) as caught:
        outcome = step(envs, actions_at(3, 4), waits)
    assert len(caught) == 1
    expected = untouched.step(actions_at(3, 4))
    assert outcome[4]["diverged"].tolist() == [0.0, 0.0, 1.0, 0.0]
    others = np.array([True, True, False, True])
    for number in range(4, 12):  # over the end of the episode
        for mine, its in zip(outcome[:4], expected[:4], strict=True):
            assert np.isfinite(mine).all()
            same(mine[others], its[others])
        for row in (0, 1, 3):
            same(envs.row_info(outcome[4], row), envs.row_info(expected[4], row), skip=CLOCK)
        assert envs.observation_space.contains(outcome[0])
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            outcome, expected = envs.step(actions_at(number, 4)), untouched.step(actions_at(number, 4))
        assert not outcome[4]["diverged"].any()


def test_several_rows_that_diverge_are_each_named(make):
    envs = make(3)
    envs.reset(seed=0)
    for row in (0, 2):
        spoil(envs, row, np.nan)
    with pytest.warns(RuntimeWarning) as caught:
        *_, infos = envs.step(np.zeros((3, 4)))
    assert [str(each.message).split(",")[0] for each in caught] == [
        "The simulation of row 0",
        "The simulation of row 2",
    ]
    assert infos["diverged"].tolist() == [1.0, 0.0, 1.0]


def test_a_diverged_row_is_as_new_after_a_reset(make, same):
    envs = make(2)
    first = [envs.reset(seed=0), *run(envs, 3)]
    spoil(envs, 1, np.nan)
    with pytest.warns(RuntimeWarning, match="row 1, step 4"):
        envs.step(np.zeros((2, 4)))
    same([envs.reset(seed=0), *run(envs, 3)], first)


def test_a_warning_that_is_an_error_leaves_a_usable_environment(make, same):
    envs = make(2)
    first = [envs.reset(seed=0), *run(envs, 3)]
    spoil(envs, 1, np.nan)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(RuntimeWarning, match="row 1, step 4"):
            envs.step(np.zeros((2, 4)))
    same([envs.reset(seed=0), *run(envs, 3)], first)


@pytest.fixture
def too_little_memory(monkeypatch):
    """Has MuJoCo raise an error in each step of reach-v3: its model gets too little memory."""
    whole = native.metaworld_model

    def model(asset):
        if "reach" not in str(asset):
            return whole(asset)
        spec = read_spec(asset)
        spec.memory = 40_000
        return Model.from_mujoco(spec.compile())

    monkeypatch.setattr(native, "metaworld_model", model)


def test_an_error_of_mujocos_names_row_step_and_task(make, two_skills, too_little_memory, same):
    envs = make(2)
    drawer, reach = two_skills.train_tasks[0], two_skills.train_tasks[4]
    assert (drawer.env_name, reach.env_name) == ("drawer-close-v3", "reach-v3")
    envs.reset(seed=0, options={"tasks": [drawer, drawer]})
    run(envs, 2)
    fine = [envs.reset(seed=0, options={"tasks": drawer}), *run(envs, 2)]
    envs.reset(seed=0, options={"tasks": [drawer, reach]})
    for waits in (False, True):
        message = rf"MuJoCo could not step row 1, step 1, task {reach.id} of reach-v3: .+"
        with pytest.raises(RuntimeError, match=message):
            step(envs, np.zeros((2, 4)), waits)
        with pytest.raises(RuntimeError, match="No step is under way"):
            envs.step_wait()
        envs.reset(options={"tasks": [drawer, reach]})
    envs.step(np.zeros((2, 4)), [True, False])
    same([envs.reset(seed=0, options={"tasks": drawer}), *run(envs, 2)], fine)


# --- Ctrl-C ---------------------------------------------------------------------------------------------------


class Interrupt:
    """Raises SIGINT's error after some seconds of this process's time, which a busy machine does not stretch."""

    def __init__(self, seconds):
        self.seconds = seconds

    def __enter__(self):
        self.handler = signal.signal(signal.SIGPROF, signal.default_int_handler)
        signal.setitimer(signal.ITIMER_PROF, self.seconds)

    def __exit__(self, *_):
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, self.handler)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs a timer's signal")
@pytest.mark.parametrize("waits", [False, True])
def test_ctrl_c_during_a_step(make, same, waits):
    n = 3000
    envs = make(n)
    first = [envs.reset(seed=0), envs.step(actions_at(0, n))]
    state = envs.get_state()
    expected = envs.step(actions_at(1, n))[:4]
    for mend in (lambda: envs.set_state(state), lambda: envs.reset(seed=0)):
        envs.set_state(state)
        with Interrupt(0.02), pytest.raises(KeyboardInterrupt):
            step(envs, actions_at(1, n), waits)
        for call in (
            lambda: envs.step(actions_at(1, n)),
            lambda: envs.step_async(actions_at(1, n)),
            lambda: envs.reset(options={"reset_mask": np.arange(n) > 0}) and envs.step(actions_at(1, n)),
            envs.get_state,
        ):
            with pytest.raises(
                RuntimeError, match=r"an error stopped step\w*\(\) half-way.* \(rows? 0.* Call reset\(\), or"
            ):
                call()
        mend()
    same(envs.step(actions_at(0, n))[:4], first[1][:4])
    envs.set_state(state)
    same(envs.step(actions_at(1, n))[:4], expected)


@pytest.mark.parametrize("autoreset", ["SameStep", "NextStep", "Disabled"])
def test_ctrl_c_during_a_reset_never_leaves_a_row_between_two_tasks(make, two_skills, monkeypatch, autoreset):
    envs = make(2, autoreset_mode=autoreset)
    one, other = two_skills.train_tasks[4:6]
    envs.reset(options={"tasks": one})
    run(envs, 2)

    def interrupted(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(native, "beginnings", interrupted)
        with pytest.raises(KeyboardInterrupt):
            envs.reset(options={"tasks": other, "reset_mask": [False, True]})
    envs.step(np.zeros((2, 4)), [True, False])
    with pytest.raises(RuntimeError, match=r"an error stopped reset\(\) half-way.* \(row 1\)"):
        envs.step(np.zeros((2, 4)))
    envs.reset(options={"tasks": other, "reset_mask": [False, True]})
    *_, infos = envs.step(np.zeros((2, 4)))
    for row in range(2):
        task = envs.current_tasks[row]
        assert envs.task_ids[row] == task.id
        assert envs.benchmark.tasks("train")[infos["task_index"][row]] == task
        assert infos["goal"][row].tolist() == list(task["rand_vec"][3:])


# --- threads and processes ------------------------------------------------------------------------------------


def rollout(two_skills, seed, steps=30):
    envs = taskworlds.make_vec(two_skills, 3, seed=seed, vector_strategy="native", max_episode_steps=7)
    given = [envs.reset(seed=seed), *run(envs, steps)]
    envs.close()
    return given


def test_two_native_environments_in_two_threads(two_skills, same):
    together = {}
    starts.forget()  # so that both compute the same resets at once
    threads = [
        threading.Thread(target=lambda seed=seed: together.update({seed: rollout(two_skills, seed)}))
        for seed in (1, 2, 1 + 2**20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert starts.kept_bytes() == sum(kept.nbytes for kept in starts._kept.values())
    same(together, {seed: rollout(two_skills, seed) for seed in together}, skip=CLOCK)
    assert len(together) == 3


SETUP = """
import os, pickle, sys
import numpy as np
import taskworlds
from taskworlds import benchmark
def actions_at(step, n):
    return np.random.default_rng([5, step]).uniform(-1, 1, (n, 4))
def numbers(envs, steps, start=0):
    return [[each.tolist() for each in envs.step(actions_at(start + i, envs.num_envs))[:4]] for i in range(steps)]
two = benchmark("custom-mt-envs", envs_list=["drawer-close-v3", "reach-v3"], seed=0, num_goals=4)
def make(n=3, **more):
    return taskworlds.make_vec(two, n, seed=0, vector_strategy="native", max_episode_steps=4, **more)
"""


def check(code, *arguments):
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", SETUP + textwrap.dedent(code), *arguments],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    return done.stdout


@HAS_FORK
def test_a_forked_child_goes_on_with_its_parents_environment():
    out = check("""
        import multiprocessing
        def child(envs, sender):
            sender.send((numbers(envs, 12, 2), envs.reset(seed=3)[0].tolist()))
        envs = make(num_threads=2)
        envs.reset(seed=0)
        numbers(envs, 2)
        receiver, sender = multiprocessing.Pipe(duplex=False)
        process = multiprocessing.get_context("fork").Process(target=child, args=(envs, sender))
        process.start()
        mine = (numbers(envs, 12, 2), envs.reset(seed=3)[0].tolist())
        its = receiver.recv()
        process.join()
        print(process.exitcode, its == mine)
    """)
    assert out == "0 True\n"


@HAS_FORK
def test_a_child_forked_while_a_step_is_under_way_is_told():
    out = check("""
        envs = make(200)
        envs.reset(seed=0)
        envs.step_async(np.zeros((200, 4)))
        pid = os.fork()
        if pid == 0:
            try:
                envs.step_wait()
            except RuntimeError as error:
                assert "forked while a step was under way" in str(error), error
            else:
                os._exit(1)
            envs.reset(seed=1)
            os.write(1, f"{np.isfinite(envs.step(np.zeros((200, 4)))[0]).all()}\\n".encode())
            os._exit(0)
        envs.step_wait()
        print(os.waitpid(pid, 0)[1])
    """)
    assert out == "True\n0\n"


@HAS_FORK
@pytest.mark.parametrize("names", [["reach-v3"], ["reach-v3", "half-cheetah-vel"]])
def test_a_child_forked_while_rows_are_under_way_is_told(names):
    out = check(
        """
        envs = taskworlds.make_vec(sys.argv[1:], 40, pad=True, batch_size=30, num_threads=2, seed=0)
        envs.reset(seed=0)
        actions = np.zeros(envs.action_space.shape)
        envs.send(actions, np.arange(40))
        pid = os.fork()
        if pid == 0:
            try:
                envs.recv()
            except RuntimeError as error:
                assert "forked while rows were under way" in str(error), error
            else:
                os._exit(1)
            envs.reset(seed=1)
            for rows in (np.arange(3), np.arange(3, 40)):  # at first none of another world
                envs.send(actions[rows], rows)
                assert len(envs.recv().rows) == min(len(rows), 30)
            envs.close()
            os._exit(0)
        print(len(envs.recv().rows), len(envs.recv().rows), os.waitpid(pid, 0)[1])
        """,
        *names,
    )
    assert out == "30 10 0\n"


def test_a_pickled_environment_goes_on_in_a_fresh_process(make, tmp_path):
    envs = make(3, max_episode_steps=4, normalize_observations=True)
    envs.reset(seed=0)
    run(envs, 3)
    (tmp_path / "envs").write_bytes(pickle.dumps(envs))
    expected = [[each.tolist() for each in step[:4]] for step in run(envs, 9, start=3)]
    (tmp_path / "expected").write_bytes(pickle.dumps(expected))
    code = """
        from pathlib import Path
        envs, expected = (pickle.loads((Path(sys.argv[1]) / name).read_bytes()) for name in ("envs", "expected"))
        print(numbers(envs, 9, 3) == expected)
    """
    assert check(code, str(tmp_path)) == "True\n"


@pytest.mark.parametrize("ending", ["", "sys.exit(0)", "envs.close()", "del envs", "envs.me = envs"])
def test_exit_while_a_step_is_under_way(ending):
    check(f"""
        envs = make(500)
        envs.reset(seed=0)
        envs.step_async(np.zeros((500, 4)))
        {ending}
    """)


def test_closing_while_a_step_is_under_way(make):
    envs = make()
    envs.reset(seed=0)
    envs.step_async(np.zeros((3, 4)))
    envs.close()
    with pytest.raises(RuntimeError, match="No step is under way"):
        envs.step_wait()
    with pytest.raises(RuntimeError, match="this one was closed"):
        envs.step(np.zeros((3, 4)))


# --- threads that there is no room for ------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["reach-v3", "half-cheetah-vel"])
@pytest.mark.parametrize("count", [2**12 + 1, 2**31, 2**63])
def test_more_threads_than_any_machine_has(name, count):
    with pytest.raises(ValueError, match=f"num_threads must be at most 4096, not {count}"):
        taskworlds.make_vec(name, 2, num_threads=count).reset()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc")
def test_too_little_room_for_threads():
    out = check("""
        import resource
        envs = make(50, num_threads=40)
        envs.reset(seed=0)
        used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + 60 * 2**20,) * 2)
        try:
            envs.step(np.zeros((50, 4)))
        except RuntimeError as error:
            print(error)
    """)
    assert "num_threads asks for 40 threads, and the system lets this process have no more than" in out
    assert "make the environment with fewer" in out


# --- one call at a time -----------------------------------------------------------------------------------------


def test_a_call_around_a_call_is_refused(make, same):
    envs = make(2, task_select=lambda tasks, rng: (calls.pop()(), tasks[0])[1])
    calls = [lambda: None] * 2
    envs.reset(seed=0)
    state = envs.get_state()
    expected = envs.step(np.zeros((2, 4)))[:4]
    for call in (envs.get_state, envs.reset, lambda: envs.step(np.zeros((2, 4))), envs.close, envs.step_wait):
        calls[:] = [lambda: None, call]
        with pytest.raises(
            RuntimeError, match=r"\(\) is not possible now: reset\(\) is under way.* one call at a time"
        ):
            envs.reset()
        with pytest.raises(
            RuntimeError,
            match=r"get_state\(\) is not possible now: Ctrl-C or an error stopped reset\(\) half-way",
        ):
            envs.get_state()
        envs.set_state(state)
        same(envs.step(np.zeros((2, 4)))[:4], expected)


def test_the_guard_of_a_forked_child_is_free(make):
    out = check("""
        import threading
        envs = make(400, num_threads=1)
        envs.reset(seed=0)
        thread = threading.Thread(target=lambda: envs.step(np.zeros((400, 20, 4))))
        thread.start()
        while not envs.guard.turn.locked():
            pass
        pid = os.fork()
        if pid == 0:
            try:
                envs.step(np.zeros((400, 4)))
            except RuntimeError as error:
                os.write(1, str(error).encode()[:50] + b"\\n")
            envs.reset(seed=0)
            os._exit(0)
        thread.join()
        print(os.waitpid(pid, 0)[1])
    """)
    assert out == "another step is not possible now: Ctrl-C or an err\n0\n"
