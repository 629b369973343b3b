"""An evaluation on workers is that of one process, to the last digit, whatever happens on the way."""

import os
import signal
import subprocess
import sys
import types
import warnings

import numpy as np
import pytest

ray = pytest.importorskip("ray")

import taskworlds  # noqa: E402
from taskworlds.cli import main  # noqa: E402
from taskworlds.core.registry import temporarily_registered  # noqa: E402
from taskworlds.evaluation import (  # noqa: E402
    Result,
    Stopped,
    evaluate,
    journal,
    load_policy,
    on_workers,
)
from taskworlds.workers.lost import WorkerLost  # noqa: E402


@pytest.fixture(scope="module", autouse=True)
def cluster():
    ray.init(
        "local", num_cpus=4, include_dashboard=False, object_store_memory=100_000_000, log_to_driver=False
    )
    yield
    ray.shutdown()


def assert_same(policy, benchmark, workers=(2,), **settings):
    """Asserts that a result is the same file in one process and on each number of workers; returns it."""
    here = evaluate(policy, benchmark, **settings)
    for count in workers:
        there = evaluate(policy, benchmark, workers=count, **settings)
        assert there == here
    return here


def by_value(kind):
    """Pickles a class of this file, which workers cannot import, with its code."""
    module = sys.modules[kind.__module__]
    ray.cloudpickle.register_pickle_by_value(module)
    try:
        return ray.cloudpickle.dumps(kind)
    finally:
        ray.cloudpickle.unregister_pickle_by_value(module)


# --- benchmarks and policies --------------------------------------------------------------------------------


def test_experts_on_mt10_with_one_two_and_three_workers():
    result = assert_same("expert", "MT10", (1, 2, 3), num_goals=2, max_episode_steps=150)
    assert len({record.mean("episode_return") for record in result.tasks}) == 20


def test_some_tasks_of_the_test_split_with_other_settings():
    benchmark = taskworlds.benchmark("ML10", seed=3, num_goals=2)
    chosen = benchmark.test_tasks[::3]
    settings = {"max_episode_steps": 30, "reward_function_version": "v1", "use_one_hot": True, "num_envs": 6}
    result = assert_same("random", benchmark, split="test", tasks=chosen, episodes_per_task=2, **settings)
    assert [record.task for record in result.tasks] == list(chosen)


def test_one_task_with_many_episodes():
    result = assert_same("random", "grid-4x4", (3,), episodes_per_task=1000)
    assert len(result.tasks[0].episodes) == 1000
    assert len({episode.length for episode in result.tasks[0].episodes}) > 3


def test_more_workers_than_episodes():
    assert_same("random", "point", (4,), num_goals=2, max_episode_steps=20)


def test_starts_drawn_at_random():
    settings = {"num_goals": 3, "max_episode_steps": 20, "episodes_per_task": 3}
    result = assert_same("random", "half-cheetah-vel", **settings)
    other_rows = evaluate("random", "half-cheetah-vel", num_envs=2, **settings)
    assert other_rows == result


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
    assert_same(policy, "reach-v3", (1,), num_goals=3, max_episode_steps=20)


def test_what_cannot_be_pickled_is_made_in_each_worker_where_a_function_is_given():
    def make():
        lock = __import__("threading").Lock()

        def act(observations):
            with lock:
                return np.tanh(observations[:, :4])

        return act

    assert_same(make, "reach-v3", (1,), num_goals=3, max_episode_steps=20)
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
        self.best = np.array(self.tried)[
            np.full(len(self.returns[0]), np.argmax(np.sum(self.returns, axis=1)))
        ]

    def eval_action(self, observations):
        return self.best


def test_a_meta_learning_agent_gets_whole_batches():
    agent = ray.cloudpickle.loads(by_value(BestOfTried))()
    settings = {"num_goals": 10, "num_envs": 4, "episodes_per_task": 2, "adaptation_episodes": 3}
    settings |= {"env_name": "reach-v3", "max_episode_steps": 20}
    progress = []
    result = assert_same(agent, "ML1", (3,), on_episode=lambda *told: progress.append(told), **settings)
    assert len(result.tasks) == 10
    assert progress[-1] == (50, 50)

    def stop(done, total):
        if done == 30:
            raise KeyboardInterrupt

    with pytest.raises(Stopped) as stopped:  # within a batch: its tasks have to be played together again
        evaluate(agent, "ML1", on_episode=stop, **settings)
    part = stopped.value.result
    assert 4 <= len(part.tasks) < 10
    assert evaluate(agent, "ML1", workers=1, resume=part, **settings) == result


def test_the_command_line(tmp_path):
    played = ("evaluate", "MT10", "--num-goals", "1", "--max-episode-steps", "60", "--quiet", "--out")
    for folder, more in (("here", ()), ("there", ("--workers", "2"))):
        with pytest.raises(SystemExit) as ended:
            main([*played, str(tmp_path / folder), *more])
        assert not ended.value.code
    for name in ("tasks.csv", "skills.csv"):
        assert (tmp_path / "there" / name).read_bytes() == (tmp_path / "here" / name).read_bytes()
    there, here = (Result.load(tmp_path / folder / "result.json") for folder in ("there", "here"))
    assert there == here
    assert (there.provenance.workers, here.provenance.workers) == (2, None)


# --- worlds and skills of the user's own, and tasks that cannot run ------------------------------------------


def written(tmp_path):
    """Writes the file of a world of which only this process will know; in some tasks a step raises an error."""
    source = tmp_path / "brittle_world.py"
    source.write_text(BRITTLE)
    return source


BRITTLE = """
import warnings

import gymnasium as gym
import numpy as np

from taskworlds import BenchmarkMaker, Task, World
from taskworlds.rows.python_row import PythonRow


class Row(PythonRow):
    action_space = gym.spaces.Box(-1.0, 1.0, (2,), np.float64)
    observation_space = gym.spaces.Box(-np.inf, np.inf, (3,), np.float64)

    def begin(self, task, seed):
        self.rng = np.random.default_rng(seed)
        self.steps = 0
        return self.rng.standard_normal(3), {}

    def advance(self, action):
        self.steps += 1
        if self.task["number"] == 5:
            warnings.warn("the fifth is odd", UserWarning)
        if self.steps == self.task["breaks_at"]:
            raise OSError(f"no world for {self.task['number']}")
        ends = self.rng.random() < 0.1
        return self.rng.standard_normal(3), float(action.sum()), bool(ends), {"success": bool(ends)}


def tasks(seed, num_goals):
    breaks = {1: 3, 4: 1}
    return tuple(Task("brittle", {"number": n, "breaks_at": breaks.get(n, 0)}) for n in range(num_goals or 7)), ()


WORLD = World(
    name="brittle",
    suite="brittle",
    skills=("brittle",),
    actions=Row.action_space,
    observations=Row.observation_space,
    max_episode_steps=25,
    benchmarks={"brittle": BenchmarkMaker(tasks, has_test=False, train_skills=("brittle",), summary="some break")},
    row=Row,
    has_success=True,
    terms=("success",),
    packages=("numpy",),
)


class Still:
    world = WORLD

    def predict(self, observations):
        return np.tanh(observations[:, :2])
"""


def test_tasks_that_fail_in_a_world_of_which_workers_do_not_know(tmp_path):
    policy = load_policy(f"{written(tmp_path)}:Still")
    with temporarily_registered(policy._model.world):
        results = []
        settings = {"episodes_per_task": 4, "num_envs": 3, "vector_strategy": "sync"}
        for workers in (None, 2):
            with warnings.catch_warnings(record=True) as told:
                warnings.simplefilter("always")
                results.append(evaluate(policy, "brittle", workers=workers, **settings))
            failed = [str(each.message) for each in told if "could not run" in str(each.message)]
            assert len(failed) == 1
            assert failed[0].startswith("2 of 7 tasks could not run")
        assert any("the fifth is odd" in str(each.message) for each in told)
    here, there = results
    assert there == here
    assert [record.error for record in here.failed] == ["OSError: no world for 1", "OSError: no world for 4"]


# --- what happens on the way --------------------------------------------------------------------------------


SETTINGS = {"num_goals": 4, "max_episode_steps": 150}


@pytest.fixture
def crew(monkeypatch):
    """The workers that the test's evaluations have started, in order."""
    started = []

    class Noted(on_workers.Worker):
        def __init__(self, *given):
            super().__init__(*given)
            started.append(self)

    monkeypatch.setattr(on_workers, "Worker", Noted)
    return started


def killing(crew, at):
    """Returns a callback for evaluations that kills a worker when so many episodes are done.

    The first that lives: one that was killed may still have its place, as a fast one brings many episodes meanwhile.
    """
    left, killed = list(at), {None}

    def on_episode(done, total):
        pids = [worker.place and worker.place.pid for worker in crew]
        alive = [pid for pid in pids if pid not in killed]
        if left and done >= left[0] and alive:
            left.pop(0)
            killed.add(alive[0])
            os.kill(alive[0], signal.SIGKILL)

    return on_episode, left


@pytest.mark.parametrize("at", [[1], [5, 15]])
def test_a_worker_that_is_killed_costs_nothing_but_time(crew, at):
    here = evaluate("expert", "MT10", **SETTINGS)
    on_episode, left = killing(crew, at)
    with pytest.warns(RuntimeWarning, match="was lost on node .* with the same outcome") as told:
        there = evaluate("expert", "MT10", workers=2, on_episode=on_episode, **SETTINGS)
    assert there == here
    assert not left
    assert sum("was lost" in str(each.message) for each in told) == len(at)


def test_ctrl_c_keeps_what_was_finished_and_resume_goes_on():
    def stop(done, total):
        if done >= 15:
            raise KeyboardInterrupt

    with pytest.raises(Stopped) as stopped:
        evaluate("expert", "MT10", workers=2, on_episode=stop, **SETTINGS)
    part = stopped.value.result
    assert 15 <= len(part.tasks) < 40
    whole = evaluate("expert", "MT10", workers=2, resume=part, **SETTINGS)
    assert whole == evaluate("expert", "MT10", **SETTINGS)


def test_episodes_of_workers_are_kept_with_their_actions(tmp_path):
    def stop(done, total):
        if done >= 15:
            raise KeyboardInterrupt

    with pytest.raises(Stopped):
        evaluate("expert", "MT10", workers=2, on_episode=stop, resume=tmp_path, keep_actions=True, **SETTINGS)
    assert len(journal.read(tmp_path).episodes) == 15
    whole = evaluate("expert", "MT10", workers=1, resume=tmp_path, keep_actions=True, **SETTINGS)
    evaluate("expert", "MT10", resume=tmp_path / "here", keep_actions=True, **SETTINGS)
    there, here = journal.read(tmp_path), journal.read(tmp_path / "here")
    assert there.episodes == here.episodes
    for record in whole.tasks:
        assert (there.actions(record.task, 0) == here.actions(record.task, 0)).all()


def test_a_worker_that_is_lost_again_and_again_ends_it_with_what_was_finished(crew, monkeypatch):
    monkeypatch.setattr(on_workers, "_TERMS", on_workers._TERMS._replace(max_restarts=0))
    on_episode, _ = killing(crew, [12])
    with pytest.raises(WorkerLost, match="worker 1 of 2 was lost 1 times in one call") as lost:
        evaluate("expert", "MT10", workers=2, on_episode=on_episode, **SETTINGS)
    part = lost.value.state
    assert 12 <= len(part.tasks) < 40
    whole = evaluate("expert", "MT10", resume=part, **SETTINGS)
    assert whole == evaluate("expert", "MT10", **SETTINGS)


def test_a_policy_of_a_module_that_the_workers_do_not_find(monkeypatch):
    module = types.ModuleType("only_in_this_process")
    exec("class Agent:\n    def predict(self, observations):\n        return observations", module.__dict__)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    message = (
        r"policy cannot be made in a worker \(ModuleNotFoundError: No module named 'only_in_this_process'\)"
    )
    with pytest.raises(ValueError, match=message):
        evaluate(module.Agent(), "reach-v3", num_goals=3, workers=1)


def test_a_mistake_of_the_policy_comes_out_as_it_is():
    def bad(observations):
        return np.zeros((len(observations), 3))

    with pytest.raises(ValueError, match=r"The policy must return actions of shape \(3, 4\)"):
        evaluate(bad, "reach-v3", num_goals=3, workers=1)


# --- what is asked for wrongly ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"workers": 0}, ValueError, "workers must be at least 1, not 0"),
        ({"workers": -1}, ValueError, "workers must be at least 1, not -1"),
        ({"workers": "2"}, TypeError, "workers must be a whole number, not '2'"),
        ({"workers": True}, TypeError, "workers must be a whole number, not True"),
        ({"workers": 5}, ValueError, "workers must be at most 4, not 5: Ray has 4 processors here"),
        ({"address": "127.0.0.1:6379"}, TypeError, "address must be .*workers is None"),
        (
            {"workers": 1, "vector_strategy": "ray"},
            ValueError,
            'vector_strategy must be another engine than "ray"',
        ),
        ({"workers": 1, "address": 6379}, TypeError, "address must be .*6379"),
        ({"workers": 1, "address": "127.0.0.1:1"}, ValueError, "This process is connected to Ray at"),
    ],
)
def test_mistakes(given, error, message):
    with pytest.raises(error, match=message):
        evaluate("random", "MT10", **given)


def test_an_environment_that_is_made_already_is_refused():
    envs = taskworlds.make_vec("point", 2)
    with pytest.raises(
        TypeError, match=r"workers must be left out for .* pass a benchmark, by name or as envs\.benchmark"
    ):
        evaluate("random", envs, workers=2)
    envs.close()


def test_without_workers_ray_is_not_imported():
    script = (
        "import sys, taskworlds; taskworlds.evaluate('random', 'point', num_goals=1, max_episode_steps=2); "
        "import taskworlds.cli; assert 'ray' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


@pytest.mark.parametrize(
    ("before", "given", "message"),
    [
        ("import sys; sys.modules['ray'] = None", "workers=2", 'Type: pip install "taskworlds[ray]"'),
        ("", "workers=2, address='127.0.0.1:9'", "Nothing answers at 127.0.0.1:9"),
    ],
)
def test_without_ray_or_its_cluster(before, given, message):
    script = f"{before}\nimport taskworlds\ntaskworlds.evaluate('random', 'point', {given})"
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert ended.returncode == 1
    assert message in ended.stderr
