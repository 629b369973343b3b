"""A fault stays in its row: NaN, MuJoCo's warnings and errors are reported and harm no other row."""

import mujoco
import numpy as np
import pytest

from taskworlds.engine import Engine, Fault, Model, Scene

# Six boxes that touch a plane. With TOO_SMALL bytes of memory MuJoCo's solver raises an error while they
# touch it, and none while they do not; with FOR_CONTACTS it warns and leaves the contacts without force.
TOO_SMALL, FOR_CONTACTS, ENOUGH = 122_500, 50_000, 1_000_000
BOXES = """
<mujoco>
  <size memory="{memory}"/>
  <worldbody>
    <geom type="plane" size="5 5 1"/>
    {boxes}
  </worldbody>
</mujoco>"""


def boxes(memory):
    body = '<body pos="{x} 0 0.09"><freejoint/><geom type="box" size="0.1 0.1 0.1"/></body>'
    text = "".join(body.format(x=x) for x in range(6))
    return Model.from_mujoco(mujoco.MjModel.from_xml_string(BOXES.format(memory=memory, boxes=text)))


def start(model):
    compiled = model.to_mujoco()
    state = np.empty(mujoco.mj_stateSize(compiled, mujoco.mjtState.mjSTATE_INTEGRATION))
    mujoco.mj_getState(compiled, mujoco.MjData(compiled), state, mujoco.mjtState.mjSTATE_INTEGRATION)
    return state


@pytest.fixture
def four(official):
    one = official("pick-place-v3")
    engine = Engine([one.scene], 4, action_size=4, num_threads=2)
    for row in range(4):
        one.load_into(engine, row)
    return one, engine


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("place", [0, 3])
def test_bad_action_is_official_and_harms_no_other_row(four, bad, place):
    one, engine = four
    good = np.array([0.3, -0.2, -0.5, 1.0])
    wrong = good.copy()
    wrong[place] = bad
    for step in range(3):
        action = np.tile(good, (4, 1))
        if step == 1:
            action[2] = wrong
        engine.step(action)
        assert [bool(fault & Fault.ACTION_NOT_FINITE) for fault in engine.faults] == [
            False,
            False,
            step == 1,
            False,
        ]
        assert not engine.faults[[0, 1, 3]].any()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(one.env, "evaluate_state", lambda obs, action: (0.0, {}))
            one.step(action[2])
        assert np.array_equal(engine.states[2], one.state(), equal_nan=True)
        assert np.array_equal(engine.states[0], engine.states[3])
        assert np.isfinite(engine.states[[0, 1, 3]]).all()


def test_nan_in_the_action_is_named(four):
    _, engine = four
    action = np.zeros((4, 4))
    action[1, 3] = np.nan
    engine.step(action)
    assert Fault(int(engine.faults[1])) == Fault.ACTION_NOT_FINITE | Fault.STATE_NOT_FINITE | Fault.BAD_CTRL
    assert engine.warnings[1, 7] >= 1
    assert not engine.warnings[[0, 2, 3]].any()


def test_nan_state_is_reset_by_mujoco_and_reported(four):
    _, engine = four
    engine.states[3, 5] = np.nan
    engine.step(np.zeros((4, 4)))
    fault = Fault(int(engine.faults[3]))
    assert Fault.STATE_NOT_FINITE in fault
    assert Fault.BAD_QPOS in fault
    assert np.isfinite(engine.states).all()
    engine.step(np.zeros((4, 4)))
    assert not engine.faults.any()


def test_warnings_write_no_log(four, tmp_path, monkeypatch, capfd):
    _, engine = four
    monkeypatch.chdir(tmp_path)
    engine.states[:, 5] = np.nan
    engine.step(np.zeros((4, 4)))
    assert engine.faults.all()
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr() == ("", "")


def test_mujoco_error_is_the_rows_own():
    small, large = boxes(TOO_SMALL), boxes(ENOUGH)
    engine = Engine([Scene(small, 2), Scene(large, 2)], 6, action_size=0, num_threads=2)
    engine.states[:] = start(large)
    engine.scene_of_row[:] = [1, 0, 1, 0, 1, 1]
    before = engine.states.copy()
    for _ in range(3):
        engine.step(np.zeros((6, 0)))
        assert [Fault(int(fault)) for fault in engine.faults] == [0, Fault.ERROR, 0, Fault.ERROR, 0, 0]
        assert "stack overflow" in engine.error(1)
        assert engine.error(0) == ""
    assert np.array_equal(engine.states[[1, 3]], before[[1, 3]])
    assert not np.array_equal(engine.states[0], before[0])
    for row in (2, 4, 5):
        assert np.array_equal(engine.states[row], engine.states[0])


def test_a_row_after_an_error_is_as_if_there_had_been_none():
    small, large = boxes(TOO_SMALL), boxes(ENOUGH)
    engine = Engine([Scene(small, 2), Scene(large, 2)], 2, action_size=0, num_threads=1)
    engine.states[:] = start(large)
    engine.scene_of_row[:] = [0, 1]
    engine.step(np.zeros((2, 0)))
    assert engine.error(0)
    # Far from the plane the boxes need little memory, and the same simulator must serve again.
    engine.states[0, 3 : 1 + 42 : 7] = 5.0
    engine.scene_of_row[:] = 0
    engine.states[1] = engine.states[0]
    engine.step(np.zeros((2, 0)))
    assert not engine.faults.any()
    assert np.array_equal(engine.states[0], engine.states[1])


def test_mujocos_own_bindings_still_raise_after_a_step():
    engine = Engine([Scene(boxes(TOO_SMALL), 1)], 1, action_size=0, num_threads=1)
    engine.states[:] = start(boxes(ENOUGH))
    engine.step(np.zeros((1, 0)))
    assert engine.faults[0] == Fault.ERROR
    compiled = boxes(TOO_SMALL).to_mujoco()
    with pytest.raises(mujoco.FatalError, match="stack overflow"):
        mujoco.mj_step(compiled, mujoco.MjData(compiled))


def test_warning_that_resets_nothing():
    engine = Engine([Scene(boxes(FOR_CONTACTS), 3)], 2, action_size=0)
    engine.states[:] = start(boxes(ENOUGH))
    engine.step(np.zeros((2, 0)))
    assert [Fault(int(fault)) for fault in engine.faults] == [Fault.CONSTRAINT_FULL] * 2
    assert engine.warnings[0].tolist() == [0, 0, 4, 0, 0, 0, 0, 0]  # three steps and mj_forward
