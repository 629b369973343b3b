"""What two results must share before they are compared: tasks, settings, versions, engine and registered skills."""

from __future__ import annotations

import hashlib
import importlib.metadata
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from taskworlds.core.errors import WrongType, WrongValue, check_count, check_switch
from taskworlds.core.registry import worlds
from taskworlds.core.row_engine import RowEngine
from taskworlds.core.task import Params, Task
from taskworlds.core.version import __version__

__all__ = ["Fingerprint", "code_of_skills", "hash_of_tasks", "packages_of"]

_BASE = ("gymnasium", "numpy")  # packages that decide numbers in every world
_FLAT = (
    "mujoco",
    "metaworld",
    "gymnasium",
    "numpy",
    "dm_control",
)  # fields of their own in files of format version 1


def packages_of(env_names: Iterable[str] | None = None) -> list[str]:
    """Returns the packages whose versions decide the numbers of skills; None for those of all worlds."""
    skills = None if env_names is None else set(env_names)
    used = [world for world in worlds() if skills is None or skills & {*world.env_names()}]
    return sorted({*_BASE, *(name for world in used for name in world.packages)})


@dataclass(frozen=True)
class Fingerprint:
    """What was evaluated, how, and with which versions. Frozen and hashable.

    A package's version is an attribute too: `fingerprint.numpy`.

    Attributes:
        tasks: hash of the tasks, in any order, including those that could not run; 16 hexadecimal digits.
        protocol: "multi-task", or the meta protocol with its numbers; in trials also the number of attempts.
        reward_function_version: the reward's version, as "v2" in Meta-World; None for other environments.
        max_episode_steps: steps after which an episode is cut off; None if there is no limit, none is known, or worlds
            differ in theirs, which the protocol then says.
        terminate_on_success: whether success ended the counted episodes; None for other environments.
        taskworlds: version of this package.
        packages: versions, by name, of the packages that decide the numbers: Gymnasium, NumPy, and those that the
            worlds of the tasks name; None for a package that is not installed.
        engine: name and version of an engine that does not compute exactly what the world's own environments compute;
            None for an exact engine, since it does not matter which one it was, and for other environments.
        registered_skills: digests of the skills that were added by `register_skill`, each made of the skill's
            functions and what these reach, its other fields, and its model file with the files beside it that it
            names; and the version of Python that made them. None where all skills are the package's.

    Example:
        >>> now = Fingerprint.of([Task("reach-v3")], protocol="multi-task", max_episode_steps=500)
        >>> then = Fingerprint.from_dict(now.to_dict() | {"packages": {**now.packages, "numpy": "1.0"}})
        >>> then.numpy, list(now.differences(then))
        ('1.0', ['numpy'])
    """

    tasks: str
    protocol: str
    reward_function_version: str | None
    max_episode_steps: int | None
    terminate_on_success: bool | None
    taskworlds: str
    packages: Mapping[str, str | None] = field(default_factory=dict)
    engine: str | None = None
    registered_skills: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "packages", Params(self.packages))
        texts = {name: getattr(self, name) for name in ("tasks", "protocol", "taskworlds")}
        may_miss = {
            name: getattr(self, name) for name in ("reward_function_version", "engine", "registered_skills")
        }
        may_miss |= self.packages
        for name, value in (texts | may_miss).items():
            if not isinstance(value, str) and not (value is None and name in may_miss):
                raise WrongType(f"{name} of a fingerprint must be a string, not {value!r}.", argument=name)
        if self.max_episode_steps is not None:
            check_count("max_episode_steps", self.max_episode_steps)
        if self.terminate_on_success is not None:
            check_switch("terminate_on_success", self.terminate_on_success)

    def __getattr__(self, name: str) -> Any:
        packages = self.__dict__.get("packages", {})
        if name in packages or name in _FLAT:
            return packages.get(name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    @classmethod
    def of(
        cls,
        tasks: Iterable[Task],
        *,
        protocol: str,
        reward_function_version: str | None = None,
        max_episode_steps: int | None = None,
        terminate_on_success: bool | None = None,
        engine: RowEngine | None = None,
    ) -> Fingerprint:
        """Makes the fingerprint of an evaluation in this process.

        Args:
            tasks: what is evaluated.
            protocol: as the attribute.
            reward_function_version: as the attribute.
            max_episode_steps: as the attribute.
            terminate_on_success: as the attribute.
            engine: what steps the rows; None for other environments.
        """
        tasks = list(tasks)
        skills = {task.env_name for task in tasks}
        return cls(
            tasks=hash_of_tasks(tasks),
            protocol=protocol,
            reward_function_version=reward_function_version,
            max_episode_steps=max_episode_steps,
            terminate_on_success=terminate_on_success,
            taskworlds=__version__,
            packages={name: _version(name) for name in packages_of(skills)},
            engine=None if engine is None else engine.numbers,
            registered_skills=code_of_skills(skills),
        )

    def check_tasks(self, tasks: Sequence[Task]) -> None:
        """Raises ValueError unless these are the tasks, each once, that the fingerprint was made of.

        Args:
            tasks: the tasks, in any order.
        """
        if len(set(tasks)) != len(tasks) or hash_of_tasks(tasks) != self.tasks:
            raise WrongValue("the tasks are not those of the fingerprint, each once")

    def differences(self, other: Fingerprint) -> dict[str, tuple[Any, Any]]:
        """Returns what differs, a field or a package, each with its value here and in `other`.

        Args:
            other: the fingerprint to compare with.
        """
        mine, theirs = self.by_name(), other.by_name()
        names = dict.fromkeys((*mine, *theirs))
        return {
            name: (mine.get(name), theirs.get(name)) for name in names if mine.get(name) != theirs.get(name)
        }

    def by_name(self) -> dict[str, Any]:
        """Returns everything that may differ by its name: the fields, with each package in place of `packages`."""
        own = self.to_dict()
        del own["packages"]
        return {**own, **self.packages}

    def to_dict(self) -> dict[str, Any]:
        """Returns the fields by name, as JSON values."""
        return {each.name: getattr(self, each.name) for each in fields(self)} | {
            "packages": dict(self.packages)
        }

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Fingerprint:
        """Makes a fingerprint from what `to_dict` returned; also in format version 1, which had no `packages`.

        Args:
            given: the fields by name.

        Raises:
            TypeError: a field is missing or unknown.
        """
        own = dict(given)
        if "packages" not in own:
            flat = {name: own.pop(name) for name in _FLAT if name in own}
            own["packages"] = {name: version for name, version in flat.items() if version is not None}
        return cls(**own)


def code_of_skills(env_names: Collection[str]) -> str | None:
    """Returns digests of the registered skills among some, as a fingerprint has them; None if there are none."""
    code = [own for world in worlds() if (own := world.code_of(env_names)) is not None]
    return "; ".join(code) or None


def hash_of_tasks(tasks: Iterable[Task]) -> str:
    """Returns the hash of tasks, in any order, that a fingerprint has: 16 hexadecimal digits."""
    text = "\n".join(sorted(task.to_json() for task in tasks))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
