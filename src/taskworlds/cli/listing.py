"""`taskworlds list`: the benchmarks, the skills and the environments that there are, by world."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from taskworlds.cli.terminal import console
from taskworlds.errors import check_choice, check_known

if TYPE_CHECKING:
    from taskworlds.worlds import World

__all__ = ["LISTS", "benchmarks", "envs", "show_list", "skills"]

# What a benchmark without a list of its own needs to be told.
_NEEDS = {
    "MT1": "env_name",
    "ML1": "env_name",
    "custom-mt-envs": "envs_list",
    "custom-ml-envs": "train_envs and test_envs",
}
_GOALS = 50  # of each skill in a benchmark of Meta-World

# World of the classes of a module; the rest belongs to none.
_CLASSES = {
    "taskworlds.envs.k_episode": "metaworld",
    "taskworlds.envs.locomotion": "locomotion",
    "taskworlds.envs.metaworld_set_task": "metaworld",
}
_HEADINGS = {
    "metaworld": "Meta-World",
    "locomotion": "Classic meta-RL worlds, on Gymnasium's MuJoCo bodies",
    "control": "dm_control, with families whose physics varies",
    None: "Small worlds and adapters",
}


def show_list(
    what: Annotated[str, typer.Argument(metavar="benchmarks|skills|envs", help="Which list.")],
    word: Annotated[
        str | None, typer.Argument(metavar="WORD", help="Only what has this in its name or description.")
    ] = None,
    world: Annotated[
        str | None,
        typer.Option(metavar="metaworld|locomotion|control", help="Only this world, with all of it."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON, with all there is.")] = False,
) -> None:
    """Lists the benchmarks, the skills, or the environments."""
    check_known("list", what, LISTS, f"There are {', '.join(LISTS)}.")
    rows = LISTS[what]()
    everything = len(rows)
    if world is not None:
        check_choice("--world", world, list(dict.fromkeys(row["world"] for row in rows if row["world"])))
        rows = [row for row in rows if row["world"] == world]
    if word is not None:
        searched = ("name", "object", "summary")
        found = [row for row in rows if any(word.lower() in row.get(key, "").lower() for key in searched)]
        if not found:
            hint = f"No name or description has it. `taskworlds list {what}` shows all."
            check_known("word", word, [row["name"] for row in rows], hint)
        rows = found
    if as_json:
        print(json.dumps(rows, indent=1))
        return
    say = console()
    short = world is None and word is None
    for number, suite in enumerate(dict.fromkeys(row["world"] for row in rows)):
        heading = _HEADINGS.get(suite, suite)
        name = f" (--world {suite})" if suite else ""
        say.print(Text.assemble("\n" if number else "", (str(heading), "bold"), (name, "dim")))
        columns = _COLUMNS[what].get(suite, _COLUMNS[what]["locomotion"])
        table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), show_edge=False)
        for index, column in enumerate(columns):
            table.add_column(column, no_wrap=index == 0)
        for row in rows:
            if row["world"] == suite and not (short and row.get("variant")):
                shown = row | {"summary": _short(row["summary"])} if what == "benchmarks" else row
                table.add_row(*(_cell(shown[column]) for column in columns.values()))
        say.print(table)
        note = _NOTES.get((what, suite), "") if short else ""
        if note:
            say.print(note, markup=False)
    if short:
        say.print(f"\n{everything} {what}. {_LAST[what]}", markup=False)


def benchmarks() -> list[dict[str, Any]]:
    """Gives each benchmark: name, world, kind, what varies, skills and numbers of tasks, and what else it must be told.

    Skills and numbers are None where they are the caller's. `variant` says whether it is made of a skill or a family
    that another line of the table stands for.

    Example:
        >>> benchmarks()[1]["name"], len(benchmarks()[1]["train_skills"]), benchmarks()[1]["test_skills"]
        ('MT10', 10, [])
        >>> [(row["name"], row["train_tasks"], row["test_tasks"]) for row in benchmarks() if row["name"] == "ant-goal"]
        [('ant-goal', 150, 30)]
    """
    from taskworlds.benchmarks import BENCHMARK_NAMES
    from taskworlds.worlds import WORLDS
    from taskworlds.worlds.metaworld.lists import ENV_NAMES

    rows = []
    for name in BENCHMARK_NAMES:
        is_meta = "ml" in name.lower()
        lists = ENV_NAMES.get(name)
        train = None if lists is None else list(lists.train)
        test = (None if is_meta else []) if lists is None else list(lists.test)
        rows.append(
            {
                "name": name,
                "world": "metaworld",
                "kind": "meta" if is_meta else "multi-task",
                "summary": "",
                "train_skills": train,
                "test_skills": test,
                "train_tasks": None if train is None else _GOALS * len(train),
                "test_tasks": None if test is None else _GOALS * len(test),
                "needs": _NEEDS.get(name, ""),
                "variant": False,
            }
        )
    families = _families()
    for world in WORLDS:
        for name, make in world.benchmarks.items():
            train_tasks, test_tasks = make(0, None)
            rows.append(
                {
                    "name": name,
                    "world": world.suite,
                    "kind": "meta" if test_tasks else "multi-task",
                    "summary": _summary(world, name, families),
                    "train_skills": list(dict.fromkeys(task.env_name for task in train_tasks)),
                    "test_skills": list(dict.fromkeys(task.env_name for task in test_tasks)),
                    "train_tasks": len(train_tasks),
                    "test_tasks": len(test_tasks),
                    "needs": "",
                    "variant": world.suite == "control" and name not in families,
                }
            )
    return rows


def _families() -> dict[str, str]:
    """Gives what varies in each of dm_control's families, by the name of its benchmark."""
    from taskworlds.worlds.control.family import families

    return {f"{each.env_name}-{each.label}": each.summary for each in families()}


def _summary(world: World, name: str, families: dict[str, str]) -> str:
    """Says what the tasks of a benchmark vary, or else what is to be done."""
    from taskworlds.worlds.control.family import family

    if name.startswith("MT-HiPBMDP-"):
        return family(name).summary
    for title, summary in families.items():
        if name == title or name.startswith(f"{title}-"):
            return summary
    summary = world.about(world.env_names()[0])[1]
    return f"nothing: {summary}" if world.suite == "control" else summary


def skills() -> list[dict[str, Any]]:
    """Gives each skill's name, world, object, summary and benchmarks; and its bounds, in Meta-World.

    Example:
        >>> skills()[0]["name"], skills()[0]["benchmarks"]
        ('assembly-v3', ['MT50', 'ML45-train'])
        >>> [row["object"] for row in skills() if row["name"] == "ant-goal"]
        ['ant']
    """
    from taskworlds.worlds import METAWORLD, WORLDS
    from taskworlds.worlds.metaworld.lists import ENV_NAMES
    from taskworlds.worlds.metaworld.skills import skill

    def holding(name: str) -> list[str]:
        splits = {
            title: {title: lists.train}
            if not lists.test
            else {f"{title}-train": lists.train, f"{title}-test": lists.test}
            for title, lists in ENV_NAMES.items()
        }
        return [title for parts in splits.values() for title, names in parts.items() if name in names]

    rows: list[dict[str, Any]] = []
    for world in WORLDS:
        for name in world.env_names():
            thing, summary = world.about(name)
            row: dict[str, Any] = {"name": name, "world": world.suite, "object": thing, "summary": summary}
            if world is METAWORLD:
                low, high = skill(name).rand_vec_low, skill(name).rand_vec_high
                row |= {"rand_vec_low": list(low), "rand_vec_high": list(high), "benchmarks": holding(name)}
            else:
                row["benchmarks"] = list(world.benchmarks)
            rows.append(row)
    return rows


def envs() -> list[dict[str, Any]]:
    """Gives the Gymnasium ids, for `gymnasium.make` and `make_vec`, and the environments that are classes.

    Example:
        >>> [env["name"] for env in envs() if "MT10" in env["name"] or "Point" in env["name"]]
        ['taskworlds/MT10', 'taskworlds.PointEnv']
    """
    import taskworlds
    from taskworlds.benchmarks import split_of_name
    from taskworlds.registration import IDS

    known = {row["name"]: row for row in benchmarks()}
    rows: list[dict[str, Any]] = []
    for id, name in IDS.items():
        benchmark, split = split_of_name(name)
        row = known[benchmark]
        if row["world"] == "metaworld":
            skills = row["test_skills" if split == "test" else "train_skills"]
            title = benchmark if split is None else f"{split} tasks of {benchmark}"
            summary = f"{title}, {len(skills)} skills" if skills else f"{title}; give {row['needs']}"
        else:
            tested = f" and {row['test_tasks']} test" if row["test_tasks"] else ""
            summary = f"{_short(row['summary'])}; {row['train_tasks']} train{tested} tasks"
        rows.append(
            {
                "name": id,
                "world": row["world"],
                "made_by": "gymnasium.make and gymnasium.make_vec",
                "summary": summary,
            }
        )
    for name, module in taskworlds._PUBLIC.items():
        if module.startswith("taskworlds.envs."):
            first = (getattr(taskworlds, name).__doc__ or "").partition("\n")[0]
            rows.append(
                {
                    "name": f"taskworlds.{name}",
                    "world": _CLASSES.get(module),
                    "made_by": "its constructor",
                    "summary": first,
                }
            )
    return rows


# What each list is made by, the columns of its tables, what is said below each table, and at the end.
LISTS = {"benchmarks": benchmarks, "skills": skills, "envs": envs}
_COLUMNS: dict[str, dict[str | None, dict[str, str]]] = {
    "benchmarks": {
        "metaworld": {
            "benchmark": "name",
            "kind": "kind",
            "train skills": "train_skills",
            "test skills": "test_skills",
            "needs": "needs",
        },
        "locomotion": {
            "benchmark": "name",
            "train": "train_tasks",
            "test": "test_tasks",
            "what is to be done": "summary",
        },
        "control": {
            "benchmark": "name",
            "train": "train_tasks",
            "test": "test_tasks",
            "what varies": "summary",
        },
    },
    "skills": {
        "metaworld": {"skill": "name", "object": "object", "what the arm has to do": "summary"},
        "locomotion": {"skill": "name", "body": "object", "what the body has to do": "summary"},
        "control": {"skill": "name", "domain": "object", "what is to be done": "summary"},
    },
    "envs": {"locomotion": {"env": "name", "what it is": "summary"}},
}
_NOTES = {
    (
        "benchmarks",
        "metaworld",
    ): "Multi-task benchmarks show the goal in the observation; meta benchmarks hide it, and "
    "keep tasks apart for the test. Each skill has 50 goals.",
    (
        "benchmarks",
        "locomotion",
    ): "Numbers of tasks, unless num_goals says otherwise; half-cheetah-dir and "
    "ant-fwd-back train and test on the same two.",
    (
        "benchmarks",
        "control",
    ): "Each family also with -interpolation, -extrapolation, -by-index and -range at its "
    "name's end; mtenv's MT-HiPBMDP ids; and each skill's own model, by the skill's name: --world control lists them.",
    ("skills", "metaworld"): "MT1 and ML1 take any of them: taskworlds evaluate drawer-open-v3.",
}
_LAST = {
    "benchmarks": "A word finds some: taskworlds list benchmarks cheetah.",
    "skills": "A word finds some: taskworlds list skills drawer.",
    "envs": "Ids are for gymnasium.make and gymnasium.make_vec; classes are imported from taskworlds.",
}


def _short(summary: str) -> str:
    """Leaves out what a summary adds after a semicolon, which the JSON and docs/families.md have."""
    return summary.partition(";")[0]


def _cell(value: Any) -> Text:
    if isinstance(value, list):
        value = len(value)
    if isinstance(value, int):
        return Text(str(value) if value else "-")
    return Text("yours" if value is None else value)
