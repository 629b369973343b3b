"""`evaluate`: checks what the caller asked for, and passes it on to the code for the kind of environment."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import gymnasium as gym
from gymnasium.vector import VectorEnv

from taskworlds.core.benchmark import entropy
from taskworlds.core.errors import WrongType, WrongValue, check_choice, check_count, check_seed, check_switch
from taskworlds.core.task import Task
from taskworlds.evaluation.environments import Plan, evaluate_benchmark, evaluate_fixed, evaluate_tasks
from taskworlds.evaluation.loading import origin_of
from taskworlds.evaluation.meta import MetaSettings
from taskworlds.evaluation.parts import check_part
from taskworlds.evaluation.players import as_policy
from taskworlds.evaluation.policies import Policy, is_meta_learner
from taskworlds.evaluation.provenance import Clock
from taskworlds.evaluation.records import Episode
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
    part: tuple[int, int] | None = None,
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
    action_repeat: int | None = None,
    unlimited_goals: bool | None = None,
    protocol: Literal["tdmpc2", "newt"] | None = None,
    on_episode: Callable[[int, int], None] | None = None,
    on_step: Callable[[int], None] | None = None,
    on_outcome: Callable[[Task, Episode], None] | None = None,
    resume: Result | str | os.PathLike[str] | None = None,
    keep_actions: bool = False,
    workers: int | Crew | None = None,
    address: str | None = None,
) -> Result:
    """Plays the same number of episodes on every task, and gives each task the same weight.

    What is evaluated:

    - a benchmark, by name ("MT10", "ML10-test") or as an object (ours or Meta-World's): its vector env is
      made here, and closed. Of several worlds (`Benchmark.union`) observations and actions are padded
      (docs/mixed_worlds.md);
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
        tasks: evaluate only these tasks of the benchmark or vector env, each a `Task` or Meta-World's. Equal tasks
            count as one.
        part: a pair (rank, of): evaluate only this part of the tasks, every `of`-th from number `rank` on, in order. So
            each of several processes or machines plays its share, and each task (a skill with its goal) is counted
            once; `taskworlds.evaluation.merge_parts`, or `taskworlds merge`, makes one result of theirs.
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
        action_repeat: raw steps that each step takes with its action; see `taskworlds.make_vec`.
        unlimited_goals: whether to play goals that are drawn anew, by `seed`, instead of the benchmark's, and as many.
        protocol: "tdmpc2" or "newt", what their authors set; see docs/protocols.md. An episode then ends by the clock
            alone, and `Result.score` gives their score.
        on_episode: called as `on_episode(done, total)` when an episode has ended. Both count the episodes of
            adaptation too, and the rest of a task that failed counts as done.
        on_step: called as `on_step(rows)` after each step, with the number of rows that took it; with `workers` some
            times in a second, for all steps since.
        on_outcome: called as `on_outcome(task, episode)` with what came of a counted episode, before `on_episode`.
        resume: a folder. Each episode is written to its file episodes.jsonl when it has ended; episodes that are there
            already are not played again, nor, in the meta protocol, batches that are there as a whole. So after Ctrl-C,
            a crash or a full disk the same call goes on where it was, to the result of an evaluation in one go, unless
            the policy draws from a generator that does not begin anew with each episode. Or a part of this same
            evaluation, such as `Stopped.result`: its tasks are not played again, unless they failed.
        keep_actions: write the actions of each episode to that file too, for `taskworlds replay`; in the multi-task
            protocol.
        workers: play a benchmark in this many processes, which Ray runs (`pip install "taskworlds[ray]"`), each with a
            vector env, a copy of the policy and a processor of its own. The result is that of one process, to the last
            digit; docs/policies.md says for which policies. `RaySampler.evaluate` passes the workers that it has, as a
            `taskworlds.evaluation.on_workers.Crew`. None: play in this process.
        address: with `workers`, "host:port" of a Ray cluster's head, or "auto" for the cluster of which this machine is
            a part; None for the one that RAY_ADDRESS names, or else for this machine alone.

    Raises:
        TypeError: an argument is of the wrong type, or does not fit what is evaluated; or a method of the policy is
            missing.
        ValueError: an argument is out of range; the policy's actions have the wrong shape or are not finite; there are
            fewer processors than `workers`.
        ImportError: `workers` need Ray, which is missing.
        ConnectionError: nothing answers at `address`.
        OSError: an episode cannot be written to the folder of `resume`, as where the disk is full. Those before it are
            there.
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
    if on_outcome is not None and not callable(on_outcome):
        raise WrongType(
            f"on_outcome must be a function of a task and an episode, not {on_outcome!r}.",
            argument="on_outcome",
        )
    if isinstance(resume, str | os.PathLike):
        resume = Path(resume)
        if resume.exists() and not resume.is_dir():
            raise WrongValue(
                f"resume must be a folder, and {resume} is a file. Result.load reads a saved result.",
                argument="resume",
            )
    elif resume is not None and not isinstance(resume, Result):
        raise WrongType(
            f"resume must be a folder, or a taskworlds.evaluation.Result, not {resume!r}. Result.load reads a file.",
            argument="resume",
        )
    if check_switch("keep_actions", keep_actions) and not isinstance(resume, Path):
        raise WrongValue(
            "keep_actions needs a folder to keep them in: give it as resume.", argument="keep_actions"
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
        "action_repeat": action_repeat,
        "unlimited_goals": unlimited_goals,
        "protocol": protocol,
    }
    building = {name: value for name, value in building.items() if value is not None}
    if keep_actions and meta is not None:
        raise WrongValue(
            "keep_actions must be left out for a meta-learning agent, whose episodes follow from its adaptation.",
            argument="keep_actions",
        )
    if part is not None:
        part = check_part(part)
        if meta is not None:
            raise WrongValue(
                "part must be left out for a meta-learning agent, which adapts to batches of tasks.",
                argument="part",
            )
    count = workers if workers is None or isinstance(workers, int) else workers.num_workers
    clock = Clock(origin_of(policy), count)
    plan = Plan(
        player,
        split,
        episodes_per_task,
        seed,
        tasks,
        meta,
        on_episode,
        on_step,
        on_outcome,
        resume,
        bool(keep_actions),
        clock,
        part,
    )

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
