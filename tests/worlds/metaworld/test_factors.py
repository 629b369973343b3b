"""Factors of Meta-World's tasks: which skill has which, which values they take, and what objects are."""

import dataclasses
from pathlib import Path

import mujoco
import numpy as np
import pytest

import taskworlds
from taskworlds import Benchmark, Task
from taskworlds.evaluation import expert_policy
from taskworlds.worlds.metaworld import edits
from taskworlds.worlds.metaworld.factors import FACTORS, PHYSICAL, factors_of, look_of, physics_of
from taskworlds.worlds.metaworld.mended import MENDED
from taskworlds.worlds.metaworld.models import full_metaworld_model
from taskworlds.worlds.metaworld.objects import HAMMER, HELD, MESHES, OBJECTS, WHERE
from taskworlds.worlds.metaworld.skills import SKILLS, skill, temporarily_registered


def task_of(name, **factors):
    own = taskworlds.benchmark("MT1", name, seed=0, num_goals=1).train_tasks[0]
    return Task(name, {**own.params, **factors})


def checked(name, **factors):
    Benchmark("one", (task_of(name, **factors),))


def test_every_skill_has_an_object_or_none():
    assert set(OBJECTS) == {each.name for each in SKILLS}
    assert [name for name, thing in OBJECTS.items() if thing is None] == ["reach-v3", "reach-wall-v3"]


@pytest.mark.parametrize("name", [each.name for each in SKILLS if OBJECTS[each.name] is not None])
def test_the_table_is_the_models(name):
    model, thing = full_metaworld_model(skill(name).model), OBJECTS[name]
    bodies = edits.moving_bodies(model, name)
    dofs = [dof for dof in range(model.nv) if model.dof_bodyid[dof] in bodies]
    assert dofs
    assert not any(is_in(model, body, model.body("base").id) for body in bodies)  # nothing of the arm
    for root in thing.bodies:  # each names something that moves
        assert any(is_in(model, body, model.body(root).id) for body in bodies)
    assert thing.is_damped == bool(model.dof_damping[dofs].any())
    geoms = [geom for geom in range(model.ngeom) if model.geom_bodyid[geom] in bodies]
    meshes = [geom for geom in geoms if model.geom_type[geom] == mujoco.mjtGeom.mjGEOM_MESH]
    joints = [int(model.jnt_type[joint]) for joint in range(model.njnt) if model.jnt_bodyid[joint] in bodies]
    free = mujoco.mjtJoint.mjJNT_FREE
    if free not in joints:
        why = HELD if another_size_touches(skill(name).model, bodies) else WHERE
    elif name == "hammer-v3":
        why = HAMMER
    elif joints == [free] and any(
        model.geom_contype[geom] or model.geom_conaffinity[geom] for geom in meshes
    ):
        why = MESHES
    else:
        why = None
    assert (None if thing.is_sizable else thing.no_size) == why
    if thing.is_sizable:  # what resizing takes for granted
        sized = edits.sized_bodies(model, name)
        assert [
            int(model.jnt_type[joint]) for joint in range(model.njnt) if model.jnt_bodyid[joint] in sized
        ] == [free]
        inner = [body for body in sized if model.body_parentid[body] in sized]
        assert (model.body_pos[inner] == 0).all()
        assert (model.body_quat[inner] == [1, 0, 0, 0]).all()
        own = [geom for geom in geoms if model.geom_bodyid[geom] in sized]
        drawn = [geom for geom in own if geom in meshes]
        assert not model.geom_contype[drawn].any()
        assert not model.geom_conaffinity[drawn].any()
        others = [geom for geom in range(model.ngeom) if geom not in own]
        assert not set(model.geom_dataid[drawn]) & set(model.geom_dataid[others])
        sites = {model.site(site).name for site in edits.sites_of(model, name)}
        assert not sites & {moved for field, moved in skill(name).moves if field == "site_pos"}
    assert thing.colour == pytest.approx(colour_of_largest(model, geoms), abs=0.005)


def another_size_touches(asset, bodies):
    """Whether bodies of some other size reach into what holds them or the table, where the model has them."""

    def depth(size):
        model = full_metaworld_model(asset)
        edits._resize(model, bodies, size)
        data = mujoco.MjData(model)
        mujoco.mj_forward(model, data)
        touching = model.geom_bodyid[data.contact.geom].reshape(-1, 2)
        around = np.isin(touching, bodies).sum(axis=1) == 1
        around &= ~(touching == model.body("RetainingWall").id).any(axis=1)  # resets place them away from it
        return max(-data.contact.dist[around], default=0.0)

    return max(map(depth, (0.8, 1.1, 1.2))) > depth(1.0) + 0.0005


def is_in(model, body, root):
    while body:
        if body == root:
            return True
        body = model.body_parentid[body]
    return False


def colour_of_largest(model, geoms):
    drawn = [geom for geom in geoms if model.geom_group[geom] < 3]
    largest = max(drawn, key=lambda geom: model.geom_rbound[geom])
    material, own = model.geom_matid[largest], model.geom_rgba[largest]
    plain = material < 0 or not np.allclose(own, (0.5, 0.5, 0.5, 1.0))  # as MuJoCo chooses between the two
    return (own if plain else model.mat_rgba[material])[:3].tolist()


@pytest.mark.parametrize("name", [each.name for each in SKILLS if OBJECTS[each.name] is not None])
def test_the_expert_moves_the_object(name):
    """What the table calls the object is what ends elsewhere when the expert has played."""
    envs = taskworlds.make_vec(name, 1, seed=0, vector_strategy="sync", autoreset_mode="Disabled")
    expert = expert_policy()
    obs, infos = envs.reset(seed=0)
    expert.begin_episodes(np.array([True]), infos | {"task_name": np.array([name])})
    env = envs.get_attr("model")[0], envs.get_attr("data")[0]
    bodies = edits.moving_bodies(env[0], name)
    obs, *_ = envs.step(expert(obs))  # some resets leave positions stale
    before = env[1].xpos[bodies].copy(), env[1].xquat[bodies].copy()
    for _ in range(200):
        obs, _, _, _, infos = envs.step(expert(obs))
    moved = np.abs(env[1].xpos[bodies] - before[0]).max(), np.abs(env[1].xquat[bodies] - before[1]).max()
    assert max(moved) > 0.005
    envs.close()


def test_names_of_factors():
    assert list(factors_of("push-v3")) == list(FACTORS)[:2] + ["object_size"] + list(FACTORS)[4:]
    assert [name for name in factors_of("reach-v3") if name in PHYSICAL] == ["friction"]


@pytest.mark.parametrize(
    ("name", "factors", "message"),
    [
        (
            "reach-v3",
            {"object_mass": 2.0},
            "reach-v3 does not have the factor 'object_mass': there is no object",
        ),
        (
            "push-v3",
            {"damping": 2.0},
            "push-v3 does not have the factor 'damping': its object's joints have no",
        ),
        (
            "drawer-open-v3",
            {"object_size": 1.1},
            "'object_size': its object is held by a hinge or a slide, and one",
        ),
        (
            "dial-turn-v3",
            {"object_size": 1.1},
            "'object_size': its object is held by a hinge or a slide, and obs",
        ),
        (
            "hammer-v3",
            {"object_size": 1.1},
            "'object_size': its object is a hammer and a nail, and rewards look",
        ),
        (
            "box-close-v3",
            {"object_size": 1.1},
            "'object_size': its object touches with meshes, which all rows",
        ),
        (
            "push-v3",
            {"object_mas": 2.0},
            "not object_mas. Did you mean 'object_mass'",
        ),
        ("push-v3", {"object_mass": 0.0}, "object_mass must be from 0.01 to 100, not 0.0"),
        ("push-v3", {"friction": "low"}, "friction must be a number for push-v3, not 'low'"),
        ("push-v3", {"friction": True}, "friction must be a number"),
        ("push-v3", {"table_colour": (1.0, 2.0, 0.0)}, "green of table_colour must be from 0 to 1, not 2.0"),
        ("push-v3", {"table_colour": 1.0}, "table_colour must be a tuple of 3 numbers"),
        ("push-v3", {"camera_jitter": (0.1, 0.1)}, "camera_jitter must be a tuple of 4 numbers"),
        ("push-v3", {"variation": 3}, "variation must be a string"),
        (
            "push-v3",
            {"version": "mended"},
            'push-v3 has no version "mended": stick-push-v3 and stick-pull-v3 have',
        ),
        ("stick-push-v3", {"version": "v3"}, 'version must be "mended", or be left out'),
    ],
)
def test_what_is_refused(name, factors, message):
    with pytest.raises((ValueError, TypeError)) as caught:
        checked(name, **factors)
    assert message in str(caught.value)


def test_what_is_named_instead_is_there():
    """A message names the parameters that the skill itself has."""
    for name in ("push-v3", "stick-push-v3"):
        with pytest.raises(ValueError, match="Beside them it can have") as caught:
            checked(name, mass=2.0)
        named = str(caught.value).split("can have ")[1].rstrip(".").split(", ")
        assert named == [*factors_of(name), "variation", *(["version"] if name in MENDED else [])]


def test_what_changes_nothing_counts_as_unchanged():
    task = task_of("push-v3", object_mass=1.0, friction=1, light=1.0, camera_jitter=(0, 0, 0, 0.0))
    assert physics_of(task) == look_of(task) == ()


def test_tasks_with_factors_travel():
    task = task_of("push-v3", object_mass=0.5, table_colour=(0.1, 0.2, 0.3))
    assert Task.from_json(task.to_json()) == task
    assert task.id != task_of("push-v3").id
    with pytest.raises(ValueError, match="do not know object_mass, table_colour"):
        task.to_metaworld()


def test_registered_skills_have_what_needs_no_table():
    mine = dataclasses.replace(skill("drawer-open-v3"), name="drawer-of-mine-v1")
    with temporarily_registered(mine):
        assert list(factors_of("drawer-of-mine-v1")) == ["friction", "light", "camera_jitter"]
        with pytest.raises(ValueError, match="not one of Meta-World's skills"):
            checked("drawer-of-mine-v1", object_mass=2.0)


def test_the_page_tells_the_table():
    page = (Path(__file__).parents[3] / "docs" / "variation.md").read_text()
    for name, factor in FACTORS.items():
        count = sum(name in factors_of(each.name) for each in SKILLS)
        (line,) = [
            line for line in page.splitlines() if line.startswith(f"| `{name}` | ") and f"| {count} |" in line
        ]
        assert factor.summary.split(":")[0] in line
        assert (Path(__file__).parents[3] / "docs" / "media" / "variation" / f"{name}.webp").is_file()
    told = {}
    for line in page.partition("| its size can vary |")[2].splitlines()[2:]:
        if not line.startswith("|"):
            break
        why, names = (cell.strip() for cell in line.strip("|").split("|"))
        told[why] = names.split(", ")
    things = {name.removesuffix("-v3"): thing for name, thing in OBJECTS.items()}
    wanted = {"yes": [name for name, thing in things.items() if thing is not None and thing.is_sizable]}
    for why in (HELD, WHERE, HAMMER, MESHES):
        wanted[f"no: the object {why}"] = [
            name for name, thing in things.items() if thing and not thing.is_sizable and thing.no_size == why
        ]
    wanted["no: there is no object"] = [name for name, thing in things.items() if thing is None]
    assert told == wanted
