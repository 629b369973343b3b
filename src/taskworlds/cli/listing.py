"""`taskworlds list`: the benchmarks, the skills and the environments that there are."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from taskworlds.cli.terminal import console
from taskworlds.errors import check_known

__all__ = ["LISTS", "benchmarks", "envs", "show_list", "skills"]

# What a benchmark without a list of its own needs to be told.
_NEEDS = {
    "MT1": "env_name",
    "ML1": "env_name",
    "custom-mt-envs": "envs_list",
    "custom-ml-envs": "train_envs and test_envs",
}


def show_list(
    what: Annotated[str, typer.Argument(metavar="benchmarks|skills|envs", help="Which list.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON, with all there is.")] = False,
) -> None:
    """Lists the benchmarks, the skills, or the environments."""
    check_known("list", what, LISTS, f"There are {', '.join(LISTS)}.")
    rows = LISTS[what]()
    if as_json:
        print(json.dumps(rows, indent=1))
        return
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), show_edge=False)
    for column in _TABLES[what]:
        table.add_column(column, no_wrap=column in ("benchmark", "skill", "env"))
    for row in rows:
        table.add_row(*(_cell(row[column]) for column in _TABLES[what].values()))
    say = console()
    say.print(table)
    say.print(f"\n{_NOTES[what]}", markup=False)


def benchmarks() -> list[dict[str, Any]]:
    """Gives each benchmark's name, kind, skills (None: the caller's), and what else it must be told.

    Example:
        >>> benchmarks()[1]["name"], len(benchmarks()[1]["train_skills"]), benchmarks()[1]["test_skills"]
        ('MT10', 10, [])
    """
    from taskworlds.benchmarks import BENCHMARK_NAMES
    from taskworlds.worlds.metaworld.lists import ENV_NAMES

    rows = []
    for name in BENCHMARK_NAMES:
        is_meta = "ml" in name.lower()
        lists = ENV_NAMES.get(name)
        rows.append(
            {
                "name": name,
                "kind": "meta" if is_meta else "multi-task",
                "train_skills": None if lists is None else list(lists.train),
                "test_skills": (None if is_meta else []) if lists is None else list(lists.test),
                "needs": _NEEDS.get(name, ""),
            }
        )
    return rows


def skills() -> list[dict[str, Any]]:
    """Gives each skill's name, object, summary and bounds, and the benchmarks that hold it.

    Example:
        >>> skills()[0]["name"], skills()[0]["benchmarks"]
        ('assembly-v3', ['MT50', 'ML45-train'])
    """
    from taskworlds.worlds.metaworld.lists import ENV_NAMES
    from taskworlds.worlds.metaworld.skills import SKILLS

    def holding(skill: str) -> list[str]:
        splits = {
            name: {name: lists.train}
            if not lists.test
            else {f"{name}-train": lists.train, f"{name}-test": lists.test}
            for name, lists in ENV_NAMES.items()
        }
        return [title for parts in splits.values() for title, names in parts.items() if skill in names]

    return [
        {
            "name": skill.name,
            "family": skill.family,
            "summary": skill.summary,
            "rand_vec_low": list(skill.rand_vec_low),
            "rand_vec_high": list(skill.rand_vec_high),
            "benchmarks": holding(skill.name),
        }
        for skill in SKILLS
    ]


def envs() -> list[dict[str, Any]]:
    """Gives the Gymnasium ids, for `gymnasium.make` and `make_vec`, and the environments that are classes.

    Example:
        >>> [env["name"] for env in envs() if "MT10" in env["name"] or "Point" in env["name"]]
        ['taskworlds/MT10', 'taskworlds.PointEnv']
    """
    import taskworlds
    from taskworlds.benchmarks import split_of_name
    from taskworlds.registration import IDS
    from taskworlds.worlds.metaworld.lists import ENV_NAMES

    rows: list[dict[str, Any]] = []
    for id, name in IDS.items():
        benchmark, split = split_of_name(name)
        lists = ENV_NAMES.get(benchmark)
        count = None if lists is None else len(lists.test if split == "test" else lists.train)
        title = benchmark if split is None else f"{split} tasks of {benchmark}"
        summary = f"{title}, {count} skills" if count else f"{title}; give {_NEEDS[benchmark]}"
        rows.append({"name": id, "made_by": "gymnasium.make and gymnasium.make_vec", "summary": summary})
    for name, module in taskworlds._PUBLIC.items():
        if module.startswith("taskworlds.envs."):
            first = (getattr(taskworlds, name).__doc__ or "").partition("\n")[0]
            rows.append({"name": f"taskworlds.{name}", "made_by": "its constructor", "summary": first})
    return rows


# What each list is made by, and the columns of its table.
LISTS = {"benchmarks": benchmarks, "skills": skills, "envs": envs}
_TABLES = {
    "benchmarks": {
        "benchmark": "name",
        "kind": "kind",
        "train skills": "train_skills",
        "test skills": "test_skills",
        "needs": "needs",
    },
    "skills": {"skill": "name", "object": "family", "what the arm has to do": "summary"},
    "envs": {"env": "name", "what it is": "summary"},
}
_NOTES = {
    "benchmarks": "Multi-task benchmarks show the goal in the observation; meta benchmarks hide it, and keep "
    "tasks apart for the test. Each skill has 50 goals.",
    "skills": "MT1 and ML1 take any of them: taskworlds evaluate drawer-open-v3.",
    "envs": "Ids are for gymnasium.make and gymnasium.make_vec; classes are imported from taskworlds.",
}


def _cell(value: Any) -> Text:
    if isinstance(value, list):
        return Text(str(len(value)) if value else "-")
    return Text("yours" if value is None else value)
