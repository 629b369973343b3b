"""Meta-World's scripted experts as one policy for all its skills."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from taskworlds.core.errors import WrongValue, check_known

__all__ = ["ExpertPolicy", "expert_policy"]

_TOO_HIGH = r"Constant\(s\) may be too high"  # how the experts' warning begins


class ExpertPolicy:
    """Meta-World's scripted experts: in each row the one for the row's skill, clipped to the action space.

    An expert is privileged: where the task hides its goal, the last 3 of the 39 numbers, it reads the goal
    from the info of the reset. Observations must begin with the 39 numbers as they are, not normalised.
    """

    def __init__(self) -> None:
        self._experts: dict[int, tuple[str, Any, NDArray[np.float64] | None]] = {}

    def begin_episodes(self, mask: NDArray[np.bool_], infos: dict[str, Any]) -> None:
        """Takes the skills and goals of the rows whose episodes begin.

        Raises:
            ValueError: a row's skill is unknown, or the infos name none.
        """
        if "task_name" not in infos:
            raise WrongValue(
                "The scripted experts must know each row's skill, but the reset's infos have no 'task_name': "
                "evaluate them with taskworlds.evaluate, or make the environment with names_in_info=True."
            )
        goals = infos.get("goal")
        for row in np.flatnonzero(mask).tolist():
            name = infos["task_name"][row]
            goal = None if goals is None else np.array(goals[row], dtype=np.float64)
            self._experts[row] = (name, self._expert(name), goal)

    def _expert(self, name: str) -> Any:
        """Makes the expert of a skill."""
        from metaworld.policies import ENV_POLICY_MAP  # loads MuJoCo, which a policy as such can do without

        experts: dict[str, Any] = ENV_POLICY_MAP
        check_known("skill", name, experts, f"There are experts for {len(experts)} skills.")
        return experts[name]()

    def __call__(self, obs: NDArray[np.float64]) -> NDArray[np.float32]:
        """Returns actions (N, 4) float32; zeros in rows that have had no episode."""
        if not self._experts:
            raise RuntimeError(
                "The scripted experts do not know the rows' skills yet: call begin_episodes(mask, infos) after the "
                "reset."
            )
        actions = np.zeros((len(obs), 4), dtype=np.float32)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=_TOO_HIGH)  # actions get clipped, which is done here
            for row, (name, expert, goal) in self._experts.items():
                actions[row] = expert.get_action(self._shown(obs[row], name, goal))
        return np.clip(actions, -1.0, 1.0)

    @staticmethod
    def _shown(obs: NDArray[np.float64], name: str, goal: NDArray[np.float64] | None) -> NDArray[np.float64]:
        """Returns a row's 39 numbers with the goal filled in."""
        shown = np.array(obs[:39], dtype=np.float64)
        if not shown[36:].any():
            if goal is None:
                raise WrongValue(
                    f"The goal of {name} is hidden from the observation, and the reset's infos have no "
                    "'goal' for the scripted expert to read."
                )
            shown[36:] = goal
        return shown


def expert_policy() -> ExpertPolicy:
    """Makes a policy of Meta-World's scripted experts, for all skills.

    Example:
        >>> expert = expert_policy()
        >>> infos = {"task_name": ["reach-v3"], "goal": [[0.0, 0.9, 0.2]]}
        >>> expert.begin_episodes(np.array([True]), infos)
        >>> expert(np.zeros((1, 39))).tolist()
        [[0.0, 1.0, 1.0, 0.0]]
    """
    return ExpertPolicy()
