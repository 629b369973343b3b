"""Goals without end: a new one in every episode, from the skill's reset, by the row's generator."""

import numpy as np
import pytest

import taskworlds
from taskworlds import Task
from taskworlds.core.registry import world_of
from taskworlds.worlds.metaworld.goals import fresh_task, too_near
from taskworlds.worlds.metaworld.skills import SKILLS, skill

STILL = np.zeros((3, 4))


def goals_of(envs, seed, episodes=4):
    """Returns the tasks of some episodes of each row, one step long."""
    envs.reset(seed=seed)
    played = [envs.current_tasks]
    for _ in range(episodes - 1):
        envs.step(STILL)
        played.append(envs.current_tasks)
    return played


def made(make_vec, **how):
    return make_vec("MT10", 3, seed=0, num_goals=2, unlimited_goals=True, max_episode_steps=1, **how)


def test_every_episode_has_a_new_goal_of_the_rows_skills(make_vec):
    envs = made(make_vec)
    played = [task for tasks in goals_of(envs, seed=1) for task in tasks]
    assert len(set(played)) == len(played) == 12
    assert not set(played) & set(envs.benchmark.train_tasks)
    for task in played:
        low, high = skill(task.env_name).rand_vec_low, skill(task.env_name).rand_vec_high
        assert all(a <= x <= b for a, x, b in zip(low, task["rand_vec"], high, strict=True))
        assert task["partially_observable"] is False
    _, infos = envs.reset(seed=1)
    assert infos["task_index"].tolist() == [-1] * 3
    assert (infos["skill_index"] >= 0).all()


def test_seeds_decide_them_on_every_engine():
    made_on = {}
    for engine in ("native", "sync", "async"):
        envs = taskworlds.make_vec(
            "MT10", 3, seed=0, num_goals=2, unlimited_goals=True, max_episode_steps=1, vector_strategy=engine
        )
        made_on[engine] = goals_of(envs, seed=7)
        assert goals_of(envs, seed=7) == made_on[engine]
        assert goals_of(envs, seed=8) != made_on[engine]
        envs.close()
    assert made_on["native"] == made_on["sync"] == made_on["async"]


@pytest.mark.parametrize("how", ["random", "pseudorandom", "round_robin"])
def test_every_way_to_choose_a_skill_draws_goals(how):
    envs = taskworlds.make_vec(
        "MT10",
        3,
        seed=0,
        num_goals=2,
        unlimited_goals=True,
        max_episode_steps=1,
        task_select=how,
        sample_tasks_on_reset=True,
    )
    assert len({task for tasks in goals_of(envs, seed=0) for task in tasks}) == 12


def test_snapshots_go_on_with_the_same_goals(make_vec):
    envs, other = made(make_vec), made(make_vec)
    goals_of(envs, seed=3)
    state = envs.get_state()
    other.set_state(state)
    for _ in range(3):
        for each in (envs, other):
            each.step(STILL)
        assert envs.current_tasks == other.current_tasks
    listed = make_vec("MT10", 3, seed=0, num_goals=2, max_episode_steps=1)
    with pytest.raises(
        ValueError, match="unlimited_goals is True in the state and False in this environment"
    ):
        listed.set_state(state)


def test_tasks_that_are_given_are_played(make_vec):
    envs = made(make_vec)
    given = envs.benchmark.by_skill()[envs.skills[0]][0]
    envs.set_tasks(given, mask=[True, False, False])
    envs.reset(seed=0)
    assert envs.current_tasks[0] == given
    assert envs.current_tasks[1] not in envs.benchmark.train_tasks


@pytest.mark.parametrize("each", SKILLS, ids=lambda each: each.name)
def test_goals_fill_the_box_and_can_be_played(each):
    task = Task(each.name, {"rand_vec": each.rand_vec_low, "partially_observable": True})
    rng = np.random.default_rng(0)
    drawn = [fresh_task(task, rng) for _ in range(200)]
    vectors = np.array([task["rand_vec"] for task in drawn])
    low, high = np.array(each.rand_vec_low), np.array(each.rand_vec_high)
    assert (vectors >= low).all()
    assert (vectors <= high).all()
    wide = high > low
    share = 0.9 if each.min_separation is None else 0.6  # a corner is empty where goals may not be near
    assert (vectors.max(0) - vectors.min(0) > share * (high - low))[wide].all()
    assert not any(too_near(each, vector) for vector in vectors)
    assert all(task["partially_observable"] for task in drawn)
    for task in drawn[:5]:
        world_of(each.name).check_task(task)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="unlimited_goals must be False for ant-goal"):
        taskworlds.make_vec("ant-goal", 2, unlimited_goals=True)
    with pytest.raises(ValueError, match="contradicts sample_tasks_on_reset=None and task_select='fixed'"):
        taskworlds.make_vec("reach-v3", 1, unlimited_goals=True, task_select="fixed")
    with pytest.raises(TypeError, match="unlimited_goals=True"):
        taskworlds.make_vec("reach-v3", 1, goals="unlimited")
    with pytest.raises(ValueError, match=r"unlimited_goals must be one of True, False, not 'yes'"):
        taskworlds.make_vec("reach-v3", 1, unlimited_goals="yes")


def test_a_curriculum_chooses_the_skill_and_is_told_the_goal_that_was_played():
    told = []

    def teacher(episodes):
        told.extend(episodes)
        return [float(task.env_name == "push-v3") for task in envs.benchmark.train_tasks]

    envs = taskworlds.make_vec(
        "MT10", 3, seed=0, num_goals=2, unlimited_goals=True, max_episode_steps=1, curriculum=teacher
    )
    envs.reset(seed=0)
    played = list(envs.current_tasks)
    for _ in range(4):
        envs.step(STILL)
        played += envs.current_tasks
    assert [each.task for each in told] == played[:-3]
    assert {each.task_index for each in told} == {-1}
    assert {task.env_name for task in played[3:]} == {"push-v3"}
    assert len(set(played)) == len(played)
    envs.close()
