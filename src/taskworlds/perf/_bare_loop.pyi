"""The yardstick of the engine. Use it through taskworlds.perf.bare_loop."""

from typing import Annotated, overload

import numpy
from numpy.typing import NDArray
from typing_extensions import CapsuleType


@overload
def run(engine: CapsuleType, actions: Annotated[NDArray[numpy.float32], dict(shape=(None, None, None), order='C', device='cpu', writable=False)], num_threads: int) -> tuple[float, float, Annotated[NDArray[numpy.float64], dict(shape=(None, None))]]: ...

@overload
def run(engine: CapsuleType, actions: Annotated[NDArray[numpy.float64], dict(shape=(None, None, None), order='C', device='cpu', writable=False)], num_threads: int) -> tuple[float, float, Annotated[NDArray[numpy.float64], dict(shape=(None, None))]]: ...
