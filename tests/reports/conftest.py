"""Results that need no simulator, and pages that are read as a browser reads them."""

from __future__ import annotations

import dataclasses
from html.parser import HTMLParser
from types import SimpleNamespace

import numpy as np
import pytest

from taskworlds import Task
from taskworlds.evaluation import Episode, Fingerprint, Provenance, Result, TaskRecord

SKILLS = ("reach-v3", "push-v3", "door-open-v3")


class Reader(HTMLParser):
    """Notes tags, texts and attributes."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.attributes, self.texts, self._inside = [], [], [], []
        self.by_tag: dict[str, list[str]] = {}
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in ("meta", "link", "br"):
            self._inside.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]

    def handle_endtag(self, tag):
        assert self._inside.pop() == tag, f"</{tag}> closes something else"

    def handle_data(self, data):
        if data.strip():
            self.texts.append(data.strip())
            self.by_tag.setdefault(self._inside[-1], []).append(data.strip())


def make(
    rate=0.5, *, seed=0, goals=4, skills=SKILLS, policy="agent.py:make", checkpoint=None, success=True,
    provenance=True, limit=500, episodes=1, **changes,
):  # fmt: skip
    """A result of `goals` goals of each skill, whose episodes succeed at a rate."""
    generator = np.random.default_rng((seed, round(1000 * rate)))
    records = []
    for skill in skills:
        for goal in range(goals):
            played = []
            for _ in range(episodes):
                wins = bool(generator.random() < rate) if success else None
                length = int(generator.integers(20, 200)) if wins else limit
                played.append(Episode(float(generator.normal(100, 30)), length, wins, wins))
            records.append(TaskRecord(Task(skill, {"goal": goal}), tuple(played)))
    fingerprint = Fingerprint.of(
        [record.task for record in records], protocol="multi-task", reward_function_version="v2",
        max_episode_steps=limit, terminate_on_success=True,
    )  # fmt: skip
    told = Provenance(
        policy, {"width": 64}, checkpoint, None if checkpoint is None else f"{seed:064x}", engine="native", num_envs=10,
        command=f"taskworlds evaluate MT10 --policy {policy}", versions={"numpy": "2.0"}, commit="0123abc",
        has_changes=True, started=f"2026-11-28T09:30:{seed:02}Z", seconds=75.0,
    )  # fmt: skip
    result = Result("MT10", "train", episodes, 0, fingerprint, tuple(records), told if provenance else None)
    return dataclasses.replace(result, **changes)


def make_suite(rate=0.5, *, seed=0, protocol="multi-task", **how):
    """A result as `make` makes it, whose tasks are in four parts of a suite of variations."""
    made = make(rate, seed=seed, **how)
    parts = ("clean", "friction 1", "friction 2", "all 1")
    records = []
    for number, record in enumerate(made.tasks):
        label = {"variation": parts[number % 4]} if number % 4 else {}
        records.append(
            TaskRecord(Task(record.task.env_name, {**record.task.params, **label}), record.episodes)
        )
    fingerprint = Fingerprint.of(
        [record.task for record in records], protocol=protocol, terminate_on_success=True
    )
    return dataclasses.replace(made, tasks=tuple(records), fingerprint=fingerprint)


def make_mixture(rate=0.5, *, seed=0):
    """A result of two worlds: two skills of Meta-World, and walker-walk, which has no success."""
    arm = make(rate, seed=seed, skills=("reach-v3", "push-v3"))
    legs = make(rate, seed=seed, skills=("walker-walk",), success=False)
    records = (*arm.tasks, *legs.tasks)
    fingerprint = Fingerprint.of([record.task for record in records], protocol="multi-task")
    return dataclasses.replace(arm, tasks=records, fingerprint=fingerprint)


@pytest.fixture
def results():
    """`make(rate, ...)`, `make_suite(rate, ...)`, `make_mixture(rate, ...)`, `read(page)`, and the skills."""
    return SimpleNamespace(
        make=make, make_suite=make_suite, make_mixture=make_mixture, read=Reader, skills=SKILLS
    )
