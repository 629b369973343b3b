"""How the conformance suites run their checks, and how a check says what is wrong."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from taskworlds.core.errors import Mistake
from taskworlds.testing.report import Check

__all__ = ["Failed", "PlannedCheck", "Warned", "broken", "modules_of", "place_in", "run_checks"]


class Failed(Exception):
    """A check failed; the message says how."""


class Warned(Exception):
    """A check found something that may be meant; the message says what."""


class PlannedCheck(NamedTuple):
    """One check of a suite.

    Attributes:
        name: what is checked.
        run: returns what was found; raises `Failed` or `Warned`. Any other exception is a failure too.
        needs: names of earlier checks that this one rests on: it does not run where one of them failed.
    """

    name: str
    run: Callable[[], str]
    needs: tuple[str, ...] = ()


def broken(rule: str, found: str) -> Failed:
    """Returns the failure of a rule: the rule in words, and then what was found instead.

    Example:
        >>> str(broken("A masked step leaves the other rows as they were", "row 2 changed at step 3"))
        'A masked step leaves the other rows as they were: row 2 changed at step 3.'
    """
    return Failed(f"{rule}: {found}.")


def run_checks(plan: Sequence[PlannedCheck], place: Callable[[BaseException], str]) -> Iterator[Check]:
    """Runs checks in their order, each unless one that it rests on failed.

    Args:
        plan: the checks.
        place: says for an exception which line of the author's code it came from; "" if none of it did.
    """
    bad: set[str] = set()
    for name, run, needs in plan:
        missing = [need for need in needs if need in bad]
        if missing:
            bad.add(name)
            yield Check(name, "not run", f"because the check of {' and '.join(missing)} failed")
            continue
        outcome, message = _outcome(run, place)
        if outcome == "failed":
            bad.add(name)
        yield Check(name, outcome, message)


def _outcome(run: Callable[[], str], place: Callable[[BaseException], str]) -> tuple[str, str]:
    try:
        return "ok", run()
    except Failed as failure:
        return "failed", str(failure)
    except Warned as warning:
        return "warning", str(warning)
    except Mistake as mistake:  # its message says everything
        return "failed", f"{mistake}{place(mistake)}"
    except Exception as error:  # an error in the author's own code, or in what it led to
        return "failed", f"{type(error).__name__}: {error}{place(error)}"


def modules_of(references: Sequence[Any]) -> frozenset[str]:
    """Returns the top-level packages that functions, or names like "module:NAME", come from."""
    found = set()
    for reference in references:
        while hasattr(reference, "func"):  # functools.partial
            reference = reference.func
        if isinstance(reference, str):
            found.add(reference.partition(":")[0].partition(".")[0])
        elif isinstance(module := getattr(reference, "__module__", None), str):
            found.add(module.partition(".")[0])
    return frozenset(found)


def place_in(error: BaseException, is_author: Callable[[traceback.FrameSummary, str], bool]) -> str:
    """Says which line an error came from: the last one in its traceback that is the author's.

    Args:
        error: the error.
        is_author: tells from a frame of the traceback and the name of its module whether the author wrote it.
    """
    frames = [
        summary
        for (frame, _), summary in zip(
            traceback.walk_tb(error.__traceback__), traceback.extract_tb(error.__traceback__), strict=True
        )
        if is_author(summary, str(frame.f_globals.get("__name__", "")))
    ]
    if not frames:
        return ""
    return f" ({os.path.basename(frames[-1].filename)}, line {frames[-1].lineno}, in {frames[-1].name})"
