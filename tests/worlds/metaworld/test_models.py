"""Models with Meta-World's arm: what is left out of them, one for each process, and the files that keep them."""

import os
import pickle
from pathlib import Path

import metaworld.asset_path_utils
import mujoco
import numpy as np
import pytest
from metaworld.env_dict import ALL_V3_ENVIRONMENTS

from taskworlds.engine import Model
from taskworlds.worlds.metaworld.models import metaworld_model
from taskworlds.worlds.metaworld.native import scene_of
from taskworlds.worlds.metaworld.sawyer import ARM_READS
from taskworlds.worlds.metaworld.skill import READ_SIZES
from taskworlds.worlds.metaworld.skills import SKILLS

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


@pytest.mark.parametrize("folder", ["cache", "Modèle", os.fsdecode(b"no text \xff")])
def test_cached_models_outlive_the_cache(tmp_path, monkeypatch, capfd, folder):
    monkeypatch.setenv("TASKWORLDS_CACHE_DIR", str(tmp_path / folder))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("taskworlds.worlds.metaworld.models._cache", {})
    made = metaworld_model(DRAWER).native.to_bytes()
    (file,) = tmp_path.glob("*/models/*.mjb")
    monkeypatch.setattr("taskworlds.worlds.metaworld.models._cache", {})
    model = metaworld_model(DRAWER)  # from the file
    assert model.native.to_bytes() == made
    for spoil in (lambda: None, lambda: file.write_bytes(made[:1000]), file.unlink):
        spoil()
        assert Model.from_mujoco(model.to_mujoco()).native.to_bytes() == made
    assert capfd.readouterr() == ("", "")
    assert not (tmp_path / "MUJOCO_LOG.TXT").exists()


def test_wrong_models():
    with pytest.raises(
        ValueError, match=r"Meta-World has no model file 'drawer.xml'\. Give a path within its assets"
    ):
        metaworld_model("drawer.xml")


@pytest.mark.parametrize("skill", SKILLS, ids=lambda skill: skill.name)
def test_reads_are_as_wide_as_the_kernel_takes_them_to_be(skill):
    sizes = [READ_SIZES[source] for source, *_ in (ARM_READS | dict(skill.reads)).values()]
    assert scene_of(skill).native.read_sizes == sizes
