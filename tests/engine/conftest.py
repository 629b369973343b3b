"""The official environments as the oracle of the engine's tests."""

from __future__ import annotations

import warnings
from pathlib import Path

import mujoco
import numpy as np
import pytest

import taskworlds
from taskworlds.engine import MocapControl, Scene
from taskworlds.worlds.metaworld.models import metaworld_model

STATE = mujoco.mjtState.mjSTATE_INTEGRATION
FIELDS = {"body_pos": "body", "site_pos": "site"}


class Official:
    """One official environment, and the scene that should step exactly like it."""

    def __init__(self, skill: str, seed: int = 0) -> None:
        from metaworld.env_dict import ALL_V3_ENVIRONMENTS

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.env = ALL_V3_ENVIRONMENTS[skill]()
        # Some skills redraw a goal that lies too near the object, and would do so for ever with a fixed one
        # that does. So the first reset draws the goal.
        self.env.seed(seed)
        self.env.seeded_rand_vec, self.env._freeze_rand_vec = True, False
        self.env.reset()
        goal = self.env._last_rand_vec
        task = taskworlds.Task(skill, {"rand_vec": goal, "partially_observable": False})
        self.env.set_task(task.to_metaworld())
        self.model = metaworld_model(f"sawyer_xyz/{Path(self.env.model_name).name}")
        self.compiled = self.model.to_mujoco()
        self.env.reset()
        self.env.max_path_length = 10**9
        self.scene = Scene(
            self.model,
            frame_skip=self.env.frame_skip,
            mocap=MocapControl(
                "mocap",
                tuple(self.env.mocap_low),
                tuple(self.env.mocap_high),
                self.env.action_scale,
                (1, 0, 1, 0),
            ),
            controls=((3, 1.0), (3, -1.0)),
            overrides=tuple(self._changed()),
            reads=tuple(self._everything()),
        )

    def _changed(self):
        """Gives the model's fields that the official reset changed, as overrides."""
        for field, kind in FIELDS.items():
            for name in self.model.names(kind):
                ours = self.model.find(kind, name)
                theirs = mujoco.mj_name2id(self.env.model, mujoco.mju_str2Type(kind), name)
                if not np.array_equal(
                    getattr(self.compiled, field)[ours], getattr(self.env.model, field)[theirs]
                ):
                    yield field, name

    def _everything(self):
        named = {kind: self.model.names(kind) for kind in ("body", "site", "geom", "joint")}
        for kind, source in (("body", "xpos"), ("body", "xquat"), ("site", "xpos"), ("site", "xmat")):
            yield from ((f"{kind}_{source}", name) for name in named[kind])
        yield from (("geom_xpos", name) for name in named["geom"])
        yield from (("geom_xmat", name) for name in named["geom"])
        yield from (("qpos", name) for name in named["joint"])
        for pad in ("leftpad_geom", "rightpad_geom"):
            yield from (("touch", pad, name) for name in named["geom"] if name != pad)

    def state(self) -> np.ndarray:
        state = np.empty(mujoco.mj_stateSize(self.env.model, STATE))
        mujoco.mj_getState(self.env.model, self.env.data, state, STATE)
        return state

    def overrides(self) -> np.ndarray:
        values = [getattr(self.env.model, FIELDS[field])(name).pos for field, name in self.scene.overrides]
        return np.concatenate([*values, np.empty(0)])

    def load_into(self, engine, row: int) -> None:
        engine.scene_of_row[row] = engine.scenes.index(self.scene)
        state, overrides = self.state(), self.overrides()
        engine.states[row, : len(state)] = state
        engine.overrides[row, : len(overrides)] = overrides

    def step(self, action) -> None:
        self.env.step(action)

    def read(self) -> np.ndarray:
        """Gives what `scene.reads` names, from the official simulation."""
        data, values = self.env.data, []
        for source, name, *other in self.scene.reads:
            if source == "touch":
                values.append([self._touch(data.geom(name).id, data.geom(*other).id)])
            elif source == "qpos":
                values.append(data.joint(name).qpos)
            else:
                kind, attribute = source.split("_")
                values.append(getattr(getattr(data, kind)(name), attribute))
        return np.concatenate([np.ravel(value) for value in values])

    def _touch(self, geom1: int, geom2: int) -> float:
        data = self.env.data
        between = [c for c in data.contact if {geom1, geom2} == {c.geom1, c.geom2}]
        return float(sum(data.efc_force[c.efc_address] for c in between))


@pytest.fixture(scope="session")
def official():
    """Makes (or gives again, reset) the official environment of a skill."""
    made = {}

    def get(skill: str) -> Official:
        if skill not in made:
            made[skill] = Official(skill)
        made[skill].env.reset()
        return made[skill]

    return get
