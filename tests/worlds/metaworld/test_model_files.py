"""Model files: Meta-World's own, and those of users that build on them."""

from __future__ import annotations

import os
import pickle
import shutil

import mujoco
import numpy as np
import pytest
from metaworld.asset_path_utils import ENV_ASSET_DIR_V3

from taskworlds.worlds.metaworld.model_files import read_spec
from taskworlds.worlds.metaworld.models import full_metaworld_model, metaworld_model

DRAWER = "sawyer_xyz/sawyer_drawer.xml"
PATHS = ("_sizes", "mesh_pathadr", "tex_pathadr")  # where the model keeps its files' paths

TETRAHEDRON = "v 0 0 0\nv 0.1 0 0\nv 0 0.1 0\nv 0 0 0.1\nf 1 3 2\nf 1 2 4\nf 2 3 4\nf 1 4 3\n"


def test_a_copy_of_an_official_model_elsewhere_is_the_same_model(tmp_path):
    shutil.copy(ENV_ASSET_DIR_V3 / DRAWER, tmp_path / "mine.xml")
    mine = read_spec(tmp_path / "mine.xml").compile()
    official = mujoco.MjModel.from_xml_path(str(ENV_ASSET_DIR_V3 / DRAWER))
    for name in dir(official):
        value = getattr(official, name)
        if isinstance(value, np.ndarray) and name not in PATHS:
            np.testing.assert_array_equal(getattr(mine, name), value, err_msg=name)


def test_files_beside_the_model_come_first(tmp_path):
    (tmp_path / "parts").mkdir()
    (tmp_path / "meshes").mkdir()
    (tmp_path / "meshes" / "wedge.obj").write_text(TETRAHEDRON)
    (tmp_path / "parts" / "body.xml").write_text(
        '<mujocoinclude><body name="wedge"><geom type="mesh" mesh="wedge"/></body></mujocoinclude>'
    )
    (tmp_path / "model.xml").write_text(
        """
        <mujoco>
          <compiler meshdir="meshes"/>
          <include file="../scene/basic_scene.xml"/>
          <asset><mesh name="wedge" file="wedge.obj"/></asset>
          <worldbody><include file="parts/body.xml"/></worldbody>
        </mujoco>
        """
    )
    model = read_spec(tmp_path / "model.xml").compile()
    assert model.mesh("wedge").vertnum == 4
    assert model.body("tablelink").id > 0  # from Meta-World's scene


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<mujoco><worldbody></mujoco>", r"mine.xml' is not readable XML: mismatched tag: line 1"),
        (
            '<mujoco><include file="nowhere.xml"/></mujoco>',
            r"names 'nowhere.xml', which is neither beside it nor where Meta-World's models look",
        ),
        ('<mujoco><asset><mesh file="a.stl"/></asset></mujoco>', "names 'a.stl'"),
        ('<mujoco><include file="ring.xml"/></mujoco>', "ring.xml' includes itself"),
    ],
)
def test_mistakes_in_files(tmp_path, text, message):
    (tmp_path / "mine.xml").write_text(text)
    (tmp_path / "ring.xml").write_text('<mujocoinclude><include file="ring.xml"/></mujocoinclude>')
    with pytest.raises(ValueError, match=message):
        read_spec(tmp_path / "mine.xml")


def test_no_such_file(tmp_path):
    with pytest.raises(ValueError, match=r"There is no model file '.*none.xml'\. Give the path"):
        metaworld_model(tmp_path / "none.xml")
    with pytest.raises(ValueError, match=r"Meta-World has no model file 'none.xml'.*or the absolute path"):
        metaworld_model("none.xml")


OWN = """
<mujoco>
  <include file="../objects/assets/xyz_base_dependencies.xml"/>
  <worldbody>
    <include file="../objects/assets/xyz_base.xml"/>
    <body name="box" pos="0 1 1">
      <freejoint/>
      <inertial pos="0 0 0" mass="1" diaginertia="1 1 1"/>
      <geom name="mark" size="0.1" contype="0" conaffinity="0"/>
      <geom size="0.2" contype="0" conaffinity="0"/>
    </body>
    <body name="lid" pos="0 1 1"><freejoint/><geom size="0.1" group="4"/></body>
  </worldbody>
  <equality>
    <weld body1="mocap" body2="hand"/>
    <weld body1="box" body2="lid" relpose="0 0 1 1 0 0 0"/>
  </equality>
</mujoco>
"""


@pytest.fixture
def own(tmp_path):
    (tmp_path / "own.xml").write_text(OWN)
    return tmp_path / "own.xml"


def test_named_geoms_of_own_files_stay(own):
    model, whole = metaworld_model(own), full_metaworld_model(own)
    assert model.find("geom", "mark") >= 0
    assert whole.body("box").geomnum == 2
    assert model.to_mujoco().body("box").geomnum == 1


def test_only_the_hands_weld_is_set_as_metaworld_sets_it(own):
    for model in (metaworld_model(own).to_mujoco(), full_metaworld_model(own)):
        assert model.eq_data[0].tolist() == [0, 0, 0, 0, 0, 0, -1, 0, 0, 0, 5]
        assert model.eq_data[1][:10].tolist() == [0, 0, 0, 0, 0, 1, 1, 0, 0, 0]


def test_own_models_are_pickled_whole(own):
    model = metaworld_model(str(own))
    assert metaworld_model(own) is model  # a path and its text are one file
    data = pickle.dumps(model)
    os.remove(own)
    assert pickle.loads(data).native.to_bytes() == model.native.to_bytes()
