"""MuJoCo's model files: Meta-World's own, and others that build on them."""

from __future__ import annotations

import functools
import importlib.util
import os
import xml.etree.ElementTree as ET
from pathlib import Path

import mujoco

from taskworlds.core.errors import WrongValue

__all__ = ["is_own_file", "metaworld_assets", "read_spec"]

_FOLDERS = {"mesh": "meshdir", "hfield": "meshdir", "skin": "meshdir", "texture": "texturedir"}
_NAMING_FILES = (*_FOLDERS, "model")
_FILE_ATTRIBUTES = ("file", "fileright", "fileleft", "fileup", "filedown", "filefront", "fileback")


@functools.cache
def metaworld_assets() -> Path:
    """Returns the folder of Meta-World's model files, without importing Meta-World, which takes half a second."""
    package = importlib.util.find_spec("metaworld")
    assert package is not None
    assert package.submodule_search_locations
    return Path(package.submodule_search_locations[0]) / "assets"


def is_own_file(file: str | os.PathLike[str]) -> bool:
    """Returns whether a model file is given by an absolute path, and so is not one of Meta-World's assets."""
    return Path(file).is_absolute()


def read_spec(file: str | os.PathLike[str]) -> mujoco.MjSpec:
    """Reads a model file, to be compiled.

    Args:
        file: a path within the assets of the metaworld package, "sawyer_xyz/sawyer_drawer.xml"; or the absolute path of
            a file of one's own. Files that the latter names (includes, meshes, textures) are looked for beside it, and
            if they are not there, where Meta-World's own models look for them: "../scene/basic_scene.xml".

    Raises:
        ValueError: there is no such file, it is not XML, or it names a file that is in neither place.
    """
    assets = metaworld_assets()
    path = assets / file
    if not path.is_file():
        if is_own_file(file):
            raise WrongValue(f"There is no model file {str(file)!r}. Give the path of a MuJoCo XML file.")
        raise WrongValue(
            f"Meta-World has no model file {str(file)!r}. Give a path within its assets, like "
            "'sawyer_xyz/sawyer_drawer.xml', or the absolute path of a file of your own."
        )
    if not is_own_file(file):
        return mujoco.MjSpec.from_file(str(path))
    root = _parse(path)
    _complete(root, _Search(path, assets / "sawyer_xyz", root), ())
    return mujoco.MjSpec.from_string(ET.tostring(root, encoding="unicode"))


class _Search:
    """Where the files that a model file names are looked for.

    Args:
        main: the model's file. Paths count from its folder, also those in files that it includes.
        metaworld: the folder that paths count from in Meta-World's files.
        root: the model's XML, whose `compiler` may name folders.
    """

    def __init__(self, main: Path, metaworld: Path, root: ET.Element) -> None:
        self._main = main
        self._metaworld = metaworld
        self._folders = {
            kind: compiler.get(kind) or compiler.get("assetdir") or ""
            for compiler in root.iter("compiler")
            for kind in ("meshdir", "texturedir")
        }

    def find(self, kind: str, name: str) -> Path:
        """Returns the absolute path of a file that an element of this kind names."""
        places = [self._main.parent, self._metaworld]
        if kind in _FOLDERS:
            places.insert(0, self._main.parent / self._folders.get(_FOLDERS[kind], ""))
        for folder in places:
            if (folder / name).is_file():
                return (folder / name).resolve()
        raise WrongValue(
            f"The model file {str(self._main)!r} names {name!r}, which is neither beside it nor where Meta-World's "
            f"models look, {str(self._metaworld)!r}. Correct the path; it is relative to the model file's folder."
        )


def _complete(element: ET.Element, search: _Search, including: tuple[Path, ...]) -> None:
    """Puts in what an element includes, and makes the paths in it absolute."""
    children: list[ET.Element] = []
    for child in element:
        if child.tag == "include":
            file = search.find(child.tag, child.get("file", ""))
            if file in including:
                raise WrongValue(f"The model file {str(file)!r} includes itself. Remove the include.")
            included = _parse(file)
            _complete(included, search, (*including, file))
            children += included
            continue
        for attribute in _FILE_ATTRIBUTES if child.tag in _NAMING_FILES else ():
            if child.get(attribute):
                child.set(attribute, str(search.find(child.tag, child.get(attribute, ""))))
        _complete(child, search, including)
        children.append(child)
    element[:] = children


def _parse(path: Path) -> ET.Element:
    try:
        return ET.parse(path).getroot()
    except ET.ParseError as error:
        raise WrongValue(f"The model file {str(path)!r} is not readable XML: {error}.") from None
