"""What was run for a result: the policy, the engine, the command, versions, the user's commit and the time."""

from __future__ import annotations

import datetime
import importlib.metadata
import platform
import shlex
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from taskworlds.core.errors import WrongType, WrongValue, check_count
from taskworlds.core.task import Params
from taskworlds.core.version import __version__
from taskworlds.evaluation.loading import Origin

__all__ = ["Clock", "Provenance"]

_GIT_SECONDS = 5  # that git may take, on a slow disk


@dataclass(frozen=True)
class Provenance:
    """What was run. It says where a result comes from; what must agree before results are compared is the fingerprint.

    Attributes:
        policy: the name that was given, as "expert" or "agent.py:make", or the name of the object's class or function.
        policy_arguments: JSON values by name, which a function or class made the policy of.
        checkpoint: the path of the file or folder that the policy was loaded from, as it was given; None if there was
            none, or if the policy came as an object.
        checkpoint_sha256: of that file's content, or of the names and contents of the folder's files.
        engine: name of what stepped the rows; None for other Gymnasium environments.
        num_envs: rows, in each worker if there were workers.
        workers: how many processes played; None for one.
        command: the program with its arguments, as a shell takes them.
        versions: of Python, taskworlds and the packages that the numbers rest on, and of PyTorch, JAX and
            Stable-Baselines3 if they were loaded.
        platform: operating system and processor.
        commit: of the git repository in the current directory; None if there was none.
        has_changes: whether files that git knows had changes that were not committed; None without a repository.
        started: in UTC, as "2026-11-28T09:30:00Z".
        seconds: that the evaluation took, without the parts of it that were played before.
    """

    policy: str
    policy_arguments: Mapping[str, Any] = field(default_factory=dict)
    checkpoint: str | None = None
    checkpoint_sha256: str | None = None
    engine: str | None = None
    num_envs: int | None = None
    workers: int | None = None
    command: str | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    platform: str | None = None
    commit: str | None = None
    has_changes: bool | None = None
    started: str | None = None
    seconds: float | None = None

    def __post_init__(self) -> None:
        for name in ("policy_arguments", "versions"):
            if not isinstance(getattr(self, name), Mapping):
                raise WrongType(f"{name} must be a dictionary, not {getattr(self, name)!r}.", argument=name)
            object.__setattr__(self, name, Params(getattr(self, name)))
        for name in (
            "policy",
            "checkpoint",
            "checkpoint_sha256",
            "engine",
            "command",
            "platform",
            "commit",
            "started",
        ):
            value = getattr(self, name)
            if not isinstance(value, str) and not (value is None and name != "policy"):
                raise WrongType(f"{name} must be a string, not {value!r}.", argument=name)
        for name in ("num_envs", "workers"):
            if getattr(self, name) is not None:
                check_count(name, getattr(self, name))
        if self.has_changes not in (None, True, False):
            raise WrongType(f"has_changes must be True or False, not {self.has_changes!r}.")
        seconds = self.seconds
        if seconds is not None and (
            isinstance(seconds, bool)
            or not isinstance(seconds, int | float)
            or not 0 <= seconds < float("inf")
        ):
            raise WrongValue(f"seconds must be a number of seconds, not {seconds!r}.", argument="seconds")

    @property
    def policy_line(self) -> str:
        """The policy with its arguments and its checkpoint, in a line."""
        return Origin(
            self.policy, dict(self.policy_arguments), self.checkpoint, self.checkpoint_sha256
        ).in_words()

    def to_dict(self) -> dict[str, Any]:
        """Returns the fields by name, as JSON values."""
        return {each.name: getattr(self, each.name) for each in fields(self)} | {
            "policy_arguments": dict(self.policy_arguments),
            "versions": dict(self.versions),
        }

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Provenance:
        """Makes one from what `to_dict` returned.

        Args:
            given: the fields by name.

        Raises:
            TypeError: a field is missing, unknown or of another type.
            ValueError: a number cannot be.
        """
        return cls(**given)


class Clock:
    """Notes when an evaluation begins, and makes its provenance at the end.

    Args:
        origin: of the policy.
        workers: how many processes play; None for this one.

    Attributes:
        origin: as given.
    """

    def __init__(self, origin: Origin, workers: int | None = None) -> None:
        self.origin = origin
        self._workers = workers
        self._started = datetime.datetime.now(datetime.timezone.utc)
        self._begun = time.monotonic()
        self._commit = _commit()  # before anything is played: it may last for hours

    def stop(self, packages: Mapping[str, str | None], engine: str | None, num_envs: int) -> Provenance:
        """Returns the provenance.

        Args:
            packages: that the numbers rest on, with their versions.
            engine: what stepped the rows.
            num_envs: how many there were.
        """
        commit, has_changes = self._commit
        return Provenance(
            policy=self.origin.name,
            policy_arguments=self.origin.arguments,
            checkpoint=self.origin.checkpoint,
            checkpoint_sha256=self.origin.checkpoint_sha256,
            engine=engine,
            num_envs=num_envs,
            workers=self._workers,
            command=_command(),
            versions=_versions(packages),
            platform=f"{platform.system()} {platform.machine()}",
            commit=commit,
            has_changes=has_changes,
            started=self._started.strftime("%Y-%m-%dT%H:%M:%SZ"),
            seconds=round(time.monotonic() - self._begun, 3),
        )


def _command() -> str | None:
    """Returns the program and its arguments; the folder of the program is this machine's own affair."""
    if not sys.argv or not sys.argv[0]:
        return None
    path = Path(sys.argv[0])
    program = ["python", "-m", path.parent.name] if path.name == "__main__.py" else [path.name]
    return shlex.join([*program, *sys.argv[1:]])


def _versions(packages: Mapping[str, str | None]) -> dict[str, str]:
    found = {"python": platform.python_version(), "taskworlds": __version__}
    found |= {name: version for name, version in packages.items() if version is not None}
    for module, package in (("torch", "torch"), ("jax", "jax"), ("stable_baselines3", "stable-baselines3")):
        if module in sys.modules:
            try:
                found[package] = importlib.metadata.version(package)
            except importlib.metadata.PackageNotFoundError:
                continue
    return found


def _commit() -> tuple[str | None, bool | None]:
    """Returns the commit of the repository around the current directory, and whether there are changes beside it."""
    commit = _git("rev-parse", "HEAD")
    if not commit:
        return None, None
    changes = _git("status", "--porcelain", "--untracked-files=no")
    return commit, None if changes is None else bool(changes)


def _git(*arguments: str) -> str | None:
    """Returns what git prints; None if there is no git, no repository, or no answer in time."""
    try:
        done = subprocess.run(
            ["git", "--no-optional-locks", *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_GIT_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
