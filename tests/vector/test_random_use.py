"""Random use of the native vector environment, against batches of one, a simple model, and the official engine."""

from __future__ import annotations

import functools
import io

import hypothesis.strategies as st
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode
from hypothesis import HealthCheck, given, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

import taskworlds
from taskworlds import Task, benchmark

CLOCK = ("t", "_t")
QUIET = {
    "deadline": None,
    "derandomize": True,
    "database": None,
    "suppress_health_check": list(HealthCheck),
}


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
    return st.integers(0, 2**32 - 20)


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


def task_of(options, row, rows):
    """The task that options give a row, as options for the row alone."""
    given = options.get("tasks")
    if given is None or not rows[row]:
        return {}
    return {"tasks": given if isinstance(given, Task) else given[int(rows[:row].sum())]}


def through_a_file(state):
    """Saves and loads a snapshot, without pickle."""
    file = io.BytesIO()
    np.savez(file, **state)
    file.seek(0)
    with np.load(file, allow_pickle=False) as saved:
        return dict(saved)


def check_masks(infos, n, where="infos"):
    """Every entry of infos has its rows beside it, and is zero or None in the others."""
    for name, values in infos.items():
        if name.startswith("_"):
            assert name[1:] in infos, where
            continue
        rows = infos[f"_{name}"]
        assert (rows.dtype, rows.shape) == (np.bool_, (n,)), f"{where}[{name!r}]"
        assert rows.any(), f"{where}[{name!r}]"
        if isinstance(values, dict):
            check_masks(values, n, f"{where}[{name!r}]")
            for inner in values:
                if inner.startswith("_"):
                    assert not (values[inner] & ~rows).any(), f"{where}[{name!r}][{inner!r}]"
            continue
        assert values.shape[0] == n, f"{where}[{name!r}]"
        if values.dtype == object:
            assert [value is None for value in values] == (~rows).tolist(), f"{where}[{name!r}]"
        else:
            assert np.isfinite(values).all(), f"{where}[{name!r}]"
            assert not values[~rows].any(), f"{where}[{name!r}]"


def follow(envs, actions):
    """Steps, and resets all rows where a step is refused because a row has none or has ended."""
    outcomes = []
    for each in actions:
        try:
            outcomes.append(envs.step(each))
        except RuntimeError:
            outcomes.append(envs.reset())
    return outcomes


# What is refused, with the error and a part of its message. Each takes the environment and a snapshot of it.
def refusals():
    task = all_tasks()[2]
    other = Task("push-v3", dict(task.params))

    def without_an_array(envs, state):
        envs.set_state({name: values for name, values in state.items() if name != "counters/steps"})

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
        "reset: seed too large": (lambda e, s: e.reset(seed=2**32), ValueError, "seed must be below"),
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
        "set_state: empty": (lambda e, s: e.set_state({}), ValueError, "not a state that get_state gave"),
        "set_state: None": (lambda e, s: e.set_state(None), ValueError, "not a state that get_state gave"),
        "set_state: a part": (without_an_array, ValueError, "not a state that get_state gave"),
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
            with_an_array("counters/obs", lambda values: values[:, 1:]),
            ValueError,
            "not a state that get_state gave",
        ),
        "set_state: fewer rows": (
            with_an_array("counters/steps", lambda values: values[:0]),
            ValueError,
            "not a state that get_state gave",
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


REFUSALS = sorted(refusals())


class RandomUse(RuleBasedStateMachine):
    """A batch, its rows as batches of one that get the same calls, and a model of its clock."""

    def __init__(self):
        super().__init__()
        self.envs = None
        self.saved = []

    @initialize(data=st.data())
    def make(self, data):
        self.n = n = data.draw(st.integers(1, 4), "num_envs")
        self.options = data.draw(some_options(), "options")
        seed = data.draw(seeds(), "seed")
        self.envs = taskworlds.make_vec(
            list(all_tasks()), n, seed=seed, vector_strategy="native", **self.options
        )
        one = self.options | {"num_threads": 1}
        self.ones = [
            taskworlds.make_vec(list(all_tasks()), 1, seed=seed + row, vector_strategy="native", **one)
            for row in range(n)
        ]
        for row, env in enumerate(self.ones):
            env.set_attr("tasks", [self.envs.tasks[row]])
        self.obs = np.zeros(self.envs.observation_space.shape)
        self.length = self.options["max_episode_steps"]
        self.attempts = self.options["k_episodes"] or 1
        self.past, self.returns = np.zeros(n), np.zeros(n)  # of earlier attempts, of this one
        self.steps, self.total, self.attempt = (np.zeros(n, dtype=int) for _ in range(3))
        self.succeeded = np.zeros(n, dtype=bool)
        self.begun = np.zeros(n, dtype=bool)  # rows that had a reset
        self.running = np.zeros(n, dtype=bool)

    def begin(self, rows):
        for array in (self.past, self.returns, self.steps, self.total, self.attempt, self.succeeded):
            array[rows] = 0

    def teardown(self):
        if self.envs is not None:
            for env in (self.envs, *self.ones):
                env.close()

    def check_obs(self, obs, changed):
        assert (obs.dtype, obs.shape) == (np.float64, self.envs.observation_space.shape)
        assert np.isfinite(obs).all()
        assert obs[~changed].tobytes() == self.obs[~changed].tobytes()
        for row in np.flatnonzero(self.begun):
            assert self.envs.single_observation_space.contains(obs[row])
        self.obs = obs.copy()

    # --- what a user does ---

    @rule(data=st.data())
    def reset(self, data):
        seed, options, rows = reset_arguments(data, self.n)
        obs, infos = self.envs.reset(seed=seed, options=options)
        each = (
            seed
            if isinstance(seed, list)
            else [None if seed is None else seed + row for row in range(self.n)]
        )
        self.after_a_reset(
            obs,
            infos,
            rows,
            lambda row, env: env.reset(seed=[each[row]], options=task_of(options, row, rows)),
        )

    @rule(seed=st.none() | seeds())
    def sample_tasks(self, seed):
        obs, infos = self.envs.sample_tasks(seed=seed)
        every = np.ones(self.n, dtype=bool)
        self.after_a_reset(
            obs, infos, every, lambda row, env: env.sample_tasks(seed=None if seed is None else seed + row)
        )

    def after_a_reset(self, obs, infos, rows, reset_one):
        self.begin(rows)
        self.begun |= rows
        self.running |= rows
        self.check_obs(obs, rows)
        check_masks(infos, self.n)
        assert set(infos) == (
            {"task_name", "_task_name", "task_id", "_task_id", "goal", "_goal"} if rows.any() else set()
        )
        for row in np.flatnonzero(rows):
            its, its_infos = reset_one(row, self.ones[row])
            self.same(obs[row], its[0])
            self.same(self.envs.row_info(infos, row), self.envs.row_info(its_infos, 0))
            assert infos["task_id"][row] == self.envs.current_tasks[row].id

    @rule(data=st.data(), waits=st.booleans())
    def step(self, data, waits):
        n, mode = self.n, self.options["autoreset_mode"]
        mask, given = masks(data, n), actions(data, n)
        rows = rows_of(mask, n)
        keep = given.copy()
        if (rows & ~self.begun).any() or (
            mode is not AutoresetMode.NEXT_STEP and (rows & ~self.running).any()
        ):
            before = self.envs.get_state()
            with pytest.raises(RuntimeError, match=r"No episode.* has begun|The episode.* has ended"):
                self.envs.step(given, mask)
            self.same(self.envs.get_state(), before, skip=("elapsed",))
            return
        if waits:
            outcome = self.envs.step(given, mask)
        else:
            self.envs.step_async(given, mask)
            given[:] = np.nan
            outcome = self.envs.step_wait()
        self.after_a_step(outcome, keep, rows)

    @rule(data=st.data(), count=st.integers(2, 12))
    def go_on(self, data, count):
        """Steps all rows, and resets those that cannot be stepped: so trials come to their end."""
        every = np.ones(self.n, dtype=bool)
        seed = data.draw(st.integers(0, 2**16), "actions")
        for each in np.random.default_rng(seed).uniform(-1, 1, (count, self.n, 4)):
            unready = ~self.begun
            if self.options["autoreset_mode"] is not AutoresetMode.NEXT_STEP:
                unready |= ~self.running
            if unready.any():
                obs, infos = self.envs.reset(options={"reset_mask": unready})
                self.after_a_reset(obs, infos, unready, lambda row, env: env.reset())
            self.after_a_step(self.envs.step(each), each, every)

    def after_a_step(self, outcome, given, rows):
        obs, rewards, terminated, truncated, infos = outcome
        n, mode = self.n, self.options["autoreset_mode"]
        restarted, stepped = rows & ~self.running, rows & self.running
        self.check_obs(obs, rows)
        assert (rewards.dtype, rewards.shape) == (np.float64, (n,))
        assert np.isfinite(rewards).all()
        assert not rewards[~stepped].any()
        assert terminated.dtype == truncated.dtype == np.bool_
        assert terminated.shape == truncated.shape == (n,)
        done = terminated | truncated
        assert not (terminated & truncated).any()
        assert not (done & ~stepped).any()
        check_masks(infos, n)
        self.begin(restarted)
        self.running |= restarted
        about = [self.envs.row_info(infos, row) for row in range(n)]
        for row in range(n):
            if not rows[row]:
                assert about[row] == {}
                continue
            its = self.ones[row].step(given[row : row + 1])
            for mine, other in zip(outcome[:4], its[:4], strict=True):
                self.same(mine[row], other[0])
            self.same(about[row], self.envs.row_info(its[4], 0), skip=CLOCK)
        for row in np.flatnonzero(stepped):
            told = about[row]["final_info"] if "final_info" in about[row] else about[row]
            self.count(row, told, about[row], bool(done[row]))
        if mode is AutoresetMode.SAME_STEP:
            self.begin(done)
        else:
            self.running &= ~done

    def count(self, row, told, about, done):
        """Follows one row's clock and sums, and compares them with what info tells."""
        self.steps[row] += 1
        self.total[row] += 1
        self.returns[row] += told["unscaled_reward"]
        self.succeeded[row] |= told["success"] == 1.0
        switch = self.envs.terminate_on_success[row]
        ends = self.steps[row] == self.length or (switch and told["success"] == 1.0)
        self.attempt[row] += ends
        over = ends and self.attempt[row] == self.attempts
        assert done == over
        assert ("episode" in told) == over
        assert ("attempt" in told) == (ends and self.options["k_episodes"] is not None)
        assert ("final_obs" in about) == (
            (ends and not over) or (over and self.options["autoreset_mode"] is AutoresetMode.SAME_STEP)
        )
        if "attempt" in told:
            assert told["attempt"]["index"] == self.attempt[row] - 1
            assert told["attempt"]["success"] == self.succeeded[row]
            assert told["attempt"]["r"] == self.returns[row]
            assert told["attempt"]["l"] == self.steps[row]
        if over:
            assert told["episode"]["r"] == self.past[row] + self.returns[row]
            assert told["episode"]["l"] == self.total[row]
        if ends:
            self.past[row] += self.returns[row]
            self.returns[row] = self.steps[row] = self.succeeded[row] = 0

    @rule(data=st.data())
    def set_tasks(self, data):
        mask = masks(data, self.n)
        rows = rows_of(mask, self.n)
        count = int(rows.sum())
        tasks = data.draw(st.lists(st.sampled_from(all_tasks()), min_size=count, max_size=count))
        self.envs.set_tasks(tasks, mask)
        for row, task in zip(np.flatnonzero(rows), tasks, strict=True):
            self.ones[row].set_tasks(task)

    @rule(data=st.data())
    def set_attributes(self, data):
        name = data.draw(st.sampled_from(["terminate_on_success", "sample_tasks_on_reset", "tasks"]))
        one = (
            st.lists(st.sampled_from(all_tasks()), min_size=1, max_size=3)
            if name == "tasks"
            else st.booleans()
        )
        values = data.draw(st.lists(one, min_size=self.n, max_size=self.n))
        self.envs.set_attr(name, values)
        assert self.envs.get_attr(name) == tuple(values)
        for env, value in zip(self.ones, values, strict=True):
            env.set_attr(name, [value])

    # --- snapshots ---

    @rule()
    def save(self):
        before = self.envs.get_state()
        model = [each.copy() for each in self.model()]
        self.saved.append((through_a_file(before), model))

    def model(self):
        return (
            self.obs,
            self.past,
            self.returns,
            self.steps,
            self.total,
            self.attempt,
            self.succeeded,
            self.begun,
            self.running,
        )

    @precondition(lambda self: self.saved)
    @rule(data=st.data())
    def restore(self, data):
        state, model = data.draw(st.sampled_from(self.saved))
        self.envs.set_state(state)
        self.same(self.envs.get_state(), state, skip=("elapsed",))
        self.go_on_from(state, model, np.arange(self.n))

    @precondition(lambda self: self.saved)
    @rule(data=st.data())
    def fork(self, data):
        state, model = data.draw(st.sampled_from(self.saved))
        source = np.array(data.draw(st.lists(st.integers(0, self.n - 1), min_size=self.n, max_size=self.n)))
        self.envs.set_state(state, rows=source)
        self.go_on_from(state, model, source)

    def go_on_from(self, state, model, source):
        for env, row in zip(self.ones, source, strict=True):
            env.set_state(state, rows=int(row))
        for mine, saved in zip(self.model(), model, strict=True):
            mine[:] = saved[source]

    @rule(data=st.data(), count=st.integers(1, 12), seed=seeds())
    def replay(self, data, count, seed):
        """What follows a snapshot is the same again, here and in an environment made with another seed."""
        state = through_a_file(self.envs.get_state())
        n = self.n
        given = np.random.default_rng(data.draw(st.integers(0, 2**16), "actions")).uniform(
            -1, 1, (count, n, 4)
        )
        expected = follow(self.envs, given)
        self.envs.set_state(state)
        self.same(follow(self.envs, given), expected, skip=CLOCK)
        self.envs.set_state(state)
        other = taskworlds.make_vec(list(all_tasks()), n, seed=seed, vector_strategy="native", **self.options)
        other.reset(seed=seed)
        other.set_state(state)
        self.same(follow(other, given), expected, skip=CLOCK)
        other.close()

    # --- mistakes ---

    @rule(data=st.data())
    def mistake(self, data):
        name = data.draw(st.sampled_from(REFUSALS))
        call, error, message = refusals()[name]
        before = self.envs.get_state()
        with pytest.raises(error, match=message) as caught:
            call(self.envs, before)
        assert str(caught.value)
        self.same(self.envs.get_state(), before, f"after {name}", skip=("elapsed",))

    @precondition(lambda self: self.running.any())
    @rule(data=st.data())
    def bad_number(self, data):
        row = data.draw(st.sampled_from(np.flatnonzero(self.running).tolist()))
        given = np.zeros((self.n, 4))
        given[row, data.draw(st.integers(0, 3))] = data.draw(st.sampled_from([np.nan, np.inf, -np.inf]))
        before = self.envs.get_state()
        with pytest.raises(
            ValueError, match=rf"actions\[{row}\] must be finite, not .* \(task .* of .*, step \d+\)"
        ):
            self.envs.step(given, np.arange(self.n) == row)
        self.same(self.envs.get_state(), before, skip=("elapsed",))


def use(same, examples, steps):
    machine = type("Use", (RandomUse,), {"same": staticmethod(same)})
    run_state_machine_as_test(
        machine, settings=settings(max_examples=examples, stateful_step_count=steps, **QUIET)
    )


def test_random_use(same):
    use(same, examples=120, steps=20)


@pytest.mark.slow
def test_random_use_at_length(same):
    use(same, examples=1000, steps=60)


@pytest.mark.parametrize("name", REFUSALS)
def test_mistakes_change_nothing(name, same):
    call, error, message = refusals()[name]
    envs = taskworlds.make_vec(
        list(all_tasks()),
        3,
        seed=0,
        vector_strategy="native",
        normalize_observations=True,
        task_select="pseudorandom",
    )
    envs.reset(seed=1)
    envs.set_tasks(all_tasks()[1], [False, True, False])
    envs.step(np.full((3, 4), 0.1))
    before = envs.get_state()
    with pytest.raises(error, match=message):
        call(envs, before)
    same(envs.get_state(), before, skip=("elapsed",))
    envs.close()


# --- the official engine --------------------------------------------------------------------------------------


def assert_close(ours, other, where=""):
    """Equal, but for the last digits of floats: the engines add in another order."""
    if isinstance(ours, dict):
        assert set(ours) == set(other), where
        for name in set(ours) - set(CLOCK):
            assert_close(ours[name], other[name], f"{where}[{name!r}]")
    elif isinstance(ours, tuple | list) or (isinstance(ours, np.ndarray) and ours.dtype == object):
        assert len(ours) == len(other), where
        for index, (mine, its) in enumerate(zip(ours, other, strict=True)):
            assert_close(mine, its, f"{where}[{index}]")
    elif isinstance(ours, np.ndarray) and ours.dtype.kind == "f":
        assert (ours.dtype, ours.shape) == (other.dtype, other.shape), where
        np.testing.assert_allclose(ours, other, rtol=1e-7, atol=1e-7, err_msg=where)
    elif isinstance(ours, np.ndarray):
        assert ours.dtype == other.dtype, where
        assert np.array_equal(ours, other), where
    else:
        assert type(ours) is type(other), where
        assert ours == other, where


def script(data, n):
    """A list of random calls, each a function of the environment."""
    calls = []
    for _ in range(data.draw(st.integers(2, 8), "calls")):
        kind = data.draw(st.sampled_from(["reset", "step", "step", "step", "set_tasks", "sample_tasks"]))
        if kind == "reset":
            seed, options, _ = reset_arguments(data, n)
            calls.append(lambda envs, seed=seed, options=options: envs.reset(seed=seed, options=options))
        elif kind == "step":
            mask, given = masks(data, n), actions(data, n)
            calls.append(lambda envs, mask=mask, given=given: envs.step(given, mask))
        elif kind == "set_tasks":
            mask, task = masks(data, n), data.draw(st.sampled_from(all_tasks()))
            calls.append(lambda envs, mask=mask, task=task: envs.set_tasks(task, mask))
        else:
            seed = data.draw(seeds())
            calls.append(lambda envs, seed=seed: envs.sample_tasks(seed=seed))
    return calls


def outcome_of(call, envs):
    try:
        return call(envs)
    except RuntimeError as error:  # a row that has not begun, or has ended
        return str(error)


def compare_with_official(data):
    n = data.draw(st.integers(1, 3), "num_envs")
    # No normalisation of observations: it divides by deviations that are zero but for the last digits.
    options = data.draw(some_options(normalizes=False), "options")
    calls = [lambda envs: envs.reset(seed=0), *script(data, n)]
    made = [
        taskworlds.make_vec(list(all_tasks()), n, seed=3, vector_strategy=strategy, **options)
        for strategy in ("native", "sync")
    ]
    for call in calls:
        assert_close(*(outcome_of(call, envs) for envs in made))
    for envs in made:
        envs.close()


@settings(max_examples=30, **QUIET)
@given(data=st.data())
def test_the_official_engine_does_the_same(data):
    compare_with_official(data)


@pytest.mark.slow
@settings(max_examples=150, **QUIET)
@given(data=st.data())
def test_the_official_engine_does_the_same_at_length(data):
    compare_with_official(data)
