import dataclasses
import io

import pytest
import rich.console

from taskworlds import Task
from taskworlds.evaluation import Episode, Fingerprint, Provenance, Result, TaskRecord, compare, pool
from taskworlds.evaluation.comparison_tables import letter

SKILLS = ["button-press-topdown-wall-v3", "plate-slide-back-side-v3", "reach-v3"]


def printed(table, width=100):
    console = rich.console.Console(file=io.StringIO(), width=width)
    console.print(table)
    return console.file.getvalue()


@pytest.fixture
def outcome():
    records = tuple(
        TaskRecord(
            Task(skill, {"goal": goal}),
            tuple(Episode(1234.56 + 1000 * goal, 100 + goal, goal > 1, goal > 2) for _ in range(3)),
            "OSError: [gone]" if (skill, goal) == ("reach-v3", 0) else None,
        )
        for skill in SKILLS
        for goal in range(5)
    )
    fingerprint = Fingerprint.of([record.task for record in records], protocol="multi-task")
    return Result("MT50", "train", 3, 0, fingerprint, records)


def test_a_results_table_fits_and_says_everything(outcome):
    text = printed(outcome.table())
    lines = text.splitlines()
    assert max(map(len, lines)) <= 100
    assert "…" not in text
    assert "MT50 train, multi-task" in lines[0]
    for heading in ("skill", "tasks", "episodes", "(end)", "once", "return", "length"):
        assert heading in text
    (row,) = [line for line in lines if line.strip().startswith("button-press-topdown-wall-v3")]
    assert row.split() == ["button-press-topdown-wall-v3", "5", "15", "0.40", "0.60", "3235", "102"]
    (row,) = [line for line in lines if line.strip().startswith("reach-v3") and "OSError" not in line]
    assert row.split()[:3] == ["reach-v3", "4/5", "12"]
    (mean,) = [line for line in lines if line.strip().startswith("mean over skills")]
    assert mean.split()[3:6] == ["14", "42", "0.43"]
    assert sum("95 % interval" in line for line in lines) == 1
    assert "interquartile mean over skills" in text
    assert "intervals: 95 %, over new goals of these skills, for this policy" in text
    (worst,) = [line for line in lines if "worst skill" in line]
    assert worst.split() == ["worst", "skill", "0.40", "0.60", "-", "-"]
    assert "lowest success (end): button-press-topdown-wall-v3 0.40" in text
    assert "1 of 15 tasks could not run and are not in any average:" in text
    assert f"reach-v3 (task {outcome.failed[0].task.id}): OSError: [gone]" in text


def test_in_80_columns_an_interval_has_two_lines(outcome):
    lines = printed(outcome.table(), width=80).splitlines()
    assert max(map(len, lines)) <= 80
    at = next(n for n, line in enumerate(lines) if line.strip().startswith("mean over skills"))
    low, high = (lines[at + n].split() for n in (1, 2))
    assert (low[:3], high[:1]) == (["95", "%", "from"], ["to"])
    for mean, from_, to in zip(lines[at].split()[5:], low[3:], high[1:], strict=True):
        assert float(from_) <= float(mean) <= float(to)
    assert "[" not in "".join(lines[:-1])


@pytest.mark.parametrize("width", [40, 50, 60, 70, 80, 100])
def test_figures_are_whole_in_any_width(outcome, width):
    lines = printed(outcome.table(), width).splitlines()
    assert max(map(len, lines)) <= width
    assert "…" not in "".join(lines)
    (row,) = [line.split() for line in lines if line.split()[:1] == ["reach-v3"] and "OSError" not in line]
    assert "0.50" in row


@pytest.mark.parametrize(
    ("width", "gone"), [(80, ""), (66, "A, B"), (50, "A, B, p (Holm)"), (40, "A, B, p (Holm)")]
)
def test_a_comparisons_figures_are_whole_in_any_width(outcome, width, gone):
    text = printed(compare(outcome, outcome).table(), width)
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text
    said = " ".join(text.split()).partition("no room for: ")[2]
    assert said == gone


def test_columns_that_have_no_room_are_named(outcome):
    text = printed(outcome.table(), width=60)
    rows = [line.split() for line in text.splitlines()]
    (row,) = [row for row in rows if row[:1] == ["button-press-topdown-wall-v3"]]
    assert row == ["button-press-topdown-wall-v3", "0.40", "0.60", "3235"]
    assert "no room for: tasks, episodes, length" in text
    assert "no room" not in printed(outcome.table(), width=80)
    text = printed(outcome.table(), width=42)
    assert "no room for: tasks, episodes, length, return, success once" in " ".join(text.split())


def test_many_failures_are_cut_short(outcome):
    failed = tuple(dataclasses.replace(record, error="x") for record in outcome.tasks)
    text = printed(dataclasses.replace(outcome, tasks=failed).table())
    assert "15 of 15 tasks could not run" in text
    assert text.count("): x") == 3
    assert "..." in text


def test_episodes_that_diverged_are_told_below_the_table(outcome):
    assert "diverged" not in printed(outcome.table())
    diverged = {("plate-slide-back-side-v3", 1): 2, ("reach-v3", 3): 1, ("reach-v3", 0): 3}

    def marked(record):
        number = diverged.get((record.task.env_name, record.task["goal"]), 0)
        odd = tuple(each._replace(diverged=True) for each in record.episodes[:number])
        return dataclasses.replace(record, episodes=odd + record.episodes[number:])

    odd = dataclasses.replace(outcome, tasks=tuple(marked(record) for record in outcome.tasks))
    lines = [line.strip() for line in printed(odd.table()).splitlines()]
    # Goal 0 of reach-v3 failed, so its episodes are in no average.
    told = "3 of 42 episodes diverged in simulation: plate-slide-back-side-v3 (2), reach-v3 (1)"
    assert lines[lines.index(told) + 1] == "1 of 15 tasks could not run and are not in any average:"


def test_a_long_list_of_skills_that_diverged_is_cut_short(outcome):
    odd = tuple(TaskRecord(Task(name), (Episode(1.0, 2, None, None, True),)) for name in ("a", "b", "c", "d"))
    text = printed(dataclasses.replace(outcome, tasks=odd).table())
    assert "4 of 4 episodes diverged in simulation: a (1), b (1), c (1), ..." in text
    text = printed(dataclasses.replace(outcome, tasks=odd[:3]).table())
    assert "3 of 3 episodes diverged in simulation: a (1), b (1), c (1)" in text
    assert "..." not in text


def test_unknown_figures_are_dashes(outcome):
    one = dataclasses.replace(outcome.tasks[0], episodes=(Episode(1.0, 2, None, None),))
    text = printed(dataclasses.replace(outcome, tasks=(one, outcome.tasks[-1]), split=None).table())
    (row,) = [line for line in text.splitlines() if "button-press" in line]
    assert row.split()[1:] == ["1", "1", "-", "-", "1.0", "2.0"]
    assert "MT50, multi-task" in text


def test_no_columns_of_success_where_none_is_known(outcome):
    silent = tuple(
        dataclasses.replace(record, episodes=(Episode(1.0, 2, None, None),)) for record in outcome.tasks
    )
    result = dataclasses.replace(outcome, tasks=silent)
    text = printed(result.table())
    assert "success" not in text
    (row,) = [line for line in text.splitlines() if "button-press" in line]
    assert row.split()[1:] == ["5", "5", "1.0", "2.0"]
    assert repr(result).endswith("1 failed, return 1.0, 95 % interval [1.0, 1.0]>")
    assert "success" not in printed(compare(result, result).table())


def test_a_comparisons_table_fits_and_shows_signs_and_differences(outcome):
    better = tuple(
        dataclasses.replace(
            record,
            episodes=tuple(e._replace(episode_return=e.episode_return + 9876.25) for e in record.episodes),
        )
        for record in outcome.tasks
    )
    packages = {**outcome.fingerprint.packages, "numpy": "1.0"}
    fingerprint = dataclasses.replace(outcome.fingerprint, packages=packages)
    other = dataclasses.replace(outcome, tasks=better, fingerprint=fingerprint)
    comparison = compare(outcome, other, allow_different=True)
    text = printed(comparison.table(), width=80)
    assert max(map(len, text.splitlines())) <= 80
    assert "…" not in text
    (row,) = [line for line in text.splitlines() if "button-press" in line]
    assert row.split()[1:4] == ["0.40", "0.40", "+0.00"]
    assert "skills: success (end), 4 to 5 tasks a skill" in text
    assert "[+9876, +9876]" in text
    assert f"differs: numpy, {outcome.fingerprint.numpy} and 1.0" in text
    assert "left out: 1 tasks that did not run to their end in both" in text
    assert "p (Holm): corrected over the 3 skills; not corrected for means" in text
    (row,) = [
        line for line in printed(comparison.table("episode_return"), 80).splitlines() if "button" in line
    ]
    assert row.split()[1:4] == ["3235", "13111", "+9876"]
    with pytest.raises(ValueError, match="metric must be one of 'success_end', 'success_once'"):
        comparison.table("success")


def test_of_three_methods_there_are_skills_and_pairs(outcome):
    def better(by, name):
        tasks = tuple(
            dataclasses.replace(
                record, episodes=tuple(e._replace(episode_return=by) for e in record.episodes)
            )
            for record in outcome.tasks
        )
        return pool([dataclasses.replace(outcome, tasks=tasks)], name)

    other = outcome.fingerprint
    several = pool([dataclasses.replace(outcome, provenance=Provenance("c", started=n)) for n in "xy"], "C")
    comparison = compare(outcome, better(99.5, "b"), several)
    text = printed(comparison.table("episode_return"), width=80)
    lines = text.splitlines()
    assert max(map(len, lines)) <= 80
    assert other == comparison.methods[0].runs[0].fingerprint
    (row,) = [line for line in lines if "button-press" in line]
    assert row.split()[1:] == ["3235", "99.5", "3235"]
    (row,) = [line for line in lines if line.strip().startswith("B - A")]
    assert row.split()[3] == "-3302"  # the mean over skills, of which one has goals 1 to 4
    assert "C - A, C - B: no interval, as one run does not show how much runs vary" in text
    assert "p (Holm): of means corrected over 3 pairs, of skills over 9 differences" in text
    assert "left out: 1 tasks that did not run to their end in all" in text


def test_methods_beyond_z_have_a_number():
    assert [letter(number) for number in (0, 25, 26)] == ["A", "Z", "M27"]
