"""The families' values and compiled models, against upstream's numbers and against edited XML."""

import numpy as np
import pytest

from taskworlds import Task
from taskworlds.control import families, family
from taskworlds.worlds.control.environment import compiled, differing, import_suite, make_environment, same
from taskworlds.worlds.control.variations import VARIATIONS

pytestmark = pytest.mark.requires_dm_control

VALUES = {
    "size": (0.025, 0.05, 0.075, 0.1, 0.125, 0.15, 0.175, 0.2, 0.225, 0.25),
    "fingertip_radius": (0.03, 0.035, 0.04, 0.045, 0.05, 0.055, 0.06, 0.065, 0.07, 0.075),
    "torso_length": (0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4),
    "bfoot_len": (0.094, 0.104, 0.114, 0.124, 0.134, 0.144, 0.154, 0.164, 0.174, 0.184),
    "foot_pos": (0.5, 0.48, 0.46, 0.44, 0.42, 0.4, 0.38, 0.36, 0.34, 0.32),
    "foot_size": (0.046, 0.0552, 0.0598, 0.0644, 0.069, 0.0736, 0.0782, 0.0828, 0.0874, 0.092),
    "friction": (0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6),
    "len": (0.08, 0.09, 0.1, 0.11, 0.12, 0.13, 0.14, 0.15, 0.16, 0.17),
    "cart_mass": (1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0, 5.5),
    "pole_mass": (0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55),
}
MASSES = {  # kg, of a body, for the values number 1 to 10
    ("cheetah-run", "torso_length", "torso"): (
        *(6.250209, 6.707874, 7.114498, 7.478169, 7.805351),
        *(8.101274, 8.370213, 8.615698, 8.840669, 9.047594),
    ),
    ("cheetah-run", "foot_size", "torso"): (
        *(6.250209, 4.895124, 4.338908, 3.853512, 3.430671),
        *(3.062436, 2.741512, 2.461397, 2.216401, 2.001608),
    ),
    ("cheetah-run", "foot_size", "bfoot"): (
        *(1.095397, 1.296166, 1.379960, 1.453948, 1.519205),
        *(1.576784, 1.627662, 1.672716, 1.712724, 1.748359),
    ),
    ("cheetah-run", "bfoot_len", "bfoot"): (
        *(1.095397, 1.175884, 1.255372, 1.333881, 1.411429),
        *(1.488032, 1.563710, 1.638477, 1.712351, 1.785347),
    ),
    ("walker-walk", "len", "left_foot"): (
        *(1.780236, 1.937315, 2.094395, 2.251475, 2.408554),
        *(2.565634, 2.722714, 2.879793, 3.036873, 3.193953),
    ),
    ("walker-walk", "len", "right_foot"): (2.094395,) * 10,
    ("cartpole-swingup", "cart_mass", "cart"): VALUES["cart_mass"],
    ("cartpole-swingup", "pole_mass", "pole_1"): VALUES["pole_mass"],
}
BASES = dict.fromkeys(VALUES, 1) | {"len": 3}  # which value is dm_control's own

FROM_XML = {  # what a family changes in dm_control's XML: old text, how often it is there, and new text
    "size": [('size=".025 .03 .025"', 1, lambda v: f'size="{v} .03 .025"')],
    "torso_length": [('fromto="-.5 0 0 .5 0 0"', 1, lambda v: f'fromto="-{v} 0 0 {v} 0 0"')],
    "bfoot_len": [
        ('size="0.046 .094"', 1, lambda v: f'size="0.046 {v}"'),
        ('pos=".03 0 -.097"', 1, lambda v: f'pos=".03 0 -{v + 0.003:.3f}"'),
    ],
    "foot_pos": [
        ('"bthigh" pos="-.5 0 0"', 1, lambda v: f'"bthigh" pos="-{v} 0 0"'),
        ('"fthigh" pos=".5 0 0"', 1, lambda v: f'"fthigh" pos="{v} 0 0"'),
    ],
    "foot_size": [
        (f'size="0.046 {half}"', 1, lambda v, half=half: f'size="{v} {half}"')
        for half in (".145", ".094", ".133", ".106", ".07")
    ]
    + [('euler="0 -116 0" size="0.046 .15"', 1, lambda v: f'euler="0 -116 0" size="{v} .15"')],
    "friction": [('friction=".7 .1 .1"', 1, lambda v: f'friction="{v} .1 .1"')],
    "len": [
        (
            'name="left_foot" zaxis="1 0 0" size="0.05 0.1"',
            1,
            lambda v: f'name="left_foot" zaxis="1 0 0" size="0.05 {v}"',
        )
    ],
    "cart_mass": [('mass="1"', 1, lambda v: f'mass="{v}"')],
    "pole_mass": [('mass=".1"', 1, lambda v: f'mass="{v}"')],
}


def test_the_table_has_upstreams_values():
    assert {each.parameter: each.values for each in VARIATIONS} == VALUES
    for each in VARIATIONS:
        assert each.base == each.values[BASES[each.parameter] - 1]


@pytest.mark.parametrize(("env_name", "parameter", "body"), list(MASSES))
def test_compiled_masses(env_name, parameter, body):
    tasks = family(env_name, parameter).tasks()
    masses = [compiled(task).body(body).mass.item() for task in tasks]
    np.testing.assert_allclose(masses, MASSES[env_name, parameter, body], atol=5.1e-7, rtol=0)


@pytest.mark.parametrize("each", families(), ids=lambda each: f"{each.env_name}-{each.label}")
def test_base_value_compiles_to_dm_controls_model(each):
    base = Task(each.env_name)
    for number, task in enumerate(each.tasks(), start=1):
        assert same(compiled(task), compiled(base)) == (number == BASES[each.label])


@pytest.mark.parametrize("parameter", list(FROM_XML))
def test_every_value_compiles_to_what_the_edited_xml_does(parameter):
    (variation,) = (each for each in VARIATIONS if each.parameter == parameter)
    suite = import_suite(variation.skills[0])
    module = getattr(suite, variation.domain)
    xml, assets = module.get_model_and_assets()
    for task in family(variation.skills[0], parameter).tasks():
        text = xml.decode()
        for old, count, new in FROM_XML[parameter]:
            assert text.count(old) == count, old
            text = text.replace(old, new(task[parameter]))
        expected = module.Physics.from_xml_string(text, assets).model.ptr
        assert differing(compiled(task), expected) == {}


def changed(parameter, number):
    """What differs in a family's model from dm_control's, by the names of the arrays."""
    (variation,) = (each for each in VARIATIONS if each.parameter == parameter)
    name = variation.skills[0]
    model = compiled(family(name, parameter).task(number=number))
    return model, differing(model, compiled(Task(name)))


def test_finger_size_changes_only_the_invisible_touch_sites():
    model, arrays = changed("size", 10)
    assert set(arrays) == {"site_size"}
    for site in ("touchtop", "touchbottom"):
        np.testing.assert_array_equal(model.site(site).size, [0.25, 0.03, 0.025])
        assert model.site(site).group.item() == 3  # groups 0, 1 and 2 are drawn
    environments = [make_environment(Task("finger-spin", {"size": size}), seed=0) for size in (0.025, 0.25)]
    touched = False
    for environment in environments:
        environment.reset()
    for _ in range(80):
        first, second = (each.step([-1.0, -1.0]).observation for each in environments)
        for name in ("position", "velocity"):
            np.testing.assert_array_equal(first[name], second[name])
        touched |= not np.array_equal(first["touch"], second["touch"])
    assert touched


def test_fingertip_radius_changes_mass_and_contacts():
    model, arrays = changed("fingertip_radius", 10)
    assert {"geom_size", "body_mass", "body_inertia", "site_size"} <= set(arrays)
    assert model.geom("fingertip").size[0] == 0.075
    np.testing.assert_array_equal(model.site("touchtop").size, [0.07, 0.075, 0.07])
    environments = [
        make_environment(Task("finger-spin", {"fingertip_radius": r}), seed=0) for r in (0.03, 0.075)
    ]
    ends = []
    for environment in environments:
        environment.reset()
        for _ in range(80):
            observation = environment.step([-1.0, -1.0]).observation
        ends.append(observation["position"])
    assert not np.allclose(*ends)


@pytest.mark.parametrize("parameter", ["torso_length", "bfoot_len", "foot_pos", "foot_size"])
@pytest.mark.parametrize("number", [1, 5, 10])
def test_cheetahs_mass_stays(parameter, number):
    model, _ = changed(parameter, number)
    assert model.body_mass.sum() == pytest.approx(14.0, abs=1e-12)


def test_torso_length_moves_neither_hips_nor_head():
    model, arrays = changed("torso_length", 10)
    assert model.body("bthigh").pos[0] == -0.5
    assert model.body("fthigh").pos[0] == 0.5
    np.testing.assert_array_equal(model.geom("head").pos, [0.6, 0, 0.1])
    assert model.geom("torso").size[1] == pytest.approx(1.4)
    assert {"body_mass", "body_inertia", "body_ipos"} <= set(arrays)


def test_foot_pos_moves_two_bodies_and_no_mass():
    model, arrays = changed("foot_pos", 10)
    assert model.body("bthigh").pos[0] == -0.32
    assert model.body("fthigh").pos[0] == 0.32
    assert not {"body_mass", "body_inertia", "geom_size", "geom_pos"} & set(arrays)


def test_bfoot_len_moves_the_foot_down_as_it_grows():
    model, _ = changed("bfoot_len", 10)
    np.testing.assert_allclose(model.geom("bfoot").size[:2], [0.046, 0.184], atol=1e-12)
    np.testing.assert_allclose(model.geom("bfoot").pos, [0.03, 0, -0.187], atol=1e-12)


def test_foot_size_spares_torso_and_head():
    model, _ = changed("foot_size", 10)
    for name, half in {
        "bthigh": 0.145,
        "bshin": 0.15,
        "bfoot": 0.094,
        "fthigh": 0.133,
        "fshin": 0.106,
        "ffoot": 0.07,
    }.items():
        np.testing.assert_array_equal(model.geom(name).size[:2], [0.092, half])
    assert model.geom("torso").size[0] == model.geom("head").size[0] == 0.046


def test_walkers_friction_is_that_of_all_geoms():
    model, arrays = changed("friction", 10)
    assert set(arrays) == {"geom_friction"}
    np.testing.assert_array_equal(model.geom_friction, [[1.6, 0.1, 0.1]] * 8)


@pytest.mark.parametrize(("number", "total"), [(1, 28.226163), (10, 29.639879)])
def test_walkers_total_mass(number, total):
    model, _ = changed("len", number)
    assert model.body_mass.sum() == pytest.approx(total, abs=5.1e-7)


@pytest.mark.parametrize(("parameter", "body"), [("cart_mass", "cart"), ("pole_mass", "pole_1")])
def test_cartpoles_inertia_scales_with_the_mass(parameter, body):
    model, arrays = changed(parameter, 10)
    base = compiled(Task("cartpole-swingup")).body(body)
    np.testing.assert_allclose(
        model.body(body).inertia / base.inertia, [model.body(body).mass.item() / base.mass.item()] * 3
    )
    assert not {"geom_size", "geom_pos"} & set(arrays)


def test_pole_mass_is_every_poles():
    model = compiled(Task("cartpole-three_poles", {"pole_mass": 0.3}))
    assert [model.body(f"pole_{number}").mass.item() for number in (1, 2, 3)] == [0.3] * 3


def test_several_parameters_at_once_and_any_value_in_between():
    model = compiled(Task("walker-run", {"friction": 0.95, "len": 0.123}))
    assert model.geom("floor").friction[0] == 0.95
    assert model.geom("left_foot").size[1] == 0.123


@pytest.mark.parametrize(("domain", "task", "count"), [("finger", "spin", 1000), ("walker", "walk", 1000)])
def test_an_episode_has_dm_controls_length(domain, task, count):
    environment = make_environment(Task(f"{domain}-{task}"), seed=0)
    environment.reset()
    steps = 1
    while not environment.step(np.zeros(environment.action_spec().shape)).last():
        steps += 1
    assert steps == count


def test_environment_keywords_go_to_dm_control():
    environment = make_environment(
        Task("walker-walk", {"len": 0.12}), 0, flat_observation=True, time_limit=0.5
    )
    assert environment.reset().observation["observations"].shape == (24,)
    assert environment.control_timestep() == 0.025
    lasts = [environment.step(np.zeros(6)).last() for _ in range(20)]
    assert lasts == [False] * 19 + [True]
