"""Rows in processes: late answers, long messages, silence, ways to start, and too little room."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time

import gymnasium
import numpy as np
import pytest

import taskworlds
from taskworlds import MetaWorldVecEnv, PointEnv
from taskworlds.rows.pipes import Answers, Requests, SilentError
from taskworlds.rows.worker_processes import start_method


@pytest.fixture
def pipe():
    """The two ends of a pipe, both in this process."""
    ends = multiprocessing.Pipe()
    requests, answers = Requests(ends[0], os.getpid(), 20.0), Answers(ends[1])
    yield requests, answers
    requests.close()
    answers.close()


def test_an_answer_that_nobody_waited_for_is_left_out(pipe):
    requests, answers = pipe
    requests.send("first")
    assert answers.recv() == "first"
    requests.send("second")
    answers.send("to the first")
    assert answers.recv() == "second"
    assert not requests.poll(0.0)
    answers.send("to the second")
    assert requests.poll(None)
    assert requests.recv() == requests.recv() == "to the second"


def test_long_messages_wait_for_nobody(pipe):
    requests, answers = pipe
    whole = np.arange(10**6)
    requests.send(whole)  # returns, though nobody reads
    requests.send(whole[:10])
    read = []
    reader = threading.Thread(
        target=lambda: (read.extend([answers.recv(), answers.recv()]), answers.send(whole))
    )
    reader.start()
    np.testing.assert_array_equal(requests.recv(), whole)
    reader.join()
    np.testing.assert_array_equal(read[0], whole)
    np.testing.assert_array_equal(read[1], whole[:10])


def test_silence_and_the_end():
    ends = multiprocessing.Pipe()
    requests, answers = Requests(ends[0], os.getpid(), 0.2), Answers(ends[1])
    requests.send(1)
    with pytest.raises(SilentError):
        requests.recv()
    assert requests.silent
    answers.close()
    with pytest.raises((EOFError, ConnectionError)):
        requests.recv()
    requests.close()


def test_how_processes_start(monkeypatch):
    usual = multiprocessing.get_all_start_methods()[0]
    monkeypatch.setattr(multiprocessing, "get_start_method", lambda allow_none: None)
    monkeypatch.setattr(threading, "active_count", lambda: 1)
    assert start_method() == usual
    monkeypatch.setattr(threading, "active_count", lambda: 2)
    assert start_method() == ("spawn" if usual == "fork" else usual)
    monkeypatch.setattr(multiprocessing, "get_start_method", lambda allow_none: "fork")
    assert start_method() == "fork"
    assert start_method(has_drawn=True) == "spawn"


@pytest.mark.parametrize("limit", [0, -1.0, True, "5", float("nan")])
def test_a_limit_that_is_none(limit):
    with pytest.raises(ValueError, match=r"worker_timeout must be a number of seconds above 0, or None"):
        taskworlds.make_vec("point", 2, vector_strategy="async", engine_options={"worker_timeout": limit})


def test_the_limit_is_an_option_of_the_engine():
    envs = taskworlds.make_vec(
        "point", 2, seed=0, vector_strategy="async", engine_options={"worker_timeout": 0.4}
    )
    envs.reset(seed=0)
    process = envs.rows.envs.processes[1]
    os.kill(process.pid, signal.SIGSTOP)
    with pytest.raises(
        RuntimeError, match=r"stopped during step: row 1 did not answer for 0.4 s.* now closed"
    ):
        envs.step(np.zeros((2, 2)))
    assert not any(each.is_alive() for each in envs.rows.envs.processes)
    envs.close()


def test_a_row_that_only_computes_is_waited_for():
    class Slow(PointEnv):
        def reset(self, **keywords):
            end = time.monotonic() + 1.5
            while time.monotonic() < end:
                pass
            return super().reset(**keywords)

    metadata = {"ids": [0], "mode": ["train"]}
    envs = MetaWorldVecEnv(metadata, [Slow], worker_timeout=0.5)
    envs.reset(seed=0)
    envs.close()


def test_an_interrupted_step_can_be_finished_or_given_up(monkeypatch):
    envs = MetaWorldVecEnv({"ids": [0, 1], "mode": ["train"] * 2}, [PointEnv, PointEnv])
    moves = np.full((2, 2), 0.1)
    envs.reset(seed=0)
    first = envs.step(moves)[0]["env_obs"]
    envs.reset(seed=0)

    def interrupted(self):
        raise KeyboardInterrupt

    for finish in (True, False):
        with monkeypatch.context() as patch:
            patch.setattr(Requests, "_wait", interrupted)
            with pytest.raises(KeyboardInterrupt):
                envs.step(moves)
        for call in (
            lambda: envs.step(moves),
            lambda: envs.reset(options={"reset_mask": np.array([True, False])}),
        ):
            with pytest.raises(
                RuntimeError, match=r"a step was interrupted, .* Call reset\(\) for all of them"
            ):
                call()
        if finish:
            np.testing.assert_array_equal(envs.step_wait()[0]["env_obs"], first)
        envs.reset(seed=0)
        np.testing.assert_array_equal(envs.step(moves)[0]["env_obs"], first)
        envs.reset(seed=0)
    envs.close()


def test_a_call_at_the_wrong_time_changes_nothing():
    envs = MetaWorldVecEnv({"ids": [0, 1], "mode": ["train"] * 2}, [PointEnv, PointEnv])
    moves = np.full((2, 2), 0.1)
    envs.reset(seed=0)
    for wait in (envs.step_wait, envs.reset_wait, envs.call_wait):
        with pytest.raises(gymnasium.error.NoAsyncCallError):
            wait()
    envs.step_async(moves)
    with pytest.raises(gymnasium.error.AlreadyPendingCallError):
        envs.step_async(moves)
    first = envs.step_wait()[0]["env_obs"]
    envs.reset(seed=0)
    np.testing.assert_array_equal(envs.step(moves)[0]["env_obs"], first)
    envs.close()


def test_one_call_at_a_time():
    envs = MetaWorldVecEnv({"ids": [0, 1], "mode": ["train"] * 2}, [PointEnv, PointEnv])
    envs.reset(seed=0)
    os.kill(envs.processes[0].pid, signal.SIGSTOP)
    outcomes = []
    thread = threading.Thread(target=lambda: outcomes.append(envs.step(np.zeros((2, 2)))))
    thread.start()
    refused, end = [], time.monotonic() + 20
    while len(refused) < 3 and time.monotonic() < end:
        for call in (lambda: envs.call("render_mode"), envs.close, lambda: envs.reset(seed=1)):
            if thread.is_alive() and envs._turn.locked():
                with pytest.raises(RuntimeError, match="takes one call at a time"):
                    call()
                refused.append(call)
    os.kill(envs.processes[0].pid, signal.SIGCONT)
    thread.join()
    assert len(refused) >= 3
    assert len(outcomes) == 1
    envs.close()


NO_ROOM = """
import os, resource, taskworlds
from taskworlds.worlds.small import world
used = len(os.listdir("/proc/self/fd"))
resource.setrlimit(resource.RLIMIT_NOFILE, (used + 12, used + 12))
try:
    taskworlds.make_vec("point", 20, vector_strategy="async")
except RuntimeError as error:
    print(error)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc")
def test_too_little_room_for_processes():
    done = subprocess.run([sys.executable, "-c", NO_ROOM], capture_output=True, text=True, timeout=60)
    assert "The system cannot start a process for each of the 20 rows ([Errno 24]" in done.stdout, done
