"""`PixelObservation`: pictures as observations."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.spaces import Box
from gymnasium.utils import RecordConstructorArgs
from numpy.typing import NDArray

from taskworlds.core.errors import WrongValue
from taskworlds.rendering.choices import check_size

__all__ = ["PixelObservation"]


class PixelObservation(gym.ObservationWrapper[NDArray[np.uint8], Any, Any], RecordConstructorArgs):
    """Observes the picture that the environment renders, (3, height, width) uint8, 0 to 255.

    Gymnasium's `AddRenderObservation` has the channels last, and it renders a picture in its constructor, which may not
    be possible in a process that only needs the spaces.

    Args:
        env: the environment to wrap; its render mode is "rgb_array".
        height: height of its pictures, in pixels.
        width: width of its pictures, in pixels.

    Raises:
        TypeError: a size is not a whole number.
        ValueError: a size is below 1, or the render mode is another one.

    Example:
        >>> env = PixelObservation(gym.make("CartPole-v1", render_mode="rgb_array"), 400, 600)
        >>> env.observation_space
        Box(0, 255, (3, 400, 600), uint8)
    """

    def __init__(self, env: gym.Env[Any, Any], height: int, width: int) -> None:
        if env.render_mode != "rgb_array":
            raise WrongValue(
                f'The environment must be made with render_mode="rgb_array", not {env.render_mode!r}.'
            )
        width, height = check_size(width, height)
        RecordConstructorArgs.__init__(self, height=height, width=width)
        super().__init__(env)
        self.observation_space = Box(0, 255, (3, height, width), np.uint8)

    def observation(self, observation: Any) -> NDArray[np.uint8]:
        """Returns the picture in place of the observation."""
        picture: Any = self.env.render()
        return np.ascontiguousarray(np.moveaxis(picture, -1, 0))
