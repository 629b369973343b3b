"""
Steps rows of MuJoCo scenes on threads. Use it through taskworlds.engine.
"""

from collections.abc import Sequence
from typing import Annotated, overload

import numpy
from numpy.typing import NDArray


class Model:
    """A compiled MuJoCo model, immutable and shared."""

    def __init__(self, data: bytes) -> None: ...

    @staticmethod
    def load(path: bytes) -> Model: ...

    @staticmethod
    def copy_of(address: int) -> Model: ...

    @property
    def num_bytes(self) -> int: ...

    def to_bytes(self) -> bytes: ...

    @property
    def body_names(self) -> list[str]: ...

    @property
    def geom_names(self) -> list[str]: ...

    @property
    def site_names(self) -> list[str]: ...

    @property
    def joint_names(self) -> list[str]: ...

    @property
    def actuator_names(self) -> list[str]: ...

    @property
    def sensor_names(self) -> list[str]: ...

    @property
    def tendon_names(self) -> list[str]: ...

    @property
    def joint_qpos(self) -> list[tuple[int, int]]: ...

    @property
    def joint_qvel(self) -> list[tuple[int, int]]: ...

    @property
    def actuator_act(self) -> list[tuple[int, int]]: ...

    @property
    def sensor_data(self) -> list[tuple[int, int]]: ...

    @property
    def body_mocap(self) -> list[int]: ...

class Scene:
    """
    A model with its control, its rows' own fields and what is read after a step.
    """

    def __init__(self, model: Model, frame_skip: int, stepping: int, mocap: tuple[int, int, float, float] | None, mocap_low: Sequence[float], mocap_high: Sequence[float], mocap_quat: Sequence[float], actuators: Sequence[tuple[int, int, float]], overrides: Sequence[tuple[int, int]], reads: Sequence[tuple[int, int, int]]) -> None: ...

    @property
    def state_size(self) -> int: ...

    @property
    def action_size(self) -> int: ...

    @property
    def override_size(self) -> int: ...

    @property
    def read_size(self) -> int: ...

    @property
    def default_overrides(self) -> list[float]: ...

class Engine:
    """Steps rows. Its arrays are views of its own memory."""

    def __init__(self, scenes: Sequence[Scene], kernels: Sequence[int], num_rows: int, action_size: int, param_size: int, memory_size: int, obs_size: int, term_size: int, state_size: int, override_size: int, read_size: int, num_threads: int) -> None: ...

    @overload
    def step(self, actions: Annotated[NDArray[numpy.float32], dict(shape=(None, None), order='C', device='cpu', writable=False)], mask: Annotated[NDArray[numpy.bool_], dict(shape=(None,), order='C', device='cpu', writable=False)] | None = None) -> bool: ...

    @overload
    def step(self, actions: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu', writable=False)], mask: Annotated[NDArray[numpy.bool_], dict(shape=(None,), order='C', device='cpu', writable=False)] | None = None) -> bool: ...

    @overload
    def step_async(self, actions: Annotated[NDArray[numpy.float32], dict(shape=(None, None), order='C', device='cpu', writable=False)], mask: Annotated[NDArray[numpy.bool_], dict(shape=(None,), order='C', device='cpu', writable=False)] | None = None) -> None: ...

    @overload
    def step_async(self, actions: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu', writable=False)], mask: Annotated[NDArray[numpy.bool_], dict(shape=(None,), order='C', device='cpu', writable=False)] | None = None) -> None: ...

    def step_wait(self) -> bool: ...

    @overload
    def bare_loop(self, actions: Annotated[NDArray[numpy.float32], dict(shape=(None, None, None), order='C', device='cpu', writable=False)], num_threads: int) -> tuple[float, float, Annotated[NDArray[numpy.float64], dict(shape=(None, None))]]: ...

    @overload
    def bare_loop(self, actions: Annotated[NDArray[numpy.float64], dict(shape=(None, None, None), order='C', device='cpu', writable=False)], num_threads: int) -> tuple[float, float, Annotated[NDArray[numpy.float64], dict(shape=(None, None))]]: ...

    def forward(self, mask: Annotated[NDArray[numpy.bool_], dict(shape=(None,), order='C', device='cpu', writable=False)] | None, warm_start: bool) -> None: ...

    def set_scene(self, index: int, scene: Scene) -> None: ...

    def set_kernel(self, index: int, kernel: int) -> None: ...

    def close(self) -> None: ...

    def error(self, row: int) -> str: ...

    @property
    def pending(self) -> bool: ...

    @property
    def num_threads(self) -> int: ...

    @property
    def states(self) -> Annotated[NDArray[numpy.float64], dict(shape=(None, None))]: ...

    @property
    def overrides(self) -> Annotated[NDArray[numpy.float64], dict(shape=(None, None))]: ...

    @property
    def params(self) -> Annotated[NDArray[numpy.float64], dict(shape=(None, None))]: ...

    @property
    def memory(self) -> Annotated[NDArray[numpy.float64], dict(shape=(None, None))]: ...

    @property
    def obs(self) -> Annotated[NDArray[numpy.float64], dict(shape=(None, None))]: ...

    @property
    def terms(self) -> Annotated[NDArray[numpy.float64], dict(shape=(None, None))]: ...

    @property
    def now(self) -> Annotated[NDArray[numpy.float64], dict(shape=(None, None))]: ...

    @property
    def scene_of_row(self) -> Annotated[NDArray[numpy.int32], dict(shape=(None,))]: ...

    @property
    def kernel_of_row(self) -> Annotated[NDArray[numpy.int32], dict(shape=(None,))]: ...

    @property
    def faults(self) -> Annotated[NDArray[numpy.int32], dict(shape=(None,))]: ...

    @property
    def warnings(self) -> Annotated[NDArray[numpy.int32], dict(shape=(None, None))]: ...

ACTION_NOT_FINITE: int = 256

STATE_NOT_FINITE: int = 512

ERROR: int = 1024

NOT_STEPPED: int = 2048
