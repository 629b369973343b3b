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
