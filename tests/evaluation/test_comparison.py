import dataclasses
import json
import math

import numpy as np
import pytest
import scipy.stats

from taskworlds import Task
from taskworlds.evaluation import Episode, Fingerprint, Provenance, Result, TaskRecord, compare, pool
from taskworlds.evaluation.significance import holm, mcnemar


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
    assert (
        comparison.overall["episode_return"].iqm.value == 1.5
    )  # of two skills all of both is the middle half
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
    assert shown.startswith("<Comparison, method 2 minus method 1: 8 tasks, success +")
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


# --- success, p values, several runs and several methods ---


def solved(wins, goals=50, skill="open", start=0, **provenance):
    """A result of one skill: goals from `start` on are solved, `wins` of them."""
    records = tuple(
        TaskRecord(Task(skill, {"goal": goal}), (Episode(1.0, 4, *[start <= goal < start + wins] * 2),))
        for goal in range(goals)
    )
    fingerprint = Fingerprint.of([record.task for record in records], protocol="multi-task")
    origin = Provenance(**({"policy": "agent"} | provenance)) if provenance else None
    return Result("toy", "train", 1, 0, fingerprint, records, origin)


def test_one_episode_a_goal_has_mcnemars_p_value():
    first, second = solved(30), solved(30, start=8)  # 8 goals only by the first, 8 only by the second
    comparison = compare(first, second)
    assert comparison.pairs[0].p_values["success_end"] == pytest.approx(1.0)
    comparison = compare(solved(30), solved(37, start=2))
    assert comparison.overall["success_end"].mean.value == pytest.approx(0.14)
    (pair,) = comparison.pairs
    assert pair.p_values["success_end"] == mcnemar(2, 9)
    assert pair.p_adjusted == pair.p_values  # one pair, one skill
    assert pair.skills[0].p_values == pair.p_values
    assert comparison.overall["success_end"].mean.low < 0.14 < comparison.overall["success_end"].mean.high
    assert pair.p_values["episode_return"] == 1.0


def test_a_difference_of_0_on_all_goals_or_1_on_all_is_not_certain():
    for wins in (50, 30, 0):
        value, low, high = compare(solved(wins), solved(wins)).overall["success_end"].mean
        assert low < value == 0.0 < high
        assert compare(solved(wins), solved(wins)).pairs[0].p_values["success_end"] == 1.0
    value, low, high = compare(solved(0, goals=5), solved(5, goals=5)).overall["success_end"].mean
    assert (value, high) == (1.0, 1.0)
    assert 0.1 < low < 0.8


def test_several_episodes_a_goal_are_permuted_by_goal():
    def halved(result, every):
        records = tuple(
            dataclasses.replace(record, episodes=record.episodes * 2 + (Episode(1.0, 4, False, False),))
            if record.task["goal"] % every == 0
            else record
            for record in result.tasks
        )
        return dataclasses.replace(result, tasks=records)

    first, second = halved(solved(20), 1), halved(solved(30), 1)
    p = compare(first, second).pairs[0].p_values["success_end"]
    assert p == pytest.approx(2 / 2**10)  # ten goals differ, all to the same side


def test_holm_goes_over_the_skills_of_all_pairs_and_over_the_pairs():
    generator = np.random.default_rng(0)
    results = [
        made(
            {(skill, goal): float(generator.integers(3)) for skill in ("open", "close") for goal in range(20)}
        )
        for _ in range(3)
    ]
    comparison = compare(*results)
    assert [(pair.a, pair.b) for pair in comparison.pairs] == [
        ("method 1", "method 2"),
        ("method 1", "method 3"),
        ("method 2", "method 3"),
    ]
    for metric in ("success_end", "episode_return"):
        expected = holm([pair.p_values[metric] for pair in comparison.pairs])
        assert [pair.p_adjusted[metric] for pair in comparison.pairs] == expected
        skills = [skill for pair in comparison.pairs for skill in pair.skills]
        expected = holm([skill.p_values[metric] for skill in skills])
        assert [skill.p_adjusted[metric] for skill in skills] == expected
        assert len(expected) == 6


def test_each_pair_of_three_is_as_it_is_alone():
    more = made({key: float(key[1]) + 1 for key in KEYS})
    comparison = compare(LOW, HIGH, more)
    alone = compare(LOW, more).pairs[0]
    assert comparison.pairs[1].overall == alone.overall
    assert comparison.pairs[1].p_values == alone.p_values
    for name in ("overall", "skills", "fingerprint_differences"):
        with pytest.raises(
            ValueError, match=rf"{name} is of two methods, and there are 3: .* pairs\[0\].{name}"
        ):
            getattr(comparison, name)
    assert repr(comparison) == "<Comparison of method 1, method 2, method 3: 3 pairs, 8 tasks>"


def test_tasks_that_failed_in_any_method_are_left_out_of_all_pairs():
    broken = made(dict.fromkeys(KEYS, 5.0), failed=[("open", 1)])
    comparison = compare(LOW, HIGH, broken)
    assert comparison.num_tasks == 7
    assert comparison.left_out == (Task("open", {"goal": 1}),)
    assert {skill.num_tasks for pair in comparison.pairs for skill in pair.skills} == {3, 4}


def test_all_methods_must_have_been_measured_alike():
    other = dataclasses.replace(HIGH, fingerprint=changed(HIGH.fingerprint, "numpy", "1.0"))
    with pytest.raises(ValueError, match="They differ in numpy"):
        compare(LOW, HIGH, other)
    comparison = compare(LOW, HIGH, other, allow_different=iter(["numpy"]))
    assert [list(pair.fingerprint_differences) for pair in comparison.pairs] == [[], ["numpy"], ["numpy"]]


def runs(rates, start):
    return [solved(wins, policy="ppo", started=f"{start} {number}") for number, wins in enumerate(rates)]


def test_runs_are_compared_by_welchs_test():
    low, high = runs([20, 24, 22], "a"), runs([30, 36, 33, 31], "b")
    comparison = compare(low, pool(high, "new"))
    (pair,) = comparison.pairs
    assert (pair.a, pair.b, pair.over) == ("ppo", "new", "runs")
    expected = scipy.stats.ttest_ind([0.6, 0.72, 0.66, 0.62], [0.4, 0.48, 0.44], equal_var=False)
    assert pair.p_values["success_end"] == pytest.approx(expected.pvalue)
    found = pair.overall["success_end"].mean
    assert found[1:] == pytest.approx(tuple(expected.confidence_interval()))
    assert pair.skills[0].success_end == pytest.approx(found)
    assert pair.probability_of_improvement["success_end"] == 1.0
    assert math.isnan(pair.overall["success_end"].iqm.value)  # one skill


def test_runs_that_are_alike_in_each_method_are_not_certain():
    (pair,) = compare(pool(runs([50] * 3, "a"), "a"), pool(runs([0] * 3, "b"), "b")).pairs
    assert pair.p_values["success_end"] == pytest.approx(0.1)
    value, low, high = pair.overall["success_end"].mean
    assert (value, low) == (-1.0, -1.0)
    assert -1.0 < high < -0.8
    assert math.isnan(pair.overall["episode_return"].mean.low)


def test_one_run_against_several_has_no_interval():
    (pair,) = compare(solved(20), runs([30, 36, 33], "b")).pairs
    assert pair.over == "nothing"
    assert pair.overall["success_end"].mean.value == pytest.approx(0.26)
    assert math.isnan(pair.overall["success_end"].mean.low)
    assert math.isnan(pair.p_adjusted["success_end"])


def test_success_has_no_interval_of_its_interquartile_mean():
    generator = np.random.default_rng(0)
    keys = [(skill, goal) for skill in "abcdef" for goal in range(10)]
    first, second = (made({key: float(generator.normal(0.5)) for key in keys}) for _ in range(2))
    overall = compare(first, second).overall
    assert math.isnan(overall["success_once"].iqm.low)
    assert overall["episode_return"].iqm.low < overall["episode_return"].iqm.value
    assert overall["success_once"].iqm.value == pytest.approx(
        second.overall["success_once"].iqm.value - first.overall["success_once"].iqm.value
    )


def test_methods_have_different_names():
    comparison = compare(*(solved(wins, policy="ppo") for wins in (1, 2, 3)))
    assert [method.name for method in comparison.methods] == ["ppo", "ppo (2)", "ppo (3)"]


def test_as_json_values():
    told = compare(solved(30), solved(37, start=2)).to_dict()
    (pair,) = json.loads(json.dumps(told, allow_nan=False))["pairs"]
    assert pair["p_values"]["success_end"] == mcnemar(2, 9)
    assert pair["overall"]["success_end"]["iqm"] == {"value": None, "low": None, "high": None}
    assert told["methods"][1]["overall"]["success_end"]["mean"]["value"] == 0.74
