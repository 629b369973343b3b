"""Stable-Baselines3's type of vector environment where the library is missing; tests/clients has the rest."""

import importlib
import re
import sys

import pytest

MODULE = "taskworlds.integrations.sb3"


def test_without_stable_baselines3(monkeypatch):
    monkeypatch.setitem(sys.modules, "stable_baselines3", None)
    monkeypatch.delitem(sys.modules, MODULE, raising=False)
    with pytest.raises(ImportError, match=re.escape('Type: pip install "taskworlds[sb3]"')):
        importlib.import_module(MODULE)
