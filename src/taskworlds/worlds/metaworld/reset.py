"""Resets: what a skill's `reset` can do to the simulation, and the state that an episode starts from.

The outcome of a reset depends on skill and rand_vec alone, so it is computed once and kept (see `beginnings`).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import mujoco
import numpy as np
from numpy.typing import ArrayLike, NDArray

from taskworlds.core.errors import WrongValue
from taskworlds.engine import Model, Settling, _native
from taskworlds.worlds.metaworld import sawyer
from taskworlds.worlds.metaworld.skill import Skill

__all__ = ["Beginning", "Halfway", "Settled", "Sim", "begin", "first_half", "second_half"]

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


class Halfway(NamedTuple):
    """A reset between its two passes: all that the second one needs, and what is best done before it.

    Attributes:
        before: what the skill's `reset` returned in the first pass.
        body_pos: places of the model's bodies, (B, 3) float64, metres, within their parents.
        site_pos: places of its sites, (S, 3) float64, likewise.
        place: where the first pass drove the hand to; None if it did not, or if something else came before that.
        settling: the physics of driving the hand there with the bodies where they now are, but for its last step. None
            if no body has moved, so that it is known, or if the second pass may need another one.
    """

    before: dict[str, Any]
    body_pos: NDArray[np.float64]
    site_pos: NDArray[np.float64]
    place: tuple[float, ...] | None
    settling: Settling | None


class Sim:
    """The simulation that a skill's `reset` works on. Positions are metres, and what it gives are copies.

    Args:
        model: the skill's model, as its file has it; it is changed, so it must be this object's own.
        settled: where the hand settles in this model, as far as it is known; what is learnt is added. None to learn
            nothing.

        original: the model that `model` was made from, for a simulation that is put back and used again: it shares the
            original's meshes, so that it takes little memory. None for any other.

    Attributes:
        data: MuJoCo's state of the simulation.
    """

    def __init__(
        self, model: mujoco.MjModel, settled: Settled | None = None, original: Model | None = None
    ) -> None:
        self._model = model
        self._original = original
        self._lean = None if original is None else _native.LeanCopy(model._address, original.native, model)
        self.data = mujoco.MjData(model)
        self._settled = settled
        self._is_lent = False
        self._asked: tuple[float, ...] | None = None
        pulls = (model.wrap_type == mujoco.mjtWrap.mjWRAP_SITE).any()
        pulls |= np.isin(model.actuator_trntype, _SITE_TRANSMISSIONS).any()
        pulls |= (model.eq_objtype == mujoco.mjtObj.mjOBJ_SITE).any()
        self._sites_pull = bool(pulls)
        self._first_state = self._file_state = self.state()
        self._first_places = self._file_places = self._places()

    @property
    def model(self) -> mujoco.MjModel:
        """MuJoCo's model. As it may now be changed in any way, where the hand settles is not looked up any more."""
        self._settled = None
        self._is_lent = True
        if self._lean is not None:
            self._lean.make_whole()
        return self._model

    def put_back(self, settled: Settled | None) -> None:
        """Makes this the simulation that it was when it was new, whatever resets have done to it.

        Args:
            settled: see `Sim`.
        """
        assert self._lean is not None
        self._lean.put_back()
        self.reset()
        self._is_lent, self._asked, self._settled = False, None, settled
        self._first_places = self._file_places

    def is_only_moved(self) -> bool:
        """Returns whether nothing in the model can have changed but the places of bodies and sites."""
        return not self._is_lent and self._lean is not None and self._lean.is_only_moved()

    def halfway(self, before: dict[str, Any]) -> Halfway:
        """Ends the first pass of a reset; only where `is_only_moved`."""
        assert self._original is not None
        self.reset()
        model, place, settling = self._model, self._asked, None
        if place is not None and not np.array_equal(self._places(), self._file_places):
            if np.array_equal(self.state(), self._file_state):
                self._drive_to(place)
                settling = Settling(
                    self._original,
                    model.body_pos,
                    model.site_pos,
                    self.state(),
                    _SETTLE * sawyer.FRAME_SKIP - 1,
                )
            else:
                place = None
        return Halfway(before, model.body_pos.copy(), model.site_pos.copy(), place, settling)

    def go_halfway(self, halfway: Halfway) -> None:
        """Puts bodies and sites where the first pass of a reset left them, for the second one."""
        self._model.body_pos[:], self._model.site_pos[:] = halfway.body_pos, halfway.site_pos
        self.reset()
        if halfway.settling is not None:
            assert halfway.place is not None
            state = halfway.settling.state()
            self._settled = None if state is None else {halfway.place: state}
            self._first_places = self._places()

    def state(self) -> NDArray[np.float64]:
        """Returns MuJoCo's integration state, (S,)."""
        state = np.empty(mujoco.mj_stateSize(self._model, _INTEGRATION))
        mujoco.mj_getState(self._model, self.data, state, _INTEGRATION)
        return state

    def _places(self) -> NDArray[np.float64]:
        """Returns all places in the model that `move_body` and `move_site` change and physics depends on."""
        model = self._model
        if self._sites_pull:
            return np.concatenate([model.body_pos, model.site_pos])
        return np.array(model.body_pos)

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
        settled = None
        if self._settled is not None and self._is_untouched():
            settled = self._settled
            self._asked = place if self._asked is None else self._asked
        self._drive_to(place)
        if settled is not None and place in settled:
            mujoco.mj_setState(self._model, self.data, settled[place], _INTEGRATION)
        else:
            mujoco.mj_step(self._model, self.data, nstep=_SETTLE * sawyer.FRAME_SKIP - 1)
            if settled is not None:
                settled[place] = self.state()
        mujoco.mj_step(self._model, self.data)
        return self.tcp()

    def _drive_to(self, place: tuple[float, ...]) -> None:
        self.data.mocap_pos[0] = place
        self.data.mocap_quat[0] = sawyer.HAND_QUAT
        self.data.ctrl[:] = (-1.0, 1.0)

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
    sim = Sim(model, settled)
    before = _first_pass(skill, sim, rand_vec)
    sim.reset()
    return _second_pass(skill, sim, rand_vec, before)


def first_half(skill: Skill, sim: Sim, rand_vec: ArrayLike) -> Halfway | Beginning:
    """Computes a start in two halves, with the longest part of the physics between them, left to the caller.

    Args:
        skill: the skill.
        sim: a simulation of its model with an `original`, new or put back. It may be put back afterwards.
        rand_vec: the task's numbers.

    Returns:
        What `second_half` needs, once its `settling` is done. Or the outcome, where the reset does what cannot be
        done in halves: it changed more in the model than where bodies and sites stand.

    Raises:
        ValueError: see `begin`.
    """
    before = _first_pass(skill, sim, rand_vec)
    if sim.is_only_moved():
        return sim.halfway(before)
    sim.reset()
    return _second_pass(skill, sim, rand_vec, before)


def second_half(skill: Skill, sim: Sim, rand_vec: ArrayLike, halfway: Halfway) -> Beginning:
    """Returns the outcome of `first_half`, from another simulation that is new or put back, or the same.

    Raises:
        ValueError: see `begin`.
    """
    sim.go_halfway(halfway)
    return _second_pass(skill, sim, rand_vec, halfway.before)


def _first_pass(skill: Skill, sim: Sim, rand_vec: ArrayLike) -> dict[str, Any]:
    assert skill.reset is not None
    return skill.reset(sim, np.array(rand_vec, dtype=np.float64), None)


def _second_pass(skill: Skill, sim: Sim, rand_vec: ArrayLike, before: dict[str, Any]) -> Beginning:
    assert skill.reset is not None
    start = skill.reset(sim, np.array(rand_vec, dtype=np.float64), before)
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
