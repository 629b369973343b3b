"""examples/sb3_ppo_reach.py in short: equal seeds give equal curves, and what it saves is what it measured."""

import csv
import runpy
from pathlib import Path

import pytest

import taskworlds

sb3 = pytest.importorskip("stable_baselines3")
torch = pytest.importorskip("torch")
pytest.importorskip("matplotlib")

EXAMPLE = Path(__file__).parents[2] / "examples" / "sb3_ppo_reach.py"
LIMIT = 20


@pytest.fixture(scope="module", autouse=True)
def threads_as_before():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def run(monkeypatch, out, seed):
    """Runs the example, and returns its folder and its curve."""
    given = {
        "--seed": seed,
        "--steps": 400,
        "--rollout": LIMIT,
        "--max-episode-steps": LIMIT,
        "--num-goals": 2,
    }
    given["--out"] = out
    monkeypatch.setattr("sys.argv", [str(EXAMPLE), *(str(each) for pair in given.items() for each in pair)])
    runpy.run_path(str(EXAMPLE), run_name="__main__")
    with (out / f"seed_{seed}" / "progress.csv").open() as file:
        rows = list(csv.DictReader(file))
    return out / f"seed_{seed}", [
        {name: value for name, value in row.items() if "time/" not in name} for row in rows
    ]


def test_a_short_run(tmp_path, monkeypatch, capsys):
    folder, curve = run(monkeypatch, tmp_path / "one", 0)
    assert "random: success" in capsys.readouterr().out
    assert float(curve[-1]["rollout/ep_len_mean"]) == LIMIT
    assert run(monkeypatch, tmp_path / "again", 0)[1] == curve
    assert run(monkeypatch, tmp_path / "one", 1)[1] != curve
    assert (tmp_path / "one" / "curve.png").stat().st_size > 1000

    kept = taskworlds.evaluation.Result.load(folder / "result.json")
    model = sb3.PPO.load(folder / "model.zip", device="cpu")
    again = taskworlds.evaluate(model, "reach-v3", num_goals=2, seed=1000, max_episode_steps=LIMIT)
    assert [task.episodes for task in again.tasks] == [task.episodes for task in kept.tasks]
    other_goals = taskworlds.benchmark("reach-v3", seed=0).train_tasks
    assert not {task.task for task in kept.tasks} & set(other_goals)
