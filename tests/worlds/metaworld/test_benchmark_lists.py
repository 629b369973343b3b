"""The benchmarks' lists of skills against Meta-World's own."""

from __future__ import annotations

import metaworld.env_dict as official
import pytest

from taskworlds.worlds.metaworld.benchmark_lists import ENV_NAMES
from taskworlds.worlds.metaworld.skills import SKILLS


@pytest.mark.parametrize("benchmark", ["MT10", "MT25", "MT50"])
def test_mt_lists_are_metaworlds(benchmark):
    assert ENV_NAMES[benchmark].train == tuple(getattr(official, f"{benchmark}_V3"))
    assert ENV_NAMES[benchmark].test == ()


@pytest.mark.parametrize("benchmark", ["ML10", "ML25", "ML45"])
def test_ml_lists_are_metaworlds(benchmark):
    splits = getattr(official, f"{benchmark}_V3")
    assert ENV_NAMES[benchmark].train == tuple(splits["train"])
    assert ENV_NAMES[benchmark].test == tuple(splits["test"])


def test_every_benchmark_with_a_list_is_there():
    assert list(ENV_NAMES) == ["MT10", "MT25", "MT50", "ML10", "ML25", "ML45"]


@pytest.mark.parametrize("benchmark", list(ENV_NAMES))
def test_lists_name_known_skills_once(benchmark):
    known = {skill.name for skill in SKILLS}
    for names in ENV_NAMES[benchmark]:
        assert len(set(names)) == len(names)
        assert set(names) <= known


def test_only_ml25_tests_on_a_skill_it_trains_on():
    shared = {name: set(lists.train) & set(lists.test) for name, lists in ENV_NAMES.items()}
    assert {name: skills for name, skills in shared.items() if skills} == {"ML25": {"basketball-v3"}}
