"""A kind of task that is about no crystal is run, listed, exported and reopened like all others."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from mlxc_app.panels.compare.model import comparable_runs
from mlxc_app.run.past_runs import finished_runs_beside
from mlxc_app.run.take_away_model import offer_of

from mlxc.errors import InputError
from mlxc.export.archive import write_archive
from mlxc.export.command import command_line
from mlxc.export.files import structure_files
from mlxc.export.reopening import open_archive
from mlxc.export.script import python_script
from mlxc.runs.folder import RunFolder
from mlxc.runs.worker import execute
from mlxc.tasks.kind import Ending, Kind
from mlxc.tasks.kinds import KINDS, calculation_of, functionals_of, required_calculation
from mlxc.tasks.task import Task


class AddingTask(Task):
    """Adds two numbers."""

    first: int
    second: int = 1


@dataclass(frozen=True)
class Sum:
    """Their sum."""

    value: int
    converged: bool = True
    message: str = ""

    def summary(self) -> dict[str, Any]:
        """It as plain data."""
        return {"sum": self.value, "converged": True}


ADDING = Kind(
    name="adding",
    title="addition",
    task=AddingTask,
    run=lambda task, monitor, tell: Sum(task.first + task.second),
    ending=lambda result: Ending(result.converged, result.message),
    records={},
    report=lambda result: f"sum {result['sum']}",
    headline=lambda result: f"{result['sum']}",
)


@pytest.fixture(autouse=True)
def adding(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(KINDS, "adding", ADDING)
    monkeypatch.setenv("MLXC_RUNS", str(tmp_path))


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    folder = RunFolder.create(AddingTask(first=2, second=3), "two and three", tmp_path)
    execute(folder)
    return folder


def test_it_has_no_calculation_and_names_no_functional() -> None:
    task = AddingTask(first=2)
    assert calculation_of(task) is None
    assert functionals_of(task) == ()
    with pytest.raises(InputError, match="is not about one crystal"):
        required_calculation(task)


def test_a_run_of_it_is_computed_and_says_nothing_of_a_crystal(run: RunFolder) -> None:
    assert run.status["state"] == "finished", run.status
    assert run.result == {"sum": 5, "converged": True}
    assert run.structure == {}


def test_its_script_names_what_is_not_the_default(run: RunFolder) -> None:
    script = python_script(run)
    assert "AddingTask.from_dict" in script
    assert '"second": 3' in script
    assert "second" not in python_script(RunFolder.create(AddingTask(first=2), "two", run.path.parent))
    assert command_line(run).startswith("mlxc run ")


def test_its_archive_becomes_a_run_again(run: RunFolder) -> None:
    content = io.BytesIO()
    write_archive(run, content)
    again = open_archive(content, "adding.zip")
    assert again.task == run.task
    assert again.result == run.result


def test_there_is_nothing_of_a_crystal_to_take_away_and_nothing_to_compare(run: RunFolder) -> None:
    offer = offer_of(run)
    assert not structure_files(run)
    assert offer.link == ""
    assert offer.problem == ""
    assert {"cif", "cube", "qcschema", "hdf5"}.isdisjoint(name for name, _, _ in offer.kinds)
    assert comparable_runs("") == []
    assert finished_runs_beside(None, "") == []
