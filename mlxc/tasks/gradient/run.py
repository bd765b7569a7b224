"""Converge, differentiate, and make a step: one loss from beginning to end."""

from __future__ import annotations

import time
from collections.abc import Sequence
from math import hypot

import torch
from torch import Tensor, nn

from mlxc.console.record_table import Tell
from mlxc.kohn_sham.monitor import AdjointRecord, Monitor
from mlxc.kohn_sham.solved_state import SolvedState
from mlxc.response.dyson import ResponseError
from mlxc.response.gradient_flow import GradientFlow, gradient_flows
from mlxc.tasks.given_start import given_start
from mlxc.tasks.gradient.losses import evaluate
from mlxc.tasks.gradient.result import Evaluation, GradientResult
from mlxc.tasks.gradient.task import GradientTask
from mlxc.xc.catalogue import functional, without_parameters


def run_gradient(task: GradientTask, monitor: Monitor | None, tell: Tell) -> GradientResult:
    """Converge and differentiate; see :meth:`GradientTask.run`."""
    task.calculation.check()
    xc = functional(task.calculation.xc)
    if not _parameters(xc):
        raise without_parameters(task.calculation.xc)
    values = _copies(xc)
    began = time.perf_counter()
    start = given_start() if task.is_about_one_state else ()
    before = _evaluate(task, xc, start, monitor, tell, "before")
    converged = time.perf_counter()
    flows, message = _differentiate(before, tell)
    differentiated = time.perf_counter()
    after = None
    if flows is not None and task.step is not None:
        descend(xc, flows[0].parameter_gradients, task.step)
        after = _evaluate(task, xc, before.states, monitor, tell, "after")
        message = after.message and f"After the step there is no loss. {after.message}"
    return GradientResult(
        asked=task.asked,
        calculation=task.calculation.model_dump(mode="json"),
        step=task.step,
        before=before,
        flows=flows,
        parameters=values,
        after=after,
        moved_parameters=_copies(xc),
        message=message,
        seconds={
            "scf": converged - began,
            "gradient": differentiated - converged,
            "after": time.perf_counter() - differentiated,
        },
    )


def descend(xc: nn.Module, gradients: dict[str, Tensor], step: float) -> None:
    """Move the parameters against their gradients, all together by ``step`` times their norm, in place.

    Where the loss does not depend on the parameters, they stay.
    """
    parameters = _parameters(xc)
    slope = hypot(*(float(gradient.norm()) for gradient in gradients.values()))
    length = step * hypot(*(float(value.detach().norm()) for value in parameters.values()))
    if slope > 0:
        with torch.no_grad():
            for name, gradient in gradients.items():
                parameters[name].sub_(gradient * (length / slope))


def _evaluate(
    task: GradientTask, xc: nn.Module, start: Sequence[SolvedState], monitor: Monitor | None, tell: Tell, stage: str
) -> Evaluation:
    evaluation = evaluate(task, xc, start, monitor, tell)
    if evaluation.loss is not None and evaluation.quantity is not None:
        value, quantity = float(evaluation.loss.detach()), float(evaluation.quantity.detach())
        tell({"kind": "loss", "stage": stage, "value": value, "unit": task.unit, "quantity": quantity})
    return evaluation


def _differentiate(evaluation: Evaluation, tell: Tell) -> tuple[list[GradientFlow] | None, str]:
    """The gradient of the loss, or why there is none."""
    if evaluation.loss is None:
        return None, evaluation.message

    def monitor(record: AdjointRecord) -> None:
        tell({"kind": "adjoint", **record.to_dict()})

    def step_monitor(index: int, norm: float) -> None:
        tell({"kind": "density_gradient", "step": index, "norm": norm})

    try:
        return gradient_flows(evaluation.loss, evaluation.states, monitor, step_monitor), ""
    except ResponseError as error:
        return None, str(error)


def _parameters(xc: nn.Module) -> dict[str, nn.Parameter]:
    return {name: value for name, value in xc.named_parameters() if value.requires_grad}


def _copies(xc: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in _parameters(xc).items()}
