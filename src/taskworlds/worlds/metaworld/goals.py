"""The goals that a seed gives: number for number those of Meta-World's own benchmarks, with no env built.

Meta-World draws the goals of a benchmark from one stream, skill by skill. It makes each goal with a full
reset, which places the objects twice, and keeps the second placement. A placement is one uniform vector
between the skill's bounds, drawn again while object and goal lie too near each other. Nothing else takes
numbers from the stream.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from taskworlds.core.draws import legacy_seed
from taskworlds.core.errors import WrongType, WrongValue, check_count, check_seed
from taskworlds.core.task import Task
from taskworlds.worlds.metaworld.skills import Skill, skill

__all__ = ["draw_goals", "fresh_task", "too_near"]

_PLACEMENTS_PER_RESET = 2


def draw_goals(env_names: Iterable[str], seed: int, num_goals: int) -> dict[str, NDArray[np.float64]]:
    """Returns the goals that Meta-World draws for these skills, in this order, from this seed.

    The goals of a skill depend on the skills before it and on `num_goals`, since all come from one stream.
    NumPy's global generator is neither read nor written.

    Args:
        env_names: the skills' names, each once. Those of the benchmarks are in `lists.ENV_NAMES`. Meta-World
            draws the train and the test skills of a benchmark separately, starting from the seed each time (ML1's test
            goals from `seed + 1`).
        seed: the seed, at least 0; Meta-World takes it up to 2**32 - 1.
        num_goals: goals for each skill; Meta-World's benchmarks have 50.

    Returns:
        By skill's v3 name, in the order given: its goals as `rand_vec`s, (num_goals, 3) or (num_goals, 6)
        float64, metres. The arrays are the caller's own.

    Raises:
        TypeError: `env_names` is one string, or an argument has the wrong type.
        ValueError: a skill is unknown or named twice, a number is out of range, or a skill has too little
            variation for `num_goals` different goals.

    Example:
        >>> goals = draw_goals(["reach-v3", "drawer-open-v3"], seed=0, num_goals=50)
        >>> {name: vectors.shape for name, vectors in goals.items()}
        {'reach-v3': (50, 6), 'drawer-open-v3': (50, 3)}
    """
    if isinstance(env_names, str):
        raise WrongType(
            f"env_names must be a list of skill names, not the string {env_names!r}: put it in a list.",
            argument="env_names",
        )
    skills = [skill(name) for name in env_names]
    names = [each.name for each in skills]
    for name in names:
        if names.count(name) > 1:
            raise WrongValue(
                f"env_names must name each skill once, but {name!r} comes {names.count(name)} times.",
                argument="env_names",
            )
    num_goals = check_count("num_goals", num_goals)
    generator = np.random.RandomState(legacy_seed(check_seed(seed)))
    return {each.name: _draw_skill(each, generator, num_goals) for each in skills}


def _draw_skill(skill: Skill, generator: np.random.RandomState, num_goals: int) -> NDArray[np.float64]:
    """Draws one skill's goals, (num_goals, D), from the stream."""
    low, high = np.array(skill.rand_vec_low), np.array(skill.rand_vec_high)
    goals = np.empty((num_goals, low.size))
    for goal in goals:
        for _ in range(_PLACEMENTS_PER_RESET):
            goal[:] = generator.uniform(low, high, size=low.size)
            while too_near(skill, goal):
                goal[:] = generator.uniform(low, high, size=low.size)
    different = len(np.unique(goals, axis=0))
    if different < num_goals:
        raise WrongValue(
            f"num_goals must not exceed the number of different goals that each skill can have, but "
            f"{skill.name!r} gave only {different} in {num_goals} draws, because its bounds leave too little "
            f"variation. Ask for fewer goals.",
            argument="num_goals",
        )
    return goals


def fresh_task(task: Task, np_random: np.random.Generator) -> Task:
    """Returns a task like another with a goal of its own, uniform between the bounds of the skill's reset.

    It is what Meta-World's environments do at each reset when their goals are not frozen, with another generator: one
    vector, drawn again while object and goal lie too near each other.

    Args:
        task: what it is like in everything else.
        np_random: what the goal is drawn from.
    """
    needs = skill(task.env_name)
    low, high = np.array(needs.rand_vec_low), np.array(needs.rand_vec_high)
    goal = np_random.uniform(low, high)
    while too_near(needs, goal):
        goal = np_random.uniform(low, high)
    return Task(task.env_name, {**task.params, "rand_vec": tuple(goal.tolist())})


def too_near(skill: Skill, rand_vec: NDArray[np.float64]) -> bool:
    """Tells whether Meta-World would draw again, because the object lies too near the goal.

    Args:
        skill: the skill.
        rand_vec: a placement, (3,) or (6,) float64, metres.

    Example:
        >>> push = skill("push-v3")
        >>> too_near(push, np.array([0.0, 0.7, 0.02, 0.0, 0.8, 0.02]))
        True
    """
    if skill.min_separation is None:
        return False
    goal = rand_vec[3:5] if skill.separated_from is None else skill.separated_from
    return bool(np.linalg.norm(rand_vec[:2] - goal) < skill.min_separation)
