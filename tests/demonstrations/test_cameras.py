"""Pictures of episodes that were played without."""

from __future__ import annotations

import numpy as np
import pytest

from taskworlds.demonstrations import Cameras, Plan, collect


def test_pictures_are_those_of_the_environment():
    found = collect("expert", "reach-v3", episodes=1, max_episode_steps=1, num_goals=1)
    with Cameras(found.plan, ["corner2", "gripperPOV"], width=32, height=24) as cameras:
        drawn = cameras.pictures(found.episodes[0])
    with Cameras(found.plan, ["corner2"], width=32, height=24, shadows=False) as cameras:
        bright = cameras.pictures(found.episodes[0])
    env = found.plan.make(render_mode="rgb_array", camera_name="corner2", width=32, height=24)
    env.reset(options={"task": found.episodes[0].task})
    expected = [env.render()]
    for action in found.episodes[0].recording.actions:
        env.step(action)
        expected.append(env.render())
    np.testing.assert_array_equal(drawn["corner2"], expected)
    assert drawn["gripperPOV"].shape == (2, 24, 32, 3)
    assert (drawn["gripperPOV"] != drawn["corner2"]).any()
    assert (bright["corner2"] != drawn["corner2"]).any()


def test_an_episode_of_another_version_is_not_drawn(point):
    episode = point.episodes[0]
    other = episode._replace(recording=episode.recording._replace(rewards=episode.recording.rewards + 1))
    with (
        Cameras(point.plan, ["default"]) as cameras,
        pytest.raises(ValueError, match=r"Step 1 of an episode of point .* has another reward"),
    ):
        cameras.pictures(other)


@pytest.mark.parametrize(
    ("benchmark", "names", "size", "message"),
    [
        ("point", [], {}, "names must name at least one camera, each once, not"),
        ("point", ["default", "default"], {}, "each once"),
        ("point", "default", {}, "names must be a list"),
        ("point", ["corner"], {}, "camera_name must not be given for point"),
        ("reach-v3", ["cornr"], {}, "'cornr'"),
        ("reach-v3", ["corner"], {"width": 0}, "width"),
    ],
)
def test_mistakes(benchmark, names, size, message):
    plan = Plan.of("random", benchmark, episodes=1)
    with pytest.raises((ValueError, TypeError), match=message):
        Cameras(plan, names, **size)
