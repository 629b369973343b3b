"""psutil, as supervisors of training use it: the processes of a batch, one of them killed, and none left behind."""

import numpy as np
import pytest

import taskworlds

psutil = pytest.importorskip("psutil")


def rows_of(before):
    """Returns the processes of rows: those that there are now, and were not before."""
    return [
        child
        for child in psutil.Process().children(recursive=True)
        if child not in before
        and child.status() != psutil.STATUS_ZOMBIE
        and not any("resource_tracker" in word or "forkserver" in word for word in child.cmdline())
    ]


def test_a_killed_row_is_named_and_none_is_left():
    before = psutil.Process().children(recursive=True)
    envs = taskworlds.make_vec("half-cheetah-vel", 2, vector_strategy="async")
    envs.reset(seed=0)
    actions = np.zeros(envs.action_space.shape)
    envs.step(actions)
    workers = rows_of(before)
    assert len(workers) == 2
    workers[1].kill()
    workers[1].wait()
    with pytest.raises(RuntimeError, match="row"):
        envs.step(actions)
    envs.close()
    psutil.wait_procs(workers, timeout=10)
    assert rows_of(before) == []
