"""How Sphinx builds the site: `pip install ".[docs]" && sphinx-build -W --keep-going -b dirhtml docs site`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from _pages import api, autodoc_hooks, benchmarks, commands, skills

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
autodoc_type_aliases = {
    "ArrayLike": "ArrayLike",
    "npt.ArrayLike": "ArrayLike",
}  # else with all that NumPy takes for one
napoleon_numpy_docstring = False  # it would take what keep_whole puts there
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


def setup(app):
    """Is called by Sphinx."""
    autodoc_hooks.connect(app)
