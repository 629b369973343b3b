"""examples/rl2_reach.py in short: equal seeds give equal curves, and the memory lasts for a trial."""

import runpy
from pathlib import Path

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
    envs = make(example, 4, "ML1-test", num_goals=6)
    torch.manual_seed(0)
    policy = example["RL2"](envs.single_observation_space.shape[0], 4).eval()
    torch.nn.init.normal_(policy.actor[-1].weight)
    yield policy, envs
    envs.close()


def make(example, rows, benchmark, **more):
    return taskworlds.make_vec(
        benchmark,
        rows,
        env_name="reach-v3",
        k_episodes=example["ATTEMPTS"],
        max_episode_steps=example["LIMIT"],
        recurrent_info_in_obs=True,
        terminate_on_success=False,
        sample_tasks_on_reset=True,
        **more,
    )


def test_equal_seeds_give_equal_curves(tmp_path, monkeypatch):
    def run(seed, out):
        argv = [str(EXAMPLE), "--rows", "8", "--steps", "960", "--seed", str(seed), "--out", str(out)]
        monkeypatch.setattr("sys.argv", argv)
        runpy.run_path(str(EXAMPLE), run_name="__main__")
        return (out / f"seed_{seed}.csv").read_text()

    first = run(1, tmp_path / "a")
    assert first.startswith("# steps,first,second\n")
    assert run(1, tmp_path / "b") == first
    assert run(2, tmp_path / "b") != first
    assert (tmp_path / "b" / "curve.png").stat().st_size > 0
    result = Result.load(tmp_path / "a" / "seed_1.json")
    assert len(result.completed) == 50
    assert {len(each.attempts) for record in result.tasks for each in record.episodes} == {2}


def test_training_goes_through_whole_trials(example, trials):
    policy, envs = trials
    first, _ = envs.reset(seed=0)
    (obs, actions, log_probs, values, rewards), following = example["play_trials"](policy, envs, first)
    assert obs.shape[:2] == actions.shape[:2] == rewards.shape == (2 * example["LIMIT"], 4)
    at = envs.observation_layout
    begins, done = (obs[..., at[name]].squeeze(-1) for name in ("attempt_begins", "last_done"))
    assert begins.nonzero()[:, 0].unique().tolist() == [0, example["LIMIT"]]
    assert done.nonzero()[:, 0].unique().tolist() == [example["LIMIT"]]  # a soft reset
    assert not obs[..., at["goal"]].any()  # it is hidden
    assert (following[:, at["attempt_begins"]] == 1).all()
    assert not following[:, at["last_reward"]].any()  # another trial
    with torch.no_grad():
        distribution, again, _ = policy(obs)
    close = {"rtol": 1e-4, "atol": 1e-4}
    torch.testing.assert_close(distribution.log_prob(actions).sum(-1), log_probs, **close)
    torch.testing.assert_close(again, values, **close)


def test_the_memory_goes_through_a_soft_reset_and_is_cleared_at_a_trials_end(trials, monkeypatch):
    policy, envs = trials
    cleared, remembered = [], []

    def reset(mask):
        type(policy).reset(policy, mask)
        assert not policy.memory[0, mask].any()
        cleared.append(int(mask.sum()))

    def eval_action(obs):
        layout = envs.observation_layout
        second = obs[:, layout["attempt_begins"]].squeeze(-1) * obs[:, layout["last_done"]].squeeze(-1) == 1
        remembered.append(policy.memory[0, second].abs().sum(-1))
        return type(policy).eval_action(policy, obs)

    monkeypatch.setattr(policy, "reset", reset)
    monkeypatch.setattr(policy, "eval_action", eval_action)
    result = taskworlds.evaluate(policy, envs)
    assert sum(cleared) == len(result.tasks) == 6  # once for each trial
    remembered = torch.cat(remembered)
    assert len(remembered) == 6  # at the beginning of each second attempt
    assert (remembered > 0.1).all()


def test_it_learns(example):
    """In a few iterations the return of a trial rises above that of the first ones, in which it acts by chance."""
    envs = make(example, 32, "ML1-train", num_goals=1)
    torch.manual_seed(0)
    policy = example["RL2"](envs.single_observation_space.shape[0], 4).eval()
    optimizer = torch.optim.Adam(policy.parameters(), 4e-3)
    obs, _ = envs.reset(seed=0)
    returns = []
    for _ in range(12):
        played, obs = example["play_trials"](policy, envs, obs)
        example["learn"](policy, optimizer, played)
        returns.append(float(played[4].sum(0).mean()))
    envs.close()
    assert returns[-1] > 1.15 * returns[0]
