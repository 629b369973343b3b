"""Pages about files: of earlier versions, pooled, mixed, and of several runs in a folder."""

from __future__ import annotations

import json

import pytest

from taskworlds.core import json_text
from taskworlds.evaluation.methods import load_methods
from taskworlds.evaluation.pooled import pool
from taskworlds.reports import report_page


def as_version(result, version):
    """The file that an earlier version wrote."""
    data = json.loads(result.to_json())
    data["format_version"] = version
    for name in ("sha256", "provenance"):
        del data[name]
    fingerprint = data["fingerprint"]
    if version == 1:  # packages were fields of their own
        fingerprint |= {
            name: fingerprint["packages"].get(name) for name in ("mujoco", "metaworld", "gymnasium", "numpy")
        }
        for name in ("packages", "engine", "registered_skills"):
            del fingerprint[name]
    if version < 3:
        for episode in (episode for task in data["tasks"] for episode in task["episodes"]):
            del episode["diverged"]
    return json.dumps(json_text.seal(data) if version == 3 else data)


@pytest.mark.parametrize("version", [1, 2, 3])
def test_files_of_earlier_versions(results, tmp_path, version):
    new, old = results.make(0.9, seed=1), results.make(0.4, seed=2)
    (tmp_path / "old.json").write_text(as_version(old, version))
    new.save(tmp_path / "new.json")
    methods = load_methods([tmp_path / "old.json", tmp_path / "new.json"])
    page = report_page(*methods, allow_different=version == 1)
    assert "This is not known of old: the file was written by a version that did not note it." in page
    cells = results.read(page).by_tag["td"]
    figure = old.overall["success_end"].mean
    assert f"{figure.value:.2f} [{figure.low:.2f}, {figure.high:.2f}]" in cells
    assert "agent.py:make" in cells  # of the new one


def test_a_folder_of_runs_and_a_file_of_pooled_runs(results, tmp_path):
    runs = [results.make(0.5, seed=seed) for seed in (1, 2)]
    for seed, run in enumerate(runs):
        (tmp_path / "folder" / f"seed{seed}").mkdir(parents=True)
        run.save(tmp_path / "folder" / f"seed{seed}" / "result.json")
    pool([results.make(0.9, seed=seed) for seed in (3, 4)], "x").save(tmp_path / "pooled.json")
    page = report_page(*load_methods([tmp_path / "folder", tmp_path / "pooled.json"]))
    read = results.read(page)
    assert read.by_tag["span"] == ["folder", "pooled"]
    assert "pooled minus folder" in read.by_tag["td"]
    assert page.count("data:application/json") == 4


def test_results_of_other_tasks_are_refused(results):
    with pytest.raises(ValueError, match=r"not measured in the same way.*tasks: "):
        report_page(results.make(), results.make(goals=3))
    page = report_page(results.make(0.2, seed=1), results.make(0.9, goals=3), allow_different=True)
    assert "9 goals that ran to their end" in page
    assert "3 goals are left out" in page


def test_results_without_a_common_task_are_refused(results):
    with pytest.raises(ValueError, match="no task that ran to its end"):
        report_page(results.make(skills=("a",)), results.make(skills=("b",)), allow_different=True)
