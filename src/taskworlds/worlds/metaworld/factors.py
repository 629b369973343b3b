"""What can vary in a task of Meta-World beside its goal: physics and looks, as its parameters. Needs no simulator.

Physical factors are multiples of what Meta-World has: 1.0 is its own value. Colours are absolute. A factor that a task
does not have, or that changes nothing, leaves every bit and every pixel as it is.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from taskworlds.core.errors import WrongType, WrongValue
from taskworlds.core.task import VARIATION, Task
from taskworlds.worlds.metaworld.mended import MENDED
from taskworlds.worlds.metaworld.objects import OBJECTS

__all__ = [
    "FACTORS",
    "PHYSICAL",
    "VISUAL",
    "Factor",
    "Look",
    "Physics",
    "check_factors",
    "check_value",
    "factors_of",
    "is_unchanged",
    "look_of",
    "physics_of",
]

Physics = tuple[tuple[str, float], ...]
"""The physical factors of a task that change something, and their values, by name."""

Look = tuple[tuple[str, Any], ...]
"""The visual ones, likewise."""

_COLOUR = ("red", "green", "blue")
_JITTER = ("yaw", "pitch", "roll", "zoom")


class Factor(NamedTuple):
    """One thing that can vary.

    Attributes:
        name: the parameter's name in a task.
        is_visual: whether it changes pictures alone.
        unchanged: the value that changes nothing; None where there is none.
        low: least value, of each number where it has several.
        high: largest value, likewise.
        parts: what its numbers are, where it has several; () for one number.
        unit: what the value is measured in.
        summary: what varies.
    """

    name: str
    is_visual: bool
    unchanged: Any
    low: tuple[float, ...]
    high: tuple[float, ...]
    parts: tuple[str, ...]
    unit: str
    summary: str


def _multiple(name: str, low: float, high: float, summary: str, *, is_visual: bool = False) -> Factor:
    return Factor(name, is_visual, 1.0, (low,), (high,), (), "times Meta-World's own", summary)


def _colour(name: str, summary: str) -> Factor:
    return Factor(name, True, None, (0.0,) * 3, (1.0,) * 3, _COLOUR, "red, green and blue, 0 to 1", summary)


_ALL = (
    _multiple(
        "friction", 0.01, 10.0, "sliding friction of all contacts: of the object, the fingers and the table"
    ),
    _multiple("object_mass", 0.01, 100.0, "mass and inertia of the object, or of the part of it that moves"),
    _multiple("damping", 0.01, 100.0, "damping of the object's joints"),
    _multiple("object_size", 0.5, 2.0, "size of the object in all directions, its mass unchanged"),
    _colour("table_colour", "colour of the table, instead of its wood"),
    _colour("floor_colour", "colour of the floor, instead of its tiles"),
    _colour("object_colour", "colour of the object, or of the part of it that moves"),
    _multiple("light", 0.0, 5.0, "brightness of all lights", is_visual=True),
    Factor(
        "camera_jitter",
        True,
        (0.0,) * 4,
        (-math.pi, -math.pi / 2, -math.pi, -0.9),
        (math.pi, math.pi / 2, math.pi, 4.0),
        _JITTER,
        "radians, and a share of the distance",
        "turn of the cameras that stand in the room: around the table, up and down, and on their axis; and how much "
        "farther away they are",
    ),
)

FACTORS: dict[str, Factor] = {each.name: each for each in _ALL}
"""All factors, by name."""

PHYSICAL = tuple(each.name for each in _ALL if not each.is_visual)
VISUAL = tuple(each.name for each in _ALL if each.is_visual)

_OF_OBJECTS: dict[str, Callable[[Any], bool]] = {
    "object_mass": lambda thing: True,
    "damping": lambda thing: thing.is_damped,
    "object_size": lambda thing: thing.is_sizable,
    "object_colour": lambda thing: True,
}
_OF_META_WORLD = ("table_colour", "floor_colour")  # of its own models, where it is known what these are


def factors_of(env_name: str) -> dict[str, Factor]:
    """Returns the factors that a skill has, by name.

    A skill of one's own, made with `register_skill`, has those that need no knowledge of its model.

    Example:
        >>> [name for name in factors_of("drawer-open-v3") if name in PHYSICAL], list(factors_of("reach-v3"))[:2]
        (['friction', 'object_mass', 'damping'], ['friction', 'table_colour'])
    """
    known = env_name in OBJECTS
    thing = OBJECTS.get(env_name)

    def has(name: str) -> bool:
        if name in _OF_OBJECTS:
            return thing is not None and _OF_OBJECTS[name](thing)
        return known or name not in _OF_META_WORLD

    return {name: factor for name, factor in FACTORS.items() if has(name)}


def check_factors(task: Task) -> None:
    """Checks the parameters of a task that are not Meta-World's own.

    Raises:
        ValueError: the skill does not have the factor, or the value is out of its bounds.
        TypeError: a value is of the wrong type.
    """
    has = factors_of(task.env_name)
    for name, value in task.params.items():
        if name in ("rand_vec", "partially_observable"):
            continue
        if name == VARIATION:
            if not isinstance(value, str):
                raise WrongType(
                    f"{VARIATION} must be a string, a label of the task, not {value!r}.", argument=VARIATION
                )
        elif name == "version":
            _check_version(task.env_name, value)
        elif name in FACTORS and name not in has:
            what = f"{task.env_name} does not have the factor {name!r}"
            raise WrongValue(f"{what}: {_why(task.env_name, name)} It has {', '.join(has)}.", argument=name)
        else:
            versions = ("version",) if task.env_name in MENDED else ()
            _check_known(task, name, (*has, VARIATION, *versions))
            check_value(FACTORS[name], value, f" for {task.env_name}")


def _check_known(task: Task, name: str, known: tuple[str, ...]) -> None:
    if name in known:
        return
    near = difflib.get_close_matches(name, known, n=1)
    raise WrongValue(
        f"A task of {task.env_name} has the parameters rand_vec and partially_observable, not {name}."
        + (f" Did you mean {near[0]!r}?" if near else f" Beside them it can have {', '.join(known)}."),
        argument=name,
    )


def _why(env_name: str, name: str) -> str:
    thing = OBJECTS.get(env_name)
    if env_name not in OBJECTS:
        return "it is not one of Meta-World's skills, so which object is meant is not known."
    if thing is None:
        return "there is no object that the arm has to move."
    reasons = {
        "damping": "its object's joints have no damping that could be multiplied.",
        "object_size": f"its object {thing.no_size}.",
    }
    return reasons[name]


def _check_version(env_name: str, value: Any) -> None:
    if value != "mended":
        raise WrongValue(
            f'version must be "mended", or be left out for Meta-World\'s own, not {value!r}.',
            argument="version",
        )
    if env_name not in MENDED:
        raise WrongValue(
            f'{env_name} has no version "mended": {" and ".join(MENDED)} have. Leave version out.',
            argument="version",
        )


def check_value(factor: Factor, value: Any, where: str = "") -> None:
    """Checks a factor's value.

    Args:
        factor: the factor.
        value: the value.
        where: what it is for, for the message.

    Raises:
        ValueError: it is out of the factor's bounds, or has too many or too few numbers.
        TypeError: it is not a number, or not a tuple of them.
    """
    name, parts = factor.name, factor.parts
    wanted = f"a tuple of {len(parts)} numbers ({', '.join(parts)})" if parts else "a number"
    numbers = value if isinstance(value, tuple) else (value,)
    if isinstance(value, tuple) != bool(parts) or not all(type(each) in (int, float) for each in numbers):
        raise WrongType(f"{name} must be {wanted}{where}, not {value!r}.", argument=name)
    if len(numbers) != max(len(parts), 1):
        raise WrongValue(f"{name} must be {wanted}{where}, not {len(numbers)}: {value!r}.", argument=name)
    for number, low, high, part in zip(numbers, factor.low, factor.high, parts or ("",), strict=True):
        if not low <= number <= high:
            of = f"{part} of {name}" if part else name
            raise WrongValue(
                f"{of} must be from {low:.4g} to {high:.4g}, not {number!r} ({factor.unit}){where}.",
                argument=name,
            )


def is_unchanged(name: str, value: Any) -> bool:
    """Returns whether a factor's value is Meta-World's own.

    Example:
        >>> is_unchanged("object_mass", 1), is_unchanged("table_colour", (1.0, 0.0, 0.0))
        (True, False)
    """
    return bool(value == FACTORS[name].unchanged)


def physics_of(task: Task) -> Physics:
    """Returns the physical factors of a task that change something.

    Example:
        >>> physics_of(Task("push-v3", {"friction": 1.0, "object_mass": 2, "light": 0.5}))
        (('object_mass', 2.0),)
    """
    return tuple((name, float(value)) for name, value in _changing(task.params, PHYSICAL))


def look_of(task: Task) -> Look:
    """Returns the visual factors of a task that change something."""
    return tuple(_changing(task.params, VISUAL))


def _changing(params: Mapping[str, Any], names: tuple[str, ...]) -> list[tuple[str, Any]]:
    return [(name, params[name]) for name in names if name in params and not is_unchanged(name, params[name])]
