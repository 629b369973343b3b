"""`World`: the record of a suite of skills, with everything that the rest of the package needs to know of it.

A record is data. Functions in it may be given by name, "module:NAME", so that listing a world imports nothing and a
record can be sent to another process. docs/add-a-world.md shows how to write one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from taskworlds.core.errors import Mistake, WrongType, WrongValue, check_choice, check_count
from taskworlds.core.instructions import check_sentences, sentence
from taskworlds.core.reference import Reference, equal_records, is_reference, resolve
from taskworlds.core.task import Task

if TYPE_CHECKING:
    import gymnasium as gym
    import numpy as np

__all__ = ["KEYWORDS", "SETTINGS", "BenchmarkMaker", "Listing", "Peer", "Tasks", "World"]

SETTINGS = ("reward_function_version", "render_mode", "camera_name", "camera_id", "width", "height")
"""What the rows of a world may be told when they are made."""

KEYWORDS = ("env_name", "envs_list", "train_envs", "test_envs")
"""What a benchmark may have to be told, beside its name, seed and number of goals."""

_NAME = re.compile(r"[\w:.-]+")  # what an id of Gymnasium's may hold after its namespace

Tasks = tuple[tuple[Task, ...], tuple[Task, ...]]
"""The train and the test tasks of a benchmark."""


@dataclass(frozen=True, eq=False)
class BenchmarkMaker:
    """One benchmark of a world: what makes its tasks, and what is known of them before they are made.

    Attributes:
        tasks: called as `tasks(seed, num_goals, **keywords)`, returns the train and the test tasks, as `Tasks`.
            `num_goals` is the number that the caller asked for, or None for the benchmark's own.
        keywords: what else it must be told, by the names of `taskworlds.benchmark`, as "env_name" for MT1.
        has_test: whether it has test tasks.
        train_skills: names of the train skills, for lists; None where the caller decides them.
        test_skills: names of the test skills, likewise.
        num_goals: tasks of each skill unless the caller says otherwise; None if the maker alone knows.
        summary: what the tasks vary, or what is to be done, in a few words.
        is_variant: whether another benchmark of the list stands for this one, so that short lists leave it out.
        single: what `gymnasium.make` of its id calls with the benchmark's name and the keywords, where the id of
            another library stands for an environment of its own; None for `taskworlds.make`.
        has_meta_defaults: whether, if it has test tasks, its environments choose tasks pseudorandomly and end test
            episodes on success unless the caller says otherwise.
    """

    tasks: Reference
    keywords: tuple[str, ...] = ()
    has_test: bool = False
    train_skills: tuple[str, ...] | None = None
    test_skills: tuple[str, ...] | None = None
    num_goals: int | None = None
    summary: str = ""
    is_variant: bool = False
    has_meta_defaults: bool = True
    single: Reference | None = None

    def __post_init__(self) -> None:
        """Raises WrongType or WrongValue if the record contradicts itself."""
        if not is_reference(self.tasks):
            raise WrongType(
                'tasks of a BenchmarkMaker must be a function of (seed, num_goals), or its name as "module:NAME", '
                f"not {self.tasks!r}."
            )
        if self.single is not None and not is_reference(self.single):
            raise WrongType(
                'single of a BenchmarkMaker must be a function, its name as "module:NAME", or None, not '
                f"{self.single!r}."
            )
        for keyword in self.keywords:
            check_choice("Each of the keywords of a BenchmarkMaker", keyword, KEYWORDS)
        if self.has_test and self.test_skills == ():
            raise WrongValue(
                "A BenchmarkMaker with has_test=True must have test skills, but its test_skills are (). Name them, or "
                "give None where the caller decides them."
            )
        if not self.has_test and self.test_skills:
            raise WrongValue(
                f"A BenchmarkMaker with has_test=False must not have test skills, but its test_skills are "
                f"{self.test_skills!r}. Set has_test=True, or leave them out."
            )

    def __eq__(self, other: object) -> bool:
        return equal_records(self, other)

    def __hash__(self) -> int:
        return hash((self.summary, self.train_skills))


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
        notes: text below a table, by the list's name: "benchmarks", "skills".
    """

    title: str
    thing: str = "object"
    summary: str = "what is to be done"
    varies: str = "what is to be done"
    by_skill: bool = False
    notes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Peer:
    """Another environment of the same skills, which `taskworlds bench` measures next to ours.

    Attributes:
        title: its name in the table.
        make: makes it: a Gymnasium vector environment, or a single one.
        num_rows: its number of rows; None for a single environment.
    """

    title: str
    make: Any
    num_rows: int | None


@dataclass(frozen=True, eq=False)
class World:
    """A suite of skills whose tasks can be mixed in one batch, because they share spaces and a simulator.

    Frozen, and picklable if everything in it is. Two records are equal if their fields are. A field of the type
    `Reference` takes a function, or its name as "module:NAME"; the methods below call it.

    Attributes:
        name: the world's name.
        suite: what it belongs to, for lists.
        skills: the names of its skills; or a function that returns them, if skills may be added while the process runs.
        actions: the space of one row's actions; or a function that returns it.
        observations: the space of one row's observations; or a function of the keywords `visible` and `hidden`, whether
            some tasks show their goal and whether some hide it. An engine's observation may be longer than the space:
            what is left out where all tasks hide their goal comes last.
        max_episode_steps: an episode's limit unless the caller gives one.
        benchmarks: the world's benchmarks by name; or a function that returns them.
        skill_benchmark: the benchmark that a skill's name alone stands for, which takes `env_name`. None where a
            benchmark has the skill's name.
        row: makes the environment of one row for the engines "sync" and "async", a `PythonRow`. It is called with those
            of `settings` that were chosen, and imports the simulator. None for a world without such an environment.
        rows: by the name of an engine, what makes all rows for it, called as `make(env_names, num_rows, **settings)`.
            The first is the world's default engine.
        settings: the keywords that `row` and `rows` take, some of "reward_function_version", "render_mode",
            "camera_name", "camera_id", "width" and "height".
        has_success: whether a step reports success.
        terms: names of what a step reports, in the order of infos, "success" among them; or a function that returns
            them. Infos of resets then have them too. None: they are learned from the first step, and infos of steps
            alone have them.
        has_random_starts: whether an episode's start depends on a seed as well as on the task.
        reward_function_versions: the rewards to choose from, the default last.
        goal_size: how many numbers a goal has in info; 0 for a world without goals.
        task_check: raises ValueError or TypeError, with a message that helps, for a task that cannot be run.
        observed: called without arguments, returns by name, in order, how many numbers each part of an observation has,
            if observations are a vector of floats. Parts that the space is too short for come last. None: the parts
            have no names.
        own_parts: of the names in `observed`, those of what the body knows of itself, for learners that see pictures of
            the rest; () where there are no such parts.
        goal_hidden: tells, for a task, whether it keeps its goal out of the observation; None if no task does.
        current_name: returns the present name of a skill for an earlier name, or None; None if there are no such names.
        class_names: returns the class that implements a skill upstream, by which some callers know it.
        described: returns, for a skill, what it has to do with (an object, a body) and what is to be done, as an
            instruction: "pull the drawer open".
        instructions: returns, for a task, what is to be done as sentences: the plain one first, then others that say
            the same (paraphrases). They may tell the goal where the observation shows it, and must not where it is
            hidden. None: one sentence, of what `described` says.
        details: returns more about a skill for lists in JSON, as a dictionary.
        listing: how lists show the suite; None for the defaults.
        classes: environments of the world that are classes, as "module:NAME" of the place that users import them from.
        experts: makes a policy that solves the skills, without arguments; None if there is none.
        packages: the packages whose versions decide its numbers; they are part of the fingerprint.
        code: returns, for names of skills, a text that changes with the code of those that are not the package's own,
            or None; it is part of the fingerprint.
        fresh_task: returns a task like another with a goal drawn anew from all that there are, called as
            `fresh_task(task, np_random)`; None where goals cannot be drawn. It is what `unlimited_goals` needs.
        peers: returns `Peer`s for `taskworlds bench`, called as `peers(benchmark, num_envs, threads, seed)`.
        render_modes: the kinds of pictures there are.
        render_fps: pictures per second, one for each step.
        cameras: names of cameras, where all skills have the same.
        picture_size: height and width of pictures, pixels, where rows do not take `width` and `height`.
        task_word: what a task is called in counts: "goal" in Meta-World.
        skill_groups: by name, groups of skills whose means are averaged in tables, such as groups of difficulty.
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
    terms: tuple[str, ...] | Reference | None = None
    has_random_starts: bool = True
    reward_function_versions: tuple[str, ...] = ("v1",)
    goal_size: int = 0
    task_check: Reference | None = None
    observed: Reference | None = None
    own_parts: tuple[str, ...] = ()
    goal_hidden: Reference | None = None
    current_name: Reference | None = None
    class_names: Reference | None = None
    described: Reference | None = None
    instructions: Reference | None = None
    details: Reference | None = None
    listing: Listing | None = None
    classes: tuple[str, ...] = ()
    experts: Reference | None = None
    packages: tuple[str, ...] = ()
    code: Reference | None = None
    fresh_task: Reference | None = None
    peers: Reference | None = None
    render_modes: tuple[str, ...] = ()
    render_fps: int = 30
    cameras: tuple[str, ...] = ()
    picture_size: tuple[int, int] | None = None
    task_word: str = "task"
    skill_groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raises WrongType or WrongValue if the record contradicts itself."""
        self._check_types()
        self._check_names(self.skills if isinstance(self.skills, tuple) else None)
        if isinstance(self.benchmarks, Mapping):
            self._check_benchmarks(self.benchmarks)
        if self.row is None and not self.rows:
            raise WrongValue(
                f"The world {self.name!r} must have row or rows: without them no engine can step it. Give row, which "
                "makes the environment of one row."
            )
        if not self.reward_function_versions:
            raise WrongValue(
                f"reward_function_versions of the world {self.name!r} must name at least one version."
            )
        if self.render_modes and "render_mode" not in self.settings:
            raise WrongValue(
                f"The world {self.name!r} has render_modes, but its settings leave out render_mode, so its rows cannot "
                'be told which one is wanted. Add "render_mode" to settings.'
            )

    def _check_types(self) -> None:
        for field_name in ("name", "suite", "task_word"):
            value = getattr(self, field_name)
            if not (isinstance(value, str) and value):
                raise WrongType(f"{field_name} of a World must be a non-empty string, not {value!r}.")
        of_world = f"of the world {self.name!r}"
        for field_name in (
            "settings",
            "own_parts",
            "reward_function_versions",
            "classes",
            "packages",
            "render_modes",
            "cameras",
        ):
            value = getattr(self, field_name)
            if not (isinstance(value, tuple) and all(isinstance(each, str) for each in value)):
                raise WrongType(f"{field_name} {of_world} must be a tuple of strings, not {value!r}.")
        for side in self.picture_size or ():
            check_count(f"picture_size {of_world}", side)
        check_count(f"max_episode_steps {of_world}", self.max_episode_steps)
        check_count(f"goal_size {of_world}", self.goal_size, minimum=0)
        for setting in self.settings:
            check_choice(f"Each of the settings {of_world}", setting, SETTINGS)
        if not isinstance(self.rows, Mapping):
            raise WrongType(f"rows {of_world} must be a dictionary from names of engines, not {self.rows!r}.")
        if not (isinstance(self.skill_groups, Mapping) and all(map(_are_names, self.skill_groups.values()))):
            raise WrongType(
                f"skill_groups {of_world} must be a dictionary of tuples of different skills, not "
                f"{self.skill_groups!r}."
            )
        references = {name: getattr(self, name) for name in _REFERENCES}
        references |= {f"rows[{name!r}]": maker for name, maker in self.rows.items()}
        for name, reference in references.items():
            if reference is not None and not is_reference(reference):
                raise WrongType(
                    f'{name} {of_world} must be a function, or its name as "module:NAME", not {reference!r}.'
                )
        for field_name, kind in (("skills", tuple), ("benchmarks", Mapping)):
            value = getattr(self, field_name)
            if not (isinstance(value, kind) or is_reference(value)):
                what = "tuple of names" if kind is tuple else "dictionary of BenchmarkMakers"
                raise WrongType(
                    f'{field_name} {of_world} must be a {what}, or a function (or its name as "module:NAME") that '
                    f"returns one, not {value!r}."
                )
        if not (self.terms is None or is_reference(self.terms) or _are_names(self.terms)):
            raise WrongType(
                f"terms {of_world} must be a tuple of different names, or a function (or its name as "
                f'"module:NAME") that returns one, not {self.terms!r}.'
            )
        for field_name in ("actions", "observations"):
            value = getattr(self, field_name)
            if not (hasattr(value, "contains") or is_reference(value)):
                raise WrongType(
                    f"{field_name} {of_world} must be a space of Gymnasium's, or a function (or its name as "
                    f'"module:NAME") that returns one, not {value!r}.'
                )

    def _check_names(self, skills: tuple[str, ...] | None) -> None:
        if skills is None:
            return
        double = sorted({skill for skill in skills if skills.count(skill) > 1})
        if double or not skills:
            found = f"names {', '.join(double)} twice" if double else "is empty"
            raise WrongValue(
                f"skills of the world {self.name!r} must name at least one skill, each once, but it {found}."
            )
        for skill in skills:
            self._check_name("skill", skill)

    def _check_benchmarks(self, makers: Mapping[str, BenchmarkMaker]) -> None:
        own = self.skills if isinstance(self.skills, tuple) else None
        for name, maker in makers.items():
            self._check_name("benchmark", name)
            if not isinstance(maker, BenchmarkMaker):
                raise WrongType(
                    f"benchmarks of the world {self.name!r} must hold BenchmarkMakers, but {name!r} is {maker!r}."
                )
            named = (*(maker.train_skills or ()), *(maker.test_skills or ()))
            unknown = [] if own is None else [skill for skill in named if skill not in own]
            if unknown:
                raise WrongValue(
                    f"The benchmark {name!r} of the world {self.name!r} must be of skills of that world, but the "
                    f"world does not have {', '.join(unknown)}. It has {', '.join(self.env_names())}."
                )
        if self.skill_benchmark is not None:
            found = makers.get(self.skill_benchmark)
            if found is None or "env_name" not in found.keywords:
                raise WrongValue(
                    f"skill_benchmark of the world {self.name!r} must be one of its benchmarks that takes env_name, "
                    f"not {self.skill_benchmark!r}."
                )

    def _check_name(self, kind: str, name: Any) -> None:
        if not (isinstance(name, str) and _NAME.fullmatch(name)):
            raise WrongValue(
                f"The name of a {kind} of the world {self.name!r} must have only letters, digits and . : _ -, "
                f"because it becomes a Gymnasium id, not {name!r}."
            )

    def check(self) -> None:
        """Calls what is given as a function and checks it like the rest of the record.

        Raises:
            WrongType: the function for skills or benchmarks returns something else.
            WrongValue: the record contradicts itself.
        """
        self._check_names(self.env_names())
        self._check_benchmarks(self.benchmark_makers())

    def env_names(self) -> tuple[str, ...]:
        """Returns the names of the skills."""
        return self.skills if isinstance(self.skills, tuple) else tuple(resolve(self.skills)())

    def term_names(self) -> tuple[str, ...]:
        """Returns the names of what a step reports, as far as they are known before the first step."""
        if self.terms is None:
            return ("success",) if self.has_success else ()
        return self.terms if isinstance(self.terms, tuple) else tuple(resolve(self.terms)())

    def observed_parts(self) -> dict[str, int]:
        """Returns by name how many numbers each part of an observation has; none where parts have no names."""
        return {} if self.observed is None else dict(resolve(self.observed)())

    def action_space(self) -> gym.Space[Any]:
        """Returns the space of one row's actions."""
        return _made(self.actions)

    def observation_space(self, *, visible: bool, hidden: bool) -> gym.Space[Any]:
        """Returns the space of one row's observations, where some tasks show their goal, hide it, or both.

        Args:
            visible: whether some tasks show their goal in the observation.
            hidden: whether some tasks hide it.
        """
        return _made(self.observations, visible=visible, hidden=hidden)

    def benchmark_makers(self) -> Mapping[str, BenchmarkMaker]:
        """Returns the benchmarks by name."""
        found = resolve(self.benchmarks)
        made: Mapping[str, BenchmarkMaker] = found() if callable(found) else found
        return made

    def check_task(self, task: Task) -> None:
        """Raises ValueError or TypeError, with a message that helps, for a task that cannot be run.

        Args:
            task: a task of one of the world's skills.

        Raises:
            TypeError: a parameter is of the wrong type.
            ValueError: the skill is not known; or a parameter is missing, unknown or out of range.
        """
        if self.task_check is None:
            return
        try:
            resolve(self.task_check)(task)
        except Mistake:
            raise
        except ValueError as error:
            raise WrongValue(str(error)) from error
        except TypeError as error:
            raise WrongType(str(error)) from error

    def hides_goal(self, task: Task) -> bool:
        """Returns whether a task keeps its goal out of the observation.

        Args:
            task: a task of one of the world's skills.
        """
        return False if self.goal_hidden is None else resolve(self.goal_hidden)(task)

    def canonical_name(self, env_name: str) -> str | None:
        """Returns the present name of a skill for a name that it has or had; None for another world's.

        Args:
            env_name: the name, such as a v2 name of Meta-World.
        """
        if env_name in self.env_names():
            return env_name
        return None if self.current_name is None else resolve(self.current_name)(env_name)

    def class_name(self, env_name: str) -> str:
        """Returns the name of the class that implements a skill upstream, or the skill's name.

        Args:
            env_name: the skill.
        """
        return env_name if self.class_names is None else resolve(self.class_names)(env_name)

    def about(self, env_name: str) -> tuple[str, str]:
        """Returns what a skill has to do with, and what is to be done; two empty texts where the world does not say.

        Args:
            env_name: the skill.
        """
        return ("", "") if self.described is None else resolve(self.described)(env_name)

    def instruction(self, env_name: str) -> str:
        """Returns what is to be done as a sentence, such as "Pull the drawer open."; the name where nothing is known.

        Args:
            env_name: the skill.

        Example:
            >>> from taskworlds.core.registry import world_of
            >>> world_of("reach-v3").instruction("reach-v3")
            'Move the gripper to the goal.'
        """
        return sentence(self.about(env_name)[1] or env_name)

    def instructions_of(self, task: Task) -> tuple[str, ...]:
        """Returns what is to be done in a task as sentences: the plain one, then paraphrases if there are any.

        Args:
            task: a task of one of the world's skills.

        Raises:
            WrongType: the world's function returns something else.

        Example:
            >>> from taskworlds.core.registry import world_of
            >>> run = Task("half-cheetah-dir", {"direction": 1.0, "partially_observable": False})
            >>> world_of("half-cheetah-dir").instructions_of(run)[:2]
            ('Run forward.', 'Go forward as fast as you can.')
        """
        if self.instructions is None:
            return (self.instruction(task.env_name),)
        return check_sentences(self.name, task.env_name, resolve(self.instructions)(task))

    def draw_goal(self, task: Task, np_random: np.random.Generator) -> Task:
        """Returns a task of the same skill whose goal is drawn from all that its reset can place.

        Args:
            task: what it is like in everything else, such as whether the goal is visible.
            np_random: what the goal is drawn from.

        Raises:
            WrongValue: the world does not have `fresh_task`.

        Example:
            >>> import numpy as np
            >>> from taskworlds.core.registry import world_of
            >>> task = Task("drawer-open-v3", {"rand_vec": (0.0, 0.9, 0.0), "partially_observable": False})
            >>> drawn = world_of("drawer-open-v3").draw_goal(task, np.random.default_rng(0))
            >>> [round(number, 3) for number in drawn["rand_vec"]], drawn["partially_observable"]
            ([0.027, 0.9, 0.0], False)
        """
        if self.fresh_task is None:
            raise WrongValue(f"The world {self.name!r} cannot draw goals: its record has no fresh_task.")
        drawn: Task = resolve(self.fresh_task)(task, np_random)
        return drawn

    def details_of(self, env_name: str) -> dict[str, Any]:
        """Returns more about a skill, for lists in JSON; an empty dictionary where there is no more.

        Args:
            env_name: the skill.
        """
        return {} if self.details is None else resolve(self.details)(env_name)

    def make_row(self, **settings: Any) -> gym.Env[Any, Any]:
        """Makes the environment of one row, for the engines "sync" and "async".

        Args:
            **settings: those of the world's `settings` that were chosen, by name.
        """
        assert self.row is not None
        made: gym.Env[Any, Any] = resolve(self.row)(**settings)
        return made

    def expert(self) -> Any:
        """Makes the policy that solves the skills; None if there is none."""
        return None if self.experts is None else resolve(self.experts)()

    def code_of(self, env_names: Any) -> str | None:
        """Returns a text that changes with the code of skills that are not the package's own; None if all are.

        Args:
            env_names: names of skills, also of other worlds.
        """
        return None if self.code is None else resolve(self.code)(env_names)

    def __eq__(self, other: object) -> bool:
        return equal_records(self, other)

    def __hash__(self) -> int:
        return hash((self.name, self.suite))

    @property
    def listed(self) -> Listing:
        """How lists show the suite."""
        return self.listing or Listing(self.suite)


# The fields that take a function alone, or nothing.
_REFERENCES = (
    "row",
    "task_check",
    "observed",
    "goal_hidden",
    "current_name",
    "class_names",
    "described",
    "instructions",
    "details",
    "experts",
    "code",
    "fresh_task",
    "peers",
)


def _are_names(value: Any) -> bool:
    """Returns whether a value is a tuple of different strings."""
    return (
        isinstance(value, tuple) and len(set(value)) == len(value) and all(isinstance(x, str) for x in value)
    )


def _made(space: Any, **how: Any) -> gym.Space[Any]:
    """Returns a space, made by its function if it is one."""
    found = resolve(space)
    made: gym.Space[Any] = found(**how) if callable(found) else found
    return made
