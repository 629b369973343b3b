"""The members of a benchmark that was put together of several, and how rows are shared out among them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from taskworlds.core.errors import WrongType, WrongValue, check_count

__all__ = ["Member", "apportion", "check_shares"]


@dataclass(frozen=True)
class Member:
    """One of the benchmarks that a benchmark was put together of: which of its tasks are this one's.

    Attributes:
        name: its name.
        num_train: how many of the train tasks it has, behind those of the members before it.
        num_test: likewise, of the test tasks.
        share: how many rows of a batch it has, as a weight beside the others'; None for as many as it has skills.
        lists: its `Benchmark.lists`.
    """

    name: str
    num_train: int
    num_test: int
    share: float | None = None
    lists: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.name, str):
            raise WrongType(f"name of a member must be a string, not {self.name!r}.", argument="name")
        for name in ("num_train", "num_test"):
            object.__setattr__(self, name, check_count(f"{name} of a member", getattr(self, name), minimum=0))
        if self.share is not None:
            object.__setattr__(self, "share", check_shares([self.share], 1)[0])
        object.__setattr__(self, "lists", tuple(check_count("lists", count) for count in self.lists))

    def to_dict(self) -> dict[str, Any]:
        """Returns the fields by name, as JSON values."""
        return asdict(self) | {"lists": list(self.lists)}

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Member:
        """Makes a member of what `to_dict` returned.

        Args:
            fields: the fields by name.

        Raises:
            TypeError: a field is missing, unknown, or of another type.
        """
        return cls(**{**fields, "lists": tuple(fields["lists"])})


def check_shares(shares: Any, num_members: int) -> list[float]:
    """Returns the weights of members, as floats.

    Raises:
        TypeError: they are not numbers.
        ValueError: they are not as many as members, or not positive.
    """
    if isinstance(shares, str | Mapping) or not hasattr(shares, "__iter__"):
        raise WrongType(
            f"shares must be a list with one number for each member, not {shares!r}.", argument="shares"
        )
    weights = list(shares)
    if len(weights) != num_members:
        raise WrongValue(
            f"shares must have one number for each of the {num_members} members, not {len(weights)}.",
            argument="shares",
        )
    for weight in weights:
        if isinstance(weight, bool | str) or not hasattr(weight, "__float__"):
            raise WrongType(f"Each of shares must be a number, not {weight!r}.", argument="shares")
        if not 0 < float(weight) < math.inf:
            raise WrongValue(
                f"Each of shares must be above 0 and finite, not {weight!r}. Leave out a member that is to have no "
                "rows.",
                argument="shares",
            )
    return [float(weight) for weight in weights]


def apportion(weights: Sequence[float], total: int, least: Sequence[int]) -> list[int]:
    """Shares out a number of rows by weights, as evenly as it goes (largest remainders).

    Args:
        weights: of each, above 0.
        total: how many rows, at least the sum of `least`.
        least: the fewest that each gets.

    Returns:
        How many each gets; together `total`. Of equal claims the first is served first.

    Example:
        >>> apportion([10, 1, 1], 24, [1, 1, 1]), apportion([10, 1, 1], 4, [1, 1, 1])
        ([20, 2, 2], [2, 1, 1])
    """
    _, exponent = math.frexp(max(weights))
    parts = [math.ldexp(weight, -exponent) for weight in weights]  # exactly, and so that the sum is finite
    whole = math.fsum(parts)
    claims = [total * part / whole for part in parts]
    counts = [max(few, math.floor(claim + 1e-9)) for claim, few in zip(claims, least, strict=True)]
    places = range(len(counts))
    while (rest := total - sum(counts)) > 0:
        counts[max(places, key=lambda at: claims[at] - counts[at])] += 1
    while rest < 0:
        counts[
            max((at for at in places if counts[at] > least[at]), key=lambda at: counts[at] - claims[at])
        ] -= 1
        rest += 1
    return counts
