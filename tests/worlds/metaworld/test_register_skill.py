"""Skills from outside the package: known by name everywhere, and Meta-World's untouched."""

from __future__ import annotations

import dataclasses
import os
import pickle
import subprocess
import sys

import numpy as np
import pytest

import taskworlds
from taskworlds import benchmark, make, make_vec, register_skill
from taskworlds.core.registry import world_of
from taskworlds.worlds.metaworld import skills
from taskworlds.worlds.metaworld.families.drawer import reset_open, reward_open
from taskworlds.worlds.metaworld.goals import draw_goals
from taskworlds.worlds.metaworld.skill import Terms
from taskworlds.worlds.metaworld.skills import SKILLS, canonical_name, skill
from taskworlds.worlds.metaworld.world import METAWORLD


def reward_of_memory(now, obs, action, start, memory, single):
    """A reward that remembers: how many steps there were, and how far the handle came."""
    memory[0] += 1.0
    memory[1] = max(memory[1], abs(obs[5] - start.target[1]))
    return Terms(memory[0] + memory[1], False, False, False, 0.0, 0.0, memory[1])


def reset_with_opening(sim, rand_vec, before):
    """A drawer at the first three numbers; the fourth says how far to open it."""
    start = reset_open(sim, rand_vec[:3], before)
    target = start["target"] + (0.0, 0.2 - rand_vec[3], 0.0)
    sim.move_site("goal", target)
    return {"target": target, "opening": rand_vec[3]}


MINE = dataclasses.replace(
    skill("drawer-open-v3"),
    name="drawer-mine-v1",
    class_name="",
    family="",
    rand_vec_low=(-0.1, 0.9, 0.0, 0.05),
    rand_vec_high=(0.1, 0.9, 0.0, 0.15),
    start={"target": 3, "opening": 1},
    memory=2,
    reset=reset_with_opening,
    rewards={"v2": reward_of_memory},
)
TWIN = dataclasses.replace(skill("drawer-open-v3"), name="drawer-twin-v1", rewards={"v2": reward_open})


@pytest.fixture
def registry(monkeypatch):
    """An empty registry, for one test."""
    monkeypatch.setattr(skills, "_registered", {})


@pytest.fixture
def mine(registry):
    register_skill(MINE)
    return MINE


# --- known by name ----------------------------------------------------------------------------------------------


def test_a_registered_skill_is_known_everywhere(mine):
    assert skill("drawer-mine-v1") is mine
    assert canonical_name("drawer-mine-v1") == "drawer-mine-v1"
    assert METAWORLD.env_names()[-1] == "drawer-mine-v1"
    assert world_of("drawer-mine-v1") is METAWORLD
    assert METAWORLD.class_name("drawer-mine-v1") == "drawer-mine-v1"
    assert len(benchmark("MT1", "drawer-mine-v1", seed=0).train_tasks) == 50
    assert len(benchmark("ML1", "drawer-mine-v1", seed=0).test_tasks) == 50
    assert (
        make("drawer-mine-v1", seed=0, names_in_info=True).reset(seed=0)[1]["task_name"] == "drawer-mine-v1"
    )


def test_metaworlds_skills_and_benchmarks_are_untouched(mine):
    assert len(SKILLS) == 50
    assert mine not in SKILLS
    names = [name for split in ("MT10", "MT50") for name in benchmark(split, seed=0, num_goals=1).env_names()]
    assert "drawer-mine-v1" not in names


def test_goals_come_by_metaworlds_rule(registry):
    register_skill(TWIN)
    official = draw_goals(["reach-v3", "drawer-open-v3"], 3, 50)
    ours = draw_goals(["reach-v3", "drawer-twin-v1"], 3, 50)
    np.testing.assert_array_equal(ours["drawer-twin-v1"], official["drawer-open-v3"])


def test_as_many_numbers_as_the_reset_needs(mine):
    tasks = benchmark("drawer-mine-v1", seed=0).train_tasks
    vectors = np.array([task["rand_vec"] for task in tasks])
    assert vectors.shape == (50, 4)
    assert ((vectors >= mine.rand_vec_low) & (vectors <= mine.rand_vec_high)).all()
    env = make(tasks[:1])
    env.reset()
    obs, *_ = env.step(np.zeros(4))
    assert obs[37] == pytest.approx(0.9 - 0.16 - vectors[0, 3])


def test_the_numbers_of_a_copy_are_those_of_the_original(registry):
    register_skill(TWIN)
    official = make_vec("drawer-open-v3", 2, seed=0, num_goals=2)
    ours = make_vec("drawer-twin-v1", 2, seed=0, num_goals=2)
    np.testing.assert_array_equal(official.reset(seed=0)[0], ours.reset(seed=0)[0])
    for action in np.random.default_rng(0).uniform(-1, 1, (4, 2, 4)):
        for one, other in zip(official.step(action)[:4], ours.step(action)[:4], strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("strategy", ["native", "sync"])
def test_engines_agree_on_a_batch_mixed_with_official_skills(mine, strategy):
    names = ["drawer-mine-v1", "reach-v3", "drawer-open-v3"]
    envs = make_vec("custom-mt-envs", 3, envs_list=names, seed=0, num_goals=2, vector_strategy=strategy)
    native = make_vec("custom-mt-envs", 3, envs_list=names, seed=0, num_goals=2)
    np.testing.assert_allclose(envs.reset(seed=0)[0], native.reset(seed=0)[0], rtol=0, atol=1e-9)
    actions = np.random.default_rng(0).uniform(-1, 1, (8, 3, 4)).astype(np.float32)
    for action in actions[:4]:
        ours, its = envs.step(action), native.step(action)
        np.testing.assert_allclose(ours[0], its[0], rtol=0, atol=1e-9)
        np.testing.assert_allclose(ours[1], its[1], rtol=1e-9)
    state = envs.get_state()
    after = [envs.step(action)[:2] for action in actions[4:]]
    envs.set_state(state)
    for action, (obs, rewards) in zip(actions[4:], after, strict=True):
        again = envs.step(action)
        np.testing.assert_array_equal(again[0], obs)
        np.testing.assert_array_equal(again[1], rewards)
    assert after[-1][1][0] >= 8  # the reward's memory counted the steps
    for each in (envs, native):
        each.close()


def test_rows_of_the_sync_engine_show_the_plain_environment(mine):
    envs = make_vec("drawer-mine-v1", 1, seed=0, vector_strategy="sync")
    envs.reset(seed=0)
    assert envs.get_attr("_skill") == (mine,)
    assert envs.call("physics")[0].size == 273
    assert envs.get_attr("task_name") == ("drawer-mine-v1",)
    envs.close()


def test_evaluation_and_copies(mine):
    result = taskworlds.evaluate(
        lambda obs: np.zeros((len(obs), 4)), "drawer-mine-v1", num_goals=2, max_episode_steps=5
    )
    assert [len(task.episodes) for task in result.tasks] == [1, 1]
    envs = make_vec("drawer-mine-v1", 2, seed=0)
    envs.reset(seed=0)
    copy = pickle.loads(pickle.dumps(envs))
    action = np.full((2, 4), 0.3)
    np.testing.assert_array_equal(copy.step(action)[0], envs.step(action)[0])


def test_a_version_of_the_reward_that_the_skill_lacks(mine):
    for strategy in ("native", "sync"):
        with pytest.raises(ValueError, match=r"must be one that drawer-mine-v1 has, v2, not 'v1'"):
            make_vec(
                "drawer-mine-v1", 1, seed=0, reward_function_version="v1", vector_strategy=strategy
            ).reset()


# --- names ------------------------------------------------------------------------------------------------------


def test_not_a_skill():
    with pytest.raises(TypeError, match=r"skill must be a taskworlds.Skill, not 'reach-v3'"):
        register_skill("reach-v3")


@pytest.mark.parametrize("name", ["reach-v3", "reach-v2"])
def test_metaworlds_names_are_taken(registry, name):
    with pytest.raises(
        ValueError, match=f"name must not be '{name}': there is a skill or benchmark of that name"
    ):
        register_skill(dataclasses.replace(MINE, name=name), replace=True)


def test_names_of_other_worlds_are_taken(registry):
    from taskworlds.core.registry import worlds

    for world in worlds():
        for name in world.env_names():
            with pytest.raises(ValueError, match="name must"):
                register_skill(dataclasses.replace(MINE, name=name))


def test_an_own_v2_is_not_its_v3(registry):
    two, three = (dataclasses.replace(MINE, name=f"drawer-mine-v{i}") for i in (2, 3))
    register_skill(three)
    register_skill(two)
    assert skill("drawer-mine-v2") is two
    assert skill("drawer-mine-v3") is three


def test_an_unknown_name_says_what_to_do(registry):
    with pytest.raises(
        ValueError, match=r"Unknown skill 'drawer-mine-v1'.*must be registered in each process"
    ):
        skill("drawer-mine-v1")


# --- again, and anew --------------------------------------------------------------------------------------------

CELL = """
from taskworlds import Skill
from taskworlds.worlds.metaworld.skill import Terms

SPEED = 2.0

def reset(sim, rand_vec, before):
    sim.settle_hand((0.0, 0.6, 0.2))
    sim.move_site("goal", rand_vec)
    return {"target": rand_vec}

def observe(now, objects):
    objects[0] = now.hand[0]

def reward(now, obs, action, start, memory, single):
    return Terms(SPEED, False, 0.0, 0.0, 0.0, 0.0, 0.0)

SKILL = Skill(
    name="cell-v1", rand_vec_low=(0.0, 0.6, 0.1), rand_vec_high=(0.1, 0.7, 0.2), model="sawyer_xyz/sawyer_drawer.xml",
    moves=(("site_pos", "goal"),), start={"target": 3}, reset=reset, observe=observe, rewards={"v2": reward},
)
"""


def run_cell(text=CELL):
    scope = {"__name__": "__main__"}
    exec(compile(text, "<cell>", "exec"), scope)
    return scope["SKILL"]


def test_the_same_skill_again_is_silent(registry):
    first, again = run_cell(), run_cell("\n" + CELL)
    assert first != again  # other functions, of the same meaning
    register_skill(first)
    register_skill(first)
    register_skill(again)
    assert skill("cell-v1") is first


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("SPEED = 2.0", "SPEED = 3.0"),
        ("rand_vec_high=(0.1", "rand_vec_high=(0.2"),
        ("now.hand[0]", "now.hand[1]"),
    ],
)
def test_another_skill_of_the_name_is_refused(registry, old, new):
    register_skill(run_cell())
    other = run_cell(CELL.replace(old, new))
    with pytest.raises(ValueError, match=r"another skill is registered under it.* replace=True"):
        register_skill(other)
    register_skill(other, replace=True)
    assert skill("cell-v1") is other


def test_environments_keep_the_skill_that_they_were_made_with(registry):
    register_skill(run_cell())
    old = make("cell-v1", seed=0)
    register_skill(run_cell(CELL.replace("SPEED = 2.0", "SPEED = 3.0")), replace=True)
    new = make("cell-v1", seed=0)
    for env, reward in ((old, 2.0), (new, 3.0), (old, 2.0)):
        env.reset(seed=0)
        assert env.step(np.zeros(4))[1] == reward


# --- other processes --------------------------------------------------------------------------------------------

SCRIPT = (
    CELL
    + """
import multiprocessing
import sys
import numpy as np
import taskworlds

taskworlds.register_skill(SKILL)

def main():
    multiprocessing.set_start_method(sys.argv[1])
    obs = []
    for strategy in ("native", "async"):
        envs = taskworlds.make_vec("cell-v1", 2, seed=0, vector_strategy=strategy)
        envs.reset(seed=0)
        obs.append(envs.step(np.full((2, 4), 0.5, dtype=np.float32))[0])
        envs.close()
    print(np.array_equal(*obs))

if __name__ == "__main__":
    main()
"""
)


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_skill_of_the_main_program_travels_to_the_async_engine(tmp_path, method):
    (tmp_path / "script.py").write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, "script.py", method],
        cwd=tmp_path,
        env=os.environ | {"PYTHONWARNINGS": "ignore"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.stdout == "True\n", done.stderr
