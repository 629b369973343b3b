"""Runs the README's quickstart as it is written; tests/clients has its lines for other libraries."""

import re
import subprocess
import sys
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"


def test_quickstart_runs_as_written(tmp_path):
    _, quickstart = README.read_text().split("## Quickstart")
    blocks = re.findall(r"```python\n(.*?)```", quickstart, flags=re.DOTALL)
    assert len(blocks) == 1
    done = subprocess.run(
        [sys.executable, "-c", blocks[0]],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "(10, 49) float64" in done.stdout
