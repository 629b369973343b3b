"""More than one machine: rollouts from workers that Ray runs, the same to the last bit as from one process.

`RaySampler` gives rollouts of a policy; docs/distributed.md goes from one machine to a cluster. A batch that is
stepped on workers is `taskworlds.make_vec(..., vector_strategy="ray")`, and `taskworlds.evaluate(..., workers=4)`
evaluates on them.

Importing this module does not load Ray; `RaySampler` does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from taskworlds.distributed.generators import RowGenerators
from taskworlds.distributed.rollout import Rollout
from taskworlds.workers.lost import WorkerLost

if TYPE_CHECKING:
    from taskworlds.distributed.sampler import RaySampler

__all__ = ["RaySampler", "Rollout", "RowGenerators", "WorkerLost"]


def __getattr__(name: str) -> Any:
    if name == "RaySampler":
        from taskworlds.distributed.sampler import RaySampler  # needs Ray, which is optional

        return RaySampler
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return list(__all__)
