"""Stable-Baselines3: its checker, its vector environments and ours, learners with equal seeds that learn the same."""

import functools
import pickle
import warnings

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

import taskworlds
from taskworlds.core import registry
from taskworlds.rows.python_row import PythonRow

sb3 = pytest.importorskip("stable_baselines3")
torch = pytest.importorskip("torch")
vec_env = pytest.importorskip("stable_baselines3.common.vec_env")
env_util = pytest.importorskip("stable_baselines3.common.env_util")
Monitor = pytest.importorskip("stable_baselines3.common.monitor").Monitor
ours = pytest.importorskip("taskworlds.integrations.sb3")

pytestmark = pytest.mark.usefixtures("one_thread")

LIMIT = 4


def reach(**options):
    return gym.make("taskworlds/reach-v3", max_episode_steps=LIMIT, **options)


def grid(**options):
    return gym.make("taskworlds/grid-4x4", max_episode_steps=LIMIT, **options)


@pytest.mark.parametrize(
    "make",
    [
        reach,
        grid,
        functools.partial(gym.make, "taskworlds/MT10", use_one_hot=True),
        functools.partial(gym.make, "taskworlds/half-cheetah-vel"),
        functools.partial(gym.make, "taskworlds/point"),
    ],
)
def test_its_checker_is_content(make):
    from stable_baselines3.common.env_checker import check_env

    check_env(make(), skip_render_check=True)


@pytest.mark.parametrize(
    ("vec", "names"),
    [(vec_env.DummyVecEnv, ["reach-v3", "push-v3"]), (vec_env.SubprocVecEnv, ["reach-v3"])],
)
def test_its_vector_environments_go_past_the_ends_of_episodes(vec, names, decided_by_the_seed):
    makers = [functools.partial(gym.make, f"taskworlds/{name}", max_episode_steps=LIMIT) for name in names]
    envs = vec_env.VecMonitor(vec(makers))
    actions = np.random.default_rng(0).uniform(-1, 1, (2 * LIMIT + 1, len(names), 4)).astype(np.float32)

    def outcomes(seed):
        envs.seed(seed)
        yield envs.reset()
        for step, action in enumerate(actions, 1):
            obs, rewards, dones, infos = envs.step(action)
            yield obs, rewards, dones
            assert dones.all() == dones.any() == (step % LIMIT == 0)
            for info in infos:
                assert "success" in info
                if step % LIMIT == 0:
                    assert info["TimeLimit.truncated"]
                    assert info["terminal_observation"].shape == (39,)
                    assert info["episode"]["l"] == LIMIT

    try:
        decided_by_the_seed(lambda seed: list(outcomes(seed)))
    finally:
        envs.close()


LEARNERS = {
    "PPO": lambda env, seed: sb3.PPO("MlpPolicy", env, n_steps=16, batch_size=16, n_epochs=1, seed=seed),
    "SAC": lambda env, seed: sb3.SAC(
        "MlpPolicy", env, learning_starts=8, batch_size=8, train_freq=4, seed=seed
    ),
    "dictionaries": lambda env, seed: sb3.PPO(
        "MultiInputPolicy", env, n_steps=16, batch_size=16, n_epochs=1, seed=seed
    ),
}


@pytest.mark.parametrize("learner", ["PPO", "SAC"])
def test_a_learner_learns_the_same_from_equal_seeds(learner, decided_by_the_seed):
    """The environments are made without a seed: the learner hands its own to their first reset."""

    def weights(seed):
        env = env_util.make_vec_env(reach, n_envs=2)
        model = LEARNERS[learner](env, seed).learn(32)
        assert [each["l"] for each in model.ep_info_buffer][:2] == [LIMIT, LIMIT]
        env.close()
        return [tensor.detach().numpy() for tensor in model.policy.parameters()]

    decided_by_the_seed(weights)


def test_a_learner_of_discrete_actions_learns():
    model = sb3.PPO(
        "MlpPolicy", env_util.make_vec_env(grid, n_envs=2, seed=0), n_steps=8, batch_size=8
    ).learn(32)
    assert model.num_timesteps == 32


def test_normalized_learning_and_its_evaluation():
    from stable_baselines3.common.evaluation import evaluate_policy

    env = vec_env.VecNormalize(env_util.make_vec_env(reach, n_envs=2, seed=0))
    model = sb3.PPO("MlpPolicy", env, n_steps=8, batch_size=8, n_epochs=1, seed=0).learn(16)
    returns, lengths = evaluate_policy(model, env, n_eval_episodes=3, return_episode_rewards=True)
    assert lengths == [LIMIT] * 3
    assert np.isfinite(returns).all()


# --- a batch as its vector environment ----------------------------------------------------------------------


class Walk(PythonRow):
    """Steps along a line to the task's flag; observations are a dictionary."""

    action_space = gym.spaces.Discrete(2)
    observation_space = gym.spaces.Dict(
        place=gym.spaces.Box(-9.0, 9.0, (1,), np.float32), last=gym.spaces.Discrete(2)
    )

    def begin(self, task, seed):
        self.place, self.last = float(np.random.default_rng(seed).integers(2)), 0
        return self.seen(), {}

    def advance(self, action):
        self.last = int(action)
        self.place += 1.0 if action else -1.0
        reached = self.place >= self.task["flag"]
        return self.seen(), float(reached), reached, {"success": reached}

    def seen(self):
        return {"place": np.array([self.place], np.float32), "last": np.int64(self.last)}


def walks(seed, num_goals):
    return tuple(taskworlds.Task("walk", {"flag": flag}) for flag in (2, 3)), ()


@pytest.fixture(scope="module", autouse=True)
def walk():
    """Registers the world of dictionaries, and forgets it again."""
    before = dict(registry._complete().worlds)
    taskworlds.register_world(
        taskworlds.World(
            name="walk",
            suite="walk",
            skills=("walk",),
            actions=Walk.action_space,
            observations=Walk.observation_space,
            max_episode_steps=LIMIT,
            row=Walk,
            has_success=True,
            terms=("success",),
            benchmarks={"walk": taskworlds.BenchmarkMaker(walks)},
        )
    )
    yield
    registry._complete().worlds.clear()
    registry._complete().worlds.update(before)
    registry.names_changed()


def dummy(batch, **options):
    """SB3's own vector environment of single ones, each with the tasks of a row, in SB3's Monitor."""

    def single(row):
        env = taskworlds.make(batch.benchmark, **options)
        env.tasks = list(batch.tasks[row])
        return Monitor(env)

    return vec_env.DummyVecEnv([functools.partial(single, row) for row in range(batch.num_envs)])


def actions_for(env, steps):
    rng = np.random.default_rng(0)
    for _ in range(steps):
        if isinstance(env.action_space, gym.spaces.Discrete):
            yield rng.integers(env.action_space.n, size=env.num_envs)
        else:
            yield rng.uniform(-1, 1, (env.num_envs, *env.action_space.shape)).astype(np.float32)


def assert_same(mine, theirs):
    """Equal, and where theirs are arrays of the same dtype; numbers of infos are Python's here and NumPy's there."""
    if isinstance(theirs, dict):
        assert set(mine) == set(theirs)
        for name in set(theirs) - {"t"}:
            assert_same(mine[name], theirs[name])
    elif isinstance(theirs, np.ndarray):
        assert mine.dtype == theirs.dtype
        np.testing.assert_array_equal(mine, theirs)
    else:
        assert mine == pytest.approx(theirs, abs=1e-6) if isinstance(theirs, float) else mine == theirs


WORLDS = [
    ("reach-v3", {}),
    ("MT10", {"use_one_hot": True}),
    ("half-cheetah-vel", {}),
    ("point", {}),
    ("grid-4x4", {}),
    ("walk", {}),
    ("reach-v3", {"k_episodes": 2, "recurrent_info_in_obs": True}),
    ("walk", {"k_episodes": 2}),
]


@pytest.mark.parametrize("mode", AutoresetMode)
@pytest.mark.parametrize(("name", "options"), WORLDS)
def test_a_batch_steps_as_its_own_vector_environment_does(name, options, mode):
    """Observations, rewards, dones and infos, past the ends of episodes, some of which end alone."""
    options = {"max_episode_steps": LIMIT, **options}
    mine = ours.make_vec_env(name, 3, autoreset_mode=mode, **options)
    theirs = dummy(mine.batch, **options)
    for env in (mine, theirs):
        env.seed(7)
    assert_same(mine.reset(), theirs.reset())
    assert_same(dict(enumerate(mine.reset_infos)), dict(enumerate(theirs.reset_infos)))
    ends = 0
    for actions in actions_for(mine, 3 * LIMIT + 1):
        obs, rewards, dones, infos = mine.step(actions)
        its_obs, its_rewards, its_dones, its_infos = theirs.step(actions)
        assert_same(obs, its_obs)
        assert_same(rewards, its_rewards)
        assert_same(dones, its_dones)
        for info, its_info in zip(infos, its_infos, strict=True):
            if "success" in info:
                assert isinstance(info.pop("is_success"), bool)
            assert_same(info, its_info)
        assert_same(dict(enumerate(mine.reset_infos)), dict(enumerate(theirs.reset_infos)))
        ends += int(dones.sum())
    mine.close()
    assert ends >= 3
    assert isinstance(infos[0]["episode_return"], float)
    assert isinstance(infos[0]["episode_length"], int)


@pytest.mark.parametrize(
    ("name", "n_envs", "mode", "learner"),
    [
        ("reach-v3", 1, "SameStep", "PPO"),
        ("reach-v3", 4, "NextStep", "PPO"),
        ("half-cheetah-vel", 2, "Disabled", "PPO"),
        ("walk", 3, "SameStep", "dictionaries"),
        ("reach-v3", 2, "SameStep", "SAC"),
    ],
)
def test_a_learner_learns_the_same_over_a_batch(name, n_envs, mode, learner):
    """To the last bit what it learns over SB3's own vector environment of single environments."""

    def weights(env):
        model = LEARNERS[learner](env, 3).learn(96)
        return [tensor.detach().numpy() for tensor in model.policy.parameters()]

    env = ours.make_vec_env(name, n_envs, max_episode_steps=LIMIT, autoreset_mode=mode)
    other = dummy(env.batch, max_episode_steps=LIMIT)
    for one, two in zip(weights(env), weights(other), strict=True):
        np.testing.assert_array_equal(one, two)
    env.close()


def test_its_logger_shows_returns_lengths_and_success(tmp_path):
    from stable_baselines3.common.logger import configure

    env = ours.make_vec_env("grid-4x4", 2, max_episode_steps=LIMIT)
    model = sb3.PPO("MlpPolicy", env, n_steps=8, batch_size=8, n_epochs=1, seed=0)
    model.set_logger(configure(str(tmp_path), ["csv"]))
    model.learn(64)
    names = (tmp_path / "progress.csv").read_text().splitlines()[0].split(",")
    assert {"rollout/ep_rew_mean", "rollout/ep_len_mean", "rollout/success_rate"} <= set(names)


def test_success_is_that_of_the_whole_episode():
    """The arm comes to the goal and goes away again."""
    env = ours.make_vec_env("reach-v3", max_episode_steps=80)
    env.reset()
    goal = env.reset_infos[0]["goal"]
    position = env.batch.observation_layout["hand_position"]
    obs, told, reached = env.batch.observations.values, [], False
    for _ in range(80):
        towards = np.clip((goal - obs[:, position]) * 10, -1, 1) * (-1 if reached else 1)
        obs, _, dones, infos = env.step(np.concatenate([towards, [[0.0]]], axis=1).astype(np.float32))
        reached = reached or infos[0]["success"] > 0
        told.append((infos[0]["success"], infos[0]["is_success"]))
        assert infos[0]["is_success"] == reached
    assert dones.all()
    assert told[-1] == (0.0, True)
    assert not env.step(np.zeros((1, 4), np.float32))[3][0]["is_success"]


def test_success_of_a_trial_is_that_of_its_last_attempt():
    env = ours.make_vec_env("grid-4x4", k_episodes=2, max_episode_steps=8)
    env.reset()
    down, right = 1, 2
    to_goal = [down, down, right, down, right, right]
    told = [env.step(np.array([action]))[3][0] for action in (*to_goal, *[right] * 8)]
    assert [info["is_success"] for info in told] == [False] * 5 + [True] + [False] * 8
    assert [info["TimeLimit.truncated"] for info in told] == [False] * 13 + [True]
    assert told[-1]["episode"]["l"] == 14


def test_seeds_and_options_are_for_one_reset():
    env = ours.make_vec_env("reach-v3", 3, max_episode_steps=LIMIT)
    tasks = taskworlds.benchmark("reach-v3", seed=5).train_tasks
    assert env.seed(4) == [4, 5, 6]
    first = env.reset()
    assert not np.array_equal(env.reset(), first)
    env.seed(4)
    env.set_options([{}, {"task": tasks[0]}, {}])
    second = env.reset()
    np.testing.assert_array_equal(second[[0, 2]], first[[0, 2]])
    assert env.batch.current_tasks[1] == tasks[0]
    np.testing.assert_array_equal(env.reset_infos[1]["goal"], env.batch.rows.goals[1])
    env.reset()
    assert env.batch.current_tasks[1] != tasks[0]
    env.set_options({"task": tasks[1]})
    env.reset()
    assert env.batch.current_tasks == (tasks[1],) * 3


def test_wrong_options_reset_nothing():
    env = ours.make_vec_env("reach-v3", 2, max_episode_steps=LIMIT)
    env.reset()
    before = env.batch.get_state()
    env.set_options([{}, {"goal": 1}])
    with pytest.raises(TypeError, match="reset takes the option task, not goal"):
        env.reset()
    env.set_options([{}, {"task": taskworlds.benchmark("push-v3", seed=0).train_tasks[0]}])
    with pytest.raises(ValueError, match="push-v3"):
        env.reset()
    after = env.batch.get_state()
    assert all(np.array_equal(before[name], after[name]) for name in before if name != "elapsed")


def test_rows_are_reached_by_index():
    env = ours.make_vec_env("reach-v3", 3, max_episode_steps=LIMIT)
    assert env.get_attr("render_mode") == [None] * 3
    assert env.get_attr("skills", 0) == [["reach-v3"]]
    assert env.has_attr("max_path_length")
    assert not env.has_attr("no_such_name")
    env.set_attr("terminate_on_success", True, [0, -1])
    assert env.get_attr("terminate_on_success") == [True, False, True]
    env.env_method("toggle_terminate_on_success", False, indices=0)
    assert env.get_attr("terminate_on_success", [2, 1, 0]) == [True, False, False]
    env.set_attr("max_episode_steps", 2)
    assert env.get_attr("max_episode_steps", 1) == [2]
    with pytest.raises(ValueError, match="max_episode_steps must be the same for all rows"):
        env.set_attr("max_episode_steps", 3, 1)
    task = env.batch.tasks[0][2]
    assert env.env_method("set_task", task, indices=[1]) == [None]
    env.reset()
    assert env.get_attr("task", 1) == [task]
    assert env.get_attr("task", 0) != [task]
    assert len(env.env_method("get_checkpoint", indices=2)) == 1
    assert len(env.env_method("sample_tasks")) == 3
    with pytest.raises(ValueError, match=r"indices must be left out for sample_tasks, not \[1\]: "):
        env.env_method("sample_tasks", indices=1)
    with pytest.raises(AttributeError, match="no_such_method"):
        env.env_method("no_such_method")
    with pytest.raises(IndexError):
        env.get_attr("task", 3)


def test_it_does_what_monitor_does():
    env = ours.make_vec_env("point", 2)
    assert env.env_is_wrapped(Monitor) == [True, True]
    assert env.env_is_wrapped(gym.wrappers.TimeLimit, [0]) == [False]


def test_its_wrappers_go_around_a_batch(tmp_path):
    env = ours.make_vec_env("MT10", max_episode_steps=LIMIT)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it has a monitor already
        env = vec_env.VecMonitor(env, str(tmp_path / "log"), info_keywords=("is_success",))
    env = vec_env.VecFrameStack(vec_env.VecNormalize(vec_env.VecCheckNan(env, raise_exception=True)), 2)
    env.seed(1)
    assert env.reset().shape == (10, 78)
    for actions in actions_for(env, 2 * LIMIT):
        obs, _, dones, infos = env.step(actions)
    assert dones.all()
    for row, info in enumerate(infos):
        assert info["terminal_observation"].shape == (78,)
        assert not np.array_equal(info["terminal_observation"], obs[row])
    assert env.batch.num_envs == 10
    assert env.getattr_depth_check("batch", already_found=False) is None
    env.close()
    lines = (tmp_path / "log.monitor.csv").read_text().splitlines()
    assert "MT10" in lines[0]
    assert len(lines) == 22
    assert env.batch.closed


def test_a_normalized_model_is_kept_and_evaluated(tmp_path):
    """The statistics of its observations belong to it."""
    from stable_baselines3.common.evaluation import evaluate_policy

    def played(model):
        result = taskworlds.evaluate(model, "reach-v3", num_goals=2, seed=1, max_episode_steps=LIMIT)
        return [task.episodes[0].episode_return for task in result.completed]

    env = vec_env.VecNormalize(ours.make_vec_env("reach-v3", 2, max_episode_steps=LIMIT), clip_obs=3.0)
    model = sb3.PPO("MlpPolicy", env, n_steps=8, batch_size=8, n_epochs=1, seed=0).learn(32)
    model.save(tmp_path / "model.zip")
    env.save(tmp_path / "normalization.pkl")
    again = vec_env.VecNormalize.load(
        tmp_path / "normalization.pkl", ours.make_vec_env("reach-v3", 1, max_episode_steps=LIMIT)
    )
    again.training = False
    loaded = sb3.PPO.load(tmp_path / "model.zip", env=again, force_reset=True)
    by_hand = played(lambda obs: model.predict(env.normalize_obs(obs), deterministic=True)[0])
    assert played(loaded) == played(model) == by_hand != played(sb3.PPO.load(tmp_path / "model.zip"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # that there was no monitor
        returns, lengths = evaluate_policy(loaded, again, n_eval_episodes=2, return_episode_rewards=True)
    assert lengths == [LIMIT] * 2
    assert returns[0] > 0.1  # as they are, and not normalised


def test_actions_are_computed_while_rows_step():
    env = ours.make_vec_env("reach-v3", 2, max_episode_steps=LIMIT)
    same = ours.make_vec_env("reach-v3", 2, max_episode_steps=LIMIT)
    env.seed(0)
    same.seed(0)
    env.reset()
    same.reset()
    actions = next(actions_for(env, 1))
    env.step_async(actions)
    assert env.batch.episodes.under_way is not None
    np.testing.assert_array_equal(env.step_wait()[0], same.step(actions)[0])
    env.step_async(actions)
    assert env.reset().shape == (2, 39)  # the step is forgotten
    env.step_async(actions)
    env.close()


def test_a_batch_is_drawn():
    env = ours.make_vec_env("reach-v3", 2, render_mode="rgb_array", width=32, height=24)
    env.reset()
    assert [image.shape for image in env.get_images()] == [(24, 32, 3)] * 2
    assert env.render().shape == (48, 32, 3)
    assert env.metadata["render_fps"] == env.get_attr("metadata")[0]["render_fps"]
    env.close()
    with pytest.warns(UserWarning, match='make the batch with "rgb_array"'):
        assert ours.make_vec_env("point", 2).get_images() == [None, None]


def test_it_is_pickled_in_mid_episode():
    env = ours.make_vec_env("reach-v3", 2, max_episode_steps=LIMIT)
    env.reset()
    actions = list(actions_for(env, LIMIT))
    env.step(actions[0])
    again = pickle.loads(pickle.dumps(env))
    for each in actions[1:]:
        outcome, its_outcome = env.step(each), again.step(each)
        np.testing.assert_array_equal(outcome[0], its_outcome[0])
        assert_same(outcome[3][1], its_outcome[3][1])
    assert outcome[2].all()


@pytest.mark.parametrize(
    "envs",
    [
        "reach-v3",
        taskworlds.make("point"),
        gym.wrappers.vector.RecordEpisodeStatistics(taskworlds.make_vec("point", 2)),
        gym.vector.SyncVectorEnv([lambda: taskworlds.make("point")]),
    ],
    ids=["name", "single", "wrapped", "sync"],
)
def test_anything_but_a_batch_is_refused(envs):
    with pytest.raises(TypeError, match=r"envs must be a batch from taskworlds.make_vec\(name, num_envs\)"):
        ours.SB3VecEnv(envs)


def test_wrong_keywords_are_refused_as_by_make_vec():
    with pytest.raises(TypeError, match="unexpected keyword argument 'env_kwargs'"):
        ours.make_vec_env("reach-v3", 2, env_kwargs={})
    with pytest.raises(
        TypeError, match="unexpected keyword argument 'num_envs': the number of rows is n_envs"
    ):
        ours.make_vec_env("reach-v3", num_envs=2)
    with pytest.raises(ValueError, match="num_envs must be at least 1, not 0"):
        ours.make_vec_env("reach-v3", 0)


def test_it_shows_what_it_is():
    env = ours.make_vec_env("point", 2)
    assert repr(env) == f"SB3VecEnv({env.batch!r})"


def test_a_model_is_evaluated_as_a_policy():
    model = sb3.PPO("MlpPolicy", reach(), seed=0)
    result = taskworlds.evaluate(
        model,
        "reach-v3",
        num_goals=2,
        max_episode_steps=LIMIT,
    )
    assert len(result.completed) == 2
