"""A kind of task that another package brings is followed, listed and unfolded by the page as those of mlxc are."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ipywidgets import HTML
from mlxc_app.page.accordion import Accordion
from mlxc_app.page.dashboard import Dashboard
from mlxc_app.run.model import RunModel
from mlxc_app.run.runs_list_model import RunsListModel
from stand_ins import IdleWorker

from mlxc.console.record_table import RecordTable
from mlxc.runs.worker import execute
from mlxc.tasks.kind import ITERATION, ITERATIONS, Ending, Kind
from mlxc.tasks.kinds import KINDS
from mlxc.tasks.task import CrystalTask


class CountingTask(CrystalTask):
    """Counts atoms."""


class Count:
    """How many there are."""

    converged, message = True, ""

    def __init__(self, atoms: int) -> None:
        self.atoms = atoms

    def summary(self) -> dict[str, Any]:
        return {"atoms": self.atoms}


def _count(task: CountingTask, monitor: object, tell: Any) -> Count:
    for number, _ in enumerate(task.calculation.crystal.species):
        tell({"kind": "atom", "number": number})
    return Count(len(task.calculation.crystal.species))


COUNTING = Kind(
    name="counting",
    title="count of atoms",
    task=CountingTask,
    run=_count,
    ending=lambda count: Ending(True, ""),
    records={
        ITERATION: ITERATIONS,
        "atom": RecordTable("atoms", "one row per atom", doing=lambda atom: (f"Atom {atom['number']}.", 0.5)),
    },
    report=str,
    headline=lambda summary: f"counted {summary['atoms']}.",
    outcome=lambda summary: f"{summary['atoms']} atoms",
)
PANEL = """
from ipywidgets import HTML
from mlxc_app.panels.panel import Panel

def counting_panel(page):
    return Panel("Counting", "<p>Atoms.</p>", lambda: HTML("counted"), kinds=("counting",))
"""


@pytest.fixture(autouse=True)
def counting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The kind, and the panel that an installed package brings for it."""
    monkeypatch.setitem(KINDS, COUNTING.name, COUNTING)
    monkeypatch.setenv("MLXC_RUNS", str(tmp_path / "runs"))
    root = tmp_path / "site"
    metadata = root / "counting_panel-1.0.dist-info"
    metadata.mkdir(parents=True)
    (root / "counting_panel.py").write_text(PANEL)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: counting_panel\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[mlxc_app.panels]\ncounting = counting_panel:counting_panel\n")
    monkeypatch.syspath_prepend(str(root))
    importlib.invalidate_caches()
    yield
    sys.modules.pop("counting_panel", None)


def test_a_run_of_it_is_followed_and_listed() -> None:
    run = RunModel(IdleWorker)
    told: list[int] = []
    run.observe_records(lambda change: told.append(len(run.of_kind("atom"))), "atom")
    run.start(CountingTask.from_dict({"calculation": {"structure": "si"}}), "how many")
    assert run.folder is not None
    execute(run.folder)
    run.poll()
    assert run.result is not None
    assert (run.state, run.result["atoms"], told) == ("finished", 2, [2])
    runs = RunsListModel(run)
    runs.shown = True
    (entry,) = runs.entries
    assert (entry["kind"], entry["outcome"]) == ("count of atoms", "2 atoms")


def test_its_panel_is_unfolded_and_its_result_is_said() -> None:
    page = Dashboard(IdleWorker)
    run = page.page.run
    run.start(CountingTask.from_dict({"calculation": {"structure": "si"}}), "how many")
    assert isinstance(page.accordion, Accordion)
    assert page.accordion.unfolded == "Counting"
    place = page.accordion.widget.children[-1]
    assert isinstance(place.children[-1], HTML)
    assert run.folder is not None
    execute(run.folder)
    run.poll()
    assert "how many: counted 2." in page.page.messages.widget.value
