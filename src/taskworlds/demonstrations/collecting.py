"""`collect`: plays a policy until there are enough demonstrations of each skill."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from taskworlds.demonstrations.attempts import Attempts, Demonstration, Harvest, SkillCount
from taskworlds.demonstrations.plan import Plan
from taskworlds.evaluation.environments import default_num_envs
from taskworlds.evaluation.fingerprint import Fingerprint
from taskworlds.evaluation.loading import origin_of
from taskworlds.evaluation.players import play_in
from taskworlds.evaluation.playing import play_units
from taskworlds.evaluation.policies import Actor, Policy
from taskworlds.evaluation.provenance import Clock, Provenance
from taskworlds.evaluation.recording import Recorder
from taskworlds.evaluation.rows import TaskRows
from taskworlds.vector.make import make_vec

__all__ = ["Demonstrations", "collect", "play"]


@dataclass(frozen=True)
class Demonstrations:
    """What was collected.

    Attributes:
        episodes: what is kept, by skill in the benchmark's order, and each skill's in the order of its attempts.
        skills: what came of each skill.
        plan: what was asked for; `plan.make()` makes an environment to play the episodes again.
        observation_space: of one row.
        action_space: of one row; actions have its dtype.
        layout: where each part of an observation stands, by name; empty where parts have no names.
        packages: that decide the numbers, with their versions.
        provenance: what was run.
    """

    episodes: tuple[Demonstration, ...]
    skills: tuple[SkillCount, ...]
    plan: Plan
    observation_space: gym.Space[Any]
    action_space: gym.Space[Any]
    layout: Mapping[str, slice]
    packages: Mapping[str, str | None]
    provenance: Provenance

    @property
    def num_steps(self) -> int:
        """Steps of all episodes that are kept."""
        return sum(each.episode.length for each in self.episodes)

    def about(self) -> dict[str, Any]:
        """Returns what was run and what came of it, as JSON values that are the same whenever it is run again."""
        run = self.provenance.to_dict()
        for name in (
            "command",
            "started",
            "seconds",
        ):  # which differ from run to run, or name the user's folders
            del run[name]
        plan = self.plan
        settings = {"terminate_on_success": plan.settings["terminate_on_success"], **plan.settings}
        return {
            "benchmark": plan.benchmark.name,
            "split": plan.split,
            "seed": plan.seed,
            "settings": settings,
            "only_successes": plan.only_successes,
            "max_attempts": plan.max_attempts,
            "run": run,
            "skills": [each._asdict() for each in self.skills],
        }


def collect(
    policy: Policy | str,
    benchmark: Any,
    *,
    episodes: int,
    only_successes: bool = False,
    max_attempts: int | None = None,
    split: str | None = None,
    env_name: str | None = None,
    num_goals: int | None = None,
    tasks: Iterable[Any] | None = None,
    seed: int = 0,
    num_envs: int | None = None,
    vector_strategy: str | None = None,
    max_episode_steps: int | None = None,
    terminate_on_success: bool | None = None,
    reward_function_version: str | None = None,
    use_one_hot: bool | None = None,
    on_episode: Callable[[int, int], None] | None = None,
    on_step: Callable[[int], None] | None = None,
) -> Demonstrations:
    """Plays the same number of episodes of each skill, and keeps what was observed and done in them.

    Episode k of a skill plays its goal k, and goals come again after the last. Episodes are those of
    `taskworlds.evaluate` with the same policy, tasks and seed. Actions are cast to the action space's dtype before they
    are taken, so what is kept is what was done; they are not clipped.

    Args:
        policy: what `taskworlds.evaluate` takes, but for meta-learning agents.
        benchmark: by name ("MT10", "reach-v3") or as an object.
        episodes: how many of each skill are kept.
        only_successes: whether only episodes with a success are kept. Then each skill is played on until there are
            enough, or `max_attempts` were played, and with a scripted expert no goal is played twice.
        max_attempts: episodes of each skill that are played at most; None for four times `episodes`. Only with
            `only_successes`.
        split: "train" or "test"; None for what the name says, otherwise "train" where the benchmark has train tasks.
        env_name: the skill of "MT1" and "ML1", for a benchmark that is named.
        num_goals: goals of each skill of a benchmark that is named. None: the benchmark's own number or, where
            episodes start alike, as many as are played, so that no goal comes twice.
        tasks: play only these of the benchmark's tasks; None for all.
        seed: of the goals of a benchmark that is named, of starts and of the random policy.
        num_envs: rows; None for the same number for each skill, and at least 10 in all.
        vector_strategy: the engine, as for `taskworlds.make_vec`.
        max_episode_steps: steps after which an episode is cut off; None for the benchmark's own number.
        terminate_on_success: whether an episode ends with its first success; None for yes where there is success.
        reward_function_version: of the rewards, as for `taskworlds.make_vec`.
        use_one_hot: whether observations end with the skill's one-hot.
        on_episode: called as `on_episode(kept, wanted)` when an episode has ended.
        on_step: called as `on_step(rows)` after each step.

    Raises:
        TypeError: an argument is of the wrong type.
        ValueError: an argument is out of range, or the policy cannot play that, or its actions are wrong.

    Example:
        >>> demonstrations = collect("expert", "reach-v3", episodes=2, max_episode_steps=20)
        >>> [(each.task.env_name, each.instruction) for each in demonstrations.episodes]
        [('reach-v3', 'Move the gripper to the goal.'), ('reach-v3', 'Move the gripper to the goal.')]
        >>> demonstrations.episodes[0].recording.observations.shape
        (21, 39)
    """
    plan = Plan.of(
        policy,
        benchmark,
        episodes=episodes,
        only_successes=only_successes,
        max_attempts=max_attempts,
        split=split,
        env_name=env_name,
        num_goals=num_goals,
        tasks=tasks,
        seed=seed,
        vector_strategy=vector_strategy,
        max_episode_steps=max_episode_steps,
        terminate_on_success=terminate_on_success,
        reward_function_version=reward_function_version,
        use_one_hot=use_one_hot,
    )
    return play(plan, num_envs=num_envs, on_episode=on_episode, on_step=on_step)


def play(
    plan: Plan,
    *,
    num_envs: int | None = None,
    on_episode: Callable[[int, int], None] | None = None,
    on_step: Callable[[int], None] | None = None,
) -> Demonstrations:
    """Plays what a plan says; the arguments are those of `collect`."""
    clock = Clock(origin_of(plan.policy))
    groups = plan.by_skill()
    total = len(groups) * plan.episodes
    envs = make_vec(
        plan.benchmark,
        num_envs or default_num_envs(len(plan.benchmark.env_names(plan.split)), total, meta=False),
        split=plan.split,
        seed=plan.seed,
        autoreset_mode=gym.vector.AutoresetMode.DISABLED,
        **plan.settings,
    )
    try:
        rows = TaskRows(envs, plan.seed)
        packages = _packages(plan, envs)
        numbers = {task: number for number, task in enumerate(plan.tasks)}
        attempts = {
            name: Attempts(
                [numbers[task] for task in tasks],
                plan.episodes,
                plan.max_attempts if plan.repeats else min(plan.max_attempts, len(tasks)),
            )
            for name, tasks in groups.items()
        }
        harvest = Harvest(
            plan.tasks,
            attempts,
            total,
            only_successes=plan.only_successes,
            on_episode=on_episode,
            on_step=on_step,
        )
        space = envs.single_action_space
        actor = _InDtype(play_in(plan.policy, space, plan.seed), space, rows.num_envs)
        for _ in play_units(
            rows,
            harvest,
            lambda row: harvest.next(row, rows.skills[row]),
            actor.begin,
            lambda *asked: (actor.act(*asked), {}),
            lambda row, unit, error: harvest.failed(unit, error),
            recorder=Recorder(rows, observations=True),
        ):
            pass
        words = plan.instructions()
        kept = [
            Demonstration(
                plan.tasks[unit.task],
                unit.episode,
                rows.start_seed(plan.tasks[unit.task], unit.episode),
                words[name],
                episode,
                recording,
            )
            for name in groups
            for unit, episode, recording in harvest.kept(name)
        ]
        counts = [
            SkillCount(
                name,
                words[name],
                plan.episodes,
                len(each.kept),
                each.dealt,
                each.successes,
                None if each.error is None else each.error[1],
            )
            for name, each in attempts.items()
        ]
        engine = None if envs.engine is None else envs.engine.name
        return Demonstrations(
            tuple(kept),
            tuple(counts),
            plan,
            envs.single_observation_space,
            space,
            dict(envs.observation_layout),
            packages,
            clock.stop(packages, engine, rows.num_envs),
        )
    finally:
        envs.close()


def _packages(plan: Plan, envs: Any) -> Mapping[str, str | None]:
    """Returns the packages that decide the numbers, with their versions."""
    return Fingerprint.of(
        plan.tasks, protocol="multi-task", max_episode_steps=envs.max_episode_steps
    ).packages


class _InDtype(Actor):
    """A policy whose actions are cast to the dtype of the space before they are taken."""

    def act(self, obs: Any, active: NDArray[np.bool_], describe: Callable[[int], str]) -> NDArray[Any]:
        """Returns checked actions, in the dtype of the space."""
        actions = super().act(obs, active, describe)
        return actions if self._space.dtype is None else np.asarray(actions).astype(self._space.dtype)
