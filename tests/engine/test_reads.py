"""What can be read, after a step and for states as they are, equals what MuJoCo computes."""

import mujoco
import numpy as np
import pytest

from taskworlds.engine import Engine, Fault, Model, Scene, _native

STATE = mujoco.mjtState.mjSTATE_INTEGRATION
# One of everything that has numbers to read; the ball rolls on the plane, so that there are forces.
ZOO = """
<mujoco>
  <worldbody>
    <geom name="floor" type="plane" size="5 5 1"/>
    <body name="ball" pos="0 0 0.099">
      <freejoint name="free"/><geom name="shell" size="0.1"/><site name="dot" pos="0.1 0 0"/>
    </body>
    <body name="arm" pos="1 0 1">
      <joint name="shoulder" type="ball"/><geom type="capsule" size="0.03" fromto="0 0 0 0.5 0 0"/>
      <body name="hand" pos="0.5 0 0">
        <joint name="wrist" axis="0 1 0" range="-1 1"/><geom size="0.06"/>
      </body>
    </body>
    <body name="sled" pos="0 1 1"><joint name="slide" type="slide" axis="1 0 0"/><geom size="0.1"/></body>
  </worldbody>
  <tendon><fixed name="cord"><joint joint="wrist" coef="1"/><joint joint="slide" coef="-2"/></fixed></tendon>
  <actuator>
    <motor name="push" joint="slide"/>
    <general name="muscle" joint="wrist" dyntype="filter" dynprm="0.1" gainprm="2"/>
    <position name="hold" joint="wrist" kp="3"/>
  </actuator>
  <sensor>
    <jointpos name="angle" joint="wrist"/><velocimeter name="speed" site="dot"/><touch name="feel" site="dot"/>
    <subtreelinvel name="flow" body="arm"/>
  </sensor>
</mujoco>"""
COUNTS = {"body": "nbody", "site": "nsite", "geom": "ngeom", "joint": "njnt", "actuator": "nu"}
COUNTS |= {"tendon": "ntendon", "sensor": "nsensor"}
KINDS = {name: _native.object_kind(source) for name, source in _native.Source.__members__.items()}


@pytest.fixture(scope="module")
def zoo():
    return mujoco.MjModel.from_xml_string(ZOO)


def names(model, kind):
    return [name for i in range(getattr(model, COUNTS[kind])) if (name := getattr(model, kind)(i).name)]


def every_read(model, but=()):
    for source, kind in KINDS.items():
        if source in but:
            continue
        if source == "touch":
            yield ("touch", "floor", "shell")
            continue
        yield (source,)
        yield from ((source, name) for name in names(model, kind))


def theirs(model, data, source, *name):
    """Gives what the read says, from MuJoCo's own bindings."""
    if source == "touch":
        return [sum(data.efc_force[c.efc_address] for c in data.contact if {*c.geom} == {0, 1})]
    kind = KINDS[source]
    field = source.removeprefix("body_")
    if not name:
        return getattr(data, field)
    if source == "sensordata":
        return data.sensor(*name).data
    if source == "ten_length" or source == "ten_velocity":
        return getattr(data, field)[model.tendon(*name).id]
    if source == "act":
        i = model.actuator(*name).id
        first, number = model.actuator_actadr[i], model.actuator_actnum[i]
        return data.act[first : first + number] if number else []
    return getattr(getattr(data, kind)(*name), source.removeprefix(f"{kind}_"))


def check(scene, now, model, data):
    for read, where in scene.read_slices.items():
        assert np.array_equal(now[where], np.ravel(theirs(model, data, *read))), read


STEPPINGS = {
    "forward": lambda m, d: (
        mujoco.mj_step(m, d, 3),
        mujoco.mj_forward(m, d),
        mujoco.mj_rnePostConstraint(m, d),
    ),
    "step": lambda m, d: (mujoco.mj_step(m, d, 3), mujoco.mj_rnePostConstraint(m, d)),
    "split": lambda m, d: (mujoco.mj_step2(m, d), mujoco.mj_step(m, d, 2), mujoco.mj_step1(m, d)),
}


@pytest.mark.parametrize("stepping", STEPPINGS)
@pytest.mark.parametrize("integrator", ["EULER", "RK4", "IMPLICITFAST"])
def test_every_read_after_steps(zoo, stepping, integrator):
    zoo.opt.integrator = getattr(mujoco.mjtIntegrator, f"mjINT_{integrator}")
    data = mujoco.MjData(zoo)
    data.qvel[:] = np.linspace(-0.5, 0.5, zoo.nv)
    mujoco.mj_forward(zoo, data)
    but = ("touch", "body_cfrc_ext") if stepping == "split" else ()
    controls = ((0, 1.0), (1, 2.0), (2, -0.5))
    scene = Scene(
        Model.from_mujoco(zoo), 3, controls=controls, reads=tuple(every_read(zoo, but)), stepping=stepping
    )
    engine = Engine([scene], 1, action_size=3)
    mujoco.mj_getState(zoo, data, engine.states[0], STATE)
    before, reached = engine.states.copy(), np.empty_like(engine.states[0])
    engine.forward()
    assert np.array_equal(engine.states, before)
    mujoco.mj_forward(zoo, data)
    mujoco.mj_rnePostConstraint(zoo, data)
    check(scene, engine.now[0], zoo, data)
    mujoco.mj_getState(zoo, data, engine.states[0], STATE)
    for actions in np.random.default_rng(0).normal(size=(50, 1, 3)):
        data.ctrl[:] = actions[0] * [1.0, 2.0, -0.5]
        if stepping == "split" and integrator == "RK4":
            mujoco.mj_step(zoo, data, 3)
            mujoco.mj_step1(zoo, data)
        else:
            STEPPINGS[stepping](zoo, data)
        engine.step(actions)
        mujoco.mj_getState(zoo, data, reached, STATE)
        assert np.array_equal(engine.states[0], reached)
        check(scene, engine.now[0], zoo, data)
    assert engine.faults[0] == 0
    if not but:
        assert engine.now[0][scene.read_slices["touch", "floor", "shell"]] > 0


def test_forward_does_the_rows_of_the_mask(zoo):
    scene = Scene(Model.from_mujoco(zoo), 1, reads=(("body_xpos", "sled"),))
    engine = Engine([scene], 4, action_size=0, num_threads=2)
    data = mujoco.MjData(zoo)
    for row in range(4):
        data.joint("slide").qpos[:] = row
        mujoco.mj_getState(zoo, data, engine.states[row], STATE)
    before = engine.states.copy()
    engine.forward(np.array([False, True, True, False]))
    assert engine.now[:, 0].tolist() == [0, 1, 2, 0]
    engine.forward()
    assert engine.now[:, 0].tolist() == [0, 1, 2, 3]
    assert np.array_equal(engine.states, before)
    with pytest.raises(ValueError, match=r"mask must be a bool array of shape \(4,\)"):
        engine.forward(np.ones(3, bool))


def test_forward_writes_the_warm_start_and_nothing_else(zoo):
    engine = Engine([Scene(Model.from_mujoco(zoo), 1)], 2, action_size=0)
    data = mujoco.MjData(zoo)
    mujoco.mj_getState(zoo, data, engine.states[0], STATE)
    engine.states[1] = engine.states[0]
    mujoco.mj_forward(zoo, data)
    after = np.empty_like(engine.states[0])
    mujoco.mj_getState(zoo, data, after, STATE)
    before = engine.states.copy()
    engine.forward(np.array([True, False]), warm_start=True)
    assert np.array_equal(engine.states, [after, before[1]])
    changed = np.flatnonzero(after != before[0])
    first = mujoco.mj_stateSize(zoo, STATE & (mujoco.mjtState.mjSTATE_WARMSTART - 1))
    assert len(changed)
    assert (first <= changed).all()
    assert (changed < first + zoo.nv).all()


def test_forward_reports_and_leaves_a_state_that_is_not_finite(zoo):
    engine = Engine([Scene(Model.from_mujoco(zoo), 1, reads=(("qpos",),))], 2, action_size=0)
    for row in range(2):
        mujoco.mj_getState(zoo, mujoco.MjData(zoo), engine.states[row], STATE)
    engine.states[0, 3] = np.nan
    engine.forward()
    assert Fault.STATE_NOT_FINITE in Fault(int(engine.faults[0]))
    assert engine.faults[1] == 0
    assert np.isnan(engine.states[0, 3])
    assert np.isfinite(engine.now[1]).all()


def test_wrong_reads(zoo):
    model = Model.from_mujoco(zoo)
    with pytest.raises(ValueError, match=r"The model has no sensor named 'fel'\. Did you mean 'feel'\?"):
        Scene(model, 1, reads=(("sensordata", "fel"),))
    with pytest.raises(ValueError, match="stepping must be one of 'forward', 'step', 'split', not 'legacy'"):
        Scene(model, 1, stepping="legacy")
    for read in (("touch", "floor", "shell"), ("body_cfrc_ext",)):
        with pytest.raises(
            ValueError, match="touch and body_cfrc_ext cannot be read with the stepping 'split'"
        ):
            Scene(model, 1, reads=(read,), stepping="split")
    with pytest.raises(ValueError, match="A read is"):
        Scene(model, 1, reads=(("touch",),))
