"""The Kohn-Sham Hamiltonian in plane waves: an operator on batches of orbitals, one entry per k point and spin."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor

from mlxc.basis.hamiltonian import EffectivePotential
from mlxc.basis.planewave.kinetic import KineticOperator, KineticPreconditioner
from mlxc.basis.planewave.local_operator import LocalOperator
from mlxc.basis.planewave.plane_wave_set import PlaneWaveSet
from mlxc.basis.planewave.projectors import NonlocalOperator
from mlxc.basis.planewave.real_block import RealBlock

PlaneWaveOperator = KineticOperator | NonlocalOperator


class PlaneWaveHamiltonian:
    """H in plane waves.

    Args:
        waves: The plane waves of all k points.
        operators: The operators that do not depend on the electrons' state.
        potential: The effective potential of all spins.
    """

    def __init__(
        self, waves: PlaneWaveSet, operators: Sequence[PlaneWaveOperator], potential: EffectivePotential
    ) -> None:
        self._waves, self._operators, self._potential = waves, operators, potential
        self.blocks = [self._block(spin, kpoints) for spin, kpoints in waves.spin_blocks(len(potential.local))]

    def _block(self, spin: int, kpoints: slice) -> PlaneWaveBlock:
        return PlaneWaveBlock(self._waves, kpoints, spin, self._operators, self._potential)

    def at(self, row: int) -> PlaneWaveBlock:
        """See :class:`~mlxc.basis.hamiltonian.Hamiltonian`."""
        spin, kpoint = divmod(row, self._waves.nkpoints)
        return self._block(spin, slice(kpoint, kpoint + 1))


class PlaneWaveBlock:
    """H of some k points of one spin: kinetic energy in reciprocal space, projectors, the local potential on the grid.

    Attributes:
        rows: The block's entries in the batch of all k points and spins.
        dtype: The type of the orbitals that it acts on.
        work: About how long it takes to find its orbitals.
        precondition: An approximate inverse of H - e.
    """

    matrix = None

    def __init__(
        self,
        waves: PlaneWaveSet,
        kpoints: slice,
        spin: int,
        operators: Sequence[PlaneWaveOperator],
        potential: EffectivePotential,
        dtype: torch.dtype = torch.complex128,
    ) -> None:
        self.rows, self.dtype, self.work = waves.rows(spin, kpoints), dtype, waves.work(kpoints)
        self._operators = [operator.on_kpoints(kpoints, dtype) for operator in operators]
        self._local = LocalOperator(waves, kpoints, spin, potential, dtype)
        self.precondition = KineticPreconditioner(waves.kinetic[kpoints].to(dtype.to_real()), waves.mask[kpoints])
        self._as_given = partial(PlaneWaveBlock, waves, kpoints, spin, operators, potential)
        self._functions = waves.real_functions(kpoints)
        self._with_functions = partial(RealBlock, waves, kpoints, spin=spin, operators=operators, potential=potential)

    def in_single_precision(self) -> PlaneWaveBlock:
        """The same H for orbitals in single precision."""
        return self._as_given(torch.complex64)

    def with_real_orbitals(self) -> RealBlock | None:
        """The same H for real functions, of a single k point where there are such functions."""
        return None if self._functions is None else self._with_functions(self._functions)

    def apply(self, orbitals: Tensor) -> Tensor:
        """H psi."""
        first, *others = self._operators
        result = first(orbitals)
        for operator in others:
            result += operator(orbitals)
        self._local.add_to(result, orbitals)
        return result
