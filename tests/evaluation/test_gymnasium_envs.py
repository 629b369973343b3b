"""evaluate on any Gymnasium env or vector env: each row is a task."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv

from taskworlds import Task
from taskworlds.evaluation import evaluate, random_policy


class Counter(gym.Env):
    """Ends after `length` steps, by itself or by the clock; observation and reward are the step's number."""

    observation_space = gym.spaces.Box(0.0, 100.0, (1,))
    action_space = gym.spaces.Box(-1.0, 1.0, (2,))

    def __init__(self, length, solved_at=None, clock=False, says_success=True, diverges_at=None):
        self.length, self.solved_at, self.clock, self.says = length, solved_at, clock, says_success
        self.diverges_at = diverges_at
        self.seeds, self.closed = [], False

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.seeds.append(seed)
        self.steps = 0
        return np.zeros(1, dtype=np.float32), {}

    def step(self, action):
        self.steps += 1
        done = self.steps == self.length
        info = {"success": self.steps == self.solved_at} if self.says else {}
        if self.steps == self.diverges_at:
            info["diverged"] = 1.0
        obs = np.full(1, self.steps, dtype=np.float32)
        return obs, float(self.steps), done and not self.clock, done and self.clock, info

    def close(self):
        self.closed = True


def rest(obs):
    return np.zeros((len(obs), 2))


@pytest.mark.parametrize("mode", list(AutoresetMode))
@pytest.mark.parametrize("clock", [True, False])
@pytest.mark.parametrize("make_vec", [SyncVectorEnv, AsyncVectorEnv])
def test_rows_get_their_quota_in_every_autoreset_mode(mode, clock, make_vec):
    lengths, solved = (2, 3, 7), (2, 1, None)
    envs = make_vec(
        [lambda i=i: Counter(lengths[i], solved[i], clock) for i in range(3)], autoreset_mode=mode
    )
    result = evaluate(rest, envs, episodes_per_task=3)
    assert [[episode[:5] for episode in record.episodes] for record in result.tasks] == [
        [(3.0, 2, True, True, False)] * 3,
        [(6.0, 3, True, False, False)] * 3,
        [(28.0, 7, False, False, False)] * 3,
    ]
    obs, _ = envs.reset()  # still usable
    assert obs.tolist() == [[0.0]] * 3
    envs.close()


@pytest.mark.parametrize("mode", list(AutoresetMode))
@pytest.mark.parametrize("row_says_it", [0, 1])
def test_episodes_that_diverge_are_marked_in_every_autoreset_mode(mode, row_says_it):
    diverging = [None, None]
    for step in (1, 2, 3):  # the last is the one that ends the episode
        diverging[row_says_it] = step
        envs = SyncVectorEnv(
            [lambda at=at: Counter(3, diverges_at=at) for at in diverging], autoreset_mode=mode
        )
        result = evaluate(rest, envs, episodes_per_task=2)
        assert [record.num_diverged for record in result.tasks] == [2 - 2 * row_says_it, 2 * row_says_it]


@pytest.mark.parametrize("mode", list(AutoresetMode))
def test_the_policy_sees_every_episode_begin(mode):
    begun, seen = [], []

    class Watcher:
        def begin_episodes(self, mask, infos):
            begun.extend((int(row), int(infos["episode_index"][row])) for row in np.flatnonzero(mask))

        def __call__(self, obs):
            seen.append(obs[:, 0].tolist())
            return rest(obs)

    envs = SyncVectorEnv([lambda: Counter(2), lambda: Counter(3)], autoreset_mode=mode)
    evaluate(Watcher(), envs, episodes_per_task=2)
    assert begun[:4] == [(0, 0), (1, 0), (0, 1), (1, 1)]
    first = [[0, 0], [1, 1]] + ([[2, 2], [0, 3]] if mode == AutoresetMode.NEXT_STEP else [[0, 2], [1, 0]])
    assert seen[:4] == first


def test_a_single_env_stays_open_and_is_seeded_once():
    env = Counter(4, solved_at=4)
    result = evaluate(rest, env, episodes_per_task=2, seed=5)
    assert env.seeds == [5, None]
    assert not env.closed
    assert result.tasks[0].task == Task("Counter", {"row": 0})
    assert result.benchmark == "Counter"
    assert result.split is None
    assert env.reset()[0] == [0.0]


def test_a_registered_env_is_named_by_its_spec_with_its_limit():
    result = evaluate(lambda obs: (obs[:, 2] > 0).astype(int), gym.make("CartPole-v1"))
    assert result.tasks[0].task.env_name == "CartPole-v1"
    assert result.fingerprint.max_episode_steps == 500
    assert result.fingerprint.reward_function_version is None
    assert result.fingerprint.terminate_on_success is None


def test_rows_of_a_vector_env_are_tasks():
    envs = gym.make_vec("CartPole-v1", num_envs=2)
    result = evaluate(random_policy(envs.single_action_space, 0), envs, episodes_per_task=2)
    assert [record.task for record in result.tasks] == [Task("CartPole-v1", {"row": row}) for row in range(2)]
    assert result.skills[0].num_tasks == 2


def test_success_is_unknown_where_the_env_does_not_report_it():
    result = evaluate(rest, Counter(3, says_success=False))
    episode = result.tasks[0].episodes[0]
    assert (episode.success_once, episode.success_end) == (None, None)
    assert np.isnan(result.overall["success_end"].mean.value)
    assert result.overall["episode_return"].mean.value == 6.0


@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP])
def test_some_rows_may_report_success_and_others_not(mode):
    envs = SyncVectorEnv([lambda: Counter(3, 3), lambda: Counter(3, says_success=False)], autoreset_mode=mode)
    result = evaluate(rest, envs)
    assert [record.episodes[0].success_end for record in result.tasks] == [True, None]


def test_discrete_actions_are_checked():
    env = gym.make("CartPole-v1")
    with pytest.raises(ValueError, match=r"outside Discrete\(2\) in row 0, CartPole-v1 \(task \w+\): 2"):
        evaluate(lambda obs: np.array([2]), env)
    with pytest.raises(ValueError, match=r"shape \(1,\), .* not \(1, 1\)"):
        evaluate(lambda obs: np.array([[0]]), env)


def test_an_envs_exception_comes_out():
    env = Counter(3)
    env.step = lambda action: 1 / 0
    with pytest.raises(ZeroDivisionError):
        evaluate(rest, env)


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"split": "test"}, "split cannot be chosen for .*Counter"),
        ({"tasks": [Task("Counter")]}, "tasks cannot be chosen for .*Counter"),
        (
            {"terminate_on_success": True},
            "terminate_on_success cannot be set for an environment that is already made",
        ),
    ],
)
def test_settings_that_do_not_apply_are_refused(keywords, message):
    with pytest.raises(TypeError, match=message):
        evaluate(rest, Counter(3), **keywords)


def test_the_meta_protocol_needs_tasks_that_can_be_set():
    class Learner:
        def init(self): ...
        def adapt_action(self, observations): ...
        def step(self, timestep): ...
        def adapt(self): ...
        def eval_action(self, observations): ...

    with pytest.raises(TypeError, match="meta protocol needs an environment whose tasks can be set, not"):
        evaluate(Learner(), Counter(3))


def test_envs_of_ours_that_choose_their_own_tasks_are_refused(toy):
    wrapped = gym.wrappers.vector.RecordEpisodeStatistics(toy.vec_env([toy.task(0)]))
    with pytest.raises(TypeError, match=r"changes its tasks between episodes .* Pass its benchmark"):
        evaluate(toy.still, wrapped)
    env = Counter(3)
    env.set_task, env.tasks = print, [1, 2]
    with pytest.raises(TypeError, match="changes its tasks between episodes"):
        evaluate(rest, env)
    env.tasks = [1]
    assert len(evaluate(rest, env).tasks) == 1


def test_a_vector_env_must_say_how_it_resets():
    envs = SyncVectorEnv([lambda: Counter(3)])
    del envs.metadata["autoreset_mode"]
    with pytest.raises(ValueError, match=r"does not say in metadata\['autoreset_mode'\]"):
        evaluate(rest, envs)
