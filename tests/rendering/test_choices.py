"""Choices about pictures that are refused before anything is drawn, in every world that draws with MuJoCo."""

import pytest

import taskworlds

REFUSED = [
    ({"width": 10**6}, r"width must be at most 16384 pixels, not 1000000: MuJoCo draws .* Draw it smaller"),
    ({"height": 16_385}, "height must be at most 16384 pixels, not 16385"),
    (
        {"width": 16_384, "height": 4_097},
        r"width times height must be at most 67108864 pixels \(8192 x 8192\)",
    ),
    ({"camera_name": "corner", "camera_id": 1}, "by camera_name or by camera_id, not by both"),
    ({"camera_id": -2}, "camera_id must be at least -1, not -2"),
    ({"camera_id": "corner"}, "camera_id must be a whole number, not 'corner'"),
    ({"camera_name": 1}, "camera_name must be a string, not 1"),
]


@pytest.mark.parametrize(("choice", "message"), REFUSED)
def test_what_cannot_be_drawn_is_refused_when_the_environment_is_made(choice, message):
    with pytest.raises((TypeError, ValueError), match=message):
        taskworlds.make("reach-v3", seed=0, render_mode="rgb_array", **choice)
    with pytest.raises((TypeError, ValueError), match=message):
        taskworlds.make_vec("half-cheetah-vel", 2, vector_strategy="sync", **choice)
    with pytest.raises((TypeError, ValueError), match=message):
        taskworlds.HalfCheetahVelEnv(render_mode="depth_array", **choice)


def test_the_largest_pictures_are_taken():
    for size in ({"width": 16_384, "height": 4_096}, {"width": 8_192, "height": 8_192}):
        taskworlds.make("reach-v3", seed=0, render_mode="rgb_array", **size).close()
