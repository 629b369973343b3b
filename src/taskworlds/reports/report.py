"""Puts a report together: which sections it has, and what stands at its head."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any

from taskworlds.core.errors import WrongType, WrongValue
from taskworlds.core.files import write_whole
from taskworlds.evaluation.alike import check_alike
from taskworlds.evaluation.comparison import compare
from taskworlds.evaluation.pooled import Pooled, pool
from taskworlds.evaluation.result import PARTIAL, Result
from taskworlds.evaluation.statistics import METRICS
from taskworlds.reports.blocks import Section
from taskworlds.reports.differences import differences_section
from taskworlds.reports.episodes import episodes_section
from taskworlds.reports.failures import failures_section
from taskworlds.reports.learning import learning_curves, learning_section
from taskworlds.reports.metrics import leading_metric
from taskworlds.reports.page import Head, Headline, Page, written_page
from taskworlds.reports.reading import reading_section
from taskworlds.reports.several_runs import runs_section
from taskworlds.reports.skills import skills_section
from taskworlds.reports.variations import variations_section
from taskworlds.reports.videos import videos_section
from taskworlds.reports.what_was_run import what_was_run

__all__ = ["report", "report_page"]

Method = Result | Pooled | Sequence[Result]


def report(
    path: str | os.PathLike[str],
    *methods: Method,
    title: str | None = None,
    videos: str | os.PathLike[str] | None = None,
    x_label: str = "checkpoint",
    curve: bool = True,
    allow_different: bool | Iterable[str] = False,
) -> None:
    """Writes a page about results to a file, all at once; a file that is there is replaced.

    Args:
        path: of the HTML file.
        *methods: and the keywords are those of `report_page`.
        title: heading of the page.
        videos: folder whose videos the page holds.
        x_label: what the numbers of checkpoints are.
        curve: whether results at other checkpoints of the same policy make a learning curve.
        allow_different: what may differ between the fingerprints.

    Raises:
        OSError: the file cannot be written.
        ImportError, TypeError, ValueError: as `report_page`.
    """
    page = report_page(
        *methods, title=title, videos=videos, x_label=x_label, curve=curve, allow_different=allow_different
    )
    # Names of files that Python could not decode, as in the C locale, are written as the bytes that they are.
    write_whole(path, page.encode(errors="surrogateescape"))


def report_page(
    *methods: Method,
    title: str | None = None,
    videos: str | os.PathLike[str] | None = None,
    x_label: str = "checkpoint",
    curve: bool = True,
    allow_different: bool | Iterable[str] = False,
) -> str:
    """Returns a page about results as HTML that needs no other file and no network.

    Args:
        *methods: each a result, or several runs (training seeds) of a method, as `pool` returns them or as a list.
            Their names on the page are those of `pool`.
        title: heading of the page; None for the benchmark's name.
        videos: folder that `taskworlds record --out` wrote, whose mp4 files the page holds; None for none.
        x_label: what the numbers in the checkpoints' names are, such as "training steps".
        curve: whether results of the same policy at other checkpoints make a learning curve. Its last point then stands
            for them in the rest of the page.
        allow_different: as in `compare`. What differs stands at the head of the page.

    Raises:
        ImportError: jinja2 is not installed.
        TypeError: a method is something else.
        ValueError: there is no method, the fingerprints differ where they may not, or `videos` cannot be read.

    Example:
        >>> from taskworlds import Task
        >>> from taskworlds.evaluation import Episode, Fingerprint, TaskRecord
        >>> task = Task("reach-v3", {"rand_vec": (0.0, 0.6, 0.2)})
        >>> fingerprint = Fingerprint.of([task], protocol="multi-task", terminate_on_success=True)
        >>> record = TaskRecord(task, (Episode(8.0, 3, True, True),))
        >>> page = report_page(Result("MT1", "train", 1, 0, fingerprint, (record,)))
        >>> page.startswith("<!doctype html>"), "reach-v3" in page
        (True, True)
    """
    pooled = _pooled(methods, allow_different)
    first = pooled[0].runs[0]
    differences: dict[str, list[Any]] = {}
    for run in (run for method in pooled for run in method.runs):
        for name, (mine, theirs) in check_alike(first.fingerprint, run.fingerprint, allow_different).items():
            values = differences.setdefault(name, [mine])
            values += [] if theirs in values else [theirs]
    learnings, shown = learning_curves(pooled, allow_different=allow_different) if curve else ([], pooled)
    metric = leading_metric(shown)
    comparison = compare(*shown, allow_different=allow_different) if len(shown) > 1 else None
    sections: list[Section | None] = [
        what_was_run(shown, pooled),
        skills_section(shown, comparison, metric),
        differences_section(comparison, metric) if comparison is not None else None,
        variations_section(shown, comparison, metric) if _have_same_parts(shown) else None,
        runs_section(shown, metric) if any(len(method.runs) > 1 for method in shown) else None,
        learning_section(learnings, metric, x_label) if learnings else None,
        episodes_section(shown),
        failures_section(pooled),
        None if videos is None else videos_section(videos),
        reading_section(shown, metric),
    ]
    benchmark = first.benchmark.removesuffix(PARTIAL)
    name = benchmark if first.split is None else f"{benchmark}, {first.split} tasks"
    head = Head(
        title=title if title is not None else f"Evaluation on {name}",
        benchmark=f"{name}, {first.fingerprint.protocol}",
        fingerprint=first.fingerprint.tasks,
        headlines=[_headline(method, metric.name) for method in shown],
        partial=[
            method.name for method in pooled if any(run.benchmark.endswith(PARTIAL) for run in method.runs)
        ],
        differences=[f"{field}: {', '.join(map(str, values))}" for field, values in differences.items()],
    )
    return written_page(Page(head, metric, [section for section in sections if section is not None]))


def _have_same_parts(methods: Sequence[Pooled]) -> bool:
    """Returns whether the methods were evaluated on the same parts of a suite of variations."""
    parts = [method.variations and set(method.variations[METRICS[0]].parts) for method in methods]
    return all(each and each == parts[0] for each in parts)


def _pooled(methods: Sequence[Method], allow_different: bool | Iterable[str]) -> list[Pooled]:
    """Returns each method as its runs, with names that differ."""
    if not methods:
        raise WrongValue(
            "methods must be one result at least, not none: give what evaluate or Result.load returned."
        )
    made: list[Pooled] = []
    for method in methods:
        if isinstance(method, Pooled):
            made.append(method)
        elif isinstance(method, Result):
            made.append(pool([method]))
        elif isinstance(method, Sequence) and not isinstance(method, str):
            made.append(pool(list(method), allow_different=allow_different))
        else:
            raise WrongType(
                f"methods must be results or several runs of one, not {type(method).__name__}: give what evaluate, "
                "pool or Result.load returned."
            )
    names: dict[str, int] = {}
    unlike = []
    for each in made:
        names[each.name] = names.get(each.name, 0) + 1
        number = names[each.name]
        unlike.append(each if number == 1 else pool(each.runs, f"{each.name} {number}", allow_different=True))
    return unlike


def _headline(method: Pooled, metric: str) -> Headline:
    goals, episodes = (
        len(method.tasks),
        sum(len(record.episodes) for run in method.runs for record in run.completed),
    )
    counts = [
        f"{episodes} episode{'' if episodes == 1 else 's'}",
        f"{goals} goal{'' if goals == 1 else 's'} of {len(method.skills)} "
        f"skill{'' if len(method.skills) == 1 else 's'}",
    ]
    if len(method.runs) > 1:
        counts.append(f"{len(method.runs)} runs")
    return Headline(method.name, method.overall[metric].mean, ", ".join(counts), method.over)
