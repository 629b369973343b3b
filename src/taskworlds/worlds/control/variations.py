"""The variations: what can vary in a domain's model, and the ten values that mtenv has for it.

This table is the only list of them. To users a variation of one skill is a family; see `taskworlds.control.family`.
"""

from __future__ import annotations

from typing import NamedTuple

from taskworlds.core.errors import WrongType, WrongValue, check_known
from taskworlds.core.task import Task
from taskworlds.worlds.control.edits import Change, is_attribute
from taskworlds.worlds.control.skills import skill

__all__ = ["VARIATIONS", "Edit", "Variation", "changes_of", "check_parameters", "variations_of"]


class Edit(NamedTuple):
    """An attribute of the model that follows a variation's value: it becomes `times * value + plus`.

    Attributes:
        attribute: its name, as `edits.apply` takes it.
        times: factor.
        plus: summand.
    """

    attribute: str
    times: float = 1.0
    plus: float = 0.0

    def at(self, value: float) -> Change:
        """Returns the attribute and its value, rounded to 1e-12 so that the base gives dm_control's own number."""
        return self.attribute, round(self.times * value + self.plus, 12)


class Variation(NamedTuple):
    """One number that varies in the models of a domain.

    Attributes:
        domain: dm_control's domain; the variation is there for all its tasks.
        parameter: the number's name in a task.
        base: its value in dm_control's own model.
        values: its ten values; file number 1 is the first.
        edits: the model's attributes that follow it.
        summary: what varies, and its unit.
        skills: the skills that mtenv has the variation for, its own first.
        gym_id: whether mtenv registers an environment of the ten tasks, for the first of `skills`.
    """

    domain: str
    parameter: str
    base: float
    values: tuple[float, ...]
    edits: tuple[Edit, ...]
    summary: str
    skills: tuple[str, ...]
    gym_id: bool = False


def _ten(start: float, step: float) -> tuple[float, ...]:
    return tuple(round(start + step * number, 12) for number in range(1, 11))


_LEG_GEOMS = ("bthigh", "bshin", "bfoot", "fthigh", "fshin", "ffoot")
_WALKER = ("walker-walk", "walker-stand", "walker-run")

VARIATIONS: tuple[Variation, ...] = (
    Variation(
        "finger",
        "size",
        base=0.025,
        values=_ten(0.0, 0.025),
        edits=(Edit("site.touchtop.size[0]"), Edit("site.touchbottom.size[0]")),
        summary="half-width of the touch sensors, m; no geometry, so only the observation's touch differs",
        skills=("finger-spin",),
        gym_id=True,
    ),
    Variation(
        "finger",
        "fingertip_radius",
        base=0.03,
        values=_ten(0.025, 0.005),
        edits=(
            Edit("geom.fingertip.size[0]"),
            # The touch sensors grow with it, since a sensor feels only the contacts inside its site.
            Edit("site.touch*.size[0]", plus=-0.005),
            Edit("site.touch*.size[1]"),
            Edit("site.touch*.size[2]", plus=-0.005),
        ),
        summary="radius of the fingertip, m; the geometry that touches the spinner, and its mass",
        skills=("finger-spin",),
    ),
    Variation(
        "cheetah",
        "torso_length",
        base=0.5,
        values=_ten(0.4, 0.1),
        edits=(Edit("geom.torso.fromto[0]", times=-1.0), Edit("geom.torso.fromto[3]")),
        summary="half-length of the torso, m; the hips and the head stay",
        skills=("cheetah-run",),
        gym_id=True,
    ),
    Variation(
        "cheetah",
        "bfoot_len",
        base=0.094,
        values=_ten(0.084, 0.01),
        edits=(Edit("geom.bfoot.size[1]"), Edit("geom.bfoot.pos[2]", times=-1.0, plus=-0.003)),
        summary="half-length of the back foot, m",
        skills=("cheetah-run",),
    ),
    Variation(
        "cheetah",
        "foot_pos",
        base=0.5,
        values=_ten(0.52, -0.02),
        edits=(Edit("body.bthigh.pos[0]", times=-1.0), Edit("body.fthigh.pos[0]")),
        summary="distance of the hips from the torso's middle, m",
        skills=("cheetah-run",),
    ),
    Variation(
        "cheetah",
        "foot_size",
        base=0.046,
        values=(0.046, *(round(0.046 * (1 + 0.1 * number), 12) for number in range(2, 11))),
        edits=tuple(Edit(f"geom.{name}.size[0]") for name in _LEG_GEOMS),
        summary="radius of the legs' six parts, m",
        skills=("cheetah-run",),
    ),
    Variation(
        "walker",
        "friction",
        base=0.7,
        values=_ten(0.6, 0.1),
        edits=(Edit("geom.*.friction[0]"),),
        summary="sliding friction of the floor and the body",
        skills=_WALKER,
        gym_id=True,
    ),
    Variation(
        "walker",
        "len",
        base=0.1,
        values=_ten(0.07, 0.01),
        edits=(Edit("geom.left_foot.size[1]"),),
        summary="half-length of the left foot, m; the right foot stays",
        skills=_WALKER,
        gym_id=True,
    ),
    Variation(
        "cartpole",
        "cart_mass",
        base=1.0,
        values=_ten(0.5, 0.5),
        edits=(Edit("geom.cart.mass"),),
        summary="mass of the cart, kg",
        skills=("cartpole-swingup",),
    ),
    Variation(
        "cartpole",
        "pole_mass",
        base=0.1,
        values=_ten(0.05, 0.05),
        edits=(Edit("geom.pole_*.mass"),),
        summary="mass of each pole, kg",
        skills=("cartpole-swingup",),
    ),
)


def variations_of(env_name: str) -> dict[str, Variation]:
    """Returns the variations of a skill, by parameter.

    Example:
        >>> list(variations_of("walker-run"))
        ['friction', 'len']
    """
    domain = skill(env_name).domain
    return {each.parameter: each for each in VARIATIONS if each.domain == domain}


def check_parameters(task: Task) -> None:
    """Checks the names of a task's parameters, and the values of those that are variations. Needs no simulator.

    Raises:
        ValueError: the skill or a parameter is not known, or a variation's value is not positive.
        TypeError: a variation's value is not a number.
    """
    variations = variations_of(task.env_name)
    for name, value in task.params.items():
        if is_attribute(name):
            continue
        known = f"has the parameters {', '.join(variations)}" if variations else "has no families"
        check_known(
            f"parameter of {task.env_name}",
            name,
            variations,
            f"It {known}; any number of its model can be varied too, under a name such as 'geom.torso.size[0]' (see "
            "taskworlds.control.vary).",
        )
        if type(value) not in (int, float):
            raise WrongType(
                f"{name} must be a number for {task.env_name}, such as {variations[name].base}, not {value!r}. "
                f"taskworlds.control.family({task.env_name!r}, {name!r}).task({value!r}) also takes names."
            )
        if value <= 0:
            least, most = min(variations[name].values), max(variations[name].values)
            raise WrongValue(
                f"{name} must be greater than 0 for {task.env_name}, not {value!r}. The family's own values are "
                f"from {least} to {most}."
            )


def changes_of(task: Task) -> tuple[Change, ...]:
    """Returns what a task changes in its skill's model, in the order of the parameters' names.

    Raises:
        ValueError: the skill or a parameter is not known.
        TypeError: a variation's value is not a number.

    Example:
        >>> changes_of(Task("walker-run", {"len": 0.12}))
        (('geom.left_foot.size[1]', 0.12),)
    """
    check_parameters(task)
    variations = variations_of(task.env_name)
    changes: list[Change] = []
    for name, value in task.params.items():
        if is_attribute(name):
            changes.append((name, value))
        else:
            changes.extend(edit.at(value) for edit in variations[name].edits)
    return tuple(changes)
