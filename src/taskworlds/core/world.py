"""`World`: the record of a suite of skills, with everything that the rest of the package needs to know of it.

A record is data. Functions in it may be given by name, "module:NAME", so that listing a world imports nothing and a
record can be sent to another process. docs/add-a-world.md shows how to write one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from taskworlds.core.errors import WrongType, WrongValue, check_choice, check_count
from taskworlds.core.reference import Reference, resolve
from taskworlds.core.task import Task

if TYPE_CHECKING:
    import gymnasium as gym

__all__ = ["SETTINGS", "BenchmarkMaker", "Listing", "Peer", "Tasks", "World"]

SETTINGS = ("reward_function_version", "render_mode", "camera_name", "camera_id", "width", "height")
"""What the rows of a world may be told when they are made."""

Tasks = tuple[tuple[Task, ...], tuple[Task, ...]]
"""The train and the test tasks of a benchmark."""


@dataclass(frozen=True)
class BenchmarkMaker:
    """One benchmark of a world: what makes its tasks, and what is known of them before they are made.

    Attributes:
        tasks: called as `tasks(seed, num_goals, **keywords)`, gives `Tasks`: the train and the test tasks. `num_goals`
            is the number that the caller asked for, or None for the benchmark's own.
        keywords: what else it must be told, by the names of `taskworlds.benchmark`: "env_name" of MT1.
        has_test: whether it has test tasks.
        train_skills: names of the train skills, for lists; None where the caller decides them.
        test_skills: names of the test skills, likewise.
        num_goals: tasks of each skill unless the caller says otherwise; None if the maker alone knows.
        summary: what the tasks vary, or what is to be done, in a few words.
        is_variant: whether another benchmark of the list stands for this one, so that short lists leave it out.
    """

    tasks: Reference
    keywords: tuple[str, ...] = ()
    has_test: bool = False
    train_skills: tuple[str, ...] | None = None
    test_skills: tuple[str, ...] | None = None
    num_goals: int | None = None
    summary: str = ""
    is_variant: bool = False


@dataclass(frozen=True)
class Listing:
    """How `taskworlds list` shows a suite.

    Attributes:
        title: heading of the suite's tables.
        thing: heading of what a skill has to do with: "object", "body", "domain".
        summary: heading of what is to be done: "what the arm has to do".
        varies: heading of the benchmarks' summaries.
        by_skill: whether the table of benchmarks counts skills (as Meta-World's, where each skill has many goals)
            rather than tasks.
        notes: what is said below a table, by the list's name: "benchmarks", "skills".
    """

    title: str
    thing: str = "object"
    summary: str = "what is to be done"
    varies: str = "what is to be done"
    by_skill: bool = False
    notes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Peer:
    """Another environment of the same skills, which `taskworlds bench` measures beside ours.

    Attributes:
        title: its name in the table.
        make: makes it: a Gymnasium vector environment, or a single one.
        num_rows: its number of rows; None for a single environment.
    """

    title: str
    make: Any
    num_rows: int | None


@dataclass(frozen=True)
class World:
    """A suite of skills whose tasks can be mixed in one batch, since they share spaces and a simulator.

    Frozen and picklable, if what is in it is. A field of the type `Reference` takes a function or its name; the methods
    below call it.

    Attributes:
        name: its name, for messages.
        suite: what it belongs to, for lists.
        skills: the names of its skills; or a function that gives them, if they may become more while the process runs.
        actions: the space of one row's actions; or a function that gives it.
        observations: the space of one row's observations; or a function of the keywords `visible` and `hidden`, whether
            some tasks show their goal and whether some hide it. An engine's observation may be longer than the space:
            what is left out where all tasks hide their goal stands last.
        max_episode_steps: an episode's limit unless the caller gives one.
        benchmarks: by name, the world's benchmarks; or a function that gives them.
        skill_benchmark: the benchmark that a skill's name alone stands for, which takes `env_name`. None where a
            benchmark has the skill's name.
        row: makes the environment of one row for the engines "sync" and "async", a `PythonRow`, called with those of
            `settings` that were chosen; imports the simulator. None for a world without.
        rows: by the name of an engine, what makes all rows for it, called as `make(env_names, num_rows, **settings)`.
            The first is the world's default engine.
        settings: which of the keywords "reward_function_version", "render_mode", "camera_name", "camera_id", "width" and
            "height" `row` and `rows` take.
        has_success: whether a step reports success.
        has_random_starts: whether an episode's start depends on a seed, beside the task.
        reward_function_versions: the rewards to choose from, the default last.
        goal_size: how many numbers a goal has in info; 0 for a world without goals.
        task_check: raises ValueError or TypeError, with a message that helps, for a task that cannot be run.
        goal_hidden: gives, for a task, whether it keeps its goal out of the observation; None if none does.
        current_name: gives the present name of a skill for a name that it had earlier, or None; None for no such names.
        class_names: gives the class that implements a skill upstream, by which some callers know it.
        described: gives, for a skill, what it has to do with (an object, a body) and what is to be done.
        details: gives more of a skill for lists in JSON, as a dictionary.
        listing: how lists show the suite; None for the defaults.
        experts: makes a policy that solves the skills, without arguments; None if there is none.
        packages: the packages whose versions decide its numbers; they stand in the fingerprint.
        code: gives, for names of skills, a text that changes with the code of those that are not the package's own, or
            None; it stands in the fingerprint.
        peers: gives `Peer`s for `taskworlds bench`, called as `peers(benchmark, num_envs, threads, seed)`.
        render_modes: what pictures there are.
        render_fps: pictures of one second, one for each step.
        cameras: names of cameras, where they are the same for all skills.
        task_word: what a task is called in counts: "goal" in Meta-World.
    """

    name: str
    suite: str
    skills: tuple[str, ...] | Reference
    actions: gym.Space[Any] | Reference
    observations: gym.Space[Any] | Reference
    max_episode_steps: int
    benchmarks: Mapping[str, BenchmarkMaker] | Reference = field(default_factory=dict)
    skill_benchmark: str | None = None
    row: Reference | None = None
    rows: Mapping[str, Reference] = field(default_factory=dict)
    settings: tuple[str, ...] = ()
    has_success: bool = False
    has_random_starts: bool = True
    reward_function_versions: tuple[str, ...] = ("v1",)
    goal_size: int = 0
    task_check: Reference | None = None
    goal_hidden: Reference | None = None
    current_name: Reference | None = None
    class_names: Reference | None = None
    described: Reference | None = None
    details: Reference | None = None
    listing: Listing | None = None
    experts: Reference | None = None
    packages: tuple[str, ...] = ()
    code: Reference | None = None
    peers: Reference | None = None
    render_modes: tuple[str, ...] = ()
    render_fps: int = 30
    cameras: tuple[str, ...] = ()
    task_word: str = "task"

    def __post_init__(self) -> None:
        """Raises ValueError or TypeError if the record contradicts itself."""
        for name in ("name", "suite", "task_word"):
            if not (isinstance(getattr(self, name), str) and getattr(self, name)):
                raise WrongType(
                    f"{name} of a World must be a string of some letters, not {getattr(self, name)!r}."
                )
        check_count(f"max_episode_steps of the world {self.name!r}", self.max_episode_steps)
        check_count(f"goal_size of the world {self.name!r}", self.goal_size, minimum=0)
        for setting in self.settings:
            check_choice(f"Each of the settings of the world {self.name!r}", setting, SETTINGS)
        if self.row is None and not self.rows:
            raise WrongValue(
                f"The world {self.name!r} must have row or rows, or no engine can step it: give row, what makes the "
                "environment of one row."
            )
        if not self.reward_function_versions:
            raise WrongValue(
                f"reward_function_versions of the world {self.name!r} must name at least one version."
            )
        if isinstance(self.skills, tuple):
            double = sorted({skill for skill in self.skills if self.skills.count(skill) > 1})
            if double or not self.skills:
                found = f"names {', '.join(double)} twice" if double else "is empty"
                raise WrongValue(
                    f"skills of the world {self.name!r} must name at least one skill, each once; it {found}."
                )
        if self.render_modes and "render_mode" not in self.settings:
            raise WrongValue(
                f"The world {self.name!r} has render_modes, but its settings leave out render_mode, so its rows cannot be "
                'told which one is wanted. Add "render_mode" to settings.'
            )

    def env_names(self) -> tuple[str, ...]:
        """Returns the names of the skills."""
        return self.skills if isinstance(self.skills, tuple) else tuple(resolve(self.skills)())

    def action_space(self) -> gym.Space[Any]:
        """Returns the space of one row's actions."""
        return _made(self.actions)

    def observation_space(self, *, visible: bool, hidden: bool) -> gym.Space[Any]:
        """Returns the space of one row's observations, where some tasks show their goal, hide it, or both."""
        return _made(self.observations, visible=visible, hidden=hidden)

    def benchmark_makers(self) -> Mapping[str, BenchmarkMaker]:
        """Returns the benchmarks by name."""
        found = resolve(self.benchmarks)
        return found() if callable(found) else found

    def check_task(self, task: Task) -> None:
        """Raises ValueError or TypeError, with a message that helps, for a task that cannot be run."""
        if self.task_check is not None:
            resolve(self.task_check)(task)

    def hides_goal(self, task: Task) -> bool:
        """Returns whether a task keeps its goal out of the observation."""
        return False if self.goal_hidden is None else resolve(self.goal_hidden)(task)

    def canonical_name(self, env_name: str) -> str | None:
        """Returns the present name of a skill for a name that it has or had; None for another world's."""
        if env_name in self.env_names():
            return env_name
        return None if self.current_name is None else resolve(self.current_name)(env_name)

    def class_name(self, env_name: str) -> str:
        """Returns the class that implements a skill upstream, or the skill's name."""
        return env_name if self.class_names is None else resolve(self.class_names)(env_name)

    def about(self, env_name: str) -> tuple[str, str]:
        """Returns what a skill has to do with, and what is to be done."""
        return ("", "") if self.described is None else resolve(self.described)(env_name)

    def details_of(self, env_name: str) -> dict[str, Any]:
        """Returns more of a skill, for lists in JSON."""
        return {} if self.details is None else resolve(self.details)(env_name)

    def make_row(self, **settings: Any) -> gym.Env[Any, Any]:
        """Makes the environment of one row, for the engines "sync" and "async"."""
        assert self.row is not None
        return resolve(self.row)(**settings)

    def expert(self) -> Any:
        """Makes the policy that solves the skills; None if there is none."""
        return None if self.experts is None else resolve(self.experts)()

    def code_of(self, env_names: Any) -> str | None:
        """Returns a text that changes with the code of skills that are not the package's own; None if all are."""
        return None if self.code is None else resolve(self.code)(env_names)

    @property
    def listed(self) -> Listing:
        """How lists show the suite."""
        return self.listing or Listing(self.suite)


def _made(space: Any, **how: Any) -> gym.Space[Any]:
    """Returns a space, made by its function if it is one."""
    found = resolve(space)
    return found(**how) if callable(found) else found
