"""Multi-task and meta-RL environments behind one Gymnasium API, in which the task is a value.

Importing this package loads no simulator and reads no file: each public name is imported on first use.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

from taskworlds.core.version import __version__ as __version__

# Public name -> module that defines it; a submodule that is itself public stands for itself.
_PUBLIC = {
    "AntDirEnv": "taskworlds.compat.garage.locomotion",
    "AntGoalEnv": "taskworlds.compat.garage.locomotion",
    "Benchmark": "taskworlds.core.benchmark",
    "BenchmarkMaker": "taskworlds.core.world",
    "Comparison": "taskworlds.evaluation",
    "EnvSpec": "taskworlds.core.step",
    "EnvStep": "taskworlds.core.step",
    "GridWorldEnv": "taskworlds.worlds.small.grid_world",
    "GymEnv": "taskworlds.compat.garage.gym_env",
    "HalfCheetahDirEnv": "taskworlds.compat.garage.locomotion",
    "HalfCheetahVelEnv": "taskworlds.compat.garage.locomotion",
    "KEpisodeMetaworld": "taskworlds.compat.amago.k_episode",
    "MetaWorldSetTaskEnv": "taskworlds.compat.garage.metaworld_set_task",
    "MetaWorldVecEnv": "taskworlds.compat.mtrl.vec_env",
    "Metaworld": "taskworlds.compat.amago.k_episode",
    "MultiEnvWrapper": "taskworlds.compat.garage.multi_env",
    "NormalizedEnv": "taskworlds.compat.garage.normalize",
    "PointEnv": "taskworlds.worlds.small.point",
    "Pooled": "taskworlds.evaluation",
    "PythonRow": "taskworlds.rows.python_row",
    "Result": "taskworlds.evaluation",
    "RowEngine": "taskworlds.core.row_engine",
    "RunningStatistics": "taskworlds.compat.garage.running_statistics",
    "Skill": "taskworlds.worlds.metaworld.skill",
    "StepType": "taskworlds.core.step",
    "Task": "taskworlds.core.task",
    "TaskEnv": "taskworlds.vector.task_env",
    "TaskNameWrapper": "taskworlds.compat.garage.task_name",
    "TaskOnehotWrapper": "taskworlds.compat.garage.task_onehot",
    "TaskVectorEnv": "taskworlds.vector.task_vector_env",
    "VecEnv": "taskworlds.compat.mtrl.vec_env",
    "Walker2dRandParamsEnv": "taskworlds.compat.garage.locomotion",
    "World": "taskworlds.core.world",
    "benchmark": "taskworlds.core.benchmark",
    "build_dmcontrol_vec_env": "taskworlds.compat.mtrl.dmcontrol",
    "build_metaworld_vec_env": "taskworlds.compat.mtrl.metaworld",
    "check_skill": "taskworlds.testing.skill_checks",
    "compare": "taskworlds.evaluation",
    "continual": "taskworlds.continual",
    "control": "taskworlds.control",
    "distributed": "taskworlds.distributed",
    "evaluate": "taskworlds.evaluation",
    "make": "taskworlds.vector.make",
    "make_vec": "taskworlds.vector.make",
    "mended": "taskworlds.worlds.metaworld.variation",
    "normalize": "taskworlds.compat.garage.normalize",
    "pool": "taskworlds.evaluation",
    "register_engine": "taskworlds.core.registry",
    "register_once": "taskworlds.vector.gymnasium_ids",
    "register_skill": "taskworlds.worlds.metaworld.skills",
    "register_world": "taskworlds.core.registry",
    "round_robin_strategy": "taskworlds.compat.garage.multi_env",
    "samplers": "taskworlds.samplers",
    "testing": "taskworlds.testing",
    "types": "taskworlds.types",
    "uniform_random_strategy": "taskworlds.compat.garage.multi_env",
    "vary": "taskworlds.worlds.metaworld.variation",
    "videos": "taskworlds.videos",
}

__all__ = sorted([*_PUBLIC, "__version__"])


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'taskworlds' has no attribute {name!r}")
    module = importlib.import_module(_PUBLIC[name])
    value = module if _PUBLIC[name] == f"taskworlds.{name}" else getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)


# Gymnasium learns our ids: now if it is there already, else as soon as it is. Last, as this loads what installed
# packages register, and that may import names from here.
if "gymnasium" in sys.modules:
    from taskworlds.vector.gymnasium_ids import register_envs as _register_envs

    _register_envs()
else:
    import _taskworlds_gymnasium as _hook

    _hook.install()
