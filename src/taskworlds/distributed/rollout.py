"""`Rollout`: what some rows observed, did and got in some steps, as arrays."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from taskworlds.core.errors import WrongType, WrongValue, check_count

__all__ = ["Rollout", "map_arrays"]


@dataclass(frozen=True)
class Rollout:
    """T steps of N rows. Where spaces are of several arrays (Dict, Tuple), so are the fields.

    An episode that ends is followed by the next one in the same row: the observation after it is the first of the next
    episode, and its own last one stands in `final_observations`.

    Attributes:
        observations: what the actions answered, (T, N, ...).
        actions: (T, N, ...).
        rewards: (T, N) float64.
        terminations: whether the step ended the episode, and the task with it, (T, N) bool.
        truncations: whether the clock ended the episode, (T, N) bool.
        last_observations: after the last step, (N, ...): the first of the rows' next rollout.
        final_observations: the last ones of the E episodes that ended, (E, ...), in the order of
            `numpy.argwhere(rollout.ended)`.
        infos: by name, what each step's info says of that step, (T, N, ...): `task_index`, `skill_index`, what the
            skill reports, `episode_return` so far and so on (docs/infos.md).
        outputs: by name, what the policy gave beside actions, (T, N, ...).
        rows: the number of each row in the sampler's batch, (N,) int64.
        weights_version: of the weights that the policy had.
    """

    observations: Any
    actions: Any
    rewards: Any
    terminations: Any
    truncations: Any
    last_observations: Any
    final_observations: Any
    infos: dict[str, Any]
    outputs: dict[str, Any]
    rows: NDArray[np.int64]
    weights_version: int

    @property
    def steps(self) -> int:
        """T."""
        return int(self.rewards.shape[0])

    @property
    def num_envs(self) -> int:
        """N."""
        return int(self.rewards.shape[1])

    @property
    def ended(self) -> Any:
        """Whether the episode ended with the step, (T, N) bool."""
        return self.terminations | self.truncations

    @property
    def task_indices(self) -> Any:
        """Each step's task, its place in the benchmark's tasks of the split, (T, N) int64."""
        return self.infos["task_index"]

    def next_observations(self) -> Any:
        """Returns what each step led to, before any reset, (T, N, ...); a new array."""
        times, rows = np.nonzero(self.ended)

        def join(observations: Any, last: Any, final: Any) -> Any:
            following = np.concatenate([observations[1:], last[None]])
            following[times, rows] = final
            return following

        return map_arrays(join, self.observations, self.last_observations, self.final_observations)

    def minibatches(
        self,
        size: int,
        *,
        generator: np.random.Generator,
        epochs: int = 1,
        whole_rows: bool = False,
        **more: Any,
    ) -> Iterator[dict[str, Any]]:
        """Iterates over all steps in random order, `size` at a time; each epoch has each step once.

        Args:
            size: steps of a minibatch; with `whole_rows` rows of one. The last of an epoch may have fewer.
            generator: draws the order, anew for each epoch.
            epochs: how often.
            whole_rows: draws rows with all their T steps, for policies with a memory.
            **more: what belongs to each step beside the rollout, as advantages, (T, N, ...).

        Yields:
            By name `observations`, `actions`, `rewards`, `terminations`, `truncations`, the outputs of the policy, and
            what was given, each (size, ...); with `whole_rows` (T, size, ...).

        Raises:
            TypeError, ValueError: an argument is out of range or has other steps than the rollout.
        """
        size, epochs = check_count("size", size), check_count("epochs", epochs)
        if not isinstance(generator, np.random.Generator):
            raise WrongType(
                f"generator must be a numpy.random.Generator, not {generator!r}: numpy.random.default_rng(seed) "
                "makes one.",
                argument="generator",
            )
        fields = {
            name: getattr(self, name)
            for name in ("observations", "actions", "rewards", "terminations", "truncations")
        }
        for name, values in more.items():
            if tuple(np.shape(values)[:2]) != (self.steps, self.num_envs):
                raise WrongValue(
                    f"{name} must have the shape ({self.steps}, {self.num_envs}, ...), a value for each step of each "
                    f"row, not {tuple(np.shape(values))}.",
                    argument=name,
                )
        fields |= self.outputs | more
        count = self.num_envs if whole_rows else self.steps * self.num_envs
        for _ in range(epochs):
            order = generator.permutation(count)
            for first in range(0, count, size):
                chosen = order[first : first + size]
                if whole_rows:
                    yield {name: map_arrays(lambda x, c=chosen: x[:, c], v) for name, v in fields.items()}
                else:
                    at = np.divmod(chosen, self.num_envs)
                    yield {name: map_arrays(lambda x, at=at: x[at], v) for name, v in fields.items()}

    def to_torch(self, device: Any = None) -> Rollout:
        """Returns the rollout with PyTorch tensors in place of its arrays, of the same dtypes.

        Args:
            device: where they are to be; None for the processor, where they share memory with the arrays.
        """
        import torch  # optional

        def tensor(array: Any) -> Any:
            return torch.as_tensor(array, device=device)

        return self._mapped(tensor)

    def _mapped(self, function: Callable[[Any], Any]) -> Rollout:
        values = {
            each.name: getattr(self, each.name)
            for each in dataclasses.fields(self)
            if each.name not in ("rows", "weights_version")
        }
        return dataclasses.replace(
            self, **{name: map_arrays(function, value) for name, value in values.items()}
        )

    @classmethod
    def joined(cls, parts: Sequence[Rollout]) -> Rollout:
        """Returns one rollout of the rows of several, which have equally many steps and weights of one version.

        Args:
            parts: at least one, in the order of their rows.

        Returns:
            A rollout with copies of their arrays; final observations are in the order that `numpy.argwhere` of its
            `ended` has.
        """

        def beside(*arrays: Any) -> Any:
            return np.concatenate(arrays, axis=1)

        def below(*arrays: Any) -> Any:
            return np.concatenate(arrays)

        fields = ("observations", "actions", "rewards", "terminations", "truncations", "infos", "outputs")
        joined = {name: map_arrays(beside, *(getattr(part, name) for part in parts)) for name in fields}
        offsets = np.cumsum([0, *(part.num_envs for part in parts)])
        places = [np.argwhere(part.ended) + (0, offset) for part, offset in zip(parts, offsets, strict=False)]
        every = np.concatenate(places)
        order = np.lexsort((every[:, 1], every[:, 0]))
        final = map_arrays(
            lambda *arrays: np.concatenate(arrays)[order], *(part.final_observations for part in parts)
        )
        last = map_arrays(below, *(part.last_observations for part in parts))
        rows = np.concatenate([part.rows for part in parts])
        return cls(
            **joined,
            last_observations=last,
            final_observations=final,
            rows=rows,
            weights_version=parts[0].weights_version,
        )


def map_arrays(function: Callable[..., Any], *trees: Any) -> Any:
    """Calls a function for the arrays that stand in the same place in several dictionaries, tuples or arrays."""
    first = trees[0]
    if isinstance(first, dict):
        return {name: map_arrays(function, *(tree[name] for tree in trees)) for name in first}
    if isinstance(first, tuple):
        return tuple(map_arrays(function, *parts) for parts in zip(*trees, strict=True))
    return function(*trees)
