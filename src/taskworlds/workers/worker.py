"""`Worker`: one object in a process of its own, which is made again, in the same state, when that process is lost."""

from __future__ import annotations

import contextlib
import os
import sys
import textwrap
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

from taskworlds.core.errors import WrongValue
from taskworlds.workers.cluster import exceptions, free_cpus, ray
from taskworlds.workers.host import Host, Place, versions
from taskworlds.workers.lost import WorkerLost

__all__ = ["Terms", "Worker"]

_LOST = (
    exceptions.RayActorError,
    exceptions.WorkerCrashedError,
    exceptions.NodeDiedError,
    exceptions.ObjectLostError,
    exceptions.OutOfMemoryError,
)

_SOON = 5.0  # seconds in which a worker finds room, where there is some
_LONGEST = 160  # characters of an error of Ray's in a message


class Terms(NamedTuple):
    """On what terms workers run.

    Attributes:
        cpus: processors that Ray sets aside for a worker.
        max_restarts: how often one call is repeated before it is given up.
        start_timeout: seconds to wait until Ray has room for a worker.
        spread: whether workers are to be on different nodes, where there are several.
    """

    cpus: float = 1.0
    max_restarts: int = 3
    start_timeout: float = 120.0
    spread: bool = True


class _Call(NamedTuple):
    """A call that was asked for.

    Attributes:
        method, args: as it is repeated after a loss.
        changes: whether it has to be repeated after a loss that comes later.
    """

    method: str
    args: tuple[Any, ...]
    changes: bool


class Worker:
    """A handle of an object that lives in a process of its own, on any node.

    One call at a time is under way: `begin` asks for it, `answer` waits for its outcome. All calls since `keep` that
    changed the object are remembered. Where the process, its node or an answer is lost, the object is made again, put
    into the state that was kept, and the calls are repeated; so the object's methods must depend on nothing but its
    state and their arguments.

    Args:
        make: pickled, a function without arguments that makes the object; or Ray's reference of it, where several
            workers get the same. Of the object's methods it needs `set_state(state)` only if `keep` is used.
        title: what it does, for messages: "worker 1 with rows 50 to 99".
        terms: on what terms it runs.

    Attributes:
        title: as given.
        place: where it runs; None before `wait_until_ready`.
    """

    def __init__(self, make: bytes | Any, title: str, terms: Terms) -> None:
        self.title = title
        self.place: Place | None = None
        self._make = make
        self._terms = terms
        self._state: Any = None
        self._calls: list[_Call] = []  # since the state was kept, without the one that is under way
        self._open: _Call | None = None  # what is under way
        self._pending: Any = None  # the reference of its outcome
        self._actor: Any = None
        self._starting: tuple[Any, Any] | None = None
        self._is_repeating = False
        self._launch()

    def wait_until_ready(self) -> None:
        """Waits until the object is made.

        Raises:
            WorkerLost: there is no room for it, or its process is lost again and again.
            RuntimeError: the node has other versions of what decides results.
            Exception: whatever making it raised there.
        """
        self._persist(self._ready)

    def begin(self, method: str, *args: Any, changes: bool = True, under_way: Any = None) -> None:
        """Asks for a call. The arguments may be references of Ray's.

        Args:
            method: the object's method.
            args: its arguments.
            changes: whether the call can change the object. One that cannot is not repeated once it was answered.
            under_way: what `start` returned, if that is to do the same as the call, which then is not sent unless
                there is a loss.
        """
        assert self._open is None
        self._open = _Call(method, args, changes)
        self._pending = under_way
        if self._actor is not None and under_way is None:
            try:
                self._send()
            except Exception:  # the arguments cannot be pickled
                self._open = None
                raise

    def _send(self) -> None:
        assert self._open is not None
        self._pending = self._actor.call.remote(self._open.method, *self._open.args)

    def start(self, method: str, *args: Any) -> Any:
        """Asks for a call that is not repeated after a loss, and returns Ray's reference of its outcome.

        No other call is answered before this one has returned.
        """
        return self._actor.call.remote(method, *args)

    def done(self) -> None:
        """Takes down that the call that is under way has been done, as its caller has learnt by other means."""
        assert self._open is not None
        if self._open.changes:
            self._calls.append(self._open)
        self._open = self._pending = None

    @property
    def waits(self) -> bool:
        """Whether a call is under way, whose outcome `answer` returns."""
        return self._open is not None

    @property
    def pending(self) -> Any:
        """Ray's reference of the outcome that `answer` waits for; None if it must be asked for again first."""
        return self._pending

    def answer(self) -> Any:
        """Waits for the outcome of the call that `begin` asked for, and returns it.

        If it is left half-way (Ctrl-C) it may be called again.

        Raises:
            WorkerLost: the process was lost again and again.
            Exception: whatever the call raised there. The call is forgotten.
        """
        assert self._open is not None
        try:
            outcome = self._persist(self._outcome)
        except WorkerLost:
            raise
        except Exception:
            self._open = self._pending = None
            raise
        self.done()
        return outcome

    def call(self, method: str, *args: Any) -> Any:
        """Asks for a call and waits for its outcome."""
        self.begin(method, *args)
        return self.answer()

    def ask(self, method: str, *args: Any) -> Any:
        """Asks for a call that does not change the object, and waits for its outcome."""
        self.begin(method, *args, changes=False)
        return self.answer()

    @property
    def num_calls(self) -> int:
        """How many calls would be repeated after a loss, beside the one that is under way."""
        return len(self._calls)

    def keep(self, state: Any) -> None:
        """Takes down the object's present state, from which it goes on after a loss; earlier calls are forgotten."""
        self._state = state
        self._calls.clear()

    def remake(self, make: bytes) -> None:
        """Makes another object in the same process, in the state that was kept; `wait_until_ready` waits for it.

        Args:
            make: as for the constructor.
        """
        self._make = make
        if self._actor is not None:
            self._hold()

    def close(self) -> None:
        """Ends the process."""
        self._drop()
        self._calls.clear()
        self._open = None

    # --- one try, and as many as it takes ---------------------------------------------------------------------

    def _persist(self, attempt: Callable[[], Any]) -> Any:
        """Makes attempts until one is not ended by a loss."""
        losses = 0
        while True:
            try:
                return attempt()
            except exceptions.RayTaskError as error:
                raise (error.cause if isinstance(error.cause, Exception) else error) from error
            except _LOST as error:
                self._check_loss(error)
                losses += 1
                lost, self.place = self.place, None
                self._drop()
                if losses > self._terms.max_restarts:
                    raise WorkerLost(
                        f"{self.title} was lost {losses} times in one call, the last time{_on(lost)}: {_said(error)}. "
                        "If it ran out of memory, give it fewer rows; `ray logs` has what its processes printed."
                    ) from error
                warnings.warn(
                    f"{self.title} was lost{_on(lost)} ({_said(error)}). It is started again and repeats what it was "
                    "doing, with the same outcome.",
                    RuntimeWarning,
                    stacklevel=3,
                )

    def _ready(self) -> None:
        if self._is_repeating:  # that was left half-way (Ctrl-C)
            self._drop()
        if self._actor is None:
            self._launch()
        if self._starting is None:
            return
        found, held = self._starting
        place = self._placed(found)
        _check_versions(place)
        self.place = place
        ray.get(held)
        self._is_repeating = True
        if self._state is not None:
            ray.get(self._actor.call.remote("set_state", self._state))
        for each in self._calls:
            ray.get(self._actor.call.remote(each.method, *each.args))
        self._is_repeating = False
        self._starting = None

    def _placed(self, found: Any) -> Place:
        """Waits until there is room; says so where that takes a while."""
        limit, cpus = self._terms.start_timeout, self._terms.cpus
        for seconds in (min(_SOON, limit), limit - _SOON):
            with contextlib.suppress(exceptions.GetTimeoutError):
                place: Place = ray.get(found, timeout=max(0.0, seconds))
                return place
            free, there = free_cpus(), ray.cluster_resources().get("CPU", 0.0)
            room = f"it asks for {cpus:g} processors, and {free:g} of {there:g} are free"
            if seconds == _SOON and free < cpus:
                warnings.warn(
                    f"{self.title} waits until Ray has room for it: {room}. It waits for {limit:g} s in all.",
                    RuntimeWarning,
                    stacklevel=5,
                )
        self._drop()
        raise WorkerLost(
            f"Ray found no room for {self.title} within {limit:g} s: {room}. End what else runs there, add a node, or "
            "ask for fewer or smaller workers."
        )

    def _outcome(self) -> Any:
        self._ready()
        if self._pending is None:
            self._send()
        return ray.get(self._pending)

    def _launch(self) -> None:
        how: dict[str, Any] = {"num_cpus": self._terms.cpus, "max_restarts": 0, "max_task_retries": 0}
        if self._terms.spread:
            how["scheduling_strategy"] = "SPREAD"
        self._actor = ray.remote(Host).options(**how).remote()
        self._hold()

    def _hold(self) -> None:
        """Has the process make the object."""
        folders = [os.path.abspath(folder) for folder in sys.path]  # "" is where this process is
        self._starting = self._actor.where.remote(), self._actor.hold.remote(self._make, folders)

    def _drop(self) -> None:
        """Ends the process, if it is not known to have ended."""
        actor, self._actor, self._starting, self._pending = self._actor, None, None, None
        self._is_repeating = False
        if actor is not None:
            with contextlib.suppress(Exception):  # it may be gone, or Ray
                ray.kill(actor)

    def _check_loss(self, error: exceptions.RayError) -> None:
        """Raises RuntimeError for a process that could not even begin, where another one could not either."""
        if "creation task" in str(error):
            raise RuntimeError(
                f"{self.title} could not start: {_said(error)}. Install taskworlds, in the same version, on every "
                "node of the cluster."
            ) from error


def _check_versions(place: Place) -> None:
    mine = versions()
    differing = [
        f"{name} {place.versions.get(name)} there and {own} here"
        for name, own in mine.items()
        if place.versions.get(name) != own
    ]
    if differing:
        raise WrongValue(
            f"The worker's node {place} has other versions than this process: {', '.join(differing)}. Results could "
            "differ: install the same versions on every node."
        )


def _on(place: Place | None) -> str:
    return "" if place is None else f" on node {place}"


def _said(error: BaseException) -> str:
    """Returns the beginning of what an error says, with its kind."""
    first = str(error).strip().splitlines()[0] if str(error).strip() else ""
    first = textwrap.shorten(first, _LONGEST, placeholder=" ...").rstrip(".")
    return f"{type(error).__name__}: {first}" if first else type(error).__name__
