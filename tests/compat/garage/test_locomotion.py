"""HalfCheetahVelEnv, HalfCheetahDirEnv, AntDirEnv, AntGoalEnv and Walker2dRandParamsEnv."""

import copy
import pickle
import warnings

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from taskworlds import (
    AntDirEnv,
    AntGoalEnv,
    EnvSpec,
    EnvStep,
    GymEnv,
    HalfCheetahDirEnv,
    HalfCheetahVelEnv,
    StepType,
    Task,
    Walker2dRandParamsEnv,
    normalize,
    samplers,
)
from taskworlds.rendering.offscreen import choose_library, fault

CLASSES = [HalfCheetahVelEnv, HalfCheetahDirEnv, AntDirEnv, AntGoalEnv, Walker2dRandParamsEnv]
BY_CLASS = pytest.mark.parametrize("cls", CLASSES)


def acting(env, seed=0):
    rng = np.random.default_rng(seed)
    while True:
        yield rng.uniform(-1.0, 1.0, env.action_space.shape).astype(np.float32)


@BY_CLASS
@pytest.mark.parametrize("hidden", [True, False])
def test_check_env(cls, hidden):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", "A Box observation space m(in|ax)imum value is -?infinity")
        warnings.filterwarnings("ignore", ".*A Box observation space m(in|ax)imum value is -?infinity")
        check_env(cls(partially_observable=hidden), skip_render_check=True)


@BY_CLASS
class TestProtocol:
    def test_spec(self, cls):
        env = cls(max_episode_length=50)
        assert isinstance(env.spec, EnvSpec)
        assert env.spec.max_episode_length == env.spec.max_episode_steps == 50
        assert env.spec.action_space is env.action_space
        assert env.spec.observation_space is env.observation_space
        assert env.observation_space.dtype == np.float64
        assert env.action_space.dtype == np.float32
        assert cls().spec.max_episode_length == 200

    def test_films_run_at_the_speed_of_the_physics(self, cls):
        env = cls()
        env.reset(seed=0)
        assert env.metadata["render_fps"] == round(1.0 / env.dt)

    def test_the_spec_makes_it_again(self, cls):
        env = cls(cls().sample_tasks(1, seed=3)[0], 7, partially_observable=False)
        again = env.spec.make()
        assert type(again.unwrapped) is cls
        assert again.spec.max_episode_steps == 7
        first, info = env.reset(seed=5)
        second, same = again.reset(seed=5)
        assert np.array_equal(first, second)
        assert env.task == again.unwrapped.task
        assert info.keys() == same.keys()

    def test_episodes(self, cls):
        env = cls(max_episode_length=3)
        obs, _ = env.reset(seed=0)
        assert obs in env.observation_space
        steps = [env.step(action) for _, action in zip(range(3), acting(env), strict=False)]
        assert [step.step_type for step in steps] == [StepType.FIRST, StepType.MID, StepType.TIMEOUT]
        for step in steps:
            assert isinstance(step, EnvStep)
            assert type(step.reward) is float
            assert step.env_info["reward_forward"] + step.env_info["reward_ctrl"] == pytest.approx(
                step.reward
                - step.env_info.get("reward_contact", 0.0)
                - step.env_info.get("reward_survive", 0.0)
            )
        assert all(step.env_info.keys() == steps[0].env_info.keys() for step in steps)
        assert not any(isinstance(value, dict) for value in steps[-1].env_info.values())
        with pytest.raises(RuntimeError, match=rf"{cls.__name__}.step needs a running episode. Call reset"):
            env.step(np.zeros(env.action_space.shape))

    def test_seeds(self, cls):
        one, two = cls(), cls()
        assert np.array_equal(one.reset(seed=4)[0], two.reset(seed=4)[0])
        assert not np.array_equal(one.reset()[0], one.reset(seed=4)[0])
        assert one.sample_tasks(3) == (two.reset(seed=4), two.sample_tasks(3))[1]

    def test_sample_tasks(self, cls):
        env = cls()
        tasks = env.sample_tasks(5, seed=1)
        assert len(tasks) == 5
        assert all(type(task) is dict for task in tasks)
        assert env.sample_tasks(5, seed=1) == tasks
        assert env.sample_tasks(5, seed=2) != tasks
        with pytest.raises(ValueError, match="num_tasks must be at least 1, not 0"):
            env.sample_tasks(0)

    def test_set_task(self, cls):
        env = cls()
        task = env.sample_tasks(3, seed=6)[-1]
        env.set_task(task)
        step = env.step(np.zeros(env.action_space.shape))  # an episode of it has begun
        assert step.first
        assert dict(env.task.params) == {"partially_observable": True, **Task("x", task).params}
        before = env.task
        for seed in (None, 3):
            env.reset(seed=seed)
            assert env.task == before
        same = cls()
        same.set_task(before)
        assert np.array_equal(same.reset(seed=1)[0], env.reset(seed=1)[0])

    def test_copies_and_pickles_in_mid_episode(self, cls):
        env = cls(cls().sample_tasks(1, seed=2)[0])
        env.reset(seed=0)
        steps = acting(env)
        for _ in range(5):
            env.step(next(steps))
        others = [copy.deepcopy(env), pickle.loads(pickle.dumps(env))]
        for _, action in zip(range(5), steps, strict=False):
            step = env.step(action)
            for other in others:
                theirs = other.step(action)
                assert np.array_equal(theirs.observation, step.observation)
                assert theirs.reward == step.reward
        assert all(type(other) is cls and other.spec == env.spec for other in others)

    def test_state(self, cls):
        env = cls()
        env.reset(seed=0)
        state = env.get_state()
        action = next(acting(env))
        step = env.step(action)
        env.set_state(state)
        assert np.array_equal(env.step(action).observation, step.observation)

    def test_a_visible_goal_stands_last(self, cls):
        env = cls(partially_observable=False)
        obs, info = env.reset(seed=0)
        assert np.array_equal(obs[-len(info["goal"]) :], info["goal"])
        hidden, _ = cls().reset(seed=0)
        assert np.array_equal(obs[: -len(info["goal"])], hidden)
        other = env.sample_tasks(1, seed=0)[0]
        env.set_task(other)  # stays visible
        assert env.task["partially_observable"] is False

    def test_task_samplers(self, cls):
        sampler = samplers.SetTaskSampler(cls)
        assert sampler.n_tasks is None
        updates = sampler.sample(3)
        env = updates[0]()
        assert updates[1](env) is env
        assert env.task["partially_observable"] is True


class TestTasks:
    def test_defaults(self):
        tasks = [cls().reset(seed=0)[1]["goal"].tolist() for cls in CLASSES[:4]]
        assert tasks == [[0.0], [1.0], [1.0, 0.0], [3.0, 0.0]]
        assert set(Walker2dRandParamsEnv().reset(seed=0)[1]["goal"].tolist()) == {1.0}

    def test_garages_names_in_info(self):
        env = HalfCheetahVelEnv({"velocity": 1.5})
        env.reset(seed=0)
        assert env.step(np.zeros(6)).env_info["task_vel"] == 1.5
        env = HalfCheetahDirEnv({"direction": -1})
        env.reset(seed=0)
        assert env.step(np.zeros(6)).env_info["task_dir"] == -1.0

    def test_other_directions_are_refused(self):
        env = HalfCheetahDirEnv()
        with pytest.raises(ValueError, match=r"direction must be 1 \(forward\) or -1 \(backward\).*not 0.5"):
            env.set_task({"direction": 0.5})
        assert env.reset(seed=0)[1]["goal"].tolist() == [1.0]  # as it was

    @pytest.mark.parametrize(
        ("task", "error", "message"),
        [
            ({"speed": 1.0}, ValueError, "has the parameters velocity and partially_observable, not .*speed"),
            ({}, ValueError, "has the parameters velocity and partially_observable, not part"),
            (
                1.5,
                TypeError,
                "task must be a dictionary with 'velocity', as sample_tasks returns, or a Task, not 1.5",
            ),
            ({"velocity": None}, TypeError, "velocity must be a number for half-cheetah-vel, not None"),
            (Task("ant-dir", {"angle": 0.0}), ValueError, "task must be of half-cheetah-vel, not of ant-dir"),
            ({"velocity": 1.0, "partially_observable": False}, ValueError, "shows its goal|both must agree"),
        ],
    )
    def test_wrong_tasks(self, task, error, message):
        env = HalfCheetahVelEnv()
        with pytest.raises(error, match=message):
            env.set_task(task)
        with pytest.raises(error, match=message):
            HalfCheetahVelEnv(task)

    @pytest.mark.parametrize(
        ("arguments", "error", "message"),
        [
            ({"max_episode_length": 0}, ValueError, "max_episode_length must be at least 1, not 0"),
            ({"max_episode_length": 2.5}, TypeError, "max_episode_length must be a whole number"),
            ({"partially_observable": None}, ValueError, "partially_observable must be one of True, False"),
            ({"render_mode": "ascii"}, ValueError, "render_mode must be one of"),
            ({"speed": 1}, TypeError, "speed"),
        ],
    )
    def test_wrong_arguments(self, arguments, error, message):
        with pytest.raises(error, match=message):
            AntGoalEnv(**arguments)


def test_the_start_is_gymnasiums():
    """The row's generator draws a seed, and Gymnasium's environment gives the start for it."""
    drawn = int(np.random.default_rng(3).integers(2**31))
    for cls, name in ((HalfCheetahVelEnv, "HalfCheetah-v5"), (AntDirEnv, "Ant-v5")):
        assert np.array_equal(cls().reset(seed=3)[0], gymnasium.make(name).reset(seed=drawn)[0])


def test_garages_wrappers():
    env = normalize(GymEnv(HalfCheetahVelEnv(), max_episode_length=200))
    obs, _ = env.reset(seed=0)
    step = env.step(np.full(6, 0.5))
    assert step.observation.shape == obs.shape == (17,)
    assert "GymEnv.TimeLimitTerminated" in step.env_info


def test_closing_twice_and_using_after():
    env = HalfCheetahVelEnv()
    env.reset(seed=0)
    env.close()
    with pytest.raises(RuntimeError, match="closed"):
        env.reset()


PICTURES = """
import taskworlds
envs = [getattr(taskworlds, name)(render_mode="rgb_array", width=64, height=48)
        for name in ("HalfCheetahVelEnv", "AntGoalEnv", "Walker2dRandParamsEnv")]
for env in envs:
    env.reset(seed=0)
    first = env.render()
    assert first.shape == (48, 64, 3) and first.dtype == "uint8" and first.std() > 5
    for _ in range(3):
        env.step(env.action_space.low)
    assert (env.render() != first).any()
last = [env.render() for env in envs]
envs[0].close()  # the others draw as before
for env, picture in zip(envs[1:], last[1:]):
    assert (env.render() == picture).all()
"""


def test_pictures():
    try:
        library = choose_library()
    except RuntimeError as error:
        pytest.skip(str(error))
    assert fault(PICTURES, MUJOCO_GL=library) is None
