"""The Kohn-Sham Hamiltonian as an operator on batches of orbitals, one batch entry per k point and spin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import torch
from torch import Tensor

from mlxc.grid.fields import Fields
from mlxc.pseudo.ions import Ions
from mlxc.terms.kinetic import kinetic_energy
from mlxc.terms.nonlocal_pseudopotential import nonlocal_energy, projectors

if TYPE_CHECKING:
    from mlxc.basis.planewave.basis import PlaneWaveBasis


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

    @classmethod
    def of_fields(cls, fields: Tensor) -> EffectivePotential:
        """From what belongs to each field, one tensor ``(nfield, nspin, n1, n2, n3)``."""
        return cls(*Fields.unstacked(fields))


class HamiltonianBlock(Protocol):
    """H of some k points of one spin: what an eigensolver needs to know of it.

    Attributes:
        rows: the block's entries in the batch of all k points and spins.
    """

    rows: slice

    @property
    def matrix(self) -> Tensor | None:
        """H itself, shape ``(nrow, nfunction, nfunction)``, where it is small enough to be held; else None."""
        ...

    def apply(self, orbitals: Tensor) -> Tensor:
        """H psi for orbitals of shape ``(nrow, nband, nfunction)``."""
        ...

    def precondition(self, residuals: Tensor, orbitals: Tensor) -> Tensor:
        """An approximate inverse of H - e, applied to the residuals of these orbitals."""
        ...


class Hamiltonian(Protocol):
    """H of all k points and spins, as blocks that have nothing to do with each other."""

    @property
    def blocks(self) -> Sequence[HamiltonianBlock]:
        """In the order of their rows."""
        ...


class KineticPreconditioner:
    """The preconditioner of Teter, Payne and Allan, Phys. Rev. B 40, 12255 (1989), equation 5.16."""

    def __init__(self, kinetic: Tensor, mask: Tensor) -> None:
        self._kinetic = kinetic.where(mask, 0.0)
        self._kinetic_of_parts = self._kinetic.repeat_interleave(2, dim=-1)[..., None]
        self._mask = mask

    def __call__(self, residuals: Tensor, orbitals: Tensor) -> Tensor:
        """Damp plane waves whose kinetic energy is large compared with that of the orbital."""
        own = torch.view_as_real(orbitals).flatten(2).square() @ self._kinetic_of_parts
        x = self._kinetic[:, None, :] / (own + 1e-8)
        squares = x * x
        numerator = 27 + 18 * x + squares * (12 + 8 * x)
        return residuals * (numerator / (numerator + 16 * squares * squares) * self._mask[:, None, :])


class LocalOperator:
    """v(r) psi and, with a potential of kinetic energy, -1/2 div v_tau grad psi: what a potential does on the grid.

    Between plane waves q and q', v_tau has the matrix element v_tau(q' - q) q'.q / 2, and 2 q'.q is q'^2 + q^2 less
    (q' - q)^2, which is the Laplacian of v_tau. So two functions on the grid serve, psi and q^2 psi, in the place of
    psi and the three components of its gradient.

    Args:
        basis: of all k points.
        kpoints: those whose orbitals are given.
        spin: of these orbitals.
        potential: of all spins.
    """

    def __init__(self, basis: PlaneWaveBasis, kpoints: slice, spin: int, potential: EffectivePotential) -> None:
        self._basis, self._kpoints = basis, kpoints
        local = potential.local[spin]
        self._quarter: Tensor | None = None
        if potential.kinetic is not None:
            quarter = potential.kinetic[spin] / 4
            local = local + basis.grid.laplacian(quarter)
            self._quarter = quarter.to(torch.complex128)
            self._squares = basis.kplusg[kpoints].square().sum(-1)[:, None]
        self._local = local.to(torch.complex128)

    def add_to(self, result: Tensor, orbitals: Tensor) -> None:
        """Add what becomes of the orbitals ``(nk, nband, nplanewave)``, a portion of them at a time on the grid."""
        for kpoints, bands in self._basis.portions(self._kpoints, orbitals.shape[1]):
            rows = slice(kpoints.start - self._kpoints.start, kpoints.stop - self._kpoints.start)
            portion = orbitals[rows, bands]
            transform = self._basis.transform
            on_grid = transform.to_grid(portion, kpoints)
            if self._quarter is None:
                result[rows, bands] += transform.from_grid(on_grid.mul_(self._local), kpoints)
                continue
            squares = self._squares[rows]
            curved = transform.to_grid(portion * squares, kpoints).mul_(self._quarter)
            result[rows, bands] += transform.from_grid(on_grid * self._quarter, kpoints) * squares
            result[rows, bands] += transform.from_grid(curved.add_(on_grid.mul_(self._local)), kpoints)


class PlaneWaveOperators:
    """Kinetic energy and nonlocal pseudopotentials in plane waves.

    Args:
        basis: of all k points.
        ions: whose pseudopotentials they are.
    """

    def __init__(self, basis: PlaneWaveBasis, ions: Ions) -> None:
        self._basis = basis
        self._projectors, self._coupling = projectors(basis, ions)

    def kinetic_energy(self, orbitals: Tensor, electrons: Tensor) -> Tensor:
        """See :class:`~mlxc.basis.protocol.OneElectron`."""
        nspin = len(orbitals) // self._basis.nkpoints
        return kinetic_energy(orbitals, electrons, self._basis.kinetic.repeat(nspin, 1))

    def nonlocal_energy(self, orbitals: Tensor, electrons: Tensor) -> Tensor:
        """See :class:`~mlxc.basis.protocol.OneElectron`."""
        return nonlocal_energy(orbitals, electrons, self._projectors, self._coupling)

    def hamiltonian(self, potential: EffectivePotential) -> PlaneWaveHamiltonian:
        """H of every k point and spin."""
        return PlaneWaveHamiltonian(self._basis, potential, self._projectors, self._coupling)


class PlaneWaveHamiltonian:
    """H in plane waves.

    Args:
        basis: of all k points.
        potential: effective potential of all spins.
        projectors: <k+G|p>, shape ``(nk, nprojector, nplanewave)``.
        coupling: h_pq of the projectors, shape ``(nprojector, nprojector)``, hartree.
    """

    def __init__(
        self, basis: PlaneWaveBasis, potential: EffectivePotential, projectors: Tensor, coupling: Tensor
    ) -> None:
        self.blocks = [
            PlaneWaveBlock(basis, kpoints, spin, potential, projectors[kpoints], coupling)
            for spin, kpoints in basis.spin_blocks(len(potential.local))
        ]


class PlaneWaveBlock:
    """Kinetic energy in reciprocal space, local potential on the grid, projectors as matrices."""

    matrix = None

    def __init__(
        self,
        basis: PlaneWaveBasis,
        kpoints: slice,
        spin: int,
        potential: EffectivePotential,
        projectors: Tensor,
        coupling: Tensor,
    ) -> None:
        self.rows = basis.rows(spin, kpoints)
        self._local = LocalOperator(basis, kpoints, spin, potential)
        self._kinetic = basis.kinetic[kpoints].where(basis.mask[kpoints], 0.0)
        self._projectors = projectors
        self._conjugate_projectors = projectors.conj().resolve_conj()
        self._coupling = coupling.to(projectors.dtype)
        self.precondition = KineticPreconditioner(self._kinetic, basis.mask[kpoints])

    def apply(self, orbitals: Tensor) -> Tensor:
        """H psi."""
        overlaps = orbitals @ self._conjugate_projectors.mT
        result = overlaps @ self._coupling.mT @ self._projectors
        result += orbitals * self._kinetic[:, None, :]
        self._local.add_to(result, orbitals)
        return result
