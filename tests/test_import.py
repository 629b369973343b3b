"""What importing the package costs: nothing is loaded before it is used."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys

import pytest

import taskworlds

HEAVY = ("mujoco", "metaworld", "dm_control", "numba", "scipy", "torch", "matplotlib")


def loaded_by(code: str) -> list[str]:
    """Runs code in a fresh interpreter; gives which of the heavy packages it loaded."""
    show = f"import json, sys; print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{show}"], capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize(
    "code",
    [
        "import taskworlds",
        "import taskworlds; taskworlds.benchmark('ML45', seed=0)",
        "import taskworlds; taskworlds.Task('reach-v3', {}).id; dir(taskworlds)",
        "import taskworlds, gymnasium; assert 'taskworlds/reach-v3' in gymnasium.registry",
        "import gymnasium, taskworlds; assert 'taskworlds/reach-v3' in gymnasium.registry",
    ],
    ids=["import", "ML45", "task", "ids by the hook", "ids by the import"],
)
def test_no_simulator_is_loaded(code):
    assert loaded_by(code) == []


def test_the_ids_need_no_module_that_imports_gymnasium():
    """Else that module, imported before Gymnasium, would be half imported when the hook asks for the ids."""
    code = """
import sys


class NoGymnasium:
    @staticmethod
    def find_spec(name, path=None, target=None):
        assert name.partition(".")[0] != "gymnasium", "Gymnasium is imported"


sys.meta_path.insert(0, NoGymnasium)
from taskworlds.vector.gymnasium_ids import ids

assert "taskworlds/grid-4x4" in ids()
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_simulator_is_seen_where_it_is_loaded():
    assert "mujoco" in loaded_by("import metaworld")


@pytest.mark.parametrize("name", taskworlds.__all__)
def test_every_public_name_resolves(name):
    value = getattr(taskworlds, name)
    assert value is not None
    assert getattr(taskworlds, name) is value
    assert name in dir(taskworlds)


def test_dir_shows_the_public_names_only():
    assert dir(taskworlds) == taskworlds.__all__
    assert {"World", "RowEngine", "BenchmarkMaker", "register_world", "register_engine"} <= set(
        dir(taskworlds)
    )


def test_names_are_those_of_their_modules():
    for name, module in taskworlds._PUBLIC.items():
        if module != f"taskworlds.{name}":
            assert name in importlib.import_module(module).__all__, f"{module}.__all__ lacks {name}"


def test_unknown_names_raise():
    with pytest.raises(AttributeError, match="module 'taskworlds' has no attribute 'no_such_name'"):
        taskworlds.no_such_name  # noqa: B018
