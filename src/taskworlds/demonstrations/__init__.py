"""Demonstrations to keep: episodes of a policy, played on any engine, as data sets that other libraries read.

`collect` plays them, `write_minari` and `write_lerobot` write them, and `Cameras` draws them again if pictures are
wanted. docs/demonstrations.md shows how.
"""

from taskworlds.demonstrations.attempts import Demonstration, SkillCount
from taskworlds.demonstrations.cameras import Cameras
from taskworlds.demonstrations.collecting import Demonstrations, collect
from taskworlds.demonstrations.lerobot_data import write_lerobot
from taskworlds.demonstrations.minari_data import write_minari
from taskworlds.demonstrations.plan import Plan

__all__ = [
    "Cameras",
    "Demonstration",
    "Demonstrations",
    "Plan",
    "SkillCount",
    "collect",
    "write_lerobot",
    "write_minari",
]
