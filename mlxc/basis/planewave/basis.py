"""Plane waves: orbitals as coefficients of exp(i(k+G).r) with kinetic energy below a cutoff."""

from __future__ import annotations

from copy import copy
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import pairwise
from math import ceil, prod, sqrt
from typing import Any

import torch
from torch import Tensor

from mlxc.basis.planewave.hamiltonian import EffectivePotential, LocalOperator, PlaneWaveOperators
from mlxc.basis.planewave.orbital_transform import OrbitalTransform
from mlxc.basis.protocol import Basis
from mlxc.crystal.brillouin import KPoints
from mlxc.crystal.crystal import Crystal
from mlxc.crystal.symmetry import SpaceGroup
from mlxc.errors import InputError
from mlxc.grid.fields import Fields, Wanted
from mlxc.grid.grid import Grid
from mlxc.grid.shape import Shape, check_shape, choose_shape
from mlxc.pseudo.ions import Ions
from mlxc.pseudo.library import default_family
from mlxc.terms.kinetic import kinetic_energies
from mlxc.utils.parallel import map_in_threads

# Orbitals are transformed to the grid in portions of about this many bytes. That bounds the memory; and the C library
# hands larger arrays back to the system after each use, which doubles the time of a transform.
CHUNK_BYTES = {"cpu": 2e6, "cuda": 2e9}
# Plane waves, over all its k points, that make a block worth a thread's while: small operations wait for Python.
BLOCK_PLANE_WAVES = 8000
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

    def symmetry(self, crystal: Crystal) -> SpaceGroup:
        """All of the crystal's space group, whether or not it maps the grid onto itself: densities are band-limited."""
        return SpaceGroup.of(crystal)

    def discretise(
        self, crystal: Crystal, kpoints: KPoints, group: SpaceGroup, device: torch.device | str = "cpu"
    ) -> PlaneWaveBasis:
        """The basis for one crystal and its k points."""
        return PlaneWaveBasis(self, crystal, kpoints, group, torch.device(device))

    def pseudopotential_family(self, crystal: Crystal) -> str:
        """See :func:`~mlxc.pseudo.library.default_family`."""
        return default_family(crystal.species)

    def with_grid(self, shape: Shape) -> PlaneWaves:
        """The same settings with this grid."""
        return replace(self, fft_grid=shape)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, from which :func:`~mlxc.basis.kinds.saved_settings` makes them again."""
        return asdict(self)


class PlaneWaveBasis:
    """A set of plane waves for every k point, padded to the same number, and the grid their products live on.

    Attributes:
        grid: the real-space grid; its sphere has twice the radius of the orbitals' sphere.
        transform: orbitals to that grid and back.
        weights: of the k points, shape ``(nk,)``.
        miller: integer coordinates G, shape ``(nk, nplanewave, 3)``; padding repeats G = 0.
        mask: False where a plane wave is only padding, shape ``(nk, nplanewave)``.
        kplusg: k + G, Cartesian, shape ``(nk, nplanewave, 3)``, 1/bohr.
        kinetic: kinetic energy of each plane wave, hartree, shape ``(nk, nplanewave)``.
    """

    represents_densities = True
    gives_forces = True
    linear_dependence = None

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
        self.transform = OrbitalTransform(shape, self.miller, self.mask)

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

    @property
    def nkpoints(self) -> int:
        """Number of k points."""
        return self.miller.shape[0]

    @property
    def nplanewaves(self) -> int:
        """Number of plane waves that each k point has room for."""
        return self.miller.shape[1]

    def kpoint_blocks(self, nspin: int) -> list[slice]:
        """Runs of k points, the parts of a computation that can go on at the same time: all of them on a GPU."""
        if self.device.type == "cuda":
            return [slice(0, self.nkpoints)]
        worthwhile = round(nspin * self.nkpoints * self.nplanewaves / BLOCK_PLANE_WAVES)
        count = max(torch.get_num_threads(), worthwhile) / nspin
        return _slices(self.nkpoints, min(self.nkpoints, ceil(count)))

    def spin_blocks(self, nspin: int) -> list[tuple[int, slice]]:
        """The blocks of all spins, in the order of their rows."""
        return [(spin, kpoints) for spin in range(nspin) for kpoints in self.kpoint_blocks(nspin)]

    def rows(self, spin: int, kpoints: slice) -> slice:
        """Entries of some k points of one spin in the batch of all k points and spins."""
        return slice(spin * self.nkpoints + kpoints.start, spin * self.nkpoints + kpoints.stop)

    def portions(self, kpoints: slice, nband: int) -> list[tuple[slice, slice]]:
        """K points, and bands of them, whose orbitals are on the grid at the same time."""
        norbital = max(1, int(CHUNK_BYTES[self.device.type] / (16 * self.grid.size)))
        nkpoints = kpoints.stop - kpoints.start
        together = max(1, norbital // nband)
        return [
            (slice(kpoints.start + some.start, kpoints.start + some.stop), bands)
            for some in _slices(nkpoints, ceil(nkpoints / together))
            for bands in _slices(nband, ceil(nband / norbital))
        ]

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
        weights = weights.where(weights > NEGLIGIBLE_WEIGHT * weights.max(), 0.0)
        densities = []
        for ours, theirs in zip(orbitals.chunk(nspin), weights.chunk(nspin), strict=True):
            blocks = self.kpoint_blocks(nspin)
            parts = map_in_threads(partial(self._density_of, ours, theirs), blocks)
            densities.append(torch.stack(parts).sum(0))
        return torch.stack(densities)

    def _density_of(self, orbitals: Tensor, weights: Tensor, kpoints: slice) -> Tensor:
        """What some k points of one spin add to the density, shape ``(n1, n2, n3)``."""
        density = weights.new_zeros(1, 2 * self.grid.size)
        nband = int((weights[kpoints] > 0).any(0).nonzero().max()) + 1 if bool((weights[kpoints] > 0).any()) else 0
        for some, bands in self.portions(kpoints, nband) if nband else []:
            on_grid = self.transform.to_grid(orbitals[some, bands], some)
            # Squares of real and imaginary parts, summed over orbitals as a product of matrices.
            density += (
                weights[some, bands].reshape(1, -1) @ torch.view_as_real(on_grid).flatten(0, 1).flatten(1).square()
            )
        return density.unflatten(1, (*self.grid.shape, 2)).sum((0, -1))

    def density_change(self, orbitals: Tensor, changes: Tensor) -> Tensor:
        """First-order change 2 Re sum psi* dpsi of the density, k-point weights applied, not symmetrised.

        Args:
            orbitals: shape ``(nk * nspin, nband, nplanewave)``.
            changes: of the orbitals, times the electrons in them, same shape.

        Returns:
            shape ``(nspin, n1, n2, n3)``, electrons/bohr^3.
        """
        nspin = len(orbitals) // self.nkpoints

        def change(block: tuple[int, slice]) -> Tensor:
            spin, kpoints = block
            total = self.weights.new_zeros(2 * self.grid.size)
            for some, bands in self.portions(kpoints, orbitals.shape[1]):
                rows = self.rows(spin, some)
                psi = torch.view_as_real(self.transform.to_grid(orbitals[rows, bands], some))
                dpsi = torch.view_as_real(self.transform.to_grid(changes[rows, bands], some))
                weights = self.weights[some].repeat_interleave(psi.shape[1]) * (2 / self.grid.volume)
                total += weights @ (psi * dpsi).flatten(0, 1).flatten(1)
            return total.unflatten(0, (*self.grid.shape, 2)).sum(-1)

        blocks = self.spin_blocks(nspin)
        changed = self.weights.new_zeros(nspin, *self.grid.shape)
        for (spin, _), part in zip(blocks, map_in_threads(change, blocks), strict=True):
            changed[spin] += part
        return changed

    def kinetic_density_change(self, orbitals: Tensor, changes: Tensor) -> Tensor:
        """First-order change of tau, hartree/bohr^3; arguments and shape as in :meth:`density_change`."""
        nspin = len(orbitals) // self.nkpoints
        factors = [k.repeat(nspin, 1)[:, None] for k in self.kplusg.unbind(-1)]
        return torch.stack([self.density_change(orbitals * k, changes * k) for k in factors]).sum(0) / 2

    def kinetic_density(self, orbitals: Tensor, occupations: Tensor) -> Tensor:
        """tau = 1/2 sum_i f_i |grad psi_i|^2, hartree/bohr^3; arguments and shape as in :meth:`density`."""
        return torch.stack([self._flow_density(orbitals, occupations, k) for k in self.kplusg.unbind(-1)]).sum(0) / 2

    def kinetic_density_tensor(self, orbitals: Tensor, occupations: Tensor) -> Tensor:
        """tau_ij = 1/2 sum f Re (d_i psi)* (d_j psi), shape ``(3, 3, nspin, n1, n2, n3)``; its trace is tau.

        From |(k_i + k_j) psi|^2 = |k_i psi|^2 + |k_j psi|^2 + 2 Re (k_i psi)* (k_j psi).
        """
        k = self.kplusg.unbind(-1)
        squares = [self._flow_density(orbitals, occupations, k[i]) for i in range(3)]
        rows = [[squares[i]] * 3 for i in range(3)]
        for i, j in ((0, 1), (0, 2), (1, 2)):
            both = self._flow_density(orbitals, occupations, k[i] + k[j])
            rows[i][j] = rows[j][i] = (both - squares[i] - squares[j]) / 2
        return torch.stack([torch.stack(row) for row in rows]) / 2

    def _flow_density(self, orbitals: Tensor, occupations: Tensor, factors: Tensor) -> Tensor:
        """Density of orbitals whose plane waves are multiplied by factors ``(nk, nplanewave)``."""
        nspin = len(orbitals) // self.nkpoints
        return self.density(orbitals * factors.repeat(nspin, 1)[:, None], occupations)

    def fields(self, orbitals: Tensor, electrons: Tensor, wanted: Wanted) -> Fields:
        """See :class:`~mlxc.basis.protocol.Basis`."""
        tau = self.kinetic_density(orbitals, electrons) if wanted.tau else None
        return Fields(self.density(orbitals, electrons), tau=tau)

    def field_changes(self, orbitals: Tensor, changes: Tensor, wanted: Wanted) -> Fields:
        """See :class:`~mlxc.basis.protocol.Basis`."""
        tau = self.kinetic_density_change(orbitals, changes) if wanted.tau else None
        return Fields(self.density_change(orbitals, changes), tau=tau)

    def release(self) -> None:
        """See :class:`~mlxc.basis.protocol.Basis`; there is nothing that could be computed again."""

    def potential_operator(self, kpoints: slice, spin: int, potential: EffectivePotential) -> LocalOperator:
        """See :class:`~mlxc.basis.protocol.Basis`."""
        return LocalOperator(self, kpoints, spin, potential)

    def one_electron(self, ions: Ions) -> PlaneWaveOperators:
        """See :class:`~mlxc.basis.protocol.Basis`."""
        return PlaneWaveOperators(self, ions)

    def band_count(self, occupied: int, wanted: int) -> int:
        """See :class:`~mlxc.basis.protocol.Basis`; the search space of the eigensolver needs room as well."""
        if 3 * wanted > int(self.mask.sum(1).min()):
            raise InputError(
                f"ecut_ha: {self.settings.ecut:g} hartree gives only {self.nplanewaves} plane waves for {wanted} "
                "bands; raise the cutoff."
            )
        return wanted

    def lowest_functions(self, count: int, seed: int) -> Tensor:
        """See :class:`~mlxc.basis.protocol.Basis`.

        A little noise keeps the start from having a symmetry that the ground state has not.
        """
        generator = torch.Generator().manual_seed(seed)
        shape = (self.nkpoints, count, self.nplanewaves)
        noise = torch.randn(shape, generator=generator, dtype=torch.complex128).to(self.device)
        waves = 0.02 * noise / (1 + self.kinetic[:, None, :]) ** 2
        waves.diagonal(dim1=1, dim2=2).add_(1)
        return waves * self.mask[:, None, :]

    def accepts(self, source: Basis) -> bool:
        """See :class:`~mlxc.basis.protocol.Basis`."""
        return isinstance(source, PlaneWaveBasis)

    def transfer(self, orbitals: Tensor, source: Basis) -> Tensor:
        """Orbitals of another volume's basis (same k points) in this one; coefficients of new plane waves are zero."""
        assert isinstance(source, PlaneWaveBasis)
        reach = torch.cat([self.miller.flatten(0, 1), source.miller.flatten(0, 1)]).abs().amax(0)
        sides = (2 * reach + 1).tolist()

        def position(miller: Tensor) -> Tensor:
            first, second, third = (miller + reach).unbind(-1)
            return (first * sides[1] + second) * sides[2] + third

        nspin, nband = len(orbitals) // source.nkpoints, orbitals.shape[1]
        old = position(source.miller).repeat(nspin, 1)[:, None].expand(-1, nband, -1)
        new = position(self.miller).repeat(nspin, 1)[:, None].expand(-1, nband, -1)
        box = orbitals.new_zeros(len(orbitals), nband, prod(sides))
        box.scatter_add_(2, old, orbitals * source.mask.repeat(nspin, 1)[:, None])
        return box.gather(2, new) * self.mask.repeat(nspin, 1)[:, None]


def _slices(length: int, count: int) -> list[slice]:
    """``length`` entries in ``count`` runs of nearly the same length."""
    edges = [length * i // count for i in range(count + 1)]
    return [slice(start, stop) for start, stop in pairwise(edges)]
