"""What the vector environment refuses leaves it as it was."""

from __future__ import annotations

import numpy as np
import pytest

import taskworlds


def test_mistakes_change_nothing(refusal, drawing, same):
    call, error, message = refusal
    envs = taskworlds.make_vec(
        list(drawing.all_tasks()),
        3,
        seed=0,
        vector_strategy="native",
        normalize_observations=True,
        task_select="pseudorandom",
    )
    envs.reset(seed=1)
    envs.set_tasks(drawing.all_tasks()[1], [False, True, False])
    envs.step(np.full((3, 4), 0.1))
    before = envs.get_state()
    with pytest.raises(error, match=message):
        call(envs, before)
    same(envs.get_state(), before, skip=("elapsed",))
    envs.close()
