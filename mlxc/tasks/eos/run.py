"""Runs an equation of state."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from torch import nn

from mlxc.calculation.calculation import EquationOfStateTask
from mlxc.calculation.volumes import states_at_volumes
from mlxc.kohn_sham.monitor import Monitor, SCFRecord
from mlxc.kohn_sham.state import GroundState
from mlxc.properties.eos import EquationOfState, energy_point, equation_of_state


def run_equation_of_state(
    task: EquationOfStateTask, monitor: Monitor | None, on_point: Callable[[dict[str, Any]], None] | None
) -> EquationOfState:
    """Compute all points from the smallest to the largest volume; see :meth:`EquationOfStateTask.run`."""
    states = states_of_task(task, monitor, on_point)
    settings = task.calculation.model_dump(mode="json")
    return equation_of_state(states, task.vary, nearest_to_given(states, task), settings)


def states_of_task(
    task: EquationOfStateTask,
    monitor: Monitor | None = None,
    on_point: Callable[[dict[str, Any]], None] | None = None,
    xc: nn.Module | None = None,
    start: Sequence[GroundState] = (),
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

    def tell(record: SCFRecord) -> None:
        assert monitor is not None
        monitor(replace(record, point=len(states)))

    calculations = task.calculation.at_volumes(task.ratios, task.vary)
    for state in states_at_volumes(calculations, xc, None if monitor is None else tell, start):
        if on_point is not None:
            about = {"index": len(states), "points": task.points, "converged": state.converged}
            on_point(about | energy_point(state, task.vary))
        states.append(state)
    return states


def nearest_to_given(states: Sequence[GroundState], task: EquationOfStateTask) -> GroundState:
    """The one of the states of all points whose volume is nearest to the given one."""
    return states[int(np.abs(np.array(task.ratios) - 1).argmin())]
