"""What `check_skill` checks of a skill's plain Python: its resets and its steps, by MuJoCo's bindings.

What runs here is the oracle of the compiled skill: `PlainRun.trials` has the episodes, for `skill_compiled` to repeat.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import mujoco
import numpy as np
from numpy.typing import NDArray

from taskworlds.testing.runner import Failed, Warned
from taskworlds.worlds.metaworld import sawyer
from taskworlds.worlds.metaworld.skill import Skill, Terms
from taskworlds.worlds.metaworld.validation import REWARD_VERSIONS

__all__ = ["PlainRun", "Trial"]

_DIVERGED = (
    mujoco.mjtWarning.mjWARN_BADQPOS,
    mujoco.mjtWarning.mjWARN_BADQVEL,
    mujoco.mjtWarning.mjWARN_BADQACC,
)


class Trial(NamedTuple):
    """An episode of the plain environment, to be repeated on the native engine.

    Attributes:
        version: of the reward.
        vector: the goal.
        visible: whether the observation shows it.
        first: the first observation.
        actions: what was done.
    """

    version: str
    vector: NDArray[np.float64]
    visible: bool
    first: NDArray[np.float64]
    actions: list[NDArray[np.floating]]

    @property
    def goal(self) -> str:
        """The goal, for a message."""
        return _shown(self.vector)


class PlainRun:
    """Resets to some goals, and episodes from them. Each check is a method that returns what it found.

    Args:
        skill: the skill, which is registered while the checks run.
        seed: seed of goals and actions.
        goals: how many goals.
        steps: steps for each goal and version of the reward.

    Attributes:
        trials: the episodes, once `steps_are_fine` has run.
    """

    def __init__(self, skill: Skill, seed: int, goals: int, steps: int) -> None:
        self.trials: list[Trial] = []
        self._skill = skill
        self._seed = seed
        self._num_goals = goals
        self._steps = steps
        self._vectors: NDArray[np.float64] = np.zeros((0, 0))

    def resets_repeat(self) -> str:
        """Fails where a reset is not the same again, or moves what the skill does not name."""
        from taskworlds.worlds.metaworld.goals import draw_goals
        from taskworlds.worlds.metaworld.models import metaworld_model
        from taskworlds.worlds.metaworld.reset import begin

        skill, model = self._skill, metaworld_model(self._skill.model)
        self._vectors = draw_goals([skill.name], self._seed, self._num_goals)[skill.name]
        firsts = []
        for vector in self._vectors:
            own = model.to_mujoco()
            beginning = begin(skill, own, vector)
            for name, values in (("the state", beginning.state), *beginning.start.items()):
                if not np.isfinite(values).all():
                    raise Failed(f"{name} is not finite after the reset to {_shown(vector)}: {values}.")
            other = model.to_mujoco()
            for (field, name), place in zip(skill.moves, beginning.moved.reshape(-1, 3), strict=True):
                (other.body(name) if field == "body_pos" else other.site(name)).pos = place
            changed = _changed_fields(own, other)
            if changed:
                raise Failed(
                    f"the reset to {_shown(vector)} changed the model's {' and '.join(changed)} beyond what `moves` "
                    "names. Rows have their own positions of bodies and sites in `moves`; all else must stay as it is."
                )
            firsts.append(beginning)
        for vector, beginning in zip(self._vectors, firsts, strict=True):
            again = begin(skill, model.to_mujoco(), vector)
            differing = [
                name
                for name, one, two in [
                    ("the state", beginning.state, again.state),
                    ("what `moves` names", beginning.moved, again.moved),
                    *((name, beginning.start[name], again.start[name]) for name in skill.start),
                ]
                if not np.array_equal(one, two)
            ]
            if differing:
                raise Failed(
                    f"two resets to the same {_shown(vector)} differ in {', '.join(differing)}. A reset must depend on "
                    "rand_vec alone: it may draw no numbers and keep nothing."
                )
        return (
            f"same start every time for each of {len(self._vectors)} goals; they move only what `moves` names"
        )

    def steps_are_fine(self) -> str:
        """Fails where an episode diverges, or what it returns is not finite or not in its space."""
        from taskworlds.worlds.metaworld.reference import PlainEnv

        # Physics knows of no reward: the first environment moves, and those with other rewards look at it.
        envs = {
            version: PlainEnv(replace(self._skill, rewards={version: _giving_terms(reward)}), version)
            for version, reward in self._skill.rewards.items()
        }
        mover = next(iter(envs.values()))
        count = 0
        for number, vector in enumerate(self._vectors):
            rng = np.random.default_rng([self._seed, number])
            dtype = np.float64 if number % 3 == 2 else np.float32
            visible = number % 2 == 0
            actions: list[NDArray[np.floating]] = []
            with np.errstate(divide="raise", invalid="raise"):
                for version, env in envs.items():
                    env._last_rand_vec, env._partially_observable = vector, not visible
                    obs, _ = env.reset()
                    self._in_space(obs, visible, f"after the reset to {_shown(vector)}")
                    self.trials.append(Trial(version, vector, visible, obs, actions))
                for step in range(self._steps):
                    action = _action(obs, step, number, rng).astype(dtype)
                    for version, env in envs.items():
                        where = f"at step {step} from {_shown(vector)} ({version})"
                        if env is mover:
                            obs, reward_, _, _, terms = env.step(action)
                        else:
                            obs, reward_, _, _, terms = env.after_step(mover.data, action)
                        if any(mover.data.warning[kind].number for kind in _DIVERGED):
                            raise Failed(f"the simulation diverged {where}. Look at the model and the reset.")
                        self._step_is_fine(obs, reward_, terms, visible, where)
                        count += 1
                    actions.append(action)
        return f"{count} steps: observation in its space, reward and terms finite, success 0 or 1"

    def _in_space(self, obs: NDArray[np.float64], visible: bool, where: str) -> None:
        space = sawyer.observation_space(visible=visible, hidden=not visible)
        if np.isfinite(obs).all() and space.contains(obs):
            return
        bad = np.flatnonzero(~(np.isfinite(obs) & (obs >= space.low) & (obs <= space.high)))
        part = (
            "the goal"
            if (bad >= 36).all()
            else "`observe`'s numbers"
            if (bad % 18 >= 4).all()
            else "the hand"
        )
        raise Failed(
            f"{part} is outside the observation space {where}: obs[{bad[0]}] is {obs[bad[0]]}, which must be finite "
            f"and within [{space.low[bad[0]]}, {space.high[bad[0]]}]."
        )

    def _step_is_fine(
        self, obs: NDArray[np.float64], reward: float, terms: dict[str, float], visible: bool, where: str
    ) -> None:
        self._in_space(obs, visible, where)
        for name, value in (("reward", reward), *terms.items()):
            if not np.isfinite(value):
                raise Failed(f"{name} is {value} {where}; it must be finite.")
        if terms["success"] not in (0.0, 1.0):
            raise Failed(f"success is {terms['success']} {where}; it must be 0 or 1 (False or True).")

    def starts_unsolved(self) -> str:
        """Warns of goals that are solved before anything is done."""
        from taskworlds.worlds.metaworld.reference import PlainEnv

        env = PlainEnv(self._skill, REWARD_VERSIONS[-1])
        solved = []
        for vector in self._vectors:
            env._last_rand_vec = vector
            env.reset()
            if env.step(np.zeros(4, dtype=np.float32))[4]["success"]:
                solved.append(_shown(vector))
        if solved:
            count = f"{len(solved)} of {len(self._vectors)}"
            raise Warned(f"solved without doing anything from {count} goals, first {solved[0]}")
        return "not solved before anything is done"

    def goals_are_shown(self) -> str:
        """Warns of goals that an observation after a step would show clipped."""
        for trial in self.trials:
            goal = trial.first[sawyer.GOAL]
            if trial.visible and not (
                (goal >= self._skill.goal_low).all() and (goal <= self._skill.goal_high).all()
            ):
                raise Warned(
                    f"the reset to {_shown(trial.vector)} shows the goal {goal.round(3).tolist()}, and each step "
                    "shows it clipped to goal_low and goal_high, as Meta-World does. Widen them, unless that is meant"
                )
        return "within goal_low and goal_high"


def _giving_terms(reward: Callable[..., Any]) -> Callable[..., Any]:
    """Wraps a reward so that what it returns is checked."""

    def checked(*arguments: Any) -> Terms:
        given = reward(*arguments)
        if not isinstance(given, Terms):
            raise Failed(f"{reward.__name__} must give Terms(reward, success, ...), not {given!r}.")
        return given

    return checked


def _action(
    obs: NDArray[np.float64], step: int, number: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Returns an action: at random, some beyond the limits; or, on every other goal, to what is observed first."""
    random = rng.uniform(-1.2, 1.2, 4)
    if number % 2 == 0 or step % 10 == 9:
        return random
    return np.append(np.clip(10.0 * (obs[4:7] - obs[0:3]), -1, 1) + 0.2 * random[:3], random[3])


def _changed_fields(one: Any, other: Any) -> list[str]:
    """Returns the names of the arrays in which two copies of a MuJoCo model differ, of the model and its options."""
    found = []
    for prefix, mine, its in (("", one, other), ("opt.", one.opt, other.opt)):
        for name in dir(mine):
            if not name.startswith("_"):
                value = getattr(mine, name)
                if isinstance(value, np.ndarray | float | int) and not np.array_equal(
                    value, getattr(its, name), equal_nan=True
                ):
                    found.append(prefix + name)
    return found


def _shown(vector: NDArray[np.float64]) -> str:
    return f"rand_vec {tuple(vector.round(3).tolist())}"
