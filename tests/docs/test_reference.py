"""The reference, which autodoc makes of docstrings: what it tells of, and that each parameter is described."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"


def told(code):
    """Returns the value of `told` after code, in a process of its own: it imports libraries that are not there."""
    ran = subprocess.run(
        [sys.executable, "-c", f"import json\n{code}\nprint(json.dumps(told))"],
        cwd=DOCS,
        check=True,
        capture_output=True,
        text=True,
    )
    return json.loads(ran.stdout.splitlines()[-1])


def faults(before=""):
    """Returns what docs/_pages/parameters.py finds.

    Args:
        before: code that runs first.
    """
    return told(f"{before}\nfrom _pages import parameters\ntold = parameters.faults()")


def test_docstrings_describe_all_parameters_and_no_others():
    found = faults()
    assert not found, "\n".join(["", *found])


def test_functions_methods_constructors_fields_and_members_are_looked_at():
    before = """
import taskworlds
import taskworlds.evaluation.statistics, taskworlds.vector.batch_pictures, taskworlds.vector.partial_batches
taskworlds.compare.__doc__ = taskworlds.testing.Check.__doc__ = taskworlds.AntDirEnv.__init__.__doc__ = ""
taskworlds.StepType.__doc__ = ""
taskworlds.Task.from_json.__func__.__doc__ = "Reads.\\n\\nArgs:\\n    words: the JSON."
taskworlds.evaluation.statistics.Estimate.__doc__ = ""
taskworlds.vector.partial_batches.PartialStep.__doc__ = ""
taskworlds.vector.batch_pictures.BatchPictures.render_grid.__doc__ = ""
taskworlds.TaskEnv.set_task.__doc__ = ""
"""
    found = faults(before)
    assert {
        "taskworlds.testing.Check does not describe outcome",
        "taskworlds.StepType does not describe FIRST",
        "taskworlds.AntDirEnv does not describe seed",
        "taskworlds.AntGoalEnv does not describe seed",
        "taskworlds.Task.from_json does not describe text",
        "taskworlds.Task.from_json describes words, which is not a parameter",
        "taskworlds.TaskEnv.set_task does not describe task",
        "taskworlds.TaskVectorEnv.render_grid does not describe rows",  # of a base
        "taskworlds.evaluation.statistics.Estimate does not describe value",  # named by annotations alone
        "taskworlds.vector.partial_batches.PartialStep does not describe rows",  # by one of a method
    } <= set(found)
    assert any(line.startswith("taskworlds.compare does not") for line in found)
    garage = {"AntDirEnv", "AntGoalEnv", "HalfCheetahDirEnv", "HalfCheetahVelEnv", "Walker2dRandParamsEnv"}
    names = {line.split()[0].rpartition(".")[2] for line in found}
    others = {
        "Check",
        "StepType",
        "compare",
        "from_json",
        "set_task",
        "render_grid",
        "Estimate",
        "PartialStep",
    }
    assert names == garage | others


@pytest.fixture
def pages(monkeypatch):
    """The folder whose package `_pages` writes the reference, to be imported from."""
    monkeypatch.syspath_prepend(str(DOCS))


NAMED = """
from _pages import api
from sphinx.ext.autodoc.mock import mock

with mock(api.MOCKED):
    public, others = api.public_names(), api.named_in_annotations()
    values = [api.value_of(name) for name in public]
    twice = [name for name in others if any(api.value_of(name) is value for value in values)]
told = [list(public), others, twice]
"""


def test_the_reference_tells_of_what_annotations_name(pages):
    from _pages import api

    public, others, twice = told(NAMED)
    assert {"taskworlds.TaskEnv", "taskworlds.TaskVectorEnv", "taskworlds.Pooled"} <= set(public)
    assert not twice
    assert {api.page_of(module) for module in others.values()} <= set(api.PAGES)
    assert {
        "taskworlds.core.chunk_step.ChunkStep",  # what a method returns
        "taskworlds.evaluation.summaries.Summary",  # what a property returns
        "taskworlds.evaluation.fingerprint.Fingerprint",  # a field
        "taskworlds.evaluation.on_workers.Crew",  # imported for type checkers alone
        "taskworlds.evaluation.policies.Policy",  # an alias,
        "taskworlds.evaluation.policies.Agent",  # and what it names
        "taskworlds.vector.curriculum.EndedEpisode",
        "taskworlds.workers.host.Place",
    } <= set(others)
    assert not [name for name in others if name.rpartition(".")[2].startswith("_")]
    assert "taskworlds.vector.options.Options" not in others, (
        "only a constructor for the package alone names it"
    )


def test_what_is_for_the_package_alone_is_left_out(pages):
    from _pages import api

    from taskworlds import AntDirEnv, TaskVectorEnv

    members = dict(api.members_of(TaskVectorEnv))
    assert {"step", "reset", "render", "observation_mask", "current_tasks"} <= set(members)
    assert not {"parts", "check_ready", "with_render_mode", "step_one", "close_extras"} & set(members)
    assert not {"close", "unwrapped"} & set(members), "Gymnasium describes its own"
    assert api.has_private_constructor(TaskVectorEnv)
    assert {"step", "reset", "sample_tasks", "set_task", "get_state"} <= set(dict(api.members_of(AntDirEnv)))
    assert not api.has_private_constructor(AntDirEnv)


@pytest.mark.parametrize(
    ("what", "docstring", "page"),
    [
        ("property", "Names, (N,): texts.\n\nMore.", "Names, (N,): texts.\n\nMore."),
        ("data", "What it is: a number.", "What it is: a number."),
        ("function", "Adds.\n\nReturns:\n    The sum: a number.", "Adds.\n\n:returns: The sum: a number."),
        (
            "function",
            "Adds.\n\nArgs:\n    a, b: two numbers,\n        or more.\n    c: one.",
            "Adds.\n\n:param a: two numbers,\n          or more.\n:param b: two numbers,\n          or more.\n"
            ":param c: one.",
        ),
    ],
)
def test_pages_show_docstrings_as_they_are_meant(what, docstring, page, pages):
    from _pages import autodoc_hooks
    from sphinx.ext.napoleon import Config, GoogleDocstring

    lines = docstring.splitlines()
    autodoc_hooks.keep_whole(None, what, "it", None, None, lines)
    lines = GoogleDocstring(lines, Config(napoleon_use_ivar=True), what=what, name="it").lines()
    autodoc_hooks.one_by_one(None, what, "it", None, None, lines)
    assert re.sub(r"\n +", "\n", "\n".join(lines)).strip() == re.sub(r"\n +", "\n", page)


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
def test_an_entry_is_what_the_page_shows_as_one(docstring, of_class, found, pages):
    from _pages import parameters

    text = f"Adds.\n\n{docstring}\n"
    assert parameters.differences(["a", "b", "more"], text, of_class=of_class) == found
