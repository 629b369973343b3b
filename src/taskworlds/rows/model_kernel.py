"""The kernel of rows whose tasks have models of their own, from what a world says of its skill: without a simulator.

`ModelRows` takes the sizes of what is read from the model. Where the package is built there is none, and they come from
the world's tables.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from taskworlds.kernels.entry import Array, Entry, bind, entry, unpacker

__all__ = ["ModelKernel", "Native"]


def _on_arrays(
    now: Array, action: Array, params: Array, memory: Array, obs: Array, terms: Array, single: bool
) -> None:
    """A skill's kernel on the numbers that were read, which it finds by name."""
    kernel(make_now(now), action, params, memory, obs, terms)


@dataclass(frozen=True)
class Native:
    """How the native engine steps a skill.

    Attributes:
        frame_skip: physics steps per step.
        stepping: order of MuJoCo's functions, see `Scene`.
        reads: what is read after a step, by the name under which the kernel finds it: (source, name) as in `Scene`.
        kernel: `(now, action, params, memory, obs, terms)`: observes and rewards a step. `now` has the reads by name, a
            number or a float64 array each, and the rest are float64 arrays. The terms are the reward and then `terms`.
            Plain functions and numbers among its globals are compiled with it.
        terms: names of the terms after the reward.
        memory: computes the kernel's memory at an episode's start, from `now`; its size is the memory's.
        memory_size: numbers of the memory.
    """

    frame_skip: int
    stepping: str
    reads: Mapping[str, tuple[str, ...]]
    kernel: Callable[..., None]
    terms: tuple[str, ...]
    memory: Callable[[Any], Sequence[float]] = lambda now: ()
    memory_size: int = 0


class ModelKernel:
    """A skill's kernel, with the sizes of its arrays.

    Args:
        native: how the engine steps the skill.
        read_sizes: how many numbers each of its reads gives, by name, in the order of `native.reads`.
        action_size: numbers of an action.
        param_size: numbers of the task's params.
        obs_size: numbers of an observation.

    Attributes:
        make_now: makes the record of the reads, from the array (G,) that holds them.
        plain: the kernel as ordinary Python on arrays, `(now, action, params, memory, obs, terms, single)`.
        sizes: how many numbers each of these arrays has, by name.
    """

    def __init__(
        self,
        native: Native,
        read_sizes: Mapping[str, int],
        *,
        action_size: int,
        param_size: int,
        obs_size: int,
    ) -> None:
        self.make_now = unpacker("Now", read_sizes)
        self.plain = bind(_on_arrays, kernel=native.kernel, make_now=self.make_now)
        self.sizes = {
            "now": sum(read_sizes.values()),
            "action": action_size,
            "params": param_size,
            "memory": native.memory_size,
            "obs": obs_size,
            "terms": 1 + len(native.terms),
        }

    def entry(self, title: str) -> Entry:
        """Returns the kernel to be compiled.

        Args:
            title: what its name begins with: the skill.
        """
        return Entry(entry(self.plain, **self.sizes), title)
