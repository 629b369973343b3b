"""Partial batches of several native worlds: rows of all worlds come as they are done, as they are in whole batches."""

import numpy as np
import pytest

import taskworlds
from taskworlds import Benchmark, benchmark
from taskworlds.rows import engine_rows
from taskworlds.rows.mixed import MixedRows
from taskworlds.rows.mixed_sending import MixedSendingRows
from taskworlds.rows.protocol import RowFault

ML3 = [task for name in ("reach-v3", "push-v3") for task in benchmark(name, num_goals=3).train_tasks]
MEMBERS = [
    Benchmark("ml3", tuple(ML3), tuple(benchmark("drawer-open-v3", num_goals=2).train_tasks)),
    benchmark("half-cheetah-vel", num_goals=5),
    benchmark("ant-dir", num_goals=3),
]
UNION = Benchmark.union("three", MEMBERS, shares=[4, 3, 2])
N, T = 9, 9


def make(batch_size=None, **options):
    how = {"seed": 3, "max_episode_steps": 4, "num_threads": 2} | options
    return taskworlds.make_vec(UNION, N, pad=True, batch_size=batch_size, **how)


def actions_at(step):
    return np.random.default_rng([4, step]).uniform(-1, 1, (N, 8)).astype(np.float32)


def without_time(info):
    return {
        key: without_time(each) if isinstance(each, dict) else each
        for key, each in info.items()
        if key != "t"
    }


def check_row(partial, step, place, whole, outcome):
    """Compares a row that was received with the same row of a whole step."""
    row = int(step.rows[place])
    obs, rewards, terminations, truncations, infos = outcome
    assert np.array_equal(step.observations[place], obs[row])
    assert step.rewards[place] == rewards[row]
    assert step.terminations[place] == terminations[row]
    assert step.truncations[place] == truncations[row]
    info = partial.row_info(step.infos, place)
    np.testing.assert_equal(without_time(info), without_time(whole.row_info(infos, row)))


def play(whole, partial, steps=T, first=0):
    """Plays so many steps of each row in both, each row as soon as it is there, and compares them."""
    expected = [whole.step(actions_at(first + step)) for step in range(steps)]
    at = np.zeros(N, dtype=int)
    partial.send(actions_at(first), np.arange(N))
    while partial.partial_batches.sent.any():
        step = partial.recv()
        for place, row in enumerate(step.rows.tolist()):
            check_row(partial, step, place, whole, expected[at[row]])
        at[step.rows] += 1
        again = step.rows[at[step.rows] < steps][::-1]  # the order is the caller's
        if again.size:
            partial.send(np.array([actions_at(first + at[row])[row] for row in again.tolist()]), again)
    assert (at == steps).all()


@pytest.fixture
def pair():
    made = []

    def both(batch_size=2, **options):
        made[:] = make(**options), make(batch_size, **options)
        for obs, expected in zip(*(envs.reset(seed=5) for envs in made), strict=True):
            np.testing.assert_equal(obs, expected)
        return made

    yield both
    for envs in made:
        envs.close()


@pytest.mark.parametrize("mode", ["SameStep", "NextStep"])
@pytest.mark.parametrize(("batch_size", "num_threads"), [(1, 3), (4, 1), (N, 2)])
def test_rows_are_those_of_whole_batches(pair, mode, batch_size, num_threads):
    whole, partial = pair(
        batch_size,
        autoreset_mode=mode,
        num_threads=num_threads,
        use_one_hot=True,
        recurrent_info_in_obs=True,
        normalize_observations=True,
        reward_normalization_method="gymnasium",
        record_episode_statistics=True,
    )
    assert type(partial.rows) is MixedSendingRows
    play(whole, partial)
    state, other = whole.get_state(), partial.get_state()
    for key in state:
        if "elapsed" not in key:
            np.testing.assert_array_equal(other[key], state[key], err_msg=key)
    play(whole, partial, 2, first=T)


def test_trials_and_whole_steps_in_between(pair):
    whole, partial = pair(5, k_episodes=2)
    for turn in range(3):
        play(whole, partial, 3, first=4 * turn)
        outcomes = [envs.step(actions_at(4 * turn + 3)) for envs in (partial, whole)]
        for ours, theirs in zip(*(each[:4] for each in outcomes), strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_a_new_skill_while_rows_are_under_way(pair):
    """The engine that knows it takes over the rows of its world under way, done; those of others go on."""
    whole, partial = pair(2, max_episode_steps=2)
    mask = np.arange(N) < 4
    for envs in (whole, partial):
        envs.set_tasks(UNION.test_tasks[0], mask)
    before = partial.rows._parts[0].engine
    play(whole, partial, 6)
    assert partial.rows._parts[0].engine is not before
    assert set(np.array(partial.task_names)[mask]) == {"drawer-open-v3"}


def test_a_world_that_takes_long_holds_up_no_other():
    """Rows of one world come again and again while those of another are not done yet."""
    envs = make(3)
    envs.reset(seed=0)
    slow = envs.rows._parts[0]
    held = []
    send, slow.send = slow.send, lambda *given, **how: held.append((given, how))
    envs.send(actions_at(0), np.arange(N))
    seen = []
    for step in range(6):
        rows = envs.recv().rows
        seen += rows.tolist()
        if step < 5:
            envs.send(actions_at(1)[rows], rows)
    assert len(seen) == 18
    assert min(seen) == 4
    ((given, how),) = held
    send(*given, **how)
    left = [row for _ in range(2) for row in envs.recv().rows.tolist()]
    assert sorted(left) == [row for row in range(N) if row not in rows]
    envs.close()


@pytest.mark.parametrize("members", [["reach-v3", "point"], ["reach-v3", "walker-walk"]])
def test_other_worlds_are_stepped_when_sent(members):
    if "walker-walk" in members:
        pytest.importorskip("dm_control")
    options = {"vector_strategy": None if "point" in members else "sync"}
    envs = taskworlds.make_vec(members, 4, pad=True, batch_size=2, seed=0, **options)
    assert type(envs.rows) is MixedRows
    envs.reset(seed=0)
    envs.send(np.zeros(envs.action_space.shape), np.arange(4))
    assert [envs.recv().rows.tolist() for _ in range(2)] == [[0, 1], [2, 3]]
    envs.close()


# --- what goes wrong ----------------------------------------------------------------------------------------


def test_a_row_that_the_simulator_refuses_is_named_and_leaves_the_others(pair, monkeypatch):
    whole, partial = pair(N)
    part = partial.rows._parts[1]
    received = part._received

    def refused(rows):
        rows, outcome = received(rows)
        return rows, outcome._replace(faults=[RowFault(2, "too many contacts", went_on=False)])

    with monkeypatch.context() as patch:
        patch.setattr(part, "_received", refused)
        partial.send(actions_at(0), np.arange(N))
        with pytest.raises(
            RuntimeError, match=r"could not step row 6, step 1, .*half-cheetah.*: too many contacts"
        ):
            partial.recv()
    assert not partial.partial_batches.sent.any()
    for envs in (whole, partial):
        envs.reset(seed=7)
    play(whole, partial, 3)


def test_where_a_world_cannot_be_sent_none_is(pair, monkeypatch):
    whole, partial = pair(3)
    partial.send(actions_at(0)[:2], np.arange(2))
    with monkeypatch.context() as patch:
        patch.setattr(partial.rows._parts[2].engine, "send", lambda *given, **how: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            partial.send(actions_at(0)[2:], np.arange(2, N))
    assert partial.rows.under_way == 2
    with pytest.raises(RuntimeError, match=r"stopped send\(\) half-way"):
        partial.send(actions_at(0)[2:], np.arange(2, N))
    step, outcome = partial.recv(), whole.step(actions_at(0))
    assert step.rows.tolist() == [0, 1]
    for place in range(2):
        check_row(partial, step, place, whole, outcome)
    for envs in (whole, partial):
        envs.reset(seed=7)
    play(whole, partial, 3)


def test_ctrl_c_while_rows_are_waited_for_loses_nothing(pair, monkeypatch):
    """tests/engine/test_processes.py has the same with a signal."""
    whole, partial = pair(5)
    partial.send(actions_at(0), np.arange(N))

    def interrupted(engines, count):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(engine_rows.native, "recv_first", interrupted)
        with pytest.raises(KeyboardInterrupt):
            partial.recv()
    outcome = whole.step(actions_at(0))
    for count in (5, 4):
        step = partial.recv()
        assert len(step.rows) == count
        for place in range(count):
            check_row(partial, step, place, whole, outcome)


def test_closed_while_rows_are_under_way(pair):
    _, partial = pair(3)
    partial.send(actions_at(0), np.arange(N))
    assert len(partial.recv().rows) == 3
    partial.rows._parts[1].close()
    with pytest.raises(RuntimeError, match="engine is closed"):
        partial.recv()
    partial.close()
    with pytest.raises(RuntimeError, match="needs an open environment"):
        partial.recv()
