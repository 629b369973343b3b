"""What a user can choose, and the checks of it."""

from __future__ import annotations

import pickle

import pytest
from gymnasium.vector import AutoresetMode

from taskworlds.vector.options import Options


def first(tasks, np_random):
    return tasks[0]


def test_meta_worlds_defaults():
    options = Options()
    assert options.autoreset_mode is AutoresetMode.SAME_STEP
    assert options.task_select == "random"
    assert options.reward_alpha == 0.001
    assert (options.width, options.height) == (480, 480)
    assert options.normalize_reward_in_recurrent_info is True
    switches = (options.use_one_hot, options.terminate_on_success, options.recurrent_info_in_obs)
    assert switches == (False, False, False)


@pytest.mark.parametrize(
    ("select", "given", "samples"),
    [
        ("random", None, True),
        ("round_robin", None, True),
        (first, None, True),
        ("pseudorandom", None, False),
        ("fixed", None, False),
        ("pseudorandom", True, True),
        ("random", False, False),
    ],
)
def test_whether_a_reset_chooses_a_task(select, given, samples):
    assert Options(task_select=select, sample_tasks_on_reset=given).samples_on_reset is samples


@pytest.mark.parametrize("mode", list(AutoresetMode))
def test_autoreset_modes_by_name_or_member(mode):
    assert Options(autoreset_mode=mode) == Options(autoreset_mode=mode.value)


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"use_one_hot": 2}, ValueError, "use_one_hot must be one of True, False, not 2"),
        (
            {"terminate_on_success": "yes"},
            ValueError,
            "terminate_on_success must be one of True, False, not 'yes'",
        ),
        (
            {"sample_tasks_on_reset": "no"},
            ValueError,
            "sample_tasks_on_reset must be one of True, False, not 'no'",
        ),
        ({"max_episode_steps": 0}, ValueError, "max_episode_steps must be at least 1, not 0"),
        ({"max_episode_steps": 5.0}, TypeError, "max_episode_steps must be a whole number, not 5.0"),
        ({"max_episode_steps": True}, TypeError, "max_episode_steps must be a whole number, not True"),
        (
            {"task_select": "rand"},
            ValueError,
            "task_select must be one of 'random', 'pseudorandom', 'round_robin'",
        ),
        (
            {"reward_normalization_method": "exp"},
            ValueError,
            "must be one of None, 'gymnasium', 'exponential'",
        ),
        ({"reward_alpha": 0}, ValueError, "reward_alpha must be above 0 and at most 1, not 0"),
        ({"reward_alpha": float("nan")}, ValueError, "reward_alpha must be above 0 and at most 1, not nan"),
        ({"reward_alpha": "0.1"}, TypeError, "reward_alpha must be a number, not '0.1'"),
        (
            {"autoreset_mode": "same"},
            ValueError,
            "autoreset_mode must be one of 'NextStep', 'SameStep', 'Disabled'",
        ),
        ({"render_mode": "ascii"}, ValueError, "render_mode must be one of None, 'rgb_array'"),
        ({"width": 0}, ValueError, "width must be at least 1, not 0"),
    ],
)
def test_mistakes(given, error, message):
    with pytest.raises(error, match=message):
        Options(**given)


def test_unknown_keywords_get_the_nearest():
    with pytest.raises(TypeError) as caught:
        Options.of("make_vec", {"use_onehot": True, "zzz": 1}, frozenset({"seed"}))
    message = str(caught.value)
    assert message.startswith(
        "make_vec() got an unexpected keyword argument 'use_onehot' (did you mean 'use_one_hot'?) and 'zzz'."
    )
    assert "It takes: " in message
    assert "seed" in message


def test_frozen_and_picklable():
    options = Options(task_select=first, max_episode_steps=3)
    assert pickle.loads(pickle.dumps(options)) == options
    with pytest.raises(AttributeError):
        options.use_one_hot = True
