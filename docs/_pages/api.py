"""The reference of every public name: a page for each part, filled by autodoc."""

from __future__ import annotations

import importlib
import inspect
import sys
from pathlib import Path
from types import FunctionType, ModuleType

from sphinx.ext.autodoc.mock import mock

import taskworlds
from taskworlds.compat import mtrl

# Where a name is told, by the module that it comes from; the first that fits.
PAGES = {
    "environments": ("Environments and tasks", ("vector", "core.benchmark", "core.task", "core.step")),
    "evaluation": ("Evaluation", ("evaluation",)),
    "continual": ("Continual learning", ("continual",)),
    "worlds": ("Worlds", ("worlds", "control", "samplers")),
    "extending": ("Worlds, skills and engines of your own", ("core", "rows", "testing")),
    "training": ("For libraries that train", ("integrations",)),
    "distributed": ("Several machines", ("distributed",)),
    "pictures": ("Videos and demonstrations", ("videos", "demonstrations")),
    "other-systems": ("Classes of garage, AMAGO and mtrl", ("compat",)),
}

# Public modules that `import taskworlds` does not show, since they need libraries of their own. That of AMAGO changes
# AMAGO when it is imported, so it cannot be read without it; it has a page in docs/clients.
MODULES = (
    "taskworlds.demonstrations",
    "taskworlds.integrations.rllib",
    "taskworlds.integrations.sb3",
    "taskworlds.integrations.torchrl",
)

# What they import, of which the reference needs nothing.
MOCKED = ["ray", "stable_baselines3", "tensordict", "torch", "torchrl"]


def public_names() -> dict[str, str]:
    """Returns every public name, fully qualified, with the module that it comes from."""
    found: dict[str, str] = {}
    modules = [importlib.import_module(name) for name in MODULES]
    for name in taskworlds.__all__:
        if name.startswith("__"):
            continue
        value = getattr(taskworlds, name)
        if isinstance(value, ModuleType):
            modules.append(mtrl.types if value is taskworlds.types else value)
        else:
            found[f"taskworlds.{name}"] = getattr(value, "__module__", "taskworlds")
    for module in modules:
        for name in module.__all__:
            value = getattr(module, name)
            if not isinstance(value, ModuleType):
                found[f"{module.__name__}.{name}"] = module.__name__
    return found


def page_of(module: str) -> str:
    """Returns the page that tells of a module's names."""
    rest = module.removeprefix("taskworlds.")
    for page, (_, parts) in PAGES.items():
        if any(rest == part or rest.startswith(f"{part}.") for part in parts):
            return page
    raise ValueError(f"docs/_pages/api.py does not say on which page the names of {module} are told.")


def defined_in(module: str, name: str, value: object) -> str:
    """Returns the module below `module` that sets a name, as its documentation stands there."""
    below = [each for each in sys.modules if each.startswith(f"{module}.")]
    return next((each for each in below if vars(sys.modules[each]).get(name) is value), module)


def constructor_of(value: type) -> FunctionType | None:
    """Returns the `__init__` or `__new__` of a class if this package has written it, or a named tuple's; or None."""
    for each in value.__mro__:
        for name in ("__init__", "__new__"):
            if name in vars(each):
                found = getattr(vars(each)[name], "__func__", vars(each)[name])
                is_ours = getattr(found, "__module__", "").startswith(("taskworlds", "namedtuple_"))
                return found if is_ours and isinstance(found, FunctionType) else None
    return None


def docstring_of(constructor: FunctionType) -> str:
    """Returns what a constructor says of parameters that several classes have; nothing for that of a named tuple."""
    is_written = constructor.__module__.startswith("taskworlds")
    return inspect.cleandoc(constructor.__doc__ or "") if is_written else ""


def parameters_of(function: FunctionType) -> inspect.Signature:
    """Returns the signature of a constructor or a method, without the object itself."""
    signature = inspect.signature(function)
    return signature.replace(parameters=list(signature.parameters.values())[1:])


def directive(name: str) -> str:
    """Returns the lines that have autodoc fill in a name's signature and docstring."""
    module, _, last = name.rpartition(".")
    value = getattr(importlib.import_module(module), last)
    if inspect.isclass(value):
        kind = "autoexception" if issubclass(value, BaseException) else "autoclass"
        options = ["   :members:"]
        constructor = constructor_of(value)
        if constructor is not None:
            value.__signature__ = parameters_of(constructor)  # not that of a mocked base
            if docstring_of(constructor):
                options.append("   :class-doc-from: both")
    elif inspect.isroutine(value):
        kind, options = "autofunction", []
    else:
        kind, options = "autodata", []
        name = f"{defined_in(module, last, value)}.{last}"
    return "\n".join([f".. {kind}:: {name}", *options, ""])


def write(folder: Path) -> None:
    """Writes the pages into `folder`, which is the site's `api`."""
    with mock(MOCKED):
        _write(folder)


def _write(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    names = public_names()
    entries = "\n".join(PAGES)
    (folder / "index.md").write_text(
        "# Python\n\nEvery public name, with shapes, dtypes, units and errors. All of them are in "
        "`taskworlds` unless a longer name says where.\n\n"
        f"```{{toctree}}\n:maxdepth: 2\n\n{entries}\n```\n"
    )
    for page, (title, _) in PAGES.items():
        lines = [f"# {title}", "", "```{eval-rst}"]
        lines += [directive(name) for name in sorted(names) if page_of(names[name]) == page]
        (folder / f"{page}.md").write_text("\n".join([*lines, "```", ""]))
