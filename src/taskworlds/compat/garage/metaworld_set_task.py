"""`MetaWorldSetTaskEnv`: a whole benchmark in one environment, whose tasks are sampled and set."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import gymnasium
from gymnasium.utils import seeding

from taskworlds.compat.garage.per_task import check_wrapper, wrap_for_task
from taskworlds.compat.garage.showing import show, visualize
from taskworlds.compat.garage.step_wrapper import StepWrapper, no_episode
from taskworlds.compat.garage.task_name import TaskNameWrapper
from taskworlds.compat.garage.task_onehot import TaskOnehotWrapper
from taskworlds.core.benchmark import SPLITS, Benchmark
from taskworlds.core.draws import Deck
from taskworlds.core.errors import WrongValue, check_choice, check_count, check_seed, check_switch
from taskworlds.core.step import EnvSpec, EnvStep, SpecMixin
from taskworlds.core.task import Task
from taskworlds.vector.keywords import RenderMode
from taskworlds.vector.make import make
from taskworlds.vector.task_env import TaskEnv

__all__ = ["MetaWorldSetTaskEnv"]


class MetaWorldSetTaskEnv(SpecMixin, gymnasium.Env[Any, Any]):  # type: ignore[misc]  # spec is narrower
    """The tasks of one split of a benchmark, in garage's protocol: `sample_tasks` and `set_task`.

    An environment made with a benchmark can sample tasks. One made without arguments, for example in a worker process,
    takes kind, benchmark and one-hot from the first task that is set. A task stays until the next `set_task`; `reset`
    begins another episode of it. `step` returns an `EnvStep`; an episode has Meta-World's limit of 500 steps. Info has
    `task_name` (the skill) and `task_id` (its index in the benchmark's order) at each step, the same keys at all of
    them; at reset it is empty, as in garage, some of whose workers take no other. After a reset read `task`.

    Each skill is wrapped once, when its first task is set, and its simulator is built on its first reset and kept.

    Args:
        benchmark: a `taskworlds.Benchmark`, one of Meta-World's own benchmark objects, or a list of tasks.
        kind: "train" or "test": which of its tasks.
        wrapper: a function of (env), or of (env, task), that returns the wrapped environment of a skill. The
            observations of `env` have the one-hot already; `task` is the first task that is set of the skill.
        add_env_onehot: whether to append a one-hot of the skill to the observation, in the benchmark's order; only for
            the train tasks of multi-task benchmarks.
        seed: seeds the shuffles of the tasks, until a `reset(seed=...)`; None for fresh entropy. If `benchmark`
            is a name, also the seed of its goals.
        render_mode: None, "rgb_array", "depth_array" or "human".

    Attributes:
        spec: the `EnvSpec`; None while the environment has no task, and so no spaces.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: kind is missing, or is not "train" or "test"; add_env_onehot is True for a meta-learning benchmark
            or for test tasks; or kind, wrapper or add_env_onehot is given without a benchmark.

    Example:
        >>> import taskworlds
        >>> env = MetaWorldSetTaskEnv(taskworlds.benchmark("MT10", seed=0), "train", add_env_onehot=True)
        >>> env.num_tasks, env.observation_space.shape
        (500, (49,))
        >>> tasks = env.sample_tasks(3)
        >>> [task["inner"].env_name for task in tasks]
        ['reach-v3', 'push-v3', 'pick-place-v3']
        >>> worker = MetaWorldSetTaskEnv()
        >>> worker.set_task(tasks[1])
        >>> observation, info = worker.reset(seed=0)
        >>> observation[39:].tolist().index(1.0), worker.task.env_name
        (1, 'push-v3')
        >>> info = worker.step(worker.action_space.sample()).env_info
        >>> info["task_name"], info["task_id"]
        ('push-v3', 1)
    """

    set_task_starts_episode: ClassVar[bool] = True
    metadata: ClassVar[dict[str, Any]] = TaskEnv.metadata  # type: ignore[misc]

    def __init__(
        self,
        benchmark: Benchmark | Any = None,
        kind: str | None = None,
        wrapper: Callable[..., gymnasium.Env[Any, Any]] | None = None,
        add_env_onehot: bool = False,
        *,
        seed: int | None = 0,
        render_mode: RenderMode | None = None,
    ) -> None:
        check_wrapper(wrapper)
        check_switch("add_env_onehot", add_env_onehot)
        check_choice("render_mode", render_mode, (None, *self.render_modes))
        self.render_mode: RenderMode | None = render_mode
        if seed is not None:
            self._np_random, self._np_random_seed = seeding.np_random(check_seed(seed))
        self._wrapper = wrapper
        self._seed = seed
        self._setting: _Setting | None = None
        self._base: TaskEnv | None = None  # runs every skill; the wrapped environments share it
        self._envs: dict[str, StepWrapper] = {}  # by skill, the base in its wrappers
        self._current: _Current | None = None
        self._running = False  # whether an episode is under way
        # By skill, in the order of its present round of sampling; empty where there is no sampling.
        self._tasks: dict[str, list[Task]] = {}
        self._decks: dict[str, Deck] = {}  # by skill, of the places in that order
        self._sampled = 0  # tasks since the skills' first rounds began
        self._shows: str | None = None  # the mode in which each step is shown, after visualize()
        if benchmark is None:
            given = {"kind": kind, "wrapper": wrapper, "add_env_onehot": add_env_onehot or None}
            names = [name for name, value in given.items() if value is not None]
            if names:
                raise WrongValue(
                    f"{' and '.join(names)} must be left out without a benchmark: the first task that is set "
                    "decides for an environment made without one. Give a benchmark too."
                )
            return
        benchmark = Benchmark.of(benchmark, **({"seed": seed} if isinstance(benchmark, str) else {}))
        if kind is None:
            raise WrongValue(
                'kind must be "train" or "test" with a benchmark, not None: say which tasks to use.',
                argument="kind",
            )
        setting = _Setting(benchmark, kind, add_env_onehot)
        self._order_tasks(setting)
        self._select(setting, setting.tasks[0])

    def _select(self, setting: _Setting, task: Task) -> StepWrapper:
        """Makes `task` the one that the next reset starts, and returns the environment of its skill."""
        base = self._base
        if base is None:
            base = make(
                setting.benchmark,
                split=setting.kind,
                task_select="fixed",
                terminate_on_success=False,
                render_mode=self.render_mode,
            )
        base.set_task(task)
        env = self._envs.get(task.env_name)
        if env is None:
            env = self._envs[task.env_name] = self._wrapped(base, setting, task)
        spec = self._spec or EnvSpec(
            env.observation_space,
            env.action_space,
            id=base.spec.id,
            entry_point=f"{type(self).__module__}:{type(self).__qualname__}",
            kwargs={
                "benchmark": setting.benchmark,
                "kind": setting.kind,
                "wrapper": self._wrapper,
                "add_env_onehot": setting.add_env_onehot,
                "seed": self._seed,
                "render_mode": self.render_mode,
            },
        )
        limit = env.spec.max_episode_steps
        self._spec = EnvSpec.of(spec, env.observation_space, env.action_space, limit)
        self._base, self._setting, self._current = base, setting, _Current(task, env)
        return env

    def _wrapped(self, base: TaskEnv, setting: _Setting, task: Task) -> StepWrapper:
        names = setting.env_names
        index = names.index(task.env_name)
        env: gymnasium.Env[Any, Any] = TaskNameWrapper(base, task_name=task.env_name, task_id=index)
        if setting.add_env_onehot:
            env = TaskOnehotWrapper(env, index, len(names))
        env = wrap_for_task(self._wrapper, env, task)
        return env if isinstance(env, StepWrapper) else StepWrapper(env)

    # --- tasks ----------------------------------------------------------------------------------------------

    @property
    def benchmark(self) -> Benchmark | None:
        """Where the tasks come from; None if the environment was made without a benchmark and has no task yet."""
        return None if self._setting is None else self._setting.benchmark

    @property
    def kind(self) -> str | None:
        """Which of the benchmark's tasks: "train" or "test"; None as for `benchmark`."""
        return None if self._setting is None else self._setting.kind

    @property
    def add_env_onehot(self) -> bool:
        """Whether the observation ends with a one-hot of the skill."""
        return self._setting is not None and self._setting.add_env_onehot

    @property
    def task(self) -> Task | None:
        """The task that is set; None as for `benchmark`."""
        return None if self._current is None else self._current.task

    @property
    def num_tasks(self) -> int:
        """Number of the benchmark's tasks of this kind.

        Raises:
            RuntimeError: the environment has no benchmark yet.
        """
        if self._setting is None:
            raise RuntimeError(f"num_tasks needs a benchmark, and this environment has none yet. {_HOW}")
        return len(self._setting.tasks)

    def sample_tasks(self, n_tasks: int) -> list[dict[str, Any]]:
        """Returns tasks: the first of each skill in the benchmark's order, then the second of each, and so on.

        The next call continues where this one ended. When all tasks of a skill have been returned, they are shuffled
        and the skill starts again. A `reset(seed=...)` goes back to the first task.

        Args:
            n_tasks: number of tasks.

        Returns:
            For each task a dictionary for `set_task`, here or in an environment made without a benchmark: `kind`,
            `benchmark` (a `Benchmark`), `add_env_onehot` and `inner` (a `Task`).

        Raises:
            RuntimeError: this environment was made without a benchmark.
        """
        if self._setting is None or not self._tasks:
            raise RuntimeError(
                "sample_tasks needs an environment that was made with a benchmark, and this one was not. "
                'Sample from one made as MetaWorldSetTaskEnv(benchmark, kind="train").'
            )
        n_tasks = check_count("n_tasks", n_tasks)
        return [self._setting.as_dict() | {"inner": self._next_task()} for _ in range(n_tasks)]

    def _order_tasks(self, setting: _Setting) -> None:
        """Puts the tasks into the benchmark's order; sampling begins with the first."""
        self._tasks = {name: list(tasks) for name, tasks in setting.benchmark.by_skill(setting.kind).items()}
        self._decks = {name: Deck(len(tasks)) for name, tasks in self._tasks.items()}
        self._sampled = 0

    def _next_task(self) -> Task:
        names = list(self._tasks)
        name = names[self._sampled % len(names)]
        self._sampled += 1
        tasks, deck = self._tasks[name], self._decks[name]
        deck.deal(None if deck.rounds == 0 else self.np_random)
        if deck.place == 0:  # a round shuffles the order of the one before
            tasks[:] = [tasks[index] for index in deck.order]
        return tasks[deck.place]

    def set_task(self, task: Mapping[str, Any] | Task | Any) -> None:
        """Sets the task and starts an episode of it.

        Args:
            task: what `sample_tasks` returned; or a `Task` or one of Meta-World's own tasks, of a skill of the
                benchmark. An environment that has no benchmark yet takes kind, benchmark and one-hot from the
                dictionary; if it gets a task alone, its benchmark is that one train task.

        Raises:
            TypeError: it is none of these.
            ValueError: the task differs from the previous ones in its kind or its one-hot, or is of a skill that the
                benchmark does not have.
        """
        setting, inner = self._setting, task
        if isinstance(task, Mapping):
            setting, inner = _Setting.of(task), task["inner"]
        inner = Task.of(inner)
        if setting is None:
            setting = _Setting(Benchmark("task", (inner,)), "train", False)
        if self._setting is not None:
            if setting.kind != self._setting.kind:
                raise WrongValue(
                    f"The task must be a {self._setting.kind} task, like the previous ones, not one of kind "
                    f"{setting.kind!r}. Use one environment for train tasks and another for test tasks."
                )
            if setting.add_env_onehot != self._setting.add_env_onehot:
                raise WrongValue(
                    f"The task must come with add_env_onehot={self._setting.add_env_onehot}, like the previous "
                    f"ones, not {setting.add_env_onehot}: the observation space cannot change. Make another "
                    "environment for it."
                )
            setting = self._setting
        self._select(setting, inner).reset()
        self._running = True

    # --- episodes -------------------------------------------------------------------------------------------

    def _env(self, what: str) -> StepWrapper:
        if self._current is None:
            raise RuntimeError(f"{what} needs a task, and none is set. {_HOW}")
        return self._current.env

    @property
    def action_space(self) -> gymnasium.Space[Any]:  # type: ignore[override]
        """Space of the actions.

        Raises:
            RuntimeError: the environment was made without a benchmark, and has no task yet.
        """
        return self._env("action_space").action_space

    @property
    def observation_space(self) -> gymnasium.Space[Any]:  # type: ignore[override]
        """Space of the observations.

        Raises:
            RuntimeError: the environment was made without a benchmark, and has no task yet.
        """
        return self._env("observation_space").observation_space

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Starts an episode of the task that is set.

        Args:
            seed: seeds the generator that shuffles the tasks, and those of the wrappers, and sends `sample_tasks` back
                to the first task; None to go on. The episode's task stays, and decides its state.
            options: passed on to the wrappers. `task` is not allowed: call `set_task`.

        Returns:
            The first observation, and an empty info.

        Raises:
            RuntimeError: no task is set yet.
            ValueError: options has a task, or the seed is out of range.
        """
        if self._setting is None or self._current is None:
            raise RuntimeError(f"reset needs a task, and none is set. {_HOW}")
        if options and "task" in options:
            raise WrongValue(
                "options must not have a task here: call set_task, which starts its episode.",
                argument="options",
            )
        super().reset(seed=None if seed is None else check_seed(seed))
        if seed is not None and self._tasks:
            self._order_tasks(self._setting)
        # Set again, because a seeded reset of the base would otherwise choose a task.
        env = self._select(self._setting, self._current.task)
        observation, _ = env.reset(seed=seed, options=options)
        self._running = True
        return observation, {}

    def step(self, action: Any) -> EnvStep:
        """Takes one step.

        Args:
            action: a value of `action_space`; numbers must be finite. Meta-World's is (4,): the arm moves by the first
                three, clipped to [-1, 1] (1 is 1 cm); the last is the gripper's effort.

        Returns:
            The `EnvStep`.

        Raises:
            RuntimeError: no episode is under way: call reset().
            ValueError: the action has the wrong shape or is not finite.
        """
        env = self._env("step")
        if not self._running:
            raise no_episode(self)
        step = env.step(action)
        if "diverged" not in step.env_info:  # so that a simulation that breaks down adds no key
            info = step.env_info | {"diverged": 0.0}
            step = EnvStep(step.env_spec, step.action, step.reward, step.observation, info, step.step_type)
        self._running = not step.last
        if self._shows is not None:
            show(self, self._shows)
        return step

    @property
    def render_modes(self) -> list[str]:
        """Names of the modes in which the environment can be rendered."""
        return list(self.metadata["render_modes"])

    def render(self, mode: str | None = None) -> Any:
        """Returns a picture.

        Args:
            mode: one of `render_modes`; None for the `render_mode` that the environment was made with. A picture of
                another mode is drawn offscreen by a second simulator.

        Raises:
            RuntimeError: no task is set yet, or there was no reset; or mode is None, and the environment was made
                without a `render_mode`.
            ValueError: mode is not one of `render_modes`.
        """
        env = self._env("render")
        if mode is not None:
            check_choice("mode", mode, self.render_modes)
        return env.render(None if mode == self.render_mode else mode)

    def visualize(self) -> None:
        """Shows the environment in a window, now and at each later step.

        Without a display it draws a picture offscreen, and warns that it is not shown.

        Raises:
            RuntimeError: no task is set yet, or there was no reset.
        """
        self._env("visualize")
        self._shows = visualize(self)

    def close(self) -> None:
        """Closes the environments of all skills."""
        for env in self._envs.values():
            env.close()
        if self._base is not None:
            self._base.close()


_HOW = (
    "Make the environment with a benchmark and a kind, or call set_task with a task that sample_tasks of such an "
    "environment returned."
)


@dataclass(frozen=True)
class _Setting:
    """What all tasks of one environment share."""

    benchmark: Benchmark
    kind: str
    add_env_onehot: bool

    def __post_init__(self) -> None:
        check_onehot(self.benchmark, self.kind, self.add_env_onehot)

    @classmethod
    def of(cls, task: Mapping[str, Any]) -> _Setting:
        """Reads the setting out of what `sample_tasks` returned."""
        if set(task) != {"kind", "benchmark", "add_env_onehot", "inner"}:
            raise WrongValue(
                "A task from sample_tasks has the entries kind, benchmark, add_env_onehot and inner, not "
                f"{', '.join(map(str, task)) or 'none'}. Pass on what sample_tasks returned."
            )
        return cls(Benchmark.of(task["benchmark"]), task["kind"], task["add_env_onehot"])

    def as_dict(self) -> dict[str, Any]:
        return {"kind": self.kind, "benchmark": self.benchmark, "add_env_onehot": self.add_env_onehot}

    @property
    def tasks(self) -> tuple[Task, ...]:
        return self.benchmark.tasks(self.kind)

    @property
    def env_names(self) -> list[str]:
        return self.benchmark.env_names(self.kind)


class _Current(NamedTuple):
    """The task that is set, and the environment of its skill."""

    task: Task
    env: StepWrapper


def check_onehot(benchmark: Benchmark, kind: str, add_env_onehot: bool) -> None:
    """Raises ValueError if `kind` is not a split, or a one-hot would reveal what must stay unknown."""
    check_choice("kind", kind, SPLITS)
    check_switch("add_env_onehot", add_env_onehot)
    if add_env_onehot and (kind == "test" or benchmark.is_meta):
        raise WrongValue(
            f"add_env_onehot must be False for the {kind} tasks of {benchmark.name}: a one-hot names the "
            "skill, so it is for the train tasks of multi-task (MT) benchmarks.",
            argument="add_env_onehot",
        )
