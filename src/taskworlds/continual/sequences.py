"""The sequences of Continual World by name, and the environments of a sequence.

CW10 and CW20 are those of Wolczyk et al., "Continual World: A Robotic Benchmark For Continual Reinforcement Learning"
(2021; awarelab/continual_world, continualworld/tasks.py), which names Meta-World's V1 skills; here are the v3 skills of
the same names.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from taskworlds.continual.sequence_env import SequenceVectorEnv
from taskworlds.core.errors import WrongType, WrongValue, check_known, check_names
from taskworlds.core.registry import world_of
from taskworlds.vector.make import make_vec

__all__ = ["EPISODE_STEPS", "SEQUENCES", "STEPS_PER_TASK", "make_sequence", "sequence"]

STEPS_PER_TASK = 1_000_000
"""Continual World's budget: environment steps on each task, over all rows."""

EPISODE_STEPS = 200
"""Continual World's limit of an episode."""

_CW10 = (
    "hammer-v3",
    "push-wall-v3",
    "faucet-close-v3",
    "push-back-v3",
    "stick-pull-v3",
    "handle-press-side-v3",
    "push-v3",
    "shelf-place-v3",
    "window-close-v3",
    "peg-unplug-side-v3",
)

SEQUENCES: dict[str, tuple[str, ...]] = {"CW10": _CW10, "CW20": _CW10 * 2}
"""By name: the skills, in the order in which they are learned."""

_SET_HERE = (
    "use_one_hot",
    "num_tasks",
    "env_id",
    "env_name",
    "autoreset_mode",
    "split",
    "envs_list",
    "k_episodes",
    "batch_size",
    "play_whole_chunks",
)


def sequence(skills: str | Iterable[str]) -> tuple[str, ...]:
    """Returns the skills of a sequence.

    Args:
        skills: "CW10", "CW20", or the names of skills of one world, in order; a skill may come several times.

    Raises:
        TypeError: it is something else.
        ValueError: it names no sequence or skill, nothing at all, or skills of several worlds.

    Example:
        >>> len(sequence("CW20")), sequence(["reach-v3", "push-v3"])
        (20, ('reach-v3', 'push-v3'))
    """
    if isinstance(skills, str):
        hint = f"The sequences are {', '.join(SEQUENCES)}; any other is a list of skills."
        return SEQUENCES[check_known("sequence", skills, SEQUENCES, hint)]
    names = tuple(check_names("skills", skills))
    if not names:
        raise WrongValue("skills must name at least one skill, but it is empty.", argument="skills")
    worlds = {world_of(name).name for name in names}
    if len(worlds) > 1:
        raise WrongValue(
            f"skills must be of one world, with the same observations and actions, not of {', '.join(sorted(worlds))}.",
            argument="skills",
        )
    return names


def make_sequence(
    skills: str | Iterable[str],
    num_envs: int = 1,
    *,
    steps_per_task: int | None = STEPS_PER_TASK,
    seed: int = 0,
    max_episode_steps: int | None = None,
    **options: Any,
) -> SequenceVectorEnv:
    """Makes the environments of a sequence: one vector environment for each of its tasks.

    The goal is visible, and observations end with the one-hot of the task's place in the sequence (CW20 has 20 places,
    so the second visit of a skill has another than the first), in all of them of the same length.

    Args:
        skills: as for `sequence`.
        num_envs: rows of each task's environment.
        steps_per_task: environment steps on each task, over all rows, a multiple of `num_envs`; None for a sequence
            that you move through by `env_idx`.
        seed: of the goals, and of the rows.
        max_episode_steps: steps after which an episode is truncated; None for Continual World's 200 in Meta-World, or
            the protocol's, and elsewhere the world's own.
        **options: options of `taskworlds.make_vec`, such as num_goals, num_threads or reward_function_version.

    Raises:
        TypeError: an option is not known, or is set here.
        ValueError: a value does not fit.

    Example:
        >>> envs = make_sequence("CW10", num_envs=2, seed=0)
        >>> len(envs.envs), envs.skills[:2], envs.single_observation_space.shape
        (10, ('hammer-v3', 'push-wall-v3'), (49,))
    """
    names = sequence(skills)
    for option in _SET_HERE:
        if option in options:
            raise WrongType(
                f"{option} must be left out of make_sequence: each task of a sequence is one skill, in ordinary "
                "episodes of whole batches and single steps, with its place in the one-hot.",
                argument=option,
            )
    world = world_of(names[0])
    limit = max_episode_steps
    if limit is None and world.suite == "metaworld" and options.get("protocol") is None:
        limit = EPISODE_STEPS
    how: dict[str, Any] = {"task_select": "random", "terminate_on_success": False, **options}
    how |= {"use_one_hot": True, "num_tasks": len(names), "max_episode_steps": limit, "seed": seed}
    envs = [make_vec(name, num_envs, split="train", env_id=place, **how) for place, name in enumerate(names)]
    return SequenceVectorEnv(envs, steps_per_task, how)
