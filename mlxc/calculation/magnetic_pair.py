"""Two magnetic orders of one cell: the moments as they are given, and all of them parallel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from torch import nn

from mlxc.calculation.calculation import Calculation
from mlxc.calculation.run import run_calculation
from mlxc.crystal.magnetism import changed_order, with_parallel_moments
from mlxc.kohn_sham.monitor import Monitor, SCFRecord
from mlxc.kohn_sham.solved_state import SolvedState
from mlxc.kohn_sham.state import GroundState
from mlxc.properties.atomic_moments import atomic_moments


@dataclass(frozen=True)
class MagneticPair:
    """Two states of one cell on the same k mesh and the same real-space grid.

    Attributes:
        given: The state that started from the moments of the crystal.
        parallel: The state that started from the same moments, all of them up.
    """

    given: GroundState
    parallel: GroundState

    @property
    def states(self) -> list[GroundState]:
        """Both states, that of the given moments first."""
        return [self.given, self.parallel]

    @property
    def message(self) -> str:
        """Why their energies say nothing of magnetic order, in one sentence: a state has not converged, or its moments
        are not those that it started from; else empty.
        """
        for state, words in ((self.given, "given moments"), (self.parallel, "parallel moments")):
            if not state.converged:
                return f"With {words}: {state.message}"
            moments = atomic_moments(state)
            assert moments is not None  # both have spin
            changed = changed_order(state.crystal.moments.tolist(), moments.tolist())
            if changed is not None:
                return f"The state that started with {words} became {changed}, so that there are no two orders."
        return ""


def compute_magnetic_pair(
    calculation: Calculation,
    xc: str | nn.Module | None = None,
    monitor: Monitor | None = None,
    start: Sequence[SolvedState] = (),
) -> MagneticPair:
    """Converge both orders.

    Args:
        calculation: The calculation with the given moments, spin polarised.
        xc: Another functional than the calculation names.
        monitor: A function that is told of every SCF step, with the parallel moments as point 0 and the given ones as
            point 1; it may stop the run.
        start: The states of an earlier pair to start from, that of the given moments first; or none.
    """

    def at(point: int) -> Monitor | None:
        if monitor is None:
            return None

        def told(record: SCFRecord) -> None:
            monitor(replace(record, point=point))

        return told

    # A grid that suits parallel moments, which have all the symmetry, suits the others.
    aligned = calculation.with_crystal(with_parallel_moments(calculation.crystal))
    aligned = aligned.model_copy(update={"fft_grid": calculation.fft_grid})
    parallel = run_calculation(aligned, at(0), start[1:2], xc)
    shared = calculation.model_copy(update={"fft_grid": parallel.basis.grid.shape})
    return MagneticPair(run_calculation(shared, at(1), start[:1], xc), parallel)
