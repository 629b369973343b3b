"""What mtrl's vector environments do when an environment fails, its process dies, or they are closed."""

from __future__ import annotations

import functools
import os
import re
import sys
import threading

import cloudpickle
import gymnasium
import numpy as np
import pytest
from gymnasium.error import ClosedEnvironmentError
from gymnasium.spaces import Box, Dict, Discrete

from taskworlds import VecEnv

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # started processes cannot import a test file

WHO = r"environment 1 \(id 11, mode 'train'\)"


class AwkwardError(Exception):
    """Cannot be made from one text."""

    def __init__(self, code, reason):
        super().__init__(code, reason)


class Faulty(gymnasium.Env):
    """Raises `fault` as it is made, or fails in a step whose action is at or above 1.

    1 raises ValueError, 2 AwkwardError, 3 an error of a class that no other process knows, 4 KeyError; 5 ends the
    process.
    """

    observation_space = Dict({"env_obs": Box(0.0, 10.0, (2,), np.float64), "task_obs": Discrete(10)})
    action_space = Box(-10.0, 10.0, (1,), np.float64)
    number = 0

    def __init__(self, fault=None):
        if fault is not None:
            raise fault

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return {"env_obs": np.zeros(2), "task_obs": 0}, {}

    def step(self, action):
        class PrivateError(Exception):
            pass

        fault = int(action[0])
        if fault == 5:
            os._exit(7)
        if fault in (1, 2, 3, 4):
            raise (ValueError("boom"), AwkwardError(1, "boom"), PrivateError("boom"), KeyError("boom"))[
                fault - 1
            ]
        return {"env_obs": np.zeros(2), "task_obs": 0}, 0.0, False, False, {}


@pytest.mark.parametrize(
    ("fault", "error", "text"),
    [
        (1, ValueError, "ValueError: boom"),
        (2, RuntimeError, r"AwkwardError: \(1, 'boom'\)"),
        (3, RuntimeError, "PrivateError: boom"),
        (4, KeyError, "KeyError: 'boom'"),
    ],
)
def test_an_error_names_its_environment(make_batch, fault, error, text):
    envs = make_batch(VecEnv, [Faulty] * 3)
    envs.reset(seed=0)
    with pytest.raises(error) as caught:
        envs.step([[0.0], [fault], [fault]])
    assert re.fullmatch(f"In {WHO}: {text} .All environments are now closed: .*", caught.value.args[0])
    assert "in step" in str(caught.value.__cause__)  # the traceback in the environment's own process
    with pytest.raises(ClosedEnvironmentError):
        envs.step(np.zeros((3, 1)))


def test_a_process_that_dies_is_named(make_batch):
    envs = make_batch(VecEnv, [Faulty] * 2, env_metadata={"ids": [3, 8], "mode": ["train", "eval"]})
    envs.reset(seed=0)
    message = r"died during step: environment 1 \(id 8, mode 'eval'\) with exit code 7\..*make them again"
    with pytest.raises(RuntimeError, match=message):
        envs.step([[0.0], [5.0]])
    assert envs.closed
    assert not any(process.is_alive() for process in envs.processes)


def test_a_process_that_was_killed_between_calls_is_named(make_batch):
    envs = make_batch(VecEnv, [Faulty] * 2)
    envs.reset(seed=0)
    envs.processes[1].kill()
    envs.processes[1].join()
    with pytest.raises(RuntimeError, match=f"died during the call of number: {WHO} with exit code -9"):
        envs.get_attr("number")


def test_an_error_at_the_start_names_its_environment(metadata):
    with pytest.raises(ValueError, match=f"In {WHO}: ValueError: no such goal"):
        VecEnv(metadata(2), [Faulty, functools.partial(Faulty, fault=ValueError("no such goal"))])


def test_a_connection_error_of_an_environments_own_is_not_taken_for_a_death(metadata):
    with pytest.raises(ConnectionError, match=f"In {WHO}: ConnectionError: no server"):
        VecEnv(metadata(2), [Faulty, functools.partial(Faulty, fault=ConnectionError("no server"))])


def test_a_death_at_the_start_is_named(metadata):
    here = os.getpid()

    def dying():
        if os.getpid() != here:
            os._exit(9)
        return Faulty()

    with pytest.raises(RuntimeError, match=r"died during the start: environment 0 .* with exit code 9"):
        VecEnv(metadata(1), [dying])


def test_what_cannot_be_sent_to_a_process_leaves_none_behind(metadata):
    made = []

    class Watched(VecEnv):
        def _abandon(self):
            made.append(self)
            super()._abandon()

    lock = threading.Lock()
    with pytest.raises(TypeError, match="pickle"):
        Watched(metadata(2), [Faulty, lambda: Faulty(lock)], context="spawn")
    assert made[0].closed
    assert not any(process.is_alive() for process in made[0].processes)


def test_close_twice_and_with_a_dead_process(make_batch):
    envs = make_batch(VecEnv, [Faulty] * 2)
    envs.close()
    envs.close()
    assert not any(process.is_alive() for process in envs.processes)
    with pytest.raises(ClosedEnvironmentError):
        envs.reset()
    envs = make_batch(VecEnv, [Faulty] * 2)
    envs.processes[0].kill()
    envs.processes[0].join()
    envs.close()
    assert not any(process.is_alive() for process in envs.processes)
