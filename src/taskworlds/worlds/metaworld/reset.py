"""Resets: what a skill's `reset` can do to the simulation, and the state that an episode starts from.

The outcome of a reset depends on skill and rand_vec alone, so it is computed once and kept (see `beginnings`).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import mujoco
import numpy as np
from numpy.typing import ArrayLike, NDArray

from taskworlds.core.errors import WrongValue
from taskworlds.worlds.metaworld import sawyer
from taskworlds.worlds.metaworld.skill import Skill

__all__ = ["Beginning", "Settled", "Sim", "begin"]

_SETTLE = 50  # steps that the hand gets to reach its place
_OBJECT_QPOS = 9  # the arm has 7 joints and the fingers 2; the object's joint follows
_INTEGRATION = mujoco.mjtState.mjSTATE_INTEGRATION
_SITE_TRANSMISSIONS = (mujoco.mjtTrn.mjTRN_SITE, mujoco.mjtTrn.mjTRN_SLIDERCRANK)

Settled = dict[tuple[float, ...], NDArray[np.float64]]
"""Of one model, by the place that the hand is driven to: the state one physics step before it has settled."""


class Beginning(NamedTuple):
    """Where an episode starts.

    Attributes:
        state: MuJoCo's integration state, (S,) float64.
        moved: values of the skill's `moves`, in their order, (V,) float64.
        start: what the reset hands on to the reward, by name.
        data: the simulation as the reset left it, for the first observation. Some resets leave positions stale in
            it, as Meta-World's do.
    """

    state: NDArray[np.float64]
    moved: NDArray[np.float64]
    start: dict[str, NDArray[np.float64]]
    data: mujoco.MjData


class Sim:
    """The simulation that a skill's `reset` works on. Positions are metres, and what it gives are copies.

    Args:
        model: the skill's model, as its file has it; it is changed, so it must be this object's own.
        settled: where the hand settles in this model, as far as it is known; what is learnt is added. None to learn
            nothing.

    Attributes:
        data: MuJoCo's state of the simulation.
    """

    def __init__(self, model: mujoco.MjModel, settled: Settled | None = None) -> None:
        self._model = model
        self.data = mujoco.MjData(model)
        self._settled = settled
        self._first_state = self.state()
        self._first_places = self._places()

    @property
    def model(self) -> mujoco.MjModel:
        """MuJoCo's model. As it may now be changed in any way, where the hand settles is not looked up any more."""
        self._settled = None
        return self._model

    def state(self) -> NDArray[np.float64]:
        """Returns MuJoCo's integration state, (S,)."""
        state = np.empty(mujoco.mj_stateSize(self._model, _INTEGRATION))
        mujoco.mj_getState(self._model, self.data, state, _INTEGRATION)
        return state

    def _places(self) -> NDArray[np.float64]:
        """Returns all places in the model that `move_body` and `move_site` change and physics depends on."""
        model = self._model
        pulls = (model.wrap_type == mujoco.mjtWrap.mjWRAP_SITE).any()
        pulls |= np.isin(model.actuator_trntype, _SITE_TRANSMISSIONS).any()
        pulls |= (model.eq_objtype == mujoco.mjtObj.mjOBJ_SITE).any()
        return np.concatenate([model.body_pos, model.site_pos]) if pulls else model.body_pos.copy()

    def reset(self) -> None:
        """Puts the simulation back to its first state; the model stays as it was changed."""
        mujoco.mj_resetData(self._model, self.data)

    def settle_hand(self, position: ArrayLike) -> NDArray[np.float64]:
        """Drives the hand to a position with open fingers, for 50 steps.

        From the first state, with all bodies where the model's file has them, that has one outcome, which is kept: as
        the state before the last physics step, since that step computes all else in `data` anew.

        Returns:
            The fingers' centre, (3,).
        """
        place = tuple(np.asarray(position, dtype=np.float64).tolist())
        settled = self._settled if self._is_untouched() else None
        self.data.mocap_pos[0] = position
        self.data.mocap_quat[0] = sawyer.HAND_QUAT
        self.data.ctrl[:] = (-1.0, 1.0)
        if settled is not None and place in settled:
            mujoco.mj_setState(self._model, self.data, settled[place], _INTEGRATION)
        else:
            mujoco.mj_step(self._model, self.data, nstep=_SETTLE * sawyer.FRAME_SKIP - 1)
            if settled is not None:
                settled[place] = self.state()
        mujoco.mj_step(self._model, self.data)
        return self.tcp()

    def _is_untouched(self) -> bool:
        return np.array_equal(self.state(), self._first_state) and np.array_equal(
            self._places(), self._first_places
        )

    def run(self, substeps: int) -> None:
        """Lets the simulation run."""
        mujoco.mj_step(self._model, self.data, nstep=substeps)

    def forward(self) -> None:
        """Computes positions from the state."""
        mujoco.mj_forward(self._model, self.data)

    def place_object(self, position: ArrayLike) -> None:
        """Puts the object's free joint at a position and stops it, then computes positions."""
        self.data.qpos[_OBJECT_QPOS : _OBJECT_QPOS + 3] = position
        self.data.qvel[_OBJECT_QPOS : _OBJECT_QPOS + 6] = 0.0
        self.forward()

    def place_joint(self, value: float, *, stop: int = 0) -> None:
        """Puts the object's hinge or slide at a value, then computes positions.

        Args:
            value: radians or metres.
            stop: how many velocities, from the object's first on, to set to zero.
        """
        self.data.qpos[_OBJECT_QPOS] = value
        self.data.qvel[_OBJECT_QPOS : _OBJECT_QPOS + stop] = 0.0
        self.forward()

    def place_joints(self, values: ArrayLike, *, first: int = 0, stop: tuple[int, int] = (0, 0)) -> None:
        """Puts several of the object's joints at values, then computes positions.

        Args:
            values: metres or radians; a free joint takes 7 numbers, position and quaternion.
            first: which of the object's numbers is the first to change.
            stop: the velocities to set to zero, as a range, counted from the object's first.
        """
        numbers = np.asarray(values, dtype=np.float64)
        at = _OBJECT_QPOS + first
        self.data.qpos[at : at + numbers.size] = numbers
        self.data.qvel[_OBJECT_QPOS + stop[0] : _OBJECT_QPOS + stop[1]] = 0.0
        self.forward()

    def move_body(self, name: str, position: ArrayLike) -> None:
        """Moves a body within the model. Positions in the world follow with the next step or `forward`."""
        self._model.body(name).pos = position

    def move_site(self, name: str, position: ArrayLike) -> None:
        """Moves a site within the model. Positions in the world follow with the next step or `forward`."""
        self._model.site(name).pos = position

    def body(self, name: str) -> NDArray[np.float64]:
        """Returns a body's position in the world, (3,)."""
        return np.array(self.data.body(name).xpos)

    def site(self, name: str) -> NDArray[np.float64]:
        """Returns a site's position in the world, (3,)."""
        return np.array(self.data.site(name).xpos)

    def geom(self, name: str) -> NDArray[np.float64]:
        """Returns a geom's position in the world, (3,)."""
        return np.array(self.data.geom(name).xpos)

    def joint(self, name: str) -> float:
        """Returns where a hinge (radians) or slide (metres) stands now, which its body's position may not yet show."""
        return float(self.data.joint(name).qpos[0])

    def body_in_model(self, name: str) -> NDArray[np.float64]:
        """Returns a body's position within its parent, (3,)."""
        return np.array(self._model.body(name).pos)

    def site_in_model(self, name: str) -> NDArray[np.float64]:
        """Returns a site's position within its body, (3,)."""
        return np.array(self._model.site(name).pos)

    def tcp(self) -> NDArray[np.float64]:
        """Returns the centre between the fingers, (3,)."""
        return (self.site("rightEndEffector") + self.site("leftEndEffector")) / 2.0


def begin(
    skill: Skill, model: mujoco.MjModel, rand_vec: ArrayLike, settled: Settled | None = None
) -> Beginning:
    """Computes where an episode of a task starts, as Meta-World's `reset` does.

    The objects are placed twice, the second time from a fresh state but with the fixtures already in place.

    Args:
        skill: the skill.
        model: its model, fresh and the function's own; it is changed.
        rand_vec: the task's numbers.
        settled: see `Sim`.

    Raises:
        ValueError: the skill's `reset` does not give what its `start` declares.
    """
    assert skill.reset is not None
    sim = Sim(model, settled)
    vector = np.array(rand_vec, dtype=np.float64)
    before = skill.reset(sim, vector.copy(), None)
    sim.reset()
    start = skill.reset(sim, vector.copy(), before)
    state = sim.state()
    moved = [
        sim.body_in_model(name) if field == "body_pos" else sim.site_in_model(name)
        for field, name in skill.moves
    ]
    values: dict[str, Any] = {
        name: np.array(value, dtype=np.float64).reshape(-1) for name, value in start.items()
    }
    sizes = {name: value.size for name, value in values.items()}
    if sizes != dict(skill.start):
        raise WrongValue(
            f"The reset of {skill.name} must return what the skill's `start` says, {dict(skill.start)}, by name, but "
            f"it returned {sizes}. Make the two agree."
        )
    return Beginning(state, np.concatenate(moved) if moved else np.zeros(0), values, sim.data)
