"""Scores of lists of tasks, as the authors of a protocol compute them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from taskworlds.core.errors import WrongValue, check_choice
from taskworlds.core.registry import world_of
from taskworlds.core.task import Task
from taskworlds.evaluation.records import TaskRecord
from taskworlds.evaluation.statistics import Estimate
from taskworlds.evaluation.summaries import mean_of

__all__ = [
    "SCORES",
    "as_text",
    "check_evaluated",
    "check_other_skills",
    "counted_by",
    "digits_of",
    "in_words",
    "protocols_of",
    "score_of",
]

SCORES: dict[str, dict[str, tuple[str, float]]] = {
    "tdmpc2": {"metaworld": ("success_end", 100.0), "control": ("episode_return", 0.1)},
    "newt": {"metaworld": ("success_end", 1.0), "control": ("episode_return", 0.001)},
}
"""By protocol and suite: the metric of an episode that counts, and by what it is multiplied.

TD-MPC2's scores are from 0 to 100, Newt's from 0 to 1.
"""


def check_evaluated(name: str, protocol: str) -> None:
    """Raises ValueError unless a fingerprint's protocol says that an evaluation was by the protocol of this name."""
    check_choice("name", name, tuple(SCORES))
    if f"protocol {name}" not in protocol.split(", "):
        raise WrongValue(
            f"score({name!r}) needs a result of evaluate(..., protocol={name!r}), and this one was evaluated as: "
            f"{protocol}.",
            argument="name",
        )


def check_other_skills(lists: Iterable[Iterable[Task]]) -> None:
    """Raises ValueError unless the tasks of several results are of different skills, so that each skill counts once."""
    found: set[str] = set()
    for tasks in lists:
        names = {task.env_name for task in tasks}
        for name in sorted(names & found):
            raise WrongValue(
                f"others must be of the list's other skills, and {name} is in two of the results: it would count "
                "twice.",
                argument="others",
            )
        found |= names


def protocols_of(protocol: str, env_names: Iterable[str]) -> list[str]:
    """Returns the names of the scores that a result has: those of the protocol by which its episodes were played.

    Args:
        protocol: of the result's fingerprint.
        env_names: the skills that ran.

    Example:
        >>> protocols_of("multi-task, protocol newt", ["push-v3"]), protocols_of("multi-task", ["push-v3"])
        (['newt'], [])
    """
    suites = {world_of(name).suite for name in env_names} if "protocol " in protocol else set()
    return [
        name for name in SCORES if f"protocol {name}" in protocol.split(", ") and suites <= set(SCORES[name])
    ]


def in_words(scores: Mapping[str, Estimate]) -> list[str]:
    """Returns a line for each score.

    Example:
        >>> in_words({"tdmpc2": Estimate(61.7, 50.0, 70.0)})
        ['score of tdmpc2: 61.7 [50.0, 70.0]']
    """
    return [f"score of {name}: {as_text(name, score)}" for name, score in scores.items()]


def as_text(name: str, score: Estimate, *, signed: bool = False) -> str:
    """Returns a score of a protocol, or a difference of two, with its interval."""
    sign, digits = "+" if signed else "", digits_of(name)
    value, low, high = (f"{number:{sign}.{digits}f}" for number in score)
    return value if math.isnan(score.low) else f"{value} [{low}, {high}]"


def digits_of(name: str) -> int:
    """Returns how many digits of a protocol's score are shown: those of a share of 1000 in either scale."""
    return 1 if SCORES[name]["metaworld"][1] == 100 else 3


def counted_by(name: str, env_name: str) -> tuple[str, float]:
    """Returns the metric that a protocol counts in a skill, and by what it is multiplied.

    Raises:
        ValueError: the skill is of a world without such a score.
    """
    suite = world_of(env_name).suite
    if suite not in SCORES[name]:
        raise WrongValue(
            f"score({name!r}) is defined for skills of Meta-World and dm_control, not for {env_name}.",
            argument="name",
        )
    return SCORES[name][suite]


def score_of(name: str, records: Sequence[TaskRecord], seed: int) -> Estimate:
    """Returns the mean over skills of what a protocol counts, each skill with equal weight, with its 95 % interval.

    Args:
        name: the protocol.
        records: the tasks that ran, of any worlds of the protocol's.
        seed: of the bootstrap.

    Raises:
        ValueError: a skill is of another world.
    """
    values, strata, counted = [], [], set()
    for record in records:
        env_name = record.task.env_name
        metric, factor = counted_by(name, env_name)
        values.append(factor * record.mean(metric))
        strata.append(env_name)
        counted.add((metric, factor))
    if len(counted) == 1:
        ((metric, factor),) = counted
        score = mean_of(metric, [value / factor for value in values], strata, seed)
        return Estimate(*(factor * each for each in score))
    return mean_of(
        "episode_return", values, strata, seed
    )  # a bootstrap over goals: no one metric is its base
