"""`taskworlds doctor`: what this machine has, what is missing, and how to get it."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import re
import shutil
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, NamedTuple

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from taskworlds.cli.terminal import console
from taskworlds.core import cache
from taskworlds.core.cpus import count_cpus
from taskworlds.core.registry import worlds
from taskworlds.core.simulator import MUJOCO
from taskworlds.core.version import __version__
from taskworlds.rendering.offscreen import DRAW, INSTALL, LIBRARIES, fault
from taskworlds.workers.addresses import silence

__all__ = ["Check", "checks", "doctor"]

PYTHON = ">=3.10,<3.14"
NEEDED = {
    "gymnasium": ">=1.1",
    "metaworld": "==3.1.1",
    "mujoco": f"=={MUJOCO}",
    "numba": ">=0.61",
    "numpy": ">=1.26",
    "scipy": ">=1.11",
}
OPTIONAL = {
    "torch": "observations as tensors",
    "omegaconf": "configurations of mtrl",
    "imageio-ffmpeg": "videos",
    "jinja2": "reports",
    "matplotlib": "figures of results",
    "pandas": "results as data frames",
    "pyarrow": "demonstrations for LeRobot",
    "av": "their pictures",
    "minari": "demonstrations for Minari",
}
RAY = ">=2.55,<3"  # the versions that workers are tested with
# What to install for packages that this one can do without, where it is not just their name.
EXTRAS = {
    "dm_control": "taskworlds[control]",
    **dict.fromkeys(("imageio-ffmpeg", "jinja2", "matplotlib", "pandas"), "taskworlds[report]"),
    **dict.fromkeys(("pyarrow", "av", "minari"), "taskworlds[demonstrations]"),
}

_OK, _OPTIONAL, _MISSING = "ok", "optional", "MISSING"
_STYLES = {_OK: "green", _OPTIONAL: "yellow", _MISSING: "bold red"}

_STEP = """
import taskworlds
env = taskworlds.make({name!r}, seed=0)
env.reset(seed=0)
env.step(env.action_space.sample())
"""
_SKILL = "reach-v3"
_IDS = """
import gymnasium, sys
sys.exit("taskworlds/MT10" not in gymnasium.registry)
"""


class Check(NamedTuple):
    """One thing that was looked at.

    Attributes:
        name: the thing.
        status: "ok", "optional" (missing, but `taskworlds evaluate` runs without it) or "MISSING".
        found: what is there.
        advice: what to do; empty where nothing is to be done.
    """

    name: str
    status: str
    found: str
    advice: str = ""


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print what was found as JSON.")] = False,
) -> None:
    """Checks whether everything is installed and works, and says how to get what is missing.

    The exit code is 0 if `taskworlds evaluate` can run, and 1 if something that it needs is missing.
    """
    if as_json:
        found = list(checks())
        print(json.dumps([check._asdict() for check in found], indent=1))
        raise typer.Exit(int(any(check.status == _MISSING for check in found)))
    say = console()
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), show_edge=False)
    table.add_column("check", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("found", overflow="fold")
    table.add_column("what to do", overflow="fold")
    missing = []
    with console(stderr=True).status("checking"):
        for check in checks():
            table.add_row(
                Text(check.name),
                Text(check.status, _STYLES[check.status]),
                Text(check.found),
                Text(check.advice),
            )
            if check.status == _MISSING:
                missing.append(check.name)
    say.print(table)
    if missing:
        say.print(f"\n`taskworlds evaluate` cannot run: {', '.join(missing)}.", markup=False)
        raise typer.Exit(1)
    say.print("\nEverything that `taskworlds evaluate` needs is there.", markup=False)


def checks() -> Iterator[Check]:
    """Checks one thing after the other; what could crash runs in a process of its own."""
    yield Check("taskworlds", _OK, f"{__version__}, {Path(__file__).parents[1]}")
    yield _python()
    for name, wanted in NEEDED.items():
        yield _package(name, wanted)
    yield _simulation()
    yield _ids()
    for name, use in OPTIONAL.items():
        yield _optional_package(name, use)
    yield from _worlds()
    yield from _ray()
    yield _rendering()
    yield _kernels()
    yield _compiler()
    yield Check("cores", _OK, f"{count_cpus()} of {os.cpu_count()} for this process")
    yield _cache()


def _python() -> Check:
    found = platform.python_version()
    if _satisfies(found, PYTHON):
        return Check("Python", _OK, f"{found}, {sys.executable}")
    return Check("Python", _MISSING, found, f"use Python {PYTHON}")


def _package(name: str, wanted: str) -> Check:
    """Checks the version that is installed, without importing the package."""
    found = _version(name)
    advice = f'pip install "{name}{wanted}"'
    if found is None:
        return Check(name, _MISSING, "not installed", advice)
    if not _satisfies(found, wanted):
        return Check(name, _MISSING, f"{found}, but {wanted} is needed", advice)
    return Check(name, _OK, found)


def _optional_package(name: str, use: str) -> Check:
    found = _version(name)
    if found is None:
        return Check(name, _OPTIONAL, "not installed", f'pip install "{EXTRAS.get(name, name)}" ({use})')
    return Check(name, _OK, found)


def _simulation() -> Check:
    trouble = fault(_STEP.format(name=_SKILL))
    if trouble is None:
        return Check("simulation", _OK, f"one step of {_SKILL}")
    trouble, _, typed = trouble.partition(" Type: ")  # a complaint of ours says what to type
    advice = typed or "install what is missing above; if nothing is missing, reinstall taskworlds"
    if (library := os.environ.get("MUJOCO_GL")) and fault(_STEP.format(name=_SKILL), MUJOCO_GL="") is None:
        advice = f"unset MUJOCO_GL, because {library} cannot be loaded, or install it: {INSTALL}"
    return Check("simulation", _MISSING, trouble, advice)


def _ids() -> Check:
    if fault(_IDS) is None:
        return Check("Gymnasium ids", _OK, "registered when Gymnasium is imported")
    return Check(
        "Gymnasium ids", _OPTIONAL, "not registered automatically", "import taskworlds before gymnasium.make"
    )


def _worlds() -> Iterator[Check]:
    """Checks the packages of worlds that the package can do without, and takes a step there, without pictures."""
    seen = set(NEEDED)
    for world in worlds():
        for package in world.packages:
            if package in seen:
                continue
            seen.add(package)
            found = _version(package)
            advice = f'pip install "{EXTRAS.get(package, package)}" (the worlds of {world.suite})'
            if found is None:
                yield Check(package, _OPTIONAL, "not installed", advice)
                continue
            names = [name for name, maker in world.benchmark_makers().items() if not maker.keywords]
            trouble = fault(_STEP.format(name=names[0]), MUJOCO_GL="disable") if names else None
            if trouble is not None:
                yield Check(package, _OPTIONAL, f"{found}, but {trouble}", advice)
            else:
                yield Check(package, _OK, found)


def _ray() -> Iterator[Check]:
    """Checks what `--workers` needs: Ray, and its cluster if RAY_ADDRESS names one."""
    found, advice = _version("ray"), 'pip install "taskworlds[ray]" (workers)'
    if found is None:
        yield Check("ray", _OPTIONAL, "not installed", advice)
        return
    if _satisfies(found, RAY):
        yield Check("ray", _OK, found)
    else:
        yield Check("ray", _OPTIONAL, f"{found}, but workers are tested with {RAY}", advice)
    address = os.environ.get("RAY_ADDRESS")
    if address in (None, "", "local"):
        yield Check("Ray cluster", _OK, "none is named: workers run on this machine")
    elif address == "auto":
        yield Check("Ray cluster", _OK, "RAY_ADDRESS=auto: the one that this machine belongs to")
    else:
        try:
            trouble = silence(address)
        except ValueError:
            trouble = "it is not host:port"
        if trouble is None:
            yield Check("Ray cluster", _OK, f"RAY_ADDRESS={address} answers")
        else:
            yield Check(
                "Ray cluster",
                _OPTIONAL,
                f"RAY_ADDRESS={address}: {trouble}",
                "set it to the address that `ray start --head` printed, or unset it to have workers on this machine",
            )


def _rendering() -> Check:
    """Draws a picture with each library that can do so without a display."""
    name = "offscreen GL"
    libraries = [each for each in LIBRARIES if each != "glfw"] or list(LIBRARIES)
    faults = {library: fault(DRAW, MUJOCO_GL=library) for library in libraries}
    found = [library for library, trouble in faults.items() if trouble is None]
    wanted = os.environ.get("MUJOCO_GL")
    if wanted and wanted not in found:
        trouble = faults[wanted] if wanted in faults else fault(DRAW, MUJOCO_GL=wanted)
        if trouble is not None:
            instead = f"set MUJOCO_GL={found[0]}" if found else INSTALL
            return Check(
                name, _OPTIONAL, f"MUJOCO_GL={wanted}: {trouble}", f"{instead} (for pictures offscreen)"
            )
    if found:
        return Check(name, _OK, f"MUJOCO_GL={' or '.join(found)} renders")
    return Check(
        name,
        _OPTIONAL,
        "none; " + "; ".join(f"{library}: {trouble}" for library, trouble in faults.items()),
        f"{INSTALL} (for pictures offscreen)",
    )


def _kernels() -> Check:
    """Checks whether the package has its skills compiled, or compiles each when it is first used."""
    from taskworlds.kernels import library  # not at the top, for the other commands

    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        names = library.names()
    if names:
        return Check("compiled skills", _OK, f"{len(names)} kernels came with the package")
    reason = f": {told[0].message}" if told else ""
    return Check(
        "compiled skills",
        _OPTIONAL,
        f"none; each is compiled when it is first used, in a second or two{reason}",
        f"reinstall taskworlds; building it takes numba {library.NUMBA}",
    )


def _compiler() -> Check:
    for name in (os.environ.get("CXX", ""), "c++", "g++", "clang++"):
        if path := shutil.which(name):
            return Check("C++ compiler", _OK, path)
    return Check("C++ compiler", _OPTIONAL, "none", "apt-get install g++ (to build from source)")


def _cache() -> Check:
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        if all(cache.can_save(kind) for kind in cache.KINDS):
            return Check("cache folder", _OK, str(cache.folder()))
    reason = str(told[0].message) if told else f"nothing can be written to {cache.folder()}"
    found, _, advice = reason.partition(", so each process compiles them again. ")
    return Check(
        "cache folder",
        _OPTIONAL,
        found,
        advice or "set TASKWORLDS_CACHE_DIR to a folder that you can write to",
    )


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _satisfies(found: str, wanted: str) -> bool:
    """Returns whether a version satisfies bounds such as ">=3.10,<3.14"."""
    for bound in wanted.split(","):
        sign, limit = re.fullmatch(r"(==|>=|<)(.+)", bound).groups()  # type: ignore[union-attr]
        left, right = _numbers(found), _numbers(limit)
        if not {"==": left == right, ">=": left >= right, "<": left < right}[sign]:
            return False
    return True


def _numbers(version: str) -> list[int]:
    return [int(number) for number in re.match(r"[\d.]*\d", version)[0].split(".")]  # type: ignore[index]
