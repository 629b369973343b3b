"""What runs in the process of a row: Gymnasium's worker, whose errors of every kind reach the process that asks."""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os
import pickle
import signal
import threading
import traceback
from collections.abc import Callable
from typing import Any

import gymnasium as gym

from taskworlds.rows.pipes import Answers

__all__ = ["run_worker"]

_LOOK = 2.0  # seconds between two looks at the parent


class _Errors:
    """A queue for reports of errors, which makes sure that each report can be pickled."""

    def __init__(self, queue: Any) -> None:
        self._queue = queue

    def put(self, report: tuple[int, type[BaseException], BaseException, str]) -> None:
        index, kind, error, trace = report
        text = f"{kind.__name__}: {error}"
        try:
            pickle.loads(pickle.dumps(kind))
        except Exception:  # a class that only this process knows
            kind = RuntimeError
        self._queue.put((index, kind, text, trace))


def run_worker(
    worker: Callable[..., None],
    index: int,
    env_fn: Callable[[], gym.Env[Any, Any]],
    pipe: Any,
    parent_pipe: Any,
    shared_memory: Any,
    error_queue: Any,
    *others: Any,
) -> None:
    """Runs a worker, and also reports errors that `env_fn` raises.

    Ctrl-C is left to the parent, and this process ends with it.

    Args:
        worker: takes all the following, as Gymnasium's does.
        index: which row.
        env_fn: makes its environment.
        pipe: where requests come from.
        parent_pipe: the other end, to be closed here.
        shared_memory: where observations go.
        error_queue: where errors go.
        *others: what Gymnasium's worker takes beside these.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    errors: Any = _Errors(error_queue)
    answers = Answers(pipe)
    try:
        try:
            env = env_fn()
        except Exception as error:
            parent_pipe.close()
            answers.recv()  # the request for the spaces, which this answers
            errors.put((index, type(error), error, traceback.format_exc()))
            answers.send((None, False))
            return
        worker(index, lambda: env, answers, parent_pipe, shared_memory, errors, *others)
    except (EOFError, ConnectionError):
        error_queue.cancel_join_thread()  # nobody is there to read it


def _end_with_parent() -> None:
    """Waits for the end of the parent, and ends this process; other rows' processes may keep their pipe open."""
    parent, starter = multiprocessing.parent_process(), os.getppid()
    while os.getppid() == starter:
        if parent is None or multiprocessing.connection.wait([parent.sentinel], _LOOK):
            break
    os._exit(1)
