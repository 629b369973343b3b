"""Physics before an episode: many steps from a state, done by an engine's threads, ahead of time if they are idle."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from taskworlds.engine import _native
from taskworlds.engine.models import Model

__all__ = ["Settling"]


class Settling:
    """Physics steps from a state, in a model whose bodies and sites stand elsewhere than its file has them.

    `Engine.settle` does it at once, `Engine.settle_ahead` when a thread has nothing else to do. The outcome does not
    depend on which, nor on when.

    Args:
        model: the model.
        body_pos: the places of all bodies within their parents, (B, 3) float64, metres.
        site_pos: the places of all sites within their bodies, (S, 3) float64, metres.
        state: MuJoCo's integration state to begin with, (S,) float64.
        steps: how many times MuJoCo's `mj_step` follows.

    Raises:
        ValueError: a size does not fit the model, or `steps` is less than 1.

    Example:
        >>> import mujoco
        >>> from taskworlds.engine import Engine, Scene
        >>> ball = '<body name="ball"><freejoint/><geom size="1"/></body>'
        >>> xml = f"<mujoco><worldbody>{ball}</worldbody></mujoco>"
        >>> model = Model.from_mujoco(mujoco.MjModel.from_xml_string(xml))
        >>> state = np.array([0.0, *(0.0, 0.0, 3.0), *(1.0, 0.0, 0.0, 0.0), *np.zeros(30)])
        >>> falling = Settling(model, np.zeros((2, 3)), np.zeros((0, 3)), state, steps=100)
        >>> Engine([Scene(model, frame_skip=1)], 1, action_size=0).settle([falling])
        >>> float(falling.state()[3].round(2))  # m, where it has fallen to
        2.8
    """

    def __init__(
        self, model: Model, body_pos: ArrayLike, site_pos: ArrayLike, state: ArrayLike, steps: int
    ) -> None:
        self.native = _native.Settling(
            model.native, _numbers(body_pos), _numbers(site_pos), _numbers(state), steps
        )

    @property
    def done(self) -> bool:
        """Whether it has come to its end."""
        return self.native.done

    @property
    def error(self) -> str:
        """What MuJoCo raised, or "" if it did not, or is not done yet."""
        return self.native.error

    def state(self) -> NDArray[np.float64] | None:
        """Returns the integration state afterwards, (S,) float64, the caller's own; None if there was an error.

        Raises:
            RuntimeError: it is not done.
        """
        return None if self.error else self.native.state()


def _numbers(values: ArrayLike) -> NDArray[np.float64]:
    return np.ascontiguousarray(values, dtype=np.float64).reshape(-1)
