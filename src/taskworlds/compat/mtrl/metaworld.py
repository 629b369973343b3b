"""mtrl's `build_metaworld_vec_env`: one environment for each skill of a Meta-World benchmark."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode

from taskworlds.compat.mtrl.config import entries, entry, first, plain
from taskworlds.compat.mtrl.types import ConfigType
from taskworlds.compat.mtrl.vec_env import MetaWorldVecEnv
from taskworlds.core.benchmark import Benchmark
from taskworlds.core.benchmark import benchmark as make_benchmark
from taskworlds.core.errors import WrongType, WrongValue, check_count, check_seed, check_switch
from taskworlds.core.registry import world_of
from taskworlds.core.task import Task
from taskworlds.vector.make import make
from taskworlds.worlds.metaworld.skills import canonical_name

__all__ = ["build_metaworld_vec_env"]


def build_metaworld_vec_env(
    config: ConfigType,
    benchmark: Benchmark | Any | None,
    mode: str,
    env_id_to_task_map: Mapping[str, Any] | None = None,
    *,
    seed: int | None = None,
    max_episode_steps: int | None = None,
    should_perform_reward_normalization: bool | None = None,
    context: str | None = "spawn",
    shared_memory: bool = True,
    tensor: str = "numpy",
    autoreset_mode: str | AutoresetMode = AutoresetMode.SAME_STEP,
) -> tuple[MetaWorldVecEnv, Mapping[str, Any]]:
    """Makes one environment for each skill of a Meta-World benchmark, each with one goal.

    The goals are chosen once, by a generator of this call. The map that is returned says which they are; passed to
    another call it fixes them, so that evaluation can have the goals of training.

    These entries of the configuration are read. All may be missing, and a keyword takes precedence over its entry:

    - `env.benchmark`: read only if `benchmark` is None. Its `_target_` is "metaworld.MT10" or another of Meta-World's
      benchmarks, or "taskworlds.benchmark"; its other entries are keywords of `taskworlds.benchmark`, such as
      `env_name` for MT1.
    - `env.num_envs`: must be the number of skills to train on.
    - `env.ordered_task_list`: the skills to train on, in the order of the environments.
    - `env.should_perform_reward_normalization`: whether each environment divides its rewards by their exponentially
      weighted running deviation; True if missing. Also read from `env.builder.make_kwargs`.
    - `env.max_episode_steps`: 500 if missing. Also read from `env.builder.make_kwargs`.
    - `env.builder.make_kwargs`: all other entries are keywords of `taskworlds.make`.
    - `env.seed`, `seed`, `setup.seed`: the first one that exists decides the goals.

    Args:
        config: mtrl's configuration, or its group `env` alone: an OmegaConf `DictConfig`, a dictionary, or an
            object with attributes.
        benchmark: ours or one of Meta-World's own; None to make the one that `config` names, with its seed. (Hydra's
            `instantiate(config.env.benchmark)` makes one that does not know `config.setup.seed`.)
        mode: the mode of all environments. "test", also dotted as in "test.easy", selects the test skills of a
            meta-learning benchmark; every other mode selects the train skills.
        env_id_to_task_map: a task for each skill: a `Task`, one of Meta-World's own, or a task's JSON.
        seed: decides the goals. None for the seed in `config`, or else the benchmark's own, or else 0.
        max_episode_steps: steps after which an episode is truncated. mtrl's experiments use 150.
        should_perform_reward_normalization: whether rewards are normalized.
        context: how processes start. "spawn" is safe with all simulators and threads; it needs the code of the script
            to be under `if __name__ == "__main__":`.
        shared_memory: as for `VecEnv`.
        tensor: as for `VecEnv`.
        autoreset_mode: as for `VecEnv`.

    Returns:
        The environments, with the ids 0 ... n - 1, and the task of each skill: the map that was given itself, or a new
        dictionary in the environments' order.

    Raises:
        TypeError: an argument or an entry of the configuration has the wrong type.
        ValueError: an entry does not fit the benchmark, or the map's skills are not the benchmark's.

    Example:
        >>> config = {"env": {"benchmark": {"_target_": "metaworld.MT1", "env_name": "reach-v3"}}}
        >>> envs, tasks = build_metaworld_vec_env(config, None, "train", seed=0)
        >>> list(tasks), envs.ids, envs.mode, envs.observation_space["env_obs"].shape
        (['reach-v3'], [0], ['train'], (1, 39))
        >>> envs.close()
    """
    if config is None or isinstance(config, str | Sequence):
        raise WrongType(
            f"config must be a DictConfig, a dictionary or an object with attributes, not {config!r}.",
            argument="config",
        )
    if not isinstance(mode, str):
        raise WrongType(f"mode must be a string, one for all environments, not {mode!r}.", argument="mode")
    group = entry(config, "env") or config
    seed = first(seed, entry(group, "seed"), entry(config, "seed"), entry(config, "setup", "seed"))
    if seed is not None:
        seed = check_seed(seed)
    benchmark = _named_benchmark(group, seed) if benchmark is None else Benchmark.of(benchmark)
    if benchmark.test_tasks and (mode.split(".")[0] == "test" or not benchmark.train_tasks):
        split, skills = "test", benchmark.env_names("test")
    else:
        split, skills = "train", _train_skills(group, benchmark)
    if env_id_to_task_map is None:
        chosen = _choose_tasks(benchmark.by_skill(split), first(seed, benchmark.seed, 0))
        tasks = {name: chosen[name] for name in skills}
        env_id_to_task_map = tasks
    else:
        tasks = _tasks_of_map(env_id_to_task_map, skills)

    options = entries(entry(group, "builder", "make_kwargs"))
    normalizes = first(
        should_perform_reward_normalization,
        options.pop("should_perform_reward_normalization", None),
        entry(group, "should_perform_reward_normalization"),
        True,
    )
    if check_switch("should_perform_reward_normalization", normalizes):
        options.setdefault("reward_normalization_method", "exponential")
    options["max_episode_steps"] = first(
        max_episode_steps, options.get("max_episode_steps"), entry(group, "max_episode_steps")
    )
    envs = MetaWorldVecEnv(
        {"ids": list(range(len(skills))), "mode": [mode] * len(skills)},
        [functools.partial(make, [tasks[name]], **options) for name in skills],
        shared_memory=shared_memory,
        context=context,
        tensor=tensor,
        autoreset_mode=autoreset_mode,
    )
    return envs, env_id_to_task_map


def _named_benchmark(group: Any, seed: int | None) -> Benchmark:
    """Makes the benchmark that the configuration's group `env` names."""
    keywords = entries(entry(group, "benchmark"))
    target = keywords.get("_target_")
    if not isinstance(target, str):
        raise WrongValue(
            "benchmark must be given, or else named in the configuration: env.benchmark._target_ must be a name "
            f'such as "metaworld.MT10", not {target!r}.',
            argument="benchmark",
        )
    keywords = {name: value for name, value in keywords.items() if not name.startswith("_")}  # Hydra's own
    if target != "taskworlds.benchmark":
        keywords["name"] = target.removeprefix("metaworld.")
    keywords["seed"] = first(keywords.get("seed"), seed, 0)
    return make_benchmark(**keywords)


def _train_skills(group: Any, benchmark: Benchmark) -> list[str]:
    """Returns the skills to train on, in the order of the configuration."""
    skills = benchmark.env_names("train")
    num_envs = entry(group, "num_envs")
    if num_envs is not None and check_count("num_envs", num_envs) != len(skills):
        raise WrongValue(
            f"num_envs must be {len(skills)} in the configuration, one environment for each skill of "
            f"{benchmark.name}, not {num_envs}.",
            argument="num_envs",
        )
    order = entry(group, "ordered_task_list")
    if order is None:
        return skills
    if isinstance(order, str) or not isinstance(order, Sequence):
        raise WrongType(
            f"ordered_task_list must be a list of skill names, not {order!r}.", argument="ordered_task_list"
        )
    names = [canonical_name(name) for name in order]
    if sorted(names) != sorted(skills):
        raise WrongValue(
            f"ordered_task_list must name each skill of {benchmark.name} once, {', '.join(skills)}, "
            f"but it is {', '.join(names) or 'empty'}.",
            argument="ordered_task_list",
        )
    return names


def _choose_tasks(by_skill: Mapping[str, Sequence[Task]], seed: int | None) -> dict[str, Task]:
    """Chooses one task of each skill."""
    rng = np.random.default_rng(seed)
    return {name: tasks[int(rng.integers(len(tasks)))] for name, tasks in by_skill.items()}


def _tasks_of_map(tasks: Mapping[str, Any], skills: Sequence[str]) -> dict[str, Task]:
    """Returns the tasks of an `env_id_to_task_map`, checked."""
    if not isinstance(tasks, Mapping):
        raise WrongType(
            f"env_id_to_task_map must be a dictionary of a task for each skill, not {tasks!r}.",
            argument="env_id_to_task_map",
        )
    if set(tasks) != set(skills):
        missing = ", ".join(name for name in skills if name not in tasks) or "none"
        extra = ", ".join(str(name) for name in tasks if name not in skills) or "none"
        raise WrongValue(
            f"env_id_to_task_map must have a task for each of the {len(skills)} skills and no other; "
            f"missing: {missing}; too many: {extra}.",
            argument="env_id_to_task_map",
        )
    found = {}
    for name, value in tasks.items():
        task = Task.from_json(json.dumps(plain(value))) if isinstance(value, Mapping) else value
        task = Task.from_json(task) if isinstance(task, str) else Task.of(task)
        if task.env_name != name:
            raise WrongValue(
                f"env_id_to_task_map[{name!r}] must be a task of {name}, not of {task.env_name}."
            )
        world_of(name).check_task(task)
        found[name] = task
    return found
