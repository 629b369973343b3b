"""Rows with the stepping "step" equal Gymnasium's MuJoCo environments in every bit."""

from __future__ import annotations

import gymnasium
import mujoco
import numpy as np
import pytest

from taskworlds.engine import Engine, Model, Scene

STATE = mujoco.mjtState.mjSTATE_INTEGRATION
ROWS, STEPS = 3, 320
ALL = ("qpos", "qvel")
HUMANOID = (
    *ALL,
    "body_cinert",
    "body_cvel",
    "qfrc_actuator",
    "body_cfrc_ext",
    "body_xipos",
    "ten_length",
    "ten_velocity",
)


def cheetah(now):
    return np.concatenate([now["qpos"][1:], now["qvel"]])


def ant(now):
    forces = np.clip(now["body_cfrc_ext"][6:], -1.0, 1.0)
    return np.concatenate([now["qpos"][2:], now["qvel"], forces])


def walker(now):
    return np.concatenate([now["qpos"][1:], np.clip(now["qvel"], -10, 10)])


def humanoid(now):
    inertia, velocity = now["body_cinert"][10:], now["body_cvel"][6:]
    forces = now["qfrc_actuator"][6:], now["body_cfrc_ext"][6:]
    return np.concatenate([now["qpos"][2:], now["qvel"], inertia, velocity, *forces])


# Of each environment what its scene reads, and its observation made of that.
ENVS = {
    "HalfCheetah-v5": (ALL, cheetah),
    "Ant-v5": ((*ALL, "body_cfrc_ext", "body_xpos"), ant),
    "Walker2d-v5": (ALL, walker),
    "Humanoid-v5": (HUMANOID, humanoid),
}


class Official:
    """Some official environments of one id, and an engine with a row for each."""

    def __init__(self, env_id: str, num_threads: int = 2) -> None:
        self.envs = [gymnasium.make(env_id).unwrapped for _ in range(ROWS)]
        self.sources, self.observe = ENVS[env_id]
        env = self.envs[0]
        self.scene = Scene(
            Model.from_mujoco(env.model),
            env.frame_skip,
            controls=tuple((i, 1.0) for i in range(env.model.nu)),
            reads=tuple((source,) for source in self.sources),
            stepping="step",
        )
        self.engine = Engine([self.scene], ROWS, action_size=env.model.nu, num_threads=num_threads)
        self.obs = np.array([env.reset(seed=seed)[0] for seed, env in enumerate(self.envs)])

    def states(self) -> np.ndarray:
        states = np.empty_like(self.engine.states)
        for env, state in zip(self.envs, states, strict=True):
            mujoco.mj_getState(env.model, env.data, state, STATE)
        return states

    def actions(self, dtype: type) -> np.ndarray:
        space = self.envs[0].action_space
        rng = np.random.default_rng(0)
        return (1.2 * rng.uniform(space.low, space.high, (STEPS, ROWS, *space.shape))).astype(dtype)

    def check_reads(self, step: int) -> None:
        for row, env in enumerate(self.envs):
            now = {source: self.engine.now[row][self.scene.read_slices[(source,)]] for source in self.sources}
            for source, ours in now.items():
                theirs = getattr(env.data, source.removeprefix("body_")).ravel()
                assert np.array_equal(ours, theirs), f"{source} of row {row}, step {step}"
            assert np.array_equal(self.observe(now), self.obs[row]), f"row {row}, step {step}"


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("env_id", ENVS)
def test_states_and_observations_equal(env_id, dtype):
    official = Official(env_id)
    engine = official.engine
    engine.states[:] = official.states()
    for step, actions in enumerate(official.actions(dtype)):
        official.obs = np.array([env.step(a)[0] for env, a in zip(official.envs, actions, strict=True)])
        engine.step(actions)
        assert np.array_equal(engine.states, official.states()), f"step {step}"
        assert not engine.faults.any(), f"step {step}"
        official.check_reads(step)


@pytest.mark.parametrize("env_id", ENVS)
def test_a_reset_is_a_forward_with_its_warm_start(env_id):
    official = Official(env_id)
    engine, model = official.engine, official.envs[0].model
    for row, env in enumerate(official.envs):
        fresh = mujoco.MjData(model)
        fresh.qpos[:], fresh.qvel[:] = env.data.qpos, env.data.qvel
        mujoco.mj_getState(model, fresh, engine.states[row], STATE)
    assert not np.array_equal(engine.states, official.states())
    engine.forward(warm_start=True)
    assert np.array_equal(engine.states, official.states())
    # Gymnasium leaves the contact forces of a reset at zero; the engine has them.
    slices = official.scene.read_slices
    if ("body_cfrc_ext",) in slices:
        engine.now[:, slices[("body_cfrc_ext",)]] = 0
    official.check_reads(step=-1)
