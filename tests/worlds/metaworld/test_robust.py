"""The suites MT10-robust and MT10-robust-pixels: what they hold, pinned, and the score of each of their parts."""

import numpy as np
import pytest

import taskworlds
from taskworlds.worlds.metaworld.factors import PHYSICAL, VISUAL, factors_of
from taskworlds.worlds.metaworld.robust import MULTIPLES, SCALES

# Whoever changes a suite gives it another name: published scores are of these tasks.
FINGERPRINTS = {"MT10-robust": "a4653eb2a70985e6", "MT10-robust-pixels": "2a29b374a7fc0afc"}


@pytest.mark.parametrize("name", FINGERPRINTS)
def test_suites_are_pinned(name):
    assert taskworlds.benchmark(name).fingerprint == FINGERPRINTS[name]
    assert taskworlds.benchmark(name, seed=1).fingerprint != FINGERPRINTS[name]


@pytest.mark.parametrize(("name", "factors"), [("MT10-robust", PHYSICAL), ("MT10-robust-pixels", VISUAL)])
def test_parts_change_one_factor_each_or_all(name, factors):
    suite = taskworlds.benchmark(name, num_goals=3)
    clean = {task for task in suite.train_tasks if "variation" not in task.params}
    assert clean < set(taskworlds.benchmark("MT10", seed=0).train_tasks)
    assert len(clean) == 30
    for task in set(suite.train_tasks) - clean:
        part, strength = task["variation"].split()
        has = [factor for factor in factors if factor in factors_of(task.env_name)]
        if task.env_name == "peg-insert-side-v3":  # whose size could not vary when the suite was fixed
            has = [factor for factor in has if factor != "object_size"]
        changed = [factor for factor in factors if factor in task.params]
        assert changed == (has if part == "all" else [part])
        assert strength in "123"
        for factor in changed:
            check_value(factor, task[factor], int(strength))
    counted = [task["variation"] for task in suite.by_skill()["push-v3"] if "variation" in task.params]
    parts = [factor for factor in factors if factor in factors_of("push-v3")] + ["all"]
    assert counted == [f"{part} {strength}" for part in parts for strength in (1, 2, 3)] * 3


def check_value(factor, value, strength):
    if factor in MULTIPLES:
        multiple = MULTIPLES[factor][strength - 1]
        assert value in (multiple, round(1 / multiple, 4))
    elif factor == "light":
        assert abs(value - 1) <= 2 * SCALES[strength - 1]
    elif factor == "camera_jitter":
        scale = SCALES[strength - 1]
        assert np.abs(value[:3]).max() <= np.pi / 2 * scale + 1e-4
        assert -0.5 * scale - 1e-4 <= value[3] <= 1.5 * scale + 1e-4
    else:
        assert all(0.0 <= each <= 1.0 for each in value)


def test_a_result_has_a_score_for_each_part():
    suite = taskworlds.benchmark("MT10-robust", num_goals=1)
    tasks = [task for task in suite.train_tasks if task.env_name in ("reach-v3", "push-v3")]
    result = taskworlds.evaluate("expert", taskworlds.Benchmark("two", tuple(tasks)), episodes_per_task=1)
    scores = result.by_variation()
    assert next(iter(scores.parts)) == "clean"
    assert scores.env_names["friction 2"] == ("reach-v3", "push-v3")
    assert scores.env_names["object_mass 2"] == ("push-v3",)
    won = {
        (record.task.env_name, record.task.params.get("variation", "clean")): record.episodes[0].success_once
        for record in result.completed
    }
    for part, names in scores.env_names.items():
        assert scores.parts[part].value == np.mean([won[name, part] for name in names])
        assert scores.clean[part].value == np.mean([won[name, "clean"] for name in names])
    table = str(result.table().columns[0]._cells)
    assert "friction 2, 2 skills" in table
    assert "object_mass 3, 1 skill'" in table


def test_a_result_without_parts_says_so():
    result = taskworlds.evaluate("expert", "reach-v3", num_goals=1, episodes_per_task=1)
    assert result.variations == {}
    with pytest.raises(ValueError, match=r"no parts\. The benchmark MT10-robust has"):
        result.by_variation()
