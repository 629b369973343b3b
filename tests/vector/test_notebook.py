"""Environments in notebooks."""

from __future__ import annotations

import re

import taskworlds


def cells(html):
    names = re.findall(r"<th[^>]*>([^<]*)</th>", html)
    return dict(zip(names, re.findall(r"<td[^>]*>([^<]*)</td>", html), strict=True))


def test_a_batch():
    envs = taskworlds.make_vec("point", 3, seed=0)
    told = cells(envs._repr_html_())
    assert list(told) == ["benchmark", "split", "tasks", "rows", "engine", "observation", "action"]
    assert (told["benchmark"], told["split"], told["rows"]) == ("point", "train", "3")
    assert told["engine"] == envs.strategy
    assert told["action"].startswith("Box (2,) float32, from -")
    assert all(
        each in repr(envs) for each in ("point", "num_envs=3", f"engine={envs.strategy}", "split=train")
    )
    assert envs.spec.id == "taskworlds/point"
    envs.close()


def test_a_single_environment():
    env = taskworlds.make("grid-4x4", seed=0)
    told = cells(env.unwrapped._repr_html_())
    assert "rows" not in told
    assert told["benchmark"] == "grid-4x4"
    assert told["action"].startswith("Discrete(")
    assert env.spec.id == "taskworlds/grid-4x4"
    env.close()
