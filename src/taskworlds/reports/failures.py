"""The section on what went wrong: tasks that could not run, and episodes whose simulation diverged."""

from __future__ import annotations

from collections.abc import Sequence

from taskworlds.evaluation.pooled import Pooled
from taskworlds.reports.blocks import Block, Cell, Column, Section, Table, Text
from taskworlds.reports.metrics import number_cell

__all__ = ["failures_section"]


def failures_section(methods: Sequence[Pooled]) -> Section | None:
    """Returns the section; None where all tasks ran and no episode diverged."""
    blocks: list[Block] = []
    runs = [
        (f"{method.name}, run {number}" if len(method.runs) > 1 else method.name, run)
        for method in methods
        for number, run in enumerate(method.runs, 1)
    ]
    failed = [(name, record) for name, run in runs for record in run.failed]
    if failed:
        blocks.append(Text(f"{_counted(len(failed), 'task')} could not run, and are not in any figure."))
        blocks.append(
            Table(
                "Tasks that could not run",
                [Column(text, is_number=False) for text in ("method", "skill", "task", "error")],
                [
                    [Cell(name), Cell(record.task.env_name), Cell(record.task.id), Cell(record.error or "")]
                    for name, record in failed
                ],
            )
        )
    diverged = [(name, record) for name, run in runs for record in run.completed if record.num_diverged]
    if diverged:
        count = sum(record.num_diverged for _, record in diverged)
        blocks.append(
            Text(
                f"{_counted(count, 'episode')} diverged in simulation. They count, as they do in Meta-World's "
                "evaluation, but are not meaningful."
            )
        )
        blocks.append(
            Table(
                "Tasks with episodes that diverged",
                [
                    *(Column(text, is_number=False) for text in ("method", "skill", "task")),
                    Column("diverged"),
                    Column("episodes"),
                ],
                [
                    [
                        Cell(name),
                        Cell(record.task.env_name),
                        Cell(record.task.id),
                        number_cell(record.num_diverged),
                        number_cell(len(record.episodes)),
                    ]
                    for name, record in diverged
                ],
            )
        )
    return Section("failures", "What went wrong", blocks) if blocks else None


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
