"""Playing without pictures, and again from actions."""

import dataclasses

import numpy as np
import pytest

import taskworlds
from taskworlds.videos.playing import Stage, play
from taskworlds.videos.playing_again import Differs, play_again


def test_the_episodes_are_those_of_evaluate(seeker):
    session = play(seeker, Stage.of("point", num_goals=6), episodes_per_task=2)
    result = taskworlds.evaluate(seeker, "point", num_goals=6, episodes_per_task=2)
    expected = [
        (record.task, number, each) for record in result.tasks for number, each in enumerate(record.episodes)
    ]
    assert [each[:3] for each in session.episodes] == expected
    assert [len(each.actions) for each in session.episodes] == [
        each.episode.length for each in session.episodes
    ]
    assert {each.episode.success_end for each in session.episodes} == {True, False}
    assert session.failed == ()
    assert session.policy.endswith(":Seeker")


@pytest.mark.parametrize("name", ["point", "grid-8x8", "reach-v3"])
def test_played_again_they_come_out_the_same(name):
    settings = {} if name == "grid-8x8" else {"num_goals": 2}
    stage = Stage.of(name, max_episode_steps=12, seed=3, **settings)
    for played in play("random", stage).episodes:
        rewards = [moment.reward for _, moment in play_again(stage, played)]
        assert len(rewards) == played.episode.length + 1
        assert sum(rewards) == played.episode.episode_return


def test_episodes_with_random_starts_do_so_too():
    stage = Stage.of("half-cheetah-vel", num_goals=2, max_episode_steps=5)
    session = play("random", stage, episodes_per_task=2)
    first, second = session.episodes[:2]
    assert first.episode != second.episode
    for played in (first, second):
        assert len(list(play_again(stage, played))) == 6


def test_one_that_comes_out_otherwise_is_an_error():
    stage = Stage.of("point", num_goals=1, max_episode_steps=5)
    (played,) = play("random", stage).episodes
    other = played._replace(actions=played.actions * np.float32(0.5))
    with pytest.raises(
        Differs, match=r"episode of point \(task .*\) comes out with the return -.*, and was -"
    ):
        list(play_again(stage, other))
    with pytest.raises(Differs, match="does not end after 5 steps, as it did"):
        list(play_again(stage, played._replace(actions=played.actions[:4])))
    longer = np.concatenate([played.actions, played.actions])
    with pytest.raises(Differs, match="ends after 5 of 10 actions"):
        list(play_again(stage, played._replace(actions=longer)))
    lost = played._replace(episode=played.episode._replace(success_end=True))
    with pytest.raises(Differs, match="was a success, and is not now"):
        list(play_again(stage, lost))


def test_tasks_can_be_chosen():
    stage = Stage.of("point", num_goals=5)
    chosen = Stage.of(stage.benchmark, tasks=[stage.tasks[3], stage.tasks[1]])
    assert chosen.tasks == (stage.tasks[1], stage.tasks[3])
    assert [each.task for each in play("random", chosen).episodes] == [stage.tasks[1], stage.tasks[3]]
    with pytest.raises(ValueError, match="tasks must name at least one task"):
        Stage.of(stage.benchmark, tasks=[])
    with pytest.raises(ValueError, match=r"tasks must be in the split .* not one of its 5"):
        Stage.of(stage.benchmark, tasks=[taskworlds.Task("point", {"goal": (0.5, 0.5)})])


def test_rows_of_other_processes_are_played_again_in_this_one():
    stage = Stage.of("point", num_goals=2, max_episode_steps=4, vector_strategy="async")
    row = stage.make_row(stage.tasks[0], render_mode="rgb_array")
    try:
        assert row.envs.engine.name != "async"
        assert row.num_envs == 1
    finally:
        row.envs.close()


def test_what_cannot_be_played_says_so():
    class Learner:
        def init(self): ...
        def adapt_action(self, obs): ...
        def step(self, timestep): ...
        def adapt(self): ...
        def eval_action(self, obs): ...

    with pytest.raises(TypeError, match=r"policy must be one that does not adapt to tasks, not .*Learner"):
        play(Learner(), Stage.of("point", num_goals=1))


def test_tasks_that_fail_are_told_and_not_shown(monkeypatch):
    from taskworlds.worlds.small import numpy_rows

    stage = Stage.of("point", num_goals=2, max_episode_steps=3)
    begin = numpy_rows.PointRows.begin

    def broken(self, rows, tasks, seeds):
        if stage.tasks[0] in tasks:
            raise OSError("no world")
        begin(self, rows, tasks, seeds)

    monkeypatch.setattr(numpy_rows.PointRows, "begin", broken)
    session = play("random", stage)
    assert [each.task for each in session.episodes] == [stage.tasks[1]]
    assert [record.error for record in session.failed] == ["OSError: no world"]


def test_a_stage_is_a_value():
    stage = Stage.of("point", num_goals=2, seed=1)
    assert dataclasses.replace(stage) == stage
    assert stage.settings == {"terminate_on_success": True}
