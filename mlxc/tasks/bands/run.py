"""The ground state, then the bands in its potential."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mlxc.calculation.run import run_calculation
from mlxc.console.record_table import Tell
from mlxc.crystal.brillouin import band_path
from mlxc.kohn_sham.monitor import Monitor
from mlxc.properties.bands import BandStructure, bands_on_path, relative_ev
from mlxc.response.perturbed import perturbations
from mlxc.tasks.bands.task import BandsTask
from mlxc.tasks.given_start import given_start
from mlxc.units import HARTREE_EV


def run_bands(task: BandsTask, monitor: Monitor | None, tell: Tell) -> BandStructure:
    """Compute the ground state and the bands; see :meth:`BandsTask.run`."""
    task.calculation.check()
    path = band_path(task.calculation.crystal, task.points)
    ground = run_calculation(task.calculation, monitor, given_start())

    def on_portion(first: int, levels: NDArray[np.float64]) -> None:
        computed = first + levels.shape[1]
        tell(
            {
                "kind": "bands",
                "computed": computed,
                "points": len(path),
                "bands_ev": relative_ev(levels, ground).tolist(),
                "distances_per_bohr": path.distances[first:computed].tolist(),
            }
        )

    moved = perturbations(ground).potentials if task.calculation.uncertainty and ground.converged else None
    return bands_on_path(ground, path, task.dos_width_ev / HARTREE_EV, on_portion, moved)
