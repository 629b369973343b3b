"""More threads than processors, and many rows: each row's result is that of one thread."""

import mujoco
import numpy as np
import pytest

from taskworlds.engine import Engine, Model, Scene

ARM = """<mujoco><worldbody>
  <geom name="floor" type="plane" size="5 5 1"/>
  <body pos="0 0 0.3"><joint name="hinge" axis="0 1 0"/><geom type="capsule" size="0.05" fromto="0 0 0 0.5 0 0"/></body>
</worldbody><actuator><motor joint="hinge" gear="3"/></actuator></mujoco>"""


def make(num_rows, num_threads):
    model = mujoco.MjModel.from_xml_string(ARM)
    scene = Scene(Model.from_mujoco(model), frame_skip=3, controls=((0, 1.0),), reads=(("qpos",),))
    engine = Engine([scene], num_rows, action_size=1, num_threads=num_threads)
    spec = mujoco.mjtState.mjSTATE_INTEGRATION
    mujoco.mj_getState(model, mujoco.MjData(model), engine.states[0], spec)
    engine.states[1:] = engine.states[0]
    return engine


@pytest.mark.parametrize(("num_rows", "num_threads"), [(100, 16), (700, 16), (100, 64), (2500, 64)])
def test_rows_do_not_depend_on_threads(num_rows, num_threads):
    """With more than 32 rows a thread, each thread has a share of them; with fewer, all take from one queue."""
    one, many = make(num_rows, 1), make(num_rows, num_threads)
    rng = np.random.default_rng(num_rows)
    for step in range(4):
        actions = rng.uniform(-1, 1, (num_rows, 1))
        mask = None if step == 0 else rng.random(num_rows) < 0.8
        assert one.step(actions, mask)
        if step % 2:
            many.step_async(actions, mask)
            assert many.step_wait()
        else:
            assert many.step(actions, mask)
        np.testing.assert_array_equal(many.states, one.states)
        np.testing.assert_array_equal(many.now, one.now)
    assert (one.now[:, 0] != one.now[0, 0]).any()
    many.close()


def test_many_threads_with_little_to_do():
    """Threads that wake too late for a step find nothing to do, and are there for the next one."""
    one, many = make(65, 1), make(65, 64)
    alone = np.arange(65) == 64
    for step in range(200):
        mask = None if step % 50 == 0 else alone
        actions = np.full((65, 1), np.sin(step))
        one.step(actions, mask)
        many.step(actions, mask)
    np.testing.assert_array_equal(many.states, one.states)
