"""What the tests of rows on Ray's workers share."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="module")
def ray_here(request):
    """Ray on this machine; its processes get what stands in the test's file by value, as they cannot import it."""
    ray = pytest.importorskip("ray")
    ray.cloudpickle.register_pickle_by_value(request.module)
    ray.init("local", num_cpus=4, include_dashboard=False)
    yield
    ray.shutdown()


@pytest.fixture
def alike(same):
    """Asserts that two pieces of data are equal to the last bit, but for the clock of episodes."""
    return lambda ours, other: same(ours, other, skip=("t",))
