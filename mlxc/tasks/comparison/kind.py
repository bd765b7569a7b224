"""Comparisons with other codes as a kind of task."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlxc.codes.live import choose_codes
from mlxc.console.record_table import Tell
from mlxc.kohn_sham.monitor import Monitor
from mlxc.tasks.command import Command, Option
from mlxc.tasks.comparison.presentation import comparison_report, comparison_sentence
from mlxc.tasks.comparison.progress import RECORDS, ComparisonProgress
from mlxc.tasks.comparison.task import ComparisonTask
from mlxc.tasks.eos.kind import VOLUME_OPTIONS
from mlxc.tasks.kind import Ending, Kind
from mlxc.tasks.parts import Parts

if TYPE_CHECKING:
    from mlxc.tasks.comparison.result import Comparison


def _run(task: ComparisonTask, monitor: Monitor | None, tell: Tell) -> Comparison:
    codes = choose_codes(task.codes)  # whatever is missing is told before torch is loaded
    from mlxc.tasks.comparison.run import run_comparison

    return run_comparison(task, codes, monitor, tell)


def _ending(comparison: Comparison) -> Ending:
    return Ending(comparison.converged, comparison.message)


def _parts(task: ComparisonTask) -> Parts:
    # How long other codes take, nobody knows before.
    return Parts.unknown()


COMPARISON = Kind(
    name="comparison",
    title="comparison of codes",
    task=ComparisonTask,
    run=_run,
    ending=_ending,
    records=RECORDS,
    report=comparison_report,
    headline=comparison_sentence,
    command=Command(
        "compare",
        "the same here and in PySCF and GPAW",
        (
            Option("--codes", ("codes",), "pyscf, gpaw (those that are installed)", {"nargs": "+", "metavar": "CODE"}),
            Option("--eos", ("eos",), "equations of state: lattice constant, bulk modulus", value=True),
            *VOLUME_OPTIONS,
        ),
        basis="gaussian",  # which PySCF has as well
        saves=False,
    ),
    progress=ComparisonProgress,
    parts=_parts,
)
