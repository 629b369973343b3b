"""Curricula of batches of several worlds: told of all rows, and each row draws from the tasks of its world."""

import contextlib

import numpy as np
import pytest

import taskworlds
from taskworlds import Benchmark, benchmark

MEMBERS = (
    benchmark("reach-v3", num_goals=4),
    benchmark("point", num_goals=6),
    benchmark("half-cheetah-vel", num_goals=5),
)
ROWS = (2, 3, 2)
FIRSTS = np.cumsum([0, *ROWS])
PLACES = np.cumsum([0, *(len(each.train_tasks) for each in MEMBERS)])  # of each world's first task
ACTIONS = (4, 2, 6)
UNION = Benchmark.union("three", MEMBERS, shares=ROWS)
SEED = 5


class Rarest:
    """Weighs tasks by how rarely they were played, and by how the latest episode of a row of another world went."""

    def __init__(self, count=PLACES[-1]):
        self.played, self.told, self.latest = np.zeros(count), [], 0.0

    def __call__(self, episodes):
        self.told += episodes
        for each in episodes:
            self.played[each.task_index] += 1
            self.latest = abs(each.episode_return)
        return 1.0 / (1.0 + self.played) ** 3 + 0.01 * self.latest

    def get_state(self):
        return {"played": self.played.copy(), "latest": self.latest}

    def set_state(self, state):
        self.played, self.latest = state["played"].copy(), float(state["latest"])


def make(teacher, **options):
    how = {"max_episode_steps": 3, "autoreset_mode": "SameStep"} | options
    return taskworlds.make_vec(UNION, sum(ROWS), pad=True, seed=SEED, curriculum=teacher, **how)


def actions_at(step):
    return np.random.default_rng([8, step]).uniform(-1, 1, (sum(ROWS), 6))


def masked(step):
    """Which rows step: rows of one world end their episodes while those of others go on."""
    return np.random.default_rng([9, step]).random(sum(ROWS)) < 0.7


def test_each_row_is_one_of_its_world_alone_with_the_same_weights():
    with contextlib.closing(make(Rarest())) as envs:
        obs, _ = envs.reset(seed=SEED)
        outcomes, weights = [(obs,)], [envs.assignments.curriculum.weights]
        tasks = [envs.current_tasks]
        for step in range(25):
            outcomes.append(envs.step(actions_at(step), masked(step)))
            weights.append(envs.assignments.curriculum.weights)
            tasks.append(envs.current_tasks)
    for number, member in enumerate(MEMBERS):
        rows, places = (slice(*ends[number : number + 2]) for ends in (FIRSTS, PLACES))
        now = 0
        alone = taskworlds.make_vec(
            member,
            ROWS[number],
            seed=SEED,
            max_episode_steps=3,
            autoreset_mode="SameStep",
            curriculum=lambda told, places=places: weights[now][places],  # noqa: B023
        )
        with contextlib.closing(alone):
            obs, _ = alone.reset(seed=list(range(SEED + rows.start, SEED + rows.stop)))
            assert np.array_equal(outcomes[0][0][rows, : obs.shape[1]], obs)
            for step in range(25):
                now = step + 1
                taken = actions_at(step)[rows, : ACTIONS[number]]
                outcome = alone.step(taken, masked(step)[rows])
                assert alone.current_tasks == tasks[now][rows], step
                assert np.array_equal(outcomes[now][0][rows, : obs.shape[1]], outcome[0]), step
                for which in (1, 2, 3):
                    assert np.array_equal(outcomes[now][which][rows], outcome[which]), step
        assert len({task for each in tasks for task in each[rows]}) > 3  # not always the same


@pytest.mark.parametrize("mode", ["SameStep", "NextStep"])
def test_the_same_on_every_engine_and_number_of_threads(mode):
    found = []
    for how in (
        {"num_threads": 1},
        {"num_threads": 3},
        {"vector_strategy": "sync"},
        {"vector_strategy": "async"},
    ):
        teacher = Rarest()
        with contextlib.closing(make(teacher, autoreset_mode=mode, **how)) as envs:
            envs.reset(seed=SEED)
            tasks = []
            for step in range(15):
                envs.step(actions_at(step), masked(step) if mode == "SameStep" else None)
                tasks.append(envs.current_tasks)
        told = [(each.row, each.number, each.task, each.task_index, each.success) for each in teacher.told]
        found.append((tasks, told))
    assert len(found[0][1]) >= 15
    assert all(each == found[0] for each in found)


def test_what_is_told_is_of_all_worlds():
    teacher = Rarest()
    with contextlib.closing(make(teacher)) as envs:
        envs.reset(seed=SEED)
        for step in range(3):
            envs.step(actions_at(step))
        worlds = envs.world_index[[each.row for each in teacher.told]].tolist()
        assert worlds == [0, 0, 1, 1, 1, 2, 2]
        for each, world in zip(teacher.told, worlds, strict=True):
            assert PLACES[world] <= each.task_index < PLACES[world + 1]
            assert UNION.train_tasks[each.task_index] == each.task
            assert (each.success is None) == (not envs.worlds[world].has_success)
        assert {each.success is None for each in teacher.told} == {True, False}
        for row, tasks in enumerate(envs.tasks):
            world = envs.world_index[row]
            assert tuple(tasks) == UNION.train_tasks[PLACES[world] : PLACES[world + 1]]


def test_a_world_decides_between_its_tasks_whatever_those_of_others_weigh():
    chosen = [1, PLACES[1] + 2, PLACES[2] + 4]
    weights = np.zeros(PLACES[-1])
    weights[chosen] = [1e-12, 1.0, 1e12]
    with contextlib.closing(make(lambda told: weights)) as envs:
        envs.reset(seed=SEED)
        for step in range(3):
            envs.step(actions_at(step))
        assert envs.assignments.task_index.tolist() == np.repeat(chosen, ROWS).tolist()


def test_members_of_one_world_draw_from_the_tasks_of_all():
    union = Benchmark.union(
        "two", [benchmark("reach-v3", num_goals=2), "point", benchmark("push-v3", num_goals=2)]
    )
    count = len(union.train_tasks)
    envs = taskworlds.make_vec(
        union, 3, pad=True, seed=0, max_episode_steps=1, curriculum=lambda told: np.arange(count) % count == 0
    )
    assert [len(tasks) for tasks in envs.tasks] == [4, 4, count - 4]
    envs.reset(seed=0)
    with pytest.raises(ValueError, match="but all 50 of point have 0, and row 2 serves that world alone"):
        envs.step(np.zeros((3, 4)))
    envs.close()


def test_weights_of_zero_in_a_world_are_refused():
    answers = [np.ones(PLACES[-1]), np.arange(PLACES[-1]) < PLACES[1]]
    with contextlib.closing(make(lambda told: answers.pop(0))) as envs:
        envs.reset(seed=SEED)
        for step in range(5):
            envs.step(actions_at(step))
        with pytest.raises(
            ValueError, match="each world a weight above 0, but all 6 of point have 0, and rows 2 to 4"
        ):
            envs.step(actions_at(5))
        assert np.array_equal(envs.assignments.curriculum.weights, np.ones(PLACES[-1]))  # as they were


def test_snapshots_keep_weights_and_the_functions_state():
    one, other = make(Rarest()), make(Rarest())
    with contextlib.closing(one), contextlib.closing(other):
        one.reset(seed=SEED)
        for step in range(8):
            one.step(actions_at(step))
        state = one.get_state()
        found = []
        for envs in (one, other):
            envs.set_state({name: array.copy() for name, array in state.items()})
            found.append([])
            for step in range(8, 17):
                outcome = envs.step(actions_at(step))
                found[-1].append((envs.current_tasks, [each.tolist() for each in outcome[:4]]))
        assert found[0] == found[1]
        damaged = dict(state)
        damaged["curriculum/weights"] = np.where(np.arange(PLACES[-1]) < PLACES[1], 1.0, 0.0)
        with pytest.raises(ValueError, match="but all 6 of point have 0"):
            other.set_state(damaged)


def test_meta_benchmarks_and_trials():
    teacher = Rarest(500 + 6)
    union = Benchmark.union("ml", [benchmark("ML10", seed=0), benchmark("point", num_goals=6)])
    with contextlib.closing(
        taskworlds.make_vec(
            union,
            11,
            pad=True,
            seed=0,
            k_episodes=2,
            max_episode_steps=2,
            curriculum=teacher,
            autoreset_mode="SameStep",
        )
    ) as envs:
        envs.reset(seed=0)
        for _ in range(4):
            envs.step(np.zeros((11, 4)))
        assert [each.length for each in teacher.told] == [4] * 11
