"""Finished runs with which the shown one can be compared."""

from __future__ import annotations

import time
from typing import Any, TypeAlias

from mlxc.crystal.crystal import Crystal
from mlxc.runs.folder import RunFolder
from mlxc_app.run.runs_list_model import visible_runs

# See mlxc.crystal.crystal.Crystal.to_dict.
Structure: TypeAlias = dict[str, Any]
# As many as a list of choices can show; the latest ones.
SHOWN = 30
# Differences of lattice vectors and of positions that nobody sees, bohr.
SAME_BOHR = 1e-3


def finished_runs_beside(folder: RunFolder | None, owner: str) -> list[RunFolder]:
    """The latest runs of a crystal that came to their end and that this visitor may see, except this one."""
    runs = [run for run in visible_runs(owner) if run != folder]
    return [run for run in runs[:SHOWN] if run.status["state"] == "finished" and run.structure]


def name_of(folder: RunFolder) -> str:
    """What a run is called in a list where several may have the same title."""
    return f"{folder.title} ({time.strftime('%d %b %H:%M', time.localtime(folder.status.get('ended', 0)))})"


def same_lattice(first: Structure, second: Structure) -> bool:
    """Whether two crystals have the same cell, so that their densities can be subtracted."""
    return Crystal.from_dict(first).same_lattice_as(Crystal.from_dict(second), tolerance=SAME_BOHR)


def same_structure(first: Structure, second: Structure) -> bool:
    """Whether two crystals are the same at whatever volume."""
    return Crystal.from_dict(first).same_as(Crystal.from_dict(second), up_to_scaling=True, tolerance=SAME_BOHR)
