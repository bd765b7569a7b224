"""Radial Fourier transforms of functions that are known on a mesh."""

from __future__ import annotations

from math import factorial, pi

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.interpolate import make_interp_spline
from scipy.special import spherical_jn
from torch import Tensor

Array = NDArray[np.float64]

DEGREE = 5
# Of the table in q, 1/bohr. The splines' error is of the order (SPACING r)^6 / 30000 for a function of range r.
SPACING = 0.04
# The table grows by whole steps of this length, so that slightly larger spheres do not make it anew.
GROWTH = 4.0


def simpson_weights(spacing: Array) -> Array:
    """Weights of Simpson's rule on a mesh with dr = ``spacing``; an even number of points leaves out the last."""
    weights = np.zeros_like(spacing)
    odd = len(spacing) - (len(spacing) + 1) % 2
    weights[1:odd:2] = 4
    weights[0:odd:2] = 2
    weights[0] = weights[odd - 1] = 1
    return weights * spacing / 3


class RadialTransform:
    """F(q) = 4 pi integral r^2 j_l(qr) f(r) dr, as a spline of degree five: four times differentiable in q.

    Args:
        angular_momentum: l.
        radius: r, bohr, shape ``(nmesh,)``.
        integrand: r^2 f(r) times the weights of the integral over r, same shape.
    """

    def __init__(self, angular_momentum: int, radius: Array, integrand: Array) -> None:
        nonzero = np.flatnonzero(integrand)
        end = nonzero[-1] + 1 if len(nonzero) else 1
        self._ell = angular_momentum
        self._radius = radius[:end]
        self._integrand = integrand[:end]
        self._coefficients = torch.empty(0, DEGREE + 1, dtype=torch.float64)

    def __call__(self, q: Tensor) -> Tensor:
        """F at each |q| (1/bohr) of a tensor of any shape."""
        largest = float(q.detach().max()) if q.numel() else 0.0
        if largest >= SPACING * len(self._coefficients):
            self._tabulate(GROWTH * np.ceil(largest / GROWTH + 1e-6))
        position = q / SPACING
        interval = position.detach().long()
        offset = position - interval
        coefficients = self._coefficients.to(q.device)[interval]
        value = coefficients[..., DEGREE]
        for power in reversed(range(DEGREE)):
            value = value * offset + coefficients[..., power]
        return value

    def at(self, q: Array) -> Array:
        """F at each |q| by the quadrature itself, shape ``(nq,)``."""
        return np.asarray(4 * pi * spherical_jn(self._ell, np.multiply.outer(q, self._radius)) @ self._integrand)

    def _tabulate(self, largest: float) -> None:
        """Fit the spline up to ``largest``, with F(-q) = (-1)^l F(q) on the other side of the origin."""
        count = round(largest / SPACING)
        values = self.at(SPACING * np.arange(count + DEGREE, dtype=np.float64))
        mirrored = (-1) ** self._ell * values[DEGREE:0:-1]
        knots = np.arange(-DEGREE, count + DEGREE)
        spline = make_interp_spline(knots, np.concatenate([mirrored, values]), k=DEGREE)
        derivatives = [spline(np.arange(count), nu=order) / factorial(order) for order in range(DEGREE + 1)]
        self._coefficients = torch.tensor(np.stack(derivatives, axis=1))
