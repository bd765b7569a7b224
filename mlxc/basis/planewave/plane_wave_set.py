"""The plane waves of every k point below a cutoff, and the parts in which they are worked on."""

from __future__ import annotations

from copy import copy
from itertools import pairwise
from math import ceil, pi, sqrt
from typing import Self

import torch
from torch import Tensor

from mlxc.basis.planewave.cutoff import kinetic_energies
from mlxc.basis.planewave.memory import BLOCK_PLANE_WAVES
from mlxc.basis.planewave.orbital_transform import OrbitalTransform
from mlxc.basis.planewave.real_functions import RealFunctions
from mlxc.crystal.brillouin import KPoints
from mlxc.grid.grid import Grid

# Orbitals are transformed to the grid in portions of about this many bytes. That bounds the memory; and the C library
# hands larger arrays back to the system after each use, which doubles the time of a transform.
CHUNK_BYTES = {"cpu": 4e6, "cuda": 2e9}
# A k point with fewer plane waves gains less from real functions than from being one of several in a block.
REAL_PLANE_WAVES = 2000
# Real orbitals take about this share of the time of complex ones.
REAL_WORK = 0.4


class PlaneWaveSet:
    """A set of plane waves for every k point, padded to the same number, and the grid their products live on.

    Args:
        kpoints: The k points.
        grid: A grid whose sphere has twice the radius of the plane waves' sphere.
        ecut: The cutoff of their kinetic energy, hartree.
        cutoff_smoothing: The width, hartree, below the cutoff over which the kinetic energy rises to infinity.

    Attributes:
        kpoints: The k points.
        grid: The real-space grid.
        device: The device that its tensors are on.
        transform: The transform of orbitals to that grid and back.
        weights: The weights of the k points, shape ``(nk,)``.
        fractional: The coordinates of the k points in the reciprocal lattice, shape ``(nk, 3)``.
        miller: The integer coordinates G, shape ``(nk, nplanewave, 3)``; padding repeats G = 0.
        mask: False where a plane wave is only padding, shape ``(nk, nplanewave)``.
        kplusg: k + G, Cartesian, shape ``(nk, nplanewave, 3)``, 1/bohr.
        kinetic: The kinetic energy of each plane wave, hartree, shape ``(nk, nplanewave)``.
    """

    def __init__(self, kpoints: KPoints, grid: Grid, ecut: float, cutoff_smoothing: float) -> None:
        self.kpoints = kpoints
        self.device = grid.device
        self.grid = grid
        self._ecut, self._cutoff_smoothing = ecut, cutoff_smoothing
        self.weights = torch.tensor(kpoints.weights, dtype=torch.float64, device=self.device)
        self.fractional = torch.tensor(kpoints.fractional, dtype=torch.float64, device=self.device)
        self._choose_plane_waves(sqrt(2 * ecut))
        self._set_grid(grid)
        self.transform = OrbitalTransform(grid.shape, self.miller, self.mask)
        is_worth_it = self.nkpoints == 1 or (self.device.type == "cpu" and self.nplanewaves >= REAL_PLANE_WAVES)
        twice = 2 * kpoints.fractional
        self._has_real_functions = (is_worth_it & (twice == twice.round()).all(axis=1)).tolist()
        self._real_functions: dict[int, RealFunctions] = {}

    def _choose_plane_waves(self, radius: float) -> None:
        squares = ((self.grid.miller[None] + self.fractional[:, None]) @ self.grid.reciprocal).square().sum(-1)
        # In order of kinetic energy, the lowest first; whatever is above the cutoff for all k points is dropped.
        order = squares.argsort(dim=1, stable=True)
        inside = squares.gather(1, order) <= radius**2 * (1 - 1e-12)
        count = int(inside.sum(1).max())
        order, self.mask = order[:, :count], inside[:, :count]
        self.miller = self.grid.miller[order] * self.mask[..., None]

    def _set_grid(self, grid: Grid) -> None:
        self.grid = grid
        self.kplusg = (self.miller + self.fractional[:, None]) @ grid.reciprocal
        self.kinetic = kinetic_energies(self.kplusg, self._ecut, self._cutoff_smoothing)

    def strained(self, strain: Tensor) -> Self:
        """The same plane waves, by their integers, in a cell deformed by 1 + strain; differentiable in it."""
        waves = copy(self)
        waves._set_grid(self.grid.strained(strain))
        return waves

    @property
    def nkpoints(self) -> int:
        """Number of k points."""
        return self.miller.shape[0]

    @property
    def nplanewaves(self) -> int:
        """Number of plane waves that each k point has room for."""
        return self.miller.shape[1]

    def real_functions(self, kpoints: slice) -> RealFunctions | None:
        """The real functions of a k point; None for several k points, and where there are none worth a block."""
        kpoint = kpoints.start
        if kpoints.stop - kpoint > 1 or not self._has_real_functions[kpoint]:
            return None
        if kpoint not in self._real_functions:
            own, doubled = self.miller[kpoint, self.mask[kpoint]], (2 * self.fractional[kpoint]).round().long()
            self._real_functions[kpoint] = RealFunctions(own, doubled, self.nplanewaves)
        return self._real_functions[kpoint]

    def work(self, kpoints: slice) -> float:
        """About how long computations with the orbitals of a block take, in units of a k point with complex ones."""
        count = kpoints.stop - kpoints.start
        return REAL_WORK if count == 1 and self._has_real_functions[kpoints.start] else float(count)

    def phases_on_grid(self, kpoint: slice) -> Tensor | None:
        """exp(ik.r) of a k point, shape ``(n1, n2, n3)``, by which orbitals on the grid are real; None for k = 0."""
        k = self.fractional[kpoint.start].tolist()
        if not any(k):
            return None
        points = (torch.arange(n, dtype=torch.float64, device=self.device) / n for n in self.grid.shape)
        first, second, third = (torch.exp(2j * pi * own * x) for own, x in zip(k, points, strict=True))
        return first[:, None, None] * second[:, None] * third

    def kpoint_blocks(self, nspin: int) -> list[slice]:
        """Runs of k points, the parts of a computation that can go on at the same time: all of them on a GPU.

        A k point with real functions is a run of its own.
        """
        if self.device.type == "cuda":
            return [slice(0, self.nkpoints)]
        enough = ceil(nspin * self.nkpoints / torch.get_num_threads())
        together = max(1, min(round(BLOCK_PLANE_WAVES / self.nplanewaves), enough))
        edges = {0, self.nkpoints}.union(*({k, k + 1} for k, real in enumerate(self._has_real_functions) if real))
        return [
            slice(start + block.start, start + block.stop)
            for start, stop in pairwise(sorted(edges))
            for block in _slices(stop - start, ceil((stop - start) / together))
        ]

    def spin_blocks(self, nspin: int) -> list[tuple[int, slice]]:
        """The blocks of all spins, in the order of their rows."""
        return [(spin, kpoints) for spin in range(nspin) for kpoints in self.kpoint_blocks(nspin)]

    def rows(self, spin: int, kpoints: slice) -> slice:
        """Entries of some k points of one spin in the batch of all k points and spins."""
        return slice(spin * self.nkpoints + kpoints.start, spin * self.nkpoints + kpoints.stop)

    def portions(self, kpoints: slice, nband: int, dtype: torch.dtype) -> list[tuple[slice, slice]]:
        """K points, and bands of them, whose orbitals of a type are on the grid at the same time."""
        norbital = max(1, int(CHUNK_BYTES[self.device.type] / (dtype.itemsize * self.grid.size)))
        nkpoints = kpoints.stop - kpoints.start
        together = max(1, norbital // nband)
        return [
            (slice(kpoints.start + some.start, kpoints.start + some.stop), bands)
            for some in _slices(nkpoints, ceil(nkpoints / together))
            for bands in _slices(nband, ceil(nband / norbital))
        ]


def _slices(length: int, count: int) -> list[slice]:
    """``length`` entries in ``count`` runs of nearly the same length."""
    edges = [length * i // count for i in range(count + 1)]
    return [slice(start, stop) for start, stop in pairwise(edges)]
