"""Smooth functions of several variables as polynomials, for whoever evaluates the same ones at very many points.

A function on a box is a sum of c_ijk T_i(x) T_j(y) T_k(z), with Chebyshev's polynomials of each variable, through its
values at a grid of Chebyshev's points. The coefficients of a smooth function fall as fast as a geometric series, so the
last ones tell what is missing; see L. N. Trefethen, Approximation Theory and Approximation Practice (SIAM, 2013),
chapters 4 and 8.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import pi

import torch
from torch import Tensor

# Of the largest coefficient: what the last ones of each variable may be in a polynomial that stands for its function.
SMALLEST_COEFFICIENT = 1e-12


@dataclass(frozen=True)
class ChebyshevPolynomial:
    """A polynomial of some variables.

    Attributes:
        coefficients: c_ij..., an axis for each variable.
        intervals: What each variable lies between.
    """

    coefficients: Tensor
    intervals: tuple[tuple[float, float], ...]

    @classmethod
    @torch.no_grad()
    def through(
        cls,
        function: Callable[..., Tensor],
        intervals: Sequence[tuple[float, float]],
        counts: Sequence[int],
        like: Tensor,
    ) -> ChebyshevPolynomial | None:
        """The polynomial of a function, or None where it does not stand for it to twelve digits.

        Args:
            function: A function of as many tensors as there are intervals, each of shape ``(npoint,)``.
            intervals: What each variable lies between.
            counts: The number of coefficients of each variable.
            like: A tensor of the type and on the device of the arguments.
        """
        angles = [_angles(count, like) for count in counts]
        axes = [(one.cos() * (high - low) + high + low) / 2 for one, (low, high) in zip(angles, intervals, strict=True)]
        grid = torch.meshgrid(*axes, indexing="ij")
        coefficients = function(*(axis.flatten() for axis in grid)).view(grid[0].shape)
        for one in angles:
            transform = torch.cos(torch.arange(len(one)).to(one)[:, None] * one) * 2 / len(one)
            transform[0] /= 2
            coefficients = torch.tensordot(coefficients, transform, dims=([0], [1]))  # the last axis is the new one
            last = coefficients[..., -2:].abs().max()
            if not bool(last <= SMALLEST_COEFFICIENT * coefficients.abs().max()):
                return None
        return cls(coefficients, tuple(intervals))

    def __call__(self, *variables: Tensor) -> Tensor:
        """The value at each point, shape ``(npoint,)``, like each of the variables."""
        first, *others = (self._basis(variable, axis) for axis, variable in enumerate(variables))
        values = first @ self.coefficients.flatten(1) if others else first @ self.coefficients
        for basis in others:
            values = torch.bmm(basis[:, None], values.view(len(basis), basis.shape[1], -1))[:, 0]
        return values.flatten()

    def at(self, value: float) -> ChebyshevPolynomial:
        """The polynomial of the other variables where the first one has this value."""
        place = self.coefficients.new_tensor([value])
        rest = torch.tensordot(self._basis(place, 0)[0], self.coefficients, dims=1)
        return replace(self, coefficients=rest, intervals=self.intervals[1:])

    def _basis(self, variable: Tensor, axis: int) -> Tensor:
        """T_0, T_1, ... of one variable, shape ``(npoint, count)``."""
        low, high = self.intervals[axis]
        x = (2 * variable - (high + low)) / (high - low)
        found = [torch.ones_like(x), x]
        while len(found) < self.coefficients.shape[axis]:
            found.append(2 * x * found[-1] - found[-2])
        return torch.stack(found, -1)


def _angles(count: int, like: Tensor) -> Tensor:
    """Those whose cosines are Chebyshev's points."""
    return pi * (torch.arange(count).to(like) + 0.5) / count
