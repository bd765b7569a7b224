"""How a space group acts on functions of space."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from mlxc.basis.grid import Grid
from mlxc.symmetry import SpaceGroup


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
        inverse = np.linalg.inv(group.rotations).round()
        images = (miller.astype(float) @ inverse).astype(np.int64)  # h' = inv(W).T h, shape (nop, ngvector, 3)
        flat = np.ravel_multi_index(tuple(np.moveaxis(images % grid.shape, -1, 0)), grid.shape)
        rank = np.full(np.prod(grid.shape), -1)
        rank[grid.sphere.cpu().numpy()] = np.arange(len(miller))
        source = rank[flat]
        # The G vectors that rotate into each other form a star; averages are taken for one member of each.
        first = source.min(axis=0)
        members, star = np.unique(first, return_inverse=True)
        phases = np.exp(2j * np.pi * np.einsum("sgi,si->sg", images[:, members], group.translations))
        self._source = torch.as_tensor(source[:, members], device=grid.device)
        self._phases = torch.as_tensor(phases / len(group), device=grid.device)
        # f_h' = exp(-2 pi i h'.w) f_h for an operation that takes the member h to h'.
        self._star = torch.as_tensor(star, device=grid.device)
        to_star = np.zeros(len(miller), dtype=np.complex128)
        to_star[source[:, members]] = phases.conj()
        self._from_member = torch.as_tensor(to_star, device=grid.device)

    def coefficients(self, values: Tensor) -> Tensor:
        """Average Fourier coefficients on the grid's sphere, shape ``(..., ngvector)``."""
        if self._trivial:
            return values
        averages = (values[..., self._source] * self._phases).sum(dim=-2)
        return averages[..., self._star] * self._from_member

    def field(self, values: Tensor) -> Tensor:
        """Average a real field, shape ``(..., n1, n2, n3)``."""
        return values if self._trivial else self._grid.real(self.coefficients(self._grid.fourier(values)))
