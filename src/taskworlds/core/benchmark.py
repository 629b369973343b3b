"""Benchmarks as data: named lists of train and test tasks, made from a seed, with no environment built."""

from __future__ import annotations

import functools
import hashlib
import itertools
import json
import reprlib
import warnings
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from taskworlds.core import json_text
from taskworlds.core.errors import (
    WrongType,
    WrongValue,
    check_choice,
    check_count,
    check_known,
    check_names,
    check_seed,
    check_switch,
)
from taskworlds.core.members import Member, check_shares
from taskworlds.core.other_names import not_a_benchmark
from taskworlds.core.reference import resolve
from taskworlds.core.registry import benchmark_makers, list_makers, world_of, worlds
from taskworlds.core.task import Task, by_skill

__all__ = ["SPLITS", "Benchmark", "benchmark", "entropy", "split_of_name", "warn_of_entropy"]

SPLITS = ("train", "test")
_FORMAT = "taskworlds-benchmark/2"
_UNSEALED = "taskworlds-benchmark/1"  # earlier files, which have no checksum

# By name, as in the record of a world: only a user calls it, and nothing here needs it.
_MAKE = "taskworlds.vector.make:make"


@dataclass(frozen=True)
class Benchmark:
    """Train and test tasks under one name.

    Has the attributes of Meta-World's benchmarks (`train_tasks`, `test_tasks`, `train_classes`,
    `test_classes`), so code written for those works with this. Frozen; two benchmarks are equal if their
    tasks are.

    Args:
        name: the benchmark, for reports.
        train_tasks: tasks to train on.
        test_tasks: tasks to test on, none in a multi-task benchmark.
        seed: the seed that the goals were drawn from; None if they were not drawn from one.
        lists: where a skill is named several times, how many of the train tasks each of the names has, in order: each
            has its own rows and its own index in the one-hot, as in Meta-World's custom-mt-envs. (): one list a skill.
        from_entropy: whether that seed was drawn at random, so that another run has other tasks. It is not saved: a
            benchmark in a file is as fixed as any other.
        members: of what it was put together, see `union`; () where it was not.

    Raises:
        TypeError: the name is not a string, the seed is not a whole number, or a task is not one.
        ValueError: there are no tasks at all, a task cannot be run, or the lists or members do not fit the tasks.

    Example:
        >>> ml10 = benchmark("ML10", seed=0)
        >>> len(ml10.train_tasks), len(ml10.test_tasks), ml10.env_names("test")[0]
        (500, 250, 'drawer-open-v3')
        >>> Benchmark.from_json(ml10.to_json()) == ml10
        True
    """

    name: str
    train_tasks: tuple[Task, ...]
    test_tasks: tuple[Task, ...] = ()
    seed: int | None = None
    lists: tuple[int, ...] = ()
    from_entropy: bool = field(default=False, kw_only=True)
    members: tuple[Member, ...] = field(default=(), kw_only=True)

    def __post_init__(self) -> None:
        if not isinstance(self.name, str):
            raise WrongType(f"name must be a string, not {self.name!r}.", argument="name")
        if self.seed is not None:
            object.__setattr__(self, "seed", check_seed(self.seed))
        for split in SPLITS:
            tasks = tuple(Task.of(task) for task in getattr(self, f"{split}_tasks"))
            for task in tasks:
                world_of(task.env_name).check_task(task)
            object.__setattr__(self, f"{split}_tasks", tasks)
        if not self.train_tasks and not self.test_tasks:
            raise WrongValue(f"The benchmark {self.name!r} must have at least one task.")
        object.__setattr__(self, "lists", tuple(check_count("lists", count) for count in self.lists))
        if self.lists and sum(self.lists) != len(self.train_tasks):
            raise WrongValue(
                f"lists must name the {len(self.train_tasks)} train tasks, each once, not {sum(self.lists)}.",
                argument="lists",
            )
        counts = [sum(getattr(each, f"num_{split}") for each in self.members) for split in SPLITS]
        if self.members and (counts != [len(self.train_tasks), len(self.test_tasks)] or self.lists):
            raise WrongValue(
                f"members must have the {len(self.train_tasks)} train and {len(self.test_tasks)} test tasks, each "
                f"once, and lists of their own, not {counts[0]} and {counts[1]}.",
                argument="members",
            )

    def tasks(self, split: str = "train") -> tuple[Task, ...]:
        """Returns the tasks of a split.

        Args:
            split: "train" or "test".

        Raises:
            ValueError: `split` is neither "train" nor "test", or the benchmark has no tasks there.
        """
        check_choice("split", split, SPLITS)
        tasks = self.train_tasks if split == "train" else self.test_tasks
        if not tasks:
            other = "train" if split == "test" else "test"
            raise WrongValue(
                f"{self.name} has no {split} tasks; its tasks are in split={other!r}.", argument="split"
            )
        return tasks

    def env_names(self, split: str = "train") -> list[str]:
        """Returns the names of a split's skills in the benchmark's order, which is also that of a one-hot.

        Args:
            split: "train" or "test".

        Raises:
            ValueError: as for `tasks`.
        """
        return list(self.by_skill(split))

    def by_skill(self, split: str = "train") -> dict[str, tuple[Task, ...]]:
        """Returns a split's tasks by the name of their skill, in the benchmark's order.

        Args:
            split: "train" or "test".

        Raises:
            ValueError: as for `tasks`.

        Example:
            >>> {name: len(tasks) for name, tasks in benchmark("ML1", "reach-v3", seed=0).by_skill("test").items()}
            {'reach-v3': 50}
        """
        return by_skill(self.tasks(split), lambda task: task.env_name)

    def groups(self, split: str = "train") -> tuple[tuple[Task, ...], ...]:
        """Returns the tasks that rows are dealt: those of each skill, or of each of `lists`.

        Args:
            split: "train" or "test".

        Raises:
            ValueError: as for `tasks`.
        """
        if split == "train" and any(member.lists for member in self.members):
            return tuple(group for each in self.apart() if each.train_tasks for group in each.groups())
        if split != "train" or not self.lists:
            return tuple(self.by_skill(split).values())
        ends = list(itertools.accumulate(self.lists))
        return tuple(self.train_tasks[end - count : end] for count, end in zip(self.lists, ends, strict=True))

    def apart(self) -> tuple[Benchmark, ...]:
        """Returns the benchmarks that `union` put together; the benchmark itself where it did not."""
        if not self.members:
            return (self,)
        made, train, test = [], 0, 0
        for each in self.members:
            tasks = (
                self.train_tasks[train : train + each.num_train],
                self.test_tasks[test : test + each.num_test],
            )
            train, test = train + each.num_train, test + each.num_test
            made.append(Benchmark(each.name, *tasks, self.seed, each.lists, from_entropy=self.from_entropy))
        return tuple(made)

    @property
    def is_meta(self) -> bool:
        """Whether this is a meta-learning benchmark: one with tasks kept apart for the test."""
        return bool(self.test_tasks)

    @property
    def train_classes(self) -> OrderedDict[str, Callable[..., Any]]:
        """By the names of the skills, in order, what makes a single environment. Call it, then `set_task`."""
        return self._classes("train")

    @property
    def test_classes(self) -> OrderedDict[str, Callable[..., Any]]:
        """As `train_classes`, for the test tasks; empty in a multi-task benchmark."""
        return self._classes("test")

    def _classes(self, split: str) -> OrderedDict[str, Callable[..., Any]]:
        tasks = self.train_tasks if split == "train" else self.test_tasks
        names = dict.fromkeys(task.env_name for task in tasks)
        return OrderedDict((name, functools.partial(_make_of_one_skill, self, name, split)) for name in names)

    def only(self, env_name: str, split: str = "train") -> Benchmark:
        """Returns the benchmark of one skill's tasks, taken from one split.

        Args:
            env_name: the skill.
            split: "train" or "test".

        Raises:
            ValueError: the split does not have the skill; or as for `tasks`.
        """
        known = self.env_names(split)
        check_known("skill", env_name, known, f"{self.name} has these {split} skills: {', '.join(known)}.")
        tasks = self.by_skill(split)[env_name]
        train, test = (tasks, ()) if split == "train" else ((), tasks)
        return Benchmark(f"{self.name}/{env_name}", train, test, self.seed, from_entropy=self.from_entropy)

    @functools.cached_property
    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits that depend on the train and test tasks and their order alone."""
        text = json.dumps(
            [[task.to_json() for task in tasks] for tasks in (self.train_tasks, self.test_tasks)]
        )
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Benchmark):
            return NotImplemented
        return (self.train_tasks, self.test_tasks, self.lists, self.members) == (
            other.train_tasks,
            other.test_tasks,
            other.lists,
            other.members,
        )

    def __hash__(self) -> int:
        return hash(self.fingerprint)

    def __repr__(self) -> str:
        return (
            f"Benchmark({self.name!r}, {len(self.train_tasks)} train and {len(self.test_tasks)} test tasks, "
            f"seed={self.seed}, fingerprint={self.fingerprint!r})"
        )

    def to_json(self) -> str:
        """Returns the benchmark as JSON, every task with every float exact."""
        data = {
            "format": _FORMAT,
            "name": self.name,
            "seed": self.seed,
            "train_tasks": [json.loads(task.to_json()) for task in self.train_tasks],
            "test_tasks": [json.loads(task.to_json()) for task in self.test_tasks],
        }
        if self.lists:
            data["lists"] = list(self.lists)
        if self.members:
            data["members"] = [each.to_dict() for each in self.members]
        return json.dumps(json_text.seal(data), allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Benchmark:
        """Makes a benchmark from the text that `to_json` returned.

        Args:
            text: the JSON.

        Raises:
            ValueError: the text is not a benchmark's, is cut off or changed, or its tasks cannot be run.
        """
        data = json_text.parse(text, "a benchmark's JSON")
        if not isinstance(data, dict) or data.get("format") not in (_FORMAT, _UNSEALED):
            raise WrongValue(
                f"Expected a benchmark's JSON with format {_FORMAT!r}, not {reprlib.repr(data)}."
            )
        missing = sorted({"name", "seed", "train_tasks", "test_tasks"} - set(data))
        if missing:
            raise WrongValue(f"This is only a part of a benchmark's JSON: it has no {', '.join(missing)}.")
        try:
            train, test = (tuple(map(Task.from_dict, data[f"{split}_tasks"])) for split in SPLITS)
            members = tuple(map(Member.from_dict, data.get("members", ())))
            made = cls(data["name"], train, test, data["seed"], tuple(data.get("lists", ())), members=members)
        except (KeyError, TypeError) as error:
            raise WrongValue(f"This benchmark's JSON is damaged: {error}") from None
        if data["format"] == _FORMAT:
            json_text.check_seal(data, "This benchmark's JSON")
        return made

    @classmethod
    def of(cls, benchmark: Any, **how: Any) -> Benchmark:
        """Returns a benchmark for whatever names or holds one.

        Args:
            benchmark: a `Benchmark`, one of Meta-World's own benchmark objects, a sequence of tasks (they
                become the train tasks), or a name with its keywords as for `taskworlds.benchmark`.
            **how: keywords for `taskworlds.benchmark`, only with a name.
        """
        if isinstance(benchmark, str):
            return make_benchmark(benchmark, **how)
        given = sorted(name for name, value in how.items() if value is not None)
        if given:
            raise WrongType(
                f"{', '.join(given)} can only be given with a benchmark's name, not with tasks that are already made."
            )
        if isinstance(benchmark, Benchmark):
            return benchmark
        if hasattr(benchmark, "train_tasks") and hasattr(benchmark, "test_tasks"):
            return cls(type(benchmark).__name__, tuple(benchmark.train_tasks), tuple(benchmark.test_tasks))
        if isinstance(benchmark, Sequence):
            names = [each for each in benchmark if isinstance(each, str | Benchmark)]
            if names:
                raise WrongType(
                    f"Expected a taskworlds.Task or one of Meta-World's own tasks, not {names[0]!r}. A list with names "
                    "or benchmarks is for make_vec(..., pad=True), and Benchmark.union makes a benchmark of it."
                )
            return cls("tasks", tuple(benchmark))
        raise WrongType(
            "A benchmark is given by name, as a taskworlds.Benchmark, as one of Meta-World's own benchmarks, "
            f"or as a list of tasks, not as {benchmark!r}."
        )

    @classmethod
    def union(
        cls, name: str, members: Iterable[Any], *, shares: Iterable[float] | None = None, seed: int | None = 0
    ) -> Benchmark:
        """Puts benchmarks together, of any worlds: train and test tasks of each, in order.

        A batch over several worlds is made by `make_vec(..., pad=True)`. A skill that several members have has one
        place in the one-hot, and rows for each of the members.

        Args:
            name: the benchmark, for reports.
            members: each the name of a benchmark or of a skill of Meta-World's, a `Benchmark`, one of Meta-World's own
                benchmarks, or a task; neighbouring tasks are one member. Of a union the tasks are taken, and not its
                shares.
            shares: how many rows of a batch each member has, as weights above 0, one each. None: as many as it has
                skills in the split at hand, so that all skills have equally many.
            seed: of the goals of members that are named; None draws one for all of them.

        Raises:
            TypeError: a member is something else.
            ValueError: there are no members, a name is not known, or the shares do not fit.

        Example:
            >>> made = Benchmark.union("mine", ["MT10", "walker-walk", "half-cheetah-vel"], shares=[10, 3, 3])
            >>> made.env_names()[-3:], [(each.name, each.share) for each in made.members][0]
            (['window-close-v3', 'walker-walk', 'half-cheetah-vel'], ('MT10', 10.0))
            >>> Benchmark.from_json(made.to_json()) == made
            True
        """
        given = [members] if isinstance(members, str | Benchmark | Task) else list(members)
        if not given:
            raise WrongValue("members must name at least one benchmark, but it is empty.", argument="members")
        from_entropy = seed is None
        seed = entropy() if seed is None else check_seed(seed)
        parts: list[Benchmark] = []
        for is_task, some in itertools.groupby(given, key=_is_task):
            if is_task:
                parts.append(cls("tasks", tuple(Task.of(each) for each in some)))
            else:
                parts += [cls.of(each, **({"seed": seed} if isinstance(each, str) else {})) for each in some]
        named = any(isinstance(each, str) for each in given)
        seeds = {each.seed for each in parts}
        weights = [None] * len(parts) if shares is None else check_shares(shares, len(parts))
        return cls(
            name,
            tuple(task for each in parts for task in each.train_tasks),
            tuple(task for each in parts for task in each.test_tasks),
            seeds.pop() if len(seeds) == 1 else None,
            from_entropy=(from_entropy and named) or any(each.from_entropy for each in parts),
            members=tuple(
                Member(each.name, len(each.train_tasks), len(each.test_tasks), weight, each.lists)
                for each, weight in zip(parts, weights, strict=True)
            ),
        )


def benchmark(
    name: str,
    env_name: str | None = None,
    *,
    seed: int | None = 0,
    num_goals: int | None = None,
    envs_list: Iterable[str] | None = None,
    train_envs: Iterable[str] | None = None,
    test_envs: Iterable[str] | None = None,
    partially_observable: bool | None = None,
) -> Benchmark:
    """Makes a benchmark by name: one of Meta-World's, or one of another world's.

    Meta-World's have exactly the goals that Meta-World draws for the seed.

    Args:
        name: "MT1", "MT10", "MT25", "MT50", "ML1", "ML10", "ML25", "ML45", "custom-mt-envs" or
            "custom-ml-envs"; "MT10-robust" or "MT10-robust-pixels" (docs/variation.md), with 10 goals for each skill;
            or a Meta-World skill's name, which means MT1 of that skill; or a benchmark of another world, such as
            "half-cheetah-vel" (`taskworlds list benchmarks` shows them); or TD-MPC2's "MT30" or "MT80", of which the
            second has skills of two worlds (docs/protocols.md).
        env_name: the skill of MT1 or ML1.
        seed: seed of the goals. None draws a random seed, which the benchmark then has as `seed`.
        num_goals: goals for each skill; in other worlds tasks in each split. None: 50 in Meta-World, in other
            worlds the benchmark's own number.
        envs_list: the skills of custom-mt-envs; skill i has the goals of MT1 with seed + i. A skill that is named
            several times gets rows, goals and an index in the one-hot each time.
        train_envs: the train skills of custom-ml-envs; a skill that is named several times counts once.
        test_envs: the test skills of custom-ml-envs, none of them in `train_envs`.
        partially_observable: whether observations hide the goal. None: they do in the ML benchmarks and do not in the
            MT benchmarks, as in Meta-World; in other worlds as the benchmark says.

    Raises:
        TypeError: an argument is missing, or not one that the benchmark takes.
        ValueError: an unknown name, or a number out of range.

    Example:
        >>> benchmark("MT1", "reach-v3", seed=0) == benchmark("reach-v3", seed=0)
        True
    """
    if num_goals is not None:
        num_goals = check_count("num_goals", num_goals)
    from_entropy = seed is None
    seed = entropy() if seed is None else check_seed(seed)
    lists = {"envs_list": envs_list, "train_envs": train_envs, "test_envs": test_envs}
    given: dict[str, Any] = {"env_name": env_name} | {
        argument: names if names is None else check_names(argument, names)
        for argument, names in lists.items()
    }
    makers = list_makers() | {each: maker for each, (_, maker) in benchmark_makers().items()}
    if not isinstance(name, str) or name not in makers:
        name, given["env_name"] = _of_skill(name, env_name)
    maker = makers[name]
    for argument, value in given.items():
        if value is None and argument in maker.keywords:
            raise WrongType(f"{name} needs {argument}. {_hint()}", argument)
        if value is not None and argument not in maker.keywords:
            raise WrongType(f"{name} does not take {argument}; it came as {value!r}.", argument)
    told = {argument: given[argument] for argument in maker.keywords}
    train, test = resolve(maker.tasks)(seed, num_goals, **told)
    title = f"{name}-{(train or test)[0].env_name}" if "env_name" in told else name
    named = len(told.get("envs_list", ()))
    each = len(train) // named if named > len({task.env_name for task in train}) else 0
    if partially_observable is not None:
        hidden = check_switch("partially_observable", partially_observable)
        train, test = (tuple(_with_goal(name, task, hidden) for task in tasks) for tasks in (train, test))
    return Benchmark(title, train, test, seed, (each,) * named if each else (), from_entropy=from_entropy)


def _is_task(given: Any) -> bool:
    return isinstance(given, Task) or (hasattr(given, "env_name") and hasattr(given, "data"))


def entropy() -> int:
    """Returns a random seed from fresh entropy, below 2**31."""
    return int(np.random.SeedSequence().generate_state(1)[0] >> 1)


def warn_of_entropy(benchmark: Benchmark, stacklevel: int) -> None:
    """Warns that a seeded reset does not fix the tasks of a benchmark whose seed was drawn at random."""
    warnings.warn(
        "reset(seed=...) only chooses among the tasks, and with seed=None the tasks themselves are drawn at random: "
        f"another run has other tasks. Make the environment with seed={benchmark.seed} to get these tasks again, or "
        "with any other number.",
        stacklevel=stacklevel + 1,
    )


def _with_goal(name: str, task: Task, hidden: bool) -> Task:
    """Returns a task with its goal hidden from observations, or shown."""
    if "partially_observable" not in task.params:
        raise WrongType(
            f"{name} does not take partially_observable: its tasks have no goal that observations could hide.",
            argument="partially_observable",
        )
    return Task(task.env_name, {**task.params, "partially_observable": hidden})


def _of_skill(name: Any, env_name: str | None) -> tuple[str, str]:
    """Returns the benchmark that a skill's name stands for, and the skill."""
    if isinstance(name, str):
        for world in worlds():
            if world.skill_benchmark is not None and world.canonical_name(name) is not None:
                if env_name is not None:
                    raise WrongType(
                        f"{name!r} already names the skill: leave out env_name={env_name!r}.",
                        argument="env_name",
                    )
                return world.skill_benchmark, name
        for world in worlds():
            if world.canonical_name(name) is not None:
                having = [each for each, maker in world.benchmark_makers().items() if not maker.is_variant]
                raise WrongValue(
                    f"{name!r} is a skill of {world.name}, and no benchmark's name. Take one of "
                    f"{world.name}'s benchmarks ({', '.join(having)}), whole or `.only({name!r})`, or give tasks: "
                    f"Task({name!r}, ...).",
                    argument="benchmark",
                )
        known_as = not_a_benchmark(name)
        if known_as:
            raise WrongValue(known_as, argument="benchmark")
    skills = [skill for world in worlds() if world.skill_benchmark is not None for skill in world.env_names()]
    check_known("benchmark", name, [*benchmark_makers(), *list_makers(), *skills], _hint())
    raise AssertionError("unreachable: check_known raises for an unknown name")


def _hint() -> str:
    """Returns how to see all benchmarks, and the skills that some of them take."""
    taking = [name for name, (_, maker) in benchmark_makers().items() if "env_name" in maker.keywords]
    of_skills = (
        f", `taskworlds list skills` shows the skills that {' and '.join(taking)} take" if taking else ""
    )
    return f"`taskworlds list benchmarks` shows all{of_skills}."


def _make_of_one_skill(benchmark: Benchmark, env_name: str, split: str, **options: Any) -> Any:
    """Makes a single environment that, like the official one, keeps its task, and ends by the clock alone."""
    official: dict[str, Any] = {"task_select": "fixed", "terminate_on_success": False}
    return resolve(_MAKE)(benchmark.only(env_name, split), split=split, **(official | options))


make_benchmark = benchmark  # `Benchmark.of` has a parameter of the function's name


def split_of_name(name: str, split: str | None = None) -> tuple[str, str | None]:
    """Separates the split from a benchmark's name: "ML10-test" is the test split of "ML10".

    Args:
        name: a benchmark's or skill's name, or one of this package's Gymnasium ids.
        split: the split that was asked for beside the name, if any.

    Returns:
        The name that `benchmark` takes, and the split; None if neither says which.

    Raises:
        ValueError: the name and `split` contradict each other.

    Example:
        >>> split_of_name("ML10-test"), split_of_name("MT10"), split_of_name("ML45", "train")
        (('ML10', 'test'), ('MT10', None), ('ML45', 'train'))
    """
    name = name.removeprefix("taskworlds/")
    known = {*benchmark_makers(), *list_makers()}
    for ending in SPLITS:
        whole = name.removesuffix(f"-{ending}")
        if whole != name and name not in known and whole in known:
            if split not in (None, ending):
                raise WrongValue(
                    f"{name!r} names the {ending} tasks, so split={split!r} contradicts it. Leave one of them out.",
                    argument="split",
                )
            return whole, ending
    return name, split
