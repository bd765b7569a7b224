"""The points of a real-space grid that symmetry does not make from others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mlxc.crystal.symmetry import SpaceGroup
from mlxc.grid.grid import Grid
from mlxc.grid.shape import Shape


@dataclass(frozen=True)
class IrreduciblePoints:
    """One grid point for each set of equivalent ones: what a symmetric function is known by.

    The sum of a symmetric function over the grid is its weighted sum over these points. The derivative of the weighted
    sum with respect to the function is another one, but its average over the group is the same.

    Attributes:
        index: The positions in the flattened grid, shape ``(npoint,)``.
        weights: How many points each stands for, shape ``(npoint,)``.
        representative: The representative of every grid point, as a position in the flattened grid, shape
            ``(n1 * n2 * n3,)``.
    """

    index: Tensor
    weights: Tensor
    representative: Tensor

    @classmethod
    def of(cls, group: SpaceGroup, grid: Grid) -> IrreduciblePoints:
        """The points under the operations that map the grid onto itself; the others relate no grid points."""
        own = group.on_grid(grid.shape)
        # Of points that differ by a translation, then of those that a rotation takes to each other: as many operations
        # as there are translations and rotations, not as the product of both.
        smallest = _smallest(np.arange(grid.size, dtype=np.int32), own.pure_translations(), grid.shape)
        smallest = _smallest(smallest, own.without_translations(), grid.shape)
        index, weights = np.unique(smallest, return_counts=True)
        return cls(
            torch.as_tensor(index.astype(np.int64), device=grid.device),
            torch.as_tensor(weights.astype(np.float64), device=grid.device),
            torch.as_tensor(smallest.ravel(), device=grid.device),
        )

    def average(self, values: Tensor) -> Tensor:
        """Mean of a function ``(n1, n2, n3)`` over equivalent points, at each of them."""
        flat, representative = values.flatten(), self.representative.long()
        total = torch.zeros_like(flat).index_add_(0, representative, flat)
        total[self.index] /= self.weights
        return total[representative].view_as(values)


def _smallest(values: NDArray[np.int32], group: SpaceGroup, shape: Shape) -> NDArray[np.int32]:
    """The smallest of the values at a point's images, shape ``(n1 * n2 * n3,)``."""
    smallest = values.copy()
    for rotation, translation in zip(group.rotations, group.translations, strict=True):
        np.minimum(smallest, values[_images(rotation, translation, shape).ravel()], out=smallest)
    return smallest


def _images(rotation: NDArray[np.int64], translation: NDArray[np.float64], shape: Shape) -> NDArray[np.int32]:
    """Where x -> W x + w, which maps the grid onto itself, takes each point: positions in the flattened grid."""
    points = np.array(shape)
    steps = rotation * points[:, None] // points
    shifts = translation * points
    images = np.zeros(shape, dtype=np.int32)
    for axis, stride in enumerate((shape[1] * shape[2], shape[2], 1)):
        multiples = [int(steps[axis, j]) * np.arange(shape[j]) for j in range(3)]
        multiples[0] = multiples[0] + round(shifts[axis])
        # A table of remainders is far faster than a division for every point.
        lowest, highest = sum(m.min() for m in multiples), sum(m.max() for m in multiples)
        remainders = (np.arange(lowest, highest + 1) % shape[axis] * stride).astype(np.int32)
        first, second, third = multiples
        images += remainders[(first - lowest)[:, None, None] + second[:, None] + third]
    return images
