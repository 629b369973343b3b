"""The Python of docs/distributed.md, run as written."""

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "distributed.md"
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)


@pytest.mark.parametrize("block", BLOCKS)
def test_a_block_runs_as_written(block):
    ray = pytest.importorskip("ray")
    ray.init("local", num_cpus=4, include_dashboard=False, logging_level="ERROR", log_to_driver=False)
    try:
        exec(compile(block, str(PAGE), "exec"), {"__name__": "__main__"})
    finally:
        ray.shutdown()
