"""What a registered skill is made of, as text that fingerprints can hold and compare."""

from __future__ import annotations

import functools
import hashlib
import os
import sys
import xml.etree.ElementTree as ET
from collections.abc import Collection
from pathlib import Path

from taskworlds.core.digest import digest
from taskworlds.worlds.metaworld.skill import Skill
from taskworlds.worlds.metaworld.skills import registered_skills

__all__ = ["registered_code"]

_WORDS = ("name", "class_name", "family", "summary")  # fields that decide no number


def registered_code(env_names: Collection[str]) -> str | None:
    """Returns digests of the registered skills among some; None if there are none.

    A digest is the same in every process and on every machine that runs the same version of Python, which the text
    names: it is made of bytecode.

    Example:
        >>> import dataclasses
        >>> from taskworlds.worlds.metaworld.skills import skill, temporarily_registered
        >>> with temporarily_registered(dataclasses.replace(skill("push-v3"), name="push-mine-v1")):
        ...     registered_code(["push-v3", "push-mine-v1"])
        'Python 3...: push-mine-v1 ...'
    """
    own = sorted((each for each in registered_skills() if each.name in env_names), key=lambda each: each.name)
    if not own:
        return None
    listed = ", ".join(f"{each.name} {_digest(each)}" for each in own)
    return f"Python {sys.version_info.major}.{sys.version_info.minor}: {listed}"


def _digest(skill: Skill) -> str:
    fields = {name: value for name, value in vars(skill).items() if name not in _WORDS}
    model = os.fspath(skill.model)
    return digest(fields | {"model": _contents(model) if Path(model).is_absolute() else model})


@functools.cache
def _contents(file: str) -> tuple[str, ...]:
    """Returns a hash of a model file and of each file beside it that it names. They are read once, like the model.

    What it names and is not beside it is Meta-World's, whose version a fingerprint has.
    """
    main = Path(file)
    folders = [""]
    for compiler in ET.parse(main).iter("compiler"):
        folders += [folder for attribute, folder in compiler.items() if attribute.endswith("dir")]
    hashes: dict[Path, str] = {}
    waiting = [(main, True)]
    while waiting:
        path, holds_names = waiting.pop()
        if path in hashes or not path.is_file():
            continue
        hashes[path] = hashlib.sha256(path.read_bytes()).hexdigest()
        for element in ET.parse(path).iter() if holds_names else ():
            waiting += [
                (main.parent / folder / name, element.tag == "include")
                for attribute, name in element.items()
                if attribute.startswith("file")
                for folder in folders
            ]
    return tuple(hashes.values())
