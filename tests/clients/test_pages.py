"""The Python of the pages in docs/clients and docs/examples, and the README's lines for each library, run as written.

Where what they import is not installed, they are skipped.
"""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted(page for folder in ("clients", "examples") for page in (ROOT / "docs" / folder).glob("*.md"))
BLOCKS = [
    pytest.param(
        page,
        block,
        id=f"{page.stem}-{number}",
        marks=[pytest.mark.requires_tianshou] if page.stem == "tianshou" else [],
    )
    for page in PAGES
    for number, block in enumerate(re.findall(r"```python\n(.*?)```", page.read_text(), flags=re.DOTALL))
]
LINES = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), flags=re.DOTALL)[1]
# What the README's lines have from the program around them.
GIVEN = {
    "Gymnasium": "",
    "Stable-Baselines3": "from stable_baselines3 import PPO",
    "TorchRL": "import torchrl",
    "RLlib": "from ray.rllib.algorithms.ppo import PPOConfig",
    "skrl": "from gymnasium.wrappers.vector import DtypeObservation\nfrom skrl.envs.wrappers.torch import wrap_env",
}


def imported(block):
    """Returns the libraries that a block of Python needs, those that it needs through others included."""
    for node in ast.walk(ast.parse(block)):
        if isinstance(node, ast.Import):
            yield from (each.name.partition(".")[0] for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module.partition(".")[0]
    if "NumpyToTorch" in block or "ArrayConversion" in block:
        yield "array_api_compat"
    if "minari.DataCollector" in block:
        yield "jax"
    if "integrations.torchrl" in block:
        yield "torchrl"


@pytest.mark.parametrize(("page", "block"), BLOCKS)
def test_a_block_runs_as_written(page, block, tmp_path, monkeypatch):
    for library in imported(block):
        pytest.importorskip(library)
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    exec(compile(block, str(page), "exec"), {"__name__": "__main__"})


@pytest.mark.parametrize("library", GIVEN, ids=str.lower)
def test_the_readmes_lines_run_as_written(library):
    found = re.search(rf"^# {library}.*?(?=^# |\Z)", LINES, flags=re.DOTALL | re.MULTILINE)
    for each in imported(GIVEN[library]):
        pytest.importorskip(each)
    exec(f"import gymnasium as gym\nimport numpy as np\nimport taskworlds\n{GIVEN[library]}\n{found[0]}", {})


def test_the_readme_has_at_most_25_lines_for_all_libraries():
    assert len(re.findall("^# ", LINES, flags=re.MULTILINE)) == len(GIVEN)
    assert len(LINES.splitlines()) <= 25
