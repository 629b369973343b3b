"""Task samplers, under garage's names: which task each of several environments works on next."""

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
