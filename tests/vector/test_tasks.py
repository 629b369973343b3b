"""Which tasks the rows have: chosen, given, held."""

from __future__ import annotations

import metaworld
import numpy as np
import pytest

import taskworlds
from taskworlds import Task, benchmark


@pytest.fixture(scope="module")
def five():
    """MT1 of a skill, with five goals."""
    return benchmark("MT1", "drawer-close-v3", seed=0, num_goals=5)


def ids(envs, resets, **keywords):
    """The ids of each row's tasks over several resets, (resets, N)."""
    return [(envs.reset(**keywords), envs.task_ids.tolist())[1] for _ in range(resets)]


# --- chosen -------------------------------------------------------------------------------------------------


def test_random_draws_at_each_reset(make_vec, five):
    envs = make_vec(five, 1, seed=0)
    seen = {row[0] for row in ids(envs, 40)}
    assert seen == {task.id for task in five.train_tasks}


def test_pseudorandom_gives_every_task_once_a_round_when_asked(make_vec, five):
    envs = make_vec(five, 2, task_select="pseudorandom", seed=0)
    rows = [[five.train_tasks.index(task) for task in row] for row in envs.tasks]
    assert [len(row) for row in rows] == [3, 2]
    chosen = [envs.sample_tasks()[1]["task_index"].tolist() for _ in range(12)]
    for row, mine in enumerate(rows):
        order = [each[row] for each in chosen]
        for start in range(0, 12, len(mine)):
            assert sorted(order[start : start + len(mine)]) == sorted(mine)
    assert envs.get_attr("current_task_idx") == (2, 1)


def test_pseudorandom_keeps_its_task_over_resets(make_vec, five):
    envs = make_vec(five, 2, task_select="pseudorandom", seed=0)
    first = ids(envs, 3)
    assert first[0] == first[1] == first[2]
    envs.sample_tasks()
    assert ids(envs, 1)[0] == [task.id for task in envs.current_tasks]


@pytest.mark.parametrize("how", ["constructor", "toggle", "attribute"])
def test_sample_tasks_on_reset(make_vec, five, how):
    given = {"sample_tasks_on_reset": True} if how == "constructor" else {}
    envs = make_vec(five, 1, task_select="pseudorandom", seed=0, **given)
    if how == "toggle":
        envs.call("toggle_sample_tasks_on_reset", True)
    elif how == "attribute":
        envs.set_attr("sample_tasks_on_reset", True)
    assert envs.get_attr("sample_tasks_on_reset") == (True,)
    assert sorted(row[0] for row in ids(envs, 5)) == sorted(task.id for task in five.train_tasks)
    envs.call("toggle_sample_tasks_on_reset", False)
    last = ids(envs, 2)
    assert last[0] == last[1]


def test_round_robin(make_vec, five):
    envs = make_vec(five, 1, task_select="round_robin")
    assert [row[0] for row in ids(envs, 7)] == [five.train_tasks[i % 5].id for i in range(7)]


def test_fixed(make_vec, five):
    envs = make_vec(five, 1, task_select="fixed")
    assert {row[0] for row in ids(envs, 3)} == {five.train_tasks[0].id}


def test_autoreset_chooses_as_a_reset_does(make_vec, five):
    envs = make_vec(five, 1, task_select="round_robin", max_episode_steps=1)
    envs.reset()
    chosen = [envs.step(np.zeros((1, 4)))[4]["task_index"][0] for _ in range(5)]
    assert chosen == [i % 5 for i in range(1, 6)]


def test_a_function_chooses(make_vec, five):
    def last_but(tasks, np_random):
        return tasks[int(np_random.integers(3, 5))]

    envs = make_vec(five, 1, task_select=last_but, seed=0)
    assert {row[0] for row in ids(envs, 20)} == {task.id for task in five.train_tasks[3:]}


@pytest.mark.parametrize("through", ["reset", "sample_tasks"])
def test_a_function_may_only_choose_tasks_that_fit(make_vec, five, tasks, through):
    envs = make_vec(five, 1, task_select=lambda given, np_random: tasks.far)
    with pytest.raises(
        ValueError, match="is of the skill 'reach-v3', which MT1-drawer-close-v3 does not have here"
    ):
        getattr(envs, through)()
    envs.reset(options={"tasks": five.train_tasks[0]})
    assert envs.current_tasks == (five.train_tasks[0],)


# --- given --------------------------------------------------------------------------------------------------


def test_any_task_in_any_row(make_vec):
    mt10 = benchmark("MT10", seed=0)
    envs = make_vec(mt10, 3)
    chosen = [mt10.only(name).train_tasks[7] for name in ("window-open-v3", "reach-v3", "reach-v3")]
    obs, _ = envs.reset(options={"tasks": chosen})
    assert envs.task_names.tolist() == ["window-open-v3", "reach-v3", "reach-v3"]
    assert envs.task_ids.tolist() == [task.id for task in chosen]
    assert envs.current_tasks == tuple(chosen)
    assert np.array_equal(obs[1], obs[2])
    assert not np.array_equal(obs[0], obs[1])
    assert envs.get_attr("task") == tuple(chosen)
    assert envs.get_attr("task_name") == ("SawyerWindowOpenEnvV3", "SawyerReachEnvV3", "SawyerReachEnvV3")


def test_a_task_given_to_reset_is_for_that_episode(make_vec, five):
    envs = make_vec(five, 2, task_select="fixed", max_episode_steps=1)
    envs.reset()
    own = envs.task_ids.tolist()
    other = five.train_tasks[4]
    assert ids(envs, 1, options={"tasks": other}) == [[other.id, other.id]]
    *_, infos = envs.step(np.zeros((2, 4)))
    assert infos["final_info"]["task_index"].tolist() == [4, 4]
    # "fixed" draws at no reset, so the row goes on with the task that it has.
    assert envs.task_ids.tolist() == [other.id, other.id]
    assert ids(envs, 1, seed=0) == [own]


def test_tasks_that_are_set_stay(make_vec, five):
    envs = make_vec(five, 2, max_episode_steps=1, seed=0)
    held, other = five.train_tasks[3], five.train_tasks[1]
    envs.set_tasks(held)
    assert ids(envs, 3) == [[held.id, held.id]] * 3
    assert ids(envs, 1, seed=5) == [[held.id, held.id]]
    envs.step(np.zeros((2, 4)))
    assert envs.task_ids.tolist() == [held.id, held.id]
    assert ids(envs, 1, options={"tasks": other}) == [[other.id, other.id]]
    assert ids(envs, 1) == [[held.id, held.id]]
    envs.set_tasks([other, held])
    assert ids(envs, 2) == [[other.id, held.id]] * 2


def test_tasks_that_are_set_take_effect_at_the_next_reset(make_vec, five, same):
    envs = make_vec(five, 1, seed=0)
    _, before = envs.reset(seed=0)
    envs.set_tasks(five.train_tasks[3])
    *_, infos = envs.step(np.zeros((1, 4)))
    assert infos["task_index"].tolist() == before["task_index"].tolist()
    same(infos["goal"], before["goal"])


def test_sample_tasks_ends_the_hold(make_vec, five):
    envs = make_vec(five, 1, seed=0)
    envs.set_tasks(five.train_tasks[3])
    envs.reset()
    seen = {envs.sample_tasks()[1]["task_index"][0] for _ in range(20)}
    assert len(seen) > 2
    assert len({row[0] for row in ids(envs, 20)}) > 2


def test_new_task_lists_end_the_hold(make_vec, five):
    envs = make_vec(five, 2, task_select="round_robin")
    envs.set_tasks(five.train_tasks[3])
    envs.set_attr("tasks", [list(five.train_tasks[:2]), list(five.train_tasks[4:])])
    first, second, third, _, fifth = (task.id for task in five.train_tasks)
    assert ids(envs, 3) == [[first, fifth], [second, fifth], [first, fifth]]
    assert third not in {task.id for row in envs.tasks for task in row}


def test_a_mask_says_whose_tasks_are_set(make_vec, five):
    envs = make_vec(five, 3, task_select="fixed")
    start = ids(envs, 1)[0]
    first, second = five.train_tasks[3:]
    mask = np.array([True, False, True])
    envs.set_tasks([first, second], mask)
    assert ids(envs, 1) == [[first.id, start[1], second.id]]
    envs.set_tasks([second, second, first], mask)  # one for each row of the batch will do too
    assert ids(envs, 1) == [[second.id, start[1], first.id]]
    reset_mask = np.array([False, True, False])
    envs.reset(options={"tasks": [first], "reset_mask": reset_mask})
    assert [task.id for task in envs.current_tasks] == [second.id, first.id, first.id]


def test_unlisted_goals_and_meta_worlds_own_tasks_are_taken(make_vec, tasks, monkeypatch):
    monkeypatch.setattr(metaworld, "_N_GOALS", 2)
    envs = make_vec(benchmark("MT1", "reach-v3", seed=0), 2)
    assert tasks.far not in envs.benchmark.train_tasks
    official = metaworld.MT1("reach-v3", seed=9).train_tasks[1]
    envs.reset(options={"tasks": [tasks.far, official]})
    assert envs.task_ids.tolist() == [tasks.far.id, Task.of(official).id]
    envs.set_tasks(official)
    assert ids(envs, 1) == [[Task.of(official).id] * 2]
    envs.call("set_task", official)
    assert ids(envs, 1) == [[Task.of(official).id] * 2]


def test_test_tasks_may_be_set_on_an_environment_of_train_tasks(make_vec):
    ml10 = benchmark("ML10", seed=0)
    envs = make_vec(ml10, 1, split="train")
    envs.reset(options={"tasks": ml10.test_tasks[0]})
    assert envs.task_names.tolist() == ["drawer-open-v3"]
    one_hot = make_vec(ml10, 1, split="train", use_one_hot=True)
    with pytest.raises(ValueError, match="is of the skill 'drawer-open-v3', which ML10 does not have here"):
        one_hot.set_tasks(ml10.test_tasks[0])


def test_task_lists_of_the_rows_are_copies(make_vec, five):
    envs = make_vec(five, 2)
    envs.tasks[0].clear()
    envs.get_attr("tasks")[1].clear()
    assert [len(row) for row in envs.tasks] == [3, 2]


# --- mistakes -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("through", ["set_tasks", "reset"])
def test_tasks_that_do_not_fit(make_vec, tasks, through):
    envs = make_vec(benchmark("MT1", "reach-v3", seed=0), 2)

    def give(given, mask=None):
        if through == "set_tasks":
            envs.set_tasks(given, mask)
        else:
            envs.reset(options={"tasks": given, "reset_mask": mask})

    good = envs.benchmark.train_tasks[0]
    vector = good["rand_vec"]
    push = benchmark("MT1", "push-v3", seed=0).train_tasks[0]
    with pytest.raises(
        ValueError, match=rf"The task {push.id} is of the skill 'push-v3', which MT1-reach-v3 does"
    ):
        give(push)
    with pytest.raises(ValueError, match=r"hides its goal, and the tasks of MT1-reach-v3 show theirs"):
        give(Task("reach-v3", {"rand_vec": vector, "partially_observable": True}))
    with pytest.raises(ValueError, match=r"rand_vec must have 6 numbers for reach-v3, not 3"):
        give(Task("reach-v3", {"rand_vec": vector[:3], "partially_observable": False}))
    with pytest.raises(ValueError, match=r"rand_vec must put the object of reach-v3 at least 0.15 m away"):
        give(tasks.reach(-0.1, 0.8))
    with pytest.raises(
        ValueError, match=r"tasks'?\]? must have one task for each of the 2 chosen rows, not 3"
    ):
        give([good] * 3)
    with pytest.raises(
        ValueError, match=r"tasks'?\]? must have one task for each of the 1 chosen rows, not 0"
    ):
        give([], np.array([True, False]))
    with pytest.raises(TypeError, match=r"tasks'?\]? must be a Task or a list with one for each row, not 3"):
        give(3)
    with pytest.raises(
        TypeError, match=r"Expected a taskworlds\.Task or one of Meta-World's own tasks, not 'x'"
    ):
        give(["x", good])
    assert envs.current_tasks == (None, None)
    envs.reset()
    assert all(task in envs.benchmark.train_tasks for task in envs.current_tasks)


def test_shown_goals_are_another_benchmarks_than_hidden_ones(make_vec):
    envs = make_vec("ML1", 2, env_name="reach-v3", seed=0)
    shown = benchmark("MT1", "reach-v3", seed=0).train_tasks[0]
    with pytest.raises(ValueError, match=r"shows its goal, and the tasks of ML1-reach-v3 hide theirs"):
        envs.set_tasks(shown)


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        ([[]], ValueError, "must have one value for each of the 2 rows, not 1"),
        ([[], []], ValueError, "tasks must be a list of lists, for each row at least one task"),
        ("reach-v3", ValueError, "tasks must be a list of lists"),
        ([["x"], ["y"]], TypeError, r"Expected a taskworlds\.Task"),
    ],
)
def test_task_lists_that_do_not_fit(make_vec, five, values, error, message):
    envs = make_vec(five, 2)
    before = envs.tasks
    with pytest.raises(error, match=message):
        envs.set_attr("tasks", values)
    assert envs.tasks == before


def test_a_single_environments_tasks(make, five):
    env = make(five, task_select="round_robin")
    assert env.task is None
    assert env.num_tasks == 5
    assert env.tasks == list(five.train_tasks)
    env.reset(options={"task": five.train_tasks[3]})
    assert env.task == five.train_tasks[3]
    env.set_task(five.train_tasks[2])
    assert [env.reset(seed=seed)[1]["task_index"] for seed in (None, 3, None)] == [2] * 3
    obs, info = env.sample_tasks()
    assert obs.shape == (39,)
    assert five.train_tasks[info["task_index"]] == env.task
    drawn = env.sample_tasks(12)
    assert len(drawn) == 12
    for start in (0, 5):
        assert sorted(task.id for task in drawn[start : start + 5]) == sorted(task.id for task in env.tasks)
    assert env.sample_tasks(7, seed=3) == env.sample_tasks(7, seed=3)
    with pytest.raises(TypeError, match="reset takes the option task, not tasks"):
        env.reset(options={"tasks": five.train_tasks[0]})
    with pytest.raises(ValueError, match="n_tasks must be at least 1, not 0"):
        env.sample_tasks(0)


def test_benchmark_is_at_hand(five):
    assert taskworlds.make(five).benchmark is five
    assert taskworlds.make_vec(five, 2).benchmark is five
