"""Which episodes are shown: a rule, applied to the episodes of each skill."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from taskworlds.core.errors import WrongValue, check_choice, check_count
from taskworlds.core.task import by_skill
from taskworlds.videos.playing import Played

__all__ = ["OF_SUCCESS", "RULES", "Choice", "choose", "default_rule"]

RULES = ("first", "success", "failure", "both", "best", "worst")
"""The rules. "both" means the first success and the first failure; best and worst are by return."""

OF_SUCCESS = ("success", "failure", "both")
"""Those of them that need to know of success."""


class Choice(NamedTuple):
    """The episodes that a rule chose.

    Attributes:
        by_skill: the episodes by skill, in the order of the tasks; skills without any are left out.
        missing: sentences about what the rule did not find.
    """

    by_skill: dict[str, tuple[Played, ...]]
    missing: tuple[str, ...]

    @property
    def episodes(self) -> tuple[Played, ...]:
        """All of them, skill by skill."""
        return tuple(each for chosen in self.by_skill.values() for each in chosen)


def default_rule(has_success: bool) -> str:
    """Returns the rule where the caller does not give one, by whether the world reports success."""
    return "both" if has_success else "first"


def choose(episodes: Sequence[Played], rule: str, count: int = 1) -> Choice:
    """Chooses episodes of each skill. The same episodes give the same choice; of equal ones the first is taken.

    A success is an episode whose last step was one, as in the tables of `evaluate`.

    Args:
        episodes: those that were played, in order.
        rule: one of `RULES`.
        count: how many episodes of each skill are chosen, and for "both" how many of either kind.

    Raises:
        ValueError: the rule is unknown, or it asks for success and the episodes do not tell.

    Example:
        >>> import numpy as np
        >>> from taskworlds import Task
        >>> from taskworlds.evaluation import Episode
        >>> def played(number, value, solved):
        ...     episode = Episode(value, 1, solved, solved)
        ...     return Played(Task("reach-v3"), number, episode, np.zeros((1, 4)))
        >>> three = [played(0, 2.0, False), played(1, 9.0, True), played(2, 1.0, False)]
        >>> [each.number for each in choose(three, "both").episodes]
        [1, 0]
        >>> [each.number for each in choose(three, "worst", 2).episodes]
        [2, 0]
        >>> choose(three[:1], "both").missing
        ('There is no success of reach-v3.',)
    """
    check_choice("choose", rule, RULES)
    check_count("episodes", count)
    unknown = [each for each in episodes if each.episode.success_end is None]
    if rule in OF_SUCCESS and unknown:
        raise WrongValue(
            f"choose must be first, best or worst for {unknown[0].task.env_name}, which does not report success, not "
            f"{rule!r}.",
            argument="choose",
        )
    kinds = {"both": ("success", "failure")}.get(rule, (rule,))
    chosen: dict[str, tuple[Played, ...]] = {}
    short: dict[
        tuple[str, int], list[str]
    ] = {}  # by kind and how many there are, the skills that have too few
    for name, its in by_skill(episodes, lambda each: each.task.env_name).items():
        for kind in kinds:
            found = _ORDERS[kind](its)[:count]
            if found:
                chosen[name] = (*chosen.get(name, ()), *found)
            if len(found) < count:
                short.setdefault((kind, len(found)), []).append(name)
    return Choice(chosen, tuple(_sentence(*key, count, names) for key, names in short.items()))


_ORDERS: dict[str, Callable[[Sequence[Played]], Sequence[Played]]] = {
    "first": lambda its: its,
    "success": lambda its: [each for each in its if each.episode.success_end],
    "failure": lambda its: [each for each in its if not each.episode.success_end],
    "best": lambda its: sorted(its, key=lambda each: -each.episode.episode_return),
    "worst": lambda its: sorted(its, key=lambda each: each.episode.episode_return),
}
_NOUNS = {"success": ("success", "successes"), "failure": ("failure", "failures")}


def _sentence(kind: str, found: int, wanted: int, skills: Sequence[str]) -> str:
    one, several = _NOUNS.get(kind, ("episode", "episodes"))
    what = f"only {found} of {wanted} {several}" if found else f"no {one}"
    return f"There {'are' if found > 1 else 'is'} {what} of {', '.join(skills)}."
