"""What a function is made of: digests that change with all that matters and nothing else."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
import types

import numba
import numpy as np
import pytest

from taskworlds.core.digest import digest, names_used, reached

SOURCE = '''
import math
from module import helper
FAR = 0.2
TABLE = (1, 2.5, "x")
def inner(x, by=1.0):
    return x * by + FAR
def outer(x, *, unit="m"):
    """Doc."""
    return [inner(each) for each in (x, math.pi, helper(x), geometry.WIDTH)], TABLE, unit
def recursive(n):
    return n and recursive(n - 1)
'''


def make(source=SOURCE, width=0.3, step="x + 1", **scope):
    geometry = types.ModuleType("geometry")
    geometry.WIDTH = width
    helpers = {"__name__": "module"}
    exec(f"def helper(x):\n    return {step}", helpers)
    scope = {"__name__": "user", "geometry": geometry, **scope}
    module = types.ModuleType("module")
    module.helper = helpers["helper"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "module", module)
        exec(compile(source, "user.py", "exec"), scope)
    return scope["outer"]


def test_equal_definitions_are_equal_wherever_they_stand():
    assert digest(make()) == digest(make("\n\n\n# moved down\n" + SOURCE))
    assert digest(make()) == digest(make(unused=3))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("FAR = 0.2", "FAR = 0.3"),
        ('"x")', '"y")'),
        ("by=1.0", "by=2.0"),
        ('unit="m"', 'unit="cm"'),
        ("x * by + FAR", "x + by * FAR"),
        ("x * by + FAR", "x * by - FAR"),
        ("math.pi", "math.tau"),
    ],
)
def test_a_change_of_the_text_that_matters_is_seen(old, new):
    assert old in SOURCE
    assert digest(make()) != digest(make(SOURCE.replace(old, new)))


def test_a_change_elsewhere_is_seen():
    assert digest(make()) != digest(make(width=0.4))
    assert digest(make()) != digest(make(step="x + 2"))


def test_closures_count():
    def adding(number):
        return lambda x: x + number

    assert digest(adding(1)) == digest(adding(1))
    assert digest(adding(1)) != digest(adding(2))
    assert digest(adding(1)) != digest(adding(1.0))
    assert digest(adding(adding(1))) != digest(adding(adding(2)))


def test_values():
    assert digest(np.arange(3)) == digest(np.arange(3))
    assert digest(np.arange(3)) != digest(np.arange(3.0))
    assert digest({"a": [1, 2]}) != digest({"a": [1, 3]})
    assert digest(1) != digest(1.0)
    assert digest(1) != digest(True)
    assert digest(object()) == digest(object())  # an address is no difference
    assert digest(functools.partial) != digest(functools.reduce)


def test_what_numba_made_of_a_function_counts_as_the_function():
    def double(x):
        return 2 * x

    assert digest(numba.njit(double)) == digest(double)


def test_recursive_functions_end():
    scope = make().__globals__
    assert digest(scope["recursive"])
    assert reached(scope["recursive"]) == [scope["recursive"]]


def test_names_and_functions_within_functions_are_found():
    outer = make()
    assert {"inner", "helper", "TABLE", "WIDTH"} <= set(names_used(outer.__code__))
    assert sorted(each.__name__ for each in reached(outer)) == ["helper", "inner", "outer"]


def test_a_digest_is_the_same_in_every_process():
    """The cache of compiled kernels rests on it, whatever the environment and the order of sets."""
    program = (
        "from taskworlds.kernels.compiler import compile_kernel\n"
        "from taskworlds.core.digest import digest\n"
        "from taskworlds.worlds.metaworld.skills import skill\n"
        "each = skill('hammer-v3')\n"
        "print(digest(each.observe, each.rewards['v2'], compile_kernel, lambda x: x in {'a', 'b', 'c', 1, 2}))\n"
        "print(digest(digest))"
    )
    answers = {
        subprocess.run(
            [sys.executable, "-c", program],
            env=os.environ | {"PYTHONHASHSEED": seed, "UNRELATED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(answers) == 1
    assert answers.pop().splitlines()[1] == digest(digest)
