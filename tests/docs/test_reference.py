"""The reference, which autodoc makes of docstrings: they describe each parameter, and none that does not exist."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"


def faults(before=""):
    """Returns what docs/_pages/parameters.py finds, in a process of its own: it imports libraries that are not there.

    Args:
        before: code that runs first.
    """
    code = f"import json\n{before}\nfrom _pages import parameters\nprint(json.dumps(parameters.faults()))"
    ran = subprocess.run([sys.executable, "-c", code], cwd=DOCS, check=True, capture_output=True, text=True)
    return json.loads(ran.stdout.splitlines()[-1])


def test_docstrings_describe_all_parameters_and_no_others():
    found = faults()
    assert not found, "\n".join(["", *found])


def test_functions_methods_constructors_fields_and_members_are_looked_at():
    before = """
import taskworlds
taskworlds.compare.__doc__ = taskworlds.testing.Check.__doc__ = taskworlds.AntDirEnv.__init__.__doc__ = ""
taskworlds.StepType.__doc__ = ""
taskworlds.Task.from_json.__func__.__doc__ = "Reads.\\n\\nArgs:\\n    words: the JSON."
"""
    found = faults(before)
    assert {
        "taskworlds.testing.Check does not describe outcome",
        "taskworlds.StepType does not describe FIRST",
        "taskworlds.AntDirEnv does not describe seed",
        "taskworlds.AntGoalEnv does not describe seed",
        "taskworlds.Task.from_json does not describe text",
        "taskworlds.Task.from_json describes words, which is not a parameter",
    } <= set(found)
    assert any(line.startswith("taskworlds.compare does not") for line in found)
    garage = {"AntDirEnv", "AntGoalEnv", "HalfCheetahDirEnv", "HalfCheetahVelEnv", "Walker2dRandParamsEnv"}
    names = {line.split()[0].rpartition(".")[2] for line in found}
    assert names == garage | {"Check", "StepType", "compare", "from_json"}


@pytest.mark.parametrize(
    ("docstring", "of_class", "found"),
    [
        ("Args:\n    a, b: two numbers.\n    **more: the rest,\n        such as c: none.", False, []),
        ("Args:\n    a (int): a number.\n    b: one.\n\nReturns:\n    more: of it.", False, ["does not describe more"]),
        ("a: in the text.\n\nAttributes:\n    b: kept.", False, [f"does not describe {n}" for n in ("a", "b", "more")]),
        ("Args:\n    a: one.\n\nAttributes:\n    b, more: kept.\n    c: computed.", True, []),
        ("Args:\n    a, b, more: all.\n    c: gone.", False, ["describes c, which is not a parameter"]),
    ],
)  # fmt: skip
def test_an_entry_is_what_the_page_shows_as_one(docstring, of_class, found, monkeypatch):
    monkeypatch.syspath_prepend(str(DOCS))
    from _pages import parameters  # as the test above does

    text = f"Adds.\n\n{docstring}\n"
    assert parameters.differences(["a", "b", "more"], text, of_class=of_class) == found
