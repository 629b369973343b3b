"""Stable-Baselines3: its checker, its vector environments, and learners with equal seeds that learn the same."""

import functools

import gymnasium as gym
import numpy as np
import pytest

import taskworlds

sb3 = pytest.importorskip("stable_baselines3")
torch = pytest.importorskip("torch")
vec_env = pytest.importorskip("stable_baselines3.common.vec_env")
env_util = pytest.importorskip("stable_baselines3.common.env_util")

LIMIT = 4


def reach(**options):
    return gym.make("taskworlds/reach-v3", max_episode_steps=LIMIT, **options)


def grid(**options):
    return gym.make("taskworlds/grid-4x4", max_episode_steps=LIMIT, **options)


@pytest.fixture(autouse=True)
def one_thread():
    """More threads cost more than they bring for networks as small as these."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize(
    "make",
    [
        reach,
        grid,
        functools.partial(gym.make, "taskworlds/MT10", use_one_hot=True),
        functools.partial(gym.make, "taskworlds/half-cheetah-vel"),
        functools.partial(gym.make, "taskworlds/point"),
    ],
)
def test_its_checker_is_content(make):
    from stable_baselines3.common.env_checker import check_env

    check_env(make(), skip_render_check=True)


@pytest.mark.parametrize(
    ("vec", "names"),
    [(vec_env.DummyVecEnv, ["reach-v3", "push-v3"]), (vec_env.SubprocVecEnv, ["reach-v3"])],
)
def test_its_vector_environments_go_past_the_ends_of_episodes(vec, names, decided_by_the_seed):
    makers = [functools.partial(gym.make, f"taskworlds/{name}", max_episode_steps=LIMIT) for name in names]
    envs = vec_env.VecMonitor(vec(makers))
    actions = np.random.default_rng(0).uniform(-1, 1, (2 * LIMIT + 1, len(names), 4)).astype(np.float32)

    def outcomes(seed):
        envs.seed(seed)
        yield envs.reset()
        for step, action in enumerate(actions, 1):
            obs, rewards, dones, infos = envs.step(action)
            yield obs, rewards, dones
            assert dones.all() == dones.any() == (step % LIMIT == 0)
            for info in infos:
                assert "success" in info
                if step % LIMIT == 0:
                    assert info["TimeLimit.truncated"]
                    assert info["terminal_observation"].shape == (39,)
                    assert info["episode"]["l"] == LIMIT

    try:
        decided_by_the_seed(lambda seed: list(outcomes(seed)))
    finally:
        envs.close()


LEARNERS = {
    "PPO": lambda env, seed: sb3.PPO("MlpPolicy", env, n_steps=16, batch_size=16, n_epochs=1, seed=seed),
    "SAC": lambda env, seed: sb3.SAC(
        "MlpPolicy", env, learning_starts=8, batch_size=8, train_freq=4, seed=seed
    ),
}


@pytest.mark.parametrize("learner", LEARNERS)
def test_a_learner_learns_the_same_from_equal_seeds(learner, decided_by_the_seed):
    """The environments are made without a seed: the learner hands its own to their first reset."""

    def weights(seed):
        env = env_util.make_vec_env(reach, n_envs=2)
        model = LEARNERS[learner](env, seed).learn(32)
        assert [each["l"] for each in model.ep_info_buffer][:2] == [LIMIT, LIMIT]
        env.close()
        return [tensor.detach().numpy() for tensor in model.policy.parameters()]

    decided_by_the_seed(weights)


def test_a_learner_of_discrete_actions_learns():
    model = sb3.PPO(
        "MlpPolicy", env_util.make_vec_env(grid, n_envs=2, seed=0), n_steps=8, batch_size=8
    ).learn(32)
    assert model.num_timesteps == 32


def test_normalized_learning_and_its_evaluation():
    from stable_baselines3.common.evaluation import evaluate_policy

    env = vec_env.VecNormalize(env_util.make_vec_env(reach, n_envs=2, seed=0))
    model = sb3.PPO("MlpPolicy", env, n_steps=8, batch_size=8, n_epochs=1, seed=0).learn(16)
    returns, lengths = evaluate_policy(model, env, n_eval_episodes=3, return_episode_rewards=True)
    assert lengths == [LIMIT] * 3
    assert np.isfinite(returns).all()


def test_a_model_is_evaluated_as_a_policy():
    model = sb3.PPO("MlpPolicy", reach(), seed=0)
    result = taskworlds.evaluate(
        lambda observations: model.predict(observations, deterministic=True)[0],
        "reach-v3",
        num_goals=2,
        max_episode_steps=LIMIT,
    )
    assert len(result.completed) == 2
