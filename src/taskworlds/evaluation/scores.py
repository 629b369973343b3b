"""Scores of lists of tasks, as the authors of a protocol compute them."""

from __future__ import annotations

from collections.abc import Sequence

from taskworlds.core.errors import WrongValue, check_choice
from taskworlds.core.registry import world_of
from taskworlds.evaluation.records import TaskRecord
from taskworlds.evaluation.statistics import Estimate
from taskworlds.evaluation.summaries import mean_of

__all__ = ["SCORES", "check_evaluated", "score_of"]

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
        suite = world_of(env_name).suite
        if suite not in SCORES[name]:
            raise WrongValue(
                f"score({name!r}) is defined for skills of Meta-World and dm_control, not for {env_name}.",
                argument="name",
            )
        metric, factor = SCORES[name][suite]
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
