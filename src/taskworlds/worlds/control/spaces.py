"""The spaces of a skill of dm_control's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from taskworlds.worlds.control.skills import ControlSkill

if TYPE_CHECKING:
    import gymnasium as gym

__all__ = ["action_space", "observation_space"]


def observation_space(skill: ControlSkill) -> gym.spaces.Box:
    """Returns the space of a skill's observations, (O,) float64, without bounds."""
    import gymnasium as gym  # not at the top: importing Gymnasium loads this module by the hook of the ids

    return gym.spaces.Box(-np.inf, np.inf, (skill.obs_size,), dtype=np.float64)


def action_space(skill: ControlSkill) -> gym.spaces.Box:
    """Returns the space of a skill's actions, (A,) float64, with dm_control's own bounds."""
    import gymnasium as gym  # as above

    return gym.spaces.Box(np.array(skill.low), np.array(skill.high), dtype=np.float64)
