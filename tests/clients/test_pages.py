"""The Python of the pages in docs/clients runs as written, where what it imports is installed."""

import ast
import re
from pathlib import Path

import pytest

PAGES = sorted((Path(__file__).parents[2] / "docs" / "clients").glob("*.md"))
BLOCKS = [
    pytest.param(page, block, id=f"{page.stem}-{number}")
    for page in PAGES
    for number, block in enumerate(re.findall(r"```python\n(.*?)```", page.read_text(), flags=re.DOTALL))
]


def imported(block):
    """Returns the libraries that a block of Python needs, those of Gymnasium's array wrappers included."""
    for node in ast.walk(ast.parse(block)):
        if isinstance(node, ast.Import):
            yield from (each.name.partition(".")[0] for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module.partition(".")[0]
    if "NumpyToTorch" in block or "ArrayConversion" in block:
        yield "array_api_compat"


@pytest.mark.parametrize(("page", "block"), BLOCKS)
def test_a_block_runs_as_written(page, block, tmp_path, monkeypatch):
    for library in imported(block):
        pytest.importorskip(library)
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    exec(compile(block, str(page), "exec"), {"__name__": "__main__"})
