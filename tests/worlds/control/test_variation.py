"""Tasks of a family by value, name, number and index; splits; benchmarks; families of the user's; mistakes."""

import pickle
import subprocess
import sys

import numpy as np
import pytest

import taskworlds
from taskworlds import Task
from taskworlds.control import families, family, vary
from taskworlds.worlds.control.variations import VARIATIONS

HOPPER = "hopper-hop"


# --- tasks --------------------------------------------------------------------------------------------------


def test_a_task_by_value_name_number_and_index_is_the_same():
    size = family("finger-spin", "size")
    expected = Task("finger-spin", {"size": 0.125})
    assert size.task(0.125) == size.task("size_5") == size.task(number=5) == size.task(index=4) == expected
    assert size.names == tuple(f"size_{number}" for number in range(1, 11))
    assert [task["size"] for task in size.tasks()] == list(size.values)
    assert [task["size"] for task in size.tasks(["size_1", 0.03])] == [0.025, 0.03]


def test_a_whole_number_is_the_same_value():
    masses = family("cartpole-swingup", "cart_mass")
    assert masses.task(2) == masses.task(2.0) == masses.task(np.int64(2)) == masses.task("cart_mass_3")


def test_a_family_is_there_for_every_task_of_its_domain():
    assert family("finger-turn_hard", "size").task(0.05) == Task("finger-turn_hard", {"size": 0.05})


def test_upstreams_ids():
    ids = {
        "MT-HiPBMDP-Finger-Spin-vary-size-v0": ("finger-spin", "size"),
        "MT-HiPBMDP-Cheetah-Run-vary-torso-length-v0": ("cheetah-run", "torso_length"),
        "MT-HiPBMDP-Walker-Walk-vary-friction-v0": ("walker-walk", "friction"),
        "MT-HiPBMDP-Walker-Walk-vary-len-v0": ("walker-walk", "len"),
    }
    for name, (env_name, parameter) in ids.items():
        assert family(name) == family(env_name, parameter)
        made = taskworlds.benchmark(name)
        assert made.train_tasks == family(name).tasks()
        assert made.test_tasks == ()
    assert len([each for each in families() if each.label == "len"]) == 3
    assert {each.label for each in families()} == {each.parameter for each in VARIATIONS}


def test_sample_draws_by_the_seed_within_the_range():
    lengths = family("cheetah-run", "torso_length")
    drawn = [task["torso_length"] for task in lengths.sample(0.6, 0.9, 200, seed=1)]
    assert 0.6 <= min(drawn) < 0.61
    assert 0.89 < max(drawn) <= 0.9
    assert lengths.sample(0.6, 0.9, 3, seed=1) == lengths.sample(0.6, 0.9, 200, seed=1)[:3]
    assert lengths.sample(0.6, 0.9, 3, seed=2) != lengths.sample(0.6, 0.9, 3, seed=1)


# --- splits and benchmarks ----------------------------------------------------------------------------------

SPLITS = {"train": (3, 4, 7, 8), "interpolation": (5, 6), "extrapolation": (2, 9)}
TRAPPED = {"train": (4, 5, 8, 9), "interpolation": (6, 7), "extrapolation": (3, 10)}


@pytest.mark.parametrize("each", families(), ids=lambda each: f"{each.env_name}-{each.label}")
def test_splits_by_file_and_by_index(each):
    for name in SPLITS:
        assert each.split(name) == each.tasks(f"{each.label}_{number}" for number in SPLITS[name])
        assert each.split(name, by="index") == tuple(each.task(number=number) for number in TRAPPED[name])
        assert each.split(name, by="index") == tuple(each.task(index=index) for index in SPLITS[name])


@pytest.mark.parametrize("each", families(), ids=lambda each: f"{each.env_name}-{each.label}")
def test_benchmarks_by_name(each):
    name = f"{each.env_name}-{each.label}"
    train, inside, outside = (each.split(split) for split in SPLITS)
    expected = {
        name: (train, inside + outside),
        f"{name}-interpolation": (train, inside),
        f"{name}-extrapolation": (train, outside),
        f"{name}-by-index": tuple(
            sum((each.split(split, by="index") for split in part), ())
            for part in (("train",), ("interpolation", "extrapolation"))
        ),
    }
    for title, tasks in expected.items():
        made = taskworlds.benchmark(title)
        assert (made.train_tasks, made.test_tasks) == tasks
    assert each.benchmark() == taskworlds.benchmark(name)
    assert each.benchmark(by="index") == taskworlds.benchmark(f"{name}-by-index")
    drawn = taskworlds.benchmark(f"{name}-range", seed=3, num_goals=5)
    assert len(drawn.train_tasks) == len(drawn.test_tasks) == 5
    assert len(taskworlds.benchmark(f"{name}-range", seed=0).train_tasks) == 50
    values = [task[each.label] for task in (*drawn.train_tasks, *drawn.test_tasks)]
    assert min(each.values) <= min(values)
    assert max(values) <= max(each.values)
    assert len(set(values)) == 10
    assert drawn == taskworlds.benchmark(f"{name}-range", seed=3, num_goals=5)


def test_a_skills_name_is_the_benchmark_of_its_base_task():
    assert taskworlds.benchmark("walker-walk").train_tasks == (Task("walker-walk"),)
    with pytest.raises(
        ValueError,
        match="num_goals must be left out for walker-walk, not 5",
    ):
        taskworlds.benchmark("walker-walk", num_goals=5)
    with pytest.raises(ValueError, match="names end in -range take any number"):
        taskworlds.benchmark("walker-walk-len", num_goals=5)


@pytest.mark.requires_dm_control
def test_a_benchmark_of_values_names_and_tasks():
    lengths = family("walker-walk", "len")
    made = lengths.benchmark(
        [0.1, "len_5", Task("walker-walk", {"len": 0.2})], test=lengths.sample(0.1, 0.2, 3, 0)
    )
    assert [task["len"] for task in made.train_tasks] == [0.1, 0.12, 0.2]
    assert len(made.test_tasks) == 3
    assert made.name == "walker-walk-len"
    assert lengths.benchmark([0.1]).test_tasks == ()
    assert lengths.benchmark("train", test="extrapolation", name="mine").name == "mine"
    assert taskworlds.Benchmark.from_json(made.to_json()) == made


# --- families of the user's own -----------------------------------------------------------------------------


@pytest.mark.requires_dm_control
def test_vary_changes_the_attribute_of_any_skill():
    from taskworlds.worlds.control.environment import compiled

    sizes = vary(HOPPER, "geom.torso.size[0]", values=np.array([0.05, 0.06]), label="torso")
    assert sizes.task("torso_2") == Task(HOPPER, {"geom.torso.size[0]": 0.06})
    assert compiled(sizes.task(0.055)).geom("torso").size[0] == 0.055
    assert pickle.loads(pickle.dumps(sizes)) == sizes
    gravity = vary("lqr-lqr_2_1", "option.gravity", values=[(0.0, 0.0, -9.81), (0.0, 0.0, -1.62)])
    np.testing.assert_array_equal(compiled(gravity.task(number=2)).opt.gravity, [0, 0, -1.62])
    damping = vary("fish-swim", "joint.*.damping", values=[1e-4, 2e-4])
    assert (compiled(damping.task(number=2)).dof_damping[6:] == 2e-4).all()


@pytest.mark.requires_dm_control
def test_vary_of_several_attributes_gives_all_the_value():
    from taskworlds.worlds.control.environment import compiled

    both = vary("walker-run", ["geom.left_foot.size[1]", "geom.right_foot.size[1]"], [0.1, 0.2], label="feet")
    model = compiled(both.task("feet_2"))
    assert model.geom("left_foot").size[1] == model.geom("right_foot").size[1] == 0.2


@pytest.mark.requires_dm_control
def test_every_skill_can_be_varied():
    from taskworlds.worlds.control.skills import SKILLS

    for skill in SKILLS:
        if skill.domain != "dog":  # takes a second each to compile
            assert len(vary(skill.env_name, "option.gravity[2]", values=[-9.0, -3.0]).values) == 2


VARY_MISTAKES = {
    ("hopper-hopp", "geom.torso.size[0]"): "Unknown skill 'hopper-hopp'. Did you mean 'hopper-hop'",
    (HOPPER, "geom.toros.size[0]"): "Did you mean 'torso'.*floor, torso, nose, pelvis, thigh, calf, foot",
    (HOPPER, "geom.torso.radius"): "Unknown attribute of a geom 'radius'.*friction, .*mass, .*size",
    (HOPPER, "geo.torso.size[0]"): "Unknown kind of element 'geo'.*'geom'.*actuator, body, compiler",
    (HOPPER, "geom.torso.size[3]"): r"geom.torso.size\[3\] must have an index from 0 to 2",
    (HOPPER, "geom.torso.size"): r"has 3 numbers.*geom.torso.size\[0\] to geom.torso.size\[2\]",
    (HOPPER, "geom.torso.density[0]"): "is one number without an index: write geom.torso.density",
    (HOPPER, "geom.torso"): "must be given as 'geom.name.field'",
    (HOPPER, "option.torso.gravity"): "must be given as 'option.field'",
    (HOPPER, "option.gravit[0]"): "Did you mean 'gravity'",
    (HOPPER, "torso"): "attribute must be like 'geom.torso.size",
    (HOPPER, "tendon.any.damping"): "none, as the model has none with a name",
    (HOPPER, "body.torso.mass"): "changes nothing in the compiled model",
    (HOPPER, "geom.*.foo bar"): "is not an attribute of a model",
}


@pytest.mark.requires_dm_control
@pytest.mark.parametrize(("env_name", "attribute"), list(VARY_MISTAKES))
def test_vary_says_what_can_be_varied(env_name, attribute):
    with pytest.raises(ValueError, match=VARY_MISTAKES[env_name, attribute]):
        vary(env_name, attribute, values=[0.04, 0.05])


@pytest.mark.requires_dm_control
def test_vary_refuses_bad_values():
    for values, error, message in (
        ([], ValueError, "at least one number"),
        ("0.1", TypeError, "values must be a list of numbers, not '0.1'"),
        (["big"], TypeError, "values must be numbers, or tuples of numbers, but one is 'big'"),
        (
            [-1.0, 0.1],
            ValueError,
            "MuJoCo cannot compile hopper-hop with geom.torso.size.*=-1.0.*must be positive",
        ),
        ([(0.1, 0.2)], ValueError, "is one number, not 2"),
    ):
        with pytest.raises(error, match=message):
            vary(HOPPER, "geom.torso.size[0]", values=values)
    with pytest.raises(TypeError, match=r"geom\.torso\.condim must be a whole number, not 1\.5"):
        vary(HOPPER, "geom.torso.condim", values=[1.5])
    with pytest.raises(ValueError, match=r"geom\.torso\.mass is one number, not 2"):
        vary(HOPPER, "geom.torso.mass", values=[(1.0, 2.0)])


@pytest.mark.requires_dm_control
def test_vary_says_what_dm_control_cannot_make():
    with pytest.raises(
        ValueError, match=r"dm_control cannot make walker-run with option.timestep=0.002: Control"
    ):
        vary("walker-run", "option.timestep", values=[0.0025, 0.002])


@pytest.mark.requires_dm_control
def test_splits_need_enough_values():
    few = vary(HOPPER, "geom.torso.size[0]", values=[0.05, 0.06], label="torso")
    with pytest.raises(
        ValueError, match=r"takes the values number 3, 4, 7, 8, but torso of hopper-hop has only 2"
    ):
        few.benchmark()


# --- mistakes -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: family("fingr-spin", "size"),
            "Unknown skill 'fingr-spin'. Did you mean 'finger-spin'.*domains are",
        ),
        (lambda: family("finger-spn", "size"), "finger has finger-spin, finger-turn_easy, finger-turn_hard"),
        (
            lambda: family("finger-spin", "sizes"),
            "Did you mean 'size'.*families of finger-spin: size, fingertip",
        ),
        (lambda: family("hopper-hop", "size"), "families of hopper-hop: none.*vary makes one"),
        (
            lambda: family("MT-HiPBMDP-Finger-Spin-vary-size-v1"),
            "Unknown id.*MT-HiPBMDP-Finger-Spin-vary-size-v0",
        ),
        (
            lambda: family("finger-spin", "size").task("size_11"),
            "Unknown size id 'size_11'.*size_1 to size_10",
        ),
        (lambda: family("finger-spin", "size").task("len_1"), "Unknown size id 'len_1'"),
        (lambda: family("finger-spin", "size").task(number=0), "number must be from 1 to 10"),
        (lambda: family("finger-spin", "size").task(number=11), "number must be from 1 to 10"),
        (
            lambda: family("finger-spin", "size").task(index=10),
            "index must be from 0 to 9.*not 10.*file number i",
        ),
        (lambda: family("finger-spin", "size").task(index=-1), "index must be from 0 to 9"),
        (lambda: family("finger-spin", "size").task(0.0), "size must be greater than 0.*from 0.025 to 0.25"),
        (lambda: family("finger-spin", "size").task(float("nan")), "must be finite"),
        (
            lambda: family("finger-spin", "size").split("test"),
            "split must be one of 'train', 'interpolation'",
        ),
        (lambda: family("finger-spin", "size").split("train", by="id"), "by must be one of 'file', 'index'"),
        (lambda: family("finger-spin", "size").sample(2, 1, 3, 0), "low must be below high"),
        (lambda: taskworlds.benchmark("finger-spin-siz"), "Unknown benchmark.*'finger-spin-size'"),
        (lambda: taskworlds.Benchmark("x", (Task("finger-spin", {"siz": 0.1}),)), "Did you mean 'size'"),
        (lambda: taskworlds.Benchmark("x", (Task("finger-spi", {}),)), "Did you mean 'finger-spin'"),
    ],
)
def test_mistakes_say_what_is_possible(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: family("finger-spin"), "needs a parameter besides the skill.*size, fingertip_radius"),
        (
            lambda: family("MT-HiPBMDP-Finger-Spin-vary-size-v0", "size"),
            "already names the family: leave out parameter='size'",
        ),
        (lambda: family("finger-spin", "size").task(), "exactly one of value, number and index"),
        (lambda: family("finger-spin", "size").task(0.1, number=1), "exactly one of value, number and index"),
        (lambda: family("finger-spin", "size").task(True), "size must be a number"),
        (lambda: family("finger-spin", "size").task(number=1.5), "number must be a whole number"),
        (lambda: family("finger-spin", "size").tasks("size_1"), "must be a list of values or names"),
        (lambda: taskworlds.Benchmark("x", (Task("finger-spin", {"size": "size_5"}),)), "also takes names"),
    ],
)
def test_wrong_types_say_what_is_expected(call, message):
    with pytest.raises(TypeError, match=message):
        call()


@pytest.mark.requires_dm_control
def test_a_value_that_mujoco_cannot_compile():
    with pytest.raises(
        ValueError, match=r"MuJoCo cannot compile cheetah-run with torso_length=1e-20.*Choose a value"
    ):
        family("cheetah-run", "torso_length").task(1e-20)


# --- without dm_control -------------------------------------------------------------------------------------


def test_without_dm_control_the_package_works_and_a_task_says_what_to_install():
    code = """
import sys
sys.modules["dm_control"] = None
import taskworlds
from taskworlds.control import family
assert "mujoco" not in sys.modules
benchmark = taskworlds.benchmark("finger-spin-size")
assert len(benchmark.train_tasks) == 4
taskworlds.benchmark("MT10", seed=0)
for engine in ("sync", "async"):
    try:
        env = taskworlds.make_vec(benchmark, 2, vector_strategy=engine)
        env.reset(seed=0)
    except ImportError as error:
        print(error)
try:
    family("finger-spin", "size").task(3.0)
except ImportError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count('dm_control is not installed: pip install "taskworlds[control]"') == 3
