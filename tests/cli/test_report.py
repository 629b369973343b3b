"""`taskworlds report`."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from taskworlds import Task
from taskworlds.core import files
from taskworlds.evaluation import Episode, Fingerprint, Result, TaskRecord


@pytest.fixture
def folder(tmp_path):
    """Folders with results: a, b, and unlike; runs holds two."""
    for number, (name, limit) in enumerate(
        [("a", 500), ("b", 500), ("unlike", 20), ("runs/1", 500), ("runs/2", 500)]
    ):
        tasks = [Task("reach-v3", {"goal": goal}) for goal in range(4)]
        fingerprint = Fingerprint.of(
            tasks, protocol="multi-task", max_episode_steps=limit, terminate_on_success=True
        )
        episodes = [Episode(1.0 * number, 9, goal < number, goal < number) for goal in range(4)]
        records = [TaskRecord(task, (episode,)) for task, episode in zip(tasks, episodes, strict=True)]
        (tmp_path / name).mkdir(parents=True)
        Result("MT1", "train", 1, 0, fingerprint, tuple(records)).save(tmp_path / name / "result.json")
    return tmp_path


def test_report(run, folder, monkeypatch):
    monkeypatch.chdir(folder)
    ran = run("report", "a")
    assert (ran.code, ran.err) == (0, "")
    size = (folder / "report.html").stat().st_size
    assert ran.out == f"wrote report.html, {size / 1000:.0f} kB\n"
    assert "reach-v3" in (folder / "report.html").read_text()


@pytest.mark.skipif(sys.platform != "linux", reason="names of files need not be text")
def test_a_name_that_python_could_not_decode_is_in_the_page_as_it_is(run, folder, monkeypatch):
    monkeypatch.chdir(folder)
    name = os.fsdecode(b"zuf\xe4llig")  # Latin-1; in the C locale other letters are like this as well
    (folder / "a").rename(folder / name)
    ran = run("report", name, "b")
    assert (ran.code, ran.err) == (0, "")
    assert b"zuf\xe4llig" in (folder / "report.html").read_bytes()


def test_report_as_json(run, folder):
    out = folder / "page.html"
    ran = run(
        "report",
        folder / "a" / "result.json",
        folder / "b",
        folder / "runs",
        "--out",
        out,
        "--json",
        "--title",
        "Mine",
    )
    assert ran.code == 0
    assert json.loads(ran.out) == {"file": str(out), "bytes": out.stat().st_size}
    page = out.read_text()
    assert "<h1>Mine</h1>" in page
    assert "runs minus a" in page


def test_a_file_is_not_overwritten(run, folder, check_mistake):
    out = folder / "page.html"
    out.write_text("mine")
    ran = run("report", folder / "a", "--out", out)
    check_mistake(
        ran, r"--out must be a new file, but .*page.html is already there. .* or --force to overwrite it"
    )
    assert out.read_text() == "mine"
    assert run("report", folder / "a", "--out", out, "--force").code == 0
    assert "reach-v3" in out.read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["a", "--out", "."], "--out must be a file, and . is a folder"),
        (["a", "--out", "gone/page.html"], "--out must be in a folder that is there, which gone is not"),
        (["gone"], "gone cannot be read: No such file"),
        (["a", "unlike"], "max_episode_steps: 500 and 20. Evaluate again .* or pass --allow-different"),
        (["a", "--videos", "b"], "--videos must be a folder with videos.json"),
        (["cut.json"], "not a saved Result, or it is only part of one"),
    ],
)
def test_mistakes(run, folder, check_mistake, monkeypatch, arguments, message):
    monkeypatch.chdir(folder)
    Path("cut.json").write_text(Path("a/result.json").read_text()[:500])
    check_mistake(run("report", *arguments), message)
    assert not list(folder.glob("**/*.html"))
    assert not list(folder.glob("**/.*"))


def test_unlike_results_on_request(run, folder):
    ran = run("report", folder / "a", folder / "unlike", "--allow-different", "--out", folder / "page.html")
    assert ran.code == 0
    assert "Measured in different ways." in (folder / "page.html").read_text()


def test_a_full_disk_leaves_no_half_page(run, folder, monkeypatch):
    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    out = folder / "page.html"
    ran = run("report", folder / "a", "--out", out)
    assert ran.code == 1
    assert ran.err == f"Error: {out} could not be written: No space left on device.\n"
    assert not out.exists()
    assert not [name for name in os.listdir(folder) if name.startswith(".")]


def test_without_jinja2(run, folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "jinja2", None)
    ran = run("report", folder / "a", "--out", folder / "page.html")
    assert ran.code == 1
    assert 'pip install "taskworlds[report]"' in ran.err
    assert ran.err.count("\n") == 1
    assert not (folder / "page.html").exists()
