"""Which episodes are played, which are kept, and that they can be played again."""

from __future__ import annotations

import numpy as np
import pytest

import taskworlds
from taskworlds.core.world import World
from taskworlds.demonstrations import Plan, collect


@pytest.mark.parametrize("given", ["reach", "point", "cheetah"])
def test_an_episode_can_be_played_again_from_its_seed_and_task(given, request, check_same_episode):
    found = request.getfixturevalue(given)
    env = found.plan.make()
    for each in found.episodes:
        recording = each.recording
        assert recording.actions.dtype == env.action_space.dtype
        assert recording.observations.dtype == env.observation_space.dtype
        assert len(recording.observations) == each.episode.length + 1
        check_same_episode(
            env, each.seed, each.task, recording.observations, recording.actions, recording.rewards
        )


@pytest.mark.parametrize(("policy", "benchmark"), [("expert", "reach-v3"), ("random", "half-cheetah-vel")])
def test_the_episodes_are_those_of_evaluate(policy, benchmark):
    settings = {"max_episode_steps": 6, "num_goals": 2, "seed": 3}
    found = collect(policy, benchmark, episodes=2, split="test" if policy == "random" else None, **settings)
    result = taskworlds.evaluate(policy, benchmark, **settings)
    assert [(each.task, each.episode) for each in found.episodes] == [
        (record.task, record.episodes[0]) for record in result.tasks
    ]


def test_goals_are_played_in_turn_and_then_again():
    found = collect("random", "point", episodes=5, num_goals=2, max_episode_steps=2)
    tasks = found.plan.tasks
    assert [(each.task, each.number) for each in found.episodes] == [
        (tasks[0], 0),
        (tasks[1], 0),
        (tasks[0], 1),
        (tasks[1], 1),
        (tasks[0], 2),
    ]
    assert found.skills[0]._asdict() | {"successes": 0} == {
        "env_name": "point",
        "instruction": "Come close to the goal.",
        "wanted": 5,
        "kept": 5,
        "attempts": 5,
        "successes": 0,
        "error": None,
    }


def test_there_are_as_many_goals_as_episodes_where_starts_are_not_drawn():
    assert len(Plan.of("expert", "MT10", episodes=60).tasks) == 600
    assert len(Plan.of("expert", "reach-v3", episodes=20, only_successes=True).tasks) == 80
    assert len(Plan.of("expert", "MT10", episodes=60).make().benchmark.tasks("train")) == 600
    assert len(Plan.of("expert", "reach-v3", episodes=5).tasks) == 50


@pytest.mark.parametrize("num_envs", [1, 7])
def test_the_first_successes_are_kept_however_many_rows_there_are(corner, num_envs):
    found = collect(corner, "point", episodes=3, only_successes=True, max_attempts=40, num_envs=num_envs)
    result = taskworlds.evaluate(corner, "point", split="train", num_goals=50)
    solved = [number for number, record in enumerate(result.tasks) if record.mean("success_once")]
    assert [found.plan.tasks.index(each.task) for each in found.episodes] == solved[:3]
    count = found.skills[0]
    assert (count.kept, count.attempts, count.successes) == (3, solved[2] + 1, 3)
    assert all(each.recording.success[-1] == 1.0 for each in found.episodes)


def test_what_cannot_be_had_is_counted(corner):
    found = collect(corner, "point", episodes=3, only_successes=True, max_attempts=4, num_goals=4)
    count = found.skills[0]
    assert (count.wanted, count.attempts) == (3, 4)
    assert count.kept == count.successes == len(found.episodes) < 3


def test_an_expert_is_not_asked_twice_for_a_goal():
    found = collect("expert", "reach-v3", episodes=2, only_successes=True, num_goals=2, max_episode_steps=3)
    assert (found.skills[0].attempts, found.episodes) == (2, ())


def test_equal_seeds_give_equal_episodes():
    def played(seed):
        found = collect("random", "half-cheetah-vel", episodes=2, seed=seed, max_episode_steps=3)
        return [
            (each.task, each.seed, each.recording.actions.tolist(), each.recording.observations.tolist())
            for each in found.episodes
        ]

    assert played(5) == played(5)
    assert played(6) != played(5)


def test_actions_are_cast_before_they_are_taken(check_same_episode):
    found = collect(
        lambda obs: np.full((len(obs), 4), 1 / 3), "reach-v3", episodes=1, max_episode_steps=4, num_goals=1
    )
    recording = found.episodes[0].recording
    assert recording.actions.dtype == np.float32
    check_same_episode(
        found.plan.make(),
        None,
        found.episodes[0].task,
        recording.observations,
        recording.actions,
        recording.rewards,
    )


def test_no_two_skills_have_the_same_words(monkeypatch):
    monkeypatch.setattr(World, "instruction", lambda self, name: "Do it.")
    words = Plan.of("expert", "ML10", split="test", episodes=1).instructions()
    assert len(set(words.values())) == 5
    assert words["drawer-open-v3"] == "Do it (drawer-open-v3)."
    assert Plan.of("expert", "reach-v3", episodes=1).instructions() == {"reach-v3": "Do it."}


def test_tasks_are_chosen():
    tasks = taskworlds.benchmark("reach-v3", seed=0).train_tasks
    found = collect("expert", "reach-v3", episodes=1, tasks=[tasks[7]], max_episode_steps=2)
    assert [each.task for each in found.episodes] == [tasks[7]]


class Learner:
    def init(self): ...
    def adapt_action(self, observations): ...
    def step(self, timestep): ...
    def adapt(self): ...
    def eval_action(self, observations): ...


@pytest.mark.parametrize(
    ("policy", "benchmark", "how", "message"),
    [
        ("random", "point", {"episodes": 0}, "episodes must be at least 1, not 0"),
        (
            "random",
            "point",
            {"max_attempts": 3},
            "max_attempts is for only_successes, but came without it, as 3",
        ),
        (
            "random",
            "point",
            {"max_attempts": 1, "only_successes": True, "episodes": 2},
            "max_attempts must be at least the number of episodes, 2, not 1",
        ),
        (
            "expert",
            "point",
            {},
            "policy must be 'random' or one of your own for point, which has no scripted experts",
        ),
        (
            "random",
            "half-cheetah-vel",
            {"only_successes": True},
            "only_successes must be False for half-cheetah-vel, which does not report success",
        ),
        (
            "expert",
            "reach-v3",
            {"episodes": 3, "num_goals": 2},
            "episodes must be at most 2, the number of goals of a skill here, not 3",
        ),
        (Learner(), "point", {}, "policy must play without adapting to its tasks first"),
        ("random", "point", {"tasks": []}, "tasks must name at least one task"),
        ("random", "point", {"tasks": "a"}, "tasks must be a list of tasks"),
        (
            "random",
            "point",
            {"tasks": [taskworlds.Task("reach-v3")]},
            r"tasks must be among the 50 train tasks of point, but reach-v3 \(task \w+\) is not",
        ),
        ("random", "points", {}, "Unknown benchmark 'points'"),
    ],
)
def test_mistakes(policy, benchmark, how, message):
    with pytest.raises((ValueError, TypeError), match=message):
        collect(policy, benchmark, **({"episodes": 1} | how))
