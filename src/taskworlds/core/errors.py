"""Users' mistakes: the exceptions that say so, and the checks of arguments that raise them.

A message has four parts: which argument, what was expected, what came, and what to do. Every check raises `WrongValue`
(a ValueError) or `WrongType` (a TypeError); nothing here depends on the rest of the package.
"""

from __future__ import annotations

import difflib
import operator
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

__all__ = [
    "Mistake",
    "WrongType",
    "WrongValue",
    "check_choice",
    "check_count",
    "check_known",
    "check_names",
    "check_seed",
    "check_switch",
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
            >>> mistake.under_name("--num-goals")
            '--num-goals must be at least 1, not 0, as in --num-goals=50.'
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


def check_switch(argument: str, value: Any) -> bool:
    """Returns a switch as a bool: True or False, also NumPy's, and the whole numbers 1 and 0.

    Raises:
        ValueError: it is something else.
    """
    if type(value) is bool:
        return value
    own = getattr(value, "dtype", None)
    if own is not None and value.shape == () and own.kind in "biu":
        value = value.item()
    if type(value) in (bool, int) and value in (0, 1):
        return bool(value)
    raise WrongValue(f"{argument} must be one of True, False, not {value!r}.", argument)


def check_names(argument: str, names: Any) -> list[str]:
    """Returns a list of names: of a list, a tuple, an array, the keys of a dictionary, or whatever else has an order.

    Raises:
        TypeError: it is one string, has no order, or holds something else than strings.
    """
    has_order = isinstance(names, Iterable) and not isinstance(names, str | bytes | set | frozenset)
    found = list(names) if has_order else []
    if not has_order or not all(isinstance(name, str) for name in found):
        raise WrongType(f"{argument} must be a list of skill names, not {names!r}.", argument)
    return [str(name) for name in found]


def check_count(argument: str, value: Any, minimum: int = 1, maximum: int | None = None) -> int:
    """Returns `value` as an int if it is a whole number from `minimum` to `maximum`; None for no upper end.

    Raises:
        TypeError: it is not a whole number (True and 2.0 are not).
        ValueError: it is out of range.
    """
    if isinstance(value, bool):
        raise WrongType(f"{argument} must be a whole number, not {value!r}.", argument)
    try:
        count = operator.index(value)
    except TypeError:
        raise WrongType(f"{argument} must be a whole number, not {value!r}.", argument) from None
    if count < minimum:
        raise WrongValue(f"{argument} must be at least {minimum}, not {count}.", argument)
    if maximum is not None and count > maximum:
        raise WrongValue(f"{argument} must be at most {maximum}, not {count}.", argument)
    return count


def check_seed(seed: Any, argument: str = "seed") -> int:
    """Returns a seed as an int: any whole number from 0 on, of Python's or NumPy's types.

    NumPy's generators take seeds of any size; for its older kind `taskworlds.core.draws.legacy_seed` makes them fit.

    Raises:
        TypeError: it is not a whole number.
        ValueError: it is negative.
    """
    return check_count(argument, seed, minimum=0)


def unexpected_keywords(
    function: str, given: Iterable[str], allowed: Iterable[str], instead: Mapping[str, str] | None = None
) -> WrongType:
    """Returns the error for keywords that a function does not take, with what to write instead.

    It begins as Python's own, since other libraries look for that text.

    Args:
        function: what was called, as "make()".
        given: the keywords, at least one.
        allowed: all that it takes.
        instead: by keyword, the one that other libraries' users mean, or what to do, in a few words; for the rest the
            nearest in spelling is shown.
    """
    allowed = sorted(allowed)
    meant = instead or {}
    parts = []
    for name in given:
        known = meant.get(name)
        while known is not None and known not in allowed and known in meant:
            known = meant[known]
        near = [known] if known in allowed else difflib.get_close_matches(name, allowed, n=1)
        if known is not None and known not in allowed:
            parts.append(f"{name!r} ({known})")
        else:
            parts.append(f"{name!r}" + (f" (did you mean {near[0]!r}?)" if near else ""))
    return WrongType(
        f"{function} got an unexpected keyword argument {' and '.join(parts)}. It takes: {', '.join(allowed)}."
    )
