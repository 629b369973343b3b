"""TorchRL: GymEnv of an id, GymWrapper of an environment and of a batch, infos in tensordicts, collectors."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

import taskworlds

torch = pytest.importorskip("torch")
envs_of_torchrl = pytest.importorskip("torchrl.envs")
GymEnv, GymWrapper = envs_of_torchrl.GymEnv, envs_of_torchrl.GymWrapper

LIMIT = 3
# TorchRL refuses NEXT_STEP, whoever made the batch.
MODES = [AutoresetMode.SAME_STEP, AutoresetMode.DISABLED]


def check(env):
    from torchrl.envs.utils import check_env_specs

    check_env_specs(env)


def rollout(env, steps, seed):
    """Steps past the ends of episodes, with the same actions whatever the seed is; returns the tensors by name."""
    env.set_seed(seed)
    torch.manual_seed(0)
    data = env.rollout(steps, break_when_any_done=False)
    ends = int(data["next", "done"].sum())
    kept = data.select("observation", "action", ("next", "observation"), ("next", "reward"), ("next", "done"))
    return ends, {str(name): value.numpy() for name, value in kept.items(True, True)}


@pytest.mark.parametrize("name", ["MT10", "reach-v3", "half-cheetah-vel", "point"])
def test_an_id_opens(name, decided_by_the_seed):
    env = GymEnv(f"taskworlds/{name}", max_episode_steps=LIMIT)
    check(env)
    ends, _ = decided_by_the_seed(lambda seed: rollout(env, 7, seed))
    assert ends == 2


def test_a_world_of_choices_opens():
    env = GymEnv("taskworlds/grid-4x4", max_episode_steps=LIMIT)
    check(env)
    assert env.rollout(7, break_when_any_done=False)["next", "done"].sum() >= 2


def test_frame_skip_is_torchrls_own():
    """It passes `frameskip` on, and skips itself where that is not known."""
    env = GymEnv("taskworlds/reach-v3", frame_skip=2, max_episode_steps=4)
    assert env.rollout(9)["next", "done"].sum() == 1
    assert env.rollout(9).shape == (2,)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", ["MT10", "half-cheetah-vel", "point"])
def test_a_batch_is_wrapped(name, mode, decided_by_the_seed):
    env = GymWrapper(
        gym.make_vec(f"taskworlds/{name}", num_envs=10, seed=0, max_episode_steps=LIMIT, autoreset_mode=mode)
    )
    check(env)
    ends, _ = decided_by_the_seed(lambda seed: rollout(env, 2 * LIMIT + 1, seed))
    assert ends == 20


def test_a_batch_of_next_step_is_refused_by_name():
    with pytest.raises(RuntimeError, match="SAME_STEP or DISABLED"):
        GymWrapper(taskworlds.make_vec("reach-v3", 2, autoreset_mode="NextStep"))


def test_the_last_observation_of_an_episode_is_the_true_one():
    """SAME_STEP and DISABLED give TorchRL the same episode.

    The next ones differ: where all rows end at once, it resets a batch of SAME_STEP once more, which draws other tasks.
    """
    actions = torch.linspace(-1, 1, 2 * LIMIT * 8).reshape(2 * LIMIT, 2, 4)

    def trajectories(mode):
        env = GymWrapper(
            taskworlds.make_vec("reach-v3", 2, seed=0, max_episode_steps=LIMIT, autoreset_mode=mode)
        )
        env.set_seed(0)
        data, steps = env.reset(), []
        for action in actions:
            step, data = env.step_and_maybe_reset(data.set("action", action))
            steps.append(step)
        return torch.stack(steps, 1)

    one, other = map(trajectories, MODES)
    for name in ("observation", ("next", "observation"), ("next", "reward"), ("next", "done")):
        torch.testing.assert_close(one[name][:, :LIMIT], other[name][:, :LIMIT], rtol=0, atol=0)
    assert not torch.equal(one["next", "observation"][:, LIMIT - 1], one["observation"][:, LIMIT])


@pytest.mark.parametrize("make", ["reach-v3", "half-cheetah-vel", "point"])
def test_infos_are_tensors(make):
    env = GymWrapper(taskworlds.make(make, seed=0, max_episode_steps=LIMIT)).auto_register_info_dict()
    check(env)
    data = env.rollout(2 * LIMIT + 1, break_when_any_done=False)
    assert data["next", "task_index"].shape[0] == 2 * LIMIT + 1


def test_chosen_infos_are_tensors():
    from torchrl.envs import default_info_dict_reader

    env = GymWrapper(taskworlds.make("half-cheetah-vel", seed=0, max_episode_steps=LIMIT))
    env.set_info_dict_reader(default_info_dict_reader(["x_position"]))
    data = env.rollout(LIMIT)
    assert data["next", "x_position"].shape[0] == LIMIT
    assert np.isfinite(data["next", "x_position"].numpy()).all()


@pytest.mark.parametrize("mode", MODES)
def test_infos_of_a_batch_are_tensors(mode):
    """Under SAME_STEP TorchRL reads all of them by itself."""
    env = GymWrapper(taskworlds.make_vec("MT10", 10, seed=0, max_episode_steps=LIMIT, autoreset_mode=mode))
    if mode is AutoresetMode.DISABLED:
        env = env.auto_register_info_dict()
    check(env)
    data = env.rollout(2 * LIMIT + 1, break_when_any_done=False)
    for name in ("success", "task_index"):
        assert data["next", name].shape == (10, 2 * LIMIT + 1)


def test_a_collector_collects():
    from torchrl.collectors import Collector

    env = GymWrapper(gym.make_vec("taskworlds/MT10", seed=0, max_episode_steps=LIMIT))
    collector = Collector(env, None, frames_per_batch=40, total_frames=80)
    assert [batch.numel() for batch in collector] == [40, 40]
    collector.shutdown()


def test_rows_in_processes_start_the_way_that_torchrl_sets(play):
    """Importing it sets the start method of processes to "spawn"."""
    envs = taskworlds.make_vec("half-cheetah-vel", 2, max_episode_steps=LIMIT, vector_strategy="async")
    beside = taskworlds.make_vec("half-cheetah-vel", 2, max_episode_steps=LIMIT)
    try:
        for one, other in zip(play(envs, LIMIT + 1, 0), play(beside, LIMIT + 1, 0), strict=True):
            np.testing.assert_array_equal(one[0], other[0])
    finally:
        envs.close()
