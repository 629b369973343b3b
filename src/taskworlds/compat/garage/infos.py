"""What garage's samplers can stack: the info of an episode and of a step.

garage makes one array of an entry's values at all steps, so each step has the same keys. What `reset` returns is an
episode's info: arrays of at least one dimension.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

__all__ = ["as_arrays", "episode_info", "step_info"]


def episode_info(info: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a reset's info without what garage cannot stack: numbers, strings, dictionaries and other objects.

    They are not turned into arrays, because a step has them as they are and Gymnasium's vector environments need one
    type.

    Example:
        >>> sorted(episode_info({"task_id": 3, "task": {"goal": 1.0}, "goal": np.zeros(2)}))
        ['goal']
    """
    return {
        name: value
        for name, value in info.items()
        if isinstance(value, np.ndarray) and value.ndim > 0 and value.dtype != object
    }


def step_info(info: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a step's info without `episode`, which comes at the end of an episode only.

    Example:
        >>> step_info({"success": 1.0, "episode": {"r": 2.0, "l": 10}})
        {'success': 1.0}
    """
    return {name: value for name, value in info.items() if name != "episode"}


def as_arrays(info: Mapping[str, Any]) -> dict[str, Any]:
    """Returns an info with arrays of at least one dimension for all values but strings."""
    return {name: value if isinstance(value, str) else np.atleast_1d(value) for name, value in info.items()}
