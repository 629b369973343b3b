"""What a locomotion skill is: the record that a body's table holds, one for each skill."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from taskworlds.core.task import Task

__all__ = ["EPISODE_LENGTH", "ParamCheck", "Skill", "check_number"]

# Steps of an episode. MAML's experiments (Finn et al. 2017, section 5.3) and PEARL's (katerakelly/oyster,
# configs/default.py, max_path_length) have 200; Gymnasium's environments, made for one task, have 1000.
EPISODE_LENGTH = 200

ParamCheck = Callable[[str, Any], None]
"""Raises TypeError or ValueError, given a skill's name and the value of its parameter, if that cannot be run."""


@dataclass(frozen=True)
class Skill:
    """One thing that a body can learn: a Gymnasium environment, a reward, and what its tasks vary.

    A task of the skill has the skill's own parameters, `params`, and `partially_observable`: whether the goal is
    hidden from the observation.

    Attributes:
        name: the skill.
        class_name: its class in the libraries that it comes from, and in this package.
        summary: what the body has to do, in a few words.
        body: Gymnasium's class, as "module:class" within gymnasium.envs.mujoco.
        arguments: arguments of that class, where its defaults are not the literature's.
        obs_size: numbers of Gymnasium's observation.
        action_size: numbers of an action.
        goal_size: numbers of the goal.
        params: the skill's own parameters, by name: what checks each.
        default: the parameters of the task that an environment made without one has.
        goal: gives the goal's numbers, from the parameters.
        draw: draws parameters from a generator.
        num_tasks: how many train and test tasks the benchmark of the skill's name draws; None if there is none.
        listed: benchmarks, by name, whose tasks are few and listed: the parameters of each. They train and test alike.
        measures: which of the numbers that Gymnasium's info has the reward is computed from.
        reward: the reward, from the measures, the sum of the action's squares and the goal's numbers (these not where
            the goal is the body itself): gives the reward, its main term and the control term. All are floats, and it
            is plain arithmetic, to be compiled as it stands.
        goal_terms: names under which info has the goal's numbers too, where upstream's info has them.
        terminates: whether a step can end the episode.
        render_fps: steps of one second, Gymnasium's.
        model_params: which parameters multiply the model's array of that name; then the goal is the body.
    """

    name: str
    class_name: str
    summary: str
    body: str
    obs_size: int
    action_size: int
    goal_size: int
    params: Mapping[str, ParamCheck]
    default: Mapping[str, Any]
    goal: Callable[[Mapping[str, Any]], tuple[float, ...]]
    draw: Callable[[np.random.Generator], dict[str, Any]]
    measures: tuple[str, ...]
    reward: Callable[..., tuple[float, float, float]]
    num_tasks: tuple[int, int] | None = None
    listed: Mapping[str, tuple[Mapping[str, Any], ...]] = field(default_factory=dict)
    arguments: Mapping[str, Any] = field(default_factory=dict)
    goal_terms: tuple[str, ...] = ()
    terminates: bool = False
    render_fps: int = 20
    model_params: tuple[str, ...] = ()

    @property
    def body_name(self) -> str:
        """The body that acts, as "half-cheetah"."""
        return self.body.rpartition("_v")[0].replace("_", "-")

    def task(self, params: Mapping[str, Any], partially_observable: bool = True) -> Task:
        """Makes a task of the skill's own parameters."""
        return Task(self.name, {**params, "partially_observable": partially_observable})

    def check_task(self, task: Task) -> None:
        """Raises, with a message that helps, if the task cannot be run.

        Raises:
            TypeError: a parameter is of the wrong type.
            ValueError: a parameter is missing, unknown or out of range.
        """
        wanted = (*self.params, "partially_observable")
        if set(task.params) != set(wanted):
            raise ValueError(
                f"A task of {self.name} has the parameters {' and '.join(wanted)}, not "
                f"{', '.join(task.params) or 'none'}. sample_tasks and the benchmark {self.name} give such tasks."
            )
        if not isinstance(task["partially_observable"], bool):
            raise TypeError(
                f"partially_observable must be True or False, not {task['partially_observable']!r}."
            )
        for name, check in self.params.items():
            check(self.name, task[name])


def check_number(argument: str, skill: str, value: Any) -> None:
    """Raises TypeError if a parameter is no number. A task's numbers are finite by themselves."""
    if type(value) not in (int, float):
        raise TypeError(f"{argument} must be a number for {skill}, not {value!r}.")
