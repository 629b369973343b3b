"""Random use of the native vector environment, against batches of one and a simple model."""

from __future__ import annotations

import hypothesis.strategies as st
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode
from hypothesis import settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

import taskworlds
from taskworlds import Task

CLOCK = ("t", "_t")
NUMBERING = ("task_index",)  # of each environment's own list


def task_of(options, row, rows):
    """The task that options give a row, as options for the row alone."""
    given = options.get("tasks")
    if given is None or not rows[row]:
        return {}
    return {"tasks": given if isinstance(given, Task) else given[int(rows[:row].sum())]}


def kept(state):
    """Copies a snapshot, whose arrays NumPy can save without pickle (tests/vector/test_snapshot.py saves some)."""
    assert all(type(each) is np.ndarray and not each.dtype.hasobject for each in state.values())
    return {name: each.copy() for name, each in state.items()}


def check_masks(infos, n, where="infos"):
    """Every entry of infos has its rows beside it; what belongs to ended episodes is zero or None in the others."""
    for name, values in infos.items():
        if name.startswith("_"):
            assert name[1:] in infos, where
            continue
        rows = infos[f"_{name}"]
        assert (rows.dtype, rows.shape) == (np.bool_, (n,)), f"{where}[{name!r}]"
        if isinstance(values, dict):
            assert rows.any(), f"{where}[{name!r}]"
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
            assert where == "infos" or not values[~rows].any(), f"{where}[{name!r}]"


def follow(envs, actions):
    """Steps, and resets all rows where a step is refused because a row has none or has ended."""
    outcomes = []
    for each in actions:
        try:
            outcomes.append(envs.step(each))
        except RuntimeError:
            outcomes.append(envs.reset())
    return outcomes


class RandomUse(RuleBasedStateMachine):
    """A batch, its rows as batches of one that get the same calls, and a model of its clock.

    Its subclasses have the fixtures `same`, `drawing` and `refusals`.
    """

    def __init__(self):
        super().__init__()
        self.envs = None
        self.saved = []

    @initialize(data=st.data())
    def make(self, data):
        self.n = n = data.draw(st.integers(1, 4), "num_envs")
        self.options = data.draw(self.drawing.some_options(), "options")
        seed = data.draw(self.drawing.seeds(), "seed")
        self.envs = taskworlds.make_vec(
            list(self.drawing.all_tasks()), n, seed=seed, vector_strategy="native", **self.options
        )
        one = self.options | {"num_threads": 1}
        self.ones = [
            taskworlds.make_vec(
                list(self.drawing.all_tasks()), 1, seed=seed + row, vector_strategy="native", **one
            )
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
        seed, options, rows = self.drawing.reset_arguments(data, self.n)
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

    @rule(data=st.data())
    def sample_tasks(self, data):
        seed = data.draw(st.none() | self.drawing.seeds(), "seed")
        obs, infos = self.envs.sample_tasks(seed=seed)
        every = np.ones(self.n, dtype=bool)
        self.after_a_reset(
            obs,
            infos,
            every,
            lambda row, env: env.sample_tasks(seed=None if seed is None else seed + int(row)),
        )

    def after_a_reset(self, obs, infos, rows, reset_one):
        self.begin(rows)
        self.begun |= rows
        self.running |= rows
        self.check_obs(obs, rows)
        check_masks(infos, self.n)
        assert infos["_goal"].tolist() == rows.tolist()
        assert not infos["_success"].any()
        assert "final_obs" not in infos
        for row in np.flatnonzero(rows):
            its, its_infos = reset_one(row, self.ones[row])
            self.same(obs[row], its[0])
            self.same(self.envs.row_info(infos, row), self.envs.row_info(its_infos, 0), skip=NUMBERING)
            assert self.envs.task_ids[row] == self.envs.current_tasks[row].id

    @rule(data=st.data(), waits=st.booleans())
    def step(self, data, waits):
        n, mode = self.n, self.options["autoreset_mode"]
        mask, given = self.drawing.masks(data, n), self.drawing.actions(data, n)
        rows = self.drawing.rows_of(mask, n)
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
                assert not any(mask[row] for name, mask in infos.items() if name.startswith("_"))
                continue
            its = self.ones[row].step(given[row : row + 1])
            for mine, other in zip(outcome[:4], its[:4], strict=True):
                self.same(mine[row], other[0])
            self.same(about[row], self.envs.row_info(its[4], 0), skip=(*CLOCK, *NUMBERING))
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
        same_step = self.options["autoreset_mode"] is AutoresetMode.SAME_STEP
        assert ("episode" in told) == ("final_obs" in about) == (over and same_step)
        if self.options["k_episodes"] is not None:
            assert told["attempt"] == self.attempt[row] - ends
            assert told["attempt_ended"] == ends
            assert told["attempt_success"] == self.succeeded[row]
            assert told["attempt_return"] == self.returns[row]
            assert told["attempt_length"] == self.steps[row]
            assert told["attempt_final_obs"].any() == ends
        assert told["episode_return"] == self.past[row] + self.returns[row]
        assert told["episode_length"] == self.total[row]
        if ends:
            self.past[row] += self.returns[row]
            self.returns[row] = self.steps[row] = self.succeeded[row] = 0

    @rule(data=st.data())
    def set_tasks(self, data):
        mask = self.drawing.masks(data, self.n)
        rows = self.drawing.rows_of(mask, self.n)
        count = int(rows.sum())
        tasks = data.draw(st.lists(st.sampled_from(self.drawing.all_tasks()), min_size=count, max_size=count))
        self.envs.set_tasks(tasks, mask)
        for row, task in zip(np.flatnonzero(rows), tasks, strict=True):
            self.ones[row].set_tasks(task)

    @rule(data=st.data())
    def set_attributes(self, data):
        name = data.draw(st.sampled_from(["terminate_on_success", "sample_tasks_on_reset", "tasks"]))
        one = (
            st.lists(st.sampled_from(self.drawing.all_tasks()), min_size=1, max_size=3)
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
        self.saved.append((kept(before), model))

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

    @rule(data=st.data(), count=st.integers(1, 12))
    def replay(self, data, count):
        """What follows a snapshot is the same again, here and in an environment made with another seed."""
        seed = data.draw(self.drawing.seeds(), "seed")
        state = kept(self.envs.get_state())
        n = self.n
        given = np.random.default_rng(data.draw(st.integers(0, 2**16), "actions")).uniform(
            -1, 1, (count, n, 4)
        )
        expected = follow(self.envs, given)
        self.envs.set_state(state)
        self.same(follow(self.envs, given), expected, skip=CLOCK)
        self.envs.set_state(state)
        other = taskworlds.make_vec(
            list(self.drawing.all_tasks()), n, seed=seed, vector_strategy="native", **self.options
        )
        other.reset(seed=seed)
        other.set_state(state)
        self.same(follow(other, given), expected, skip=CLOCK)
        other.close()

    # --- mistakes ---

    @rule(data=st.data())
    def mistake(self, data):
        name = data.draw(st.sampled_from(sorted(self.refusals)))
        call, error, message = self.refusals[name]
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


@pytest.fixture
def use(same, drawing, refusals):
    """Plays the user: use(examples, steps)."""
    fixtures = {"same": staticmethod(same), "drawing": drawing, "refusals": refusals}
    machine = type("Use", (RandomUse,), fixtures)

    def use(examples, steps):
        run_state_machine_as_test(
            machine,
            settings=settings(
                settings.get_profile("random use"), max_examples=examples, stateful_step_count=steps
            ),
        )

    return use


def test_random_use(use):
    use(examples=120, steps=20)


@pytest.mark.slow
def test_random_use_at_length(use):
    use(examples=1000, steps=60)
