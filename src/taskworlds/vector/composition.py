"""What a batch is composed of: which world each row serves, and which tasks it is dealt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from taskworlds.core.benchmark import Benchmark
from taskworlds.core.errors import WrongValue
from taskworlds.core.members import apportion
from taskworlds.core.registry import world_of
from taskworlds.core.task import Task
from taskworlds.core.world import World
from taskworlds.vector.dealing import deal
from taskworlds.vector.mixed_world import mixed_world

__all__ = ["Composition", "WorldShare", "compose", "one_world"]


def one_world(skills: Sequence[str]) -> World:
    """Returns the world of skills.

    Raises:
        ValueError: they are of different worlds.
    """
    world = world_of(skills[0])
    for name in skills:
        if name not in world.env_names():
            raise WrongValue(
                f"All tasks of an environment must be of one world, but {skills[0]} is a skill of "
                f"{world.name} and {name} of {world_of(name).name}. Make an environment for each, or a batch of both "
                "with padded observations and actions: make_vec(..., pad=True)."
            )
    return world


class WorldShare(NamedTuple):
    """The rows of one world in a batch.

    Attributes:
        world: the world.
        rows: its rows, which stand together; in a part of a batch there may be none.
        skills: the names of its skills in the batch.
        shows_goal, hides_goal: whether some of its tasks show their goal, and whether some hide it.
        observation_space, action_space: of one of its rows, before padding.
    """

    world: World
    rows: slice
    skills: tuple[str, ...]
    shows_goal: bool
    hides_goal: bool
    observation_space: gym.Space[Any]
    action_space: gym.Space[Any]

    @property
    def observation_size(self) -> int:
        """How many numbers an observation has, where it is a vector."""
        return (self.observation_space.shape or (0,))[0]

    @property
    def action_size(self) -> int:
        """How many entries an action has, where it is a vector."""
        return (self.action_space.shape or (0,))[0]


class Composition:
    """The worlds that the rows of a batch serve, one world after the other, and the tasks that each row is dealt.

    Args:
        shares: the rows of each world, at least one.
        dealt: for each row, its tasks.

    Attributes:
        shares, dealt: as given.
        world: the record of all of them: the world, where it is one, or one that `mixed_world` makes of several.
        worlds: the records of the worlds.
        world_index: the world of each row, its place in `worlds`, (N,) int64.
        observation_space, action_space: of one row; padded, where there are several worlds.
    """

    def __init__(self, shares: Sequence[WorldShare], dealt: Sequence[Sequence[Task]]) -> None:
        self.shares = tuple(shares)
        self.dealt = [list(tasks) for tasks in dealt]
        self.worlds = tuple(each.world for each in shares)
        sizes = [each.rows.stop - each.rows.start for each in shares]
        self.world_index: NDArray[np.int64] = np.repeat(np.arange(len(sizes)), sizes)
        self.is_mixed = len(shares) > 1
        first = self.shares[0]
        self.world = first.world
        self.observation_space, self.action_space = first.observation_space, first.action_space
        if self.is_mixed:
            spaces = [(each.observation_space, each.action_space) for each in shares]
            self.world = mixed_world(self.worlds, [each.skills for each in shares], spaces)
            self.observation_space = self.world.observation_space(visible=True, hidden=True)
            self.action_space = self.world.action_space()

    def part(self, first: int, past: int) -> Composition:
        """Returns the composition of rows `first` to `past - 1` alone: with all worlds, so with the same padding."""
        shares = []
        for each in self.shares:
            start, stop = (min(max(end, first), past) - first for end in (each.rows.start, each.rows.stop))
            shares.append(each._replace(rows=slice(start, stop)))
        return Composition(shares, self.dealt[first:past])

    def has(self, what: Callable[[World], Any]) -> NDArray[np.bool_]:
        """Returns in which rows a statement holds for the world, (N,) bool."""
        holds = np.array([bool(what(world)) for world in self.worlds])
        return holds[self.world_index]

    def share_of(self, row: int) -> WorldShare:
        """Returns the rows of the world that a row serves."""
        return self.shares[int(self.world_index[row])]

    def share_with(self, skill: str) -> WorldShare | None:
        """Returns the rows of the world that has a skill; None if no row serves that world."""
        if not self.is_mixed:
            return self.shares[0]
        return next(
            (each for each in self.shares if skill in each.skills or skill in each.world.env_names()), None
        )

    def observation_masks(self) -> NDArray[np.bool_]:
        """Returns which numbers of an observation each world has, (worlds, O) bool."""
        sizes = np.array([each.observation_size for each in self.shares])
        return np.arange(sizes.max()) < sizes[:, None]

    def action_masks(self) -> NDArray[np.bool_]:
        """Returns which entries of an action each world has, (worlds, A) bool."""
        sizes = np.array([each.action_size for each in self.shares])
        return np.arange(sizes.max()) < sizes[:, None]

    def batch_action_space(self) -> gym.Space[Any]:
        """Returns the space of all rows' actions: each row's own bounds, and -1 to 1 where its world has no entry."""
        count = len(self.world_index)
        if not self.is_mixed:
            return batch_space(self.action_space, count)
        low = -np.ones((len(self.shares), *(self.action_space.shape or ())))
        high = -low
        for number, each in enumerate(self.shares):
            space = each.action_space
            assert isinstance(space, gym.spaces.Box)
            low[number, : space.low.size], high[number, : space.low.size] = space.low, space.high
        dtype: Any = self.action_space.dtype
        rows = self.world_index
        return gym.spaces.Box(low[rows].astype(dtype), high[rows].astype(dtype), dtype=dtype)


class _Block(NamedTuple):
    """The skills of one world in one member of a benchmark, with how many rows."""

    world: World
    groups: list[tuple[Task, ...]]
    rows: int


def compose(
    benchmark: Benchmark, split: str, num_rows: int, *, pad: bool, group_size: int = 1
) -> Composition:
    """Shares the rows of a batch out among members and worlds, and deals each its tasks.

    Members of a benchmark have rows by their shares, the worlds within a member by how many skills they have there, and
    each at least one. Worlds stand in the order of their first task. Within a world the tasks of each member are dealt
    as `deal` does it.

    Args:
        benchmark: where the tasks come from.
        split: "train" or "test".
        num_rows: how many rows, N.
        pad: whether there may be several worlds.
        group_size: how many consecutive rows are dealt the same tasks, as if they were one.

    Raises:
        ValueError: there are several worlds without `pad`, too few rows, worlds that cannot be padded, or groups that
            do not divide the rows.
    """
    skills = benchmark.env_names(split)
    if not pad:
        one_world(skills)
    if num_rows % group_size:
        raise WrongValue(
            f"group_size must divide num_envs, {num_rows}, so that all groups are as large, not {group_size}.",
            argument="group_size",
        )
    blocks = _blocks(benchmark, split, num_rows // group_size, group_size)
    by_name = {world.name: world for world in dict.fromkeys(each.world for each in blocks)}
    shares, dealt, first = [], [], 0
    for name, world in by_name.items():
        own = [block for block in blocks if block.world.name == name]
        rows = slice(first, first := first + group_size * sum(block.rows for block in own))
        for block in own:
            dealt += [tasks for tasks in deal(block.groups, block.rows) for _ in range(group_size)]
        tasks = [task for block in own for group in block.groups for task in group]
        hidden = {world.hides_goal(task) for task in tasks}
        space = world.observation_space(visible=False in hidden, hidden=True in hidden)
        names = tuple(dict.fromkeys(task.env_name for task in tasks))
        shares.append(
            WorldShare(world, rows, names, False in hidden, True in hidden, space, world.action_space())
        )
    return Composition(shares, dealt)


def _blocks(benchmark: Benchmark, split: str, num_rows: int, group_size: int) -> list[_Block]:
    """Shares out the rows, or groups of rows.

    Raises:
        ValueError: there are too few.
    """
    members = [
        each for each in benchmark.apart() if (each.train_tasks if split == "train" else each.test_tasks)
    ]
    given = [
        each.share for each in benchmark.members if (each.num_train if split == "train" else each.num_test)
    ]
    parts: list[dict[str, list[tuple[Task, ...]]]] = []
    worlds: dict[str, World] = {}
    for member in members:
        by_world: dict[str, list[tuple[Task, ...]]] = {}
        for group in member.groups(split):
            world = world_of(group[0].env_name)
            worlds.setdefault(world.name, world)
            by_world.setdefault(world.name, []).append(group)
        parts.append(by_world)
    least = [len(part) for part in parts]
    if num_rows < sum(least):
        several = len(worlds) > 1
        raise WrongValue(
            f"num_envs must be at least {sum(least) * group_size} for {benchmark.name}, not {num_rows * group_size}: "
            + (f"each row serves one world, and there are {', '.join(worlds)}" if several else "")
            + (", and " if several and len(parts) > 1 else "")
            + ("each member has rows of its own" if len(parts) > 1 else "")
            + ".",
            argument="num_envs",
        )
    counts = [sum(map(len, part.values())) for part in parts]
    weights = [
        count if share is None else share for count, share in zip(counts, given or [None], strict=True)
    ]
    blocks = []
    for part, rows in zip(parts, apportion(weights, num_rows, least), strict=True):
        each = apportion([len(groups) for groups in part.values()], rows, [1] * len(part))
        blocks += [
            _Block(worlds[name], groups, count)
            for (name, groups), count in zip(part.items(), each, strict=True)
        ]
    return blocks
