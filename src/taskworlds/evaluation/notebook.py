"""Results in notebooks: a small chart and a table as HTML, which fit light and dark themes."""

from __future__ import annotations

import hashlib
import html
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from taskworlds.charts import Caption, Difference, Dots, differences, dots, table
from taskworlds.charts.axes import Axis, axis_over
from taskworlds.charts.difference_chart import p_text, signed_text
from taskworlds.charts.dot_chart import interval_text
from taskworlds.evaluation.statistics import RATES, Estimate

if TYPE_CHECKING:
    from taskworlds.evaluation.comparison import Comparison
    from taskworlds.evaluation.summaries import SkillSummary, Summary

__all__ = ["comparison_html", "result_html"]

_WIDTH = 620.0  # of a chart, pixels
_UNFOLDED = 15  # skills up to which chart and table are shown without a click
_DIGITS = {"success_end": 2, "success_once": 2, "episode_return": 1, "length": 1}
_HEADINGS = {
    "success_end": "success (end)",
    "success_once": "success once",
    "episode_return": "return",
    "length": "length",
}


def result_html(title: str, skills: Sequence[SkillSummary], overall: dict[str, Summary]) -> str:
    """Returns a result, or several runs of a method, as HTML.

    Args:
        title: what was evaluated and its headline, in a line.
        skills: the figures by skill.
        overall: the figures over all skills, by metric.
    """
    metric = _leading(overall["success_end"].mean)
    rows = [Dots(skill.env_name, [getattr(skill, metric)]) for skill in skills]
    axis = _axis(metric, [number for row in rows for number in row.figures[0]])
    caption = _caption(title, f"{_HEADINGS[metric]} by skill")
    drawn = dots(rows, ["result"], axis, caption, width=_WIDTH) if rows else ""
    # Also what only some of the skills have, of which the mean over all is unknown.
    metrics = [
        name for name in _HEADINGS if not all(math.isnan(getattr(skill, name).value) for skill in skills)
    ]
    numbers = table(
        "",
        ["skill", "tasks", *(_HEADINGS[name] for name in metrics)],
        [
            [
                skill.env_name,
                str(skill.num_tasks - skill.num_failed),
                *(interval_text(getattr(skill, name), _DIGITS[name]) for name in metrics),
            ]
            for skill in skills
        ],
        footer=[
            "mean",
            str(sum(skill.num_tasks - skill.num_failed for skill in skills)),
            *(interval_text(overall[name].mean, _DIGITS[name]) for name in metrics),
        ],
    )
    return _framed(title, drawn, numbers, len(skills))


def comparison_html(comparison: Comparison) -> str:
    """Returns a comparison as HTML: the differences of the means and, of two methods, a chart of the skills."""
    title = f"Comparison of {', '.join(method.name for method in comparison.methods)}"
    metric = _leading(*(pair.overall["success_end"].mean for pair in comparison.pairs))
    digits = _DIGITS[metric]
    overall = table(
        f"difference in {_HEADINGS[metric]}, {comparison.num_tasks} tasks",
        ["methods", "difference", "p, corrected"],
        [
            [
                f"{pair.b} minus {pair.a}",
                signed_text(pair.overall[metric].mean, digits),
                p_text(pair.p_adjusted.get(metric, math.nan)),
            ]
            for pair in comparison.pairs
        ],
    )
    if len(comparison.pairs) != 1:
        return _framed(title, "", overall, 0)
    pair = comparison.pairs[0]
    rows = [
        Difference(skill.env_name, getattr(skill, metric), skill.p_adjusted.get(metric, math.nan))
        for skill in pair.skills
    ]
    most = max((abs(each) for row in rows for each in row.figure if not math.isnan(each)), default=1.0) or 1.0
    end = 1.0 if metric in RATES else 1.05 * most
    axis = Axis(f"difference in {_HEADINGS[metric]}", -end, end, digits)
    caption = _caption(title, f"{pair.b} minus {pair.a} by skill")
    drawn = differences(rows, (pair.a, pair.b), axis, caption, width=_WIDTH)
    numbers = table(
        "",
        ["skill", "tasks", "difference", "p, corrected"],
        [
            [row.name, str(skill.num_tasks), signed_text(row.figure, digits), p_text(row.p)]
            for row, skill in zip(rows, pair.skills, strict=True)
        ],
    )
    return _framed(title, overall + drawn, numbers, len(rows))


def _leading(*successes: Estimate) -> str:
    known = any(not math.isnan(each.value) for each in successes)
    return "success_end" if known else "episode_return"


def _axis(metric: str, values: Sequence[float]) -> Axis:
    if metric in RATES:
        return Axis(_HEADINGS[metric], 0.0, 1.0, _DIGITS[metric])
    return axis_over(_HEADINGS[metric], values, from_zero=True, digits=_DIGITS[metric])


def _caption(title: str, what: str) -> Caption:
    name = f"taskworlds-{hashlib.sha256(f'{title} {what}'.encode()).hexdigest()[:10]}"
    return Caption(name, what, f"{title}. The table has the numbers.")


def _framed(title: str, drawn: str, numbers: str, skills: int) -> str:
    """Returns title, chart and table; both can be folded, and are where there are many skills."""
    head = f'<div style="font-weight:600">{html.escape(title)}</div>'
    if not skills:
        return f"<div>{head}{drawn}{numbers}</div>"
    opened = " open" if skills <= _UNFOLDED else ""
    return (
        f"<div>{head}<details{opened}><summary>chart of {skills} skill{'' if skills == 1 else 's'}</summary>{drawn}"
        f'</details><details><summary>table</summary><div style="overflow-x:auto">{numbers}</div></details></div>'
    )
