"""Batches of several worlds under protocols, with repeated actions, in groups and in chunks."""

import pickle

import numpy as np
import pytest

import taskworlds
from taskworlds import Benchmark, benchmark

pytestmark = pytest.mark.requires_dm_control


def members():
    return [benchmark("reach-v3", num_goals=4), "walker-walk", "pendulum-spin"]


def rows_alone(envs, number, **how):
    """The batch of one world of a mixed batch, and the seeds that its rows have there."""
    rows = np.flatnonzero(envs.world_index == number)
    alone = taskworlds.make_vec(members()[number], len(rows), seed=0, **how)
    return alone, rows


def check_equal(envs, how, steps):
    """Steps a mixed batch and its worlds alone with the same actions, and compares them to the last bit."""
    np_random = np.random.default_rng(0)
    actions = np_random.uniform(-1, 1, (steps, *envs.action_space.shape))
    obs, infos = envs.reset(seed=0)
    mixed = [(obs, None, None, None, infos)] + [envs.step(each) for each in actions]
    for number in range(len(envs.worlds)):
        alone, rows = rows_alone(envs, number, **how)
        size, width = alone.single_observation_space.shape[0], alone.single_action_space.shape[0]
        obs, infos = alone.reset(seed=rows.tolist())
        own = [(obs, None, None, None, infos)] + [alone.step(each[rows, :width]) for each in actions]
        for theirs, ours in zip(mixed, own, strict=True):
            assert np.array_equal(theirs[0][rows, :size], ours[0])
            for place in (1, 2, 3):
                assert ours[place] is None or np.array_equal(theirs[place][rows], ours[place])
            for name in ("raw_steps", "episode_length", "success", "task_index"):
                if name in ours[4] and name != "task_index":
                    assert np.array_equal(theirs[4][name][rows], ours[4][name]), name
        alone.close()


@pytest.mark.parametrize("protocol", ["tdmpc2", "newt"])
def test_a_protocol_holds_in_each_world_as_in_a_batch_of_its_own(protocol):
    envs = taskworlds.make_vec(members(), 6, pad=True, seed=0, protocol=protocol)
    assert sorted(set(envs.get_attr("max_episode_steps"))) == [100, 500]
    check_equal(envs, {"protocol": protocol}, 104)  # the arm's episodes end, and others begin
    envs.close()


def test_repeated_actions_are_those_of_a_batch_of_each_world():
    envs = taskworlds.make_vec(members(), 6, pad=True, seed=0, action_repeat=3)
    assert sorted(set(envs.get_attr("max_episode_steps"))) == [167, 334]
    check_equal(envs, {"action_repeat": 3}, 170)
    envs.close()


def test_mt80_in_one_batch_as_tdmpc2_has_it():
    envs = taskworlds.make_vec(benchmark("MT80", num_goals=1), pad=True, protocol="tdmpc2", seed=0)
    assert envs.num_envs == 80
    assert envs.single_observation_space.shape == (39,)
    assert envs.single_action_space.shape == (6,)
    obs, infos = envs.reset(seed=0)
    of_arm = np.array([envs.worlds[number].suite == "metaworld" for number in envs.world_index])
    assert of_arm.sum() == 50
    assert infos["raw_steps"].tolist() == np.where(of_arm, 1, 0).tolist()
    obs, *_, infos = envs.step(np.zeros(envs.action_space.shape))
    assert infos["raw_steps"].tolist() == np.where(of_arm, 3, 2).tolist()
    assert not obs[~envs.observation_mask].any()
    envs.close()


def test_a_snapshot_goes_on_in_all_worlds():
    envs = taskworlds.make_vec(members(), 6, pad=True, seed=0, protocol="tdmpc2")
    actions = np.random.default_rng(1).uniform(-1, 1, (20, *envs.action_space.shape))
    envs.reset(seed=0)
    for each in actions[:10]:
        envs.step(each)
    state = envs.get_state()
    first = [envs.step(each)[0] for each in actions[10:]]
    other = taskworlds.make_vec(members(), 6, pad=True, seed=5, protocol="tdmpc2")
    other.set_state(state)
    assert all(np.array_equal(a, other.step(each)[0]) for a, each in zip(first, actions[10:], strict=True))
    plain = taskworlds.make_vec(members(), 6, pad=True, seed=0)
    with pytest.raises(ValueError, match="protocol"):
        plain.set_state(state)


@pytest.mark.parametrize("limit", [None, 7])
@pytest.mark.parametrize("skills", [["reach-v3"], ["reach-v3", "walker-walk"]])
def test_a_pickle_plays_by_the_same_protocol(skills, limit):
    envs = taskworlds.make_vec(skills, 4, pad=True, seed=0, protocol="tdmpc2")
    if limit is not None:
        envs.set_attr("max_episode_steps", limit)
    actions = np.random.default_rng(0).uniform(-1, 1, (12, *envs.action_space.shape))
    envs.reset(seed=0)
    for each in actions[:4]:
        envs.step(each)
    other = pickle.loads(pickle.dumps(envs))
    for each in actions[4:]:
        ours, theirs = envs.step(each), other.step(each)
        assert all(np.array_equal(a, b) for a, b in zip(ours[:4], theirs[:4], strict=True))
    assert ours[3].any() == theirs[3].any()
    assert other.get_attr("max_episode_steps") == envs.get_attr("max_episode_steps")


def test_a_single_environment_draws_in_another_mode_after_its_limit_was_changed():
    env = taskworlds.make("reach-v3", protocol="newt", render_mode="rgb_array", width=32, height=32)
    env.reset(seed=0)
    env.unwrapped.max_path_length = 9
    assert env.unwrapped.render("depth_array").shape == (32, 32)


def test_groups_begin_alike_in_each_world():
    envs = taskworlds.make_vec(members(), 12, pad=True, seed=0, group_size=2, max_episode_steps=3)
    sizes = np.bincount(envs.world_index)
    assert (sizes % 2 == 0).all()
    obs, _ = envs.reset(seed=3)
    for _ in range(8):
        assert np.array_equal(obs[::2], obs[1::2])
        obs, *_ = envs.step(np.zeros(envs.action_space.shape))
    envs.close()


def test_a_chunk_is_its_steps_in_all_worlds():
    actions = np.random.default_rng(2).uniform(-1, 1, (6, 5, 6))
    how = {"pad": True, "seed": 0, "max_episode_steps": 8}
    chunked, single = (taskworlds.make_vec(members(), 6, **how) for _ in range(2))
    chunked.reset(seed=0)
    single.reset(seed=0)
    obs, rewards, _, truncations, infos = chunked.step(actions)
    steps = [single.step(actions[:, place]) for place in range(5)]
    assert np.array_equal(rewards, np.stack([each[1] for each in steps], axis=1))
    assert np.array_equal(obs, steps[-1][0])
    assert infos["executed_steps"].tolist() == [5] * 6
    assert not truncations.any()
    obs, rewards, _, truncations, infos = chunked.step(actions)
    assert infos["executed_steps"].tolist() == [3] * 6
    assert truncations[:, 2].all()


def test_what_does_not_fit_the_worlds_is_refused():
    with pytest.raises(ValueError, match=r"unlimited_goals must be False for walker-walk"):
        taskworlds.make_vec(members(), 6, pad=True, unlimited_goals=True)
    with pytest.raises(
        ValueError, match=r"protocol='tdmpc2' is defined for skills of .* not for those of Half|half-cheetah"
    ):
        taskworlds.make_vec(["reach-v3", "half-cheetah-vel"], 4, pad=True, protocol="tdmpc2")
    with pytest.raises(ValueError, match=r"max_episode_steps=50 contradicts protocol='newt'"):
        taskworlds.make_vec(members(), 6, pad=True, protocol="newt", max_episode_steps=50)
    with pytest.raises(ValueError, match=r"num_envs must be at least 6 .* not 4"):
        taskworlds.make_vec(members(), 4, pad=True, group_size=2)
    with pytest.raises(ValueError, match=r"group_size must divide num_envs"):
        taskworlds.make_vec(members(), 7, pad=True, group_size=2)


def test_a_list_is_scored_in_one_evaluation():
    union = Benchmark.union("two", [benchmark("reach-v3", num_goals=2), "pendulum-spin"])
    result = taskworlds.evaluate("random", union, protocol="tdmpc2", num_envs=2)
    score = result.score("tdmpc2")
    reach, spin = (
        [r for r in result.tasks if r.task.env_name == name] for name in ("reach-v3", "pendulum-spin")
    )
    success = np.mean([r.episodes[0].success_end for r in reach])
    assert score.value == pytest.approx((100 * success + spin[0].episodes[0].episode_return / 10) / 2)
