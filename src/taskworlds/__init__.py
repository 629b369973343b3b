"""Multi-task and meta-RL environments behind one Gymnasium API, in which the task is a value.

Importing this package loads no simulator and reads no file: each public name is imported on first use.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

__version__ = "0.1.0"

# Public name -> module that defines it; a submodule that is itself public stands for itself.
_PUBLIC = {
    "AntDirEnv": "taskworlds.envs.locomotion",
    "AntGoalEnv": "taskworlds.envs.locomotion",
    "Benchmark": "taskworlds.benchmarks",
    "EnvSpec": "taskworlds.step",
    "EnvStep": "taskworlds.step",
    "GridWorldEnv": "taskworlds.envs.grid_world",
    "GymEnv": "taskworlds.envs.gym_env",
    "HalfCheetahDirEnv": "taskworlds.envs.locomotion",
    "HalfCheetahVelEnv": "taskworlds.envs.locomotion",
    "KEpisodeMetaworld": "taskworlds.envs.k_episode",
    "MetaWorldSetTaskEnv": "taskworlds.envs.metaworld_set_task",
    "MetaWorldVecEnv": "taskworlds.vector.mtrl",
    "Metaworld": "taskworlds.envs.k_episode",
    "MultiEnvWrapper": "taskworlds.wrappers.multi_env",
    "NormalizedEnv": "taskworlds.wrappers.normalize",
    "PointEnv": "taskworlds.envs.point",
    "Result": "taskworlds.evaluation",
    "RunningStatistics": "taskworlds.wrappers.running_statistics",
    "Skill": "taskworlds.worlds.metaworld.skill",
    "StepType": "taskworlds.step",
    "Task": "taskworlds.task",
    "TaskNameWrapper": "taskworlds.wrappers.task_name",
    "TaskOnehotWrapper": "taskworlds.wrappers.task_onehot",
    "VecEnv": "taskworlds.vector.mtrl",
    "Walker2dRandParamsEnv": "taskworlds.envs.locomotion",
    "benchmark": "taskworlds.benchmarks",
    "build_dmcontrol_vec_env": "taskworlds.vector.mtrl_dmcontrol",
    "build_metaworld_vec_env": "taskworlds.vector.mtrl_metaworld",
    "check_skill": "taskworlds.worlds.metaworld.checking",
    "compare": "taskworlds.evaluation",
    "control": "taskworlds.control",
    "evaluate": "taskworlds.evaluation",
    "make": "taskworlds.vector.make",
    "make_vec": "taskworlds.vector.make",
    "normalize": "taskworlds.wrappers.normalize",
    "register_once": "taskworlds.registration",
    "register_skill": "taskworlds.worlds.metaworld.skills",
    "round_robin_strategy": "taskworlds.wrappers.multi_env",
    "samplers": "taskworlds.samplers",
    "types": "taskworlds.types",
    "uniform_random_strategy": "taskworlds.wrappers.multi_env",
}

__all__ = sorted([*_PUBLIC, "__version__"])


# Gymnasium learns our ids: now if it is there already, else as soon as it is.
if "gymnasium.envs" in sys.modules:
    from taskworlds.registration import register_envs as _register_envs

    _register_envs()
else:
    import _taskworlds_gymnasium as _taskworlds_gymnasium


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'taskworlds' has no attribute {name!r}")
    module = importlib.import_module(_PUBLIC[name])
    value = module if _PUBLIC[name] == f"taskworlds.{name}" else getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_PUBLIC})
