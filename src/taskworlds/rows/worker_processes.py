"""`WorkerVectorEnv`: Gymnasium's vector environment of processes, for processes that die, stop or are interrupted.

Whatever goes wrong with a process is an error that names its row, after which no process is left. A call that is left
half-way (Ctrl-C) does no harm to the next one: answers that come too late are told by their numbers.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import multiprocessing
import multiprocessing.connection
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import gymnasium as gym
from gymnasium.vector import AsyncVectorEnv
from gymnasium.vector.async_vector_env import AsyncState, _async_worker

from taskworlds.core.errors import WrongValue
from taskworlds.rows.pipes import Requests, SilentError
from taskworlds.rows.worker import run_worker

__all__ = ["CLOSE_LIMIT", "WORKER_TIMEOUT", "WorkerVectorEnv", "check_timeout", "start_method"]

WORKER_TIMEOUT = 30.0
"""Seconds that a process may go without an answer and without computing anything."""

# What Gymnasium raises for a call that comes at the wrong time, or with arguments that do not fit.
_REFUSALS = (gym.error.AlreadyPendingCallError, gym.error.NoAsyncCallError, ValueError, TypeError)

CLOSE_LIMIT = 5.0
"""Seconds that `close` waits for processes that do not end, before it ends them itself."""

_NO_ROOM = (errno.EAGAIN, errno.EMFILE, errno.ENFILE, errno.ENOMEM)
_GRACE = 5.0  # seconds to wait for the end of a process whose pipe is broken, so that its exit code is known


class WorkerVectorEnv(AsyncVectorEnv):
    """A batch of environments, each in a process of its own, all of whose failures are reported.

    A process that dies, or that neither answers nor computes for `worker_timeout` seconds, is named by a RuntimeError;
    an environment's own error is raised as it is, with the row's name. After either all processes have ended.

    It takes one call at a time; one from another thread meanwhile is refused.

    A call that is left by another exception (KeyboardInterrupt, most often) ends no process. An interrupted
    `step_wait` may be called again; any other call starts again, and drops the answers to the interrupted one.

    Args:
        env_fns: functions that make the environments, each called in its process; the first is also called here.
        worker_timeout: seconds; None to wait for ever.
        context: how processes start; None for what is safe here, see `start_method`.
        worker: the function that runs in each process, with the signature of Gymnasium's; None for Gymnasium's.
        **options: as for `gymnasium.vector.AsyncVectorEnv`.

    Attributes:
        interrupted: "step" or "reset" if such a call was left half-way, so that some rows may be ahead of others; None
            after the next whole reset.

    Raises:
        RuntimeError: a process died or stopped.
        ValueError: `worker_timeout` is not above 0.
    """

    _noun = "rows"  # what messages call the environments
    parent_pipes: list[Requests]  # type: ignore[assignment]  # after the start

    def __init__(
        self,
        env_fns: Sequence[Callable[[], gym.Env[Any, Any]]],
        *,
        worker_timeout: float | None = WORKER_TIMEOUT,
        context: str | None = None,
        worker: Callable[..., None] | None = None,
        **options: Any,
    ) -> None:
        self.interrupted: str | None = None
        self._turn = threading.Lock()
        self._limit = check_timeout(worker_timeout)
        try:
            super().__init__(
                env_fns,
                context=start_method() if context is None else context,
                worker=functools.partial(run_worker, worker or _async_worker),
                **options,
            )
        except BaseException as error:
            self._abandon()
            if isinstance(error, OSError) and error.errno in _NO_ROOM:
                raise RuntimeError(
                    f"The system cannot start a process for each of the {len(env_fns)} {self._noun} ({error}): make "
                    "fewer, or raise its limits (ulimit -u and -n)."
                ) from error
            raise

    # --- calls ----------------------------------------------------------------------------------------------

    def reset_async(
        self, seed: int | list[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> None:
        """Begins a reset, as in Gymnasium; an interrupted call is given up for it."""
        with self._watched("reset", "reset", anew=True):
            super().reset_async(seed, options)

    def reset_wait(self, timeout: float | None = None) -> tuple[Any, dict[str, Any]]:
        """Returns the outcome of the reset, as in Gymnasium."""
        with self._watched("reset", "reset"):
            return super().reset_wait(timeout)

    def step_async(self, actions: Any) -> None:
        """Begins a step, as in Gymnasium."""
        with self._watched("step", "step"):
            super().step_async(actions)

    def step_wait(self, timeout: float | None = None) -> Any:
        """Returns the outcome of the step, as in Gymnasium; also of one whose `step_wait` was interrupted."""
        with self._watched("step", "step"):
            return super().step_wait(timeout)

    def call_async(self, name: str, /, *args: Any, **kwargs: Any) -> None:
        """Begins a call of a method of each environment; `call_wait` returns the results.

        Args:
            name: the method; or an attribute, whose values are then the results.
            *args: the method's arguments, the same for all environments.
            **kwargs: its keywords.
        """
        with self._watched(f"the call of {name}", anew=True):
            super().call_async(name, *args, **kwargs)

    def call_wait(self, timeout: float | None = None) -> tuple[Any, ...]:
        """Returns the results of the call that `call_async` began, one for each environment.

        Args:
            timeout: seconds to wait for all environments; None for no limit but `worker_timeout`.

        Raises:
            multiprocessing.TimeoutError: the time was over.
            gymnasium.error.NoAsyncCallError: no call was begun.
        """
        with self._watched("a call"):
            return super().call_wait(timeout)

    def set_attr(self, name: str, values: Any) -> None:
        """Sets an attribute of each environment.

        Args:
            name: the attribute.
            values: one value for all, or a list or tuple with one for each.

        Raises:
            ValueError: there are not as many values as environments.
        """
        with self._watched(f"the setting of {name}", anew=True):
            super().set_attr(name, values)

    # --- the end --------------------------------------------------------------------------------------------

    def close_extras(self, timeout: float | None = None, terminate: bool = False) -> None:
        """Ends the processes, even if some of them have died already or do not answer.

        Args:
            timeout: seconds to wait until they end by themselves; None for `CLOSE_LIMIT`, or
                `worker_timeout` if that is less.
            terminate: whether not to wait at all.
        """
        if not terminate:
            self._check_turn()
        self._state, self._left, self.interrupted = AsyncState.DEFAULT, False, None
        usual = CLOSE_LIMIT if self._limit is None else min(CLOSE_LIMIT, self._limit)
        limit = 0.0 if terminate else usual if timeout is None else timeout
        if limit > 0:
            for pipe in self.parent_pipes:
                with contextlib.suppress(OSError):
                    pipe.send(("close", None))
            self._let_end(time.monotonic() + limit)
        for process in self.processes:
            if process.is_alive():
                process.kill()  # a stopped process heeds no other signal
        for process in self.processes:
            process.join()
        for pipe in self.parent_pipes:
            pipe.close()
        if hasattr(self, "error_queue"):
            self.error_queue.close()

    def _let_end(self, end: float) -> None:
        """Waits until all processes have ended, but not beyond `end`; what they still say is read and left out."""
        pipes = {pipe.fileno(): pipe for pipe in self.parent_pipes}
        sentinels = {process.sentinel for process in self.processes}
        waiting = {*sentinels, *pipes}
        while sentinels & waiting and (left := end - time.monotonic()) > 0:
            for ready in multiprocessing.connection.wait(waiting, left):
                if ready in sentinels or not pipes[ready].leave_out():  # type: ignore[index]
                    waiting.remove(ready)  # type: ignore[arg-type]

    def _abandon(self) -> None:
        """Ends all processes immediately, even if not all of them have been started."""
        self.processes = [each for each in getattr(self, "processes", []) if each.pid is not None]
        self.parent_pipes = getattr(self, "parent_pipes", [])
        self.close(terminate=True)

    # --- checks and failures --------------------------------------------------------------------------------

    _limit: float | None = None
    _left = False  # whether a call was left half-way
    _starting = False  # whether calls are a part of the start

    def _check_spaces(self) -> None:
        """Takes the pipes over and compares the spaces; Gymnasium calls this after starting all processes."""
        self.parent_pipes = [
            Requests(pipe, process.pid, self._limit)
            for pipe, process in zip(self.parent_pipes, self.processes, strict=True)
        ]
        with self._watched("the start"):
            self._starting = True
            self._compare_spaces()
            self._starting = False

    def _compare_spaces(self) -> None:
        super()._check_spaces()  # type: ignore[no-untyped-call]

    def _who(self, index: int) -> str:
        """Returns what messages call an environment."""
        return f"row {index}"

    @contextlib.contextmanager
    def _watched(self, doing: str, moves: str | None = None, *, anew: bool = False) -> Iterator[None]:
        """Turns a broken pipe into an error that names the rows whose processes have died or stopped.

        Args:
            doing: what the processes do, for the message.
            moves: what `interrupted` is if the call is left half-way; None if it moves no row.
            anew: whether to give up a call that was left half-way, whose answers will be left out.
        """
        if self._starting:
            yield
            return
        self._check_turn()
        with self._turn:
            if anew and self._left:
                self._state = AsyncState.DEFAULT
            before = self._left and not anew, self.interrupted
            self._left, self.interrupted = True, moves or self.interrupted
            try:
                yield
            except (EOFError, ConnectionError) as error:
                if self.closed:  # then it is an environment's own error, which came through its pipe
                    raise
                message = (
                    self._tell_silent(doing) if isinstance(error, SilentError) else self._tell_dead(doing)
                )
                self._abandon()
                raise RuntimeError(message) from error
            except _REFUSALS:  # before it began
                self._left, self.interrupted = before
                raise
            self._left, self.interrupted = False, None if moves else before[1]

    def _check_turn(self) -> None:
        if self._turn.locked():
            raise RuntimeError(
                "Another call is under way, in another thread or interrupted by a signal handler. A batch of "
                f"{self._noun} takes one call at a time: wait until that call returns, or make a batch for each thread."
            )

    def _tell_dead(self, doing: str) -> str:
        ended = multiprocessing.connection.wait([each.sentinel for each in self.processes], _GRACE)
        dead = []
        for index, process in enumerate(self.processes):
            if process.sentinel in ended:
                process.join()
                dead.append(f"{self._who(index)} with exit code {process.exitcode}")
        return (
            f"A process died during {doing}: {', '.join(dead) or 'it is not known which'}. What it "
            f"printed is on stderr. All {self._noun} are now closed: make them again. If a process dies at "
            'the start, it may have run the main script again: put its code under `if __name__ == "__main__":`.'
        )

    def _tell_silent(self, doing: str) -> str:
        silent = [self._who(index) for index, pipe in enumerate(self.parent_pipes) if pipe.silent]
        return (
            f"A process stopped during {doing}: {', '.join(silent)} did not answer for {self._limit:g} s, and computed "
            f"nothing. All {self._noun} are now closed: make them again, with a longer worker_timeout if they may wait "
            "that long."
        )

    def _raise_if_errors(self, successes: Sequence[bool]) -> None:  # type: ignore[override]
        """Raises the error of the first environment that failed; Gymnasium calls this with every answer."""
        failures = list(successes).count(False)
        if not failures:
            return
        reports: list[Any] = []
        with contextlib.suppress(queue.Empty):  # a process that was killed as it failed
            while len(reports) < failures:
                reports.append(self.error_queue.get(timeout=_GRACE))
        if not reports:
            raise EOFError
        index, kind, text, trace = min(reports, key=lambda report: report[0])
        self._abandon()
        message = f"In {self._who(index)}: {text} (All {self._noun} are now closed: make them again.)"
        try:
            error = kind(message)
        except Exception:  # a kind that takes other arguments than one text
            error = RuntimeError(message)
        raise error from RuntimeError(f"in the {self._noun[:-1]}'s own process:\n{trace}")


def check_timeout(seconds: float | None) -> float | None:
    """Returns a limit of time that can be used: a number of seconds above 0, or None for none.

    Raises:
        ValueError: it is something else.
    """
    if seconds is None or (
        isinstance(seconds, int | float) and not isinstance(seconds, bool) and seconds > 0
    ):
        return seconds
    raise WrongValue(
        f"worker_timeout must be a number of seconds above 0, or None to wait for ever, not {seconds!r}.",
        argument="worker_timeout",
    )


def start_method(*, has_drawn: bool = False) -> str:
    """Returns how processes are to start here: in Python's usual way, wherever that is safe, else "spawn".

    A forked process has only the thread that forked it, so what another thread has locked stays locked for good; unless
    the program has chosen "fork" by `multiprocessing.set_start_method`, it is not taken while there are other threads.
    What draws in a process forked from one that has drawn waits for ever.

    Args:
        has_drawn: whether the processes are to draw, and this one has drawn.
    """
    chosen = multiprocessing.get_start_method(allow_none=True)
    usual = chosen or multiprocessing.get_all_start_methods()[0]
    if usual == "fork" and (has_drawn or (chosen is None and threading.active_count() > 1)):
        return "spawn"
    return usual
