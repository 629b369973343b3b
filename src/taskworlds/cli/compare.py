"""`taskworlds compare`: two results of `evaluate`, task by task."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from taskworlds.cli.terminal import console
from taskworlds.core.errors import WrongValue

if TYPE_CHECKING:
    from taskworlds.evaluation import Comparison
    from taskworlds.evaluation.statistics import Estimate

__all__ = ["compare"]


def compare(
    a: Annotated[Path, typer.Argument(metavar="A", help="Give a result.json, or the folder that holds it.")],
    b: Annotated[Path, typer.Argument(metavar="B", help="Give the second result, as a file or as a folder.")],
    allow_different: Annotated[
        bool,
        typer.Option(
            "--allow-different", help="Compare even if settings or versions differ, and list the differences."
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the differences as JSON.")] = False,
) -> None:
    """Shows how much result B differs from result A, with 95 % intervals.

    Both must have been measured in the same way: on the same tasks, with the same settings and versions.
    """
    # These load a simulator, which `taskworlds --help` can do without.
    from taskworlds.evaluation import Result
    from taskworlds.evaluation import compare as compare_results
    from taskworlds.evaluation.result import headline

    results = []
    for path in (a, b):
        file = path / "result.json" if path.is_dir() else path
        try:
            results.append(Result.load(file))
        except OSError as error:
            raise WrongValue(
                f"{file} cannot be read: {error.strerror}. Give a folder or file that `taskworlds evaluate --out` "
                "wrote."
            ) from None
    first, second = results
    differences = first.fingerprint.differences(second.fingerprint)
    if differences and not allow_different:
        listed = "; ".join(f"{name}: {mine!r} and {theirs!r}" for name, (mine, theirs) in differences.items())
        raise WrongValue(
            "The results were not measured in the same way, so their difference would have several causes: "
            f"{listed}. Evaluate again under the same conditions, or pass --allow-different."
        )
    comparison = compare_results(first, second, allow_different=allow_different)
    if as_json:
        print(json.dumps(_plain(comparison), indent=1, allow_nan=False))
        return
    say = console()
    for letter, path, result in (("A", a, first), ("B", b, second)):
        line = f"{letter}: {result.headline.partition(',')[0]} in {len(result.completed)} tasks, {path}"
        say.print(line, markup=False, soft_wrap=True)
    say.print(comparison.table())
    difference = headline(
        {metric: summary.mean for metric, summary in comparison.overall.items()}, signed=True
    )
    say.print(f"B minus A: {difference}, {comparison.num_tasks} tasks", markup=False, soft_wrap=True)


def _plain(comparison: Comparison) -> dict[str, Any]:
    """Returns a comparison as JSON values; each figure has its interval, and what is unknown is null."""

    def estimate(value: Estimate) -> dict[str, float | None]:
        return {end: number if math.isfinite(number) else None for end, number in value._asdict().items()}

    return {
        "num_tasks": comparison.num_tasks,
        "overall": {
            metric: {"mean": estimate(summary.mean), "iqm": estimate(summary.iqm)}
            for metric, summary in comparison.overall.items()
        },
        "skills": [
            {"env_name": skill.env_name, "num_tasks": skill.num_tasks}
            | {metric: estimate(getattr(skill, metric)) for metric in comparison.overall}
            for skill in comparison.skills
        ],
        "left_out": [json.loads(task.to_json()) for task in comparison.left_out],
        "differences": {name: list(values) for name, values in comparison.fingerprint_differences.items()},
    }
