"""How a space group acts on functions of space."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
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
        # Averaged over translations, only waves with whole h.t stay: in a supercell of n cells one in n. For these it
        # does not matter which of the operations with the same rotation is taken.
        kept = np.flatnonzero(_has_period(miller, group.pure_translations().translations))
        miller, group = miller[kept], group.without_translations()
        self._kept = None if len(kept) == len(grid.miller) else torch.as_tensor(kept, device=grid.device)
        inverse = np.linalg.inv(group.rotations).round()
        # h' = inv(W).T h, shape (nop, 3, nkept); numpy multiplies matrices of floats much faster than of integers.
        images = np.tensordot(inverse, miller.astype(float), (1, 1)).astype(np.int64)
        flat = np.ravel_multi_index(tuple(np.moveaxis(images, 1, 0)), grid.shape, mode="wrap")
        rank = np.full(np.prod(grid.shape), -1)
        rank[grid.sphere.cpu().numpy()[kept]] = np.arange(len(miller))
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
        averages = (self._periodic(values)[..., self._source] * self._phases).sum(dim=-2)
        return self._everywhere(averages[..., self._star] * self._from_member)

    def _periodic(self, values: Tensor) -> Tensor:
        """The coefficients of the waves that have the period of all translations, ``(..., nkept)``."""
        return values if self._kept is None else values[..., self._kept]

    def _everywhere(self, kept: Tensor) -> Tensor:
        """All coefficients, from those that are not zero, ``(..., nkept)``."""
        if self._kept is None:
            return kept
        return kept.new_zeros(*kept.shape[:-1], len(self._grid.miller)).index_copy(-1, self._kept, kept)

    def fields(self, fields: Fields) -> Fields:
        """Average all fields of a state, given as Fourier coefficients; vectors turn with the crystal."""
        if self._trivial:
            return fields
        vectors = {kind.name: self._vector(getattr(fields, kind.name)) for kind in fields.kinds if kind.is_vector}
        return fields.map(self.coefficients)._replace(**vectors)

    def _vector(self, values: Tensor) -> Tensor:
        """v(x) -> 1/N sum_S R^-1 v(S x) of a vector field, shape ``(3, nspin, ngvector)``."""
        sources = self._periodic(values)[..., self._source]
        turned = torch.einsum("oji,jsom,om->ism", self._rotations, sources, self._phases)
        everywhere = turned[..., self._star] * self._from_member
        return self._everywhere(torch.einsum("gij,jsg->isg", self._rotations[self._operation], everywhere))

    def field(self, values: Tensor) -> Tensor:
        """Average a real field, shape ``(..., n1, n2, n3)``."""
        return values if self._trivial else self._grid.real(self.coefficients(self._grid.fourier(values)))


def _has_period(miller: NDArray[np.int64], translations: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which waves h, shape ``(n, 3)``, have whole products with translations ``(ntranslation, 3)``."""
    # The products are multiples of one over the number of translations, but for what positions are rounded by.
    tolerance = 0.1 / len(translations)
    kept = np.ones(len(miller), dtype=bool)
    for translation in translations:
        products = miller @ translation
        kept &= abs(products - products.round()) < tolerance
    return kept
