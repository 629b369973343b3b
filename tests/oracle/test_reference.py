"""The plain environment beside the official ones: it is what skills from outside are measured against."""

import numpy as np
import pytest

from taskworlds.testing.parity import TOLERANCE, Official
from taskworlds.worlds.metaworld.goals import draw_goals
from taskworlds.worlds.metaworld.reference import PlainEnv
from taskworlds.worlds.metaworld.skills import SKILLS, skill

SOME = ("coffee-pull-v3", "drawer-close-v3", "hammer-v3", "pick-place-v3", "stick-pull-v3")


def compare(each, version, steps):
    official, plain = Official(each.name, version), PlainEnv(each, version)
    rng = np.random.default_rng(0)
    for number, goal in enumerate(draw_goals([each.name], 0, 2)[each.name]):
        visible = number == 0
        plain._last_rand_vec, plain._partially_observable = goal, not visible
        np.testing.assert_allclose(plain.reset()[0], official.reset(goal, visible), rtol=0, atol=TOLERANCE)
        for _ in range(steps):
            action = rng.uniform(-1.2, 1.2, 4).astype(np.float32 if visible else np.float64)
            obs, reward, _, _, info = official.env.step(action)
            our_obs, our_reward, _, _, our_info = plain.step(action)
            np.testing.assert_array_equal(plain.physics(), official.state())
            np.testing.assert_allclose(our_obs, obs, rtol=0, atol=TOLERANCE)
            np.testing.assert_allclose(our_reward, float(reward), rtol=TOLERANCE, atol=TOLERANCE)
            for name, value in info.items():
                np.testing.assert_allclose(our_info[name], float(value), rtol=TOLERANCE, atol=TOLERANCE)


@pytest.mark.parametrize("name", SOME)
def test_equal_to_official(name):
    compare(skill(name), "v2", steps=20)


@pytest.mark.slow
@pytest.mark.parametrize("each", SKILLS, ids=lambda each: each.name)
@pytest.mark.parametrize("version", ["v1", "v2"])
def test_every_skill_equals_the_official_one(each, version):
    compare(each, version, steps=150)
