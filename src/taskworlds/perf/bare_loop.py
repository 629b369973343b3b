"""The yardstick of the native engine: the physics of an environment's rows in a bare C++ loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from taskworlds.core.errors import WrongValue, check_count

if TYPE_CHECKING:  # what a contestant imports is part of its build
    from taskworlds.engine import Engine
    from taskworlds.vector.task_vector_env import TaskVectorEnv

__all__ = ["BareLoop", "BareRun", "bare_loop"]


class BareRun(NamedTuple):
    """What a bare loop took, and where its rows ended.

    Attributes:
        seconds: by the clock, without setting up.
        processor_seconds: of processor time, of all threads of the process together, without setting up.
        states: (N, S) float64, the rows' last states, as in `Engine.states`; the caller's own.
    """

    seconds: float
    processor_seconds: float
    states: NDArray[np.float64]


def bare_loop(engine: Engine, actions: ArrayLike, num_threads: int | None = None) -> BareRun:
    """Steps copies of an engine's rows in a bare C++ loop; the engine stays as it is.

    It is the physics of the same steps with nothing around it: each thread owns every num_threads-th row and
    does not wait for the others, no state is moved, nothing is read (so contact forces that only
    "body_cfrc_ext" needs are not computed) and no kernel is called. Each row has an mjData of its own, so
    1,000 rows take the memory of 1,000 mjData. Ctrl-C takes effect when all is done.

    Args:
        engine: the engine.
        actions: (T, N, A), of T steps. A float32 array is scaled in float32, as in `Engine.step`.
        num_threads: threads, the calling one included; by default as many as the engine has.

    Raises:
        ValueError: a shape does not fit, or `scene_of_row` names what does not exist.
        RuntimeError: a step is under way, or MuJoCo raised an error.
    """
    from taskworlds.engine.engine import floats  # deferred, like `_bare_loop`: see the imports above
    from taskworlds.perf import _bare_loop

    threads = engine.num_threads if num_threads is None else check_count("num_threads", num_threads)
    values = floats(actions)
    shape = engine.action_shape
    if values.ndim != 3 or values.shape[1:] != shape:
        raise WrongValue(
            f"actions must have shape (T, {shape[0]}, {shape[1]}), not {values.shape}.", argument="actions"
        )
    return BareRun(*_bare_loop.run(engine.capsule, values, threads))


class BareLoop:
    """Steps copies of a native environment's rows from where it last reset them; see `bare_loop`.

    Args:
        env: an environment on the native engine, with as many threads as the loop is to have. It is owned here.
    """

    def __init__(self, env: TaskVectorEnv) -> None:
        self._env = env

    @property
    def single_action_space(self) -> Any:
        """Actions of one row."""
        return self._env.single_action_space

    def reset(self, *, seed: int | None = None) -> None:
        """Starts an episode in every row, as the environment does."""
        self._env.reset(seed=seed)

    def run(self, actions: NDArray[np.floating]) -> BareRun:
        """Takes all actions, (T, N, A), in one call, and returns what it took."""
        rows: Any = self._env.rows
        return bare_loop(rows.engine, actions)

    def close(self) -> None:
        """Frees the environment."""
        self._env.close()
