"""Settling: the same bits as MuJoCo's own steps, whoever does it, when, and in how many pieces."""

import subprocess
import sys
import textwrap

import mujoco
import numpy as np
import pytest

from taskworlds.engine import Engine, Model, Scene, Settling

STATE = mujoco.mjtState.mjSTATE_INTEGRATION
XML = """
<mujoco>
  <worldbody>
    <geom type="plane" size="5 5 1"/>
    <body name="step" pos="0 0 0.1"><geom type="box" size="0.3 0.3 0.1"/><site name="mark"/></body>
    <body name="ball" pos="0 0 0.9"><freejoint/><geom size="0.1"/></body>
  </worldbody>
</mujoco>"""
STEPS = 200
# Boxes that touch a plane need more memory than this in MuJoCo's solver, which raises an error.
TOO_LITTLE = """
<mujoco>
  <size memory="122500"/>
  <worldbody>
    <geom type="plane" size="5 5 1"/>
    {}
  </worldbody>
</mujoco>"""
BOX = '<body pos="{} 0 0.09"><freejoint/><geom type="box" size="0.1 0.1 0.1"/></body>'


def start(model):
    compiled = model.to_mujoco()
    state = np.empty(mujoco.mj_stateSize(compiled, STATE))
    mujoco.mj_getState(compiled, mujoco.MjData(compiled), state, STATE)
    return state


@pytest.fixture(scope="module")
def model():
    return Model.from_mujoco(mujoco.MjModel.from_xml_string(XML))


def settling(model, x, steps=STEPS):
    """The ball falls onto a step that stands elsewhere, at x metres."""
    compiled = model.to_mujoco()
    places = compiled.body_pos.copy()
    places[1, 0] = x
    return Settling(model, places, compiled.site_pos, start(model), steps)


def expected(model, x, steps=STEPS):
    compiled = model.to_mujoco()
    compiled.body_pos[1, 0] = x
    data = mujoco.MjData(compiled)
    mujoco.mj_setState(compiled, data, start(model), STATE)
    mujoco.mj_step(compiled, data, nstep=steps)
    state = np.empty(mujoco.mj_stateSize(compiled, STATE))
    mujoco.mj_getState(compiled, data, state, STATE)
    return state


def step(engine, spare=0):
    return engine.step(np.zeros((engine.num_rows, 0)), spare=spare)


PLACES = [0.0, 0.25, -0.3, 0.38, 0.41, 1.0] * 3


@pytest.mark.parametrize("num_threads", [1, 4])
def test_it_is_mujocos_own_steps(model, num_threads):
    engine = Engine([Scene(model, frame_skip=1)], 2, action_size=0, num_threads=num_threads)
    given = [settling(model, x) for x in PLACES]
    engine.settle(given)
    for one, x in zip(given, PLACES, strict=True):
        assert one.done
        np.testing.assert_array_equal(one.state(), expected(model, x))


@pytest.mark.parametrize("num_threads", [1, 4])
def test_turns_among_the_rows_do_it_too(model, num_threads):
    engine = Engine([Scene(model, frame_skip=1)], 5, action_size=0, num_threads=num_threads)
    given = [settling(model, x) for x in PLACES[:4]]
    for one in given:
        engine.settle_ahead(one)
    # Turns have 8 steps. A thread that has begun a settling in its idle time, and is stopped by the system, keeps it
    # waiting.
    for _ in range(STEPS // 8 * (1 if num_threads == 1 else 3)):
        step(engine, spare=4)
    for one, x in zip(given, PLACES, strict=False):
        assert one.done
        np.testing.assert_array_equal(one.state(), expected(model, x))


@pytest.mark.parametrize("num_threads", [2, 4])
def test_turns_are_not_lost_where_one_thread_has_all_that_there_is(model, num_threads):
    engine = Engine([Scene(model, frame_skip=1)], 2, action_size=0, num_threads=num_threads)
    step(engine)  # now the threads are there
    steps = []
    for _ in range(20):
        one = settling(model, 0.25)
        engine.settle_ahead(one)
        steps.append(0)
        while not one.done:
            step(engine, spare=10)
            steps[-1] += 1
    assert sorted(steps)[10] <= STEPS // 80 + 2, steps


@pytest.mark.parametrize("num_threads", [1, 4])
def test_what_was_begun_can_be_settled_at_any_time(model, num_threads):
    engine = Engine([Scene(model, frame_skip=1)], 5, action_size=0, num_threads=num_threads)
    step(engine)  # now the threads are there
    for round_ in range(20):
        given = [settling(model, x) for x in PLACES[:6]]
        for one in given:
            engine.settle_ahead(one)
        step(engine, spare=round_)
        engine.drop_settling(given[round_ % 6])
        engine.settle(given[2:])
        engine.settle(given)
        for one, x in zip(given, PLACES, strict=False):
            np.testing.assert_array_equal(one.state(), expected(model, x))


def test_rows_do_not_notice_it(model):
    def run(spare):
        engine = Engine([Scene(model, frame_skip=1)], 5, action_size=0, num_threads=3)
        engine.states[:, : start(model).size] = start(model)
        for x in PLACES:
            engine.settle_ahead(settling(model, x))
            assert step(engine, spare)
        engine.settle([settling(model, 0.0)])
        return engine.states.copy(), engine.faults.copy()

    for with_it, without in zip(run(9), run(0), strict=True):
        np.testing.assert_array_equal(with_it, without)


def test_what_is_called_meanwhile(model):
    engine = Engine([Scene(model, frame_skip=1)], 5, action_size=0, num_threads=2)
    seen = []
    assert engine.step(np.zeros((5, 0)), meanwhile=lambda: seen.append(engine.pending))
    assert seen == [True]
    before = engine.states.copy()

    def fail():
        raise ValueError("as it was meant to")

    with pytest.raises(ValueError, match="as it was meant to"):
        engine.step(np.zeros((5, 0)), meanwhile=fail)
    assert not engine.pending
    assert not np.array_equal(engine.states, before)  # stepped all the same


def test_an_error_of_mujoco_is_said_and_the_next_one_goes_on(model):
    xml = TOO_LITTLE.format("".join(BOX.format(x) for x in range(6)))
    compiled = mujoco.MjModel.from_xml_string(xml)
    bad = Model.from_mujoco(compiled)
    engine = Engine([Scene(model, frame_skip=1), Scene(bad, frame_skip=1)], 1, action_size=0, num_threads=2)
    broken = Settling(bad, compiled.body_pos, compiled.site_pos, start(bad), 100)
    good = settling(model, 0.0)
    assert (broken.done, broken.error) == (False, "")
    engine.settle([broken, good])
    assert broken.done
    assert "stack overflow" in broken.error
    assert broken.state() is None
    np.testing.assert_array_equal(good.state(), expected(model, 0.0))


def test_mistakes(model):
    state, none = start(model), np.zeros((0, 3))
    with pytest.raises(ValueError, match=r"body_pos must have 9 numbers, not 6\."):
        Settling(model, np.zeros((2, 3)), np.zeros((1, 3)), state, 1)
    with pytest.raises(ValueError, match=r"site_pos must have 3 numbers, not 0\."):
        Settling(model, np.zeros((3, 3)), none, state, 1)
    with pytest.raises(ValueError, match=rf"state must have {state.size} numbers, not 1\."):
        Settling(model, np.zeros((3, 3)), np.zeros((1, 3)), state[:1], 1)
    with pytest.raises(ValueError, match=r"steps must be at least 1, not 0\."):
        Settling(model, np.zeros((3, 3)), np.zeros((1, 3)), state, 0)
    one = settling(model, 0.0)
    with pytest.raises(RuntimeError, match="not done"):
        one.state()
    engine = Engine([Scene(model, frame_skip=1)], 1, action_size=0)
    engine.step_async(np.zeros((1, 0)))
    with pytest.raises(RuntimeError, match="A step is under way"):
        engine.settle([one])
    engine.step_wait()
    engine.close()
    for call in (lambda: engine.settle([one]), lambda: engine.settle_ahead(one)):
        with pytest.raises(RuntimeError, match="The engine is closed"):
            call()
    engine.drop_settling(one)


PROGRAM = """
import mujoco, numpy as np, os, signal
from taskworlds.engine import Engine, Model, Scene, Settling
xml = '<mujoco><worldbody><body name="ball"><freejoint/><geom size="1"/></body></worldbody></mujoco>'
model = Model.from_mujoco(mujoco.MjModel.from_xml_string(xml))
first = np.zeros(mujoco.mj_stateSize(model.to_mujoco(), mujoco.mjtState.mjSTATE_INTEGRATION))
first[4] = 1.0
def settling(steps):
    return Settling(model, np.zeros((2, 3)), np.zeros((0, 3)), first, steps)
engine, action = Engine([Scene(model, frame_skip=1)], 8, action_size=0, num_threads=4), np.zeros((8, 0))
engine.step(action)
long = settling(10**9)
engine.settle_ahead(long)
engine.settle_ahead(settling(10**9))
"""


def check(code):
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", PROGRAM + textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.mark.parametrize("end", ["engine.close()", "del engine", "", "raise SystemExit"])
def test_the_end_comes_in_the_middle_of_it(end):
    assert check(end) == ""


def test_ctrl_c_ends_waiting_for_it_and_the_rest_can_be_done():
    code = """
    engine.drop_settling(long)
    given = [settling(2_000) for _ in range(10_000)]
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        engine.settle(given)
        print("all of it was done")
    except KeyboardInterrupt:
        pass
    assert engine.step(action)
    left = [each for each in given if not each.done][:3]
    engine.settle(left)
    same = settling(2_000)
    engine.settle([same])
    print(all(np.array_equal(each.state(), same.state()) for each in left), len(left))
    """
    assert check(code) == "True 3\n"


def test_a_forked_child_settles_for_itself():
    code = """
    child = os.fork()
    if child == 0:
        new = settling(100)
        engine.settle_ahead(new)
        engine.settle([new])
        engine.step(action)
        os._exit(0 if new.done else 1)
    assert os.waitpid(child, 0)[1] == 0
    new = settling(100)
    engine.settle([new])
    print(new.done)
    """
    assert check(code) == "True\n"
