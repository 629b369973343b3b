"""What one kind of injected fault came to."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["Tally"]


@dataclass
class Tally:
    """How often one kind of fault was injected, and how often what followed was right.

    Attributes:
        fault: what was injected, and where.
        right: what should follow: the right numbers, or the documented error or warning.
        injected: how often.
        held: how often that followed.
        lost: one line for each time that it did not.
    """

    fault: str
    right: str
    injected: int = 0
    held: int = 0
    lost: list[str] = field(default_factory=list)

    def note(self, flaw: str | None) -> None:
        """Counts one more injection; `flaw` says what was wrong, None if nothing was."""
        self.injected += 1
        if flaw is None:
            self.held += 1
        else:
            self.lost.append(flaw)
