"""Results in notebooks: HTML, DataFrames and matplotlib figures."""

from __future__ import annotations

import re
import sys

import pytest

from taskworlds import Task
from taskworlds.evaluation import Episode, Fingerprint, Result, TaskRecord, compare
from taskworlds.evaluation.pooled import pool

NASTY = "<script>alert(1)</script>"


def made(wins, *, skills=("reach-v3", "push-v3"), goals=4, success=True, returns=1.0):
    """A result whose first `wins` goals of each skill are solved."""
    records = []
    for skill in skills:
        for goal in range(goals):
            won = goal < wins if success else None
            episode = Episode(returns * goal, 10 + goal, won, won)
            records.append(TaskRecord(Task(skill, {"goal": goal}), (episode,)))
    fingerprint = Fingerprint.of([record.task for record in records], protocol="multi-task")
    return Result("MT2", "train", 1, 0, fingerprint, tuple(records))


def test_results_as_html():
    html = made(2)._repr_html_()
    assert "MT2 train: success 0.500" in html
    skill = made(2).skills[0].success_end
    shown = f"0.50 [{skill.low:.2f}, {skill.high:.2f}]"
    assert html.count(shown) == 2 * (
        2 + 2
    )  # of both skills: the chart's text and tooltip, two cells of the table
    assert "currentColor" in html
    assert "<details open>" in html
    assert "<details open>" not in made(2, skills=[f"skill-{number}" for number in range(20)])._repr_html_()
    assert "<script" not in made(1, skills=(NASTY,))._repr_html_()
    returns = made(0, success=False)._repr_html_()
    assert "return by skill" in returns
    assert "success" not in returns


def test_pooled_runs_and_comparisons_as_html():
    low, high = pool([made(1), made(2)], NASTY), pool([made(2), made(4)], "high")
    assert "2 runs" in low._repr_html_()
    html = compare(low, high)._repr_html_()
    assert "<script" not in html
    assert "high minus &lt;script&gt;" in html
    assert html.count("<svg") == 1
    three = compare(low, high, pool([made(3)], "third"))._repr_html_()
    assert three.count(" minus ") == 3
    assert "<svg" not in three


def test_data_frames():
    result = made(2)
    tasks = result.to_dataframe()
    assert list(tasks.columns[:4]) == ["env_name", "task_id", "params", "episodes"]
    assert len(tasks) == 8
    assert tasks.groupby("env_name")["success_end"].mean().to_dict() == {"push-v3": 0.5, "reach-v3": 0.5}
    skills = result.to_dataframe("skill")
    assert skills["success_end_low"].tolist() == [skill.success_end.low for skill in result.skills]
    episodes = result.to_dataframe(by="episode")
    assert episodes["length"].tolist() == [10, 11, 12, 13] * 2
    assert episodes["success_once"].dtype == bool
    with pytest.raises(ValueError, match="by must be one of 'task', 'skill', 'world', 'episode', not 'goal'"):
        result.to_dataframe("goal")


def test_data_frames_of_several_runs():
    frame = pool([made(1), made(3)]).to_dataframe("episode")
    assert frame.columns[0] == "run"
    assert frame.groupby("run")["success_end"].mean().to_dict() == {0: 0.25, 1: 0.75}


def test_plots():
    result = made(2)
    (axes,) = result.plot().axes
    assert [text.get_text() for text in axes.get_yticklabels()] == ["reach-v3", "push-v3"]
    assert axes.get_xlabel() == "success (end), with 95 % intervals"
    intervals = [
        tuple(line.get_xdata())
        for line in axes.lines
        if len(line.get_xdata()) == 2 and line.get_linewidth() == 2.5
    ]
    assert intervals == [(skill.success_end.low, skill.success_end.high) for skill in result.skills]
    (axes,) = made(0, success=False).plot().axes
    assert axes.get_xlabel().startswith("return")
    (axes,) = compare(pool([made(1)], "low"), pool([made(3)], "high")).plot("length").axes
    assert axes.get_legend_handles_labels()[1] == ["low", "high"]
    with pytest.raises(ValueError, match="metric must be one of 'success_end'"):
        result.plot("speed")


def test_missing_libraries(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(
        ImportError,
        match=re.escape(
            'to_dataframe needs pandas, which is not installed: pip install "taskworlds[report]"'
        ),
    ):
        made(1).to_dataframe()
    with pytest.raises(
        ImportError,
        match=re.escape('plot needs matplotlib, which is not installed: pip install "taskworlds[report]"'),
    ):
        made(1).plot()
