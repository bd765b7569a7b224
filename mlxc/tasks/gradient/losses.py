"""Losses of converged states, as functions of a functional's parameters."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from mlxc.calculation.magnetic_pair import compute_magnetic_pair
from mlxc.calculation.run import run_calculation
from mlxc.console.record_table import Tell
from mlxc.errors import MlxcError
from mlxc.kohn_sham.monitor import Monitor
from mlxc.kohn_sham.solved_state import SolvedState
from mlxc.kohn_sham.state import GroundState
from mlxc.observables.catalogue import LOSSES
from mlxc.observables.energy_curve import EnergyCurve
from mlxc.properties.birch_murnaghan import FitError
from mlxc.response.choice import adjoint_of
from mlxc.response.dyson import ResponseError
from mlxc.response.unrolled import UnrolledError
from mlxc.tasks.eos.run import nearest_to_given, states_of_task
from mlxc.tasks.eos.task import EquationOfStateTask
from mlxc.tasks.gradient.result import Evaluation
from mlxc.tasks.gradient.task import GradientTask

PERCENT = 0.01
# Of an equation of state, in units of the given volume: wide, since models that have yet to learn are far off.
LOWEST, HIGHEST = 0.91, 1.114


class LossError(MlxcError):
    """There is no loss to differentiate; the message says why."""


def evaluate(
    task: GradientTask,
    xc: nn.Module,
    start: Sequence[SolvedState],
    monitor: Monitor | None,
    tell: Tell,
) -> Evaluation:
    """Converge what the loss needs, and compute it.

    Args:
        task: The task, which says which loss.
        xc: The functional of the task, whose parameters may have moved.
        start: States to start from, those of an earlier evaluation or of an earlier run; or none.
        monitor: A function that is told of every SCF step.
        tell: A function that is told of the points of an equation of state.
    """
    states, main, message = _converge(task, xc, start, monitor, tell)
    try:
        if message:
            raise LossError(message)
        if not LOSSES[task.loss].is_variational:
            main = adjoint_of(task.mode).attach(main)
            states = [main]
        quantity = _quantity(task, states)
    except (LossError, FitError, ResponseError, UnrolledError) as error:
        return Evaluation(states, main, None, None, str(error))
    return Evaluation(states, main, quantity, _loss(task, quantity), "")


def _converge(
    task: GradientTask, xc: nn.Module, start: Sequence[SolvedState], monitor: Monitor | None, tell: Tell
) -> tuple[list[GroundState], GroundState, str]:
    """The states that the loss is made of, the one of the given crystal, and why there is no loss, else empty."""
    source = LOSSES[task.loss].source
    if source == "orders":
        pair = compute_magnetic_pair(task.calculation, xc, monitor, start)
        return pair.states, pair.given, pair.message
    if source == "curve":
        curve = EquationOfStateTask(calculation=task.calculation, lowest_volume=LOWEST, highest_volume=HIGHEST)
        states = states_of_task(curve, monitor, tell, xc, start)
        main = nearest_to_given(states, curve)
    else:
        states = [run_calculation(task.calculation, monitor, start, xc)]
        (main,) = states
    unconverged = [state.message for state in states if not state.converged]
    return states, main, unconverged[0] if unconverged else ""


def _loss(task: GradientTask, quantity: Tensor) -> Tensor:
    target, _ = task.target_and_source
    if target is None:
        return quantity
    if LOSSES[task.loss].relative:
        return ((quantity / target - 1) / PERCENT).square()
    return (quantity - target).square()


def _quantity(task: GradientTask, states: Sequence[GroundState]) -> Tensor:
    observable = LOSSES[task.loss]
    if observable.source == "curve":
        value = observable.evaluate(EnergyCurve.of_states(states))
    elif observable.source == "orders":
        given, parallel = states
        value = observable.evaluate(given.energy, parallel.energy, len(given.crystal.species))
    else:
        (ground,) = states
        value = observable.evaluate(ground)
    assert isinstance(value, Tensor)  # the task has seen to it that the crystal has such a thing
    return value
