"""The bare loop, the engine's yardstick, does the physics of the engine's steps, and leaves the engine as it is."""

import datetime

import mujoco
import numpy as np
import pytest

from taskworlds.engine import Engine, Model, Scene
from taskworlds.perf import _bare_loop
from taskworlds.perf.bare_loop import bare_loop

STATE = mujoco.mjtState.mjSTATE_INTEGRATION
# An arm above a floor that it can hit.
ARM = """
<mujoco>
  <option integrator="{integrator}"/>
  <worldbody>
    <geom type="plane" size="5 5 1"/>
    <body name="arm" pos="0 0 0.5">
      <joint name="hinge" axis="0 1 0"/><geom type="capsule" size="0.05" fromto="0 0 0 0.6 0 0" mass="{mass}"/>
    </body>
  </worldbody>
  <actuator><motor joint="hinge" gear="3"/></actuator>
</mujoco>"""
BOX = '<body pos="{x} 0 0.09"><freejoint/><geom type="box" size="0.1 0.1 0.1"/></body>'
# Six boxes need more memory than this while they touch the plane: MuJoCo raises an error.
BOXES = (
    '<mujoco><size memory="122500"/><worldbody><geom type="plane" size="5 5 1"/>'
    + "".join(BOX.format(x=x) for x in range(6))
    + "</worldbody></mujoco>"
)
ROWS = 5


def start(model):
    compiled = model.to_mujoco()
    state = np.empty(mujoco.mj_stateSize(compiled, STATE))
    mujoco.mj_getState(compiled, mujoco.MjData(compiled), state, STATE)
    return state


def arms(stepping, integrator):
    """Rows of two arms: a light one whose height is each row's own, and a heavy one."""
    scenes = []
    for mass, overrides in ((1.0, (("body_pos", "arm"),)), (2.0, ())):
        compiled = mujoco.MjModel.from_xml_string(ARM.format(mass=mass, integrator=integrator))
        model = Model.from_mujoco(compiled)
        how = {"controls": ((0, 1.0),), "stepping": stepping, "reads": (("qpos",),)}
        scenes.append(Scene(model, frame_skip=3, overrides=overrides, **how))
    engine = Engine(scenes, ROWS, action_size=1, num_threads=2)
    engine.scene_of_row[:] = [0, 0, 1, 0, 1]
    engine.states[:] = start(scenes[0].model)
    engine.states[:, 1] = np.linspace(-0.2, 0.2, ROWS)
    engine.overrides[:, 2] = np.linspace(0.3, 0.7, ROWS)
    return engine


@pytest.mark.parametrize("threads", [1, 2, ROWS + 1])
@pytest.mark.parametrize("stepping", ["forward", "step", "split"])
@pytest.mark.parametrize("integrator", ["Euler", "RK4"])
def test_the_physics_are_the_engines(stepping, integrator, threads):
    engine = arms(stepping, integrator)
    actions = np.random.default_rng(0).uniform(-1, 1, (150, ROWS, 1))
    for action in actions[:3]:
        engine.step(action)
    before = engine.__getstate__()["arrays"]
    bare = bare_loop(engine, actions[3:], num_threads=threads)
    for name, array in before.items():
        assert np.array_equal(getattr(engine, name), array), name
    for action in actions[3:]:
        engine.step(action)
    assert bare.states.tobytes() == engine.states.tobytes()
    assert len(np.unique(bare.states[:, 1])) == ROWS  # no two rows moved alike
    assert bare.seconds > 0
    assert bare.processor_seconds >= 0  # a coarse clock may not tick


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_actions_are_scaled_as_in_a_step(official, dtype):
    one = official("pick-place-v3")
    engine = Engine([one.scene], 1, action_size=4)
    one.load_into(engine, 0)
    actions = np.random.default_rng(0).uniform(-1, 1, (20, 1, 4)).astype(dtype)
    bare = bare_loop(engine, actions)
    for action in actions:
        engine.step(action)
    assert bare.states.tobytes() == engine.states.tobytes()


@pytest.mark.parametrize("threads", [1, 2])
def test_no_steps(threads):
    engine = arms("split", "Euler")
    assert np.array_equal(bare_loop(engine, np.empty((0, ROWS, 1)), threads).states, engine.states)


@pytest.mark.parametrize("threads", [1, 2])
def test_an_error_of_mujoco_is_raised_and_names_the_row(threads):
    model = Model.from_mujoco(mujoco.MjModel.from_xml_string(BOXES))
    engine = Engine([Scene(model, frame_skip=1)], 2, action_size=0)
    engine.states[:] = start(model)
    heights = slice(3, 1 + 6 * 7, 7)  # after the time, the boxes' positions and orientations
    engine.states[0, heights] = 5.0
    with pytest.raises(RuntimeError, match=r"MuJoCo could not step row 1: .*stack overflow"):
        bare_loop(engine, np.empty((3, 2, 0)), threads)
    engine.states[1, heights] = 5.0
    bare_loop(engine, np.empty((3, 2, 0)), threads)


def test_wrong_arguments():
    engine = arms("step", "Euler")
    with pytest.raises(ValueError, match=r"actions must have shape \(T, 5, 1\), not \(5, 1\)"):
        bare_loop(engine, np.zeros((5, 1)))
    with pytest.raises(ValueError, match=r"actions must have shape \(T, 5, 1\), not \(2, 5, 2\)"):
        bare_loop(engine, np.zeros((2, 5, 2)))
    with pytest.raises(ValueError, match="num_threads must be at least 1, not 0"):
        bare_loop(engine, np.zeros((2, 5, 1)), 0)
    engine.scene_of_row[3] = 2
    with pytest.raises(ValueError, match=r"scene_of_row\[3\] must be in \[0, 2\), not 2"):
        bare_loop(engine, np.zeros((2, 5, 1)))
    engine.scene_of_row[3] = 0
    engine.step_async(np.zeros((5, 1)))
    with pytest.raises(RuntimeError, match=r"A step is under way: call step_wait\(\) first"):
        bare_loop(engine, np.zeros((2, 5, 1)))
    engine.step_wait()


def test_only_an_engine_of_the_same_build_is_taken():
    other = datetime.datetime_CAPI
    with pytest.raises(TypeError, match="must be the capsule of an Engine from the same build"):
        _bare_loop.run(other, np.zeros((2, 5, 1)), 1)
