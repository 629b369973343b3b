"""Changes to a model in MuJoCo's spec, each by the name of an attribute such as `geom.torso.size[0]`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import Enum
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from taskworlds.core.errors import WrongType, WrongValue, check_known

if TYPE_CHECKING:
    import mujoco

__all__ = ["Change", "apply", "is_attribute"]

Change = tuple[str, Any]
"""An attribute's name, and the number (or the tuple of all its numbers) that it gets."""

_LISTS = {
    "actuator": "actuators",
    "body": "bodies",
    "equality": "equalities",
    "geom": "geoms",
    "joint": "joints",
    "pair": "pairs",
    "site": "sites",
    "tendon": "tendons",
}
_SINGLE = ("compiler", "option")
_SHAPE = re.compile(
    r"(?:(?P<kind>[a-z]+)\.(?P<name>.+)|(?P<single>[a-z]+))\.(?P<field>\w+?)(?:\[(?P<index>\d+)\])?"
)


class _Attribute(NamedTuple):
    """An attribute's name, taken apart."""

    kind: str
    name: str | None
    field: str
    place: int | None


def is_attribute(name: str) -> bool:
    """Returns whether a task's parameter names an attribute of the model, rather than a variation of the domain.

    Example:
        >>> is_attribute("geom.torso.size[0]"), is_attribute("torso_length")
        (True, False)
    """
    return "." in name


def apply(spec: mujoco.MjSpec, changes: Sequence[Change]) -> None:
    """Makes changes in a spec, in their order.

    Args:
        spec: MuJoCo's spec; it is changed in place.
        changes: attributes and values. An attribute is `kind.name.field`, `option.field` or `compiler.field`, with
            `[index]` for one number of several; `*` in a name stands for any letters.

    Raises:
        ValueError: the model has no such attribute, or the value does not fit it.
        TypeError: a value is not a number.
    """
    for path, value in changes:
        attribute = _parse(path)
        for element in _elements(spec, attribute):
            _set(element, attribute, path, value)


def _parse(path: str) -> _Attribute:
    found = _SHAPE.fullmatch(path)
    if found is None:
        raise WrongValue(
            f"{path!r} is not an attribute of a model: it must be like 'geom.torso.size[0]', 'joint.*.damping' or "
            "'option.gravity[2]'."
        )
    index = found["index"]
    kind = found["kind"] or found["single"]
    return _Attribute(kind, found["name"], found["field"], None if index is None else int(index))


def _elements(spec: mujoco.MjSpec, attribute: _Attribute) -> list[Any]:
    """Returns the parts of the model that the attribute names."""
    kinds = [*_LISTS, *_SINGLE]
    check_known("kind of element", attribute.kind, kinds, f"What can be varied: {', '.join(sorted(kinds))}.")
    if (attribute.name is None) != (attribute.kind in _SINGLE):
        form = f"{attribute.kind}.field" if attribute.kind in _SINGLE else f"{attribute.kind}.name.field"
        raise WrongValue(f"An attribute of {attribute.kind!r} must be given as '{form}'.")
    if attribute.name is None:
        return [getattr(spec, attribute.kind)]
    elements = list(getattr(spec, _LISTS[attribute.kind]))
    chosen = [each for each in elements if fnmatchcase(each.name, attribute.name)]
    if not chosen:
        names = [each.name for each in elements if each.name]
        hint = f"Those that can be varied: {', '.join(names) or 'none, as the model has none with a name'}."
        check_known(f"{attribute.kind} in the model", attribute.name, names, hint)
    return chosen


def _set(element: Any, attribute: _Attribute, path: str, value: Any) -> None:
    fields = _fields(element)
    hint = f"What can be varied of a {attribute.kind}: {', '.join(fields)}."
    check_known(f"attribute of a {attribute.kind}", attribute.field, fields, hint)
    numbers = value if isinstance(value, tuple) else (value,)
    if not numbers or not all(type(each) in (int, float) for each in numbers):
        raise WrongType(f"{path} must be a number, or a tuple of numbers, not {value!r}.")
    old = getattr(element, attribute.field)
    if isinstance(old, int):
        if not isinstance(value, int):
            raise WrongType(f"{path} must be a whole number, not {value!r}.")
        new: Any = value
    elif isinstance(old, float):
        if isinstance(value, tuple):
            raise WrongValue(f"{path} is one number, not {len(value)}: {value!r}.")
        new = float(value)
    else:
        new = np.array(old)
        if attribute.place is None:
            if not isinstance(value, tuple) or len(value) != new.size:
                raise WrongValue(
                    f"{path} has {new.size} numbers: give a tuple of {new.size}, or choose one of them as "
                    f"{path}[0] to {path}[{new.size - 1}]. The value was {value!r}."
                )
            new[:] = value
        else:
            if isinstance(value, tuple):
                raise WrongValue(f"{path} is one number, not {len(value)}: {value!r}.")
            if attribute.place >= new.size:
                raise WrongValue(f"{path} must have an index from 0 to {new.size - 1}.")
            new[attribute.place] = value
    if attribute.place is not None and not isinstance(old, np.ndarray):
        raise WrongValue(f"{path} is one number without an index: write {path[: path.rindex('[')]}.")
    setattr(element, attribute.field, new)


def _fields(element: Any) -> list[str]:
    """Returns the names of an element's numeric attributes."""
    fields = []
    for name in dir(element):
        if name.startswith("_") or name in ("id", "userdata"):
            continue
        value = getattr(element, name, None)
        array = isinstance(value, np.ndarray) and value.ndim == 1 and value.dtype.kind == "f" and value.size
        number = isinstance(value, int | float) and not isinstance(value, bool | Enum)
        if array or number:
            fields.append(name)
    return fields
