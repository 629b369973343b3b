"""Lists of skills of several worlds, as papers have them: TD-MPC2's MT30 and MT80.

Hansen, Su and Wang, "TD-MPC2: Scalable, Robust World Models for Continuous Control" (ICLR 2024); the orders are those
of `TASK_SET` in tdmpc2/common/__init__.py. A task's place in the list is its index, for embeddings that are learned.
"""

from __future__ import annotations

from taskworlds.core.errors import WrongValue
from taskworlds.core.task import Task
from taskworlds.core.world import BenchmarkMaker, Tasks
from taskworlds.worlds.metaworld.benchmark_lists import NUM_GOALS

__all__ = ["LISTS", "TDMPC2_NAMES"]

_MT30 = (
    "walker-stand", "walker-walk", "walker-run", "cheetah-run", "reacher-easy", "reacher-hard",
    "acrobot-swingup", "pendulum-swingup", "cartpole-balance", "cartpole-balance-sparse",
    "cartpole-swingup", "cartpole-swingup-sparse", "cup-catch", "finger-spin", "finger-turn-easy",
    "finger-turn-hard", "fish-swim", "hopper-stand", "hopper-hop", "walker-walk-backwards",
    "walker-run-backwards", "cheetah-run-backwards", "cheetah-run-front", "cheetah-run-back",
    "cheetah-jump", "hopper-hop-backwards", "reacher-three-easy", "reacher-three-hard", "cup-spin",
    "pendulum-spin",
)  # fmt: skip

_METAWORLD = (
    "assembly", "basketball", "button-press-topdown", "button-press-topdown-wall", "button-press",
    "button-press-wall", "coffee-button", "coffee-pull", "coffee-push", "dial-turn", "disassemble",
    "door-open", "door-close", "drawer-close", "drawer-open", "faucet-open", "faucet-close", "hammer",
    "handle-press-side", "handle-press", "handle-pull-side", "handle-pull", "lever-pull",
    "peg-insert-side", "peg-unplug-side", "pick-out-of-hole", "pick-place", "pick-place-wall",
    "plate-slide", "plate-slide-side", "plate-slide-back", "plate-slide-back-side", "push-back", "push",
    "push-wall", "reach", "reach-wall", "shelf-place", "soccer", "stick-push", "stick-pull", "sweep-into",
    "sweep", "window-open", "window-close", "bin-picking", "box-close", "door-lock", "door-unlock",
    "hand-insert",
)  # fmt: skip

# Those of MT30's names that are not the skills' names here, which are made of dm_control's domain and task.
_OTHERWISE = {
    "cartpole-balance-sparse": "cartpole-balance_sparse",
    "cartpole-swingup-sparse": "cartpole-swingup_sparse",
    "cup-catch": "ball_in_cup-catch",
    "finger-turn-easy": "finger-turn_easy",
    "finger-turn-hard": "finger-turn_hard",
}

TDMPC2_NAMES: dict[str, str] = {name: _OTHERWISE.get(name, name) for name in _MT30} | {
    f"mw-{name}": f"{name}-v3" for name in _METAWORLD
}
"""The skill of each name of MT80, in its order; the first 30 are MT30's."""


def _mt30(seed: int, num_goals: int | None) -> Tasks:
    if num_goals not in (None, 1):
        raise WrongValue(
            f"num_goals must be left out for MT30, not {num_goals}: its skills are dm_control's, each of one task.",
            argument="num_goals",
        )
    return tuple(Task(TDMPC2_NAMES[name]) for name in _MT30), ()


def _mt80(seed: int, num_goals: int | None) -> Tasks:
    """The goals of the 50 skills come from one stream in this order, so MT50 has other goals for the seed."""
    from taskworlds.worlds.metaworld.goals import draw_goals  # loads the skills, which the names do not need

    skills = [TDMPC2_NAMES[f"mw-{name}"] for name in _METAWORLD]
    goals = draw_goals(skills, seed, NUM_GOALS if num_goals is None else num_goals)
    return _mt30(seed, None)[0] + tuple(
        Task(name, {"rand_vec": goal, "partially_observable": False})
        for name, vectors in goals.items()
        for goal in vectors.tolist()
    ), ()


LISTS: dict[str, BenchmarkMaker] = {
    "MT30": BenchmarkMaker(
        _mt30,
        train_skills=tuple(TDMPC2_NAMES.values())[: len(_MT30)],
        test_skills=(),
        summary="TD-MPC2's 30 tasks of dm_control's bodies",
    ),
    "MT80": BenchmarkMaker(
        _mt80,
        train_skills=tuple(TDMPC2_NAMES.values()),
        test_skills=(),
        summary="MT30, and Meta-World's 50 skills",
    ),
}
"""Benchmarks whose skills are of several worlds, by name."""
