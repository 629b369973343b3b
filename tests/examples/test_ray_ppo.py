"""examples/ray_ppo.py in short: the curve is the same with other workers, and when one is killed on the way."""

import os
import runpy
from pathlib import Path

import pytest

from taskworlds.evaluation import Result

ray = pytest.importorskip("ray")
torch = pytest.importorskip("torch")
pytest.importorskip("matplotlib")

EXAMPLE = Path(__file__).parents[2] / "examples" / "ray_ppo.py"


@pytest.fixture(autouse=True)
def _as_before():
    ray.init("local", num_cpus=4, include_dashboard=False, logging_level="ERROR", log_to_driver=False)
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)
    ray.shutdown()


def test_workers_do_not_show_in_the_curve(tmp_path, monkeypatch):
    def run(*arguments, out):
        short = ["--rows", "20", "--rollout", "60", "--steps", "6000", "--out", str(tmp_path / out)]
        monkeypatch.setattr("sys.argv", [str(EXAMPLE), *short, *arguments])
        runpy.run_path(str(EXAMPLE), run_name="__main__")
        return (tmp_path / out / "seed_0.csv").read_text()

    one = run("--workers", "1", out="one")
    assert one.startswith("# steps,success,reward\n")
    assert len(one.splitlines()) == 6
    # The process dies as soon as it is asked for the third rollout.
    monkeypatch.setattr("threading.Timer", Now)
    with pytest.warns(RuntimeWarning, match="worker 1 with rows 10 to 19 was lost"):
        assert run("--kill", "3", out="killed") == one
    assert len(Result.load(tmp_path / "killed" / "seed_0.json").completed) == 20
    assert (tmp_path / "killed" / "curve.png").stat().st_size > 0


class Now:
    """A timer that does not wait."""

    def __init__(self, _, function, arguments):
        assert function is os.kill
        self.start = lambda: function(*arguments)
