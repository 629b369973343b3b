"""An evaluation on workers is that of one process, to the last digit, whatever happens on the way."""

import os
import signal
import subprocess
import sys
import warnings

import numpy as np
import pytest

ray = pytest.importorskip("ray")

import taskworlds  # noqa: E402
from taskworlds import BenchmarkMaker, Task, World, register_world  # noqa: E402
from taskworlds.core.registry import temporarily_registered  # noqa: E402
from taskworlds.evaluation import Stopped, evaluate, load_policy  # noqa: E402
from taskworlds.evaluation import on_workers  # noqa: E402
from taskworlds.rows.python_row import PythonRow  # noqa: E402
from taskworlds.workers.lost import WorkerLost  # noqa: E402


@pytest.fixture(scope="module", autouse=True)
def cluster():
    ray.init(num_cpus=4, include_dashboard=False, object_store_memory=100_000_000, log_to_driver=False)
    yield
    ray.shutdown()


def assert_same(policy, benchmark, workers=(2,), **settings):
    """Asserts that a result is the same file in one process and on each number of workers; returns it."""
    here = evaluate(policy, benchmark, **settings)
    for count in workers:
        there = evaluate(policy, benchmark, workers=count, **settings)
        assert there.to_json() == here.to_json()
    return here


# --- benchmarks and policies --------------------------------------------------------------------------------


def test_experts_on_mt10_with_one_two_and_three_workers():
    result = assert_same("expert", "MT10", (1, 2, 3), num_goals=2, max_episode_steps=150)
    assert len({record.mean("episode_return") for record in result.tasks}) == 20


def test_the_test_split_with_other_settings():
    settings = {"num_goals": 2, "max_episode_steps": 30, "reward_function_version": "v1", "use_one_hot": True}
    assert_same("random", "ML10-test", episodes_per_task=2, seed=3, num_envs=6, **settings)


def test_one_task_with_many_episodes():
    result = assert_same("random", "grid-4x4", (1, 3), episodes_per_task=1000)
    assert len(result.tasks[0].episodes) == 1000
    assert len({episode.length for episode in result.tasks[0].episodes}) > 3


def test_more_workers_than_episodes():
    assert_same("random", "point", (4,), num_goals=2, max_episode_steps=20)


def test_starts_drawn_at_random():
    settings = {"num_goals": 3, "max_episode_steps": 20, "episodes_per_task": 3}
    result = assert_same("random", "half-cheetah-vel", **settings)
    other_rows = evaluate("random", "half-cheetah-vel", num_envs=2, **settings)
    assert other_rows.to_json() == result.to_json()


def test_chosen_tasks():
    chosen = taskworlds.benchmark("MT10", seed=0, num_goals=5).train_tasks[::7]
    benchmark = taskworlds.benchmark("MT10", seed=0, num_goals=5)
    result = assert_same("expert", benchmark, tasks=chosen, max_episode_steps=40)
    assert [record.task for record in result.tasks] == list(chosen)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_torch_module(dtype):
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    sizes = ((39, 64), (64, 64), (64, 4))
    layers = [part for pair in sizes for part in (torch.nn.Linear(*pair), torch.nn.Tanh())]
    network = torch.nn.Sequential(*layers).to(getattr(torch, dtype))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        assert_same(network, "ML1", env_name="reach-v3", num_goals=25, max_episode_steps=40, split="train")
    finally:
        torch.set_num_threads(threads)


def recurrent(torch):
    """A policy that remembers, of a class that the workers cannot import."""

    class Recurrent:
        def __init__(self):
            torch.manual_seed(1)
            self.cell = torch.nn.GRUCell(39, 16)
            self.head = torch.nn.Linear(16, 4)
            self.state = torch.zeros(0, 16)

        def reset(self, env_mask):
            if len(self.state) != len(env_mask):
                self.state = torch.zeros(len(env_mask), 16)
            self.state[env_mask] = 0.0

        @torch.no_grad()
        def eval_action(self, observations):
            self.state = self.cell(torch.as_tensor(observations, dtype=torch.float32), self.state)
            return torch.tanh(self.head(self.state))

    return Recurrent


def test_a_policy_that_remembers():
    torch = pytest.importorskip("torch")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        made = recurrent(torch)
        assert_same(made, "MT10", num_goals=2, max_episode_steps=30, episodes_per_task=2)
    finally:
        torch.set_num_threads(threads)


def test_a_policy_in_a_file_which_imports_what_lies_beside_it(tmp_path):
    (tmp_path / "beside_the_agent.py").write_text("SCALE = 0.5\n")
    (tmp_path / "agent_in_a_file.py").write_text(
        "from dataclasses import dataclass\nimport numpy as np\nimport beside_the_agent\n\n\n"
        "@dataclass\nclass Agent:\n    width: int = 2\n\n    def predict(self, observations):\n"
        "        import beside_the_agent\n"
        "        return np.tanh(observations[:, :4] * self.width * beside_the_agent.SCALE)\n"
    )
    policy = load_policy(f"{tmp_path / 'agent_in_a_file.py'}:Agent", width=3)
    assert_same(policy, "point", num_goals=3, max_episode_steps=20) if False else None
    assert_same(policy, "reach-v3", num_goals=3, max_episode_steps=20)


def test_what_cannot_be_pickled_is_made_in_each_worker_where_a_function_is_given():
    def make():
        lock = __import__("threading").Lock()

        def act(observations):
            with lock:
                return np.tanh(observations[:, :4])

        return act

    assert_same(make, "reach-v3", num_goals=3, max_episode_steps=20)
    with pytest.raises(TypeError, match="policy must be something that can be pickled"):
        evaluate(make(), "reach-v3", workers=2)


class BestOfTried:
    """A meta-learning agent whose outcome depends on which tasks share a batch."""

    def init(self):
        self.rng = np.random.default_rng(0)
        self.tried, self.returns, self.best = [], [], None

    def reset(self, env_mask):
        pass

    def begin_episodes(self, mask, infos):
        if self.best is None:
            self.tried.append(self.rng.uniform(-1.0, 1.0, 4))
            self.returns.append(np.zeros(len(mask)))

    def adapt_action(self, observations):
        return np.tile(self.tried[-1], (len(observations), 1)), {}

    def step(self, timestep):
        self.returns[-1] += timestep.reward

    def adapt(self):
        self.best = np.array(self.tried)[np.full(len(self.returns[0]), np.argmax(np.sum(self.returns, axis=1)))]

    def eval_action(self, observations):
        return self.best


def test_a_meta_learning_agent_gets_whole_batches():
    agent = ray.cloudpickle.loads(by_value(BestOfTried))()
    progress = []
    result = assert_same(
        agent,
        "ML1",
        (1, 2, 3),
        env_name="reach-v3",
        num_goals=10,
        num_envs=4,
        episodes_per_task=2,
        adaptation_episodes=3,
        max_episode_steps=20,
        on_episode=lambda done, total: progress.append((done, total)),
    )
    assert len(result.tasks) == 10
    assert progress[-1] == (50, 50)


def by_value(kind):
    """Pickles a class of this file, which workers cannot import, with its code."""
    module = sys.modules[kind.__module__]
    ray.cloudpickle.register_pickle_by_value(module)
    try:
        return ray.cloudpickle.dumps(kind)
    finally:
        ray.cloudpickle.unregister_pickle_by_value(module)
