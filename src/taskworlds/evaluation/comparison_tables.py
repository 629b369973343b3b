"""Tables of comparisons for the terminal, at most 80 columns wide for Meta-World's skills."""

from __future__ import annotations

import math
from collections.abc import Sequence
from string import ascii_uppercase
from typing import TYPE_CHECKING

import rich.box
import rich.console
import rich.table
import rich.text

from taskworlds.evaluation.differences import GOALS, NOTHING, RUNS
from taskworlds.evaluation.fitting_table import FittingTable
from taskworlds.evaluation.groups import several_worlds
from taskworlds.evaluation.scores import as_text
from taskworlds.evaluation.statistics import METRICS, RATES, Estimate, skill_rows
from taskworlds.evaluation.summaries import part_in_words
from taskworlds.evaluation.variations import parts_of

if TYPE_CHECKING:
    from taskworlds.evaluation.comparison import Comparison, Pair
    from taskworlds.evaluation.pooled import Pooled

__all__ = ["comparison_table", "letter"]

_WORDS = dict(zip(METRICS, ("success (end)", "success (once)", "return", "length"), strict=True))
_OVER = {
    GOALS: "over new goals of these skills, for these policies",
    RUNS: "over training runs",
}
# Columns that go where there is no room, the first of them first. Of many methods each has a column, which stays.
_GIVEN_UP = ("A", "B", "skills -", "skills +", "P(better)", "p (Holm)")
_LEVEL = 0.05  # below which a corrected p value is called a difference


def letter(number: int) -> str:
    """Returns what tables call a method.

    Example:
        >>> letter(0), letter(25), letter(26)
        ('A', 'Z', 'M27')
    """
    return ascii_uppercase[number] if number < len(ascii_uppercase) else f"M{number + 1}"


def comparison_table(comparison: Comparison, metric: str) -> rich.console.RenderableType:
    """Returns the table of two methods, or the two tables of more, see `Comparison.table`.

    Args:
        comparison: what is shown.
        metric: one of `METRICS`, of the skills' lines.
    """
    if len(comparison.methods) == 2:
        return _of_two(comparison, metric)
    return rich.console.Group(_of_skills(comparison, metric), _of_pairs(comparison, metric))


def _of_two(comparison: Comparison, metric: str) -> rich.table.Table:
    a, b = comparison.methods
    (pair,) = comparison.pairs
    table = _table(f"A: {a.name}, B: {b.name}", ("skill", *("A", "B", "B - A", "95 % interval", "p (Holm)")))
    means = [_skill_means(comparison, method, metric) for method in (a, b)]
    for skill, first, second in zip(pair.skills, *means, strict=True):
        figure = getattr(skill, metric)
        cells = _cells(first, second, figure, skill.p_adjusted[metric], metric)
        table.add_row(_plain(skill.env_name), *cells)
    table.add_section()
    metrics = _known(pair)
    for each in metrics:
        first, second = (_skill_means(comparison, method, each) for method in (a, b))
        cells = _cells(_mean(first), _mean(second), pair.overall[each].mean, pair.p_adjusted[each], each)
        table.add_row(_plain(f"mean {_WORDS[each]}"), *cells, style="bold")
    if len(pair.skills) > 1:
        for each in metrics:
            figure = pair.overall[each].iqm
            cells = ["", "", _signed(figure.value, each), _interval(figure, each), ""]
            table.add_row(_plain(f"IQM {_WORDS[each]}"), *cells)
    for name, ((figure, p),) in comparison.scores.items():
        first, second = (_score_of(comparison, method, name) for method in (a, b))
        value, _, interval = as_text(name, figure, signed=True).partition(" ")
        cells = [as_text(name, first), as_text(name, second), value, interval or "-", _p(p)]
        table.add_row(_plain(f"score of {name}"), *cells, style="bold")
    names = _worlds(comparison)
    if names:
        table.add_section()
    for each in METRICS if names else ():
        for world in comparison.by_world(each)[0]:
            if world.part in names and not math.isnan(world.difference.value):
                first, second = (_world_mean(comparison, method, each, world.env_names) for method in (a, b))
                cells = _cells(first, second, world.difference, world.p_adjusted, each)
                table.add_row(_plain(f"mean {_WORDS[each]}, {world.part}"), *cells)
    if comparison.parts:
        table.add_section()
        means = [_part_means(comparison, method, metric) for method in (a, b)]
        for part, first, second in zip(comparison.by_variation(metric)[0], *means, strict=True):
            cells = _cells(first, second, part.difference, part.p_adjusted, metric)
            table.add_row(_plain(part_in_words(part.part, part.env_names)), *cells)
    return _with_caption(table, [f"skills: {_WORDS[metric]}, {_tasks(pair)}", *_notes(comparison)])


def _of_skills(comparison: Comparison, metric: str) -> rich.table.Table:
    letters = [letter(number) for number in range(len(comparison.methods))]
    table = _table(_WORDS[metric], ("skill", *letters))
    columns = [_skill_means(comparison, method, metric) for method in comparison.methods]
    for skill, *figures in zip(comparison.pairs[0].skills, *columns, strict=True):
        cells = [_figure(each, metric) for each in figures]
        table.add_row(_plain(skill.env_name), *cells)
    table.add_section()
    means = [_figure(_mean(each), metric) for each in columns]
    table.add_row(_plain("mean over skills"), *means, style="bold")
    for name in comparison.scores:
        scores = [as_text(name, _score_of(comparison, method, name)) for method in comparison.methods]
        table.add_row(_plain(f"score of {name}"), *scores, style="bold")
    names = _worlds(comparison)
    if names:
        table.add_section()
    for world, skills in names.items():
        figures = [_world_mean(comparison, method, metric, skills) for method in comparison.methods]
        table.add_row(_plain(part_in_words(world, skills)), *(_figure(each, metric) for each in figures))
    if comparison.parts:
        table.add_section()
        columns = [_part_means(comparison, method, metric) for method in comparison.methods]
        for part, *figures in zip(comparison.by_variation(metric)[0], *columns, strict=True):
            cells = [_figure(each, metric) for each in figures]
            table.add_row(_plain(part_in_words(part.part, part.env_names)), *cells)
    named = zip(letters, comparison.methods, strict=True)
    lines = [f"{each}: {method.name}, {method.num_runs}" for each, method in named]
    return _with_caption(table, [*lines, _tasks(comparison.pairs[0])])


def _of_pairs(comparison: Comparison, metric: str) -> rich.table.Table:
    headings = ("difference", "95 % interval", "p (Holm)", "P(better)", "skills +", "skills -")
    table = _table(f"differences of {_WORDS[metric]}", ("pair", *headings))
    for pair in comparison.pairs:
        figure = pair.overall[metric].mean
        better = pair.probability_of_improvement.get(metric, math.nan)
        changed = [getattr(skill, metric).value for skill in pair.skills if skill.p_adjusted[metric] < _LEVEL]
        table.add_row(
            _in_letters(comparison, pair),
            _signed(figure.value, metric),
            _interval(figure, metric),
            _p(pair.p_adjusted[metric]),
            "-" if math.isnan(better) else f"{better:.2f}",
            str(sum(value > 0 for value in changed)),
            str(sum(value < 0 for value in changed)),
        )
    lines = [
        "P(better): of a run of the first against one of the second on a skill",
        f"skills + and -: higher and lower with p (Holm) below {_LEVEL}",
        *_notes(comparison),
    ]
    return _with_caption(table, lines)


def _notes(comparison: Comparison) -> list[str]:
    """Returns lines that stand below a table: what intervals and p values are over, what differs, what is left out."""
    pairs = comparison.pairs
    several = len(pairs) > 1
    over = dict.fromkeys(pair.over for pair in pairs if pair.over != NOTHING)
    lines = [f"intervals: {_OVER[each]}" for each in over]
    without = [_in_letters(comparison, pair) for pair in pairs if pair.over == NOTHING]
    if without:
        lines.append(f"{', '.join(without)}: no interval, as one run does not show how much runs vary")
    skills = len(pairs[0].skills)
    if over and several:
        lines.append(
            f"p (Holm): of means corrected over {len(pairs)} pairs, of skills over {skills * len(pairs)} differences"
        )
    elif over and skills > 1:
        others = f", of worlds over the {len(comparison.worlds)} worlds" if _worlds(comparison) else ""
        others += f", of parts over the {len(comparison.parts)} parts" if comparison.parts else ""
        lines.append(f"p (Holm): corrected over the {skills} skills{others}; not corrected for means")
    for pair in pairs:
        where = f" ({_in_letters(comparison, pair)})" if several else ""
        lines += [
            f"differs{where}: {name}, {first} and {second}"
            for name, (first, second) in pair.fingerprint_differences.items()
        ]
    if comparison.left_out:
        every = "all" if several else "both"
        lines.append(f"left out: {len(comparison.left_out)} tasks that did not run to their end in {every}")
    return lines


def _in_letters(comparison: Comparison, pair: Pair) -> str:
    names = [method.name for method in comparison.methods]
    return f"{letter(names.index(pair.b))} - {letter(names.index(pair.a))}"


def _table(title: str, headings: Sequence[str]) -> rich.table.Table:
    table = FittingTable(
        title=_plain(title),
        box=rich.box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        caption_justify="left",
        given_up=_GIVEN_UP,
    )
    for number, heading in enumerate(headings):
        if number:
            table.add_column(_plain(heading), justify="right", no_wrap=True)
        else:
            table.add_column(_plain(heading), overflow="fold")
    return table


def _with_caption(table: rich.table.Table, lines: Sequence[str]) -> rich.table.Table:
    table.caption = _plain("\n".join(lines))
    return table


def _tasks(pair: Pair) -> str:
    """Returns how many tasks skills have, in words."""
    counts = [skill.num_tasks for skill in pair.skills]
    few, many = min(counts), max(counts)
    return f"{few if few == many else f'{few} to {many}'} {'task' if many == 1 else 'tasks'} a skill"


def _skill_means(comparison: Comparison, method: Pooled, metric: str) -> list[float]:
    """Returns the mean of each skill over the tasks that were compared, and over runs."""
    return [float(each) for each in method.scores(metric, comparison.tasks).mean(axis=0)]


def _worlds(comparison: Comparison) -> dict[str, tuple[str, ...]]:
    """Returns the worlds that have a line, with their skills: those of several, beside other worlds."""
    return several_worlds([skill.env_name for skill in comparison.pairs[0].skills], at_least=2)


def _world_mean(comparison: Comparison, method: Pooled, metric: str, env_names: Sequence[str]) -> float:
    """Returns the mean over a world's skills and over runs, on the tasks that were compared."""
    tasks = [task for task in comparison.tasks if task.env_name in env_names]
    return float(method.scores(metric, tasks).mean())


def _part_means(comparison: Comparison, method: Pooled, metric: str) -> list[float]:
    """Returns the mean over skills and runs of each part of a suite of variations, on the tasks that were compared."""
    return [float(method.scores(metric, tasks).mean()) for tasks in parts_of(comparison.tasks).values()]


def _score_of(comparison: Comparison, method: Pooled, name: str) -> Estimate:
    """Returns a method's score of a protocol on the tasks that were compared, without an interval."""
    values = method.counted(name, comparison.tasks).mean(axis=0)
    rows = skill_rows([task.env_name for task in comparison.tasks])
    return Estimate(_mean([float(values[each].mean()) for each in rows]), math.nan, math.nan)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _known(pair: Pair) -> tuple[str, ...]:
    """Returns the metrics that are shown: those of success only where it is known."""
    return tuple(metric for metric in METRICS if not math.isnan(pair.overall[metric].mean.value))


def _cells(first: float, second: float, figure: Estimate, p: float, metric: str) -> list[str]:
    return [
        _figure(first, metric),
        _figure(second, metric),
        _signed(figure.value, metric),
        _interval(figure, metric),
        _p(p),
    ]


def _interval(figure: Estimate, metric: str) -> str:
    if math.isnan(figure.low):
        return "-"
    return f"[{_signed(figure.low, metric)}, {_signed(figure.high, metric)}]"


def _signed(value: float, metric: str) -> str:
    return "-" if math.isnan(value) else f"{value:+.{_digits(value, metric)}f}"


def _figure(value: float, metric: str) -> str:
    return "-" if math.isnan(value) else f"{value:.{_digits(value, metric)}f}"


def _digits(value: float, metric: str) -> int:
    return 2 if metric in RATES else 1 if abs(value) < 100 else 0


def _p(p: float) -> str:
    if math.isnan(p):
        return "-"
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def _plain(text: str) -> rich.text.Text:
    """Returns text in which square brackets are square brackets."""
    return rich.text.Text(text)
