"""Rows that are sent and received, beside the same rows in whole batches; and what is refused meanwhile."""

import pickle
import re
from pathlib import Path

import numpy as np
import pytest

import taskworlds
from taskworlds.rows.protocol import RowFault

N, M, T = 6, 2, 9
MODES = ("SameStep", "NextStep")


def make_both(name, num_envs=N, batch_size=M, **options):
    options = {"seed": 3, "max_episode_steps": 4} | options
    whole = taskworlds.make_vec(name, num_envs, **options)
    partial = taskworlds.make_vec(name, num_envs, batch_size=batch_size, **options)
    for obs, expected in zip(partial.reset(seed=5), whole.reset(seed=5), strict=True):
        np.testing.assert_equal(obs, expected)
    return whole, partial


def without_time(info):
    """An info without what the clock says."""
    return {
        key: without_time(value) if isinstance(value, dict) else value
        for key, value in info.items()
        if key != "t"
    }


def some_actions(envs, steps, seed=0):
    space = envs.action_space
    space.seed(seed)
    return [space.sample() for _ in range(steps)]


def play(partial, actions, compare):
    """Sends each row its actions one after the other, and has what is received compared."""
    at = np.zeros(partial.num_envs, dtype=int)
    partial.send(actions[0], np.arange(partial.num_envs))
    received = 0
    while received < len(actions) * partial.num_envs:
        step = partial.recv()
        assert (np.diff(step.rows) > 0).all()
        received += len(step.rows)
        for place, row in enumerate(step.rows.tolist()):
            compare(step, place, row, at[row])
        at[step.rows] += 1
        again = step.rows[at[step.rows] < len(actions)]
        if again.size:
            partial.send(np.array([actions[at[row]][row] for row in again.tolist()]), again)
    assert (at == len(actions)).all()


def check_same(name, num_envs=N, batch_size=M, **options):
    whole, partial = make_both(name, num_envs, batch_size, **options)
    actions = some_actions(whole, T)
    expected = [whole.step(each) for each in actions]

    def compare(step, place, row, number):
        obs, rewards, terminations, truncations, infos = expected[number]
        np.testing.assert_equal(step.observations[place], obs[row])
        assert step.rewards[place] == rewards[row]
        assert step.terminations[place] == terminations[row]
        assert step.truncations[place] == truncations[row]
        info = partial.row_info(step.infos, place)
        np.testing.assert_equal(without_time(info), without_time(whole.row_info(infos, row)))

    play(partial, actions, compare)
    state, other = whole.get_state(), partial.get_state()
    for key in state:
        if "elapsed" not in key:
            np.testing.assert_array_equal(other[key], state[key], err_msg=key)
    whole.close()
    partial.close()


@pytest.mark.parametrize("mode", MODES)
def test_rows_are_those_of_whole_batches(mode):
    check_same(
        "MT10",
        num_threads=2,
        autoreset_mode=mode,
        use_one_hot=True,
        recurrent_info_in_obs=True,
        normalize_observations=True,
        reward_normalization_method="gymnasium",
    )


@pytest.mark.parametrize(("name", "options"), [("reach-v3", {"k_episodes": 2}), ("half-cheetah-vel", {})])
def test_trials_and_other_worlds(name, options):
    check_same(name, num_threads=2, **options)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("name", "engine"), [("point", "numpy"), ("point", "sync"), ("reach-v3", "sync")])
def test_other_engines_step_rows_when_they_are_sent(name, engine, mode):
    check_same(name, 3, vector_strategy=engine, autoreset_mode=mode)


def test_one_row_at_a_time_and_all():
    for batch_size in (1, N):
        check_same("reach-v3", batch_size=batch_size, num_threads=3)


def test_without_autoreset_rows_are_reset_while_others_are_under_way():
    envs = taskworlds.make_vec(
        "reach-v3", 4, batch_size=2, seed=0, max_episode_steps=2, num_threads=2, autoreset_mode="Disabled"
    )
    envs.reset(seed=0)
    actions = np.zeros((4, 4), dtype=np.float32)
    envs.send(actions, range(4))
    first = envs.recv()
    envs.send(actions[:2], first.rows)
    left = [row for row in range(4) if row not in first.rows]
    mask = np.isin(np.arange(4), left)
    with pytest.raises(RuntimeError, match=r"reset\(\) is not possible now: .*under way. Receive them first"):
        envs.reset()
    ended = []
    while envs.partial_batches.sent.any():
        step = envs.recv()
        ended += step.rows[step.truncations].tolist()
        if step.truncations.any():
            with pytest.raises(RuntimeError, match="has ended: call reset"):
                envs.send(actions[: len(step.rows)], step.rows)
            envs.reset(options={"reset_mask": np.isin(np.arange(4), ended)})
    assert sorted(ended) == sorted(first.rows.tolist())
    assert envs.step(actions, mask)[3].tolist() == mask.tolist()


def test_a_new_skill_while_rows_are_under_way():
    """The engine that knows it takes over the rows under way, done."""
    whole, partial = make_both("ML10", 10, 3, num_threads=2, max_episode_steps=2, task_select="random")
    for envs in (whole, partial):
        envs.set_tasks(envs.benchmark.test_tasks[0])
    actions = some_actions(whole, 5)
    expected = [whole.step(each) for each in actions]

    def compare(step, place, row, number):
        np.testing.assert_equal(step.observations[place], expected[number][0][row])
        np.testing.assert_equal(step.infos["goal"][place], expected[number][4]["goal"][row])

    play(partial, actions, compare)


def test_a_whole_step_after_all_were_received():
    whole, partial = make_both("MT10", 10, 10, num_threads=2)
    for number, actions in enumerate(some_actions(whole, 6)):
        expected = whole.step(actions)
        if number % 2:
            partial.send(actions, np.arange(10))
            _, *found = partial.recv()
        else:
            found = partial.step(actions)
        np.testing.assert_equal(
            without_time(found[4]) | {"final_info": None}, expected[4] | {"final_info": None}
        )
        for ours, theirs in zip(found[:4], expected[:4], strict=True):
            np.testing.assert_array_equal(ours, theirs)


@pytest.fixture
def envs():
    made = taskworlds.make_vec("reach-v3", 4, batch_size=2, seed=0, num_threads=2)
    made.reset(seed=0)
    yield made
    made.close()


ACTIONS = np.zeros((4, 4))


@pytest.mark.parametrize(
    ("rows", "actions", "message"),
    [
        ([], ACTIONS[:0], r"rows must be the numbers of one row or more, as recv\(\) returns them, not \[\]"),
        ([0.0], ACTIONS[:1], "rows must be the numbers of one row or more"),
        ([True, False], ACTIONS[:2], "rows must be the numbers of one row or more"),
        ([0, 4], ACTIONS[:2], r"rows must be from 0 to 3, not \[0, 4\]"),
        ([-1], ACTIONS[:1], r"rows must be from 0 to 3, not \[-1\]"),
        ([1, 1], ACTIONS[:2], r"rows must differ, and not be \[1, 1\]"),
        ([0, 1], ACTIONS, r"actions must .*\(2, 4\)"),
        ([3, 1], [[0, 0, 0, 0], [0, np.nan, 0, 0]], r"actions\[1\] must be finite.*\(row 1: .*step 0\)"),
    ],
)
def test_what_cannot_be_sent(envs, rows, actions, message):
    with pytest.raises(ValueError, match=message):
        envs.send(actions, rows)
    envs.send(ACTIONS, range(4))  # nothing was lost
    assert len(envs.recv().rows) == 2


def test_what_is_refused_while_rows_are_under_way(envs):
    with pytest.raises(RuntimeError, match=r"recv\(\) has nothing to wait for: no row is under way"):
        envs.recv()
    envs.send(ACTIONS[:3], [0, 1, 2])
    with pytest.raises(RuntimeError, match=r"send\(\) is not possible for row 1: under way already"):
        envs.send(ACTIONS[:2], [1, 3])
    for call in (
        lambda: envs.step(ACTIONS),
        lambda: envs.step_async(ACTIONS),
        envs.get_state,
        lambda: envs.set_state({}),
        lambda: pickle.dumps(envs),
        envs.sample_tasks,
        envs.render,
    ):
        with pytest.raises(
            RuntimeError, match=r"not possible now: rows 0, 1, 2 are under way. Receive them first"
        ):
            call()
    assert len(envs.recv().rows) == 2
    assert len(envs.recv().rows) == 1  # fewer than batch_size are under way: all of them
    envs.step_async(ACTIONS)
    with pytest.raises(RuntimeError, match=r"A step is under way: call step_wait\(\) before send\(\)"):
        envs.send(ACTIONS, range(4))
    envs.step_wait()
    envs.send(ACTIONS, range(4))
    envs.close()
    for call in (envs.recv, lambda: envs.send(ACTIONS, range(4))):
        with pytest.raises(RuntimeError, match="needs an open environment"):
            call()


def test_rows_that_were_not_reset():
    envs = taskworlds.make_vec("reach-v3", 2, batch_size=1, seed=0)
    with pytest.raises(RuntimeError, match=r"No episode of row 1 has begun: call reset\(\)"):
        envs.send(ACTIONS[:1], [1])


def test_batch_size_is_checked():
    with pytest.raises(ValueError, match="batch_size must be at most num_envs, 3, not 4"):
        taskworlds.make_vec("reach-v3", 3, batch_size=4)
    with pytest.raises(ValueError, match="batch_size must be"):
        taskworlds.make_vec("reach-v3", 3, batch_size=0)
    with pytest.raises(ValueError, match="batch_size must not be given for a single environment, not 1"):
        taskworlds.make("reach-v3", batch_size=1)
    envs = taskworlds.make_vec("reach-v3", 3)
    for call in (envs.recv, lambda: envs.send(ACTIONS[:1], [0])):
        with pytest.raises(RuntimeError, match="needs an environment that was made with batch_size"):
            call()


def test_ctrl_c_in_recv_loses_nothing(envs, monkeypatch):
    """What interrupts the waiting is raised, and the rows come with the next call."""
    whole = taskworlds.make_vec("reach-v3", 4, seed=0, num_threads=2)
    whole.reset(seed=0)
    expected = whole.step(ACTIONS)
    envs.send(ACTIONS, range(4))

    def interrupted(count):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(envs.rows, "recv", interrupted)
        with pytest.raises(KeyboardInterrupt):
            envs.recv()
    for _ in range(2):
        step = envs.recv()
        np.testing.assert_array_equal(step.observations, expected[0][step.rows])
    assert not envs.partial_batches.sent.any()


def test_an_engine_that_is_closed_behind_the_environment(envs):
    envs.send(ACTIONS, range(4))
    envs.rows.close()
    with pytest.raises(RuntimeError, match="engine"):
        envs.recv()


def test_a_row_that_the_simulator_refuses_leaves_the_others(envs, monkeypatch):
    envs.send(ACTIONS, range(4))
    recv = envs.rows.recv

    def refused(count):
        rows, outcome = recv(count)
        return rows, outcome._replace(faults=[RowFault(int(rows[0]), "too many contacts", went_on=False)])

    with monkeypatch.context() as patch:
        patch.setattr(envs.rows, "recv", refused)
        with pytest.raises(
            RuntimeError, match=r"MuJoCo could not step row \d, step 1, .*: too many contacts"
        ):
            envs.recv()
    others = envs.recv()
    left = np.setdiff1d(np.arange(4), others.rows)
    envs.send(ACTIONS[:2], others.rows)
    with pytest.raises(RuntimeError, match=r"stopped recv\(\) half-way"):
        envs.send(ACTIONS[:2], left)
    envs.reset(options={"reset_mask": np.isin(np.arange(4), left)})
    envs.send(ACTIONS[:2], left)
    assert {*envs.recv().rows, *envs.recv().rows} == {0, 1, 2, 3}


def test_the_page_runs_as_written():
    page = (Path(__file__).parents[2] / "docs" / "partial_batches.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    names = {}
    exec(code, names)
    assert np.count_nonzero(names["returns"]) > 15  # some skills give no reward far from the goal
    assert len(names["rows"]) == 5
    names["envs"].close()
