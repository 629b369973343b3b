"""`LearningRun`: how successful a policy was on every task of a sequence, again and again while it learned them."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from taskworlds.core import json_text
from taskworlds.core.errors import WrongValue, check_count
from taskworlds.core.files import write_whole

__all__ = ["LearningRun"]

_FORMAT = "taskworlds-learning-run/1"
_WHAT = "a saved LearningRun"


@dataclass(frozen=True)
class LearningRun:
    """The evaluations of one training run over a sequence.

    Attributes:
        skills: the skill of each task of the sequence, T of them.
        steps_per_task: environment steps on each task.
        steps: environment steps that had been done at each evaluation, in rising order, E of them.
        success: at each evaluation the success rate on each task, also on those still to come, E x T, from 0 to 1.

    Raises:
        WrongValue: the evaluations do not fit the sequence.

    Example:
        >>> run = LearningRun(("reach-v3", "push-v3"), 100, (50, 100, 150, 200), ((0, 0), (1, 0), (1, 0), (0, 1)))
        >>> run.during(0).tolist(), run.during(1).tolist()
        ([0.0, 1.0], [0.0, 1.0])
    """

    skills: tuple[str, ...]
    steps_per_task: int
    steps: tuple[int, ...]
    success: tuple[tuple[float, ...], ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "skills", tuple(self.skills))
        object.__setattr__(self, "steps", tuple(int(each) for each in self.steps))
        rates = tuple(tuple(float(each) for each in row) for row in self.success)
        object.__setattr__(self, "success", rates)
        check_count("steps_per_task", self.steps_per_task)
        if len(self.steps) != len(rates) or any(len(row) != len(self.skills) for row in rates):
            raise WrongValue(
                f"success must have {len(self.skills)} rates for each of the {len(self.steps)} evaluations in steps."
            )
        if any(not 0.0 <= rate <= 1.0 for row in rates for rate in row):
            raise WrongValue("success must hold rates from 0 to 1.", argument="success")
        limits = (0, *self.steps, self.steps_per_task * len(self.skills) + 1)
        if any(later <= earlier for earlier, later in itertools.pairwise(limits)):
            raise WrongValue(
                f"steps must rise from above 0 to at most {limits[-1] - 1}, not {self.steps}.",
                argument="steps",
            )

    @property
    def trained(self) -> NDArray[np.int64]:
        """The task that was trained up to each evaluation, (E,) int64; at a border, the one whose budget just ended."""
        return (np.array(self.steps, dtype=np.int64) - 1) // self.steps_per_task

    @property
    def is_whole(self) -> bool:
        """Whether the last evaluation was after the last step of the last task."""
        return bool(self.steps) and self.steps[-1] == self.steps_per_task * len(self.skills)

    def during(self, task: int) -> NDArray[np.float64]:
        """Returns the success rates on a task at the evaluations while it was trained, float64, one for each.

        Args:
            task: the task's place in the sequence, from 0 to T - 1.
        """
        rates: NDArray[np.float64] = self.at_end(len(self.steps))[self.trained == task, task]
        return rates

    def at_end(self, last: int) -> NDArray[np.float64]:
        """Returns the success rates at the last evaluations of the run, (`last`, T) float64.

        Args:
            last: how many evaluations, from 1 to E.
        """
        return np.array(self.success[-last:], dtype=np.float64).reshape(-1, len(self.skills))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the run to a JSON file, all at once.

        Args:
            path: the file; one that exists is replaced.

        Raises:
            OSError: it cannot be written.
        """
        data: dict[str, Any] = {
            "format": _FORMAT,
            "skills": self.skills,
            "steps_per_task": self.steps_per_task,
            "steps": self.steps,
            "success": self.success,
        }
        plain = json.loads(json.dumps(data))
        write_whole(path, json.dumps(json_text.seal(plain)).encode())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> LearningRun:
        """Reads a file that `save` wrote.

        Args:
            path: the file.

        Raises:
            FileNotFoundError: there is no such file.
            ValueError: the file is cut off, damaged, or something else's.
        """
        return json_text.load(path, cls._from_json, _WHAT)

    @classmethod
    def _from_json(cls, text: str) -> LearningRun:
        data = json_text.parse_format(text, _WHAT, _FORMAT)
        json_text.check_seal(data, "This saved LearningRun")
        fields: dict[str, Sequence[Any]] = {name: data[name] for name in ("skills", "steps", "success")}
        return cls(
            tuple(fields["skills"]), data["steps_per_task"], tuple(fields["steps"]), tuple(fields["success"])
        )
