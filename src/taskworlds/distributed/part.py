"""`Part`: a worker of a sampler with its rows, from whose state a rollout begins that may have to be repeated."""

from __future__ import annotations

from typing import Any

from taskworlds.distributed.rollout import Rollout
from taskworlds.workers.lost import WorkerLost
from taskworlds.workers.worker import Worker

__all__ = ["Part"]


class Part:
    """A worker and its rows: what it was asked for, and the state from which it goes on.

    Attributes:
        worker: the worker.
        first, past: its rows.
        state: of its rows, before the rollout that is under way.
        sets: how often weights had been set when that began.
    """

    def __init__(self, worker: Worker, first: int, past: int) -> None:
        self.worker = worker
        self.first, self.past = first, past
        self.state: Any = None
        self.sets = 0
        self._asked: tuple[Any, ...] | None = None
        self._outcome: tuple[Rollout, Any] | None = None

    def start(self) -> None:
        """Waits until the rows are there."""
        self.worker.wait_until_ready()
        self.take_down()

    def take_down(self) -> None:
        """Takes the rows' present state as that from which they go on."""
        self.state = self.worker.ask("get_state")
        self.worker.keep(self.state)

    def begin(self, asked: tuple[int, Any, int, int]) -> None:
        """Asks for a rollout; the same again is the one that is under way."""
        if self._asked is not None and (self._asked[0], self._asked[3]) == (asked[0], asked[3]):
            return
        self.undo()
        self._asked = asked
        self.sets = asked[3]
        self.worker.begin("rollout", *asked)

    @property
    def pending(self) -> Any:
        """Ray's reference of the rollout; None if it is there, or must be asked for again first."""
        return None if self._outcome is not None else self.worker.pending

    def wait(self) -> None:
        """Waits for the rollout; an error of the policy takes the rows back to its beginning."""
        if self._outcome is not None:
            return
        try:
            self._outcome = self.worker.answer()
        except WorkerLost:
            raise
        except Exception:
            self._go_back()
            raise

    @property
    def rollout(self) -> Rollout:
        """The rollout that `wait` has waited for; its arrays are Ray's, and cannot be written to."""
        assert self._outcome is not None
        return self._outcome[0]

    def go_on(self) -> None:
        """Takes the rollout as delivered, so that the rows go on from its end."""
        assert self._outcome is not None
        _, self.state = self._outcome
        self.worker.keep(self.state)
        self._asked = self._outcome = None

    def undo(self) -> None:
        """Takes the rows back to the beginning of a rollout that was not delivered."""
        if self._asked is None:
            return
        try:
            self.wait()
        except WorkerLost:
            raise
        except Exception:  # of a rollout that nobody waits for any more; the rows have gone back
            return
        self._go_back()

    def _go_back(self) -> None:
        self.worker.call("set_state", self.state)
        self.worker.keep(self.state)
        self._asked = self._outcome = None
