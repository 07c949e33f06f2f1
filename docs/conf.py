"""How Sphinx builds the site: ``make docs``."""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tb_cnndiag

project = "tb_cnndiag"
version = release = tb_cnndiag.__version__
project_copyright = "the tb_cnndiag contributors, Apache-2.0"

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_heading_anchors = 3

nitpicky = True
nitpick_ignore_regex = [
    # Other packages have no pages here, and Raises sections name exceptions without their module.
    (r"py:.*", r"(collections|os|numpy|np|keras|typing|pathlib|enum|abc)\..*"),
    (r"py:exc", r"\w+"),
    # Built-in types, and words of docstrings that napoleon takes for types.
    (r"py:class", r"[a-z]+|None|\.\.\.|NDArray"),
    # Sphinx splits a signature that has a default factory at each comma.
    (r"py:class", r"tuple\[str"),
]

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
python_maximum_signature_line_length = 88

html_theme = "furo"
pygments_dark_style = "github-dark"
html_title = "tb_cnndiag"
html_favicon = "_static/mark.svg"
html_logo = "_static/mark.svg"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_extra_path = ["../build/docs/extra"]
html_copy_source = False
html_show_sphinx = False
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#1f57c3", "color-brand-content": "#1f57c3"},
    "dark_css_variables": {"color-brand-primary": "#8db6ff", "color-brand-content": "#8db6ff"},
}
