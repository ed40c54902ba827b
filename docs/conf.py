"""Sphinx configuration. Warnings are errors: see the docs session of `noxfile.py`."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE / "_ext"), str(HERE.parent / "src")]

project = "hitsave"
author = "the hitsave authors"
project_copyright = "the hitsave authors"

extensions = ["myst_parser", "sphinx.ext.autodoc", "edit_cases", "settings_table"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
exclude_patterns = ["_build", "_ext", "README.md"]
nitpicky = True
# Of other projects or without a page of their own: types in signatures that lead nowhere.
nitpick_ignore_regex = [("py:.*", r"(?!hitsave\.(memo|experiment|testing\.\w+)$).*")]

autodoc_typehints = "description"
autodoc_member_order = "bysource"
autodoc_docstring_signature = False

html_theme = "furo"
html_title = "hitsave"
