"""Task samplers, as garage's: which task each of several environments works on next; see `taskworlds.compat.garage.samplers`."""

from taskworlds.compat.garage.samplers import (
    ConstructEnvsSampler,
    EnvPoolSampler,
    EnvUpdate,
    ExistingEnvUpdate,
    MetaWorldTaskSampler,
    NewEnvUpdate,
    SetTaskSampler,
    SetTaskUpdate,
    TaskSampler,
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
