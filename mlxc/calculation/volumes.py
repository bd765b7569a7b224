"""Ground states of one crystal at several volumes, each computed from those before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from torch import nn

from mlxc.calculation.calculation import Calculation
from mlxc.calculation.run import run_calculation
from mlxc.kohn_sham.monitor import Monitor
from mlxc.kohn_sham.solved_state import SolvedState
from mlxc.kohn_sham.start.extrapolation import MAX_STATES
from mlxc.kohn_sham.state import GroundState


def states_at_volumes(
    calculations: Sequence[Calculation],
    xc: str | nn.Module | None = None,
    monitor: Monitor | None = None,
    start: Sequence[SolvedState] = (),
) -> Iterator[GroundState]:
    """Compute ground states at several volumes, in the order of the calculations.

    Nothing is computed before it is asked for, so that whoever iterates may stop at a state that does not converge.

    Args:
        calculations: The calculations that :meth:`mlxc.Calculation.at_volumes` makes, which share one grid, in any
            order.
        xc: Another functional than the calculations name.
        monitor: A function that is told of every SCF step; it may stop the run.
        start: Similar states, the first one for the first calculation and so on, as far as there are any.

    Yields:
        the state of each calculation, converged or not.
    """
    states: list[GroundState] = []
    for index, calculation in enumerate(calculations):
        volume = calculation.crystal.volume
        nearest_last = sorted(states, key=lambda state: -abs(state.crystal.volume - volume))
        state = run_calculation(calculation, monitor, [*nearest_last, *start[index : index + 1]], xc)
        states = [*states[1 - MAX_STATES :], state]
        yield state
