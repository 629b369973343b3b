"""Without RLlib, `taskworlds.integrations.rllib` says how to get it; tests/clients has it in use."""

import importlib
import sys

import pytest

MODULE = "taskworlds.integrations.rllib"


def test_without_rllib(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray.rllib", None)
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.delitem(sys.modules, MODULE, raising=False)
    with pytest.raises(ImportError, match=r'needs RLlib, .*pip install "taskworlds\[rllib\]"'):
        importlib.import_module(MODULE)
