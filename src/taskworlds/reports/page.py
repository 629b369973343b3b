"""The page as HTML: a template of the package, filled with texts, charts and tables."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from importlib import resources
from typing import NamedTuple

from taskworlds.charts.axes import written
from taskworlds.charts.dot_chart import Interval
from taskworlds.charts.series import draw_mark
from taskworlds.charts.svg import Caption, Drawing
from taskworlds.core.version import __version__
from taskworlds.reports.blocks import Section
from taskworlds.reports.metrics import Metric

__all__ = ["Head", "Headline", "Page", "written_page"]

_PACKAGE = "taskworlds.reports"


class Headline(NamedTuple):
    """What a method comes to.

    Attributes:
        name: of the method.
        figure: mean and the ends of its interval.
        counts: episodes, goals and runs, in words.
        over: what the interval is over, "goals" or "runs".
    """

    name: str
    figure: Interval
    counts: str
    over: str


class Head(NamedTuple):
    """What stands at the head of the page.

    Attributes:
        title: of the page.
        benchmark: with the split and the protocol.
        fingerprint: of the tasks.
        headlines: one for each method.
        partial: names of methods with a result of an evaluation that was stopped.
        differences: what differs between fingerprints, where that was allowed.
    """

    title: str
    benchmark: str
    fingerprint: str
    headlines: Sequence[Headline]
    partial: Sequence[str]
    differences: Sequence[str]


class Page(NamedTuple):
    """All of a page.

    Attributes:
        head: of the page.
        metric: that it is about.
        sections: in their order.
    """

    head: Head
    metric: Metric
    sections: Sequence[Section]


def written_page(page: Page) -> str:
    """Returns the page as HTML. Whatever users named is escaped, and only the page's own script may run.

    Raises:
        ImportError: jinja2 is not installed.
    """
    try:
        import jinja2  # an optional library, which only pages need
        import markupsafe
    except ImportError:
        raise ImportError(
            'A report is written with jinja2, which is not installed: pip install "taskworlds[report]".'
        ) from None
    files = resources.files(_PACKAGE)
    script, style = ((files / name).read_text(encoding="utf-8").strip() for name in ("page.js", "page.css"))
    loader = jinja2.FunctionLoader(lambda name: (files / name).read_text(encoding="utf-8"))
    environment = jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("page.html.jinja").render(
        head=page.head,
        metric=page.metric,
        sections=page.sections,
        marks=[markupsafe.Markup(_mark(number)) for number in range(len(page.head.headlines))],
        script=markupsafe.Markup(script),
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        style=markupsafe.Markup(style),
        svg=markupsafe.Markup,
        written=written,
        version=__version__,
    )


def _mark(series: int) -> str:
    """Returns the mark of a method as a small picture of its own."""
    drawing = Drawing(
        14, 14, Caption(f"mark-{series}", "mark", f"The mark of method {series + 1} in the charts.")
    )
    draw_mark(drawing, series, 7, 7)
    return drawing.to_svg()
