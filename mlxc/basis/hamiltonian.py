"""The Kohn-Sham Hamiltonian as an operator on batches of orbitals, one batch entry per k point and spin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import torch
from torch import Tensor

if TYPE_CHECKING:
    from mlxc.basis.planewave import PlaneWaveBasis


class Hamiltonian(Protocol):
    """What an eigensolver needs to know of H."""

    def apply(self, orbitals: Tensor) -> Tensor:
        """H psi for orbitals of shape ``(nk * nspin, nband, nplanewave)``."""
        ...

    def precondition(self, residuals: Tensor, orbitals: Tensor) -> Tensor:
        """An approximate inverse of H - e, applied to the residuals of these orbitals."""
        ...


class KineticPreconditioner:
    """The preconditioner of Teter, Payne and Allan, Phys. Rev. B 40, 12255 (1989), equation 5.16."""

    def __init__(self, kinetic: Tensor, mask: Tensor) -> None:
        self._kinetic = kinetic.where(mask, 0.0)
        self._mask = mask

    def __call__(self, residuals: Tensor, orbitals: Tensor) -> Tensor:
        """Damp plane waves whose kinetic energy is large compared with that of the orbital."""
        own = torch.einsum("kbg,kg->kb", torch.view_as_real(orbitals).square().sum(-1), self._kinetic)
        x = self._kinetic[:, None, :] / (own[..., None] + 1e-8)
        numerator = 27 + x * (18 + x * (12 + 8 * x))
        return residuals * (numerator / (numerator + 16 * x**4) * self._mask[:, None, :])


class PlaneWaveHamiltonian:
    """H in plane waves: kinetic energy in reciprocal space, local potential on the grid, projectors as matrices."""

    def __init__(self, basis: PlaneWaveBasis, potential: Tensor, projectors: Tensor, coupling: Tensor) -> None:
        nspin = len(potential)
        self._basis = basis
        self._potential = potential
        self._kinetic = basis.kinetic.where(basis.mask, 0.0).repeat(nspin, 1)
        self._projectors = projectors.repeat(nspin, 1, 1)
        self._coupling = coupling.to(projectors.dtype)
        self.precondition = KineticPreconditioner(self._kinetic, basis.mask.repeat(nspin, 1))

    def apply(self, orbitals: Tensor) -> Tensor:
        """H psi, a portion of the orbitals at a time on the grid."""
        overlaps = orbitals @ self._projectors.mH
        result = overlaps @ self._coupling.mT @ self._projectors
        result += orbitals * self._kinetic[:, None, :]
        self._add_local(orbitals.flatten(0, 1), result.flatten(0, 1))
        return result

    def _add_local(self, orbitals: Tensor, result: Tensor) -> None:
        basis = self._basis
        nband = len(orbitals) // len(self._kinetic)
        batch = torch.arange(len(self._kinetic), device=orbitals.device).repeat_interleave(nband)
        for start in range(0, len(orbitals), basis.orbital_chunk()):
            part = slice(start, start + basis.orbital_chunk())
            kpoint, spin = batch[part] % basis.nkpoints, batch[part] // basis.nkpoints
            on_grid = basis.to_grid(orbitals[part], kpoint)
            on_grid *= self._potential[spin] if len(self._potential) > 1 else self._potential
            result[part] += basis.from_grid(on_grid, kpoint)
