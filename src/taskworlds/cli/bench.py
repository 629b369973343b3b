"""`taskworlds bench`: speed, build time and memory, compared with the official environments and EnvPool."""

from __future__ import annotations

import functools
import json
import os
import platform
import warnings
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich import box
from rich.table import Table

from taskworlds.cli.completion import complete, names
from taskworlds.cli.config import ConfigFile
from taskworlds.cli.terminal import console, counted
from taskworlds.core.benchmark import benchmark as make_benchmark
from taskworlds.core.benchmark import split_of_name
from taskworlds.core.cpus import count_cpus
from taskworlds.core.errors import WrongValue
from taskworlds.core.registry import world_of

if TYPE_CHECKING:
    from taskworlds.perf import Measured

__all__ = ["bench"]


def bench(
    benchmark: Annotated[
        str,
        typer.Argument(
            metavar="BENCHMARK",
            help="Name a benchmark, such as MT10 or half-cheetah-vel, or a skill such as reach-v3.",
            autocompletion=complete(names),
        ),
    ] = "MT10",
    num_envs: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="Step N rows. The default is one for each skill, or 10 if there is only one skill.",
        ),
    ] = None,
    threads: Annotated[
        str | None,
        typer.Option(
            metavar="1,2",
            help="Measure with these numbers of threads. The default is 1 and the number of processors.",
        ),
    ] = None,
    steps: Annotated[int, typer.Option(min=1, metavar="N", help="Take N steps in each round.")] = 60,
    rounds: Annotated[
        int, typer.Option(min=1, metavar="N", help="Measure N rounds. The table shows their medians.")
    ] = 7,
    episodes: Annotated[
        int, typer.Option(min=0, metavar="N", help="Measure N rounds of whole episodes with their resets.")
    ] = 3,
    build: Annotated[
        bool,
        typer.Option(
            "--build/--no-build", help="Measure build time and memory too, each in a process of its own."
        ),
    ] = True,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the numbers of every round as JSON.")
    ] = False,
    config_file: ConfigFile = None,
) -> None:
    """Compares the speed of this package with that of the official environments, and of EnvPool where it is installed.

    All of them take turns in one run, with random actions. Machines are noisy:
    quote the ratios, and measure on a quiet machine.

    The bare C++ loop is the yardstick of the native engine. It steps the physics
    of the same rows with nothing around it: an mjData for each row, a fixed share
    of the rows for each thread, no wait between steps, and no observations,
    rewards or resets. The column "of bare" is the speed of the native engine,
    with all of these, as a share of the loop's speed.
    """
    # These load a simulator, which `taskworlds --help` can do without.
    from taskworlds.perf import contestants, measure
    from taskworlds.perf.measure import build_alone

    name, split = split_of_name(benchmark)
    if split == "test":
        raise WrongValue(
            f"BENCHMARK must name train tasks, not {benchmark!r}, because bench steps train tasks. Give {name}."
        )
    made = make_benchmark(name, seed=0)
    skills = made.env_names("train")
    rows = num_envs or (10 if len(skills) == 1 else len(skills))
    counts = _threads(threads)
    everyone = contestants(made, rows, counts)
    say = console(stderr=True)
    with say.status("starting") as status, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of other environments, about themselves
        results = measure(
            everyone,
            steps=steps,
            rounds=rounds,
            episode_rounds=episodes,
            episode_steps=max(world_of(skill).max_episode_steps for skill in skills),
            built=functools.partial(build_alone, made, rows, counts) if build else None,
            say=status.update,
        )
    if as_json:
        print(json.dumps([_plain(each) for each in results], indent=1))
        return
    others = (each for each in results if not each.contestant.is_ours)
    base = next(others, results[-1])
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False)
    table.add_column("", no_wrap=True)
    has_bare = any(each.of_bare for each in results)
    columns = ["rows", "steps/s", "times"]
    columns += ["of bare"] if has_bare else []
    columns += ["episodes: steps/s", "times"] if episodes else []
    columns += ["build, s", "memory, MB"] if build else []
    for column in columns:
        table.add_column(column, justify="right")
    for each in results:
        table.add_row(each.contestant.title, *_numbers(each, base, has_bare))
    out = console()
    how = f"{made.name}, {counted(rows, 'row')}, medians of {counted(rounds, 'round')}"
    out.print(f"{how}; times: relative to {base.contestant.title}\n", markup=False, soft_wrap=True)
    out.print(table)
    out.print(f"\n{_machine()}", markup=False)


def _numbers(mine: Measured, base: Measured, has_bare: bool) -> list[str]:
    """Returns a contestant's line of the table, with times of `base`; a cell may be empty."""
    cells = [str(mine.contestant.rows or 1), f"{mine.speed:,.0f}", f"{mine.times(base):.2f}"]
    if has_bare:
        cells.append("" if mine.share is None else f"{mine.share:.0%}")
    if base.episode_speed is not None:
        speed, times = mine.episode_speed, mine.episode_times(base)
        cells += ["", ""] if speed is None else [f"{speed:,.0f}", f"{times:.2f}"]
    if mine.built is not None:
        megabytes = mine.built.megabytes
        cells += [f"{mine.built.seconds:.1f}", "" if megabytes is None else f"{megabytes:,.0f}"]
    return cells


def _threads(given: str | None) -> tuple[int, ...]:
    """Returns the numbers of threads: 1 and all, unless the caller says otherwise."""
    if given is None:
        return tuple(dict.fromkeys((1, count_cpus())))
    parts = given.split(",")
    if not all(part.strip().isdigit() and int(part) > 0 for part in parts):
        raise WrongValue(f"--threads must be whole numbers above 0, like 1,2,8, not {given!r}.")
    return tuple(int(part) for part in parts)


def _machine() -> str:
    load = os.getloadavg()[0]
    return f"{count_cpus()} cores, load {load:.1f}, {platform.machine()}, Python {platform.python_version()}"


def _plain(measured: Measured) -> dict[str, Any]:
    return {
        "title": measured.contestant.title,
        "rows": measured.contestant.rows or 1,
        "steps_per_second": measured.steps_per_second,
        "with_resets": measured.with_resets,
        "of_bare": measured.of_bare,
        "build_seconds": measured.built and measured.built.seconds,
        "megabytes": measured.built and measured.built.megabytes,
    }
