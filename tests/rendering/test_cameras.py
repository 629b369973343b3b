"""Several cameras, where they stand, and pictures by several threads."""

import threading

import mujoco
import numpy as np
import pytest

from taskworlds.rendering import drawing
from taskworlds.rendering.cameras import Cameras
from taskworlds.rendering.views import Views

SCENE = """
<mujoco>
  <visual><quality shadowsize="1024"/></visual>
  <worldbody>
    <light pos="1 1 4" dir="-.2 -.2 -1"/>
    <camera name="side" pos="0 -3 1" xyaxes="1 0 0 0 .3 1"/>
    <camera name="hanging" pos="0 -3 1" xyaxes="-1 0 0 0 -.3 -1"/>
    <geom name="floor" type="plane" size="5 5 1" rgba=".6 .7 .6 1"/>
    <body name="ball" pos="0 0 .5"><joint type="slide" axis="1 0 0"/>
      <geom type="sphere" size=".3" rgba="1 0 0 1"/>
      <camera name="riding" mode="trackcom" pos="0 -2 0" xyaxes="1 0 0 0 0 1"/>
    </body>
  </worldbody>
</mujoco>
"""
SIZE = 40, 30


@pytest.fixture(scope="module")
def model():
    return mujoco.MjModel.from_xml_string(SCENE)


@pytest.fixture(scope="module")
def stage(model):
    made = drawing.Stage(model)
    yield made
    made.close()


def cameras(model, stage, names, channels="rgb", place=0.0, **how):
    data = mujoco.MjData(model)
    data.qpos[0] = place
    return Cameras(model, data, Views(names, *SIZE, channels, **how), stage=stage, upright=True)


def test_each_picture_is_the_one_taken_alone(model, stage):
    together = cameras(model, stage, ("side", "riding"), "rgbd").pictures()
    alone = [
        *cameras(model, stage, ("side",)).pictures(),
        *cameras(model, stage, ("side",), "depth").pictures(),
        *cameras(model, stage, ("riding",)).pictures(),
        *cameras(model, stage, ("riding",), "depth").pictures(),
    ]
    assert [each.shape for each in together] == [(30, 40, 3), (30, 40)] * 2
    for ours, other in zip(together, alone, strict=True):
        np.testing.assert_array_equal(ours, other)


def test_threads_draw_the_same_in_order(model, stage):
    """The rows share one model and are drawn by several contexts, each row in its own place."""
    places = [-1.0, -0.4, 0.0, 0.6, 1.1]
    views = Views(("side",), *SIZE, num_threads=3)
    shown = [cameras(model, stage, ("side",), place=place) for place in places]
    expected = [each.pictures()[0] for each in shown]
    for _ in range(2):
        pictures = drawing.spread([each.job() for each in shown], views)
        for (picture,), same in zip(pictures, expected, strict=True):
            np.testing.assert_array_equal(picture, same)
    drawers = [each for each in threading.enumerate() if each.name.startswith("taskworlds-draw-")]
    assert len(drawers) >= 3


def test_an_error_in_a_thread_is_raised_when_all_have_ended(model, stage):
    ended = []

    def fails():
        raise ValueError("of one row")

    jobs = [drawing.Job(-1, fails), *(drawing.Job(-2 - i, lambda: ended.append(0)) for i in range(3))]
    with pytest.raises(ValueError, match="of one row"):
        drawing.spread(jobs, Views(num_threads=2))
    assert len(ended) == 3


def test_few_rows_stay_where_their_models_are():
    class Studio:
        def __init__(self, *kept):
            self.kept = frozenset(kept)

    first, second = Studio(1, 2, 3), Studio(4, 5, 6)

    def dealt(*stages):
        jobs = [drawing.Job(stage, lambda: None) for stage in stages]
        return ["first" if each is first else "second" for each in drawing._dealt(jobs, [first, second])]

    assert dealt(1, 2, 3) == ["first"] * 3  # no copies for a part of the rows
    assert dealt(6, 1, 4, 2) == ["second", "first", "second", "first"]
    assert dealt(7, 7, 7, 7) == ["first"] * 2 + ["second"] * 2
    assert sorted(dealt(*[1] * 10)) == ["first"] * 5 + ["second"] * 5


@pytest.mark.parametrize("camera", ["side", "hanging", "riding", None])
def test_matrices_find_the_depths(model, stage, camera):
    """A ray through the middle of a pixel meets something as far away as the picture says."""
    (depths,) = cameras(model, stage, (camera,), "depth", place=0.3).pictures()
    (found,) = cameras(model, stage, (camera,), "matrices", place=0.3).pictures()
    intrinsics, extrinsics = found[:3, :3], found[3:]
    data = mujoco.MjData(model)
    data.qpos[0] = 0.3
    mujoco.mj_forward(model, data)
    turn, shift = extrinsics[:3, :3], extrinsics[:3, 3]
    np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-6)
    for row, column in ((20, 20), (25, 5), (28, 33), (16, 20)):
        ray = np.linalg.solve(intrinsics, [column + 0.5, row + 0.5, 1.0])
        met = mujoco.mj_ray(
            model,
            data,
            -turn.T @ shift,
            turn.T @ ray / np.linalg.norm(ray),
            None,
            1,
            -1,
            np.zeros(1, np.int32),
        )
        assert met > 0
        assert met / np.linalg.norm(ray) == pytest.approx(depths[row, column], rel=0.02)


def test_poses_move_cameras_and_leave_the_model_alone(model, stage):
    before = model.cam_pos.copy(), model.cam_quat.copy(), model.cam_poscom0.copy()
    turned = (0.0, -2.0, 2.0, *model.cam_quat[0])
    poses = (("riding", (0.0, -2.5, 0.0)), ("side", turned))
    moved = cameras(model, stage, ("side", "riding"), "matrices", poses=poses).pictures()
    for found, centre in zip(moved, ((0.0, -2.0, 2.0), (0.0, -2.5, 0.5)), strict=True):
        np.testing.assert_allclose(-found[3:6, :3].T @ found[3:6, 3], centre, atol=1e-6)
    for now, then in zip((model.cam_pos, model.cam_quat, model.cam_poscom0), before, strict=True):
        np.testing.assert_array_equal(now, then)
    near = cameras(model, stage, ("side",), poses=poses).pictures()[0]
    assert (near != cameras(model, stage, ("side",)).pictures()[0]).any()


def test_training_changes_edges_and_shadows_and_official_is_as_before(model, stage):
    official = cameras(model, stage, ("side",)).pictures()[0]
    training = cameras(model, stage, ("side",), quality="training").pictures()[0]
    again = cameras(model, stage, ("side",)).pictures()[0]
    np.testing.assert_array_equal(official, again)
    changed = (official != training).any(axis=-1).mean()
    assert 0 < changed < 0.3


@pytest.mark.parametrize(
    ("names", "how", "message"),
    [
        (("above",), {}, "cameras must be of side, hanging, riding, which the model has, not 'above'"),
        ((9,), {}, "camera_id must be from -1"),
        (
            ("side",),
            {"poses": (("above", (0.0, 0.0, 1.0)),)},
            "camera_poses must be of side, hanging, riding",
        ),
    ],
)
def test_cameras_that_the_model_does_not_have(model, stage, names, how, message):
    with pytest.raises(ValueError, match=message):
        cameras(model, stage, names, **how)
