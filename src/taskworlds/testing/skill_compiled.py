"""What `check_skill` checks of a compiled skill: its kernels, the native engine's rows, seeds and snapshots.

The oracle is the skill's own plain Python, stepped by MuJoCo's bindings: the episodes of `skill_plain`.
"""

from __future__ import annotations

import contextlib
import dis
import os
import re
import sys
import traceback
import types
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from taskworlds.core.task import Task
from taskworlds.rows.protocol import Rows
from taskworlds.testing.runner import Failed, Warned
from taskworlds.testing.skill_plain import Trial
from taskworlds.worlds.metaworld.skill import Skill

if TYPE_CHECKING:
    from taskworlds.testing.parity import Outcome

__all__ = ["CompiledRun", "in_bounds"]

# Of observation and reward; physics has none. exp, powers and logarithms may differ in the last bit between Python's
# library and numba's.
TOLERANCE = 1e-9

_ROWS = 3
_SNAPSHOT_STEPS = 5
_MEMORY_CALLS = re.compile(r"call[^\n]*@NRT_MemInfo_(alloc|new)")


class CompiledRun:
    """The compiled functions, and the native engine with them. Each check is a method that returns what it found.

    Args:
        skill: the skill, which is registered while the checks run.
        seed: seed of goals and actions.
        varies: whether the skill has more than one goal.
        trials: the episodes of plain Python to repeat; they may be added later.
    """

    def __init__(self, skill: Skill, seed: int, varies: bool, trials: Sequence[Trial]) -> None:
        self._skill = skill
        self._seed = seed
        self._num_tasks = 4 * _ROWS if varies else 1  # so that each row has some to choose from
        self._trials = trials

    def compiles(self) -> str:
        """Fails where a function cannot be compiled or raises, and warns of one that makes arrays."""
        from taskworlds.worlds.metaworld.compiling import remember
        from taskworlds.worlds.metaworld.kernel import kernel_functions, native_kernel

        allocating = []
        for version in self._skill.rewards:
            for function in kernel_functions(self._skill, version):
                line = _raising_line(function)
                if line is not None:
                    raise Failed(
                        f"{function.__name__} has a `raise` or `assert` "
                        f"({os.path.basename(function.__code__.co_filename)}, line {line}). A kernel runs in threads "
                        "where no error can be reported. Give a number instead."
                    )
            kernel = native_kernel(self._skill, version, keep=False, checked=True)
            remember(self._skill, version, kernel)
            if _MEMORY_CALLS.search(kernel.inspect_llvm()):
                allocating.append(version)
        if allocating:
            raise Warned(
                f"the kernel with reward {' and '.join(allocating)} makes arrays, which costs time at every step. "
                "Compute with single numbers, or write into the arrays that are given"
            )
        versions = " and ".join(self._skill.rewards)
        return f"observation and reward {versions} compile; they raise nothing and make no arrays"

    def equals_plain(self) -> str:
        """Fails where the compiled functions differ from the plain ones."""
        from taskworlds.testing.parity import PlainKernelRows
        from taskworlds.worlds.metaworld.native import NativeRows

        worst, _ = self._side_by_side(
            NativeRows,
            PlainKernelRows,
            ("the compiled kernel's {} differs from plain Python's", "compiled", "plain"),
            {},
            "Compiled functions keep the values that globals had when they were compiled: use none that changes, and "
            "draw no random numbers.",
        )
        return "equals plain Python " + (
            "to the last bit" if worst == 0.0 else f"to {worst:.0e} (exp and powers may differ in a last bit)"
        )

    def equals_mujocos(self) -> str:
        """Fails where the native engine differs from MuJoCo's own stepping."""
        from taskworlds.core.registry import engine, world_of
        from taskworlds.worlds.metaworld.native import NativeRows

        def sync(env_names: list[str], num_rows: int, *, num_threads: int, **settings: Any) -> Rows:
            rows: Rows = engine("sync").make(world_of(self._skill.name), env_names, num_rows, settings, {})
            return rows

        no_contacts = (
            "Does the model have parts that matter but cannot collide? They are left out, unless they have "
            "names."
        )
        special = {
            "fault": "MuJoCo found that the simulation diverged. Look at the model.",
            "first physics": no_contacts,
            "physics": no_contacts,
        }
        _, count = self._side_by_side(
            NativeRows,
            sync,
            ("the native engine's {} differs from MuJoCo's own", "native", "MuJoCo's"),
            special,
            "",
        )
        return f"equals MuJoCo's own stepping over {count} steps: physics to the last bit"

    def _side_by_side(
        self,
        make_ours: Callable[..., Rows],
        make_theirs: Callable[..., Rows],
        wording: tuple[str, str, str],
        advice: dict[str, str],
        otherwise: str,
    ) -> tuple[float, int]:
        """Repeats the trials on two kinds of rows. Returns the largest difference, and how many steps there were.

        Raises:
            Failed: they differ. `wording` says that they do, and what each is called; `advice` what to do about it, by
                what differs, and `otherwise` for the rest.
        """
        worst, count, name = 0.0, 0, self._skill.name
        for version in self._skill.rewards:
            settings = {"reward_function_version": version, "num_threads": 1}
            ours, theirs = (make([name], 1, **settings) for make in (make_ours, make_theirs))
            with contextlib.closing(ours), contextlib.closing(theirs):
                for trial in self._trials:
                    if trial.version != version:
                        continue
                    outcome = _repeat(trial, name, ours, theirs, wording[1:])
                    if outcome.found:
                        what, where = next(iter(outcome.found.items()))
                        raise Failed(
                            f"{wording[0].format(what)} from {trial.goal} ({version}), {where}. "
                            f"{advice.get(what, otherwise)}".rstrip()
                        )
                    worst, count = max(worst, outcome.worst), count + outcome.steps
        return worst, count

    def _envs(self, seed: int) -> Any:
        from taskworlds.vector.make import make_vec

        return make_vec(self._skill.name, _ROWS, seed=seed, num_goals=self._num_tasks, num_threads=2)

    def seeds_repeat(self) -> str:
        """Fails where equal seeds do not give equal goals, starts and steps."""
        from taskworlds.core.benchmark import benchmark

        name, goals = self._skill.name, self._num_tasks
        if benchmark(name, seed=self._seed, num_goals=goals) != benchmark(
            name, seed=self._seed, num_goals=goals
        ):
            raise Failed("the same seed gave different goals.")
        rng = np.random.default_rng(self._seed)
        actions = rng.uniform(-1, 1, (_SNAPSHOT_STEPS, _ROWS, 4)).astype(np.float32)
        outcomes = []
        with (
            contextlib.closing(self._envs(self._seed)) as one,
            contextlib.closing(self._envs(self._seed)) as other,
        ):
            for env in (one, one, other):  # the second time from starts that were kept
                outcomes.append([env.reset(seed=self._seed)[0], *(env.step(each)[:2] for each in actions)])
        for outcome in outcomes[1:]:
            if not _all_equal(outcomes[0], outcome):
                raise Failed("two episodes with the same seed and the same actions differ.")
        return "the same seed gives the same goals, starts and steps, also from kept starts"

    def snapshots_are_exact(self) -> str:
        """Fails where a snapshot in mid-episode does not go on the same."""
        rng = np.random.default_rng(self._seed)
        actions = rng.uniform(-1, 1, (2 * _SNAPSHOT_STEPS, _ROWS, 4)).astype(np.float32)
        with (
            contextlib.closing(self._envs(self._seed)) as one,
            contextlib.closing(self._envs(self._seed)) as other,
        ):
            one.reset(seed=self._seed)
            for action in actions[:_SNAPSHOT_STEPS]:
                one.step(action)
            state = one.get_state()
            outcomes = [[one.step(action)[:2] for action in actions[_SNAPSHOT_STEPS:]]]
            for env in (one, other):
                env.set_state(state)
                outcomes.append([env.step(action)[:2] for action in actions[_SNAPSHOT_STEPS:]])
        for outcome in outcomes[1:]:
            if not _all_equal(outcomes[0], outcome):
                raise Failed("after set_state in mid-episode the same actions gave different results.")
        return "exact in mid-episode, in the same environment and in another"


def in_bounds(check: Callable[[], str]) -> Callable[[], str]:
    """Has a check fail where a compiled function uses an index beyond the end of an array.

    In the engine's threads nobody can catch such an error, and Python tells a hook.
    """

    def checked() -> str:
        told: list[str] = []
        hook, sys.unraisablehook = sys.unraisablehook, lambda error: told.append(_told(error))
        try:
            found = check()
        except Failed:
            if not told:
                raise
        finally:
            sys.unraisablehook = hook
        if told:
            raise Failed(
                f"compiled, one of the skill's functions raises {told[0]}. Elsewhere it would read or write beyond the "
                "end of the array. Compiled integers have 64 bits."
            )
        return found

    return checked


def _told(error: Any) -> str:
    """Returns what an error that nobody could catch was, and where."""
    lines = traceback.extract_tb(error.exc_traceback)
    place = f" ({os.path.basename(lines[-1].filename)}, line {lines[-1].lineno})" if lines else ""
    return f"{error.exc_type.__name__}: {error.exc_value}{place}"


def _repeat(trial: Trial, name: str, ours: Rows, theirs: Rows, names: tuple[str, str]) -> Outcome:
    """Repeats a trial on rows of two kinds, one each. What an earlier one left behind shows as a difference."""
    from taskworlds.testing.parity import compare

    task = Task(name, {"rand_vec": trial.vector, "partially_observable": not trial.visible})
    return compare(
        ours,
        theirs,
        [[task]],
        lambda tasks, obs, goals, step: trial.actions[step][None],
        steps=len(trial.actions),
        tolerance=TOLERANCE,
        names=names,
    )


def _raising_line(function: types.FunctionType) -> int | None:
    """Returns the line of a function's first `raise` or `assert`; None if it has none."""
    line = function.__code__.co_firstlineno
    for instruction in dis.get_instructions(function):
        if isinstance(instruction.starts_line, int) and not isinstance(instruction.starts_line, bool):
            line = instruction.starts_line
        line = getattr(instruction, "line_number", None) or line  # Python 3.13, where starts_line is a bool
        if instruction.opname == "RAISE_VARARGS":
            return line
    return None


def _all_equal(one: Any, other: Any) -> bool:
    if isinstance(one, np.ndarray):
        return np.array_equal(one, other)
    return all(_all_equal(a, b) for a, b in zip(one, other, strict=True))
