"""The Python face of the native engine: argument checks, names for faults, pickling."""

from __future__ import annotations

import enum
import errno
import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from taskworlds.core.cpus import MOST_THREADS, count_cpus
from taskworlds.core.errors import WrongType, WrongValue, check_count
from taskworlds.engine import _native
from taskworlds.engine.scene import Scene
from taskworlds.engine.settling import Settling

__all__ = ["ChunkOutcome", "Engine", "Fault", "floats", "recv_first"]

_MOST_ROWS = 2**24  # of which each takes kilobytes
_MOST = 2**31 - 1  # what C++ counts with
_BOOL = np.dtype(np.bool_)
_FLOATS = (np.dtype(np.float32), np.dtype(np.float64))
_ARRAYS = (
    "states",
    "overrides",
    "params",
    "memory",
    "obs",
    "terms",
    "now",
    "scene_of_row",
    "kernel_of_row",
    "faults",
    "warnings",
)


class Fault(enum.IntFlag):
    """What went wrong in a row's last step; 0 is nothing.

    The first eight are MuJoCo's warnings. After BAD_QPOS, BAD_QVEL or BAD_QACC MuJoCo has put the row's
    simulation back to the model's initial state and gone on, as it does in the official environments.
    """

    INERTIA = 1 << 0
    CONTACT_FULL = 1 << 1
    CONSTRAINT_FULL = 1 << 2
    VISUAL_GEOM_FULL = 1 << 3
    BAD_QPOS = 1 << 4
    BAD_QVEL = 1 << 5
    BAD_QACC = 1 << 6
    BAD_CTRL = 1 << 7
    ACTION_NOT_FINITE = _native.ACTION_NOT_FINITE
    """The action held NaN or infinity; the row was stepped with it all the same."""
    STATE_NOT_FINITE = _native.STATE_NOT_FINITE
    """The state held NaN or infinity, before the step or after it."""
    ERROR = _native.ERROR
    """MuJoCo or a kernel of the package's library raised an error, or there was no memory (see `Engine.error`); the row
    is as it was before the step."""
    NOT_STEPPED = _native.NOT_STEPPED
    """The step was interrupted before this row's turn; the row is as it was before the step."""


class ChunkOutcome:
    """Room for what T steps of N rows give; a row's entries past those that it took have no meaning.

    Args:
        engine: the rows' engine.
        steps: the steps, T.
        each_obs: whether the observation after each step is wanted.

    Attributes:
        steps: as given.
        has_obs: whether there is `obs`.
        terms: after each step, (N, T, W) float64; W is `term_size`.
        obs: likewise, (N, T, O) float64, or None.
        faults: `Fault` of each step, (N, T) int32.
        taken: the steps that each row took, (N,) int32.
    """

    def __init__(self, engine: Engine, steps: int, *, each_obs: bool) -> None:
        rows = engine.num_rows
        self.steps, self.has_obs = steps, each_obs
        self.terms = np.zeros((rows, steps, engine.terms.shape[1]))
        self.obs = np.zeros((rows, steps, engine.obs.shape[1])) if each_obs else None
        self.faults = np.zeros((rows, steps), dtype=np.int32)
        self.taken = np.zeros(rows, dtype=np.int32)


class Engine:
    """Steps N rows, each a state of one of some scenes, on threads.

    The result of a row depends on that row alone: not on the number of threads, the other rows, or their
    order. The arrays below are views of the engine's memory. Write into them between steps; while a step is
    under way (`step_async`) leave them alone.

    Attributes:
        states: (N, S) float64, MuJoCo's `mjSTATE_INTEGRATION` of each row; S fits the largest scene, a row
            uses the first `scenes[w].native.state_size`.
        overrides: (N, V) float64, each row's own values of the fields that its scene declares, in that order.
            Rows start with zeros: write them (`Scene.default_overrides`) before the first step.
        params: (N, P) float64, constants of each row's task, for its kernel.
        memory: (N, M) float64, what each row's kernel keeps from step to step.
        obs: (N, O) float64, written by the kernel.
        terms: (N, T) float64, written by the kernel.
        now: (N, G) float64, what each row's scene read after its last step.
        scene_of_row: (N,) int32, index of each row's scene.
        kernel_of_row: (N,) int32, index of each row's kernel; -1 (the start) is none.
        faults: (N,) int32, `Fault` of each row in the last step or forward; 0 for rows that it left out.
        warnings: (N, 8) int32, how often MuJoCo gave each of its warnings there.
        action_shape: (N, A).

    Args:
        scenes: the scenes that rows may be of.
        num_rows: N.
        action_size: A, numbers in an action.
        param_size: P.
        memory_size: M.
        obs_size: O.
        term_size: T.
        kernels: compiled functions (`compile_kernel`) that rows may have. They are kept alive.
        num_threads: threads, the calling one included; by default one for each processor that this process
            may use.
        state_size, override_size, read_size: S, V and G at least. Give them if wider scenes than these may
            come later (`set_scene`).

    Raises:
        TypeError: a size is not a whole number, or a scene is not a `Scene`.
        ValueError: a size is too small or too large.

    Example:
        >>> import mujoco, numpy as np
        >>> from taskworlds.engine import Model
        >>> ball = '<body name="ball"><freejoint/><geom size="1"/></body>'
        >>> mj_model = mujoco.MjModel.from_xml_string(f"<mujoco><worldbody>{ball}</worldbody></mujoco>")
        >>> scene = Scene(Model.from_mujoco(mj_model), frame_skip=10, reads=(("body_xpos", "ball"),))
        >>> engine = Engine([scene], num_rows=3, action_size=0, num_threads=2)
        >>> start = np.empty(scene.native.state_size)
        >>> spec = mujoco.mjtState.mjSTATE_INTEGRATION
        >>> mujoco.mj_getState(mj_model, mujoco.MjData(mj_model), start, spec)
        >>> engine.states[:] = start
        >>> engine.step(np.zeros((3, 0)), mask=np.array([True, False, True]))
        True
        >>> engine.now[:, 2].round(4).tolist()
        [-0.0022, 0.0, -0.0022]
    """

    states: npt.NDArray[np.float64]
    overrides: npt.NDArray[np.float64]
    params: npt.NDArray[np.float64]
    memory: npt.NDArray[np.float64]
    obs: npt.NDArray[np.float64]
    terms: npt.NDArray[np.float64]
    now: npt.NDArray[np.float64]
    scene_of_row: npt.NDArray[np.int32]
    kernel_of_row: npt.NDArray[np.int32]
    faults: npt.NDArray[np.int32]
    warnings: npt.NDArray[np.int32]

    def __init__(
        self,
        scenes: Sequence[Scene],
        num_rows: int,
        *,
        action_size: int,
        param_size: int = 0,
        memory_size: int = 0,
        obs_size: int = 0,
        term_size: int = 0,
        kernels: Sequence[Any] = (),
        num_threads: int | None = None,
        state_size: int = 0,
        override_size: int = 0,
        read_size: int = 0,
    ) -> None:
        for scene in scenes:
            if not isinstance(scene, Scene):
                raise WrongType(f"scenes must hold Scene objects, not {scene!r}.", argument="scenes")
        sizes = {
            "action_size": action_size,
            "param_size": param_size,
            "memory_size": memory_size,
            "obs_size": obs_size,
            "term_size": term_size,
            "state_size": state_size,
            "override_size": override_size,
            "read_size": read_size,
        }
        self._arguments: dict[str, Any] = {
            "num_rows": check_count("num_rows", num_rows, maximum=_MOST_ROWS)
        } | {name: check_count(name, size, minimum=0, maximum=_MOST) for name, size in sizes.items()}
        self.action_shape = (self._arguments["num_rows"], self._arguments["action_size"])
        threads = (
            count_cpus()
            if num_threads is None
            else check_count("num_threads", num_threads, maximum=MOST_THREADS)
        )
        self._scenes = list(scenes)
        self._kernels = list(kernels)
        self._chosen_threads = num_threads
        self._native = _native.Engine(
            scenes=[scene.native for scene in self._scenes],
            kernels=[kernel.address for kernel in self._kernels],
            num_threads=threads,
            **self._arguments,
        )
        for name in _ARRAYS:
            setattr(self, name, getattr(self._native, name))
        for name, array in (
            ("state_size", self.states),
            ("override_size", self.overrides),
            ("read_size", self.now),
        ):
            # So that a copy is as wide, whatever scenes it has by then.
            self._arguments[name] = array.shape[1]

    @property
    def scenes(self) -> tuple[Scene, ...]:
        """The scenes that rows may be of."""
        return tuple(self._scenes)

    @property
    def kernels(self) -> tuple[Any, ...]:
        """The kernels that rows may have."""
        return tuple(self._kernels)

    def set_scene(self, index: int, scene: Scene) -> None:
        """Puts a scene in another's place, or adds one if `index` is how many there are.

        The rows keep their states and overrides: write those that the new scene needs. It takes a few
        microseconds if the new model differs from the old one in real numbers only (masses, lengths, gains).

        Raises:
            TypeError: `scene` is not a `Scene`.
            ValueError: there is no such place, or the engine's arrays are too narrow for the scene.
            RuntimeError: a step is under way, or the engine is closed.
        """
        if not isinstance(scene, Scene):
            raise WrongType(f"scene must be a Scene, not {scene!r}.", argument="scene")
        index = check_count("index", index, minimum=0, maximum=_MOST)
        self._native.set_scene(index, scene.native)
        self._scenes[index : index + 1] = [scene]

    def set_kernel(self, index: int, kernel: Any) -> None:
        """Puts a compiled kernel in another's place, or adds one if `index` is how many there are.

        Raises:
            ValueError: there is no such place.
            RuntimeError: a step is under way, or the engine is closed.
        """
        index = check_count("index", index, minimum=0, maximum=_MOST)
        self._native.set_kernel(index, kernel.address)
        self._kernels[index : index + 1] = [kernel]

    @property
    def num_rows(self) -> int:
        """N."""
        return len(self.faults)

    @property
    def num_threads(self) -> int:
        """Threads that step rows."""
        return self._native.num_threads

    @property
    def capsule(self) -> Any:
        """The C++ engine, for the other compiled modules of this package; it is valid as long as this object lives."""
        return self._native.capsule

    @property
    def under_way(self) -> int:
        """How many rows were sent and not received."""
        return self._native.under_way

    @property
    def pending(self) -> bool:
        """Whether `step_async` was called and `step_wait` was not, or rows are under way."""
        return self._native.pending

    def step(
        self,
        actions: npt.ArrayLike,
        mask: npt.NDArray[np.bool_] | None = None,
        *,
        spare: int = 0,
        meanwhile: Callable[[], None] | None = None,
    ) -> bool:
        """Steps the rows, all or those of the mask, and writes every array but overrides and params.

        Ctrl-C drops the rows whose turn has not come (`Fault.NOT_STEPPED`) and raises KeyboardInterrupt.

        Args:
            actions: (N, A). A float32 array is scaled in float32, as the official environments do; any other
                in float64. Rows outside the mask are not read.
            mask: (N,) bool, rows to step; None is all.
            spare: turns of work on what `settle_ahead` was given, taken among the rows, of 8 physics steps each.
            meanwhile: called before the calling thread takes its part; other threads are at the step by then. If it
                raises, the step is taken all the same.

        Returns:
            Whether all went well: if not, `faults` says what did not.

        Raises:
            ValueError: a shape does not fit, or `scene_of_row` or `kernel_of_row` names what does not exist.
            RuntimeError: a step is under way, or the engine is closed.
        """
        checked = self._checked(actions, mask)
        try:
            if meanwhile is None:
                return self._native.step(*checked, spare)
            self._native.step_async(*checked, spare, shared=True)
        except RuntimeError as error:
            raise self._told(error) from None
        try:
            meanwhile()
        finally:
            went_well = self._native.step_wait()
        return went_well

    def step_chunk(
        self,
        actions: npt.NDArray[Any],
        mask: npt.NDArray[np.bool_] | None,
        outcome: ChunkOutcome,
        *,
        left: npt.NDArray[np.int32],
        ends: npt.NDArray[np.bool_],
        success_term: int = -1,
        end_term: int = -1,
        spare: int = 0,
    ) -> bool:
        """Steps each row several times, one row's steps after the other, as `step` does.

        A row stops after a step with a fault, after `left` steps, and where one of the terms says so. The engine's
        arrays hold what its last step left. Ctrl-C is as for `step`: rows that it dropped have taken no step.

        Args:
            actions: (N, T, A), as for `step`.
            mask: as for `step`.
            outcome: is written to, of T steps.
            left: (N,) int32, steps after which a row stops.
            ends: (N,) bool, whether a row stops after a step whose `success_term` is 1.
            success_term: the place of that term; -1 for none.
            end_term: the place of the term after which, if it is not 0, any row stops; -1 for none.
            spare: as for `step`.

        Raises:
            ValueError: a shape does not fit, or `scene_of_row` or `kernel_of_row` names what does not exist.
            RuntimeError: a step is under way, or the engine is closed.
        """
        try:
            return self._native.step_chunk(
                floats(actions),
                self._checked_mask(mask),
                left,
                ends,
                success_term,
                end_term,
                outcome.terms,
                outcome.obs,
                outcome.faults,
                outcome.taken,
                spare,
            )
        except RuntimeError as error:
            raise self._told(error) from None

    def step_async(
        self,
        actions: npt.ArrayLike,
        mask: npt.NDArray[np.bool_] | None = None,
        *,
        spare: int = 0,
        shared: bool = False,
    ) -> None:
        """Starts a step and returns; the arguments may be reused at once. See `step`.

        With `shared` the calling thread takes its part in `step_wait`, and one thread fewer is at the step until then.
        """
        checked = self._checked(actions, mask)
        try:
            self._native.step_async(*checked, spare, shared=shared)
        except RuntimeError as error:
            raise self._told(error) from None

    def step_wait(self) -> bool:
        """Waits for the step that `step_async` started, and returns what `step` returns.

        Raises:
            RuntimeError: none is under way.
        """
        return self._native.step_wait()

    def send(self, actions: npt.ArrayLike, rows: npt.ArrayLike, *, spare: int = 0) -> None:
        """Starts a step of some rows, each on its own, and returns; the arguments may be reused at once.

        Such rows are under way until `recv` returns them. Until then leave their lines of the arrays alone. Those of
        other rows may be written to, and other rows may be sent. Other calls that need the threads (`step`, `forward`,
        `set_scene`) wait until all rows under way are done; they are to be received still.

        Args:
            actions: (M, A), as for `step`.
            rows: (M,) int, the row of each action.
            spare: as for `step`.

        Raises:
            ValueError: a shape does not fit, or a row does not exist or is there twice.
            RuntimeError: a row is under way, or a step is, or the engine is closed. Then nothing has changed.
        """
        actions, rows = floats(actions), np.asarray(rows)
        if rows.ndim != 1 or rows.dtype.kind not in "iu":
            raise WrongValue(f"rows must be an array of whole numbers, not {rows!r}.", argument="rows")
        if actions.shape != (len(rows), self.action_shape[1]):
            raise WrongValue(
                f"actions must have shape {(len(rows), self.action_shape[1])}, one line for each of rows, not "
                f"{actions.shape}.",
                argument="actions",
            )
        try:
            self._native.send(actions, rows.tolist(), spare)
        except RuntimeError as error:
            raise self._told(error) from None

    def recv(self, count: int) -> npt.NDArray[np.int64]:
        """Waits for `count` of the rows under way, or all if they are fewer, and returns those that were done first.

        `states`, `obs` and so on, and `faults`, hold their results. Ctrl-C raises KeyboardInterrupt; then no row was
        received, and all are under way still.

        Args:
            count: how many, at least 1.

        Returns:
            The rows, (M,) int64, in the order in which they were done.

        Raises:
            RuntimeError: no row is under way, or the engine is closed.
        """
        return recv_first([self], count)[1]

    def forward(self, mask: npt.NDArray[np.bool_] | None = None, *, warm_start: bool = False) -> None:
        """Writes `now`, faults and warnings for the rows' states as they are; no row moves, no kernel is called.

        What a step leaves one physics step old (see `Scene.stepping`) is up to date here.

        Args:
            mask: (N,) bool, rows to do; None is all.
            warm_start: writes the solver's warm start into the states, as mj_forward leaves it. Gymnasium and
                dm_control start their episodes like this. Otherwise no bit of the states changes.

        Raises:
            ValueError: a shape does not fit, or `scene_of_row` names what does not exist.
            RuntimeError: a step is under way, or the engine is closed.
        """
        checked = self._checked_mask(mask)
        try:
            self._native.forward(checked, warm_start)
        except RuntimeError as error:
            raise self._told(error) from None

    def settle(self, settlings: Sequence[Settling]) -> None:
        """Does settlings to their ends, on all threads, whatever has been done of them already.

        Raises:
            RuntimeError: a step is under way, or the engine is closed.
        """
        try:
            self._native.settle([each.native for each in settlings])
        except RuntimeError as error:
            raise self._told(error) from None

    def settle_ahead(self, settling: Settling) -> None:
        """Has the threads work on a settling whenever they have nothing else to do, and returns.

        They are those that a step has started: none with one thread, and none before the first step.

        Raises:
            RuntimeError: the engine is closed.
        """
        self._native.settle_ahead(settling.native)

    def drop_settling(self, settling: Settling) -> None:
        """Forgets that `settle_ahead` was given a settling; `settle` can still do it."""
        self._native.drop_settling(settling.native)

    def _told(self, error: RuntimeError) -> RuntimeError:
        """Returns an error of the engine, in words of ours where the system has refused it threads."""
        if str(error) != os.strerror(errno.EAGAIN):
            return error
        return RuntimeError(
            f"The system cannot start the {self.num_threads} threads that the engine asked for: a limit on processes "
            "or memory is reached. Ask for fewer threads with num_threads, or raise the limit."
        )

    def _checked(
        self, actions: npt.ArrayLike, mask: Any
    ) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_] | None]:
        actions = floats(actions)
        if actions.shape != self.action_shape:
            raise WrongValue(
                f"actions must have shape {self.action_shape}, one row each, not {actions.shape}.",
                argument="actions",
            )
        return actions, self._checked_mask(mask)

    def _checked_mask(self, mask: Any) -> npt.NDArray[np.bool_] | None:
        if mask is None:
            return None
        mask = np.asarray(mask)
        if mask.dtype != _BOOL or mask.shape != self.faults.shape:
            raise WrongValue(
                f"mask must be a bool array of shape {(self.num_rows,)}, one entry per row, "
                f"not {mask.dtype} of shape {mask.shape}.",
                argument="mask",
            )
        return np.ascontiguousarray(mask)

    def error(self, row: int) -> str:
        """Returns the text of the error in the row's last step, or "" if there was none.

        It is MuJoCo's own, or begins with "C++ exception" where the engine met another one.
        """
        return self._native.error(row)

    def close(self) -> None:
        """Ends the threads, cutting a step short. The arrays stay; stepping again raises RuntimeError."""
        self._native.close()

    def __getstate__(self) -> dict[str, Any]:
        if self.pending:
            raise RuntimeError(
                "An engine cannot be copied or pickled while a step is under way: call step_wait() first."
            )
        return {
            "scenes": self.scenes,
            "kernels": self.kernels,
            "num_threads": self._chosen_threads,
            "arguments": self._arguments,
            "arrays": {name: getattr(self, name).copy() for name in _ARRAYS},
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(  # type: ignore[misc]
            state["scenes"], kernels=state["kernels"], num_threads=state["num_threads"], **state["arguments"]
        )
        for name, values in state["arrays"].items():
            getattr(self, name)[:] = values


def recv_first(engines: Sequence[Engine], count: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Waits for rows of several engines as `Engine.recv` does for those of one.

    Args:
        engines: the engines, which differ.
        count: how many rows, at least 1.

    Returns:
        For each row the place of its engine, (M,) int64, and the row, (M,) int64, in the order in which they were done.

    Raises:
        RuntimeError: no row is under way in any of them, or one of them is closed.
    """
    found = _native.receive([each._native for each in engines], check_count("count", count, maximum=_MOST))
    places, rows = np.array(found, dtype=np.int64).T
    return places, rows


def floats(actions: npt.ArrayLike) -> npt.NDArray[Any]:
    """Returns actions as C++ takes them: contiguous, float32 as they are, any other as float64."""
    array = np.ascontiguousarray(actions)
    return array if array.dtype in _FLOATS else array.astype(np.float64)
