"""RaySampler: rollouts equal those of one process to the last bit, also when workers are lost on the way."""

import contextlib
import dataclasses
import functools
import os
import pickle
import signal
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from gymnasium import spaces

import taskworlds

pytest.importorskip("ray")

from taskworlds.distributed import RaySampler, Rollout, RowGenerators, WorkerLost

MIXTURE = ["reach-v3", "half-cheetah-vel", "point"]
EPISODE = 23  # steps, which divide no rollout here evenly


# --- policies that workers make -------------------------------------------------------------------------------


class Linear:
    """A policy that explores: it is linear, and draws its noise from the rows' generators."""

    def __init__(self, obs_size=39, action_size=4):
        self.weights = np.random.standard_normal((obs_size, action_size)) / obs_size  # noqa: NPY002

    def set_weights(self, weights):
        (self.weights,) = weights

    def sample_actions(self, observations, generators):
        noise = generators.standard_normal(self.weights.shape[1])
        return observations @ self.weights + noise, {"noise": noise}


class Callable(Linear):
    """One that can act without noise, too."""

    def __call__(self, observations):
        return np.stack([row @ self.weights for row in observations])


class Remembering(Linear):
    """One whose actions depend on all that it has seen in the episode."""

    def __init__(self):
        super().__init__()
        self.sums = None

    def reset(self, mask):
        if self.sums is None:
            self.sums = np.zeros((len(mask), 39))
        self.sums[mask] = 0

    def sample_actions(self, observations, generators):
        self.sums += observations
        return super().sample_actions(np.sin(self.sums), generators)


class Deadly(Linear):
    """One that ends its process at a call whose number stands in a file, once for each line of the file.

    Only a worker is ended that has a group of so many rows.
    """

    def __init__(self, path, rows):
        super().__init__()
        self.path, self.rows, self.calls = Path(path), rows, 0

    def sample_actions(self, observations, generators):
        actions = super().sample_actions(observations, generators)
        if len(generators) == self.rows:
            lines = self.path.read_text().split()
            if lines and self.calls == int(lines[0]):
                self.path.write_text("\n".join(lines[1:]))
                os._exit(1)
            self.calls += 1
        return actions


class Slow(Linear):
    """One that waits as long as a file is there; in one worker alone, the first to come."""

    def __init__(self, path):
        super().__init__()
        self.path = Path(path)
        try:
            self.path.with_suffix(".taken").touch(exist_ok=False)
            self.waits = True
        except FileExistsError:
            self.waits = False

    def sample_actions(self, observations, generators):
        while self.waits and self.path.exists():
            time.sleep(0.02)
        return super().sample_actions(observations, generators)


# --- samplers -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def ray():
    """Ray on this machine, with room for more workers than it has processors; it sends this file's classes along."""
    ray = pytest.importorskip("ray")
    here = sys.modules[__name__]
    ray.cloudpickle.register_pickle_by_value(here)
    ray.init("local", num_cpus=6, include_dashboard=False, logging_level="ERROR", log_to_driver=False)
    yield ray
    ray.shutdown()
    ray.cloudpickle.unregister_pickle_by_value(here)


def sampler(num_workers=2, num_envs=12, benchmark="MT10", policy=Linear, **options):
    options = {"seed": 5, "max_episode_steps": EPISODE, "policy_batch_size": 3, "max_restarts": 2} | options
    return RaySampler(benchmark, num_envs, num_workers, policy=policy, **options)


def assert_equal(one: Rollout, other: Rollout, same):
    for field in dataclasses.fields(Rollout):
        same(getattr(one, field.name), getattr(other, field.name), field.name)


def lose(part):
    os.kill(part.worker.place.pid, signal.SIGKILL)


@pytest.fixture(scope="module")
def by_one(ray):
    """Three rollouts of one worker."""
    with sampler(1) as one:
        return [one.rollout(steps) for steps in (20, 30, 1)]


# --- what a rollout is ----------------------------------------------------------------------------------------


def test_a_rollout_is_what_one_process_does_by_hand(by_one, same):
    """The very loop that a user would write, with the rows and generators that the documentation tells of."""
    envs = taskworlds.make_vec("MT10", 12, seed=5, max_episode_steps=EPISODE)
    np.random.seed(5)  # noqa: NPY002
    policy = Linear()
    generators = [np.random.default_rng(np.random.SeedSequence(5 + row, spawn_key=(1,))) for row in range(12)]
    obs, _ = envs.reset(seed=5)
    for rollout in by_one:
        ends = 0
        for step in range(rollout.steps):
            acted = [
                policy.sample_actions(obs[first : first + 3], RowGenerators(generators[first : first + 3]))
                for first in range(0, 12, 3)
            ]
            actions = np.concatenate([each for each, _ in acted])
            same(rollout.observations[step], obs)
            same(rollout.actions[step], actions)
            same(rollout.outputs["noise"][step], np.concatenate([more["noise"] for _, more in acted]))
            obs, rewards, terminated, truncated, infos = envs.step(actions)
            same(rollout.rewards[step], rewards)
            same(rollout.terminations[step], terminated)
            same(rollout.truncations[step], truncated)
            same(rollout.next_observations()[step], infos["final_obs"])
            ended = terminated | truncated
            told = infos["final_info"] if ended.any() else infos
            for name in ("success", "episode_return", "task_index", "skill_index", "obj_to_target"):
                same(rollout.infos[name][step][ended], told[name][ended])
                same(rollout.infos[name][step][~ended], infos[name][~ended])
            same(rollout.final_observations[ends : ends + ended.sum()], infos["final_obs"][ended])
            ends += ended.sum()
        same(rollout.last_observations, obs)
        assert ends == len(rollout.final_observations) == rollout.ended.sum()
        assert rollout.weights_version == 0
        same(rollout.task_indices, rollout.infos["task_index"])
    assert sum(rollout.ended.sum() for rollout in by_one) == 24
    envs.close()


@pytest.mark.parametrize("num_workers", [2, 3, 4])
def test_it_does_not_depend_on_the_number_of_workers(ray, by_one, num_workers, same):
    with sampler(num_workers) as several:
        for rollout in by_one:
            assert_equal(several.rollout(rollout.steps), rollout, same)


@pytest.mark.parametrize(
    ("benchmark", "options"),
    [
        ("half-cheetah-vel", {"use_one_hot": False}),
        ("grid-4x4", {}),
        ("point", {"k_episodes": 2}),
        ("ML10-test", {"normalize_observations": True, "reward_normalization_method": "exponential"}),
        ("MT10", {"vector_strategy": "sync", "use_one_hot": True, "recurrent_info_in_obs": True}),
    ],
)
def test_any_world_acts_at_random_by_default(ray, benchmark, options, same):
    found = []
    for num_workers in (1, 2):
        with sampler(
            num_workers, 6, benchmark, None, max_episode_steps=7, policy_batch_size=2, **options
        ) as it:
            found.append([it.rollout(9), it.rollout(9)])
            space = it.single_action_space
    for one, two in zip(*found, strict=True):
        assert_equal(one, two, same)
        assert all(space.contains(action) for action in one.actions.reshape(54, *space.shape))
    assert len(np.unique(found[0][0].actions, axis=1)[0]) > 1  # rows draw different ones
    if isinstance(space, spaces.Box):
        spread = found[0][0].actions.std(axis=(0, 1)) / (space.high - space.low)
        np.testing.assert_allclose(spread, 12**-0.5, atol=0.09)


@pytest.mark.parametrize("policy", [None, functools.partial(Linear, 39, 6)])
def test_rows_of_several_worlds(ray, policy, same):
    """Each worker has the rows that `make_vec` has, and one has rows of the last world alone."""
    mixture = taskworlds.Benchmark.union("mixture", MIXTURE, shares=(3, 2, 4))
    found = []
    for num_workers in (1, 3):
        with sampler(num_workers, 9, mixture, policy, max_episode_steps=7, pad=True) as it:
            found.append([it.rollout(9)])
            if num_workers == 1:
                state = it.get_state()
            else:
                it.set_state(state)
            found[-1].append(it.rollout(3))
    for one, two in zip(*found, strict=True):
        assert_equal(one, two, same)
    rollout = found[0][0]
    with contextlib.closing(taskworlds.make_vec(mixture, 9, pad=True, seed=5, max_episode_steps=7)) as envs:
        obs, _ = envs.reset(seed=5)
        for step in range(9):
            same(rollout.observations[step], obs)
            if policy is None:
                assert envs.action_space.contains(rollout.actions[step])
            obs, rewards, *_, infos = envs.step(rollout.actions[step])
            same(rollout.rewards[step], rewards)
        same(rollout.infos["world_index"][-1], infos["world_index"])


def test_a_mixture_is_evaluated_on_a_samplers_workers(ray):
    mixture = taskworlds.Benchmark.union("mixture", MIXTURE)
    how = {"max_episode_steps": 7, "episodes_per_task": 1, "split": "train"}
    with sampler(2, 6, mixture, None, policy_batch_size=2, pad=True) as it:
        assert it.evaluate(**how) == taskworlds.evaluate("random", mixture, **how)
    with pytest.raises(ValueError, match="no scripted expert for half-cheetah-vel, point"):
        sampler(2, 6, mixture, "expert", policy_batch_size=2, pad=True)


def test_groups(ray, same):
    """A group begins alike, also in the second of two workers; noise is each row's own."""
    found = []
    for num_workers in (1, 2):
        with sampler(num_workers, 12, group_size=3, policy_batch_size=6) as it:
            found.append(it.rollout(EPISODE + 1))
    assert_equal(*found, same)
    with contextlib.closing(
        taskworlds.make_vec("MT10", 12, seed=5, group_size=3, max_episode_steps=EPISODE)
    ) as envs:
        same(found[0].observations[0], envs.reset(seed=5)[0])
    for step in (0, EPISODE):
        starts = found[0].observations[step].reshape(4, 3, -1)
        assert (starts == starts[:, :1]).all()
    assert (found[0].actions[0, 0] != found[0].actions[0, 1]).any()


def test_experts_by_name(ray):
    with sampler(2, 10, policy="expert", max_episode_steps=150, terminate_on_success=True) as it:
        rollout = it.rollout(150)
    assert rollout.infos["success"].any(axis=0).mean() >= 0.8


def test_policies_with_a_memory(ray, same):
    found = []
    for num_workers in (1, 3):
        with sampler(num_workers, policy=Remembering) as it:
            found.append([it.rollout(20)])
            state = it.get_state()
            found[-1].append(it.rollout(20))
            lose(it._parts[0])
            with pytest.warns(RuntimeWarning, match="was lost"):
                it.set_state(pickle.loads(pickle.dumps(state)))
            lose(it._parts[-1])
            with pytest.warns(RuntimeWarning, match="was lost"):
                found[-1].append(it.rollout(20))
    for one, two in zip(*found, strict=True):
        assert_equal(one, two, same)
    assert_equal(found[0][1], found[0][2], same)


# --- weights --------------------------------------------------------------------------------------------------


def test_weights_and_their_versions(ray, by_one, same):
    weights = [np.random.default_rng(0).standard_normal((39, 4))]
    with sampler(2) as it:
        assert_equal(it.rollout(20), by_one[0], same)
        it.set_weights(weights)
        second = it.rollout(30)
        assert second.weights_version == 1
        assert not np.array_equal(second.actions, by_one[1].actions)
        same(second.outputs["noise"], by_one[1].outputs["noise"])
        groups = second.observations[0].reshape(4, 3, 39)
        means = np.concatenate([group @ weights[0] for group in groups])
        same(second.actions[0], means + second.outputs["noise"][0])
        it.set_weights(weights, version=17)
        assert it.rollout(1).weights_version == 17
        it.set_weights([np.zeros((39, 4))], version=17)  # others, whatever they are called
        zero = it.rollout(1)
        same(zero.actions, zero.outputs["noise"])
        it.set_policy(functools.partial(Linear))
        assert it.rollout(5).weights_version == 0
    with sampler(1) as it:
        it.rollout(20)
        it.set_weights(weights)
        assert_equal(it.rollout(30), second, same)


def test_as_ready(ray, by_one, same):
    with sampler(3) as it:
        seen = {}
        for part in it.as_ready(20):
            seen.setdefault(part.rows[0], part)
            part.rewards[:] += 0.0  # the caller's own
            if len(seen) == 3:
                break
        whole = Rollout.joined([seen[first] for first in sorted(seen)])
        assert_equal(whole, by_one[0], same)


def test_as_ready_does_not_wait_for_the_slowest(ray, tmp_path):
    slow = tmp_path / "slow"
    slow.write_text("")
    with sampler(2, policy=functools.partial(Slow, slow)) as it:
        rows = []
        for part in it.as_ready(5):
            rows.append(part.rows[0])
            if len(rows) == 4:
                slow.unlink()
            if len(set(rows)) == 2:
                break
    assert len(set(rows[:4])) == 1


def test_a_bound_on_staleness(ray, same):
    weights = [np.zeros((39, 4))]
    with sampler(3) as it:
        ages = []
        for part in it.as_ready(10, max_staleness=0):
            ages.append(it.weights_version - part.weights_version)
            it.set_weights(weights)
            if len(ages) == 7:
                break
        assert ages == [0] * 7
        ages = []
        for part in it.as_ready(10):
            ages.append(it.weights_version - part.weights_version)
            it.set_weights(weights)
            if len(ages) == 7:
                break
        assert max(ages) > 0


def test_evaluate(ray, by_one, same):
    weights = [np.random.default_rng(1).standard_normal((39, 4))]
    options = {"num_goals": 2, "episodes_per_task": 2, "max_episode_steps": 40}
    policy = Callable()
    with sampler(2, policy=Callable) as it:
        it.rollout(20)
        it.rollout(30)
        np.random.seed(5)  # noqa: NPY002
        expected = taskworlds.evaluate(Callable(), "ML10", **options)
        assert it.evaluate("ML10", **options) == expected
        it.set_weights(weights)
        policy.set_weights(weights)
        lose(it._parts[1])
        with pytest.warns(RuntimeWarning, match="was lost"):
            result = it.evaluate(tasks=it.benchmark.train_tasks[::50], max_episode_steps=40)
        expected = taskworlds.evaluate(
            policy, it.benchmark, tasks=it.benchmark.train_tasks[::50], max_episode_steps=40
        )
        assert result == expected
        with pytest.raises(ValueError, match="episodes_per_task"):
            it.evaluate(episodes_per_task=0)
        after = it.rollout(1)
    same(after.observations, by_one[2].observations)
    assert after.weights_version == 1


# --- state ----------------------------------------------------------------------------------------------------


def test_state_goes_to_more_workers(ray, by_one, same):
    with sampler(1, 20) as one:
        assert len(pickle.dumps(one.get_state())) <= 20 * 4096
    with sampler(1) as one:
        one.rollout(20)
        state = pickle.loads(pickle.dumps(one.get_state()))
    for num_workers in (2, 4):
        with sampler(num_workers) as several:
            several.rollout(3)
            several.set_state(state)
            assert_equal(several.rollout(30), by_one[1], same)
            with pytest.raises(ValueError, match="make a sampler with as many workers, or with a multiple"):
                several.set_state(dict(state, shares=[]))
            with pytest.raises(ValueError, match="num_envs is 13 there and 12 here"):
                several.set_state(dict(state, num_envs=13))
            assert_equal(several.rollout(1), by_one[2], same)


# --- losses ---------------------------------------------------------------------------------------------------


def test_killed_at_each_of_twenty_points(ray, by_one, tmp_path, same):
    """The worker with the last rows ends before its n-th call of the policy, also when it repeats the rollout."""
    calls = tmp_path / "calls"
    calls.write_text("")
    policy = functools.partial(Deadly, calls, 2)
    with sampler(2, 8, policy=policy) as it:
        undisturbed = it.rollout(20)
    with sampler(2, 8, policy=policy, max_restarts=3) as it:
        state = it.get_state()
        for step in range(20):
            it.set_state(state)
            lose(it._parts[1])  # so that its policy counts from 0
            calls.write_text(f"{step}" if step % 4 else f"{step}\n{(7 * step) % 20}")
            said = r"worker 1 with rows 6 to 7 was lost on node .* repeats"
            with pytest.warns(RuntimeWarning, match=said) as told:
                assert_equal(it.rollout(20), undisturbed, same)
            assert len(told) == (2 if step % 4 else 3)
            assert not calls.read_text()


def test_both_workers_lost_between_rollouts_and_twice_in_a_row(ray, by_one, same):
    with sampler(2) as it:
        for rollout in by_one:
            for part in it._parts:
                lose(part)
            with pytest.warns(RuntimeWarning, match="was lost"):
                assert_equal(it.rollout(rollout.steps), rollout, same)


def test_past_the_limit_the_state_is_saved(ray, tmp_path, same):
    calls = tmp_path / "calls"
    calls.write_text("")
    with sampler(2, 8, policy=functools.partial(Deadly, calls, 2)) as it:
        it.rollout(4)
        calls.write_text("9\n3\n3\n3\n3")
        with (
            pytest.warns(RuntimeWarning),
            pytest.raises(WorkerLost, match="was lost 3 times in one call") as lost,
        ):
            it.rollout(20)
        calls.write_text("")
        expected = it.rollout(20)  # the same call may be tried again
    with sampler(2, 8, policy=functools.partial(Deadly, calls, 2)) as it:
        it.set_state(lost.value.state)
        assert_equal(it.rollout(20), expected, same)


def endless(it):
    while True:
        it.rollout(30)


@pytest.fixture
def _ctrl_c_is_heard():
    """A program that a shell has begun in the background does not hear it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_ctrl_c_is_heard")
def test_ctrl_c_loses_nothing(ray, by_one, same):
    with sampler(2) as it:
        assert_equal(it.rollout(20), by_one[0], same)
        for again in (30, 7):  # the same call, or another one
            state = it.get_state()
            timer = threading.Timer(0.01, signal.raise_signal, [signal.SIGINT])
            timer.start()
            with pytest.raises(KeyboardInterrupt):
                endless(it)
            timer.join()
            it.rollout(again)
            it.set_state(state)
        it.set_state(state)
    with sampler(2) as it:
        it.rollout(20)
        assert_equal(it.rollout(30), by_one[1], same)


def test_a_node_is_removed_and_one_added(ray, by_one, same):
    from ray.cluster_utils import Cluster

    ray.shutdown()
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
    nodes = [cluster.add_node(num_cpus=1), cluster.add_node(num_cpus=1)]
    ray.init(address=cluster.address, logging_level="ERROR", log_to_driver=False)
    try:
        with sampler(2) as it:
            assert_equal(it.rollout(20), by_one[0], same)
            assert len({part.worker.place.node_id for part in it._parts}) == 2
            cluster.remove_node(nodes[0])
            nodes.append(cluster.add_node(num_cpus=1))
            with pytest.warns(RuntimeWarning, match=r"was lost on node"):
                assert_equal(it.rollout(30), by_one[1], same)
            assert_equal(it.rollout(1), by_one[2], same)
            state = it.get_state()
            undisturbed = it.rollout(120)
            it.set_state(state)
            for part in it._parts:  # the rollouts are there, on their nodes alone, when one goes away
                part.begin(it._asked(120))
            pending = [part.pending for part in it._parts]
            ray.wait(pending, num_returns=2, fetch_local=False)
            cluster.remove_node(nodes[1])
            cluster.add_node(num_cpus=1)
            with pytest.warns(RuntimeWarning, match=r"was lost on node"):
                assert_equal(it.rollout(120), undisturbed, same)
    finally:
        ray.shutdown()
        cluster.shutdown()
        ray.init("local", num_cpus=6, include_dashboard=False, logging_level="ERROR", log_to_driver=False)


# --- what is wrong --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_workers": 5}, "num_workers must be at most 4, not 5: 12 rows in groups of 3"),
        (
            {"num_workers": 2, "cpus_per_worker": 5},
            "num_workers must be at most 1, not 2: Ray has 6 processors",
        ),
        ({"cpus_per_worker": 1.5}, "a whole number if it is above 1"),
        ({"num_workers": True}, "num_workers must be a whole number"),
        ({"policy": 3}, "policy must be a function"),
        ({"policy": lambda: None}, "policy must be a function that returns a policy, but it returned None"),
        ({"policy": threading.Lock().acquire}, "can be pickled"),
        ({"autoreset_mode": "Disabled"}, "autoreset_mode must be SAME_STEP"),
        ({"vector_strateg": "sync"}, "did you mean 'vector_strategy'"),
        ({"benchmark": "MT11"}, "MT10"),
        ({"seed": -1}, "seed must be at least 0"),
        ({"vector_strategy": "ray"}, "the sampler has workers of its own"),
        ({"curriculum": len}, "curriculum must be left out for rollouts"),
        ({"batch_size": 3}, "batch_size must be left out for rollouts"),
        ({"group_size": 2}, "group_size must divide policy_batch_size, 3, .* not 2"),
        (
            {"benchmark": MIXTURE, "pad": True, "num_envs": 2, "policy_batch_size": 1},
            "num_envs must be at least 3",
        ),
        ({"start_timeout": 0}, "start_timeout must be"),
        ({"address": "1.2.3.4:6379"}, "This process is connected to Ray at"),
    ],
)
def test_wrong_arguments(ray, arguments, message):
    before = time.monotonic()
    with pytest.raises((TypeError, ValueError), match=message):
        sampler(**arguments)
    assert time.monotonic() - before < 30


def test_no_room(ray):
    said = r"Ray found no room for worker 0 .* 0 of 6 are free"
    waits = r"worker 0 .* waits until Ray has room .* It waits for 5.5 s in all"
    with (
        sampler(1, cpus_per_worker=6),
        pytest.warns(RuntimeWarning, match=waits),
        pytest.raises(WorkerLost, match=said),
    ):
        sampler(1, start_timeout=5.5)


def test_other_versions(ray, monkeypatch):
    from taskworlds.workers import worker

    own = worker.versions()
    monkeypatch.setattr(worker, "versions", lambda: own | {"taskworlds": "9.9"})
    with pytest.raises(ValueError, match=r"taskworlds .* there and 9.9 here"):
        sampler(1)


def test_wrong_use(ray):
    it = sampler(2)
    with pytest.raises(TypeError, match="weights must be a list of arrays"):
        it.set_weights({"w": np.zeros(3)})
    it.set_weights([np.zeros((3, 3))])
    with pytest.raises(ValueError, match="matmul"):
        it.rollout(3)
    it.set_weights([np.zeros((39, 3))])
    with pytest.raises(ValueError, match=r"broadcast|shape"):
        it.rollout(3)
    it.set_weights([np.zeros((39, 4))])
    rollout = it.rollout(3)
    assert rollout.weights_version == 3
    with pytest.raises(ValueError, match="steps must be at least 1"):
        it.rollout(0)
    with pytest.raises(ValueError, match="state must be"):
        it.set_state({})
    it.close()
    it.close()
    with pytest.raises(RuntimeError, match="closed"):
        it.rollout(3)
    with sampler(1, policy="expert") as it:
        it.set_weights([np.zeros(3)])
        with pytest.raises(TypeError, match="set_weights"):
            it.rollout(1)


def test_nothing_answers(ray):
    from taskworlds.workers.cluster import connect

    ray.shutdown()
    try:
        with pytest.raises(ConnectionError, match="Nothing answers at localhost:1 "):
            connect("localhost:1", 1, 1)
        with pytest.raises(ValueError, match="Ray Client"):
            connect("ray://localhost:10001", 1, 1)
    finally:
        ray.init("local", num_cpus=6, include_dashboard=False, logging_level="ERROR", log_to_driver=False)
