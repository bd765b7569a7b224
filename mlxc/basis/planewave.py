"""Plane waves: orbitals as coefficients of exp(i(k+G).r) with kinetic energy below a cutoff."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from math import sqrt

import torch
from torch import Tensor

from mlxc.basis.grid import Grid
from mlxc.basis.hamiltonian import Hamiltonian, PlaneWaveHamiltonian
from mlxc.brillouin import KPoints
from mlxc.crystal import Crystal
from mlxc.grid_shape import Shape, check_shape, choose_shape
from mlxc.symmetry import SpaceGroup
from mlxc.terms.kinetic import kinetic_energies

# Orbitals are transformed to the grid in portions of about this many bytes. That bounds the memory; and the C library
# hands larger arrays back to the system after each use, which doubles the time of a transform.
CHUNK_BYTES = 16e6
# An orbital with less than this fraction of the largest weight does not show in the density.
NEGLIGIBLE_WEIGHT = 1e-13


@dataclass(frozen=True)
class PlaneWaves:
    """Settings of a plane-wave basis.

    Attributes:
        ecut: kinetic-energy cutoff, hartree.
        fft_grid: points of the real-space grid; by default the smallest suitable grid on which every product of two
            orbitals is exact.
        cutoff_smoothing: width, hartree, below the cutoff over which the kinetic energy rises to infinity, so that
            energies are smooth functions of the volume.
    """

    ecut: float
    fft_grid: Shape | None = None
    cutoff_smoothing: float = 0.0

    def discretise(
        self, crystal: Crystal, kpoints: KPoints, group: SpaceGroup, device: torch.device | str = "cpu"
    ) -> PlaneWaveBasis:
        """The basis for one crystal and its k points."""
        return PlaneWaveBasis(self, crystal, kpoints, group, torch.device(device))


class PlaneWaveBasis:
    """A set of plane waves for every k point, padded to the same number, and the grid their products live on.

    Attributes:
        grid: the real-space grid; its sphere has twice the radius of the orbitals' sphere.
        weights: of the k points, shape ``(nk,)``.
        miller: integer coordinates G, shape ``(nk, nplanewave, 3)``; padding repeats G = 0.
        mask: False where a plane wave is only padding, shape ``(nk, nplanewave)``.
        kplusg: k + G, Cartesian, shape ``(nk, nplanewave, 3)``, 1/bohr.
        kinetic: kinetic energy of each plane wave, hartree, shape ``(nk, nplanewave)``.
    """

    def __init__(
        self, settings: PlaneWaves, crystal: Crystal, kpoints: KPoints, group: SpaceGroup, device: torch.device
    ) -> None:
        self.settings = settings
        self.kpoints = kpoints
        self.device = device
        radius = sqrt(2 * settings.ecut)
        if settings.fft_grid is None:
            shape = choose_shape(crystal.lattice, 2 * radius, group)
        else:
            shape = check_shape(settings.fft_grid, crystal.lattice, 2 * radius, group)
        lattice = torch.tensor(crystal.lattice, dtype=torch.float64, device=device)
        self.grid = Grid(lattice, shape, 2 * radius)
        self.weights = torch.tensor(kpoints.weights, dtype=torch.float64, device=device)
        self._choose_plane_waves(radius)
        self._set_grid(self.grid)
        self._index = self._grid_index(self.miller)
        # Padding is sent to a point of the FFT array that no plane wave uses.
        spare = torch.ones(self.grid.size, dtype=torch.bool, device=device)
        spare[self._index[self.mask]] = False
        self._index[~self.mask] = spare.nonzero()[0, 0]

    def _choose_plane_waves(self, radius: float) -> None:
        k = torch.tensor(self.kpoints.fractional, dtype=torch.float64, device=self.device)
        squares = ((self.grid.miller[None] + k[:, None]) @ self.grid.reciprocal).square().sum(-1)
        # In order of kinetic energy, the lowest first; whatever is above the cutoff for all k points is dropped.
        order = squares.argsort(dim=1, stable=True)
        inside = squares.gather(1, order) <= radius**2 * (1 - 1e-12)
        count = int(inside.sum(1).max())
        order, self.mask = order[:, :count], inside[:, :count]
        self.miller = self.grid.miller[order] * self.mask[..., None]

    def _set_grid(self, grid: Grid) -> None:
        self.grid = grid
        k = torch.tensor(self.kpoints.fractional, dtype=torch.float64, device=self.device)
        self.kplusg = (self.miller + k[:, None]) @ grid.reciprocal
        self.kinetic = kinetic_energies(self.kplusg, self.settings.ecut, self.settings.cutoff_smoothing)

    def strained(self, strain: Tensor) -> PlaneWaveBasis:
        """The same plane waves, by their integers, in a cell deformed by 1 + strain; differentiable in it."""
        basis = copy(self)
        basis._set_grid(self.grid.strained(strain))
        return basis

    def _grid_index(self, miller: Tensor) -> Tensor:
        n1, n2, n3 = self.grid.shape
        first, second, third = (miller[..., axis] % n for axis, n in enumerate((n1, n2, n3)))
        return (first * n2 + second) * n3 + third

    @property
    def nkpoints(self) -> int:
        """Number of k points."""
        return self.miller.shape[0]

    @property
    def nplanewaves(self) -> int:
        """Number of plane waves that each k point has room for."""
        return self.miller.shape[1]

    def orbital_chunk(self) -> int:
        """How many orbitals to hold on the grid at a time."""
        return max(1, int(CHUNK_BYTES / (16 * self.grid.size)))

    def to_grid(self, coefficients: Tensor, kpoint: Tensor) -> Tensor:
        """u(r) sqrt(volume) of orbitals ``(norbital, nplanewave)`` at their k points: ``(norbital, n1, n2, n3)``."""
        full = coefficients.new_zeros(len(coefficients), self.grid.size)
        full.scatter_(1, self._index[kpoint], coefficients)
        return torch.fft.ifftn(full.unflatten(1, self.grid.shape), dim=(1, 2, 3), norm="forward")

    def from_grid(self, values: Tensor, kpoint: Tensor) -> Tensor:
        """Coefficients of functions on the grid, the inverse of :meth:`to_grid` for orbitals."""
        full = torch.fft.fftn(values, dim=(1, 2, 3), norm="forward").flatten(1)
        return full.gather(1, self._index[kpoint]) * self.mask[kpoint]

    def density(self, orbitals: Tensor, occupations: Tensor) -> Tensor:
        """Density of occupied orbitals, not symmetrised.

        Args:
            orbitals: shape ``(nk * nspin, nband, nplanewave)``.
            occupations: electrons in each orbital, shape ``(nk * nspin, nband)``; k-point weights are applied here.

        Returns:
            shape ``(nspin, n1, n2, n3)``, electrons/bohr^3.
        """
        nspin = len(orbitals) // self.nkpoints
        weights = occupations * self.weights.repeat(nspin)[:, None] / self.grid.volume
        density = weights.new_zeros(nspin, 2 * self.grid.size)
        batch, band = (weights > NEGLIGIBLE_WEIGHT * weights.max()).nonzero(as_tuple=True)
        for part in torch.arange(len(batch), device=self.device).split(self.orbital_chunk()):
            on_grid = self.to_grid(orbitals[batch[part], band[part]], batch[part] % self.nkpoints)
            spin = batch[part] // self.nkpoints == torch.arange(nspin, device=self.device)[:, None]
            # Squares of real and imaginary parts, summed over orbitals as a product of matrices.
            density += (spin * weights[batch[part], band[part]]) @ torch.view_as_real(on_grid).flatten(1).square()
        density = density.unflatten(1, (*self.grid.shape, 2)).sum(-1)
        return density

    def hamiltonian(self, potential: Tensor, projectors: Tensor, coupling: Tensor) -> Hamiltonian:
        """The Kohn-Sham Hamiltonian of every k point and spin.

        Args:
            potential: effective local potential, shape ``(nspin, n1, n2, n3)``, hartree.
            projectors: <k+G|p>, shape ``(nk, nprojector, nplanewave)``.
            coupling: h_pq of the projectors, shape ``(nprojector, nprojector)``, hartree.
        """
        return PlaneWaveHamiltonian(self, potential, projectors, coupling)

    def transfer(self, orbitals: Tensor, source: PlaneWaveBasis) -> Tensor:
        """Orbitals of another volume's basis (same k points) in this one; coefficients of new plane waves are zero."""
        reach = max(int(self.miller.abs().max()), int(source.miller.abs().max()))
        side = 2 * reach + 1

        def position(miller: Tensor) -> Tensor:
            shifted = miller + reach
            return (shifted[..., 0] * side + shifted[..., 1]) * side + shifted[..., 2]

        nspin, nband = len(orbitals) // source.nkpoints, orbitals.shape[1]
        old = position(source.miller).repeat(nspin, 1)[:, None].expand(-1, nband, -1)
        new = position(self.miller).repeat(nspin, 1)[:, None].expand(-1, nband, -1)
        box = orbitals.new_zeros(len(orbitals), nband, side**3)
        box.scatter_add_(2, old, orbitals * source.mask.repeat(nspin, 1)[:, None])
        return box.gather(2, new) * self.mask.repeat(nspin, 1)[:, None]
