"""Threads, forks and memory. What could hang or end the process runs in another one."""

import gc
import sys
import threading

import mujoco
import numpy as np
import pytest

import taskworlds
from taskworlds.rendering import offscreen
from taskworlds.rendering.camera import Camera

WITH_DM_CONTROL = pytest.mark.requires_dm_control


def named(world, engine, *marks):
    return pytest.param(world, engine, id=f"{world}-{engine}", marks=marks)


# --- threads ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("world", "engine"),
    [
        named("drawer-open-v3", "native"),
        named("drawer-open-v3", "sync"),
        named("half-cheetah-vel", "native"),
        named("half-cheetah-vel", "sync"),
        named("half-cheetah-vel", "async"),
        named("walker-walk", "native", WITH_DM_CONTROL),
        named("walker-walk", "sync", WITH_DM_CONTROL),
        named("quadruped-escape", "sync", WITH_DM_CONTROL),  # its reset would draw, too
        named("point", "numpy"),
        named("grid-4x4", "sync"),
    ],
)
def test_every_world_draws_from_any_thread(world, engine):
    size = {} if world in ("point", "grid-4x4") else {"width": 32, "height": 24}
    envs = taskworlds.make_vec(world, 1, seed=0, vector_strategy=engine, render_mode="rgb_array", **size)
    pictures = []

    def episode():
        envs.reset(seed=0)
        pictures.append(envs.render()[0])
        envs.step(np.stack([envs.single_action_space.sample()]))
        assert envs.render()[0].shape == pictures[0].shape

    _in_a_thread(episode)
    episode()
    _in_a_thread(episode)
    _in_a_thread(envs.close)
    for picture in pictures:
        assert picture.std() > 0
        np.testing.assert_array_equal(picture, pictures[0])


def _in_a_thread(function):
    failures = []

    def run():
        try:
            function()
        except Exception as error:
            failures.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if failures:
        raise failures[0]


def test_threads_draw_and_close_at_the_same_time():
    """Environments of four threads; some are only forgotten, so what they hold is given back by the collector."""
    outcomes = []

    def work(number):
        for episode in range(2):
            env = taskworlds.make("half-cheetah-vel", seed=0, render_mode="rgb_array", width=16, height=16)
            env.reset(seed=number % 2)
            outcomes.append((number % 2, env.render()))
            if episode or number:
                env.close()
            del env
        gc.collect()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    first = dict(outcomes)
    assert len(outcomes) == 8
    for seed, picture in outcomes:
        np.testing.assert_array_equal(picture, first[seed])


# --- forks --------------------------------------------------------------------------------------------------

FORKS = """
import multiprocessing, os, sys, threading, time
import mujoco, taskworlds

ONE = {"render_mode": "rgb_array", "width": 16, "height": 16, "seed": 0}

def draw(env):
    env.reset(seed=0)
    return env.render()

def refused(env):
    try:
        draw(env)
    except RuntimeError as error:
        return "OpenGL does not survive a fork" in str(error) and "spawn" in str(error)

def child(outcomes):
    outcomes.put([
        refused(inherited),
        refused(taskworlds.make("reach-v3", **ONE)),
        draw(taskworlds.make("grid-4x4", render_mode="rgb_array")).std() > 0,
        inherited.close() is None,
    ])

def before_anything_is_drawn(outcomes):
    outcomes.put(draw(taskworlds.make("half-cheetah-vel", **ONE)).std() > 0)

if __name__ == "__main__":
    fork = multiprocessing.get_context("fork")
    outcomes = fork.Queue()

    def run(function):
        process = fork.Process(target=function, args=(outcomes,))
        process.start()
        outcome = outcomes.get(timeout=60)
        process.join(30)
        assert process.exitcode == 0, process.exitcode
        return outcome

    assert run(before_anything_is_drawn)
    inherited = taskworlds.make("half-cheetah-vel", **ONE)
    picture = draw(inherited)
    assert run(child) == [True] * 4

    number = os.fork()  # a process that ends by itself, with all that is called at an end
    if number == 0:
        assert refused(inherited)
        sys.exit(0)
    for _ in range(300):
        ended, status = os.waitpid(number, os.WNOHANG)
        if ended:
            break
        time.sleep(0.1)
    assert ended == number and status == 0, (ended, status)

    envs = taskworlds.make_vec("half-cheetah-vel", 1, vector_strategy="async", **ONE)
    envs.reset(seed=0)
    assert (envs.render()[0] == picture).all()
    envs.close()
    assert (draw(inherited) == picture).all()
"""

OTHERS_DRAW = """
import os, sys
import mujoco, taskworlds
model = mujoco.MjModel.from_xml_string("<mujoco><worldbody><geom size='1'/></worldbody></mujoco>")
renderer = mujoco.Renderer(model, 16, 16)
renderer.update_scene(mujoco.MjData(model))
renderer.render()
env = taskworlds.make("half-cheetah-vel", seed=0, render_mode="rgb_array", width=16, height=16)
number = os.fork()
if number == 0:
    try:
        env.reset(seed=0)
        env.render()
    except RuntimeError as error:
        os._exit(0)
    os._exit(1)
assert os.waitpid(number, 0) == (number, 0)
"""

NO_GUARD = """
import taskworlds
ONE = {"render_mode": "rgb_array", "width": 16, "height": 16, "seed": 0}
env = taskworlds.make("half-cheetah-vel", **ONE)
env.reset()
env.render()
taskworlds.make_vec("half-cheetah-vel", 1, vector_strategy="async", **ONE)
"""


def _fault_of_script(tmp_path, script):
    """Runs a script as a file, since processes that are spawned run the file again; returns what went wrong."""
    path = tmp_path / "script.py"
    path.write_text(script)
    program = (
        f"import runpy, sys; sys.argv = [{str(path)!r}]; import __main__; __main__.__file__ = sys.argv[0]\n"
    )
    program += f"exec(compile(open({str(path)!r}).read(), {str(path)!r}, 'exec'))"
    return offscreen.fault(program, MUJOCO_GL=offscreen.choose_library())


def test_drawing_after_a_fork_does_not_hang(tmp_path):
    assert _fault_of_script(tmp_path, FORKS) is None


def test_what_others_have_drawn_counts(tmp_path):
    assert _fault_of_script(tmp_path, OTHERS_DRAW) is None


def test_a_script_that_cannot_be_run_again_is_told_so(tmp_path):
    message = _fault_of_script(tmp_path, NO_GUARD)
    assert message is not None
    assert 'put its code under `if __name__ == "__main__":`' in message


# --- memory -------------------------------------------------------------------------------------------------

MT10 = """
import taskworlds

def used():  # MB
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096 / 1e6

envs = taskworlds.make_vec("MT10", seed=0, render_mode="rgb_array", width=64, height=64)
envs.reset(seed=0)
before = used()
envs.render()
drawn = used() - before
envs.close()
left = used() - before
assert drawn < 1150 and left < 350, f"{drawn:.0f} MB drawn, {left:.0f} MB left"
"""


def test_memory_of_pictures():
    """Measured: 970 MB while MT10's eight models are drawn, 200 MB after, most of it code (1,650 and 1,100 before)."""
    assert offscreen.fault(MT10, MUJOCO_GL=offscreen.choose_library()) is None


def test_what_is_drawn_is_given_back():
    """A camera that is closed, or forgotten, holds no model."""
    model = mujoco.MjModel.from_xml_string("<mujoco><worldbody><geom size='1'/></worldbody></mujoco>")
    data = mujoco.MjData(model)
    before = sys.getrefcount(model)
    for close in (True, False):
        camera = Camera(model, data, "rgb_array", None, None, 8, 8)
        camera.picture()
        if close:
            camera.close()
        del camera
        gc.collect()
        assert sys.getrefcount(model) == before
