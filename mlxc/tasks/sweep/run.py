"""Computes one crystal at several values of one setting, one after the other."""

from __future__ import annotations

from dataclasses import replace
from math import sqrt

from mlxc.calculation.calculation import Calculation
from mlxc.calculation.run import run_calculation
from mlxc.console.record_table import Tell
from mlxc.kohn_sham.monitor import Monitor, SCFRecord
from mlxc.kohn_sham.state import GroundState
from mlxc.properties.eos import EquationOfState
from mlxc.tasks.eos.run import run_equation_of_state
from mlxc.tasks.sweep.result import SweepPoint, SweepResult
from mlxc.tasks.sweep.task import SweepTask


def run_sweep(task: SweepTask, monitor: Monitor | None, tell: Tell) -> SweepResult:
    """Compute all values, each afresh.

    Raises:
        InputError: one of the calculations cannot be done.
    """
    calculations = task.calculations()
    for calculation in calculations:
        calculation.check()
    points: list[SweepPoint] = []
    for index, calculation in enumerate(calculations):
        first = index * (1 + task.volumes)
        state = run_calculation(calculation, _at(first, monitor))
        curve = _curve(task, calculation, _at(first + 1, monitor)) if task.lattice_constant else None
        points.append(_point(task.values[index], task.labels[index], state, curve))
        tell({"kind": "value", "index": index, "values": len(calculations), **points[-1].to_dict()})
    return SweepResult(task, points, state)


def _curve(task: SweepTask, calculation: Calculation, monitor: Monitor | None) -> EquationOfState:
    return run_equation_of_state(task.curve(calculation), monitor, lambda record: None)


def _point(value: str, label: str, state: GroundState, curve: EquationOfState | None) -> SweepPoint:
    natoms = len(state.crystal.species)
    found = {} if curve is None else curve.curve
    problems = [state.message if not state.converged else ""]
    problems += [curve.message] if curve is not None and not curve.converged else []
    return SweepPoint(
        value=value,
        label=label,
        free_energy_per_atom_ha=float(state.energy.detach()) / natoms,
        lattice_constant_ang=found.get("lattice_constant_ang"),
        size_ang=_size(found.get("volume0_ang3"), found.get("area0_ang2"), natoms),
        bulk_modulus_gpa=found.get("bulk_modulus_gpa"),
        iterations=len(state.history),
        converged=not any(problems),
        message=" ".join(filter(None, problems)),
        seconds=state.seconds["total"] + (0.0 if curve is None else curve.seconds),
    )


def _size(volume: float | None, area: float | None, natoms: int) -> float | None:
    """A length per atom, angstrom, from the volume of the cell, or of a sheet from its area; None if both are."""
    if area is not None:
        return sqrt(area / natoms)
    return None if volume is None else float((volume / natoms) ** (1 / 3))


def _at(first: int, monitor: Monitor | None) -> Monitor | None:
    """A monitor that is told which of all self-consistent calculations of a sweep a step belongs to."""
    if monitor is None:
        return None

    def told(record: SCFRecord) -> None:
        monitor(replace(record, point=first + (record.point or 0)))

    return told
