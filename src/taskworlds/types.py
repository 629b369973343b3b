"""Type aliases for code that uses mtrl's vector environments, under mtrl's names."""

from taskworlds.compat.mtrl.types import (
    ActionType,
    ConfigType,
    EnvBuilderType,
    EnvIdToTaskMapType,
    EnvMetaDataType,
    EnvObsType,
    EnvsDictType,
    EnvType,
    ObsType,
    TaskObsType,
    TensorType,
)

__all__ = [
    "ActionType",
    "ConfigType",
    "EnvBuilderType",
    "EnvIdToTaskMapType",
    "EnvMetaDataType",
    "EnvObsType",
    "EnvType",
    "EnvsDictType",
    "ObsType",
    "TaskObsType",
    "TensorType",
]
