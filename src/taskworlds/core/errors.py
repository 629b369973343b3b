"""Users' mistakes: the exceptions that say so, and the checks of arguments that raise them.

A message has four parts: which argument, what was expected, what came, and what to do. Every check raises `WrongValue`
(a ValueError) or `WrongType` (a TypeError); nothing here depends on the rest of the package.
"""

from __future__ import annotations

import difflib
import operator
from collections.abc import Iterable, Sequence
from typing import Any

__all__ = [
    "Mistake",
    "WrongType",
    "WrongValue",
    "check_choice",
    "check_count",
    "check_known",
    "check_seed",
    "unexpected_keywords",
]


class Mistake(Exception):
    """Something that the user gave and that cannot be used. The message says what to do; a program shows it alone.

    Args:
        message: what is wrong, in whole sentences.
        argument: the name of the argument that is at fault, as the message spells it; None if it is not just one.

    Attributes:
        argument: as given.
    """

    def __init__(self, message: str, argument: str | None = None) -> None:
        super().__init__(message)
        self.argument = argument

    def under_name(self, name: str) -> str:
        """Returns the message with another name for the argument, as where the user gave it as an option.

        The argument's name is exchanged where it stands as a word, or before "=".

        Example:
            >>> mistake = WrongValue("num_goals must be at least 1, not 0, as in num_goals=50.", "num_goals")
            >>> mistake.under_name("--goals")
            '--goals must be at least 1, not 0, as in --goals=50.'
        """
        words = str(self).split(" ")
        for place, word in enumerate(words):
            given, equals, value = word.partition("=")
            if given.rstrip(",.:;") == self.argument:
                words[place] = name + given[len(self.argument) :] + equals + value
        return " ".join(words)


class WrongValue(Mistake, ValueError):
    """A value of the right type that cannot be used."""


class WrongType(Mistake, TypeError):
    """A value of the wrong type, or a keyword that is missing or unknown."""


def check_known(kind: str, name: Any, known: Iterable[str], hint: str) -> str:
    """Returns `name` if it is one of `known`, and otherwise raises with the nearest known names.

    Args:
        kind: what the name stands for, for the message: "skill", "benchmark".
        name: what the user gave.
        known: all valid names.
        hint: how to see them all, as a sentence: "`taskworlds list skills` shows all 50."

    Raises:
        TypeError: `name` is not a string.
        ValueError: `name` is not known.
    """
    if not isinstance(name, str):
        raise WrongType(f"The {kind} must be given by name, as a string, not {name!r}. {hint}")
    known = list(known)
    if name in known:
        return name
    near = _near(name, known)
    if not near and "/" in name:  # "Meta-World/MT10": what others call it
        near = _near(name.rpartition("/")[2], known)
    suggestion = f" Did you mean {' or '.join(repr(n) for n in near)}?" if near else ""
    raise WrongValue(f"Unknown {kind} {name!r}.{suggestion} {hint}")


def _near(name: str, known: Sequence[str]) -> list[str]:
    """Returns the known names that are nearest to a name, at most three; its case matters least."""
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.6)
    if not near:
        by_lower = {each.lower(): each for each in known}
        near = [by_lower[each] for each in difflib.get_close_matches(name.lower(), by_lower, n=3, cutoff=0.6)]
    return near


def check_choice(argument: str, value: Any, choices: Sequence[Any]) -> Any:
    """Returns `value` if it is one of the few `choices` of an argument, and otherwise raises ValueError."""
    if any(value is choice or (type(value) is type(choice) and value == choice) for choice in choices):
        return value
    options = ", ".join(repr(choice) for choice in choices)
    raise WrongValue(f"{argument} must be one of {options}, not {value!r}.", argument)


def check_count(argument: str, value: Any, minimum: int = 1) -> int:
    """Returns `value` as an int if it is a whole number of at least `minimum`.

    Raises:
        TypeError: it is not a whole number (True and 2.0 are not).
        ValueError: it is smaller than `minimum`.
    """
    if isinstance(value, bool):
        raise WrongType(f"{argument} must be a whole number, not {value!r}.", argument)
    try:
        count = operator.index(value)
    except TypeError:
        raise WrongType(f"{argument} must be a whole number, not {value!r}.", argument) from None
    if count < minimum:
        raise WrongValue(f"{argument} must be at least {minimum}, not {count}.", argument)
    return count


def check_seed(seed: Any, argument: str = "seed") -> int:
    """Returns a seed as an int in [0, 2**32 - 1), the range that both NumPy's generators and `seed + 1` allow.

    Raises:
        TypeError: it is not a whole number.
        ValueError: it is out of range.
    """
    value = check_count(argument, seed, minimum=0)
    if value >= 2**32 - 1:
        raise WrongValue(f"{argument} must be below 2**32 - 1, not {value}.", argument)
    return value


def unexpected_keywords(function: str, given: Iterable[str], allowed: Iterable[str]) -> WrongType:
    """Returns the error for keywords that `function` does not take, with the nearest that it does."""
    allowed = sorted(allowed)
    parts = []
    for name in given:
        near = difflib.get_close_matches(name, allowed, n=1)
        parts.append(f"{name!r}" + (f" (did you mean {near[0]!r}?)" if near else ""))
    return WrongType(
        f"{function} got unexpected keyword(s) {', '.join(parts)}. It takes: {', '.join(allowed)}."
    )
