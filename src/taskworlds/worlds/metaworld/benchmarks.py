"""Meta-World's benchmarks: what makes their tasks, with the official goals of a seed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from taskworlds.core.errors import WrongValue
from taskworlds.core.task import Task
from taskworlds.core.world import BenchmarkMaker, Tasks
from taskworlds.worlds.metaworld.benchmark_lists import ENV_NAMES, NUM_GOALS
from taskworlds.worlds.metaworld.goals import draw_goals
from taskworlds.worlds.metaworld.robust import physical, visual
from taskworlds.worlds.metaworld.skills import canonical_name

__all__ = ["BENCHMARKS"]


def _tasks(env_names: Sequence[str], seed: int, num_goals: int | None, hidden: bool) -> tuple[Task, ...]:
    goals = draw_goals(env_names, seed, NUM_GOALS if num_goals is None else num_goals)
    return tuple(
        Task(name, {"rand_vec": goal, "partially_observable": hidden})
        for name, vectors in goals.items()
        for goal in vectors.tolist()
    )


def _listed(name: str, seed: int, num_goals: int | None) -> Tasks:
    """MT10 and the like: the train and the test skills are drawn apart, each from the seed."""
    train, test = ENV_NAMES[name]
    hidden = bool(test)
    return _tasks(train, seed, num_goals, hidden), _tasks(test, seed, num_goals, hidden)


def _mt1(seed: int, num_goals: int | None, env_name: str) -> Tasks:
    return _tasks([canonical_name(env_name)], seed, num_goals, hidden=False), ()


def _ml1(seed: int, num_goals: int | None, env_name: str) -> Tasks:
    """The test tasks are drawn from the next seed."""
    names = [canonical_name(env_name)]
    return _tasks(names, seed, num_goals, hidden=True), _tasks(names, seed + 1, num_goals, hidden=True)


def _custom_mt(seed: int, num_goals: int | None, envs_list: Sequence[str]) -> Tasks:
    """Skill i has the goals of MT1 with seed + i, also where it is named several times."""
    names = _skill_list("envs_list", envs_list)
    drawn = [_tasks([name], seed + i, num_goals, hidden=False) for i, name in enumerate(names)]
    return tuple(task for tasks in drawn for task in tasks), ()


def _custom_ml(
    seed: int, num_goals: int | None, train_envs: Sequence[str], test_envs: Sequence[str]
) -> Tasks:
    """A skill that is named several times counts once."""
    train, test = (
        list(dict.fromkeys(_skill_list(*named)))
        for named in (("train_envs", train_envs), ("test_envs", test_envs))
    )
    both = sorted(set(train) & set(test))
    if both:
        raise WrongValue(
            f"test_envs must share no skill with train_envs, but {', '.join(both)} is in both.",
            argument="test_envs",
        )
    return _tasks(train, seed, num_goals, hidden=True), _tasks(test, seed, num_goals, hidden=True)


def _skill_list(argument: str, names: Sequence[str]) -> list[str]:
    """Returns the names of skills that the caller listed, at least one."""
    if not names:
        raise WrongValue(
            f"{argument} must name at least one skill. `taskworlds list skills` shows all 50.",
            argument=argument,
        )
    return [canonical_name(name) for name in names]


def _robust(tasks: Callable[[int, int | None], Tasks], summary: str) -> BenchmarkMaker:
    return BenchmarkMaker(
        tasks,
        train_skills=ENV_NAMES["MT10"].train,
        test_skills=(),
        summary=summary,
        is_variant=True,
    )


def _of_lists(name: str) -> BenchmarkMaker:
    train, test = ENV_NAMES[name]
    return BenchmarkMaker(
        partial(_listed, name),
        has_test=bool(test),
        train_skills=train,
        test_skills=test,
        num_goals=NUM_GOALS,
    )


BENCHMARKS = {
    "MT1": BenchmarkMaker(_mt1, keywords=("env_name",), test_skills=(), num_goals=NUM_GOALS),
    **{name: _of_lists(name) for name in ("MT10", "MT25", "MT50")},
    "MT10-robust": _robust(
        physical, "MT10 with friction, mass, damping and size changed, in three strengths"
    ),
    "MT10-robust-pixels": _robust(visual, "MT10 with colours, light and cameras changed, in three strengths"),
    "ML1": BenchmarkMaker(_ml1, keywords=("env_name",), has_test=True, num_goals=NUM_GOALS),
    **{name: _of_lists(name) for name in ("ML10", "ML25", "ML45")},
    "custom-mt-envs": BenchmarkMaker(
        _custom_mt, keywords=("envs_list",), test_skills=(), num_goals=NUM_GOALS
    ),
    "custom-ml-envs": BenchmarkMaker(
        _custom_ml,
        keywords=("train_envs", "test_envs"),
        has_test=True,
        num_goals=NUM_GOALS,
        has_meta_defaults=False,
    ),
}
