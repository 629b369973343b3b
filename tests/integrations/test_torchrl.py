"""The modules for TorchRL where the library is missing; tests/clients has what holds with it."""

import importlib
import sys

import pytest


@pytest.mark.parametrize(
    ("module", "library", "name"),
    [("torchrl", "torchrl.envs", "TorchRL"), ("tensordict", "tensordict", "tensordict")],
)
def test_a_missing_library_is_told_with_what_to_type(module, library, name, monkeypatch):
    module = f"taskworlds.integrations.{module}"
    monkeypatch.setitem(sys.modules, library, None)
    monkeypatch.delitem(sys.modules, module, raising=False)
    with pytest.raises(ImportError, match=rf'{name}, which .*: pip install "taskworlds\[torchrl\]"'):
        importlib.import_module(module)
