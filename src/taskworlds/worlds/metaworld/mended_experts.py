"""Meta-World's scripted experts, with those mended that an open pull request of Meta-World's mends.

peg-insert-side-v3   The official expert takes the peg for lost while it holds it 3 cm below the hand, and lowers it to
                     the table again; and it brings the hand to the hole's height plus 3 cm, though the peg hangs
                     lower by about as much. https://github.com/Farama-Foundation/Metaworld/pull/569 mends it, too;
                     this is another way to do so.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from taskworlds.worlds.metaworld.experts import ExpertPolicy

__all__ = ["MendedExpertPolicy"]


class MendedExpertPolicy(ExpertPolicy):
    """As `ExpertPolicy`, but with a mended expert of peg-insert-side-v3.

    Example:
        >>> expert = MendedExpertPolicy()
        >>> infos = {"task_name": ["peg-insert-side-v3"], "goal": [[-0.3, 0.6, 0.13]]}
        >>> expert.begin_episodes(np.array([True]), infos)
        >>> expert(np.zeros((1, 39))).shape
        (1, 4)
    """

    def _expert(self, name: str) -> Any:
        return _PegInsertion() if name == "peg-insert-side-v3" else super()._expert(name)


_GAIN = 25.0  # of the way that is left, metres, to an action
_ABOVE = (0.0, 0.0, 0.3)  # m, where the hand goes before it comes down
_NEAR = 0.04  # m, in x and y, from hand to peg
_LOW = 0.025  # m, along z, from hand to peg, to grasp it
_CLOSING = 0.15  # m, likewise, where the fingers begin to close
_HANGS = 0.05  # m, how low a peg may hang in the fingers
_SHUT = 0.5  # opening of fingers that hold the peg
_IN_LINE = 0.015  # m, in y and z, from the peg to the hole
_BEFORE, _DEEP = (
    0.2,
    -0.1,
)  # m, along x, from the hole's end: where the peg is lined up, and how far it is pushed


class _PegInsertion:
    """Grasps the peg, lines it up with the hole, and pushes it in."""

    def get_action(self, obs: NDArray[np.float64]) -> NDArray[np.float64]:
        """Returns an action, (4,), for the observation, (39,)."""
        hand, opening, peg, goal = obs[:3], obs[3], obs[4:7], obs[36:39]
        beside = float(np.hypot(*(hand[:2] - peg[:2])))
        over = abs(float(hand[2] - peg[2]))
        is_held = opening < _SHUT and over < _HANGS
        if beside > _NEAR:
            way = peg + _ABOVE - hand
        elif over > _LOW and not is_held:
            way = peg - hand
        else:
            is_in_line = np.hypot(*(peg[1:] - goal[1:])) < _IN_LINE
            x = goal[0] + _DEEP if is_in_line else max(goal[0] + _BEFORE, peg[0])
            way = np.array([x, goal[1], goal[2]]) - peg
        effort = -1.0 if beside > _NEAR or over > _CLOSING else 0.6
        return np.array([*(_GAIN * way), effort])
