"""How a space group acts on functions of space."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from mlxc.crystal.symmetry import SpaceGroup
from mlxc.grid.fields import Fields
from mlxc.grid.grid import Grid


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
        # h' = inv(W).T h, shape (nop, 3, ngvector); numpy multiplies matrices of floats much faster than of integers.
        images = np.tensordot(inverse, miller.astype(float), (1, 1)).astype(np.int64)
        flat = np.ravel_multi_index(tuple(np.moveaxis(images, 1, 0)), grid.shape, mode="wrap")
        rank = np.full(np.prod(grid.shape), -1)
        rank[grid.sphere.cpu().numpy()] = np.arange(len(miller))
        source = rank[flat]
        # The G vectors that rotate into each other form a star; averages are taken for one member of each.
        first = source.min(axis=0)
        members, star = np.unique(first, return_inverse=True)
        phases = np.exp(2j * np.pi * np.einsum("sig,si->sg", images[..., members], group.translations))
        self._source = torch.as_tensor(source[:, members], device=grid.device)
        self._phases = torch.as_tensor(phases / len(group), device=grid.device)
        # f_h' = exp(-2 pi i h'.w) f_h for an operation that takes the member h to h'.
        self._star = torch.as_tensor(star, device=grid.device)
        operation = np.zeros(len(miller), dtype=np.int64)
        operation[source[:, members]] = np.arange(len(group))[:, None]
        self._operation = torch.as_tensor(operation, device=grid.device)
        self._from_member = torch.as_tensor(phases.conj()[operation, star], device=grid.device)
        columns = grid.lattice.cpu().numpy().T
        rotations = columns @ group.rotations @ np.linalg.inv(columns)
        self._rotations = torch.as_tensor(rotations, dtype=torch.complex128, device=grid.device)

    def coefficients(self, values: Tensor) -> Tensor:
        """Average Fourier coefficients on the grid's sphere, shape ``(..., ngvector)``."""
        if self._trivial:
            return values
        averages = (values[..., self._source] * self._phases).sum(dim=-2)
        return averages[..., self._star] * self._from_member

    def fields(self, fields: Fields) -> Fields:
        """Average all fields of a state, given as Fourier coefficients; vectors turn with the crystal."""
        if self._trivial:
            return fields
        vectors = {kind.name: self._vector(getattr(fields, kind.name)) for kind in fields.kinds if kind.is_vector}
        return fields.map(self.coefficients)._replace(**vectors)

    def _vector(self, values: Tensor) -> Tensor:
        """v(x) -> 1/N sum_S R^-1 v(S x) of a vector field, shape ``(3, nspin, ngvector)``."""
        turned = torch.einsum("oji,jsom,om->ism", self._rotations, values[..., self._source], self._phases)
        everywhere = turned[..., self._star] * self._from_member
        return torch.einsum("gij,jsg->isg", self._rotations[self._operation], everywhere)

    def field(self, values: Tensor) -> Tensor:
        """Average a real field, shape ``(..., n1, n2, n3)``."""
        return values if self._trivial else self._grid.real(self.coefficients(self._grid.fourier(values)))
