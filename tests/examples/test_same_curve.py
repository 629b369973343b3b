"""examples/same_curve.py in short: official Meta-World and the native engine give PPO the same returns and weights."""

import runpy
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("matplotlib")

EXAMPLE = Path(__file__).parents[2] / "examples" / "same_curve.py"


@pytest.fixture(autouse=True)
def _as_before(monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "agg")
    monkeypatch.syspath_prepend(EXAMPLE.parent)  # as for `python examples/same_curve.py`
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


@pytest.mark.filterwarnings("ignore:.*precision lowered by casting:UserWarning")
def test_returns_are_equal_episode_by_episode(tmp_path, monkeypatch, capsys):
    given = ["--skill", "door-open-v3", "--length", "25", "--steps", "750", "--out", str(tmp_path)]
    monkeypatch.setattr("sys.argv", [str(EXAMPLE), *given])
    runpy.run_path(str(EXAMPLE), run_name="__main__")
    curve = np.loadtxt(tmp_path / "curve.csv", delimiter=",", skiprows=1)
    assert len(curve) == 30
    np.testing.assert_allclose(curve[:, 4], curve[:, 3], rtol=0, atol=1e-9)
    assert len(np.unique(curve[:, 3])) == 30
    assert "all weights equal, bit for bit: True" in capsys.readouterr().out
