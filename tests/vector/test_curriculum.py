"""Curricula: what the function is told, how its weights are drawn by, and that both are kept in snapshots."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

import taskworlds
from taskworlds import Task
from taskworlds.vector.task_selection import TaskWeights

TASKS = [Task("open", {"goal": i}) for i in range(5)]


class Hardest:
    """Weighs tasks by how rarely they were played, and keeps what it was told."""

    def __init__(self, count=50):
        self.played = np.zeros(count)
        self.told = []

    def __call__(self, episodes):
        self.told += episodes
        for each in episodes:
            self.played[each.task_index] += 1
        return 1.0 / (1.0 + self.played) ** 4

    def get_state(self):
        return {"played": self.played.copy()}

    def set_state(self, state):
        self.played = state["played"].copy()


def play(envs, steps, seed=0):
    envs.reset(seed=seed)
    rng = np.random.default_rng(seed)
    tasks = [envs.current_tasks]
    for _ in range(steps):
        envs.step(rng.uniform(-1, 1, (envs.num_envs, *envs.single_action_space.shape)).astype(np.float32))
        tasks.append(envs.current_tasks)
    return tasks


# --- weights ------------------------------------------------------------------------------------------------


def test_tasks_are_drawn_by_their_weights():
    weights = TaskWeights(np.ones(5))
    rng = np.random.default_rng(0)
    weights.take(np.array([0.0, 3, 0, 1, 0]))
    counts = Counter(weights(TASKS, rng)["goal"] for _ in range(4000))
    assert set(counts) == {1, 3}
    assert abs(counts[1] - 3000) < 5 * np.sqrt(4000 * 0.75 * 0.25)  # five standard deviations


def test_no_number_of_the_generator_draws_a_task_of_weight_zero():
    class Fixed:
        def __init__(self, value):
            self.value = value

        def random(self):
            return self.value

    weights = TaskWeights(np.ones(4))
    weights.take(np.array([0, 0.1, 0.2, 0]))
    for value, goal in ((0.0, 1), (1 / 3 - 1e-12, 1), (1 / 3 + 1e-12, 2), (np.nextafter(1, 0), 2)):
        assert weights(TASKS[:4], Fixed(value))["goal"] == goal


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        (
            [1.0, 2.0],
            r"curriculum must return None or 50 weights, one for each task of the split, not an array of shape \(2,\)",
        ),
        (3.0, "curriculum must return None or 50 weights, one for each task of the split, not 3.0"),
        ("many", "curriculum must return None or 50 weights"),
        ({"reach-v3": 1}, "curriculum must return None or 50 weights"),
        (np.zeros(50), "curriculum must return weights with a sum above 0 and finite, not 0.0"),
        (np.full(50, 1e308), "curriculum must return weights with a sum above 0 and finite, not inf"),
        ([1.0] * 49 + [-1.0], "finite weights that are not negative, but weight 49 is -1.0"),
        ([np.nan] + [1.0] * 49, "finite weights that are not negative, but weight 0 is nan"),
        ([np.inf] + [1.0] * 49, "finite weights that are not negative, but weight 0 is inf"),
    ],
)
def test_what_are_no_weights(returned, message):
    envs = taskworlds.make_vec("reach-v3", 2, seed=0, max_episode_steps=1, curriculum=lambda told: returned)
    envs.reset()
    with pytest.raises(ValueError, match=message):
        envs.step(np.zeros((2, 4)))
    with pytest.raises(RuntimeError, match="half-way"):
        envs.step(np.zeros((2, 4)))


# --- what the function is told ------------------------------------------------------------------------------


def test_what_is_told(make_vec, tasks):
    teacher = Hardest(2)
    envs = make_vec(
        [tasks.near, tasks.far], 3, seed=0, max_episode_steps=2, terminate_on_success=True, curriculum=teacher
    )
    other = tasks.reach(0.12, 0.88)
    envs.set_tasks([tasks.near, other, tasks.far])
    envs.reset(seed=0)
    returns = np.zeros(3)
    for _ in range(2):
        returns += envs.step(np.zeros((3, 4)), mask=np.array([False, True, True]))[1]
    rewards = envs.step(np.zeros((3, 4)), mask=np.array([True, False, False]))[1]
    unlisted, listed, near = teacher.told
    assert (unlisted.row, unlisted.number, unlisted.task, unlisted.task_index, unlisted.length) == (
        1,
        0,
        other,
        -1,
        2,
    )
    assert (listed.task_index, listed.success, listed.episode_return) == (1, False, returns[2])
    assert (near.row, near.success, near.length, near.episode_return) == (0, True, 1, rewards[0])
    for _ in range(2):
        envs.step(np.zeros((3, 4)), mask=np.array([False, True, False]))
    assert (teacher.told[3].row, teacher.told[3].number) == (1, 1)
    with pytest.raises(AttributeError):
        near.length = 3


def test_rewards_are_told_before_normalisation_and_no_success_is_made_up():
    told = []
    envs = taskworlds.make_vec(
        "half-cheetah-vel",
        1,
        seed=0,
        max_episode_steps=3,
        reward_normalization_method="gymnasium",
        curriculum=told.extend,
    )
    envs.reset(seed=0)
    for _ in range(3):
        infos = envs.step(np.zeros((1, 6)))[4]
    assert told[0].success is None
    assert told[0].episode_return == infos["final_info"]["episode_return"][0]


def test_all_rows_draw_from_all_tasks():
    """Meta-World's rows have a skill each; a curriculum decides between skills."""
    names = []

    def only_doors(episodes):
        return [task.env_name == "door-open-v3" for task in envs.benchmark.train_tasks]

    envs = taskworlds.make_vec("MT10", 10, seed=0, max_episode_steps=1, curriculum=only_doors)
    play(envs, 1)
    names = set(envs.task_names)
    assert names == {"door-open-v3"}
    assert all(len(each) == 500 for each in envs.tasks)


def test_none_leaves_the_weights():
    answers = iter([[0.0] * 49 + [1.0], None, None])
    envs = taskworlds.make_vec("reach-v3", 1, seed=0, max_episode_steps=1, curriculum=lambda _: next(answers))
    last = envs.benchmark.train_tasks[-1]
    assert [tasks[0] == last for tasks in play(envs, 3)][1:] == [True] * 3


@pytest.mark.parametrize("mode", ["SameStep", "NextStep"])
@pytest.mark.parametrize("name", ["reach-v3", "point"])
def test_the_same_on_every_engine(name, mode):
    engines = ("native", "sync", "async") if name == "reach-v3" else ("numpy", "sync")
    found, told = [], []
    for engine in engines:
        teacher = Hardest(len(taskworlds.benchmark(name).train_tasks))
        envs = taskworlds.make_vec(
            name,
            3,
            seed=0,
            max_episode_steps=2,
            curriculum=teacher,
            vector_strategy=engine,
            autoreset_mode=mode,
        )
        found.append(play(envs, 9))
        told.append([(each.row, each.number, each.task, each.length, each.success) for each in teacher.told])
        envs.close()
    assert len(told[0]) >= 9
    assert all(each == found[0] for each in found)
    assert all(each == told[0] for each in told)


def test_single_environments_trials_and_meta_benchmarks():
    teacher = Hardest()
    env = taskworlds.make("reach-v3", seed=0, max_episode_steps=2, k_episodes=2, curriculum=teacher)
    env.reset(seed=0)
    for _ in range(4):
        step = env.step(np.zeros(4))
    assert step.last
    assert [each.length for each in teacher.told] == [4]
    assert teacher.told[0].episode_return == step.env_info["episode_return"]
    envs = taskworlds.make_vec("ML10", 10, seed=0, curriculum=Hardest(500), max_episode_steps=1)
    assert len({*play(envs, 3)[0], *envs.current_tasks}) > 10  # each reset draws


def test_a_chunk_tells_at_its_end():
    calls = []
    envs = taskworlds.make_vec("reach-v3", 3, seed=0, max_episode_steps=3, curriculum=calls.append)
    envs.reset(seed=0)
    envs.step(np.zeros((3, 1, 4)), mask=np.array([True, False, False]))
    envs.step(np.zeros((3, 5, 4)))
    assert [[each.length for each in told] for told in calls] == [[3, 3, 3]]


# --- exact state --------------------------------------------------------------------------------------------


def test_snapshots_keep_weights_and_the_functions_state():
    def make():
        return taskworlds.make_vec("reach-v3", 3, seed=0, max_episode_steps=2, curriculum=Hardest())

    one, other = make(), make()
    play(one, 7)
    state = one.get_state()
    after = []
    for envs in (one, other):
        envs.set_state({name: array.copy() for name, array in state.items()})
        tasks = []
        for _ in range(9):
            envs.step(np.zeros((3, 4)))
            tasks.append(envs.current_tasks)
        after.append(tasks)
    assert after[0] == after[1]
    numbers = [[each.number for each in envs.options.curriculum.told[-3:]] for envs in (one, other)]
    assert numbers[0] == numbers[1]


def test_a_function_without_a_state():
    def teacher(episodes):
        return np.arange(50.0)

    one, other = (
        taskworlds.make_vec("reach-v3", 2, seed=0, max_episode_steps=2, curriculum=teacher) for _ in range(2)
    )
    play(one, 3)
    other.set_state(one.get_state())
    np.testing.assert_array_equal(other.assignments.curriculum.weights, np.arange(50.0))
    plain = taskworlds.make_vec("reach-v3", 2, seed=0, max_episode_steps=2)
    with pytest.raises(
        ValueError, match="draws by a curriculum is None in the state and True in this environment"
    ):
        one.set_state(plain.get_state())
    stateful = taskworlds.make_vec("reach-v3", 2, seed=0, max_episode_steps=2, curriculum=Hardest())
    with pytest.raises(ValueError, match="curriculum has set_state, and the state nothing for it"):
        stateful.set_state(one.get_state())


def test_starts_are_prepared_by_the_weights_at_hand():
    """What an engine expects next is what comes, as long as the weights stay."""
    envs = taskworlds.make_vec("reach-v3", 2, seed=0, max_episode_steps=3, curriculum=lambda told: None)
    envs.reset(seed=0)
    for _ in range(4):
        expected = envs.assignments.foresee(np.array([True, True]))
        for _ in range(3):
            envs.step(np.zeros((2, 4)))
        assert dict(enumerate(envs.current_tasks)) == expected


# --- what is refused ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (
            {"curriculum": [1.0] * 50},
            TypeError,
            "curriculum must be a function of the episodes that have ended",
        ),
        (
            {"task_select": "fixed"},
            ValueError,
            "task_select must be left out with curriculum, which draws the tasks",
        ),
        (
            {"group_size": 2},
            ValueError,
            "group_size must be left out with curriculum, whose weights may change",
        ),
        (
            {"batch_size": 2},
            ValueError,
            "batch_size must be left out with curriculum, .* order that depends on time",
        ),
    ],
)
def test_options_that_do_not_fit(options, error, message):
    with pytest.raises(error, match=message):
        taskworlds.make_vec("reach-v3", 2, **({"curriculum": Hardest()} | options))


def test_tasks_stay():
    envs = taskworlds.make_vec("reach-v3", 2, seed=0, curriculum=Hardest())
    with pytest.raises(ValueError, match="tasks must stay those of the split with curriculum"):
        envs.set_attr("tasks", [list(envs.benchmark.train_tasks[:3])] * 2)


def test_the_page_runs_as_written():
    page = (Path(__file__).parents[2] / "docs" / "curricula.md").read_text()
    names = {}
    for code in re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL):
        exec(code, names)
    teacher, envs = names["teacher"], names["envs"]
    assert teacher.fast.any()
    weights = envs.assignments.curriculum.weights
    assert len(set(weights)) > 1
    envs.close()
