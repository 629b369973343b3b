"""PointEnv."""

import copy
import functools
import math
import pickle

import gymnasium
import numpy as np
import pytest
from gymnasium.spaces import Box
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AsyncVectorEnv, SyncVectorEnv
from gymnasium.wrappers import RecordEpisodeStatistics, TimeLimit

from taskworlds import EnvSpec, EnvStep, PointEnv, StepType, Task

LIMIT = np.float32(0.1)


def reset(env, **kwargs):
    env.reset(**kwargs)
    return env


class TestDynamics:
    def test_spaces(self):
        env = PointEnv()
        assert env.action_space == Box(-0.1, 0.1, (2,), np.float32)
        assert env.observation_space == Box(-np.inf, np.inf, (3,), np.float32)

    def test_reset(self):
        env = PointEnv(goal=(3.0, -4.0))
        for _ in range(2):
            observation, info = env.reset()
            assert observation.tolist() == [0.0, 0.0, 5.0]
            assert observation.dtype == np.float32
            assert info.keys() == {"goal"}  # garage cannot stack a dictionary, such as a step's task
            assert info["goal"].tolist() == [3.0, -4.0]
            env.step([0.1, 0.1])

    def test_default_goal(self):
        assert PointEnv().reset()[1]["goal"].tolist() == [1.0, 1.0]

    def test_step(self):
        env = reset(PointEnv(goal=(1.0, 0.0)))
        step = env.step(np.array([0.05, -0.02], np.float32))
        distance = np.hypot(1.0 - 0.05, 0.02)
        np.testing.assert_allclose(step.observation, [0.05, -0.02, distance], rtol=1e-6)
        assert step.reward == -float(step.observation[2])
        assert isinstance(step, EnvStep)
        assert step.first
        assert step.env_info["success"] is False
        assert step.env_info["task"]["goal"].tolist() == step.env_info["goal"].tolist() == [1.0, 0.0]
        assert step.env_spec is env.spec

    def test_moves_are_clipped(self):
        step = reset(PointEnv()).step([7.0, -np.inf])
        assert step.observation[:2].tolist() == [LIMIT, -LIMIT]

    def test_the_point_stays_in_the_arena(self):
        env = reset(PointEnv(goal=(0.0, 0.0), arena_size=0.25, never_done=True))
        for _ in range(5):
            step = env.step([0.1, -0.1])
        assert step.observation[:2].tolist() == [0.25, -0.25]

    @pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
    def test_everything_stays_float32(self, dtype):
        env = PointEnv(goal=np.array([1.0, 2.0], np.float64))
        env.set_task({"goal": np.array([2.0, 1.0], np.float64)})
        observation, info = env.reset()
        step = env.step(np.array([1, 0], dtype))
        assert observation.dtype == step.observation.dtype == np.float32
        assert info["goal"].dtype == step.env_info["task"]["goal"].dtype == np.float32
        assert step.observation in env.observation_space
        assert type(step.reward) is float

    def test_the_callers_action_is_left_as_it_is(self):
        action = np.array([3.0, -3.0], np.float32)
        step = reset(PointEnv()).step(action)
        assert action.tolist() == [3.0, -3.0]
        assert step.action is action

    def test_the_callers_goal_is_copied(self):
        goal = np.array([1.0, 1.0], np.float32)
        env = PointEnv(goal=goal)
        goal[:] = 0.0
        _, info = env.reset()
        info["goal"][:] = 0.0
        info = env.step([0.0, 0.0]).env_info
        info["goal"][:] = info["task"]["goal"][:] = 0.0
        assert env.step([0.0, 0.0]).env_info["goal"].tolist() == [1.0, 1.0]

    @pytest.mark.parametrize("action", [[np.nan, 0.0], np.array([0.0, np.nan], np.float32)])
    def test_nan(self, action):
        env = reset(PointEnv())
        with pytest.raises(ValueError, match=r"action must not contain NaN.*Check what computed it"):
            env.step(action)
        assert env.step([0.0, 0.0]).observation[:2].tolist() == [0.0, 0.0]

    @pytest.mark.parametrize("action", [0.1, [0.1], [0.1, 0.1, 0.1], [[0.1, 0.1]], np.zeros((2, 1))])
    def test_wrong_shape(self, action):
        with pytest.raises(ValueError, match=r"action must be two numbers, of shape \(2,\), not of shape"):
            reset(PointEnv()).step(action)

    @pytest.mark.parametrize("action", [None, "ab", [None, 1.0], [1.0, [2.0]], [True, False]])
    def test_no_numbers(self, action):
        with pytest.raises(TypeError, match="action must be two numbers, not"):
            reset(PointEnv()).step(action)


class TestSuccess:
    def test_ends_the_episode_with_the_bonus(self):
        env = reset(PointEnv(goal=(0.3, 0.0), done_bonus=10.0))
        first, second = env.step([0.1, 0.0]), env.step([0.1, 0.0])
        assert (first.env_info["success"], first.terminal) == (False, False)
        assert first.reward == pytest.approx(-0.2)
        assert second.env_info["success"] is True
        assert second.step_type is StepType.TERMINAL
        assert second.reward == pytest.approx(10.0 - 0.1)

    def test_never_done_repeats_the_bonus(self):
        env = reset(PointEnv(goal=(0.0, 0.0), done_bonus=2.0, never_done=True))
        steps = [env.step([0.0, 0.0]) for _ in range(3)]
        assert [step.reward for step in steps] == [2.0] * 3
        assert all(step.env_info["success"] for step in steps)
        assert not any(step.last for step in steps)

    def test_the_threshold_is_one_diagonal_move(self):
        # A goal one diagonal move away is not reached by standing still: the comparison is strict.
        goal = np.array([0.1, 0.1], np.float32)
        assert not reset(PointEnv(goal=goal)).step([0.0, 0.0]).terminal
        assert reset(PointEnv(goal=np.nextafter(goal, np.float32(0)))).step([0.0, 0.0]).terminal

    def test_walking_to_the_default_goal(self):
        env = reset(PointEnv())
        steps = 0
        while not env.step([0.1, 0.1]).last:
            steps += 1
        assert steps == 8


class TestEpisodes:
    def test_step_before_reset(self):
        with pytest.raises(RuntimeError, match=r"reset\(\)"):
            PointEnv().step([0.0, 0.0])

    def test_step_after_the_end(self):
        env = reset(PointEnv(max_episode_length=1))
        assert env.step([0.0, 0.0]).timeout
        with pytest.raises(RuntimeError, match=r"reset\(\)"):
            env.step([0.0, 0.0])

    def test_terminal_wins_over_timeout(self):
        step = reset(PointEnv(goal=(0.0, 0.0), max_episode_length=1)).step([0.0, 0.0])
        assert (step.terminated, step.truncated, step.timeout) == (True, False, False)

    @pytest.mark.parametrize("limit", [None, math.inf])
    def test_no_limit(self, limit):
        env = reset(PointEnv(max_episode_length=limit))
        assert env.spec.max_episode_length is None
        assert not any(env.step([0.0, 0.0]).last for _ in range(300))

    @pytest.mark.parametrize("limit", [0, -5])
    def test_limit_below_one(self, limit):
        with pytest.raises(ValueError, match=f"max_episode_length .*at least 1, not {limit}"):
            PointEnv(max_episode_length=limit)

    def test_unknown_options_are_refused(self):
        with pytest.raises(ValueError, match=r"options must be None or empty.*PointEnv has no reset options"):
            PointEnv().reset(options={"goal": (0, 0)})

    def test_unknown_keywords_are_refused(self):
        with pytest.raises(TypeError, match="size"):
            PointEnv(size=3)


class TestArguments:
    @pytest.mark.parametrize("goal", [(5.1, 0.0), (0.0, -5.1), (np.nan, 0.0), (0.0, np.inf)])
    def test_goal_outside_the_arena(self, goal):
        with pytest.raises(
            ValueError, match="goal must lie within the arena, each coordinate between -5 and 5"
        ):
            PointEnv(goal=goal)

    def test_goal_on_the_border(self):
        assert PointEnv(goal=(0.3, -0.3), arena_size=0.3).reset()[1]["goal"].tolist() == [
            np.float32(0.3),
            np.float32(-0.3),
        ]

    @pytest.mark.parametrize("goal", [(1.0,), (1.0, 1.0, 1.0), 3.0])
    def test_goal_of_another_shape(self, goal):
        with pytest.raises(ValueError, match=r"goal must be two numbers, of shape \(2,\)"):
            PointEnv(goal=goal)

    def test_goal_of_another_type(self):
        with pytest.raises(TypeError, match="goal must be two numbers, not 'up'"):
            PointEnv(goal="up")

    @pytest.mark.parametrize("size", [0.0, -1.0])
    def test_arena_size_must_be_positive(self, size):
        with pytest.raises(ValueError, match="arena_size must be above 0"):
            PointEnv(arena_size=size)

    @pytest.mark.parametrize("argument", ["arena_size", "done_bonus"])
    def test_numbers(self, argument):
        with pytest.raises(ValueError, match=f"{argument} must be finite, not nan"):
            PointEnv(**{argument: math.nan})
        with pytest.raises(TypeError, match=f"{argument} must be a number, not '1'"):
            PointEnv(**{argument: "1"})

    def test_never_done_is_a_flag(self):
        with pytest.raises(ValueError, match="never_done must be one of True, False, not 'no'"):
            PointEnv(never_done="no")


class TestTasks:
    def test_sampled_tasks(self):
        tasks = reset(PointEnv(), seed=0).sample_tasks(200)
        goals = np.array([task["goal"] for task in tasks])
        assert all(task.keys() == {"goal"} for task in tasks)
        assert goals.dtype == np.float32
        assert goals.shape == (200, 2)
        assert (np.abs(goals) <= 2.0).all()
        assert (goals.min(axis=0) < -1.5).all()
        assert (goals.max(axis=0) > 1.5).all()

    def test_sampling_obeys_the_seed_alone(self):
        def draw(seed):
            return np.array([task["goal"] for task in reset(PointEnv(), seed=seed).sample_tasks(4)])

        np.random.seed(0)  # noqa: NPY002
        first = draw(1)
        np.random.seed(1)  # noqa: NPY002
        np.testing.assert_array_equal(draw(1), first)
        assert (draw(2) != first).any()

    def test_sampling_goes_on_across_calls_and_resets(self):
        together = reset(PointEnv(), seed=3).sample_tasks(4)
        env = reset(PointEnv(), seed=3)
        apart = env.sample_tasks(2)
        env.reset()
        apart += env.sample_tasks(2)
        np.testing.assert_array_equal([t["goal"] for t in together], [t["goal"] for t in apart])

    def test_sampled_tasks_fit_a_small_arena(self):
        env = reset(PointEnv(goal=(0.0, 0.0), arena_size=0.3), seed=0)
        for task in env.sample_tasks(50):
            env.set_task(task)

    def test_tasks_share_no_memory(self):
        first, second = PointEnv().sample_tasks(2)
        before = second["goal"].tolist()
        first["goal"][:] = 9.0
        assert second["goal"].tolist() == before

    @pytest.mark.parametrize(("count", "error"), [(0, ValueError), (-1, ValueError), (1.5, TypeError)])
    def test_number_of_tasks(self, count, error):
        with pytest.raises(error, match="num_tasks must be"):
            PointEnv().sample_tasks(count)

    @pytest.mark.parametrize(
        "task",
        [
            {"goal": np.array([0.5, -1.5])},
            {"goal": [0.5, -1.5]},
            Task("point", {"goal": (0.5, -1.5)}),
        ],
    )
    def test_set_task_moves_the_goal_for_good(self, task):
        env = PointEnv()
        env.set_task(task)
        for _ in range(2):
            observation, info = env.reset()
            assert info["goal"].tolist() == [0.5, -1.5]
            assert observation[2] == np.float32(np.hypot(0.5, 1.5))
        assert env.step([0.0, 0.0]).env_info["task"]["goal"].tolist() == [0.5, -1.5]

    def test_set_task_resets(self):
        env = reset(PointEnv(max_episode_length=3))
        env.step([0.1, 0.1])
        env.step([0.1, 0.1])
        env.set_task({"goal": (2.0, 0.0)})
        step = env.step([0.1, 0.0])
        assert step.first
        assert step.observation[:2].tolist() == [LIMIT, 0.0]
        assert env.step([0.0, 0.0]).mid

    def test_set_task_copies(self):
        task = {"goal": np.array([0.5, 0.5], np.float32)}
        env = PointEnv()
        env.set_task(task)
        task["goal"][:] = 0.0
        assert env.reset()[1]["goal"].tolist() == [0.5, 0.5]

    @pytest.mark.parametrize(
        "task",
        [
            {},
            {"goals": (0, 0)},
            {"goal": (0, 0), "speed": 1},
            Task("reach-v3", {"rand_vec": (0.0, 0.0, 0.0)}),
        ],
    )
    def test_other_keys(self, task):
        with pytest.raises(ValueError, match="task must have exactly one key, 'goal', not"):
            PointEnv().set_task(task)

    @pytest.mark.parametrize("task", [(1.0, 1.0), np.zeros(2), None])
    def test_no_task(self, task):
        with pytest.raises(TypeError, match="task must be a dictionary with the key 'goal'"):
            PointEnv().set_task(task)

    def test_a_goal_outside_the_arena_changes_nothing(self):
        env = reset(PointEnv())
        env.step([0.1, 0.0])
        with pytest.raises(ValueError, match="goal must lie within the arena"):
            env.set_task({"goal": (6.0, 0.0)})
        step = env.step([0.1, 0.0])
        assert step.env_info["goal"].tolist() == [1.0, 1.0]
        assert step.mid


class TestSpec:
    def test_of_a_direct_construction(self):
        env = PointEnv(max_episode_length=100)
        assert env.spec == EnvSpec(env.observation_space, env.action_space, 100)

    def test_gymnasium_assigns_to_it(self):
        env = PointEnv(max_episode_length=8)
        env.spec = gymnasium.spec("CartPole-v1")
        assert isinstance(env.spec, EnvSpec)
        assert (env.spec.id, env.spec.max_episode_length) == ("CartPole-v1", 8)
        assert env.spec.action_space == env.action_space

    def test_makes_the_same_world(self):
        env = PointEnv((0.25, 0.5), arena_size=2.0, done_bonus=3.0, never_done=True, max_episode_length=9)
        spec = gymnasium.envs.registration.EnvSpec.from_json(env.spec.to_json())
        made = spec.make(render_mode="ansi").unwrapped
        assert isinstance(made, PointEnv)
        assert made.spec.kwargs == env.spec.kwargs | {"render_mode": "ansi"}
        assert made.spec.max_episode_length == 9
        assert made.reset()[1]["goal"].tolist() == [0.25, 0.5]


class TestRendering:
    def test_modes(self):
        assert PointEnv().render_modes == ["ansi", "ascii", "rgb_array"]

    @pytest.mark.parametrize("mode", ["ansi", "ascii"])
    def test_text(self, mode):
        env = PointEnv(goal=(0.5, -1.0), render_mode=mode)
        assert env.render() == env.render("ascii") == "Point: [0. 0.], Goal: [ 0.5 -1. ]"

    def test_image(self):
        env = reset(PointEnv(goal=(2.5, 2.5), render_mode="rgb_array"))
        image = env.render()
        assert (image.shape, image.dtype) == ((400, 400, 3), np.uint8)
        agent, goal = image[[200, 105], [200, 295]].astype(int)  # y points up
        assert agent[0] > 2 * agent[1]
        assert goal[1] > 2 * goal[0]
        for _ in range(10):
            env.step([-0.1, 0.0])
        assert (env.render("rgb_array")[200, 162] == agent).all()

    @pytest.mark.parametrize("mode", ["human", "text", 0])
    def test_unknown_mode(self, mode):
        with pytest.raises(ValueError, match="mode must be one of 'ansi', 'ascii', 'rgb_array'"):
            PointEnv().render(mode)
        with pytest.raises(ValueError, match="render_mode must be one of None, 'ansi'"):
            PointEnv(render_mode=mode)

    def test_no_mode_warns_and_gives_nothing(self):
        with pytest.warns(UserWarning, match="PointEnv was made without a render_mode"):
            assert PointEnv().render() is None

    def test_visualize_prints_now_and_at_each_step(self, capsys):
        env = reset(PointEnv())
        env.visualize()
        assert capsys.readouterr().out == "Point: [0. 0.], Goal: [1. 1.]\n"
        env.step([0.1, 0.0])
        assert capsys.readouterr().out == "Point: [0.1 0. ], Goal: [1. 1.]\n"


class TestGymnasium:
    @pytest.mark.parametrize("render_mode", [None, "ansi", "ascii", "rgb_array"])
    def test_check_env(self, render_mode):
        check_env(PointEnv(max_episode_length=20, render_mode=render_mode))

    @pytest.mark.parametrize("copier", [copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))])
    def test_copies_in_mid_episode_have_the_same_future(self, copier):
        env = reset(PointEnv(done_bonus=1.0, never_done=True, max_episode_length=6), seed=4)
        env.set_task({"goal": (0.3, 0.3)})
        for _ in range(3):
            env.step([0.05, 0.1])
        other = copier(env)
        assert other.spec == env.spec
        for action in ([0.1, 0.0], [0.1, 0.0], [-0.1, 0.1]):
            mine, theirs = env.step(action), other.step(action)
            np.testing.assert_array_equal(mine.observation, theirs.observation)
            assert mine[1:4] == theirs[1:4]
            assert mine.step_type is theirs.step_type
            np.testing.assert_array_equal(mine.env_info["goal"], theirs.env_info["goal"])
        assert mine.timeout
        np.testing.assert_array_equal(env.sample_tasks(1)[0]["goal"], other.sample_tasks(1)[0]["goal"])

    def test_a_copy_goes_its_own_way(self):
        env = reset(PointEnv())
        other = copy.deepcopy(env)
        other.set_task({"goal": (0.0, 0.0)})
        other.step([0.1, 0.1])
        step = env.step([0.0, 0.0])
        assert step.observation[:2].tolist() == [0.0, 0.0]
        assert step.env_info["goal"].tolist() == [1.0, 1.0]

    def test_wrappers(self):
        env = RecordEpisodeStatistics(TimeLimit(PointEnv(goal=(2.0, 0.0)), 2))
        env.reset()
        env.step(np.zeros(2, np.float32))
        *_, truncated, info = env.step(np.zeros(2, np.float32))
        assert truncated
        assert info["episode"]["r"] == pytest.approx(-4.0)

    @pytest.mark.parametrize("vector", [SyncVectorEnv, AsyncVectorEnv])
    def test_vector_envs(self, vector):
        goals = ((0.2, 0.0), (2.0, 0.0))
        envs = vector([functools.partial(PointEnv, goal, max_episode_length=5) for goal in goals])
        try:
            _, infos = envs.reset(seed=0)
            np.testing.assert_allclose(infos["goal"], goals)
            observations, rewards, terminated, _, infos = envs.step(np.array([[0.1, 0.0]] * 2, np.float32))
            np.testing.assert_allclose(observations[:, 2], [0.1, 1.9], rtol=1e-6)
            np.testing.assert_allclose(rewards, [-0.1, -1.9], rtol=1e-6)
            assert terminated.tolist() == infos["success"].tolist() == [True, False]
            np.testing.assert_allclose(infos["task"]["goal"], goals)
        finally:
            envs.close()
