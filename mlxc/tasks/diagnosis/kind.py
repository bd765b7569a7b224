"""Diagnoses as a kind of task."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlxc.console.record_table import Tell
from mlxc.kohn_sham.monitor import Monitor
from mlxc.tasks.command import Command, WrittenFile
from mlxc.tasks.diagnosis.presentation import (
    FINDINGS,
    diagnosis_outcome,
    diagnosis_report,
    diagnosis_sentence,
)
from mlxc.tasks.diagnosis.task import DiagnosisTask
from mlxc.tasks.kind import ITERATION, ITERATIONS, Ending, Figure, Kind
from mlxc.tasks.parts import Parts

if TYPE_CHECKING:
    from mlxc.tasks.diagnosis.result import Diagnosis


def _run(task: DiagnosisTask, monitor: Monitor | None, tell: Tell) -> Diagnosis:
    from mlxc.tasks.diagnosis.run import run_diagnosis

    return run_diagnosis(task, monitor, tell)


def _parts(task: DiagnosisTask) -> Parts:
    return Parts.unknown()


def _ending(diagnosis: Diagnosis) -> Ending:
    # It is done when all tests are, whether or not the calculation that it is about converges.
    return Ending(True, "", diagnosis.state)


def _write_html(summary: dict[str, Any], path: Path) -> None:
    from mlxc.tasks.diagnosis.html_report import write_html_report  # matplotlib takes half a second to load

    write_html_report(summary, path)


DIAGNOSIS = Kind(
    name="diagnosis",
    title="diagnosis",
    task=DiagnosisTask,
    run=_run,
    ending=_ending,
    records={ITERATION: ITERATIONS, "finding": FINDINGS},
    report=diagnosis_report,
    headline=diagnosis_sentence,
    outcome=diagnosis_outcome,
    figures=(Figure("verdict", "verdict"),),
    command=Command(
        "diagnose",
        "why a calculation disagrees: a verdict",
        files=(WrittenFile("--html", "FILE.html", "write a report with plots, in one file", _write_html),),
        minds_time=True,
    ),
    parts=_parts,
)
