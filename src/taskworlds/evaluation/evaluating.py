"""`evaluate`: checks what the caller asked for, and passes it on to the code for the kind of environment."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Literal

import gymnasium as gym
from gymnasium.vector import VectorEnv

from taskworlds.core.benchmark import entropy
from taskworlds.core.errors import WrongType, WrongValue, check_choice, check_count, check_seed
from taskworlds.evaluation.environments import Plan, evaluate_benchmark, evaluate_fixed, evaluate_tasks
from taskworlds.evaluation.meta import MetaSettings
from taskworlds.evaluation.players import as_policy
from taskworlds.evaluation.policies import Policy, is_meta_learner
from taskworlds.evaluation.result import Result
from taskworlds.evaluation.rows import holds_tasks
from taskworlds.vector.task_env import TaskEnv

if TYPE_CHECKING:
    from taskworlds.evaluation.on_workers import Crew

__all__ = ["evaluate"]

_ADAPTATION_EPISODES = 10  # Meta-World's


def evaluate(
    policy: Policy | str,
    benchmark_or_env: Any,
    *,
    split: Literal["train", "test"] | None = None,
    episodes_per_task: int = 1,
    seed: int | None = 0,
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
    on_step: Callable[[int], None] | None = None,
    resume: Result | None = None,
    workers: int | Crew | None = None,
    address: str | None = None,
) -> Result:
    """Plays the same number of episodes on every task, and gives each task the same weight.

    What is evaluated:

    - a benchmark, by name ("MT10", "ML10-test") or as an object (ours or Meta-World's): its vector env is
      made here, and closed;
    - one of our vector envs, or what `taskworlds.make` made: the tasks of its rows, with its settings, in
      any autoreset mode. Made with `k_episodes` it plays trials: an episode is a trial, and `Result.attempt` gives the
      result of one attempt;
    - any other Gymnasium env or vector env: each row counts as one task. The first `episodes_per_task`
      episodes of each row count; rows that have played theirs keep stepping until all rows have. Success is what the
      infos call "success", and unknown (None, NaN) where they do not.

    An env that is passed in stays open, with its settings as they were. Reset it before you step it again.
    If it normalises, its running statistics have been updated.

    A policy with the methods of a `MetaLearningAgent` is evaluated by the meta protocol, any other by the multi-task
    protocol; `taskworlds.evaluation.meta` and `taskworlds.evaluation.playing` describe them.

    Where a task's reset or step raises an exception, the task is reported in `Result.failed` with the
    message, and the others run on; a RuntimeWarning says so. To tell which row is at fault, running episodes
    are started again (in the meta protocol the batch from `init()`). Exceptions of the policy come out as
    they are, and so do those of other Gymnasium envs, whose rows cannot be stepped one by one.

    Args:
        policy: a callable that takes observations (N, O) and returns actions (N, A), as an array or a tensor;
            Meta-World's `Agent` or `MetaLearningAgent`; a model with `predict`, as Stable-Baselines3's; a torch module;
            a class or a function that makes one of these without arguments; or a name: "expert", "random",
            "package.module:object", "file.py:object". docs/policies.md has an example of each, and
            `taskworlds.evaluation.load_policy` gives a named one arguments or a checkpoint.
        benchmark_or_env: see above.
        split: "train" or "test"; the default is "test" where the benchmark has test tasks, otherwise "train".
        episodes_per_task: counted episodes for each task.
        seed: gives the goals of a benchmark that is named, and the draws of the bootstrap; a Gymnasium env
            that is passed in is reset with it. To vary it on fixed goals, pass a benchmark as an object. None draws a
            random seed, which the result records.
        tasks: evaluate only these tasks of the benchmark or vector env, `Task`s or Meta-World's. Equal tasks
            count as one.
        adaptation_episodes: episodes of each task in each round of adaptation; 10. This and the next are for
            meta-learning agents only.
        adaptation_steps: rounds of adaptation, each ending with `adapt()`; 1.
        env_name: the skill of "MT1" and "ML1", for a benchmark that is named.
        num_goals: goals for each skill of a benchmark that is named; see `taskworlds.benchmark`.
        num_envs: rows of the vector env that is made. The default gives each skill equally many, at least
            10 in all, but no more than there are episodes.
        meta_batch_size: the same as `num_envs`, for the meta protocol, where the default is at least 20.
        vector_strategy: the engine that steps the rows, as for `taskworlds.make_vec`.
        max_episode_steps: steps after which an episode is cut off; the default is the benchmark's (500).
        terminate_on_success: whether a counted episode ends with its first success; True where there is
            success.
        reward_function_version: Meta-World's "v1" or "v2"; the default is that of `taskworlds.make_vec`.
        use_one_hot: whether observations end with the skill's one-hot; the default is that of
            `taskworlds.make_vec`.
        on_episode: called as `on_episode(done, total)` when an episode has ended. Both count the episodes of
            adaptation too, and the rest of a task that failed counts as done.
        on_step: called as `on_step(rows)` after each step, with the number of rows that took it; with `workers` some
            times in a second, for all steps since.
        resume: a part of this same evaluation, such as `Stopped.result`: its tasks are not played again, unless they
            failed or, in the meta protocol, share a batch with others. What a policy with a generator of its own draws
            for the others may differ from an evaluation in one go.
        workers: play a benchmark in this many processes, which Ray runs (`pip install "taskworlds[ray]"`), each with a
            vector env, a copy of the policy and a processor of its own. The result is that of one process, to the last
            digit; docs/policies.md says for which policies. A `taskworlds.evaluation.on_workers.Crew` brings workers
            that are there already. None: play in this process.
        address: with `workers`, "host:port" of a Ray cluster's head, or "auto" for the cluster of which this machine is
            a part; None for the one that RAY_ADDRESS names, or else for this machine alone.

    Raises:
        TypeError: an argument is of the wrong type, or does not fit what is evaluated; or a method of the policy is
            missing.
        ValueError: an argument is out of range; the policy's actions have the wrong shape or are not finite; there are
            fewer processors than `workers`.
        ImportError: `workers` need Ray, which is missing.
        ConnectionError: nothing answers at `address`.
        taskworlds.workers.lost.WorkerLost: a worker was lost again and again, or found no room; after one loss its
            episodes are played again, and a RuntimeWarning says so. Its `state` is a `Result` of what was finished,
            for `resume`, or None.
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
    seed = entropy() if seed is None else check_seed(seed)
    if split is not None:
        check_choice("split", split, ("train", "test"))
    if on_episode is not None and not callable(on_episode):
        raise WrongType(
            f"on_episode must be a function of two counts, done and total, not {on_episode!r}.",
            argument="on_episode",
        )
    player = as_policy(policy)
    if on_step is not None and not callable(on_step):
        raise WrongType(
            f"on_step must be a function of a count of rows, not {on_step!r}.", argument="on_step"
        )
    if resume is not None and not isinstance(resume, Result):
        raise WrongType(
            f"resume must be a taskworlds.evaluation.Result, not {resume!r}. Result.load reads a file.",
            argument="resume",
        )
    if isinstance(workers, int) or not (workers is None or callable(getattr(workers, "play", None))):
        workers = check_count("workers", workers)
        if vector_strategy == "ray":
            raise WrongValue(
                'vector_strategy must be another engine than "ray" where workers play: leave one of the two out.',
                argument="vector_strategy",
            )
    if address is not None and (workers is None or not isinstance(address, str)):
        raise WrongType(
            'address must be "host:port" of a Ray cluster\'s head, on which workers=... are to play, but it is '
            f"{address!r}, and workers is {workers!r}.",
            argument="address",
        )
    meta = _meta_settings(player, adaptation_episodes, adaptation_steps, meta_batch_size)
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
    plan = Plan(player, split, episodes_per_task, seed, tasks, meta, on_episode, on_step, resume)

    if isinstance(benchmark_or_env, TaskEnv):
        benchmark_or_env = benchmark_or_env.batch
    if not isinstance(benchmark_or_env, gym.Env | VectorEnv):
        if workers is None:
            return evaluate_benchmark(plan, benchmark_or_env, building)
        # Loads Ray, which is optional.
        from taskworlds.evaluation.on_workers import Crew

        crew = Crew(workers, address) if isinstance(workers, int) else workers
        crew.take(policy, player)
        return evaluate_benchmark(plan, benchmark_or_env, building, crew.play)
    if workers is not None:
        raise WrongType(
            f"workers must be left out for {benchmark_or_env!r}, which is made already and steps in this process. Or "
            "pass a benchmark, by name or as envs.benchmark, of which each worker makes a vector env of its own.",
            argument="workers",
        )
    if building:
        raise WrongType(
            f"{', '.join(building)} cannot be set for an environment that is already made: make it with these "
            "settings, or pass a benchmark."
        )
    if holds_tasks(benchmark_or_env):
        return evaluate_tasks(plan, benchmark_or_env)
    return evaluate_fixed(plan, benchmark_or_env)


def _meta_settings(
    policy: Any, adaptation_episodes: int | None, adaptation_steps: int | None, meta_batch_size: int | None
) -> MetaSettings | None:
    if is_meta_learner(policy):
        return MetaSettings(
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
        raise WrongType(
            f"{', '.join(named)} can only be given for the meta protocol, which needs a policy with init, "
            f"adapt_action, step, adapt and eval_action, not {type(policy).__name__}. Leave out "
            f"{', '.join(named)} for the multi-task protocol.",
            argument=named[0],
        )
    return None


def _num_envs(num_envs: int | None, meta_batch_size: int | None) -> int | None:
    if num_envs is not None:
        check_count("num_envs", num_envs)
    if meta_batch_size is not None:
        check_count("meta_batch_size", meta_batch_size)
        if num_envs not in (None, meta_batch_size):
            raise WrongValue(
                f"num_envs and meta_batch_size both mean the number of rows, but are {num_envs} and "
                f"{meta_batch_size}: give one of them."
            )
        return meta_batch_size
    return num_envs
