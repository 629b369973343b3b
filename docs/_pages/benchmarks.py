"""A page for each suite of worlds, and one for each of its benchmarks and families, made from the tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from _pages.skills import shown
from taskworlds.cli.listing import benchmarks as listed
from taskworlds.core.benchmark import benchmark
from taskworlds.core.registry import engines, world_of, worlds
from taskworlds.core.task import Task
from taskworlds.core.world import World

SEVERAL = "Lists over several worlds"
SHOWN = 12  # values of a parameter that a page names; of more it gives the range


def write(folder: Path) -> None:
    """Writes the pages into `folder`, which is the site's `benchmarks`."""
    folder.mkdir(exist_ok=True)
    rows = [row for row in listed() if not row["variant"]]
    for row in rows:
        (folder / f"{row['name']}.md").write_text("\n".join([*of_benchmark(row), ""]))
    suites = {world.suite: world for world in reversed(worlds())}
    for suite in dict.fromkeys(row["world"] for row in rows):
        own = [row for row in rows if row["world"] == suite]
        page = of_suite(suites[suite], own) if suite in suites else of_lists(own)
        (folder / f"{suite}.md").write_text("\n".join([*page, ""]))
    names = list(dict.fromkeys(row["world"] for row in rows))
    lines = [
        "# Worlds and benchmarks",
        "",
        "A page for each suite, with its worlds, and for each benchmark and family.",
    ]
    lines += ["", *(f"- [{title_of(suites.get(name))}]({name}.md)" for name in names)]
    (folder / "index.md").write_text("\n".join([*lines, "", *tree(names), ""]))


def title_of(world: World | None) -> str:
    return SEVERAL if world is None else world.listed.title


def tree(pages: Iterable[str]) -> list[str]:
    return ["```{toctree}", ":hidden:", "", *pages, "```"]


def of_suite(first: World, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Returns the page of a suite: its worlds, with what a row sees and does, and its benchmarks."""
    own = [world for world in worlds() if world.suite == first.suite]
    lines = [f"# {first.listed.title}", ""]
    lines += [
        "Skills of one world can be mixed in one batch; of several, with [`pad=True`](../mixed_worlds.md).",
        "",
    ]
    lines += [
        "| world | skills | observation | action | steps | engines |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for world in own:
        names = world.env_names()
        skills = f"[{names[0]}](../skills/{names[0]}.md)" if len(names) == 1 else f"{len(names)}"
        able = [
            name for name, engine in engines().items() if engine.inside is None and engine.can_step(world)
        ]
        lines.append(
            f"| {world.name} | {skills} | {shown(world.observation_space(visible=True, hidden=False))} | "
            f"{shown(world.action_space())} | {world.max_episode_steps} | {', '.join(able)} |"
        )
    lines += ["", "The engine `ray` steps any of them in several processes or on several machines.", ""]
    return lines + table_of(rows)


def of_lists(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Returns the page of the lists whose skills are of several worlds."""
    lines = [
        f"# {SEVERAL}",
        "",
        "They are one batch with [`pad=True`](../mixed_worlds.md). [Protocols](../protocols.md)",
    ]
    return [*lines, "has how their authors play and score them.", "", *table_of(rows)]


def table_of(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    lines = [
        "## Benchmarks",
        "",
        "| benchmark | train tasks | test tasks | what they vary, or hold |",
        "| --- | --- | --- | --- |",
    ]
    for row in rows:
        counts = (
            "as requested" if row[f"{split}_tasks"] is None else row[f"{split}_tasks"] or "-"
            for split in ("train", "test")
        )
        lines.append(
            f"| [{row['name']}]({row['name']}.md) | {' | '.join(map(str, counts))} | {row['summary'] or 'goals'} |"
        )
    return [*lines, "", *tree(row["name"] for row in rows)]


def of_benchmark(row: Mapping[str, Any]) -> list[str]:
    """Returns the page of a benchmark."""
    name = row["name"]
    lines = [f"# {name}", ""]
    if row["summary"]:
        lines += [f"{row['summary'][0].upper()}{row['summary'][1:]}.", ""]
    if row["needs"]:
        lines += [
            f'You name the skills: `taskworlds.benchmark("{name}", {row["needs"].split()[0]}=...)`.',
            "",
        ]
        return lines
    several = len({world_of(skill).name for skill in row["train_skills"]}) > 1
    pad = ", pad=True" if several else ""
    lines += [
        "```python",
        "import taskworlds",
        "",
        f'envs = taskworlds.make_vec("{name}"{pad}, seed=0)',
        "```",
        "",
    ]
    lines += ["```sh", f"taskworlds evaluate {name}{' --policy random' if several else ''}", "```", ""]
    made = benchmark(name, seed=0)
    lines += [*about(made.train_tasks, made.test_tasks), ""]
    for split, tasks in (("train", made.train_tasks), ("test", made.test_tasks)):
        if tasks:
            lines += of_split(split, tasks, alone=not made.test_tasks)
    return lines


def about(train: Sequence[Task], test: Sequence[Task]) -> list[str]:
    """Returns sentences about what is trained and tested: which goals are seen, and whether test tasks are new."""
    shown = {task.params.get("partially_observable") for task in (*train, *test)}
    if shown == {True}:
        goals = ["Observations do not contain the goal, so a policy has to find out what the task is."]
    else:
        goals = ["Observations contain the goal."] if shown == {False} else []
    if not test:
        return [*goals, "There are no test tasks: a policy is evaluated on the tasks that it was trained on."]
    trained, tested = ({task.env_name for task in tasks} for tasks in (train, test))
    if not trained & tested:
        return [*goals, "The test skills are not among the train skills."]
    if trained != tested:
        return [
            *goals,
            f"Of the test skills, {', '.join(sorted(trained & tested))} is a train skill as well.",
        ]
    if set(train) == set(test):
        return [*goals, "Training and test have the same tasks."]
    one = "the same skill" if len(trained) == 1 else "the same skills"
    return [*goals, f"Train and test tasks differ in their parameters, and are of {one}."]


def of_split(split: str, tasks: Sequence[Task], *, alone: bool) -> list[str]:
    """Returns the section of the tasks of a split: its skills, and the values that its parameters have."""
    skills = list(dict.fromkeys(task.env_name for task in tasks))
    title = "Tasks" if alone else f"{split.capitalize()} tasks"
    lines = [
        f"## {title}",
        "",
        f"{len(tasks)} tasks with `seed=0`, of {'one skill' if len(skills) == 1 else f'{len(skills)} skills'}:",
        "",
    ]
    lines += [", ".join(f"[{skill}](../skills/{skill}.md)" for skill in skills) + ".", ""]
    names = dict.fromkeys(name for task in tasks for name in task.params)
    table = [
        (name, values_of([task.params[name] for task in tasks if name in task.params])) for name in names
    ]
    if table:
        lines += [
            "| parameter | values |",
            "| --- | --- |",
            *(f"| `{name}` | {values} |" for name, values in table),
            "",
        ]
    return lines


def values_of(values: Sequence[Any]) -> str:
    """Returns the values of a parameter in a few words: all of them, or how many, and from where to where."""
    different = list(dict.fromkeys(values))
    if isinstance(different[0], tuple):
        lengths = {len(value) for value in different}
        return f"{len(different)} different, of {' or '.join(map(str, sorted(lengths)))} numbers"
    if len(different) <= SHOWN:
        return ", ".join(f"`{value}`" for value in different)
    if all(isinstance(value, float | int) for value in different):
        return f"{len(different)} different, from {min(different):.4g} to {max(different):.4g}"
    return f"{len(different)} different"
