"""Computes the energy at one moment after the other, upwards and perhaps down again."""

from __future__ import annotations

from dataclasses import replace

import torch

from mlxc.calculation.run import run_calculation
from mlxc.console.record_table import Tell
from mlxc.grid.fields import Fields
from mlxc.kohn_sham.monitor import Monitor, SCFRecord
from mlxc.kohn_sham.state import GroundState
from mlxc.properties.moment_curve import Branch, MomentPoint, joined_sweeps
from mlxc.tasks.moments.result import MomentsResult
from mlxc.tasks.moments.task import MomentsTask


def run_moments(task: MomentsTask, monitor: Monitor | None, tell: Tell) -> MomentsResult:
    """Compute all points of a task that has been checked, each from the state of the one before."""
    steps = task.steps
    points: list[MomentPoint] = []
    seconds = 0.0
    previous: GroundState | None = None
    lowest: GroundState | None = None
    for moment, branch in steps:
        start = [] if previous is None else [previous]
        previous = run_calculation(task.at(moment), _at_point(monitor, len(points)), start)
        point = moment_point(previous, branch)
        tell({"kind": "moment", "index": len(points), "points": len(steps), **point.to_dict()})
        points.append(point)
        seconds += previous.seconds["total"]
        if lowest is None or previous.energy < lowest.energy:
            lowest = previous
    assert lowest is not None
    crystal = task.calculation.crystal
    return MomentsResult(
        curve=joined_sweeps(points, len(crystal.species)),
        state=lowest,
        crystal=crystal,
        seconds=seconds,
        calculation=task.calculation.model_dump(mode="json"),
    )


def moment_point(state: GroundState, branch: Branch) -> MomentPoint:
    """What a state whose moment is held says about the curve."""
    assert state.total_moment is not None
    up, down = _fermi_levels(state)
    return MomentPoint(
        moment=state.total_moment,
        free_energy_ha=float(state.energy.detach()),
        energies_ha=state.energies,
        polarisation_energy_ha=_polarisation_energy(state),
        iterations=len(state.history),
        converged=state.converged,
        fermi_level_up_ha=up,
        fermi_level_down_ha=down,
        branch=branch,
    )


def _polarisation_energy(state: GroundState) -> float:
    """E_xc minus that of the same density with all spins paired, hartree per cell."""
    problem = state.problem
    fields = state.basis.grid.fourier(state.fields.detach())
    paired = fields.mean(1, keepdim=True).expand_as(fields)
    with torch.no_grad():
        energies = [float(problem.xc.energy_of(Fields.unstacked(each, problem.kinds))) for each in (fields, paired)]
    return energies[0] - energies[1]


def _fermi_levels(state: GroundState) -> tuple[float | None, float | None]:
    """The Fermi levels of both spins, each of which has its own number of electrons; None with fixed occupations."""
    if state.smearing is None or state.total_moment is None:
        return None, None
    up, down = state.known_fermi_levels
    return up, down


def _at_point(monitor: Monitor | None, index: int) -> Monitor | None:
    """A monitor that says to which point a step belongs."""
    if monitor is None:
        return None

    def told(record: SCFRecord) -> None:
        monitor(replace(record, point=index))

    return told
