"""Space-group operations of a crystal, and how they act on functions of space."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import TYPE_CHECKING

import numpy as np
import spglib
import torch
from numpy.typing import NDArray
from torch import Tensor

from mlxc.crystal import Crystal

if TYPE_CHECKING:
    from mlxc.basis.grid import Grid

# Positions that differ by less than this (bohr) are the same site.
SYMMETRY_TOLERANCE = 1e-5


@dataclass(frozen=True)
class SpaceGroup:
    """The operations x -> W x + w that map a crystal onto itself, in fractional coordinates.

    Attributes:
        rotations: integer matrices W, shape ``(nop, 3, 3)``.
        translations: w, shape ``(nop, 3)``.
    """

    rotations: NDArray[np.int64]
    translations: NDArray[np.float64]

    @classmethod
    def of(cls, crystal: Crystal) -> SpaceGroup:
        """Find the operations with spglib; only the identity where spglib finds none."""
        cell = (crystal.lattice, crystal.positions, crystal.atomic_numbers)
        found = spglib.get_symmetry(cell, symprec=SYMMETRY_TOLERANCE)
        if found is None:
            return cls.identity()
        return cls(found["rotations"].astype(np.int64), found["translations"] % 1.0)

    @classmethod
    def identity(cls) -> SpaceGroup:
        """The group that has no operation but the identity."""
        return cls(np.eye(3, dtype=np.int64)[None], np.zeros((1, 3)))

    def __len__(self) -> int:
        return len(self.rotations)

    def translation_denominators(self) -> tuple[int, int, int]:
        """For each axis the smallest n such that n points along it are mapped onto each other by all translations."""
        denominators = [[Fraction(float(w)).limit_denominator(12).denominator for w in ws] for ws in self.translations.T]
        first, second, third = (lcm(*axis) for axis in denominators)
        return first, second, third

    def equivalent_axes(self) -> list[set[int]]:
        """Groups of lattice directions that rotations mix: a grid needs as many points along each of them."""
        linked = (np.abs(self.rotations).sum(axis=0) > 0) | np.eye(3, dtype=bool)
        linked |= linked.T
        reachable = np.linalg.matrix_power(linked.astype(int), 3) > 0
        return [set(np.flatnonzero(row)) for row in np.unique(reachable, axis=0)]


class Symmetrizer:
    """Averages functions on a grid over a space group, in reciprocal space.

    f(x) -> 1/N sum_S f(W x + w), so that f_h -> 1/N sum_S exp(2 pi i h'.w) f_h' with h' = W^(-T) h. This is exact also
    where w is not a multiple of the grid spacing.
    """

    def __init__(self, group: SpaceGroup, grid: Grid) -> None:
        self._grid = grid
        self._trivial = len(group) == 1
        if self._trivial:
            return
        miller = grid.miller.cpu().numpy()
        inverse = np.linalg.inv(group.rotations).round().astype(np.int64)
        images = np.einsum("sji,gj->sgi", inverse, miller)  # h' = inv(W).T h
        phases = np.exp(2j * np.pi * np.einsum("sgi,si->sg", images, group.translations))
        flat = np.ravel_multi_index(tuple(np.moveaxis(images % grid.shape, -1, 0)), grid.shape)
        rank = np.full(np.prod(grid.shape), -1)
        rank[grid.sphere.cpu().numpy()] = np.arange(len(miller))
        self._source = torch.as_tensor(rank[flat], device=grid.device)
        self._phases = torch.as_tensor(phases / len(group), device=grid.device)

    def coefficients(self, values: Tensor) -> Tensor:
        """Average Fourier coefficients on the grid's sphere, shape ``(..., ngvector)``."""
        if self._trivial:
            return values
        return (values[..., self._source] * self._phases).sum(dim=-2)

    def field(self, values: Tensor) -> Tensor:
        """Average a real field, shape ``(..., n1, n2, n3)``."""
        return values if self._trivial else self._grid.real(self.coefficients(self._grid.fourier(values)))
