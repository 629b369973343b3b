"""Task samplers: which task each of several environments works on next.

A sampler returns a list of updates, one for each environment. An update is a small value that can be sent to the
process of the environment, where it is called with the previous environment: `env = update(env)`.
"""

from taskworlds.compat.garage.samplers.metaworld import MetaWorldTaskSampler
from taskworlds.compat.garage.samplers.task_samplers import (
    ConstructEnvsSampler,
    EnvPoolSampler,
    SetTaskSampler,
    TaskSampler,
)
from taskworlds.compat.garage.samplers.updates import (
    EnvUpdate,
    ExistingEnvUpdate,
    NewEnvUpdate,
    SetTaskUpdate,
)
from taskworlds.core.draws import sample_indices, sample_without_replacement

__all__ = [
    "ConstructEnvsSampler",
    "EnvPoolSampler",
    "EnvUpdate",
    "ExistingEnvUpdate",
    "MetaWorldTaskSampler",
    "NewEnvUpdate",
    "SetTaskSampler",
    "SetTaskUpdate",
    "TaskSampler",
    "sample_indices",
    "sample_without_replacement",
]
