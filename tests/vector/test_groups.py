"""group_size: consecutive rows whose k-th episodes have the same task and the same start."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import taskworlds

G, N = 2, 6


def episodes_of(envs, steps, seed=0, limits=(2, 3, 5, 3, 2, 4)):
    """The (task, first observation) of each row's episodes, which are cut off after different numbers of steps."""
    envs.reset(seed=11)
    found = [[(task, envs.observations.row(row))] for row, task in enumerate(envs.current_tasks)]
    age = np.zeros(envs.num_envs, int)
    rng = np.random.default_rng(seed)
    for _ in range(steps):
        space = envs.single_action_space
        actions = rng.uniform(-1, 1, (envs.num_envs, *space.shape)).astype(np.float32)
        _, _, terminations, truncations, _ = envs.step(actions)
        began = terminations | truncations  # SAME_STEP: has begun again
        age = np.where(began, 0, age + 1)
        cut = ~began & (age >= np.array(limits)[: envs.num_envs])
        if cut.any():
            envs.reset(options={"reset_mask": cut})  # a partial reset, in the middle of an episode
            age[cut] = 0
        for row in np.flatnonzero(began | cut).tolist():
            found[row].append((envs.current_tasks[row], envs.observations.row(row)))
    return found


def check_groups(found, group_size=G):
    differ = 0
    for first in range(0, len(found), group_size):
        rows = found[first : first + group_size]
        count = min(len(each) for each in rows)
        assert count > 2
        for each in rows[1:]:
            for (task, obs), (other, its) in zip(rows[0][:count], each[:count], strict=True):
                assert task == other
                np.testing.assert_array_equal(obs, its)
        differ += len({task for task, _ in rows[0]}) > 1 or len({obs.tobytes() for _, obs in rows[0]}) > 1
    assert differ  # else all this would be the same episode again and again
    starts = {(rows[0][0], rows[0][1].tobytes()) for rows in found[::group_size]}
    assert len(starts) > 1  # groups are not all alike


WORLDS = [
    ("MT10", "native", {}),
    ("reach-v3", "native", {"task_select": "pseudorandom", "sample_tasks_on_reset": True}),
    ("reach-v3", "sync", {}),
    ("reach-v3", "async", {"task_select": "round_robin"}),
    ("half-cheetah-vel", "native", {}),
    ("half-cheetah-vel", "sync", {}),
    ("point", "numpy", {"sample_tasks_on_reset": True}),
    pytest.param("cheetah-run", "native", {}, marks=pytest.mark.requires_dm_control),
]


@pytest.mark.parametrize(("name", "engine", "options"), WORLDS)
def test_rows_of_a_group_have_the_same_episodes(name, engine, options):
    envs = taskworlds.make_vec(
        name, N, seed=0, group_size=G, vector_strategy=engine, max_episode_steps=4, **options
    )
    check_groups(episodes_of(envs, 14))
    envs.close()


def test_a_group_of_all_rows_and_groups_of_one():
    envs = taskworlds.make_vec("reach-v3", 3, seed=0, group_size=3, max_episode_steps=3)
    envs.reset(seed=0)
    assert len(set(envs.current_tasks)) == 1
    alone = taskworlds.make_vec("MT10", 10, seed=0, group_size=1)
    plain = taskworlds.make_vec("MT10", 10, seed=0)
    for each in (alone, plain):
        each.reset(seed=4)
    assert alone.current_tasks == plain.current_tasks


def test_groups_have_the_episodes_of_as_many_rows_without_groups():
    grouped = taskworlds.make_vec("MT10", 20, seed=0, group_size=2)
    plain = taskworlds.make_vec("MT10", 10, seed=0)
    for envs in (grouped, plain):
        envs.reset(seed=3)
    assert grouped.current_tasks[::2] == plain.current_tasks


def test_without_a_seed_rows_of_a_group_still_agree():
    envs = taskworlds.make_vec("reach-v3", 4, seed=None, group_size=2)
    envs.reset()
    one, two, three, four = envs.current_tasks
    assert one == two
    assert three == four
    for _ in range(3):
        envs.sample_tasks()
        assert envs.current_tasks[0] == envs.current_tasks[1]


def test_words_are_the_same_in_a_group():
    envs = taskworlds.make_vec("MT10", 20, seed=0, group_size=2, paraphrases=True, max_episode_steps=2)
    envs.reset(seed=0)
    for _ in range(5):
        assert envs.instructions[::2].tolist() == envs.instructions[1::2].tolist()
        envs.step(np.zeros((20, 4)))


def test_chunks_and_trials():
    envs = taskworlds.make_vec("reach-v3", 4, seed=0, group_size=2, max_episode_steps=3, k_episodes=2)
    envs.reset(seed=0)
    for _ in range(6):
        envs.step(np.zeros((4, 5, 4)))
        assert envs.current_tasks[0] == envs.current_tasks[1]
    with pytest.raises(ValueError, match="group_size must be left out with k_episodes for half-cheetah-vel"):
        taskworlds.make_vec("half-cheetah-vel", 4, group_size=2, k_episodes=2)


def test_snapshots():
    def make(**options):
        return taskworlds.make_vec("MT10", 20, seed=0, max_episode_steps=3, **{"group_size": 2} | options)

    one, other = make(), make()
    one.reset(seed=0)
    one.reset(options={"reset_mask": np.arange(20) % 3 == 0})
    other.set_state(one.get_state())
    found = []
    for envs in (one, other):
        for _ in range(7):
            envs.step(np.zeros((20, 4)))
        found.append(envs.current_tasks)
    assert found[0] == found[1]
    with pytest.raises(ValueError, match="group_size is 2 in the state and 4 in this environment"):
        make(group_size=4).set_state(one.get_state())
    with pytest.raises(ValueError, match="group_size is 2 in the state and None in this environment"):
        make(group_size=None).set_state(one.get_state())
    with pytest.raises(ValueError, match="group_size is None in the state and 2 in this environment"):
        one.set_state(make(group_size=None).get_state())


def test_rows_by_default_and_what_is_refused():
    assert taskworlds.make_vec("MT10", group_size=4).num_envs == 40
    assert taskworlds.make_vec("ML1", env_name="reach-v3", group_size=8).num_envs == 24
    with pytest.raises(ValueError, match=r"group_size must divide num_envs, 10, .* not 4"):
        taskworlds.make_vec("MT10", 10, group_size=4)
    with pytest.raises(ValueError, match="group_size must be at least 1, not 0"):
        taskworlds.make_vec("MT10", 10, group_size=0)
    with pytest.raises(TypeError, match="group_size must be a whole number"):
        taskworlds.make_vec("MT10", 10, group_size=2.5)
    with pytest.raises(ValueError, match="group_size must not be given for a single environment, not 2"):
        taskworlds.make("reach-v3", group_size=2)


def test_the_page_runs_as_written():
    page = (Path(__file__).parents[2] / "docs" / "action_chunks.md").read_text()
    names = {}
    for code in re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL):
        exec(code, names)
    assert names["played"].sum() == 80
