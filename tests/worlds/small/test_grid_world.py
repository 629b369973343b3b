"""GridWorldEnv."""

import copy
import functools
import math
import pickle
import warnings

import gymnasium
import numpy as np
import pytest
from gymnasium.spaces import Discrete
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AsyncVectorEnv, SyncVectorEnv
from gymnasium.wrappers import RecordEpisodeStatistics, TimeLimit

from taskworlds import EnvSpec, EnvStep, GridWorldEnv, StepType

LEFT, DOWN, RIGHT, UP = range(4)
SAFE_WAY = (DOWN, DOWN, RIGHT, DOWN, RIGHT, RIGHT)  # across 4x4


def run(env, actions):
    env.reset()
    return [env.step(action) for action in actions]


class TestMaps:
    @pytest.mark.parametrize(
        ("name", "cells", "start"), [("chain", 29, 14), ("4x4", 16, 0), ("4x4_safe", 16, 0), ("8x8", 64, 0)]
    )
    def test_named(self, name, cells, start):
        env = GridWorldEnv(name)
        assert env.observation_space == Discrete(cells)
        assert env.action_space == Discrete(4)
        assert env.reset() == (start, {})

    @pytest.mark.parametrize("direction", [LEFT, RIGHT])
    def test_chain_has_a_goal_at_both_ends(self, direction):
        steps = run(GridWorldEnv("chain"), [direction] * 14)
        assert [step.reward for step in steps] == [0.0] * 13 + [1.0]
        assert steps[-1].terminal
        assert steps[-1].observation == (0 if direction == LEFT else 28)

    @pytest.mark.parametrize(
        ("name", "letters"),
        [
            ("4x4", "SFFF FHFH FFFH HFFG"),
            ("4x4_safe", "SFFF FWFW FFFW WFFG"),
            ("8x8", "SFFFFFFF FFFFFFFF FFFHFFFF FFFFFHFF FFFHFFFF FHHFFFHF FHFFHFHF FFFHFFFG"),
        ],
    )
    def test_cells_of_named_maps(self, name, letters):
        text = GridWorldEnv(name).render("ansi")
        assert [line.replace("[", "").replace("]", "").replace(" ", "") for line in text.splitlines()] == (
            letters.split()
        )

    def test_rows_and_aliases(self):
        text = GridWorldEnv(["S.x", "oFG"]).render("ansi")
        assert text == "[S] F  W\n H  F  G"

    @pytest.mark.parametrize(
        "desc", [("SF", "FG"), [["S", "F"], ["F", "G"]], np.array([["S", "F"], ["F", "G"]])]
    )
    def test_other_forms_of_rows(self, desc):
        assert GridWorldEnv(desc).observation_space == Discrete(4)

    def test_start_elsewhere(self):
        assert GridWorldEnv(["FFF", "FFS", "FFG"]).reset()[0] == 5

    def test_unknown_name_suggests_the_nearest(self):
        with pytest.raises(ValueError, match=r"Unknown map '4x4safe'\. Did you mean '4x4_safe'.*chain, 4x4"):
            GridWorldEnv("4x4safe")

    @pytest.mark.parametrize(
        ("desc", "message"),
        [
            (["SFF", "FG"], r"rows of one length, but row 0 \('SFF'\) has 3 cells and row 1 \('FG'\) has 2"),
            (["FFG"], "exactly one start .S., not 0"),
            (["SFS", "FFG"], "exactly one start .S., not 2"),
            (["SFG", "FQF"], r"not 'Q' \(row 1, column 1\)"),
            (["sFG"], r"not 's' \(row 0, column 0\)"),
            ([], "at least one row"),
            ([""], "at least one cell"),
        ],
    )
    def test_bad_maps(self, desc, message):
        with pytest.raises(ValueError, match=message):
            GridWorldEnv(desc)

    @pytest.mark.parametrize("desc", [4, None, [1, 2]])
    def test_desc_of_another_type(self, desc):
        with pytest.raises(TypeError, match=r"desc must be the name of a map .*or a list of strings"):
            GridWorldEnv(desc)


class TestDynamics:
    def test_moves(self):
        env = GridWorldEnv(["FFF", "FSF", "FFF"])
        assert [run(env, [action])[0].observation for action in (LEFT, DOWN, RIGHT, UP)] == [3, 7, 5, 1]

    @pytest.mark.parametrize(
        ("desc", "moves"),
        [(["SF", "FF"], [LEFT, UP]), (["FF", "FS"], [DOWN, RIGHT]), (["S"], [LEFT, DOWN, RIGHT, UP])],
    )
    def test_borders_hold(self, desc, moves):
        env = GridWorldEnv(desc)
        start, _ = env.reset()
        assert [env.step(move).observation for move in moves] == [start] * len(moves)

    def test_walls_hold(self):
        env = GridWorldEnv(["FWF", "WSW", "FWG"])
        steps = run(env, [LEFT, DOWN, RIGHT, UP])
        assert [step.observation for step in steps] == [4] * 4
        assert not any(step.last for step in steps)

    def test_goal(self):
        steps = run(GridWorldEnv("4x4"), SAFE_WAY)
        assert [step.observation for step in steps] == [4, 8, 9, 13, 14, 15]
        assert [step.reward for step in steps] == [0.0] * 5 + [1.0]
        assert [step.step_type for step in steps] == [StepType.FIRST, *[StepType.MID] * 4, StepType.TERMINAL]

    def test_hole(self):
        step = run(GridWorldEnv("4x4"), [RIGHT, DOWN])[-1]
        assert (step.observation, step.reward, step.terminal) == (5, 0.0, True)

    def test_start_can_be_walked_over(self):
        step = run(GridWorldEnv("4x4"), [RIGHT, LEFT])[-1]
        assert (step.observation, step.reward, step.last) == (0, 0.0, False)

    def test_types(self):
        env = GridWorldEnv()
        observation, info = env.reset(seed=3)
        step = env.step(np.int64(RIGHT))
        assert type(observation) is type(step.observation) is int
        assert type(step.reward) is float
        assert type(step.terminated) is type(step.truncated) is bool
        assert info == step.env_info == {}
        assert isinstance(step, EnvStep)
        assert step.env_spec is env.spec
        assert step.action == RIGHT

    def test_reads_and_writes_no_global_generator(self):
        np.random.seed(0)  # noqa: NPY002
        before = np.random.get_state()[1].tolist()  # noqa: NPY002
        run(GridWorldEnv(), SAFE_WAY)
        assert np.random.get_state()[1].tolist() == before  # noqa: NPY002

    @pytest.mark.parametrize("action", [1.0, True, "1", None, np.array([1])])
    def test_action_of_another_type(self, action):
        env = GridWorldEnv()
        env.reset()
        with pytest.raises(TypeError, match="action must be a whole number"):
            env.step(action)

    @pytest.mark.parametrize(
        ("action", "message"),
        [(4, r"action must be 0 \(left\).*not 4"), (-1, "action must be at least 0, not -1")],
    )
    def test_action_out_of_range(self, action, message):
        env = GridWorldEnv()
        env.reset()
        with pytest.raises(ValueError, match=message):
            env.step(action)

    def test_a_refused_action_counts_no_step(self):
        env = GridWorldEnv()
        env.reset()
        with pytest.raises(ValueError, match="action"):
            env.step(7)
        assert env.step(RIGHT).first


class TestEpisodes:
    def test_step_before_reset(self):
        with pytest.raises(RuntimeError, match=r"reset\(\)"):
            GridWorldEnv().step(0)

    @pytest.mark.parametrize(("limit", "actions"), [(None, SAFE_WAY), (2, [LEFT, LEFT])])
    def test_step_after_the_end(self, limit, actions):
        env = GridWorldEnv(max_episode_length=limit)
        assert run(env, actions)[-1].last
        with pytest.raises(RuntimeError, match=r"reset\(\)"):
            env.step(0)
        assert env.reset()[0] == 0
        assert env.step(RIGHT).first

    def test_timeout(self):
        steps = run(GridWorldEnv(max_episode_length=3), [LEFT] * 3)
        assert [step.truncated for step in steps] == [False, False, True]
        assert steps[-1].step_type is StepType.TIMEOUT

    def test_terminal_wins_over_timeout(self):
        step = run(GridWorldEnv(max_episode_length=len(SAFE_WAY)), SAFE_WAY)[-1]
        assert step.step_type is StepType.TERMINAL
        assert (step.terminated, step.truncated) == (True, False)

    @pytest.mark.parametrize("limit", [None, math.inf])
    def test_no_limit(self, limit):
        env = GridWorldEnv(max_episode_length=limit)
        assert env.spec.max_episode_length is None
        assert not any(step.last for step in run(env, [LEFT] * 300))

    @pytest.mark.parametrize("limit", [0, -1])
    def test_limit_below_one(self, limit):
        with pytest.raises(ValueError, match=f"max_episode_length .*at least 1, not {limit}"):
            GridWorldEnv(max_episode_length=limit)

    def test_limit_of_another_type(self):
        with pytest.raises(TypeError, match=r"max_episode_length .*whole number"):
            GridWorldEnv(max_episode_length=2.5)

    def test_unknown_options_are_refused(self):
        with pytest.raises(
            ValueError, match=r"options must be None or empty.*GridWorldEnv has no reset options"
        ):
            GridWorldEnv().reset(options={"start": 3})

    def test_unknown_keywords_are_refused(self):
        with pytest.raises(TypeError, match="slippery"):
            GridWorldEnv(slippery=True)


class TestSpec:
    def test_of_a_direct_construction(self):
        env = GridWorldEnv("chain", max_episode_length=8)
        assert env.spec == EnvSpec(Discrete(29), Discrete(4), 8)
        assert env.spec.max_episode_steps == 8

    def test_gymnasium_assigns_to_it(self):
        env = GridWorldEnv("chain", max_episode_length=8)
        env.spec = gymnasium.spec("CartPole-v1")
        assert env.spec.id == "CartPole-v1"
        assert isinstance(env.spec, EnvSpec)
        assert env.spec.observation_space == Discrete(29)
        assert env.spec.max_episode_length == 8

    def test_makes_the_same_world(self):
        made = GridWorldEnv(["S.", "xG"], max_episode_length=8, render_mode="ansi").spec.make()
        assert isinstance(made.unwrapped, GridWorldEnv)
        made.reset()
        assert made.render() == "[S] F\n W  G"
        assert made.unwrapped.spec.max_episode_length == 8
        assert made.unwrapped.spec.action_space == Discrete(4)

    def test_becomes_json(self):
        spec = gymnasium.envs.registration.EnvSpec.from_json(GridWorldEnv("chain").spec.to_json())
        assert spec.make().observation_space == Discrete(29)


class TestRendering:
    def test_modes(self):
        assert GridWorldEnv().render_modes == ["ansi", "rgb_array"]

    def test_text_follows_the_agent(self):
        env = GridWorldEnv(render_mode="ansi")
        run(env, [RIGHT])
        assert env.render() == env.render("ansi") == " S [F] F  F\n F  H  F  H\n F  F  F  H\n H  F  F  G"

    def test_image(self):
        env = GridWorldEnv(["SF", "HG", "WF"], render_mode="rgb_array")
        env.reset()
        before = env.render()
        assert (before.shape, before.dtype) == ((96, 64, 3), np.uint8)
        colours = {tuple(before[row, col]) for row in (8, 40, 72) for col in (8, 40)}
        assert len(colours) == 5  # start, hole, goal, wall, and the two free cells
        env.step(RIGHT)
        after = env.render("rgb_array")
        agent = before[16, 16]
        assert (after[16, 48] == agent).all()
        assert (after[16, 16] != agent).any()

    def test_image_belongs_to_the_caller(self):
        env = GridWorldEnv()
        env.render("rgb_array")[:] = 0
        assert env.render("rgb_array").any()

    def test_a_given_mode_wins(self):
        assert isinstance(GridWorldEnv(render_mode="rgb_array").render("ansi"), str)

    @pytest.mark.parametrize("mode", ["human", "ascii", 3])
    def test_unknown_mode(self, mode):
        with pytest.raises(ValueError, match="mode must be one of 'ansi', 'rgb_array'"):
            GridWorldEnv().render(mode)
        with pytest.raises(ValueError, match="render_mode must be one of None, 'ansi', 'rgb_array'"):
            GridWorldEnv(render_mode=mode)

    def test_no_mode_warns_and_gives_nothing(self):
        with pytest.warns(UserWarning, match=r"without a render_mode.*render\(mode\)"):
            assert GridWorldEnv().render() is None

    def test_visualize_prints_now_and_at_each_step(self, capsys):
        env = GridWorldEnv("chain")
        env.reset()
        env.step(LEFT)
        assert capsys.readouterr().out == ""
        env.visualize()
        first = capsys.readouterr().out
        assert first == env.render("ansi") + "\n"
        env.step(LEFT)
        second = capsys.readouterr().out
        assert second == env.render("ansi") + "\n"
        assert second != first


class TestGymnasium:
    @pytest.mark.parametrize("render_mode", [None, "ansi", "rgb_array"])
    def test_check_env(self, render_mode):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            check_env(GridWorldEnv("8x8", max_episode_length=20, render_mode=render_mode))

    @pytest.mark.parametrize("copier", [copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))])
    def test_copies_in_mid_episode_have_the_same_future(self, copier):
        env = GridWorldEnv(max_episode_length=len(SAFE_WAY))
        env.reset(seed=5)
        for action in SAFE_WAY[:3]:
            env.step(action)
        other = copier(env)
        assert other.spec == env.spec
        for action in SAFE_WAY[3:]:
            mine, theirs = env.step(action), other.step(action)
            assert tuple(mine) == tuple(theirs)
            assert mine.step_type is theirs.step_type
        assert mine.terminal
        assert env.np_random.random() == other.np_random.random()

    def test_a_copy_goes_its_own_way(self):
        env = GridWorldEnv()
        env.reset()
        other = copy.deepcopy(env)
        other.step(RIGHT)
        assert env.step(DOWN).observation == 4

    def test_wrappers(self):
        env = RecordEpisodeStatistics(TimeLimit(GridWorldEnv(), 2))
        env.reset()
        env.step(LEFT)
        *_, truncated, info = env.step(LEFT)
        assert truncated
        assert info["episode"]["l"] == 2
        assert env.spec.max_episode_length == 2

    @pytest.mark.parametrize("vector", [SyncVectorEnv, AsyncVectorEnv])
    def test_vector_envs(self, vector):
        envs = vector([functools.partial(GridWorldEnv, "4x4", 4)] * 2)
        try:
            observations, _ = envs.reset(seed=0)
            assert observations.tolist() == [0, 0]
            for actions in ([RIGHT, DOWN], [DOWN, DOWN]):
                observations, rewards, terminated, truncated, _ = envs.step(np.array(actions))
            assert observations.tolist() == [5, 8]
            assert rewards.tolist() == [0.0, 0.0]
            assert terminated.tolist() == [True, False]
            assert truncated.tolist() == [False, False]
        finally:
            envs.close()
