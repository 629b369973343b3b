"""What random use of the native vector environment draws: tasks, options, calls, and calls that are refused."""

from __future__ import annotations

import functools
from types import SimpleNamespace

import hypothesis.strategies as st
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode
from hypothesis import HealthCheck, settings

from taskworlds import Task, benchmark

settings.register_profile(
    "random use", deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)


def reach(x, y, z, hidden):
    return Task("reach-v3", {"rand_vec": (-0.1, 0.75, 0.02, x, y, z), "partially_observable": hidden})


@functools.cache
def all_tasks():
    """Tasks of three skills: two that the first or some steps solve, some far ones, with goals shown and hidden."""
    others = benchmark(
        "custom-mt-envs", envs_list=["button-press-v3", "drawer-close-v3"], seed=0, num_goals=2
    )
    return (
        reach(0.0, 0.6, 0.15, hidden=True),
        reach(0.02, 0.6, 0.15, hidden=True),
        reach(0.1, 0.9, 0.2, hidden=False),
        reach(0.1, 0.85, 0.1, hidden=False),
        *others.train_tasks,
    )


def seeds():
    return st.integers(0, 2**70)


def some_options(normalizes=True):
    return st.fixed_dictionaries(
        {
            "max_episode_steps": st.integers(1, 4),
            "autoreset_mode": st.sampled_from(list(AutoresetMode)),
            "k_episodes": st.sampled_from([None, None, 1, 2, 3]),
            "task_select": st.sampled_from(["random", "pseudorandom", "round_robin", "fixed"]),
            "sample_tasks_on_reset": st.sampled_from([None, True, False]),
            "terminate_on_success": st.booleans(),
            "use_one_hot": st.booleans(),
            "recurrent_info_in_obs": st.booleans(),
            "normalize_reward_in_recurrent_info": st.booleans(),
            "normalize_observations": st.booleans() if normalizes else st.just(False),
            "reward_normalization_method": st.sampled_from([None, "gymnasium", "exponential"]),
            "reward_alpha": st.sampled_from([0.001, 0.3]),
            "reward_function_version": st.sampled_from(["v1", "v2"]),
            "num_threads": st.integers(1, 3),
        }
    )


def masks(data, n):
    """None, or which rows."""
    return data.draw(st.none() | st.lists(st.booleans(), min_size=n, max_size=n).map(np.array), "mask")


def rows_of(mask, n):
    return np.ones(n, dtype=bool) if mask is None else mask


def actions(data, n):
    seed = data.draw(st.integers(0, 2**16), "actions")
    drawn = np.random.default_rng(seed).uniform(-1.2, 1.2, (n, 4))
    return drawn.astype(data.draw(st.sampled_from([np.float32, np.float64]), "dtype"))


def reset_arguments(data, n):
    """Random arguments of `reset`, and the rows that it resets."""
    mask = masks(data, n)
    options = {} if mask is None else {"reset_mask": mask}
    count = int(rows_of(mask, n).sum())
    kind = data.draw(st.sampled_from(["none", "one", "each"]), "tasks")
    if kind == "one":
        options["tasks"] = data.draw(st.sampled_from(all_tasks()))
    elif kind == "each":
        options["tasks"] = data.draw(st.lists(st.sampled_from(all_tasks()), min_size=count, max_size=count))
    seed = data.draw(st.none() | seeds() | st.lists(st.none() | seeds(), min_size=n, max_size=n), "seed")
    return seed, options, rows_of(mask, n)


@pytest.fixture(scope="session")
def drawing():
    """The functions that draw what a user does, and the tasks that there are."""
    return SimpleNamespace(
        all_tasks=all_tasks,
        seeds=seeds,
        some_options=some_options,
        masks=masks,
        rows_of=rows_of,
        actions=actions,
        reset_arguments=reset_arguments,
    )


def all_refusals():
    """What is refused, with the error and a part of its message. Each takes the environment and a snapshot of it."""
    task = all_tasks()[2]
    other = Task("push-v3", dict(task.params))

    def without_an_array(envs, state):
        envs.set_state({name: values for name, values in state.items() if name != "progress/steps"})

    def with_an_array(name, change):
        return lambda envs, state: envs.set_state(state | {name: change(state[name])})

    zeros = lambda envs: np.zeros((envs.num_envs, 4))  # noqa: E731
    return {
        "step: shape": (
            lambda e, s: e.step(np.zeros((e.num_envs + 1, 4))),
            ValueError,
            "actions must have the shape",
        ),
        "step: one action": (lambda e, s: e.step(np.zeros(4)), ValueError, "actions must have the shape"),
        "step: complex": (lambda e, s: e.step(zeros(e).astype(complex)), TypeError, "must be of dtype"),
        "step: None": (lambda e, s: e.step(None), TypeError, "must be of dtype"),
        "step: ragged": (
            lambda e, s: e.step([[0.0] * 4] * e.num_envs + [[0.0]]),
            ValueError,
            "array of shape",
        ),
        "step: mask of numbers": (
            lambda e, s: e.step(zeros(e), np.ones(e.num_envs)),
            ValueError,
            "mask must be a bool",
        ),
        "step: mask too long": (
            lambda e, s: e.step(zeros(e), np.ones(e.num_envs + 1, dtype=bool)),
            ValueError,
            "mask must be a bool",
        ),
        "step_async: shape": (
            lambda e, s: e.step_async(np.zeros((0, 4))),
            ValueError,
            "actions must have the shape",
        ),
        "step_wait: none under way": (lambda e, s: e.step_wait(), RuntimeError, "No step is under way"),
        "reset: seed below 0": (lambda e, s: e.reset(seed=-1), ValueError, "seed must be at least 0"),
        "reset: seed of a float": (lambda e, s: e.reset(seed=1.5), TypeError, "seed must be a whole number"),
        "reset: seed of a bool": (lambda e, s: e.reset(seed=True), TypeError, "seed must be a whole number"),
        "reset: seeds too many": (
            lambda e, s: e.reset(seed=[1] * (e.num_envs + 1)),
            ValueError,
            "seed must have one entry for each",
        ),
        "reset: a late bad seed": (
            lambda e, s: e.reset(seed=[1] * (e.num_envs - 1) + ["x"]),
            TypeError,
            "seed must be a whole number",
        ),
        "reset: option": (
            lambda e, s: e.reset(seed=1, options={"task": 1}),
            TypeError,
            "reset takes the options",
        ),
        "reset: mask": (
            lambda e, s: e.reset(seed=1, options={"reset_mask": [1] * e.num_envs}),
            ValueError,
            "must be a bool array",
        ),
        "reset: skill": (
            lambda e, s: e.reset(seed=1, options={"tasks": other}),
            ValueError,
            "does not have here",
        ),
        "reset: a late bad task": (
            lambda e, s: e.reset(seed=1, options={"tasks": [task] * (e.num_envs - 1) + [other]}),
            ValueError,
            "does not have here",
        ),
        "reset: tasks too many": (
            lambda e, s: e.reset(seed=1, options={"tasks": [task] * (e.num_envs + 1)}),
            ValueError,
            "one task for each",
        ),
        "reset: no tasks": (
            lambda e, s: e.reset(options={"tasks": [3] * e.num_envs}),
            TypeError,
            "Expected a",
        ),
        "reset: tasks a number": (
            lambda e, s: e.reset(options={"tasks": 3}),
            TypeError,
            "must be a Task or a list",
        ),
        "set_tasks: skill": (lambda e, s: e.set_tasks(other), ValueError, "does not have here"),
        "set_tasks: goal": (
            lambda e, s: e.set_tasks(Task("reach-v3", {"rand_vec": (0.0,), "partially_observable": True})),
            ValueError,
            "rand_vec",
        ),
        "set_tasks: mask": (lambda e, s: e.set_tasks(task, "x"), ValueError, "mask must be a bool array"),
        "sample_tasks: seed": (lambda e, s: e.sample_tasks(seed=-1), ValueError, "seed must be at least 0"),
        "sample_tasks: option": (
            lambda e, s: e.sample_tasks(options={"x": 1}),
            TypeError,
            "reset takes the options",
        ),
        "set_state: empty": (lambda e, s: e.set_state({}), ValueError, "not a state that get_state returned"),
        "set_state: None": (
            lambda e, s: e.set_state(None),
            ValueError,
            "not a state that get_state returned",
        ),
        "set_state: a part": (without_an_array, ValueError, "not a state that get_state returned"),
        "set_state: rows below 0": (
            lambda e, s: e.set_state(s, rows=-1),
            ValueError,
            "rows must be from 0 to",
        ),
        "set_state: rows of floats": (
            lambda e, s: e.set_state(s, rows=np.zeros(e.num_envs)),
            ValueError,
            "rows must be one row",
        ),
        "set_state: rows too many": (
            lambda e, s: e.set_state(s, rows=[0] * (e.num_envs + 1)),
            ValueError,
            "rows must be one row",
        ),
        "set_state: counters of another size": (
            with_an_array("observations/values", lambda values: values[:, 1:]),
            ValueError,
            "not a state that get_state returned",
        ),
        "set_state: fewer rows": (
            with_an_array("progress/steps", lambda values: values[:0]),
            ValueError,
            "not a state that get_state returned",
        ),
        "set_state: text": (
            with_an_array("data", lambda text: np.array(str(text)[:-9])),
            ValueError,
            "not a state",
        ),
        "set_attr: tasks": (
            lambda e, s: e.set_attr("tasks", [[]] * e.num_envs),
            ValueError,
            "tasks must be a list",
        ),
        "set_attr: a late bad task": (
            lambda e, s: e.set_attr("tasks", [[task]] * (e.num_envs - 1) + [[other]]),
            ValueError,
            "does not have here",
        ),
        "set_attr: no switch": (
            lambda e, s: e.set_attr("terminate_on_success", [True] * (e.num_envs - 1) + [3]),
            ValueError,
            "must be one of",
        ),
        "set_attr: too many": (
            lambda e, s: e.set_attr("sample_tasks_on_reset", [True] * (e.num_envs + 1)),
            ValueError,
            "one value for each",
        ),
        "set_attr: unknown": (lambda e, s: e.set_attr("gravity", 1), AttributeError, "gravity"),
        "call: unknown": (lambda e, s: e.call("jump"), AttributeError, "jump"),
        "load_checkpoint: none": (
            lambda e, s: e.call("load_checkpoint", []),
            ValueError,
            "There is no checkpoint",
        ),
        "load_checkpoint: empty": (
            lambda e, s: e.call("load_checkpoint", [(name, {}) for name, _ in e.call("get_checkpoint")]),
            ValueError,
            "checkpoint",
        ),
        "load_checkpoint: a late bad one": (
            lambda e, s: e.call(
                "load_checkpoint",
                [
                    *e.call("get_checkpoint")[:-1],
                    (e.call("get_checkpoint")[-1][0], {"selection": {"tasks": []}}),
                ],
            ),
            ValueError,
            "checkpoint",
        ),
        "render: no mode": (lambda e, s: e.render(), RuntimeError, "There is no picture"),
    }


@pytest.fixture(scope="session")
def refusals():
    """All calls that are refused, by name: the call, the error, and a part of its message."""
    return all_refusals()


@pytest.fixture(params=sorted(all_refusals()))
def refusal(request, refusals):
    """Each call that is refused, in turn."""
    return refusals[request.param]
