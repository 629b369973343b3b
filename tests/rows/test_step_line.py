"""What a driver and a worker on one machine step rows through: arrays in shared memory, and a byte to and fro."""

from __future__ import annotations

import multiprocessing
import os
import signal
from pathlib import Path

import numpy as np
import pytest

from taskworlds.rows.hosted_rows import HostedRows
from taskworlds.rows.protocol import RowFault, RowStep
from taskworlds.rows.shared_arrays import layout_of, offered, taken
from taskworlds.rows.step_line import offered_line

pytestmark = pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="there is no such memory")

NESTED = {"x": np.arange(6.0).reshape(2, 3), "y": (np.array([True, False]), None, np.array(["a", "bc"]))}


class Doubling:
    """Rows that double; 7 is a fault, 8 an error, and 9 an outcome of another form."""

    num_rows = 2
    goals = np.zeros((2, 1))

    def step(self, actions, rows):
        terms = {"more": np.ones(2)} if 9 in actions else {}
        if 8 in actions:
            raise KeyError("eight")
        faults = [RowFault(0, "seven", went_on=True)] if 7 in actions else []
        return RowStep(2.0 * actions, 1.0 * rows, terms, None, faults)


def serve(offer, outcomes):
    """What runs in the worker's process."""
    hosted = HostedRows(Doubling())
    assert hosted.share(offer)
    outcomes.send("shared")
    while True:
        try:
            outcomes.send(hosted.serve())
        except KeyError as error:
            outcomes.send(error)


@pytest.fixture
def worker(monkeypatch):
    """A process that serves on a line, the driver's end of it, and where the outcomes of serving come."""
    monkeypatch.syspath_prepend(Path(__file__).parents[2])  # where the process finds this module
    asked = np.zeros(2), np.zeros(2, dtype=np.bool_)
    told = Doubling().step(*asked)[:-1], Doubling.goals
    outcomes, sends = multiprocessing.Pipe(duplex=False)
    with offered_line(layout_of(asked), layout_of(told)) as (line, offer):
        process = multiprocessing.get_context("spawn").Process(target=serve, args=(offer, sends), daemon=True)
        process.start()
        sends.close()
        assert outcomes.poll(60)
        assert outcomes.recv() == "shared"
    yield process, line, outcomes
    process.kill()
    process.join()


def step(line, *actions):
    assert line.asked.put((np.array(actions, dtype=np.float64), np.ones(2, dtype=np.bool_)))
    line.ring()
    return line.wait()


def test_steps_and_the_end_of_serving(worker):
    process, line, outcomes = worker
    assert step(line, 1, 2)
    (obs, rewards, terms, terminated), _ = line.told.values
    assert (obs.tolist(), rewards.tolist(), terms, terminated) == ([2, 4], [1, 1], {}, None)
    assert not step(line, 7, 0)
    assert outcomes.recv().value.faults == [RowFault(0, "seven", went_on=True)]
    assert not step(line, 9, 0)
    assert outcomes.recv().value.terms["more"].tolist() == [1, 1]
    assert not step(line, 8, 0)
    assert outcomes.recv().args == ("eight",)
    assert step(line, 3, 4)
    line.hang_up()
    assert outcomes.recv() is None
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    assert not step(line, 5, 6)  # the loss is noticed, and writing to it is no error
    line.hang_up()


def test_a_driver_that_is_gone_ends_serving(worker):
    _, line, outcomes = worker
    del line._hears, line._says
    assert outcomes.recv() is None


def test_arrays_of_any_form(same):
    with offered(layout_of(NESTED)) as (ours, offer):
        theirs = taken(offer)
    assert ours.put(NESTED)
    same(theirs.values, NESTED)
    for other in (
        {"x": NESTED["x"]},
        {**NESTED, "x": NESTED["x"][0]},
        {**NESTED, "x": np.float32(NESTED["x"])},
        3,
    ):
        assert not ours.put(other)
    same(theirs.values, NESTED)
    with pytest.raises(OSError, match=r"No such file|not the memory"):
        taken(offer)  # it is not offered any more
    with pytest.raises(TypeError, match="not an array of numbers"):
        layout_of({"x": np.array([None])})


def test_nothing_else_is_taken_for_the_memory(tmp_path):
    with offered(layout_of(NESTED)) as (_, offer):
        other = tmp_path / "other"
        other.write_bytes(bytes(1000))
        for path in (other, tmp_path / "none", os.devnull):
            with pytest.raises(OSError, match=r"none|not the memory"):
                taken(offer._replace(path=str(path)))
