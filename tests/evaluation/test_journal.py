"""Episodes that are written as they end: what stops an evaluation loses at most the episode at hand."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest

import taskworlds
from taskworlds.evaluation import Stopped, evaluate, journal, random_policy
from taskworlds.evaluation.policies import RandomPolicy

POINT = {"num_goals": 3, "episodes_per_task": 2, "max_episode_steps": 7, "num_envs": 2, "seed": 1}


def play(policy="random", **settings):
    return evaluate(policy, "point", **POINT | settings)


def the_file(folder):
    return folder / journal.NAME


class AlwaysOne:
    """Moves as far as it can."""

    def __call__(self, observations):
        return np.ones((len(observations), 2))


class Interrupting:
    """Random actions until Ctrl-C, which comes at a call of its own."""

    def __init__(self, last):
        self.last = last
        self.calls = 0
        self.inner = RandomPolicy(taskworlds.make("point").action_space, 1)

    def begin_episodes(self, mask, infos):
        self.inner.begin_episodes(mask, infos)

    def __call__(self, obs):
        self.calls += 1
        if self.calls > self.last:
            raise KeyboardInterrupt
        return self.inner(obs)


@pytest.mark.parametrize("last", [1, 7, 8, 15, 20])
def test_after_ctrl_c_only_the_rest_is_played(tmp_path, last):
    whole = play(Interrupting(10**6))
    with pytest.raises(KeyboardInterrupt):
        play(Interrupting(last), resume=tmp_path)
    kept = journal.read(tmp_path).episodes
    lengths = [each.length for record in whole.tasks for each in record.episodes]
    steps = []
    told = []
    rest = play(
        Interrupting(10**6),
        resume=tmp_path,
        on_step=steps.append,
        on_outcome=lambda task, episode: told.append((task.id, episode)),
    )
    assert rest == whole
    assert sum(steps) == sum(lengths) - sum(each.length for each in kept.values())
    assert len(told) == len(lengths) - len(kept)
    assert len(journal.read(tmp_path).episodes) == len(lengths)


def test_ctrl_c_brings_finished_tasks_too(tmp_path):
    with pytest.raises(Stopped) as stop:
        play(Interrupting(20), resume=tmp_path)
    kept = journal.read(tmp_path).episodes
    assert stop.value.result.tasks == tuple(
        record for record in play().tasks if (record.task.id, 0) in kept and (record.task.id, 1) in kept
    )


def test_what_is_finished_is_not_played_at_all(tmp_path):
    whole = play(resume=tmp_path)

    def never(observations):
        raise AssertionError("asked for an action")

    never.__module__, never.__qualname__ = "other", "policy"
    with pytest.raises(ValueError, match="policy was 'random' then and is 'other:policy' now"):
        play(never, resume=tmp_path)
    steps = []
    assert play(resume=tmp_path, on_step=steps.append) == whole
    assert steps == []


def test_a_killed_process_loses_the_episode_at_hand(tmp_path):
    program = f"""
import os, signal, taskworlds
count = 0
def on_episode(done, total):
    if done == 4:
        os.kill(os.getpid(), signal.SIGKILL)
taskworlds.evaluate("random", "point", **{POINT!r}, resume={str(tmp_path)!r}, on_episode=on_episode)
"""
    killed = subprocess.run([sys.executable, "-c", program], stdin=subprocess.DEVNULL)
    assert killed.returncode == -signal.SIGKILL
    assert len(journal.read(tmp_path).episodes) == 4
    steps = []
    assert play(resume=tmp_path, on_step=steps.append) == play()
    assert sum(steps) == 2 * 7


@pytest.mark.parametrize("cut", [1, 40, -1])
def test_a_line_that_was_cut_off_is_played_again(tmp_path, cut):
    whole = play(resume=tmp_path)
    data = the_file(tmp_path).read_bytes()
    last = data.rstrip(b"\n").rindex(b"\n") + 1
    the_file(tmp_path).write_bytes(data[: len(data) + cut if cut < 0 else last + cut])
    steps = []
    assert play(resume=tmp_path, on_step=steps.append) == whole
    assert sum(steps) == 7
    assert the_file(tmp_path).read_bytes() == data


def test_a_line_in_the_middle_that_was_changed_is_told(tmp_path):
    play(resume=tmp_path)
    lines = the_file(tmp_path).read_text().splitlines(keepends=True)
    lines[2] = lines[2].replace('"length": 7', '"length": 6')
    the_file(tmp_path).write_text("".join(lines))
    with pytest.raises(ValueError, match=r"damaged in line 3 \(its checksum does not match\)\. Start over"):
        play(resume=tmp_path)
    assert the_file(tmp_path).read_text() == "".join(lines)


@pytest.mark.parametrize("other", [{"seed": 2}, {"num_goals": 4}, {"episodes_per_task": 3}])
def test_lines_of_another_evaluation_are_told(tmp_path, other):
    play(resume=tmp_path / "a")
    play(resume=tmp_path / "b", **other)
    first, *own = the_file(tmp_path / "a").read_text().splitlines(keepends=True)
    added = the_file(tmp_path / "b").read_text().splitlines(keepends=True)[1:]
    mixed = "".join([first, *own[:2], *added])
    (tmp_path / "c").mkdir()
    the_file(tmp_path / "c").write_text(mixed)
    with pytest.raises(
        ValueError, match=r"resume must be part of this same evaluation, .* lines of several files"
    ):
        play(resume=tmp_path / "c")
    assert the_file(tmp_path / "c").read_text() == mixed


def test_an_episode_that_is_there_twice(tmp_path):
    whole = play(resume=tmp_path)
    play(policy=AlwaysOne(), resume=tmp_path / "other")
    text = the_file(tmp_path).read_text()
    lines = text.splitlines(keepends=True)
    the_file(tmp_path).write_text("".join([*lines, lines[1]]))
    assert play(resume=tmp_path) == whole
    other = the_file(tmp_path / "other").read_text().splitlines(keepends=True)
    key = [json.loads(lines[1])[name] for name in ("task", "episode")]
    (same,) = [line for line in other[1:] if [json.loads(line)[name] for name in ("task", "episode")] == key]
    the_file(tmp_path).write_text("".join([*lines[:2], same, *lines[2:]]))
    with pytest.raises(ValueError, match="is there twice, with different outcomes"):
        play(resume=tmp_path)


@pytest.mark.parametrize(
    "text", ["", "\n", "null\n", "{}\n", '{"format": "taskworlds.Result"}\n', "[" * 10**5 + "\n", "\0" * 9]
)
def test_other_files_are_refused(tmp_path, text):
    the_file(tmp_path).write_text(text)
    if text == "":  # made, and nothing was written before the process was killed
        assert play(resume=tmp_path) == play()
        return
    with pytest.raises(ValueError, match=r"episodes\.jsonl (is damaged in line 1|has no whole line)"):
        play(resume=tmp_path)
    assert the_file(tmp_path).read_text() == text


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"seed": 2}, "seed was 1 then and is 2 now"),
        ({"episodes_per_task": 3}, "episodes_per_task was 2 then and is 3 now"),
        ({"max_episode_steps": 8}, "max_episode_steps was 7 then and is 8 now"),
        ({"num_goals": 2}, "tasks was '.*' then and is '.*' now"),
        ({"keep_actions": True}, "keep_actions was False then and is True now"),
        ({"policy": "taskworlds.evaluation.policies:RandomPolicy.__name__"}, None),
    ],
)
def test_only_the_same_evaluation_goes_on(tmp_path, changed, message):
    play(resume=tmp_path)
    before = the_file(tmp_path).read_bytes()
    if message is None:
        policy = random_policy(taskworlds.make("point").action_space, 1)
        changed = {"policy": policy}
        message = "policy was 'random' then and is 'taskworlds.evaluation.policies:RandomPolicy' now"
    with pytest.raises(ValueError, match=f"resume must be part of this same evaluation, but .*: {message}"):
        play(resume=tmp_path, **changed)
    assert the_file(tmp_path).read_bytes() == before


def test_the_number_of_rows_may_change(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        play(Interrupting(20), resume=tmp_path)
    assert play(Interrupting(10**6), resume=tmp_path, num_envs=1) == play(Interrupting(10**6))


def test_two_evaluations_do_not_write_to_one_file(tmp_path):
    inside, message = [], []

    def on_episode(done, total):
        if not inside:
            inside.append(True)
            with pytest.raises(ValueError, match="is being written by another evaluation") as refused:
                play(resume=tmp_path)
            message.append(str(refused.value))

    whole = play(resume=tmp_path, on_episode=on_episode)
    assert whole == play()
    assert len(message) == 1


def test_a_full_disk_loses_the_episode_at_hand(tmp_path, monkeypatch):
    write, room = os.pwrite, [5]

    def pwrite(file, data, offset):
        if room[0] == 0:
            write(file, data[:10], offset)  # a part of it still has room
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        room[0] -= 1
        return write(file, data, offset)

    monkeypatch.setattr(os, "pwrite", pwrite)
    with pytest.raises(
        journal.NotWritten, match=r"No space left on device while .*; 4 episodes are kept there"
    ):
        play(resume=tmp_path)
    monkeypatch.undo()
    assert len(journal.read(tmp_path).episodes) == 4
    assert the_file(tmp_path).read_bytes().endswith(b"}\n")
    steps = []
    assert play(resume=tmp_path, on_step=steps.append) == play()
    assert sum(steps) == 2 * 7


def test_actions_are_kept(tmp_path):
    result = play(resume=tmp_path, keep_actions=True)
    kept = journal.read(tmp_path)
    space = taskworlds.make("point").action_space
    for record in result.tasks:
        for number, episode in enumerate(record.episodes):
            actions = kept.actions(record.task, number)
            assert actions.shape == (episode.length, *space.shape)
            assert actions.dtype == space.dtype
            assert space.contains(actions[0])
    play(resume=tmp_path / "without")
    assert journal.read(tmp_path / "without").actions(result.tasks[0].task, 0) is None


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64", "uint8", "bool"])
def test_actions_keep_their_bits(tmp_path, dtype):
    task = taskworlds.benchmark("point", num_goals=1).train_tasks[0]
    actions = np.arange(12).reshape(4, 3).astype(dtype)
    with journal.Writer(tmp_path, {"seed": 0}, keep_actions=True) as writer:
        writer.add(task, 0, taskworlds.evaluation.Episode(float("nan"), 4, None, None), actions)
    kept = journal.read(tmp_path)
    assert kept.actions(task, 0).dtype == actions.dtype
    assert kept.actions(task, 0).tobytes() == actions.tobytes()
    assert np.isnan(kept.episodes[task.id, 0].episode_return)


def test_a_batch_of_adaptation_is_played_as_a_whole(tmp_path):
    class Learner:
        def __init__(self, last=10**6):
            self.last, self.steps = last, 0

        def init(self):
            self.best = 0.0

        def adapt_action(self, obs):
            return np.full((len(obs), 2), 0.1), {}

        def step(self, timestep):
            self.best += float(timestep.reward.sum())

        def adapt(self):
            pass

        def eval_action(self, obs):
            self.steps += 1
            if self.steps > self.last:
                raise KeyboardInterrupt
            return np.full((len(obs), 2), np.tanh(self.best) * 0.1)

        def reset(self, env_mask):
            pass

    settings = {"adaptation_episodes": 1, "num_goals": 4}
    whole = play(Learner(), **settings)
    with pytest.raises(Stopped):
        play(Learner(20), resume=tmp_path, **settings)
    kept = len(journal.read(tmp_path).episodes)
    assert 4 <= kept < 8
    steps = []
    assert play(Learner(), resume=tmp_path, on_step=steps.append, **settings) == whole
    assert sum(steps) == 2 * 3 * 7  # two tasks, an episode of adaptation and two that count
    with pytest.raises(ValueError, match="keep_actions must be left out for a meta-learning agent"):
        play(Learner(), resume=tmp_path / "x", keep_actions=True, **settings)


def test_mistakes(tmp_path):
    with pytest.raises(ValueError, match="keep_actions needs a folder to keep them in: give it as resume"):
        play(keep_actions=True)
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match=r"resume must be a folder, and .* is a file"):
        play(resume=tmp_path / "file")
    with pytest.raises(ValueError, match="keep_actions must be one of True, False"):
        play(resume=tmp_path, keep_actions="yes")
    with pytest.raises(TypeError, match="on_outcome must be a function of a task and an episode"):
        play(on_outcome=3)
    with pytest.raises(FileNotFoundError):
        journal.read(tmp_path)


def test_the_file_is_lines_of_json(tmp_path):
    result = play(resume=tmp_path)
    about, *lines = map(json.loads, the_file(tmp_path).read_text().splitlines())
    assert about["fingerprint"] == result.fingerprint.to_dict()
    assert {(line["task"], line["episode"]) for line in lines} == {
        (record.task.id, number) for record in result.tasks for number in range(2)
    }
