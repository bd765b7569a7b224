"""The real-space grid of a cell and the sphere of reciprocal lattice vectors on it."""

from __future__ import annotations

from copy import copy
from math import pi

import numpy as np
import torch
from torch import Tensor

from mlxc.grid.shape import Shape


class Grid:
    """A uniform grid over the cell, with the Fourier coefficients of |G| <= radius that densities are made of.

    With an infinite radius it has all the coefficients that there are.

    Attributes:
        shape: The number of points along each lattice vector.
        lattice: The lattice vectors in rows, bohr.
        radius: The largest |G| of its G vectors, 1/bohr.
        volume: The volume of the cell, bohr^3, a tensor without dimensions.
        sphere: The positions of the G vectors in the flattened FFT array, shape ``(ngvector,)``; G = 0 is the first.
        miller: The integer coordinates of the G vectors, shape ``(ngvector, 3)``.
        gvectors: The Cartesian G vectors, shape ``(ngvector, 3)``, 1/bohr.
    """

    def __init__(self, lattice: Tensor, shape: Shape, radius: float) -> None:
        self.shape = shape
        self.radius = radius
        self.size = int(np.prod(shape))
        self.device = lattice.device
        reciprocal = 2 * pi * torch.linalg.inv(lattice).T
        frequencies = [torch.fft.fftfreq(n, 1 / n, device=self.device, dtype=torch.float64) for n in shape]
        miller = torch.stack(torch.meshgrid(*frequencies, indexing="ij"), dim=-1).round()
        inside = (miller @ reciprocal).square().sum(-1).flatten() <= radius**2 * (1 + 1e-10)
        self.sphere = inside.nonzero()[:, 0]
        self.miller = miller.reshape(-1, 3)[self.sphere].long()
        # Transforms of real fields hold only the half with G3 >= 0; the rest follows from f_-G = f_G*.
        points = torch.tensor(shape, device=self.device)
        unpaired = 2 * self.miller.abs() == points  # -n/2 of an even number of points has no positive partner
        self._mirrored = (self.miller[:, 2] < 0) & ~unpaired[:, 2]
        first, second, third = torch.where(self._mirrored[:, None], -self.miller, self.miller).unbind(1)
        self._half = (first % shape[0] * shape[1] + second % shape[1]) * (shape[2] // 2 + 1) + third.abs()
        self._paired = torch.where(unpaired, 0, self.miller)
        # The G vectors that transforms hold, by their positions in the sphere and in the transform.
        self._held = (~self._mirrored).nonzero()[:, 0]
        self._places = self._half[self._held]
        # On their axes -n/2 is its own partner, so that these meet another G vector of other length in one place.
        self._meeting = (self._mirrored & unpaired.any(1)).nonzero()[:, 0]
        self._set_lattice(lattice)

    def _set_lattice(self, lattice: Tensor) -> None:
        self.lattice = lattice
        self.volume = torch.linalg.det(lattice).abs()
        self.reciprocal = 2 * pi * torch.linalg.inv(lattice).T
        self.gvectors = self.miller.double() @ self.reciprocal
        self._squares: Tensor | None = None

    def strained(self, strain: Tensor) -> Grid:
        """The same points and G vectors, by their integers, in a cell deformed by 1 + strain; differentiable in it."""
        grid = copy(self)
        grid._set_lattice(self.lattice @ (torch.eye(3, dtype=strain.dtype, device=strain.device) + strain).T)
        return grid

    @property
    def squares(self) -> Tensor:
        """|G|^2, shape ``(ngvector,)``."""
        if self._squares is not None:
            return self._squares
        squares = self.gvectors.square().sum(-1)
        # What depends on a strain belongs to one derivative, after which it is gone.
        self._squares = None if squares.requires_grad else squares
        return squares

    @property
    def lengths(self) -> Tensor:
        """|G|, shape ``(ngvector,)``, with a zero derivative at G = 0."""
        return self.gvectors.norm(dim=-1)

    def fourier(self, field: Tensor) -> Tensor:
        """Coefficients f_G of a real field f(r) = sum_G f_G exp(iG.r); ``(..., n1, n2, n3)`` to ``(..., ngvector)``."""
        half = torch.fft.rfftn(field, dim=(-3, -2, -1), norm="forward").flatten(-3)[..., self._half]
        return torch.where(self._mirrored, half.conj(), half)

    def real(self, coefficients: Tensor) -> Tensor:
        """The real field with these coefficients, f_-G = f_G*; shape ``(..., ngvector)`` to ``(..., n1, n2, n3)``.

        Where -n/2 is its own partner along an axis, what is given need not be conjugate: 4 pi n_G / G^2 is not, since
        the partner's G^2 is another one in an oblique cell. The mean of the two counts, as in the real part of a sum.
        """
        n1, n2, n3 = self.shape
        half = coefficients.new_zeros(*coefficients.shape[:-1], n1 * n2 * (n3 // 2 + 1))
        half[..., self._places] = coefficients[..., self._held]
        if len(self._meeting):
            places = self._half[self._meeting]
            both = half[..., places] + coefficients[..., self._meeting].conj()
            half = half.index_copy(-1, places, both / 2)
        return torch.fft.irfftn(half.unflatten(-1, (n1, n2, n3 // 2 + 1)), s=self.shape, norm="forward")

    def gradient(self, field: Tensor) -> Tensor:
        """The Cartesian gradient; shape ``(..., n1, n2, n3)`` to ``(..., 3, n1, n2, n3)``."""
        return self.real(self.slopes(self.fourier(field)).movedim(0, -2))

    def slopes(self, coefficients: Tensor) -> Tensor:
        """Coefficients of the Cartesian gradient from a field's, ``(..., ngvector)`` to ``(3, ..., ngvector)``."""
        waves = (self._paired.double() @ self.reciprocal).T
        return torch.stack([1j * wave * coefficients for wave in waves])

    def laplacian(self, field: Tensor) -> Tensor:
        """The Laplacian, of the same shape as the field, ``(..., n1, n2, n3)``."""
        return self.real(-self.lengths.square() * self.fourier(field))

    def integrate(self, field: Tensor) -> Tensor:
        """Integral over the cell; shape ``(..., n1, n2, n3)`` to ``(...)``."""
        return field.sum(dim=(-3, -2, -1)) * (self.volume / self.size)

    def phases(self, position: Tensor) -> Tensor:
        """exp(-iG.R) for an atom at a fractional position, shape ``(ngvector,)``."""
        return torch.exp(-2j * pi * (self.miller.double() @ position))

    def structure_factor(self, positions: Tensor) -> Tensor:
        """Sum over fractional positions ``(n, 3)`` of exp(-iG.R), shape ``(ngvector,)``."""
        # A product of three factors for each atom, summed over atoms on the box around the sphere.
        reach = self.miller.abs().amax(0).tolist()
        whole = [torch.arange(-most, most + 1, dtype=torch.float64, device=self.device) for most in reach]
        first, second, third = (
            torch.exp(-2j * pi * waves[:, None] * own) for waves, own in zip(whole, positions.T, strict=True)
        )
        box = (first[:, None] * second).flatten(0, 1) @ third.T
        one, two, three = (self.miller + torch.tensor(reach, device=self.device)).unbind(-1)
        return box.view(len(whole[0]), len(whole[1]), -1)[one, two, three]
