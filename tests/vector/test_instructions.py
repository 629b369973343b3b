"""Instructions of rows: which sentence each has, in infos and as attributes, and that draws follow the seeds."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import numpy as np
import pytest

import taskworlds
from taskworlds.core.registry import world_of

PAGE = (Path(__file__).parents[2] / "docs" / "instructions.md").read_text()


def sentences(task):
    return world_of(task.env_name).instructions_of(task)


def numbers(told, tasks):
    """Returns which of their tasks' sentences were told."""
    pairs = zip(itertools.chain(*told), itertools.chain(*tasks), strict=True)
    return {sentences(task).index(text) for text, task in pairs}


def play(envs, steps, seed=0):
    """Returns the instructions of a reset and of each step, and the tasks, with actions of zeros."""
    infos = envs.reset(seed=seed)[1]
    told, tasks = [infos["instruction"].tolist()], [envs.current_tasks]
    for _ in range(steps):
        infos = envs.step(np.zeros((envs.num_envs, *envs.single_action_space.shape), np.float32))[4]
        told.append(infos["instruction"].tolist())
        tasks.append(envs.current_tasks)
    return told, tasks


def point(**options):
    how = {
        "seed": 0,
        "num_goals": 6,
        "max_episode_steps": 2,
        "instructions_in_info": True,
        "task_select": "random",
    }
    return taskworlds.make_vec("point", 3, **how | options)


def test_the_plain_instruction_needs_no_option():
    envs = taskworlds.make_vec("point", 3, seed=0)
    assert envs.instructions.tolist() == [None] * 3
    infos = envs.reset(seed=0)[1]
    assert "instruction" not in infos
    assert envs.instructions.tolist() == [sentences(task)[0] for task in envs.current_tasks]
    env = taskworlds.make("point", seed=0)
    assert env.instruction is None
    env.reset(seed=0)
    assert env.instruction == sentences(env.task)[0]


@pytest.mark.parametrize("mode", ["SameStep", "NextStep"])
def test_infos_tell_the_instruction_of_the_task_at_hand(mode):
    envs = point(autoreset_mode=mode)
    told, tasks = play(envs, 5)
    assert told == [[sentences(task)[0] for task in row] for row in tasks]
    assert len({text for row in told for text in row}) > 3
    assert envs.instructions.tolist() == told[-1]


def test_the_ended_episodes_instruction_is_in_final_info():
    envs = point()
    before = envs.reset(seed=0)[1]["instruction"]
    actions = np.zeros((3, 2), np.float32)
    envs.step(actions)
    infos = envs.step(actions)[4]
    assert infos["_final_info"].all()
    assert infos["final_info"]["instruction"].tolist() == before.tolist()
    assert (infos["instruction"] != before).any()
    assert infos["_instruction"].all()
    assert envs.row_info(infos, 1)["instruction"] == infos["instruction"][1]


def test_draws_are_the_same_on_every_engine_and_leave_the_tasks_alone():
    plain, tasks = play(point(), 40)
    told, same_tasks = play(point(paraphrases=True), 40)
    assert same_tasks == tasks
    assert told != plain
    assert numbers(told, tasks) == set(range(6))
    for engine in ("sync", "numpy"):
        assert play(point(paraphrases=True, vector_strategy=engine), 40)[0] == told
    assert play(point(paraphrases=True), 40, seed=1)[0] != told


def test_draws_are_from_the_sentences_that_were_chosen():
    assert numbers(*play(point(paraphrases=[4, 1]), 40)) == {1, 4}


def test_a_row_that_keeps_its_task_draws_anew_for_each_episode():
    env = taskworlds.make("grid-4x4", seed=0, paraphrases=True, instructions_in_info=True)
    told = []
    for _ in range(30):
        info = env.reset()[1]
        told.append(info["instruction"])
        assert env.instruction == info["instruction"]
    assert len(set(told)) == 6


def test_a_trial_has_one_instruction():
    envs = point(paraphrases=True, k_episodes=3)
    told, _ = play(envs, 6)
    assert len({tuple(row) for row in told[:6]}) == 1
    assert told[6] != told[0]


def test_a_snapshot_goes_on_with_the_same_draws():
    envs, other = point(paraphrases=True), point(paraphrases=True)
    envs.reset(seed=3)
    actions = np.zeros((3, 2), np.float32)
    envs.step(actions)
    other.set_state(envs.get_state())
    assert other.instructions.tolist() == envs.instructions.tolist()
    for _ in range(10):
        one, two = envs.step(actions)[4], other.step(actions)[4]
        assert one["instruction"].tolist() == two["instruction"].tolist()
    other.set_state(envs.get_state(), rows=1)
    for _ in range(10):
        one, two = envs.step(actions)[4], other.step(actions)[4]
        assert two["instruction"].tolist() == [one["instruction"][1]] * 3


def test_a_snapshot_of_other_draws_is_refused():
    with pytest.raises(
        ValueError, match=r"paraphrases is '\[1, 2\]' in the state and '\[1\]' in this environ"
    ):
        point(paraphrases=[1]).set_state(_state(point(paraphrases=[1, 2])))
    with pytest.raises(ValueError, match="paraphrases is None in the state and True in this environment"):
        point(paraphrases=True).set_state(_state(point()))
    point().set_state(_state(point(paraphrases=True)))  # which draws nothing


def _state(envs):
    envs.reset(seed=0)
    return envs.get_state()


@pytest.mark.parametrize(
    ("given", "kind", "message"),
    [
        ("1", TypeError, "paraphrases must be True, False, or a list of the numbers .* not '1'"),
        ([], ValueError, "paraphrases must name at least one sentence to draw from"),
        ([-1], ValueError, "Each of the paraphrases must be at least 0, not -1"),
        ([0.5], TypeError, "Each of the paraphrases must be a whole number"),
        (
            [0, 6],
            ValueError,
            r"paraphrases must be numbers below 6 for point, which has 6 instructions, not \(0, 6\)",
        ),
    ],
)
def test_numbers_that_do_not_fit(given, kind, message):
    with pytest.raises(kind, match=message):
        taskworlds.make_vec("point", seed=0, paraphrases=given)


def test_the_page_runs_as_written(capsys):
    blocks = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    assert len(blocks) == 4
    exec(compile("\n".join(blocks), "docs/instructions.md", "exec"), {"__name__": "__main__"})
    shown = [line[2:] for block in blocks for line in block.splitlines() if line.startswith("# ")]
    assert capsys.readouterr().out.splitlines() == shown
