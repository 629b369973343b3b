"""Whether results were measured in the same way: refused unless their fingerprints agree, or may differ."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from taskworlds.core.errors import WrongValue, check_known
from taskworlds.evaluation.fingerprint import Fingerprint, packages_of

__all__ = ["Unlike", "check_alike"]


class Unlike(WrongValue):
    """Results that were not measured in the same way.

    Attributes:
        differences: fields and packages of the fingerprints that differ where they may not, with both values.
    """

    def __init__(self, differences: dict[str, tuple[Any, Any]]) -> None:
        super().__init__(
            f"{self.reason(differences)} Evaluate again under the same conditions, or pass "
            f"allow_different={list(differences)!r} to compare them anyway.",
        )
        self.differences = differences

    @staticmethod
    def reason(differences: dict[str, tuple[Any, Any]]) -> str:
        """Returns what differs, in two sentences."""
        listed = "; ".join(f"{name}: {mine!r} and {theirs!r}" for name, (mine, theirs) in differences.items())
        return (
            "The results were not measured in the same way, so their difference would have several causes. They "
            f"differ in {listed}."
        )


def check_alike(
    first: Fingerprint, second: Fingerprint, allow_different: bool | Iterable[str] = False
) -> dict[str, tuple[Any, Any]]:
    """Returns what differs between two fingerprints, a field or a package, with both values, if all of it may.

    Args:
        first: the one to compare with.
        second: the other.
        allow_different: True to allow all differences, or the names of what may differ, for example
            `["numpy", "engine"]`.

    Raises:
        Unlike: a ValueError; something differs that may not.
        ValueError: a name is not that of a field or package.

    Example:
        >>> from taskworlds import Task
        >>> first = Fingerprint.of([Task("reach-v3")], protocol="multi-task", max_episode_steps=500)
        >>> second = Fingerprint.of([Task("reach-v3")], protocol="multi-task", max_episode_steps=150)
        >>> check_alike(first, second, ["max_episode_steps"])
        {'max_episode_steps': (500, 150)}
    """
    differences = first.differences(second)
    if isinstance(allow_different, bool):
        allowed = set(differences) if allow_different else set()
    else:
        fields = dict.fromkeys((*first.by_name(), *second.by_name(), *packages_of()))
        names = [allow_different] if isinstance(allow_different, str) else list(allow_different)
        hint = f"A fingerprint has {', '.join(fields)}."
        allowed = {check_known("field of the fingerprint", name, fields, hint) for name in names}
    refused = {name: values for name, values in differences.items() if name not in allowed}
    if refused:
        raise Unlike(refused)
    return differences
