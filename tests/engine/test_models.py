"""Models and scenes: names, caching, and messages for mistakes."""

import ast
import os
import pickle
from pathlib import Path

import metaworld.asset_path_utils
import mujoco
import numpy as np
import pytest
from metaworld.env_dict import ALL_V3_ENVIRONMENTS

import taskworlds
from taskworlds.engine import MocapControl, Model, Scene, _native, metaworld_model
from taskworlds.vector import _batch

DRAWER = "sawyer_xyz/sawyer_drawer.xml"


def test_one_model_per_file_and_process():
    model = metaworld_model(DRAWER)
    assert metaworld_model(DRAWER) is model
    assert pickle.loads(pickle.dumps(model)) is model


PHYSICS = ("body_", "jnt_", "dof_", "eq_", "actuator_", "site_", "exclude_", "pair_", "tendon_")
SHAPE = ("pos", "quat", "size", "type", "rbound", "aabb", "contype", "conaffinity", "condim", "margin", "gap")
SHAPE += ("friction", "solref", "solimp", "solmix", "priority")
FILES = sorted({Path(c.model_name.fget(object.__new__(c))).name for c in ALL_V3_ENVIRONMENTS.values()})


@pytest.mark.parametrize("file", FILES)
def test_trimmed_model_has_all_that_physics_depends_on(file):
    path = metaworld.asset_path_utils.ENV_ASSET_DIR_V3 / "sawyer_xyz" / file
    whole, ours = mujoco.MjModel.from_xml_path(str(path)), metaworld_model(f"sawyer_xyz/{file}").to_mujoco()
    welds = whole.eq_type == mujoco.mjtEq.mjEQ_WELD
    assert welds.any()
    whole.eq_data[welds] = [0, 0, 0, 0, 0, 0, -1, 0, 0, 0, 5]
    addresses = {"body_geomadr", "body_geomnum", "body_bvhadr", "body_bvhnum"}
    for name in set(dir(whole)) - addresses:
        if name.startswith(PHYSICS):
            value = getattr(whole, name)
            if isinstance(value, np.ndarray) and name != "site_matid":
                assert np.array_equal(value, getattr(ours, name)), name
    assert str(whole.opt) == str(ours.opt)
    for body in np.flatnonzero(whole.body_contype | whole.body_conaffinity):
        for kind in ("geom", "bvh"):
            number = getattr(whole, f"body_{kind}num")[body]
            assert getattr(ours, f"body_{kind}num")[body] == number
            theirs = slice(getattr(whole, f"body_{kind}adr")[body], None)
            mine = slice(getattr(ours, f"body_{kind}adr")[body], None)
            for name in SHAPE if kind == "geom" else ("aabb", "child", "depth"):
                theirs_all, mine_all = getattr(whole, f"{kind}_{name}"), getattr(ours, f"{kind}_{name}")
                assert np.array_equal(theirs_all[theirs][:number], mine_all[mine][:number]), name


def test_round_trip_through_mujoco():
    model = metaworld_model(DRAWER)
    copy = Model.from_mujoco(model.to_mujoco())
    assert copy.native.to_bytes() == model.native.to_bytes()
    assert pickle.loads(pickle.dumps(copy)).native.to_bytes() == model.native.to_bytes()


def test_a_copy_is_of_the_model_as_it_was():
    theirs = metaworld_model(DRAWER).to_mujoco()
    theirs.body_mass[3] = 7.0
    ours = Model.from_mujoco(theirs)
    theirs.body_mass[3] = 8.0
    assert ours.to_mujoco().body_mass[3] == 7.0
    del theirs
    assert ours.to_mujoco().body_mass[3] == 7.0


def test_wrong_models(tmp_path):
    with pytest.raises(TypeError, match=r"model must be a mujoco\.MjModel, not 'drawer'\. For saved bytes"):
        Model.from_mujoco("drawer")
    with pytest.raises(
        ValueError, match=r"Meta-World has no model file 'drawer.xml'\. Give a path within its assets"
    ):
        metaworld_model("drawer.xml")
    for data in (b"", b"no model", metaworld_model(DRAWER).native.to_bytes()[:1000]):
        with pytest.raises(ValueError, match="The bytes are no compiled model"):
            Model(data)
        (tmp_path / "model.mjb").write_bytes(data)
        with pytest.raises(ValueError, match=r"model\.mjb is no compiled model"):
            Model.from_file(tmp_path / "model.mjb")
    with pytest.raises(ValueError, match=r"none\.mjb is no compiled model"):
        Model.from_file(tmp_path / "none.mjb")
    (tmp_path / "model.mjb").write_bytes(metaworld_model(DRAWER).native.to_bytes())
    with pytest.raises(ValueError, match="must not hold a NUL"):
        Model.from_file(f"{tmp_path}/model.mjb\0.txt")


def test_a_model_is_as_its_file_was(tmp_path):
    file, drawer = tmp_path / "model.mjb", metaworld_model(DRAWER).native.to_bytes()
    file.write_bytes(drawer)
    model = Model.from_file(file)
    assert model.native.num_bytes == len(drawer)
    file.write_bytes(metaworld_model("sawyer_xyz/sawyer_door_pull.xml").native.to_bytes())
    assert Model.from_mujoco(model.to_mujoco()).native.to_bytes() == drawer
    assert pickle.loads(pickle.dumps(model)).native.to_bytes() == drawer


@pytest.mark.parametrize("folder", ["cache", "Modèle", os.fsdecode(b"no text \xff")])
def test_cached_models_outlive_the_cache(tmp_path, monkeypatch, capfd, folder):
    monkeypatch.setenv("TASKWORLDS_CACHE_DIR", str(tmp_path / folder))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("taskworlds.engine.models._cache", {})
    made = metaworld_model(DRAWER).native.to_bytes()
    (file,) = tmp_path.glob("*/models/*.mjb")
    monkeypatch.setattr("taskworlds.engine.models._cache", {})
    model = metaworld_model(DRAWER)  # from the file
    assert model.native.to_bytes() == made
    for spoil in (lambda: None, lambda: file.write_bytes(made[:1000]), file.unlink):
        spoil()
        assert Model.from_mujoco(model.to_mujoco()).native.to_bytes() == made
    assert capfd.readouterr() == ("", "")
    assert not (tmp_path / "MUJOCO_LOG.TXT").exists()


def test_wrong_names():
    model = metaworld_model(DRAWER)
    with pytest.raises(ValueError, match=r"The model has no body named 'drawr'\. Did you mean 'drawer'\?"):
        model.find("body", "drawr")
    with pytest.raises(ValueError, match="The body 'hand' is not a mocap body"):
        Scene(model, 5, mocap=MocapControl("hand", (0, 0, 0), (1, 1, 1)))
    with pytest.raises(ValueError, match="The source of a read must be one of 'body_xpos'"):
        Scene(model, 5, reads=(("body_pos", "hand"),))
    with pytest.raises(ValueError, match="The field of an override must be one of 'body_pos'"):
        Scene(model, 5, overrides=(("body_mass", "hand"),))
    with pytest.raises(
        ValueError,
        match=r"A read is \(source, name\), \(source,\) for all, or \('touch', geom, geom\), not \('touch', 'a'\)",
    ):
        Scene(model, 5, reads=(("touch", "a"),))
    with pytest.raises(ValueError, match=r"An actuator's id must be in \[0, 2\), not 2"):
        Scene(model, 5, controls=((0, 1.0),) * 3)
    with pytest.raises(ValueError, match="frame_skip must be at least 1, not 0"):
        Scene(model, 0)


def test_slices_follow_the_order_given():
    reads = (("site_xmat", "goal"), ("qpos", "goal_slidey"), ("touch", "leftpad_geom", "objGeom"))
    scene = Scene(
        metaworld_model(DRAWER), 5, reads=reads[:2], overrides=(("site_pos", "goal"), ("body_quat", "drawer"))
    )
    assert list(scene.read_slices.values()) == [slice(0, 9), slice(9, 10)]
    assert scene.native.read_size == 10
    assert scene.override_slices == {("site_pos", "goal"): slice(0, 3), ("body_quat", "drawer"): slice(3, 7)}
    assert scene.native.override_size == 7


@pytest.mark.parametrize("module", [_native, _batch], ids=lambda module: module.__name__)
def test_committed_stub_is_the_generated_one(module):
    *_, package, name = module.__name__.split(".")
    generated = Path(module.__file__).with_name(f"{name}.pyi")
    committed = Path(taskworlds.__file__).parent / package / f"{name}.pyi"
    assert ast.dump(ast.parse(committed.read_text())) == ast.dump(ast.parse(generated.read_text()))
