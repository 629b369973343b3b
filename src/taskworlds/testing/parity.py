"""Two engines' rows side by side: given the same tasks, seeds and actions, they must do the same.

`compare` is the one loop of all worlds. What it compares are the rows that users get, of any two engines.
`python -m taskworlds.testing.parity drawer` runs the skills of a Meta-World family on the native engine beside their
official environments, and prints what differs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import gymnasium as gym
import mujoco
import numpy as np
from numpy.typing import NDArray

from taskworlds.core.errors import WrongType, WrongValue
from taskworlds.core.registry import choose_engine, world_of
from taskworlds.core.task import Task
from taskworlds.core.world import World
from taskworlds.rows.engine_rows import EngineRows
from taskworlds.rows.protocol import Rows, RowStep
from taskworlds.worlds.metaworld.goals import draw_goals
from taskworlds.worlds.metaworld.kernel import plain_kernel
from taskworlds.worlds.metaworld.native import NativeRows
from taskworlds.worlds.metaworld.skills import skill

__all__ = [
    "KINDS",
    "TOLERANCE",
    "Act",
    "Actions",
    "Outcome",
    "PlainKernelRows",
    "compare",
    "compare_goals",
    "differences",
    "distance",
    "make_rows",
    "rows_for",
]

TOLERANCE = 1e-9  # observations, rewards and terms: sums in another order than NumPy's; physics has none
KINDS = ("expert", "noisy", "random", "double")
_STATE = mujoco.mjtState.mjSTATE_INTEGRATION

Act = Callable[[Sequence[Task | None], NDArray[np.float64], NDArray[np.float64], int], NDArray[Any]]
"""Chooses actions (N, A) from each row's task, the observations (N, O), the goals (N, G) and the step's number."""


@dataclass
class Outcome:
    """What a comparison found.

    Attributes:
        found: where each thing differed first, by what differed: "physics", "reward", the name of a term.
        worst: the largest difference in numbers that need not be equal to the last bit.
        steps: steps that were compared, counted in each row.
        states: states of the simulator that were compared; 0 for worlds without one.
    """

    found: dict[str, str] = field(default_factory=dict)
    worst: float = 0.0
    steps: int = 0
    states: int = 0

    def note(self, what: str, where: str) -> None:
        """Keeps where something differed, if it is the first place."""
        self.found.setdefault(what, where)

    @property
    def lines(self) -> list[str]:
        """A line for each thing that differed."""
        return [f"{what}: {where}" for what, where in self.found.items()]


def compare(
    ours: Rows,
    theirs: Rows,
    rounds: Iterable[Sequence[Task | None]],
    act: Act,
    *,
    steps: int,
    seed: int = 0,
    tolerance: float = TOLERANCE,
    exact: Collection[str] = (),
    names: tuple[str, str] = ("ours", "official"),
) -> Outcome:
    """Resets and steps two batches alike, and compares everything after each reset and step.

    Physics must be equal to the last bit, ends of episodes and names of terms must be the same, and observations,
    rewards, terms and goals must agree to the tolerance: absolute, and relative where numbers exceed 1. A row whose
    episode has ended rests until the next round.

    Args:
        ours: the rows to be checked.
        theirs: the rows to compare with, as many.
        rounds: for each round the task of each row, or None for a row that rests. Each round is an episode in the same
            rows, so what an episode leaves behind shows in the next.
        act: chooses the actions, from what `theirs` shows.
        steps: steps of a round.
        seed: seeds the episodes' starts, where a world draws them.
        tolerance: 0 for equality to the last bit.
        exact: what must be equal whatever the tolerance, where a zero may have either sign: "observation",
            "first observation", "reward", "goal", or names of terms.
        names: what the two are called in messages.

    Returns:
        What differed, and where it did first.
    """
    outcome = Outcome()
    rng = np.random.default_rng(seed)

    def look(parts: dict[str, tuple[Any, Any]], rows: NDArray[np.bool_], where: str) -> None:
        """Compares what belongs to a reset or a step: all of it at once, and one by one where that differs."""
        pairs = {
            what: tuple(np.asarray(each, dtype=np.float64).reshape(len(rows), -1)[rows] for each in pair)
            for what, pair in parts.items()
        }
        if all(mine.shape == its.shape for mine, its in pairs.values()):
            ours_all, theirs_all = (
                np.concatenate(each, axis=1) for each in zip(*pairs.values(), strict=True)
            )
            limits = np.concatenate(
                [
                    np.full(mine.shape[1], 0.0 if what in exact else tolerance)
                    for what, (mine, _) in pairs.items()
                ]
            )
            differs, worst = _differs(ours_all, theirs_all, limits)
            outcome.worst = max(outcome.worst, worst)
            if not differs.any():
                return
        for what, (mine, its) in pairs.items():
            if mine.shape != its.shape:
                outcome.note(what, f"{where}: shape {mine.shape} {names[0]}, {its.shape} {names[1]}")
                continue
            differs, _ = _differs(mine, its, 0.0 if what in exact else tolerance)
            if not differs.any():
                continue
            place, column = np.argwhere(differs)[0].tolist()
            row = int(np.flatnonzero(rows)[place])
            task = tasks[row]
            outcome.note(
                what,
                f"{where}, row {row}, task {task and task.id} of {task and task.env_name}: {mine[place, column]!r} "
                f"{names[0]}, {its[place, column]!r} {names[1]}"
                + f" (number {column})"
                * (mine.shape[1] > 1),
            )

    def _differs(
        mine: NDArray[np.float64], its: NDArray[np.float64], limits: Any
    ) -> tuple[NDArray[np.bool_], float]:
        """Returns which numbers differ by more than is allowed, and the largest distance."""
        far = distance(mine, its)
        differs = ~(far <= limits)
        if tolerance == 0:  # signs of zeros too
            differs |= np.signbit(mine) != np.signbit(its)
        worst = float(far.max(initial=0.0))
        return differs, worst if worst == worst else math.inf

    for number, tasks in enumerate(rounds):
        rows = np.array([task is not None for task in tasks])
        seeds = rng.integers(2**31, size=len(rows))
        where = f"round {number} at reset"
        obs, mine = theirs.reset(tasks, rows, seeds), ours.reset(tasks, rows, seeds)
        look({"first observation": (mine, obs), "goal": (ours.goals, theirs.goals)}, rows, where)
        _compare_physics(ours, theirs, rows, "first physics", where, outcome)
        for step in range(steps):
            where = f"round {number}, step {step}"
            actions = act(tasks, np.array(obs), theirs.goals.copy(), step)
            its_step, our_step = theirs.step(actions, rows), ours.step(actions, rows)
            obs = its_step.obs
            _compare_physics(ours, theirs, rows, "physics", where, outcome)
            if set(our_step.terms) != set(its_step.terms):
                outcome.note(
                    "names of terms",
                    f"{where}: {sorted(our_step.terms)} {names[0]}, {sorted(its_step.terms)} {names[1]}",
                )
            parts: dict[str, tuple[Any, Any]] = {
                "observation": (our_step.obs, obs),
                "reward": (our_step.rewards, its_step.rewards),
                "goal": (ours.goals, theirs.goals),
                "terminated": (_ended(our_step, len(rows)), _ended(its_step, len(rows))),
            }
            for name in our_step.terms.keys() & its_step.terms.keys():
                parts[name] = our_step.terms[name], its_step.terms[name]
            if isinstance(ours, EngineRows) and isinstance(theirs, EngineRows):
                parts["memory"] = ours.engine.memory, theirs.engine.memory
            look(parts, rows, where)
            for fault in our_step.faults:
                outcome.note("fault", f"{where}, row {fault.row}: {fault.what} {names[0]}")
            outcome.steps += int(rows.sum())
            rows = rows & ~_ended(its_step, len(rows))
            if not rows.any():
                break
    return outcome


def distance(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns how far numbers lie apart, relative where they exceed 1; NaN where one is a NaN or infinite."""
    with np.errstate(invalid="ignore"):
        far: NDArray[np.float64] = np.abs(ours - theirs) / np.maximum(1.0, np.abs(theirs))
    return far


def _ended(step: RowStep, num_rows: int) -> NDArray[np.bool_]:
    return np.zeros(num_rows, dtype=np.bool_) if step.terminated is None else step.terminated.copy()


def _compare_physics(
    ours: Rows, theirs: Rows, rows: NDArray[np.bool_], what: str, where: str, outcome: Outcome
) -> None:
    mine, its = _physics(ours), _physics(theirs)
    for row in np.flatnonzero(rows).tolist():
        one, other = mine[row], its[row]
        if one is None or other is None:  # a world without a simulator
            continue
        outcome.states += 1
        # The native engine's rows are as wide as the largest of its models needs.
        if one.size < other.size or one[: other.size].tobytes() != other.tobytes():
            outcome.note(what, f"{where}, row {row}: not equal to the last bit")


def _physics(rows: Rows) -> Sequence[NDArray[np.float64] | None]:
    """Returns MuJoCo's integration state of each row; None for a row without."""
    if isinstance(rows, EngineRows):
        return list(rows.engine.states)
    try:
        data, again, models = rows.get_attr("data"), rows.get_attr("data"), rows.get_attr("model")
        if all(
            one is other and isinstance(one, mujoco.MjData) for one, other in zip(data, again, strict=True)
        ):
            return [_state(model, each) for model, each in zip(models, data, strict=True)]
    except (AttributeError, RuntimeError):  # another simulator, or a row without a task
        pass
    states = rows.get_state()  # takes as long as a step, so only where the simulation is not at hand
    return [state.get("physics") if isinstance(state, dict) else None for state in states]


def _state(model: mujoco.MjModel, data: mujoco.MjData) -> NDArray[np.float64]:
    state = np.empty(mujoco.mj_stateSize(model, _STATE))
    mujoco.mj_getState(model, data, state, _STATE)
    return state


def make_rows(engine: str, world: World, env_names: Sequence[str], num_rows: int, **settings: Any) -> Rows:
    """Makes the rows that a user gets by `vector_strategy`.

    Args:
        engine: the engine's name.
        world: the world.
        env_names: skills to be ready for.
        num_rows: how many rows.
        **settings: those of the world's `settings` that are chosen.
    """
    rows: Rows = choose_engine(world, engine, num_rows).make(world, list(env_names), num_rows, settings, {})
    return rows


class Actions:
    """Actions of several kinds, one for each row.

    "expert" is the world's expert as it comes; "noisy" the expert with noise and with a last number (a gripper) that is
    half shut at times, float32; "random" float32, some beyond the limits; "double" likewise in float64. A batch has one
    dtype, so "double" does not go with the others.

    Args:
        world: whose actions; its action space must be a Box with bounds.
        kinds: the kind of each row, of `KINDS`.
        seed: of noise and draws.
    """

    def __init__(self, world: World, kinds: Sequence[str], seed: int = 0) -> None:
        if "double" in kinds and set(kinds) != {"double"}:
            raise WrongValue(
                'kinds must not mix "double" with others: one batch has one dtype.', argument="kinds"
            )
        space = world.action_space()
        if not (isinstance(space, gym.spaces.Box) and space.is_bounded()):
            raise WrongType(f"The actions of {world.name} must be a Box with bounds, not {space}.")
        self._kinds = tuple(kinds)
        self._rng = np.random.default_rng(seed)
        self._phases = self._rng.uniform(0, 2 * math.pi, len(kinds))
        self._centre = (space.high.astype(np.float64) + space.low) / 2
        self._half = (space.high.astype(np.float64) - space.low) / 2
        self._expert = world.expert() if {"expert", "noisy"} & set(kinds) else None

    def __call__(
        self,
        tasks: Sequence[Task | None],
        obs: NDArray[np.float64],
        goals: NDArray[np.float64],
        step: int,
    ) -> NDArray[Any]:
        """See `Act`."""
        if self._expert is not None:
            if step == 0 and hasattr(self._expert, "begin_episodes"):
                playing = np.array([task is not None for task in tasks])
                names = np.array([task and task.env_name for task in tasks], dtype=object)
                self._expert.begin_episodes(playing, {"task_name": names, "goal": goals})
            solving = self._expert(obs)
        single = "double" not in self._kinds
        actions = np.empty((len(tasks), *self._half.shape), dtype=np.float32 if single else np.float64)
        for row, kind in enumerate(self._kinds):
            if kind in ("random", "double"):
                chosen = self._centre + self._half * self._rng.uniform(-1.2, 1.2, self._half.shape)
            else:
                chosen = solving[row]
            if kind == "noisy":
                noise = self._half * self._rng.normal(0, 0.3, self._half.shape)
                chosen = np.clip(chosen + noise, self._centre - self._half, self._centre + self._half)
                # A gripper half shut, now and then: efforts between 0 and 1 take their own path in float32.
                if step % 7 < 3:
                    chosen[-1] = 0.5 + 0.5 * math.sin(self._phases[row] + step / 5)
            actions[row] = chosen
        return actions


class PlainKernelRows(NativeRows):
    """Meta-World's native rows with kernels that run as ordinary Python, on the same physics."""

    def __init__(
        self, env_names: Sequence[str], num_rows: int, *, reward_function_version: str = "v2", **how: Any
    ) -> None:
        super().__init__(env_names, num_rows, reward_function_version=reward_function_version, **how)
        self._plain_version = reward_function_version
        self._kernel_of_row: dict[int, Callable[..., None]] = {}

    def reset(
        self, tasks: Sequence[Task | None], rows: NDArray[np.bool_], seeds: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """See `Rows.reset`."""
        for row in np.flatnonzero(rows).tolist():
            task = tasks[row]
            assert task is not None
            self._kernel_of_row[row] = plain_kernel(skill(task.env_name), self._plain_version)
        obs = super().reset(tasks, rows, seeds)
        self.engine.kernel_of_row[:] = -1
        return obs

    def step(self, actions: NDArray[np.floating], rows: NDArray[np.bool_]) -> RowStep:
        """See `Rows.step`."""
        step = super().step(actions, rows)
        engine = self.engine
        for row in np.flatnonzero(rows).tolist():
            self._kernel_of_row[row](
                engine.now[row],
                actions[row].astype(np.float64),
                engine.params[row],
                engine.memory[row],
                engine.obs[row],
                engine.terms[row],
                actions.dtype == np.float32,
            )
        return step


def differences(
    env_name: str,
    version: str,
    kinds: Sequence[str] = KINDS,
    *,
    goals: int,
    steps: int,
    seed: int = 0,
    plain: bool = False,
) -> list[str]:
    """Runs a Meta-World skill on the native engine beside its official environments.

    Args:
        env_name: the skill.
        version: of the reward, "v1" or "v2".
        kinds: the kinds of actions, see `Actions`: each has a row. Those in float64 come after the others, in the same
            rows.
        goals: goals of each row, one after the other, visible and hidden in turn; each row has goals of its own.
        steps: steps for each goal.
        seed: of goals and actions.
        plain: run the native engine's kernels as ordinary Python.

    Returns:
        A line for each thing that differed, and where it did first.
    """
    world = world_of(env_name)
    num_rows = rows_for(kinds)
    settings: dict[str, Any] = {"reward_function_version": version}
    ours: Rows = (
        PlainKernelRows([env_name], num_rows, num_threads=1, **settings)
        if plain
        else make_rows("native", world, [env_name], num_rows, **settings)
    )
    theirs = make_rows("sync", world, [env_name], num_rows, **settings)
    lines = compare_goals(ours, theirs, env_name, kinds, goals=goals, steps=steps, seed=seed)
    ours.close()
    theirs.close()
    return [f"{env_name} {version} {line}" for line in lines]


def rows_for(kinds: Sequence[str]) -> int:
    """Returns how many rows `compare_goals` needs: one for each kind of action of the same dtype."""
    return max(map(len, _batches(kinds)))


def compare_goals(
    ours: Rows, theirs: Rows, env_name: str, kinds: Sequence[str], *, goals: int, steps: int, seed: int
) -> list[str]:
    """Steps two engines' rows of a Meta-World skill over several goals, and looks for differences.

    Args:
        ours: rows of one engine, as many as `rows_for(kinds)`.
        theirs: as many rows of the other.
        env_name: the skill, as for `differences`.
        kinds: of actions, as for `differences`.
        goals: of each row, as for `differences`.
        steps: for each goal.
        seed: of goals and actions.

    Returns:
        A line for each thing that differed, and where it did first.
    """
    world = world_of(env_name)
    vectors = draw_goals([env_name], seed, goals * len(kinds))[env_name].reshape(len(kinds), goals, -1)
    num_rows = ours.num_rows
    lines = []
    for batch in _batches(kinds):
        rounds = [
            [
                Task(
                    env_name,
                    {
                        "rand_vec": vectors[kinds.index(batch[row]), number],
                        "partially_observable": (row + number) % 2 == 1,
                    },
                )
                if row < len(batch)
                else None
                for row in range(num_rows)
            ]
            for number in range(goals)
        ]
        every_row = [*batch, *[batch[0]] * (num_rows - len(batch))]
        outcome = compare(ours, theirs, rounds, Actions(world, every_row, seed), steps=steps, seed=seed)
        if not outcome.states:
            outcome.note("physics", "not compared, as the rows tell no state of their simulation")
        lines += [f"{' '.join(batch)}: {line}" for line in outcome.lines]
    return lines


def _batches(kinds: Sequence[str]) -> list[list[str]]:
    """Returns the kinds whose actions can share a batch: those in float32, and those in float64."""
    batches = ([kind for kind in kinds if (kind == "double") == double] for double in (False, True))
    return [batch for batch in batches if batch]


if __name__ == "__main__":
    import argparse
    import importlib

    parser = argparse.ArgumentParser(
        description="Compare the skills of a family on the native engine with the official environments."
    )
    parser.add_argument("family", help="a file in worlds/metaworld/families, without .py")
    parser.add_argument("--skill", help="only this skill")
    parser.add_argument("--num-goals", type=int, default=3)
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--plain", action="store_true", help="run the kernels as ordinary Python")
    given = parser.parse_args()
    module = importlib.import_module(f"taskworlds.worlds.metaworld.families.{given.family}")
    for each in module.SKILLS:
        if given.skill in (None, each.name):
            for reward in ("v2", "v1"):
                lines = differences(
                    each.name, reward, goals=given.num_goals, steps=given.steps, plain=given.plain
                )
                print("\n".join(lines) or f"{each.name} {reward}: equal", flush=True)
