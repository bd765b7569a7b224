"""A sweep over one setting as a kind of task."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlxc.calculation.duration import estimate_seconds
from mlxc.calculation.feasibility import check_calculation
from mlxc.console.record_table import Tell
from mlxc.errors import InputError
from mlxc.kohn_sham.monitor import Monitor
from mlxc.tasks.command import Command, Option
from mlxc.tasks.kind import ITERATION, ITERATIONS, Ending, Figure, Kind
from mlxc.tasks.parts import Parts
from mlxc.tasks.sweep.presentation import VALUES, sweep_outcome, sweep_report, sweep_sentence
from mlxc.tasks.sweep.task import SweepTask
from mlxc.tasks.sweep.varied import VARIED

if TYPE_CHECKING:
    from mlxc.tasks.sweep.result import SweepResult


def _run(task: SweepTask, monitor: Monitor | None, tell: Tell) -> SweepResult:
    from mlxc.tasks.sweep.run import run_sweep

    return run_sweep(task, monitor, tell)


def _ending(result: SweepResult) -> Ending:
    return Ending(result.converged, result.message, result.state)


def _parts(task: SweepTask) -> Parts:
    try:
        each = [estimate_seconds(one, check_calculation(one)) for one in task.calculations()]
    except InputError:  # of a run from elsewhere: what it needs is not here
        return Parts.unknown()
    of_value = (1.0, *Parts.continued(task.volumes, "volume").lengths) if task.lattice_constant else (1.0,)
    return Parts(tuple(seconds * length for seconds in each for length in of_value), "calculation")


_A_TOLERANCE = {"type": float, "metavar": "T"}

SWEEP = Kind(
    name="sweep",
    title="sweep",
    task=SweepTask,
    run=_run,
    ending=_ending,
    records={ITERATION: ITERATIONS, "value": VALUES},
    report=sweep_report,
    headline=sweep_sentence,
    outcome=sweep_outcome,
    figures=(
        Figure("energy_converged_from", "energy converged from"),
        Figure("size_converged_from", "lattice constant converged from"),
    ),
    command=Command(
        "sweep",
        "energy and lattice constant against cutoff, k mesh or functional",
        (
            Option("--vary", ("vary",), f"{', '.join(VARIED)} (cutoff)", {"metavar": "WHAT"}),
            Option(
                "--values",
                ("values",),
                "the values, such as 20 30 40, 4x4x4 6x6x6 or lda pbe (usual ones)",
                {"nargs": "+", "metavar": "VALUE"},
            ),
            Option(
                "--lattice-constant",
                ("lattice_constant",),
                "an equation of state for each value as well",
                value=True,
            ),
            Option("--points", ("points",), "number of volumes of each of them (5)", {"type": int, "metavar": "N"}),
            Option(
                "--volume-range",
                ("lowest_volume", "highest_volume"),
                "of each of them, in units of the given volume, or area (0.94 1.06)",
                {"type": float, "nargs": 2, "metavar": ("LOW", "HIGH")},
            ),
            Option(
                "--energy-tolerance",
                ("energy_tolerance_mev",),
                "of a converged energy, meV per atom (1)",
                _A_TOLERANCE,
            ),
            Option(
                "--size-tolerance",
                ("size_tolerance_percent",),
                "of a converged lattice constant, per cent (0.1)",
                _A_TOLERANCE,
            ),
        ),
    ),
    parts=_parts,
)
