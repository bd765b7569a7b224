"""Equations of state as a kind of task."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlxc.console.record_table import Tell
from mlxc.kohn_sham.monitor import Monitor
from mlxc.tasks.command import SCHEDULER, Command, Option
from mlxc.tasks.eos.presentation import (
    BRANCHES,
    POINTS,
    advice_without_minimum,
    equation_of_state_outcome,
    equation_of_state_report,
    equation_of_state_sentence,
)
from mlxc.tasks.eos.task import EquationOfStateTask
from mlxc.tasks.kind import ITERATION, ITERATIONS, Ending, Figure, Kind
from mlxc.tasks.parts import Parts

if TYPE_CHECKING:
    from mlxc.properties.eos import EquationOfState

VOLUME_OPTIONS = (
    Option(
        "--volume-range",
        ("lowest_volume", "highest_volume"),
        "in units of the given volume, or area (0.94 1.06)",
        {"type": float, "nargs": 2, "metavar": ("LOW", "HIGH")},
    ),
    Option("--points", ("points",), "number of volumes, or areas (7)", {"type": int, "metavar": "N"}),
    Option(
        "--vary",
        ("vary",),
        "volume, or area: of a sheet, at fixed height (area if there is a vacuum along one lattice direction)",
        {"metavar": "WHAT"},
    ),
)


def _run(task: EquationOfStateTask, monitor: Monitor | None, tell: Tell) -> EquationOfState:
    from mlxc.tasks.eos.run import run_equation_of_state

    return run_equation_of_state(task, monitor, tell)


def _ending(equation: EquationOfState) -> Ending:
    return Ending(equation.converged, equation.message, equation.reference)


def _parts(task: EquationOfStateTask) -> Parts:
    if task.calculation.spin:
        # A moment comes to rest slowly from wherever it starts, and the largest volume is computed once more from free
        # atoms, see mlxc.tasks.eos.second_branch.
        return Parts((1.0,) * task.points, task.vary, after=1.0)
    return Parts.continued(task.points, task.vary)


EQUATION_OF_STATE = Kind(
    name="eos",
    title="equation of state",
    task=EquationOfStateTask,
    run=_run,
    ending=_ending,
    records={ITERATION: ITERATIONS, "point": POINTS, "branch": BRANCHES},
    report=equation_of_state_report,
    headline=equation_of_state_sentence,
    outcome=equation_of_state_outcome,
    figures=(
        Figure("energy0_ev", "lowest free energy of the curve", " eV", ".8f"),
        Figure("lattice_constant_ang", "lattice constant", " angstrom", ".5f"),
        Figure("bulk_modulus_gpa", "bulk modulus", " GPa", ".3f"),
        Figure("in_plane_modulus_n_per_m", "layer modulus", " N/m", ".3f"),
    ),
    command=Command(
        "eos", "equation of state: lattice constant, bulk modulus", (*VOLUME_OPTIONS, SCHEDULER), gives_uncertainty=True
    ),
    advice=advice_without_minimum,
    parts=_parts,
)
