"""`Skill`: the record of a locomotion skill, of which each body has a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from taskworlds.core.errors import WrongType, WrongValue
from taskworlds.core.task import Task

__all__ = ["EPISODE_LENGTH", "ParamCheck", "Skill", "check_number"]

# Steps of an episode. MAML's experiments (Finn et al. 2017, section 5.3) and PEARL's (katerakelly/oyster,
# configs/default.py, max_path_length) have 200; Gymnasium's environments, made for one task, have 1000.
EPISODE_LENGTH = 200

ParamCheck = Callable[[str, Any], None]
"""Takes a skill's name and the value of its parameter; raises TypeError or ValueError if the value cannot be run."""


@dataclass(frozen=True)
class Skill:
    """One thing that a body can learn: a Gymnasium environment, a reward, and what varies in its tasks.

    A task of the skill has the skill's own parameters, `params`, and `partially_observable`: whether the observation
    hides the goal.

    Attributes:
        name: the skill.
        class_name: its class in the libraries that it comes from, and in this package.
        summary: what the body has to do, in a few words.
        body: Gymnasium's class, as "module:class" within gymnasium.envs.mujoco.
        arguments: arguments of that class whose defaults differ from the literature's.
        obs_size: numbers of Gymnasium's observation.
        action_size: numbers of an action.
        goal_size: numbers of the goal.
        params: the skill's own parameters: by name, the function that checks the value.
        default: the parameters of the task of an environment that is made without one.
        goal: returns the goal's numbers, from the parameters.
        draw: draws parameters from a generator.
        num_tasks: how many train and test tasks the benchmark of the skill's name draws; None if there is none.
        listed: benchmarks with a fixed list of tasks: by name, the parameters of each task. The train and the test
            tasks are the same.
        measures: names of the numbers in Gymnasium's info that the reward is computed from.
        reward: takes the measures, the sum of the action's squares and, unless the goal is the body itself, the goal's
            numbers; returns the reward, its main term and the control term. All are floats, and it is plain arithmetic,
            which is compiled as it is.
        goal_terms: names under which info repeats the goal's numbers, where upstream's info has them.
        terminates: whether a step can end the episode.
        render_fps: steps of one second, as in Gymnasium.
        model_params: parameters that multiply the array of the model of the same name; then the goal is the body.
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
        """Makes a task from the skill's own parameters."""
        return Task(self.name, {**params, "partially_observable": partially_observable})

    def check_task(self, task: Task) -> None:
        """Checks that a task can be run.

        Raises:
            TypeError: a parameter is of the wrong type.
            ValueError: a parameter is missing, unknown or out of range.
        """
        wanted = (*self.params, "partially_observable")
        if set(task.params) != set(wanted):
            raise WrongValue(
                f"A task of {self.name} has the parameters {' and '.join(wanted)}, not "
                f"{', '.join(task.params) or 'none'}. sample_tasks and the benchmark {self.name} make such tasks."
            )
        if not isinstance(task["partially_observable"], bool):
            raise WrongType(
                f"partially_observable must be True or False, not {task['partially_observable']!r}.",
                argument="partially_observable",
            )
        for name, check in self.params.items():
            check(self.name, task[name])


def check_number(argument: str, skill: str, value: Any) -> None:
    """Raises TypeError if a parameter is not a number. The numbers of a `Task` are always finite."""
    if type(value) not in (int, float):
        raise WrongType(f"{argument} must be a number for {skill}, not {value!r}.", argument=argument)
