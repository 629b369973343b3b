"""Pictures instead of observations."""

import gymnasium
import numpy as np
import pytest
from gymnasium.spaces import Box, Discrete

from taskworlds.compat.mtrl.pixel_observation import PixelObservation


class Painter(gymnasium.Env):
    """Draws a picture of 2 rows and 3 columns whose numbers say row, column and colour."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 1}
    observation_space = action_space = Discrete(2)

    def __init__(self, render_mode="rgb_array"):
        self.render_mode = render_mode
        self.drawn = 0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return 0, {}

    def render(self):
        self.drawn += 1
        rows, columns, colours = np.indices((2, 3, 3))
        return (100 * rows + 10 * columns + colours).astype(np.uint8)


def test_pictures_have_their_channels_first():
    env = PixelObservation(Painter(), 2, 3)
    assert env.observation_space == Box(0, 255, (3, 2, 3), np.uint8)
    assert env.unwrapped.drawn == 0  # nothing is drawn before it is asked for
    obs, _ = env.reset()
    assert obs in env.observation_space
    assert obs[2, 1, 0] == 102
    assert obs.flags.c_contiguous


@pytest.mark.parametrize(
    ("env", "size", "error", "message"),
    [
        (Painter(None), (2, 3), ValueError, 'render_mode="rgb_array", not None'),
        (Painter(), (0, 3), ValueError, "height must be at least 1"),
        (Painter(), (2, 3.0), TypeError, "width must be a whole number"),
    ],
)
def test_what_does_not_fit_is_refused(env, size, error, message):
    with pytest.raises(error, match=message):
        PixelObservation(env, *size)
