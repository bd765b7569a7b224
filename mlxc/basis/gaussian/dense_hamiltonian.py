"""The Kohn-Sham Hamiltonian in a basis so small that it is a matrix per k point and spin."""

from __future__ import annotations

from functools import cached_property

import torch
from torch import Tensor

# Energies closer than this to that of an orbital, hartree, are taken to be so far from it by the preconditioner.
SMALLEST_GAP = 1e-3


class DenseBlock:
    """H of some k points of one spin.

    Attributes:
        rows: The block's entries in the batch of all k points and spins.
        work: How long it takes to find its orbitals, in units of a matrix.
        matrix: H, shape ``(nrow, nfunction, nfunction)``, hartree, Hermitian.
        dtype: The type of its elements.
    """

    def __init__(self, rows: slice, matrix: Tensor) -> None:
        self.rows, self.work = rows, float(rows.stop - rows.start)
        self.matrix, self.dtype = matrix, matrix.dtype

    @cached_property
    def _eigenpairs(self) -> tuple[Tensor, Tensor]:
        energies, vectors = torch.linalg.eigh(self.matrix)
        return energies, vectors

    def apply(self, orbitals: Tensor) -> Tensor:
        """H psi."""
        return orbitals @ self.matrix.mT

    def with_real_orbitals(self) -> None:
        """See :class:`~mlxc.basis.hamiltonian.HamiltonianBlock`; H is held as a matrix."""

    def in_single_precision(self) -> None:
        """None: the matrix itself is diagonalised."""

    def precondition(self, residuals: Tensor, orbitals: Tensor) -> Tensor:
        """The inverse of |H - e|, e the energy of each orbital: here it can be had exactly."""
        energies, vectors = self._eigenpairs
        own = (orbitals @ vectors.conj()).abs().square() @ energies[..., None]
        gaps = (energies[:, None] - own).abs().clamp(min=SMALLEST_GAP)
        return (residuals @ vectors.conj() / gaps) @ vectors.mT


class DenseHamiltonian:
    """H of all k points and spins.

    Args:
        blocks: The blocks, in the order of their rows.
    """

    def __init__(self, blocks: list[DenseBlock]) -> None:
        self.blocks = blocks

    def at(self, row: int) -> DenseBlock:
        """See :class:`~mlxc.basis.hamiltonian.Hamiltonian`."""
        block = next(block for block in self.blocks if block.rows.start <= row < block.rows.stop)
        place = row - block.rows.start
        return DenseBlock(slice(row, row + 1), block.matrix[place : place + 1])
