"""Orbitals between their plane waves and the real-space grid."""

from __future__ import annotations

from math import pi

import torch
from torch import Tensor

from mlxc.grid.shape import Shape


class OrbitalTransform:
    """Fourier transforms of functions whose plane waves fill a small part of the grid's.

    Along the first axis orbitals reach about half of the grid's frequencies. Only those planes are transformed along
    the other two axes, and the sum over the first is a product with a small matrix: half the work of a full transform.

    Args:
        shape: The shape of the grid.
        miller: The integers G of the plane waves, shape ``(nk, nplanewave, 3)``.
        mask: False where a plane wave is only padding, shape ``(nk, nplanewave)``.
    """

    def __init__(self, shape: Shape, miller: Tensor, mask: Tensor) -> None:
        self._shape = shape
        self._padding = ~mask
        first = miller[..., 0]
        lowest, highest = int(first.min()), int(first.max())
        self._nplanes = highest - lowest + 1
        planes = torch.arange(lowest, highest + 1, device=miller.device)
        points = torch.arange(shape[0], device=miller.device)
        phases = 2 * pi / shape[0] * (points[:, None] * planes % shape[0]).double()
        self._waves = torch.polar(torch.ones_like(phases), phases)
        self._conjugate_waves = (self._waves.mH / shape[0]).contiguous()
        rest = miller[..., 1] % shape[1] * shape[2] + miller[..., 2] % shape[2]
        self._index = (first - lowest) * (shape[1] * shape[2]) + rest
        # Padding is sent to a place that no plane wave uses.
        spare = torch.ones(self._nplanes * shape[1] * shape[2], dtype=torch.bool, device=miller.device)
        spare[self._index[mask]] = False
        self._index[~mask] = spare.nonzero()[0, 0]

    def to_grid(self, coefficients: Tensor, kpoints: slice) -> Tensor:
        """f(r) = sum_G c_G exp(iG.r); shape ``(nkpoint, nfunction, nplanewave)`` to ``(..., n1, n2, n3)``."""
        nkpoints, nfunctions = coefficients.shape[:2]
        _, n2, n3 = self._shape
        planes = coefficients.new_zeros(nkpoints, nfunctions, self._nplanes * n2 * n3)
        planes.scatter_(2, self._index[kpoints][:, None].expand(coefficients.shape), coefficients)
        planes = torch.fft.ifft2(planes.view(nkpoints * nfunctions, self._nplanes, n2, n3), norm="forward")
        return (self._waves.to(planes.dtype) @ planes.flatten(2)).view(nkpoints, nfunctions, *self._shape)

    def from_grid(self, values: Tensor, kpoints: slice) -> Tensor:
        """c_G of the plane waves in functions on the grid: the inverse of :meth:`to_grid`, the rest is left out."""
        nkpoints, nfunctions = values.shape[:2]
        _, n2, n3 = self._shape
        planes = self._conjugate_waves.to(values.dtype) @ values.flatten(0, 1).flatten(2)
        planes = torch.fft.fft2(planes.unflatten(2, (n2, n3)), norm="forward").view(nkpoints, nfunctions, -1)
        index = self._index[kpoints][:, None].expand(-1, nfunctions, -1)
        return planes.gather(2, index).masked_fill_(self._padding[kpoints][:, None], 0)
