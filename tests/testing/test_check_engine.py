"""`check_engine` on our own engines, and on engines that are wrong in one way each."""

from __future__ import annotations

import dataclasses
import functools

import gymnasium as gym
import numpy as np
import pytest

from taskworlds import Task
from taskworlds.core import registry
from taskworlds.core.row_engine import RowEngine
from taskworlds.core.world import BenchmarkMaker, World
from taskworlds.rows.protocol import RowFault, RowStep
from taskworlds.rows.python_row import PythonRow
from taskworlds.testing import check_engine

# --- our own engines ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("engine", "world"),
    [
        ("native", "reach-v3"),
        ("native", "walker2d-rand-params"),
        ("sync", "half-cheetah-vel"),
        ("async", "half-cheetah-vel"),
        ("sync", "grid-4x4"),
        ("numpy", "grid-4x4"),
        ("numpy", "point"),
        pytest.param("sync", "reach-v3", marks=pytest.mark.slow),
        pytest.param("async", "reach-v3", marks=pytest.mark.slow),
        pytest.param("native", "cheetah-run", marks=pytest.mark.requires_dm_control),
    ],
)
def test_our_own_engines_pass(engine, world):
    check_engine(registry.engine(engine), world=world).raise_if_failed()


# --- an engine that is right, and what can be wrong with it ---------------------------------------------------


class ClimbRow(PythonRow):
    """A number to bring to the task's, beginning at one that the seed decides."""

    action_space = gym.spaces.Box(-1.0, 1.0, (1,), np.float64)
    observation_space = gym.spaces.Box(-np.inf, np.inf, (1,), np.float64)

    def begin(self, task, seed):
        self.height = start(seed)
        return np.array([self.height]), {"goal": [task["top"]]}

    def advance(self, action):
        self.height += float(action[0])
        there = self.height > self.task["top"]
        return np.array([self.height]), self.height / 10, there, {"success": there}


def start(seed):
    return float(np.random.default_rng(seed).uniform(-1, 0))


class ClimbRows:
    """The same in NumPy, for all rows at once."""

    def __init__(self, num_rows):
        self.num_rows = num_rows
        self.goals = np.zeros((num_rows, 1))
        self.height = np.zeros((num_rows, 1))

    def reset(self, tasks, rows, seeds):
        for row in np.flatnonzero(rows):
            self.goals[row] = tasks[row]["top"]
            self.height[row] = start(int(seeds[row]))
        return self.height

    def step(self, actions, rows):
        self.height[rows] += actions[rows]
        there = self.height[:, 0] > self.goals[:, 0]
        return RowStep(self.height, self.height[:, 0] / 10, {"success": there.astype(np.float64)}, there)

    def step_async(self, actions, rows):
        self.begun = actions, rows

    def step_wait(self):
        return self.step(*self.begun)

    def get_state(self):
        return {"height": self.height.copy(), "goals": self.goals.copy()}

    def set_state(self, state, source):
        self.height = np.array(state["height"][source])
        self.goals = np.array(state["goals"][source])

    def render(self):
        return (None,) * self.num_rows

    def call(self, name, *args, **kwargs):
        raise AttributeError(f"rows in NumPy have no attribute {name!r}.")

    def get_attr(self, name):
        return self.call(name)

    def set_attr(self, name, values):
        self.call(name)

    def close(self):
        pass


def make_tasks(seed, num_goals):
    tops = np.random.default_rng(seed).uniform(1, 4, num_goals or 5).tolist()
    return tuple(Task("climb", {"top": top}) for top in tops), ()


WORLD = World(
    name="climb",
    suite="climb",
    skills=("climb",),
    actions=ClimbRow.action_space,
    observations=ClimbRow.observation_space,
    max_episode_steps=40,
    benchmarks={"climb": BenchmarkMaker(make_tasks)},
    row=ClimbRow,
    has_success=True,
    goal_size=1,
)


def make_rows(rows, world, env_names, num_rows, settings, **options):
    return rows(num_rows, **options)


def can_step(world):
    return world.name == "climb"


def engine(rows=ClimbRows, **changes):
    made = RowEngine("climbing", functools.partial(make_rows, rows), steps=can_step, exact=True)
    return dataclasses.replace(made, **changes)


def failures(report):
    return {check.name: check.message for check in report.failures}


def test_a_good_engine_passes():
    report = check_engine(engine(), world=WORLD)
    report.raise_if_failed()
    shown = {check.name: check.message for check in report.checks}
    assert shown["record"] == "can step climb; exact"
    assert shown["reference"] == "gives what sync gives over 30 steps and the ends of episodes"
    assert shown["foreign snapshots"] == "sync's is refused"
    assert "climbing" not in registry.engines()
    assert "climb" not in [world.name for world in registry.worlds()]


def test_an_engine_that_is_not_exact_is_compared_with_itself_alone():
    report = check_engine(engine(Rounded, exact=False), world=WORLD)
    report.raise_if_failed()
    assert "reference" not in [check.name for check in report.checks]


def test_arguments_are_checked():
    with pytest.raises(TypeError, match=r"engine must be a taskworlds.RowEngine, not 'native'"):
        check_engine("native")
    with pytest.raises(ValueError, match="Unknown skill 'reach-v9'"):
        check_engine(engine(), world="reach-v9")
    with pytest.raises(ValueError, match="vector_strategy must be"):
        check_engine(engine(), world=WORLD, reference="warp")
    assert failures(check_engine(engine(), world="reach-v3")) == {
        "record": "The engine can step the world that it is tried on: not Meta-World."
    }
    assert failures(check_engine(engine(), world=WORLD, options={"speed": 2})) == {
        "record": "Options that are given are the engine's: not speed."
    }


class Faster(ClimbRows):
    def __init__(self, num_rows, speed=1):
        super().__init__(num_rows)
        assert speed == 2


def test_the_engines_own_options():
    check_engine(engine(Faster, options=("speed",)), world=WORLD, options={"speed": 2}).raise_if_failed()


class Rounded(ClimbRows):
    def step(self, actions, rows):
        step = super().step(actions, rows)
        return step._replace(rewards=step.rewards.astype(np.float32).astype(np.float64))


class Tall(ClimbRows):
    def __init__(self, num_rows):
        super().__init__(num_rows + 1)


class WithoutHalves(ClimbRows):
    step_wait = None


class Flat(ClimbRows):
    def reset(self, tasks, rows, seeds):
        return super().reset(tasks, rows, seeds)[:, 0]


class ResetsAll(ClimbRows):
    def reset(self, tasks, rows, seeds):
        self.height[:] = 0.0
        return super().reset(tasks, rows, seeds)


class Unseeded(ClimbRows):
    def reset(self, tasks, rows, seeds):
        return super().reset(tasks, rows, np.random.default_rng().integers(10**9, size=self.num_rows))


class BadRewards(ClimbRows):
    def step(self, actions, rows):
        return super().step(actions, rows)._replace(rewards=np.zeros((self.num_rows, 1)))


class BadTerms(ClimbRows):
    def step(self, actions, rows):
        step = super().step(actions, rows)
        return step._replace(terms=step.terms | {"far": 1.0})


class BadEnds(ClimbRows):
    def step(self, actions, rows):
        step = super().step(actions, rows)
        return step._replace(terminated=step.terminated.astype(np.float64))


class Faulty(ClimbRows):
    def step(self, actions, rows):
        return super().step(actions, rows)._replace(faults=[RowFault(2, "slipped", True)])


class IgnoresMasks(ClimbRows):
    def step(self, actions, rows):
        return super().step(actions, np.ones_like(rows))


class OddHalves(ClimbRows):
    def step_wait(self):
        actions, rows = self.begun
        return self.step(actions * 0.5, rows)


class LiveState(ClimbRows):
    def get_state(self):
        return {"height": self.height, "goals": self.goals.copy()}


class KeepsState(ClimbRows):
    def set_state(self, state, source):
        super().set_state(state, source)
        if (source == np.arange(self.num_rows)).all():
            self.height = state["height"]


class HalfAState(ClimbRows):
    """Counts steps, which the state does not hold."""

    count = 0

    def step(self, actions, rows):
        self.count += 1
        self.height[rows] += 1e-3 * self.count
        return super().step(actions, rows)


class IgnoresSource(ClimbRows):
    def set_state(self, state, source):
        super().set_state(state, np.arange(self.num_rows))


class Silent(ClimbRows):
    def get_attr(self, name):
        return (None,) * self.num_rows


class Curt(ClimbRows):
    def call(self, name, *args, **kwargs):
        raise AttributeError("no")


class ClosesOnce(ClimbRows):
    def close(self):
        del self.height


class Crashing(ClimbRows):
    def step(self, actions, rows):
        return 1 / 0


@pytest.mark.parametrize(
    ("rows", "name", "message"),
    [
        (Tall, "rows", "Rows have as many rows as were asked for: 5, not 4"),
        (WithoutHalves, "rows", "Rows have the methods of Rows: these do not have step_wait"),
        (Flat, "reset", r"Observations are a batch of the world's observation space: .* float64 \(4,\)"),
        (ResetsAll, "reset", "A reset leaves the other rows' observations as they were: row 0 changed"),
        (Unseeded, "reset", "A reset depends on task and seed alone: two resets differ"),
        (BadRewards, "step", r"Rewards are \(N,\) float64: at step 0"),
        (BadTerms, "step", r"Each term is \(N,\) float64: at step 0 far is"),
        (BadEnds, "step", r"terminated is None or \(N,\) bool: at step 0 it is float64"),
        (Faulty, "step", "Ordinary tasks and actions have no faults: row 2: slipped at step 0"),
        (IgnoresMasks, "masks", "A masked step leaves the other rows' observations as they were: row 0 changed at"),
        (OddHalves, "halves", "step_async and step_wait do what step does: not at step 0"),
        (LiveState, "state", "What get_state returns is the caller's own: steps changed it"),
        (KeepsState, "state", "set_state keeps nothing of what it was given: steps after it changed that"),
        (HalfAState, "state", "After set_state the same actions give the same steps: they differ in the same rows"),
        (IgnoresSource, "forks", r"Row i goes on as row source\[i\] did: with source \[3, 2, 1, 0\], at step 0"),
        (Silent, "attributes", "get_attr raises AttributeError for an attribute that rows do not have: nothing was"),
        (Curt, "attributes", "call raises AttributeError .*, and names it: the message is 'no'"),
        (ClosesOnce, "close", "close works twice: it raised AttributeError"),
        (Rounded, "reference", "An exact engine gives what sync gives, to 1e-09: they differ at .*"),
        (Crashing, "step", r"ZeroDivisionError: .* \(test_check_engine.py, line \d+, in step\)"),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)  # fmt: skip
def test_what_can_be_wrong(rows, name, message):
    report = check_engine(engine(rows), world=WORLD)
    assert name in failures(report), str(report)
    with pytest.raises(ValueError, match=message):
        report.raise_if_failed()


def test_the_record():
    nowhere = check_engine(engine(make_rows="nowhere:make"), world=WORLD)
    assert failures(nowhere)["record"].startswith(
        "Every reference names something that can be imported: make_rows"
    )
    unsendable = check_engine(engine(make_rows=lambda *args: ClimbRows(args[2])), world=WORLD)
    assert failures(unsendable)["record"].startswith("An engine's record can be sent to another process")
    taken = check_engine(engine(snapshot="official"), world=WORLD)
    assert set(failures(taken)) == {"foreign snapshots"}
