"""Charts as SVG, and small tables as HTML: text made of numbers, without a library and without a script.

Nothing here knows of results or environments. Every function is pure: the same numbers give the same text. Text and
lines have `currentColor`, and series have CSS variables with a fallback, so that a chart fits a light page, a dark one
and a notebook. Names that are shown are escaped.
"""

from taskworlds.charts.curve_chart import Curve, curves
from taskworlds.charts.difference_chart import Difference, differences
from taskworlds.charts.dot_chart import Dots, dots
from taskworlds.charts.html import definition_table, table
from taskworlds.charts.interval_bars import Figure, figures
from taskworlds.charts.profile_chart import Profile, profiles
from taskworlds.charts.spread_chart import Spread, spreads
from taskworlds.charts.success_map import heat_map
from taskworlds.charts.svg import Caption

__all__ = [
    "Caption",
    "Curve",
    "Difference",
    "Dots",
    "Figure",
    "Profile",
    "Spread",
    "curves",
    "definition_table",
    "differences",
    "dots",
    "figures",
    "heat_map",
    "profiles",
    "spreads",
    "table",
]
