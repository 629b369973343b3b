"""Where Ray is not installed, the message says what to type; and nothing else needs it."""

from __future__ import annotations

import subprocess
import sys

import pytest

import taskworlds
from taskworlds.core.processes import python_command
from taskworlds.core.registry import choose_engine, engine, worlds

PROGRAM = """
import sys
sys.modules["ray"] = None
import taskworlds
taskworlds.make_vec("point", 2).close()
taskworlds.make_vec("point", 2, vector_strategy="ray")
"""


def test_the_line_to_type():
    ran = subprocess.run(python_command(PROGRAM), capture_output=True, text=True)
    last = ran.stderr.strip().splitlines()[-1]
    assert last.startswith(
        "taskworlds.workers.cluster.RayMissing: Workers are run by Ray, which could not be imported"
    )
    assert last.endswith('Type: pip install "taskworlds[ray]"')
    assert "ray" not in sys.modules or sys.modules["ray"] is not None


@pytest.mark.parametrize("world", worlds(), ids=lambda world: world.name)
def test_the_record_is_that_of_the_engine_inside_and_never_the_default(world):
    inside = choose_engine(world, None, 1)
    assert inside.name != "ray"
    record = choose_engine(world, "ray", 4)
    assert (record.name, record.exact, record.numbers) == ("ray", inside.exact, inside.numbers)
    assert record.takes_snapshots_of == inside.takes_snapshots_of


def test_an_engine_inside_that_is_not_exact(monkeypatch):
    rough = taskworlds.RowEngine("rough", len, steps=bool, version="7", snapshot="rough")
    record = taskworlds.RowEngine("elsewhere", len, inside=lambda world: rough, exact=True)
    found = record.in_world(worlds()[0])
    assert (found.exact, found.takes_snapshots_of, found.numbers) == (False, "rough", "elsewhere 7")
    assert not taskworlds.RowEngine("nowhere", len, inside=lambda world: None).can_step(worlds()[0])
    assert engine("native").in_world(worlds()[0]) is engine("native")
