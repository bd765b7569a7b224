"""Orthonormal combinations of a crystal's Gaussian functions at every k point, and their values on the grid."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from mlxc.basis.gaussian.cell import GaussianCell, uniform_points
from mlxc.basis.gaussian.orthonormal import orthonormal_functions
from mlxc.grid.grid import Grid

# Functions are worked on for portions of the points, of about this many bytes, which stay in a processor's cache.
PORTION_BYTES = 2e6
# And computed for portions of this many bytes, all k points together.
EVALUATION_BYTES = 2e8


class GaussianFunctions:
    """Orthonormal combinations of Gaussian functions with Bloch phases.

    Args:
        cell: The functions of the atoms.
        grid: The real-space grid, with all Fourier coefficients that it has.
        weights: The weights of the k points, shape ``(nk,)``.

    Attributes:
        cell: The functions of the atoms.
        grid: The real-space grid.
        device: The device that its tensors are on.
        weights: The weights of the k points.
        combinations: X of :class:`~mlxc.basis.gaussian.orthonormal.OrthonormalFunctions`.
        inverse: X^H S.
        padding: Where a function is only padding, shape ``(nk, nfunction)``.
        linear_dependence: How close the functions are to being combinations of each other.
    """

    def __init__(self, cell: GaussianCell, grid: Grid, weights: Tensor) -> None:
        self.cell, self.grid, self.weights, self.device = cell, grid, weights, grid.device
        found = orthonormal_functions(torch.as_tensor(cell.overlap()))
        self.linear_dependence = found.linear_dependence
        self.combinations = found.combinations.to(self.device)
        self.inverse = found.inverse.to(self.device)
        self.padding = found.padding.to(self.device)
        self._tables: Tensor | None = None

    @property
    def nkpoints(self) -> int:
        """Number of k points."""
        return len(self.combinations)

    @property
    def nfunctions(self) -> int:
        """Number of functions that each k point has room for."""
        return self.combinations.shape[2]

    def on_grid(self, slopes: bool) -> Tensor:
        """Orthonormal functions on the grid, computed once, shape ``(nk, ncomponent, nfunction, npoint)``.

        The components are the value and, where slopes have been asked for, its Cartesian derivatives.
        """
        if self._tables is None or (slopes and self._tables.shape[1] == 1):
            points = uniform_points(self.grid.shape)
            ncomponent = 4 if slopes else 1
            bytes_per_point = 16 * ncomponent * self.combinations.shape[1] * self.nkpoints
            portions = np.array_split(points, max(1, round(len(points) * bytes_per_point / EVALUATION_BYTES)))
            shape = (self.nkpoints, ncomponent, self.nfunctions, len(points))
            tables = torch.empty(shape, dtype=torch.complex128, device=self.device)
            first = 0
            for portion in portions:
                places = slice(first, first + len(portion))
                atomic = self.cell.values(portion, slopes)
                for own, combinations, values in zip(tables, self.combinations, atomic, strict=True):
                    own[..., places] = combinations.mT @ torch.as_tensor(values).to(combinations)
                first = places.stop
            self._tables = tables
        return self._tables

    def release(self) -> None:
        """See :class:`~mlxc.basis.protocol.Basis`: functions on the grid take gigabytes, those of many volumes more."""
        self._tables = None

    def portions(self) -> list[slice]:
        """The portions of the grid's points that are worked on one after the other."""
        step = max(1, int(PORTION_BYTES / (16 * self.nfunctions)))
        return [slice(start, min(start + step, self.grid.size)) for start in range(0, self.grid.size, step)]

    def spin_blocks(self, nspin: int) -> list[tuple[int, slice]]:
        """Each k point is a block of its own; see :class:`~mlxc.basis.protocol.Basis`."""
        return [(spin, slice(k, k + 1)) for spin in range(nspin) for k in range(self.nkpoints)]

    def rows(self, spin: int, kpoints: slice) -> slice:
        """See :class:`~mlxc.basis.protocol.Basis`."""
        return slice(spin * self.nkpoints + kpoints.start, spin * self.nkpoints + kpoints.stop)

    def orthonormal(self, matrices: Tensor) -> Tensor:
        """Matrix elements between the orthonormal functions, from those between the atoms' functions."""
        return self.combinations.mH @ matrices.to(self.device) @ self.combinations
