"""What every vector environment must do, whatever the world and the engine: the part that two suites share.

`check_world` runs it with each engine that can step the world, `check_engine` with a world that the engine can step.
"""

from __future__ import annotations

import contextlib
import copy
import io
import pickle
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import iterate
from numpy.typing import NDArray

from taskworlds.core.task import Task
from taskworlds.core.world import World
from taskworlds.testing.runner import PlannedCheck, broken
from taskworlds.vector.make import make_vec
from taskworlds.vector.task_vector_env import TaskVectorEnv

__all__ = ["EnvChecks", "first_difference", "rows_of"]

_ROWS = 3
_SHORT = 4  # steps of an episode where ends are looked at
_NOT_TERMS = {"skill_index", "task_index", "goal", "episode_return", "episode_length", "diverged"}
_CLOCK = {"t", "_t"}

Step = tuple[Any, NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]]


class EnvChecks:
    """The checks of one world on one engine.

    Args:
        world: the world, which is registered.
        engine: the name of the engine, which is registered too.
        tasks: tasks of the world that can share a batch.
        seed: of episodes and actions.
        steps: how many steps the longest run takes.
        options: the engine's own options.
    """

    def __init__(
        self,
        world: World,
        engine: str,
        tasks: Sequence[Task],
        *,
        seed: int,
        steps: int,
        options: dict[str, Any] | None = None,
    ) -> None:
        self._world = world
        self._engine = engine
        self._tasks = list(tasks)
        self._seed = seed
        self._steps = steps
        self._options = {"engine_options": options} if options else {}

    def plan(self, prefix: str = "", needs: tuple[str, ...] = ()) -> list[PlannedCheck]:
        """Returns the checks.

        Args:
            prefix: stands before the name of each.
            needs: what the first of them rests on.
        """
        first = PlannedCheck(f"{prefix}episodes", self._episodes, needs)
        others: list[tuple[str, Callable[[], str]]] = [
            ("seeds", self._seeds),
            ("rows", self._alone),
            ("tasks", self._set_tasks),
            ("masks", self._masks),
            ("ends", self._ends),
            ("trials", self._trials),
            ("snapshots", self._snapshots),
            ("copies", self._copies),
            ("refusals", self._refusals),
        ]
        return [first, *(PlannedCheck(prefix + name, run, (first.name,)) for name, run in others)]

    # --- making and stepping --------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _env(
        self, num_envs: int = _ROWS, tasks: Sequence[Task] | None = None, **options: Any
    ) -> Iterator[TaskVectorEnv]:
        """Makes an environment on the engine, and closes it."""
        env = make_vec(
            list(self._tasks if tasks is None else tasks),
            num_envs,
            vector_strategy=self._engine,
            seed=self._seed,
            **{"task_select": "random"} | self._options | options,
        )
        with contextlib.closing(env):
            yield env

    def _actions(self, env: TaskVectorEnv, number: int) -> list[Any]:
        """Draws actions of a batch, the same whenever they are asked for."""
        space = copy.deepcopy(env.action_space)
        space.seed(self._seed)
        return [space.sample() for _ in range(number)]

    def _check_observations(self, env: TaskVectorEnv, obs: Any, where: str) -> None:
        rule = "Every observation is in the observation space"
        if env.observation_space.contains(obs):
            return
        space = env.single_observation_space
        try:
            rows = rows_of(env.observation_space, obs)
        except Exception:
            raise broken(rule, f"{where} they are no batch of {space}, but {_shown(obs)}") from None
        for row, each in enumerate(rows):
            if not space.contains(each):
                raise broken(rule, f"row {row} {where} has {_shown(each)}, which {space} does not contain")
        raise broken(rule, f"{where} the batch {_shown(obs)} is not in {env.observation_space}")

    # --- the checks -----------------------------------------------------------------------------------------

    def _episodes(self) -> str:
        names: set[str] | None = None
        ended = np.zeros(_ROWS, dtype=np.bool_)
        with self._env(autoreset_mode=AutoresetMode.DISABLED) as env:
            obs, infos = env.reset(seed=self._seed)
            self._check_observations(env, obs, "after the reset")
            self._check_labels(env, infos, np.ones(_ROWS, dtype=np.bool_), "after the reset")
            for step, actions in enumerate(self._actions(env, self._steps)):
                where = f"at step {step}"
                if ended.any():
                    obs, _ = env.reset(options={"reset_mask": ended})
                    self._check_observations(env, obs, f"after the reset before step {step}")
                obs, rewards, terminated, truncated, infos = env.step(actions)
                self._check_observations(env, obs, where)
                for name, values, dtype in (
                    ("rewards", rewards, np.float64),
                    ("terminations", terminated, np.bool_),
                    ("truncations", truncated, np.bool_),
                ):
                    if values.shape != (_ROWS,) or values.dtype != dtype:
                        raise broken(
                            f"The {name} of a batch are an array (N,) of {np.dtype(dtype)}",
                            f"{where} they have the shape {values.shape} and are {values.dtype}",
                        )
                if not np.isfinite(rewards).all():
                    row = int(np.flatnonzero(~np.isfinite(rewards))[0])
                    raise broken("Rewards are finite", f"row {row} has {rewards[row]} {where}")
                self._check_labels(env, infos, np.ones(_ROWS, dtype=np.bool_), where)
                terms = {name for name in infos if not name.startswith("_")} - _NOT_TERMS
                if names is not None and terms != names:
                    raise broken(
                        "Each step reports the same terms",
                        f"{where} they are {', '.join(sorted(terms)) or 'none'}, and before they were "
                        f"{', '.join(sorted(names)) or 'none'}",
                    )
                names = terms
                self._check_success(infos, where)
                ended = terminated | truncated
        return f"{self._steps} steps of {_ROWS} rows: observations in their space, rewards finite" + (
            f"; terms {', '.join(sorted(names))}" if names else ""
        )

    def _check_labels(
        self, env: TaskVectorEnv, infos: dict[str, Any], rows: NDArray[np.bool_], where: str
    ) -> None:
        for row in np.flatnonzero(rows):
            task = env.current_tasks[row]
            named = env.task_names[row], env.task_ids[row]
            told = infos["skill_index"][row], infos["task_index"][row]
            listed = env.skills[told[0]], env.benchmark.tasks(env.split)[told[1]]
            if task is None or named != (task.env_name, task.id) or listed != (task.env_name, task):
                raise broken("Info tells each row's task", f"row {row} has {task}, and info {told} {where}")
        size = self._world.goal_size
        shape = np.shape(infos.get("goal", ()))
        if size and shape != (env.num_envs, size):
            raise broken(
                f"Info has each row's goal, (N, {size}), as goal_size says", f"{where} its shape is {shape}"
            )

    def _check_success(self, infos: dict[str, Any], where: str) -> None:
        if not self._world.has_success:
            if "success" in infos:
                raise broken("Only a world with has_success reports success", f"it is reported {where}")
            return
        values = infos.get("success")
        if values is None:
            raise broken("Each step of a world with has_success reports success", f"it is missing {where}")
        if not np.isin(np.asarray(values, dtype=np.float64), (0.0, 1.0)).all():
            raise broken("Success is 0 or 1", f"it is {values.tolist()} {where}")

    def _play(self, env: TaskVectorEnv, number: int, *, reset: bool = True) -> list[Any]:
        """Returns everything that a reset and some steps give."""
        given: list[Any] = [env.reset(seed=self._seed)] if reset else []
        return given + [env.step(actions) for actions in self._actions(env, number)]

    def _seeds(self) -> str:
        number = 2 * _SHORT + 2
        with self._env(max_episode_steps=_SHORT) as env, self._env(max_episode_steps=_SHORT) as other:
            first = self._play(env, number)
            for again, who in ((self._play(env, number), "the same"), (self._play(other, number), "another")):
                _check_same(
                    first,
                    again,
                    "The same seed and the same actions give the same episodes",
                    f"they differ in {who} environment",
                )
        return "the same seed gives the same episodes, over their ends, also in another environment"

    def _alone(self) -> str:
        rule = "A row does not depend on the number of rows, nor on what the others do"
        with self._env() as env:
            together = self._play(env, _SHORT)
            actions = self._actions(env, _SHORT)
            spaces = env.observation_space, env.action_space
            tasks = env.tasks
        for row in (0, _ROWS - 1):
            with self._env(1, tasks[row]) as env:
                obs, _ = env.reset(seed=self._seed + row)
                _check_same(
                    rows_of(env.observation_space, obs)[0],
                    rows_of(spaces[0], together[0][0])[row],
                    rule,
                    f"row {row} starts differently when it is alone",
                )
                for step, each in enumerate(actions):
                    obs, rewards, *_ = env.step(_picked(spaces[1], each, [row]))
                    expected = together[1 + step]
                    _check_same(
                        (rows_of(env.observation_space, obs)[0], rewards[0]),
                        (rows_of(spaces[0], expected[0])[row], expected[1][row]),
                        rule,
                        f"row {row} continues differently when it is alone, at step {step}",
                    )
        return "a row is the same alone and in a batch"

    def _set_tasks(self) -> str:
        rule = "A task given to reset is the task of the episode"
        with self._env() as env:
            for task in self._tasks:
                obs, _ = env.reset(seed=[self._seed] * _ROWS, options={"tasks": task})
                if set(env.current_tasks) != {task} or set(env.task_ids.tolist()) != {task.id}:
                    raise broken(rule, f"{task} was given, and the rows have {env.current_tasks}")
                rows = rows_of(env.observation_space, obs)
                _check_same(
                    rows[0],
                    rows[-1],
                    "Rows with the same task and the same seed start in the same way",
                    f"not for {task}",
                )
            env.set_tasks(self._tasks[0])
            for _ in range(2):
                env.reset()
                if set(env.current_tasks) != {self._tasks[0]}:
                    raise broken(
                        "Tasks of set_tasks stay until others are set", f"they became {env.current_tasks}"
                    )
            outcomes: list[list[Any]] = []
            for task in (self._tasks[0], self._tasks[-1], self._tasks[0]):
                outcomes.append([env.reset(seed=self._seed, options={"tasks": task})[0]])
                outcomes[-1] += [env.step(each)[:4] for each in self._actions(env, _SHORT)]
            _check_same(
                outcomes[0],
                outcomes[2],
                "An episode depends on task, seed and actions alone",
                "it differs after another episode",
            )
        return "tasks given to reset and set_tasks are obeyed; a reset forgets what came before"

    def _masks(self) -> str:
        rule = "A masked step leaves the other rows' observations as they were"
        with self._env(autoreset_mode=AutoresetMode.DISABLED) as env:
            first, second, third = self._actions(env, 3)
            mask = np.ones(_ROWS, dtype=np.bool_)
            mask[0] = False
            before = rows_of(env.observation_space, env.reset(seed=self._seed)[0])
            obs, rewards, terminated, truncated, _ = env.step(first, mask=mask)
            _check_same(rows_of(env.observation_space, obs)[0], before[0], rule, "row 0 changed at step 0")
            if rewards[0] != 0 or terminated[0] or truncated[0]:
                raise broken(
                    "A row that a mask leaves out has reward 0 and no end",
                    f"it has {rewards[0]}, {terminated[0]}, {truncated[0]}",
                )
            if not (terminated | truncated).any():
                after = env.step(second)
                env.reset(seed=self._seed)
                expected = env.step(second)
                _check_same(
                    (rows_of(env.observation_space, after[0])[0], after[1][0]),
                    (rows_of(env.observation_space, expected[0])[0], expected[1][0]),
                    "A row that a mask leaves out goes on from where it was",
                    "row 0 continued differently than without the masked step",
                )
            env.reset(seed=self._seed)
            kept = rows_of(env.observation_space, env.step(third)[0])
            obs, _ = env.reset(options={"reset_mask": ~mask})
            for row in range(1, _ROWS):
                _check_same(
                    rows_of(env.observation_space, obs)[row],
                    kept[row],
                    "A reset with a mask leaves the other rows' observations as they were",
                    f"row {row} changed",
                )
        return "masked steps and resets leave the other rows alone"

    def _ends(self) -> str:
        for mode in AutoresetMode:
            with self._env(max_episode_steps=_SHORT, autoreset_mode=mode) as env:
                self._check_ends(env, mode)
        return "episodes end and begin again as each of the three autoreset modes says"

    def _check_ends(self, env: TaskVectorEnv, mode: AutoresetMode) -> None:
        env.reset(seed=self._seed)
        returns, lengths = np.zeros(_ROWS), np.zeros(_ROWS, dtype=np.int64)
        ended = np.zeros(_ROWS, dtype=np.bool_)
        for step, actions in enumerate(self._actions(env, 3 * _SHORT)):
            where = f"at step {step} under {mode.name}"
            if mode is AutoresetMode.DISABLED and ended.any():
                try:
                    env.step(actions)
                except RuntimeError:
                    env.reset(options={"reset_mask": ended})
                else:
                    raise broken("Without autoreset an ended row must be reset", f"it was stepped {where}")
                ended[:] = False
            restarting = ended if mode is AutoresetMode.NEXT_STEP else np.zeros(_ROWS, dtype=np.bool_)
            obs, rewards, terminated, truncated, infos = env.step(actions)
            self._check_observations(env, obs, where)
            if (rewards[restarting] != 0).any() or (terminated | truncated)[restarting].any():
                raise broken("The step after an end has reward 0 and no end", f"not so {where}")
            lengths[~restarting] += 1
            returns[~restarting] += rewards[~restarting]
            lengths[restarting], returns[restarting] = 0, 0.0
            ended = terminated | truncated
            late = np.flatnonzero((lengths >= _SHORT) & ~ended)
            if late.size:
                raise broken("An episode ends at max_episode_steps", f"row {late[0]} goes on {where}")
            if not ended.any():
                continue
            part = infos["final_info"] if mode is AutoresetMode.SAME_STEP else infos
            for row in np.flatnonzero(ended):
                told = part["episode_length"][row], part["episode_return"][row]
                if told[0] != lengths[row] or not np.isclose(told[1], returns[row], rtol=1e-6, atol=1e-9):
                    raise broken(
                        "Info tells length and return of an episode that ended",
                        f"row {row} has {told} for {lengths[row]} steps with the rewards' sum {returns[row]} {where}",
                    )
                if mode is AutoresetMode.SAME_STEP:
                    last = env.row_obs(infos["final_obs"], int(row))
                    if not env.single_observation_space.contains(last):
                        raise broken(
                            "final_obs is in the observation space", f"row {row} has {_shown(last)} {where}"
                        )
            if mode is not AutoresetMode.NEXT_STEP:
                lengths[ended], returns[ended] = 0, 0.0

    def _trials(self) -> str:
        try:
            with self._env(max_episode_steps=_SHORT, k_episodes=2) as env:
                self._check_trials(env)
        except (TypeError, ValueError) as error:
            if "k_episodes" in str(error) and not _is_vector(self._world):
                return "refused for these observations, with a message that says so"
            raise
        return "trials of two attempts at one task"

    def _check_trials(self, env: TaskVectorEnv) -> None:
        obs, _ = env.reset(seed=self._seed)
        self._check_observations(env, obs, "after the reset of a trial")
        attempts = np.zeros(_ROWS, dtype=np.int64)
        tasks = list(env.current_tasks)
        for step, actions in enumerate(self._actions(env, 4 * _SHORT)):
            where = f"at step {step}"
            obs, _, terminated, truncated, infos = env.step(actions)
            self._check_observations(env, obs, where)
            ended = terminated | truncated
            part = infos.get("final_info", {})
            for row in range(_ROWS):
                told = part if ended[row] else infos
                if told["attempt"][row] != attempts[row]:
                    found = f"row {row} has {told['attempt'][row]} {where}"
                    raise broken("Info numbers the attempts of a trial from 0", found)
                attempts[row] += told["attempt_ended"][row] > 0
                if ended[row] != (attempts[row] == 2):
                    raise broken(
                        "A trial ends with its last attempt",
                        f"row {row} {'ended' if ended[row] else 'went on'} after {attempts[row]} of 2 attempts {where}",
                    )
                if ended[row]:
                    attempts[row], tasks[row] = 0, env.current_tasks[row]
                elif env.current_tasks[row] != tasks[row]:
                    raise broken("All attempts of a trial are at one task", f"row {row} changed its {where}")

    def _snapshots(self) -> str:
        number = 2 * _SHORT
        rule = "After set_state the same actions give the same steps, in mid-episode and over its end"
        with self._env(max_episode_steps=_SHORT + 1) as env, self._env(max_episode_steps=_SHORT + 1) as other:
            self._play(env, 2)
            state = env.get_state()
            kept = copy.deepcopy(state)
            actions = self._actions(env, number)
            expected = [env.step(each) for each in actions]
            _check_same(state, kept, "A snapshot is the caller's own", "steps changed it")
            file = io.BytesIO()
            np.savez(file, **dict[str, Any](state))
            file.seek(0)
            loaded = dict(np.load(file))
            other.reset(seed=self._seed + 7)
            for target, snapshot, who in (
                (env, state, "the same environment"),
                (other, loaded, "another environment, from a file"),
            ):
                target.set_state(snapshot)
                _check_same([target.step(each) for each in actions], expected, rule, f"they differ in {who}")
            other.set_state(state, rows=0)
            space = env.action_space
            for step, each in enumerate(actions):
                obs, rewards, *_ = other.step(_picked(space, each, [0] * _ROWS))
                rows = rows_of(other.observation_space, obs)
                theirs = expected[step]
                for row in range(_ROWS):
                    _check_same(
                        (rows[row], rewards[row]),
                        (rows_of(env.observation_space, theirs[0])[0], theirs[1][0]),
                        "Rows forked from one row go on as it did",
                        f"row {row} differed at step {step}",
                    )
        return "exact in mid-episode: in the same environment, in another from a file, and in forked rows"

    def _copies(self) -> str:
        with self._env() as env:
            self._play(env, 2)
            actions = self._actions(env, _SHORT)
            pickled, copied = pickle.loads(pickle.dumps(env)), copy.deepcopy(env)
            with contextlib.closing(pickled), contextlib.closing(copied):
                expected = [env.step(each) for each in actions]
                for target, how in ((pickled, "pickled"), (copied, "deep")):
                    _check_same(
                        [target.step(each) for each in actions],
                        expected,
                        "A copy of an environment continues as the environment does",
                        f"a {how} copy does not",
                    )
        return "pickled and deep copies continue as the environment does"

    def _refusals(self) -> str:
        with self._env() as env:
            actions = self._actions(env, 1)[0]
            _refused(lambda: env.step(actions), RuntimeError, "A step before the first reset is refused")
            env.reset(seed=self._seed)
            _refused(
                lambda: env.step(_picked(env.action_space, actions, [0])),
                (TypeError, ValueError),
                "Actions for another number of rows are refused",
            )
            space = env.single_action_space
            if isinstance(space, gym.spaces.Box):
                bad = np.full_like(actions, np.nan)
                _refused(lambda: env.step(bad), ValueError, "Actions that are not finite are refused")
            env.step(actions)
            env.close()
            env.close()
            _refused(lambda: env.reset(), RuntimeError, "A closed environment is refused")
        return (
            "a step before the reset, wrong actions and a closed environment are refused; close works twice"
        )


def rows_of(space: gym.Space[Any], batch: Any) -> list[Any]:
    """Returns the elements of a batch of a batched space, one for each row."""
    return list(iterate(space, batch))


def _picked(space: gym.Space[Any], batch: Any, rows: list[int]) -> Any:
    """Returns some rows of a batch, as a batch."""
    if isinstance(batch, dict):
        return {name: _picked(space, each, rows) for name, each in batch.items()}
    if isinstance(batch, tuple) and isinstance(space, gym.spaces.Tuple):
        return tuple(_picked(each, part, rows) for each, part in zip(space.spaces, batch, strict=True))
    return tuple(batch[row] for row in rows) if isinstance(batch, tuple) else batch[rows]


def _is_vector(world: World) -> bool:
    space = world.observation_space(visible=True, hidden=True)
    return isinstance(space, gym.spaces.Box) and len(space.shape) == 1 and space.dtype.kind == "f"


def _refused(
    call: Callable[[], Any], error: type[Exception] | tuple[type[Exception], ...], rule: str
) -> None:
    try:
        call()
    except error:
        return
    except Exception as other:
        raise broken(rule, f"it raised {type(other).__name__}: {other}") from other
    raise broken(rule, "nothing was raised")


def _check_same(ours: Any, theirs: Any, rule: str, found: str) -> None:
    place = first_difference(ours, theirs)
    if place is not None:
        raise broken(rule, found + (f" ({place})" if place else ""))


def first_difference(ours: Any, theirs: Any, tolerance: float = 0.0, where: str = "") -> str | None:
    """Returns where two nested pieces of data differ, with both values; None if they are equal.

    Arrays must have the same dtype and shape. Entries about the time that an episode took are left out.

    Args:
        ours: one of them.
        theirs: the other.
        tolerance: for floating numbers, relative above 1; 0 for equality to the last bit.
        where: the place of the two in what they are part of.
    """
    if isinstance(ours, dict) and isinstance(theirs, dict):
        if ours.keys() - _CLOCK != theirs.keys() - _CLOCK:
            only = sorted(map(str, (ours.keys() ^ theirs.keys()) - _CLOCK))
            return f"{where}: only one has {', '.join(only)}"
        pairs = [(f"{where}[{name!r}]", ours[name], theirs[name]) for name in ours if name not in _CLOCK]
    elif isinstance(ours, list | tuple) and isinstance(theirs, list | tuple):
        if len(ours) != len(theirs):
            return f"{where}: {len(ours)} and {len(theirs)} of them"
        pairs = [
            (f"{where}[{i}]", one, other) for i, (one, other) in enumerate(zip(ours, theirs, strict=True))
        ]
    elif isinstance(ours, np.ndarray) and isinstance(theirs, np.ndarray) and ours.dtype == object:
        return first_difference(ours.tolist(), theirs.tolist(), tolerance, where)
    elif isinstance(ours, np.ndarray | np.generic) and isinstance(theirs, np.ndarray | np.generic):
        return _array_difference(np.asarray(ours), np.asarray(theirs), tolerance, where)
    else:
        return None if ours == theirs else f"{where}: {ours!r} and {theirs!r}"
    return next(
        (
            found
            for place, one, other in pairs
            if (found := first_difference(one, other, tolerance, place)) is not None
        ),
        None,
    )


def _array_difference(ours: NDArray[Any], theirs: NDArray[Any], tolerance: float, where: str) -> str | None:
    if (ours.dtype, ours.shape) != (theirs.dtype, theirs.shape):
        return f"{where}: {ours.dtype} {ours.shape} and {theirs.dtype} {theirs.shape}"
    if ours.tobytes() == theirs.tobytes():
        return None
    if tolerance and ours.dtype.kind == "f":
        close = np.abs(ours - theirs) <= tolerance * np.maximum(1.0, np.abs(theirs))
        if close.all():
            return None
    else:
        close = ours == theirs
    bad = np.argwhere(~close)
    index = tuple(bad[0].tolist()) if bad.size else (0,) * ours.ndim
    return f"{where}{list(index) if index else ''}: {ours[index]!r} and {theirs[index]!r}"


def _shown(value: Any) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) < 200 else text[:200] + " ..."
