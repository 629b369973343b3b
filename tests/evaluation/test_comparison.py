import dataclasses
import math

import pytest

from taskworlds import Task
from taskworlds.evaluation import Episode, Fingerprint, Result, TaskRecord, compare


def changed(fingerprint, name, value):
    """A fingerprint with another value for a field or a package."""
    if name in fingerprint.packages:
        name, value = "packages", {**fingerprint.packages, name: value}
    return dataclasses.replace(fingerprint, **{name: value})


def made(scores, failed=()):
    """A result with one episode per task; `scores` gives each (skill, goal) its return."""
    records = tuple(
        TaskRecord(
            Task(skill, {"goal": goal}),
            (Episode(score, 4, score > 0, score > 1),),
            "OSError: gone" if (skill, goal) in failed else None,
        )
        for (skill, goal), score in scores.items()
    )
    fingerprint = Fingerprint.of([record.task for record in records], protocol="multi-task")
    return Result("toy", "train", 1, 0, fingerprint, records)


KEYS = [(skill, goal) for skill in ("open", "close") for goal in range(4)]
LOW = made({key: float(key[1]) for key in KEYS})
HIGH = made({key: float(key[1]) + (2 if key[0] == "open" else 1) for key in KEYS})


def test_differences_by_hand():
    comparison = compare(LOW, HIGH)
    assert comparison.overall["episode_return"].mean.value == 1.5
    # Returns 0 0 1 1 2 2 3 3 and 1 2 2 3 3 4 4 5: the middle halves have the means 1.5 and 3.
    assert comparison.overall["episode_return"].iqm.value == 1.5
    opened, closed = comparison.skills
    assert (opened.env_name, opened.num_tasks) == ("open", 4)
    assert opened.episode_return.value == 2.0
    assert closed.episode_return.value == 1.0
    assert opened.success_once.value == 0.25
    assert opened.success_end.value == 0.5
    assert comparison.num_tasks == 8
    assert comparison.left_out == ()
    assert comparison.fingerprint_differences == {}


def test_a_comparison_shows_its_headline():
    shown = repr(compare(LOW, HIGH))
    assert shown.startswith("<Comparison, second result minus first: 8 tasks, success +")
    assert len(shown) < 130


def test_the_bootstrap_is_paired():
    # Tasks vary much, but the difference on each task of a skill is the same: the interval has no width.
    comparison = compare(LOW, HIGH)
    assert comparison.skills[0].episode_return == pytest.approx((2.0, 2.0, 2.0))
    assert comparison.overall["episode_return"].mean == pytest.approx((1.5, 1.5, 1.5))


def test_turning_the_results_round_turns_the_sign():
    there, back = compare(LOW, HIGH), compare(HIGH, LOW)
    assert back.overall["success_end"].mean.value == -there.overall["success_end"].mean.value


def test_a_result_does_not_differ_from_itself():
    assert compare(LOW, LOW).overall["episode_return"].mean == (0.0, 0.0, 0.0)


def test_the_order_of_the_tasks_does_not_matter():
    turned = dataclasses.replace(HIGH, tasks=HIGH.tasks[::-1])
    assert compare(LOW, turned) == compare(LOW, HIGH)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("numpy", "1.0"),
        ("max_episode_steps", 7),
        ("reward_function_version", "v1"),
        ("engine", "fast 1.0"),
    ],
)
def test_different_conditions_are_refused_unless_allowed(field, value):
    other = dataclasses.replace(HIGH, fingerprint=changed(HIGH.fingerprint, field, value))
    with pytest.raises(
        ValueError,
        match=rf"not measured in the same way.*{field}: .* and {value!r}.*allow_different=\['{field}'\]",
    ):
        compare(LOW, other)
    for allowed in (True, [field], field):
        comparison = compare(LOW, other, allow_different=allowed)
        assert list(comparison.fingerprint_differences) == [field]
        assert comparison.overall["episode_return"].mean.value == 1.5
    with pytest.raises(ValueError, match="They differ in"):
        compare(LOW, other, allow_different=["mujoco"])


def test_allowed_fields_must_exist():
    with pytest.raises(ValueError, match=r"Unknown field of the fingerprint 'nunpy'. Did you mean 'numpy'"):
        compare(LOW, HIGH, allow_different=["nunpy"])


def test_other_tasks_are_refused_or_left_out():
    more = made({**dict.fromkeys(KEYS, 5.0), ("turn", 0): 1.0})
    with pytest.raises(ValueError, match="They differ in tasks: "):
        compare(LOW, more)
    comparison = compare(LOW, more, allow_different=["tasks"])
    assert comparison.num_tasks == 8
    assert comparison.left_out == (Task("turn", {"goal": 0}),)
    assert [skill.env_name for skill in comparison.skills] == ["open", "close"]


def test_tasks_that_failed_in_either_are_left_out():
    broken = made(dict.fromkeys(KEYS, 5.0), failed=[("open", 1)])
    comparison = compare(LOW, broken)
    assert comparison.left_out == (Task("open", {"goal": 1}),)
    assert comparison.num_tasks == 7
    assert comparison == dataclasses.replace(compare(LOW, broken))
    assert compare(broken, LOW).left_out == comparison.left_out


def test_unknown_success_gives_an_unknown_difference():
    records = tuple(TaskRecord(record.task, (Episode(1.0, 4, None, None),)) for record in LOW.tasks)
    comparison = compare(LOW, dataclasses.replace(LOW, tasks=records))
    assert all(math.isnan(number) for number in comparison.overall["success_end"].mean)
    assert comparison.overall["episode_return"].mean.value == -0.5


def test_nothing_in_common():
    failed = made(dict.fromkeys(KEYS, 5.0), failed=KEYS)
    with pytest.raises(ValueError, match="no task that ran to its end in both"):
        compare(LOW, failed)


def test_only_results_are_compared():
    with pytest.raises(
        TypeError, match=r"b must be a Result, not str: give what evaluate or Result.load returned"
    ):
        compare(LOW, LOW.to_json())
