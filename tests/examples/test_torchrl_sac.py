"""examples/torchrl_sac.py in short: it learns something, the same for the same seed, and its checkpoint plays."""

import csv
import runpy
import sys
from pathlib import Path

import pytest

import taskworlds

torch = pytest.importorskip("torch")
for library in ("torchrl", "matplotlib"):
    pytest.importorskip(library)

EXAMPLE = Path(__file__).parents[2] / "examples" / "torchrl_sac.py"
OPTIONS = {"num_goals": 3, "seed": 1000, "max_episode_steps": 20}


def run(out, seed, monkeypatch):
    """Runs the program as the command line would; returns its rows of the curve, and how to load its actor."""
    given = f"--seed {seed} --steps 400 --num-goals 3 --max-episode-steps 20 --out {out}"
    monkeypatch.setattr(sys, "argv", [str(EXAMPLE), *given.split()])
    program = runpy.run_path(str(EXAMPLE), run_name="__main__")
    with (out / f"seed_{seed}" / "curve.csv").open() as file:
        return list(csv.DictReader(file)), program["load"]


def test_it_runs_and_what_it_leaves_can_be_used(tmp_path, monkeypatch):
    threads = torch.get_num_threads()
    try:
        curve, load = run(tmp_path / "first", 0, monkeypatch)
        again, _ = run(tmp_path / "again", 0, monkeypatch)
        other, _ = run(tmp_path / "again", 1, monkeypatch)
    finally:
        torch.set_num_threads(threads)
    assert [row["steps"] for row in curve] == ["400"]
    assert curve[0]["return"] == again[0]["return"] != other[0]["return"]
    assert (tmp_path / "again" / "curve.png").stat().st_size > 0

    result = taskworlds.evaluate(load(tmp_path / "first" / "seed_0" / "actor.pt"), "reach-v3", **OPTIONS)
    assert result.overall["episode_return"].mean.value == float(curve[0]["return"])
