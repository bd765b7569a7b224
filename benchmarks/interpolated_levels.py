"""Levels of a potential anywhere in the Brillouin zone, from orbitals at eight k points.

The periodic parts of the orbitals at the points whose coordinates are 0 or 1/2, and of their images on the faces of the
zone, span what the lowest orbitals at any k point are made of, but for what few singular vectors tell (E. L. Shirley,
Phys. Rev. B 54, 16464 (1996); D. Prendergast and S. G. Louie, Phys. Rev. B 80, 235126 (2009)). In this small basis the
kinetic energy is a polynomial in k and the potential one matrix; only the projectors are made anew for each k point.
"""

from __future__ import annotations

from itertools import product
from math import ceil, prod

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mlxc import GroundState
from mlxc.basis.planewave.basis import PlaneWaveBasis
from mlxc.basis.planewave.projectors import FactorisedProjectors, HeldProjectors
from mlxc.crystal.brillouin import KPoints
from mlxc.crystal.symmetry import SpaceGroup
from mlxc.kohn_sham.diagonalisation.orthonormal import orthonormalise
from mlxc.kohn_sham.eigensolver import diagonalise
from mlxc.kohn_sham.start.guess import starting_orbitals

SAMPLED = np.array(list(product((0.0, 0.5), repeat=3)))
# Residual of the orbitals there, hartree.
RESIDUAL = 1e-3
MAX_STEPS = 60
# More bands than are asked for make those converge quickly; they count little.
SPARE_BANDS, SPARE_COUNT = 3, 0.05
# The squared singular values, as shares of the largest, of what is left out. Occupied levels of fcc aluminium, bcc
# vanadium and simple cubic nitrogen then differ by at most 0.05 mHa from those that plane waves give at the k points.
LEFT_OUT = 1e-6
# K points at the same time.
TOGETHER = 16


class SampledOrbitals:
    """Orbitals at the eight k points, at one volume of a crystal after the other.

    Args:
        nband: The number of bands that are to be interpolated.
    """

    def __init__(self, nband: int) -> None:
        self.nband = nband
        self._last: tuple[PlaneWaveBasis, Tensor] | None = None

    def of(self, ground: GroundState) -> SmallHamiltonian:
        """The Hamiltonian of a state without spin in the basis of these orbitals."""
        basis, total = basis_of(ground, SAMPLED), self.nband + SPARE_BANDS
        if self._last is None:
            guess = starting_orbitals(basis, ground.problem.ions, total, seed=0)
        else:
            guess = orthonormalise(basis.transfer(self._last[1], self._last[0]))
        counts = torch.full((len(SAMPLED), total), SPARE_COUNT, dtype=torch.float64)
        counts[:, : self.nband] = 1
        hamiltonian = ground.problem.hamiltonian_in(basis, ground.effective_potential)
        pairs = diagonalise(hamiltonian, guess, total, counts, RESIDUAL, MAX_STEPS)
        assert pairs.residual <= RESIDUAL, "The levels did not converge."
        self._last = basis, pairs.orbitals
        return SmallHamiltonian(ground, basis, pairs.orbitals)


def basis_of(ground: GroundState, fractional: NDArray[np.float64]) -> PlaneWaveBasis:
    """The plane waves of a state at other k points, shape ``(nk, 3)``."""
    settings = ground.basis.settings.with_grid(ground.basis.grid.shape)
    kpoints = KPoints(fractional, np.full(len(fractional), 1 / len(fractional)))
    basis = settings.discretise(ground.crystal, kpoints, SpaceGroup.identity())
    assert isinstance(basis, PlaneWaveBasis)
    return basis


class SmallHamiltonian:
    """The Hamiltonian of a state without spin in the basis that its orbitals at the eight k points span.

    Args:
        ground: The state.
        basis: The plane waves at the eight k points.
        orbitals: The orbitals there, shape ``(8, nband, nplanewave)``.
    """

    def __init__(self, ground: GroundState, basis: PlaneWaveBasis, orbitals: Tensor) -> None:
        self._ground, self._shape = ground, basis.grid.shape
        parts, used = self._periodic_parts(basis, orbitals.to(torch.complex128))
        values, vectors = torch.linalg.eigh(parts.mH @ parts)
        kept = values > LEFT_OUT * values[-1]
        functions = parts @ (vectors[:, kept] / values[kept].sqrt())
        sides = torch.tensor(self._shape)
        indices = torch.stack(torch.unravel_index(used, self._shape), 1)
        waves = torch.where(indices > sides // 2, indices - sides, indices).double() @ basis.grid.reciprocal
        kinetic = waves.square().sum(1)[:, None] / 2
        self._at_the_centre = functions.mH @ (kinetic * functions + self._potential_on(functions, used))
        self._momentum = torch.stack([functions.mH @ (wave[:, None] * functions) for wave in waves.T])
        # Plane waves that are not used find a row of zeros.
        self._functions = torch.cat([functions, functions.new_zeros(1, functions.shape[1])])
        self._row = torch.full((prod(self._shape),), len(used))
        self._row[used] = torch.arange(len(used))

    def levels(self, fractional: NDArray[np.float64], nband: int) -> Tensor:
        """The lowest levels at k points ``(nk, 3)`` in fractions, shape ``(nk, nband)``, hartree."""
        portions = np.array_split(fractional % 1, ceil(len(fractional) / TOGETHER))
        return torch.cat([torch.linalg.eigvalsh(self._matrices(portion))[:, :nband] for portion in portions])

    def _matrices(self, fractional: NDArray[np.float64]) -> Tensor:
        """H at k points of the zone that the images enclose, shape ``(nk, nfunction, nfunction)``."""
        basis, ions = basis_of(self._ground, fractional), self._ground.problem.ions
        k = torch.as_tensor(fractional) @ basis.grid.reciprocal
        matrices = self._at_the_centre + torch.einsum("kx,xij->kij", k.to(torch.complex128), self._momentum)
        matrices.diagonal(dim1=1, dim2=2).add_(k.square().sum(1)[:, None] / 2)
        elements = ions.pseudopotentials.items()
        projectors = HeldProjectors.of(
            [FactorisedProjectors.of(basis, own, ions.positions_of(symbol)) for symbol, own in elements]
        )
        rows = torch.where(basis.mask, self._row[self._places(basis.miller)], len(self._functions) - 1)
        coupling = projectors.coupling.to(torch.complex128)
        for matrix, row, values in zip(matrices, rows, projectors.values, strict=True):
            overlaps = values.conj() @ self._functions[row]
            matrix += overlaps.mH @ coupling @ overlaps
        return matrices

    def _periodic_parts(self, basis: PlaneWaveBasis, orbitals: Tensor) -> tuple[Tensor, Tensor]:
        """The periodic parts, shape ``(nwave, npart)``, and the places on the grid of the plane waves in them."""
        found = []
        for k, miller, mask, own in zip(basis.kpoints.fractional, basis.miller, basis.mask, orbitals, strict=True):
            for image in product(*([0, 1] if coordinate == 0 else [0] for coordinate in k)):
                # At k + G the periodic part has at G' the coefficient that it has at G' + G at k.
                found.append((self._places(miller[mask] - torch.tensor(image)), own[:, mask].T))
        used = torch.unique(torch.cat([places for places, _ in found]))
        parts = []
        for places, own in found:
            parts.append(own.new_zeros(len(used), own.shape[1]))
            parts[-1][torch.searchsorted(used, places)] = own
        return torch.cat(parts, 1), used

    def _places(self, miller: Tensor) -> Tensor:
        """Of plane waves ``(..., 3)`` on the flattened grid."""
        first, second, third = (miller % torch.tensor(self._shape)).unbind(-1)
        return (first * self._shape[1] + second) * self._shape[2] + third

    def _potential_on(self, functions: Tensor, used: Tensor) -> Tensor:
        """What the local potential makes of functions ``(nwave, nfunction)``."""
        potential, result = self._ground.effective_potential.local[0], torch.empty_like(functions)
        for column, function in enumerate(functions.T):
            box = function.new_zeros(potential.numel())
            box[used] = function
            on_grid = torch.fft.ifftn(box.view(self._shape), norm="forward") * potential
            result[:, column] = torch.fft.fftn(on_grid, norm="forward").flatten()[used]
        return result
