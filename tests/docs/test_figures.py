"""Figures that are computed from others: the pages' numbers must follow from those in README's table of speed."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
LEARN = 1.1e-4  # seconds of processor time a step of `learn`: 1.1 for 10,000 steps, docs/examples/ppo_mt10.md


def cells(line):
    return [cell.strip() for cell in line.strip("|").split("|")]


def number(text):
    """Returns the last number of a cell such as "14,670 / 20,900", which is that of two threads, or of one alone."""
    return float(re.findall(r"[\d,]+", text)[-1].replace(",", ""))


def seconds(text):
    value, unit = text.split()
    return float(value) * {"h": 3600, "min": 60}[unit]


def speeds():
    """Returns by benchmark the steps per second here on two threads, and of the fastest official way in one process."""
    found = {}
    for line in (ROOT / "README.md").read_text().splitlines():
        if re.match(r"\| (MT10|MT50|pick-place-v3), ", line):
            name, ours, official, *_ = cells(line)
            found[name.partition(",")[0]] = number(ours), float(official.split()[0].replace(",", ""))
    return found


def test_the_times_of_budgets_follow_from_the_table_of_speed():
    learn = re.search(
        r"10,000 steps of\s.*?(\d\.\d) in `learn`",
        (ROOT / "docs/examples/ppo_mt10.md").read_text(),
        re.DOTALL,
    )
    assert float(learn[1]) / 10_000 == LEARN
    lines = (ROOT / "docs/examples/README.md").read_text().splitlines()
    rows = [cells(line) for line in lines if re.match(r"\| (MT10|MT50|pick-place-v3) \| [\d,]+ ", line)]
    assert [row[0] for row in rows] == ["pick-place-v3", "MT10", "MT50"]
    for name, steps, official, ours, with_ppo in rows:
        fast, slow = speeds()[name]
        count = number(steps)
        for shown, computed in (
            (official, count / slow),
            (ours, count / fast),
            (with_ppo, count / fast + count * LEARN),
        ):
            unit = 3600 if shown.endswith("h") else 60
            digits = 1 if unit == 3600 else 0
            assert round(computed / unit, digits) == seconds(shown) / unit, (name, shown, computed / unit)
