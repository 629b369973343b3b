"""Injects faults and prints what came of them: `python -m taskworlds.testing.faults [KIND ...]`.

The exit code is 1 if anything was lost: if what followed a fault was neither right nor the documented error.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import sys
import time

from taskworlds.testing.faults.tally import Tally

ROUNDS = {"caches": 20, "processes": 20, "interruption": 100, "input": 1000, "leaks": 2000}
"""The kinds of faults, each a module beside this one, and their rounds in the long form."""


def main(arguments: list[str] | None = None) -> int:
    """Runs the program; returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m taskworlds.testing.faults", description=__doc__)
    kinds = [kind for kind in ROUNDS if importlib.util.find_spec(f"{__package__}.{kind}") is not None]
    parser.add_argument(
        "kinds", nargs="*", metavar="KIND", help=f"which of: {', '.join(kinds)}; all by default"
    )
    parser.add_argument(
        "--rounds", type=int, help="how often each fault is injected; by default the long form"
    )
    parser.add_argument("--seed", type=int, default=0, help="decides which faults, and when")
    parser.add_argument("--markdown", action="store_true", help="print the table as Markdown")
    chosen = parser.parse_args(arguments)
    unknown = [kind for kind in chosen.kinds if kind not in kinds]
    if unknown:
        parser.error(f"There is no kind {', '.join(map(repr, unknown))}. The kinds are {', '.join(kinds)}.")
    if chosen.rounds is not None and chosen.rounds < 1:
        parser.error(f"--rounds must be at least 1, not {chosen.rounds}.")
    tallies = []
    for kind in chosen.kinds or kinds:
        begun = time.monotonic()
        inject = importlib.import_module(f"{__package__}.{kind}").inject
        for tally in inject(chosen.rounds or ROUNDS[kind], chosen.seed):
            taken, begun = time.monotonic() - begun, time.monotonic()
            print(
                f"{kind}: {tally.fault}: {tally.held} of {tally.injected}, {taken:.0f} s",
                file=sys.stderr,
                flush=True,
            )
            tallies.append(tally)
    print(table(tallies, markdown=chosen.markdown))
    for tally in tallies:
        for line in tally.lost:
            print(f"LOST: {tally.fault}: {line}", file=sys.stderr)
    return int(any(tally.lost for tally in tallies))


def table(tallies: list[Tally], *, markdown: bool) -> str:
    """Returns what was injected and what came of it, a line for each kind of fault."""
    heads = ["fault", "what should follow", "injected", "held", "lost"]
    lines = [
        [each.fault, each.right, *map(str, (each.injected, each.held, len(each.lost)))] for each in tallies
    ]
    if markdown:
        return "\n".join("| " + " | ".join(line) + " |" for line in [heads, ["---"] * len(heads), *lines])
    widths = [max(len(line[column]) for line in [heads, *lines]) for column in range(len(heads))]
    return "\n".join(
        "  ".join(
            text.rjust(width) if column >= 2 else text.ljust(width)
            for column, (text, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in [heads, *lines]
    )


if __name__ == "__main__":
    sys.exit(main())
