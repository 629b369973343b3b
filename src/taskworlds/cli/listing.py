"""`taskworlds list`: the benchmarks, the skills and the environments that there are, by world."""

from __future__ import annotations

import functools
import json
import shlex
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from taskworlds.cli.completion import complete
from taskworlds.cli.terminal import console
from taskworlds.core.benchmark import split_of_name
from taskworlds.core.errors import WrongValue, check_known
from taskworlds.core.reference import resolve
from taskworlds.core.registry import benchmark_makers, list_makers, worlds
from taskworlds.core.world import BenchmarkMaker, Listing
from taskworlds.vector.gymnasium_ids import ids

__all__ = ["LISTS", "benchmarks", "envs", "overview", "show_list", "skills"]

# Environments that are classes, beside those that worlds name as theirs.
_CLASSES = ("taskworlds:GymEnv",)
_NO_SUITE = Listing("Adapters")
_SEVERAL = "mixed"
_OF_SEVERAL = Listing("Lists over several worlds, for make_vec", varies="what they hold", by_skill=True)


def show_list(
    what: Annotated[
        str | None,
        typer.Argument(
            metavar="benchmarks|skills|envs",
            help="List these. The default is an overview of all.",
            autocompletion=complete(lambda: LISTS),
        ),
    ] = None,
    word: Annotated[
        str | None,
        typer.Argument(metavar="WORD", help="List only what has this word in its name or description."),
    ] = None,
    world: Annotated[
        str | None,
        typer.Option(
            metavar="|".join(dict.fromkeys([*(each.suite for each in worlds()), _SEVERAL])),
            help=f"List only the worlds of this suite, with all their variants; {_SEVERAL}: lists over several worlds.",
            autocompletion=complete(lambda: dict.fromkeys([*(each.suite for each in worlds()), _SEVERAL])),
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole list as JSON.")] = False,
) -> None:
    """Lists the benchmarks, the skills, or the environments; without any of these words, how many there are of each."""
    if what is None and world is None:
        _show_overview(as_json)
        return
    what = what or "benchmarks"
    check_known(
        "list", what, LISTS, f"There are {', '.join(LISTS)}; a word to look for comes after one of these."
    )
    rows = LISTS[what]()
    everything = len(rows)
    if world is not None:
        suites = dict.fromkeys(row["world"] for row in rows if row["world"])
        if world not in suites:
            raise WrongValue(
                f"world must be one of {', '.join(map(repr, suites))}, not {world!r}. `taskworlds list {what} "
                f"{shlex.quote(world)}` looks for a word.",
                argument="world",
            )
        rows = [row for row in rows if row["world"] == world]
    if word is not None:
        searched = ("name", "object", "summary")
        found = [row for row in rows if any(word.lower() in row.get(key, "").lower() for key in searched)]
        if not found:
            hint = f"It is in no name or description. `taskworlds list {what}` shows all."
            check_known("word", word, [row["name"] for row in rows], hint)
        rows = found
    if as_json:
        print(json.dumps(rows, indent=1))
        return
    say = console()
    short = world is None and word is None
    listings = {each.suite: each.listed for each in worlds()} | {_SEVERAL: _OF_SEVERAL}
    for number, suite in enumerate(dict.fromkeys(row["world"] for row in rows)):
        listing = listings.get(suite, _NO_SUITE)
        name = f" (--world {suite})" if suite else ""
        say.print(Text.assemble("\n" if number else "", (listing.title, "bold"), (name, "dim")))
        columns = _columns(what, listing)
        table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), show_edge=False)
        for index, column in enumerate(columns):
            table.add_column(column, no_wrap=index == 0)
        for row in rows:
            if row["world"] == suite and not (short and row.get("variant")):
                shown = row | {"summary": _short(row["summary"])} if what == "benchmarks" else row
                table.add_row(*(_cell(shown[column]) for column in columns.values()))
        say.print(table)
        note = listing.notes.get(what, "") if short else ""
        if note:
            say.print(note, markup=False)
    if short:
        say.print(f"\n{everything} {what}. {_LAST[what]}", markup=False)


def _show_overview(as_json: bool) -> None:
    """Shows how much there is of each suite, with a few names."""
    rows = overview()
    if as_json:
        print(json.dumps(rows, indent=1))
        return
    say = console()
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), show_edge=False)
    table.add_column("worlds")
    for column in ("benchmarks", "skills", "ids"):
        table.add_column(column, justify="right")
    table.add_column("such as")
    for row in rows:
        counts = (str(row[column]) for column in ("benchmarks", "skills", "ids"))
        table.add_row(Text(row["title"].partition(",")[0]), *counts, Text(", ".join(row["examples"])))
    say.print(table)
    words = ", ".join(f"`taskworlds list {what}`" for what in LISTS)
    say.print(
        f"{words} show what they are; a word after it, such as drawer, narrows the list, and --world "
        f"{'|'.join(row['world'] for row in rows)} shows one suite.\nAny name goes into taskworlds.make, "
        'taskworlds.make_vec and `taskworlds evaluate`, and as "taskworlds/NAME" into gymnasium.make and '
        "gymnasium.make_vec; a list over several worlds only into those that make batches.",
        markup=False,
    )


def overview() -> list[dict[str, Any]]:
    """Returns each suite: its name, its title, how many benchmarks, skills and Gymnasium ids it has, and a few names.

    Example:
        >>> [(row["world"], row["skills"], row["examples"]) for row in overview()][0]
        ('metaworld', 50, ['MT10', 'ML10', 'assembly-v3'])
    """
    of_ids = envs()
    rows = []
    for suite in dict.fromkeys(world.suite for world in worlds()):
        own = [world for world in worlds() if world.suite == suite]
        makers = [(name, maker) for world in own for name, maker in world.benchmark_makers().items()]
        skills = [name for world in own for name in world.env_names()]
        rows.append(
            {
                "world": suite,
                "title": own[0].listed.title,
                "benchmarks": len(makers),
                "skills": len(skills),
                "ids": sum(row["world"] == suite and "/" in row["name"] for row in of_ids),
                "examples": _examples(makers, skills),
            }
        )
    rows.append(
        {
            "world": _SEVERAL,
            "title": _OF_SEVERAL.title,
            "benchmarks": len(list_makers()),
            "skills": 0,
            "ids": sum(row["world"] == _SEVERAL for row in of_ids),
            "examples": list(list_makers()),
        }
    )
    return rows


def _examples(makers: Sequence[tuple[str, BenchmarkMaker]], skills: Sequence[str]) -> list[str]:
    """Returns up to three names: a benchmark of each kind that needs no more than its name, and a skill."""
    plain = [(name, maker) for name, maker in makers if not maker.keywords and not maker.is_variant]
    first = {maker.has_test: name for name, maker in reversed(plain)}
    names = [first[kind] for kind in (False, True) if kind in first]
    return list(dict.fromkeys([*names, skills[0]]))


def benchmarks() -> list[dict[str, Any]]:
    """Returns each benchmark: name, suite, kind, what varies, skills, numbers of tasks, and the arguments it needs.

    Skills and numbers are None where the caller decides them. `variant` tells whether it is made of a skill or a family
    that another line of the table stands for.

    Example:
        >>> benchmarks()[1]["name"], len(benchmarks()[1]["train_skills"]), benchmarks()[1]["test_skills"]
        ('MT10', 10, [])
        >>> [(row["name"], row["train_tasks"], row["test_tasks"]) for row in benchmarks() if row["name"] == "ant-goal"]
        [('ant-goal', 150, 30)]
    """
    rows: list[dict[str, Any]] = []
    of_worlds = [(name, world.suite, maker) for name, (world, maker) in benchmark_makers().items()]
    of_several = [(name, _SEVERAL, maker) for name, maker in list_makers().items()]
    for name, suite, maker in (*of_worlds, *of_several):
        train_tasks, test_tasks = _counts(maker)
        rows.append(
            {
                "name": name,
                "world": suite,
                "kind": "meta" if maker.has_test else "multi-task",
                "summary": maker.summary,
                "train_skills": None if maker.train_skills is None else list(maker.train_skills),
                "test_skills": None if maker.test_skills is None else list(maker.test_skills),
                "train_tasks": train_tasks,
                "test_tasks": test_tasks,
                "needs": " and ".join(maker.keywords),
                "variant": maker.is_variant,
            }
        )
    return rows


@functools.cache  # making the tasks of all benchmarks takes a second
def _counts(maker: BenchmarkMaker) -> tuple[int | None, int | None]:
    """Returns how many train and test tasks a benchmark has; None where the caller decides it."""
    if maker.num_goals is None and not maker.keywords:
        train, test = resolve(maker.tasks)(0, None)
        return len(train), len(test)
    goals = maker.num_goals or 0
    train_count, test_count = (
        None if skills is None else goals * len(skills) for skills in (maker.train_skills, maker.test_skills)
    )
    return train_count, test_count


def skills() -> list[dict[str, Any]]:
    """Returns each skill's name, suite, object, summary and benchmarks, and what else its world reports.

    Example:
        >>> skills()[0]["name"], skills()[0]["benchmarks"]
        ('assembly-v3', ['MT50', 'ML45-train'])
        >>> [row["object"] for row in skills() if row["name"] == "ant-goal"]
        ['ant']
    """
    rows: list[dict[str, Any]] = []
    for world in worlds():
        for name in world.env_names():
            thing, summary = world.about(name)
            row: dict[str, Any] = {"name": name, "world": world.suite, "object": thing, "summary": summary}
            rows.append(row | {"benchmarks": list(world.benchmark_makers())} | world.details_of(name))
    return rows


def envs() -> list[dict[str, Any]]:
    """Returns the Gymnasium ids, for `gymnasium.make` and `make_vec`, and the environments that are classes.

    Example:
        >>> [env["name"] for env in envs() if "MT50" in env["name"] or "Point" in env["name"]]
        ['taskworlds/MT50', 'taskworlds.PointEnv']
    """
    known = {row["name"]: row for row in benchmarks()}
    makers = {name: (world.suite, world.listed, maker) for name, (world, maker) in benchmark_makers().items()}
    makers |= {name: (_SEVERAL, _OF_SEVERAL, maker) for name, maker in list_makers().items()}
    about = {name: (world.suite, world.about(name)[1]) for world in worlds() for name in world.env_names()}
    rows: list[dict[str, Any]] = []
    for id, name in ids().items():
        benchmark, split = split_of_name(name)
        if benchmark in known:
            suite, listing, maker = makers[benchmark]
            summary = _summary(known[benchmark], split, by_skill=listing.by_skill)
            variant = maker.is_variant or (split is not None and not listing.by_skill)
        else:
            (suite, summary), variant = about[name], True
        rows.append(
            {
                "name": id,
                "world": suite,
                "made_by": "gymnasium.make_vec"
                if suite == _SEVERAL
                else "gymnasium.make and gymnasium.make_vec",
                "summary": summary,
                "variant": variant,
            }
        )
    claimed = {name: world.suite for world in worlds() for name in world.classes}
    for name, of_suite in (dict.fromkeys(_CLASSES) | claimed).items():
        rows.append(
            {
                "name": name.replace(":", "."),
                "world": of_suite,
                "made_by": "its constructor",
                "summary": (resolve(name).__doc__ or "").partition("\n")[0],
                "variant": False,
            }
        )
    return rows


def _summary(row: dict[str, Any], split: str | None, *, by_skill: bool) -> str:
    """Returns what a benchmark, or a split of it, is, in a few words."""
    if not by_skill:
        splits = ("train", "test") if split is None else (split,)
        counts = [f"{row[f'{each}_tasks']} {each}" for each in splits if row[f"{each}_tasks"]]
        total = sum(row[f"{each}_tasks"] or 0 for each in splits)
        return f"{_short(row['summary'])}; {' and '.join(counts)} task{'s' * (total != 1)}"
    if split is not None:
        skills = row[f"{split}_skills"]
        title = f"{split} tasks of {row['name']}"
    else:
        skills = row["train_skills"]
        title = row["name"]
    return f"{title}, {len(skills)} skills" if skills else f"{title}; give {row['needs']}"


# What each list is made by, and what is said at its end.
LISTS = {"benchmarks": benchmarks, "skills": skills, "envs": envs}


def _columns(what: str, listing: Listing) -> dict[str, str]:
    """Returns the columns of a suite's table: by heading, the entry of a row."""
    if what == "envs":
        return {"env": "name", "what it is": "summary"}
    if what == "skills":
        return {"skill": "name", listing.thing: "object", listing.summary: "summary"}
    if listing.by_skill:
        counts = {"train skills": "train_skills", "test skills": "test_skills"}
        return {"benchmark": "name", "kind": "kind", **counts, "needs": "needs"}
    return {"benchmark": "name", "train": "train_tasks", "test": "test_tasks", listing.varies: "summary"}


_LAST = {
    "benchmarks": "A word narrows the list: taskworlds list benchmarks cheetah.",
    "skills": "A word narrows the list: taskworlds list skills drawer.",
    "envs": "Pass ids to gymnasium.make and gymnasium.make_vec, and import classes. Every other name that "
    "taskworlds.make takes has an id as well, such as taskworlds/reach-v3: --world lists them all.",
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
