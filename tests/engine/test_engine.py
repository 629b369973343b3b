"""Rows: independence of threads, order and mask; asynchronous steps; argument checks; pickling."""

import errno
import os
import pickle
import threading

import mujoco
import numpy as np
import pytest

from taskworlds.engine import ChunkOutcome, Engine, Fault, Model, Scene

SKILLS = ("pick-place-v3", "hammer-v3", "drawer-open-v3")
STEPS = 12


@pytest.fixture(scope="module")
def ball():
    xml = '<mujoco><worldbody><body name="ball"><freejoint/><geom size="1"/></body></worldbody></mujoco>'
    return Scene(Model.from_mujoco(mujoco.MjModel.from_xml_string(xml)), 1, reads=(("body_xpos", "ball"),))


def mixed(official, rows, num_threads):
    """Makes an engine with rows of three skills in turn, row 3k + i being copy k of skill i."""
    ones = [official(skill) for skill in SKILLS]
    engine = Engine([one.scene for one in ones], rows, action_size=4, num_threads=num_threads)
    for row in range(rows):
        ones[row % len(ones)].load_into(engine, row)
    return engine


def actions(rows):
    return np.random.default_rng(1).uniform(-1, 1, (STEPS, rows, 4)).astype(np.float32)


@pytest.fixture(scope="module")
def alone(official):
    """Gives (states, now) of nine rows after STEPS steps on one thread."""
    engine = mixed(official, 9, 1)
    for action in actions(9):
        engine.step(action)
    return engine.states.copy(), engine.now.copy()


@pytest.mark.parametrize("num_threads", [2, 3, 16])
def test_threads_change_nothing(official, alone, num_threads):
    engine = mixed(official, 9, num_threads)
    for action in actions(9):
        engine.step(action)
    assert np.array_equal(engine.states, alone[0])
    assert np.array_equal(engine.now, alone[1])


@pytest.mark.parametrize("num_threads", [1, 2])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_chunk_equals_its_steps(official, num_threads, dtype):
    chunk = np.ascontiguousarray(actions(9).transpose(1, 0, 2)).astype(dtype)
    left = np.arange(9, dtype=np.int32) + 5  # some rows stop early, and 12 is less than the last one's
    mask = np.arange(9) != 4
    one, other = mixed(official, 9, 1), mixed(official, 9, num_threads)
    outcome = ChunkOutcome(other, STEPS, each_obs=False)
    assert other.step_chunk(chunk, mask, outcome, left=left, ends=np.zeros(9, bool))
    for step in range(STEPS):
        one.step(chunk[:, step], mask & (step < left))
    assert np.array_equal(one.states, other.states)
    assert np.array_equal(one.now, other.now)
    assert outcome.taken.tolist() == np.where(mask, np.minimum(left, STEPS), 0).tolist()


def test_wrong_chunks(ball):
    engine = Engine([ball], 3, action_size=0)
    outcome = ChunkOutcome(engine, 2, each_obs=True)
    left, ends = np.full(3, 2, np.int32), np.zeros(3, bool)

    def take(actions, outcome=outcome, left=left, ends=ends, **terms):
        engine.step_chunk(actions, None, outcome, left=left, ends=ends, **terms)

    for shape in ((3, 2, 1), (2, 2, 0), (3, 0, 0)):
        with pytest.raises(ValueError, match=r"must have shape|must have at least one step"):
            take(np.zeros(shape), ChunkOutcome(engine, shape[1], each_obs=True))
    with pytest.raises(ValueError, match="left, ends and taken must have one entry per row"):
        take(np.zeros((3, 2, 0)), left=left[:2])
    with pytest.raises(ValueError, match="terms must have shape"):
        take(np.zeros((3, 3, 0)))
    with pytest.raises(ValueError, match="A term must be -1"):
        take(np.zeros((3, 2, 0)), success_term=0)
    engine.close()
    with pytest.raises(RuntimeError, match="closed"):
        take(np.zeros((3, 2, 0)))


def test_order_of_rows_changes_nothing(official, alone):
    source = mixed(official, 9, 1)
    order = np.random.default_rng(2).permutation(9)
    engine = Engine(source.scenes, 9, action_size=4, num_threads=2)
    for name in ("states", "overrides", "scene_of_row"):
        getattr(engine, name)[:] = getattr(source, name)[order]
    for action in actions(9):
        engine.step(action[order])
    assert np.array_equal(engine.states, alone[0][order])
    assert np.array_equal(engine.now, alone[1][order])


def test_masked_rows_stay_and_the_others_step_as_alone(official, alone):
    engine = mixed(official, 9, 2)
    groups = [np.arange(9) % 2 == 0, np.arange(9) % 2 == 1]
    for action in actions(9):
        for group in groups:
            before = engine.states[~group].copy()
            engine.step(np.where(group[:, None], action, np.float32(np.nan)), group)
            assert np.array_equal(engine.states[~group], before)
            assert not engine.faults.any()
    assert np.array_equal(engine.states, alone[0])


def test_an_empty_mask_steps_nothing(ball):
    engine = Engine([ball], 3, action_size=0, num_threads=2)
    engine.step(np.zeros((3, 0)), np.zeros(3, bool))
    assert not engine.states.any()


def test_too_many_threads_and_rows_are_refused(ball):
    with pytest.raises(ValueError, match="num_threads must be at most 4096, not 2147483648"):
        Engine([ball], 1, action_size=0, num_threads=2**31)
    with pytest.raises(ValueError, match="num_rows must be at most"):
        Engine([ball], 2**31, action_size=0)


def test_no_room_for_threads_is_told(ball, monkeypatch):
    class Full:
        num_threads = 300

        def step(self, actions, mask, spare):
            raise RuntimeError(os.strerror(errno.EAGAIN))

    engine = Engine([ball], 1, action_size=0)
    monkeypatch.setattr(engine, "_native", Full())
    with pytest.raises(RuntimeError, match=r"cannot start the 300 threads .* num_threads"):
        engine.step(np.zeros((1, 0)))


@pytest.mark.parametrize("num_threads", [1, 2])
def test_async_equals_sync(official, alone, num_threads):
    engine = mixed(official, 9, num_threads)
    for action in actions(9):
        mine = action.copy()
        engine.step_async(mine)
        mine[:] = np.nan  # the engine has its own copy
        assert engine.pending
        engine.step_wait()
        assert not engine.pending
    assert np.array_equal(engine.states, alone[0])


def test_two_engines_in_two_threads(official, alone):
    engines = [mixed(official, 9, 2) for _ in range(2)]

    def work(engine):
        for action in actions(9):
            engine.step(action)

    threads = [threading.Thread(target=work, args=(engine,)) for engine in engines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for engine in engines:
        assert np.array_equal(engine.states, alone[0])


def test_float32_and_float64_actions_differ_as_officially(official):
    one = official("reach-v3")
    ends = {}
    for dtype in (np.float32, np.float64):
        engine = Engine([one.scene], 1, action_size=4)
        one.load_into(engine, 0)
        engine.step(np.full((1, 4), np.float32(0.1)).astype(dtype))
        ends[dtype] = engine.states.copy()
    assert not np.array_equal(ends[np.float32], ends[np.float64])
    assert np.allclose(ends[np.float32], ends[np.float64], atol=1e-6)


def test_integer_and_strided_actions(official):
    one = official("reach-v3")
    ends = []
    for action in (
        [[1, 0, -1, 1]],
        np.array([[1, 0, -1, 1]]),
        np.repeat([[1.0, 0, -1, 1]], 2, axis=1)[:, ::2],
    ):
        engine = Engine([one.scene], 1, action_size=4)
        one.load_into(engine, 0)
        engine.step(action)
        ends.append(engine.states.copy())
    assert np.array_equal(ends[0], ends[1])
    assert np.array_equal(ends[0], ends[2])


def test_pickle_restores_every_bit(official):
    engine = mixed(official, 6, 2)
    script = actions(6)
    for action in script[:6]:
        engine.step(action)
    copy = pickle.loads(pickle.dumps(engine))
    assert copy.scenes[0].model is engine.scenes[0].model  # models travel by name
    for action in script[6:]:
        engine.step(action)
        copy.step(action)
    assert np.array_equal(copy.states, engine.states)
    assert np.array_equal(copy.now, engine.now)


def test_pickle_refused_while_pending(ball):
    engine = Engine([ball], 1, action_size=0)
    engine.step_async(np.zeros((1, 0)))
    with pytest.raises(RuntimeError, match=r"while a step is under way: call step_wait\(\) first"):
        pickle.dumps(engine)
    engine.step_wait()


def test_arrays_are_writable_views_that_keep_the_engine_alive(ball):
    states = Engine([ball], 2, action_size=0).states
    states[:] = 1
    assert states.flags.writeable
    assert states.sum() == states.size


def test_wrong_arguments(ball):
    with pytest.raises(TypeError, match="scenes must hold Scene objects, not 'ball'"):
        Engine(["ball"], 1, action_size=0)
    with pytest.raises(ValueError, match="scenes must hold at least one scene"):
        Engine([], 1, action_size=0)
    with pytest.raises(ValueError, match="num_rows must be at least 1, not 0"):
        Engine([ball], 0, action_size=0)
    with pytest.raises(TypeError, match="num_threads must be a whole number"):
        Engine([ball], 1, action_size=0, num_threads=1.5)


def test_too_small_an_action(official):
    with pytest.raises(ValueError, match="A scene uses 4 actions, but action_size is 3"):
        Engine([official("reach-v3").scene], 1, action_size=3)


def test_wrong_steps(ball):
    engine = Engine([ball], 2, action_size=1)
    with pytest.raises(ValueError, match=r"actions must have shape \(2, 1\), one row each, not \(2, 2\)"):
        engine.step(np.zeros((2, 2)))
    with pytest.raises(ValueError, match=r"mask must be a bool array of shape \(2,\)"):
        engine.step(np.zeros((2, 1)), np.ones(2, int))
    with pytest.raises(RuntimeError, match=r"No step is under way: call step_async\(\) first"):
        engine.step_wait()
    engine.scene_of_row[1] = 1
    with pytest.raises(ValueError, match=r"scene_of_row\[1\] must be in \[0, 1\), not 1"):
        engine.step(np.zeros((2, 1)))
    engine.step(np.zeros((2, 1)), np.array([True, False]))  # rows left out are not looked at
    engine.scene_of_row[1], engine.kernel_of_row[0] = 0, 0
    with pytest.raises(ValueError, match=r"kernel_of_row\[0\] must be -1 \(none\) or in \[0, 0\), not 0"):
        engine.step(np.zeros((2, 1)))


def test_one_step_at_a_time(ball):
    engine = Engine([ball], 2, action_size=0)
    engine.step_async(np.zeros((2, 0)))
    with pytest.raises(RuntimeError, match=r"A step is under way: call step_wait\(\) first"):
        engine.step(np.zeros((2, 0)))
    engine.step_wait()
    engine.step(np.zeros((2, 0)))


def test_closed(ball):
    engine = Engine([ball], 2, action_size=0)
    engine.step(np.zeros((2, 0)))
    engine.close()
    engine.close()
    assert engine.states.shape == (2, ball.native.state_size)
    with pytest.raises(RuntimeError, match="The engine is closed"):
        engine.step(np.zeros((2, 0)))


def test_close_cuts_a_step_short(ball):
    engine = Engine([Scene(ball.model, 20_000)], 64, action_size=0, num_threads=2)
    engine.step_async(np.zeros((64, 0)))
    engine.close()
    assert not engine.pending
    assert engine.faults[-1] == Fault.NOT_STEPPED
