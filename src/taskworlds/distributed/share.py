"""`Share`: some rows of a sampler's batch, with the policy that acts in them. It lives in a worker."""

from __future__ import annotations

import contextlib
import random
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from taskworlds.core import batches
from taskworlds.core.benchmark import Benchmark
from taskworlds.core.errors import WrongType, WrongValue
from taskworlds.core.row_engine import RowEngine
from taskworlds.core.world import World
from taskworlds.distributed.generators import RowGenerators, generator_of_row
from taskworlds.distributed.rollout import Rollout, map_arrays
from taskworlds.evaluation.players import as_policy, play_in
from taskworlds.evaluation.policies import as_array
from taskworlds.vector.composition import Composition, compose
from taskworlds.vector.generators import Generators
from taskworlds.vector.options import Options
from taskworlds.vector.registered import register_all
from taskworlds.vector.task_vector_env import TaskVectorEnv
from taskworlds.workers.cluster import cloudpickle
from taskworlds.worlds.metaworld.skills import Skill

__all__ = ["Plan", "RandomActions", "Share", "made"]


class Plan(NamedTuple):
    """What all shares of a sampler have in common.

    Attributes:
        benchmark, split, options: of the batch.
        engine: the name of the engine that steps the rows; None for the best of each world, where there are several.
        num_envs: rows of the whole batch.
        seed: row i has `seed + i`.
        batch_size: rows that the policy is asked for in one call.
        policy: makes the policy; None for random actions.
        records: what the process must know of the skills' world and of the engine.
    """

    benchmark: Benchmark
    split: str
    options: Options
    engine: str | None
    num_envs: int
    seed: int
    batch_size: int
    policy: Callable[[], Any] | None
    records: Sequence[Skill | World | RowEngine]


class Share:
    """Rows `first` to `past - 1` of a batch, which are stepped with a policy.

    The policy is asked for `batch_size` rows in one call, always the same ones beside each other: a product of matrices
    can come out otherwise in its last bit when it has other rows beside it, so the calls must not depend on the
    number of workers.

    Args:
        plan: what the shares have in common.
        first: a multiple of the plan's batch size.
        past: another one, or the number of all rows.
    """

    def __init__(self, plan: Plan, first: int, past: int) -> None:
        register_all(plan.records)
        self._rows = np.arange(first, past)
        self._batch_size = plan.batch_size
        size = plan.options.group_size or 1
        seed = plan.seed + first // size  # of a whole number of groups
        composition = compose(
            plan.benchmark, plan.split, plan.num_envs, pad=plan.options.pad, group_size=size
        ).part(first, past)
        self._envs = TaskVectorEnv(
            plan.benchmark, plan.split, past - first, plan.engine, plan.options, seed, composition
        )
        self._noise = Generators(past - first, None)
        self._noise.each = [generator_of_row(plan.seed + row) for row in range(first, past)]
        self._groups = [
            slice(begin, min(begin + plan.batch_size, past - first))
            for begin in range(0, past - first, plan.batch_size)
        ]
        self._actors = self._make_actors(plan)
        self._sets: int | None = None  # which weights the policy has
        self._obs, infos = self._envs.reset(seed=seed)
        self._begin(np.ones(past - first, dtype=np.bool_), infos)

    def _make_actors(self, plan: Plan) -> list[_Actor]:
        """Makes a policy for each group of rows; one for all of them if it remembers nothing."""
        actors: list[_Actor] = []
        whole = self._envs.composition
        for group in self._groups:
            if actors and not actors[0].depends_on_rows:
                actors.append(actors[0])
                continue
            own = whole.part(group.start, group.stop) if whole.is_mixed else None
            actors.append(_Actor(plan.policy, self._envs.single_action_space, plan.seed, own))
        return actors

    def rollout(
        self, steps: int, weights: Sequence[NDArray[Any]] | None, version: int, sets: int
    ) -> tuple[Rollout, Any]:
        """Steps all rows, and returns what they did and the state in which they are then.

        Args:
            steps: how many.
            weights: of the policy; None for those that it was made with.
            version: what the user calls them.
            sets: how often weights had been set with them, which tells them from others.
        """
        if weights is not None and sets != self._sets:
            for actor in dict.fromkeys(self._actors):
                actor.set_weights(weights)
        self._sets = sets
        kept = _Kept(steps)
        space = self._envs.single_action_space
        for _ in range(steps):
            obs = self._obs
            parts = [
                actor.act(self._rows_of(obs, group), RowGenerators(self._noise.each[group]))
                for actor, group in zip(self._actors, self._groups, strict=True)
            ]
            actions = batches.concatenate(space, [actions for actions, _ in parts])
            outputs = map_arrays(lambda *each: np.concatenate(each), *(outputs for _, outputs in parts))
            self._obs, rewards, terminated, truncated, infos = self._envs.step(actions)
            ended = terminated | truncated
            kept.add(
                observations=obs,
                actions=actions,
                rewards=rewards,
                terminations=terminated,
                truncations=truncated,
                infos=_of_the_step(infos, ended),
                outputs=outputs,
            )
            if ended.any():
                kept.end(map_arrays(lambda values, e=ended: values[e], infos["final_obs"]))
                self._begin(ended, infos)
        no_ends = map_arrays(lambda values: values[:0], self._obs)
        rollout = Rollout(
            **kept.arrays(),
            last_observations=self._obs,
            final_observations=kept.final(no_ends),
            rows=self._rows,
            weights_version=version,
        )
        return rollout, self.get_state()

    def get_state(self) -> dict[str, Any]:
        """Returns all that decides what comes, but the weights."""
        return {
            "envs": self._envs.get_state(),
            "noise": self._noise.get_state(),
            "memories": [actor.get_state() for actor in self._actors],
        }

    def set_state(self, state: Mapping[str, Any], first: int = 0) -> None:
        """Goes back to a state, of a share that has these rows from its row `first` on."""
        source = np.arange(first, first + len(self._rows))
        self._noise.check_state(state["noise"], len(state["noise"]["PCG64"]))
        self._envs.set_state(state["envs"], rows=source)
        self._noise.set_state(state["noise"], source)
        if "memories" in state:  # else they are of another policy, and this one sees episodes from here on
            for place, actor in enumerate(self._actors, start=first // self._batch_size):
                actor.set_state(state["memories"][place])
        self._sets = None  # the policy may have come with other weights
        self._obs = self._envs.observations.copy()

    def _begin(self, rows: NDArray[np.bool_], infos: dict[str, Any]) -> None:
        """Tells policies that remember which rows begin an episode."""
        tasks = np.empty(len(rows), dtype=object)
        tasks[:] = self._envs.current_tasks
        told = {name: values for name, values in infos.items() if isinstance(values, np.ndarray)}
        told |= {"task": tasks, "task_name": self._envs.task_names}
        for actor, group in zip(self._actors, self._groups, strict=True):
            if actor.remembers and rows[group].any():
                actor.begin(rows[group], {name: values[group] for name, values in told.items()})

    @staticmethod
    def _rows_of(obs: Any, group: slice) -> Any:
        return map_arrays(lambda values: batches.aligned(values[group]), obs)


class RandomActions:
    """Acts at random, each row by its own generator.

    Args:
        space: of one row.
        bounds: of each of B rows, (B, A), where rows have bounds of their own; `space` is then a Box.
    """

    def __init__(self, space: gym.Space[Any], bounds: gym.spaces.Box | None = None) -> None:
        self._space = space
        self._bounds = space if bounds is None else bounds
        self._bounded = (
            isinstance(space, gym.spaces.Box)
            and np.issubdtype(space.dtype, np.floating)
            and bool(np.all(space.is_bounded()))
        )

    def sample_actions(self, obs: Any, generators: RowGenerators) -> Any:
        """Returns a batch of the space, for B rows."""
        space = self._space
        if isinstance(space, gym.spaces.Box) and self._bounded:
            part, bounds = generators.random(space.shape), self._bounds
            assert isinstance(bounds, gym.spaces.Box)
            return (bounds.low + part * (bounds.high - bounds.low)).astype(space.dtype)
        drawn = []
        for generator in generators.each:
            space.seed(int(generator.integers(2**31)))
            drawn.append(batches.of_one(space, space.sample()))
        return batches.concatenate(space, drawn)


class _Actor:
    """A policy of any kind, asked in one way.

    Args:
        make: makes the policy; None for random actions.
        space: the action of a row.
        seed: of the policy.
        composition: which world each of the rows serves that it is asked for, if they serve several.

    Attributes:
        remembers: whether it is told of the beginnings of episodes.
        depends_on_rows: whether it cannot be asked for other rows, too.
    """

    def __init__(
        self,
        make: Callable[[], Any] | None,
        space: gym.Space[Any],
        seed: int,
        composition: Composition | None,
    ) -> None:
        if make is None:
            bounds = None if composition is None else composition.batch_action_space()
            assert bounds is None or isinstance(bounds, gym.spaces.Box)
            policy: Any = RandomActions(space, bounds)
        else:
            policy = made(make, seed)
        if policy is None:
            raise WrongType(
                "policy must be a function that returns a policy, but it returned None.", argument="policy"
            )
        self._own = policy  # with the weights
        self._space = space
        self._samples = callable(getattr(policy, "sample_actions", None))
        self._policy: Any = policy if self._samples else play_in(as_policy(policy), space, seed, composition)
        self.remembers = any(
            callable(getattr(self._policy, name, None)) for name in ("reset", "begin_episodes")
        )
        self.depends_on_rows = self.remembers or (make is None and composition is not None)

    def set_weights(self, weights: Sequence[NDArray[Any]]) -> None:
        set_weights = getattr(self._own, "set_weights", None)
        if not callable(set_weights):
            raise WrongType(
                f"The policy must have a method set_weights(arrays) to be given weights, which "
                f"{type(self._own).__name__} does not have.",
                argument="policy",
            )
        set_weights(list(weights))

    def begin(self, mask: NDArray[np.bool_], infos: dict[str, Any]) -> None:
        for name, arguments in (("reset", (mask,)), ("begin_episodes", (mask, infos))):
            if callable(method := getattr(self._policy, name, None)):
                method(*arguments)

    def act(self, obs: Any, generators: RowGenerators) -> tuple[Any, dict[str, Any]]:
        """Returns actions for B rows, and what the policy gives beside them."""
        if not self._samples:
            given = getattr(self._policy, "eval_action", self._policy)(obs)
        else:
            given = self._policy.sample_actions(obs, generators)
        outputs: Any = {}
        if isinstance(given, tuple) and len(given) == 2 and isinstance(given[1], Mapping):
            given, outputs = given
        actions = given if isinstance(given, dict | tuple) else as_array(given)
        outputs = {name: as_array(values) for name, values in outputs.items()}
        count = len(generators)
        for name, values in outputs.items():
            if values.shape[:1] != (count,):
                raise WrongValue(
                    f"The policy's output {name!r} must have a value for each of its {count} rows, not the shape "
                    f"{values.shape}."
                )
        if isinstance(actions, np.ndarray) and actions.shape[:1] != (count,):
            raise WrongValue(
                f"The policy must return actions of shape {(count, *(self._space.shape or ()))}, one for each row of "
                f"its observations, not {actions.shape}."
            )
        return actions, outputs

    def get_state(self) -> bytes | None:
        """Returns what the policy remembers: what its `get_state` says, else all of it."""
        if not self.remembers:
            return None
        own = getattr(self._own, "get_state", None)
        kept: bytes = cloudpickle.dumps(own() if callable(own) else (self._own, self._policy))
        return kept

    def set_state(self, state: bytes | None) -> None:
        if state is None:
            return
        kept = cloudpickle.loads(state)
        if callable(set_state := getattr(self._own, "set_state", None)):
            set_state(kept)
        else:
            self._own, self._policy = kept


class _Kept:
    """Takes down the steps of a rollout, in arrays that are made at the first one."""

    def __init__(self, steps: int) -> None:
        self._steps = steps
        self._count = 0
        self._fields: dict[str, Any] = {}
        self._final: list[Any] = []

    def add(self, **fields: Any) -> None:
        """Takes down a step."""
        if not self._fields:
            self._fields = map_arrays(lambda each: np.empty((self._steps, *each.shape), each.dtype), fields)

        def write(kept: NDArray[Any], each: NDArray[Any]) -> None:
            kept[self._count] = each

        map_arrays(write, self._fields, fields)
        self._count += 1

    def end(self, final: Any) -> None:
        """Takes down the last observations of episodes that ended with the step."""
        self._final.append(final)

    def arrays(self) -> dict[str, Any]:
        """Returns the fields, (T, ...) each."""
        return self._fields

    def final(self, none: Any) -> Any:
        """Returns the last observations of all episodes that ended; `none` is a batch of none."""
        return map_arrays(lambda *each: np.concatenate(each), none, *self._final)


def _of_the_step(infos: dict[str, Any], ended: NDArray[np.bool_]) -> dict[str, Any]:
    """Returns what infos say of the step, where an episode ended what they say of that one; without masks."""
    final = infos.get("final_info", {})
    said = {}
    for name, values in infos.items():
        if name.startswith("_") or name == "final_obs" or not isinstance(values, np.ndarray):
            continue
        if name in final:
            mask = ended.reshape(-1, *[1] * (values.ndim - 1))
            values = np.where(mask, final[name], values)
        said[name] = values
    return said


def made(make: Callable[[], Any], seed: int) -> Any:
    """Makes a policy, with the generators seeded from which it may draw without saying so; they are as before then."""
    had_torch = "torch" in sys.modules
    with _seeded(seed):
        policy = make()
    if not had_torch and "torch" in sys.modules:  # it could not be seeded before
        with _seeded(seed):
            policy = make()
    return policy


@contextlib.contextmanager
def _seeded(seed: int) -> Iterator[None]:
    torch: Any = sys.modules.get("torch")
    before = random.getstate(), np.random.get_state(), torch and torch.get_rng_state()  # noqa: NPY002
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002  # a policy's own code may use it
    if torch is not None:
        torch.manual_seed(seed % 2**63)
    try:
        yield
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])  # noqa: NPY002
        if torch is not None:
            torch.set_rng_state(before[2])
