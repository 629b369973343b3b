"""Which pictures are taken, and what cannot be asked for."""

import pytest

from taskworlds.rendering.views import Views, check_cameras, check_poses


@pytest.mark.parametrize(
    ("cameras", "channels", "names"),
    [
        ((None,), "rgb", ("pixels",)),
        ((3,), "rgbd", ("pixels", "depth")),
        ((None,), "depth", ("depth",)),
        (("a",), "rgb", ("a",)),
        (("b", "a"), "rgbd", ("b", "b_depth", "a", "a_depth")),
        (("a", "b"), "depth", ("a_depth", "b_depth")),
    ],
)
def test_names_of_pictures(cameras, channels, names):
    views = Views(cameras, 8, 8, channels)
    assert views.names == names
    assert [depth for _, depth in views.shots] == [name.endswith("depth") for name in names]


@pytest.mark.parametrize(
    ("cameras", "error", "message"),
    [
        ("corner2", TypeError, r"cameras must be a tuple of names, such as \(\"corner2\",\), not 'corner2'"),
        (7, TypeError, "cameras must be a tuple of names"),
        (("a", 1), TypeError, "cameras must be names of cameras"),
        ((), ValueError, "at least one camera, and each once"),
        (("a", "a"), ValueError, "at least one camera, and each once"),
        (("state",), ValueError, "must not name 'state'"),
        (("a", "a_depth"), ValueError, "must not name 'a_depth'"),
    ],
)
def test_cameras_that_cannot_be(cameras, error, message):
    with pytest.raises(error, match=message):
        check_cameras(cameras)


@pytest.mark.parametrize(
    ("poses", "error", "message"),
    [
        ([("a", (0, 0, 1))], TypeError, "camera_poses must be a dictionary"),
        ({1: (0, 0, 1)}, TypeError, "camera_poses must be a dictionary"),
        ({"a": (0, 1)}, ValueError, r"camera_poses\['a'\] must be x, y, z in metres"),
        ({"a": 1.0}, ValueError, "must be x, y, z in metres"),
        ({"a": (0, 1, float("nan"))}, ValueError, "finite"),
        ({"a": (0, 1, 2, 0, 0, 0, 0)}, ValueError, "quaternion"),
        ({"a": ("0", 1, 2)}, ValueError, "finite numbers"),
    ],
)
def test_poses_that_cannot_be(poses, error, message):
    with pytest.raises(error, match=message):
        check_poses(poses)
