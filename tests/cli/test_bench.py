"""`taskworlds bench`; what it measures is tested in `tests/bench`."""

from __future__ import annotations

import json
import re

TINY = ("--num-envs", "2", "--rounds", "1", "--steps", "2", "--no-build", "--episodes", "0", "--threads", "1")


def test_bench(run):
    ran = run("bench", "reach-v3", *TINY)
    assert ran.code == 0
    lines = ran.out.splitlines()
    assert lines[0] == "MT1-reach-v3, 2 rows, medians of 1 round; times: relative to Meta-World, one env"
    number = r"[\d,]+ +\d+\.\d\d"
    for title, rows, share in (
        ("taskworlds, native, 1 thread", 2, r" +\d+%"),
        (r"bare C\+\+ loop, 1 thread", 2, ""),
        ("taskworlds, sync", 2, ""),
        ("taskworlds, one env", 1, ""),
    ):
        assert re.search(rf"^{title} +{rows} +{number}{share} *$", ran.out, re.MULTILINE), title
    assert re.search(r"^Meta-World, one env +1 +[\d,]+ +1\.00 *$", ran.out, re.MULTILINE)
    assert re.fullmatch(r"\d+ cores, load .*, Python [\d.]+", lines[-1])


def test_bench_of_another_world_as_json(run):
    ran = run("bench", "half-cheetah-vel", *TINY, "--json")
    assert ran.code == 0
    rows = {row["title"]: row for row in json.loads(ran.out)}
    assert {"taskworlds, sync", "Gymnasium, sync"} <= set(rows)
    for row in rows.values():
        assert [speed > 0 for speed in row["steps_per_second"]] == [True]
        assert (row["with_resets"], row["build_seconds"], row["megabytes"]) == ([], None, None)
