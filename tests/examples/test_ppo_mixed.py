"""examples/ppo_mixed.py in short: one policy is updated on skills of several worlds, and evaluated on all of them."""

import runpy
from pathlib import Path

import numpy as np
import pytest

from taskworlds.evaluation import Result

torch = pytest.importorskip("torch")
pytest.importorskip("matplotlib")

pytestmark = pytest.mark.requires_dm_control

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(autouse=True)
def _as_before(monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "agg")
    monkeypatch.syspath_prepend(str(EXAMPLES))
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


def test_learns_and_is_evaluated_on_all_skills(tmp_path, monkeypatch):
    short = ("--steps", "13000", "--rows", "13", "--rollout", "500", "--num-goals", "1")
    monkeypatch.setattr("sys.argv", ["ppo_mixed.py", *short, "--out", str(tmp_path)])
    runpy.run_path(str(EXAMPLES / "ppo_mixed.py"), run_name="__main__")
    curve = np.loadtxt(tmp_path / "curve.csv", delimiter=",", skiprows=1)
    assert curve[:, 0].tolist() == [6500, 13000]
    assert np.isfinite(curve[-1]).all()  # episodes of every skill have ended
    result = Result.load(tmp_path / "result.json")
    assert (
        len(result.by_skill()) == 13
        if callable(getattr(result, "by_skill", None))
        else len(result.tasks) == 13
    )


def test_entries_that_a_skill_does_not_have_do_not_count():
    masked = runpy.run_path(str(EXAMPLES / "ppo_mixed.py"))["MaskedNormal"]
    mask = torch.tensor([1.0, 1.0, 0.0])
    whole = masked(torch.zeros(3), torch.ones(3), mask)
    short = torch.distributions.Independent(torch.distributions.Normal(torch.zeros(2), torch.ones(2)), 1)
    actions = whole.sample()
    assert actions[2] == 0
    assert torch.allclose(whole.log_prob(actions + torch.tensor([0, 0, 9.0])), short.log_prob(actions[:2]))
    assert torch.allclose(whole.entropy(), short.entropy())
