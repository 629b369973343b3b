"""What two results must share before they are compared: tasks, settings, versions and registered skills."""

from __future__ import annotations

import hashlib
import importlib.metadata
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from taskworlds.core.registry import worlds
from taskworlds.core.task import Task
from taskworlds.core.version import __version__

__all__ = ["Fingerprint"]

_PACKAGES = ("mujoco", "metaworld", "gymnasium", "numpy")


@dataclass(frozen=True)
class Fingerprint:
    """What was evaluated, how, and with which versions.

    Attributes:
        tasks: hash of the tasks, in any order, those included that could not run; 16 hexadecimal digits.
        protocol: "multi-task", or the meta protocol with its numbers.
        reward_function_version: Meta-World's "v1" or "v2"; None for other environments.
        max_episode_steps: steps after which an episode is cut off; None if there is no limit or none is
            known.
        terminate_on_success: whether success ended the counted episodes; None for other environments.
        mujoco, metaworld, gymnasium, numpy, taskworlds: versions; None for what is not installed.
        dm_control: its version where a task is of its suite; None elsewhere.
        registered_skills: digests of the skills that were added by `register_skill`, each made of the skill's
            functions and what these reach, its other fields, and its model file with the files beside it that it
            names; and the version of Python that made them. None where all skills are the package's.

    Example:
        >>> now = Fingerprint.of([Task("reach-v3")], protocol="multi-task", max_episode_steps=500)
        >>> then = Fingerprint.from_dict(now.to_dict() | {"numpy": "1.0"})
        >>> list(now.differences(then))
        ['numpy']
    """

    tasks: str
    protocol: str
    reward_function_version: str | None
    max_episode_steps: int | None
    terminate_on_success: bool | None
    mujoco: str | None
    metaworld: str | None
    gymnasium: str | None
    numpy: str | None
    taskworlds: str
    dm_control: str | None = None
    registered_skills: str | None = None

    @classmethod
    def of(
        cls,
        tasks: Iterable[Task],
        *,
        protocol: str,
        reward_function_version: str | None = None,
        max_episode_steps: int | None = None,
        terminate_on_success: bool | None = None,
    ) -> Fingerprint:
        """Makes the fingerprint of an evaluation in this process."""
        tasks = list(tasks)
        text = "\n".join(sorted(task.to_json() for task in tasks))
        skills = {task.env_name for task in tasks}
        used = [world for world in worlds() if skills & {*world.env_names()}]
        packages = {name for world in used for name in world.packages}
        code = [own for world in used if (own := world.code_of(skills)) is not None]
        return cls(
            tasks=hashlib.sha256(text.encode()).hexdigest()[:16],
            protocol=protocol,
            reward_function_version=reward_function_version,
            max_episode_steps=max_episode_steps,
            terminate_on_success=terminate_on_success,
            taskworlds=__version__,
            dm_control=_version("dm_control") if "dm_control" in packages else None,
            registered_skills="; ".join(code) or None,
            **{package: _version(package) for package in _PACKAGES},
        )

    def differences(self, other: Fingerprint) -> dict[str, tuple[Any, Any]]:
        """Gives the fields that differ, each with its value here and in `other`."""
        mine, theirs = self.to_dict(), other.to_dict()
        return {name: (mine[name], theirs[name]) for name in mine if mine[name] != theirs[name]}

    def to_dict(self) -> dict[str, Any]:
        """Gives the fields by name, as JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Fingerprint:
        """Makes a fingerprint from what `to_dict` gave.

        Raises:
            TypeError: a field is missing or unknown.
        """
        return cls(**fields)


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
