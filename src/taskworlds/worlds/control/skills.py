"""The skills of dm_control's suite: every task of every domain, with the sizes of its observations and actions.

Beside them stand the tasks that TD-MPC2 adds to some of these domains, `CUSTOM_SKILLS`.
"""

from __future__ import annotations

from typing import NamedTuple

from taskworlds.core.errors import check_known

__all__ = ["CUSTOM_SKILLS", "MAX_EPISODE_STEPS", "NATIVE", "SKILLS", "ControlSkill", "skill"]

MAX_EPISODE_STEPS = 1000
"""Control steps of an episode, the same in every skill; dm_control sets no limit for lqr."""

NATIVE = frozenset(
    {
        "cartpole-swingup",
        "cheetah-jump",
        "cheetah-run",
        "cheetah-run-back",
        "cheetah-run-backwards",
        "cheetah-run-front",
        "finger-spin",
        "hopper-hop-backwards",
        "pendulum-spin",
        "walker-run",
        "walker-run-backwards",
        "walker-stand",
        "walker-walk",
        "walker-walk-backwards",
    }
)
"""Names of the skills that the native engine steps: those with a kernel in `native`."""

# Bounds of the actions of one motor or one leg.
_MOTORS = ((-1.0,), (1.0,))
_FORCES = ((-1e10,), (1e10,))  # lqr limits no action
_LEG = ((-1.0, -1.0, -0.8), (1.0, 1.1, 0.8))  # yaw, lift, extend

# Seconds of a step, where they are not 0.02.
_CONTROL_STEP = {
    "acrobot": 0.01,
    "cartpole": 0.01,
    "cheetah": 0.01,
    "dog": 0.015,
    "fish": 0.04,
    "humanoid": 0.025,
    "lqr": 0.03,
    "manipulator": 0.01,
    "stacker": 0.01,
    "swimmer": 0.03,
    "walker": 0.025,
}


class ControlSkill(NamedTuple):
    """A task of one of dm_control's domains.

    Attributes:
        domain: dm_control's domain.
        task: dm_control's task.
        obs_size: numbers of an observation, O.
        action_size: numbers of an action, A.
        low: the actions' lower bounds, A of them.
        high: the actions' upper bounds.
        summary: what is to be done, in a few words.
        name: the skill's name, where it is not made of the domain's and the task's.
    """

    domain: str
    task: str
    obs_size: int
    action_size: int
    low: tuple[float, ...]
    high: tuple[float, ...]
    summary: str
    name: str = ""

    @property
    def env_name(self) -> str:
        """The skill's name, mostly made of the domain's and the task's: `cheetah-run`."""
        return self.name or f"{self.domain}-{self.task}"

    @property
    def draws_model(self) -> bool:
        """Whether the seed also decides the model: the stiffness of lqr's springs."""
        return self.domain == "lqr"

    @property
    def render_fps(self) -> int:
        """Steps of one second, rounded."""
        return round(1 / _CONTROL_STEP.get(self.domain, 0.02))


def _skill(domain: str, task: str, obs_size: int, action_size: int, summary: str) -> ControlSkill:
    low, high = {"lqr": _FORCES, "quadruped": _LEG}.get(domain, _MOTORS)
    times = action_size // len(low)
    return ControlSkill(domain, task, obs_size, action_size, low * times, high * times, summary)


# domain, task, numbers of an observation, numbers of an action, what is to be done
SKILLS: tuple[ControlSkill, ...] = (
    _skill("acrobot", "swingup", 6, 1, "swing two links up and keep the tip at the target"),
    _skill("acrobot", "swingup_sparse", 6, 1, "swing two links up, with reward inside the target only"),
    _skill("ball_in_cup", "catch", 8, 2, "catch the ball on a string with the cup"),
    _skill("cartpole", "balance", 5, 1, "keep the pole upright"),
    _skill("cartpole", "balance_sparse", 5, 1, "keep the pole upright, with reward near there only"),
    _skill("cartpole", "swingup", 5, 1, "swing the pole up and keep it upright"),
    _skill("cartpole", "swingup_sparse", 5, 1, "swing the pole up, with reward near upright only"),
    _skill("cartpole", "two_poles", 8, 1, "swing two linked poles up"),
    _skill("cartpole", "three_poles", 11, 1, "swing three linked poles up"),
    _skill("cheetah", "run", 17, 6, "run forward"),
    _skill("dog", "stand", 223, 38, "stand upright"),
    _skill("dog", "walk", 223, 38, "walk forward"),
    _skill("dog", "trot", 223, 38, "trot forward"),
    _skill("dog", "run", 223, 38, "run forward"),
    _skill("dog", "fetch", 232, 38, "fetch the ball to the target"),
    _skill("finger", "spin", 9, 2, "keep the spinner turning"),
    _skill("finger", "turn_easy", 12, 2, "turn the spinner's tip to a large target"),
    _skill("finger", "turn_hard", 12, 2, "turn the spinner's tip to a small target"),
    _skill("fish", "upright", 21, 5, "keep upright in the water"),
    _skill("fish", "swim", 24, 5, "swim to the target"),
    _skill("hopper", "stand", 15, 4, "stand upright"),
    _skill("hopper", "hop", 15, 4, "hop forward"),
    _skill("humanoid", "stand", 67, 21, "stand upright"),
    _skill("humanoid", "walk", 67, 21, "walk"),
    _skill("humanoid", "run", 67, 21, "run"),
    _skill("humanoid", "run_pure_state", 55, 21, "run, observing positions and velocities alone"),
    _skill("humanoid_CMU", "stand", 137, 56, "stand upright"),
    _skill("humanoid_CMU", "walk", 137, 56, "walk"),
    _skill("humanoid_CMU", "run", 137, 56, "run"),
    _skill("lqr", "lqr_2_1", 4, 1, "bring two masses, one of them driven, to rest"),
    _skill("lqr", "lqr_6_2", 12, 2, "bring six masses, two of them driven, to rest"),
    _skill("manipulator", "bring_ball", 44, 5, "bring the ball to the target"),
    _skill("manipulator", "bring_peg", 44, 5, "bring the peg to the target"),
    _skill("manipulator", "insert_ball", 44, 5, "put the ball into the cup"),
    _skill("manipulator", "insert_peg", 44, 5, "put the peg into the slot"),
    _skill("pendulum", "swingup", 3, 1, "swing the pendulum up and keep it upright"),
    _skill("point_mass", "easy", 4, 2, "bring the mass to the middle"),
    _skill("point_mass", "hard", 4, 2, "bring the mass to the middle, with motors mixed at random"),
    _skill("quadruped", "walk", 78, 12, "walk forward"),
    _skill("quadruped", "run", 78, 12, "run forward"),
    _skill("quadruped", "escape", 101, 12, "climb out of a rugged bowl"),
    _skill("quadruped", "fetch", 90, 12, "push the ball to the target"),
    _skill("reacher", "easy", 6, 2, "reach a large target with the tip"),
    _skill("reacher", "hard", 6, 2, "reach a small target with the tip"),
    _skill("stacker", "stack_2", 49, 5, "stack two boxes at the target"),
    _skill("stacker", "stack_4", 63, 5, "stack four boxes at the target"),
    _skill("swimmer", "swimmer6", 25, 5, "swim to the target with six links"),
    _skill("swimmer", "swimmer15", 61, 14, "swim to the target with fifteen links"),
    _skill("walker", "stand", 24, 6, "stand upright"),
    _skill("walker", "walk", 24, 6, "walk forward"),
    _skill("walker", "run", 24, 6, "run forward"),
)

CUSTOM_SKILLS: tuple[ControlSkill, ...] = (
    _skill("walker", "walk-backwards", 24, 6, "walk backward"),
    _skill("walker", "run-backwards", 24, 6, "run backward"),
    _skill("cheetah", "run-backwards", 17, 6, "run backward"),
    _skill("cheetah", "run-front", 17, 6, "run forward on the front leg, with the hind foot up"),
    _skill("cheetah", "run-back", 17, 6, "run forward on the hind leg, with the front foot up"),
    _skill("cheetah", "jump", 17, 6, "jump on the spot, with both feet and the torso high"),
    _skill("hopper", "hop-backwards", 15, 4, "hop backward"),
    _skill("reacher", "three-easy", 8, 3, "reach a large target with the tip of three links"),
    _skill("reacher", "three-hard", 8, 3, "reach a small target with the tip of three links"),
    _skill("ball_in_cup", "spin", 8, 2, "swing the ball around the cup, fast and outside of it")._replace(
        name="cup-spin"
    ),
    _skill("pendulum", "spin", 3, 1, "keep the pendulum turning fast"),
)
"""The tasks that TD-MPC2 (Hansen, Su and Wang, 2024) adds to domains of the suite, in the order of its list MT30."""

_BY_NAME = {each.env_name: each for each in (*SKILLS, *CUSTOM_SKILLS)}


def skill(env_name: str) -> ControlSkill:
    """Returns a skill by name.

    Raises:
        ValueError: dm_control's suite has no such domain or task, and TD-MPC2 adds none.

    Example:
        >>> skill("cheetah-run").obs_size, skill("cup-spin").domain
        (17, 'ball_in_cup')
    """
    if env_name in _BY_NAME:
        return _BY_NAME[env_name]
    domains = sorted({each.domain for each in SKILLS})
    domain = env_name.partition("-")[0] if isinstance(env_name, str) else None
    if domain in domains:
        names = [name for name, each in _BY_NAME.items() if each.domain == domain]
        check_known("skill", env_name, names, f"dm_control's domain {domain} has {', '.join(names)}.")
    hint = f"A skill is a domain and a task, such as 'cheetah-run'; the domains are {', '.join(domains)}."
    check_known("skill", env_name, _BY_NAME, hint)
    raise AssertionError("unreachable: check_known raises for an unknown name")
