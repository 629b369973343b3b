"""What a step does to the arrays of a batch above the engine."""

from typing import Any

import numpy


def ready(actions: numpy.ndarray, rows: numpy.ndarray, running: numpy.ndarray) -> bool:
    """
    Returns whether all `rows` are running and have finite actions. actions: (N, A), the others: (N,) bool.
    """

def count_step(rows: numpy.ndarray, rewards: numpy.ndarray, success: numpy.ndarray | None, terminated: numpy.ndarray | None, terminate_on_success: numpy.ndarray, limit: int, steps: numpy.ndarray, returns: numpy.ndarray, succeeded: numpy.ndarray) -> tuple[numpy.ndarray, numpy.ndarray, numpy.ndarray, numpy.ndarray | None]:
    """
    Counts a step of `rows` in steps, returns and succeeded. Arrays: (N,).

    Returns rewards (0 where no step was), what ended by itself, what was cut at the limit, and both together, or
    None if nothing ended.
    """

def count_chunk(taken: numpy.ndarray, rewards: numpy.ndarray, success: numpy.ndarray | None, terminated: numpy.ndarray | None, terminate_on_success: numpy.ndarray, limit: int, steps: numpy.ndarray, returns: numpy.ndarray, succeeded: numpy.ndarray) -> tuple[numpy.ndarray, numpy.ndarray, numpy.ndarray, numpy.ndarray, numpy.ndarray | None, numpy.ndarray]:
    """
    Counts the first `taken`, (N,) int64, of T steps of each row, as `count_step` does one after the other.

    rewards, success and terminated: (N, T). Returns rewards and success (N, T), 0 where no step was; of each row what
    ended first by itself, and what at the limit, and both together, or None if nothing ended; and the last reward.
    """

def write_rows(target: numpy.ndarray, values: numpy.ndarray, rows: numpy.ndarray) -> None:
    """
    Copies the first numbers of values (N, at least W) into target (N, W), in `rows` (N,).
    """

def describe(told: numpy.ndarray, about: dict[str, numpy.ndarray], stepped: numpy.ndarray, reports: dict[str, numpy.ndarray]) -> dict[str, numpy.ndarray]:
    """
    Returns infos: copies of all rows' values, by name (N,) or (N, size), each with its mask beside it.

    The mask of what is in `about` is `told`, that of `reports` is `stepped`, both (N,) bool.
    """

def only(rows: numpy.ndarray, values: dict[str, numpy.ndarray]) -> dict[str, numpy.ndarray]:
    """
    Returns infos that say `values`, by name (N,) or (N, size), of `rows` alone: zero or None elsewhere.
    """

def retell(infos: dict[str, Any], rows: numpy.ndarray, about: dict[str, numpy.ndarray], reports: dict[str, numpy.ndarray]) -> None:
    """
    Makes infos that `describe` returned tell of an episode that begins in `rows`, (N,) bool.

    What is in `about` is written and told, what is in `reports` is zero there and not told.
    """

def keep(kept: dict[str, numpy.ndarray], rows: numpy.ndarray, terms: dict[str, numpy.ndarray]) -> bool:
    """
    Copies terms into kept, by name (N,) float64, in `rows`; zero for what is kept and is not a term.

    Returns whether all terms are kept.
    """

def row_info(infos: dict[str, Any], row: int) -> dict[str, Any]:
    """
    Takes one row's info out of a batch's: numbers always, infos in infos where they are told of the row.
    """

def first_row(about: dict[str, numpy.ndarray], reports: dict[str, numpy.ndarray]) -> dict[str, Any]:
    """
    Returns the first row's info: what `row_info` takes out of what `describe` returns, copies of its values alone.
    """
