"""Pictures of a camera, against `mujoco.Renderer`'s, which has a context of its own for each."""

import mujoco
import numpy as np
import pytest

from taskworlds.rendering import drawing
from taskworlds.rendering.camera import Camera

XML = """
<mujoco>
  <visual><quality shadowsize="{shadow}"/></visual>
  <asset>
    <hfield name="hills" nrow="3" ncol="3" size="1 1 1 0.1"/>
    <texture name="check" type="2d" builtin="checker" width="8" height="8" rgb1="{colour}" rgb2="1 1 1"/>
    <material name="check" texture="check"/>
  </asset>
  <worldbody>
    <light pos="1 0 4" dir="-0.2 0 -1" castshadow="true"/>
    <geom type="plane" size="3 3 0.1" material="check"/>
    <geom name="hills" type="hfield" hfield="hills" pos="1 1 0"/>
    <body name="ball" pos="0 0 1"><freejoint/><geom size="0.4" material="check"/></body>
    <camera name="side" pos="0 -4 2" xyaxes="1 0 0 0 0.4 1"/>
    <camera name="hanging" pos="0 -4 2" xyaxes="-1 0 0 0 -0.4 -1"/>
    <camera name="above" pos="0 0 5" xyaxes="0 1 0 -1 0 0"/>
  </worldbody>
</mujoco>
"""


def simulation(colour="1 0 0", shadow=512):
    model = mujoco.MjModel.from_xml_string(XML.format(colour=colour, shadow=shadow))
    return model, mujoco.MjData(model)


def mujocos_own(model, data, camera, width, height, depth):
    mujoco.mj_forward(model, data)
    model.vis.global_.offwidth, model.vis.global_.offheight = max(640, width), max(480, height)
    with mujoco.Renderer(model, height, width) as renderer:
        if depth:
            renderer.enable_depth_rendering()
        renderer.update_scene(data, camera)
        return renderer.render()


def picture(model, data, name="side", number=None, mode="rgb_array", size=(40, 30), **how):
    camera = Camera(model, data, mode, name, number, *size, **how)
    taken = camera.picture()
    camera.close()
    return taken


def test_a_picture_is_mujocos():
    """Models are drawn by turns with one context and one shadow map of each size; none changes another's picture."""
    simulations = [simulation(), simulation("0 0 1"), simulation(shadow=0)]
    cameras, theirs = [], []
    for mode, size in (("rgb_array", (40, 30)), ("depth_array", (40, 30)), ("rgb_array", (700, 20))):
        for model, data in simulations:
            data.qpos[0] = 0.1 * len(cameras)
            theirs.append(mujocos_own(model, data, "side", *size, mode == "depth_array"))
            cameras.append(Camera(model, data, mode, "side", None, *size))
            ours = cameras[-1].picture()
            assert (ours.dtype, ours.flags.c_contiguous, ours.std() > 0) == (theirs[-1].dtype, True, True)
            np.testing.assert_array_equal(ours, theirs[-1])
    for camera, last in zip(cameras[-3:], theirs[-3:], strict=True):
        cameras[0].close()
        np.testing.assert_array_equal(camera.picture(), last)
    for camera in cameras:
        camera.close()
    number_of_free_camera = -1
    ours = picture(*simulations[0], name=None, number=number_of_free_camera)
    np.testing.assert_array_equal(ours, mujocos_own(*simulations[0], -1, 40, 30, False))


def test_depths_are_metres():
    model, data = simulation()
    depths = picture(model, data, "above", mode="depth_array", size=(31, 31))
    assert depths[15, 15] == pytest.approx(5 - 1.4, abs=0.01)  # the ball's top
    assert depths[15, 2] == pytest.approx(5.0, abs=0.01)  # the floor


def test_more_models_than_are_kept_are_drawn(monkeypatch):
    (first_studio,) = drawing._several(1)
    monkeypatch.setattr(first_studio, "_most_kept", 2)
    cameras = [
        Camera(*simulation(colour), "rgb_array", "side", None, 40, 30)
        for colour in ("1 0 0", "0 1 0", "0 0 1")
    ]
    first = [camera.picture() for camera in cameras]
    for camera, before in zip(cameras, first, strict=True):
        np.testing.assert_array_equal(camera.picture(), before)
        assert len(first_studio.kept) <= 2
        camera.close()


def test_changed_heights_and_colours_are_seen():
    model, data = simulation()
    camera = Camera(model, data, "rgb_array", "side", None, 40, 30)
    flat = camera.picture()
    model.hfield_data[4] = 1.0
    hilly = camera.picture()
    assert not np.array_equal(flat, hilly)
    model.geom("hills").rgba[:] = 0, 1, 0, 1
    assert not np.array_equal(hilly, camera.picture())
    camera.close()


def test_a_camera_that_hangs_upside_down():
    model, data = simulation()
    hanging, side = picture(model, data, "hanging"), picture(model, data)
    np.testing.assert_array_equal(picture(model, data, "hanging", upright=True), hanging[::-1, ::-1])
    edges = np.abs(hanging[::-1, ::-1].astype(float) - side)  # are smoothed from the other side
    assert edges.mean() < 1 < 20 < np.abs(hanging.astype(float) - side).mean()
    for camera in ("side", "above"):  # one that looks straight down hangs neither way
        np.testing.assert_array_equal(
            picture(model, data, camera, upright=True), picture(model, data, camera)
        )


def test_the_free_camera_shows_what_it_is_told_to():
    model, data = simulation()
    there = picture(model, data, None, lookat=(0.0, 0.0, 1.0))
    data.qpos[0] = 0.5
    assert not np.array_equal(there, picture(model, data, None, lookat=(0.0, 0.0, 1.0)))
    data.qpos[0] = 0.0
    np.testing.assert_array_equal(there, picture(model, data, None, lookat=(0.0, 0.0, 1.0)))


def test_a_closed_camera_draws_no_more():
    camera = Camera(*simulation(), "rgb_array", None, None, 40, 30, default="side")
    camera.picture()
    camera.close()
    camera.close()
    with pytest.raises(RuntimeError, match="There is no picture, because the environment was closed"):
        camera.picture()


def test_mistakes():
    model, data = simulation()
    for name, number, message in (
        ("top", None, "camera_name must be one of side, hanging, above, not 'top'"),
        (None, 3, r"camera_id must be from -1 \(the free camera\) to 2, not 3"),
    ):
        with pytest.raises(ValueError, match=message):
            Camera(model, data, "rgb_array", name, number, 40, 30)
    with pytest.raises(RuntimeError, match='make the environment with render_mode="rgb_array"'):
        Camera(model, data, None, None, None, 40, 30)


def test_a_picture_that_cannot_be_drawn_says_why(monkeypatch):
    def resize(width, height, context):
        raise MemoryError("no room")

    monkeypatch.setattr(mujoco, "mjr_resizeOffscreen", resize)
    monkeypatch.setenv("MUJOCO_GL", "egl")
    message = r"The picture, 2000 x 10 pixels, could not be drawn \(MemoryError: no room\)\. MUJOCO_GL, .* is egl: set"
    with pytest.raises(RuntimeError, match=message):
        picture(*simulation(), size=(2000, 10))
