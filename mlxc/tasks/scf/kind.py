"""The ground state of a crystal as a kind of task; the task itself is :class:`mlxc.Calculation`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlxc.calculation.calculation import Calculation
from mlxc.console.record_table import Tell
from mlxc.kohn_sham.monitor import Monitor
from mlxc.tasks.command import Command
from mlxc.tasks.kind import ITERATION, ITERATIONS, Ending, Figure, Kind
from mlxc.tasks.parts import Parts
from mlxc.tasks.scf.presentation import ground_state_outcome, ground_state_report, ground_state_sentence

if TYPE_CHECKING:
    from mlxc.kohn_sham.state import GroundState


def _run(task: Calculation, monitor: Monitor | None, tell: Tell) -> GroundState:
    return task.run(monitor=monitor, differentiate=None)


def _ending(ground: GroundState) -> Ending:
    return Ending(ground.converged, ground.message, ground)


# What forces and stress take beside the SCF.
FORCES = 0.05


def _parts(task: Calculation) -> Parts:
    return Parts(after=FORCES)


SCF = Kind(
    name="scf",
    title="ground state",
    task=Calculation,
    run=_run,
    ending=_ending,
    records={ITERATION: ITERATIONS},
    report=ground_state_report,
    headline=ground_state_sentence,
    outcome=ground_state_outcome,
    figures=(
        Figure("free_energy_ha", "free energy F = E - TS", " Ha", ".10f"),
        Figure("magnetisation_bohr_magneton", "magnetisation", " Bohr magneton", ".4f"),
    ),
    command=Command("scf", "the ground state of a crystal", gives_uncertainty=True),
    parts=_parts,
)
