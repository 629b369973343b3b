"""Locomotion rows against Gymnasium's own environments: starts and physics to the last bit, rewards by formula."""

from __future__ import annotations

import copy
import pickle

import gymnasium
import mujoco
import numpy as np
import pytest

from taskworlds.worlds.locomotion.row import LocomotionRow
from taskworlds.worlds.locomotion.skills import SKILLS, skill

IDS = {"half": "HalfCheetah-v5", "ant": "Ant-v5", "walker2d": "Walker2d-v5"}
BY_SKILL = pytest.mark.parametrize("name", [each.name for each in SKILLS])


def official(name):
    """Gymnasium's environment of a skill, made by Gymnasium, with the goal's body where the goal is one."""
    return gymnasium.make(IDS[name.split("-")[0]], **skill(name).arguments)


def actions(env, steps, seed=0, dtype=np.float64):
    size = env.action_space.shape
    return np.random.default_rng(seed).uniform(-1.0, 1.0, (steps, *size)).astype(dtype)


def started(name, params=None, seed=0, partially_observable=True):
    row = LocomotionRow(name)
    row.next_task = skill(name).task(params or skill(name).default, partially_observable)
    obs, info = row.reset(seed=seed)
    return row, obs, info


@BY_SKILL
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_starts_and_physics_are_gymnasiums(name, dtype):
    each = skill(name)
    env = official(name)
    row, obs, _ = started(name, seed=7)
    expected, _ = env.reset(seed=7)
    assert row.action_space == env.action_space
    assert env.observation_space.shape == (each.obs_size,)
    assert np.array_equal(obs, np.append(expected, np.zeros(each.goal_size)))
    for action in actions(env, 150, dtype=dtype):
        obs, _, _, _, info = row.step(action)
        expected, _, terminated, _, theirs = env.step(action)
        assert np.array_equal(obs[: each.obs_size], expected)
        assert np.array_equal(row.inner.data.qpos, env.unwrapped.data.qpos)
        assert np.array_equal(row.inner.data.qvel, env.unwrapped.data.qvel)
        assert info.get("terminated", False) is bool(terminated)
        for key in set(theirs) - {"reward_forward", "reward_ctrl"}:
            assert info[key] == theirs[key]
            assert type(info[key]) is float


def formula(name, task, info, action):
    """The rewards of the literature, from what Gymnasium's info says."""
    effort = np.sum(np.square(action))
    if name == "half-cheetah-vel":
        return -abs(info["x_velocity"] - task["velocity"]) - 0.05 * effort
    if name == "half-cheetah-dir":
        return task["direction"] * info["x_velocity"] - 0.05 * effort
    if name == "ant-dir":
        along = np.dot(
            (info["x_velocity"], info["y_velocity"]), (np.cos(task["angle"]), np.sin(task["angle"]))
        )
        return along - 0.5 * effort + info["reward_contact"] + info["reward_survive"]
    if name == "ant-goal":
        distance = np.abs(np.array(task["goal"]) - (info["x_position"], info["y_position"])).sum()
        return -distance - 0.1 * effort + info["reward_contact"]
    return info["x_velocity"] - 1e-3 * effort + info["reward_survive"]


@BY_SKILL
def test_rewards_are_the_formulas(name):
    rng = np.random.default_rng(3)
    for _ in range(3):
        params = skill(name).draw(rng)
        row, _, _ = started(name, params)
        keys = None
        for action in actions(row, 60):
            _, reward, terminated, truncated, info = row.step(action)
            assert type(reward) is float
            assert reward == pytest.approx(formula(name, params, info, action), abs=1e-12)
            parts = [info.get(f"reward_{each}", 0.0) for each in ("forward", "ctrl", "contact", "survive")]
            assert reward == pytest.approx(sum(parts), abs=1e-12)
            assert (terminated, truncated) == (False, False)
            assert keys in (None, set(info))
            keys = set(info)


def test_goals_in_info_and_observation():
    row, obs, info = started("half-cheetah-vel", {"velocity": 1.25}, partially_observable=False)
    assert info["goal"].tolist() == [1.25]
    assert obs[17:].tolist() == [1.25]
    obs, _, _, _, info = row.step(np.zeros(6))
    assert (info["task_vel"], info["goal"].tolist(), obs[17:].tolist()) == (1.25, [1.25], [1.25])
    _, _, info = started("half-cheetah-dir", {"direction": -1})
    assert info["goal"].tolist() == [-1.0]
    _, obs, info = started("ant-dir", {"angle": np.pi}, partially_observable=False)
    assert info["goal"] == pytest.approx([-1.0, 0.0])
    assert np.array_equal(obs[105:], info["goal"])
    _, obs, info = started("ant-goal", {"goal": (1.0, 2.0)})
    assert info["goal"].tolist() == [1.0, 2.0]
    assert obs[107:].tolist() == [0.0, 0.0]
    _, obs, _ = started("walker2d-rand-params", partially_observable=False)
    assert np.array_equal(obs[17:], np.ones(65))


def test_the_place_is_observed_where_it_is_the_goal():
    row, obs, _ = started("ant-goal")
    assert np.array_equal(obs[:2], row.inner.data.qpos[:2])


def test_which_skills_can_end_an_episode():
    for each in SKILLS:
        row, _, _ = started(each.name)
        row.inner.data.qpos[1 if each.name.startswith("walker") else 2] = 5.0  # m, above every healthy height
        info = row.step(np.zeros(each.action_size))[4]
        assert info.get("terminated") is (True if each.terminates else None)
        assert info.get("reward_survive", 0.0) == 0.0


def model_bytes(model):
    buffer = np.zeros(mujoco.mj_sizeModel(model), np.uint8)
    mujoco.mj_saveModel(model, None, buffer)
    return buffer


class TestWalkersBody:
    """The model is the one that MuJoCo compiles from these masses, whatever was set before."""

    NAME = "walker2d-rand-params"

    def test_multipliers_of_one_give_gymnasiums_model(self):
        row, _, _ = started(self.NAME, skill(self.NAME).draw(np.random.default_rng(0)))
        built = official(self.NAME).unwrapped.model
        assert not np.array_equal(model_bytes(row.inner.model), model_bytes(built))
        row.next_task = skill(self.NAME).task(skill(self.NAME).default)
        row.reset(seed=0)
        assert np.array_equal(model_bytes(row.inner.model), model_bytes(built))

    def test_the_model_is_as_compiled(self):
        rng = np.random.default_rng(1)
        heavier = 1.5 ** rng.uniform(-3.0, 3.0, 8)
        params = {
            "body_mass": heavier,
            "body_inertia": np.repeat(heavier[:, None], 3, axis=1),
            "dof_damping": np.ones(9),
            "geom_friction": np.ones((8, 3)),
        }
        row, _, _ = started(self.NAME, params)
        spec = mujoco.MjSpec.from_file(row.inner.fullpath)
        model = row.inner.model
        for body in spec.bodies[1:]:
            (geom,) = body.geoms
            geom.density = 1000.0 * heavier[model.body(body.name).id]
        compiled = spec.compile()
        names = [name for name in dir(compiled) if isinstance(getattr(compiled, name), np.ndarray)]
        assert {"body_mass", "dof_invweight0", "body_invweight0", "dof_M0", "actuator_acc0"} <= set(names)
        for name in names:
            np.testing.assert_allclose(getattr(model, name), getattr(compiled, name), rtol=1e-9, err_msg=name)
        assert model.stat.meaninertia == pytest.approx(compiled.stat.meaninertia, rel=1e-9)
        assert not np.allclose(model.dof_invweight0, official(self.NAME).unwrapped.model.dof_invweight0)

    def test_each_array_is_multiplied(self):
        params = skill(self.NAME).draw(np.random.default_rng(1))
        row, _, _ = started(self.NAME, params)
        built = official(self.NAME).unwrapped.model
        for name in ("body_mass", "body_inertia", "dof_damping", "geom_friction"):
            assert np.array_equal(
                getattr(row.inner.model, name), getattr(built, name) * np.array(params[name])
            )

    def test_bodies_do_not_add_up_and_rows_share_none(self):
        rng = np.random.default_rng(2)
        first, second = skill(self.NAME).draw(rng), skill(self.NAME).draw(rng)
        row, _, _ = started(self.NAME, first)
        other, _, _ = started(self.NAME, second)
        row.next_task = skill(self.NAME).task(second)
        row.reset(seed=0)
        assert np.array_equal(model_bytes(row.inner.model), model_bytes(other.inner.model))
        for action in actions(row, 30):
            assert np.array_equal(row.step(action)[0], other.step(action)[0])
        other.next_task = skill(self.NAME).task(first)
        other.reset(seed=0)
        assert not np.array_equal(row.inner.model.body_mass, other.inner.model.body_mass)

    def test_the_body_matters(self):
        results = []
        for params in (skill(self.NAME).default, skill(self.NAME).draw(np.random.default_rng(3))):
            row, _, _ = started(self.NAME, params)
            results.append([row.step(action)[0] for action in actions(row, 20)][-1])
        assert not np.allclose(*results)

    def test_drawn_bodies_can_be_simulated(self):
        rng = np.random.default_rng(4)
        row = LocomotionRow(self.NAME)
        for _ in range(25):
            row.next_task = skill(self.NAME).task(skill(self.NAME).draw(rng))
            row.reset(seed=0)
            for action in actions(row, 200):
                row.step(action)
            assert row.inner.data.warning.number.sum() == 0


@BY_SKILL
def test_state_is_exact_in_mid_episode(name):
    rng = np.random.default_rng(5)
    row, _, _ = started(name, skill(name).draw(rng))
    before, after = np.split(actions(row, 80), 2)
    for action in before:
        row.step(action)
    state = pickle.loads(pickle.dumps(row.state))
    kept = copy.deepcopy(state)
    expected = [row.step(action) for action in after]

    other, _, _ = started(name, skill(name).draw(rng), seed=9)  # of another task, and elsewhere
    for target in (row, other, LocomotionRow(name)):
        target.state = state
        for action, (obs, reward, _, _, info) in zip(after, expected, strict=True):
            new_obs, new_reward, _, _, new_info = target.step(action)
            assert np.array_equal(new_obs, obs)
            assert new_reward == reward
            assert new_info.keys() == info.keys()
            assert all(np.array_equal(new_info[key], info[key]) for key in info)
    np.testing.assert_equal(state, kept)  # stepping wrote to none of it


def test_state_before_the_first_reset():
    row = LocomotionRow("ant-dir")
    assert row.state is None
    with pytest.raises(RuntimeError, match="no task yet: set next_task before the first reset"):
        row.reset(seed=0)
    other, _, _ = started("ant-dir")
    other.state = None
    with pytest.raises(RuntimeError, match="no task yet"):
        other.reset(seed=0)


def test_idle_rows_do_not_step():
    row, obs, _ = started("half-cheetah-vel")
    row.idle = True
    again, reward, _, _, info = row.step(np.ones(6))
    assert np.array_equal(again, obs)
    assert (reward, info, row.inner.data.time) == (0.0, {}, 0.0)
    assert not np.array_equal(row.step(np.ones(6))[0], obs)


def test_gymnasiums_environment_can_be_asked():
    row, _, _ = started("half-cheetah-vel")
    assert row.ask("state_vector", (), {})[1].shape == (18,)
    assert row.read("dt") == (None, pytest.approx(0.05))
    assert isinstance(row.read("state_vector")[0], AttributeError)
    assert isinstance(row.read("no_such_name")[0], AttributeError)
    assert isinstance(row.ask("no_such_name", (), {})[0], AttributeError)
    row.value = 3
    assert row.write("frame_skip") == (None, None)
    assert row.inner.frame_skip == 3
    assert isinstance(row.write("no_such_name")[0], AttributeError)
