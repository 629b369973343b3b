"""Models and scenes: names, copies, and messages for mistakes."""

import ast
import functools
import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import mujoco
import pytest

import taskworlds
from taskworlds.engine import MocapControl, Model, Scene, _native
from taskworlds.perf import _bare_loop
from taskworlds.vector import _batch

DRAWER = """
<mujoco>
  <worldbody>
    <geom name="floor" type="plane" size="5 5 1"/>
    <body name="hand" pos="0 0 1"><geom name="pad" size="0.1"/></body>
    <body name="drawer" pos="0 1 0.5">
      <joint name="slide" type="slide" axis="{axis}" damping="2"/><geom name="front" size="0.2"/>
    </body>
    <site name="goal" pos="0 0 1"/>
  </worldbody>
  <actuator><motor joint="slide"/><motor joint="slide" gear="2"/></actuator>
</mujoco>"""


@functools.cache
def drawer(axis="0 1 0"):
    return Model.from_mujoco(mujoco.MjModel.from_xml_string(DRAWER.format(axis=axis)))


def test_a_model_travels_by_its_origin():
    model = Model.from_mujoco(drawer().to_mujoco(), origin=(drawer, ("1 0 0",)))
    assert pickle.loads(pickle.dumps(model)) is drawer("1 0 0")
    named = Model.from_mujoco(drawer().to_mujoco(), origin=("math:prod", ([2, 3],)))
    assert pickle.loads(pickle.dumps(named)) == 6


def test_copies_for_mujoco_are_made_in_any_thread():
    """MuJoCo reads them under one name, which is each thread's own."""
    models = [drawer("1 0 0"), drawer("0 1 0")]
    with ThreadPoolExecutor(8) as pool:
        copies = list(pool.map(lambda n: (n % 2, models[n % 2].to_mujoco()), range(200)))
    for which, copy in copies:
        assert copy.jnt_axis[0].tolist() == [[1, 0, 0], [0, 1, 0]][which]


def test_round_trip_through_mujoco():
    model = drawer()
    copy = Model.from_mujoco(model.to_mujoco())
    assert copy.native.to_bytes() == model.native.to_bytes()
    assert pickle.loads(pickle.dumps(copy)).native.to_bytes() == model.native.to_bytes()


def test_threads_compile_what_was_read_to_what_mujoco_compiles():
    texts = [DRAWER.format(axis=axis) for axis in ("1 0 0", "0 1 0", "0 0 1", "1 1 0")]
    specs = [mujoco.MjSpec.from_string(text) for text in texts]
    with ThreadPoolExecutor(4) as threads:
        models = list(threads.map(Model.compile, specs))
    for text, model in zip(texts, models, strict=True):
        same = Model.from_mujoco(mujoco.MjModel.from_xml_string(text))
        assert model.native.to_bytes() == same.native.to_bytes()


def test_only_welds_to_mocap_bodies_are_given_data():
    spec = mujoco.MjSpec.from_string("""
      <mujoco>
        <worldbody>
          <body name="hand" mocap="true"><geom size="0.1"/></body>
          <body name="a"><freejoint/><geom size="0.1"/></body>
          <body name="b"><freejoint/><geom size="0.1"/></body>
        </worldbody>
        <equality><weld body1="a" body2="hand"/><weld body1="a" body2="b"/>
          <connect body1="hand" body2="b" anchor="0 0 1"/>
        </equality>
      </mujoco>""")
    data = [float(i) for i in range(11)]
    changed, plain = Model.compile(spec, weld=data).to_mujoco(), spec.compile()
    assert changed.eq_data[0].tolist() == data != plain.eq_data[0].tolist()
    assert (changed.eq_data[1:] == plain.eq_data[1:]).all()


def test_what_cannot_be_compiled_is_said_in_mujocos_words():
    spec = mujoco.MjSpec.from_string(
        "<mujoco><worldbody><body name='a'><freejoint/></body></worldbody></mujoco>"
    )
    with pytest.raises(
        ValueError, match=r"The model cannot be compiled \(.*mass and inertia of moving bodies"
    ):
        Model.compile(spec)


def test_a_copy_is_of_the_model_as_it_was():
    theirs = drawer().to_mujoco()
    theirs.body_mass[2] = 7.0
    ours = Model.from_mujoco(theirs)
    theirs.body_mass[2] = 8.0
    assert ours.to_mujoco().body_mass[2] == 7.0
    del theirs
    assert ours.to_mujoco().body_mass[2] == 7.0


def test_wrong_models(tmp_path):
    with pytest.raises(TypeError, match=r"model must be a mujoco\.MjModel, not 'drawer'\. For saved bytes"):
        Model.from_mujoco("drawer")
    for data in (b"", b"no model", drawer().native.to_bytes()[:1000]):
        with pytest.raises(ValueError, match="The bytes are not a compiled model"):
            Model(data)
        (tmp_path / "model.mjb").write_bytes(data)
        with pytest.raises(ValueError, match=r"model\.mjb is not a compiled model"):
            Model.from_file(tmp_path / "model.mjb")
    with pytest.raises(ValueError, match=r"none\.mjb is not a compiled model"):
        Model.from_file(tmp_path / "none.mjb")
    (tmp_path / "model.mjb").write_bytes(drawer().native.to_bytes())
    with pytest.raises(ValueError, match="must not hold a NUL"):
        Model.from_file(f"{tmp_path}/model.mjb\0.txt")


def test_a_model_is_as_its_file_was(tmp_path):
    file, saved = tmp_path / "model.mjb", drawer().native.to_bytes()
    file.write_bytes(saved)
    model = Model.from_file(file)
    assert model.native.num_bytes == len(saved)
    file.write_bytes(drawer("1 0 0").native.to_bytes())
    assert Model.from_mujoco(model.to_mujoco()).native.to_bytes() == saved
    assert pickle.loads(pickle.dumps(model)).native.to_bytes() == saved


def test_wrong_names():
    model = drawer()
    with pytest.raises(ValueError, match=r"The model has no body named 'drawr'\. Did you mean 'drawer'\?"):
        model.find("body", "drawr")
    with pytest.raises(ValueError, match="The body 'hand' is not a mocap body"):
        Scene(model, 5, mocap=MocapControl("hand", (0, 0, 0), (1, 1, 1)))
    with pytest.raises(ValueError, match="The source of a read must be one of 'body_xpos'"):
        Scene(model, 5, reads=(("body_pos", "hand"),))
    with pytest.raises(ValueError, match="The field of an override must be one of 'body_pos'"):
        Scene(model, 5, overrides=(("body_gravcomp", "hand"),))
    with pytest.raises(
        ValueError,
        match=r"A read is \(source, name\), \(source,\) for all, or \('touch', geom, geom\), not \('touch', 'a'\)",
    ):
        Scene(model, 5, reads=(("touch", "a"),))
    with pytest.raises(ValueError, match=r"An actuator's id must be in \[0, 2\), not 2"):
        Scene(model, 5, controls=((0, 1.0),) * 3)
    with pytest.raises(ValueError, match=r"low must have 3 numbers, not \(0, 0\)"):
        MocapControl("hand", (0, 0), (1, 1, 1))
    with pytest.raises(ValueError, match="frame_skip must be at least 1, not 0"):
        Scene(model, 0)


def test_slices_follow_the_order_given():
    reads = (("site_xmat", "goal"), ("qpos", "slide"))
    scene = Scene(drawer(), 5, reads=reads, overrides=(("site_pos", "goal"), ("body_quat", "drawer")))
    assert list(scene.read_slices.values()) == [slice(0, 9), slice(9, 10)]
    assert scene.native.read_size == 10
    assert scene.override_slices == {("site_pos", "goal"): slice(0, 3), ("body_quat", "drawer"): slice(3, 7)}
    assert scene.native.override_size == 7


@pytest.mark.parametrize("module", [_native, _bare_loop, _batch], ids=lambda module: module.__name__)
def test_committed_stub_is_the_generated_one(module):
    *_, package, name = module.__name__.split(".")
    generated = Path(module.__file__).with_name(f"{name}.pyi")
    committed = Path(taskworlds.__file__).parent / package / f"{name}.pyi"
    assert ast.dump(ast.parse(committed.read_text())) == ast.dump(ast.parse(generated.read_text()))
