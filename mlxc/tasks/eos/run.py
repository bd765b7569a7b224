"""Computes an equation of state, from the smallest to the largest volume or all at once on a Dask cluster."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
from torch import nn

from mlxc.calculation.calculation import Calculation
from mlxc.calculation.elsewhere import states_elsewhere
from mlxc.calculation.volumes import states_at_volumes
from mlxc.console.record_table import Tell
from mlxc.kohn_sham.monitor import Monitor, SCFRecord
from mlxc.kohn_sham.solved_state import SolvedState
from mlxc.kohn_sham.state import GroundState
from mlxc.observables.energy_curve import EnergyCurve
from mlxc.observables.uncertainty import uncertainty_of_curve
from mlxc.properties.eos import EquationOfState, energy_point, equation_of_state
from mlxc.properties.magnetic_branches import moment_per_atom
from mlxc.tasks.eos.second_branch import second_branch
from mlxc.tasks.eos.task import EquationOfStateTask
from mlxc.xc.catalogue import functional

State = TypeVar("State", bound=SolvedState)


def run_equation_of_state(task: EquationOfStateTask, monitor: Monitor | None, tell: Tell) -> EquationOfState:
    """Compute all points from the smallest to the largest volume; see :meth:`EquationOfStateTask.run`."""
    task.calculation.check()
    # All points share one module: the gradient of a lattice constant is that of all their energies.
    module = functional(task.calculation.xc) if task.calculation.uncertainty else None
    elsewhere = task.scheduler is not None
    states = _states_elsewhere(task, tell) if elsewhere else states_of_task(task, monitor, tell, module)

    def on_state(index: int, state: SolvedState) -> None:
        tell({"kind": "branch", "index": index, **_told(state, task)})

    followed = second_branch(calculations_of(task), states, monitor, on_state, module, afresh=elsewhere)
    settings = task.calculation.model_dump(mode="json")
    equation = equation_of_state(states, task.vary, nearest_to_given(states, task), settings, followed)
    if module is None or equation.fit is None:
        return equation
    curve = EnergyCurve.of_states(_on_the_curve(equation, [*states, *followed.values()]))
    return replace(equation, uncertainty=uncertainty_of_curve(curve, module))


def _on_the_curve(equation: EquationOfState, states: Sequence[SolvedState]) -> list[SolvedState]:
    """The states that an equation of state was fitted to, which may be those of one magnetic branch among others."""
    points = set(zip(equation.volumes_ang3.tolist(), equation.energies_ev.tolist(), strict=True))
    told = [(state, energy_point(state, equation.varied)) for state in states]
    return [state for state, point in told if (point["volume_ang3"], point["energy_ev"]) in points]


def calculations_of(task: EquationOfStateTask) -> list[Calculation]:
    """The calculations of all points, from the smallest to the largest volume."""
    return task.calculation.at_volumes(task.ratios, task.vary)


def _told(state: SolvedState, task: EquationOfStateTask) -> dict[str, Any]:
    return {"converged": state.converged, "moment_per_atom_bohr_magneton": moment_per_atom(state)} | energy_point(
        state, task.vary
    )


def states_of_task(
    task: EquationOfStateTask,
    monitor: Monitor | None = None,
    tell: Tell | None = None,
    xc: nn.Module | None = None,
    start: Sequence[SolvedState] = (),
) -> list[GroundState]:
    """The ground states of all points, from the smallest to the largest volume.

    Args:
        task: What is to be computed.
        monitor: It is told of every SCF step, see :meth:`EquationOfStateTask.run`.
        tell: It is told of each finished point by a record of the kind ``point``, see there.
        xc: Another functional than the task names.
        start: States of the same points to start from.
    """
    states: list[GroundState] = []

    def told(record: SCFRecord) -> None:
        assert monitor is not None
        monitor(replace(record, point=len(states)))

    for state in states_at_volumes(calculations_of(task), xc, None if monitor is None else told, start):
        if tell is not None:
            tell(_point(len(states), state, task))
        states.append(state)
    return states


def _states_elsewhere(task: EquationOfStateTask, tell: Tell) -> Sequence[SolvedState]:
    """The same from the workers of a Dask cluster."""
    assert task.scheduler is not None
    states: dict[int, SolvedState] = {}
    for index, state in states_elsewhere(calculations_of(task), task.scheduler):
        states[index] = state
        tell(_point(index, state, task))
    return [states[index] for index in range(task.points)]


def _point(index: int, state: SolvedState, task: EquationOfStateTask) -> dict[str, Any]:
    return {"kind": "point", "index": index, "points": task.points, **_told(state, task)}


def nearest_to_given(states: Sequence[State], task: EquationOfStateTask) -> State:
    """The one of the states of all points whose volume is nearest to the given one."""
    return states[int(np.abs(np.array(task.ratios) - 1).argmin())]
