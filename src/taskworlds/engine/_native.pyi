"""
Steps rows of MuJoCo scenes on threads. Use it through taskworlds.engine.
"""

from collections.abc import Sequence
import enum
from typing import Annotated, overload

import numpy
from numpy.typing import NDArray
from typing_extensions import CapsuleType


class Model:
    """A compiled MuJoCo model, immutable and shared."""

    def __init__(self, data: bytes) -> None: ...

    @staticmethod
    def load(path: bytes) -> Model: ...

    @staticmethod
    def copy_of(address: int) -> Model: ...

    @staticmethod
    def compile(spec: int, weld: Sequence[float] | None) -> Model: ...

    @property
    def num_bytes(self) -> int: ...

    def to_bytes(self) -> bytes: ...

    def lend(self) -> str: ...

    @staticmethod
    def take_back() -> None: ...

    def names(self, kind: str) -> list[str]: ...

    @property
    def body_mocap(self) -> list[int]: ...

class Field(enum.Enum):
    body_pos = 0

    body_quat = 1

    site_pos = 2

    site_quat = 3

    body_ipos = 4

    body_mass = 5

    body_subtreemass = 6

    body_inertia = 7

    body_invweight0 = 8

    bvh_aabb = 9

    dof_damping = 10

    dof_invweight0 = 11

    geom_pos = 12

    geom_size = 13

    geom_aabb = 14

    geom_rbound = 15

    geom_friction = 16

class Stepping(enum.Enum):
    forward = 0

    step = 1

    split = 2

class Source(enum.Enum):
    body_xpos = 0

    body_xquat = 1

    body_xmat = 2

    body_xipos = 3

    body_subtree_com = 4

    body_cinert = 5

    body_cvel = 6

    body_cfrc_ext = 7

    site_xpos = 8

    site_xmat = 9

    geom_xpos = 10

    geom_xmat = 11

    qpos = 12

    qvel = 13

    qfrc_actuator = 14

    ctrl = 15

    act = 16

    ten_length = 17

    ten_velocity = 18

    sensordata = 19

    touch = 20

@overload
def object_kind(field: Field) -> str: ...

@overload
def object_kind(source: Source) -> str: ...

def span_of(model: Model, source: Source, object: int) -> tuple[int, int]: ...

class MocapControl:
    """Three actions that move a mocap body."""

    def __init__(self, mocap: int, first: int, limit: float, scale: float, low: Sequence[float], high: Sequence[float], quat: Sequence[float]) -> None: ...

class ActuatorControl:
    """An action that sets an actuator's ctrl."""

    def __init__(self, actuator: int, action: int, gain: float) -> None: ...

class Override:
    """A field of the model that each row has its own values of."""

    def __init__(self, field: Field, id: int) -> None: ...

class Read:
    """
    What is read after a step, of one object or of all; of a touch, two geoms.
    """

    def __init__(self, source: Source, object: int = -1, other: int = -1) -> None: ...

class Scene:
    """
    A model with its control, its rows' own fields and what is read after a step.
    """

    def __init__(self, model: Model, frame_skip: int, stepping: Stepping, mocap: MocapControl | None, actuators: Sequence[ActuatorControl], overrides: Sequence[Override], reads: Sequence[Read]) -> None: ...

    @property
    def state_size(self) -> int: ...

    @property
    def action_size(self) -> int: ...

    @property
    def override_size(self) -> int: ...

    @property
    def read_size(self) -> int: ...

    @property
    def override_sizes(self) -> list[int]: ...

    @property
    def read_sizes(self) -> list[int]: ...

    @property
    def default_overrides(self) -> list[float]: ...

class LeanCopy:
    """
    A MjModel that was made from a model, made to share the model's large arrays.
    """

    def __init__(self, address: int, model: Model, owner: object) -> None: ...

    def make_whole(self) -> None: ...

    def is_only_moved(self) -> bool: ...

    def put_back(self) -> None: ...

class Settling:
    """
    Physics steps from a state, in a model whose bodies and sites stand elsewhere.
    """

    def __init__(self, model: Model, body_pos: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], site_pos: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], state: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], steps: int) -> None: ...

    @property
    def done(self) -> bool: ...

    @property
    def error(self) -> str: ...

    def state(self) -> Annotated[NDArray[numpy.float64], dict(shape=(None,))]: ...

class Engine:
    """Steps rows. Its arrays are views of its own memory."""

    def __init__(self, scenes: Sequence[Scene], kernels: Sequence[int], num_rows: int, action_size: int, param_size: int, memory_size: int, obs_size: int, term_size: int, state_size: int, override_size: int, read_size: int, num_threads: int) -> None: ...

    @overload
    def step(self, actions: Annotated[NDArray[numpy.float32], dict(shape=(None, None), order='C', device='cpu', writable=False)], mask: Annotated[NDArray[numpy.bool_], dict(shape=(None,), order='C', device='cpu', writable=False)] | None = None, spare: int = 0) -> bool: ...

    @overload
    def step(self, actions: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu', writable=False)], mask: Annotated[NDArray[numpy.bool_], dict(shape=(None,), order='C', device='cpu', writable=False)] | None = None, spare: int = 0) -> bool: ...

    @overload
    def step_chunk(self, actions: Annotated[NDArray[numpy.float32], dict(shape=(None, None, None), order='C', device='cpu', writable=False)], mask: Annotated[NDArray[numpy.bool_], dict(shape=(None,), order='C', device='cpu', writable=False)] | None, left: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], ends: Annotated[NDArray[numpy.bool_], dict(shape=(None,), order='C', device='cpu', writable=False)], success_term: int, end_term: int, terms: Annotated[NDArray[numpy.float64], dict(shape=(None, None, None), order='C', device='cpu')], obs: Annotated[NDArray[numpy.float64], dict(shape=(None, None, None), order='C', device='cpu')] | None, faults: Annotated[NDArray[numpy.int32], dict(shape=(None, None), order='C', device='cpu')], taken: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu')], spare: int = 0) -> bool: ...

    @overload
    def step_chunk(self, actions: Annotated[NDArray[numpy.float64], dict(shape=(None, None, None), order='C', device='cpu', writable=False)], mask: Annotated[NDArray[numpy.bool_], dict(shape=(None,), order='C', device='cpu', writable=False)] | None, left: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], ends: Annotated[NDArray[numpy.bool_], dict(shape=(None,), order='C', device='cpu', writable=False)], success_term: int, end_term: int, terms: Annotated[NDArray[numpy.float64], dict(shape=(None, None, None), order='C', device='cpu')], obs: Annotated[NDArray[numpy.float64], dict(shape=(None, None, None), order='C', device='cpu')] | None, faults: Annotated[NDArray[numpy.int32], dict(shape=(None, None), order='C', device='cpu')], taken: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu')], spare: int = 0) -> bool: ...

    @overload
    def step_async(self, actions: Annotated[NDArray[numpy.float32], dict(shape=(None, None), order='C', device='cpu', writable=False)], mask: Annotated[NDArray[numpy.bool_], dict(shape=(None,), order='C', device='cpu', writable=False)] | None = None, spare: int = 0, shared: bool = False) -> None: ...

    @overload
    def step_async(self, actions: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu', writable=False)], mask: Annotated[NDArray[numpy.bool_], dict(shape=(None,), order='C', device='cpu', writable=False)] | None = None, spare: int = 0, shared: bool = False) -> None: ...

    def step_wait(self) -> bool: ...

    @overload
    def send(self, actions: Annotated[NDArray[numpy.float32], dict(shape=(None, None), order='C', device='cpu', writable=False)], rows: Sequence[int], spare: int = 0) -> None: ...

    @overload
    def send(self, actions: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu', writable=False)], rows: Sequence[int], spare: int = 0) -> None: ...

    @property
    def under_way(self) -> int: ...

    def forward(self, mask: Annotated[NDArray[numpy.bool_], dict(shape=(None,), order='C', device='cpu', writable=False)] | None, warm_start: bool) -> None: ...

    def settle(self, settlings: Sequence[Settling]) -> None: ...

    def settle_ahead(self, settling: Settling) -> None: ...

    def drop_settling(self, settling: Settling) -> None: ...

    def set_scene(self, index: int, scene: Scene) -> None: ...

    def set_kernel(self, index: int, kernel: int) -> None: ...

    def close(self) -> None: ...

    def error(self, row: int) -> str: ...

    @property
    def pending(self) -> bool: ...

    @property
    def num_threads(self) -> int: ...

    @property
    def capsule(self) -> CapsuleType: ...

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

def receive(engines: Sequence[Engine], count: int) -> list[tuple[int, int]]: ...
