"""The conformance suite of worlds: `check_world`."""

from __future__ import annotations

import contextlib
import json
import pickle
import traceback
from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium as gym
import numpy as np

from taskworlds.core.benchmark import Benchmark
from taskworlds.core.benchmark import benchmark as make_benchmark
from taskworlds.core.errors import WrongType, check_count, check_seed
from taskworlds.core.reference import resolve
from taskworlds.core.registry import choose_engine, engine, engines, temporarily_registered
from taskworlds.core.task import Task
from taskworlds.core.world import BenchmarkMaker, Listing, World
from taskworlds.evaluation import compare, evaluate, random_policy
from taskworlds.testing.env_checks import EnvChecks, first_difference
from taskworlds.testing.report import Check, Report
from taskworlds.testing.runner import Failed, PlannedCheck, Warned, broken, modules_of, place_in, run_checks
from taskworlds.vector.make import make_vec

__all__ = ["Sample", "check_world", "is_code_of"]

_MOST_TASKS = 6
_SKILLS_OF_A_BATCH = 8
_TOLERANCE = 1e-9  # between exact engines: sums in another order
_LENGTH = 5  # steps of an episode, where only the way matters
_REFERENCES = (
    "skills", "actions", "observations", "benchmarks", "row", "task_check", "goal_hidden", "current_name",
    "class_names", "described", "instructions", "details", "experts", "code", "fresh_task",
    "peers",
)  # fmt: skip


def check_world(
    world: World, *, engines: Sequence[str] | None = None, seed: int = 0, steps: int = 30
) -> Report:
    """Tests everything that the rest of this package relies on in a world, and reports.

    The world need not be registered, and this does not register it. Each engine that can step it is tried: rows, seeds,
    tasks, masks, ends of episodes, trials, snapshots and copies; and then evaluation, the Gymnasium id, and what lists
    show.

    Args:
        world: the world.
        engines: names of the engines to try; None for all that can step the world.
        seed: seed of tasks, episodes and actions.
        steps: how many steps the longest run takes.

    Returns:
        The report; `print(report)` shows it, `report.raise_if_failed()` is for tests.

    Raises:
        TypeError: `world` is not a `World`.
        ValueError: a number is out of range, or an engine is not known.
    """
    if not isinstance(world, World):
        raise WrongType(
            f"world must be a taskworlds.World, not {world!r}: make one, World(name=..., ...).",
            argument="world",
        )
    for name in engines or ():
        engine(name)
    run = _Run(world, engines, check_seed(seed), check_count("steps", steps))
    return Report(world.name, run.checks(), kind="world")


class Sample:
    """Tasks of a world, made by its benchmarks.

    Args:
        world: the world, which is registered.
        seed: seed of the tasks.

    Attributes:
        benchmarks: each benchmark of the world, made.
        tasks: a few tasks that can share a batch, of several skills where a benchmark has several.
        by_skill: a task of each skill that any benchmark has; all of them show their goals, or all hide them.
    """

    def __init__(self, world: World, seed: int) -> None:
        self.benchmarks: dict[str, Benchmark] = {
            name: make_benchmark(name, seed=seed, **keywords(world, maker))
            for name, maker in world.benchmark_makers().items()
        }
        self.tasks: list[Task] = []
        self.by_skill: dict[str, Task] = {}
        number = {
            name: len({task.env_name for task in each.train_tasks}) for name, each in self.benchmarks.items()
        }
        mixed = [name for name, skills in number.items() if skills > 1]
        first = next(iter(number), None)
        name = min(mixed, key=lambda name: number[name], default=first)
        chosen = None if name is None else self.benchmarks[name]
        if chosen is None or not chosen.train_tasks:
            return
        by_skill: dict[str, list[Task]] = {}
        for task in chosen.train_tasks:
            by_skill.setdefault(task.env_name, []).append(task)
        each_has = -(-_MOST_TASKS // min(len(by_skill), 3))
        for tasks in list(by_skill.values())[:3]:
            self.tasks += tasks[:each_has]
        hides = world.hides_goal(self.tasks[0])
        for benchmark in (chosen, *self.benchmarks.values()):
            for task in (*benchmark.train_tasks, *benchmark.test_tasks):
                if task.env_name not in self.by_skill and world.hides_goal(task) == hides:
                    self.by_skill[task.env_name] = task


def keywords(world: World, maker: BenchmarkMaker) -> dict[str, Any]:
    """Returns what a benchmark must be told, with skills of the world for it."""
    names = world.env_names()
    known = {
        "env_name": names[0],
        "envs_list": names[:2],
        "train_envs": names[:1],
        "test_envs": names[1:2] or names,
    }
    return {name: known[name] for name in maker.keywords}


def is_code_of(references: Sequence[Any]) -> Any:
    """Returns what tells whether a line of code is an author's, by the functions that the author's record names."""
    packages = modules_of(references)

    def is_author(frame: traceback.FrameSummary, module: str) -> bool:
        own = module.partition(".")[0]
        return own in packages and not module.startswith(__package__)

    return is_author


class _Run:
    """One run of all checks."""

    def __init__(self, world: World, names: Sequence[str] | None, seed: int, steps: int) -> None:
        self._world = world
        self._engines = names
        self._seed = seed
        self._steps = steps
        self._registered = contextlib.ExitStack()  # while the checks run, once the names are right
        self._sample: Sample | None = None

    def checks(self) -> tuple[Check, ...]:
        """Runs the checks: those of the record, and then those of each engine."""
        record = [
            PlannedCheck("record", self._record),
            PlannedCheck("names", self._names, ("record",)),
            PlannedCheck("spaces", self._spaces, ("names",)),
            PlannedCheck("benchmarks", self._benchmarks, ("spaces",)),
            PlannedCheck("refused tasks", self._refused_tasks, ("benchmarks",)),
            PlannedCheck("lists", self._lists, ("names",)),
        ]
        with self._registered:
            found = list(run_checks(record, self._place))
            bad = {check.name for check in found if check.outcome in ("failed", "not run")}
            if "benchmarks" not in bad:
                found += run_checks(self._engine_checks(), self._place)
            else:
                found.append(Check("engines", "not run", "because the check of benchmarks failed"))
        return tuple(found)

    def _engine_checks(self) -> list[PlannedCheck]:
        """Returns the checks that step the world."""
        able = [name for name, each in engines().items() if each.can_step(self._world)]
        themselves = [name for name in able if engine(name).inside is None]
        names = list(self._engines) if self._engines is not None else themselves
        plan: list[PlannedCheck] = [PlannedCheck("engines", lambda: self._can_step(names, able))]
        for name in names:
            checks = EnvChecks(self._world, name, self._tasks, seed=self._seed, steps=self._steps)
            plan += checks.plan(f"{name}: ", ("engines",))
        if names:
            default = (f"{names[0]}: episodes",)
            plan += [
                PlannedCheck("every skill", lambda: self._every_skill(names[0]), default),
                PlannedCheck("evaluation", lambda: self._evaluation(names[0]), default),
                PlannedCheck("gymnasium", lambda: self._gymnasium(names[0]), default),
            ]
        exact = [name for name in names if engine(name).in_world(self._world).exact]
        if len(exact) > 1:
            needs = tuple(f"{name}: episodes" for name in exact)
            plan.append(PlannedCheck("engines agree", lambda: self._agree(exact), needs))
        return plan

    def _place(self, error: BaseException) -> str:
        world = self._world
        references = [getattr(world, name) for name in _REFERENCES]
        references += world.rows.values() if isinstance(world.rows, Mapping) else ()
        return place_in(error, is_code_of(references))

    @property
    def _tasks(self) -> list[Task]:
        assert self._sample is not None
        return self._sample.tasks

    # --- the record -----------------------------------------------------------------------------------------

    def _record(self) -> str:
        world = self._world
        try:
            text = pickle.dumps(world)
        except Exception as error:
            raise broken(
                "A world can be sent to another process",
                f"pickling it raised {type(error).__name__}: {error}. Use functions of modules, or their names, in "
                "place of lambdas and functions within functions",
            ) from error
        if pickle.loads(text).name != world.name:
            raise broken("A world can be sent to another process", "its pickled copy has another name")
        references = {name: getattr(world, name) for name in _REFERENCES}
        references |= {f"rows[{name!r}]": maker for name, maker in world.rows.items()}
        for name, reference in references.items():
            if not isinstance(reference, str):
                continue
            try:
                resolve(reference)
            except (ImportError, ValueError) as error:
                raise broken(
                    "Every reference names something that can be imported",
                    f"{name} is {reference!r}: {str(error).rstrip('.')}",
                ) from error
        return "can be sent to another process; what it names is there"

    def _names(self) -> str:
        world = self._world
        names = world.env_names()
        if (
            not names
            or len(set(names)) != len(names)
            or not all(isinstance(name, str) and name for name in names)
        ):
            raise broken("A world names its skills, each once", f"they are {names}")
        try:
            self._registered.enter_context(temporarily_registered(world))
        except ValueError as error:
            raise Failed(str(error)) from None
        for name in names:
            if world.canonical_name(name) != name:
                raise broken(
                    "A skill's name stands for itself", f"{name!r} stands for {world.canonical_name(name)!r}"
                )
        return f"{len(names)} skill{'s' * (len(names) > 1)}; no name is another world's"

    def _spaces(self) -> str:
        world = self._world
        rule = "Actions and observations are spaces of Gymnasium's"
        for what, space in (
            ("actions", world.action_space()),
            *(
                (f"observations (visible={visible}, hidden={hidden})", each)
                for visible, hidden in ((True, False), (False, True), (True, True))
                for each in (world.observation_space(visible=visible, hidden=hidden),)
            ),
        ):
            if not isinstance(space, gym.Space):
                raise broken(rule, f"{what} is {space!r}")
            space.seed(self._seed)
            if not space.contains(space.sample()):
                raise broken("A space contains what it samples", f"{what} does not, {space}")
        return f"actions {world.action_space()}"

    def _benchmarks(self) -> str:
        world = self._world
        makers = world.benchmark_makers()
        if not makers:
            raise broken("A world has a benchmark, which makes its tasks", "benchmarks is empty")
        for name, maker in makers.items():
            for tasks in resolve(maker.tasks)(self._seed, None, **keywords(world, maker)):
                for task in tasks:
                    self._check_task(task, name)
        self._sample = sample = Sample(world, self._seed)
        for name, maker in makers.items():
            made = sample.benchmarks[name]
            again = make_benchmark(name, seed=self._seed, **keywords(world, maker))
            if made != again:
                raise broken("The same seed makes the same tasks", f"{name} made others the second time")
            if bool(made.test_tasks) != maker.has_test:
                raise broken(
                    "has_test tells whether a benchmark has test tasks",
                    f"it is {maker.has_test}, and {name} has {len(made.test_tasks)}",
                )
            for split, tasks, stated in (
                ("train", made.train_tasks, maker.train_skills),
                ("test", made.test_tasks, maker.test_skills),
            ):
                skills = tuple(dict.fromkeys(task.env_name for task in tasks))
                if stated is not None and not maker.keywords and set(stated) != set(skills):
                    raise broken(
                        f"{split}_skills names the skills of a benchmark's {split} tasks",
                        f"{name} says {', '.join(stated) or 'none'}, and has {', '.join(skills) or 'none'}",
                    )
        if not sample.tasks:
            raise broken("A benchmark has train tasks", f"{next(iter(makers))} has none")
        missing = [name for name in world.env_names() if name not in sample.by_skill]
        if missing:
            raise Warned(f"no benchmark has a task of {', '.join(missing)}, so they are not stepped here")
        return f"{', '.join(makers)}: the same tasks for the same seed, which the world accepts"

    def _check_task(self, task: Task, benchmark: str) -> None:
        world = self._world
        if not isinstance(task, Task) or task.env_name not in world.env_names():
            raise broken("A benchmark's tasks are of the world's skills", f"{benchmark} has {task!r}")
        try:
            world.check_task(task)
        except (TypeError, ValueError) as error:
            raise broken(
                "task_check accepts the tasks of the benchmarks", f"{task} of {benchmark}: {error}"
            ) from error
        hides = world.hides_goal(task)
        if not isinstance(hides, bool):
            raise broken("goal_hidden tells True or False", f"it returned {hides!r} for {task}")

    def _refused_tasks(self) -> str:
        world, task = self._world, self._tasks[0]
        if world.task_check is None:
            raise Warned(
                "no task_check, so a task with a misspelt parameter is only noticed by what makes the rows. Give a "
                "function that raises ValueError with a message that helps"
            )
        wrong = Task(task.env_name, dict(task.params) | {"no_such_parameter": 1})
        try:
            world.check_task(wrong)
        except (TypeError, ValueError) as error:
            return f"a task with an unknown parameter: {str(error).splitlines()[0]}"
        raise broken("task_check refuses a parameter that no task has", f"it accepted {wrong}")

    def _lists(self) -> str:
        world = self._world
        if not isinstance(world.listed, Listing):
            raise broken("listing is a Listing", f"it is {world.listing!r}")
        for name in world.env_names():
            about = world.about(name)
            if not (
                isinstance(about, tuple) and len(about) == 2 and all(isinstance(each, str) for each in about)
            ):
                raise broken(
                    "described returns two texts, what a skill has to do with and what is to be done",
                    f"it returned {about!r} for {name}",
                )
            if not isinstance(world.class_name(name), str):
                raise broken(
                    "class_names returns a name", f"it returned {world.class_name(name)!r} for {name}"
                )
            try:
                json.dumps(dict(world.details_of(name)), allow_nan=False)
            except (TypeError, ValueError) as error:
                raise broken("details returns what JSON can hold", f"not for {name}: {error}") from error
        for task in self._tasks:
            sentences = world.instructions_of(task)
            if len(set(sentences)) < len(sentences):
                raise broken(
                    "instructions returns different sentences",
                    f"it returned {sentences!r} for {task.id} of {task.env_name}",
                )
        return "what `taskworlds list` shows is there"

    # --- with engines ---------------------------------------------------------------------------------------

    def _can_step(self, names: list[str], able: list[str]) -> str:
        unable = [name for name in names if name not in able]
        if unable or not names:
            raise broken(
                "An engine that is asked for can step the world",
                f"{', '.join(unable) or 'no engine'} cannot; those that can are {', '.join(able) or 'none'}",
            )
        default = choose_engine(self._world, None, 2).name
        return f"{', '.join(able)} can step it; {default} is the default for several rows"

    def _every_skill(self, name: str) -> str:
        assert self._sample is not None
        tasks = list(self._sample.by_skill.values())
        for first in range(0, len(tasks), _SKILLS_OF_A_BATCH):
            batch = tasks[first : first + _SKILLS_OF_A_BATCH]
            with contextlib.closing(
                make_vec(batch, len(batch), vector_strategy=name, seed=self._seed)
            ) as env:
                obs, _ = env.reset(seed=self._seed, options={"tasks": batch})
                env.action_space.seed(self._seed)
                for step in range(3):
                    if not env.observation_space.contains(obs):
                        raise broken(
                            "Every observation is in the observation space",
                            f"not at step {step} of {', '.join(task.env_name for task in batch)}",
                        )
                    obs, rewards, *_ = env.step(env.action_space.sample())
                    if not np.isfinite(rewards).all():
                        row = int(np.flatnonzero(~np.isfinite(rewards))[0])
                        raise broken(
                            "Rewards are finite", f"{batch[row].env_name} gives {rewards[row]} at step {step}"
                        )
        return f"{len(tasks)} stepped on {name}"

    def _agree(self, names: list[str]) -> str:
        outcomes = []
        for name in names:
            made = make_vec(self._tasks, 3, vector_strategy=name, seed=self._seed, max_episode_steps=_LENGTH)
            with contextlib.closing(made) as env:
                env.action_space.seed(self._seed)
                outcomes.append(
                    [env.reset(seed=self._seed), *(env.step(env.action_space.sample()) for _ in range(12))]
                )
        for name, outcome in zip(names[1:], outcomes[1:], strict=True):
            place = first_difference(outcome, outcomes[0], _TOLERANCE)
            if place is not None:
                raise broken(
                    "Engines that say that they are exact give the same",
                    f"{name} and {names[0]} differ at {place}",
                )
        return f"{', '.join(names)} give the same observations, rewards, ends and infos"

    def _evaluation(self, name: str) -> str:
        policy = random_policy(self._world.action_space(), seed=self._seed)
        benchmark = Benchmark(self._world.name, tuple(dict.fromkeys(self._tasks)), ())
        results = [
            evaluate(
                policy,
                benchmark,
                seed=self._seed,
                vector_strategy=name,
                max_episode_steps=_LENGTH,
                num_envs=2,
            )
            for _ in range(2)
        ]
        for result in results:
            if result.failed:
                record = result.failed[0]
                raise broken("Every task can be evaluated", f"{record.task} could not: {record.error}")
        compare(*results)
        fingerprint = json.dumps(results[0].fingerprint.to_dict())
        missing = [package for package in self._world.packages if f'"{package}"' not in fingerprint]
        if missing:
            raise broken(
                "The fingerprint of a result names the world's packages", f"not {', '.join(missing)}"
            )
        return f"evaluate and compare run, on {len(benchmark.train_tasks)} tasks with a random policy"

    def _gymnasium(self, name: str) -> str:
        assert self._sample is not None
        ids = {
            f"taskworlds/{benchmark}{ending}": keywords(self._world, maker)
            for benchmark, maker in self._world.benchmark_makers().items()
            for ending in ("", "-train", "-test")
        }
        known = {name: how for name, how in ids.items() if name in gym.registry}
        for benchmark in self._sample.benchmarks:
            if not any(name.startswith(f"taskworlds/{benchmark}") for name in known):
                raise broken("A benchmark has a Gymnasium id", f"there is no taskworlds/{benchmark}")
        id, how = next(iter(known.items()))
        how |= {"seed": self._seed, "vector_strategy": name}
        with contextlib.closing(gym.make(id, **how)) as env:
            obs, _ = env.reset(seed=self._seed)
            if not env.observation_space.contains(obs):
                raise broken("Every observation is in the observation space", f"not the first of {id}")
            env.action_space.seed(self._seed)
            env.step(env.action_space.sample())
        with contextlib.closing(gym.make_vec(id, num_envs=2, **how)) as envs:
            envs.reset(seed=self._seed)
        return f"gymnasium.make and make_vec make {id}" + (f" and {len(known) - 1} more" * (len(known) > 1))
