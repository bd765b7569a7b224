"""Finished runs with which the shown one can be compared."""

from __future__ import annotations

import time
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mlxc.runs.folder import RunFolder
from mlxc_app.run.runs_list_model import visible_runs

# See mlxc.crystal.crystal.Crystal.to_dict.
Structure: TypeAlias = dict[str, Any]
# As many as a list of choices can show; the latest ones.
SHOWN = 30
# Largest relative difference between lattice vectors, and between fractional positions, that counts as none.
SAME = 1e-4


def finished_runs_beside(folder: RunFolder | None, owner: str) -> list[RunFolder]:
    """The latest that came to their end and that this visitor may see, except this one."""
    runs = [run for run in visible_runs(owner) if run != folder]
    return [run for run in runs[:SHOWN] if run.status["state"] == "finished"]


def name_of(folder: RunFolder) -> str:
    """What a run is called in a list where several may have the same title."""
    return f"{folder.title} ({time.strftime('%d %b %H:%M', time.localtime(folder.status.get('ended', 0)))})"


def same_lattice(first: Structure, second: Structure) -> bool:
    """Whether two crystals have the same cell, so that their densities can be subtracted."""
    one, other = _lattice(first), _lattice(second)
    return bool(np.allclose(one, other, rtol=0, atol=SAME * np.abs(one).max()))


def same_structure(first: Structure, second: Structure) -> bool:
    """Whether two crystals are the same at whatever volume, or area."""
    if first["species"] != second["species"]:
        return False
    shape, other_shape = (lattice / np.linalg.norm(lattice[0]) for lattice in (_lattice(first), _lattice(second)))
    positions, other_positions = (np.array(structure["fractional_positions"]) for structure in (first, second))
    return bool(np.allclose(shape, other_shape, atol=SAME) and np.allclose(positions, other_positions, atol=SAME))


def _lattice(structure: Structure) -> NDArray[np.float64]:
    return np.array(structure["lattice_ang"])
