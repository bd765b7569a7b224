"""The equation of state: energies at several volumes, or areas of a sheet, and the curve through them.

A sheet has no pressure and no bulk modulus: divided by the volume of its cell, its energy would depend on how much
vacuum there is. Its equation of state is E(A) per cell of area A, the third-order Birch-Murnaghan form with the area in
the place of the volume: a cubic polynomial in A^(-2/3), which is the fit of E(V) with V = c A at any constant height c.
At its minimum

    B_2D = A d2E/dA2,    dB_2D/dPi = -1 - A (d3E/dA3) / (d2E/dA2),    Pi = -dE/dA,

the in-plane, or layer, modulus (N/m) under equal strain in both directions, and its derivative with respect to the
pressure in the plane. Neither depends on the height.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from mlxc.calculation.calculation import EquationOfStateTask
from mlxc.calculation.run import run_calculation
from mlxc.crystal.resizing import Variation, area_ang2
from mlxc.kohn_sham.monitor import Monitor, SCFRecord
from mlxc.kohn_sham.solved_state import SolvedState
from mlxc.kohn_sham.state import GroundState
from mlxc.properties.birch_murnaghan import BirchMurnaghan, FitError, fit_birch_murnaghan
from mlxc.properties.fitted_curve import fitted_curve
from mlxc.units import BOHR_ANG, HARTREE_EV


@dataclass
class EquationOfState:
    """Free energies at several volumes, or areas.

    Attributes:
        varied: ``volume``, or ``area`` at constant height of the cell.
        volumes_ang3: of the cell, ascending.
        areas_ang2: of the cell; None where the volume varied.
        energies_ev: F = E - TS per cell.
        fit: in electronvolt and cubic angstrom, or, with the area in the place of the volume, square angstrom; None
            where the points have no minimum.
        reference: the ground state whose volume is nearest to that of the given crystal.
        converged: whether all points did, and a fit was possible.
        message: one sentence when not.
        seconds: of all points together.
        calculation: the settings, as plain data.
    """

    varied: Variation
    volumes_ang3: NDArray[np.float64]
    areas_ang2: NDArray[np.float64] | None
    energies_ev: NDArray[np.float64]
    fit: BirchMurnaghan | None
    reference: GroundState
    converged: bool
    message: str
    seconds: float
    calculation: dict[str, Any]

    @property
    def curve(self) -> dict[str, Any]:
        """Points and fit as plain data."""
        return fitted_curve(self.reference.crystal, self.varied, self.volumes_ang3, self.energies_ev, self.fit)

    def summary(self) -> dict[str, Any]:
        """The result as plain data, the JSON object of the command line; what is not computed is None.

        For the figures of the curve see :func:`~mlxc.properties.fitted_curve.fitted_curve`.
        """
        return {
            "converged": self.converged,
            "message": self.message,
            **self.curve,
            "natoms": len(self.reference.crystal.species),
            "seconds": self.seconds,
            "calculation": self.calculation,
        }


def run_equation_of_state(
    task: EquationOfStateTask, monitor: Monitor | None, on_point: Callable[[dict[str, Any]], None] | None
) -> EquationOfState:
    """Compute all points from the smallest to the largest volume; see :meth:`EquationOfStateTask.run`."""
    return _equation(states_at_volumes(task, monitor, on_point), task)


def states_at_volumes(
    task: EquationOfStateTask,
    monitor: Monitor | None,
    on_point: Callable[[dict[str, Any]], None] | None,
    xc: nn.Module | None = None,
    start: Sequence[SolvedState] = (),
) -> list[GroundState]:
    """The ground states of all points, from the smallest to the largest volume.

    Args:
        task: what to compute.
        monitor: see :meth:`EquationOfStateTask.run`.
        on_point: see there.
        xc: another functional than the task names.
        start: states of the same points to start from.
    """
    states: list[GroundState] = []
    for index, calculation in enumerate(task.calculation.at_volumes(task.ratios, task.vary)):
        state = run_calculation(calculation, _at_point(monitor, index), [*states, *start[index : index + 1]], xc)
        states.append(state)
        if on_point is not None:
            on_point({"index": index, "points": task.points, "converged": state.converged} | _point(state, task.vary))
    return states


def nearest_to_given(states: Sequence[GroundState], task: EquationOfStateTask) -> GroundState:
    """Of the states of all points, that at the volume nearest to the given one."""
    return states[int(np.abs(np.array(task.ratios) - 1).argmin())]


def _at_point(monitor: Monitor | None, index: int) -> Monitor | None:
    """The monitor, told which point each record belongs to."""
    if monitor is None:
        return None

    def tell(record: SCFRecord) -> None:
        monitor(replace(record, point=index))

    return tell


def _point(state: GroundState, vary: Variation) -> dict[str, float | None]:
    return {
        "volume_ang3": state.crystal.volume * BOHR_ANG**3,
        "area_ang2": area_ang2(state.crystal) if vary == "area" else None,
        "energy_ev": float(state.energy.detach()) * HARTREE_EV,
    }


def _equation(states: list[GroundState], task: EquationOfStateTask) -> EquationOfState:
    points = [_point(state, task.vary) for state in states]
    volumes = np.array([point["volume_ang3"] for point in points], dtype=np.float64)
    energies = np.array([point["energy_ev"] for point in points], dtype=np.float64)
    areas = np.array([point["area_ang2"] for point in points]) if task.vary == "area" else None
    unconverged = sum(not state.converged for state in states)
    message = f"{unconverged} of {len(states)} points did not converge." if unconverged else ""
    fit = None
    try:
        fit = fit_birch_murnaghan(volumes if areas is None else areas, energies)
    except FitError as error:
        message = str(error)
    return EquationOfState(
        varied=task.vary,
        volumes_ang3=volumes,
        areas_ang2=areas,
        energies_ev=energies,
        fit=fit,
        reference=nearest_to_given(states, task),
        converged=not message,
        message=message,
        seconds=sum(state.seconds["total"] for state in states),
        calculation=task.calculation.model_dump(mode="json"),
    )
