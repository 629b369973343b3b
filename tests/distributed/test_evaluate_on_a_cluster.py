"""An evaluation on a cluster of several nodes, of which one goes away."""

import contextlib
import os
import signal

import pytest

ray = pytest.importorskip("ray")

from ray.cluster_utils import Cluster  # noqa: E402

from taskworlds.evaluation import evaluate, on_workers  # noqa: E402


@pytest.fixture
def cluster():
    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    yield made
    ray.shutdown()
    made.shutdown()


def test_a_node_that_is_removed_costs_nothing_but_time(cluster, monkeypatch):
    nodes, started = [cluster.add_node(num_cpus=1)], []
    cluster.wait_for_nodes()

    class Noted(on_workers.Worker):
        def __init__(self, *given):
            super().__init__(*given)
            started.append(self)

    def exchange(done, total):
        if done >= 5 and len(nodes) == 1:
            nodes.append(cluster.add_node(num_cpus=1))
            places = [each.place for each in started]
            cluster.remove_node(nodes[0], allow_graceful=False)
            (place,) = [each for each in places if each.node_id == nodes[0].node_id]
            with contextlib.suppress(
                ProcessLookupError
            ):  # what runs on a node ends with it; here, some seconds later
                os.kill(place.pid, signal.SIGKILL)

    monkeypatch.setattr(on_workers, "Worker", Noted)
    settings = {"num_goals": 4, "max_episode_steps": 150}
    with pytest.warns(RuntimeWarning, match=r"worker \d of 2 was lost on node") as told:
        there = evaluate(
            "expert", "MT10", workers=2, address=cluster.address, on_episode=exchange, **settings
        )
    assert there == evaluate("expert", "MT10", **settings)
    assert sum("was lost" in str(each.message) for each in told) == 1
    assert nodes[1].node_id in {each.place.node_id for each in started}
