"""How Sphinx builds the site: `pip install ".[docs]" && sphinx-build -W --keep-going -b dirhtml docs site`."""

from __future__ import annotations

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from _pages import api, benchmarks, commands, skills

import taskworlds

project = "taskworlds"
author = copyright = "The taskworlds authors"
release = version = taskworlds.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "sphinx_design",
]
exclude_patterns = ["_pages"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
default_role = "code"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_mock_imports = api.MOCKED
napoleon_use_ivar = True
autodoc_member_order = "bysource"
html_theme = "furo"
html_title = "taskworlds"
html_static_path = ["media"]
html_css_files = ["site.css"]
html_copy_source = False

here = Path(__file__).parent
api.write(here / "api")
commands.write(here / "command-line.md")
skills.write(here / "skills")
benchmarks.write(here / "benchmarks")


def keep_whole(app, what, name, obj, options, lines):
    """Keeps napoleon from reading "Whether it is one: with two tests" as a type and what it is of.

    It does so with the text of a property, and below "Returns:" unless the text begins with a colon.
    """
    if what == "property":
        lines.insert(0, "")
    for number, line in enumerate(lines[:-1]):
        if line == "Returns:":
            lines[number + 1] = re.sub(r"^( *)", r"\1: ", lines[number + 1])


def leave_out(app, what, name, obj, skip, options):
    """Leaves out "Alias for field number 0": the fields of a named tuple are described under "Variables"."""
    return True if (getattr(obj, "__doc__", None) or "").startswith("Alias for field number ") else None


def setup(app):
    """Is called by Sphinx."""
    app.connect("autodoc-process-docstring", keep_whole, priority=400)  # napoleon's is 500
    app.connect("autodoc-skip-member", leave_out)
