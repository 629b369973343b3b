"""What the conformance suites return: a line for each check."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from taskworlds.core.errors import WrongValue

__all__ = ["Check", "Report", "SkillReport"]


class Check(NamedTuple):
    """One line of a report.

    Attributes:
        name: what was checked.
        outcome: "ok", "warning", "failed", or "not run" where an earlier failure made it pointless.
        message: what was found.
    """

    name: str
    outcome: str
    message: str


@dataclass(frozen=True)
class Report:
    """What a conformance suite found. Print it to see a line for each check.

    Example:
        >>> checks = Check("record", "ok", "complete"), Check("masks", "failed", "row 2 changed")
        >>> print(Report("two-doors", checks))
        two-doors: 1 failed
          ok       record  complete
          failed   masks   row 2 changed

    Attributes:
        name: the name of what was checked.
        checks: what was checked, in order.
        kind: what it is, for messages: "world", "engine", "skill".
    """

    name: str
    checks: tuple[Check, ...]
    kind: str = field(default="world", kw_only=True)

    @property
    def failures(self) -> tuple[Check, ...]:
        """The checks that failed."""
        return tuple(check for check in self.checks if check.outcome == "failed")

    @property
    def warnings(self) -> tuple[Check, ...]:
        """The checks that found something to look at, which may be meant."""
        return tuple(check for check in self.checks if check.outcome == "warning")

    @property
    def ok(self) -> bool:
        """Whether no check failed."""
        return not self.failures

    def raise_if_failed(self) -> None:
        """Raises ValueError if a check failed.

        Raises:
            ValueError: with a line for each check that failed.
        """
        if not self.ok:
            lines = "\n".join(f"  {check.name}: {check.message}" for check in self.failures)
            raise WrongValue(
                f"The {self.kind} {self.name!r} failed {len(self.failures)} of its checks:\n{lines}"
            )

    def __str__(self) -> str:
        width = max(len(check.name) for check in self.checks)
        lines = [f"  {check.outcome:8} {check.name:{width}}  {check.message}" for check in self.checks]
        verdict = "ok" if self.ok else f"{len(self.failures)} failed"
        return "\n".join([f"{self.name}: {verdict}", *lines])


@dataclass(frozen=True)
class SkillReport(Report):
    """What `check_skill` found: a `Report` that also knows how often the policy solved the skill.

    Attributes:
        name: the skill's name.
        checks: what was checked, in order.
        success_rate: the share of episodes that the policy solved; None without a policy, or if it was not run.
        kind: what it is, for messages: "skill".
    """

    success_rate: float | None = None
    kind: str = field(default="skill", kw_only=True)
