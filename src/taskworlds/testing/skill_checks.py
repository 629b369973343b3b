"""The tests of this package, run on one skill: `check_skill`."""

from __future__ import annotations

import contextlib
import types
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from taskworlds.core.digest import reached
from taskworlds.core.errors import WrongType, WrongValue, check_count, check_seed
from taskworlds.testing.own_process import run_in_own_process
from taskworlds.testing.report import Check, SkillReport
from taskworlds.testing.runner import Failed, PlannedCheck, place_in, run_checks
from taskworlds.testing.skill_compiled import CompiledRun, in_bounds
from taskworlds.testing.skill_plain import PlainRun
from taskworlds.testing.skill_record import fields_fit, model_has_all
from taskworlds.worlds.metaworld.skill import Skill
from taskworlds.worlds.metaworld.skills import temporarily_registered

__all__ = ["check_skill"]


def check_skill(
    skill: Skill,
    policy: Callable[[NDArray[np.float64]], Any] | Any = None,
    *,
    seed: int = 0,
    goals: int = 3,
    steps: int = 60,
    episodes: int = 10,
    min_success_rate: float = 0.8,
    limit: float | None = 120.0,
) -> SkillReport:
    """Tests a skill as this package tests its own, and reports.

    The skill need not be registered, and this does not register it. It takes some seconds, most of them for compiling.

    The skill's functions run in a process of their own (on Linux), so that one that crashes or never ends is reported;
    compiled, they check each index, which they do not do elsewhere. Only the policy runs in this process, at the end.

    Args:
        skill: the skill.
        policy: what should solve the task: a function from observations (N, 39) to actions (N, 4), or any other policy
            that `taskworlds.evaluate` takes. None: whether the task can be solved is not checked.
        seed: seed of goals and actions.
        goals: how many goals the skill is stepped on.
        steps: steps for each goal and version of the reward.
        episodes: how many goals the policy is tried on, one episode each.
        min_success_rate: the share of them that it must solve.
        limit: seconds that a check may take. None: without a limit, and in this process, so that a debugger sees the
            skill's functions, and checks of many skills share what has been compiled; one that crashes takes this
            process with it.

    Returns:
        The report; `print(report)` shows it, `report.raise_if_failed()` is for tests.

    Raises:
        TypeError: `skill` is not a `Skill`.
        ValueError: a number is out of range.

    Example:
        >>> report = check_skill(Skill("drawer-half-open-v1"))
        >>> report.ok, report.failures[0].name
        (False, 'fields')
    """
    if not isinstance(skill, Skill):
        raise WrongType(
            f"skill must be a taskworlds.Skill, not {skill!r}: make one, Skill(name=..., ...).",
            argument="skill",
        )
    if not 0.0 <= min_success_rate <= 1.0:
        raise WrongValue(
            f"min_success_rate must be from 0 to 1, not {min_success_rate!r}.", argument="min_success_rate"
        )
    if limit is not None and not (isinstance(limit, int | float) and limit > 0):
        raise WrongValue(
            f"limit must be a number of seconds above 0, or None, not {limit!r}.", argument="limit"
        )
    seed, goals, steps = check_seed(seed), check_count("goals", goals), check_count("steps", steps)
    episodes = check_count("episodes", episodes)
    done, ended = _checks(skill, seed, goals, steps, limit)
    if policy is None:
        return SkillReport(str(skill.name), done, None)
    # In this process: what a policy holds, a graphics card's memory for one, cannot be passed on.
    compiled = next(each for each in done if each.name == "compiling").outcome in ("ok", "warning")
    if not (compiled and ended):
        broken = "compiling" if not compiled else done[-1].name
        missing = Check("policy", "not run", f"because the check of {broken} failed")
        return SkillReport(str(skill.name), (*done, missing), None)
    solving = _Solving(skill, policy, seed, episodes if _varies(skill) else 1, min_success_rate)
    with temporarily_registered(skill):
        done += tuple(run_checks([PlannedCheck("policy", solving.check)], _place_in(skill)))
    return SkillReport(str(skill.name), done, solving.success_rate)


def _checks(
    skill: Skill, seed: int, goals: int, steps: int, limit: float | None
) -> tuple[tuple[Check, ...], bool]:
    """Runs all checks but that of a policy, and returns them and whether the last one that ran came to its end."""
    varies = _varies(skill)
    plain = PlainRun(skill, seed, goals if varies else 1, steps)
    compiled = CompiledRun(skill, seed, varies, plain.trials)
    registered = contextlib.ExitStack()  # while the checks run, once the fields are right

    def fields() -> str:
        found = fields_fit(skill)
        try:
            registered.enter_context(temporarily_registered(skill))
        except ValueError as error:
            raise Failed(str(error)) from None
        return found

    plan = [
        PlannedCheck("fields", fields),
        PlannedCheck("model", lambda: model_has_all(skill), ("fields",)),
        PlannedCheck("resets", plain.resets_repeat, ("model",)),
        PlannedCheck("plain run", plain.steps_are_fine, ("resets",)),
        PlannedCheck("start", plain.starts_unsolved, ("plain run",)),
        PlannedCheck("goal", plain.goals_are_shown, ("plain run",)),
        PlannedCheck("compiling", compiled.compiles, ("plain run",)),
        PlannedCheck("compiled kernel", in_bounds(compiled.equals_plain), ("compiling",)),
        PlannedCheck("native row", in_bounds(compiled.equals_mujocos), ("compiling",)),
        PlannedCheck("seeds", in_bounds(compiled.seeds_repeat), ("compiling",)),
        PlannedCheck("snapshot", in_bounds(compiled.snapshots_are_exact), ("compiling",)),
    ]

    def run() -> Iterator[Check]:
        with registered:
            yield from run_checks(plan, _place_in(skill))

    if limit is None:
        return tuple(run()), True
    return run_in_own_process(run, [each.name for each in plan], limit)


def _varies(skill: Skill) -> bool:
    """Returns whether the skill has more than one goal."""
    return tuple(skill.rand_vec_low) != tuple(skill.rand_vec_high)


def _place_in(skill: Skill) -> Callable[[BaseException], str]:
    """Says which line of the skill's functions an error came from, if one of them is in its traceback."""

    def place(error: BaseException) -> str:
        functions = [skill.reset, skill.observe, *skill.rewards.values()]
        files = {
            each.__code__.co_filename
            for function in functions
            if isinstance(function, types.FunctionType)
            for each in reached(function)
        }
        return place_in(error, lambda frame, module: frame.filename in files)

    return place


class _Solving:
    """The check that a policy solves the skill.

    Attributes:
        success_rate: the share of episodes that it solved; None before the check.
    """

    def __init__(self, skill: Skill, policy: Any, seed: int, episodes: int, min_success_rate: float) -> None:
        self.success_rate: float | None = None
        self._skill = skill
        self._policy = policy
        self._seed = seed
        self._episodes = episodes
        self._min_success_rate = min_success_rate

    def check(self) -> str:
        """Fails where the policy solves too few episodes, or a task could not be run."""
        from taskworlds.evaluation import evaluate

        result = evaluate(self._policy, self._skill.name, seed=self._seed, num_goals=self._episodes)
        if result.failed:
            raise Failed(f"the task {result.failed[0].task.id} could not be run: {result.failed[0].error}")
        self.success_rate = float(np.mean(result.scores("success_once")))
        text = f"solves {self.success_rate:.0%} of {self._episodes} episodes"
        if self.success_rate < self._min_success_rate:
            raise Failed(f"{text}; it must solve {self._min_success_rate:.0%}.")
        return text
