"""The worlds of dm_control's skills, in the vector environment and in evaluation."""

import functools

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import taskworlds
from taskworlds import Task
from taskworlds.control import family, vary
from taskworlds.core.registry import world_of, worlds
from taskworlds.worlds.control.skills import SKILLS
from taskworlds.worlds.control.world import CONTROL_WORLDS

pytestmark = pytest.mark.requires_dm_control

STEPS = 4
BENCHMARK = "walker-walk-friction"
HOPPER = Task("hopper-hop", {"geom.torso.size[0]": 0.06})


def test_every_task_of_the_suite_is_a_skill():
    from dm_control import suite

    assert [(each.domain, each.task) for each in SKILLS] == list(suite.ALL_TASKS)
    assert [each.env_names() for each in CONTROL_WORLDS] == [(f"{d}-{t}",) for d, t in suite.ALL_TASKS]


@pytest.mark.parametrize("domain", sorted({each.domain for each in SKILLS}))
def test_pictures_of_a_second_are_its_steps(domain):
    from taskworlds.control import make_environment

    skill = next(each for each in SKILLS if each.domain == domain)
    step = make_environment(Task(skill.env_name), seed=0).control_timestep()
    assert world_of(skill.env_name).render_fps == round(1 / step)


def test_names_are_taken_once():
    names = [
        name for world in worlds() for name in dict.fromkeys((*world.env_names(), *world.benchmark_makers()))
    ]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("world", CONTROL_WORLDS, ids=lambda world: world.name)
def test_spaces_and_benchmarks_need_no_simulator(world):
    skill = next(each for each in SKILLS if each.env_name == world.name)
    assert world.observation_space(visible=True, hidden=False).shape == (skill.obs_size,)
    assert world.action_space().shape == (skill.action_size,)
    for name in world.benchmark_makers():
        made = taskworlds.benchmark(name, seed=0)
        assert {task.env_name for task in (*made.train_tasks, *made.test_tasks)} == {world.name}


def rollout(envs, steps=STEPS, seed=0):
    rng = np.random.default_rng(seed)
    outcomes = []
    for _ in range(steps):
        obs, rewards, terminated, truncated, infos = envs.step(rng.uniform(-1, 1, envs.action_space.shape))
        outcomes.append((obs, rewards, terminated, truncated))
        assert "success" not in infos
        assert "goal" not in infos
    return outcomes


def assert_same(first, second):
    for one, other in zip(first, second, strict=True):
        for a, b in zip(one, other, strict=True):
            np.testing.assert_array_equal(a, b)


def test_sync_and_async_rows_are_the_same_and_restore_exactly():
    outcomes = []
    for engine in ("sync", "async"):
        envs = taskworlds.make_vec(BENCHMARK, 4, vector_strategy=engine, seed=0)
        assert envs.max_episode_steps == 1000
        obs, infos = envs.reset(seed=0)
        assert set(envs.task_names) == {"walker-walk"}
        assert len(set(infos["task_index"])) == 4
        first = rollout(envs)
        state = envs.get_state()
        second = rollout(envs, seed=1)
        envs.set_state(state)
        assert_same(second, rollout(envs, seed=1))
        again, _ = envs.reset(seed=0)
        np.testing.assert_array_equal(again, obs)
        outcomes.append([(obs,), *first, *second])
        envs.close()
    assert_same(*outcomes)


def test_rows_hold_any_tasks_of_the_skill():
    tasks = [
        Task("walker-walk", {"friction": 0.75, "len": 0.12}),
        Task("walker-walk"),
        Task("walker-walk", {"option.gravity[2]": -3.0}),
    ]
    envs = taskworlds.make_vec(tasks, 3, vector_strategy="sync", seed=0)
    envs.reset(seed=0, options={"tasks": tasks})
    assert envs.current_tasks == tuple(tasks)
    envs.set_tasks(tasks[2])
    envs.reset()
    assert envs.current_tasks == (tasks[2],) * 3
    gravity = [physics.model.opt.gravity[2] for physics in envs.get_attr("physics")]
    assert gravity == [-3.0] * 3
    with pytest.raises(ValueError, match="must be greater than 0"):
        envs.set_tasks(Task("walker-walk", {"len": -1.0}))
    envs.close()


def test_an_episode_is_truncated_by_the_clock_and_terminated_by_the_skill():
    envs = taskworlds.make_vec("lqr-lqr_2_1", 2, vector_strategy="sync", seed=0, max_episode_steps=3)
    envs.reset(seed=0)
    outcomes = rollout(envs, steps=2)
    assert not any(terminated.any() or truncated.any() for _, _, terminated, truncated in outcomes)
    physics = envs.get_attr("physics")[0]
    physics.data.qpos[:] = physics.data.qvel[:] = 0.0
    physics.forward()
    _, _, terminated, truncated, _ = envs.step(np.zeros((2, 1)))
    assert (terminated.tolist(), truncated.tolist()) == ([True, False], [False, True])
    envs.close()


def row_outcome(envs, task):
    envs.set_attr("next_task", [task])
    obs, _ = envs.reset(seed=[3])
    stepped, *_ = envs.step(np.full((1, 4), 0.3))
    outcome = obs.copy(), stepped.copy()
    envs.close()
    return outcome


def test_a_users_family_runs_in_forked_and_spawned_processes():
    (world,) = (each for each in CONTROL_WORLDS if each.name == "hopper-hop")
    make_row = functools.partial(world.make_row, reward_function_version="dm_control", render_mode=None)
    expected = row_outcome(gym.vector.SyncVectorEnv([make_row]), HOPPER)
    base = row_outcome(gym.vector.SyncVectorEnv([make_row]), Task("hopper-hop"))
    assert not np.array_equal(expected[1], base[1])
    for context in ("fork", "spawn"):
        got = row_outcome(gym.vector.AsyncVectorEnv([make_row], context=context), HOPPER)
        assert_same([expected], [got])


def push(observations):
    return np.full((len(observations), 6), 0.5)


def test_evaluate_with_a_policy_of_the_users():
    result = taskworlds.evaluate(push, family("cheetah-run", "torso_length").benchmark(), max_episode_steps=5)
    assert "4 tasks" in repr(result)
    mine = vary("cheetah-run", "option.gravity[2]", values=[-9.81, -1.62], label="gravity").benchmark(
        [-9.81], test=[-1.62]
    )
    assert "cheetah-run-gravity test: 1 tasks" in repr(taskworlds.evaluate(push, mine, max_episode_steps=5))


def test_a_single_environment_passes_gymnasiums_check():
    env = taskworlds.make("cartpole-swingup-pole_mass", vector_strategy="sync", seed=0)
    check_env(env, skip_render_check=True)
    env.close()


def test_what_the_native_engine_does_not_step_runs_in_python_by_itself():
    tasks = [Task("hopper-hop")]
    alone = taskworlds.make(tasks)
    together = taskworlds.make_vec(tasks, 2)
    assert (alone.batch.strategy, together.strategy) == ("sync", "async")
    assert taskworlds.make_vec([Task("cheetah-run")], 2).strategy == "native"
    with pytest.raises(
        ValueError, match='hopper-hop has no native engine: take vector_strategy="sync" or "async"'
    ):
        taskworlds.make_vec(tasks, 2, vector_strategy="native")
    for env in (alone, together):
        env.close()
