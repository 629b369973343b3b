"""The tests of this package, run on one skill: `check_skill`.

The oracle is the skill's own plain Python, stepped by MuJoCo's bindings (`PlainEnv`). The native engine, with the
skill's functions compiled, must equal it.
"""

from __future__ import annotations

import contextlib
import dis
import functools
import os
import re
import sys
import traceback
import types
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import mujoco
import numpy as np
from numpy.typing import NDArray

from taskworlds.core.digest import reached
from taskworlds.core.errors import WrongType, WrongValue, check_count, check_seed
from taskworlds.core.task import Task
from taskworlds.rows.protocol import Rows
from taskworlds.testing.own_process import run_in_own_process
from taskworlds.testing.report import Check, SkillReport
from taskworlds.testing.runner import Failed, PlannedCheck, Warned, place_in, run_checks
from taskworlds.worlds.metaworld import sawyer
from taskworlds.worlds.metaworld.skill import Skill, Terms
from taskworlds.worlds.metaworld.skills import temporarily_registered
from taskworlds.worlds.metaworld.validation import REWARD_VERSIONS, mistakes

__all__ = ["check_skill"]

# Of observation and reward; physics has none. exp, powers and logarithms may differ in the last bit between Python's
# library and numba's.
TOLERANCE = 1e-9

_DIVERGED = (
    mujoco.mjtWarning.mjWARN_BADQPOS,
    mujoco.mjtWarning.mjWARN_BADQVEL,
    mujoco.mjtWarning.mjWARN_BADQACC,
)
_ROWS = 3
_SNAPSHOT_STEPS = 5
_MEMORY_CALLS = re.compile(r"call[^\n]*@NRT_MemInfo_(alloc|new)")


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
    run = _Run(
        skill,
        policy,
        check_seed(seed),
        check_count("goals", goals),
        check_count("steps", steps),
        check_count("episodes", episodes),
        min_success_rate,
    )
    return SkillReport(str(skill.name), run.checks(limit), run.success_rate)


class _Trial(NamedTuple):
    """An episode of the plain environment, to be repeated on the native engine."""

    version: str
    vector: NDArray[np.float64]
    visible: bool
    first: NDArray[np.float64]
    actions: list[NDArray[np.floating]]


class _Run:
    """One run of all checks. A check is a method that returns what it found, or raises `Failed` or `Warned`."""

    def __init__(
        self,
        skill: Skill,
        policy: Any,
        seed: int,
        goals: int,
        steps: int,
        episodes: int,
        min_success_rate: float,
    ) -> None:
        self.success_rate: float | None = None
        self._skill = skill
        self._policy = policy
        self._seed = seed
        self._steps = steps
        varies = tuple(skill.rand_vec_low) != tuple(skill.rand_vec_high)
        self._num_goals = goals if varies else 1
        self._num_tasks = 4 * _ROWS if varies else 1  # so that each row has some to choose from
        self._episodes = episodes if varies else 1
        self._min_success_rate = min_success_rate
        self._vectors: NDArray[np.float64] = np.zeros((0, 0))
        self._trials: list[_Trial] = []
        self._registered = contextlib.ExitStack()  # while the checks run, once the fields are right

    def checks(self, limit: float | None) -> tuple[Check, ...]:
        """Runs the checks, each of which may take so many seconds; with None, in this process."""
        plan = [
            PlannedCheck("fields", self._fields),
            PlannedCheck("model", self._model, ("fields",)),
            PlannedCheck("resets", self._resets, ("model",)),
            PlannedCheck("plain run", self._plain_run, ("resets",)),
            PlannedCheck("start", self._start, ("plain run",)),
            PlannedCheck("goal", self._goal, ("plain run",)),
            PlannedCheck("compiling", self._compiling, ("plain run",)),
            PlannedCheck("compiled kernel", _in_bounds(self._compiled_kernel), ("compiling",)),
            PlannedCheck("native row", _in_bounds(self._native_row), ("compiling",)),
            PlannedCheck("seeds", _in_bounds(self._seeds), ("compiling",)),
            PlannedCheck("snapshot", _in_bounds(self._snapshot), ("compiling",)),
        ]

        def run() -> Iterator[Check]:
            with self._registered:
                yield from run_checks(plan, self._place)

        if limit is None:
            done, ended = tuple(run()), True
        else:
            done, ended = run_in_own_process(run, [each.name for each in plan], limit)
        if self._policy is None:
            return done
        # In this process: what a policy holds, a graphics card's memory for one, cannot be passed on.
        compiled = next(each for each in done if each.name == "compiling").outcome in ("ok", "warning")
        if not (compiled and ended):
            broken = "compiling" if not compiled else done[-1].name
            return (*done, Check("policy", "not run", f"because the check of {broken} failed"))
        with temporarily_registered(self._skill):
            return (*done, *run_checks([PlannedCheck("policy", self._solved)], self._place))

    def _place(self, error: BaseException) -> str:
        """Says which line of the skill's functions an error came from, if one of them is in its traceback."""
        functions = [self._skill.reset, self._skill.observe, *self._skill.rewards.values()]
        files = {
            each.__code__.co_filename
            for function in functions
            if isinstance(function, types.FunctionType)
            for each in reached(function)
        }
        return place_in(error, lambda frame, module: frame.filename in files)

    # --- without a simulator, and the model -----------------------------------------------------------------

    def _fields(self) -> str:
        found = mistakes(self._skill)
        if found:
            raise Failed(" ".join(found))
        try:
            self._registered.enter_context(temporarily_registered(self._skill))
        except ValueError as error:
            raise Failed(str(error)) from None
        return "complete, and they fit together"

    def _model(self) -> str:
        from taskworlds.worlds.metaworld.models import metaworld_model

        skill = self._skill
        try:
            model = metaworld_model(skill.model)
        except ValueError as error:
            raise Failed(str(error)) from None
        found: list[str] = []

        def look(what: str, find: Callable[..., Any], *arguments: Any) -> Any:
            try:
                return find(*arguments)
            except ValueError as error:
                found.append(f"{what}: {error}")

        look("the arm", model.mocap_index, "mocap")
        for read in sawyer.ARM_READS.values():
            look("the arm", model.find, read[0].split("_")[0], read[1])
        for field, name in skill.moves:
            look("moves", model.find, field.split("_")[0], name)
        for key, (source, *names) in skill.reads.items():
            kind = {"qpos": "joint", "touch": "geom"}.get(source, source.split("_")[0])
            for name in names:
                look(f"reads[{key!r}]", model.find, kind, name)
                if source == "qpos" and name in model.names("joint") and model.joint_qpos(name)[1] != 1:
                    found.append(
                        f"reads[{key!r}]: the joint {name!r} is not a hinge or a slide. Read its body's "
                        "body_xpos and body_xquat."
                    )
        actuators = model.to_mujoco().nu
        if actuators != 2:
            found.append(f"the arm: the model must have 2 actuators, the fingers', not {actuators}.")
        if found:
            raise Failed(" ".join(dict.fromkeys(found)))
        return "has the arm, and all that is moved and read"

    # --- plain Python ---------------------------------------------------------------------------------------

    def _resets(self) -> str:
        from taskworlds.worlds.metaworld.goals import draw_goals
        from taskworlds.worlds.metaworld.models import metaworld_model
        from taskworlds.worlds.metaworld.reset import begin

        skill, model = self._skill, metaworld_model(self._skill.model)
        self._vectors = draw_goals([skill.name], self._seed, self._num_goals)[skill.name]
        firsts = []
        for vector in self._vectors:
            own = model.to_mujoco()
            beginning = begin(skill, own, vector)
            for name, values in (("the state", beginning.state), *beginning.start.items()):
                if not np.isfinite(values).all():
                    raise Failed(f"{name} is not finite after the reset to {_shown(vector)}: {values}.")
            other = model.to_mujoco()
            for (field, name), place in zip(skill.moves, beginning.moved.reshape(-1, 3), strict=True):
                (other.body(name) if field == "body_pos" else other.site(name)).pos = place
            changed = _changed_fields(own, other)
            if changed:
                raise Failed(
                    f"the reset to {_shown(vector)} changed the model's {' and '.join(changed)} beyond what `moves` "
                    "names. Rows have their own positions of bodies and sites in `moves`; all else must stay as it is."
                )
            firsts.append(beginning)
        for vector, beginning in zip(self._vectors, firsts, strict=True):
            again = begin(skill, model.to_mujoco(), vector)
            differing = [
                name
                for name, one, two in [
                    ("the state", beginning.state, again.state),
                    ("what `moves` names", beginning.moved, again.moved),
                    *((name, beginning.start[name], again.start[name]) for name in skill.start),
                ]
                if not np.array_equal(one, two)
            ]
            if differing:
                raise Failed(
                    f"two resets to the same {_shown(vector)} differ in {', '.join(differing)}. A reset must depend on "
                    "rand_vec alone: it may draw no numbers and keep nothing."
                )
        return (
            f"same start every time for each of {len(self._vectors)} goals; they move only what `moves` names"
        )

    def _plain_run(self) -> str:
        from taskworlds.worlds.metaworld.reference import PlainEnv

        count = 0
        for version, reward in self._skill.rewards.items():
            checked = replace(self._skill, rewards={version: _giving_terms(reward)})
            env = PlainEnv(checked, version)
            for number, vector in enumerate(self._vectors):
                rng = np.random.default_rng([self._seed, number])
                dtype = np.float64 if number % 3 == 2 else np.float32
                visible = number % 2 == 0
                env._last_rand_vec, env._partially_observable = vector, not visible
                with np.errstate(divide="raise", invalid="raise"):
                    obs, _ = env.reset()
                    trial = _Trial(version, vector, visible, obs, [])
                    self._in_space(obs, visible, f"after the reset to {_shown(vector)}")
                    for step in range(self._steps):
                        action = _action(obs, step, number, rng).astype(dtype)
                        obs, reward_, _, _, terms = env.step(action)
                        where = f"at step {step} from {_shown(vector)} ({version})"
                        if any(env.data.warning[kind].number for kind in _DIVERGED):
                            raise Failed(f"the simulation diverged {where}. Look at the model and the reset.")
                        self._step_is_fine(obs, reward_, terms, visible, where)
                        trial.actions.append(action)
                        count += 1
                self._trials.append(trial)
        return f"{count} steps: observation in its space, reward and terms finite, success 0 or 1"

    def _in_space(self, obs: NDArray[np.float64], visible: bool, where: str) -> None:
        space = sawyer.observation_space(visible=visible, hidden=not visible)
        if np.isfinite(obs).all() and space.contains(obs):
            return
        bad = np.flatnonzero(~(np.isfinite(obs) & (obs >= space.low) & (obs <= space.high)))
        part = (
            "the goal"
            if (bad >= 36).all()
            else "`observe`'s numbers"
            if (bad % 18 >= 4).all()
            else "the hand"
        )
        raise Failed(
            f"{part} is outside the observation space {where}: obs[{bad[0]}] is {obs[bad[0]]}, which must be finite "
            f"and within [{space.low[bad[0]]}, {space.high[bad[0]]}]."
        )

    def _step_is_fine(
        self, obs: NDArray[np.float64], reward: float, terms: dict[str, float], visible: bool, where: str
    ) -> None:
        self._in_space(obs, visible, where)
        for name, value in (("reward", reward), *terms.items()):
            if not np.isfinite(value):
                raise Failed(f"{name} is {value} {where}; it must be finite.")
        if terms["success"] not in (0.0, 1.0):
            raise Failed(f"success is {terms['success']} {where}; it must be 0 or 1 (False or True).")

    def _start(self) -> str:
        from taskworlds.worlds.metaworld.reference import PlainEnv

        env = PlainEnv(self._skill, REWARD_VERSIONS[-1])
        solved = []
        for vector in self._vectors:
            env._last_rand_vec = vector
            env.reset()
            if env.step(np.zeros(4, dtype=np.float32))[4]["success"]:
                solved.append(_shown(vector))
        if solved:
            count = f"{len(solved)} of {len(self._vectors)}"
            raise Warned(f"solved without doing anything from {count} goals, first {solved[0]}")
        return "not solved before anything is done"

    def _goal(self) -> str:
        for trial in self._trials:
            goal = trial.first[sawyer.GOAL]
            if trial.visible and not (
                (goal >= self._skill.goal_low).all() and (goal <= self._skill.goal_high).all()
            ):
                raise Warned(
                    f"the reset to {_shown(trial.vector)} shows the goal {goal.round(3).tolist()}, and each step "
                    "shows it clipped to goal_low and goal_high, as Meta-World does. Widen them, unless that is meant"
                )
        return "within goal_low and goal_high"

    # --- compiled -------------------------------------------------------------------------------------------

    def _compiling(self) -> str:
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

    def _compiled_kernel(self) -> str:
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

    def _native_row(self) -> str:
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
        from taskworlds.testing.parity import compare

        worst, count, name = 0.0, 0, self._skill.name
        for trial in self._trials:
            settings = {"reward_function_version": trial.version, "num_threads": 1}
            ours, theirs = (make([name], 1, **settings) for make in (make_ours, make_theirs))
            task = Task(name, {"rand_vec": trial.vector, "partially_observable": not trial.visible})
            with contextlib.closing(ours), contextlib.closing(theirs):
                outcome = compare(
                    ours,
                    theirs,
                    [[task]],
                    functools.partial(_repeated, trial.actions),
                    steps=len(trial.actions),
                    tolerance=TOLERANCE,
                    names=wording[1:],
                )
            if outcome.found:
                what, where = next(iter(outcome.found.items()))
                raise Failed(
                    f"{wording[0].format(what)} from {_shown(trial.vector)} ({trial.version}), {where}. "
                    f"{advice.get(what, otherwise)}".rstrip()
                )
            worst, count = max(worst, outcome.worst), count + outcome.steps
        return worst, count

    def _envs(self, seed: int) -> Any:
        from taskworlds.vector.make import make_vec

        return make_vec(self._skill.name, _ROWS, seed=seed, num_goals=self._num_tasks, num_threads=2)

    def _seeds(self) -> str:
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

    def _snapshot(self) -> str:
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

    def _solved(self) -> str:
        from taskworlds.evaluation import evaluate

        result = evaluate(self._policy, self._skill.name, seed=self._seed, num_goals=self._episodes)
        if result.failed:
            raise Failed(f"the task {result.failed[0].task.id} could not be run: {result.failed[0].error}")
        self.success_rate = float(np.mean(result.scores("success_once")))
        text = f"solves {self.success_rate:.0%} of {self._episodes} episodes"
        if self.success_rate < self._min_success_rate:
            raise Failed(f"{text}; it must solve {self._min_success_rate:.0%}.")
        return text


def _in_bounds(check: Callable[[], str]) -> Callable[[], str]:
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


def _giving_terms(reward: Callable[..., Any]) -> Callable[..., Any]:
    """Wraps a reward so that what it returns is checked."""

    def checked(*arguments: Any) -> Terms:
        given = reward(*arguments)
        if not isinstance(given, Terms):
            raise Failed(f"{reward.__name__} must give Terms(reward, success, ...), not {given!r}.")
        return given

    return checked


def _action(
    obs: NDArray[np.float64], step: int, number: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Returns an action: at random, some beyond the limits; or, on every other goal, to what is observed first."""
    random = rng.uniform(-1.2, 1.2, 4)
    if number % 2 == 0 or step % 10 == 9:
        return random
    return np.append(np.clip(10.0 * (obs[4:7] - obs[0:3]), -1, 1) + 0.2 * random[:3], random[3])


def _repeated(
    actions: list[NDArray[np.floating]], tasks: Any, obs: Any, goals: Any, step: int
) -> NDArray[np.floating]:
    """Returns the action of a trial's step, for a batch of one row."""
    return actions[step][None]


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


def _changed_fields(one: Any, other: Any) -> list[str]:
    """Returns the names of the arrays in which two copies of a MuJoCo model differ, of the model and its options."""
    found = []
    for prefix, mine, its in (("", one, other), ("opt.", one.opt, other.opt)):
        for name in dir(mine):
            if not name.startswith("_"):
                value = getattr(mine, name)
                if isinstance(value, np.ndarray | float | int) and not np.array_equal(
                    value, getattr(its, name), equal_nan=True
                ):
                    found.append(prefix + name)
    return found


def _all_equal(one: Any, other: Any) -> bool:
    if isinstance(one, np.ndarray):
        return np.array_equal(one, other)
    return all(_all_equal(a, b) for a, b in zip(one, other, strict=True))


def _shown(vector: NDArray[np.float64]) -> str:
    return f"rand_vec {tuple(vector.round(3).tolist())}"
