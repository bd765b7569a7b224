"""A training as a kind of task."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlxc.console.record_table import Tell
from mlxc.kohn_sham.monitor import Monitor
from mlxc.tasks.kind import ITERATION, ITERATIONS, Ending, Figure, Kind
from mlxc.tasks.parts import Parts
from mlxc.tasks.training.presentation import (
    ADJOINT,
    ADJOINTS,
    PAUSED,
    PAUSES,
    START,
    STARTS,
    STEP,
    STEPS,
    training_outcome,
    training_report,
    training_sentence,
)
from mlxc.tasks.training.task import TrainingTask

if TYPE_CHECKING:
    from mlxc.tasks.training.run import TrainingResult

# Where an exported script keeps the functional.
SCRIPT_FOLDER = "trained"


def _run(task: TrainingTask, monitor: Monitor | None, tell: Tell) -> TrainingResult:
    from mlxc.tasks.training.run import run_training

    return run_training(task, monitor, tell)


TRAINING = Kind(
    name="training",
    title="training of a functional",
    task=TrainingTask,
    run=_run,
    ending=lambda result: Ending(result.converged, result.message),
    records={ITERATION: ITERATIONS, START: STARTS, STEP: STEPS, PAUSED: PAUSES, ADJOINT: ADJOINTS},
    report=training_report,
    headline=training_sentence,
    outcome=training_outcome,
    advice=lambda records: "Begin again with a smaller rate, or with another functional; the best one so far is kept.",
    figures=(
        Figure("name", "functional"),
        Figure("steps", "steps"),
        Figure("checkpoint", f"file of the functional, in the folder {SCRIPT_FOLDER}"),
    ),
    run_arguments=f'folder="{SCRIPT_FOLDER}"',
    # Between rounds densities are converged, which takes other times than steps do.
    parts=lambda task: Parts.unknown(steady=task.config.rounds == 1),
    is_quick=lambda task: task.config.is_at_fixed_densities,
)
