"""The tasks of one skill that differ in one number of its model: values, names, splits and benchmarks.

To users they are a `Family`, made by `family` from the table in `variations`, or by `vary` from any number of a model.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from taskworlds.core.errors import WrongType, WrongValue, check_choice, check_count, check_known, check_seed
from taskworlds.core.task import Task
from taskworlds.worlds.control.edits import is_attribute
from taskworlds.worlds.control.skills import skill
from taskworlds.worlds.control.task_check import check_task
from taskworlds.worlds.control.variations import VARIATIONS, Variation, variations_of

if TYPE_CHECKING:
    from taskworlds.core.benchmark import Benchmark

__all__ = ["Family", "families", "family", "gym_id", "vary"]

SPLITS: dict[str, tuple[int, ...]] = {
    "train": (3, 4, 7, 8),
    "interpolation": (5, 6),
    "extrapolation": (2, 9),
}
"""The numbers in mtrl's configuration. Its authors mean files; mtrl takes them as indexes, so uses the next files."""

_SPLIT_BY = ("file", "index")


@dataclass(frozen=True)
class Family:
    """Tasks of one skill that differ in one number of the model.

    Made by `family` and `vary`. A value is the number itself, and may be any number that gives a valid model. Ten of
    them (or as many as `vary` was given) also have a number, from 1, and a name.

    Args:
        env_name: the skill.
        parameters: the parameters of a task that get the value: one, or several after `vary` of several attributes.
        values: the family's own values; number 1 is the first.
        label: what the names begin with: value number 5 is `label_5`.
        summary: what varies, and its unit.

    Example:
        >>> sizes = family("finger-spin", "size")
        >>> sizes.task("size_5") == sizes.task(number=5) == sizes.task(index=4) == sizes.task(0.125)
        True
        >>> [task["size"] for task in sizes.split("interpolation")]
        [0.125, 0.15]
    """

    env_name: str
    parameters: tuple[str, ...]
    values: tuple[Any, ...]
    label: str
    summary: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the values: `label_1`, `label_2` and so on."""
        return tuple(f"{self.label}_{number}" for number in range(1, len(self.values) + 1))

    def task(self, value: Any = None, *, number: int | None = None, index: int | None = None) -> Task:
        """Returns the task of one value. Give exactly one of the arguments.

        Args:
            value: the value, or the name of one of the family's own, such as `size_5`.
            number: which of the family's own values, from 1: mtenv's file number.
            index: mtrl's index, from 0: the file number minus 1.

        Raises:
            ValueError: there is no value of this name, number or index, or MuJoCo cannot compile the model with it.
            TypeError: not exactly one argument was given, or it is of a wrong type.

        Example:
            >>> family("cheetah-run", "torso_length").task(0.75)
            Task(env_name='cheetah-run', params={'torso_length': 0.75})
        """
        if sum(given is not None for given in (value, number, index)) != 1:
            raise WrongType("A task needs exactly one of value, number and index.")
        if number is not None:
            value = self.values[self._place("number", number, first=1)]
        elif index is not None:
            value = self.values[self._place("index", index, first=0)]
        elif isinstance(value, str):
            hint = f"{self.env_name} has {self.names[0]} to {self.names[-1]}, or any value, such as {self.values[0]}."
            value = self.values[self.names.index(check_known(f"{self.label} id", value, self.names, hint))]
        elif isinstance(value, np.integer | int) and not isinstance(value, bool) and not self._whole():
            value = float(value)
        task = Task(self.env_name, dict.fromkeys(self.parameters, value))
        check_task(task)
        return task

    def _place(self, argument: str, value: Any, first: int) -> int:
        last = first + len(self.values) - 1
        if check_count(argument, value, minimum=-(2**62)) not in range(first, last + 1):
            raise WrongValue(
                f"{argument} must be from {first} to {last} for {self.label} of {self.env_name}, not {value}: index "
                "i, from 0, is the value of file number i + 1.",
                argument=argument,
            )
        return int(value) - first

    def _whole(self) -> bool:
        return all(isinstance(value, int) for value in self.values)

    def tasks(self, values: Iterable[Any] | None = None) -> tuple[Task, ...]:
        """Returns a task for each of some values or names.

        Args:
            values: values, names of the family's own such as `size_5`, or tasks, which stay as they are; None for all
                of the family's own values.

        Raises:
            ValueError: there is no value of such a name, or MuJoCo cannot compile the model with a value.
            TypeError: values is a single name, or one of them is of a wrong type.
        """
        if isinstance(values, str):
            raise WrongType(f"values must be a list of values or names, not {values!r}.", argument="values")
        chosen = self.values if values is None else values
        return tuple(value if isinstance(value, Task) else self.task(value) for value in chosen)

    def sample(self, low: float, high: float, count: int, seed: int) -> tuple[Task, ...]:
        """Draws tasks with values uniform in a range.

        Args:
            low: lower end of the range.
            high: upper end of the range.
            count: number of tasks.
            seed: decides the values.

        Raises:
            ValueError: the range is empty, or MuJoCo cannot compile a model.

        Example:
            >>> [round(task["len"], 4) for task in family("walker-run", "len").sample(0.1, 0.2, 2, seed=0)]
            [0.1637, 0.127]
        """
        if not low < high:
            raise WrongValue(f"low must be below high, but low={low!r} and high={high!r}.", argument="low")
        rng = np.random.default_rng(check_seed(seed))
        return self.tasks(rng.uniform(low, high, check_count("count", count)).tolist())

    def split(self, name: str, by: str = "file") -> tuple[Task, ...]:
        """Returns the tasks of one of mtrl's splits.

        Args:
            name: "train", "interpolation" or "extrapolation".
            by: what mtrl's numbers stand for. "file": numbers of files, as its authors meant them (train is 3, 4, 7,
                8). "index": mtenv's indexes, as mtrl runs them (train is the files 4, 5, 8, 9).

        Raises:
            ValueError: an unknown split, or the family has too few values for it.
        """
        check_choice("split", name, tuple(SPLITS))
        check_choice("by", by, _SPLIT_BY)
        numbers = [number + (by == "index") for number in SPLITS[name]]
        if max(numbers) > len(self.values):
            raise WrongValue(
                f"The split {name!r} takes the values number {', '.join(map(str, numbers))}, but {self.label} of "
                f"{self.env_name} has only {len(self.values)}. Choose the values: benchmark(train=[...], test=[...])."
            )
        return tuple(self.task(number=number) for number in numbers)

    def benchmark(
        self,
        train: str | Sequence[Any] = "train",
        test: str | Sequence[Any] | None = None,
        *,
        by: str = "file",
        name: str | None = None,
    ) -> Benchmark:
        """Makes a benchmark of tasks of this family.

        Args:
            train: the train tasks: a split's name, or a list of values, names or tasks.
            test: the test tasks, likewise. None means interpolation and extrapolation together if `train` is a split,
                and no test tasks if it is a list.
            by: as for `split`.
            name: the benchmark's name, for reports; None for the skill's and the family's.

        Example:
            >>> family("walker-walk", "len").benchmark([0.08, 0.1], test=[0.09])
            Benchmark('walker-walk-len', 2 train and 1 test tasks, seed=None, fingerprint='8353126af62cfe8c')
        """
        from taskworlds.core.benchmark import Benchmark

        def tasks(chosen: str | Sequence[Any]) -> tuple[Task, ...]:
            return self.split(chosen, by) if isinstance(chosen, str) else self.tasks(chosen)

        trained = tasks(train)
        if test is not None:
            tested = tasks(test)
        else:
            tested = tasks("interpolation") + tasks("extrapolation") if isinstance(train, str) else ()
        return Benchmark(name or f"{self.env_name}-{self.label}", trained, tested)


def family(env_name: str, parameter: str | None = None) -> Family:
    """Returns a family of one of dm_control's skills.

    Args:
        env_name: the skill, such as "cheetah-run"; or mtenv's id of an environment of ten tasks, which also names the
            family: "MT-HiPBMDP-Cheetah-Run-vary-torso-length-v0".
        parameter: the number that varies, such as "torso_length"; mtenv's prefix. None with an id of mtenv's.

    Raises:
        ValueError: the skill, the family or the id is not known.
        TypeError: `parameter` is missing, or was given together with an id.

    Example:
        >>> family("cheetah-run", "torso_length").values[:3]
        (0.5, 0.6, 0.7)
        >>> family("MT-HiPBMDP-Finger-Spin-vary-size-v0") == family("finger-spin", "size")
        True
    """
    if isinstance(env_name, str) and env_name.startswith("MT-HiPBMDP-"):
        if parameter is not None:
            raise WrongType(f"{env_name!r} already names the family: leave out parameter={parameter!r}.")
        ids = {gym_id(name, each): (name, each) for each in VARIATIONS for name in each.skills}
        check_known("id", env_name, ids, f"There are {', '.join(ids)}.")
        return _of(*ids[env_name])
    own = variations_of(env_name)
    known = ", ".join(own) or "none"
    hint = f"The families of {env_name}: {known}. taskworlds.control.vary makes one from any number of the model."
    if parameter is None:
        raise WrongType(f"family needs a parameter besides the skill {env_name!r}. {hint}")
    return _of(env_name, own[check_known(f"family of {env_name}", parameter, own, hint)])


def families() -> tuple[Family, ...]:
    """Returns all families, for each skill that mtenv has them for.

    Example:
        >>> sum(each.label == "friction" for each in families())
        3
    """
    return tuple(_of(name, each) for each in VARIATIONS for name in each.skills)


def gym_id(env_name: str, variation: Variation) -> str:
    """Returns the id that mtenv's rule makes for a family of ten tasks."""
    domain, task = skill(env_name)[:2]
    return f"MT-HiPBMDP-{domain.capitalize()}-{task.capitalize()}-vary-{variation.parameter.replace('_', '-')}-v0"


def _of(env_name: str, variation: Variation) -> Family:
    return Family(env_name, (variation.parameter,), variation.values, variation.parameter, variation.summary)


def vary(
    env_name: str, attribute: str | Sequence[str], values: Iterable[Any], *, label: str | None = None
) -> Family:
    """Makes a family of any skill of the suite, from the name of an attribute of its model.

    The model is MuJoCo's: attributes have the names and units of its XML, with angles in degrees where the XML has
    them in degrees. A task carries the attribute in its parameters, so it runs wherever it is sent or saved.

    Args:
        env_name: the skill, such as "hopper-hop".
        attribute: what varies: `kind.name.field`, with `[index]` for one number of several, such as
            "geom.torso.size[0]" or "actuator.*.gear[0]" (`*` stands for any letters); or a field of `option` or
            `compiler`, such as "option.gravity[2]" or "option.timestep". Or a list of attributes, which all get the
            value.
        values: the family's own values: each a number, or for an attribute without an index a tuple of all its numbers.
        label: what the names of the values begin with; None for the attribute.

    Raises:
        ValueError: the model has no such attribute (the message lists what it has), a value does not fit, or it
            changes nothing in the compiled model.
        ImportError: dm_control is not installed.

    Example:
        >>> gears = vary("hopper-hop", "actuator.*.gear[0]", values=[20.0, 30.0, 40.0], label="gear")
        >>> gears.task("gear_2")
        Task(env_name='hopper-hop', params={'actuator.*.gear[0]': 30.0})
    """
    attributes = (attribute,) if isinstance(attribute, str) else tuple(attribute)
    skill(env_name)
    for each in attributes:
        if not (isinstance(each, str) and is_attribute(each)):
            raise WrongValue(
                f"attribute must be like 'geom.torso.size[0]', 'joint.*.damping' or 'option.gravity[2]', not {each!r}.",
                argument="attribute",
            )
    made = Family(env_name, attributes, _values(values), label or attributes[0])
    tasks = made.tasks()
    if len(tasks) > 1:
        _check_differ(env_name, attributes, tasks)
    return made


def _values(values: Iterable[Any]) -> tuple[Any, ...]:
    if isinstance(values, str):
        raise WrongType(f"values must be a list of numbers, not {values!r}.", argument="values")
    plain: tuple[Any, ...] = Task("", {"values": list(values)})["values"]  # NumPy's numbers become Python's
    if not plain:
        raise WrongValue("values must have at least one number.", argument="values")
    for each in plain:
        if not all(type(number) in (int, float) for number in (each if isinstance(each, tuple) else (each,))):
            raise WrongType(
                f"values must be numbers, or tuples of numbers, but one is {each!r}.", argument="values"
            )
    return plain


def _check_differ(env_name: str, attributes: tuple[str, ...], tasks: Sequence[Task]) -> None:
    from taskworlds.worlds.control.environment import compiled, same

    if tasks[0] != tasks[-1] and same(compiled(tasks[0]), compiled(tasks[-1])):
        raise WrongValue(
            f"{', '.join(attributes)} of {env_name} changes nothing in the compiled model: MuJoCo derives it from "
            "another attribute. The size of a geom may come from its fromto, a body's mass from its geoms' mass or "
            "density: vary those."
        )
