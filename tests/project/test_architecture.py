"""The dependencies point one way, the library knows nothing of widgets, prints nothing, and starts without torch."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WIDGETS = {"ipywidgets", "plotly", "nglview", "voila", "IPython", "ipykernel", "anywidget"}
PRINTS = {"cli", "console", "runs/worker.py"}


def modules(package: str) -> list[Path]:
    return sorted((ROOT if package == "mlxc" else ROOT / "app").joinpath(package).rglob("*.py"))


LIBRARY = modules("mlxc")


def name_of(path: Path) -> str:
    base = ROOT if path.is_relative_to(ROOT / "mlxc") else ROOT / "app"
    return ".".join(path.relative_to(base).with_suffix("").parts).removesuffix(".__init__")


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def imports(node: ast.AST, lazy: bool = False) -> Iterator[tuple[str, bool]]:
    """Names of imported modules, and whether inside a function; imports for the type checker only do not count."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from ((alias.name, lazy) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            assert child.level == 0, "imports are absolute"
            yield child.module or "", lazy
        elif not is_type_checking(child):
            yield from imports(child, lazy or isinstance(child, ast.FunctionDef))


def test_no_two_modules_import_each_other_when_they_are_loaded() -> None:
    graph = {name_of(path): {name for name, lazy in imports(tree(path)) if not lazy} for path in LIBRARY}
    finished: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " imports ".join((*trail[trail.index(name) :], name))
        if name in graph and name not in finished:
            for target in graph[name]:
                visit(target, (*trail, name))
            finished.add(name)

    for name in graph:
        visit(name, ())


@pytest.mark.parametrize("path", LIBRARY, ids=name_of)
def test_the_library_knows_no_widgets_and_no_page(path: Path) -> None:
    packages = {name.split(".")[0] for name, _ in imports(tree(path))}
    assert not packages & WIDGETS
    if name_of(path) != "mlxc.cli.command_line":  # which starts the page
        assert "mlxc_app" not in packages


@pytest.mark.parametrize("path", LIBRARY, ids=name_of)
def test_only_the_command_line_and_the_worker_print(path: Path) -> None:
    place = path.relative_to(ROOT / "mlxc")
    if place.parts[0] in PRINTS or place.as_posix() in PRINTS:
        return
    calls = [node for node in ast.walk(tree(path)) if isinstance(node, ast.Call)]
    assert not [call.lineno for call in calls if isinstance(call.func, ast.Name) and call.func.id == "print"]


@pytest.mark.parametrize(
    "module",
    [
        "mlxc", "mlxc.calculation.calculation", "mlxc.cli", "mlxc.codes.live", "mlxc.codes.other_code",
        "mlxc.crystal.crystal", "mlxc.export.archive", "mlxc.export.link", "mlxc.kohn_sham.gap",
        "mlxc.observables.catalogue", "mlxc.properties.birch_murnaghan", "mlxc.structures.sources",
        "mlxc.references.tables", "mlxc.runs.client", "mlxc.runs.folder", "mlxc.structures.shipped",
        "mlxc.tasks.kinds", "mlxc.xc.catalogue",
    ],
)  # fmt: skip
def test_describing_and_watching_runs_needs_no_torch(module: str) -> None:
    code = f"import sys, {module}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0


def test_checking_a_calculation_needs_no_torch() -> None:
    code = "import sys, mlxc; mlxc.Calculation.from_dict({'structure': 'al'}).check(); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0


def test_a_mistake_on_the_command_line_is_answered_without_loading_torch() -> None:
    code = "import sys; from mlxc.cli import main; main(['scf', 'al', '--ecut', '0']); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60).returncode == 0
