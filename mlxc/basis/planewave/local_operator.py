"""What an effective potential does to orbitals in plane waves, on the grid."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from mlxc.basis.hamiltonian import EffectivePotential
from mlxc.basis.planewave.plane_wave_set import PlaneWaveSet


class LocalOperator:
    """v(r) psi and, with a potential of kinetic energy, -1/2 div v_tau grad psi: what a potential does on the grid.

    Between plane waves q and q', v_tau has the matrix element v_tau(q' - q) q'.q / 2, and 2 q'.q is q'^2 + q^2 less
    (q' - q)^2, which is the Laplacian of v_tau. So two functions on the grid serve, psi and q^2 psi, in the place of
    psi and the three components of its gradient.

    Args:
        waves: The plane waves of all k points.
        kpoints: The k points whose orbitals are given.
        spin: The spin of these orbitals.
        potential: The effective potential of all spins.
        dtype: The type of these orbitals.
    """

    def __init__(
        self,
        waves: PlaneWaveSet,
        kpoints: slice,
        spin: int,
        potential: EffectivePotential,
        dtype: torch.dtype = torch.complex128,
    ) -> None:
        self._waves, self._kpoints = waves, kpoints
        local = potential.local[spin]
        self._quarter: Tensor | None = None
        if potential.kinetic is not None:
            quarter = potential.kinetic[spin] / 4
            local = local + waves.grid.laplacian(quarter)
            self._quarter = quarter.to(dtype)
            self._squares = waves.kplusg[kpoints].square().sum(-1)[:, None].to(dtype.to_real())
        self._local = local.to(dtype)

    def add_to(self, result: Tensor, orbitals: Tensor, known: Callable[[slice, slice], Tensor] | None = None) -> None:
        """Add what becomes of the orbitals ``(nk, nband, nplanewave)``, a portion of them at a time on the grid.

        Args:
            result: What it is added to, of the shape of the orbitals.
            orbitals: The orbitals.
            known: The values of the orbitals on the grid, by k points and bands, where they are known.
        """
        for kpoints, bands in self._waves.portions(self._kpoints, orbitals.shape[1], orbitals.dtype):
            rows = slice(kpoints.start - self._kpoints.start, kpoints.stop - self._kpoints.start)
            portion = orbitals[rows, bands]
            transform = self._waves.transform
            on_grid = known(kpoints, bands) if known else transform.to_grid(portion, kpoints)
            if self._quarter is None:
                product = on_grid * self._local if known else on_grid.mul_(self._local)
                result[rows, bands] += transform.from_grid(product, kpoints)
                continue
            squares = self._squares[rows]
            curved = transform.to_grid(portion * squares, kpoints).mul_(self._quarter)
            result[rows, bands] += transform.from_grid(on_grid * self._quarter, kpoints) * squares
            result[rows, bands] += transform.from_grid(curved.add_(on_grid * self._local), kpoints)
