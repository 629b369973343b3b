"""The type aliases: mtrl's names are there, each is documented, and none needs PyTorch."""

from __future__ import annotations

import ast
import itertools
import subprocess
import sys
from pathlib import Path

import pytest

from taskworlds import VecEnv, types
from taskworlds.compat.mtrl import types as defined


@pytest.mark.parametrize("name", ["EnvType", "TaskObsType", "ActionType", "EnvObsType", "ObsType"])
def test_mtrls_names_are_there(name):
    assert name in types.__all__
    assert hasattr(types, name)


def test_each_alias_is_documented():
    body = ast.parse(Path(defined.__file__).read_text(encoding="utf-8")).body
    documented = {
        alias.target.id
        for alias, text in itertools.pairwise(body)
        if isinstance(alias, ast.AnnAssign)
        and isinstance(alias.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
    }
    assert documented == set(defined.__all__) == set(types.__all__)


def test_vec_env_is_an_env_type():
    assert issubclass(VecEnv, types.EnvType)


def test_importing_them_loads_neither_torch_nor_omegaconf():
    code = (
        "import sys, taskworlds.compat.mtrl.types; print(sorted({'torch', 'omegaconf'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
