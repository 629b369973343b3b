"""The Python of docs/clients.md runs as written, where what it imports is installed."""

import ast
import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "clients.md"
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)


def imported(block):
    """Returns the libraries that a block of Python needs, those of Gymnasium's array wrappers included."""
    for node in ast.walk(ast.parse(block)):
        if isinstance(node, ast.Import):
            yield from (each.name.partition(".")[0] for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module.partition(".")[0]
    if "NumpyToTorch" in block or "ArrayConversion" in block:
        yield "array_api_compat"


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.splitlines()[0])
def test_a_block_runs_as_written(block, tmp_path, monkeypatch):
    for library in imported(block):
        pytest.importorskip(library)
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    exec(compile(block, str(PAGE), "exec"), {"__name__": "__main__"})
