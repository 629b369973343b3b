"""Rows made of parts: equal to the whole to the last bit, whatever the parts are."""

from __future__ import annotations

import numpy as np
import pytest

from taskworlds import benchmark
from taskworlds.core.registry import engine, world_of
from taskworlds.rows.parts import PartRows, set_state
from taskworlds.rows.protocol import RowFault, RowStep

NAMES = ["drawer-close-v3", "reach-v3"]
SIZES = (2, 1, 3)
N = sum(SIZES)
EVERY = np.ones(N, dtype=np.bool_)
SEEDS = np.zeros(N, dtype=np.int64)


@pytest.fixture(scope="module")
def tasks():
    return list(benchmark("custom-mt-envs", envs_list=NAMES, seed=0, num_goals=N).train_tasks)


@pytest.fixture(params=["native", "sync"])
def make(request):
    """Makes rows of the engine in turn, in one or in parts; closed after the test."""
    made = []
    world = world_of("reach-v3")
    space = world.observation_space(visible=True, hidden=True)

    def whole(num_rows=N):
        made.append(engine(request.param).make(world, NAMES, num_rows, {}, {}))
        return made[-1]

    def parts(sizes=SIZES):
        return PartRows([whole(size) for size in sizes], space, world.action_space())

    yield {"whole": whole, "parts": parts, "name": request.param}
    for rows in made:
        rows.close()


def actions(step):
    return np.random.default_rng(step).uniform(-1, 1, (N, 4))


def seen(step, rows=EVERY):
    """Copies what a step gave `rows`; what stands in the others has no meaning but for observations."""
    terms = {name: values[rows] for name, values in step.terms.items()}
    return [np.array(step.obs), step.rewards[rows], terms, step.terminated]


def play(rows, tasks):
    """Resets, steps, some of it in some rows only; returns copies of all that came."""
    some = np.array([True, False, False, False, True, False])
    outcomes = [np.array(rows.reset(tasks, EVERY, SEEDS))]
    outcomes += [seen(rows.step(actions(step), EVERY)) for step in range(3)]
    outcomes.append(seen(rows.step(actions(9), some), some))
    rows.step_async(actions(10), EVERY)
    outcomes += [seen(rows.step_wait()), np.array(rows.goals)]
    other = [tasks[-1]] * N
    outcomes.append(np.array(rows.reset(other, some, SEEDS)))  # no row of the second part
    outcomes += [seen(rows.step(actions(step), EVERY)) for step in range(20, 22)]
    return outcomes


def test_parts_give_what_the_whole_gives(make, tasks, same):
    chosen = tasks[: N // 2] + tasks[-(N - N // 2) :]
    whole, parts = make["whole"](), make["parts"]()
    assert parts.num_rows == N
    same(play(parts, chosen), play(whole, chosen))
    same(np.array(parts.goals), np.array(whole.goals))


def test_state_with_forks_across_parts(make, tasks, same):
    whole, parts = make["whole"](), make["parts"]()
    for rows in (whole, parts):
        rows.reset(tasks[:N], EVERY, SEEDS)
        rows.step(actions(0), EVERY)
    states = [rows.get_state() for rows in (whole, parts)]
    for source in (np.arange(N), np.array([5, 5, 0, 2, 1, 3]), np.zeros(N, dtype=np.int64)):
        outcomes = []
        for rows, state in zip((whole, parts), states, strict=True):
            rows.step(actions(1), EVERY)
            rows.set_state(state, source)
            outcomes.append([seen(rows.step(actions(step), EVERY)) for step in range(2, 5)])
        same(*outcomes)
    other = make["parts"]((1, 5))  # a state goes into other parts, too
    other.reset(tasks[N:], EVERY, SEEDS)
    source = np.array([3, 0, 4, 4, 1, 2])
    other.set_state(states[1], source)
    whole.set_state(states[0], source)
    same(seen(other.step(actions(7), EVERY)), seen(whole.step(actions(7), EVERY)))


def test_rows_that_stay_as_they_are(make, tasks, same):
    whole, parts = make["whole"](), make["parts"]()
    for rows in (whole, parts):
        rows.reset(tasks[:N], EVERY, SEEDS)
    states = [rows.get_state() for rows in (whole, parts)]
    source = np.array([-1, 0, -1, 5, -1, -1])
    outcomes = []
    for rows, state in zip((whole, parts), states, strict=True):
        rows.step(actions(0), EVERY)
        rows.set_state(state, source)
        outcomes.append([seen(rows.step(actions(step), EVERY)) for step in range(1, 3)])
    same(*outcomes)


def test_a_state_that_a_part_refuses_changes_no_part(make, tasks, same):
    parts = make["parts"]()
    parts.reset(tasks[:N], EVERY, SEEDS)
    good = parts.get_state()
    expected = seen(parts.step(actions(0), EVERY))
    parts.set_state(good, np.arange(N))
    bad = {**good, "parts": [*good["parts"][:2], "damaged"]}
    for state, message in (
        (bad, "another engine"),
        ({**good, "parts": []}, "too few rows"),
        (3, "another engine"),
    ):
        with pytest.raises(ValueError, match=message):
            parts.set_state(state, np.arange(N))
    same(seen(parts.step(actions(0), EVERY)), expected)


def test_attributes_and_methods(make, tasks):
    parts = make["parts"]()
    if make["name"] == "native":
        with pytest.raises(AttributeError, match="no attribute 'curr_path_length'"):
            parts.call("curr_path_length")
        return
    parts.reset(tasks[:N], EVERY, SEEDS)
    parts.set_attr("curr_path_length", list(range(N)))
    assert parts.get_attr("curr_path_length") == tuple(range(N))
    assert len(parts.call("get_endeff_pos")) == N


def test_faults_have_the_rows_of_the_whole_and_all_parts_are_waited_for(tasks):
    class Part:
        num_rows = 2
        goals = np.zeros((2, 0))

        def __init__(self, fault):
            self.fault, self.waits, self.closed = fault, 0, False

        def step_async(self, actions, rows):
            self.given = actions.tolist()

        def step_wait(self):
            self.waits += 1
            if self.fault == "error":
                raise RuntimeError("lost")
            faults = [RowFault(1, self.fault, went_on=True)] if self.fault else []
            terms = {"success": np.ones(2)} if self.fault else {}
            return RowStep(np.zeros((2, 39)), np.zeros(2), terms, None, faults)

        def render(self):
            return ("picture",) * 2

        def close(self):
            self.closed = True

    world = world_of("reach-v3")
    spaces = (world.observation_space(visible=True, hidden=True), world.action_space())
    parts = [Part(""), Part("NaN"), Part("far away")]
    rows = PartRows(parts, *spaces)
    step = rows.step(actions(0), EVERY)
    assert [(fault.row, fault.what) for fault in step.faults] == [(3, "NaN"), (5, "far away")]
    assert step.terms["success"].tolist() == [0, 0, 1, 1, 1, 1]
    assert [row for part in parts for row in part.given] == actions(0).tolist()
    assert rows.render() == ("picture",) * N
    parts[0].fault = "error"
    with pytest.raises(RuntimeError, match="lost"):
        rows.step(actions(0), EVERY)
    assert [part.waits for part in parts] == [2, 2, 2]
    rows.close()
    assert all(part.closed for part in parts)


def test_parts_that_can_begin_a_call_do_so_before_any_is_waited_for():
    log = []

    class Part:
        num_rows = 2
        goals = np.zeros((2, 0))

        def __init__(self, name):
            self.name = name

        def begin(self, method, *args, **kwargs):
            log.append(f"{self.name} begins {method}")
            return lambda: self.end(method)

        def end(self, method):
            log.append(f"{self.name} ends {method}")
            return np.ones((2, 39)) if method == "reset" else self.name

    world = world_of("reach-v3")
    rows = PartRows(
        [Part("a"), Part("b"), Part("c")], world.observation_space(visible=True, hidden=True), None
    )
    some = np.array([True, False, False, False, False, True])
    assert rows.reset([None] * N, some, SEEDS).sum(axis=1).tolist() == [39, 39, 0, 0, 39, 39]
    assert log == ["a begins reset", "c begins reset", "a ends reset", "c ends reset"]
    log.clear()
    assert rows.get_state() == {"sizes": [2, 2, 2], "parts": ["a", "b", "c"]}
    assert log[2:4] == ["c begins get_state", "a ends get_state"]


@pytest.mark.parametrize("make", ["native"], indirect=True)
def test_states_of_parts_and_of_the_whole_go_into_each_other(make, tasks, same):
    whole, parts = make["whole"](), make["parts"]()
    for rows in (whole, parts):
        rows.reset(tasks[:N], EVERY, SEEDS)
        rows.step(actions(0), EVERY)
    states, source = [whole.get_state(), parts.get_state()], np.array([5, 0, 2, 2, 1, 3])
    outcomes = []
    for rows in (whole, parts):
        for state in states:
            set_state(rows, state, source)
            outcomes.append(seen(rows.step(actions(1), EVERY)))
    for other in outcomes[1:]:
        same(outcomes[0], other)
    damaged = {**states[1], "parts": [*states[1]["parts"][:2], "damaged"]}
    before = whole.get_state()
    with pytest.raises(ValueError, match="another engine"):
        set_state(whole, damaged, np.arange(N))
    same(whole.get_state(), before)


def test_no_parts():
    world = world_of("reach-v3")
    with pytest.raises(ValueError, match="parts must hold at least one part, but it is empty"):
        PartRows([], world.observation_space(visible=True, hidden=True), world.action_space())
