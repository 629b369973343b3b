"""The conformance suite of engines: `check_engine`."""

from __future__ import annotations

import contextlib
import copy
import json
import pickle
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from taskworlds.core.errors import WrongType, check_count, check_seed
from taskworlds.core.reference import resolve
from taskworlds.core.registry import engine as engine_of
from taskworlds.core.registry import temporarily_registered, world_of, worlds
from taskworlds.core.row_engine import RowEngine
from taskworlds.core.task import Task
from taskworlds.core.world import World
from taskworlds.evaluation import evaluate, random_policy
from taskworlds.rows.flaws import Flaw, goals_flaw, observations_flaw, step_flaw
from taskworlds.rows.protocol import RowFault, Rows, RowStep
from taskworlds.testing.env_checks import EnvChecks, first_difference, rows_of
from taskworlds.testing.report import Check, Report
from taskworlds.testing.runner import Failed, PlannedCheck, broken, place_in, run_checks
from taskworlds.testing.world_checks import Sample, is_code_of
from taskworlds.vector.make import make_vec

__all__ = ["check_engine"]

_ROWS = 4
_METHODS = (
    "reset", "step", "step_async", "step_wait", "get_state", "set_state", "render", "call", "get_attr", "set_attr",
    "close",
)  # fmt: skip
_TOLERANCE = 1e-9  # what an exact engine may differ by: sums in another order


def check_engine(
    engine: RowEngine,
    *,
    world: World | str = "reach-v3",
    reference: str | None = "sync",
    options: dict[str, Any] | None = None,
    seed: int = 0,
    steps: int = 30,
) -> Report:
    """Tests everything that vector environments rely on in an engine, and reports.

    The engine need not be registered, and this does not register it. Its rows are made and stepped by themselves first,
    then under `make_vec`. An engine that says of itself that it is exact must give what the reference engine gives; one
    that is not must be the same as itself: alone and in a batch, before and after a snapshot, and for the same seed.

    Args:
        engine: the engine.
        world: a world that it can step, or the name of one or of one of its skills.
        reference: the engine that an exact one is compared with; None to compare with none.
        options: the engine's own options, if it needs any.
        seed: seed of tasks, episodes and actions.
        steps: how many steps the longest run takes.

    Returns:
        The report; `print(report)` shows it, `report.raise_if_failed()` is for tests.

    Raises:
        TypeError: `engine` is not a `RowEngine`, or `world` neither a `World` nor a name.
        ValueError: a number is out of range, or a name is not known.
    """
    if not isinstance(engine, RowEngine):
        raise WrongType(
            f"engine must be a taskworlds.RowEngine, not {engine!r}: make one, RowEngine(name=..., ...).",
            argument="engine",
        )
    if not isinstance(world, World):
        world = next((each for each in worlds() if each.name == world), None) or world_of(world)
    if reference is not None:
        engine_of(reference)
    run = _Run(
        engine.in_world(world), world, reference, options or {}, check_seed(seed), check_count("steps", steps)
    )
    return Report(engine.name, run.checks(), kind="engine")


class _Run:
    """One run of all checks."""

    def __init__(
        self,
        engine: RowEngine,
        world: World,
        reference: str | None,
        options: dict[str, Any],
        seed: int,
        steps: int,
    ) -> None:
        self._engine = engine
        self._world = world
        self._reference = reference
        self._options = options
        self._seed = seed
        self._steps = steps
        self._registered = contextlib.ExitStack()
        self._tasks: list[Task] = []
        space = batch_space(world.action_space(), _ROWS)
        space.seed(seed)
        self._actions = [space.sample() for _ in range(steps)]
        self._seeds = np.arange(1, _ROWS + 1, dtype=np.int64)
        self._every = np.ones(_ROWS, dtype=np.bool_)

    def checks(self) -> tuple[Check, ...]:
        """Runs the checks: of the record, of the rows by themselves, and of vector environments."""
        plan = [
            PlannedCheck("record", self._record),
            PlannedCheck("rows", self._rows_made, ("record",)),
            PlannedCheck("reset", self._reset, ("rows",)),
            PlannedCheck("step", self._step, ("reset",)),
            PlannedCheck("masks", self._masks, ("step",)),
            PlannedCheck("halves", self._halves, ("step",)),
            PlannedCheck("state", self._state, ("step",)),
            PlannedCheck("forks", self._forks, ("state",)),
            PlannedCheck("attributes", self._attributes, ("step",)),
            PlannedCheck("close", self._close, ("step",)),
        ]
        with self._registered:
            found = list(run_checks(plan, self._place))
            if all(check.outcome == "ok" for check in found[:4]):
                environments = EnvChecks(
                    self._world,
                    self._engine.name,
                    self._tasks,
                    seed=self._seed,
                    steps=self._steps,
                    options=self._options,
                )
                plan = environments.plan("make_vec: ")
                if self._engine.exact and self._reference not in (None, self._engine.name):
                    plan.append(PlannedCheck("reference", self._equals_reference, (plan[0].name,)))
                if not self._engine.exact:
                    plan.append(PlannedCheck("fingerprint", self._fingerprint, (plan[0].name,)))
                plan.append(PlannedCheck("foreign snapshots", self._foreign, (plan[0].name,)))
                found += run_checks(plan, self._place)
            else:
                found.append(Check("make_vec", "not run", "because a check of the rows failed"))
        return tuple(found)

    def _place(self, error: BaseException) -> str:
        references = (self._engine.make_rows, self._engine.steps)
        return place_in(error, is_code_of([each for each in references if each is not None]))

    # --- the rows by themselves -----------------------------------------------------------------------------

    def _record(self) -> str:
        engine, world = self._engine, self._world
        try:
            pickle.dumps(engine)
        except Exception as error:
            raise broken(
                "An engine's record can be sent to another process",
                f"pickling it raised {type(error).__name__}: {error}. Use functions of modules, or their names",
            ) from error
        for name in ("make_rows", "steps"):
            try:
                resolve(getattr(engine, name))
            except (ImportError, ValueError) as error:
                raise broken(
                    "Every reference names something that can be imported",
                    f"{name}: {str(error).rstrip('.')}",
                ) from error
        if not all(isinstance(name, str) for name in engine.options):
            raise broken("options names the engine's own options", f"they are {engine.options!r}")
        unknown = sorted(set(self._options) - set(engine.options))
        if unknown:
            raise broken("Options that are given are the engine's", f"not {', '.join(unknown)}")
        try:
            self._registered.enter_context(temporarily_registered(engine))
        except ValueError as error:
            raise Failed(str(error)) from None
        if not any(world is each for each in worlds()):
            self._registered.enter_context(temporarily_registered(world))
        if engine.can_step(world) is not True:
            raise broken("The engine can step the world that it is tried on", f"not {world.name}")
        self._tasks = Sample(world, self._seed).tasks
        return f"can step {world.name}; " + ("exact" if engine.exact else "not exact")

    @contextlib.contextmanager
    def _made(self, num_rows: int = _ROWS, *, reset: bool = True) -> Iterator[_Resting]:
        """Makes rows, resets them, and closes them."""
        made = self._new(num_rows)
        rows = _Resting(made, np.zeros(num_rows, dtype=np.bool_))
        with contextlib.closing(made):
            if reset:
                rows.reset(self._of_rows(num_rows), np.ones(num_rows, dtype=np.bool_), self._seeds[:num_rows])
            yield rows

    def _new(self, num_rows: int) -> Rows:
        """Makes rows."""
        world = self._world
        versions = {"reward_function_version": world.reward_function_versions[-1]}
        settings = {name: value for name, value in versions.items() if name in world.settings}
        names = list(dict.fromkeys(task.env_name for task in self._tasks))
        rows: Rows = self._engine.make(world, names, num_rows, settings, self._options)
        return rows

    def _of_rows(self, num_rows: int = _ROWS) -> list[Task | None]:
        """Returns a task for each row."""
        return [self._tasks[row % len(self._tasks)] for row in range(num_rows)]

    def _rows_made(self) -> str:
        with self._made(reset=False) as made:
            rows = made.rows
            missing = [name for name in _METHODS if not callable(getattr(rows, name, None))]
            if missing:
                raise broken("Rows have the methods of Rows", f"these do not have {', '.join(missing)}")
            if rows.num_rows != _ROWS:
                raise broken("Rows have as many rows as were asked for", f"{rows.num_rows}, not {_ROWS}")
            self._check_goals(rows, "before the reset")
        return f"{_ROWS} rows with the methods of Rows"

    def _check_goals(self, rows: Rows, where: str) -> None:
        _check_flaw(goals_flaw(self._world.goal_size, rows), where)

    def _check_observations(self, obs: Any, where: str) -> list[Any]:
        """Returns the rows of observations, which may show more than the world's space where goals are shown."""
        space = self._world.observation_space(visible=True, hidden=True)
        _check_flaw(observations_flaw(space, _ROWS, obs), where)
        return copy.deepcopy(rows_of(batch_space(space, _ROWS), obs))

    def _reset(self) -> str:
        with self._made(reset=False) as made:
            rows = made.rows
            mask = np.array([True, False, True, False])
            tasks: list[Task | None] = [
                task if chosen else None for task, chosen in zip(self._of_rows(), mask, strict=True)
            ]
            first = self._check_observations(
                rows.reset(tasks, mask, self._seeds), "after a reset of two rows"
            )
            second = self._check_observations(
                rows.reset(self._of_rows(), ~mask, self._seeds), "after the next"
            )
            for row in np.flatnonzero(mask):
                if first_difference(first[row], second[row]) is not None:
                    raise broken(
                        "A reset leaves the other rows' observations as they were", f"row {row} changed"
                    )
            again = self._check_observations(
                rows.reset(self._of_rows(), self._every, self._seeds), "after another"
            )
            place = first_difference(second, again)
            if place is not None:
                raise broken("A reset depends on task and seed alone", f"two resets differ {place}")
            self._check_goals(rows, "after the reset")
        return "of some rows and of all: the same start for the same task and seed"

    def _step(self) -> str:
        names: set[str] | None = None
        with self._made() as made:
            rows, running = made.rows, self._every.copy()
            for number, actions in enumerate(self._actions):
                where = f"at step {number}"
                step = rows.step(actions, running.copy())
                self._check_observations(step.obs, where)
                self._check_goals(rows, where)
                self._check_step(step, running, where)
                if names is not None and names != set(step.terms):
                    raise broken(
                        "Each step reports the same terms",
                        f"{where} {sorted(step.terms)}, before {sorted(names)}",
                    )
                names = set(step.terms)
                if step.terminated is not None:
                    running &= ~step.terminated
                if not running.any():
                    rows.reset(self._of_rows(), self._every, self._seeds)
                    running = self._every.copy()
        return f"{self._steps} steps" + (f"; terms {', '.join(sorted(names))}" if names else "")

    def _check_step(self, step: RowStep, running: NDArray[np.bool_], where: str) -> None:
        _check_flaw(step_flaw(_ROWS, self._world, step), where)
        if not np.isfinite(step.rewards[running]).all():
            raise broken("Rewards are finite", f"{where} they are {step.rewards!r}")
        if self._world.has_success and not np.isin(step.terms["success"][running], (0.0, 1.0)).all():
            raise broken("Success is 0 or 1", f"it is {step.terms['success']} {where}")
        for fault in step.faults:
            if not isinstance(fault, RowFault):
                raise broken("faults are RowFaults", f"one is {fault!r} {where}")
            raise broken(
                "Ordinary tasks and actions have no faults", f"row {fault.row}: {fault.what} {where}"
            )

    def _masks(self) -> str:
        mask = np.array([False, True, False, True])
        first, second, third = (self._actions * 3)[:3]
        with self._made() as rows:
            before = self._check_observations(rows.step(first)[0], "before")
            after = self._check_observations(rows.step(second, mask.copy())[0], "after a masked step")
            for row in np.flatnonzero(~mask):
                if first_difference(before[row], after[row]) is not None:
                    raise broken(
                        "A masked step leaves the other rows' observations as they were",
                        f"row {row} changed at step 1",
                    )
            last = rows.step(third)
        with self._made() as rows:
            expected = rows.play([first, third])[-1]
        for row in np.flatnonzero(~mask).tolist():
            self._same_row(
                last, row, expected, row, "A row that a mask leaves out goes on from where it was", "not"
            )
        return "a masked step leaves the other rows as they were"

    def _same_row(self, one: Any, row: int, other: Any, other_row: int, rule: str, found: str) -> None:
        """Raises `Failed` if rows of two steps differ."""
        space = self._world.observation_space(visible=True, hidden=True)
        mine, its = (
            rows_of(batch_space(space, len(step[1])), step[0])[at]
            for step, at in ((one, row), (other, other_row))
        )
        terms = [
            {name: values[at] for name, values in step[2].items()}
            for step, at in ((one, row), (other, other_row))
        ]
        place = first_difference((mine, one[1][row], terms[0]), (its, other[1][other_row], terms[1]))
        if place is not None:
            raise broken(rule, f"{found} row {row} {place}")

    def _halves(self) -> str:
        actions = self._actions[:5]
        with self._made() as rows:
            expected = rows.play(actions)
        with self._made() as rows:
            for number, each in enumerate(actions):
                place = first_difference(rows.step(each, in_halves=True), expected[number])
                if place is not None:
                    raise broken(
                        "step_async and step_wait do what step does", f"not at step {number}: {place}"
                    )
        return "step_async and step_wait do what step does"

    def _state(self) -> str:
        actions = (self._actions * 8)[:8]
        rule = "What get_state returns is the caller's own"
        source = np.arange(_ROWS)
        with self._made() as rows:
            rows.play(actions[:4])
            state = rows.get_state()
            kept = copy.deepcopy(state)
            expected = rows.play(actions[4:])
            place = first_difference(state, kept)
            if place is not None:
                raise broken(rule, f"steps changed it, {place}")
            rows.set_state(state, source)
            place = first_difference(rows.play(actions[4:]), expected)
            if place is not None:
                raise broken(
                    "After set_state the same actions give the same steps",
                    f"they differ in the same rows: {place}",
                )
            place = first_difference(state, kept)
            if place is not None:
                raise broken(
                    "set_state keeps nothing of what it was given", f"steps after it changed that: {place}"
                )
            rows.set_state(state, source)
            _spoil(rows.rows.get_state())
            place = first_difference(rows.play(actions[4:]), expected)
            if place is not None:
                raise broken(rule, f"writing to it changed the rows: {place}")
            spoilt = copy.deepcopy(kept)
            rows.set_state(spoilt, source)
            _spoil(spoilt[0])
            place = first_difference(rows.play(actions[4:]), expected)
            if place is not None:
                raise broken(
                    "set_state keeps nothing of what it was given",
                    f"writing to that changed the rows: {place}",
                )
        with self._made(reset=False) as rows:
            rows.set_state(pickle.loads(pickle.dumps(kept)), source)
            place = first_difference(rows.play(actions[4:]), expected)
            if place is not None:
                raise broken(
                    "After set_state the same actions give the same steps",
                    f"they differ in new rows: {place}",
                )
        return "the caller's own; exact in the same rows and in new ones"

    def _forks(self) -> str:
        actions = (self._actions * 6)[:6]
        rule = "Row i goes on as row source[i] did"
        with self._made() as rows:
            rows.play(actions[:3])
            state = rows.get_state()
            # The rows that are compared take the same actions.
            alike = [_repeated(each, 1, _ROWS) for each in actions[3:]]
            expected = rows.play(alike)
            for source in ([3, 2, 1, 0], [1, 1, 1, 1], [0, 0, 2, 2]):
                rows.set_state(state, np.array(source))
                for number, step in enumerate(rows.play(alike)):
                    for row, other in enumerate(source):
                        self._same_row(
                            step,
                            row,
                            expected[number],
                            other,
                            rule,
                            f"with source {source}, at step {number}",
                        )
        with self._made(2, reset=False) as few:
            few.set_state(state, np.array([2, 0]))
            for number, each in enumerate(alike):
                step = few.step(_repeated(each, 1, 2))
                for row, other in enumerate((2, 0)):
                    self._same_row(
                        step, row, expected[number], other, rule, f"in two rows, at step {number}:"
                    )
        return "rows go on from any rows of a snapshot, also of another number of rows"

    def _attributes(self) -> str:
        name = "no_such_attribute"
        with self._made() as made, self._made() as other:
            rows = made.rows
            for what, call in (
                ("call", lambda: rows.call(name)),
                ("get_attr", lambda: rows.get_attr(name)),
                ("set_attr", lambda: rows.set_attr(name, [1] * _ROWS)),
            ):
                rule = f"{what} raises AttributeError for an attribute that rows do not have"
                try:
                    call()
                except AttributeError as error:
                    if name not in str(error):
                        raise broken(f"{rule}, and names it", f"the message is {str(error)!r}") from None
                except Exception as error:
                    raise broken(rule, f"it raised {type(error).__name__}: {error}") from error
                else:
                    raise broken(rule, "nothing was raised")
            place = first_difference(made.play(self._actions[:3]), other.play(self._actions[:3]))
            if place is not None:
                raise broken("A question about an attribute leaves the rows as they were", place)
        return "AttributeError for one that is not there, which leaves the rows usable"

    def _close(self) -> str:
        rows = self._new(_ROWS)
        rows.reset(self._of_rows(), self._every, self._seeds)
        rows.close()
        try:
            rows.close()
        except Exception as error:
            raise broken("close works twice", f"it raised {type(error).__name__}: {error}") from error
        self._new(1).close()
        return "close works twice, and before the first reset"

    # --- under make_vec -------------------------------------------------------------------------------------

    def _equals_reference(self) -> str:
        outcomes = []
        for name in (self._engine.name, self._reference):
            options: dict[str, Any] = (
                {"engine_options": self._options} if self._options and name == self._engine.name else {}
            )
            made = make_vec(
                list(self._tasks),
                _ROWS,
                vector_strategy=name,
                seed=self._seed,
                max_episode_steps=7,
                **options,
            )
            with contextlib.closing(made) as env:
                outcomes.append([env.reset(seed=self._seed), *(env.step(each) for each in self._actions)])
        place = first_difference(outcomes[0], outcomes[1], _TOLERANCE)
        if place is not None:
            raise broken(
                f"An exact engine gives what {self._reference} gives, to {_TOLERANCE:.0e}",
                f"they differ at {place}",
            )
        return f"gives what {self._reference} gives over {len(self._actions)} steps and the ends of episodes"

    def _fingerprint(self) -> str:
        options: dict[str, Any] = {"engine_options": self._options} if self._options else {}
        made = make_vec(
            list(self._tasks),
            2,
            vector_strategy=self._engine.name,
            seed=self._seed,
            max_episode_steps=3,
            **options,
        )
        with contextlib.closing(made) as env:
            result = evaluate(random_policy(self._world.action_space(), seed=self._seed), env)
        if f'"{self._engine.name}' not in json.dumps(result.fingerprint.to_dict()):
            raise broken(
                "The fingerprint of a result names an engine that is not exact", f"not {self._engine.name!r}"
            )
        return "names the engine, as its results are not those of others"

    def _foreign(self) -> str:
        if self._reference is None or not engine_of(self._reference).can_step(self._world):
            return "no other engine to take snapshots of"
        rule = "A snapshot of another engine is refused with a ValueError, or taken if both say the same of snapshots"
        theirs = engine_of(self._reference)
        alike = theirs.takes_snapshots_of == self._engine.takes_snapshots_of
        options: dict[str, Any] = {"engine_options": self._options} if self._options else {}
        tasks = list(self._tasks)
        with (
            contextlib.closing(make_vec(tasks, 2, vector_strategy=theirs.name, seed=self._seed)) as one,
            contextlib.closing(
                make_vec(tasks, 2, vector_strategy=self._engine.name, seed=self._seed, **options)
            ) as other,
        ):
            one.reset(seed=self._seed)
            try:
                other.set_state(one.get_state())
            except ValueError as error:
                if alike:
                    raise broken(rule, f"{theirs.name}'s was refused: {error}") from error
                return f"{theirs.name}'s is refused"
            if not alike:
                raise broken(rule, f"{theirs.name}'s was taken")
        return f"{theirs.name}'s is taken"


class _Resting:
    """Rows in which a row whose episode has ended rests until its next reset, as vector environments have it.

    Args:
        rows: the engine's rows.
        running: which of them have an episode, (N,) bool.
    """

    def __init__(self, rows: Rows, running: NDArray[np.bool_]) -> None:
        self.rows = rows
        self.running = running

    def reset(self, tasks: Sequence[Task | None], mask: NDArray[np.bool_], seeds: NDArray[np.int64]) -> Any:
        """See `Rows.reset`."""
        self.running |= mask
        return self.rows.reset(tasks, mask, seeds)

    def step(
        self, actions: Any, mask: NDArray[np.bool_] | None = None, *, in_halves: bool = False
    ) -> tuple[Any, ...]:
        """Steps rows; returns copies of observations, and of rewards, terms and ends, zeros where a row rests."""
        stepping = self.running if mask is None else self.running & mask
        given = stepping.copy()
        if in_halves:
            self.rows.step_async(actions, given)
            step = self.rows.step_wait()
        else:
            step = self.rows.step(actions, given)
        ended = np.zeros_like(stepping) if step.terminated is None else step.terminated & stepping
        terms = {name: np.where(stepping, values, 0.0) for name, values in step.terms.items()}
        told = copy.deepcopy(step.obs), np.where(stepping, step.rewards, 0.0), terms, ended
        self.running = self.running & ~ended
        return told

    def play(self, actions: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Steps all rows several times."""
        return [self.step(each) for each in actions]

    def get_state(self) -> tuple[Any, NDArray[np.bool_]]:
        """Returns the engine's state, and which rows run."""
        return self.rows.get_state(), self.running.copy()

    def set_state(self, state: tuple[Any, NDArray[np.bool_]], source: NDArray[np.int64]) -> None:
        """Puts rows where `get_state` found them."""
        self.rows.set_state(state[0], source)
        self.running = state[1][source]


def _repeated(batch: Any, row: int, num_rows: int) -> Any:
    """Returns a batch of one row's part of another batch, by nested arrays."""
    if isinstance(batch, dict):
        return {name: _repeated(each, row, num_rows) for name, each in batch.items()}
    if isinstance(batch, tuple):
        return tuple(_repeated(each, row, num_rows) for each in batch)
    return np.repeat(batch[row : row + 1], num_rows, axis=0)


def _spoil(state: Any) -> None:
    """Writes to every array of nested data that can be written to."""
    if isinstance(state, dict):
        for each in state.values():
            _spoil(each)
    elif isinstance(state, list | tuple):
        for each in state:
            _spoil(each)
    elif isinstance(state, np.ndarray) and state.flags.writeable and state.dtype != object:
        state[...] = np.zeros((), dtype=state.dtype) if state.dtype.kind not in "f" else 7.25


def _check_flaw(flaw: Flaw | None, where: str) -> None:
    """Raises the failure of a rule about shapes and types."""
    if flaw is not None:
        raise broken(flaw.rule, f"{where} {flaw.found}")
