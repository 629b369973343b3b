"""What a body is to do in a locomotion task, in words: the plain instruction first, then paraphrases.

Where the observation hides the goal, the words do not tell it either. Where it shows the goal, they do, rounded: a
velocity to 0.01 m/s, a direction to a degree, a place to 0.01 m. The goal of walker2d-rand-params is the body itself,
67 numbers, and is never put into words.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from taskworlds.core.instructions import sentence
from taskworlds.core.task import Task
from taskworlds.worlds.locomotion.skills import skill

__all__ = ["HIDDEN", "VISIBLE", "instructions"]

HIDDEN: dict[str, tuple[str, ...]] = {
    "half-cheetah-vel": (
        "Run at the wanted velocity.",
        "Find out how fast to run, and keep to that speed.",
        "Match the velocity that is asked for.",
        "Run neither faster nor slower than wanted.",
        "Move forward at the target speed, which is not told.",
        "Adapt your speed to the one that is rewarded.",
    ),
    "half-cheetah-dir": (
        "Run in the wanted direction, forward or backward.",
        "Find out which way to run, and run that way.",
        "Run forward or backward, whichever is asked for.",
        "Go the way that is rewarded, ahead or back.",
        "Run as fast as you can in the direction that is not told.",
        "Choose between running ahead and running back.",
    ),
    "ant-dir": (
        "Run in the wanted direction.",
        "Find out which way to run, and run that way.",
        "Go across the plane in the direction that is asked for.",
        "Run as fast as you can in the direction that is not told.",
        "Walk the ant the way that is rewarded.",
        "Head in the target direction without falling.",
    ),
    "ant-goal": (
        "Go to the wanted place.",
        "Find out where to go, and stay there.",
        "Walk to the place that is asked for.",
        "Move the ant to the goal, whose place is not told.",
        "Look for the goal and go to it.",
        "Get as close as you can to the place that is rewarded.",
    ),
    "walker2d-rand-params": (
        "Walk forward with an unknown body.",
        "Walk ahead, whatever your masses and frictions are.",
        "Find out how your body moves, and walk forward.",
        "Go forward without falling, with a body that you do not know.",
        "Adapt to your body and walk ahead.",
        "Keep upright and move forward as fast as this body can.",
    ),
}
"""By skill: the instructions of a task whose goal the observation hides."""

VISIBLE: dict[str, tuple[str, ...]] = {
    "half-cheetah-vel": (
        "Run at {0}.",
        "Run forward with a velocity of {0}.",
        "Keep to a speed of {0}.",
        "Match a velocity of {0}.",
        "Move forward at {0}, neither faster nor slower.",
        "Your target speed is {0}.",
    ),
    "half-cheetah-dir": (
        "Run {0}.",
        "Go {0} as fast as you can.",
        "The direction is {0}: run.",
        "Sprint {0}.",
        "Move {0} at full speed.",
        "Make the cheetah run {0}.",
    ),
    "ant-dir": (
        "Run in the direction of {0}.",
        "Head {0} and run.",
        "Go as fast as you can at {0}.",
        "Run {0}.",
        "Your direction is {0}: run that way.",
        "Walk the ant at {0} without falling.",
    ),
    "ant-goal": (
        "Go to {0}.",
        "Walk to the place at {0}.",
        "The goal is at {0}: go there.",
        "Move the ant to {0} and stay there.",
        "Get as close as you can to {0}.",
        "Reach the point at {0}.",
    ),
}
"""By skill: the instructions of a task whose goal the observation shows; {0} is the goal in words."""


def _number(value: float, digits: int) -> str:
    return f"{round(value, digits) + 0.0:.{digits}f}"  # + 0.0 makes 0 of -0


def _velocity(task: Task) -> str:
    return f"{_number(task['velocity'], 2)} m/s"


def _direction(task: Task) -> str:
    return "forward" if task["direction"] > 0 else "backward"


def _angle(task: Task) -> str:
    return f"{round(math.degrees(task['angle'])) % 360} degrees from the x axis towards y"


def _place(task: Task) -> str:
    x, y = task["goal"]
    return f"x = {_number(x, 2)} m, y = {_number(y, 2)} m"


_GOALS: dict[str, Callable[[Task], str]] = {
    "half-cheetah-vel": _velocity,
    "half-cheetah-dir": _direction,
    "ant-dir": _angle,
    "ant-goal": _place,
}


def instructions(task: Task) -> tuple[str, ...]:
    """Returns what is to be done in a task, the plain instruction first.

    Example:
        >>> run = {"velocity": 1.234}
        >>> instructions(Task("half-cheetah-vel", run | {"partially_observable": True}))[0]
        'Run at the wanted velocity.'
        >>> instructions(Task("half-cheetah-vel", run | {"partially_observable": False}))[0]
        'Run at 1.23 m/s.'
    """
    name = task.env_name
    if task["partially_observable"] or name not in VISIBLE:
        return HIDDEN.get(name) or (sentence(skill(name).summary),)
    words = _GOALS[name](task)
    return tuple(each.format(words) for each in VISIBLE[name])
