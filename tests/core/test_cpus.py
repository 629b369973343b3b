"""How many processors a process may use."""

from __future__ import annotations

import os

import pytest

from taskworlds.core import cpus


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine of eight processors; its control groups are files under the fixture's path."""
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(8)), raising=False)
    monkeypatch.setattr(cpus, "_CGROUPS", tmp_path / "cgroup")
    monkeypatch.setattr(cpus, "_OWN_GROUPS", tmp_path / "own")
    return tmp_path


def group(machine, path, **files):
    folder = machine / "cgroup" / path
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)


def test_all_that_the_process_is_bound_to(machine):
    assert cpus.count_cpus() == 8
    (machine / "own").write_text("0::/user.slice\n")
    group(machine, "user.slice", cpu__max="max 100000\n")
    assert cpus.count_cpus() == 8


@pytest.mark.parametrize(
    ("quota", "count"), [("400000 100000", 4), ("150000 100000", 1), ("10000 100000", 1)]
)
def test_a_quota_of_the_group_or_of_one_above(machine, quota, count):
    (machine / "own").write_text("0::/job/step\n")
    group(machine, "job/step", cpu__max="700000 100000\n")
    group(machine, "job", cpu__max=quota)
    assert cpus.count_cpus() == count


def test_a_quota_of_a_container(machine):
    (machine / "own").write_text("0::/\n")
    group(machine, ".", cpu__max="200000 100000\n")
    assert cpus.count_cpus() == 2


def test_a_quota_of_version_1(machine):
    (machine / "own").write_text("5:memory:/docker/x\n4:cpu,cpuacct:/docker/x\n")
    group(machine, "cpu,cpuacct", cpu__cfs_quota_us="300000\n", cpu__cfs_period_us="100000\n")
    assert cpus.count_cpus() == 3
    group(machine, "cpu,cpuacct/docker/x", cpu__cfs_quota_us="-1\n", cpu__cfs_period_us="100000\n")
    assert cpus.count_cpus() == 3


@pytest.mark.parametrize(
    ("wanted", "count"), [("3", 3), ("1", 1), ("2,4", 2), ("64", 8), ("", 8), ("0", 8), ("-1", 8), ("all", 8)]
)
def test_omp_num_threads(machine, monkeypatch, wanted, count):
    monkeypatch.setenv("OMP_NUM_THREADS", wanted)
    assert cpus.count_cpus() == count
