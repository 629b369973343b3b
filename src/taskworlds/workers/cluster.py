"""The connection to Ray: a cluster that runs already, or Ray on this machine alone."""

from __future__ import annotations

import contextlib
import logging
import math
import os
import signal
import threading
from collections.abc import Iterator
from typing import Any

from taskworlds.core.cpus import count_processors
from taskworlds.core.errors import Mistake, WrongType, WrongValue
from taskworlds.workers.addresses import silence


class RayMissing(Mistake, ImportError):
    """Ray cannot be imported."""


class NoCluster(Mistake, ConnectionError):
    """There is no connection to Ray."""


try:
    import ray
    from ray import cloudpickle, exceptions
except ImportError as error:
    raise RayMissing(
        f'Workers are run by Ray, which could not be imported ({error}). Type: pip install "taskworlds[ray]"'
    ) from error

__all__ = [
    "NoCluster",
    "RayMissing",
    "check_cpus",
    "cloudpickle",
    "connect",
    "exceptions",
    "free_cpus",
    "own_node",
    "pickled",
    "ray",
]


def connect(
    address: str | None, num_workers: int, cpus_per_worker: float, *, argument: str = "num_workers"
) -> None:
    """Connects this process to Ray, unless it is connected; and checks that the workers have room there.

    Args:
        address: of a cluster's head, "host:port"; "auto" for the cluster of which this machine is a node; None for the
            one that RAY_ADDRESS names, or else for Ray on this machine, started here and ended with this process.
        num_workers: how many workers are to run.
        cpus_per_worker: processors that Ray sets aside for each.
        argument: what the caller's user calls `num_workers`, for messages; under another name, `cpus_per_worker` is
            not the user's to choose.

    Raises:
        ConnectionError: the cluster does not answer.
        ValueError: the cluster has too few processors, or the address is of another form.
    """
    if not ray.is_initialized():
        _start(address)
    elif address not in (None, "auto", ray.get_runtime_context().gcs_address):
        raise WrongValue(
            f"This process is connected to Ray at {ray.get_runtime_context().gcs_address}, not at {address!r}. Leave "
            "address out, or call ray.shutdown() first.",
            argument="address",
        )
    processors = float(ray.cluster_resources().get("CPU", 0.0))
    if num_workers * cpus_per_worker > processors + 1e-6:
        parts = "give each a part of a processor (cpus_per_worker=0.5), " if argument == "num_workers" else ""
        raise WrongValue(
            f"{argument} must be at most {math.floor(processors / cpus_per_worker + 1e-6)}, not {num_workers}: Ray "
            f"has {processors:g} processors here, and each worker takes {cpus_per_worker:g}. Ask for fewer workers, "
            f"{parts}or connect to a larger cluster (address=...).",
            argument=argument,
        )


def _start(address: str | None) -> None:
    wanted = address or os.environ.get("RAY_ADDRESS") or "local"
    how: dict[str, Any] = {
        "logging_level": logging.ERROR
    }  # what it warns of is not for users of this package
    if wanted == "local":
        # Ray's workers stand back for all other programs unless they are told not to (niceness 15).
        how |= {
            "num_cpus": count_processors(),
            "include_dashboard": False,
            "_system_config": {"worker_niceness": 0},
        }
    elif wanted != "auto":
        _check_address(wanted)
    try:
        with _same_sigterm():
            ray.init(address=wanted, **how)
    except (ConnectionError, TimeoutError, RuntimeError, ValueError, exceptions.RayError) as error:
        with contextlib.suppress(Exception):
            ray.shutdown()
        raise NoCluster(
            f"There is no connection to Ray at {wanted!r}: {str(error).rstrip('.')}. Start a cluster's head with "
            "`ray start --head`, and give the address that it prints; or leave address out to use this machine alone. "
            "If the cluster wants a token (Ray 2.59 and later), set RAY_AUTH_MODE=token here, too "
            "(docs/distributed.md)."
        ) from error


@contextlib.contextmanager
def _same_sigterm() -> Iterator[None]:
    """Leaves the program's own handler of SIGTERM in place, if it has one: Ray sets another."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        own = before not in (signal.SIG_DFL, signal.SIG_IGN, None)
        if own and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, before)


def _check_address(address: str) -> None:
    """Raises ConnectionError if nothing answers at an address: Ray itself would try for a minute."""
    try:
        fault = silence(address)
    except ValueError:
        raise WrongValue(
            f'address must be "host:port" of the cluster\'s head, "auto" or None, not {address!r}. Run this program on '
            "a machine of the cluster; Ray Client (ray://) is not served.",
            argument="address",
        ) from None
    if fault is not None:
        raise NoCluster(
            f"Nothing answers at {address} ({fault}). Check the address that `ray start --head` printed, whether the "
            "cluster runs, and whether a firewall is in between."
        )


def free_cpus() -> float:
    """Returns how many processors Ray has that it has not set aside."""
    return float(ray.available_resources().get("CPU", 0.0))


def own_node() -> str:
    """Returns Ray's name of the node that this process is on."""
    return str(ray.get_runtime_context().get_node_id())


def check_cpus(cpus: Any) -> float:
    """Returns a number of processors for each worker: above 0, and whole from 1 on, as Ray asks for.

    Raises:
        TypeError: it is not a number.
        ValueError: it is out of range.
    """
    if isinstance(cpus, bool) or not isinstance(cpus, int | float):
        raise WrongType(f"cpus_per_worker must be a number, not {cpus!r}.", argument="cpus_per_worker")
    if not 0 < cpus < math.inf or (cpus > 1 and cpus != int(cpus)):
        raise WrongValue(
            f"cpus_per_worker must be above 0, and a whole number if it is above 1, not {cpus!r}.",
            argument="cpus_per_worker",
        )
    return float(cpus)


def pickled(argument: str, value: Any) -> bytes:
    """Returns a pickled value that is to travel to workers.

    Raises:
        TypeError: it cannot be pickled.
    """
    try:
        made: bytes = cloudpickle.dumps(value)
    except Exception as error:
        raise WrongType(
            f"{argument} must be something that can be pickled, as it travels to the workers, but {value!r} cannot "
            f"({type(error).__name__}: {error}). Give a function that makes what cannot travel (open files, locks, "
            "environments, networks on a GPU) in the worker.",
            argument=argument,
        ) from error
    return made
