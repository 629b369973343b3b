"""Imports the one version of MuJoCo that this package's numbers come from, or says what to do."""

from __future__ import annotations

import functools
import sys
from pathlib import Path

__all__ = ["MUJOCO", "load_mujoco"]

MUJOCO = "3.3.0"
"""The version. `CMakeLists.txt` and `pyproject.toml` name it too."""


@functools.cache
def load_mujoco() -> None:
    """Imports MuJoCo, and with it the library that the engine shares with it, wherever it is installed.

    Raises:
        ImportError: it cannot be imported, or is another version. The message says what to type.
    """
    pip, wanted = f"{sys.executable} -m pip", f'"mujoco=={MUJOCO}"'
    try:
        import mujoco  # here, since whatever needs no simulator does without
    except Exception as error:
        if isinstance(error, ModuleNotFoundError) and error.name == "mujoco":
            fault, repair = "not installed", ""
        else:
            fault = f"what is installed cannot be imported ({type(error).__name__}: {error})"
            repair = f"{pip} uninstall -y mujoco mujoco-core && "
        raise ImportError(
            f"mujoco {MUJOCO} is needed, but {fault}. Type: {repair}{pip} install {wanted}"
        ) from error
    found = getattr(mujoco, "__version__", None)
    if found is None:  # remains of another version, which Python takes for a namespace
        raise ImportError(
            f"mujoco {MUJOCO} is needed, but the installed files are incomplete ({next(iter(mujoco.__path__))}). "
            f"Type: {pip} uninstall -y mujoco mujoco-core && {pip} install --force-reinstall {wanted}"
        )
    if found != MUJOCO:
        raise ImportError(
            f"mujoco {MUJOCO} is needed, because other versions give different numbers, but mujoco {found} is "
            f"installed ({Path(mujoco.__file__).parent}). Type: {pip} install {wanted}"
        )
