"""Charts: their numbers, names and marks are in the SVG, and nothing in it is anything but escaped text."""

from __future__ import annotations

import itertools
import math
import re
import xml.etree.ElementTree as ET

import pytest

from taskworlds.charts import (
    Caption,
    Curve,
    Difference,
    Dots,
    Figure,
    Profile,
    Spread,
    curves,
    definition_table,
    differences,
    dots,
    figures,
    heat_map,
    profiles,
    spreads,
    table,
)
from taskworlds.charts.axes import Axis, ticks_between
from taskworlds.charts.svg import text_width

SVG = "{http://www.w3.org/2000/svg}"
UNKNOWN = (math.nan, math.nan, math.nan)
RATE = Axis("success", 0.0, 1.0)
NASTY = "<script>alert(1)</script> & \"x\" 'y'"
WIDTHS = (940.0, 328.0)


def caption(name="chart"):
    return Caption(name, "A title", "A description.")


def texts(svg):
    """All texts of a chart, tooltips too; fails unless it is XML."""
    return [element.text for element in ET.fromstring(svg).iter() if element.text]


def every_chart(name, width):
    """One of each kind, with a method or a skill of this name."""
    many = [name, "other", "third"]
    estimates = [(0.5, 0.25, 0.75), UNKNOWN, (0.125, math.nan, math.nan)]
    return {
        "dots": dots([Dots(name, estimates[:1])], [name], RATE, caption(), width=width),
        "dots of several": dots([Dots(name, estimates)], many, RATE, caption(), width=width),
        "dots of many": dots([Dots(name, estimates * 4)], many * 4, RATE, caption(), width=width),
        "spreads": spreads(
            [Spread(name, [[1.0, 2.0, 9.0], []])], many[:2], Axis("steps", 0, 10, 0), caption(), width=width
        ),
        "heat map": heat_map([(name, [(name, 0.5), ("goal 2", math.nan)])], caption(), width=width),
        "differences": differences(
            [
                Difference(name, (0.5, 0.25, 0.75), 0.01),
                Difference("same", (0.0, -0.1, 0.1), 1.0),
                Difference("x", UNKNOWN, math.nan),
            ],
            (name, "other"),
            Axis("difference", -1, 1),
            caption(),
            width=width,
        ),
        "curves": curves(
            [Curve(name, [(1e6, (0.5, 0.25, 0.75)), (2e6, UNKNOWN)]), Curve("other", [])],
            name,
            RATE,
            caption(),
            width=width,
        ),
        "profiles": profiles(
            [
                Profile(name, [0, 0.5, 1], [1, 0.5, 0], [0.9, 0.4, 0], [1, 0.6, 0]),
                Profile("other", [0, 1], [1, 0]),
            ],
            name,
            caption(),
            width=width,
        ),
        "figures": figures(
            [Figure(RATE, estimates), Figure(Axis(name, 0, 1), estimates)], many, caption(), width=width
        ),
    }


@pytest.mark.parametrize("width", WIDTHS)
def test_names_are_escaped_and_charts_can_be_read_aloud(width):
    for kind, svg in every_chart(NASTY, width).items():
        root = ET.fromstring(svg)
        assert root.get("role") == "img", kind
        for id_ in root.get("aria-labelledby").split():
            (named,) = [element for element in root.iter() if element.get("id") == id_]
            assert named.text in ("A title", "A description."), kind
        assert "<script" not in svg, kind
        assert {element.tag for element in root.iter()} <= {
            f"{SVG}{tag}" for tag in ("svg", "title", "desc", "g", "path", "rect", "circle", "text")
        }, kind
        assert any("alert(1)" in text for text in texts(svg)), kind


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_is_drawn_outside_and_no_number_is_missing(width):
    for kind, svg in every_chart("reach-v3", width).items():
        root = ET.fromstring(svg)
        _, _, wide, high = map(float, root.get("viewBox").split())
        assert wide == width
        assert "nan" not in svg, kind
        for element in root.iter():
            for attribute, most in (("x", wide), ("y", high), ("cx", wide), ("cy", high)):
                assert 0 <= float(element.get(attribute, 0)) <= most, (kind, element.attrib)
            for x, y in re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", element.get("d", "")):
                assert -6 <= float(x) <= wide + 6, (kind, element.attrib)
                assert -6 <= float(y) <= high + 6, (kind, element.attrib)


def test_colours_follow_the_page_and_the_theme():
    svg = every_chart("reach-v3", 940.0)["dots of several"]
    assert "var(--series-1,#0072b2)" in svg
    assert "var(--series-2,#d55e00)" in svg
    painted = set(re.findall(r'(?:fill|stroke)="([^"]+)"', svg))
    assert {each for each in painted if not each.startswith("var(--series-")} <= {"currentColor", "none"}


def test_dots():
    rows = [Dots("reach-v3", [(0.5, 0.25, 0.75)]), Dots("push-v3", [UNKNOWN])]
    wide = dots(rows, ["ppo"], RATE, caption(), width=940)
    assert "0.50 [0.25, 0.75]" in texts(wide)
    assert "reach-v3: 0.50 [0.25, 0.75]" in texts(wide)
    assert "not known" in texts(wide)
    circle = ET.fromstring(wide).find(f".//{SVG}circle")
    line = next(path for path in ET.fromstring(wide).iter(f"{SVG}path") if path.get("stroke-width") == "3")
    start, end = (float(x) for x in re.fullmatch(r"M([\d.]+) [\d.]+H([\d.]+)", line.get("d")).groups())
    assert float(circle.get("cx")) == pytest.approx((start + end) / 2)  # the middle of a symmetric interval


def test_methods_have_columns_where_there_is_room():
    rows = [Dots("reach-v3", [(0.5, 0.25, 0.75), (0.25, 0.0, 0.5)])]
    wide = texts(dots(rows, ["ppo", "sac"], RATE, caption(), width=940))
    narrow = texts(dots(rows, ["ppo", "sac"], RATE, caption(), width=328))
    assert (wide.count("success"), narrow.count("success")) == (2, 1)  # an axis each
    assert {"reach-v3, ppo: 0.50 [0.25, 0.75]", "reach-v3, sac: 0.25 [0.00, 0.50]"} <= {*wide} & {*narrow}


def test_differences_are_marked_by_the_corrected_p_value():
    rows = [Difference("a", (0.5, 0.25, 0.75), 0.01), Difference("b", (-0.5, -0.75, -0.25), 0.06)]
    svg = differences(rows, ("ppo", "sac"), Axis("difference", -1, 1), caption(), width=940)
    assert {"a: +0.50 [+0.25, +0.75], p = 0.010", "b: -0.50 [-0.75, -0.25], p = 0.060"} <= {*texts(svg)}
    assert {"ppo better", "sac better"} <= {*texts(svg)}
    marks = [
        each
        for each in ET.fromstring(svg).iter()
        if each.find(f"{SVG}title") is not None and each.tag != f"{SVG}svg"
    ]
    first, second = marks
    assert (first.get("fill"), first.tag) == ("var(--series-2,#d55e00)", f"{SVG}path")  # sac's square, filled
    assert (second.get("fill"), second.tag) == ("none", f"{SVG}circle")  # ppo's circle, hollow


def test_spreads():
    rows = [Spread("reach-v3", [[40.0, 50.0, 90.0, math.nan]]), Spread("push-v3", [[]])]
    svg = spreads(rows, ["ppo"], Axis("steps", 0, 100, 0), caption(), width=940)
    assert "reach-v3: median 50, middle half 45 to 70, 3 values" in texts(svg)
    assert "none" in texts(svg)
    strokes = next(
        path.get("d") for path in ET.fromstring(svg).iter(f"{SVG}path") if path.get("d").count("v10") > 1
    )
    assert strokes.count("M") == 3


def test_heat_map():
    goals = [("goal 1", 1.0), ("goal 2", 0.0), ("goal 3", 0.46), ("goal 4", math.nan)]
    svg = heat_map([("reach-v3", goals)], caption(), width=940)
    assert {"reach-v3: 1.00", "goal 2: 0.00", "goal 3: 0.46", "goal 4: could not be played"} <= {*texts(svg)}
    opacities = [
        float(each) for each in re.findall(r'fill="var\(--series-1[^"]*" fill-opacity="([\d.]+)"', svg)
    ]
    assert max(opacities) == 0.85
    many = [("reach-v3", [("goal", 0.0)] * 50)] * 50
    assert len(heat_map(many, caption(), width=328)) < 200_000


def test_curves():
    svg = curves(
        [Curve("ppo", [(0.0, (0.1, 0.0, 0.2)), (2e6, (0.5, 0.4, 0.6))])], "steps", RATE, caption(), width=940
    )
    assert {"ppo at 0: 0.10 [0.00, 0.20]", "ppo at 2M: 0.50 [0.40, 0.60]", "1M"} <= {*texts(svg)}


def test_profiles_are_steps():
    svg = profiles([Profile("ppo", [0.0, 0.5, 1.0], [1.0, 0.5, 0.0])], "success", caption(), width=940)
    line = next(path for path in ET.fromstring(svg).iter(f"{SVG}path") if path.get("stroke-width") == "2")
    assert line.get("d").count("L") == 4  # two corners for each threshold after the first


def test_figures():
    svg = figures(
        [Figure(Axis("mean", 0, 1), [(0.5, 0.25, 0.75), UNKNOWN])], ["ppo", "sac"], caption(), width=940
    )
    assert {"ppo: mean 0.50 [0.25, 0.75]", "0.50", "not known"} <= {*texts(svg)}


def test_in_a_narrow_drawing_numbers_of_figures_meet_no_names():
    field = Figure(Axis("mean", 0, 1), [(value, 0.0, 1.0) for value in (0.0, 0.04, 0.13, 1.0)])
    names = ["a-method-whose-name-is-rather-long-and-longer", "b", "c", "d"]
    elements = ET.fromstring(figures([field], names, caption(), width=328.0)).iter(f"{SVG}text")
    placed = []
    for each in elements:
        shown, at = each[-1].tail if len(each) else each.text, float(each.get("x"))
        width = text_width(shown)
        start = {"end": at - width, "middle": at - width / 2}.get(each.get("text-anchor"), at)
        placed.append((float(each.get("y")), start, start + width, shown))
    placed.sort()
    lines = [[placed[0][1:]]]
    for (above, *_), (y, *rest) in itertools.pairwise(placed):
        if y - above > 6:  # pixels, about half the height of a letter
            lines.append([])
        lines[-1].append(tuple(rest))
    lines = [sorted(line) for line in lines]
    assert sum(len(line) == 2 for line in lines) >= 4  # a name and a number each
    for line in lines:
        for (_, end, one), (start, _, other) in itertools.pairwise(line):
            assert end <= start, (one, other)
        assert line[0][0] >= -1, line
        assert line[-1][1] <= 329, line


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (-1, 1, [-1, -0.5, 0, 0.5, 1]),
        (0, 5000, [0, 1000, 2000, 3000, 4000, 5000]),
    ],
)
def test_ticks(low, high, ticks):
    assert ticks_between(low, high, 6) == ticks


def test_tables_for_notebooks_are_escaped():
    for made in (definition_table(NASTY, [(NASTY, NASTY)]), table(NASTY, [NASTY], [[NASTY]], footer=[NASTY])):
        assert "<script" not in made
        assert made.count("&lt;script&gt;alert(1)") >= 3
