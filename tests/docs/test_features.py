"""The column "taskworlds" of docs/features.md: each `yes` and `part` in it is shown by a few lines of code.

A row without a proof fails, and so does a proof without a row, or one that fails.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import inspect
import os
import re
import sys
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest

import taskworlds
from taskworlds import Task, continual
from taskworlds.core.registry import engines, world_of
from taskworlds.evaluation import Episode, Fingerprint, Result, TaskRecord

PROOFS = {}
MARKS = {}

with_dm_control = pytest.mark.requires_dm_control
with_pictures = pytest.mark.skipif(
    sys.platform.startswith("linux")
    and not any(os.environ.get(each) for each in ("MUJOCO_GL", "DISPLAY", "WAYLAND_DISPLAY")),
    reason="nothing here draws pictures without a display",
)


def shows(feature, *marks):
    """Keeps a function as the proof of a feature. If it takes an argument, that is an empty folder."""

    def keep(proof):
        assert feature not in PROOFS, feature
        PROOFS[feature], MARKS[feature] = proof, marks
        return proof

    return keep


def claimed(features):
    """The features that the page says we have, whole or in part."""
    return {
        feature
        for table in features.tables
        for feature, row in table.rows.items()
        if row["taskworlds"].startswith(("yes", "part"))
    }


def test_every_feature_has_a_proof_and_every_proof_a_feature(features):
    assert set(PROOFS) == claimed(features)


def pytest_generate_tests(metafunc):
    if "feature" in metafunc.fixturenames:
        metafunc.parametrize("feature", [pytest.param(name, marks=MARKS[name]) for name in PROOFS])


def test_shown(feature, tmp_path):
    proof = PROOFS[feature]
    proof(*([tmp_path] if inspect.signature(proof).parameters else []))


# --- tasks and benchmarks -------------------------------------------------------------------------------------


@shows("All 50 skills of Meta-World v3")
def every_skill():
    from metaworld.env_dict import ALL_V3_ENVIRONMENTS

    names = taskworlds.benchmark("MT50", seed=0, num_goals=1).env_names()
    assert len(names) == 50
    assert set(names) == set(ALL_V3_ENVIRONMENTS)
    assert taskworlds.make_vec("MT50", seed=0, num_goals=1).strategy == "native"


@shows("ML1, ML10 and ML45, with train and test tasks")
def train_and_test():
    for name, train, test in [("ML10", 10, 5), ("ML45", 45, 5)]:
        benchmark = taskworlds.benchmark(name, seed=0, num_goals=2)
        skills = benchmark.env_names("train"), benchmark.env_names("test")
        assert (len(skills[0]), len(skills[1])) == (train, test)
        assert not set(skills[0]) & set(skills[1])
    ml1 = taskworlds.benchmark("ML1", env_name="reach-v3", seed=0)
    assert not set(ml1.train_tasks) & set(ml1.test_tasks)


@shows("dm_control's suite", with_dm_control)
def suite():
    from dm_control.suite import ALL_TASKS

    for domain, task in ALL_TASKS:
        assert taskworlds.benchmark(f"{domain}-{task}").env_names() == [f"{domain}-{task}"]
    env = taskworlds.make("cartpole-swingup", seed=0)
    env.reset(seed=0)
    assert env.step(env.action_space.sample()).reward >= 0


@shows("Families of dm_control whose physics varies", with_dm_control)
def family():
    torso = taskworlds.control.family("cheetah-run", "torso_length")
    envs = taskworlds.make_vec([torso.task(0.5), torso.task(1.4)], 2, task_select="fixed", seed=0)
    envs.reset(seed=[0, 0])
    obs = envs.step(np.ones(envs.action_space.shape))[0]
    assert not np.array_equal(obs[0], obs[1])


@shows("Half-cheetah velocity and direction, ant direction and goal, walker with random parameters")
def locomotion():
    for name in ("half-cheetah-vel", "half-cheetah-dir", "ant-dir", "ant-goal", "walker2d-rand-params"):
        env = taskworlds.make(name, seed=0)
        env.reset(seed=0)
        assert np.isfinite(env.step(env.action_space.sample()).reward)


@shows("New skills written in Python, stepped by C++ threads")
def own_skill():
    from taskworlds.worlds.metaworld.skill import Terms
    from taskworlds.worlds.metaworld.skills import skill, temporarily_registered

    def wait(now, obs, action, start, memory, single):
        return Terms(7.0, False, False, False, 0.0, 0.0, 0.0)

    mine = dataclasses.replace(skill("reach-v3"), name="wait-v1", rewards={"v2": wait})
    with temporarily_registered(mine):
        envs = taskworlds.make_vec("wait-v1", 2, seed=0)
        assert envs.strategy == "native"
        envs.reset(seed=0)
        assert (envs.step(envs.action_space.sample())[1] == 7.0).all()


class Light(taskworlds.PythonRow):
    """A switch: the task says whether it should be on."""

    action_space = gym.spaces.Discrete(2)
    observation_space = gym.spaces.Discrete(2)

    def begin(self, task, seed):
        return np.int64(0), {}

    def advance(self, action):
        right = bool(action == self.task["on"])
        return np.int64(action), float(right), right, {"success": right}


@shows("Your own environments")
def own_world():
    from taskworlds.core.registry import temporarily_registered

    world = taskworlds.World(
        name="light",
        suite="light",
        skills=("light",),
        actions=Light.action_space,
        observations=Light.observation_space,
        max_episode_steps=3,
        row=Light,
        has_success=True,
        terms=("success",),
    )
    with temporarily_registered(world):
        tasks = [Task("light", {"on": 0}), Task("light", {"on": 1})]
        envs = taskworlds.make_vec(tasks, 2, vector_strategy="sync", task_select="fixed", seed=0)
        envs.reset(seed=0)
        assert envs.step(np.array([1, 1]))[1].tolist() == [0.0, 1.0]


# --- tasks as values, and exactness ---------------------------------------------------------------------------


@shows("A task is a value: it can be compared, hashed, and saved as JSON")
def task_as_value():
    task = taskworlds.benchmark("MT10", seed=0, num_goals=1).train_tasks[0]
    again = Task.from_json(task.to_json())
    assert again == task
    assert len({task, again}) == 1


@shows("Any row can be given any task, at any time")
def tasks_of_rows():
    benchmark = taskworlds.benchmark("MT10", seed=0, num_goals=2)
    envs = taskworlds.make_vec(benchmark, seed=0)
    envs.reset(seed=0)
    door = benchmark.by_skill()["door-open-v3"][1]
    envs.set_tasks(door, mask=np.arange(10) == 0)
    envs.reset(options={"reset_mask": np.arange(10) == 0})
    assert envs.current_tasks[0] == door
    envs.reset(options={"tasks": door})
    assert set(envs.current_tasks) == {door}


@shows("Infos or observations name the skill of each row")
def skill_in_infos():
    envs = taskworlds.make_vec("MT10", seed=0, num_goals=1, names_in_info=True)
    for infos in (envs.reset(seed=0)[1], envs.step(envs.action_space.sample())[-1]):
        assert infos["skill_index"].tolist() == list(range(10))
        assert infos["task_name"].tolist() == envs.skills


@shows("Meta-World's official physics, bit for bit")
def official_physics():
    from taskworlds.testing.parity import differences

    assert differences("reach-v3", "v2", ["random"], goals=1, steps=10) == []


@shows("`reset(seed=...)` fixes task, goal and state")
def seeded():
    first, other = (taskworlds.make_vec("MT10", seed=0, num_goals=5) for _ in range(2))
    other.reset(seed=9)
    other.step(other.action_space.sample())
    np.testing.assert_array_equal(first.reset(seed=3)[0], other.reset(seed=3)[0])
    assert first.current_tasks == other.current_tasks


@shows("Snapshots in the middle of an episode, restored bit for bit")
def snapshots():
    envs = taskworlds.make_vec("push-v3", 2, seed=0)
    envs.reset(seed=0)
    actions = np.random.default_rng(0).uniform(-1, 1, (8, 2, 4))
    for action in actions[:4]:
        envs.step(action)
    state = envs.get_state()
    once = [envs.step(action)[0].tobytes() for action in actions[4:]]
    envs.set_state(state)
    assert [envs.step(action)[0].tobytes() for action in actions[4:]] == once


@shows("Equal results on every engine and any number of threads")
def every_engine():
    def play(**how):
        envs = taskworlds.make_vec("reach-v3", 3, seed=0, **how)
        envs.reset(seed=0)
        steps = [envs.step(action) for action in np.random.default_rng(0).uniform(-1, 1, (5, 3, 4))]
        return np.array([step[0] for step in steps]), np.array([step[1] for step in steps])

    one, three, official = play(num_threads=1), play(num_threads=3), play(vector_strategy="sync")
    for ours, others, theirs in zip(one, three, official, strict=True):
        np.testing.assert_array_equal(ours, others)
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-9)


@shows("Corrected versions of official skills with known defects")
def mended():
    """What it changes is tests/worlds/metaworld's: with the versions required here both start at rest."""
    official, task = varied("stick-push-v3", version="mended")
    assert task.id != official.id
    env = taskworlds.make([task], seed=0)
    env.reset(seed=0)
    assert np.isfinite(env.step(np.zeros(4)).reward)
    with pytest.raises(ValueError, match="mended"):
        taskworlds.make([varied("reach-v3", version="mended")[1]], seed=0).reset(seed=0)


@shows("A conformance test for skills and environments that you add")
def checker():
    from taskworlds.worlds.metaworld.skill import Skill

    report = taskworlds.check_skill(Skill("drawer-half-open-v1"))
    assert not report.ok
    assert report.failures[0].name == "fields"
    assert {"check_world", "check_engine"} <= set(taskworlds.testing.__all__)


# --- batches and speed ----------------------------------------------------------------------------------------


@shows("Rows stepped by C++ threads")
def threads():
    envs = taskworlds.make_vec("reach-v3", 4, seed=0, num_threads=2)
    assert envs.strategy == "native"
    envs.reset(seed=0)
    envs.step(envs.action_space.sample())


@shows("Different skills side by side in one batch")
def side_by_side():
    envs = taskworlds.make_vec("MT10", seed=0, num_goals=1)
    envs.reset(seed=0)
    assert len(set(envs.task_names)) == 10


@shows("Several worlds in one batch, padded, with masks")
def several_worlds():
    envs = taskworlds.make_vec(["reach-v3", "half-cheetah-vel"], 4, pad=True, seed=0)
    obs, infos = envs.reset(seed=0)
    assert obs.shape == envs.observation_mask.shape
    assert envs.action_mask.shape == envs.action_space.shape
    assert not obs[~envs.observation_mask].any()
    assert len(set(infos["skill_index"].tolist())) == 2
    assert np.isfinite(envs.step(envs.action_space.sample())[1]).all()


@shows("Partial batches: the first rows that are done, while others are still stepped")
def first_rows():
    envs = taskworlds.make_vec("reach-v3", 6, batch_size=2, seed=0)
    envs.reset(seed=0)
    envs.send(envs.action_space.sample(), np.arange(6))
    rows = [envs.recv().rows for _ in range(3)]
    assert sorted(np.concatenate(rows).tolist()) == list(range(6))


@shows("Only some rows stepped or reset, by a mask")
def some_rows():
    envs = taskworlds.make_vec("reach-v3", 3, seed=0)
    before, _ = envs.reset(seed=0)
    mask = np.array([True, False, False])
    after = envs.step(np.ones((3, 4)), mask)[0]
    assert (after != before).any(axis=1).tolist() == mask.tolist()
    again, _ = envs.reset(options={"reset_mask": mask})
    assert (again != after).any(axis=1).tolist() == mask.tolist()


@shows("Gymnasium's `VectorEnv`, with its autoreset modes")
def vector_env():
    for mode in gym.vector.AutoresetMode:
        envs = taskworlds.make_vec("point", 2, seed=0, autoreset_mode=mode, max_episode_steps=1)
        assert isinstance(envs, gym.vector.VectorEnv)
        envs.reset(seed=0)
        infos = envs.step(envs.action_space.sample())[-1]
        assert ("final_obs" in infos) == (mode == gym.vector.AutoresetMode.SAME_STEP)


@shows("Rows on several machines")
def machines():
    """That workers give what one process gives is tests/distributed's, which starts clusters of Ray."""
    assert "num_workers" in engines()["ray"].options
    assert {"workers", "address"} <= set(inspect.signature(taskworlds.evaluate).parameters)
    assert "RaySampler" in taskworlds.distributed.__all__


# --- protocols ------------------------------------------------------------------------------------------------


@shows("One-hot of the skill in the observation")
def one_hot():
    envs = taskworlds.make_vec("MT10", seed=0, num_goals=1, use_one_hot=True)
    np.testing.assert_array_equal(envs.reset(seed=0)[0][:, 39:], np.eye(10))


@shows("Trials of several episodes on one task")
def trials():
    env = taskworlds.make("reach-v3", seed=0, k_episodes=2, max_episode_steps=2)
    env.reset(seed=0)
    steps = [env.step(np.zeros(4)) for _ in range(4)]
    assert [step.truncated for step in steps] == [False, False, False, True]
    assert [step.observation[-1] for step in steps][1] == 1.0  # the second attempt begins


@shows("Last action, reward and end in the observation")
def recurrent():
    env = taskworlds.make("reach-v3", seed=0, recurrent_info_in_obs=True)
    env.reset(seed=0)
    step = env.step(np.full(4, 0.5))
    assert step.observation[39:].tolist() == [0.5] * 4 + [step.reward / 10, 0.0]


@shows("Meta-World's rewards v1 and v2")
def two_rewards():
    envs = [taskworlds.make("reach-v3", seed=0, reward_function_version=each) for each in ("v1", "v2")]
    for env in envs:
        env.reset(seed=0)
    assert len({env.step(np.zeros(4)).reward for env in envs}) == 2


@shows("Rewards normalized separately for each row")
def normalised():
    actions = np.random.default_rng(0).uniform(-1, 1, (3, 4, 4))

    def rewards_of(**how):
        envs = taskworlds.make_vec("reach-v3", 4, seed=0, **how)
        envs.reset(seed=0)
        return [envs.step(action)[1] for action in actions][-1]

    plain = rewards_of()
    for method in ("gymnasium", "exponential"):
        scales = rewards_of(reward_normalization_method=method) / plain
        assert len(np.unique(scales.round(6))) == 4  # each row by its own


@shows("Action repeat, with rewards summed")
def repeated():
    env, plain = taskworlds.make("reach-v3", seed=0, action_repeat=2), taskworlds.make("reach-v3", seed=0)
    action = np.full(4, 0.3)
    for each in (env, plain):
        each.reset(seed=0)
    single = [plain.step(action) for _ in range(2)]
    step = env.step(action)
    assert step.reward == pytest.approx(single[0].reward + single[1].reward)
    np.testing.assert_array_equal(step.observation, single[1].observation)


@shows("TD-MPC2's and Newt's protocols by name")
def protocols():
    tdmpc2, newt = (taskworlds.make("push-v3", seed=0, protocol=each) for each in ("tdmpc2", "newt"))
    first = [each.reset(seed=0)[0] for each in (tdmpc2, newt)]
    assert not np.array_equal(*first)  # before, and after the zero action of the reset
    ends = [tdmpc2.step(np.zeros(4)).truncated for _ in range(100)]
    assert ends == [False] * 99 + [True]


@shows("MT30 and MT80, with the 11 tasks that are not in dm_control's suite", with_dm_control)
def lists_of_tdmpc2():
    mt30, mt80 = taskworlds.benchmark("MT30"), taskworlds.benchmark("MT80")
    names = mt30.env_names()
    assert len(names) == 30
    assert names[0] == "walker-stand"
    assert names[19:21] == ["walker-walk-backwards", "walker-run-backwards"]
    assert mt80.env_names()[:30] == names
    assert len(mt80.env_names()) == 80
    env = taskworlds.make("cheetah-jump", seed=0)
    env.reset(seed=0)
    assert env.step(env.action_space.sample()).reward >= 0


@shows("A new Meta-World goal in every episode, without limit")
def endless_goals():
    env = taskworlds.make("reach-v3", seed=0, unlimited_goals=True)
    goals = {tuple(env.reset(seed=0 if number == 0 else None)[1]["goal"].tolist()) for number in range(60)}
    assert len(goals) == 60  # a skill of MT1 has 50


@shows("Action chunks: several actions in one step, (N, T, A)")
def chunks():
    envs, plain = (taskworlds.make_vec("reach-v3", 2, seed=0) for _ in range(2))
    actions = np.random.default_rng(0).uniform(-1, 1, (2, 4, 4))
    for each in (envs, plain):
        each.reset(seed=0)
    steps = [plain.step(actions[:, t]) for t in range(4)]
    obs, rewards, terminated, truncated, _ = envs.step(actions)
    np.testing.assert_array_equal(obs, steps[-1][0])
    np.testing.assert_array_equal(rewards, np.stack([step[1] for step in steps], axis=1))
    assert terminated.shape == truncated.shape == (2, 4)


@shows("Groups of rows with the same task and start, for GRPO")
def groups():
    envs = taskworlds.make_vec("MT10", 20, seed=0, num_goals=5, group_size=2)
    obs, _ = envs.reset(seed=0)
    np.testing.assert_array_equal(obs[::2], obs[1::2])
    assert len({tuple(row) for row in obs.tolist()}) == 10


@shows("Curricula: tasks weighted by earlier results")
def curriculum():
    ended = []

    def hardest(result):
        ended.append(result)
        return [0.0, 0.0, 1.0]

    tasks = taskworlds.benchmark("reach-v3", seed=0, num_goals=3).train_tasks
    envs = taskworlds.make_vec(tasks, 1, seed=0, curriculum=hardest, max_episode_steps=1)
    envs.reset(seed=0)
    for _ in range(3):
        envs.step(np.zeros((1, 4)))
        assert set(envs.current_tasks) == {tasks[2]}
    assert ended


@shows("Continual learning: CW10, CW20, forgetting, forward transfer")
def sequences():
    assert continual.sequence("CW20") == continual.sequence("CW10") * 2
    names = ("reach-v3", "push-v3")
    envs = continual.make_sequence(names, num_envs=1, steps_per_task=2, seed=0)
    obs, _ = envs.reset(seed=0)
    while not envs.is_over:
        obs = envs.step(np.zeros((1, 4)))[0]
    assert obs.shape == (1, 39 + 2)
    run = continual.LearningRun(names, 2, (1, 2, 3, 4), ((0.5, 0.0), (1.0, 0.0), (1.0, 0.5), (0.5, 1.0)))
    assert continual.performance([run], last=1).value == 0.75
    assert continual.forgetting([run], last=1).value == 0.25


# --- pictures, words and variation ----------------------------------------------------------------------------


@shows("Pictures as observations", with_pictures)
def pictures():
    size = {"width": 32, "height": 24}
    envs = taskworlds.make_vec("half-cheetah-vel", 2, seed=0, observation="pixels", **size)
    obs, _ = envs.reset(seed=0)
    assert (obs.shape, obs.dtype) == ((2, 24, 32, 3), np.uint8)
    assert len(np.unique(obs)) > 10


@shows("Depth as an observation", with_pictures)
def depth():
    how = {"observation": "pixels", "picture_channels": "depth", "width": 32, "height": 24}
    depths, _ = taskworlds.make("half-cheetah-vel", seed=0, **how).reset(seed=0)
    assert (depths.shape, depths.dtype) == ((24, 32), np.float32)
    assert 0.1 < depths.min() < depths.max()


@shows("Several cameras at once, at positions of your choice", with_pictures)
def cameras():
    size = {"width": 32, "height": 24, "picture_quality": "training"}
    pose = {"corner2": (0.75, 0.075, 0.7)}
    both = ("corner2", "topview")
    env = taskworlds.make("reach-v3", seed=0, observation="pixels", cameras=both, camera_poses=pose, **size)
    assert set(env.reset(seed=0)[0]) == set(both)
    _, extrinsics = env.camera_matrices("corner2")
    np.testing.assert_allclose(extrinsics @ (*pose["corner2"], 1), (0, 0, 0, 1), atol=1e-6)


@shows("A language instruction for every skill of Meta-World")
def instructions():
    envs = taskworlds.make_vec("MT50", seed=0, num_goals=1)
    sentences = {
        world_of(task.env_name).instructions_of(task)[0]
        for group in envs.benchmark.groups()
        for task in group
    }
    assert len(sentences) == 50


@shows("Paraphrases of the instructions")
def paraphrases():
    for task in taskworlds.benchmark("MT50", seed=0, num_goals=1).train_tasks:
        assert len(set(world_of(task.env_name).instructions_of(task))) >= 6
    env = taskworlds.make("reach-v3", seed=0, paraphrases=[1, 2, 3])
    env.reset(seed=0)
    assert env.instruction in world_of("reach-v3").instructions_of(env.task)[1:4]


def varied(env_name, **factors):
    """A task of Meta-World, and the same with factors."""
    task = taskworlds.benchmark(env_name, seed=0, num_goals=1).train_tasks[0]
    return task, Task(task.env_name, {**task.params, **factors})


@shows("Mass, friction, damping and size as parameters of a Meta-World task")
def physical_factors():
    factors = {
        "push-v3": {"object_mass": 0.2, "friction": 0.5, "object_size": 1.2},
        "drawer-open-v3": {"damping": 3.0},
    }
    for env_name, changed in factors.items():
        for name, value in changed.items():
            tasks = varied(env_name, **{name: value})
            assert Task.from_json(tasks[1].to_json()) == tasks[1]
            returns = [
                taskworlds.evaluate("expert", [task], max_episode_steps=60)
                .tasks[0]
                .episodes[0]
                .episode_return
                for task in tasks
            ]
            assert returns[0] != returns[1], name


@shows("Colours, light and camera as parameters of a Meta-World task", with_pictures)
def visual_factors():
    how = {"observation": "state+pixels", "width": 32, "height": 24, "picture_quality": "training"}
    looks = {"table_colour": (1.0, 0.0, 0.0), "light": 0.5, "camera_jitter": (0.1, 0.1, 0.0, 0.2)}
    plain, coloured = (
        taskworlds.make([task], seed=0, **how).reset(seed=0)[0] for task in varied("push-v3", **looks)
    )
    np.testing.assert_array_equal(plain["state"], coloured["state"])
    assert (plain["pixels"] != coloured["pixels"]).mean() > 0.5


@shows("A fixed robustness benchmark on Meta-World")
def robustness():
    robust = taskworlds.benchmark("MT10-robust")
    assert robust.fingerprint == taskworlds.benchmark("MT10-robust").fingerprint
    assert len(robust.env_names()) == 10
    assert len({frozenset(task.params) for task in robust.train_tasks + robust.test_tasks}) > 1


# --- evaluation and results -----------------------------------------------------------------------------------


def played(policy="random", **how):
    """A small result."""
    return taskworlds.evaluate(policy, "reach-v3", **{"num_goals": 4, "max_episode_steps": 3} | how)


@shows("Every task and goal has equal weight")
def equal_weight():
    result = played(episodes_per_task=2)
    assert [len(record.episodes) for record in result.tasks] == [2] * 4
    means = [np.mean([episode.episode_return for episode in record.episodes]) for record in result.tasks]
    assert result.overall["episode_return"].mean.value == pytest.approx(np.mean(means))


@shows("An evaluation split over several processes, each task and goal counted once")
def parts():
    from taskworlds.evaluation import merge_parts

    shares = [played(part=(rank, 3)) for rank in range(3)]
    assert [len(share.tasks) for share in shares] == [2, 1, 1]
    assert merge_parts(shares) == played()


@shows("Meta-World's difficulty groups, and the mean of the group means")
def groups_of_difficulty():
    members = world_of("reach-v3").skill_groups
    assert [len(each) for each in members.values()] == [28, 11, 6, 5]
    solved = {name for group in list(members.values())[:2] for name in group}
    records = tuple(
        TaskRecord(Task(name, {"goal": goal}), (Episode(1.0, 5, name in solved, False),), None)
        for names in members.values()
        for name in names
        for goal in range(2)
    )
    fingerprint = Fingerprint.of([record.task for record in records], protocol="multi-task")
    result = Result("MT50", "train", 1, 0, fingerprint, records)
    assert result.by_group().mean.value == 0.5
    assert result.overall["success_once"].mean.value == 39 / 50


@shows("Confidence intervals")
def intervals():
    mean = played("expert", max_episode_steps=None).overall["success_once"].mean
    assert 0 < mean.low < mean.value == 1.0 == mean.high


@shows("A fingerprint of what was measured; results with different ones are not compared")
def fingerprint():
    assert played().fingerprint == played().fingerprint
    with pytest.raises(ValueError, match="max_episode_steps"):
        taskworlds.compare(played(), played(max_episode_steps=4))


@shows("Differences between methods on the same goals, with p values")
def differences_between_methods():
    pair = taskworlds.compare(played(), played("expert")).pairs[0]
    assert pair.over == "goals"
    assert 0 < pair.p_values["episode_return"] <= 1
    assert pair.p_adjusted.keys() == pair.p_values.keys()


@shows("A stopped evaluation can be resumed")
def resumed(folder):
    class Stop(Exception):
        pass

    ended = []

    def stop(task, episode):
        ended.append(task)
        if len(ended) == 2:
            raise Stop

    with pytest.raises(Stop):
        played(num_envs=1, resume=folder / "kept", on_outcome=stop)
    assert (
        played(num_envs=1, resume=folder / "kept", on_outcome=lambda task, _: ended.append(task)) == played()
    )
    assert len(ended) == 4


@shows("Scripted experts of Meta-World")
def experts():
    assert played("expert", num_goals=2, max_episode_steps=None).overall["success_once"].mean.value == 1.0


@shows("Data sets for Minari and LeRobot from episodes of a policy or an expert")
def data_sets(folder):
    from taskworlds.demonstrations import collect, write_lerobot, write_minari

    found = collect("expert", "reach-v3", episodes=1, max_episode_steps=3)
    pytest.importorskip("pyarrow")
    write_lerobot(found, folder / "lerobot")
    assert (folder / "lerobot" / "meta" / "info.json").exists()
    pytest.importorskip("minari", reason="Minari is for Python 3.11 and later")
    pytest.importorskip("h5py")
    assert write_minari(found, "demos/reach-v0", root=folder / "minari").is_dir()


@shows("Videos of episodes")
def videos(folder):
    pytest.importorskip("imageio_ffmpeg")
    how = {"num_goals": 1, "max_episode_steps": 2, "choose": "first", "captions": False}
    (video,) = taskworlds.videos.record("random", "point", folder / "videos", **how)
    assert video.file.stat().st_size > 0


@shows("Results as one HTML page")
def report(folder):
    pytest.importorskip("jinja2")
    from taskworlds.reports import report as write

    write(folder / "report.html", played())
    page = (folder / "report.html").read_text()
    assert "<svg" in page
    assert not re.search(r"(src|href)=.https?:", page)  # it needs no network


# --- learning, models, robots and libraries -------------------------------------------------------------------


@shows("Adapters for Stable-Baselines3, TorchRL, RLlib and AMAGO")
def adapters():
    """That they work is tests/clients', which has the libraries."""
    clients = Path(__file__).parents[2] / "docs" / "clients"
    for name, page in [("sb3", "stable-baselines3"), ("torchrl",) * 2, ("rllib",) * 2, ("amago",) * 2]:
        assert importlib.util.find_spec(f"taskworlds.integrations.{name}")
        assert f"taskworlds.integrations.{name}" in (clients / f"{page}.md").read_text()
