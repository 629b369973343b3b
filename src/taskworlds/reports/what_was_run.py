"""The section on what was run: where each result comes from, and what results must share to be compared."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from taskworlds.evaluation.fingerprint import Fingerprint
from taskworlds.evaluation.pooled import Pooled
from taskworlds.evaluation.provenance import Provenance
from taskworlds.evaluation.result import Result
from taskworlds.reports.blocks import Block, Cell, Column, Download, Downloads, Section, Table, Text

__all__ = ["what_was_run"]

_OLD = "This is not known of {}: the file was written by a version that did not note it."


def what_was_run(methods: Sequence[Pooled], every: Sequence[Pooled]) -> Section:
    """Returns the section: a column for each method, and the files of the results to download.

    Args:
        methods: those that the page compares.
        every: with them those at earlier points of learning curves.
    """
    blocks: list[Block] = []
    old = [method.name for method in methods if all(run.provenance is None for run in method.runs)]
    if old:
        blocks.append(Text(_OLD.format(", ".join(old))))
    entries = [
        (label, [_of_runs(method.runs, read) for method in methods])
        for label, read in (_SETTINGS | _RUN).items()
    ]
    blocks.append(
        Table(
            "",
            [Column("", is_number=False), *(Column(method.name, is_number=False) for method in methods)],
            [
                [Cell(label, strong=True), *(Cell(text or "-") for text in texts)]
                for label, texts in entries
                if any(texts)
            ],
            is_sortable=False,
        )
    )
    prints = dict.fromkeys(run.fingerprint for method in every for run in method.runs)
    blocks.append(_fingerprints(list(prints)))
    blocks.append(Downloads([_download(name, run) for name, run in _named(every)]))
    return Section("run", "What was run", blocks)


def _settings(read: Callable[[Result], Any]) -> Callable[[Result], str]:
    return lambda run: _text(read(run))


def _provenance(read: Callable[[Provenance], Any]) -> Callable[[Result], str]:
    return lambda run: "" if run.provenance is None else _text(read(run.provenance))


_SETTINGS: dict[str, Callable[[Result], str]] = {
    "benchmark": _settings(
        lambda run: run.benchmark if run.split is None else f"{run.benchmark}, {run.split} tasks"
    ),
    "protocol": _settings(lambda run: run.fingerprint.protocol),
    "episodes": _settings(lambda run: f"{run.episodes_per_task} for each goal, seed {run.seed}"),
}
_RUN: dict[str, Callable[[Result], str]] = {
    "policy": _provenance(lambda told: told.policy),
    "arguments": _provenance(
        lambda told: ", ".join(
            f"{name} = {json.dumps(_plain(value))}" for name, value in told.policy_arguments.items()
        )
    ),
    "checkpoint": _provenance(lambda told: told.checkpoint),
    "checkpoint's SHA-256": _provenance(
        lambda told: (
            told.checkpoint_sha256 and f"{told.checkpoint_sha256[:16]}..."
        )  # the download has all of it
    ),
    "engine": _provenance(lambda told: told.engine),
    "rows": _provenance(lambda told: told.num_envs),
    "workers": _provenance(lambda told: told.workers),
    "command": _provenance(lambda told: told.command),
    "versions": _provenance(
        lambda told: ", ".join(f"{name} {version}" for name, version in told.versions.items())
    ),
    "platform": _provenance(lambda told: told.platform),
    "commit": _provenance(
        lambda told: (
            told.commit and told.commit + (" with changes that are not committed" if told.has_changes else "")
        )
    ),
    "started": _provenance(lambda told: told.started),
    "took": _provenance(lambda told: None if told.seconds is None else _duration(told.seconds)),
}


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _of_runs(runs: Iterable[Result], read: Callable[[Result], str]) -> str:
    """Returns what the runs have in an entry: one text where it is the same, otherwise a line for each run."""
    texts = [read(run) for run in runs]
    if len(set(texts)) == 1:
        return texts[0]
    return "\n".join(f"run {number}: {text or '-'}" for number, text in enumerate(texts, 1))


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{seconds:.1f} s"


def _fingerprints(prints: Sequence[Fingerprint]) -> Table:
    """Returns the table of the fingerprints: one column, or one for each that differs."""
    names = dict.fromkeys(name for each in prints for name in each.by_name())
    headings = (
        ["value"] if len(prints) == 1 else [f"fingerprint {number}" for number in range(1, len(prints) + 1)]
    )
    return Table(
        "Fingerprint: what results must share to be compared",
        [Column("", is_number=False), *(Column(heading, is_number=False) for heading in headings)],
        [
            [
                Cell(name.replace("_", " "), strong=True),
                *(Cell(_text(each.by_name().get(name)) or "-") for each in prints),
            ]
            for name in names
        ],
        is_folded=True,
        is_sortable=False,
    )


def _named(methods: Sequence[Pooled]) -> list[tuple[str, Result]]:
    """Returns all runs, each with another name for its file."""
    named: dict[str, Result] = {}
    for method in methods:
        for number, run in enumerate(method.runs, 1):
            name = re.sub(r"[^\w.-]+", "-", method.name).strip("-.") or "result"
            name += f"-run-{number}" if len(method.runs) > 1 else ""
            while name in named:
                name += "-"
            named[name] = run
    return list(named.items())


def _download(name: str, run: Result) -> Download:
    content = json.dumps(
        json.loads(run.to_json()), separators=(",", ":")
    ).encode()  # the checksum is of the values
    size = f"{len(content) / 1e6:.1f} MB" if len(content) > 1e6 else f"{len(content) / 1e3:.0f} kB"
    return Download(
        f"{name}.json", size, f"data:application/json;base64,{base64.b64encode(content).decode()}"
    )
