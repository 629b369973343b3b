"""The short run of `benchmarks/soak.py`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SOAK = Path(__file__).parents[2] / "benchmarks" / "soak.py"


@pytest.mark.slow
def test_memory_stays_bounded_and_numbers_finite():
    arguments = ["--steps", "50000", "--kept-mb", "0.5", "--bound-mb", "64"]
    done = subprocess.run([sys.executable, str(SOAK), *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "kept resets took 0.50 MB at most, and may take 0.5 MB" in done.stdout
