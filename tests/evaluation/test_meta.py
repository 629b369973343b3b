"""evaluate with a meta-learning agent: adapt on a batch of tasks, then test on it."""

import numpy as np
import pytest

from taskworlds.evaluation import Timestep, evaluate


class Learner:
    """A meta-learning agent that learns nothing and keeps what it is told."""

    def __init__(self):
        self.log, self.timesteps, self.begun = [], [], []

    def init(self):
        self.log.append("init")

    def adapt_action(self, observations):
        self.log.append("adapt_action")
        return np.full((len(observations), 4), 0.5), {"value": observations[:, 0]}

    def step(self, timestep):
        self.timesteps.append(timestep)

    def adapt(self):
        self.log.append("adapt")

    def eval_action(self, observations):
        self.log.append("eval_action")
        return np.zeros((len(observations), 4))

    def reset(self, env_mask):
        self.log.append(("reset", env_mask.tolist()))

    def begin_episodes(self, mask, infos):
        self.begun += [
            (infos["task"][row]["goal"], int(infos["episode_index"][row])) for row in np.flatnonzero(mask)
        ]


def phases(log):
    """Joins repeated calls into one."""
    return [call for call, before in zip(log, [None, *log], strict=False) if call != before]


def test_each_batch_is_adapted_to_and_then_tested(toy):
    tasks = [toy.task(goal, solved_at=4) for goal in range(4)]
    agent = Learner()
    result = evaluate(
        agent, toy.vec_env(tasks, num_envs=2), adaptation_episodes=3, adaptation_steps=2, episodes_per_task=2
    )
    both = ("reset", [True, True])
    batch = [
        "init",
        "adapt_action",
        "adapt",
        "adapt_action",
        "adapt",
        both,
        "eval_action",
        both,
        "eval_action",
    ]
    assert phases(agent.log) == batch * 2
    assert agent.log.count("adapt_action") == 2 * 6 * toy.horizon  # success does not end adaptation
    assert agent.log.count("eval_action") == 2 * 2 * 4  # it does end the test
    assert [[e.length for e in record.episodes] for record in result.tasks] == [[4, 4]] * 4
    assert result.overall["success_end"].mean.value == 1.0


def test_the_episodes_of_a_trial_are_numbered_through(toy):
    agent = Learner()
    evaluate(agent, toy.vec_env([toy.task(7)]), adaptation_episodes=2, episodes_per_task=2)
    assert agent.begun == [(7, 0), (7, 1), (7, 2), (7, 3)]


def test_the_agent_is_shown_each_step(toy):
    agent = Learner()
    evaluate(agent, toy.vec_env([toy.task(3), toy.task(4)], num_envs=2), adaptation_episodes=2)
    assert len(agent.timesteps) == 2 * toy.horizon
    first, last = agent.timesteps[0], agent.timesteps[toy.horizon - 1]
    assert isinstance(first, Timestep)
    assert first.observation.tolist() == [[3.0, 0.0], [4.0, 0.0]]
    assert first.action.tolist() == [[0.5] * 4] * 2
    assert first.reward.tolist() == [1.5, 1.5]
    assert first.aux_policy_outputs["value"].tolist() == [3.0, 4.0]
    assert not (first.terminated | first.truncated).any()
    assert last.truncated.all()
    assert agent.timesteps[toy.horizon].observation.tolist() == [[3.0, 0.0], [4.0, 0.0]]


def test_adaptation_runs_to_the_clock_and_the_setting_is_put_back(toy):
    for terminate_on_success in (True, False):
        envs = toy.vec_env([toy.task(0, solved_at=2)], terminate_on_success=terminate_on_success)
        result = evaluate(Learner(), envs, adaptation_episodes=1)
        assert envs.toggles == [False, terminate_on_success]
        assert envs.terminate_on_success.all() == terminate_on_success
        assert result.tasks[0].episodes[0].length == (2 if terminate_on_success else toy.horizon)
        assert result.fingerprint.terminate_on_success is terminate_on_success


def test_the_last_batch_is_filled_up_but_each_task_counts_once(toy):
    tasks = [toy.task(goal, skill, solved_at=2) for skill in ("open", "close") for goal in range(3)]
    envs = toy.vec_env(tasks, num_envs=4)
    agent = Learner()
    result = evaluate(agent, envs, adaptation_episodes=1, episodes_per_task=2)
    assert [len(record.episodes) for record in result.tasks] == [2] * 6
    assert agent.log.count("init") == 2
    assert {timestep.observation.shape for timestep in agent.timesteps} == {(4, 2)}
    assert all(timestep.observation[:, 1].any() or i % 10 == 0 for i, timestep in enumerate(agent.timesteps))
    assert {(row % 2, task.env_name) for row, task in envs.resets} == {(0, "open"), (1, "close")}


def test_a_row_that_ended_early_waits(toy):
    class Uneven(type(toy.vec_env([toy.task(0)]))):
        """Ends the episodes of goal 0 after four steps."""

        def step(self, actions, mask=None):
            obs, rewards, terminated, truncated, infos = super().step(actions, mask)
            early = mask & (obs[:, 0] == 0) & (obs[:, 1] == 4)
            self.running &= ~early
            return obs, rewards, terminated | early, truncated, infos

    tasks = [toy.task(0), toy.task(1)]
    envs = Uneven(toy.benchmark("toy", tuple(tasks)), [tasks, tasks])
    agent = Learner()
    evaluate(agent, envs, adaptation_episodes=1)
    waiting = agent.timesteps[5]
    assert waiting.observation.tolist() == [[0.0, 4.0], [1.0, 5.0]]
    assert waiting.reward.tolist() == [0.0, 1.5]
    assert agent.timesteps[3].terminated.tolist() == [True, False]
    assert not (waiting.terminated | waiting.truncated).any()
    assert len(agent.timesteps) == toy.horizon


@pytest.mark.parametrize("breaks_at", [0, 4])
def test_a_broken_task_starts_its_batch_again_without_it(toy, breaks_at):
    tasks = [toy.task(0), toy.task(1, breaks_at=breaks_at), toy.task(2)]
    agent = Learner()
    seen = []
    with pytest.warns(RuntimeWarning, match="1 of 3 tasks could not run"):
        result = evaluate(
            agent,
            toy.vec_env(tasks, num_envs=3),
            adaptation_episodes=2,
            on_episode=lambda done, total: seen.append((done, total)),
        )
    assert [record.task for record in result.failed] == [tasks[1]]
    assert [len(record.episodes) for record in result.completed] == [1, 1]
    assert agent.log.count("init") == (1 if breaks_at == 0 else 2)
    assert agent.log.count("adapt") == 1
    assert seen[-1] == (9, 9)


@pytest.mark.parametrize("breaks_at", [0, 4])
def test_a_task_that_also_fills_up_the_batch_is_reported_when_it_breaks(toy, breaks_at):
    with pytest.warns(RuntimeWarning, match="1 of 1"):
        result = evaluate(Learner(), toy.vec_env([toy.task(0, breaks_at=breaks_at)], num_envs=3))
    assert result.tasks[0].error is not None


def test_a_subset_fills_its_batch_up_too(toy):
    tasks = [toy.task(0), toy.task(1, "close")]
    envs = toy.vec_env(tasks)
    result = evaluate(Learner(), envs, tasks=tasks[1:], adaptation_episodes=1)
    assert [len(record.episodes) for record in result.tasks] == [1]
    assert {task for _, task in envs.resets} == {tasks[1]}


def test_a_batch_in_which_all_break_is_not_tested(toy):
    agent = Learner()
    with pytest.warns(RuntimeWarning, match="2 of 2"):
        evaluate(agent, toy.vec_env([toy.task(0, breaks_at=0), toy.task(1, breaks_at=0)], num_envs=2))
    assert phases(agent.log) == ["init"]


def test_a_broken_test_episode_does_not_touch_the_adaptation(toy):
    envs = toy.vec_env([toy.task(0), toy.task(1)], num_envs=2)
    plain_step = envs.step
    agent = Learner()

    def step(actions, mask=None):
        if "adapt" in agent.log and mask[1] and envs.steps[1] == 3:
            raise OSError("gone")
        return plain_step(actions, mask)

    envs.step = step
    with pytest.warns(RuntimeWarning, match="OSError: gone"):
        result = evaluate(agent, envs, adaptation_episodes=1)
    assert agent.log.count("init") == agent.log.count("adapt") == 1
    assert [len(record.episodes) for record in result.tasks] == [1, 0]


def test_defaults_for_a_named_benchmark(toy, installed):
    result = evaluate(Learner(), "ML")
    assert installed.make_vec[0]["num_envs"] == 20
    assert result.fingerprint.protocol == "meta: 1 x 10 episodes of adaptation, batches of 20"
    assert evaluate(Learner(), "ML", meta_batch_size=4, adaptation_steps=2).fingerprint.protocol == (
        "meta: 2 x 10 episodes of adaptation, batches of 4"
    )


@pytest.mark.parametrize(
    ("keywords", "error", "message"),
    [
        ({"adaptation_episodes": 0}, ValueError, "adaptation_episodes must be at least 1"),
        ({"adaptation_steps": 0}, ValueError, "adaptation_steps must be at least 1"),
        ({"meta_batch_size": 0}, ValueError, "meta_batch_size must be at least 1"),
        ({"meta_batch_size": 4, "num_envs": 5}, ValueError, "both mean the number of rows, but are 5 and 4"),
    ],
)
def test_mistaken_arguments(toy, installed, keywords, error, message):
    with pytest.raises(error, match=message):
        evaluate(Learner(), "ML", **keywords)


def test_adapt_action_must_give_two_things(toy):
    agent = Learner()
    agent.adapt_action = lambda obs: np.zeros((len(obs), 4))
    with pytest.raises(
        TypeError, match="adapt_action must return two things, actions and a dictionary, not ndarray"
    ):
        evaluate(agent, toy.vec_env([toy.task(0)]))


def test_actions_of_adaptation_are_checked(toy):
    agent = Learner()
    agent.adapt_action = lambda obs: (np.full((len(obs), 4), np.nan), {})
    with pytest.raises(ValueError, match=r"not finite in row 0, open \(task"):
        evaluate(agent, toy.vec_env([toy.task(0)]))
