"""`make` and `make_vec`: environments from a benchmark's name, under Meta-World's keywords."""

from __future__ import annotations

import copy
import dataclasses
from typing import Any

from typing_extensions import Unpack

from taskworlds.core.benchmark import SPLITS, Benchmark, split_of_name
from taskworlds.core.errors import WrongType, WrongValue, check_choice, check_count, check_names, check_seed
from taskworlds.core.registry import benchmark_makers, list_makers, world_of
from taskworlds.core.task import Task
from taskworlds.vector.gymnasium_ids import spec_of
from taskworlds.vector.keywords import BenchmarkKeywords, MakeKeywords, documented
from taskworlds.vector.options import DEFAULTS, Options
from taskworlds.vector.task_env import TaskEnv
from taskworlds.vector.task_vector_env import TaskVectorEnv

__all__ = ["META_BATCH_SIZE", "make", "make_vec", "resolve"]

META_BATCH_SIZE = 20
"""Meta-World's number of rows for ML benchmarks: there are at least so many, and the skills divide them evenly."""

_BENCHMARK_KEYWORDS = tuple(BenchmarkKeywords.__annotations__)
_LISTS = ("envs_list", "train_envs", "test_envs")
_MAKE_KEYWORDS = frozenset({"split", "vector_strategy", "seed", "total_tasks_per_cls", *_BENCHMARK_KEYWORDS})
_MAKE_VEC_KEYWORDS = _MAKE_KEYWORDS | {"num_envs", "meta_batch_size"}


@documented(MakeKeywords, DEFAULTS)
def make(
    name: str | Benchmark | Any,
    *,
    split: str | None = None,
    vector_strategy: str | None = None,
    seed: int | None = 0,
    total_tasks_per_cls: int | None = None,
    **options: Unpack[MakeKeywords],
) -> TaskEnv:
    """Makes one environment over all tasks of a benchmark, one skill's or many's.

    Args:
        name: as for `make_vec`.
        split: as for `make_vec`.
        vector_strategy: as for `make_vec`.
        seed: as for `make_vec`.
        total_tasks_per_cls: as for `make_vec`.
        **options: what the benchmark can be told, and the choices of every environment.

    Returns:
        A Gymnasium environment.

    Example:
        >>> env = make("drawer-open-v3", seed=0, use_one_hot=True)
        >>> env.observation_space.shape, env.observation_space.dtype
        ((40,), dtype('float64'))
    """
    seed = None if seed is None else check_seed(seed)
    given_options = {
        key: check_names(key, value) if key in _LISTS and value is not None else value
        for key, value in options.items()
    }
    given = {"split": split, "vector_strategy": vector_strategy, "total_tasks_per_cls": total_tasks_per_cls}
    benchmark, split, chosen = resolve(
        "make", name, split, seed, total_tasks_per_cls, given_options, _MAKE_KEYWORDS
    )
    env = TaskEnv(benchmark, split, vector_strategy, chosen, seed)
    if isinstance(name, str) and seed is not None:  # then the name says it all, and fits into JSON
        kwargs = {key: value for key, value in (given | given_options).items() if value is not None}
        spec = copy.copy(env.spec)
        spec.kwargs = {"benchmark": name, "seed": seed} | kwargs
        env.spec = spec
    return env


@documented(MakeKeywords, DEFAULTS)
def make_vec(
    name: str | Benchmark | Any,
    num_envs: int | None = None,
    *,
    split: str | None = None,
    vector_strategy: str | None = None,
    seed: int | None = 0,
    meta_batch_size: int | None = None,
    total_tasks_per_cls: int | None = None,
    **options: Unpack[MakeKeywords],
) -> TaskVectorEnv:
    """Makes a batch of environments over the tasks of a benchmark.

    Meta-World's defaults depend on the benchmark and are kept: ML benchmarks choose tasks pseudorandomly, and end test
    episodes on success.

    Args:
        name: a benchmark's name ("MT10", "ML45-test", "custom-mt-envs"), a skill's name (MT1 of it), a
            `Benchmark`, one of Meta-World's own benchmark objects, a list of tasks, or the name of another
            world's benchmark ("half-cheetah-vel"). With `pad` also a list of all these, of any worlds, of which
            `Benchmark.union` makes a benchmark. A list of several worlds' skills that has a name ("MT80") is
            padded unless `pad` is False.
        num_envs: rows, over which the tasks are dealt evenly. None: one for each skill, with `group_size` a group, or
            for an ML benchmark `meta_batch_size`.
        split: "train" or "test"; None for what the name says, else "train".
        vector_strategy: the engine: "native" steps rows on threads; "sync" steps the official Python environments in
            this process, "async" each in a process of its own; "ray" has the world's best engine in processes that Ray
            runs. None: native where the world has it, as Meta-World does; else async, or sync for one row and for more
            than 16, or 4 for each processor. Other names are those of registered engines.
        seed: seed of the goals and of the rows, of any size: row i's generator is seeded with `seed + i`. None draws a
            random seed; then a seeded reset warns, once, that the tasks themselves are not fixed.
        meta_batch_size: Meta-World's name for `num_envs` in ML benchmarks. None: the smallest number from 20 on that is
            a multiple of the number of skills.
        total_tasks_per_cls: how many tasks of each skill to use, the first ones; None for all.
        **options: what the benchmark can be told, and the choices of every environment.

    Returns:
        A Gymnasium vector environment.

    Raises:
        TypeError: a keyword is not known, or does not fit the benchmark.
        ValueError: a name is not known, or a value is out of range.

    Example:
        >>> envs = make_vec("MT10", seed=0, use_one_hot=True)
        >>> envs.num_envs, envs.single_observation_space.shape
        (10, (49,))
    """
    seed = None if seed is None else check_seed(seed)
    benchmark, split, chosen = resolve(
        "make_vec", name, split, seed, total_tasks_per_cls, dict(options), _MAKE_VEC_KEYWORDS
    )
    if meta_batch_size is not None:
        meta_batch_size = check_count("meta_batch_size", meta_batch_size)
        if num_envs is not None and num_envs != meta_batch_size:
            raise WrongValue(
                f"num_envs={num_envs} and meta_batch_size={meta_batch_size} both set the number of rows: give only "
                "one of them."
            )
        num_envs = meta_batch_size
    if num_envs is None:
        skills = len(benchmark.groups(split)) * (chosen.group_size or 1)
        is_meta = benchmark.is_meta and not benchmark.members
        num_envs = -(-META_BATCH_SIZE // skills) * skills if is_meta else skills
    envs = TaskVectorEnv(benchmark, split, num_envs, vector_strategy, chosen, seed)
    # Gymnasium leaves the number out where it is 1, which would then mean the benchmark's own.
    rows = {"num_envs" if envs.num_envs > 1 else "meta_batch_size": envs.num_envs}
    kwargs = {"split": split, "vector_strategy": vector_strategy, "seed": seed} | dict(options)
    if isinstance(name, str) and seed is not None:  # then the name says it all, and fits into JSON
        kwargs |= {"benchmark": name, "total_tasks_per_cls": total_tasks_per_cls}
    else:
        kwargs |= {"benchmark": benchmark} | dict.fromkeys(_BENCHMARK_KEYWORDS)
    kwargs = {key: value for key, value in kwargs.items() if value is not None or key == "seed"}
    envs.spec = spec_of(benchmark.name, kwargs | rows)
    return envs


def resolve(
    function: str,
    name: Any,
    split: str | None,
    seed: int | None,
    total_tasks_per_cls: int | None,
    options: dict[str, Any],
    keywords: frozenset[str] = _MAKE_VEC_KEYWORDS,
) -> tuple[Benchmark, str, Options]:
    """Returns the benchmark, its split, and the options with Meta-World's defaults for that split.

    Args:
        function: the name of the function that was called, for messages.
        name: as for `make_vec`.
        split: as for `make_vec`.
        seed: as for `make_vec`.
        total_tasks_per_cls: as for `make_vec`.
        options: the keywords of the benchmark and of `Options`.
        keywords: the other keywords that the function takes, for messages.
    """
    how = {keyword: value for keyword, value in options.items() if keyword in _BENCHMARK_KEYWORDS}
    options = {keyword: value for keyword, value in options.items() if keyword not in how}
    if isinstance(name, str):
        name, split = split_of_name(name, split)
        how["seed"] = seed
        if name in list_makers():
            options = {"pad": True} | options  # which its skills, of several worlds, need
        benchmark = Benchmark.of(name, **how)
    elif options.get("pad") and isinstance(name, list | tuple) and not all(isinstance(x, Task) for x in name):
        if how:
            raise WrongType(f"{', '.join(how)} can only be given with one benchmark's name, not with a list.")
        benchmark = Benchmark.union("union", name, seed=seed)
    else:
        benchmark = Benchmark.of(name, **how)
    if split is None:
        split = "train" if benchmark.train_tasks else "test"
    check_choice("split", split, SPLITS)
    if total_tasks_per_cls is not None:
        benchmark = _first_of_each(benchmark, split, check_count("total_tasks_per_cls", total_tasks_per_cls))
    has_success = all(world_of(name).has_success for name in benchmark.env_names(split))
    _, maker = benchmark_makers().get(benchmark.name, (None, None))
    has_meta_defaults = options.get("protocol") is None and (maker is None or maker.has_meta_defaults)
    if benchmark.is_meta and has_success and has_meta_defaults:
        selects = {} if options.get("curriculum") is not None else {"task_select": "pseudorandom"}
        options = selects | {"terminate_on_success": split == "test"} | options
    return benchmark, split, Options.of(function, options, keywords)


def _first_of_each(benchmark: Benchmark, split: str, count: int) -> Benchmark:
    if benchmark.members:
        parts = [
            _first_of_each(each, split, count)
            if (each.train_tasks if split == "train" else each.test_tasks)
            else each
            for each in benchmark.apart()
        ]
        shares = [each.share for each in benchmark.members if each.share is not None]
        made = Benchmark.union(benchmark.name, parts, shares=shares or None)
        return dataclasses.replace(made, from_entropy=benchmark.from_entropy)
    firsts = [group[:count] for group in benchmark.groups(split)]
    kept = tuple(task for group in firsts for task in group)
    if split == "test":
        return dataclasses.replace(benchmark, test_tasks=kept)
    lists = tuple(len(group) for group in firsts) if benchmark.lists else ()
    return dataclasses.replace(benchmark, train_tasks=kept, lists=lists)
