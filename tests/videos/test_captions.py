"""Strips with text below pictures."""

import sys

import numpy as np
import pytest

from taskworlds import Task
from taskworlds.videos.captions import Captions, Words, goal_in_words, number_in_words

WORDS = Words("pick-place-v3", "goal -0.12, 0.85, 0.20", "step 500 of 500", "reward -888.88", "failure")
GREEN, RED = (22, 128, 61), (185, 28, 28)


def has(strip, colour):
    return (strip == np.array(colour)).all(axis=-1).any()


@pytest.mark.parametrize("width", [96, 161, 240, 480, 1280])
def test_all_text_is_inside_at_every_width(width):
    strip = Captions(width, [WORDS]).strip(WORDS)
    assert strip.dtype == np.uint8
    assert strip.shape[1:] == (width, 3)
    lit = np.argwhere(strip.max(axis=-1) > 100)
    assert len(lit) > 100
    below, right = np.array(strip.shape[:2]) - 1 - lit.max(axis=0)
    assert below >= 1
    assert right >= 1
    assert lit.min() >= 1


def test_nothing_moves_from_picture_to_picture():
    captions = Captions(480, [WORDS])
    early = captions.strip(WORDS._replace(step="step 7 of 500", reward="reward 0.10", status=""))
    late = captions.strip(WORDS._replace(step="step 8 of 500", reward="reward 0.10", status=""))
    different = np.argwhere((early != late).any(axis=-1))
    assert 0 < np.ptp(different[:, 1]) < 20  # one digit


def test_the_end_is_green_or_red():
    captions = Captions(480, [WORDS])
    running, solved, failed = (
        captions.strip(WORDS._replace(status=each)) for each in ("", "success", "failure")
    )
    assert (has(running, GREEN), has(running, RED)) == (False, False)
    assert (has(solved, GREEN), has(solved, RED)) == (True, False)
    assert (has(failed, GREEN), has(failed, RED)) == (False, True)


def test_pictures_side_by_side_have_strips_of_one_height():
    short = WORDS._replace(skill="reach-v3", goal="")
    both = Captions(160, [short, WORDS])
    assert both.strip(short).shape == both.strip(WORDS).shape
    assert Captions(160, [short]).height < both.height


def test_without_success_there_is_no_room_for_it():
    words = Words("cartpole-swingup", "", "step 1000 of 1000", "reward -888.88")
    assert Captions(200, [words]).height < Captions(200, [words._replace(status="failure")]).height


def test_what_is_too_long_is_cut_and_what_is_not_ascii_replaced():
    words = WORDS._replace(skill="a-skill-with-a-very-long-name-" * 5)
    strip = Captions(120, [words]).strip(words)
    assert strip.shape[1] == 120
    captions = Captions(480, [WORDS])
    umlaut, mark = (captions.strip(WORDS._replace(skill=each)) for each in ("t\u00fcr", "t?r"))
    np.testing.assert_array_equal(umlaut, mark)


def test_goals_in_words():
    assert goal_in_words(Task("point", {"goal": (0.5, -1.0)}), np.array([0.5, -1.0])) == "goal 0.50, -1.00"
    task = Task("any", {"map": "small", "hidden": True, "size": 3, "long": (1.0,) * 6, "none": None})
    assert goal_in_words(task, None) == "map small; size 3"
    assert number_in_words(float("nan")) == "nan"


def test_without_pillow_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL.ImageFont", None)
    with pytest.raises(ImportError, match=r'Captions need Pillow: pip install "taskworlds\[report\]"'):
        Captions(480, [WORDS])
