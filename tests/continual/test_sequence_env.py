"""Sequences of tasks: what they hold, their borders, seeds, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from taskworlds.continual import SEQUENCES, SequenceVectorEnv, make_sequence, sequence
from taskworlds.worlds.metaworld.skills import env_names

POINTS = ["point", "point", "point"]


def points(steps_per_task=12, num_envs=2, skills=POINTS, **options):
    how = {"num_goals": 5, "max_episode_steps": 4, "seed": 0}
    return make_sequence(skills, num_envs, steps_per_task=steps_per_task, **how | options)


def actions(envs, value=0.05):
    return np.full((envs.num_envs, *envs.single_action_space.shape), value, np.float32)


def test_the_named_sequences():
    assert len(SEQUENCES["CW10"]) == 10
    assert SEQUENCES["CW20"] == SEQUENCES["CW10"] * 2
    assert set(SEQUENCES["CW20"]) < set(env_names())
    assert sequence("CW10")[:2] == ("hammer-v3", "push-wall-v3")


def test_a_sequence_of_meta_world():
    envs = make_sequence(["push-v3", "reach-v3", "push-v3"], 2, steps_per_task=4, seed=0)
    obs, _ = envs.reset(seed=0)
    assert envs.skills == ("push-v3", "reach-v3", "push-v3")
    assert obs.shape == (2, 39 + 3)
    assert {each.max_episode_steps for each in envs.envs} == {200}
    seen = [obs[:, 39:].argmax(axis=1).tolist()]
    for _ in range(6):
        obs, _, _, truncated, _ = envs.step(envs.action_space.sample())
        seen.append(obs[:, 39:].argmax(axis=1).tolist())
    assert seen == [[0, 0], [0, 0], [1, 1], [1, 1], [2, 2], [2, 2], [2, 2]]
    assert truncated.all()
    assert envs.is_over
    with pytest.raises(RuntimeError, match="The sequence is over after 12 steps"):
        envs.step(envs.action_space.sample())
    with pytest.raises(RuntimeError, match="The sequence is over after 12 steps"):
        envs.reset()


def test_at_a_border_every_row_ends_and_the_next_task_begins():
    envs, alone = points(), points(steps_per_task=1200)
    envs.reset(seed=3)
    alone.reset(seed=3)
    for number in range(1, 7):
        obs, rewards, terminated, truncated, infos = envs.step(actions(envs))
        same = alone.step(actions(envs))
        assert rewards.tolist() == same[1].tolist()
        assert envs.num_steps == 2 * number
        if number < 6:
            assert obs.tolist() == same[0].tolist()
            assert truncated.all() == (number == 4)
    assert (terminated | truncated).all()
    assert not same[3].any()
    assert infos["final_obs"].tolist() == same[0].tolist()  # what the step led to
    assert infos["_final_obs"].all()
    assert infos["_final_info"].all()
    assert infos["final_info"]["episode"]["l"].tolist() == [2, 2]
    assert infos["final_info"]["episode"]["r"] == pytest.approx(same[4]["episode_return"])
    assert infos["final_info"]["env_idx"].tolist() == [0, 0]
    assert infos["env_idx"].tolist() == [1, 1]
    assert infos["episode_length"].tolist() == [0, 0]
    assert obs[:, 3:].tolist() == [[0, 1, 0]] * 2
    assert envs.env_idx == 1


def test_at_a_border_rows_that_end_themselves_keep_their_end():
    envs = points(steps_per_task=60, max_episode_steps=60, terminate_on_success=True, num_envs=3)
    envs.reset(seed=0)
    for _ in range(19):
        envs.step(actions(envs, 0.0))
    state = envs.env.get_state()
    state["rows/points"][0] = state["rows/goals"][0]
    envs.env.set_state(state)
    *_, terminated, truncated, infos = envs.step(actions(envs, 0.0))  # row 0 stands on its goal
    assert terminated.tolist() == [True, False, False]
    assert truncated.tolist() == [False, True, True]
    ended = infos["final_info"]
    assert ended["success"].tolist() == [1.0, 0.0, 0.0]
    assert ended["_success"].all()
    assert ended["episode"]["l"].tolist() == ended["episode_length"].tolist() == [20, 20, 20]
    assert ended["env_idx"].tolist() == [0, 0, 0]
    assert ended["_env_idx"].all()


def test_equal_seeds_give_equal_sequences_on_every_engine():
    def play(**how):
        envs = points(**how)
        seen = [envs.reset(seed=7)[0].tolist()]
        while not envs.is_over:
            obs, rewards, *_, infos = envs.step(actions(envs))
            seen.append((obs.tolist(), rewards.tolist(), infos["goal"].tolist()))
        return seen

    assert play() == play() == play(vector_strategy="sync")
    envs, other = points(), points()
    assert envs.reset(seed=1)[0].tolist() != other.reset(seed=2)[0].tolist()


def test_a_snapshot_goes_on_to_the_end(tmp_path):
    envs, other = points(), points()
    envs.reset(seed=5)
    for _ in range(7):  # one step into the second task
        envs.step(actions(envs))
    np.savez(tmp_path / "state.npz", **envs.get_state())
    other.set_state(dict(np.load(tmp_path / "state.npz")))
    assert (other.env_idx, other.num_steps) == (1, 14)
    while not envs.is_over:
        one, two = envs.step(actions(envs)), other.step(actions(envs))
        assert [each.tolist() for each in one[:4]] == [each.tolist() for each in two[:4]]
        assert one[4]["goal"].tolist() == two[4]["goal"].tolist()
    assert other.is_over


def test_a_snapshot_of_another_sequence_is_refused_and_changes_nothing():
    envs = points()
    envs.reset(seed=0)
    state = envs.get_state()
    longer = points(skills=[*POINTS, "point"])
    message = "state must be what get_state of a sequence with these tasks and this budget returned"
    for wrong in (
        longer.get_state(),
        {},
        state | {"place": np.array([2, 2, 1, 12])},
        points(steps_per_task=24).get_state(),
        points(steps_per_task=None).get_state(),
        state | {"seed": np.array("x")},
    ):
        with pytest.raises(ValueError, match=message):
            envs.set_state(wrong)
    with pytest.raises(ValueError, match="max_episode_steps is 3 in the state and 4 in this environment"):
        envs.set_state(points(max_episode_steps=3).get_state())
    with pytest.raises(ValueError, match="or it is only part of one"):
        envs.set_state(
            state | {"0/progress/steps": state["0/progress/steps"] + 1, "2/progress/steps": np.zeros(7)}
        )
    assert envs.num_steps == 0
    assert envs.get_state()["0/progress/steps"].tolist() == state["0/progress/steps"].tolist()


def test_without_a_budget_the_caller_moves_the_index():
    envs = points(steps_per_task=None)
    envs.reset(seed=0)
    for _ in range(20):
        envs.step(actions(envs))
    envs.env_idx = 2
    with pytest.raises(RuntimeError, match=r"There is no episode to step: call reset\(\) first"):
        envs.step(actions(envs))
    assert envs.reset()[0][:, 3:].tolist() == [[0, 0, 1]] * 2
    assert not envs.is_over
    with pytest.raises(ValueError, match="env_idx must be at most 2, not 3"):
        envs.env_idx = 3


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (
            lambda: points(steps_per_task=13),
            ValueError,
            "steps_per_task must be a multiple of the number of rows, 2",
        ),
        (
            lambda: setattr(points(), "env_idx", 1),
            ValueError,
            "env_idx must not be set where steps_per_task=12 moves",
        ),
        (lambda: points(skills="CW1O"), ValueError, "Unknown sequence 'CW1O'. Did you mean 'CW10'"),
        (lambda: points(skills=[]), ValueError, "skills must name at least one skill, but it is empty"),
        (
            lambda: points(skills=["reach-v3", "point"]),
            ValueError,
            "skills must be of one world, with .* Meta-World, po",
        ),
        (lambda: points(skills=["reach-v4"]), ValueError, "reach-v4"),
        (lambda: points(use_one_hot=False), TypeError, "use_one_hot must be left out of make_sequence"),
        (lambda: points(k_episodes=2), TypeError, "k_episodes must be left out of make_sequence"),
        (lambda: points(batch_size=1), TypeError, "batch_size must be left out of make_sequence"),
        (lambda: points(play_whole_chunks=True), TypeError, "play_whole_chunks must be left out of make_seq"),
        (lambda: points(no_such_option=1), TypeError, "no_such_option"),
        (
            lambda: points().reset(seed=[1, 2]),
            TypeError,
            r"seed must be one whole number for all tasks, not \[1, 2\]",
        ),
        (lambda: points().step(np.zeros((2, 2), np.float32)), RuntimeError, "There is no episode to step"),
        (
            lambda: SequenceVectorEnv([points(num_envs=n).envs[0] for n in (2, 3)], 12),
            ValueError,
            "envs must have the same rows and spaces",
        ),
    ],
)
def test_mistakes(call, kind, message):
    with pytest.raises(kind, match=message):
        call()


def test_chunks_are_refused_and_nothing_is_counted():
    """Their steps were counted as one, and the border failed in NumPy."""
    envs = points()
    envs.reset(seed=0)
    with pytest.raises(
        ValueError, match=r"actions must have the shape \(2, 2\), one step of every row, not \(2, 3, 2"
    ):
        envs.step(np.zeros((2, 3, 2), np.float32))
    assert envs.num_steps == 0


def test_a_protocol_sets_the_limit():
    envs = make_sequence(["reach-v3"], steps_per_task=8, protocol="tdmpc2")
    assert envs.env.max_episode_steps == 100


def test_it_says_what_it_is_and_closes_all():
    envs = points()
    assert repr(envs) == "SequenceVectorEnv(3 tasks, num_envs=2, steps_per_task=12, env_idx=0, num_steps=0)"
    envs.close()
    assert all(each.closed for each in envs.envs)
