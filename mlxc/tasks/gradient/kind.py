"""Gradients of a loss by the parameters of a functional as a kind of task."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlxc.console.record_table import Tell
from mlxc.kohn_sham.monitor import Monitor
from mlxc.tasks.command import Command, Option
from mlxc.tasks.eos.presentation import POINTS, advice_without_minimum
from mlxc.tasks.gradient.presentation import (
    ADJOINT_STEPS,
    DENSITY_GRADIENTS,
    LOSSES,
    gradient_outcome,
    gradient_report,
    gradient_sentence,
)
from mlxc.tasks.gradient.task import GradientTask
from mlxc.tasks.kind import ITERATION, ITERATIONS, Ending, Figure, Kind

if TYPE_CHECKING:
    from mlxc.tasks.gradient.result import GradientResult


def _run(task: GradientTask, monitor: Monitor | None, tell: Tell) -> GradientResult:
    from mlxc.tasks.gradient.run import run_gradient

    return run_gradient(task, monitor, tell)


def _ending(result: GradientResult) -> Ending:
    return Ending(result.converged, result.message, result.ground, result.fields)


GRADIENT = Kind(
    name="gradient",
    title="gradient",
    task=GradientTask,
    run=_run,
    ending=_ending,
    records={
        ITERATION: ITERATIONS,
        "point": POINTS,
        "loss": LOSSES,
        "adjoint": ADJOINT_STEPS,
        "density_gradient": DENSITY_GRADIENTS,
    },
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
                "energy, lattice_constant, gap, density_moment (how far electrons are from nuclei) or magnetisation",
                {"required": True, "metavar": "NAME"},
            ),
            Option(
                "--target",
                ("target",),
                "whose squared deviation is the loss: eV, ang, ang^2 or Bohr magneton (of a lattice constant: "
                "measured)",
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
)
