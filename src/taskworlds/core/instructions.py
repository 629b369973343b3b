"""Instructions: what is to be done in a task, as sentences for people and for policies that read."""

from __future__ import annotations

from typing import Any

from taskworlds.core.errors import WrongType

__all__ = ["check_sentences", "sentence"]


def sentence(words: str) -> str:
    """Returns words as a sentence: with a capital letter and a full stop.

    Example:
        >>> sentence("pull the drawer open")
        'Pull the drawer open.'
    """
    return f"{words[:1].upper()}{words[1:].removesuffix('.')}."


def check_sentences(world: str, env_name: str, sentences: Any) -> tuple[str, ...]:
    """Returns what a world gave as the instructions of a task of `env_name`.

    Raises:
        WrongType: it is not a tuple of at least one string, none of them empty.
    """
    if (
        isinstance(sentences, tuple)
        and sentences
        and all(isinstance(each, str) and each.strip() for each in sentences)
    ):
        return sentences
    raise WrongType(
        f"instructions of the world {world!r} must return a tuple of sentences, the plainest first, for a task of "
        f"{env_name}, not {sentences!r}."
    )
