"""The table of skills against Meta-World's own environments, and the look-up by name."""

from __future__ import annotations

import inspect
import pickle
import re
import subprocess
import sys

import numpy as np
import pytest
from metaworld.env_dict import ALL_V3_ENVIRONMENTS

from taskworlds.worlds.metaworld import skills
from taskworlds.worlds.metaworld.skills import SKILLS, Skill, canonical_name, skill


@pytest.fixture(scope="module")
def official_bounds():
    """The (low, high) of each official environment's random reset space, by skill."""
    bounds = {}
    for name, env_class in ALL_V3_ENVIRONMENTS.items():
        env = env_class()
        bounds[name] = (env._random_reset_space.low, env._random_reset_space.high)
        env.close()
    return bounds


def test_names_and_order_are_metaworlds():
    assert [each.name for each in SKILLS] == list(ALL_V3_ENVIRONMENTS)


def test_class_names_are_metaworlds():
    assert [each.class_name for each in SKILLS] == [cls.__name__ for cls in ALL_V3_ENVIRONMENTS.values()]


def test_bounds_are_metaworlds_to_the_last_bit(official_bounds):
    for each in SKILLS:
        low, high = official_bounds[each.name]
        assert low.dtype == high.dtype == np.float64
        assert np.array(each.rand_vec_low).tobytes() == low.tobytes(), each.name
        assert np.array(each.rand_vec_high).tobytes() == high.tobytes(), each.name


@pytest.mark.parametrize("each", SKILLS, ids=lambda each: each.name)
def test_least_separations_are_those_in_metaworlds_resets(each):
    source = inspect.getsource(ALL_V3_ENVIRONMENTS[each.name].reset_model)
    redraws = re.findall(r"while np\.linalg\.norm\(.*\) < ([0-9.]+):", source)
    assert [float(distance) for distance in redraws] == [each.min_separation] * len(redraws)
    assert source.count("while ") == len(redraws) == (each.min_separation is not None)


@pytest.mark.parametrize("each", SKILLS, ids=lambda each: each.name)
def test_fields_are_plain_and_consistent(each):
    assert len(each.rand_vec_low) == len(each.rand_vec_high) in (3, 6)
    assert all(type(number) is float for number in each.rand_vec_low + each.rand_vec_high)
    assert all(low <= high for low, high in zip(each.rand_vec_low, each.rand_vec_high, strict=True))
    assert each.summary
    assert "\n" not in each.summary
    assert len(each.summary) <= 60
    if each.separated_from is not None:
        assert each.min_separation is not None
    elif each.min_separation is not None:
        assert len(each.rand_vec_low) == 6
    assert pickle.loads(pickle.dumps(each)) == each


def test_families_are_the_objects():
    families = {}
    for each in SKILLS:
        families.setdefault(each.family, []).append(each.name)
    assert len(families) == 24
    assert families["drawer"] == ["drawer-close-v3", "drawer-open-v3"]
    assert families["lock"] == ["door-lock-v3", "door-unlock-v3"]


def test_summaries_tell_the_skills_apart():
    assert len({each.summary for each in SKILLS}) == len(SKILLS)


def test_skill_gives_the_row_of_a_name():
    assert all(skill(each.name) is each for each in SKILLS)


def test_a_skill_is_frozen():
    with pytest.raises(AttributeError, match="cannot assign to field 'name'"):
        skill("reach-v3").name = "push-v3"


@pytest.mark.parametrize("each", SKILLS, ids=lambda each: each.name)
def test_a_v2_name_means_the_v3_skill(each):
    old = each.name.removesuffix("3") + "2"
    with pytest.warns(DeprecationWarning, match=f"'{old}' is read as '{each.name}'"):
        assert canonical_name(old) == each.name


@pytest.mark.filterwarnings("error")
def test_a_v3_name_gives_no_warning():
    assert canonical_name("reach-v3") == "reach-v3"


@pytest.mark.parametrize("look_up", [canonical_name, skill])
def test_the_warning_points_at_the_callers_line(look_up):
    with pytest.warns(DeprecationWarning, match="Write 'reach-v3'") as caught:
        look_up("reach-v2")
    assert [warning.filename for warning in caught] == [__file__]


@pytest.mark.parametrize("look_up", [canonical_name, skill])
def test_an_unknown_name_gets_a_suggestion(look_up):
    with pytest.raises(ValueError, match=r"Unknown skill 'drawer-opne-v3'\. Did you mean 'drawer-open-v3'"):
        look_up("drawer-opne-v3")


@pytest.mark.parametrize("name", ["reach-v1", "reach", "no-such-skill-v2", "reach-v2-v2"])
def test_an_unknown_name_or_version_is_refused(name):
    with pytest.raises(ValueError, match=r"Unknown skill .* `taskworlds list skills` shows all 50"):
        canonical_name(name)


@pytest.mark.parametrize("name", [None, 3, ["reach-v3"]])
def test_a_name_must_be_a_string(name):
    with pytest.raises(TypeError, match="The skill must be given by name, as a string"):
        skill(name)


def test_the_table_needs_no_simulator():
    modules = "taskworlds.worlds.metaworld.goals, taskworlds.worlds.metaworld.benchmark_lists"
    code = f"import sys, {modules}; print(sorted({{'metaworld', 'mujoco'}} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_module_names_what_is_public():
    own = {"env_names", "register_skill", "registered_skills", "temporarily_registered"}
    assert set(skills.__all__) == {"SKILLS", "Skill", "canonical_name", "skill"} | own
    assert all(isinstance(each, Skill) for each in SKILLS)
