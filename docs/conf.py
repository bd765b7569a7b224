"""Configuration of Sphinx: ``make docs``."""

import ast
import re
import sys
from functools import cache
from pathlib import Path

from docutils.nodes import Element, document
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE / "extensions"), str(HERE.parent / "app")]

import mlxc  # noqa: E402

project = "mlxc"
author = "The mlxc developers"
copyright = author
version = release = mlxc.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "command_line",
    "mathml",
]
exclude_patterns = ["extensions"]
myst_enable_extensions = ["dollarmath", "colon_fence", "deflist"]
myst_heading_anchors = 3

# Every name of mlxc that is referred to must be on a page.
nitpicky = True
nitpick_ignore_regex = [
    ("py:.*", r"(?!mlxc).*"),
    ("py:.*", r".*\._\w+"),
    ("py:data", ".*"),
    # Variables for types, which have no description.
    ("py:class", r"mlxc\.(properties\.birch_murnaghan\.Number|kohn_sham\.(gap\.Levels|metallic_share\.Place))"),
    ("py:class", r"mlxc\.utils\.job_pool\.(Job|Result)"),
]

# GPAW has a Python of its own.
autodoc_mock_imports = ["gpaw"]
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True, "show-inheritance": False}
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True

html_theme = "furo"
html_title = f"mlxc {version}"
html_theme_options = {"top_of_page_buttons": []}
html_static_path = ["static"]
html_css_files = ["math.css", "tables.css"]
html_show_sourcelink = False
html_copy_source = False

# Where the names are defined that `import mlxc` gives.
PUBLIC = {name: getattr(mlxc, name).__module__ for name in mlxc.__all__ if hasattr(getattr(mlxc, name), "__module__")}

# What reStructuredText would take for markup, where docstrings hold formulas: |x| and f_(G), outside of literals.
FORMULA = re.compile(r"(``.*?``|:\w+:`.*?`|`[^`]+`_)|(\||(?<=\w)_(?=\W))")


def escape_formulas(app: Sphinx, what: str, name: str, thing: object, options: object, lines: list[str]) -> None:
    """Leave formulas in docstrings as they are."""
    lines[:] = [FORMULA.sub(lambda found: found[1] or f"\\{found[2]}", line) for line in lines]


def find_at_home(app: Sphinx, env: BuildEnvironment, node: pending_xref, content: Element) -> Element | None:
    """``mlxc.Crystal`` is described as what it is, ``mlxc.crystal.crystal.Crystal``."""
    package, _, rest = node.get("reftarget", "").partition(".")
    home = PUBLIC.get(rest.split(".")[0]) if package == "mlxc" else None
    if home is None:
        return None
    python = env.domains["py"]
    return python.resolve_xref(env, node["refdoc"], app.builder, node["reftype"], f"{home}.{rest}", node, content)


@cache
def imported_classes(module: str) -> dict[str, str]:
    """Where each class of mlxc is defined that a module imports, be it for the type checker alone."""
    tree = ast.parse(Path(sys.modules[module].__file__ or "").read_text())
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module in sys.modules]
    homes = {name.name: str(node.module) for node in imports for name in node.names}
    return {name: f"{home}.{name}" for name, home in homes.items() if is_class_of_mlxc(home, name)}


def is_class_of_mlxc(module: str, name: str) -> bool:
    """Whether a module of mlxc defines a class of this name."""
    thing = getattr(sys.modules[module], name, None)
    return isinstance(thing, type) and thing.__module__ == module and module.startswith("mlxc.")


def qualify_types(app: Sphinx, doctree: document) -> None:
    """Autodoc does not know what is imported for the type checker alone, and takes any class of the same name."""
    for node in doctree.findall(pending_xref):
        module = node.get("py:module") or ""
        if module.startswith("mlxc.") and module in sys.modules:
            node["reftarget"] = imported_classes(module).get(node["reftarget"], node["reftarget"])


def setup(app: Sphinx) -> None:
    """Connect the above."""
    app.connect("autodoc-process-docstring", escape_formulas)
    app.connect("doctree-read", qualify_types)
    app.connect("missing-reference", find_at_home)
