"""Threads and processes: Ctrl-C, fork, interpreter exit, and a fresh process after pickling."""

import os
import signal
import subprocess
import sys
import textwrap

import mujoco
import numpy as np
import pytest

from taskworlds.engine import Engine, Fault, Model, Scene, recv_first

SETUP = """
import mujoco, numpy as np, os, pickle, signal, sys, threading
from taskworlds.engine import Engine, Model, Scene, compile_kernel
xml = '<mujoco><worldbody><body name="ball"><freejoint/><geom size="1"/></body></worldbody></mujoco>'
model = Model.from_mujoco(mujoco.MjModel.from_xml_string(xml))
def make(rows=8, frame_skip=1, num_threads=2, **more):
    engine = Engine([Scene(model, frame_skip)], rows, action_size=0, num_threads=num_threads, **more)
    return engine, np.zeros((rows, 0))
"""


def run(code, **options):
    return subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", SETUP + textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=120,
        **options,
    )


def check(code, **options):
    done = run(code, **options)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.mark.parametrize("num_threads", [1, 2])
@pytest.mark.parametrize("wait", [False, True])
def test_ctrl_c_stops_the_step_and_the_engine_goes_on(num_threads, wait):
    xml = '<mujoco><worldbody><body><freejoint/><geom size="1"/></body></worldbody></mujoco>'
    model = Model.from_mujoco(mujoco.MjModel.from_xml_string(xml))
    engine = Engine([Scene(model, 20_000)], 2_000, action_size=0, num_threads=num_threads)
    action = np.zeros((2_000, 0))
    handler = signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    try:
        with pytest.raises(KeyboardInterrupt):  # noqa: PT012
            if wait:
                engine.step_async(action)
                engine.step_wait()
            else:
                engine.step(action)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
    assert not engine.pending
    skipped = engine.faults == Fault.NOT_STEPPED
    assert skipped.any()
    assert not engine.states[skipped].any()
    assert (engine.states[~skipped, 0] > 0).all()
    assert not engine.faults[~skipped].any()
    engine.step(action, np.arange(2_000) < 2)
    assert not engine.faults.any()


def test_ctrl_c_while_rows_of_several_engines_are_waited_for_loses_none():
    xml = '<mujoco><worldbody><body><freejoint/><geom size="1"/></body></worldbody></mujoco>'
    model = Model.from_mujoco(mujoco.MjModel.from_xml_string(xml))
    fast, slow = (Engine([Scene(model, skip)], 500, action_size=0, num_threads=1) for skip in (1, 20_000))
    fast.send(np.zeros((8, 0)), np.arange(8))
    slow.send(np.zeros((500, 0)), np.arange(500))
    handler = signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    try:
        with pytest.raises(KeyboardInterrupt):
            recv_first([slow, fast], 508)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
    assert (slow.under_way, fast.under_way) == (500, 8)
    places, rows = recv_first([slow, fast], 20)
    assert sorted(rows[places == 1].tolist()) == list(range(8))
    assert rows[places == 0].tolist() == list(range(12))
    assert (slow.under_way, fast.under_way) == (488, 0)
    for engines in ([slow, slow], [slow, fast, slow]):
        with pytest.raises(ValueError, match="engines must differ, but one of them is there twice"):
            recv_first(engines, 1)
    fast.close()
    with pytest.raises(RuntimeError, match="The engine is closed"):
        recv_first([slow, fast], 1)
    assert slow.recv(1).tolist() == [12]
    slow.close()
    for engines in ([slow], []):
        with pytest.raises(RuntimeError, match="The engine is closed" if engines else "No row is under way"):
            recv_first(engines, 1)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_starts_its_own_threads():
    out = check("""
        engine, action = make()
        engine.step(action)
        states = engine.states.copy()
        pid = os.fork()
        engine.step(action)
        if pid == 0:
            engine.step_async(action); engine.step_wait()
            os.write(1, f"{engine.states[:, 0].round(6).tolist()}\\n".encode())
            os._exit(0)
        _, status = os.waitpid(pid, 0)
        assert status == 0
        assert (engine.states[:, 0] == 2 * states[:, 0]).all()
    """)
    assert out == f"{[0.006] * 8}\n"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_fork_while_a_step_is_under_way():
    check("""
        engine, action = make(rows=200, frame_skip=5000)
        engine.step_async(action)
        pid = os.fork()
        if pid == 0:
            try:
                engine.step_wait()
            except RuntimeError as error:
                assert "forked while a step was under way" in str(error)
            else:
                os._exit(1)
            engine.states[:] = 0
            engine.step(action[:200], np.arange(200) < 4)
            del engine
            os._exit(0)
        engine.step_wait()
        assert not engine.faults.any()
        _, status = os.waitpid(pid, 0)
        assert status == 0
    """)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_exchanges_a_scene_of_a_step_under_way():
    check("""
        engine, action = make(rows=200, frame_skip=5000)
        scene = Scene(model, 1)
        engine.step_async(action)
        pid = os.fork()
        if pid == 0:
            engine.set_scene(0, scene)
            engine.states[:] = 0
            engine.step(action)
            assert (engine.states[:, 0] == 0.002).all()
            os._exit(0)
        engine.step_wait()
        assert not engine.faults.any()
        _, status = os.waitpid(pid, 0)
        assert status == 0
    """)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_that_exits_normally():
    check("""
        engine, action = make()
        engine.step_async(action)
        pid = os.fork()
        if pid == 0:
            sys.exit(0)
        engine.step_wait()
        _, status = os.waitpid(pid, 0)
        assert status == 0
    """)


@pytest.mark.parametrize(
    "ending", ["", "sys.exit(0)", "raise SystemExit", "del engine", "keep = [engine]; keep.append(keep)"]
)
def test_exit_while_a_step_is_under_way(ending):
    check(f"""
        def kernel(now, action, params, memory, obs, terms, single):
            obs[0] += 1.0
        engine, action = make(rows=500, frame_skip=5000, obs_size=1, kernels=[compile_kernel(kernel)])
        engine.kernel_of_row[:] = 0
        engine.step_async(action)
        {ending}
    """)


@pytest.mark.parametrize("frame_skip", [5_000, 200_000])  # rows that take less, and more, than 50 ms
def test_exit_while_another_thread_steps(frame_skip):
    check(f"""
        engine, action = make(rows=500, frame_skip={frame_skip})
        started = threading.Event()
        def work():
            started.set()
            engine.step(action)
        threading.Thread(target=work, daemon=True).start()
        started.wait()
    """)


def test_a_model_of_ones_own_travels_by_bytes():
    out = check("""
        engine, action = make()
        engine.step(action)
        copy = pickle.loads(pickle.dumps(engine))
        engine.step(action); copy.step(action)
        print((copy.states == engine.states).all())
    """)
    assert out == "True\n"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the limit holds on Linux")
@pytest.mark.parametrize("num_threads", [1, 2])
def test_memory_that_is_gone_is_the_rows_own_fault(tmp_path, num_threads):
    """A thread's own arrays for a model of 200,000 sites do not fit; the small model's rows go on."""
    marks = '<site name="mark"/>' + "<site/>" * 200_000
    large = mujoco.MjModel.from_xml_string(f"<mujoco><worldbody>{marks}</worldbody></mujoco>")
    file = tmp_path / "large.mjb"  # compiled there it would leave much free memory behind
    mujoco.mj_saveModel(large, str(file))
    code = f"""
        import resource
        from taskworlds.engine import Fault
        large = Model.from_file({str(file)!r})
        model = Model.from_mujoco(mujoco.MjModel.from_xml_string(
            '<mujoco><size memory="100K"/>' + xml.removeprefix("<mujoco>")
        ))  # what its simulations give back is no room for the large one
        scenes = [Scene(model, 1), Scene(large, 1, overrides=(("site_pos", "mark"),))]
        engine = Engine(scenes, 4, action_size=0, num_threads={num_threads})
        action = np.zeros((4, 0))
        engine.states[:, 1:8] = [0, 0, 1, 1, 0, 0, 0]
        engine.step(action)  # the threads are there, and have the small model
        engine.scene_of_row[:] = [0, 1, 0, 1]
        before = engine.states.copy()

        size = 1024 * int(open("/proc/self/status").read().split("VmSize:")[1].split()[0])
        limit = resource.getrlimit(resource.RLIMIT_AS)
        for do in (lambda: engine.step(action), lambda: engine.forward(warm_start=True)):
            engine.states[:] = before
            resource.setrlimit(resource.RLIMIT_AS, (size + 2**20, limit[1]))
            do()
            resource.setrlimit(resource.RLIMIT_AS, limit)
            assert engine.faults[1::2].tolist() == [Fault.ERROR, Fault.ERROR], engine.faults
            # A second thread that had nothing to do before has no simulator of the small model either.
            assert {num_threads} > 1 or not engine.faults[::2].any(), engine.faults
            assert engine.error(1) == engine.error(3) == "C++ exception: std::bad_alloc", engine.error(3)
            assert (engine.states[1::2] == before[1::2]).all()
        assert engine.step(action), engine.error(1)
        assert (engine.states[:, 0] > before[:, 0]).all()
    """
    # So that large blocks come from the system, and are not cut from what was freed before, or from what the C library
    # sets aside for a second thread.
    check(code, env=os.environ | {"MALLOC_MMAP_THRESHOLD_": "131072", "MALLOC_ARENA_MAX": "1"})
