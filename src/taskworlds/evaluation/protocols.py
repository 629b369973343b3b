"""`evaluate`, and the two protocols it follows: multi-task, and meta (adapt first, then test).

Multi-task: each task gets its quota of episodes, whichever row plays them, and a row takes the next episode
as soon as it has ended one. Only asked-for episodes are played, so fast ones cannot crowd out slow ones.

Meta: the tasks are taken in batches of N, one task in each row, and the agent sees the N rows as one array.
For each batch `init()` is called; then, with terminate_on_success off, each row plays the episodes of
adaptation with `adapt_action`, each step is shown to `step`, and `adapt()` follows; then each row plays the
counted episodes with `eval_action`. N is the number of rows, Meta-World's meta_batch_size, and part of what
the agent sees. The last batch is filled up with tasks that had their turn; what they play there is not
counted. A row that has had its episodes waits for the others: its observation repeats, its reward is 0, and
both its flags are False.
"""

from __future__ import annotations

import contextlib
import functools
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Literal, NamedTuple, Protocol

import gymnasium as gym
import numpy as np
from gymnasium.vector import VectorEnv
from numpy.typing import NDArray

import taskworlds
from taskworlds.benchmarks import Benchmark, split_of_name
from taskworlds.errors import check_choice, check_count, check_seed
from taskworlds.evaluation.fingerprint import Fingerprint
from taskworlds.evaluation.policies import Actor, Policy, Timestep, is_meta_learner
from taskworlds.evaluation.result import Episode, Result, Stopped, TaskRecord
from taskworlds.evaluation.rows import FixedRows, RowsFault, Tally, TaskRows, holds_tasks
from taskworlds.task import Task
from taskworlds.vector.task_env import TaskEnv
from taskworlds.worlds import world_of

__all__ = ["default_num_envs", "default_split", "evaluate"]

_NUM_ENVS = 10  # rows to aim at where the caller does not say
_META_BATCH_SIZE = 20  # Meta-World's
_ADAPTATION_EPISODES = 10  # Meta-World's


def evaluate(
    policy: Policy,
    benchmark_or_env: Any,
    *,
    split: Literal["train", "test"] | None = None,
    episodes_per_task: int = 1,
    seed: int = 0,
    tasks: Iterable[Any] | None = None,
    adaptation_episodes: int | None = None,
    adaptation_steps: int | None = None,
    env_name: str | None = None,
    num_goals: int | None = None,
    num_envs: int | None = None,
    meta_batch_size: int | None = None,
    vector_strategy: str | None = None,
    max_episode_steps: int | None = None,
    terminate_on_success: bool | None = None,
    reward_function_version: str | None = None,
    use_one_hot: bool | None = None,
    on_episode: Callable[[int, int], None] | None = None,
) -> Result:
    """Plays the same number of episodes on every task, and gives each task the same weight.

    What is evaluated:

    - a benchmark, by name ("MT10", "ML10-test") or as an object (ours or Meta-World's): its vector env is
      made here, and closed;
    - one of our vector envs, or what `taskworlds.make` made: the tasks of its rows, with its settings, in
      any autoreset mode;
    - any other Gymnasium env or vector env: each row counts as one task. The first `episodes_per_task`
      episodes of each row count; rows that have had theirs keep stepping until the last row has. Success is
      what the infos call "success", and unknown (None, NaN) where they do not.

    An env that is passed in stays open, with its settings as they were. Reset it before you step it again.
    If it normalises, its running statistics have moved on.

    With a policy that has the methods of a `MetaLearningAgent` the meta protocol is followed, otherwise the
    multi-task protocol; this module's description tells both.

    Where a task's reset or step raises an exception, the task is reported in `Result.failed` with the
    message, and the others run on; a RuntimeWarning says so. To tell which row is at fault, running episodes
    are started again (in the meta protocol the batch from `init()`). Exceptions of the policy come out as
    they are, and so do those of other Gymnasium envs, whose rows cannot be stepped one by one.

    Args:
        policy: a callable that takes observations (N, O) float64 and gives actions (N, A); or Meta-World's
            `Agent` or `MetaLearningAgent`. See `taskworlds.evaluation.policies`, also for the hook
            `begin_episodes`.
        benchmark_or_env: see above.
        split: "train" or "test"; the default is "test" where the benchmark has test tasks, otherwise "train".
        episodes_per_task: counted episodes for each task.
        seed: gives the goals of a benchmark that is named, and the draws of the bootstrap; a Gymnasium env
            that is passed in is reset with it. To vary it on fixed goals, pass a benchmark as an object.
        tasks: evaluate only these tasks of the benchmark or vector env, `Task`s or Meta-World's. Equal tasks
            count as one.
        adaptation_episodes: episodes of each task in each round of adaptation; 10. This and the next are for
            meta-learning agents only.
        adaptation_steps: rounds of adaptation, each ending with `adapt()`; 1.
        env_name: the skill of "MT1" and "ML1", for a benchmark that is named.
        num_goals: goals for each skill of a benchmark that is named; see `taskworlds.benchmark`.
        num_envs: rows of the vector env that is made. The default gives each skill equally many, at least
            10 in all, but no more than there are episodes.
        meta_batch_size: the rows in the meta protocol, where the default is at least 20; the same thing as
            `num_envs`.
        vector_strategy: the engine that steps the rows, as for `taskworlds.make_vec`.
        max_episode_steps: steps after which an episode is cut off; the default is the benchmark's (500).
        terminate_on_success: whether a counted episode ends with its first success; True where there is
            success.
        reward_function_version: Meta-World's "v1" or "v2"; the default is that of `taskworlds.make_vec`.
        use_one_hot: whether observations end with the skill's one-hot; the default is that of
            `taskworlds.make_vec`.
        on_episode: called as `on_episode(done, total)` when an episode has ended. Both count the episodes of
            adaptation too, and the rest of a task that failed counts as done.

    Raises:
        TypeError: an argument is of the wrong type, or does not go with what is evaluated; the policy lacks
            methods.
        ValueError: an argument is out of range; the policy's actions have the wrong shape or are not finite.
        taskworlds.evaluation.Stopped: Ctrl-C, after some task had all its episodes. It is a KeyboardInterrupt, and its
            `result` has these tasks.

    Example:
        >>> import gymnasium
        >>> from taskworlds.evaluation import random_policy
        >>> env = gymnasium.make("CartPole-v1")
        >>> result = evaluate(random_policy(env.action_space, seed=0), env, episodes_per_task=20)
        >>> result.tasks[0].task.env_name, len(result.tasks[0].episodes)
        ('CartPole-v1', 20)
        >>> 10 < result.overall["length"].mean.value < 50
        True
    """
    episodes_per_task = check_count("episodes_per_task", episodes_per_task)
    seed = check_seed(seed)
    if split is not None:
        check_choice("split", split, ("train", "test"))
    if on_episode is not None and not callable(on_episode):
        raise TypeError(f"on_episode must be a function of two counts, done and total, not {on_episode!r}.")
    meta = _meta_settings(policy, adaptation_episodes, adaptation_steps, meta_batch_size)
    building = {
        "env_name": env_name,
        "num_goals": num_goals,
        "num_envs": _num_envs(num_envs, meta_batch_size),
        "vector_strategy": vector_strategy,
        "max_episode_steps": max_episode_steps,
        "terminate_on_success": terminate_on_success,
        "reward_function_version": reward_function_version,
        "use_one_hot": use_one_hot,
    }
    building = {name: value for name, value in building.items() if value is not None}
    plan = _Plan(policy, split, episodes_per_task, seed, tasks, meta, on_episode)

    if isinstance(benchmark_or_env, TaskEnv):
        benchmark_or_env = benchmark_or_env.batch
    if not isinstance(benchmark_or_env, gym.Env | VectorEnv):
        return _evaluate_benchmark(plan, benchmark_or_env, building)
    if building:
        raise TypeError(
            f"{', '.join(building)} cannot be set for an environment that is made already: make it with "
            "these settings, or pass a benchmark."
        )
    if holds_tasks(benchmark_or_env):
        return _evaluate_tasks(plan, benchmark_or_env)
    return _evaluate_fixed(plan, benchmark_or_env)


class _Meta(NamedTuple):
    """The numbers of the meta protocol."""

    episodes: int
    rounds: int

    @property
    def practice(self) -> int:
        """Episodes of adaptation in all, for each task."""
        return self.episodes * self.rounds


class _Plan(NamedTuple):
    """What the caller asked for, checked as far as it can be without the environment."""

    policy: Policy
    split: str | None
    episodes_per_task: int
    seed: int
    tasks: Iterable[Any] | None
    meta: _Meta | None
    on_episode: Callable[[int, int], None] | None


def _meta_settings(
    policy: Any, adaptation_episodes: int | None, adaptation_steps: int | None, meta_batch_size: int | None
) -> _Meta | None:
    if is_meta_learner(policy):
        return _Meta(
            check_count(
                "adaptation_episodes",
                _ADAPTATION_EPISODES if adaptation_episodes is None else adaptation_episodes,
            ),
            check_count("adaptation_steps", 1 if adaptation_steps is None else adaptation_steps),
        )
    given = {
        "adaptation_episodes": adaptation_episodes,
        "adaptation_steps": adaptation_steps,
        "meta_batch_size": meta_batch_size,
    }
    if named := [name for name, value in given.items() if value is not None]:
        raise TypeError(
            f"{', '.join(named)} ask(s) for the meta protocol, which needs a policy with init, adapt_action, "
            f"step, adapt and eval_action, not {type(policy).__name__}. Leave them out for the multi-task "
            "protocol."
        )
    return None


def _num_envs(num_envs: int | None, meta_batch_size: int | None) -> int | None:
    if num_envs is not None:
        check_count("num_envs", num_envs)
    if meta_batch_size is not None:
        check_count("meta_batch_size", meta_batch_size)
        if num_envs not in (None, meta_batch_size):
            raise ValueError(
                f"num_envs and meta_batch_size both mean the number of rows, but are {num_envs} and "
                f"{meta_batch_size}: give one of them."
            )
        return meta_batch_size
    return num_envs


def default_split(benchmark: Benchmark) -> str:
    """Gives the split that is evaluated unless the caller says which."""
    return "test" if benchmark.test_tasks else "train"


def default_num_envs(num_skills: int, episodes: int, *, meta: bool) -> int:
    """Gives the rows unless the caller says how many: equally many for each skill, and enough in all.

    In the multi-task protocol, whose outcome does not depend on it, there are no more than episodes to be played.
    """
    aim = _META_BATCH_SIZE if meta else _NUM_ENVS
    rows = num_skills * -(-aim // num_skills)
    return rows if meta else min(rows, episodes)


# --- what is evaluated ---


def _evaluate_benchmark(plan: _Plan, benchmark_or_name: Any, building: dict[str, Any]) -> Result:
    """Makes the vector env of a benchmark, evaluates it, and closes it."""
    naming: dict[str, Any] = {
        name: building.pop(name) for name in ("env_name", "num_goals") if name in building
    }
    split = plan.split
    if isinstance(benchmark_or_name, str):
        benchmark_or_name, split = split_of_name(benchmark_or_name, split)
        naming["seed"] = plan.seed
    benchmark = taskworlds.Benchmark.of(benchmark_or_name, **naming)
    split = split or default_split(benchmark)
    settings = {
        "num_envs": default_num_envs(
            len(benchmark.env_names(split)),
            len(benchmark.tasks(split)) * plan.episodes_per_task,
            meta=plan.meta is not None,
        ),
        "terminate_on_success": world_of(benchmark.env_names(split)[0]).has_success,
    } | building
    envs = taskworlds.make_vec(
        benchmark,
        split=split,
        seed=plan.seed,
        autoreset_mode=gym.vector.AutoresetMode.DISABLED,
        **settings,
    )
    try:
        result = _evaluate_tasks(plan, envs)
    except KeyboardInterrupt:
        # Ctrl-C stops the processes of rows as well, and then they cannot be told to close.
        with contextlib.suppress(Exception, KeyboardInterrupt), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            envs.close()
        raise
    except BaseException:
        envs.close()
        raise
    envs.close()
    return result


def _evaluate_tasks(plan: _Plan, envs: Any) -> Result:
    """Evaluates one of our vector envs on the tasks of its rows."""
    if plan.split not in (None, envs.split):
        raise ValueError(
            f"split must be {envs.split!r}, the split of the environment that was passed, not "
            f"{plan.split!r}. Make another environment for the other split."
        )
    terminate_on_success = np.unique(envs.terminate_on_success)
    if len(terminate_on_success) != 1:
        raise ValueError(
            "terminate_on_success must be the same in all rows of an environment that is evaluated, or its "
            "tasks would be measured differently. Call toggle_terminate_on_success on all rows."
        )
    held = {task for row in envs.tasks for task in row}
    listed = [task for task in envs.benchmark.tasks(envs.split) if task in held]  # in an order without rows
    tasks = _chosen([*listed, *(task for row in envs.tasks for task in row)], plan.tasks)
    rows = TaskRows(envs)
    practice = 0 if plan.meta is None else plan.meta.practice
    ledger = _Ledger(tasks, practice, plan.episodes_per_task, plan.on_episode)
    actor = Actor(plan.policy, envs.single_action_space, rows.num_envs)
    protocol = "multi-task"
    if plan.meta is not None:
        protocol = (
            f"meta: {plan.meta.rounds} x {plan.meta.episodes} episodes of adaptation, "
            f"batches of {rows.num_envs}"
        )
    fingerprint = functools.partial(
        Fingerprint.of,
        protocol=protocol,
        reward_function_version=envs.reward_function_version,
        max_episode_steps=envs.max_episode_steps,
        terminate_on_success=bool(terminate_on_success[0]),
    )
    with _kept_when_stopped(plan, envs.benchmark.name, envs.split, fingerprint, ledger):
        if plan.meta is None:
            _multi_task(actor, rows, ledger)
        else:
            _meta(actor, rows, ledger, plan.meta)
    return _result(plan, envs.benchmark.name, envs.split, fingerprint, ledger)


def _evaluate_fixed(plan: _Plan, env: Any) -> Result:
    """Evaluates any other Gymnasium env or vector env on its rows as they are."""
    for name, value in (("split", plan.split), ("tasks", plan.tasks)):
        if value is not None:
            raise TypeError(
                f"{name} cannot be chosen for {env!r}, whose tasks cannot be set: pass a benchmark, or what "
                "taskworlds.make_vec makes."
            )
    if plan.meta is not None:
        raise TypeError(
            f"The meta protocol needs an environment whose tasks can be set, not {env!r}: pass a benchmark, "
            "or what taskworlds.make_vec makes."
        )
    tasks = getattr(env.unwrapped, "tasks", None)
    chooses = hasattr(env.unwrapped, "set_task") and isinstance(tasks, list | tuple) and len(tasks) > 1
    if holds_tasks(env.unwrapped) or chooses:
        raise TypeError(
            f"{env!r} changes its tasks between episodes and cannot be told which to play next, so they "
            "would not get equal weight. Pass its benchmark, or what taskworlds.make_vec makes without a "
            "wrapper around it; a policy can do what a wrapper does to observations."
        )
    rows = FixedRows(env)
    ledger = _Ledger(rows.tasks, 0, plan.episodes_per_task, plan.on_episode)
    name = ", ".join(sorted({task.env_name for task in rows.tasks}))
    fingerprint = functools.partial(
        Fingerprint.of, protocol="multi-task", max_episode_steps=rows.max_episode_steps
    )
    with _kept_when_stopped(plan, name, None, fingerprint, ledger):
        _fixed(Actor(plan.policy, rows.envs.single_action_space, rows.num_envs), rows, ledger, plan.seed)
    return _result(plan, name, None, fingerprint, ledger)


def _chosen(available: Sequence[Task], wanted: Iterable[Any] | None) -> list[Task]:
    """Gives the tasks to evaluate, each once."""
    if wanted is None:
        return list(dict.fromkeys(available))
    if isinstance(wanted, Task) or not isinstance(wanted, Iterable):
        raise TypeError(f"tasks must be a list of tasks, or None for all of them, not {wanted!r}.")
    chosen = list(dict.fromkeys(Task.of(task) for task in wanted))
    if not chosen:
        raise ValueError("tasks must name at least one task, or be None for all of them, but it is empty.")
    known = set(available)
    for task in chosen:
        if task not in known:
            raise ValueError(
                f"tasks must be tasks of the benchmark's split that is evaluated, but {_describe(task)} is "
                f"none of its {len(known)}. Check the split and the seed that it was drawn with."
            )
    return chosen


@contextlib.contextmanager
def _kept_when_stopped(
    plan: _Plan,
    name: str,
    split: str | None,
    fingerprint: Callable[[Sequence[Task]], Fingerprint],
    ledger: _Ledger,
) -> Iterator[None]:
    """Has Ctrl-C bring along the tasks that had all their episodes by then."""
    try:
        yield
    except KeyboardInterrupt:
        done = tuple(
            record
            for record in ledger.records()
            if record.error is not None or len(record.episodes) == ledger.quota
        )
        if not done:
            raise
        of_these = fingerprint([record.task for record in done])
        part = Result(f"{name} (partial)", split, plan.episodes_per_task, plan.seed, of_these, done)
        raise Stopped(part) from None


def _result(
    plan: _Plan,
    name: str,
    split: str | None,
    fingerprint: Callable[[Sequence[Task]], Fingerprint],
    ledger: _Ledger,
) -> Result:
    of_all = fingerprint(ledger.tasks)
    result = Result(name, split, plan.episodes_per_task, plan.seed, of_all, ledger.records())
    if result.failed:
        first = result.failed[0]
        warnings.warn(
            f"{len(result.failed)} of {len(result.tasks)} tasks could not run and are in no average, the "
            f"first is {_describe(first.task)}: {first.error}. Result.failed lists them.",
            RuntimeWarning,
            stacklevel=4,
        )
    return result


def _describe(task: Task) -> str:
    return f"{task.env_name} (task {task.id})"


# --- who plays what, and what came of it ---


class _Unit(NamedTuple):
    """An episode to be played: the number of its task, its own number within the task, whether it counts."""

    task: int
    episode: int
    counts: bool = True


class _Schedule:
    """Deals units out to rows, each unit once, and only to rows that hold its skill.

    A row keeps its skill as long as the skill has units left, since changing it can mean building an
    environment.
    """

    def __init__(self, tasks: Sequence[Task], repeats: int, skills: Sequence[frozenset[str]]) -> None:
        self._left: dict[str, deque[_Unit]] = {}
        for number, task in enumerate(tasks):
            queue = self._left.setdefault(task.env_name, deque())
            queue.extend(_Unit(number, repeat) for repeat in range(repeats))
        self._allowed = [[name for name in self._left if name in held] for held in skills]
        self._current: list[str | None] = [None] * len(skills)

    def next(self, row: int) -> _Unit | None:
        """Gives a row its next unit, None if nothing is left for it."""
        name = self._current[row]
        if name is None or not self._left[name]:
            name = max(self._allowed[row], key=lambda skill: len(self._left[skill]), default=None)
            if name is None or not self._left[name]:
                return None
            self._current[row] = name
        return self._left[name].popleft()


class _Ledger:
    """Takes down what came of each task, and reports progress."""

    def __init__(
        self,
        tasks: Sequence[Task],
        practice: int,
        quota: int,
        on_episode: Callable[[int, int], None] | None,
    ) -> None:
        self.tasks = tasks
        self.quota = quota
        self.errors: dict[int, str] = {}
        self._practice = practice
        self._episodes: list[dict[int, Episode]] = [{} for _ in tasks]
        self._done: set[tuple[int, int]] = set()
        self._on_episode = on_episode

    def ended(self, unit: _Unit, episode: Episode) -> None:
        """Takes down an episode that ended."""
        if unit.counts:
            if unit.episode >= self._practice:
                self._episodes[unit.task][unit.episode] = episode
            self._progress({(unit.task, unit.episode)})

    def failed(self, unit: _Unit, error: str) -> None:
        """Takes down that a task cannot run."""
        if unit.counts:
            self.errors.setdefault(unit.task, error)
            self._progress({(unit.task, number) for number in range(self._practice + self.quota)})

    def records(self) -> tuple[TaskRecord, ...]:
        """Gives the outcome, by task."""
        return tuple(
            TaskRecord(task, tuple(episodes[n] for n in sorted(episodes)), self.errors.get(number))
            for number, (task, episodes) in enumerate(zip(self.tasks, self._episodes, strict=True))
        )

    def _progress(self, done: set[tuple[int, int]]) -> None:
        before = len(self._done)
        self._done |= done
        if self._on_episode is not None and len(self._done) > before:
            self._on_episode(len(self._done), len(self.tasks) * (self._practice + self.quota))


class _Act(Protocol):
    """Asks the policy for actions, and for what it wants to find in the timestep."""

    def __call__(
        self, obs: Any, active: NDArray[np.bool_], describe: Callable[[int], str]
    ) -> tuple[NDArray[Any], dict[str, Any]]: ...


# --- the protocols ---


def _multi_task(actor: Actor, rows: TaskRows, ledger: _Ledger) -> None:
    schedule = _Schedule(ledger.tasks, ledger.quota, rows.skills)

    def next_unit(row: int) -> _Unit | None:
        while (unit := schedule.next(row)) is not None and unit.task in ledger.errors:
            pass
        return unit

    def failed(row: int, unit: _Unit, error: str) -> None:
        ledger.failed(unit, error)

    _play(rows, ledger, next_unit, actor.begin, lambda *asked: (actor.act(*asked), {}), failed)


def _meta(actor: Actor, rows: TaskRows, ledger: _Ledger, meta: _Meta) -> None:
    schedule = _Schedule(ledger.tasks, 1, rows.skills)
    while True:
        batch = [schedule.next(row) for row in range(rows.num_envs)]
        if not any(batch):
            return
        filled = [unit or _filler(ledger.tasks, held) for unit, held in zip(batch, rows.skills, strict=True)]
        try:
            _trial(actor, rows, ledger, meta, filled, alone=False)
        except RowsFault:
            _trial(actor, rows, ledger, meta, filled, alone=True)


def _filler(tasks: Sequence[Task], held: frozenset[str]) -> _Unit:
    """Gives a row without a task one that is not counted there, of the row's own skills if there is one."""
    return _Unit(next((number for number, task in enumerate(tasks) if task.env_name in held), 0), 0, False)


def _trial(
    actor: Actor, rows: TaskRows, ledger: _Ledger, meta: _Meta, batch: Sequence[_Unit], *, alone: bool
) -> None:
    """Adapts to the tasks of a batch and tests on them.

    Raises:
        RowsFault: a step of adaptation failed, and `alone` is False. The agent has seen a part of the trial
            then.
    """
    agent: Any = actor.policy
    broken: set[int] = set()  # rows

    def each_row_plays(first: int, count: int) -> Callable[[int], _Unit | None]:
        upcoming = [iter(range(first, first + count)) for _ in batch]

        def next_unit(row: int) -> _Unit | None:
            episode = None if row in broken else next(upcoming[row], None)
            return None if episode is None else batch[row]._replace(episode=episode)

        return next_unit

    def failed(row: int, unit: _Unit, error: str) -> None:
        broken.add(row)
        ledger.failed(unit, error)

    def begin_adaptation(mask: NDArray[np.bool_], infos: dict[str, Any]) -> None:
        actor.begin(mask, infos, clear=False)

    agent.init()
    with rows.until_the_clock():
        for round_ in range(meta.rounds):
            units = each_row_plays(round_ * meta.episodes, meta.episodes)
            _play(rows, ledger, units, begin_adaptation, actor.adapt, failed, observe=agent.step, alone=alone)
            if len(broken) == len(batch):
                return
            agent.adapt()
    units = each_row_plays(meta.practice, ledger.quota)
    _play(rows, ledger, units, actor.begin, lambda *asked: (actor.act(*asked), {}), failed, alone=alone)


def _play(
    rows: TaskRows,
    ledger: _Ledger,
    next_unit: Callable[[int], _Unit | None],
    begin: Callable[[NDArray[np.bool_], dict[str, Any]], None],
    act: _Act,
    failed: Callable[[int, _Unit, str], None],
    *,
    observe: Callable[[Timestep], None] | None = None,
    alone: bool = False,
) -> None:
    """Plays units until no row gets another one.

    Args:
        rows: where they are played.
        ledger: where they are taken down.
        next_unit: gives a row that is free its next unit, or None.
        begin: told which rows began an episode, with the infos of their reset.
        act: asked for the actions.
        failed: told which row could not play which unit, and why.
        observe: shown each step.
        alone: whether each row is stepped by a call of its own, so that a fault is known to be its own.

    Raises:
        RowsFault: a step of several rows failed, and `observe` was shown a part. Without `observe` the
            running episodes are started again, and until their end each row is stepped by a call of its own.
    """
    playing: list[_Unit | None] = [None] * rows.num_envs
    by_itself = np.full(rows.num_envs, alone)
    tally = Tally(rows.num_envs)
    again: dict[int, _Unit] = {}

    def describe(row: int) -> str:
        unit = playing[row]
        return f"row {row}" if unit is None else f"row {row}, {_describe(ledger.tasks[unit.task])}"

    def start(units: dict[int, _Unit]) -> None:
        started, errors = rows.start({row: ledger.tasks[unit.task] for row, unit in units.items()})
        for mask, infos in started:
            for row in np.flatnonzero(mask).tolist():
                playing[row] = units[row]
            tally.begin(mask)
            begin(mask, _with_units(infos, playing, ledger.tasks))
        for row, error in errors.items():
            playing[row] = None
            failed(row, units[row], error)

    while True:
        free = again or {
            row: unit
            for row in range(rows.num_envs)
            if playing[row] is None and (unit := next_unit(row)) is not None
        }
        again = {}
        if free:
            start(free)
            continue  # a row whose unit failed gets another one before anything is stepped
        active = np.array([unit is not None for unit in playing])
        if not active.any():
            return
        obs = rows.obs
        actions, outputs = act(obs, active, describe)
        try:
            step = rows.step(actions, active, by_itself)
        except RowsFault:
            if observe is not None:
                raise
            by_itself |= active
            again = {row: unit for row, unit in enumerate(playing) if unit is not None}
            continue
        for row, error in step.errors.items():
            unit, playing[row] = playing[row], None
            by_itself[row] = alone
            if unit is not None:
                failed(row, unit, error)
        tally.add(active, step)
        for row in np.flatnonzero(step.terminated | step.truncated).tolist():
            unit, playing[row] = playing[row], None
            by_itself[row] = alone
            if unit is not None:
                ledger.ended(unit, tally.episode(row))
        if observe is not None:
            observe(Timestep(obs, actions, step.rewards, step.terminated, step.truncated, outputs))


def _with_units(
    infos: dict[str, Any], playing: Sequence[_Unit | None], tasks: Sequence[Task]
) -> dict[str, Any]:
    """Gives a reset's infos with each row's task and the number of its episode."""
    held = np.full(len(playing), None, dtype=object)
    for row, unit in enumerate(playing):
        held[row] = None if unit is None else tasks[unit.task]
    numbers = np.array([-1 if unit is None else unit.episode for unit in playing])
    return infos | {"task": held, "episode_index": numbers}


def _fixed(actor: Actor, rows: FixedRows, ledger: _Ledger, seed: int) -> None:
    """Plays rows whose tasks cannot be set, until each has had its quota of episodes."""
    counts = np.zeros(rows.num_envs, dtype=np.int64)
    tally = Tally(rows.num_envs)

    def begin(mask: NDArray[np.bool_], infos: dict[str, Any]) -> None:
        tally.begin(mask)
        playing = [_Unit(row, int(count)) for row, count in enumerate(counts)]
        actor.begin(mask, _with_units(infos, playing, rows.tasks))

    begin(rows.playing, rows.start(seed))
    while True:
        playing = rows.playing
        actions = actor.act(rows.obs, playing, lambda row: f"row {row}, {_describe(rows.tasks[row])}")
        step = rows.step(actions)
        tally.add(playing, step)
        for row in np.flatnonzero(step.terminated | step.truncated).tolist():
            if counts[row] < ledger.quota:
                ledger.ended(_Unit(row, int(counts[row])), tally.episode(row))
            counts[row] += 1
        if (counts >= ledger.quota).all():
            return
        began, infos = rows.begin()
        if began.any():
            begin(began, infos)
