"""The policy of a command: its options, and what they name."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from taskworlds.core.errors import WrongValue
from taskworlds.core.world import World

__all__ = ["NAMED", "arguments_of", "default_policy", "load"]

NAMED = ("expert", "random")
"""Policies that have a name."""

_WORDS = {"True": True, "False": False, "None": None}  # Python's, beside JSON's


def arguments_of(given: Sequence[str]) -> dict[str, Any]:
    """Returns the arguments that `--policy-arg name=value` gave: values of JSON where they are JSON, otherwise strings.

    Raises:
        ValueError: one has another form, or comes twice.

    Example:
        >>> arguments_of(["width=64", "layers=[2, 2]", "activation=tanh", "bias=False"])
        {'width': 64, 'layers': [2, 2], 'activation': 'tanh', 'bias': False}
    """
    arguments: dict[str, Any] = {}
    for each in given:
        name, equals, text = each.partition("=")
        if not equals or not name.isidentifier():
            raise WrongValue(
                f"policy_arg must be NAME=VALUE with the name of an argument, as in width=64, not {each!r}.",
                argument="policy_arg",
            )
        if name == "checkpoint":
            raise WrongValue(
                "policy_arg must not be named checkpoint: give the checkpoint with --checkpoint.",
                "policy_arg",
            )
        if name in arguments:
            raise WrongValue(f"policy_arg gives {name} twice: give it once.", argument="policy_arg")
        arguments[name] = _value(text)
    return arguments


def _value(text: str) -> Any:
    if text in _WORDS:
        return _WORDS[text]
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def default_policy(world: World, given: str | None) -> str:
    """Returns the policy that `--policy` names, or the one that plays in a world if there is none.

    Raises:
        ValueError: it is the expert, and the world has none.
    """
    if given == "expert" and world.experts is None:
        raise WrongValue(f"{world.name} has no scripted experts: give --policy random, or your own.")
    return given or ("random" if world.experts is None else "expert")


def load(name: str, arguments: dict[str, Any], checkpoint: Path | None) -> Any:
    """Returns the policy that the options name; a module is looked for in the current directory first.

    Raises:
        TypeError, ValueError: as `taskworlds.evaluation.load_policy`.
    """
    from taskworlds.evaluation import load_policy  # loads a simulator, which the help can do without

    if ":" in name and not name.partition(":")[0].endswith(".py"):
        sys.path.insert(0, os.getcwd())
    return load_policy(name, checkpoint=checkpoint, **arguments)
