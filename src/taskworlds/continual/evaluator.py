"""`Evaluator`: plays a policy on every task of a sequence, whenever so many steps were trained."""

from __future__ import annotations

from typing import Any

from taskworlds.continual.learning_run import LearningRun
from taskworlds.continual.sequence_env import SequenceVectorEnv
from taskworlds.core.errors import WrongType, WrongValue, check_count
from taskworlds.evaluation import evaluate
from taskworlds.vector.make import make_vec
from taskworlds.vector.task_vector_env import TaskVectorEnv

__all__ = ["Evaluator"]


class Evaluator:
    """Evaluates a policy that learns a sequence, on all of the sequence's tasks, at even distances.

    Each evaluation plays the first goals of each task's skill, one episode each, always the same ones, in environments
    of its own, so training goes on as if there were none. An episode is a success if any of its steps was.

    Args:
        envs: the sequence that is trained, with a budget, in a world that has success.
        every: steps between two evaluations, over all rows: a multiple of the number of rows that divides the budget.
            Continual World has 20,000.
        episodes: episodes on each task at each evaluation, at most the goals of a skill (50, or `num_goals`);
            Continual World has 10.

    Raises:
        TypeError: `envs` is not a sequence.
        ValueError: a number does not fit, or the world has no success.

    Example:
        >>> from taskworlds.continual import make_sequence
        >>> envs = make_sequence(["reach-v3", "push-v3"], num_envs=2, steps_per_task=8, max_episode_steps=4)
        >>> evaluator = Evaluator(envs, every=4, episodes=1)
        >>> _ = envs.reset(seed=0)
        >>> while not envs.is_over:
        ...     _ = envs.step(envs.action_space.sample())
        ...     _ = evaluator.update("random")
        >>> evaluator.run.steps, evaluator.run.trained.tolist()
        ((4, 8, 12, 16), [0, 0, 1, 1])
    """

    def __init__(self, envs: SequenceVectorEnv, every: int = 20_000, episodes: int = 10) -> None:
        if not isinstance(envs, SequenceVectorEnv):
            raise WrongType(
                f"envs must be a sequence, which make_sequence makes, not {type(envs).__name__}.",
                argument="envs",
            )
        world = envs.env.world
        if not world.has_success:
            raise WrongValue(
                f"envs must be of a world that has success, whose rates an Evaluator keeps, and {world.name} has none.",
                argument="envs",
            )
        if envs.steps_per_task is None:
            raise WrongValue(
                "envs must have a budget: make the sequence with steps_per_task, not None.", argument="envs"
            )
        self._envs = envs
        self._every = check_count("every", every)
        if every % envs.num_envs or envs.steps_per_task % every:
            raise WrongValue(
                f"every must be a multiple of the {envs.num_envs} rows, and divide the budget of {envs.steps_per_task} "
                f"steps, so that each task's last evaluation is at its end, not {every}.",
                argument="every",
            )
        goals = min(len(each.benchmark.train_tasks) for each in envs.envs)
        self._episodes = check_count("episodes", episodes, 1, goals)
        self._test_envs: list[TaskVectorEnv] = []
        self.run = LearningRun(envs.skills, envs.steps_per_task, (), ())

    def update(self, policy: Any) -> bool:
        """Evaluates if an evaluation is due: call it after each step of the sequence.

        Args:
            policy: as for `taskworlds.evaluate`. Its observations end with the one-hot of the task's place.

        Returns:
            Whether it evaluated; then `run` has the success rates in its last row.

        Raises:
            RuntimeError: an evaluation was left out, because `update` was not called after each step.
        """
        due = len(self.run.steps) * self._every + self._every
        done = self._envs.num_steps
        if done < due:
            return False
        if done > due:
            raise RuntimeError(
                f"The evaluation at step {due} was left out: the sequence is at step {done}. Call update() after each "
                "step."
            )
        rates = tuple(self._rate(policy, env) for env in self._environments())
        run = self.run
        self.run = LearningRun(run.skills, run.steps_per_task, (*run.steps, done), (*run.success, rates))
        return True

    def _environments(self) -> list[TaskVectorEnv]:
        """Returns the environments to evaluate on, with as many rows as episodes, made at the first evaluation."""
        if not self._test_envs:
            how = self._envs.how | {"terminate_on_success": True}
            self._test_envs = [
                make_vec(name, self._episodes, split="train", env_id=place, **how)
                for place, name in enumerate(self._envs.skills)
            ]
        return self._test_envs

    def _rate(self, policy: Any, env: TaskVectorEnv) -> float:
        result = evaluate(policy, env, tasks=env.benchmark.train_tasks[: self._episodes])
        return float(result.overall["success_once"].mean.value)

    def close(self) -> None:
        """Frees the environments that were evaluated on."""
        for each in self._test_envs:
            each.close()
        self._test_envs = []
