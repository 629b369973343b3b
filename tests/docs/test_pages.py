"""The Python of pages whose rooms do not test it: run as written, top to bottom."""

import json
import re
from pathlib import Path

import pytest

from taskworlds.cli import listing
from taskworlds.core.registry import worlds
from taskworlds.worlds.metaworld.skills import SKILLS

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize(
    "page",
    [
        "index",
        "infos",
        pytest.param("mixed_worlds", marks=pytest.mark.requires_dm_control),
        "pictures",
        pytest.param("protocols", marks=pytest.mark.requires_dm_control),
        "seeds",
        "snapshots",
        "start/five-minutes",
        "variation",
    ],
)
def test_runs_as_written(page, tmp_path, monkeypatch):
    blocks = re.findall(r"```python\n(.*?)```", (DOCS / f"{page}.md").read_text(), flags=re.DOTALL)
    assert blocks
    monkeypatch.chdir(tmp_path)
    exec(compile("\n".join(blocks), page, "exec"), {"__name__": "__main__"})


def test_every_page_is_in_the_navigation():
    pages = {page.relative_to(DOCS).with_suffix("").as_posix() for page in DOCS.rglob("*.md")}
    named = set()
    for page in DOCS.rglob("*.md"):
        for tree in re.findall(r"```{toctree}\n(.*?)```", page.read_text(), flags=re.DOTALL):
            for line in tree.splitlines():
                if line and not line.startswith(":"):
                    named.add(((page.parent / line).resolve()).relative_to(DOCS.resolve()).as_posix())
    made = ("api/", "benchmarks/", "skills/", "command-line")  # while the site is built
    assert {page for page in pages if not page.startswith(made)} - named == {"index"}
    assert {name for name in named if not name.startswith(made)} <= pages


def test_every_skill_of_metaworld_has_a_moving_and_a_still_picture():
    names = {skill.name for skill in SKILLS}
    for kind in ("mp4", "webp"):
        assert {file.stem for file in (DOCS / "media").glob(f"*.{kind}")} == names
    videos = json.loads((DOCS / "media" / "videos.json").read_text())["videos"]
    assert {video["skill"]: video["success"] for video in videos} == dict.fromkeys(names, True)


@pytest.mark.requires_dm_control  # the pages read its tasks
def test_every_benchmark_and_suite_has_a_page_whose_links_exist(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(DOCS))
    from _pages import benchmarks  # as conf.py does

    benchmarks.write(tmp_path)
    names = {row["name"] for row in listing.benchmarks() if not row["variant"]}
    suites = {row["world"] for row in listing.benchmarks()}
    assert {page.stem for page in tmp_path.iterdir()} == names | suites | {"index"}
    skills = {name for world in worlds() for name in world.env_names()}
    for page in tmp_path.iterdir():
        assert set(re.findall(r"\]\(\.\./skills/([\w-]+)\.md\)", page.read_text())) <= skills
    assert "`0.7`, `0.8`, `1.1`, `1.2`" in (tmp_path / "cheetah-run-torso_length.md").read_text()
    for name, words in {
        "MT10": "Observations contain the goal.\nThere are no test tasks: ",
        "ML10": "Observations do not contain the goal, so a policy has to find out what the task is.",
        "ML25": "Of the test skills, basketball-v3 is a train skill as well.",
        "half-cheetah-dir": "Training and test have the same tasks.",
        "point": "Train and test tasks differ in their parameters, and are of the same skill.",
    }.items():
        assert words in (tmp_path / f"{name}.md").read_text()


def test_the_page_of_a_skill_has_its_reward_and_explains_each_function_that_it_names(monkeypatch):
    pytest.importorskip("dm_control")
    monkeypatch.syspath_prepend(str(DOCS))
    from _pages import rewards  # as conf.py does

    for skill in SKILLS:
        for version, reward in skill.rewards.items():
            page = "\n".join(rewards.told(f"Reward {version}", reward))
            words = page.partition("```python")[0]
            for private in set(re.findall(r"`(_\w+)`", words)):
                assert f"`{private}`: " in words
                assert f"def {private}(" in page
            assert f"def {reward.__name__}(" in page
    for world in worlds():
        if world.suite != "metaworld":
            for name in world.env_names():
                page = "\n".join(rewards.of_world(world, name))
                assert "## Reward\n" in page or "**Reward**" in page, name


def test_the_page_of_a_skill_says_when_it_is_solved(monkeypatch):
    pytest.importorskip("dm_control")
    monkeypatch.syspath_prepend(str(DOCS))
    from _pages.rewards import success_of

    said = {skill.name: success_of(skill.rewards["v2"]) for skill in SKILLS}
    assert said["drawer-open-v3"] == "error <= 0.03"
    assert said["reach-v3"] == "error <= TARGET_RADIUS"
    # These have it in several steps; their code is on the page.
    assert {name for name, words in said.items() if not words} == {
        "assembly-v3",
        "disassemble-v3",
        "hammer-v3",
    }
