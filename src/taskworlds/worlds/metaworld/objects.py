"""What the arm has to move in each of Meta-World's skills: the bodies of its models that "the object" means.

A body is named by itself or by the body that holds it: of a drawer only the part that moves is meant. A test compares
the table with the official models, and with what the experts move.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["HAMMER", "HELD", "MESHES", "OBJECTS", "WHERE", "Object"]

HELD = "is held by a hinge or a slide, and one of another size would reach into what is around it"
WHERE = "is held by a hinge or a slide, and observations or goals are where one of Meta-World's size has them"
HAMMER = (
    "is a hammer and a nail, and rewards look for the hammer's head where one of Meta-World's size has it"
)
MESHES = "touches with meshes, which all rows of a model share"


class Object(NamedTuple):
    """The object of a skill.

    Attributes:
        bodies: names of bodies; those that move among them and what they hold are the object.
        is_damped: whether its joints have damping.
        is_sizable: whether it lies free, as one piece, and touches with simple shapes alone, so that its size can vary.
        sized: those of `bodies` that the size is of, where it is not of all: the tool, of a tool and what it moves.
        no_size: why it cannot, where it cannot: a part of a sentence about it.
        colour: of the largest part of it that is drawn, red, green and blue.
    """

    bodies: tuple[str, ...]
    colour: tuple[float, float, float]
    is_damped: bool = False
    is_sizable: bool = False
    sized: tuple[str, ...] = ()
    no_size: str = HELD


OBJECTS: dict[str, Object | None] = {
    "assembly-v3": Object(("RoundNut",), (0.65, 0.65, 0.65), is_sizable=True),
    "basketball-v3": Object(("bsktball",), (0.7, 0.35, 0.0), is_sizable=True),
    "bin-picking-v3": Object(("obj",), (0.0, 1.0, 0.0), is_sizable=True),
    "box-close-v3": Object(("boxbodytop",), (1.0, 1.0, 1.0), no_size=MESHES),
    "button-press-topdown-v3": Object(("box",), (0.6, 0.0, 0.0), is_damped=True, no_size=WHERE),
    "button-press-topdown-wall-v3": Object(("box",), (0.6, 0.0, 0.0), is_damped=True, no_size=WHERE),
    "button-press-v3": Object(("box",), (0.6, 0.0, 0.0), is_damped=True, no_size=WHERE),
    "button-press-wall-v3": Object(("box",), (0.6, 0.0, 0.0), is_damped=True, no_size=WHERE),
    "coffee-button-v3": Object(("coffee_machine",), (0.65, 0.65, 0.65), is_damped=True),
    "coffee-pull-v3": Object(("obj",), (0.85, 0.85, 0.85), is_sizable=True),
    "coffee-push-v3": Object(("obj",), (0.85, 0.85, 0.85), is_sizable=True),
    "dial-turn-v3": Object(("dial",), (0.35, 0.35, 0.35), is_damped=True, no_size=WHERE),
    "disassemble-v3": Object(("RoundNut",), (0.65, 0.65, 0.65), is_sizable=True),
    "door-close-v3": Object(("door",), (0.3, 0.32, 0.35), is_damped=True),
    "door-lock-v3": Object(("door",), (0.75, 0.75, 0.75), is_damped=True, no_size=WHERE),
    "door-open-v3": Object(("door",), (0.3, 0.32, 0.35), is_damped=True),
    "door-unlock-v3": Object(("door",), (0.75, 0.75, 0.75), is_damped=True, no_size=WHERE),
    "drawer-close-v3": Object(("drawer",), (0.4, 0.65, 0.4), is_damped=True),
    "drawer-open-v3": Object(("drawer",), (0.4, 0.65, 0.4), is_damped=True),
    "faucet-close-v3": Object(("faucetBase",), (0.5, 0.1, 0.1), is_damped=True),
    "faucet-open-v3": Object(("faucetBase",), (0.5, 0.1, 0.1), is_damped=True),
    "hammer-v3": Object(("hammerbody", "box"), (0.65, 0.0, 0.0), is_damped=True, no_size=HAMMER),
    "hand-insert-v3": Object(("obj",), (1.0, 1.0, 1.0), is_sizable=True),
    "handle-press-side-v3": Object(("box",), (0.15, 0.15, 0.15), is_damped=True, no_size=WHERE),
    "handle-press-v3": Object(("box",), (0.15, 0.15, 0.15), is_damped=True, no_size=WHERE),
    "handle-pull-side-v3": Object(("box",), (0.15, 0.15, 0.15), is_damped=True, no_size=WHERE),
    "handle-pull-v3": Object(("box",), (0.15, 0.15, 0.15), is_damped=True, no_size=WHERE),
    "lever-pull-v3": Object(("lever",), (0.35, 0.35, 0.35), is_damped=True),
    "peg-insert-side-v3": Object(("peg",), (0.3, 1.0, 0.3), is_damped=True, is_sizable=True),
    "peg-unplug-side-v3": Object(("plug1",), (0.25, 0.25, 0.25), is_sizable=True),
    "pick-out-of-hole-v3": Object(("obj",), (1.0, 0.0, 0.0), is_sizable=True),
    "pick-place-v3": Object(("obj",), (1.0, 0.0, 0.0), is_sizable=True),
    "pick-place-wall-v3": Object(("obj",), (1.0, 0.0, 0.0), is_sizable=True),
    "plate-slide-back-side-v3": Object(("puck_channel",), (0.15, 0.15, 0.15), is_damped=True),
    "plate-slide-back-v3": Object(("puck_channel",), (0.15, 0.15, 0.15), is_damped=True),
    "plate-slide-side-v3": Object(("puck_channel",), (0.15, 0.15, 0.15), is_damped=True),
    "plate-slide-v3": Object(("puck_channel",), (0.15, 0.15, 0.15), is_damped=True),
    "push-back-v3": Object(("obj",), (1.0, 1.0, 1.0), is_sizable=True),
    "push-v3": Object(("obj",), (1.0, 0.0, 0.0), is_sizable=True),
    "push-wall-v3": Object(("obj",), (1.0, 0.0, 0.0), is_sizable=True),
    "reach-v3": None,
    "reach-wall-v3": None,
    "shelf-place-v3": Object(("obj",), (0.0, 0.0, 1.0), is_sizable=True),
    "soccer-v3": Object(("soccer_ball",), (0.85, 0.85, 0.85), is_sizable=True),
    "stick-pull-v3": Object(
        ("stick", "object"), (0.45, 0.56, 0.52), is_damped=True, is_sizable=True, sized=("stick",)
    ),
    "stick-push-v3": Object(
        ("stick", "object"), (0.45, 0.56, 0.52), is_damped=True, is_sizable=True, sized=("stick",)
    ),
    "sweep-into-v3": Object(("obj",), (1.0, 1.0, 1.0), is_sizable=True),
    "sweep-v3": Object(("obj",), (1.0, 1.0, 1.0), is_sizable=True),
    "window-close-v3": Object(("window",), (0.36, 0.26, 0.27), is_damped=True),
    "window-open-v3": Object(("window",), (0.36, 0.26, 0.27), is_damped=True),
}
"""By skill; None where the arm has nothing to move."""
