"""Scenes and kernels that are exchanged between steps."""

import pickle

import mujoco
import numpy as np
import pytest

from taskworlds.engine import Engine, Model, Scene, compile_kernel

STATE = mujoco.mjtState.mjSTATE_INTEGRATION
POLE = """
<mujoco>
  <worldbody>
    <geom type="plane" size="5 5 1"/>
    <body name="arm" pos="0 0 {height}">
      <joint name="hinge" axis="0 1 0"/>
      <geom type="capsule" size="0.05" fromto="0 0 0 {length} 0 0" mass="{mass}"/>
      {more}
    </body>
    <site name="mark" pos="1 2 3"/>
  </worldbody>
  <actuator><motor joint="hinge" gear="{gear}"/></actuator>
</mujoco>"""
FOREARM = (
    '<body pos="1 0 0"><joint axis="0 1 0"/><geom type="capsule" size="0.05" fromto="0 0 0 1 0 0"/></body>'
)
READS = (("qpos", "hinge"), ("qvel", "hinge"), ("body_xipos", "arm"))


def pole(mass=1.0, length=1.0, gear=1.0, height=0.6, more="", **scene):
    xml = POLE.format(mass=mass, length=length, gear=gear, height=height, more=more)
    model = Model.from_mujoco(mujoco.MjModel.from_xml_string(xml))
    return Scene(model, 5, controls=((0, 1.0),), **{"reads": READS, **scene})


def begin(engine):
    """Writes each row's initial state, which here is that of its model."""
    for row, scene in enumerate(engine.scene_of_row):
        compiled = engine.scenes[scene].model.to_mujoco()
        start = np.empty(mujoco.mj_stateSize(compiled, STATE))
        mujoco.mj_getState(compiled, mujoco.MjData(compiled), start, STATE)
        engine.states[row, : len(start)] = start


ACTIONS = np.random.default_rng(0).normal(size=(40, 6, 1))


def alone(scene, row, steps=40):
    """Gives the row's reads after each step when its scene is the only one."""
    engine = Engine([scene], 6, action_size=1, num_threads=1)
    begin(engine)
    seen = []
    for actions in ACTIONS[:steps]:
        engine.step(actions)
        seen.append(engine.now[row].copy())
    return np.array(seen)


@pytest.mark.parametrize("num_threads", [1, 2])
def test_scenes_of_one_structure_do_not_touch_each_other(num_threads):
    scenes = [pole(mass=1 + i, length=0.8 + 0.1 * i, gear=1 + i) for i in range(5)]
    scenes.append(pole(more=FOREARM))
    engine = Engine(scenes, 6, action_size=1, num_threads=num_threads)
    engine.scene_of_row[:] = range(6)
    begin(engine)
    seen = []
    for actions in ACTIONS:
        engine.step(actions)
        seen.append(engine.now.copy())
    for row, scene in enumerate(scenes):
        assert np.array_equal(np.array(seen)[:, row], alone(scene, row))


@pytest.mark.parametrize("num_threads", [1, 2])
@pytest.mark.parametrize("new", [pole(mass=3, gear=2), pole(more=FOREARM)], ids=["numbers", "structure"])
def test_an_exchanged_scene_steps_as_if_it_had_been_there(new, num_threads):
    old = pole()
    engine = Engine([old, old], 6, action_size=1, num_threads=num_threads, state_size=new.native.state_size)
    begin(engine)
    for actions in ACTIONS:
        engine.step(actions)
    for where in (0, 2):  # in another's place, and as one more
        engine.set_scene(where, new)
        assert engine.scenes[where] is new
        assert len(engine.scenes) == max(2, where + 1)
        engine.scene_of_row[:] = [where, 1] * 3
        begin(engine)
        seen = []
        for actions in ACTIONS:
            engine.step(actions)
            seen.append(engine.now.copy())
        for row in range(6):
            assert np.array_equal(np.array(seen)[:, row], alone([new, old][row % 2], row))


def test_back_and_forth():
    one, other, third = pole(), pole(more=FOREARM), pole(mass=2)
    engine = Engine([one], 6, action_size=1, state_size=other.native.state_size, num_threads=2)
    for scene in (other, one, third, other, third, one):
        engine.set_scene(0, scene)
        begin(engine)
        for actions in ACTIONS[:5]:
            engine.step(actions)
        assert np.array_equal(engine.now[3], alone(scene, 3, 5)[-1])


def test_a_copy_is_as_wide_and_has_the_exchanged_scene():
    wide = pole(more=FOREARM, overrides=(("site_pos", "mark"),))
    engine = Engine([wide], 6, action_size=1)
    engine.set_scene(0, pole(reads=READS[:1]))
    begin(engine)
    engine.step(ACTIONS[0])
    copy = pickle.loads(pickle.dumps(engine))
    assert copy.states.shape == engine.states.shape
    assert copy.scenes[0].reads == READS[:1]
    for each in (engine, copy):
        each.step(ACTIONS[1])
        each.set_scene(0, wide)
    assert np.array_equal(engine.states, copy.states)
    assert np.array_equal(engine.now, copy.now)


def test_what_does_not_fit():
    engine = Engine([pole(reads=())], 6, action_size=1)
    cases = [
        (pole(reads=(), more=FOREARM), "A scene uses 28 numbers of state, but state_size is 18"),
        (pole(), "A scene uses 5 numbers of reads, but read_size is 0"),
        (
            pole(reads=(), overrides=(("site_pos", "mark"),)),
            "A scene uses 3 numbers of overrides, but override_size is 0",
        ),
    ]
    for scene, message in cases:
        with pytest.raises(ValueError, match=message):
            engine.set_scene(0, scene)
    with pytest.raises(ValueError, match="A scene uses 1 actions, but action_size is 0"):
        Engine([Scene(pole().model, 5)], 6, action_size=0).set_scene(0, pole(reads=()))
    with pytest.raises(
        ValueError, match=r"The index of a scene must be in \[0, 1\], the last to add one, not 2"
    ):
        engine.set_scene(2, pole(reads=()))
    with pytest.raises(ValueError, match="index must be at least 0, not -1"):
        engine.set_scene(-1, pole(reads=()))
    with pytest.raises(TypeError, match="scene must be a Scene, not 'pole'"):
        engine.set_scene(0, "pole")
    assert len(engine.scenes) == 1
    begin(engine)
    engine.step(ACTIONS[0])


def test_not_while_a_step_is_under_way_nor_after_the_end():
    engine = Engine([pole()], 6, action_size=1)
    begin(engine)
    engine.step_async(ACTIONS[0])
    with pytest.raises(RuntimeError, match=r"A step is under way: call step_wait\(\) first"):
        engine.set_scene(0, pole(mass=2))
    with pytest.raises(RuntimeError, match=r"A step is under way: call step_wait\(\) first"):
        engine.forward()
    engine.step_wait()
    engine.set_scene(0, pole(mass=2))
    engine.close()
    with pytest.raises(RuntimeError, match="The engine is closed"):
        engine.set_scene(0, pole())
    with pytest.raises(RuntimeError, match="The engine is closed"):
        engine.forward()


def test_exchanged_kernels():
    def one(now, action, params, memory, obs, terms, single):
        obs[0] = 1.0

    def two(now, action, params, memory, obs, terms, single):
        obs[0] = 2.0

    engine = Engine([pole()], 6, action_size=1, obs_size=1, num_threads=2)
    begin(engine)
    engine.set_kernel(0, compile_kernel(one))
    engine.set_kernel(1, compile_kernel(one))
    engine.kernel_of_row[:] = [0, 1, -1] * 2
    engine.step(ACTIONS[0])
    assert engine.obs[:, 0].tolist() == [1, 1, 0] * 2
    engine.set_kernel(1, compile_kernel(two))
    engine.step(ACTIONS[0])
    assert engine.obs[:, 0].tolist() == [1, 2, 0] * 2
    assert len(engine.kernels) == 2
    with pytest.raises(
        ValueError, match=r"The index of a kernel must be in \[0, 2\], the last to add one, not 3"
    ):
        engine.set_kernel(3, engine.kernels[0])


def test_default_overrides_are_the_models_own():
    fields = (("site_pos", "mark"), ("body_quat", "arm"), ("body_pos", "arm"))
    scene = pole(overrides=fields)
    assert scene.default_overrides.tolist() == [1, 2, 3, 1, 0, 0, 0, 0, 0, 0.6]
    assert not scene.default_overrides.flags.writeable
    engine = Engine([scene], 6, action_size=1)
    engine.overrides[:] = scene.default_overrides
    begin(engine)
    for actions in ACTIONS:
        engine.step(actions)
    assert np.array_equal(engine.now[2], alone(pole(), 2)[-1])
