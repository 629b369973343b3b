"""Names that are given where names of another kind belong: the message says where they do."""

from __future__ import annotations

import re

import pytest

import taskworlds
from taskworlds.continual import SEQUENCES, make_sequence
from taskworlds.core.registry import benchmark_makers, engines, worlds
from taskworlds.vector.protocols import PROTOCOLS

MADE = {
    "make": taskworlds.make,
    "make_vec": taskworlds.make_vec,
    "make_vec of several": lambda name: taskworlds.make_vec(["MT10", name], pad=True),
    "benchmark": taskworlds.benchmark,
    "evaluate": lambda name: taskworlds.evaluate("random", name),
}


@pytest.mark.parametrize("make", MADE.values(), ids=MADE)
@pytest.mark.parametrize("name", ["CW10", "CW20", "cw10"])
def test_a_continual_sequence_is_not_a_benchmark(make, name):
    sequence = name.upper()
    message = (
        rf"^'{sequence}' is a continual sequence, not a benchmark\. taskworlds\.continual\."
        rf"make_sequence\('{sequence}'\) makes its environments\.$"
    )
    with pytest.raises(ValueError, match=message):
        make(name)


@pytest.mark.parametrize("make", MADE.values(), ids=MADE)
def test_protocols_and_engines_are_told_which_argument_they_are(make):
    for name in PROTOCOLS:
        told = rf"'{name}' is a protocol, not a benchmark\. .* protocol='{name}', .* --protocol {name}\."
        with pytest.raises(ValueError, match=told):
            make(name)
    for name in engines():
        told = rf"'{name}' is an engine, not a benchmark\. .* vector_strategy='{name}', .* --engine {name}\."
        with pytest.raises(ValueError, match=told):
            make(name)


def test_a_suite_is_told_how_to_list_its_benchmarks():
    skills = {skill for world in worlds() for skill in world.env_names()}
    names = {
        name: world.suite for world in worlds() for name in (world.name, world.suite) if name not in skills
    }
    assert names["Meta-World"] == names["metaworld"] == "metaworld"
    for name, suite in (names | {"dm_control": "control"}).items():
        listed = (
            rf"is a suite of skills, not a benchmark\. `taskworlds list benchmarks --world {suite}` shows"
        )
        with pytest.raises(ValueError, match=listed):
            taskworlds.make_vec(name)


def test_what_is_a_benchmark_or_a_skill_is_not_taken_for_something_else():
    assert not {*SEQUENCES, *PROTOCOLS, *engines()} & {
        skill for world in worlds() for skill in world.env_names()
    }
    with pytest.raises(ValueError, match=r"Unknown benchmark 'mt50'\. Did you mean 'MT50'"):
        taskworlds.make_vec("mt50")
    for known in {*benchmark_makers(), *(skill for world in worlds() for skill in world.env_names())}:
        for name in {known.upper(), known.lower(), known.title()} - {known}:
            with pytest.raises(
                ValueError, match=rf"Unknown benchmark '{re.escape(name)}'\. Did you mean .*'{known}'"
            ):
                taskworlds.benchmark(name)
    with pytest.raises(ValueError, match=r"Unknown benchmark 'drawer'\. Did you mean 'drawer-open-v3'"):
        taskworlds.make_vec("drawer")  # a family of skills
    with pytest.raises(ValueError, match=r"Unknown benchmark 'CW'\. `taskworlds list benchmarks` shows all"):
        taskworlds.make_vec("CW")


@pytest.mark.parametrize("name", ["MT10", "MT80", "reach-v3", "walker-walk"])
def test_a_benchmark_given_as_a_policy(name):
    told = rf"Unknown policy '{name}'\. It is the name .* the policy comes first: evaluate\('random', '{name}'\)\."
    with pytest.raises(ValueError, match=told):
        taskworlds.evaluate(name, "random")


def test_a_sequence_in_another_case():
    with pytest.raises(ValueError, match=r"Unknown sequence 'cw20'\. Did you mean 'CW20' or 'CW10'"):
        make_sequence("cw20")
