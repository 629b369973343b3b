"""`taskworlds compare`: two or more methods on the same tasks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from taskworlds.cli.config import ConfigFile
from taskworlds.cli.terminal import console
from taskworlds.core.errors import WrongValue

__all__ = ["compare"]


def compare(
    results: Annotated[
        list[Path],
        typer.Argument(
            metavar="RESULT",
            help="Give two or more methods, each as a result.json, a folder that holds one, or a folder whose folders "
            "hold one for each training run.",
        ),
    ],
    metric: Annotated[
        str | None,
        typer.Option(
            help="Show success_end, success_once, episode_return or length of each skill. By default success_end, or "
            "the return where no success is known."
        ),
    ] = None,
    allow_different: Annotated[
        bool,
        typer.Option(
            "--allow-different", help="Compare even if settings or versions differ, and list the differences."
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print all differences as JSON.")] = False,
    config_file: ConfigFile = None,
) -> None:
    """Shows how much each later method differs from each earlier one, with 95 % intervals and p values.

    All must have been measured in the same way: on the same tasks, with the same settings and versions.
    """
    if len(results) < 2:
        raise WrongValue(
            f"compare needs two results or more, not {len(results)}. Give another file or folder."
        )
    # These load a simulator, which `taskworlds --help` can do without.
    from taskworlds.core.errors import check_choice
    from taskworlds.evaluation import METRICS
    from taskworlds.evaluation import compare as compare_methods
    from taskworlds.evaluation.alike import Unlike
    from taskworlds.evaluation.comparison_tables import letter
    from taskworlds.evaluation.methods import load_methods

    if metric is not None:
        check_choice("metric", metric, METRICS)
    try:
        methods = load_methods(results, allow_different=allow_different)
        comparison = compare_methods(*methods, allow_different=allow_different)
    except Unlike as unlike:
        raise WrongValue(
            f"{unlike.reason(unlike.differences)} Evaluate again under the same conditions, or pass --allow-different."
        ) from None
    if as_json:
        print(json.dumps(comparison.to_dict(), indent=1, allow_nan=False))
        return
    say = console()
    for number, (path, method) in enumerate(zip(results, comparison.methods, strict=True)):
        runs = f", {method.num_runs}" if len(method.runs) > 1 else ""
        worst = f", {method.worst_in_words}" if method.worst_in_words else ""
        rate = method.headline.partition(",")[0]
        line = f"{letter(number)}: {rate} in {len(method.tasks)} tasks{runs}{worst}, {path}"
        say.print(line, markup=False, soft_wrap=True)
    say.print(comparison.table(metric))
    for pair in comparison.pairs:
        a, b = (letter([method.name for method in methods].index(name)) for name in (pair.a, pair.b))
        line = f"{b} minus {a}: {pair.headline}, {comparison.num_tasks} tasks"
        say.print(line, markup=False, soft_wrap=True)
