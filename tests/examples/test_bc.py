"""examples/bc.py in short: equal seeds give equal networks, and what it saves is what it measured."""

import csv
import runpy
from pathlib import Path

import pytest

import taskworlds

torch = pytest.importorskip("torch")
pytest.importorskip("matplotlib")
pytest.importorskip("minari", reason="Minari is for Python 3.11 and later")
pytest.importorskip("h5py")

EXAMPLE = Path(__file__).parents[2] / "examples" / "bc.py"


@pytest.fixture(scope="module", autouse=True)
def threads_as_before():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def run(monkeypatch, out, seed):
    """Runs the example, and returns its folder and its losses."""
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(out))  # which the example sets, and the test takes back
    given = {"--benchmark": "reach-v3", "--seed": seed, "--episodes": 2, "--steps": 150, "--num-goals": 2}
    given |= {"--max-episode-steps": 80, "--out": out}
    monkeypatch.setattr("sys.argv", [str(EXAMPLE), *(str(each) for pair in given.items() for each in pair)])
    runpy.run_path(str(EXAMPLE), run_name="__main__")
    with (out / f"seed_{seed}" / "loss.csv").open() as file:
        return out / f"seed_{seed}", list(csv.reader(file))


def test_a_short_run(tmp_path, monkeypatch, capsys):
    folder, losses = run(monkeypatch, tmp_path / "one", 0)
    said = capsys.readouterr().out
    assert "2 demonstrations in" in said
    assert "cloned: success" in said
    assert [row[0] for row in losses] == ["step", "100", "150"]
    assert float(losses[2][1]) < float(losses[1][1])
    assert run(monkeypatch, tmp_path / "again", 0)[1] == losses
    capsys.readouterr()
    assert run(monkeypatch, tmp_path / "one", 1)[1] != losses
    assert "demonstrations" not in capsys.readouterr().out  # the data set was there already
    assert (tmp_path / "one" / "success.png").stat().st_size > 1000

    kept = taskworlds.evaluation.Result.load(folder / "result.json")
    example = runpy.run_path(str(EXAMPLE))
    network = example["Network"](torch.zeros(1, 40), 4)
    network.load_state_dict(torch.load(folder / "policy.pt"))
    again = taskworlds.evaluate(
        network, "reach-v3", num_goals=2, seed=1000, max_episode_steps=80, use_one_hot=True
    )
    assert [task.episodes for task in again.tasks] == [task.episodes for task in kept.tasks]
    assert not {task.task for task in kept.tasks} & set(taskworlds.benchmark("reach-v3", seed=0).train_tasks)
