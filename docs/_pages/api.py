"""The reference: of every public name, and of what their annotations name; a page for each part, filled by autodoc."""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, TypeVar

from sphinx.ext.autodoc.mock import mock

import taskworlds
from _pages import annotations
from taskworlds.compat import mtrl

# Where a name is told, by the module that it comes from; the first that fits.
PAGES = {
    "environments": (
        "Environments and tasks",
        ("vector", "core.benchmark", "core.chunk_step", "core.members", "core.step", "core.task"),
    ),
    "evaluation": ("Evaluation", ("evaluation",)),
    "continual": ("Continual learning", ("continual",)),
    "worlds": ("Worlds", ("worlds", "control", "samplers")),
    "extending": ("Worlds, skills and engines of your own", ("core", "rendering", "rows", "testing")),
    "training": ("For libraries that train", ("integrations",)),
    "distributed": ("Several machines", ("distributed", "workers")),
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


def value_of(name: str) -> Any:
    """Returns what a fully qualified name stands for."""
    module, _, last = name.rpartition(".")
    return getattr(importlib.import_module(module), last)


def is_private(value: Any) -> bool:
    """Returns whether a function or property says that it is for this package alone, by the field `:meta private:`."""
    return (
        re.search(r"^ *:meta private:$", getattr(value, "__doc__", None) or "", flags=re.MULTILINE)
        is not None
    )


def members_of(value: type) -> Iterator[tuple[str, Any]]:
    """Yields the public members of a class that this package has written, also in its bases: name and what it is.

    A member that a class has from elsewhere, such as Gymnasium, is not among them, nor what `is_private`.
    """
    names = {name for base in value.__mro__ for name in vars(base) if not name.startswith("_")}
    for name in sorted(names):
        base = next(base for base in value.__mro__ if name in vars(base))
        if _is_ours(base.__module__) and not is_private(getattr(base, name)):
            yield name, vars(base)[name]


def functions_of(value: type) -> Iterator[FunctionType]:
    """Yields the functions behind the members of a class: of methods, and those that properties call."""
    for _, member in members_of(value):
        function = member.fget if isinstance(member, property) else getattr(member, "__func__", member)
        if isinstance(function, FunctionType):
            yield function


def named_in_annotations() -> dict[str, str]:
    """Returns the classes and aliases that are not public names, but that annotations in the reference name.

    Those of public names, and those of what they name, and so on.

    Returns:
        By fully qualified name, the module.
    """
    public = [value_of(name) for name in public_names()]
    found: dict[str, str] = {}
    todo = [each for value in public for each in _named_by(value)]
    while todo:
        each = todo.pop()
        name, value = f"{each.module}.{each.name}", each.value
        if name not in found and not isinstance(value, TypeVar) and not any(value is one for one in public):
            found[name] = each.module
            todo += _named_by(value) if inspect.isclass(value) else annotations.of_alias(each)
    return found


def _named_by(value: Any) -> Iterator[annotations.Origin]:
    if inspect.isclass(value):
        constructor = constructor_of(value)
        if constructor is not None and constructor.__module__.startswith("taskworlds"):
            yield from annotations.of_function(constructor)
        elif not _is_ours(getattr(value.__init__, "__module__", None)):
            yield from annotations.of_fields(value)
        for function in functions_of(value):
            yield from annotations.of_function(function)
    elif isinstance(value, FunctionType):
        yield from annotations.of_function(value)


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


def _is_ours(module: str | None) -> bool:
    return (module or "").startswith(("taskworlds", "namedtuple_"))


def _constructor(value: type) -> FunctionType | None:
    """Returns the `__init__` or `__new__` of a class if this package has written it, or a named tuple's; or None."""
    for each in value.__mro__:
        for name in ("__init__", "__new__"):
            if name in vars(each):
                found = getattr(vars(each)[name], "__func__", vars(each)[name])
                is_ours = _is_ours(getattr(found, "__module__", ""))
                return found if is_ours and isinstance(found, FunctionType) else None
    return None


def has_private_constructor(value: type) -> bool:
    """Returns whether other functions make the objects of a class, and its constructor is for this package alone."""
    return is_private(_constructor(value))


def constructor_of(value: type) -> FunctionType | None:
    """Returns the constructor of a class if this package has written it and users may call it; or None."""
    return None if has_private_constructor(value) else _constructor(value)


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
    value = value_of(name)
    if inspect.isclass(value):
        kind = "autoexception" if issubclass(value, BaseException) else "autoclass"
        foreign = [each.__name__ for each in value.__mro__ if not _is_ours(each.__module__)]
        options = ["   :members:", f"   :inherited-members: {', '.join(foreign)}"]
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
    names, others = public_names(), named_in_annotations()
    entries = "\n".join(PAGES)
    (folder / "index.md").write_text(
        "# Python\n\nEvery public name, with shapes, dtypes, units and errors, and what these take and "
        "return. All of them are in `taskworlds` unless a longer name says where.\n\n"
        f"```{{toctree}}\n:maxdepth: 2\n\n{entries}\n```\n"
    )
    for page, (title, _) in PAGES.items():
        lines = [f"# {title}", "", *_entries(names, page)]
        if any(page_of(module) == page for module in others.values()):
            lines += ["## What these take and return", "", *_entries(others, page)]
        (folder / f"{page}.md").write_text("\n".join(lines))


def _entries(names: dict[str, str], page: str) -> list[str]:
    """Returns the lines of those names, each with its module, that a page tells of."""
    return [
        "```{eval-rst}",
        *(directive(name) for name in sorted(names) if page_of(names[name]) == page),
        "```",
        "",
    ]
