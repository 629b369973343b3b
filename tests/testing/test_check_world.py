"""`check_world` on our own worlds, and on worlds that are wrong in one way each."""

from __future__ import annotations

import dataclasses

import gymnasium as gym
import numpy as np
import pytest

from taskworlds import Task
from taskworlds.core import registry
from taskworlds.core.world import BenchmarkMaker, World
from taskworlds.rows.python_row import PythonRow
from taskworlds.testing import check_world

# --- our own worlds -------------------------------------------------------------------------------------------

QUICK = {"half-cheetah-vel", "walker2d-rand-params", "cheetah-run", "cartpole-swingup", "point", "grid-4x4"}


def _marks(world):
    marks = [] if world.name in QUICK else [pytest.mark.slow]
    return marks + [pytest.mark.requires_dm_control] * (world.suite == "control")


@pytest.mark.parametrize(
    "world",
    [pytest.param(each, id=each.name, marks=_marks(each)) for each in registry.worlds()],
)
def test_our_own_worlds_pass(world):
    # Processes take long to start, and what they add is the same for each world.
    engines = None if world.name in ("half-cheetah-vel", "grid-4x4") else without_processes(world)
    check_world(world, engines=engines).raise_if_failed()


def without_processes(world):
    engines = registry.engines().items()
    return [
        name for name, each in engines if name != "async" and each.inside is None and each.can_step(world)
    ]


# --- a world that is right, and what can be wrong with it -----------------------------------------------------


class Ladder(PythonRow):
    """Rungs to climb, up to the one that the task names."""

    action_space = gym.spaces.Discrete(2)
    observation_space = gym.spaces.Dict(
        rung=gym.spaces.Discrete(9), tired=gym.spaces.Box(0, 1, (1,), np.float32)
    )

    def begin(self, task, seed):
        self.rung = int(np.random.default_rng(seed).integers(3))
        self.steps = 0
        return self.seen(), {"goal": [task["top"]]}

    def advance(self, action):
        self.rung = min(max(self.rung + (1 if action else -1), 0), 8)
        self.steps += 1
        top = self.rung == self.task["top"]
        return self.seen(), float(top), top, {"success": top, "height": self.rung}

    def seen(self):
        return {"rung": np.int64(self.rung), "tired": np.array([min(self.steps / 30, 1.0)], dtype=np.float32)}


def make_tasks(seed, num_goals):
    tops = np.random.default_rng(seed).permutation(range(4, 9)).tolist()
    return tuple(Task("ladder", {"top": top}) for top in tops[:num_goals]), ()


def check_task(task):
    if set(task.params) != {"top"} or task["top"] not in range(3, 9):
        raise ValueError(f"top must be a rung from 3 to 8, not {dict(task.params)}.")


GOOD = World(
    name="ladder",
    suite="ladder",
    skills=("ladder",),
    actions=Ladder.action_space,
    observations=Ladder.observation_space,
    max_episode_steps=40,
    benchmarks={"ladder": BenchmarkMaker(make_tasks, train_skills=("ladder",))},
    row=Ladder,
    has_success=True,
    goal_size=1,
    task_check=check_task,
    packages=("numpy",),
)


def checked(**changes):
    return check_world(dataclasses.replace(GOOD, **changes), engines=["sync"])


def failures(report):
    return {check.name: check.message for check in report.failures}


def test_a_good_world_passes():
    report = check_world(GOOD)
    report.raise_if_failed()
    assert not report.warnings
    names = [check.name for check in report.checks]
    assert names[:6] == ["record", "names", "spaces", "benchmarks", "refused tasks", "lists"]
    assert {"sync: snapshots", "async: snapshots", "engines agree", "gymnasium"} <= set(names)
    assert "ladder" not in [world.name for world in registry.worlds()]
    assert "taskworlds/ladder" not in gym.registry


def test_arguments_are_checked():
    with pytest.raises(TypeError, match=r"world must be a taskworlds.World, not 'ladder'"):
        check_world("ladder")
    with pytest.raises(ValueError, match="steps must be at least 1, not 0"):
        check_world(GOOD, steps=0)
    with pytest.raises(ValueError, match="vector_strategy must be"):
        check_world(GOOD, engines=["warp"])
    assert failures(check_world(GOOD, engines=["native"]))["engines"] == (
        "An engine that is asked for can step the world: native cannot; those that can are sync, async, ray."
    )


# The record.


def tasks_of_another_skill(seed, num_goals):
    return (Task("reach-v3", {}),), ()


def tasks_at_random(seed, num_goals):
    return make_tasks(np.random.default_rng().integers(1000), num_goals)


def tasks_too_high(seed, num_goals):
    return (Task("ladder", {"top": 99}),), ()


def no_tasks(seed, num_goals):
    return (), make_tasks(seed, num_goals)[0]


def check_nothing(task):
    return None


def described_badly(env_name):
    return "a ladder"


def instructions_badly(task):
    return ("Climb.", "Climb.")


def details_badly(env_name):
    return {"rungs": np.arange(9)}


def hides_maybe(task):
    return "no"


@pytest.mark.parametrize(
    ("changes", "name", "message"),
    [
        (
            {"observations": lambda visible, hidden: Ladder.observation_space},
            "record",
            r"A world can be sent to another process: pickling it raised .* in place of lambdas",
        ),
        (
            {"experts": "nowhere.at_all:Expert"},
            "record",
            r"Every reference names something that can be imported: experts is 'nowhere.at_all:Expert': No mod",
        ),
        (
            {"benchmarks": {"MT10": BenchmarkMaker(make_tasks)}},
            "names",
            "must not have a benchmark 'MT10': .* has that name",
        ),
        (
            {"actions": gym.spaces.Box},
            "spaces",
            "Actions and observations are spaces of Gymnasium's|TypeError",
        ),
        (
            {"benchmarks": {}},
            "benchmarks",
            "A world has a benchmark, which makes its tasks: benchmarks is empty",
        ),
        (
            {"benchmarks": {"ladder": BenchmarkMaker(tasks_of_another_skill)}},
            "benchmarks",
            "A benchmark's tasks are of the world's skills: ladder has Task.*reach-v3",
        ),
        (
            {"benchmarks": {"ladder": BenchmarkMaker(tasks_at_random)}},
            "benchmarks",
            "The same seed makes the same tasks: ladder made others the second time",
        ),
        (
            {"benchmarks": {"ladder": BenchmarkMaker(tasks_too_high)}},
            "benchmarks",
            "task_check accepts the tasks of the benchmarks: .*top must be a rung from 3 to 8",
        ),
        (
            {"benchmarks": {"ladder": BenchmarkMaker(make_tasks, has_test=True)}},
            "benchmarks",
            "has_test tells whether a benchmark has test tasks: it is True, and ladder has 0",
        ),
        (
            {"benchmarks": {"ladder": BenchmarkMaker(no_tasks, has_test=True)}},
            "benchmarks",
            "A benchmark has train tasks: ladder has none",
        ),
        ({"goal_hidden": hides_maybe}, "benchmarks", "goal_hidden tells True or False: it returned 'no'"),
        (
            {"task_check": check_nothing},
            "refused tasks",
            "task_check refuses a parameter that no task has: it accepted .*no_such_parameter",
        ),
        (
            {"described": described_badly},
            "lists",
            "described returns two texts, .*: it returned 'a ladder' for ladder",
        ),
        (
            {"instructions": instructions_badly},
            "lists",
            "instructions returns different sentences: it returned .*'Climb.', 'Climb.'.* of ladder",
        ),
        ({"details": details_badly}, "lists", "details returns what JSON can hold: not for ladder"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_the_record(changes, name, message):
    report = checked(**changes)
    assert name in failures(report), str(report)
    with pytest.raises(ValueError, match=message):
        report.raise_if_failed()


def test_a_world_without_a_check_of_tasks_is_warned_of():
    report = check_world(dataclasses.replace(GOOD, task_check=None), engines=["sync"], steps=2)
    assert report.ok
    assert [check.name for check in report.warnings] == ["refused tasks"]


# What the rows do.


class OutOfSpace(Ladder):
    def seen(self):
        return super().seen() | {"rung": np.int64(self.rung + 5)}


class Integers(Ladder):
    def seen(self):
        return super().seen() | {"tired": np.array([0.5 + self.steps, 0.0], dtype=np.float32)}


class NoReward(Ladder):
    def advance(self, action):
        obs, _, ended, terms = super().advance(action)
        return obs, np.nan, ended, terms


class NoSuccess(Ladder):
    def advance(self, action):
        obs, reward, ended, _ = super().advance(action)
        return obs, reward, ended, {}


class HalfASuccess(Ladder):
    def advance(self, action):
        obs, reward, ended, terms = super().advance(action)
        return obs, reward, ended, terms | {"success": 0.5}


class NewTerms(Ladder):
    def advance(self, action):
        obs, reward, ended, terms = super().advance(action)
        return obs, reward, ended, terms | ({"late": 1.0} if self.steps > 5 else {})


class Unseeded(Ladder):
    def begin(self, task, seed):
        return super().begin(task, np.random.default_rng().integers(10**9))


class Forgetful(Ladder):
    """Keeps its rung where the template does not find it."""

    def begin(self, task, seed):
        self.hidden = [lambda: None, 0]  # no plain data, so it is no part of the state
        return super().begin(task, seed)

    def advance(self, action):
        self.hidden[1] += 1
        obs, reward, ended, terms = super().advance(action)
        return obs, reward + self.hidden[1], ended, terms


class Remembering(Ladder):
    """Starts higher after each episode of its life."""

    episodes = 0

    def begin(self, task, seed):
        self.episodes += 1
        super().begin(task, seed)
        self.rung = min(self.episodes, 8)
        return self.seen(), {"goal": [task["top"]]}


class Stubborn(Ladder):
    def begin(self, task, seed):
        self.chosen = getattr(self, "chosen", task)  # the first task for ever
        obs, info = super().begin(self.chosen, seed)
        return obs, info | {"goal": [self.chosen["top"], 0.0]}


class Broken(Ladder):
    def advance(self, action):
        return super().advance(action) if self.steps < 3 else 1 / 0


@pytest.mark.parametrize(
    ("row", "name", "message"),
    [
        (
            OutOfSpace,
            "sync: episodes",
            r"Every observation is in the observation space: row \d .*'rung'.*, which Dict",
        ),
        (Integers, "sync: episodes", "ValueError|Every observation is in the observation space"),
        (NoReward, "sync: episodes", "Rewards are finite: row 0 has nan at step 0"),
        (
            NoSuccess,
            "sync: episodes",
            "Rows of the world 'ladder' on the engine 'sync' break a rule in step.*The terms of a world with success",
        ),
        (HalfASuccess, "sync: episodes", r"Success is 0 or 1: it is \[0.5, 0.5, 0.5\] at step 0"),
        (
            NewTerms,
            "sync: episodes",
            "Each step reports the same terms: at step 5 they are height, late, success, and before they were hei",
        ),
        (
            Unseeded,
            "sync: seeds",
            "The same seed and the same actions give the same episodes: they differ in the same env",
        ),
        (Forgetful, "sync: snapshots", "After set_state the same actions give the same steps"),
        (
            Remembering,
            "sync: seeds",
            "The same seed and the same actions give the same episodes",
        ),
        (Stubborn, "sync: episodes", r"Info has each row's goal, \(N, 1\)|ValueError"),
        (
            Broken,
            "sync: episodes",
            r"ZeroDivisionError: division by zero \(test_check_world.py, line \d+, in advance\)",
        ),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
def test_the_rows(row, name, message):
    report = checked(row=row)
    assert name in failures(report), str(report)
    with pytest.raises(ValueError, match=message):
        report.raise_if_failed()


def test_checks_that_rest_on_a_failed_one_do_not_run():
    report = checked(row=Broken)
    not_run = {check.name: check.message for check in report.checks if check.outcome == "not run"}
    assert not_run["sync: masks"] == "because the check of sync: episodes failed"
    assert {"every skill", "evaluation", "gymnasium"} <= set(not_run)
