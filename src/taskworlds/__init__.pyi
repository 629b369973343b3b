"""What type checkers see: the public names, each from its module. tests/test_typing.py holds it to `__all__`."""

from taskworlds import continual as continual
from taskworlds import control as control
from taskworlds import distributed as distributed
from taskworlds import samplers as samplers
from taskworlds import testing as testing
from taskworlds import types as types
from taskworlds import videos as videos
from taskworlds.compat.amago.k_episode import KEpisodeMetaworld as KEpisodeMetaworld
from taskworlds.compat.amago.k_episode import Metaworld as Metaworld
from taskworlds.compat.garage.gym_env import GymEnv as GymEnv
from taskworlds.compat.garage.locomotion import AntDirEnv as AntDirEnv
from taskworlds.compat.garage.locomotion import AntGoalEnv as AntGoalEnv
from taskworlds.compat.garage.locomotion import HalfCheetahDirEnv as HalfCheetahDirEnv
from taskworlds.compat.garage.locomotion import HalfCheetahVelEnv as HalfCheetahVelEnv
from taskworlds.compat.garage.locomotion import Walker2dRandParamsEnv as Walker2dRandParamsEnv
from taskworlds.compat.garage.metaworld_set_task import MetaWorldSetTaskEnv as MetaWorldSetTaskEnv
from taskworlds.compat.garage.multi_env import MultiEnvWrapper as MultiEnvWrapper
from taskworlds.compat.garage.multi_env import round_robin_strategy as round_robin_strategy
from taskworlds.compat.garage.multi_env import uniform_random_strategy as uniform_random_strategy
from taskworlds.compat.garage.normalize import NormalizedEnv as NormalizedEnv
from taskworlds.compat.garage.normalize import normalize as normalize
from taskworlds.compat.garage.running_statistics import RunningStatistics as RunningStatistics
from taskworlds.compat.garage.task_name import TaskNameWrapper as TaskNameWrapper
from taskworlds.compat.garage.task_onehot import TaskOnehotWrapper as TaskOnehotWrapper
from taskworlds.compat.mtrl.dmcontrol import build_dmcontrol_vec_env as build_dmcontrol_vec_env
from taskworlds.compat.mtrl.metaworld import build_metaworld_vec_env as build_metaworld_vec_env
from taskworlds.compat.mtrl.vec_env import MetaWorldVecEnv as MetaWorldVecEnv
from taskworlds.compat.mtrl.vec_env import VecEnv as VecEnv
from taskworlds.core.benchmark import Benchmark as Benchmark
from taskworlds.core.benchmark import benchmark as benchmark
from taskworlds.core.registry import register_engine as register_engine
from taskworlds.core.registry import register_world as register_world
from taskworlds.core.row_engine import RowEngine as RowEngine
from taskworlds.core.step import EnvSpec as EnvSpec
from taskworlds.core.step import EnvStep as EnvStep
from taskworlds.core.step import StepType as StepType
from taskworlds.core.task import Task as Task
from taskworlds.core.version import __version__ as __version__
from taskworlds.core.world import BenchmarkMaker as BenchmarkMaker
from taskworlds.core.world import World as World
from taskworlds.evaluation import Comparison as Comparison
from taskworlds.evaluation import Pooled as Pooled
from taskworlds.evaluation import Result as Result
from taskworlds.evaluation import compare as compare
from taskworlds.evaluation import evaluate as evaluate
from taskworlds.evaluation import pool as pool
from taskworlds.rows.python_row import PythonRow as PythonRow
from taskworlds.testing.skill_checks import check_skill as check_skill
from taskworlds.vector.gymnasium_ids import register_once as register_once
from taskworlds.vector.make import make as make
from taskworlds.vector.make import make_vec as make_vec
from taskworlds.vector.task_env import TaskEnv as TaskEnv
from taskworlds.vector.task_vector_env import TaskVectorEnv as TaskVectorEnv
from taskworlds.worlds.metaworld.skill import Skill as Skill
from taskworlds.worlds.metaworld.skills import register_skill as register_skill
from taskworlds.worlds.metaworld.variation import mended as mended
from taskworlds.worlds.metaworld.variation import vary as vary
from taskworlds.worlds.small.grid_world import GridWorldEnv as GridWorldEnv
from taskworlds.worlds.small.point import PointEnv as PointEnv

__all__ = [
    "AntDirEnv",
    "AntGoalEnv",
    "Benchmark",
    "BenchmarkMaker",
    "Comparison",
    "EnvSpec",
    "EnvStep",
    "GridWorldEnv",
    "GymEnv",
    "HalfCheetahDirEnv",
    "HalfCheetahVelEnv",
    "KEpisodeMetaworld",
    "MetaWorldSetTaskEnv",
    "MetaWorldVecEnv",
    "Metaworld",
    "MultiEnvWrapper",
    "NormalizedEnv",
    "PointEnv",
    "Pooled",
    "PythonRow",
    "Result",
    "RowEngine",
    "RunningStatistics",
    "Skill",
    "StepType",
    "Task",
    "TaskEnv",
    "TaskNameWrapper",
    "TaskOnehotWrapper",
    "TaskVectorEnv",
    "VecEnv",
    "Walker2dRandParamsEnv",
    "World",
    "__version__",
    "benchmark",
    "build_dmcontrol_vec_env",
    "build_metaworld_vec_env",
    "check_skill",
    "compare",
    "continual",
    "control",
    "distributed",
    "evaluate",
    "make",
    "make_vec",
    "mended",
    "normalize",
    "pool",
    "register_engine",
    "register_once",
    "register_skill",
    "register_world",
    "round_robin_strategy",
    "samplers",
    "testing",
    "types",
    "uniform_random_strategy",
    "vary",
    "videos",
]
