"""Starts that are computed ahead: in time, with the numbers of those that are not, and never in anybody's way."""

import os

import numpy as np
import pytest

import taskworlds
from taskworlds.worlds.metaworld import sims, starts
from taskworlds.worlds.metaworld.skills import skill
from taskworlds.worlds.metaworld.starts import Key

SKILLS = ("door-open-v3", "reach-v3", "window-close-v3", "bin-picking-v3")
LIMIT = 24


@pytest.fixture(scope="module")
def many():
    """More goals than any run here uses, so that nearly each episode has one not seen before."""
    return taskworlds.benchmark("custom-mt-envs", envs_list=list(SKILLS), seed=0, num_goals=200)


@pytest.fixture
def make(many):
    """Makes environments that find nothing kept from before, and closes them after the test."""
    made = []

    def make(num_threads, **keywords):
        starts.forget()
        keywords = {"seed": 3, "max_episode_steps": LIMIT, "task_select": "random"} | keywords
        made.append(taskworlds.make_vec(many, 4, num_threads=num_threads, **keywords))
        return made[-1]

    yield make
    for envs in made:
        envs.close()


def actions_at(step):
    return np.random.default_rng([7, step]).uniform(-1, 1, (4, 4))


def run(envs, steps, first=0):
    told = []
    for step in range(first, first + steps):
        obs, rewards, *_ = envs.step(actions_at(step))
        told.append((obs, rewards, envs.task_ids.tolist()))
    return told


def same(ones, others):
    assert len(ones) == len(others)
    for (obs, rewards, ids), (other_obs, other_rewards, other_ids) in zip(ones, others, strict=True):
        np.testing.assert_array_equal(obs, other_obs)
        np.testing.assert_array_equal(rewards, other_rewards)
        assert ids == other_ids


def computed(monkeypatch):
    """Notes the keys of all starts whose second half is computed."""
    keys, ended = [], starts.ended

    def noting(key, half):
        keys.append(key)
        return ended(key, half)

    monkeypatch.setattr(starts, "ended", noting)
    return keys


def next_tasks(envs):
    """What the rows' next tasks will be, by drawing them in a copy."""
    keywords = {"seed": 0, "max_episode_steps": LIMIT, "task_select": "random"}
    copy = taskworlds.make_vec(envs.benchmark, 4, num_threads=1, **keywords)
    copy.set_state(envs.get_state())
    copy.reset()
    tasks = copy.current_tasks
    copy.close()
    return tasks


@pytest.mark.parametrize("mode", ["NextStep", "SameStep"])
@pytest.mark.parametrize("select", ["random", "pseudorandom", "round_robin"])
def test_all_is_there_before_the_episode_ends(make, monkeypatch, mode, select):
    envs = make(2, autoreset_mode=mode, task_select=select)
    envs.reset(seed=1)
    keys = computed(monkeypatch)
    steps = 0  # of the present episode
    late = []  # how many starts of an episode were not there when the one before it ended
    for _ in range(12):
        run(envs, LIMIT - 1 - steps)
        ahead = set(keys)
        run(envs, 2)  # the last step of the episode, and the beginning of the next one, or its first step
        steps = 1 if mode == "SameStep" else 0
        if select == "pseudorandom":
            envs.sample_tasks()  # without which such rows keep their tasks
            steps = 0
        late.append(len({Key(skill(task.env_name), task["rand_vec"]) for task in envs.current_tasks} - ahead))
    # Where the system takes the processor from a thread that is at a start, for some of the few ms that an episode
    # lasts here, this start is late.
    assert late.count(0) > 6, late


@pytest.mark.parametrize("num_threads", [2, 4])
def test_numbers_are_those_of_one_thread_which_prepares_nothing(make, num_threads):
    told = {}
    for threads in (1, num_threads):
        envs = make(threads)
        told[threads] = [(envs.reset(seed=5)[0], np.zeros(4), []), *run(envs, 80)]
    same(told[1], told[num_threads])


def test_nothing_else_changes_what_it_does(make):
    def run_with(threads):
        envs = make(threads)
        told = [(envs.reset(seed=5)[0], np.zeros(4), [])]
        tasks = envs.benchmark.train_tasks
        told += run(envs, 5)
        state = envs.get_state()
        envs.set_tasks(tasks[7], [True, False, False, False])
        told += run(envs, 30, 5)
        told.append((envs.reset(options={"reset_mask": [False, True, True, False]})[0], np.zeros(4), []))
        told += run(envs, 8, 35)
        envs.set_state(state)
        told += run(envs, 30, 43)
        told.append((envs.reset(options={"tasks": tasks[33]})[0], np.zeros(4), []))
        told += run(envs, 30, 73)
        told.append((envs.reset(seed=6)[0], np.zeros(4), []))
        envs.step_async(actions_at(103))
        envs.step_wait()
        told += run(envs, 40, 104)
        return told

    same(run_with(1), run_with(3))


def test_snapshots_hold_nothing_of_it(make):
    states = []
    for threads in (1, 2):
        envs = make(threads)
        envs.reset(seed=5)
        run(envs, 10)
        states.append(envs.get_state())
    assert states[0].keys() == states[1].keys()
    for name, one in states[0].items():
        if name != "elapsed":
            np.testing.assert_array_equal(one, states[1][name], err_msg=name)


def test_what_will_not_be_needed_is_dropped(make, monkeypatch):
    envs = make(2)
    envs.reset(seed=1)
    ahead = envs.rows._ahead
    expected = {row: Key(skill(task.env_name), task["rand_vec"]) for row, task in enumerate(next_tasks(envs))}
    starts.forget()
    assert ahead._wanted == expected
    task = envs.benchmark.train_tasks[9]
    envs.set_tasks(task, [False, True, False, False])
    assert ahead._wanted[1] == Key(skill(task.env_name), task["rand_vec"])
    keys = computed(monkeypatch)
    run(envs, LIMIT - 1)
    assert expected[1] not in keys
    assert Key(skill(task.env_name), task["rand_vec"]) in {*keys, *ahead.halves}  # done, or begun
    envs.set_state(envs.get_state())
    assert ahead._wanted == {}
    assert ahead._rows == {}
    assert (ahead._new, ahead._settling, dict(ahead.halves), ahead.turns) == ({}, {}, {}, 0)
    envs.reset(options={"tasks": task})  # who gives tasks will give the next ones, too
    assert ahead._wanted == {}


def test_a_function_that_chooses_tasks_is_not_asked_ahead(make):
    asked = []

    def choose(tasks, np_random):
        asked.append(len(tasks))
        return tasks[int(np_random.integers(len(tasks)))]

    envs = make(2, task_select=choose)
    envs.reset(seed=1)
    run(envs, LIMIT - 1)
    assert len(asked) == 4
    assert envs.rows._ahead._wanted == {}


def test_a_reset_that_raises_does_so_when_it_is_needed(make, monkeypatch):
    envs = make(2)
    envs.reset(seed=1)
    (bad,) = {task["rand_vec"] for task in next_tasks(envs) if task.env_name == "door-open-v3"}
    starts.forget()
    begun = starts.begun

    def failing(key):
        if key[1] == bad:
            raise ValueError("no place for this door")
        return begun(key)

    monkeypatch.setattr(starts, "begun", failing)
    run(envs, LIMIT - 1)
    with pytest.raises(ValueError, match="no place for this door"):
        run(envs, 1)
    monkeypatch.setattr(starts, "begun", begun)
    envs.reset()
    run(envs, 2)


@pytest.mark.parametrize("waits", [False, True])
def test_ctrl_c_while_preparing(make, monkeypatch, waits):
    def step(envs, actions):
        if waits:
            envs.step_async(actions)
            return envs.step_wait()
        return envs.step(actions)

    plain, envs = make(1), make(2)
    for each in (plain, envs):
        each.reset(seed=1)
    state = envs.get_state()

    def interrupted(key):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(starts, "begun", interrupted)
        with pytest.raises(KeyboardInterrupt):
            step(envs, actions_at(0))
    with pytest.raises(RuntimeError, match="half-way"):
        envs.step(actions_at(0))
    envs.set_state(state)
    same(run(envs, 60), run(plain, 60))


def test_closed_with_work_under_way(make):
    envs = make(4)
    envs.reset(seed=1)
    run(envs, 2)
    assert envs.rows._ahead._wanted
    envs.close()
    other = make(4)  # the next one computes what that one left
    other.reset(seed=1)
    run(other, LIMIT + 1)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_forgets_what_its_parent_prepares(make):
    plain, envs = make(1), make(2)
    for each in (plain, envs):
        each.reset(seed=1)
    same(run(envs, 2), run(plain, 2))
    child = os.fork()
    if child == 0:
        try:
            same(run(envs, 40, 2), run(plain, 40, 2))
            os._exit(0)
        except BaseException:
            os._exit(1)
    assert os.waitpid(child, 0)[1] == 0
    same(run(envs, 40, 2), run(plain, 40, 2))


def test_memory_is_bounded(make):
    envs = make(2, max_episode_steps=6)
    envs.reset(seed=1)
    ahead = envs.rows._ahead
    for first in range(0, 120, 20):
        run(envs, 20, first)
        assert len(ahead._wanted) <= 4
        assert len(ahead._rows) <= 4
        assert len(ahead._new) + len(ahead.halves) <= 4
        assert len(sims._idle) <= 4  # one of each model, as the halves are computed one after the other
