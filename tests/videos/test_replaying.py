"""`replay`: episodes of a result whose actions were kept."""

import dataclasses
import json

import numpy as np
import pytest

import taskworlds
from taskworlds.videos import replay, replaying


@pytest.fixture
def kept(tmp_path, seeker):
    """A folder with a result of "point" and its actions: (folder, result)."""
    return kept_in(
        tmp_path / "results", seeker, "point", num_goals=4, episodes_per_task=2, max_episode_steps=15
    )


def kept_in(folder, policy, name, **settings):
    result = taskworlds.evaluate(policy, name, resume=folder, keep_actions=True, **settings)
    result.save(folder / "result.json")
    return folder, result


def test_every_episode_comes_out_the_same(kept):
    folder, result = kept
    for record in result.tasks:
        for number, episode in enumerate(record.episodes):
            again = replay(folder, record.task, number)
            assert again == (record.task, number, episode, None)
    again = replay(folder / "result.json", result.tasks[1].task.id[:8])
    assert again.task == result.tasks[1].task


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("ML1-test", {"env_name": "reach-v3", "num_goals": 1, "reward_function_version": "v2"}),
        ("reach-v3", {"num_goals": 1, "terminate_on_success": False, "seed": 5}),
        ("half-cheetah-vel", {"num_goals": 1, "episodes_per_task": 2}),
    ],
)
def test_with_the_settings_of_the_result(tmp_path, name, settings):
    folder, result = kept_in(tmp_path, "random", name, max_episode_steps=6, **settings)
    for record in result.tasks:
        for number, episode in enumerate(record.episodes):
            assert replay(folder, record.task, number).episode == episode


def test_it_is_drawn_if_wanted(kept, tmp_path, frames):
    folder, result = kept
    record = result.tasks[0]
    told = []
    out = tmp_path / "episode.mp4"
    again = replay(folder, record.task, out=out, every=4, on_picture=lambda *counts: told.append(counts))
    assert again.video.file == out
    found = frames(out)
    assert len(found) == again.video.num_pictures
    assert told == [(number + 1, len(found)) for number in range(len(found))]
    with pytest.raises(ValueError, match=r"out must be a new file, but .*episode\.mp4 exists"):
        replay(folder, record.task, out=out)
    replay(folder, record.task, out=out, every=15, force=True)
    assert len(frames(out)) < len(found)


def test_an_episode_that_comes_out_otherwise_is_an_error_with_what_differs(kept):
    folder, result = kept
    record = result.tasks[0]
    data = json.loads((folder / "result.json").read_text())
    numpy = result.fingerprint.packages["numpy"]

    def of_other_settings(**packages):
        fingerprint = dataclasses.replace(
            result.fingerprint, max_episode_steps=3, packages={**result.fingerprint.packages, **packages}
        )
        dataclasses.replace(result, fingerprint=fingerprint).save(folder / "result.json")

    assert data["seed"] == 0
    of_other_settings(numpy="1.0")
    with pytest.raises(
        ValueError, match=rf"What differs from the evaluation: numpy was '1\.0' and is '{numpy}'\."
    ):
        replay(folder, record.task)
    of_other_settings()
    with pytest.raises(
        ValueError, match=r"No version differs from those of the evaluation: .*other settings"
    ):
        replay(folder, record.task)


def test_without_actions_it_says_how_to_keep_them(tmp_path, seeker):
    result = taskworlds.evaluate(seeker, "point", num_goals=1)
    result.save(tmp_path / "result.json")
    with pytest.raises(
        FileNotFoundError, match=r"holds no episodes\.jsonl with actions: evaluate with --keep-actions"
    ):
        replay(tmp_path, result.tasks[0].task)
    taskworlds.evaluate(seeker, "point", num_goals=1, resume=tmp_path)
    with pytest.raises(ValueError, match=r"holds no actions of this episode: evaluate with --keep-actions"):
        replay(tmp_path, result.tasks[0].task)


def test_actions_of_another_evaluation_are_refused(tmp_path, seeker):
    folder, result = kept_in(tmp_path, seeker, "point", num_goals=1)
    other = taskworlds.evaluate("random", "point", num_goals=1)
    other.save(folder / "result.json")
    with pytest.raises(ValueError, match=r"episodes\.jsonl is of another evaluation than .*result\.json"):
        replay(folder, result.tasks[0].task)


@pytest.mark.parametrize(
    ("task", "more", "message"),
    [
        ("zzz", {}, r"task must be one of the 4 of .*result\.json, by its id .*, not 'zzz'\. The first is"),
        ("", {}, r"task must be one of the 4"),
        (
            taskworlds.Task("point", {"goal": (0.1, 0.1)}),
            {},
            r"task must be one of the 4 .*, not point \(task",
        ),
        (None, {"episode": 2}, "episode must be below 2, the number of episodes of point"),
        (None, {"episode": -1}, "episode must be at least 0"),
        (None, {"out": "a.avi"}, r"out must be the name of an mp4 or gif file, not a\.avi"),
        (None, {"out": "none/a.mp4"}, "out must be in a folder that exists, which none does not"),
        (None, {"every": 0}, "every must be at least 1"),
    ],
)
def test_what_is_not_there_is_named(kept, task, more, message):
    folder, result = kept
    with pytest.raises(ValueError, match=message):
        replay(folder, result.tasks[0].task if task is None else task, **more)


def test_the_beginning_of_several_ids_is_not_enough(kept):
    folder, result = kept
    for number, record in enumerate(result.tasks):
        record.task.__dict__["id"] = f"abc{number}"
    with pytest.raises(ValueError, match="task 'ab' is the beginning of 4 ids, such as abc0 and abc1"):
        replaying._record_of(result, "ab", folder)


def test_other_environments_cannot_be_made_again(tmp_path):
    import gymnasium

    from taskworlds.evaluation import random_policy

    env = gymnasium.make("CartPole-v1")
    result = taskworlds.evaluate(random_policy(env.action_space, 0), env)
    with pytest.raises(
        ValueError, match="result must be of a benchmark, not of the environment 'CartPole-v1'"
    ):
        replaying._stage(result, result.tasks[0].task)


def test_a_folder_without_a_result_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"result\.json"):
        replay(tmp_path, "a")


def test_actions_are_those_that_were_kept(kept):
    folder, result = kept
    record = result.tasks[0]
    played = replaying._played(result, record, 1, folder)
    assert played.actions.shape == (record.episodes[1].length, 2)
    assert played.actions.dtype == np.float32
