"""Dependencies point one way, without circles; the library prints nothing, knows no widgets, starts without torch."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = {"mlxc": ROOT, "mlxc_app": ROOT / "app"}

# A module may import from its own package and from those above it in this list.
ORDER = (
    "mlxc.errors", "mlxc.units", "mlxc.utils", "mlxc.crystal", "mlxc.structures", "mlxc.references", "mlxc.grid",
    "mlxc.xc", "mlxc.pseudo", "mlxc.results", "mlxc.basis", "mlxc.terms", "mlxc.atoms", "mlxc.kohn_sham",
    "mlxc.response", "mlxc.properties", "mlxc.observables", "mlxc.ground_state", "mlxc.calculation", "mlxc.codes",
    "mlxc.solids", "mlxc.frozen", "mlxc.training", "mlxc.console", "mlxc.tasks", "mlxc.runs", "mlxc.export",
    "mlxc.adapters", "mlxc.ase", "mlxc.deepchem", "mlxc.cli",
    "mlxc_app.widgets", "mlxc_app.choose", "mlxc_app.run", "mlxc_app.panels", "mlxc_app.page", "mlxc_app.kernels",
    "mlxc_app.serving", "mlxc_app.launch",
)  # fmt: skip
# What reaches up all the same, in a function and not when a module is loaded, and why.
EXCEPTIONS = {
    ("mlxc.crystal.crystal", "mlxc.structures.sources"): "Crystal.load and from_optimade are where people look",
    ("mlxc.tasks.task", "mlxc.tasks.kinds"): "task.run() computes a description of whatever kind",
    ("mlxc.cli.command_line", "mlxc_app.launch"): "mlxc app starts the page",
}
# Modules at the top of the library, and why they are there.
TOP = {
    "__init__": "the public face",
    "errors": "what all modules raise",
    "units": "what all modules convert",
    "ground_state": "the one entry, mlxc.scf",
    "ase": "the public name of ASE's calculator",
    "deepchem": "the public name of DeepChem's featurizer",
}
MOST_FILES = 16
WIDGETS = {"ipywidgets", "plotly", "nglview", "voila", "IPython", "ipykernel", "anywidget"}
PRINTING = ("mlxc.cli", "mlxc.console")


def name_of(path: Path, base: Path) -> str:
    return ".".join(path.relative_to(base).with_suffix("").parts).removesuffix(".__init__")


MODULES = {
    name_of(path, base): path for package, base in SOURCES.items() for path in sorted((base / package).rglob("*.py"))
}
LIBRARY = [name for name in MODULES if name.split(".")[0] == "mlxc"]


@cache
def tree(module: str) -> ast.Module:
    return ast.parse(MODULES[module].read_text(encoding="utf-8"))


@cache
def imported(module: str) -> frozenset[str]:
    """Every module that is imported, at load, in a function, or for the type checker."""
    found: set[str] = set()
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: imports are absolute"
            # `from mlxc.xc import lda` names a module too.
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            found |= {name if name in MODULES else str(node.module) for name in names}
    return frozenset(found)


def reached(module: str) -> set[str]:
    """The modules of this project that a module imports, but for the exceptions and the public face."""
    found = {name for name in imported(module) if name in MODULES and name not in (module, *SOURCES)}
    return {name for name in found if (module, name) not in EXCEPTIONS}


def place(module: str) -> int:
    """The place of a module's package in ``ORDER``."""
    matching = [index for index, name in enumerate(ORDER) if module == name or module.startswith(f"{name}.")]
    assert matching, f"{module} has no place in the order of dependencies"
    return matching[0]


@pytest.mark.parametrize("module", [name for name in MODULES if name not in SOURCES])
def test_a_module_depends_only_on_packages_above_it(module: str) -> None:
    above = {name for name in reached(module) if place(name) > place(module)}
    assert not above, f"{module} must not import {', '.join(sorted(above))}"


def test_there_are_no_circles_of_imports() -> None:
    finished: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " imports ".join((*trail[trail.index(name) :], name))
        if name not in finished:
            for target in sorted(reached(name)):
                visit(target, (*trail, name))
            finished.add(name)

    for name in MODULES:
        visit(name, ())


@pytest.mark.parametrize(("module", "target"), EXCEPTIONS)
def test_an_exception_is_one(module: str, target: str) -> None:
    assert target in imported(module), "it is not needed any more"


def test_few_modules_stand_at_the_top() -> None:
    assert {path.stem for path in (ROOT / "mlxc").glob("*.py")} == set(TOP)


@pytest.mark.parametrize("folder", sorted({path.parent for path in MODULES.values()}), ids=lambda f: f.name)
def test_a_folder_can_be_taken_in_at_a_glance(folder: Path) -> None:
    files = [path for path in folder.glob("*.py") if path.stem != "__init__"]
    assert len(files) <= MOST_FILES


@pytest.mark.parametrize("module", LIBRARY)
def test_the_library_knows_no_widgets_and_no_page(module: str) -> None:
    names = imported(module)
    assert not {name.split(".")[0] for name in names} & WIDGETS
    assert not {name for name in names if name.startswith("mlxc_app") and (module, name) not in EXCEPTIONS}


@pytest.mark.parametrize("module", LIBRARY)
def test_only_the_command_line_prints(module: str) -> None:
    if module.startswith(PRINTING):
        return
    calls = [node for node in ast.walk(tree(module)) if isinstance(node, ast.Call)]
    assert not [call.lineno for call in calls if isinstance(call.func, ast.Name) and call.func.id == "print"]


@pytest.mark.process
@pytest.mark.parametrize(
    "module",
    [
        "mlxc", "mlxc.calculation.calculation", "mlxc.cli", "mlxc.codes.live", "mlxc.codes.other_code",
        "mlxc.crystal.crystal", "mlxc.export.archive", "mlxc.export.link", "mlxc.observables",
        "mlxc.properties.birch_murnaghan", "mlxc.references.recognition", "mlxc.results.state_file",
        "mlxc.runs.bench.client", "mlxc.runs.client", "mlxc.runs.folder", "mlxc.structures.shipped", "mlxc.tasks.kinds",
        "mlxc.xc.catalogue",
    ],
)  # fmt: skip
def test_describing_and_watching_runs_needs_no_torch(module: str) -> None:
    code = f"import sys, {module}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0


@pytest.mark.process
def test_a_self_consistent_field_needs_no_sympy() -> None:
    script = "import sys; from mlxc.ground_state import warm_up; warm_up(); sys.exit('sympy' in sys.modules)"
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


@pytest.mark.process
def test_checking_a_calculation_needs_no_torch() -> None:
    code = "import sys, mlxc; mlxc.Calculation.from_dict({'structure': 'al'}).check(); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0


@pytest.mark.process
def test_a_mistake_on_the_command_line_is_answered_without_loading_torch() -> None:
    code = "import sys; from mlxc.cli import main; main(['scf', 'al', '--ecut', '0']); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60).returncode == 0
