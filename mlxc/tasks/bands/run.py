"""Runs bands and a density of states."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlxc.calculation.run import run_calculation
from mlxc.crystal.brillouin import band_path
from mlxc.kohn_sham.monitor import Monitor
from mlxc.properties.bands import BandStructure, bands_on_path, relative_ev
from mlxc.tasks.bands.task import BandsTask
from mlxc.units import HARTREE_EV


def run_bands(
    task: BandsTask, monitor: Monitor | None, on_portion: Callable[[dict[str, Any]], None] | None
) -> BandStructure:
    """Compute the ground state and the bands; see :meth:`BandsTask.run`."""
    path = band_path(task.calculation.crystal, task.points)
    ground = run_calculation(task.calculation, monitor)

    def tell(first: int, levels: NDArray[np.float64]) -> None:
        if on_portion is not None:
            computed = first + levels.shape[1]
            done = {"distances_per_bohr": path.distances[first:computed].tolist()}
            on_portion(
                {"computed": computed, "points": len(path), "bands_ev": relative_ev(levels, ground).tolist()} | done
            )

    return bands_on_path(ground, path, task.dos_width_ev / HARTREE_EV, tell)
