"""`Host`: what runs in a worker's process. It makes one object there, and calls its methods."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

from taskworlds.core.version import __version__
from taskworlds.workers.cluster import cloudpickle, ray

__all__ = ["Host", "Place", "versions"]

_PACKAGES = ("gymnasium", "mujoco", "numpy")


class Place(NamedTuple):
    """Where a worker runs.

    Attributes:
        node_id: Ray's name of the node.
        address: the node's network address.
        pid: the worker's process.
        versions: of Python and the packages that decide results there, by name.
    """

    node_id: str
    address: str
    pid: int
    versions: dict[str, str]

    def __str__(self) -> str:
        return f"{self.address} ({self.node_id[:8]})"


def versions() -> dict[str, str]:
    """Returns the versions, in this process, of Python and of the packages that decide results; by name."""
    found = {"taskworlds": __version__, "Python": ".".join(platform.python_version_tuple()[:2])}
    for name in _PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "none"
    return found


class Host:
    """Holds one object. `Worker` is its other end."""

    def __init__(self) -> None:
        self._held: Any = None

    def where(self) -> Place:
        """Returns where this process runs."""
        node_id = ray.get_runtime_context().get_node_id()
        return Place(node_id, ray.util.get_node_ip_address(), os.getpid(), versions())

    def hold(self, make: bytes, folders: Sequence[str]) -> None:
        """Makes the object.

        Args:
            make: a pickled function without arguments that returns it.
            folders: where the driver's imports are found: as far as they exist here, this process looks there, too.
        """
        sys.path += [each for each in folders if os.path.isdir(each) and each not in sys.path]
        try:
            made = cloudpickle.loads(make)
        except ImportError as error:
            raise ImportError(
                f"{error}: the worker on node {self.where()} does not find this module. Install it on every node, or "
                'send it along: ray.init(runtime_env={"working_dir": "."}) before the workers are started.'
            ) from error
        self._held = made()
        _one_thread_for_torch()

    def call(self, method: str, *args: Any) -> Any:
        """Calls a method of the object."""
        return getattr(self._held, method)(*args)


def _one_thread_for_torch() -> None:
    """Has PyTorch compute with one thread: with more, a product of matrices can come out otherwise in its last bit."""
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(1)
