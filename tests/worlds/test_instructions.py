"""The sentences of all worlds: enough of them, well formed, and silent about goals that are hidden."""

from __future__ import annotations

import re

import pytest

import taskworlds
from taskworlds.core.registry import worlds
from taskworlds.core.task import Task
from taskworlds.core.world import World
from taskworlds.worlds import locomotion
from taskworlds.worlds.control import instructions as control
from taskworlds.worlds.control.skills import SKILLS as CONTROL
from taskworlds.worlds.locomotion.instructions import HIDDEN, VISIBLE, instructions
from taskworlds.worlds.locomotion.skills import SKILLS as LOCOMOTION
from taskworlds.worlds.metaworld import instructions as metaworld
from taskworlds.worlds.metaworld.skills import SKILLS as METAWORLD

WORLDS = [world for world in worlds() if world.suite in ("metaworld", "control", "locomotion", "small")]


def sample_tasks(world):
    """Returns two tasks of each skill, or one where there is one."""
    if world.suite == "metaworld":
        return taskworlds.benchmark("MT50", seed=0, num_goals=2).train_tasks
    if world.suite == "control":
        return [Task(name) for name in world.env_names()]
    return taskworlds.benchmark(world.name, seed=0).train_tasks[:2]


def test_the_tables_have_every_skill():
    assert sorted(metaworld.PARAPHRASES) == sorted(each.name for each in METAWORLD)
    assert sorted(control.PARAPHRASES) == sorted(each.env_name for each in CONTROL)
    assert sorted(HIDDEN) == sorted(each.name for each in LOCOMOTION)
    assert set(VISIBLE) == set(HIDDEN) - {"walker2d-rand-params"}


@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.name)
def test_each_task_has_a_plain_instruction_and_five_paraphrases(world):
    for task in sample_tasks(world):
        sentences = world.instructions_of(task)
        assert len(sentences) == len(set(sentences)) >= 6
        for text in sentences:
            assert re.fullmatch(r"[A-Z][A-Za-z0-9 ',;:=.()/-]+\.", text), text
            assert "  " not in text
            assert len(text) < 90
        if world.suite in ("metaworld", "control"):
            assert sentences[0] == world.instruction(task.env_name)


def test_no_two_skills_of_meta_world_share_a_sentence():
    every = [text for task in sample_tasks(WORLDS[0]) for text in WORLDS[0].instructions_of(task)]
    assert len(every) == 2 * len(set(every)) == 600


def test_hidden_goals_are_not_told():
    tasks = taskworlds.benchmark("ML1", env_name="reach-v3", seed=0).train_tasks
    assert len({WORLDS[0].instructions_of(task) for task in tasks}) == 1
    for skill in LOCOMOTION:
        tasks = taskworlds.benchmark(skill.name, seed=0).train_tasks
        told = {instructions(task) for task in tasks}
        assert len(tasks) > 1
        assert told == {HIDDEN[skill.name]}
        assert not re.search(r"[0-9{]", "".join(HIDDEN[skill.name]))


@pytest.mark.parametrize(
    ("env_name", "params", "plain"),
    [
        ("half-cheetah-vel", {"velocity": 1.4689671435774587}, "Run at 1.47 m/s."),
        ("half-cheetah-vel", {"velocity": -0.001}, "Run at 0.00 m/s."),
        ("half-cheetah-dir", {"direction": -1.0}, "Run backward."),
        ("ant-dir", {"angle": 6.283}, "Run in the direction of 0 degrees from the x axis towards y."),
        ("ant-dir", {"angle": 1.0}, "Run in the direction of 57 degrees from the x axis towards y."),
        ("ant-goal", {"goal": (1.234, -2.0)}, "Go to x = 1.23 m, y = -2.00 m."),
    ],
)
def test_visible_goals_are_told(env_name, params, plain):
    sentences = instructions(Task(env_name, params | {"partially_observable": False}))
    goal = re.search(r"forward|backward|x = .*(?=\.)|[\d.]+ (m/s|degrees from the x axis towards y)", plain)
    assert sentences[0] == plain
    assert all(goal.group() in text for text in sentences)


def test_the_body_of_walker2d_is_never_told():
    skill = locomotion.skills.skill("walker2d-rand-params")
    task = skill.task(skill.default, partially_observable=False)
    assert instructions(task) == HIDDEN["walker2d-rand-params"]


def test_a_world_without_sentences_has_one_from_its_description():
    world = World(**_BARE, described=lambda name: ("robot", "tidy up"))
    assert world.instructions_of(Task("tidy")) == ("Tidy up.",)
    assert World(**_BARE).instructions_of(Task("tidy")) == ("Tidy.",)


@pytest.mark.parametrize("returned", ["Tidy up.", (), ("Tidy up.", ""), ["Tidy up."]])
def test_what_a_world_returns_is_checked(returned):
    world = World(**_BARE, instructions=lambda task: returned)
    with pytest.raises(
        TypeError, match="instructions of the world 'own' must return a tuple of sentences, the plain"
    ):
        world.instructions_of(Task("tidy"))


_BARE = {
    "name": "own",
    "suite": "own",
    "skills": ("tidy",),
    "actions": "own:actions",
    "observations": "own:observations",
    "max_episode_steps": 5,
    "row": "own:row",
}
