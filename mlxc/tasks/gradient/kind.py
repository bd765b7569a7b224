"""Gradients of a loss by the parameters of a functional as a kind of task."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from mlxc.console.record_table import Tell
from mlxc.kohn_sham.monitor import Monitor
from mlxc.observables.catalogue import LOSSES
from mlxc.tasks.command import Command, Option
from mlxc.tasks.eos.presentation import POINTS, advice_without_minimum
from mlxc.tasks.eos.task import EquationOfStateTask
from mlxc.tasks.gradient.presentation import (
    ADJOINT_STEPS,
    DENSITY_GRADIENTS,
    LAYERS,
    LOSS_VALUES,
    PARAMETERS,
    gradient_outcome,
    gradient_report,
    gradient_sentence,
)
from mlxc.tasks.gradient.task import GradientTask
from mlxc.tasks.kind import ITERATION, ITERATIONS, Ending, Figure, Kind
from mlxc.tasks.parts import CONTINUED, Parts

if TYPE_CHECKING:
    from mlxc.tasks.gradient.result import GradientResult


def _run(task: GradientTask, monitor: Monitor | None, tell: Tell) -> GradientResult:
    from mlxc.tasks.gradient.run import run_gradient

    return run_gradient(task, monitor, tell)


def _ending(result: GradientResult) -> Ending:
    return Ending(result.converged, result.message, result.ground, result.fields)


# Beside one SCF: Dyson's equation, or back through each step of the field.
RESPONSE = 1.0
SCFS_OF_A_LOSS = {"curve": EquationOfStateTask.model_fields["points"].default, "orders": 2}


def _parts(task: GradientTask) -> Parts:
    count = SCFS_OF_A_LOSS.get(task.observable.source, 1)
    lengths = Parts.continued(count, "").lengths
    after_step = (CONTINUED,) * count if task.step is not None else ()
    return Parts(lengths + after_step, "calculation", 0.0 if task.observable.is_variational else RESPONSE)


def _listed(words: Iterable[str]) -> str:
    *most, last = dict.fromkeys(words)
    return f"{', '.join(most)} or {last}"


GRADIENT = Kind(
    name="gradient",
    title="gradient",
    task=GradientTask,
    run=_run,
    ending=_ending,
    records={
        ITERATION: ITERATIONS,
        "point": POINTS,
        "loss": LOSS_VALUES,
        "adjoint": ADJOINT_STEPS,
        "density_gradient": DENSITY_GRADIENTS,
    },
    tables=(PARAMETERS, LAYERS),
    report=gradient_report,
    headline=gradient_sentence,
    outcome=gradient_outcome,
    figures=(Figure("gradient_norm", "norm of the gradient", "", ".8g"),),
    command=Command(
        "gradient",
        "how a loss reaches a functional",
        (
            Option(
                "--loss",
                ("loss",),
                _listed(f"{loss.name} ({loss.hint})" if loss.hint else loss.name for loss in LOSSES.values()),
                {"required": True, "metavar": "NAME"},
            ),
            Option(
                "--target",
                ("target",),
                f"whose squared deviation is the loss: {_listed(loss.unit for loss in LOSSES.values())} "
                "(of a lattice constant: measured)",
                {"type": float, "metavar": "X"},
            ),
            Option("--unrolled", ("mode",), "back through each step of the SCF, for small cells", value="unrolled"),
            Option(
                "--step",
                ("step",),
                "descend by this part of the parameters' norm, and compute again",
                {"type": float, "metavar": "S"},
            ),
        ),
    ),
    advice=advice_without_minimum,
    parts=_parts,
)
