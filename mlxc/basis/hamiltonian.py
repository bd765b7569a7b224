"""The Kohn-Sham Hamiltonian as solvers see it, and the effective potential that is in it, in any basis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from mlxc.grid.fields import Fields


@dataclass(frozen=True)
class EffectivePotential:
    """What acts on the electrons at a point.

    Attributes:
        local: v(r), shape ``(nspin, n1, n2, n3)``, hartree.
        gradient: dE_xc/d(grad n), shape ``(3, nspin, n1, n2, n3)``, where the gradient is a field of its own: it acts
            as g.grad and its adjoint; else None.
        kinetic: v_tau(r) = dE_xc/dtau of a meta-GGA, shape as v(r), which acts as -1/2 div v_tau grad; else None.
    """

    local: Tensor
    gradient: Tensor | None = None
    kinetic: Tensor | None = None

    def of_spin(self, spin: int) -> EffectivePotential:
        """What acts on the electrons of one spin, as for a single spin."""
        own = slice(spin, spin + 1)
        return EffectivePotential(
            local=self.local[own],
            gradient=None if self.gradient is None else self.gradient[:, own],
            kinetic=None if self.kinetic is None else self.kinetic[own],
        )

    @classmethod
    def of_fields(cls, fields: Fields) -> EffectivePotential:
        """The potential from the derivatives of the energy with respect to each field, on the grid."""
        return cls(local=fields.density, gradient=fields.gradient, kinetic=fields.tau)


class HamiltonianBlock(Protocol):
    """H of some k points of one spin: what an eigensolver needs to know of it.

    Attributes:
        rows: The block's entries in the batch of all k points and spins.
        dtype: The type of the orbitals that it acts on, in double or in single precision.
        work: About how long it takes to find its orbitals, in a unit that is the same for all blocks.
    """

    rows: slice
    dtype: torch.dtype
    work: float

    @property
    def matrix(self) -> Tensor | None:
        """H itself, shape ``(nrow, nfunction, nfunction)``, where it is small enough to be held; else None."""
        ...

    def apply(self, orbitals: Tensor) -> Tensor:
        """H psi for orbitals of shape ``(nrow, nband, nfunction)``."""
        ...

    def in_single_precision(self) -> HamiltonianBlock | None:
        """The same H for orbitals in single precision; None where there is no gain in it."""
        ...

    def with_real_orbitals(self) -> RealHamiltonianBlock | None:
        """The same H for orbitals as real vectors; None where H is not real, or its functions are no plane waves."""
        ...

    def precondition(self, residuals: Tensor, orbitals: Tensor) -> Tensor:
        """An approximate inverse of H - e, applied to the residuals of these orbitals."""
        ...


class RealFunctions(Protocol):
    """Functions that are real in space, as real vectors with the same inner products."""

    def of(self, orbitals: Tensor) -> Tensor:
        """Orthonormal real vectors that span what orthonormal orbitals do, as nearly as their number allows."""
        ...

    def are_real(self, orbitals: Tensor) -> bool:
        """Whether orbitals with norm one, or zeros, are real functions, but for rounding errors."""
        ...

    def vectors(self, real: Tensor) -> Tensor:
        """The real vectors that real functions are, given as orbitals."""
        ...

    def parts(self, functions: Tensor) -> Tensor:
        """The real and the imaginary part of each function in turn, as real vectors: twice as many."""
        ...

    def as_orbitals(self, vectors: Tensor) -> Tensor:
        """The orbitals that real vectors stand for."""
        ...


class RealHamiltonianBlock(HamiltonianBlock, Protocol):
    """H for orbitals as real vectors."""

    @property
    def functions(self) -> RealFunctions:
        """What the vectors stand for."""
        ...


class Hamiltonian(Protocol):
    """H of all k points and spins, as blocks that have nothing to do with each other."""

    @property
    def blocks(self) -> Sequence[HamiltonianBlock]:
        """The blocks, in the order of their rows."""
        ...

    def at(self, row: int) -> HamiltonianBlock:
        """H of one entry in the batch of all k points and spins."""
        ...


@dataclass(frozen=True)
class PartOfHamiltonian:
    """H of some k points and spins.

    Attributes:
        whole: H of all of them.
        rows: The entries of the part in the batch of all.
    """

    whole: Hamiltonian
    rows: Sequence[int]

    @property
    def blocks(self) -> Sequence[HamiltonianBlock]:
        """A block for each row."""
        return [self.whole.at(row) for row in self.rows]

    def at(self, row: int) -> HamiltonianBlock:
        """See :class:`Hamiltonian`."""
        return self.whole.at(row)
