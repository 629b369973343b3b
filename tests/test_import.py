"""What importing the package costs: nothing is loaded before it is used."""

from __future__ import annotations

import importlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

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


def import_with(folder, code):
    """Runs code in a fresh interpreter that looks in a folder first; returns the last line of its complaint."""
    path = os.pathsep.join(filter(None, (str(folder), os.environ.get("PYTHONPATH"))))
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": path},
    )
    return (done.stderr.splitlines() or [""])[-1]


def test_the_engine_finds_mujoco_in_another_folder(tmp_path):
    shutil.copytree(Path(taskworlds.__file__).parent, tmp_path / "taskworlds")
    code = "import taskworlds.engine as e; assert e.__file__.startswith(%r), e.__file__"
    assert import_with(tmp_path, code % str(tmp_path)) == ""


@pytest.mark.parametrize(
    "code",
    [
        "import taskworlds.engine",
        "import taskworlds; taskworlds.make_vec('reach-v3', 1, vector_strategy='sync')",
        "import taskworlds; taskworlds.make('ant-dir')",
    ],
)
@pytest.mark.parametrize(
    ("mujoco", "message", "remedy"),
    [
        (
            "__version__ = '3.4.0'",
            r"because other versions .*, but mujoco 3\.4\.0 is installed \(",
            "install",
        ),
        ("import mujoco_core", r"cannot be imported \(ModuleNotFoundError: No .*mujoco_core", "uninstall -y"),
        (None, r"the installed files are incomplete \(.*mujoco", "uninstall -y"),
    ],
    ids=["another version", "broken", "remains"],
)
def test_a_wrong_mujoco_is_named_with_what_to_type(tmp_path, code, mujoco, message, remedy):
    (tmp_path / "mujoco").mkdir()
    if mujoco is not None:
        (tmp_path / "mujoco" / "__init__.py").write_text(mujoco)
    else:  # a whole package would come before what remains of another
        remains = f"sys.modules['mujoco'].__path__ = [{str(tmp_path / 'mujoco')!r}]"
        code = f"import sys, types; sys.modules['mujoco'] = types.ModuleType('mujoco'); {remains}; {code}"
    told = import_with(tmp_path, code)
    assert re.match(rf"ImportError: mujoco 3\.3\.0 is needed, .*{message}", told), told
    assert re.search(rf"Type: .* -m pip {remedy} .*\"mujoco==3\.3\.0\"$", told), told
