"""docs/videos.md: its code runs, its picture is there, and it names rules, keys and options."""

import re
from pathlib import Path

import numpy as np

from taskworlds import Task
from taskworlds.evaluation import Episode
from taskworlds.videos.choosing import RULES
from taskworlds.videos.index import Video
from taskworlds.videos.playing import Played

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "videos.md").read_text(encoding="utf-8")


def test_its_code_runs():
    blocks = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert len(blocks) == 2
    exec(compile("\n".join(blocks), "videos.md", "exec"), {"__name__": "__main__"})


def test_its_picture_is_there_and_small():
    (name,) = re.findall(r"!\[.*\]\((.*)\)", PAGE)
    assert 0 < (DOCS / name).stat().st_size <= 300_000


def test_it_names_every_rule_and_every_key_of_the_index():
    assert all(f"`{rule}`" in PAGE for rule in RULES)
    played = Played(Task("open"), 0, Episode(1.0, 1, True, True), np.zeros((1, 4)))
    (entry,) = Video(Path("open.mp4"), (played,), "expert", 2, 20.0, 48, 48).entries()
    table = PAGE[PAGE.index("| key | meaning |") :]
    keys = [
        key
        for row in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
        for key in re.findall(r"`(\w+)`", row)
    ]
    assert keys == list(entry)
