"""Registers the ids of taskworlds when Gymnasium is imported, so that `gymnasium.make("taskworlds/MT10")` finds them.

Gymnasium has had no entry point for that since 1.0. Beside this file in site-packages are `taskworlds.pth`, which
Python runs at start-up, and `taskworlds.start`, by which Python 3.15 and later do the same. That takes about a
millisecond and imports nothing else; the work is done if and when Gymnasium is imported.
docs/explanation/gymnasium-ids.md says more.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # as typing's, whose import takes longer than all the rest here
if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType


class _AfterGymnasium:
    """Finds the module gymnasium as usual, and has the ids registered once it has run to its end."""

    @staticmethod
    def find_spec(
        name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name != "gymnasium":
            return None
        from importlib.machinery import PathFinder

        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            run = spec.loader.exec_module

            def run_and_register(module: ModuleType) -> None:
                if (
                    _AfterGymnasium in sys.meta_path
                ):  # until now, as finding a module need not be importing it
                    sys.meta_path.remove(_AfterGymnasium)
                run(module)
                try:
                    from taskworlds.vector.gymnasium_ids import register_envs

                    register_envs()
                except Exception as error:  # Gymnasium must import, whatever is wrong with us
                    import warnings

                    warnings.warn(f"The ids of taskworlds could not be registered: {error!r}", stacklevel=2)

            spec.loader.exec_module = run_and_register  # type: ignore[method-assign]
        return spec


def at_start() -> None:
    """Does as `install` when Python starts, unless TASKWORLDS_GYMNASIUM_IDS is 0."""
    if os.environ.get("TASKWORLDS_GYMNASIUM_IDS") != "0":
        install()


def install() -> None:
    """Has the ids registered as soon as Gymnasium has been imported. May be called any number of times."""
    if "gymnasium" not in sys.modules and _AfterGymnasium not in sys.meta_path:
        sys.meta_path.insert(0, _AfterGymnasium)
