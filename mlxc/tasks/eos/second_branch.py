"""Looks for a second magnetic branch of an equation of state, and follows it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from torch import nn

from mlxc.calculation.calculation import Calculation
from mlxc.calculation.run import run_calculation
from mlxc.kohn_sham.monitor import Monitor, SCFRecord
from mlxc.kohn_sham.solved_state import SolvedState
from mlxc.properties.magnetic_branches import jumps, same_branch


def second_branch(
    calculations: Sequence[Calculation],
    states: Sequence[SolvedState],
    monitor: Monitor | None,
    on_state: Callable[[int, SolvedState], None],
    xc: nn.Module | None = None,
    afresh: bool = False,
) -> dict[int, SolvedState]:
    """The states of another branch than that on which a curve went on, by the index of their volume.

    States of a curve go on from each other, so they may stay on a branch that is no longer the lowest one. Magnets are
    largest at large volumes, so there one SCF starts from free atoms; what it finds, or else what the curve has jumped
    to, is followed to smaller volumes for as long as it differs.

    Args:
        calculations: The calculations of the curve, from the smallest to the largest volume.
        states: Their ground states.
        monitor: It is told of every SCF step.
        on_state: It is told of each state that was found.
        xc: The functional as a module, in the place of the one that the calculations name.
        afresh: Whether the states of the curve have not gone on from each other, but have all started from free atoms.
    """
    last = len(states) - 1
    if not calculations[last].spin or calculations[last].total_moment is not None:
        return {}
    fresh = states[last] if afresh else run_calculation(calculations[last], _at(last, monitor), (), xc)
    if fresh.converged and not same_branch(fresh, states[last]):
        on_state(last, fresh)
        followed, state, below = {last: fresh}, fresh, last
    elif jumped := jumps(states):
        followed, state, below = {}, states[jumped[-1]], jumped[-1]
    else:
        return {}
    for index in reversed(range(below)):
        state = run_calculation(calculations[index], _at(index, monitor), [state], xc)
        if not state.converged or same_branch(state, states[index]):
            break
        followed[index] = state
        on_state(index, state)
    return followed


def _at(index: int, monitor: Monitor | None) -> Monitor | None:
    """A monitor that is told to which volume the steps belong."""

    def told(record: SCFRecord) -> None:
        assert monitor is not None
        monitor(replace(record, point=index))

    return None if monitor is None else told
