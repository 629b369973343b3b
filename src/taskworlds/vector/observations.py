"""What a row's observation is made of: the world's part, the one-hot, what the last step was, the flag of trials."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from taskworlds.core import batches
from taskworlds.core.errors import WrongValue
from taskworlds.core.task import Task
from taskworlds.core.world import World
from taskworlds.vector._batch import write_rows
from taskworlds.vector.flat_state import NOT_A_STATE, check_array
from taskworlds.vector.normalization import ObservationNormalizer
from taskworlds.vector.one_hot import OneHot
from taskworlds.vector.options import Options

if TYPE_CHECKING:
    from taskworlds.vector.composition import Composition

__all__ = ["FlatObservations", "LastStep", "Observations", "is_flat", "make_observations"]

_FLOAT64 = np.dtype(np.float64)

LastStep = tuple[NDArray[Any], NDArray[np.float64], NDArray[np.bool_] | None]
"""Of a step: the actions (N, A), the rewards (N,), and which rows ended, (N,) bool or None if none did."""


def is_flat(space: gym.Space[Any]) -> bool:
    """Returns whether a value of the space is a vector of floats."""
    return isinstance(space, gym.spaces.Box) and len(space.shape) == 1 and space.dtype.kind == "f"


def make_observations(
    num_rows: int,
    world: World,
    space: gym.Space[Any],
    actions: gym.Space[Any],
    one_hot: OneHot,
    options: Options,
    has_action: NDArray[np.bool_] | None = None,
) -> Observations:
    """Returns the observations of N rows, as the options ask for.

    Args:
        num_rows: how many rows, N.
        world: the world.
        space: its own observations, of a row.
        actions: the actions of a row.
        one_hot: the places of tasks in the one-hot.
        options: which parts there are.
        has_action: which entries of an action each row's world has, (N, A) bool; None for all.

    Raises:
        ValueError: an option makes no sense for the space.
    """
    flat, name = is_flat(space), world.name
    for option, instead in (
        ("use_one_hot", "infos have the skill of each row as skill_index"),
        ("recurrent_info_in_obs", "step returns the reward, and whether the episode ended"),
        ("normalize_observations", "wrap the environment in a normalization of your own"),
    ):
        if getattr(options, option) and not flat:
            raise WrongValue(
                f"{option} must be False for {name}: it needs observations that are a vector of floats, and those of "
                f"{name} are {space}. Leave it out; {instead}."
            )
    if options.recurrent_info_in_obs and not is_flat(actions):
        raise WrongValue(
            f"recurrent_info_in_obs must be False for {name}: it appends the last action, which must be a vector of "
            f"floats, and actions of {name} are {actions}. Leave it out.",
            argument="recurrent_info_in_obs",
        )
    if isinstance(space, gym.spaces.Box) and flat:
        size = actions.shape[0] if options.recurrent_info_in_obs and actions.shape else 0
        return FlatObservations(num_rows, space, size, one_hot, options, world.observed_parts, has_action)
    return Observations(num_rows, space)


class Observations:
    """The observations of N rows of any space, as the world gives them.

    Args:
        num_rows: how many rows, N.
        space: a row's observation.

    Attributes:
        space: a row's observation.
        values: the batch of the latest observations, as `taskworlds.core.batches` has it; written to again and again.
        normalizer: of observations, or None.
    """

    normalizer: ObservationNormalizer | None = None

    def __init__(self, num_rows: int, space: gym.Space[Any]) -> None:
        self.space = space
        self.values = batches.empty(space, num_rows)

    @property
    def layout(self) -> dict[str, slice]:
        """Where each part of an observation stands; empty where observations are not a vector of floats."""
        return {}

    def mask(self, composition: Composition) -> NDArray[np.bool_]:
        """Returns which numbers of its observation are a row's own; see `TaskVectorEnv.observation_mask`."""
        raise RuntimeError(
            f"observation_mask is of observations that are a vector of floats, and here they are {self.space}."
        )

    def set_task(self, row: int, task: Task | None) -> None:
        """Tells which task a row has from now on."""

    def write(
        self, world: Any, rows: NDArray[np.bool_], last_step: LastStep | None, *, begins: bool = False
    ) -> None:
        """Writes the observations of `rows`.

        Args:
            world: the world's part, a batch.
            rows: which rows, (N,) bool.
            last_step: what the step was that led here; None after a reset.
            begins: whether an episode, or an attempt of a trial, begins with them.
        """
        self.values = batches.write(self.space, self.values, world, rows)

    def copy(self) -> Any:
        """Returns the latest observations, the caller's own."""
        return batches.copied(self.values)

    def row(self, row: int) -> Any:
        """Returns the latest observation of a row, the caller's own."""
        return batches.copied(batches.row_of(self.space, self.values, row))

    def get_state(self) -> dict[str, Any]:
        """Returns the latest observations."""
        return {"values": batches.to_plain(self.space, self.values)}

    def check_state(self, state: Mapping[str, Any], num_rows: int) -> None:
        """Raises ValueError for anything but the observations of `num_rows` rows."""
        batches.from_plain(self.space, state["values"], num_rows)

    def set_state(self, state: Mapping[str, Any], source: NDArray[np.int64]) -> None:
        """Puts each row where `get_state` found row `source[i]`; source is (N,)."""
        self.values = batches.take(self.space, batches.from_plain(self.space, state["values"]), source)


class FlatObservations(Observations):
    """Observations that are a vector of floats, put together in this order; all but the world's part only if wanted.

    The world's numbers; the one-hot of the skill; the last action, reward and whether the step ended the episode; a
    flag that is 1 where an attempt of a trial begins. All but the flag may be normalised.

    Args:
        num_rows: how many rows, N.
        world: the world's own observations, of a row.
        num_actions: numbers of an action, A.
        one_hot: the places of tasks in the one-hot.
        options: which parts there are.
        observed: returns how many numbers each part of the world's observation has, by name; `World.observed_parts`.
        has_action: which entries of an action each row's world has, (N, A) bool; None for all. In the others the last
            action is 0, whatever it was.

    Attributes:
        space: a row's observation, (O,) of the dtype of the world's.
        values: the observations, (N, O); written to again and again.
        normalizer: of all but the flag, or None.
    """

    values: NDArray[Any]

    def __init__(
        self,
        num_rows: int,
        world: gym.spaces.Box,
        num_actions: int,
        one_hot: OneHot,
        options: Options,
        observed: Callable[[], dict[str, int]],
        has_action: NDArray[np.bool_] | None = None,
    ) -> None:
        self._has_action = has_action
        self._observed = observed
        low, high = world.low, world.high
        world_size = low.size
        self._places = one_hot
        if one_hot.size:
            low, high = np.append(low, np.zeros(one_hot.size)), np.append(high, np.ones(one_hot.size))
        self._has_last_step = options.recurrent_info_in_obs
        self._reward_scale = 10.0 if options.normalize_reward_in_recurrent_info else 1.0
        if self._has_last_step:
            size = low.size + num_actions + 2
            low, high = np.full(size, -np.inf), np.full(size, np.inf)
        if options.normalize_observations:
            self.normalizer = ObservationNormalizer(num_rows, low.size)
            low, high = np.full(low.size, -np.inf), np.full(low.size, np.inf)
        self._flag = low.size
        self._has_flag = options.k_episodes is not None
        if self._has_flag:
            low, high = np.append(low, 0.0), np.append(high, 1.0)
        dtype: Any = world.dtype
        super().__init__(num_rows, gym.spaces.Box(low.astype(dtype), high.astype(dtype), dtype=dtype))
        self._one_hot = np.zeros((num_rows, one_hot.size), dtype=dtype)
        past_skill = world_size + one_hot.size
        self._world, self._shown_skill, self._last, _ = np.split(
            self.values, [world_size, past_skill, self._flag], axis=1
        )

    @property
    def layout(self) -> dict[str, slice]:
        """Where each part of an observation stands, in order; together they are all of it."""
        parts = {name: size for name, size in self._parts().items() if size}
        ends = np.cumsum([0, *parts.values()]).tolist()
        return {name: slice(*ends[place : place + 2]) for place, name in enumerate(parts)}

    def _parts(self) -> dict[str, int]:
        """Returns how many numbers each part has."""
        left = self._world.shape[1]
        parts: dict[str, int] = {}
        for name, size in self._observed().items():
            parts[name] = min(size, left)
            left -= parts[name]
        if left:
            parts = {"observation": self._world.shape[1]}
        parts["one_hot"] = self._places.size
        if self._has_last_step:
            parts |= {"last_action": self._last.shape[1] - 2, "last_reward": 1, "last_done": 1}
        return parts | {"attempt_begins": int(self._has_flag)}

    def mask(self, composition: Composition) -> NDArray[np.bool_]:
        """Returns which numbers of its observation are a row's own, (N, O) bool."""
        shown = np.ones(self.values.shape, dtype=np.bool_)
        size = self._world.shape[1]
        shown[:, :size] = composition.observation_masks()[composition.world_index]
        if self._has_last_step and self._has_action is not None:
            first = size + self._places.size
            shown[:, first : first + self._has_action.shape[1]] = self._has_action
        return shown

    def set_task(self, row: int, task: Task | None) -> None:
        """Tells which task the one-hot of a row shows from now on."""
        if self._places.size:
            self._one_hot[row] = 0.0
            if task is not None:
                self._one_hot[row, self._places.place(task)] = 1.0

    def write(
        self, world: Any, rows: NDArray[np.bool_], last_step: LastStep | None, *, begins: bool = False
    ) -> None:
        """Writes the observations of `rows`.

        Args:
            world: the world's numbers, (N, O) or more numbers a row, of which the first are taken.
            rows: which rows, (N,) bool.
            last_step: what the step was that led here; None after a reset.
            begins: whether an episode, or an attempt of a trial, begins with them.
        """
        _write(self._world, world, rows)
        if self._places.size and (begins or self.normalizer is not None):  # else it stands there
            _write(self._shown_skill, self._one_hot, rows)
        if self._has_last_step:
            last = self._last
            last[rows] = 0.0
            if last_step is not None:
                actions, rewards, ended = last_step
                shown = actions if self._has_action is None else np.where(self._has_action, actions, 0.0)
                last[rows, :-2] = shown[rows]
                last[rows, -2] = rewards[rows] / self._reward_scale
                if ended is not None:
                    last[rows, -1] = ended[rows]
        if self.normalizer is not None:
            self.normalizer(self.values[:, : self._flag], rows)
        if self._has_flag:
            self.values[rows, self._flag] = float(begins)

    def copy(self) -> NDArray[Any]:
        """Returns the latest observations, (N, O), the caller's own."""
        values: NDArray[Any] = self.values.copy()
        return values

    def row(self, row: int) -> NDArray[Any]:
        """Returns the latest observation of a row, (O,), the caller's own."""
        values: NDArray[Any] = self.values[row].copy()
        return values

    def get_state(self) -> dict[str, Any]:
        """Returns the latest observations, the one-hots and the statistics."""
        state: dict[str, Any] = {"values": self.values.copy(), "one_hot": self._one_hot.astype(np.bool_)}
        return state | ({} if self.normalizer is None else {"normalizer": self.normalizer.get_state()})

    def check_state(self, state: Mapping[str, Any], num_rows: int) -> None:
        """Raises ValueError for anything but the state of `num_rows` rows that these rows could take."""
        values, shape = state["values"], (num_rows, *self.values.shape[1:])
        if (values.dtype, values.shape) != (self.values.dtype, shape):
            raise WrongValue(f"{NOT_A_STATE}: values must be {self.values.dtype} of shape {shape}.")
        check_array(state, "one_hot", self._one_hot.astype(np.bool_), num_rows)
        if self.normalizer is not None:
            self.normalizer.check_state(state["normalizer"], num_rows)

    def set_state(self, state: Mapping[str, Any], source: NDArray[np.int64]) -> None:
        """Puts each row where `get_state` found row `source[i]`; source is (N,)."""
        self.values[:] = state["values"][source]
        self._one_hot[:] = state["one_hot"][source]
        if self.normalizer is not None:
            self.normalizer.set_state(state["normalizer"], source)


def _write(target: NDArray[Any], values: NDArray[Any], rows: NDArray[np.bool_]) -> None:
    """Copies the first numbers of values, (N, W or more), into target, (N, W), in `rows`, (N,) bool."""
    if target.dtype is values.dtype is _FLOAT64:
        write_rows(target, values, rows)
    else:
        target[rows] = values[rows, : target.shape[1]]
