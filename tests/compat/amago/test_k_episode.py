import copy
import pickle
import random
import warnings

import gymnasium
import metaworld
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers import RecordEpisodeStatistics
from metaworld.policies import SawyerReachV3Policy

import taskworlds
from taskworlds import KEpisodeMetaworld, Metaworld, StepType, Task

LOG = "AMAGO_LOG_METRIC "


@pytest.fixture(scope="module")
def reach():
    return taskworlds.benchmark("ML1", "reach-v3", seed=0, num_goals=3)


@pytest.fixture(scope="module")
def two():
    return taskworlds.benchmark(
        "custom-ml-envs",
        train_envs=["reach-v3", "push-v3"],
        test_envs=["drawer-open-v3"],
        num_goals=3,
        seed=0,
    )


def actions(count, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, (count, 4)).astype(np.float32)


def metrics(info):
    return {name.removeprefix(LOG): value for name, value in info.items() if name.startswith(LOG)}


def run_attempt(env, observation, info, policy=None):
    """Steps to the end of the attempt; every observation and step."""
    steps = []
    for action in actions(1000):
        if policy is not None:
            seen = np.append(observation[:36], info["goal"])
            action = np.clip(policy.get_action(seen), -1, 1)
        steps.append(env.step(action))
        observation, info = steps[-1].observation, steps[-1].env_info
        if "final_obs" in info:
            return steps
    raise RuntimeError("the attempt did not end")


# --- the trial -----------------------------------------------------------------------------------------


def test_observations_are_float64_end_with_the_flag_and_lie_in_the_space(reach):
    env = KEpisodeMetaworld(reach, "train", 3, 2)
    observation, _ = env.reset(seed=0)
    observations = [observation] + [env.step(action).observation for action in actions(6)]
    assert [each[-1] for each in observations] == [1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0]
    assert all(each.dtype == np.float64 and each in env.observation_space for each in observations)
    assert env.observation_space.dtype == np.float64
    assert env.observation_space.low[-1] == 0.0
    assert env.observation_space.high[-1] == 1.0


def test_a_trial_is_k_attempts_at_one_task(two):
    env = KEpisodeMetaworld(two, "train", 3, 4)
    _, info = env.reset(seed=0)
    task = env.task
    steps = [env.step(action) for action in actions(12)]
    assert [step.last for step in steps] == [False] * 11 + [True]
    assert {step.env_info["task_id"] for step in steps} == {info["task_id"]} == {task.id}
    assert env.task == task
    assert [i for i, step in enumerate(steps) if "final_obs" in step.env_info] == [3, 7, 11]


def test_each_attempt_is_what_the_environment_alone_gives(reach):
    env = KEpisodeMetaworld(reach, "train", 2, 3)
    alone = taskworlds.make(reach, max_episode_steps=3)
    observation, _ = env.reset(seed=0)
    for attempt in range(2):
        expected, _ = alone.reset(options={"task": env.task})
        np.testing.assert_array_equal(observation[:-1], expected)
        for action in actions(3, seed=attempt):
            step, alone_step = env.step(action), alone.step(action)
            observation = step.observation
            assert step.reward == alone_step.reward
        np.testing.assert_array_equal(step.env_info["final_obs"], [*alone_step.observation, 0.0])
        for name in ("success", "obj_to_target", "unscaled_reward", "skill_index", "task_index"):
            assert step.env_info[name] == alone_step.env_info[name]
        assert env.task == alone.task
        np.testing.assert_array_equal(step.env_info["goal"], alone_step.env_info["goal"])


def test_a_trial_is_one_of_make(reach):
    options = {"recurrent_info_in_obs": True, "reward_normalization_method": "exponential"}
    env = KEpisodeMetaworld(reach, "train", 2, 3, reward_scales={"reach-v3": 3.0}, **options)
    trial = taskworlds.make(reach, k_episodes=2, max_episode_steps=3, terminate_on_success=False, **options)
    observation, _ = env.reset(seed=0)
    np.testing.assert_array_equal(observation, trial.reset(options={"task": env.task})[0])
    assert env.observation_space == trial.observation_space
    for action in actions(6):
        step, expected = env.step(action), trial.step(action)
        np.testing.assert_array_equal(step.observation, expected.observation)
        assert step.reward == 3.0 * expected.reward
        assert step.step_type is expected.step_type
        for name in ("attempt", "attempt_return", "attempt_length", "attempt_success", "attempt_ended"):
            assert step.env_info[name] == expected.env_info[name]


def test_the_trial_ends_with_the_true_last_observation(reach):
    env = KEpisodeMetaworld(reach, "train", 1, 2)
    env.reset(seed=0)
    env.step(actions(1)[0])
    step = env.step(actions(1)[0])
    np.testing.assert_array_equal(step.observation, step.env_info["final_obs"])
    assert step.observation[-1] == 0.0
    assert not np.shares_memory(step.observation, step.env_info["final_obs"])


def test_a_trial_that_ends_by_time_is_truncated_and_not_terminated(reach):
    env = KEpisodeMetaworld(reach, "train", 2, 2)
    env.reset(seed=0)
    steps = [env.step(action) for action in actions(4)]
    assert [(step.terminated, step.truncated) for step in steps] == [(False, False)] * 3 + [(False, True)]
    assert [step.step_type for step in steps] == [StepType.FIRST, *[StepType.MID] * 2, StepType.TIMEOUT]


def test_success_ends_attempts_only_if_asked_for(reach):
    env = KEpisodeMetaworld(reach, "test", 2, 200, terminate_on_success=True)
    observation, info = env.reset(seed=0)
    first = run_attempt(env, observation, info, SawyerReachV3Policy())
    assert first[-1].env_info["success"] == 1.0
    assert len(first) < 200
    assert not first[-1].last
    second = run_attempt(env, first[-1].observation, first[-1].env_info, SawyerReachV3Policy())
    assert (second[-1].terminated, second[-1].truncated) == (True, False)
    assert second[-1].step_type is StepType.TERMINAL
    assert metrics(second[-1].env_info)["Total Successes"] == 2.0

    env = KEpisodeMetaworld(reach, "test", 1, 100)
    observation, info = env.reset(seed=0)
    steps = run_attempt(env, observation, info, SawyerReachV3Policy())
    assert len(steps) == 100
    assert steps[-1].truncated


def test_success_counts_if_any_step_of_the_attempt_had_it(reach):
    env = KEpisodeMetaworld(reach, "test", 2, 130)
    observation, info = env.reset(seed=0)
    policy = SawyerReachV3Policy()
    while not info.get("success"):
        action = np.clip(policy.get_action(np.append(observation[:36], info["goal"])), -1, 1)
        observation, _, _, _, info = env.step(action)
    while "final_obs" not in info:
        info = env.step(np.array([-1.0, -1.0, 1.0, 0.0])).env_info
    assert info["success"] == 0.0
    assert metrics(info)["Trial 0 Success"] == 1.0
    for _ in range(130):
        info = env.step(np.zeros(4)).env_info
    assert metrics(info)["Trial 1 Success"] == 0.0
    assert metrics(info)["Total Successes"] == 1.0


def test_returns_are_logged_by_attempt_and_in_total(reach):
    env = KEpisodeMetaworld(reach, "train", 3, 2)
    env.reset(seed=0)
    steps = [env.step(action) for action in actions(6)]
    rewards = [step.reward for step in steps]
    for attempt in range(3):
        logged = metrics(steps[2 * attempt + 1].env_info)
        assert logged[f"Trial {attempt} Return"] == sum(rewards[2 * attempt : 2 * attempt + 2])
        assert logged[f"Trial {attempt} Success"] == 0.0
    assert logged["Total Trial Return"] == pytest.approx(sum(rewards), rel=1e-12)
    assert [sorted(metrics(step.env_info)) for step in steps] == [
        [],
        ["Trial 0 Return", "Trial 0 Success"],
        [],
        ["Trial 1 Return", "Trial 1 Success"],
        [],
        ["Total Successes", "Total Trial Return", "Trial 2 Return", "Trial 2 Success"],
    ]


def test_a_second_trial_starts_afresh(reach):
    env = KEpisodeMetaworld(reach, "train", 2, 2)
    env.reset(seed=0)
    for action in actions(3):  # one attempt and a half
        env.step(action)
    observation, _ = env.reset()
    assert observation[-1] == 1.0
    steps = [env.step(action) for action in actions(4)]
    assert steps[-1].last
    assert metrics(steps[1].env_info)["Trial 0 Return"] == steps[0].reward + steps[1].reward


def test_recorders_of_episodes_see_whole_trials(reach):
    env = RecordEpisodeStatistics(KEpisodeMetaworld(reach, "train", 2, 2))
    env.reset(seed=0)
    steps = [env.step(action) for action in actions(4)]
    assert [i for i, step in enumerate(steps) if "episode" in step[4]] == [3]
    assert steps[-1][4]["episode"]["l"] == 4


# --- which task ----------------------------------------------------------------------------------------


def test_a_seed_fixes_tasks_and_states(two):
    def trials(env, seed):
        observations = [env.reset(seed=seed)[0]] + [env.reset()[0] for _ in range(5)]
        return np.array(observations)

    env = KEpisodeMetaworld(two, "train", 1, 2)
    first = trials(env, 7)
    env.step(np.ones(4))
    np.testing.assert_array_equal(trials(env, 7), first)
    np.testing.assert_array_equal(trials(KEpisodeMetaworld(two, "train", 1, 2, seed=3), 7), first)
    assert not np.array_equal(trials(env, 8), first)


def test_the_constructors_seed_holds_until_reset_gets_one(two):
    def names(seed):
        env = KEpisodeMetaworld(two, "train", 1, 2, seed=seed)
        tasks = []
        for _ in range(6):
            env.reset()
            tasks.append(env.task)
        return tasks

    assert names(1) == names(1)
    assert names(1) != names(2)


def test_no_global_generator_is_touched(two):
    np.random.seed(0)  # noqa: NPY002
    random.seed(0)
    before = np.random.get_state()[1].copy(), random.getstate()  # noqa: NPY002
    env = KEpisodeMetaworld(two, "train", 2, 2)
    env.reset()
    for action in actions(4):
        env.step(action)
    np.testing.assert_array_equal(np.random.get_state()[1], before[0])  # noqa: NPY002
    assert random.getstate() == before[1]


def test_skills_are_equally_likely_whatever_their_number_of_tasks(two):
    tasks = [two.train_tasks[0], *two.train_tasks[3:]]  # one of reach, three of push
    env = KEpisodeMetaworld(tasks, "train", 1, 2)
    env.reset(seed=0)
    drawn = []
    for _ in range(80):
        env.reset()
        drawn.append(env.task)
    reaches = sum(task.env_name == "reach-v3" for task in drawn)
    assert 28 <= reaches <= 52
    assert set(drawn) == set(tasks)


def test_trials_are_of_the_split(two):
    for split in ("train", "test"):
        env = KEpisodeMetaworld(two, split, 1, 2)
        env.reset(seed=0)
        assert env.task in two.tasks(split)


def test_info_names_the_task_at_reset_and_at_each_step(two):
    env = KEpisodeMetaworld(two, "train", 2, 2)
    infos = [env.reset(seed=0)[1]] + [env.step(action).env_info for action in actions(4)]
    for info in infos:
        tasks = [task for task in two.train_tasks if task.env_name == info["task_name"]]
        assert tasks[info["goal_idx"]] == env.task
        assert info["task_id"] == env.task.id
        assert info["goal"].shape == (3,)


def test_a_task_can_be_given(two):
    env = KEpisodeMetaworld(two, "train", 1, 2)
    listed = two.train_tasks[4]
    assert env.reset(options={"task": listed})[1]["goal_idx"] == 1
    assert env.task == listed
    env.reset(options={"task": two.train_tasks[2].to_metaworld()})
    assert env.task == two.train_tasks[2]
    other = Task("reach-v3", {"rand_vec": (0, 0.6, 0.02, 0.05, 0.85, 0.1), "partially_observable": True})
    assert env.reset(options={"task": other})[1]["goal_idx"] == -1


def test_a_task_that_does_not_fit_leaves_the_trial_as_it_was(two):
    env = KEpisodeMetaworld(two, "train", 1, 3)
    env.reset(seed=0)
    task = env.task
    foreign = taskworlds.benchmark("ML1", "door-open-v3", seed=0).train_tasks[0]
    with pytest.raises(ValueError, match="'door-open-v3', which custom-ml-envs does not have here"):
        env.reset(options={"task": foreign})
    assert env.task == task
    env.step(np.zeros(4))


def test_meta_worlds_own_benchmarks_are_taken():
    theirs = metaworld.ML1("reach-v3", seed=0)
    env = KEpisodeMetaworld(theirs, "test", 1, 2)
    assert env.benchmark == taskworlds.benchmark("ML1", "reach-v3", seed=0)
    env.reset(seed=0)
    assert env.task in env.benchmark.test_tasks


# --- rewards and options -------------------------------------------------------------------------------


def test_reward_scales_multiply_the_rewards_of_their_skill(reach):
    plain, scaled, other = (
        KEpisodeMetaworld(reach, "train", 1, 2, reward_scales=scales)
        for scales in (None, {"reach-v3": 3.0}, {"push-v3": 3.0})
    )
    steps = {}
    for env in (plain, scaled, other):
        env.reset(seed=0)
        steps[env] = [env.step(action) for action in actions(2)]
    for a, b, c in zip(*steps.values(), strict=True):
        assert b.reward == 3.0 * a.reward
        assert c.reward == a.reward
        assert b.env_info["unscaled_reward"] == a.env_info["unscaled_reward"]
    assert metrics(steps[scaled][-1].env_info)["Trial 0 Return"] == sum(s.reward for s in steps[scaled])


def test_a_chunk_of_actions_is_refused_and_changes_nothing(reach):
    env, plain = (KEpisodeMetaworld(reach, "train", 2, 3) for _ in range(2))
    for each in (env, plain):
        each.reset(seed=0)
    with pytest.raises(
        ValueError, match=r"action must be one action, of shape \(4,\), not a chunk of shape \(2, 4\)"
    ):
        env.step(np.zeros((2, 4)))
    for _ in range(3):
        ours, others = env.step(np.zeros(4)), plain.step(np.zeros(4))
        assert np.array_equal(ours.observation, others.observation)
        assert ours.reward == others.reward


def test_reward_scales_of_a_subclass_and_of_an_instance(reach):
    class Scaled(KEpisodeMetaworld):
        reward_scales = {"reach-v3": 2.0}

    env, plain = Scaled(reach, "train", 1, 3), KEpisodeMetaworld(reach, "train", 1, 3)
    env.reset(seed=0)
    plain.reset(seed=0)
    action = actions(1)[0]
    reward = plain.step(action).reward
    assert env.step(action).reward == 2.0 * reward
    env.reward_scales = {"reach-v3": 5.0}
    env.reset(seed=0)
    assert env.step(action).reward == 5.0 * reward
    assert KEpisodeMetaworld.reward_scales == {}


def test_reward_scales_know_v2_names_and_refuse_unknown_ones(reach):
    with pytest.warns(DeprecationWarning, match="'reach-v2' is read as 'reach-v3'"):
        env = KEpisodeMetaworld(reach, "train", 1, 2, reward_scales={"reach-v2": 2.0})
    assert env.reward_scales == {"reach-v3": 2.0}
    with pytest.raises(ValueError, match=r"Unknown skill 'raech-v3'\. Did you mean 'reach-v3'"):
        KEpisodeMetaworld(reach, "train", 1, 2, reward_scales={"raech-v3": 2.0})


def test_makes_other_keywords_go_through(reach):
    env = KEpisodeMetaworld(reach, "train", 1, 2, reward_function_version="v1", use_one_hot=True)
    newest = KEpisodeMetaworld(reach, "train", 1, 2)
    observation, _ = env.reset(seed=0)
    newest.reset(seed=0)
    assert observation[39:].tolist() == [1.0, 1.0]  # the one-hot of one skill, then the flag
    assert env.step(np.zeros(4)).reward != newest.step(np.zeros(4)).reward


@pytest.mark.parametrize(
    ("arguments", "keywords", "error", "message"),
    [
        (("validation", 1), {}, ValueError, "split must be one of 'train', 'test', not 'validation'"),
        (("train", 0), {}, ValueError, "k_episodes must be at least 1, not 0"),
        (("train", 2.0), {}, TypeError, "k_episodes must be a whole number, not 2.0"),
        (("train", 1, 0), {}, ValueError, "max_episode_length must be at least 1, not 0"),
        (
            ("train", 1),
            {"max_episode_steps": 3},
            TypeError,
            r"KEpisodeMetaworld\(\) got an unexpected keyword",
        ),
        (
            ("train", 1),
            {"reward_scale": {}},
            TypeError,
            r"'reward_scale' \(did you mean 'reward_scales'\?\)",
        ),
        (("train", 1), {"seed": -1}, ValueError, "seed must be at least 0, not -1"),
    ],
)
def test_wrong_arguments_are_refused(reach, arguments, keywords, error, message):
    with pytest.raises(error, match=message):
        KEpisodeMetaworld(reach, *arguments, **keywords)


def test_a_split_without_tasks_is_refused():
    with pytest.raises(ValueError, match="has no test tasks; its tasks are in split='train'"):
        KEpisodeMetaworld(taskworlds.benchmark("reach-v3", seed=0), "test", 1)


def test_unknown_reset_options_are_refused(reach):
    with pytest.raises(TypeError, match="reset takes the option task, not mask"):
        KEpisodeMetaworld(reach, "train", 1, 2).reset(options={"mask": 1})


def test_step_needs_a_trial_under_way(reach):
    env = KEpisodeMetaworld(reach, "train", 1, 1)
    with pytest.raises(RuntimeError, match=r"KEpisodeMetaworld\.step needs a trial under way.*reset\(\)"):
        env.step(np.zeros(4))
    env.reset(seed=0)
    assert env.step(np.zeros(4)).last
    with pytest.raises(RuntimeError, match=r"reset\(\)"):
        env.step(np.zeros(4))


def test_render_needs_a_render_mode(reach):
    env = KEpisodeMetaworld(reach, "train", 1, 1)
    env.reset(seed=0)
    with pytest.raises(RuntimeError, match="render_mode"):
        env.render()


# --- the object ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))])
def test_copies_go_on_alike(two, duplicate):
    env = KEpisodeMetaworld(two, "train", 2, 4, reward_scales={"reach-v3": 2.0, "push-v3": 3.0})
    env.reset(seed=0)
    for action in actions(6):
        env.step(action)
    other = duplicate(env)
    assert (other.task, other.spec) == (env.task, env.spec)
    for action in actions(2, seed=1):
        step, other_step = env.step(action), other.step(action)
        np.testing.assert_array_equal(step.observation, other_step.observation)
        assert step.reward == other_step.reward
    assert metrics(step.env_info) == metrics(other_step.env_info)
    assert step.last
    np.testing.assert_array_equal(env.reset()[0], other.reset()[0])


def test_gymnasiums_check_passes(two):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check_env(KEpisodeMetaworld(two, "train", 2, 3), skip_render_check=True)
        check_env(Metaworld("reach-v3", "test", 2, 3, seed=0), skip_render_check=True)


def test_spec_describes_the_trial_and_makes_it_again(reach):
    env = KEpisodeMetaworld(reach, "train", 3, 2, reward_scales={"reach-v3": 2.0})
    assert env.spec.max_episode_length == 6
    assert env.spec.observation_space == env.observation_space
    made = gymnasium.make(env.spec)
    assert isinstance(made.unwrapped, KEpisodeMetaworld)
    observation, _ = made.reset(seed=0)
    np.testing.assert_array_equal(observation, env.reset(seed=0)[0])
    action = actions(1)[0]
    assert made.step(action)[1] == env.step(action).reward
    assert made.unwrapped.spec.max_episode_length == 6


def test_a_vector_env_resets_in_the_same_step(reach):
    envs = SyncVectorEnv(
        [lambda: KEpisodeMetaworld(reach, "train", 2, 2)] * 2, autoreset_mode=AutoresetMode.SAME_STEP
    )
    envs.reset(seed=0)
    for action in actions(4):
        observations, _, terminated, truncated, infos = envs.step(np.array([action, action]))
    assert truncated.all()
    assert not terminated.any()
    np.testing.assert_array_equal(np.stack(infos["final_obs"]), np.stack(infos["final_info"]["final_obs"]))
    assert np.stack(infos["final_obs"])[:, -1].tolist() == [0.0, 0.0]
    assert observations[:, -1].tolist() == [1.0, 1.0]
    assert infos["final_info"][LOG + "Total Successes"].tolist() == [0.0, 0.0]


def test_get_env_funcs_makes_environments_of_one_skill(two):
    env = KEpisodeMetaworld(two, "train", 1, 2)
    funcs = env.get_env_funcs(two, train_set=True)
    assert list(funcs) == ["reach-v3", "push-v3"]
    assert {task.env_name for task in funcs["push-v3"]().tasks} == {"push-v3"}
    assert list(env.get_env_funcs(two, train_set=False)) == ["drawer-open-v3"]


def test_get_obs_appends_the_flag(reach):
    class Halved(KEpisodeMetaworld):
        def get_obs(self, og_obs, soft_reset):
            return super().get_obs(og_obs, soft_reset) / 2

    env = KEpisodeMetaworld(reach, "train", 1, 2)
    assert env.get_obs(np.array([3.0, 4.0]), soft_reset=True).tolist() == [3.0, 4.0, 1.0]
    assert Halved(reach, "train", 1, 2).reset(seed=0)[0][-1] == 0.5


def test_env_name_is_the_skill_of_the_trial(two):
    env = KEpisodeMetaworld(two.only("push-v3"), "train", 1, 2)
    assert env.env_name == "metaworld_custom-ml-envs_push-v3"
    env.reset(seed=0)
    assert env.env_name == "push-v3"


# --- by the benchmark's name ---------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "skills"), [("ml10", 10), ("ml25", 25), ("ML45", 45)])
def test_benchmarks_by_name(name, skills):
    env = Metaworld(name, "train", 3, seed=5)
    assert env.benchmark == taskworlds.benchmark(name.upper(), seed=5)
    assert len(env.benchmark.env_names("train")) == skills
    assert env.env_name == f"metaworld_{name}"
    assert env.spec.max_episode_length == 1500


def test_a_skills_name_means_ml1():
    env = Metaworld("reach-v3", "train", 1, 2, seed=5)
    assert env.benchmark == taskworlds.benchmark("ML1", "reach-v3", seed=5)
    with pytest.warns(DeprecationWarning, match="'reach-v2' is read as 'reach-v3'"):
        env = Metaworld("reach-v2", "test", 1, 2, seed=5)
    assert env.benchmark == taskworlds.benchmark("ML1", "reach-v3", seed=5)


def test_env_name_changes_with_the_task():
    env = Metaworld("ml10", "test", 1, 1, seed=0)
    names = set()
    for seed in range(4):
        _, info = env.reset(seed=seed)
        assert env.env_name == info["task_name"]
        names.add(env.env_name)
    assert len(names) > 1


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("reech-v3", "Unrecognized metaworld benchmark 'reech-v3'. Did you mean 'reach-v3'"),
        ("ml100", "Unrecognized metaworld benchmark 'ml100'. Did you mean 'ml10'"),
        ("mt10", "Unrecognized metaworld benchmark 'mt10'.*It must be ml10, ml25, ml45 or a skill"),
        ("peach-v2", "Unrecognized metaworld benchmark 'peach-v2'"),
    ],
)
def test_unknown_names_are_refused(name, message):
    with pytest.raises(ValueError, match=message):
        Metaworld(name, "train", 1)


def test_a_benchmark_object_is_no_name(reach):
    with pytest.raises(TypeError, match=r"benchmark_name must be a string.*KEpisodeMetaworld"):
        Metaworld(reach, "train", 1)


@pytest.mark.parametrize("action", [[0.0, 0.0, 0.0, 1.5], [0.0, -1.1, 0.0, 0.0], [0.0, np.nan, 0.0, 0.0]])
def test_actions_outside_the_unit_box_are_refused(action):
    env = Metaworld("reach-v3", "train", 1, 2, seed=0)
    env.reset(seed=0)
    with pytest.raises(ValueError, match=r"action must lie in \[-1, 1\], not \[0.0"):
        env.step(np.array(action))
    env.step(np.array([1.0, -1.0, 1.0, -1.0]))


def test_the_spec_of_a_named_benchmark_makes_it_again():
    env = Metaworld("reach-v3", "train", 1, 2, seed=4)
    made = gymnasium.make(env.spec).unwrapped
    assert isinstance(made, Metaworld)
    assert made.benchmark == env.benchmark
    np.testing.assert_array_equal(made.reset()[0], env.reset()[0])
