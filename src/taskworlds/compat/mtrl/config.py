"""Entries of mtrl's configurations: an OmegaConf `DictConfig`, a dictionary or an object with attributes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["entries", "entry", "first", "plain"]


def first(*values: Any) -> Any:
    """Returns the first value that is not None, or else None."""
    return next((value for value in values if value is not None), None)


def entry(node: Any, *path: str) -> Any:
    """Returns an entry of a DictConfig, a dictionary or an object; None if it is missing."""
    for name in path:
        if isinstance(node, Mapping):
            node = node.get(name)
        else:
            node = getattr(node, name, None)
    return node


def entries(node: Any) -> dict[str, Any]:
    """Returns a group of the configuration as a dictionary of plain values."""
    return plain(node if isinstance(node, Mapping) else vars(node)) if node is not None else {}


def plain(value: Any) -> Any:
    """Returns a value with OmegaConf's containers turned into dictionaries and lists."""
    if isinstance(value, Mapping):
        return {name: plain(value[name]) for name in value}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(each) for each in value]
    return value
