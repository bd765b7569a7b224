"""Computes an equation of state, from the smallest to the largest volume."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from torch import nn

from mlxc.console.record_table import Tell
from mlxc.crystal.resizing import Variation, area_ang2
from mlxc.kohn_sham.loop import run_calculation
from mlxc.kohn_sham.monitor import Monitor, SCFRecord
from mlxc.kohn_sham.state import GroundState
from mlxc.properties.birch_murnaghan import FitError, fit_birch_murnaghan
from mlxc.tasks.eos.result import EquationOfState
from mlxc.tasks.eos.task import EquationOfStateTask
from mlxc.units import BOHR_ANG, HARTREE_EV


def run_equation_of_state(task: EquationOfStateTask, monitor: Monitor | None, tell: Tell) -> EquationOfState:
    """Compute all points from the smallest to the largest volume; see :meth:`EquationOfStateTask.run`."""
    task.calculation.check()
    return _equation(states_at_volumes(task, monitor, tell), task)


def states_at_volumes(
    task: EquationOfStateTask,
    monitor: Monitor | None = None,
    tell: Tell | None = None,
    xc: nn.Module | None = None,
    start: Sequence[GroundState] = (),
) -> list[GroundState]:
    """The ground states of all points, from the smallest to the largest volume.

    Args:
        task: what to compute.
        monitor: see :meth:`EquationOfStateTask.run`.
        tell: told of each finished point by a record of the kind ``point``, see there.
        xc: another functional than the task names.
        start: states of the same points to start from.
    """
    states: list[GroundState] = []
    for index, calculation in enumerate(task.calculation.at_volumes(task.ratios, task.vary)):
        state = run_calculation(calculation, _at_point(monitor, index), [*states, *start[index : index + 1]], xc)
        states.append(state)
        if tell is not None:
            told = {"kind": "point", "index": index, "points": task.points, "converged": state.converged}
            tell(told | _point(state, task.vary))
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
