import dataclasses
import json
import math
import pickle

import numpy as np
import pytest
import rich.console
import scipy.stats

import taskworlds
from taskworlds import Task
from taskworlds.evaluation import Episode, Fingerprint, Pooled, Provenance, Result, TaskRecord, pool
from taskworlds.evaluation.aggregates import interquartile_mean
from taskworlds.evaluation.bootstrap import stratified

SKILLS = ("open", "close", "turn", "push", "pull")


def run(number, wins, failed=(), goals=4, **changes):
    """A training run: `wins` has the number of solved goals of each skill."""
    records = []
    for skill, won in zip(SKILLS, wins, strict=False):
        for goal in range(goals):
            success = goal < won
            records.append(
                TaskRecord(
                    Task(skill, {"goal": goal}),
                    (Episode(100.0 * success + number, 10 - success, success, success),),
                    "OSError: gone" if (skill, goal) in failed else None,
                )
            )
    fingerprint = Fingerprint.of([record.task for record in records], protocol="multi-task", **changes)
    provenance = Provenance("agent.py:make", checkpoint=f"seed{number}.pt")
    return Result("toy", "train", 1, 0, fingerprint, tuple(records), provenance)


WINS = ([4, 3, 2, 1, 0], [4, 4, 2, 1, 1], [3, 3, 3, 0, 0])
RUNS = [run(number, wins) for number, wins in enumerate(WINS)]


@pytest.fixture(scope="module")
def pooled():
    return pool(RUNS, name="ppo")


def test_scores_are_runs_by_skills(pooled):
    assert pooled.scores("success_end").tolist() == (np.array(WINS) / 4).tolist()
    assert pooled.goals("success_end").shape == (3, 20)
    assert [skill.env_name for skill in pooled.skills] == list(SKILLS)
    assert (pooled.over, pooled.num_runs, len(pooled.tasks), pooled.left_out) == ("runs", "3 runs", 20, ())
    assert taskworlds.pool is pool


def test_the_interval_is_over_runs(pooled):
    means = np.array(WINS).mean(axis=1) / 4
    found = pooled.overall["success_end"].mean
    assert found.value == pytest.approx(means.mean())
    p, error = means.mean(), scipy.stats.sem(means)
    logit = scipy.special.logit(p) + np.array([-1, 1]) * scipy.stats.t.ppf(0.975, 2) * error / (p * (1 - p))
    assert found[1:] == pytest.approx(scipy.special.expit(logit))
    returns = RUNS[0].overall["episode_return"].mean.value, pooled.overall["episode_return"].mean
    assert returns[0] == pytest.approx(50.0)
    expected = scipy.stats.t.interval(0.95, 2, 100 * p + 1, scipy.stats.sem(100 * means + [0, 1, 2]))
    assert returns[1] == pytest.approx((100 * p + 1, *expected))


def test_skills_have_intervals_over_runs_too(pooled):
    opened, closed, turned, pushed, pulled = pooled.skills
    assert (opened.num_tasks, opened.num_failed, opened.num_episodes) == (4, 0, 12)
    assert opened.success_end.value == pytest.approx(11 / 12)
    for skill in (opened, closed, turned, pushed, pulled):
        assert 0.0 <= skill.success_end.low < skill.success_end.value < skill.success_end.high <= 1.0


def test_runs_that_are_alike_claim_no_certainty():
    perfect = pool([run(number, [4, 4]) for number in range(3)])
    found = perfect.overall["success_end"].mean
    assert (found.value, found.high) == (1.0, 1.0)
    assert 0.5 < found.low < 0.8  # over the eight goals, as one run has it
    assert found == perfect.runs[0].overall["success_end"].mean
    assert math.isnan(perfect.overall["length"].mean.low)


def test_rliables_figures_and_intervals(pooled):
    scores = pooled.scores("success_end")
    assert pooled.overall["success_end"].iqm.value == pytest.approx(interquartile_mean(scores))
    assert math.isnan(pooled.overall["success_end"].iqm.low)
    found = pooled.rliable(seed=3)
    assert list(found) == ["mean", "median", "iqm", "optimality_gap"]
    assert found["iqm"] == stratified(interquartile_mean, scores, seed=3)
    assert found["optimality_gap"].value == pytest.approx(1 - scores.mean())
    with pytest.raises(ValueError, match=r"'ppo' has one. Pool the results of two or more training seeds"):
        pool(RUNS[:1], "ppo").rliable()


def test_optimality_gap_and_profile(pooled):
    gap = pooled.optimality_gap()
    assert gap.value == pytest.approx(1 - np.mean(WINS) / 4)
    assert gap.low < gap.value < gap.high
    assert pooled.optimality_gap(target=0.5).value == pytest.approx(
        0.5 - np.minimum(np.array(WINS) / 4, 0.5).mean()
    )
    first, second = pooled.profile([0.5, 0.75])
    assert (first.value, second.value) == (pytest.approx(7 / 15), pytest.approx(3 / 15))  # strictly above
    assert 0.0 <= second.low < second.value < second.high <= 1.0


def test_unknown_success_leaves_its_figures_unknown():
    def silent(result):
        records = (
            dataclasses.replace(each, episodes=(Episode(1.0 + len(str(each)), 5, None, None),))
            for each in result.tasks
        )
        return dataclasses.replace(result, tasks=tuple(records))

    pooled = pool([silent(each) for each in RUNS])
    assert np.isnan(pooled.overall["success_end"]).all()
    assert np.isnan(pooled.profile([0.1, 0.5])).all()
    assert np.isnan(pooled.optimality_gap()).all()
    assert np.isnan(pooled.worst(1)[0])
    assert pooled.headline.startswith("return ")


def test_worst_skills(pooled):
    worst = pooled.worst(2)
    assert worst.env_names == ("pull", "push")
    assert worst.values == pytest.approx((1 / 12, 2 / 12))
    assert worst.value == pytest.approx(1.5 / 12)
    assert pooled.worst_in_words == "worst 3 skills 0.278"


def test_one_run_is_as_its_result():
    alone = pool(RUNS[:1])
    assert alone.over == "goals"
    assert alone.overall == RUNS[0].overall
    assert alone.skills == RUNS[0].skills
    assert alone.headline == RUNS[0].headline


def test_a_task_that_failed_in_one_run_is_left_out_of_all():
    broken = run(7, [0, 4, 4, 4, 4], failed=[("open", goal) for goal in range(4)] + [("close", 3)])
    pooled = pool([RUNS[0], broken])
    assert len(pooled.left_out) == 5
    assert [(skill.env_name, skill.num_failed) for skill in pooled.skills][:2] == [("open", 4), ("close", 1)]
    assert pooled.scores().shape == (2, 4)  # "open" is in no figure
    assert math.isnan(pooled.skills[0].success_end.value)
    assert pooled.skills[1].num_episodes == 6
    assert pooled.worst(1).env_names == ("pull",)


def test_no_task_in_common_has_unknown_figures():
    failed = [(skill, goal) for skill in SKILLS for goal in range(4)]
    pooled = pool([run(number, WINS[0], failed) for number in range(2)])
    assert pooled.scores().shape == (2, 0)
    assert np.isnan(pooled.overall["success_end"].mean).all()


def test_names():
    assert pool(RUNS).name == "agent.py:make"
    assert pool([dataclasses.replace(RUNS[0], provenance=None), RUNS[1]]).name == "method"
    assert repr(pool(RUNS, "ppo")).startswith(
        "<Pooled 'ppo': 3 runs, 20 tasks, success 0.517, 95 % interval [0."
    )


def test_what_cannot_be_pooled():
    with pytest.raises(ValueError, match="results must hold one Result at least, and it is empty"):
        pool([])
    with pytest.raises(ValueError, match=r"numbers 0 and 2 are the same result. A run that counts twice"):
        pool([*RUNS[:2], RUNS[0]])
    with pytest.raises(
        TypeError, match="results must be a list of Results, one for each training run, not Result"
    ):
        pool(RUNS[0])
    with pytest.raises(TypeError, match="number 1 is of type str"):
        pool([RUNS[0], "result.json"])
    with pytest.raises(TypeError, match="name must be a string, not 3"):
        pool(RUNS, 3)


def test_equal_episodes_of_other_runs_can_be_pooled():
    other = dataclasses.replace(RUNS[0], provenance=Provenance("agent.py:make", checkpoint="seed9.pt"))
    assert len(pool([RUNS[0], other]).runs) == 2


def test_runs_must_have_been_measured_alike():
    other = run(5, WINS[0], max_episode_steps=7)
    with pytest.raises(
        ValueError, match=r"not measured in the same way.*allow_different=\['max_episode_steps'\] to compare"
    ):
        pool([RUNS[0], other])
    assert len(pool([RUNS[0], other], allow_different=["max_episode_steps"]).runs) == 2


# --- files and tables ---


def test_json_round_trip_is_exact(pooled, tmp_path):
    pooled.save(tmp_path / "ppo.json")
    again = Pooled.load(tmp_path / "ppo.json")
    assert again == pooled
    assert again.runs[1].provenance == RUNS[1].provenance
    assert again.overall["success_end"].mean == pooled.overall["success_end"].mean
    assert pickle.loads(pickle.dumps(pooled)) == pooled


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda text: text[:100],
            "ppo.json: This is not a file of pooled results, or it is only part of one",
        ),
        (lambda text: "{}", "JSON, but not a file of pooled results"),
        (
            lambda text: text.replace('"format_version": 1,\n "name"', '"format_version": 9,\n "name"'),
            "have format_version 9, and this version of taskworlds reads 1",
        ),
        (lambda text: text.replace('"name": "ppo"', '"name": "sac"'), r"its checksum \(sha256\)"),
        (lambda text: RUNS[0].to_json(), "JSON, but not a file of pooled results"),
    ],
)
def test_damaged_files(pooled, tmp_path, change, message):
    path = tmp_path / "ppo.json"
    path.write_text(change(pooled.to_json()))
    with pytest.raises(ValueError, match=message):
        Pooled.load(path)


def test_a_file_of_no_runs_or_damaged_ones():
    from taskworlds.core import json_text

    data = json.loads(pool(RUNS, "ppo").to_json())
    del data["sha256"]
    for wrong in (data | {"runs": []}, data | {"name": None}, data | {"runs": [{"format": "other"}]}):
        with pytest.raises(ValueError, match="This file of pooled results is damaged"):
            Pooled.from_json(json.dumps(json_text.seal(wrong)))


@pytest.mark.parametrize("width", [80, 120])
def test_a_table_says_what_its_intervals_are_over(pooled, width):
    console = rich.console.Console(width=width)
    with console.capture() as captured:
        console.print(pooled.table())
    lines = captured.get().splitlines()
    assert max(map(len, lines)) <= width
    assert "ppo: 3 runs on toy train, multi-task" in lines[0]
    (mean,) = [line for line in lines if line.strip().startswith("mean over skills")]
    assert mean.split()[3:7] == ["20", "60", "0.52", "0.52"]
    (worst,) = [line for line in lines if "mean of the worst 3" in line]
    assert worst.split()[5] == "0.28"
    assert any("intervals: 95 %, over training runs" in line for line in lines)
    assert any("lowest success (end): pull 0.08, push 0.17, turn 0.58" in line for line in lines)
