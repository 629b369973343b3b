"""The example with RLlib in short: a curve, and a checkpoint that plays as the result says."""

import runpy
import sys
from pathlib import Path

import pytest

import taskworlds
from taskworlds.evaluation import Result, load_policy

pytest.importorskip("ray")
pytest.importorskip("matplotlib")

PROGRAM = Path(__file__).parents[2] / "examples" / "rllib_mt10.py"
SHORT = "--steps 2000 --runners 1 --rows 10 --batch 1000 --max-episode-steps 50 --num-goals 1"


def test_it_leaves_a_curve_and_a_checkpoint_that_plays_as_its_result_says(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", [str(PROGRAM), *SHORT.split(), "--out", str(tmp_path)])
    runpy.run_path(str(PROGRAM), run_name="__main__")
    header, *rows = (tmp_path / "curve.csv").read_text().splitlines()
    assert header.split(",")[:3] == ["steps", "seconds", "reach-v3"]
    assert [int(row.split(",")[0]) for row in rows] == [1000, 2000]
    assert (tmp_path / "curve.png").stat().st_size > 0
    result = Result.load(tmp_path / "result.json")
    again = taskworlds.evaluate(
        load_policy("taskworlds.integrations.rllib:load", checkpoint=tmp_path / "checkpoint"),
        taskworlds.benchmark("MT10", num_goals=1),
        use_one_hot=True,
    )
    assert [task.episodes for task in again.tasks] == [task.episodes for task in result.tasks]
