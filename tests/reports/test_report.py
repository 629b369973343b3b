"""Pages about results: what they hold, that nothing in them can run or load, and what is refused."""

from __future__ import annotations

import base64
import dataclasses
import json
import re
import sys

import pytest

from taskworlds import compare
from taskworlds.evaluation import Result
from taskworlds.evaluation.pooled import pool
from taskworlds.evaluation.records import TaskRecord
from taskworlds.reports import report, report_page

NASTY = "<script>alert(1)</script><img src=x onerror=alert(2)>"


def sections(page):
    return re.findall(r'<h2 id="([a-z]+)">', page)


def test_one_result(results):
    result = results.make(0.75, seed=1)
    page = report_page(result)
    assert sections(page) == ["run", "skills", "episodes", "reading"]
    read = results.read(page)
    mean = result.overall["success_end"].mean
    assert f"{mean.value:.3f}" in read.texts
    assert any(f"{mean.low:.3f} to {mean.high:.3f} over goals" in text for text in read.texts)
    assert "12 episodes, 12 goals of 3 skills" in read.texts
    assert result.fingerprint.tasks in read.by_tag["code"]
    for skill in result.skills:
        figure = skill.success_end
        shown = f"{figure.value:.2f} [{figure.low:.2f}, {figure.high:.2f}]"
        assert shown in read.by_tag["td"]
        assert f"{skill.env_name}: {shown}" in read.by_tag["title"]
    for told in ("agent.py:make", "width = 64", "native", "numpy 2.0", "1 min 15 s", "2026-11-28T09:30:01Z"):
        assert told in read.by_tag["td"]
    assert "0123abc with changes that are not committed" in read.by_tag["td"]


def test_the_json_in_the_page_is_the_result(results):
    result = results.make(0.5)
    (uri,) = re.findall(r'href="data:application/json;base64,([^"]+)"', report_page(result))
    assert Result.from_json(base64.b64decode(uri).decode()) == result


def test_several_methods(results):
    low, high = pool([results.make(0.1)], "low"), pool([results.make(0.9)], "high")
    page = report_page(low, high)
    assert sections(page) == ["run", "skills", "differences", "episodes", "reading"]
    read = results.read(page)
    assert "high minus low" in read.by_tag["td"]
    assert {"low", "high"} <= {*read.by_tag["th"]} | {*read.by_tag["button"]}
    assert "low better" in read.by_tag["text"]
    assert "Measured in different ways." not in read.texts


def test_several_runs(results):
    runs = pool([results.make(rate, seed=seed) for seed, rate in enumerate((0.3, 0.5, 0.8))], "ppo")
    page = report_page(runs)
    assert sections(page) == ["run", "skills", "runs", "episodes", "reading"]
    read = results.read(page)
    assert any("over runs" in text for text in read.by_tag["div"])
    gap = runs.optimality_gap()
    assert f"{gap.value:.2f} [{gap.low:.2f}, {gap.high:.2f}]" in read.by_tag["td"]
    assert "ppo, run 3" in read.by_tag["td"]
    assert page.count("data:application/json") == 3
    assert "run 1: 2026-11-28T09:30:00Z\nrun 2: 2026-11-28T09:30:01Z\nrun 3: 2026-11-28T09:30:02Z" in page


def test_a_list_of_results_is_several_runs_and_equal_names_are_told_apart(results):
    page = report_page([results.make(seed=1), results.make(seed=2)], results.make(seed=3))
    shown = results.read(page).by_tag["span"]
    assert len(set(shown)) == len(shown) == 2


def test_checkpoints_make_a_learning_curve(results):
    points = [
        pool([results.make(rate, seed=seed, checkpoint=f"runs/ppo_{step}.pt")], f"eval-{step}")
        for seed, (step, rate) in enumerate([(2000, 0.9), (1000, 0.2)])
    ]
    page = report_page(*points, x_label="training steps")
    assert sections(page) == ["run", "skills", "learning", "episodes", "reading"]
    read = results.read(page)
    assert len(read.by_tag["span"]) == 1  # the last point stands for the curve
    assert read.by_tag["span"] == ["eval-2000"]
    figure = points[1].overall["success_end"].mean
    told = f"at 1000: {figure.value:.2f} [{figure.low:.2f}, {figure.high:.2f}]"
    assert any(text.endswith(told) for text in read.by_tag["title"])
    assert "training steps" in read.by_tag["text"]
    assert sections(report_page(*points, curve=False)) == [
        "run",
        "skills",
        "differences",
        "episodes",
        "reading",
    ]


def test_worlds_without_success_are_about_returns(results):
    page = report_page(results.make(success=False))
    read = results.read(page)
    assert "Return, by skill" in read.by_tag["h3"]
    assert "Success by goal" not in page
    assert "nan" not in {text.lower() for text in read.texts}


def test_what_went_wrong_is_listed(results):
    result = results.make()
    first, second, *rest = result.tasks
    failed = TaskRecord(first.task, (), "RuntimeError: the arm fell off")
    diverged = dataclasses.replace(second, episodes=(second.episodes[0]._replace(diverged=True),))
    page = report_page(dataclasses.replace(result, tasks=(failed, diverged, *rest)))
    assert "failures" in sections(page)
    cells = results.read(page).by_tag["td"]
    assert {"RuntimeError: the arm fell off", first.task.id, second.task.id} <= {*cells}
    assert "3 of 4" in cells


def test_all_tasks_failed(results):
    result = results.make()
    failed = tuple(TaskRecord(record.task, (), "no world") for record in result.tasks)
    read = results.read(report_page(dataclasses.replace(result, tasks=failed)))
    assert read.by_tag["td"].count("no world") == 12


def test_partial_results_say_so(results):
    page = report_page(results.make(benchmark="MT10 (partial)"))
    read = results.read(page)
    assert "PARTIAL." in read.by_tag["strong"]
    assert read.by_tag["h1"] == ["Evaluation on MT10, train tasks"]


def test_results_without_provenance(results):
    page = report_page(results.make(provenance=False))
    assert "This is not known of" in page
    assert "multi-task" in page


def test_unlike_results_are_refused_or_told(results):
    a, b = results.make(limit=500), results.make(limit=200)
    with pytest.raises(ValueError, match=r"not measured in the same way.*max_episode_steps"):
        report_page(a, b)
    page = report_page(a, b, allow_different=True)
    assert "Measured in different ways." in page
    assert "max_episode_steps: 500, 200" in page


def test_no_result_and_other_things_are_refused(results):
    with pytest.raises(ValueError, match="methods must be one result at least"):
        report_page()
    with pytest.raises(TypeError, match="methods must be results or several runs of one, not int"):
        report_page(results.make(), 3)
    with pytest.raises(TypeError, match="not str"):
        report_page("results/a")


def test_names_cannot_run_anything(results, tmp_path):
    skills = (NASTY, "push-v3")
    result = results.make(skills=skills, policy=NASTY, checkpoint=f"{NASTY}_10.pt", benchmark=NASTY)
    later = results.make(
        0.9, skills=skills, policy=NASTY, checkpoint=f"{NASTY}_20.pt", seed=3, benchmark=NASTY
    )
    other = pool([results.make(0.7, skills=skills, policy="other")], f'"{NASTY}')
    first, *rest = result.tasks
    result = dataclasses.replace(result, tasks=(TaskRecord(first.task, (), NASTY), *rest))
    (tmp_path / "a.mp4").write_bytes(b"video")
    (tmp_path / "videos.json").write_text(
        json.dumps({"videos": [{"file": "a.mp4", "skill": NASTY, "policy": NASTY}]})
    )
    page = report_page(result, later, other, title=NASTY, x_label=NASTY, videos=tmp_path)
    read = results.read(page)
    assert read.tags.count("script") == 1
    assert "img" not in read.tags
    assert not any(name.startswith("on") for _, name, _ in read.attributes)
    assert page.count("alert(1)") == page.count("&lt;script&gt;alert(1)")
    assert {"learning", "failures", "videos", "differences"} <= {*sections(page)}


def test_the_page_needs_no_network_and_no_other_file(results):
    page = report_page(results.make(0.2, seed=1), results.make(0.9, seed=2))
    read = results.read(page)
    for tag, name, value in read.attributes:
        if name in ("src", "href"):
            assert value.startswith(("#", "data:")), (tag, name, value)
    urls = set(re.findall(r"https?://[^\s\"'<]+", page))
    assert urls <= {"http://www.w3.org/2000/svg"}  # a name, not an address
    assert "url(" not in page
    assert "@import" not in page
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]+)"', page)
    assert "default-src &#39;none&#39;" in policy or "default-src 'none'" in policy


def test_light_dark_print_and_narrow(results):
    page = report_page(results.make())
    for rule in (
        "color-scheme: light dark",
        "@media (prefers-color-scheme: dark)",
        "@media print",
        "@media (max-width: 780px)",
        "--series-1",
    ):
        assert rule in page
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert page.count('role="img"') == page.count("<desc ")
    used = set(re.findall(r"var\((--[a-z0-9-]+)", page))
    assert {"--ink", "--series-1"} <= used <= set(re.findall(r"(--[a-z0-9-]+):", page))


def test_videos(results, tmp_path):
    (tmp_path / "reach.mp4").write_bytes(b"not really a video")
    entry = {
        "file": "reach.mp4",
        "skill": "reach-v3",
        "task": "abc",
        "episode": 1,
        "return": 12.34,
        "steps": 50,
    }
    entries = [entry | {"success": True}, entry | {"success": False}, entry | {"file": "reach.gif"}]
    (tmp_path / "videos.json").write_text(json.dumps({"videos": entries}))
    page = report_page(results.make(), videos=tmp_path)
    assert base64.b64encode(b"not really a video").decode() in page
    assert page.count("<video") == 1
    captions = results.read(page).by_tag["figcaption"]
    assert captions == [
        "reach-v3, task abc, episode 1, success, return 12.3, 50 steps",
        "reach-v3, task abc, episode 1, failure, return 12.3, 50 steps",
    ]


@pytest.mark.parametrize(
    ("index", "message"),
    [
        (None, "videos must be a folder with videos.json.*No such file"),
        ("{", "cannot be read"),
        ("[1]", "cannot be read"),
        ('{"videos": [{"file": "../secret.mp4"}]}', "not a file of this folder"),
        ('{"videos": [{"file": "gone.mp4"}]}', "gone.mp4 cannot be read: No such file"),
        ('{"videos": [{"file": "a.gif"}]}', "names none: record with `--format mp4`"),
    ],
)
def test_videos_that_cannot_be_shown(results, tmp_path, index, message):
    if index is not None:
        (tmp_path / "videos.json").write_text(index)
    with pytest.raises(ValueError, match=message):
        report_page(results.make(), videos=tmp_path)


def test_without_jinja2_there_is_no_file(results, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(ImportError, match=r'pip install "taskworlds\[report\]"'):
        report(tmp_path / "report.html", results.make())
    assert list(tmp_path.iterdir()) == []


def test_equal_results_make_equal_pages(results, tmp_path):
    report(tmp_path / "a.html", results.make(0.3))
    report(tmp_path / "b.html", results.make(0.3))
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()


def test_a_suite_of_variations(results):
    one = results.make_suite(0.6, seed=1)
    page = report_page(one)
    assert sections(page) == ["run", "skills", "variations", "episodes", "reading"]
    read = results.read(page)
    for part, figure in one.by_variation("success_end").parts.items():
        shown = f"{figure.value:.2f} [{figure.low:.2f}, {figure.high:.2f}]"
        assert shown in read.by_tag["td"]
        assert f"{part}: {shown}" in read.by_tag["title"]
    assert "the same skills, clean" in read.by_tag["button"]
    assert "variations" not in sections(report_page(results.make(0.5)))


def test_a_suite_of_variations_of_several_methods(results):
    methods = [
        pool([results.make_suite(0.2, seed=1)], "low"),
        pool([results.make_suite(0.9, seed=2)], "high"),
    ]
    methods.append(pool([results.make_suite(0.5, seed=seed) for seed in (3, 4)], "runs"))
    page = report_page(*methods)
    assert sections(page) == ["run", "skills", "differences", "variations", "runs", "episodes", "reading"]
    read = results.read(page)
    assert {"low, clean", "high, clean", "runs, clean"} <= set(read.by_tag["button"])
    (parts, *_) = compare(*methods).by_variation("success_end")
    difference = parts[1].difference
    assert any(text.startswith(f"{difference.value:+.2f}") for text in read.by_tag["td"])
    assert "high minus low" in read.by_tag["td"]


def test_the_means_of_worlds(results):
    one = results.make_mixture(0.6, seed=1)
    read = results.read(report_page(one))
    assert "Means over the skills of a world, with 95 % intervals" in read.texts
    for metric, digits in (("success_end", 2), ("episode_return", 1)):
        value, low, high = one.by_world(metric)["Meta-World"]
        assert f"{value:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]" in read.by_tag["td"]
    assert "Success at the end" in read.by_tag["button"]  # the skills' table has it, too
    assert "Meta-World" in read.by_tag["td"]
    assert not any("of a world" in each for each in results.read(report_page(results.make())).texts)


def test_the_means_of_worlds_of_several_methods(results):
    low, high = results.make_mixture(0.1, seed=1), results.make_mixture(1.0, seed=2)
    read = results.read(report_page(pool([low], "low"), pool([high], "high")))
    title = "Success at the end, means over the skills of a world, with 95 % intervals"
    assert title in read.texts
    value, *ends = high.by_world("success_end")["Meta-World"]
    assert f"{value:.2f} [{ends[0]:.2f}, {ends[1]:.2f}]" in read.by_tag["td"]
    assert (
        "Success at the end: differences by world, high minus low, with 95 % intervals"
        in read.by_tag["summary"]
    )
    ((arm, _),) = compare(low, high).by_world("success_end")
    value, *ends = arm.difference
    assert f"{value:+.2f} [{ends[0]:+.2f}, {ends[1]:+.2f}]" in read.by_tag["td"]


def test_the_score_of_a_list(results):
    protocol = "multi-task, protocol tdmpc2"
    low, high = (
        pool([results.make_suite(rate, seed=1, protocol=protocol)], name)
        for rate, name in ((0.2, "low"), (0.9, "high"))
    )
    read = results.read(report_page(low))
    score = low.score("tdmpc2")
    assert f"{score.value:.1f} [{score.low:.1f}, {score.high:.1f}]" in read.by_tag["td"]
    read = results.read(report_page(low, high))
    difference = high.score("tdmpc2").value - score.value
    assert any(text.startswith(f"{difference:+.1f} [") and ", p " in text for text in read.by_tag["td"])
