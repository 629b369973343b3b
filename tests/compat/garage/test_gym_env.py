"""GymEnv."""

import copy
import functools
import math
import pickle
import threading
import warnings

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.spaces import Box, Discrete
from gymnasium.utils import EzPickle
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AsyncVectorEnv, SyncVectorEnv
from gymnasium.wrappers import RecordEpisodeStatistics, TimeLimit, TransformReward

import taskworlds
from taskworlds import EnvSpec, EnvStep, GridWorldEnv, GymEnv, PointEnv, StepType


class Scripted(gymnasium.Env):
    """Gives what it is told to, and remembers what it was given. Not registered."""

    metadata = {"render_modes": ["ansi", "rgb_array"], "render_fps": 1}

    def __init__(
        self,
        observations=(0.5,),
        space=None,
        infos=({},),
        terminate_at=None,
        truncate_at=None,
        reward=1.0,
        render_mode=None,
    ):
        self.observation_space = Box(0.0, 1.0, (1,), np.float32) if space is None else space
        self.action_space = Box(-1.0, 1.0, (2,), np.float32)
        self.observations, self.infos = observations, infos
        self.terminate_at, self.truncate_at = terminate_at, truncate_at
        self.reward, self.render_mode = reward, render_mode
        self.count, self.closed, self.options = 0, False, None
        self._secret = 1

    def _observe(self):
        observation = self.observations[min(self.count, len(self.observations) - 1)]
        return np.array([observation], np.float32) if isinstance(observation, float) else observation

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.options = options
        self.count = 0
        return self._observe(), {"start": True}

    def step(self, action):
        action[:] = 0.0  # as some environments do
        info = dict(self.infos[self.count % len(self.infos)])
        self.count += 1
        ends = self.count == self.terminate_at, self.count == self.truncate_at
        return self._observe(), self.reward, *ends, info

    def render(self):
        return f"count {self.count}" if self.render_mode == "ansi" else np.zeros((2, 2, 3), np.uint8)

    def close(self):
        self.closed = True


class Rebuilt(Scripted, EzPickle):
    """Pickles as its arguments, as Gymnasium's MuJoCo environments do."""

    def __init__(self):
        Scripted.__init__(self)
        EzPickle.__init__(self)


class Drawing:
    """Stands for a surface of pygame's, which cannot be pickled."""

    def __init__(self):
        self.lock = threading.Lock()


Drawing.__module__ = "pygame.surface"

ACTION = np.array([0.25, -0.25], np.float32)
PIXELS = Box(0, 255, (2, 2, 3), np.uint8)


def started(env, **kwargs):
    env.reset(**kwargs)
    return env


def pickled(env):
    return pickle.loads(pickle.dumps(env))


def silent(*args, **kwargs):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return GymEnv(*args, **kwargs)


class TestConstruction:
    @pytest.mark.parametrize(
        "make",
        [
            lambda: GymEnv("CartPole-v1"),
            lambda: GymEnv(env="CartPole-v1"),
            lambda: GymEnv(gymnasium.make("CartPole-v1")),
            lambda: GymEnv(env=gymnasium.make("CartPole-v1")),
        ],
    )
    def test_takes_ids_and_environments(self, make):
        env = make()
        assert env.action_space == Discrete(2)
        assert env.unwrapped is env.env.unwrapped
        assert env.reset(seed=0)[0] in env.observation_space

    @pytest.mark.parametrize("env", [1, None, gymnasium.Env, SyncVectorEnv([Scripted])])
    def test_anything_else_is_refused(self, env):
        with pytest.raises(ValueError, match=r"GymEnv can take env as a Gymnasium id or a gymnasium.Env"):
            GymEnv(env)

    def test_unknown_keywords_are_refused(self):
        with pytest.raises(TypeError, match="limit"):
            GymEnv("CartPole-v1", limit=3)

    @pytest.mark.parametrize(("limit", "error"), [(0, ValueError), (-1, ValueError), (2.5, TypeError)])
    def test_bad_limits(self, limit, error):
        with pytest.raises(error, match="max_episode_length"):
            GymEnv(Scripted(), max_episode_length=limit)


class TestLimit:
    def test_the_environments_own(self):
        assert silent("CartPole-v1").spec.max_episode_length == 500
        assert silent("CartPole-v1", max_episode_length=500).spec.max_episode_length == 500

    def test_another_one_warns_and_is_used(self):
        with pytest.warns(UserWarning, match=r"max_episode_length=3 is used .* own limit of 200 steps"):
            env = GymEnv("Pendulum-v1", max_episode_length=3)
        assert env.spec.max_episode_length == env.spec.max_episode_steps == 3
        env.reset(seed=0)
        steps = [env.step(env.action_space.sample()) for _ in range(3)]
        assert [step.step_type for step in steps] == [StepType.FIRST, StepType.MID, StepType.TIMEOUT]

    def test_a_longer_one_does_not_lengthen_the_environments(self):
        with pytest.warns(UserWarning, match="max_episode_length=5"):
            env = GymEnv(gymnasium.make("Pendulum-v1", max_episode_steps=2), max_episode_length=5)
        assert env.spec.max_episode_length == 5
        env.reset(seed=0)
        assert [env.step(env.action_space.sample()).timeout for _ in range(2)] == [False, True]

    def test_infinity_is_no_limit(self):
        with pytest.warns(UserWarning, match="max_episode_length=inf"):
            assert GymEnv("CartPole-v1", max_episode_length=math.inf).spec.max_episode_length is None
        assert silent(Scripted(), max_episode_length=math.inf).spec.max_episode_length is None

    @pytest.mark.parametrize("limit", [None, 4])
    def test_of_an_environment_without_one(self, limit):
        assert silent(Scripted(), max_episode_length=limit).spec.max_episode_length == limit

    def test_is_found_through_wrappers_without_a_spec(self):
        env = TransformReward(TimeLimit(Scripted(), 7), lambda reward: reward)
        assert env.spec is None
        assert silent(env).spec.max_episode_length == 7

    def test_of_this_packages_environments(self):
        assert silent(PointEnv(max_episode_length=9)).spec.max_episode_length == 9
        assert silent(PointEnv()).spec.max_episode_length is None


class TestStep:
    def test_equals_the_environments_steps(self):
        ours, theirs = GymEnv("Pendulum-v1"), gymnasium.make("Pendulum-v1")
        first, expected = ours.reset(seed=3), theirs.reset(seed=3)
        np.testing.assert_array_equal(first[0], expected[0])
        assert first[1] == expected[1] == {}
        ours.action_space.seed(0)
        for _ in range(200):
            action = ours.action_space.sample()
            step, (observation, reward, terminated, truncated, _) = ours.step(action), theirs.step(action)
            np.testing.assert_array_equal(step.observation, observation)
            assert (step.reward, step.terminated, step.truncated) == (reward, terminated, truncated)
            assert type(step.reward) is float
            assert step.action is action
            assert step.env_spec == ours.spec
            assert isinstance(step, EnvStep)
        assert step.timeout

    def test_types_of_an_episode(self):
        env = started(GymEnv(Scripted(terminate_at=3)))
        steps = [env.step(ACTION) for _ in range(3)]
        assert [step.step_type for step in steps] == [StepType.FIRST, StepType.MID, StepType.TERMINAL]
        assert started(env).step(ACTION).first

    @pytest.mark.parametrize("reward", [1, np.float32(1.0), np.int64(1), True])
    def test_rewards_become_floats(self, reward):
        step = started(GymEnv(Scripted(reward=reward))).step(ACTION)
        assert type(step.reward) is float
        assert step.reward == 1.0

    def test_the_callers_action_is_left_as_it_is(self):
        action = ACTION.copy()
        step = started(GymEnv(Scripted())).step(action)
        assert action.tolist() == step.action.tolist() == [0.25, -0.25]

    def test_without_an_episode(self):
        env = GymEnv(Scripted(terminate_at=1))
        with pytest.raises(RuntimeError, match=r"reset\(\)"):
            env.step(ACTION)
        assert started(env).step(ACTION).terminal
        with pytest.raises(RuntimeError, match=r"reset\(\)"):
            env.step(ACTION)

    def test_after_its_own_limit(self):
        env = started(GymEnv(Scripted(), max_episode_length=1))
        assert env.step(ACTION).timeout
        with pytest.raises(RuntimeError, match=r"reset\(\)"):
            env.step(ACTION)
        assert env.unwrapped.count == 1

    def test_reset_passes_seed_and_options_on(self):
        env = GymEnv(Scripted())
        _, info = env.reset(seed=5, options={"level": 2})
        assert info == {}
        assert env.unwrapped.options == {"level": 2}
        assert env.np_random_seed == 5

    def test_steps_of_inner_env_steps(self):
        env = started(GymEnv(PointEnv(goal=(0.3, 0.0)), max_episode_length=9))
        first, second = env.step([0.1, 0.0]), env.step([0.1, 0.0])
        assert (first.step_type, second.step_type) == (StepType.FIRST, StepType.TERMINAL)
        assert first.env_spec.max_episode_length == 9
        assert first.action == [0.1, 0.0]


class TestTimeLimitInfo:
    def test_on_timeout_and_before(self):
        env = started(GymEnv(Scripted(), max_episode_length=2))
        for expected in (False, True):
            info = env.step(ACTION).env_info
            assert info == {"TimeLimit.truncated": expected, "GymEnv.TimeLimitTerminated": expected}

    @pytest.mark.parametrize(
        "env", [TimeLimit(Scripted(terminate_at=2), 2), Scripted(terminate_at=2, truncate_at=2)]
    )
    def test_terminal_wins_at_the_limit(self, env):
        env = started(GymEnv(env))
        env.step(ACTION)
        step = env.step(ACTION)
        assert (step.terminated, step.truncated, step.terminal, step.timeout) == (True, False, True, False)
        assert step.env_info == {"TimeLimit.truncated": False, "GymEnv.TimeLimitTerminated": False}

    @pytest.mark.parametrize("value", [False, True])
    def test_the_environments_value_is_kept_and_decides_nothing(self, value):
        step = started(GymEnv(Scripted(infos=[{"TimeLimit.truncated": value}]))).step(ACTION)
        assert step.first
        assert step.env_info == {"TimeLimit.truncated": value, "GymEnv.TimeLimitTerminated": False}

    def test_the_environments_info_is_left_as_it_is(self):
        info = {"kept": 1}
        env = Scripted()
        env.step = lambda action: (np.zeros(1, np.float32), 0.0, False, False, info)
        started(GymEnv(env)).step(ACTION)
        assert info == {"kept": 1}


class TestInfoKeys:
    @pytest.mark.parametrize("second", [{"a": 1}, {"a": 1, "b": 2, "c": 3}, {"a": 1, "c": 2}])
    def test_must_stay_the_same(self, second):
        env = started(GymEnv(Scripted(infos=[{"a": 0, "b": 0}, second])))
        env.step(ACTION)
        with pytest.raises(RuntimeError, match=r"GymEnv outputs inconsistent env_info keys\..*\['a', 'b'\]"):
            env.step(ACTION)

    def test_order_is_free(self):
        env = started(GymEnv(Scripted(infos=[{"a": 0, "b": 0}, {"b": 1, "a": 1}])))
        env.step(ACTION)
        assert env.step(ACTION).env_info["b"] == 1

    def test_each_episode_has_its_own(self):
        env = started(GymEnv(Scripted(infos=[{"a": 0}])))
        env.step(ACTION)
        env.unwrapped.infos = [{"b": 0}]
        assert "b" in started(env).step(ACTION).env_info

    def test_the_sum_of_an_episode_is_left_out(self):
        inner = RecordEpisodeStatistics(Scripted(terminate_at=2))
        env = started(GymEnv(inner))
        assert env.step(ACTION).env_info.keys() == env.step(ACTION).env_info.keys()
        assert list(inner.length_queue) == [2]

    def test_reset_has_none(self):
        assert GymEnv(PointEnv()).reset()[1] == {}

    def test_meta_world_inside(self):
        env = GymEnv(taskworlds.make("reach-v3", seed=0, max_episode_steps=3))
        env.reset(seed=0)
        steps = [env.step(np.zeros(4)) for _ in range(3)]
        assert [step.step_type for step in steps] == [StepType.FIRST, StepType.MID, StepType.TIMEOUT]
        assert steps[-1].env_info.keys() == steps[0].env_info.keys()


class TestObservations:
    @pytest.mark.parametrize(
        ("space", "observation"),
        [
            (None, np.zeros(2, np.float32)),
            (Discrete(3), 3),
            (Discrete(3), -1),
            (spaces.MultiBinary(3), np.zeros(4, np.int8)),
            (spaces.Dict(a=Discrete(2)), {"b": 0}),
            (spaces.Dict(a=Discrete(2)), {"a": 5}),
            (spaces.Tuple([Discrete(2), Discrete(2)]), (1,)),
            (spaces.Sequence(Discrete(2)), 1),
        ],
    )
    def test_that_do_not_conform(self, space, observation):
        message = "GymEnv observation does not conform to its observation_space"
        with pytest.raises(RuntimeError, match=message):
            GymEnv(Scripted([observation], space)).reset()
        good = Scripted().observation_space.sample() if space is None else space.sample()
        env = started(GymEnv(Scripted([good, observation], space)))
        with pytest.raises(RuntimeError, match=message):
            env.step(ACTION)

    @pytest.mark.parametrize(
        ("space", "observation"),
        [
            (None, np.full(1, 9.0, np.float32)),
            (None, np.full(1, 0.5, np.float64)),
            (None, np.full((1, 1), 0.5, np.float32)),
            (Discrete(3), np.array([0, 1, 0])),
            (spaces.Dict(a=Box(0.0, 1.0, (2,))), {"a": np.full(2, 9.0)}),
            (spaces.Tuple([Discrete(2), Box(0.0, 1.0, (2,))]), (1, np.full(2, 9.0))),
        ],
    )
    def test_of_the_right_size_pass_as_they_are(self, space, observation):
        env = GymEnv(Scripted([observation], space))
        assert env.reset()[0] is observation
        assert env.step(ACTION).observation is observation


class TestImages:
    def test_pixels_are_scaled(self):
        pixels = np.zeros((2, 2, 3), np.uint8)
        pixels[0, 0] = 0, 51, 255
        env = GymEnv(Scripted([pixels], PIXELS), is_image=True)
        assert env.observation_space == env.spec.observation_space == Box(0.0, 1.0, (2, 2, 3), np.float32)
        for observation in (env.reset()[0], env.step(ACTION).observation):
            assert observation in env.observation_space
            np.testing.assert_array_equal(observation[0, 0], np.float32([0.0, 0.2, 1.0]))
        assert pixels[0, 0].tolist() == [0, 51, 255]

    @pytest.mark.parametrize("copier", [copy.deepcopy, pickled])
    def test_copies_still_scale(self, copier):
        env = copier(GymEnv(Scripted([PIXELS.high], PIXELS), is_image=True))
        assert env.observation_space.dtype == np.float32
        assert env.reset()[0].max() == 1.0

    def test_left_alone_without_is_image(self):
        env = GymEnv(Scripted([PIXELS.high], PIXELS))
        assert env.observation_space == PIXELS
        assert env.reset()[0].dtype == np.uint8

    @pytest.mark.parametrize(
        "space", [Discrete(3), Box(0.0, 1.0, (2, 2, 3), np.float32), Box(0, 255, (2, 2, 2, 3), np.uint8)]
    )
    def test_need_a_space_of_images(self, space):
        with pytest.raises(ValueError, match="is_image=True needs an observation_space of images"):
            GymEnv(Scripted(space=space), is_image=True)

    def test_is_image_is_a_flag(self):
        with pytest.raises(ValueError, match="is_image must be one of True, False, not 'yes'"):
            GymEnv(Scripted(space=PIXELS), is_image="yes")


class TestAttributes:
    def test_public_ones_are_forwarded(self):
        env = GymEnv(TimeLimit(Scripted(), 3))
        assert env.closed is False
        assert GymEnv("CartPole-v1").gravity == 9.8

    @pytest.mark.parametrize("name", ["_secret", "missing"])
    def test_others_are_not(self, name):
        with pytest.raises(AttributeError, match=name):
            getattr(GymEnv(Scripted()), name)

    def test_close(self):
        env = GymEnv(Scripted())
        env.close()
        assert env.unwrapped.closed


class TestSpec:
    def test_carries_spaces_and_limit(self):
        env = GymEnv("CartPole-v1")
        assert isinstance(env.spec, EnvSpec)
        assert env.spec == EnvSpec(env.observation_space, env.action_space, 500, id="CartPole-v1")

    def test_makes_the_same_environment(self):
        with pytest.warns(UserWarning, match="max_episode_length=2"):
            env = GymEnv("Pendulum-v1", max_episode_length=2)
        rebuilt = gymnasium.make(gymnasium.envs.registration.EnvSpec.from_json(env.spec.to_json()))
        assert isinstance(rebuilt, GymEnv)
        assert rebuilt.spec == env.spec
        rebuilt.reset(seed=0)
        assert [rebuilt.step(rebuilt.action_space.sample()).timeout for _ in range(2)] == [False, True]

    def test_of_an_environment_without_one_makes_a_copy(self):
        env = GymEnv(Scripted(), max_episode_length=3)
        assert env.spec.max_episode_length == 3
        check_env(env, skip_render_check=True)

    def test_survives_registration(self):
        gymnasium.register("GymEnvOfPoint-v0", functools.partial(GymEnv, max_episode_length=6))
        try:
            env = gymnasium.make("GymEnvOfPoint-v0", env=PointEnv(max_episode_length=6))
            assert env.unwrapped.spec.id == env.spec.id == "GymEnvOfPoint-v0"
            assert env.spec.max_episode_length == 6
        finally:
            del gymnasium.registry["GymEnvOfPoint-v0"]


class TestCopies:
    @pytest.mark.parametrize("copier", [copy.deepcopy, pickled])
    @pytest.mark.parametrize("name", ["CartPole-v1", "Pendulum-v1"])
    def test_in_mid_episode_have_the_same_future(self, name, copier):
        with pytest.warns(UserWarning, match="max_episode_length=8"):
            env = GymEnv(name, max_episode_length=8)
        env.reset(seed=0)
        env.action_space.seed(0)
        for _ in range(4):
            env.step(env.action_space.sample())
        other = copier(env)
        assert other.spec == env.spec
        for _ in range(4):
            action = env.action_space.sample()
            mine, theirs = env.step(action), other.step(action)
            np.testing.assert_array_equal(mine.observation, theirs.observation)
            assert mine[1:] == theirs[1:]
            assert mine.step_type is theirs.step_type
        assert mine.timeout
        np.testing.assert_array_equal(env.reset()[0], other.reset()[0])

    @pytest.mark.parametrize("copier", [copy.deepcopy, pickled])
    def test_leave_windows_behind(self, copier):
        env = started(GymEnv(TimeLimit(Scripted(), 5)))
        viewer, surface = threading.Lock(), Drawing()
        env.unwrapped.viewer, env.unwrapped.images, env.env.screen = viewer, [surface], surface
        env.step(ACTION)
        other = copier(env)
        assert (other.viewer, other.images, other.screen) == (None, None, None)
        assert (env.viewer, env.images, env.screen) == (viewer, [surface], surface)
        assert other.step(ACTION).mid
        assert other.unwrapped.count == 2
        assert env.unwrapped.count == 1

    @pytest.mark.parametrize("copier", [copy.deepcopy, pickled])
    def test_of_rebuilt_environments_must_be_reset(self, copier):
        env = started(GymEnv(Rebuilt()))
        env.step(ACTION)
        other = copier(env)
        with pytest.raises(RuntimeError, match=r"reset\(\)"):
            other.step(ACTION)
        assert started(other).step(ACTION).first
        assert env.step(ACTION).mid


class TestRendering:
    @pytest.mark.parametrize("mode", ["ansi", "rgb_array"])
    def test_modes_are_the_environments(self, mode):
        inner = Scripted(render_mode=mode)
        env = started(GymEnv(inner))
        assert env.render_modes == ["ansi", "rgb_array"]
        assert np.array_equal(env.render(), inner.render())
        assert np.array_equal(env.render(mode), inner.render())

    def test_other_modes(self):
        env = GymEnv(Scripted())
        assert env.render("ansi") == "count 0"
        assert env.render("rgb_array").shape == (2, 2, 3)
        assert env.render_mode is None
        with pytest.raises(ValueError, match=r"mode must be one of .*'ansi'.*, not 'depth_array'"):
            env.render("depth_array")

    def test_of_environments_that_take_a_mode(self):
        env = GymEnv(GridWorldEnv("chain"))
        assert env.render("ansi") == GridWorldEnv("chain").render("ansi")
        with pytest.raises(ValueError, match="mode must be one of 'ansi', 'rgb_array', not 'human'"):
            env.render("human")

    def test_visualize_prints_text(self, capsys):
        env = started(GymEnv(Scripted(render_mode="ansi")))
        env.step(ACTION)
        assert capsys.readouterr().out == ""
        env.visualize()
        env.step(ACTION)
        assert capsys.readouterr().out == "count 1\ncount 2\n"

    def test_visualize_uses_the_environments_own(self, capsys):
        env = started(GymEnv(PointEnv()))
        env.visualize()
        env.step([0.1, 0.0])
        assert capsys.readouterr().out == "Point: [0. 0.], Goal: [1. 1.]\nPoint: [0.1 0. ], Goal: [1. 1.]\n"

    def test_visualize_without_a_display_draws_offscreen(self, monkeypatch):
        for name in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setattr("sys.platform", "linux")
        env = started(GymEnv(Scripted()))
        monkeypatch.setitem(Scripted.metadata, "render_modes", ["human", "rgb_array"])
        with pytest.warns(
            UserWarning, match=r"no display, so visualize.. draws offscreen .*render\('rgb_array'\)"
        ):
            env.visualize()
        env.step(ACTION)
        monkeypatch.setitem(Scripted.metadata, "render_modes", ["human"])
        with pytest.raises(
            RuntimeError, match=r"can be drawn here, and the render modes of this one are \['human'\]"
        ):
            env.visualize()

    def test_visualize_opens_a_window_where_there_is_a_display(self, monkeypatch):
        monkeypatch.setenv("DISPLAY", ":0")
        monkeypatch.setitem(Scripted.metadata, "render_modes", ["human", "rgb_array"])
        env = started(GymEnv(Scripted()))
        shown = []
        monkeypatch.setattr(Scripted, "render", lambda self: shown.append(self.render_mode))
        env.visualize()
        env.step(ACTION)
        assert shown == ["human", "human"]


class TestGymnasium:
    # Rendering these two needs pygame.
    @pytest.mark.parametrize("name", ["CartPole-v1", "Pendulum-v1"])
    def test_check_env(self, name):
        check_env(GymEnv(name), skip_render_check=True)

    def test_check_env_with_rendering(self):
        check_env(GymEnv(PointEnv(max_episode_length=9, render_mode="ansi")))

    def test_wrappers(self):
        env = RecordEpisodeStatistics(TimeLimit(GymEnv(Scripted()), 2))
        env.reset()
        env.step(ACTION)
        *_, truncated, info = env.step(ACTION)
        assert truncated
        assert info["episode"]["r"] == 2.0

    @pytest.mark.parametrize("vector", [SyncVectorEnv, AsyncVectorEnv])
    def test_vector_envs(self, vector):
        theirs = SyncVectorEnv([functools.partial(gymnasium.make, "CartPole-v1")] * 2)
        envs = vector([functools.partial(GymEnv, "CartPole-v1")] * 2)
        try:
            observations, _ = envs.reset(seed=0)
            np.testing.assert_array_equal(observations, theirs.reset(seed=0)[0])
            for _ in range(30):
                results = [both.step(np.array([0, 1])) for both in (envs, theirs)]
                for mine, expected in zip(results[0][:4], results[1][:4], strict=True):
                    np.testing.assert_array_equal(mine, expected)
        finally:
            envs.close()
