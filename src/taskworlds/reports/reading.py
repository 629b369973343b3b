"""The section on how to read the page: what an interval says, and what it does not."""

from __future__ import annotations

from collections.abc import Sequence

from taskworlds.evaluation.pooled import Pooled
from taskworlds.reports.blocks import Block, Section, Text
from taskworlds.reports.metrics import Metric

__all__ = ["reading_section"]

_GOALS = (
    "A figure is a mean in which every goal of a skill has equal weight, and then every skill. Its 95 % interval "
    "says how far it would move if other goals of the same skills were drawn, for this very policy: of a hundred "
    "such intervals about 95 hold the true rate. It does not say what another training run would give."
)
_RUNS = (
    "Where a method has several runs, its intervals are over runs: they say how far the figure would move if the "
    "method were trained again with other seeds. With few runs they are wide, and rightly so."
)
_RATES = (
    "Fifty successes of fifty do not prove a rate of 1: the interval of such a skill still reaches down "
    "to about 0.93."
)
_SEVERAL = (
    "To tell two methods apart, look at the differences, not at whether their intervals overlap: both play the same "
    "goals, and a difference on the same goals is known better than either figure. A p value is how often a "
    "difference as large would come about if there were none."
)


def reading_section(methods: Sequence[Pooled], metric: Metric) -> Section:
    """Returns the section, with what the page has."""
    texts = [_GOALS]
    if any(len(method.runs) > 1 for method in methods):
        texts.append(_RUNS)
    if metric.name == "success_end":
        texts.append(_RATES)
    if len(methods) > 1:
        texts.append(_SEVERAL)
    blocks: list[Block] = [Text(text) for text in texts]
    return Section("reading", "How to read this page", blocks)
