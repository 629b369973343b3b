"""examples/ppo_mt10.py in short: a run that was resumed is the run that was not interrupted, bit for bit."""

import runpy
from pathlib import Path

import numpy as np
import pytest

import taskworlds
from taskworlds.evaluation import Result

torch = pytest.importorskip("torch")
pytest.importorskip("matplotlib")

EXAMPLE = Path(__file__).parents[2] / "examples" / "ppo_mt10.py"
SHORT = ("--rows", "10", "--rollout", "170", "--num-goals", "1")


@pytest.fixture(autouse=True)
def _as_before(monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "agg")
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


def run(monkeypatch, out, *more):
    monkeypatch.setattr("sys.argv", [str(EXAMPLE), *SHORT, "--out", str(out), *more])
    runpy.run_path(str(EXAMPLE), run_name="__main__")
    curve = np.loadtxt(out / "curve.csv", delimiter=",", skiprows=1, usecols=(0, 2, 3))  # without seconds
    return torch.load(out / "checkpoint.pt"), curve


def flat(value):
    """Takes tensors out of dictionaries and lists, in order."""
    if isinstance(value, dict):
        value = list(value.values())
    return [each for entry in value for each in flat(entry)] if isinstance(value, list) else [value]


def test_resumed_in_the_middle_of_episodes(tmp_path, monkeypatch):
    whole, curve = run(monkeypatch, tmp_path / "whole", "--steps", "5100")
    begun, _ = run(monkeypatch, tmp_path / "parts", "--steps", "3400")
    resumed, same_curve = run(monkeypatch, tmp_path / "parts", "--steps", "5100", "--resume")

    np.testing.assert_equal(same_curve, curve)
    assert np.isfinite(curve[:, 1]).tolist() == [
        False,
        False,
        False,
        True,
    ]  # episodes ended in the last update only
    for name in ("agent", "optimizer", "random", "obs"):
        ours, theirs, before = (flat(kept[name]) for kept in (resumed, whole, begun))
        assert all(map(np.array_equal, ours, theirs)), name
        assert not all(map(np.array_equal, ours, before)), f"{name} did not move"

    results = [Result.load(tmp_path / name / "result.json") for name in ("whole", "parts")]
    assert results[0].to_csv() == results[1].to_csv()
    assert results[0].overall["episode_return"].mean.value > 0


def test_it_learns(monkeypatch):
    """Its PPO on one skill: the last episodes' return is far above the first ones', in which it acts by chance."""
    ppo = runpy.run_path(str(EXAMPLE))
    torch.manual_seed(0)
    torch.set_num_threads(1)
    envs = taskworlds.make_vec("MT1", 10, env_name="reach-v3", num_goals=1, max_episode_steps=50)
    agent = ppo["Agent"](envs)
    optimizer = torch.optim.Adam(agent.parameters(), 3e-3)
    obs = torch.from_numpy(envs.reset(seed=0)[0]).float()
    returns = []
    for _ in range(15):
        rollout, obs, episodes = ppo["collect"](envs, agent, obs, 50)
        ppo["learn"](agent, optimizer, rollout)
        returns.append(np.mean(episodes, axis=0)[0])
    assert returns[-1] > 2 * returns[0]


def test_a_run_is_neither_overwritten_nor_resumed_from_nothing(tmp_path, monkeypatch, capsys):
    def refused(*more):
        before = list(tmp_path.iterdir())
        with pytest.raises(SystemExit):
            run(monkeypatch, tmp_path, "--steps", "10", *more)
        assert list(tmp_path.iterdir()) == before
        return capsys.readouterr().err

    assert "--resume needs " in refused("--resume")
    (tmp_path / "checkpoint.pt").touch()
    assert "checkpoint.pt exists: use --resume" in refused()
