"""The 50 skills of Meta-World v3: what each is called, what it asks for, where its objects and goals may lie.

`SKILLS` is the only list of them; registry, command line, benchmarks and tests are computed from it. Nothing
here imports Meta-World or MuJoCo. The names, bounds and distances are those of the environments in
`metaworld.envs`, which the tests compare with this table number by number.
"""

from __future__ import annotations

import sys
import warnings
from dataclasses import dataclass

from taskworlds.errors import check_known

__all__ = ["SKILLS", "Skill", "canonical_name", "skill"]


@dataclass(frozen=True)
class Skill:
    """One thing that the arm can learn, and where its objects and goals may lie.

    A task of the skill is fixed by its `rand_vec`: 3 numbers that place the object, or 6 that place the
    object and then the goal, as x (to the right of the robot), y (away from it) and z (up), in metres.

    Attributes:
        name: Meta-World's name of the skill.
        class_name: the class of `metaworld.envs` that this skill is.
        family: the object; the skills of one family share it.
        summary: what the arm has to do, in a few words.
        rand_vec_low: least value of each number of `rand_vec`, 3 or 6 floats, metres.
        rand_vec_high: largest value of each, likewise. A number whose two bounds are equal never changes.
        min_separation: least distance in x and y between the object and the goal, metres. A draw that puts
            them nearer is drawn again. None where every draw counts.
        separated_from: the point (x, y) that `min_separation` is measured from, for a skill whose goal stays
            put. None where the goal is the second half of `rand_vec`.

    Example:
        >>> push = skill("push-v3")
        >>> push.family, push.rand_vec_low, push.min_separation
        ('puck', (-0.1, 0.6, 0.02, -0.1, 0.8, 0.01), 0.15)
    """

    name: str
    class_name: str
    family: str
    summary: str
    rand_vec_low: tuple[float, ...]
    rand_vec_high: tuple[float, ...]
    min_separation: float | None = None
    separated_from: tuple[float, float] | None = None


# In the order of metaworld.env_dict.ALL_V3_ENVIRONMENTS, which is that of MT50.
SKILLS: tuple[Skill, ...] = (
    Skill(
        "assembly-v3",
        "SawyerNutAssemblyEnvV3",
        "nut",
        "put the nut over the peg",
        (0.0, 0.6, 0.02, -0.1, 0.75, 0.1),
        (0.0, 0.6, 0.02, 0.1, 0.85, 0.1),
        min_separation=0.1,
    ),
    Skill(
        "basketball-v3",
        "SawyerBasketballEnvV3",
        "basketball",
        "drop the ball through the hoop",
        (-0.1, 0.6, 0.0299, -0.1, 0.85, 0.0),
        (0.1, 0.7, 0.0301, 0.1, 0.9 + 1e-7, 0.0),
        min_separation=0.15,
    ),
    Skill(
        "bin-picking-v3",
        "SawyerBinPickingEnvV3",
        "bin",
        "move the block from the left bin to the right one",
        (-0.21, 0.65, 0.02, 0.1199, 0.699, -0.001),
        (-0.03, 0.75, 0.02, 0.1201, 0.701, 0.001),
    ),
    Skill(
        "box-close-v3",
        "SawyerBoxCloseEnvV3",
        "box",
        "put the lid on the box",
        (-0.05, 0.5, 0.02, -0.1, 0.7, 0.133),
        (0.05, 0.55, 0.02, 0.1, 0.8, 0.133),
        min_separation=0.25,
    ),
    Skill(
        "button-press-topdown-v3",
        "SawyerButtonPressTopdownEnvV3",
        "button",
        "press the button down from above",
        (-0.1, 0.8, 0.115),
        (0.1, 0.9, 0.115),
    ),
    Skill(
        "button-press-topdown-wall-v3",
        "SawyerButtonPressTopdownWallEnvV3",
        "button",
        "press the button down from above, over a wall",
        (-0.1, 0.8, 0.115),
        (0.1, 0.9, 0.115),
    ),
    Skill(
        "button-press-v3",
        "SawyerButtonPressEnvV3",
        "button",
        "press the button in from the front",
        (-0.1, 0.85, 0.115),
        (0.1, 0.9, 0.115),
    ),
    Skill(
        "button-press-wall-v3",
        "SawyerButtonPressWallEnvV3",
        "button",
        "press the button in from the front, past a wall",
        (-0.05, 0.85, 0.1149),
        (0.05, 0.9, 0.1151),
    ),
    Skill(
        "coffee-button-v3",
        "SawyerCoffeeButtonEnvV3",
        "coffee",
        "press the button of the coffee machine",
        (-0.1, 0.8, -0.001),
        (0.1, 0.9, 0.001),
    ),
    Skill(
        "coffee-pull-v3",
        "SawyerCoffeePullEnvV3",
        "coffee",
        "pull the mug away from the coffee machine",
        (-0.05, 0.7, -0.001, -0.1, 0.55, -0.001),
        (0.05, 0.75, 0.001, 0.1, 0.65, 0.001),
        min_separation=0.15,
    ),
    Skill(
        "coffee-push-v3",
        "SawyerCoffeePushEnvV3",
        "coffee",
        "push the mug under the coffee machine",
        (-0.1, 0.55, -0.001, -0.05, 0.7, -0.001),
        (0.1, 0.65, 0.001, 0.05, 0.75, 0.001),
        min_separation=0.15,
    ),
    Skill("dial-turn-v3", "SawyerDialTurnEnvV3", "dial", "turn the dial", (-0.1, 0.7, 0.0), (0.1, 0.8, 0.0)),
    Skill(
        "disassemble-v3",
        "SawyerNutDisassembleEnvV3",
        "nut",
        "lift the nut off the peg",
        (0.0, 0.6, 0.025, -0.1, 0.6, 0.1699),
        (0.1, 0.75, 0.02501, 0.1, 0.75, 0.1701),
        min_separation=0.1,
    ),
    Skill(
        "door-close-v3",
        "SawyerDoorCloseEnvV3",
        "door",
        "push the open door shut",
        (0.0, 0.85, 0.15),
        (0.1, 0.95, 0.15),
    ),
    Skill(
        "door-lock-v3",
        "SawyerDoorLockEnvV3",
        "lock",
        "turn the lock of the door to locked",
        (-0.1, 0.8, 0.15),
        (0.1, 0.85, 0.15),
    ),
    Skill(
        "door-open-v3",
        "SawyerDoorEnvV3",
        "door",
        "pull the door open by its handle",
        (0.0, 0.85, 0.15),
        (0.1, 0.95, 0.15),
    ),
    Skill(
        "door-unlock-v3",
        "SawyerDoorUnlockEnvV3",
        "lock",
        "turn the lock of the door to unlocked",
        (-0.1, 0.8, 0.15),
        (0.1, 0.85, 0.15),
    ),
    Skill(
        "hand-insert-v3",
        "SawyerHandInsertEnvV3",
        "hole",
        "put the gripper into the hole in the table",
        (-0.1, 0.6, 0.05, -0.04, 0.8, -0.0201),
        (0.1, 0.7, 0.05, 0.04, 0.88, -0.0199),
        min_separation=0.15,
    ),
    Skill(
        "drawer-close-v3",
        "SawyerDrawerCloseEnvV3",
        "drawer",
        "push the drawer in",
        (-0.1, 0.9, 0.0),
        (0.1, 0.9, 0.0),
    ),
    Skill(
        "drawer-open-v3",
        "SawyerDrawerOpenEnvV3",
        "drawer",
        "pull the drawer's handle out",
        (-0.1, 0.9, 0.0),
        (0.1, 0.9, 0.0),
    ),
    Skill(
        "faucet-open-v3",
        "SawyerFaucetOpenEnvV3",
        "faucet",
        "turn the faucet's handle to open",
        (-0.05, 0.8, 0.0),
        (0.05, 0.85, 0.0),
    ),
    Skill(
        "faucet-close-v3",
        "SawyerFaucetCloseEnvV3",
        "faucet",
        "turn the faucet's handle to closed",
        (-0.1, 0.8, 0.0),
        (0.1, 0.85, 0.0),
    ),
    Skill(
        "hammer-v3",
        "SawyerHammerEnvV3",
        "hammer",
        "drive the nail in with the hammer",
        (-0.1, 0.4, 0.0),
        (0.1, 0.5, 0.0),
    ),
    Skill(
        "handle-press-side-v3",
        "SawyerHandlePressSideEnvV3",
        "handle",
        "press the handle at the side down",
        (-0.35, 0.65, -0.001),
        (-0.25, 0.75, 0.001),
    ),
    Skill(
        "handle-press-v3",
        "SawyerHandlePressEnvV3",
        "handle",
        "press the handle in front down",
        (-0.1, 0.8, -0.001),
        (0.1, 0.9, 0.001),
    ),
    Skill(
        "handle-pull-side-v3",
        "SawyerHandlePullSideEnvV3",
        "handle",
        "pull the handle at the side up",
        (-0.35, 0.65, 0.0),
        (-0.25, 0.75, 0.0),
    ),
    Skill(
        "handle-pull-v3",
        "SawyerHandlePullEnvV3",
        "handle",
        "pull the handle in front up",
        (-0.1, 0.8, -0.001),
        (0.1, 0.9, 0.001),
    ),
    Skill(
        "lever-pull-v3",
        "SawyerLeverPullEnvV3",
        "lever",
        "pull the lever up",
        (-0.1, 0.7, 0.0),
        (0.1, 0.8, 0.0),
    ),
    Skill(
        "pick-place-wall-v3",
        "SawyerPickPlaceWallEnvV3",
        "puck",
        "lift the puck over a wall to the goal",
        (-0.05, 0.6, 0.015, -0.05, 0.85, 0.05),
        (0.05, 0.65, 0.015, 0.05, 0.9, 0.3),
        min_separation=0.15,
    ),
    Skill(
        "pick-out-of-hole-v3",
        "SawyerPickOutOfHoleEnvV3",
        "hole",
        "lift the puck out of the hole to the goal",
        (0.0, 0.75, 0.02, -0.1, 0.5, 0.15),
        (0.0, 0.75, 0.02, 0.1, 0.6, 0.3),
        min_separation=0.15,
    ),
    Skill(
        "pick-place-v3",
        "SawyerPickPlaceEnvV3",
        "puck",
        "lift the puck to the goal",
        (-0.1, 0.6, 0.02, -0.1, 0.8, 0.05),
        (0.1, 0.7, 0.02, 0.1, 0.9, 0.3),
        min_separation=0.15,
    ),
    Skill(
        "plate-slide-v3",
        "SawyerPlateSlideEnvV3",
        "plate",
        "slide the plate forward into the cabinet",
        (0.0, 0.6, 0.0, -0.1, 0.85, 0.0),
        (0.0, 0.6, 0.0, 0.1, 0.9, 0.0),
    ),
    Skill(
        "plate-slide-side-v3",
        "SawyerPlateSlideSideEnvV3",
        "plate",
        "slide the plate sideways into the cabinet",
        (0.0, 0.6, 0.0, -0.3, 0.54, 0.0),
        (0.0, 0.6, 0.0, -0.25, 0.66, 0.0),
    ),
    Skill(
        "plate-slide-back-v3",
        "SawyerPlateSlideBackEnvV3",
        "plate",
        "slide the plate back out of the cabinet",
        (0.0, 0.85, 0.0, -0.1, 0.6, 0.015),
        (0.0, 0.85, 0.0, 0.1, 0.6, 0.015),
    ),
    Skill(
        "plate-slide-back-side-v3",
        "SawyerPlateSlideBackSideEnvV3",
        "plate",
        "slide the plate sideways out of the cabinet",
        (-0.25, 0.6, 0.0, -0.05, 0.6, 0.015),
        (-0.25, 0.6, 0.0, 0.15, 0.6, 0.015),
    ),
    Skill(
        "peg-insert-side-v3",
        "SawyerPegInsertionSideEnvV3",
        "peg",
        "put the peg into the hole in the side of the box",
        (0.0, 0.5, 0.02, -0.35, 0.4, -0.001),
        (0.2, 0.7, 0.02, -0.25, 0.7, 0.001),
        min_separation=0.1,
    ),
    Skill(
        "peg-unplug-side-v3",
        "SawyerPegUnplugSideEnvV3",
        "peg",
        "pull the peg out of the side of the box",
        (-0.25, 0.6, -0.001),
        (-0.15, 0.8, 0.001),
    ),
    Skill(
        "soccer-v3",
        "SawyerSoccerEnvV3",
        "soccer",
        "push the ball into the soccer goal",
        (-0.1, 0.6, 0.03, -0.1, 0.8, 0.0),
        (0.1, 0.7, 0.03, 0.1, 0.9, 0.0),
        min_separation=0.15,
    ),
    Skill(
        "stick-push-v3",
        "SawyerStickPushEnvV3",
        "stick",
        "push the thermos with the stick",
        (-0.08, 0.58, 0.0, 0.399, 0.55, 0.1319),
        (-0.03, 0.62, 0.001, 0.401, 0.6, 0.1321),
        min_separation=0.1,
    ),
    Skill(
        "stick-pull-v3",
        "SawyerStickPullEnvV3",
        "stick",
        "pull the thermos with the stick",
        (-0.1, 0.55, 0.0, 0.35, 0.45, 0.0199),
        (0.0, 0.65, 0.001, 0.45, 0.55, 0.0201),
        min_separation=0.1,
    ),
    Skill(
        "push-v3",
        "SawyerPushEnvV3",
        "puck",
        "push the puck to the goal",
        (-0.1, 0.6, 0.02, -0.1, 0.8, 0.01),
        (0.1, 0.7, 0.02, 0.1, 0.9, 0.02),
        min_separation=0.15,
    ),
    Skill(
        "push-wall-v3",
        "SawyerPushWallEnvV3",
        "puck",
        "push the puck around a wall to the goal",
        (-0.05, 0.6, 0.015, -0.05, 0.85, 0.01),
        (0.05, 0.65, 0.015, 0.05, 0.9, 0.02),
        min_separation=0.15,
    ),
    Skill(
        "push-back-v3",
        "SawyerPushBackEnvV3",
        "puck",
        "pull the puck back to the goal",
        (-0.1, 0.8, 0.02, -0.1, 0.6, 0.0199),
        (0.1, 0.85, 0.02, 0.1, 0.7, 0.0201),
        min_separation=0.15,
    ),
    Skill(
        "reach-v3",
        "SawyerReachEnvV3",
        "reach",
        "move the gripper to the goal",
        (-0.1, 0.6, 0.02, -0.1, 0.8, 0.05),
        (0.1, 0.7, 0.02, 0.1, 0.9, 0.3),
        min_separation=0.15,
    ),
    Skill(
        "reach-wall-v3",
        "SawyerReachWallEnvV3",
        "reach",
        "move the gripper past a wall to the goal",
        (-0.05, 0.6, 0.015, -0.05, 0.85, 0.05),
        (0.05, 0.65, 0.015, 0.05, 0.9, 0.3),
        min_separation=0.15,
    ),
    Skill(
        "shelf-place-v3",
        "SawyerShelfPlaceEnvV3",
        "shelf",
        "lift the block onto the shelf",
        (-0.1, 0.5, 0.019, -0.1, 0.8, 0.299),
        (0.1, 0.6, 0.021, 0.1, 0.9, 0.301),
        min_separation=0.1,
    ),
    Skill(
        "sweep-into-v3",
        "SawyerSweepIntoGoalEnvV3",
        "sweep",
        "sweep the block into the hole in the table",
        (-0.1, 0.6, 0.02, -0.001, 0.8399, 0.0199),
        (0.1, 0.7, 0.02, 0.001, 0.8401, 0.0201),
        min_separation=0.15,
        separated_from=(0.0, 0.84),
    ),
    Skill(
        "sweep-v3",
        "SawyerSweepEnvV3",
        "sweep",
        "sweep the block off the table",
        (-0.1, 0.6, 0.02),
        (0.1, 0.7, 0.02),
    ),
    Skill(
        "window-open-v3",
        "SawyerWindowOpenEnvV3",
        "window",
        "slide the window open",
        (-0.1, 0.7, 0.16),
        (0.1, 0.9, 0.16),
    ),
    Skill(
        "window-close-v3",
        "SawyerWindowCloseEnvV3",
        "window",
        "slide the window shut",
        (0.0, 0.75, 0.2),
        (0.0, 0.9, 0.2),
    ),
)

_BY_NAME = {skill.name: skill for skill in SKILLS}


def canonical_name(name: str) -> str:
    """Gives the v3 name of a skill: "reach-v3" for itself, and for "reach-v2" with a DeprecationWarning.

    Args:
        name: a skill's name, with the version v3 or v2.

    Raises:
        TypeError: `name` is not a string.
        ValueError: there is no such skill.

    Example:
        >>> canonical_name("drawer-open-v3")
        'drawer-open-v3'
    """
    if isinstance(name, str) and name.endswith("-v2"):
        current = name.removesuffix("-v2") + "-v3"
        if current in _BY_NAME:
            warnings.warn(
                f"The skill name {name!r} is read as {current!r}, the only version here. Write {current!r}.",
                DeprecationWarning,
                stacklevel=_frames_to_caller(),
            )
            return current
    return check_known("skill", name, _BY_NAME, f"`taskworlds list skills` shows all {len(SKILLS)}.")


def skill(name: str) -> Skill:
    """Gives the skill of a name; a v2 name means the v3 skill, as in `canonical_name`.

    Args:
        name: a skill's name.

    Raises:
        TypeError: `name` is not a string.
        ValueError: there is no such skill.

    Example:
        >>> skill("drawer-open-v3").summary
        "pull the drawer's handle out"
    """
    return _BY_NAME[canonical_name(name)]


def _frames_to_caller() -> int:
    """Gives the `stacklevel` at which the caller's warning points at the first line outside taskworlds.

    Python shows a DeprecationWarning only where the line that it points at is the user's own.
    """
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").split(".")[0] == "taskworlds":
        level, frame = level + 1, frame.f_back
    return level
