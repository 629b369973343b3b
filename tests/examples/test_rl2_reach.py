"""examples/rl2_reach.py in short: equal seeds give equal curves, and the memory lasts for a trial."""

import runpy
from pathlib import Path

import numpy as np
import pytest

import taskworlds
from taskworlds.evaluation import Result

torch = pytest.importorskip("torch")
pytest.importorskip("matplotlib")

EXAMPLE = Path(__file__).parents[2] / "examples" / "rl2_reach.py"


@pytest.fixture(autouse=True)
def _as_before(monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "agg")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def example():
    return runpy.run_path(str(EXAMPLE))


@pytest.fixture
def trials(example):
    """A policy, not trained but with a will of its own, and four rows for it."""
    envs = taskworlds.make_vec(
        "ML1-test",
        4,
        env_name="reach-v3",
        num_goals=6,
        k_episodes=example["ATTEMPTS"],
        max_episode_steps=example["LIMIT"],
        recurrent_info_in_obs=True,
        terminate_on_success=False,
    )
    torch.manual_seed(0)
    policy = example["RL2"](envs.single_observation_space.shape[0], 4).eval()
    torch.nn.init.normal_(policy.actor[-1].weight)
    yield policy, envs
    envs.close()


def test_equal_seeds_give_equal_curves(tmp_path, monkeypatch):
    def run(seed, out):
        argv = [str(EXAMPLE), "--rows", "8", "--steps", "800", "--seed", str(seed), "--out", str(out)]
        monkeypatch.setattr("sys.argv", argv)
        runpy.run_path(str(EXAMPLE), run_name="__main__")
        return (out / f"seed_{seed}.csv").read_text()

    first = run(1, tmp_path / "a")
    assert run(1, tmp_path / "b") == first
    assert run(2, tmp_path / "b") != first
    assert first.startswith("# steps,first,second\n800,")
    assert (tmp_path / "b" / "curve.png").stat().st_size > 0
    result = Result.load(tmp_path / "a" / "seed_1.json")
    assert len(result.completed) == 50
    assert {len(each.attempts) for record in result.tasks for each in record.episodes} == {2}


def test_training_goes_through_whole_trials(example, trials):
    policy, envs = trials
    begin = envs.reset(seed=0)
    played, following, _ = example["play_trials"](policy, envs, *begin)
    obs, goals, actions, log_probs, values, rewards = played
    assert obs.shape[:2] == actions.shape[:2] == rewards.shape == (example["TRIAL"], 4)
    np.testing.assert_allclose(goals[-1], begin[1]["goal"], rtol=1e-6)  # not yet those of the next trials
    at = envs.observation_layout
    begins, done = (obs[..., at[name]].squeeze(-1) for name in ("attempt_begins", "last_done"))
    assert begins.nonzero()[:, 0].unique().tolist() == [0, example["LIMIT"]]
    assert done.nonzero()[:, 0].unique().tolist() == [example["LIMIT"]]  # a soft reset
    assert not following[:, at["last_reward"]].any()  # a trial begins: nothing is known of the one before
    with torch.no_grad():
        distribution, again, _, _ = policy(obs)
    torch.testing.assert_close(distribution.log_prob(actions).sum(-1), log_probs, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(again, values, rtol=1e-4, atol=1e-4)


def test_the_memory_goes_through_a_soft_reset_and_is_cleared_at_a_trials_end(trials, monkeypatch):
    policy, envs = trials
    cleared, at_attempts = [], []

    def reset(mask):
        type(policy).reset(policy, mask)
        assert not policy.memory[0, mask].any()
        cleared.append(int(mask.sum()))

    def eval_action(obs):
        begins = obs[:, envs.observation_layout["attempt_begins"]].squeeze(-1) == 1
        second = begins & (obs[:, envs.observation_layout["last_done"]].squeeze(-1) == 1)
        at_attempts.append((int(begins.sum()), policy.memory[0, second].abs().sum(-1)))
        return type(policy).eval_action(policy, obs)

    monkeypatch.setattr(policy, "reset", reset)
    monkeypatch.setattr(policy, "eval_action", eval_action)
    result = taskworlds.evaluate(policy, envs)
    assert sum(cleared) == len(result.tasks) == 6  # once for each trial
    remembered = torch.cat([memory for _, memory in at_attempts])
    assert len(remembered) >= 6  # waiting rows repeat their observation
    assert (remembered > 0.1).all()


def test_the_first_attempt_matters_to_the_second(trials):
    """With the same first observation and other rewards before it, the second attempt's actions are others."""
    policy, envs = trials
    obs, _ = envs.reset(seed=0)
    seen = torch.as_tensor(np.repeat(obs[None], 5, axis=0), dtype=torch.float32)
    other = seen.clone()
    other[1:4, :, envs.observation_layout["last_reward"]] = -1.0
    with torch.no_grad():
        one, two = (policy(each)[0].mean[-1] for each in (seen, other))
    assert not torch.allclose(one, two, atol=1e-4)
