"""The skills of dm_control's suite: every task of every domain, and how large its observations and actions are."""

from __future__ import annotations

from typing import NamedTuple

from taskworlds.errors import check_known

__all__ = ["MAX_EPISODE_STEPS", "SKILLS", "ControlSkill", "skill"]

MAX_EPISODE_STEPS = 1000
"""Control steps of an episode, the same in every skill; dm_control sets no limit for lqr."""

# Bounds of actions, repeated for each motor or leg.
_MOTORS = ((-1.0,), (1.0,))
_FORCES = ((-1e10,), (1e10,))  # lqr limits no action
_LEG = ((-1.0, -1.0, -0.8), (1.0, 1.1, 0.8))  # yaw, lift, extend


class ControlSkill(NamedTuple):
    """A task of one of dm_control's domains.

    Attributes:
        domain: dm_control's domain.
        task: dm_control's task.
        obs_size: numbers of an observation, O.
        action_size: numbers of an action, A.
        low: the actions' lower bounds, A of them.
        high: the actions' upper bounds.
    """

    domain: str
    task: str
    obs_size: int
    action_size: int
    low: tuple[float, ...]
    high: tuple[float, ...]

    @property
    def env_name(self) -> str:
        """The skill's name: the domain's and the task's, as `cheetah-run`."""
        return f"{self.domain}-{self.task}"

    @property
    def draws_model(self) -> bool:
        """Whether the seed decides the model too: the stiffness of lqr's springs."""
        return self.domain == "lqr"


def _skill(domain: str, task: str, obs_size: int, action_size: int) -> ControlSkill:
    low, high = {"lqr": _FORCES, "quadruped": _LEG}.get(domain, _MOTORS)
    times = action_size // len(low)
    return ControlSkill(domain, task, obs_size, action_size, low * times, high * times)


# domain, task, numbers of an observation, numbers of an action
SKILLS: tuple[ControlSkill, ...] = (
    _skill("acrobot", "swingup", 6, 1),
    _skill("acrobot", "swingup_sparse", 6, 1),
    _skill("ball_in_cup", "catch", 8, 2),
    _skill("cartpole", "balance", 5, 1),
    _skill("cartpole", "balance_sparse", 5, 1),
    _skill("cartpole", "swingup", 5, 1),
    _skill("cartpole", "swingup_sparse", 5, 1),
    _skill("cartpole", "two_poles", 8, 1),
    _skill("cartpole", "three_poles", 11, 1),
    _skill("cheetah", "run", 17, 6),
    _skill("dog", "stand", 223, 38),
    _skill("dog", "walk", 223, 38),
    _skill("dog", "trot", 223, 38),
    _skill("dog", "run", 223, 38),
    _skill("dog", "fetch", 232, 38),
    _skill("finger", "spin", 9, 2),
    _skill("finger", "turn_easy", 12, 2),
    _skill("finger", "turn_hard", 12, 2),
    _skill("fish", "upright", 21, 5),
    _skill("fish", "swim", 24, 5),
    _skill("hopper", "stand", 15, 4),
    _skill("hopper", "hop", 15, 4),
    _skill("humanoid", "stand", 67, 21),
    _skill("humanoid", "walk", 67, 21),
    _skill("humanoid", "run", 67, 21),
    _skill("humanoid", "run_pure_state", 55, 21),
    _skill("humanoid_CMU", "stand", 137, 56),
    _skill("humanoid_CMU", "walk", 137, 56),
    _skill("humanoid_CMU", "run", 137, 56),
    _skill("lqr", "lqr_2_1", 4, 1),
    _skill("lqr", "lqr_6_2", 12, 2),
    _skill("manipulator", "bring_ball", 44, 5),
    _skill("manipulator", "bring_peg", 44, 5),
    _skill("manipulator", "insert_ball", 44, 5),
    _skill("manipulator", "insert_peg", 44, 5),
    _skill("pendulum", "swingup", 3, 1),
    _skill("point_mass", "easy", 4, 2),
    _skill("point_mass", "hard", 4, 2),
    _skill("quadruped", "walk", 78, 12),
    _skill("quadruped", "run", 78, 12),
    _skill("quadruped", "escape", 101, 12),
    _skill("quadruped", "fetch", 90, 12),
    _skill("reacher", "easy", 6, 2),
    _skill("reacher", "hard", 6, 2),
    _skill("stacker", "stack_2", 49, 5),
    _skill("stacker", "stack_4", 63, 5),
    _skill("swimmer", "swimmer6", 25, 5),
    _skill("swimmer", "swimmer15", 61, 14),
    _skill("walker", "stand", 24, 6),
    _skill("walker", "walk", 24, 6),
    _skill("walker", "run", 24, 6),
)

_BY_NAME = {each.env_name: each for each in SKILLS}


def skill(env_name: str) -> ControlSkill:
    """Gives a skill by name.

    Raises:
        ValueError: dm_control's suite has no such domain or task.

    Example:
        >>> skill("cheetah-run").obs_size
        17
    """
    if env_name in _BY_NAME:
        return _BY_NAME[env_name]
    domains = sorted({each.domain for each in SKILLS})
    domain = env_name.partition("-")[0] if isinstance(env_name, str) else None
    if domain in domains:
        names = [each.env_name for each in SKILLS if each.domain == domain]
        check_known("skill", env_name, names, f"dm_control's domain {domain} has {', '.join(names)}.")
    hint = f"A skill is a domain and a task, as 'cheetah-run'; the domains are {', '.join(domains)}."
    check_known("skill", env_name, _BY_NAME, hint)
    raise AssertionError("unreachable: check_known raises for an unknown name")
