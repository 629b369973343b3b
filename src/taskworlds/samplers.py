"""Task samplers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from taskworlds.errors import check_count


def sample_without_replacement(tasks: Sequence[Any], n: int, np_random: np.random.Generator) -> list[Any]:
    """Draws tasks so that each comes once, in random order, before any comes again."""
    n = check_count("n_tasks", n)
    rounds = -(-n // len(tasks))
    order = np.concatenate([np_random.permutation(len(tasks)) for _ in range(rounds)])
    return [tasks[int(i)] for i in order[:n]]
