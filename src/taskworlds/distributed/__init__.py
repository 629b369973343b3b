"""More than one machine: rollouts from workers that Ray runs, the same to the last bit as from one process.

`RaySampler` gives rollouts of a policy; docs/distributed.md goes from one machine to a cluster. A batch that is stepped
on workers is `taskworlds.make_vec(..., vector_strategy="ray")`, and `taskworlds.evaluate(..., workers=4)` evaluates on
them.
"""

from __future__ import annotations

from taskworlds.distributed.generators import RowGenerators
from taskworlds.distributed.rollout import Rollout
from taskworlds.distributed.sampler import RaySampler
from taskworlds.workers.worker import WorkerLost

__all__ = ["RaySampler", "Rollout", "RowGenerators", "WorkerLost"]
