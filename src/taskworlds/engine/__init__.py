"""The native engine: steps rows of MuJoCo scenes on threads, bit for bit as MuJoCo steps them alone.

A `Model` is a compiled MuJoCo model. A `Scene` adds, as data, how actions become control, which fields of the
model each row has of its own, and what is read after a step. An `Engine` holds the rows: their states are
NumPy arrays, and a step loads each row into a thread's own simulator, steps it, stores it and calls the row's
kernel.

Nothing here knows a skill or a world. `docs/explanation/engine.md` gives the reasons.
"""

from taskworlds.core.simulator import load_mujoco

load_mujoco()  # first: `_native` needs its library, which then is found wherever mujoco is installed

# ruff: noqa: E402
from taskworlds.engine.engine import ChunkOutcome, Engine, Fault, recv_first
from taskworlds.engine.models import Model
from taskworlds.engine.scene import MocapControl, Scene
from taskworlds.engine.settling import Settling
from taskworlds.kernels.compiler import compile_kernel

__all__ = [
    "ChunkOutcome",
    "Engine",
    "Fault",
    "MocapControl",
    "Model",
    "Scene",
    "Settling",
    "compile_kernel",
    "recv_first",
]
