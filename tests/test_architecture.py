"""The dependencies point one way, the library knows nothing of widgets, prints nothing, and starts without torch."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "mlxc"

# A module may import from its own layer and from those before it.
LAYERS: list[set[str]] = [
    {"errors", "units", "assets", "parallel", "replacing"},
    {"elements", "crystal", "structure_files", "vacuum", "default_settings", "structures", "optimade"},
    {"calculation", "variation", "references", "symmetry", "brillouin", "grid_shape", "editing"},
    {"xc", "pseudo"},
    {"terms", "basis"},
    {"feasibility", "duration", "presets"},
    {"scf"},
    {"response"},
    {"properties", "training"},
    {"diagnosis", "comparison", "gradients"},
    {"runs", "ase", "deepchem"},
    {"export"},
    {
        "progress",
        "report",
        "calculation_commands",
        "checkpoint_commands",
        "comparison_commands",
        "gradient_commands",
        "run_commands",
        "training_commands",
        "cli",
    },
]
LAYER = {name: index for index, names in enumerate(LAYERS) for name in names}

# A calculation describes a run and, when told to, starts it: these imports happen at that moment only.
STARTS_THE_ENGINE = "calculation"
WIDGETS = {"ipywidgets", "plotly", "nglview", "voila", "IPython", "ipykernel", "anywidget"}
PRINTS = {
    "cli.py", "calculation_commands.py", "checkpoint_commands.py", "run_commands.py", "training_commands.py",
    "progress.py", "runs/worker.py",
}  # fmt: skip


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def part_of(path: Path) -> str:
    """The name in ``LAYERS`` to which a file belongs."""
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


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
            # `from mlxc import scf` names a module too.
            names = [f"mlxc.{a.name}" for a in child.names] if child.module == "mlxc" else [child.module or ""]
            yield from ((name, lazy) for name in names)
        elif not is_type_checking(child):
            yield from imports(child, lazy or isinstance(child, ast.FunctionDef))


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_depends_only_on_layers_below(path: Path) -> None:
    part = part_of(path)
    if part == "__init__":  # the public face, which loads what is asked for
        return
    assert part in LAYER, f"mlxc/{part} has no place in the order of dependencies"
    for name, lazy in imports(tree(path)):
        package, _, rest = name.partition(".")
        if package != "mlxc" or (lazy and part == STARTS_THE_ENGINE):
            continue
        target = rest.split(".")[0]
        if target in LAYER:
            assert LAYER[target] <= LAYER[part], f"{part} must not import mlxc.{rest}"


def test_no_two_modules_import_each_other_when_they_are_loaded() -> None:
    def name_of(path: Path) -> str:
        return ".".join(("mlxc", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__")

    graph = {name_of(path): {name for name, lazy in imports(tree(path)) if not lazy} for path in modules()}
    finished: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " imports ".join((*trail[trail.index(name) :], name))
        if name in graph and name not in finished:
            for target in graph[name]:
                visit(target, (*trail, name))
            finished.add(name)

    for name in graph:
        visit(name, ())


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_the_library_knows_no_widgets_and_no_page(path: Path) -> None:
    packages = {name.split(".")[0] for name, _ in imports(tree(path))}
    assert not packages & WIDGETS
    if path.name != "cli.py":  # which starts the page
        assert "mlxc_app" not in packages


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_only_the_command_line_and_the_worker_print(path: Path) -> None:
    if path.relative_to(PACKAGE).as_posix() in PRINTS:
        return
    calls = [node for node in ast.walk(tree(path)) if isinstance(node, ast.Call)]
    assert not [call.lineno for call in calls if isinstance(call.func, ast.Name) and call.func.id == "print"]


@pytest.mark.parametrize(
    "module",
    [
        "mlxc", "mlxc.calculation", "mlxc.cli", "mlxc.comparison.other_code", "mlxc.crystal", "mlxc.references.live",
        "mlxc.references.tables", "mlxc.runs.client",
        "mlxc.runs.folder", "mlxc.structures", "mlxc.xc.catalogue", "mlxc.properties.birch_murnaghan",
        "mlxc.export.archive", "mlxc.export.link",
    ],
)  # fmt: skip
def test_describing_and_watching_runs_needs_no_torch(module: str) -> None:
    code = f"import sys, {module}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0


def test_checking_a_calculation_needs_no_torch() -> None:
    code = (
        "import sys; from mlxc.calculation import Calculation; Calculation.from_dict({'structure': 'al'}).check();"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0


def test_a_mistake_on_the_command_line_is_answered_without_loading_torch() -> None:
    code = "import sys; from mlxc.cli import main; main(['scf', 'al', '--ecut', '0']); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60).returncode == 0
