"""The plain environment beside the official ones: it is what skills from outside are measured against.

That it is right for every skill, `test_native.py` (native equals official) and `test_the_official_skills_pass` of
tests/testing/test_check_skill.py (plain equals native) show together.
"""

import numpy as np
import pytest

from taskworlds import Task
from taskworlds.core.registry import world_of
from taskworlds.testing.parity import compare, make_rows
from taskworlds.worlds.metaworld.goals import draw_goals
from taskworlds.worlds.metaworld.reference import PlainEnv
from taskworlds.worlds.metaworld.skills import skill

SOME = ("coffee-pull-v3", "drawer-close-v3", "hammer-v3", "pick-place-v3", "stick-pull-v3")


def put(env, task):
    env._last_rand_vec = np.array(task["rand_vec"])
    env._partially_observable = task["partially_observable"]


def check(each, version, steps, lone_rows):
    """Two goals in one row: one shown, with float32 actions, and one hidden, with float64."""
    plain = lone_rows(lambda task: PlainEnv(each, version), put, 1)
    sync = make_rows("sync", world_of(each.name), [each.name], 1, reward_function_version=version)
    rng = np.random.default_rng(0)

    def act(tasks, obs, goals, step):
        hidden = tasks[0]["partially_observable"]
        return rng.uniform(-1.2, 1.2, (1, 4)).astype(np.float64 if hidden else np.float32)

    vectors = draw_goals([each.name], 0, 2)[each.name]
    rounds = [
        [Task(each.name, {"rand_vec": vector, "partially_observable": number == 1})]
        for number, vector in enumerate(vectors)
    ]
    outcome = compare(plain, sync, rounds, act, steps=steps)
    assert outcome.lines == []
    assert outcome.steps == 2 * steps
    assert outcome.states > outcome.steps
    sync.close()


@pytest.mark.parametrize("name", SOME)
def test_equal_to_official(name, lone_rows):
    check(skill(name), "v2", 20, lone_rows)
