"""The equation of state: energies at several volumes and the curve through them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlxc.calculation import EquationOfStateTask
from mlxc.crystal import Crystal
from mlxc.properties.birch_murnaghan import BirchMurnaghan, FitError, fit_birch_murnaghan
from mlxc.scf.ground_state import GroundState
from mlxc.scf.loop import run_calculation
from mlxc.scf.monitor import Monitor, SCFRecord
from mlxc.symmetry import cells_per_cube
from mlxc.units import BOHR_ANG, EV_PER_ANG3_GPA, HARTREE_EV


@dataclass
class EquationOfState:
    """Free energies at several volumes.

    Attributes:
        volumes_ang3: of the cell, ascending.
        energies_ev: F = E - TS per cell.
        fit: in electronvolt and cubic angstrom; None where the points have no minimum.
        reference: the ground state whose volume is nearest to that of the given crystal.
        converged: whether all points did, and a fit was possible.
        message: one sentence when not.
        seconds: of all points together.
        calculation: the settings, as plain data.
    """

    volumes_ang3: NDArray[np.float64]
    energies_ev: NDArray[np.float64]
    fit: BirchMurnaghan | None
    reference: GroundState
    converged: bool
    message: str
    seconds: float
    calculation: dict[str, Any]

    def summary(self) -> dict[str, Any]:
        """The result as plain data, the JSON object of the command line; what is not computed is None."""
        return {
            "converged": self.converged,
            "message": self.message,
            **fitted_curve(self.reference.crystal, self.volumes_ang3, self.energies_ev, self.fit),
            "natoms": len(self.reference.crystal.species),
            "seconds": self.seconds,
            "calculation": self.calculation,
        }


def fitted_curve(
    crystal: Crystal, volumes_ang3: NDArray[np.float64], energies_ev: NDArray[np.float64], fit: BirchMurnaghan | None
) -> dict[str, Any]:
    """Points and fit as plain data; what there is no fit for is None."""
    return {
        "volumes_ang3": volumes_ang3.tolist(),
        "energies_ev": energies_ev.tolist(),
        "energy0_ev": fit and fit.energy0,
        "volume0_ang3": fit and fit.volume0,
        "lattice_constant_ang": fit and cubic_lattice_constant(crystal, fit.volume0),
        "bulk_modulus_gpa": fit and fit.bulk_modulus * EV_PER_ANG3_GPA,
        "bulk_modulus_derivative": fit and fit.bulk_modulus_derivative,
    }


def cubic_lattice_constant(crystal: Crystal, volume_ang3: float) -> float | None:
    """Edge, in angstrom, of the conventional cube when this cell has the given volume; None for other lattices."""
    cells = cells_per_cube(crystal)
    return None if cells is None else float((cells * volume_ang3) ** (1 / 3))


def run_equation_of_state(
    task: EquationOfStateTask, monitor: Monitor | None, on_point: Callable[[dict[str, Any]], None] | None
) -> EquationOfState:
    """Compute all points from the smallest to the largest volume; see :meth:`EquationOfStateTask.run`."""
    states: list[GroundState] = []
    for index, calculation in enumerate(task.calculation.at_volumes(task.ratios)):
        state = run_calculation(calculation, _at_point(monitor, index), states)
        states.append(state)
        if on_point is not None:
            on_point({"index": index, "points": task.points, "converged": state.converged} | _point(state))
    return _equation(states, task)


def _at_point(monitor: Monitor | None, index: int) -> Monitor | None:
    """The monitor, told which point each record belongs to."""
    if monitor is None:
        return None

    def tell(record: SCFRecord) -> None:
        monitor(replace(record, point=index))

    return tell


def _point(state: GroundState) -> dict[str, float]:
    return {"volume_ang3": state.crystal.volume * BOHR_ANG**3, "energy_ev": float(state.energy) * HARTREE_EV}


def _equation(states: list[GroundState], task: EquationOfStateTask) -> EquationOfState:
    points = [_point(state) for state in states]
    volumes = np.array([point["volume_ang3"] for point in points])
    energies = np.array([point["energy_ev"] for point in points])
    unconverged = sum(not state.converged for state in states)
    message = f"{unconverged} of {len(states)} points did not converge." if unconverged else ""
    fit = None
    try:
        fit = fit_birch_murnaghan(volumes, energies)
    except FitError as error:
        message = str(error)
    return EquationOfState(
        volumes_ang3=volumes,
        energies_ev=energies,
        fit=fit,
        reference=states[int(np.abs(np.array(task.ratios) - 1).argmin())],
        converged=not message,
        message=message,
        seconds=sum(state.seconds["total"] for state in states),
        calculation=task.calculation.model_dump(mode="json"),
    )
