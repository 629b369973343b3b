"""What the tests of the suites share."""

from __future__ import annotations

import copy
import functools

import mujoco
import pytest

_compile = functools.lru_cache(maxsize=8)(mujoco.MjModel.from_xml_path)


@pytest.fixture
def compiled_once(monkeypatch):
    """Has each of Meta-World's models compiled once and then copied, for each of its environments."""
    monkeypatch.setattr(mujoco.MjModel, "from_xml_path", lambda path: copy.copy(_compile(path)))
