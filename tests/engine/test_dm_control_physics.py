"""Rows with the stepping "split" equal dm_control's suite in every bit."""

from __future__ import annotations

import mujoco
import numpy as np
import pytest

from taskworlds.engine import Engine, Model, Scene

pytestmark = pytest.mark.requires_dm_control
STATE = mujoco.mjtState.mjSTATE_INTEGRATION
ROWS, STEPS = 3, 320


def cheetah(now):
    return {"position": now["qpos",][1:], "velocity": now["qvel",]}


def walker(now):
    rotations = now["body_xmat",].reshape(-1, 9)[1:, [0, 2]].ravel()
    return {"orientations": rotations, "height": now["body_xpos", "torso"][2], "velocity": now["qvel",]}


def finger(now):
    def sensor(*names):
        return np.concatenate([now["sensordata", name] for name in names])

    tip = sensor("tip")[[0, 2]] - sensor("spinner")[[0, 2]]
    return {
        "position": np.hstack([sensor("proximal", "distal"), tip]),
        "velocity": sensor("proximal_velocity", "distal_velocity", "hinge_velocity"),
        "touch": np.log1p(sensor("touchtop", "touchbottom")),
    }


def cartpole(now):
    rotation = now["body_xmat",].reshape(-1, 9)[2:]
    pole = rotation[:, [8, 2]].ravel()
    return {"position": np.hstack([now["qpos", "slider"], pole]), "velocity": now["qvel",]}


def humanoid(now):
    torso = now["body_xmat", "torso"].reshape(3, 3)
    limbs = [now["body_xpos", f"{side}_{limb}"] for side in ("left", "right") for limb in ("hand", "foot")]
    return {
        "joint_angles": now["qpos",][7:],
        "head_height": now["body_xpos", "head"][2],
        "extremities": np.hstack([(limb - now["body_xpos", "torso"]).dot(torso) for limb in limbs]),
        "torso_vertical": torso[2],
        "com_velocity": now["sensordata", "torso_subtreelinvel"],
        "velocity": now["qvel",],
    }


SENSORS = ("proximal", "distal", "tip", "spinner", "proximal_velocity", "distal_velocity", "hinge_velocity")
LIMBS = ("torso", "head", "left_hand", "left_foot", "right_hand", "right_foot")

# Of each task: what its scene reads beside qpos, qvel and sensordata, and its observation made of that.
TASKS = {
    ("cheetah", "run"): ((), cheetah),
    ("walker", "walk"): ((("body_xmat",), ("body_xpos", "torso")), walker),
    ("finger", "spin"): (
        tuple(("sensordata", name) for name in (*SENSORS, "touchtop", "touchbottom")),
        finger,
    ),
    ("cartpole", "swingup"): ((("body_xmat",), ("qpos", "slider")), cartpole),
    ("humanoid", "walk"): (
        (
            ("body_xmat", "torso"),
            ("body_subtree_com",),
            ("body_xipos",),
            ("sensordata", "torso_subtreelinvel"),
            *(("body_xpos", name) for name in LIMBS),
        ),
        humanoid,
    ),
}


class Official:
    """Some official environments of one task, and an engine with a row for each."""

    def __init__(self, task: tuple[str, str], legacy_step: bool = True) -> None:
        from dm_control import suite

        self.envs = [
            suite.load(*task, {"random": row, "time_limit": float("inf")}, {"legacy_step": legacy_step})
            for row in range(ROWS)
        ]
        more, self.observe = TASKS[task]
        model = self.envs[0].physics.model
        # A task may change the model at a reset, like the spinner's damping.
        self.obs = [env.reset().observation for env in self.envs]
        self.scene = Scene(
            Model.from_mujoco(model.ptr),
            self.envs[0]._n_sub_steps,
            controls=tuple((i, 1.0) for i in range(model.nu)),
            reads=(("qpos",), ("qvel",), ("sensordata",), *more),
            stepping="split" if legacy_step else "step",
        )
        self.engine = Engine([self.scene], ROWS, action_size=model.nu, num_threads=2)

    def states(self) -> np.ndarray:
        states = np.empty_like(self.engine.states)
        for env, state in zip(self.envs, states, strict=True):
            mujoco.mj_getState(env.physics.model.ptr, env.physics.data.ptr, state, STATE)
        return states

    def actions(self, dtype: type) -> np.ndarray:
        spec = self.envs[0].action_spec()
        rng = np.random.default_rng(0)
        return (1.2 * rng.uniform(spec.minimum, spec.maximum, (STEPS, ROWS, *spec.shape))).astype(dtype)

    def check_reads(self, step: int) -> None:
        for row, env in enumerate(self.envs):
            now = {read: self.engine.now[row][where] for read, where in self.scene.read_slices.items()}
            for (source, *name), ours in now.items():
                theirs = getattr(env.physics.named.data, source.removeprefix("body_"))
                theirs = np.ravel(theirs[name[0]] if name else theirs._field)
                assert np.array_equal(ours, theirs), f"{source} of row {row}, step {step}"
            observation = self.observe(now)
            assert observation.keys() == self.obs[row].keys()
            for key, ours in observation.items():
                assert np.array_equal(ours, self.obs[row][key]), f"{key} of row {row}, step {step}"


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("task", TASKS, ids="-".join)
def test_states_and_observations_equal(task, dtype):
    check(Official(task), dtype)


def test_without_legacy_step_it_is_the_stepping_of_gymnasium():
    check(Official(("walker", "walk"), legacy_step=False), np.float64)


def check(official, dtype):
    engine = official.engine
    engine.states[:] = official.states()
    for step, actions in enumerate(official.actions(dtype)):
        official.obs = [env.step(a).observation for env, a in zip(official.envs, actions, strict=True)]
        engine.step(actions)
        assert np.array_equal(engine.states, official.states()), f"step {step}"
        assert not engine.faults.any(), f"step {step}"
        official.check_reads(step)


@pytest.mark.parametrize("task", TASKS, ids="-".join)
def test_a_reset_is_a_forward(task):
    official = Official(task)
    official.engine.states[:] = before = official.states()
    official.engine.forward()
    assert np.array_equal(official.engine.states, before)
    official.check_reads(step=-1)
