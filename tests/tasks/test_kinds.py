"""A kind of task is one folder: what registers it is all that command line, worker, exports, lists and page need."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from set_ups import HYDROGEN
from support import Outcome

from mlxc.calculation.calculation import Calculation
from mlxc.export.archive import archive_files, meanings
from mlxc.export.command import command_line
from mlxc.export.files import EXPORTS
from mlxc.export.script import python_script
from mlxc.runs.folder import RunFolder
from mlxc.runs.worker import execute
from mlxc.tasks import kinds
from mlxc.tasks.kind import ITERATION, STAGE, Ending, Kind
from mlxc.tasks.kinds import (
    ENTRY_POINTS,
    KINDS,
    calculation_of,
    kind_named,
    kind_of,
    message_of,
    task_from_dict,
)
from mlxc.utils.plugins import plugins

CALCULATION: dict[str, Any] = {"structure": "si", "ecut_ha": 4, "kmesh": [1, 1, 1]}
# What the task of a kind says beyond its calculation, where it must say something.
FURTHER: dict[str, dict[str, Any]] = {
    "gradient": {"loss": "energy"},
    "orders": {"magnetic": ["Si"], "max_cells": 1},
    "training": {"config": {"name": "learner", "start": "pbe-kappa-mu", "train": ["Al_fcc"]}},
}
OWN: dict[str, dict[str, Any]] = {"gradient": {"xc": "pbe-kappa-mu"}, "moments": {"spin": True}}
# What a person writes who adds a kind: its task, its runner, its words, and the line that registers it.
MODULE = '''
"""How often some atoms fit into a volume: a kind of task that needs no SCF."""

from dataclasses import dataclass

from mlxc.console.record_table import RecordTable
from mlxc.tasks.command import Command, Option
from mlxc.tasks.kind import ITERATION, ITERATIONS, Ending, Figure, Kind
from mlxc.tasks.task import CrystalTask


class PackingTask(CrystalTask):
    volumes: int = 2


@dataclass(frozen=True)
class Packing:
    atoms: list[int]
    converged: bool = True
    message: str = ""

    def summary(self):
        return {"converged": True, "message": "", "atoms": self.atoms, "most_atoms": max(self.atoms)}


def run(task, monitor, tell):
    atoms = [len(task.calculation.crystal.species) * (index + 1) for index in range(task.volumes)]
    for index, count in enumerate(atoms):
        tell({"kind": "box", "index": index, "atoms": count})
    return Packing(atoms)


PACKING = Kind(
    name="packing",
    title="packing of boxes",
    task=PackingTask,
    run=run,
    ending=lambda packing: Ending(packing.converged, packing.message),
    records={
        ITERATION: ITERATIONS,
        "box": RecordTable("boxes", "one row per box", lambda box: f"box {box['index']}: {box['atoms']} atoms"),
    },
    report=lambda summary: f"at most {summary['most_atoms']} atoms",
    headline=lambda summary: f"packed {summary['most_atoms']} atoms.",
    outcome=lambda summary: f"{summary['most_atoms']} atoms" if summary else "",
    figures=(Figure("most_atoms", "most atoms"),),
    command=Command("pack", "how many atoms fit", (Option("--volumes", ("volumes",), "how many", {"type": int}),)),
)


def packing_panel(page):
    from ipywidgets import HTML

    from mlxc_app.panels.panel import Panel

    return Panel("Packing", "<p>What fits.</p>", lambda: HTML("boxes"), kinds=("packing",))
'''
ENTRY_POINTS_FILE = "[mlxc.kinds]\npacking = {0}:PACKING\n\n[mlxc_app.panels]\npacking = {0}:packing_panel\n"


def write_package(root: Path, name: str, entry_points: str) -> None:
    """An installed package, as an installer would leave it."""
    (root / f"{name}.py").write_text(MODULE)
    metadata = root / f"{name}-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(entry_points)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of an installed package with a kind and a panel of its own, which this process can import."""
    root = tmp_path / "site"
    root.mkdir()
    write_package(root, "packing_for_mlxc", ENTRY_POINTS_FILE.format("packing_for_mlxc"))
    monkeypatch.syspath_prepend(str(root))
    importlib.invalidate_caches()
    yield root
    sys.modules.pop("packing_for_mlxc", None)


@pytest.fixture
def packing(package: Path, monkeypatch: pytest.MonkeyPatch) -> Kind:
    """The package's kind, registered as at the start of a process."""
    (kind,) = (kind for kind in plugins(ENTRY_POINTS, Kind) if kind.name not in KINDS)
    assert isinstance(kind, Kind)
    monkeypatch.setitem(KINDS, kind.name, kind)
    return kind


@pytest.mark.process
def test_the_command_line_has_the_command_of_an_installed_package(package: Path, tmp_path: Path) -> None:
    path = os.pathsep.join([str(package), *filter(None, sys.path)])
    environment = {**os.environ, "PYTHONPATH": path}

    def mlxc(*words: str) -> str:
        command = [sys.executable, "-m", "mlxc.cli", *words]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout

    assert "how many atoms fit" in mlxc("--help")
    assert json.loads(mlxc("pack", "si", "--volumes", "3", "--json"))["atoms"] == [2, 4, 6]


def test_a_package_that_cannot_be_loaded_is_left_out_with_a_warning(package: Path) -> None:
    write_package(package, "broken_for_mlxc", "[mlxc.kinds]\nbroken = nowhere:NOTHING\nwrong = json:dumps\n")
    with pytest.warns(UserWarning, match="broken|wrong") as warnings:
        assert {kind.name for kind in plugins(ENTRY_POINTS, Kind)} >= {"packing"}
    assert len(warnings) == 2


def test_a_package_does_not_take_the_place_of_a_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kinds, "plugins", lambda group, expected: [replace(KINDS["scf"], title="another one")])
    with pytest.warns(UserWarning, match="kind 'scf' already"):
        assert kinds._by_name()["scf"] is KINDS["scf"]


def test_a_new_kind_is_computed_told_and_taken_away(
    packing: Kind, tmp_path: Path, mlxc_command: Callable[..., Outcome]
) -> None:
    task = task_from_dict("packing", {"calculation": CALCULATION, "volumes": 3})
    folder = RunFolder.create(task, "boxes", tmp_path)
    assert (folder.kind, folder.task) == ("packing", task)
    execute(folder)
    assert folder.status["state"] == "finished"
    assert folder.result is not None
    own = {"converged": True, "message": "", "atoms": [2, 4, 6], "most_atoms": 6}
    assert folder.result == own | {"crystal": folder.result["crystal"]}
    assert list(EXPORTS["csv"].make(folder)) == ["boxes.csv"]
    assert meanings(folder, archive_files(folder))["boxes.csv"] == "one row per box"
    assert command_line(folder).startswith("mlxc pack si ")
    assert command_line(folder).endswith(" --volumes 3")
    script = python_script(folder)
    assert "from packing_for_mlxc import PackingTask" in script
    assert "#   most atoms: 6" in script
    again = mlxc_command("run", str(folder.path))
    assert again.stdout.strip() == "at most 6 atoms"
    assert "box 2: 6 atoms" in again.stderr


@pytest.fixture
def tasks() -> dict[str, Any]:
    """A task of each kind."""
    made = {}
    for name, kind in KINDS.items():
        own = CALCULATION | ({"xc": "pbe-kappa-mu"} if name == "gradient" else {})
        made[name] = kind.make(own, FURTHER.get(name, {}))
    return made


def test_a_task_knows_its_kind_and_its_calculation(tasks: dict[str, Any]) -> None:
    for name, task in tasks.items():
        assert kind_of(task).name == name
        assert isinstance(calculation_of(task), Calculation) == (name != "training")
        assert task_from_dict(name, task.model_dump(mode="json")) == task


def test_every_file_of_an_archive_is_described(tasks: dict[str, Any], tmp_path: Path) -> None:
    for name, task in tasks.items():
        folder = RunFolder.create(task, name, tmp_path)
        for kind in KINDS[name].records:
            folder.append({"kind": kind, "number": 1, "round": 0, "step": 1, "rate": 0.1})
        folder.write_result({"converged": False})
        folder.set_status("stopped")
        folder.write_traceback("nowhere")
        with pytest.MonkeyPatch.context() as patch:
            if name == "scf":  # whose result would have to be a whole one
                patch.setitem(EXPORTS, "qcschema", EXPORTS["json"])
            files = archive_files(folder)
        described = meanings(folder, files)
        assert set(described) == set(files)
        assert all(described.values())
        tables = {table.name for table in KINDS[name].records.values()}
        assert {f"{table}.csv" for table in tables} <= set(files)


@pytest.mark.parametrize("name", KINDS)
def test_records_have_tables_of_names_and_meanings_of_their_own(name: str) -> None:
    tables = KINDS[name].records.values()
    assert ITERATION in KINDS[name].records
    assert len({table.name for table in tables}) == len({table.meaning for table in tables}) == len(tables)


@pytest.mark.parametrize(
    "name",
    ["scf", "eos", "bands", "moments", "orders", "gradient", pytest.param("comparison", marks=pytest.mark.process)],
)
def test_whatever_a_run_tells_has_a_table_and_a_line(name: str, tmp_path: Path) -> None:
    smallest = HYDROGEN if name == "comparison" else CALCULATION
    calculation = smallest | {"max_iterations": 2, "xc": "pbe-kappa-mu" if name == "gradient" else "pbe"}
    further = {"eos": {"points": 4}, "bands": {"points": 4}, "comparison": {"codes": []}}.get(name, FURTHER.get(name))
    folder = RunFolder.create(KINDS[name].make(calculation, further or {}), name, tmp_path)
    execute(folder)
    assert folder.status["state"] == "not converged", folder.status["message"]
    # What is prepared in between is told by whatever computes, and for the page.
    records = [record for record in folder.records()[0] if record["kind"] != STAGE]
    assert {record["kind"] for record in records} <= set(KINDS[name].records)
    for record in records:
        line = KINDS[name].records[record["kind"]].line(record)
        assert line is None or line.strip()


def test_a_result_of_every_kind_is_asked_for_its_outcome_before_there_is_one() -> None:
    assert [kind.outcome({}) for kind in KINDS.values()] == [""] * len(KINDS)


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_run_on_too_low_a_cutoff_says_so_once(name: str) -> None:
    low, enough = (
        kind_named(name).make({**CALCULATION, "ecut_ha": ecut, **OWN.get(name, {})}, FURTHER.get(name, {}))
        for ecut in (4, 30)
    )
    is_about_one = calculation_of(low) is not None
    said = message_of(low, Ending(False, "Something went wrong."))
    compares_cutoffs = name == "sweep"
    assert ("far below" in said) == (is_about_one and not compares_cutoffs)
    assert said.startswith("Something went wrong.")
    assert message_of(low, Ending(False, said)) == said
    assert message_of(enough, Ending(True, "")) == ""


def test_a_sweep_over_something_else_than_the_cutoff_says_that_it_is_too_low() -> None:
    sweep = kind_named("sweep").make(CALCULATION, {"vary": "kmesh", "values": ["1x1x1", "2x2x2"]})
    assert "far below" in message_of(sweep, Ending(True, ""))
