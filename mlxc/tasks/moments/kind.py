"""The energy against the moment as a kind of task."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlxc.console.record_table import Tell
from mlxc.kohn_sham.monitor import Monitor
from mlxc.tasks.command import Command, Option
from mlxc.tasks.kind import ITERATION, ITERATIONS, Ending, Figure, Kind
from mlxc.tasks.moments.presentation import MOMENTS, moments_outcome, moments_report, moments_sentence
from mlxc.tasks.moments.task import MomentsTask
from mlxc.tasks.parts import Parts

if TYPE_CHECKING:
    from mlxc.tasks.moments.result import MomentsResult


def _run(task: MomentsTask, monitor: Monitor | None, tell: Tell) -> MomentsResult:
    task.check()  # whatever is wrong is told before torch is loaded
    from mlxc.tasks.moments.run import run_moments

    return run_moments(task, monitor, tell)


def _ending(result: MomentsResult) -> Ending:
    return Ending(result.converged, result.message, result.state)


def _parts(task: MomentsTask) -> Parts:
    return Parts.continued(len(task.steps), "moment")


_A_MOMENT = {"type": float, "metavar": "MB"}

ENERGY_AGAINST_MOMENT = Kind(
    name="moments",
    title="energy against moment",
    task=MomentsTask,
    run=_run,
    ending=_ending,
    records={ITERATION: ITERATIONS, "moment": MOMENTS},
    report=moments_report,
    headline=moments_sentence,
    outcome=moments_outcome,
    figures=(
        Figure("moment0_bohr_magneton", "moment of the lowest energy", " Bohr magneton", ".4f"),
        Figure("free_energy0_ha", "free energy at that moment", " Ha", ".8f"),
    ),
    command=Command(
        "moments",
        "energy against the total moment: which one a crystal wants",
        (
            Option("--from", ("lowest_moment",), "lowest moment of the cell, Bohr magneton (0)", _A_MOMENT),
            Option("--to", ("highest_moment",), "highest one (what free atoms of the elements have)", _A_MOMENT),
            Option(
                "--points",
                ("points",),
                "number of moments (9; with fixed occupations all that leave whole electrons)",
                {"type": int, "metavar": "N"},
            ),
            Option("--moments", ("moments",), "the moments themselves", {**_A_MOMENT, "nargs": "+"}),
            Option("--both-ways", ("both_ways",), "down again as well, which shows other branches", value=True),
        ),
    ),
    parts=_parts,
)
