"""What a skill is: the record that a family's table holds, one for each skill."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

__all__ = ["READ_SIZES", "Skill", "Terms", "float32"]

# How many numbers a read gives, by its source.
READ_SIZES = {
    "body_xpos": 3,
    "body_xquat": 4,
    "site_xpos": 3,
    "site_xmat": 9,
    "geom_xpos": 3,
    "geom_xmat": 9,
    "qpos": 1,
    "touch": 1,
}


class Terms(NamedTuple):
    """What a reward function returns. All are numbers; the last six are in info under their names.

    Attributes:
        reward: the step's reward.
        success: 1.0 if the step's state solves the task.
        near_object: 1.0 if the hand is at the object.
        grasp_success: 1.0 if the object is held.
        grasp_reward: the reward's part for the grasp.
        in_place_reward: the reward's part for the object being where it belongs.
        obj_to_target: how far the object is from there, metres.
    """

    reward: float
    success: float
    near_object: float
    grasp_success: float
    grasp_reward: float
    in_place_reward: float
    obj_to_target: float


def float32(*values: float) -> tuple[float, ...]:
    """Returns numbers as float32 holds them: Meta-World keeps some positions in float32."""
    import numpy as np

    return tuple(float(np.float32(value)) for value in values)


@dataclass(frozen=True)
class Skill:
    """One thing that the arm can learn: a model, a reset, an observation, a reward, a success.

    A task of the skill is fixed by its `rand_vec`: in Meta-World's skills 3 numbers that place the object, or 6 that
    place the object and then the goal, as x (to the right of the robot), y (away from it) and z (up), in metres. A
    skill of your own may have as many numbers as its reset needs. `docs/write-a-skill.md` shows how to write one,
    `taskworlds.check_skill` checks it, `taskworlds.register_skill` makes it known.

    Attributes:
        name: the skill's name, with its version: "drawer-open-v3".
        class_name: the class of `metaworld.envs` that this skill is; "" for a skill of your own.
        family: the object; the skills of one family share the object and a file. "" for a skill of your own.
        summary: what the arm has to do, in a few words, as an instruction: "pull the drawer open".
        rand_vec_low: least value of each number of `rand_vec`, metres where it is a position.
        rand_vec_high: largest value of each, likewise. A number whose two bounds are equal never changes.
        min_separation: least distance in x and y between the object and the goal, metres. A draw that puts them
            nearer is drawn again. None where every draw counts.
        separated_from: the point (x, y) that `min_separation` is measured from, for a skill whose goal stays put. None
            where the goal is the second half of `rand_vec`.
        model: the model's file: a path within the assets of the metaworld package, or the absolute path of a file of
            your own, which may name files of Meta-World (see `model_files.read_spec`).
        hand_low, hand_high: box that the hand is driven in, metres.
        goal_low, goal_high: box that a visible goal is clipped to at each step (Meta-World's goal_space), metres.
        moves: what a reset moves in the model: pairs (field, name), field "body_pos" or "site_pos".
        reads: what observation and reward look at, by the name under which they find it: (source, name) as in
            `engine.Scene.reads`. `hand`, `left_pad`, `right_pad` and `tcp` (the fingers' centre) are always there.
        start: what the reset hands on to the reward, by name: how many numbers. `target` (3) is always there, the
            goal's position; in Meta-World's skills `init_tcp` (3), the fingers' centre after the hand settled, too.
        memory: numbers that the reward keeps from step to step of an episode, all 0 at its start.
        live_goal: the read that the goal follows, if the goal moves with the simulation.
        reset: places the objects: `reset(sim, rand_vec, before)`, ordinary Python over `reset.Sim`, returns `start` as
            a dictionary. It runs twice, as Meta-World's does; `before` is what the first run gave, or None in it.
        observe: `observe(now, objects)` writes position and quaternion of one or two objects, (14,), zeros at first.
        rewards: by version, `reward(now, obs, action, start, memory, single) -> Terms`: what is read after the step,
            the clipped observation (39,), the action (4,), what the reset handed on, the memory, and whether the
            action came as float32. "v2" is the version that is used unless another is asked for.
    """

    name: str
    class_name: str = ""
    family: str = ""
    summary: str = ""
    rand_vec_low: tuple[float, ...] = ()
    rand_vec_high: tuple[float, ...] = ()
    min_separation: float | None = None
    separated_from: tuple[float, float] | None = None
    model: str | os.PathLike[str] = ""
    hand_low: tuple[float, float, float] = (-0.5, 0.4, 0.05)
    hand_high: tuple[float, float, float] = (0.5, 1.0, 0.5)
    goal_low: tuple[float, float, float] = (-0.5, 0.4, 0.05)
    goal_high: tuple[float, float, float] = (0.5, 1.0, 0.5)
    moves: tuple[tuple[str, str], ...] = ()
    reads: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    start: Mapping[str, int] = field(default_factory=dict)
    memory: int = 0
    live_goal: str | None = None
    reset: Callable[..., dict[str, Any]] | None = None
    observe: Callable[..., None] | None = None
    rewards: Mapping[str, Callable[..., Any]] = field(default_factory=dict)

    def __hash__(self) -> int:
        return hash(self.name)
