"""The electrostatic potential of an axial density, multipole by multipole."""

from __future__ import annotations

from math import pi

import numpy as np
from scipy.special import eval_legendre

from mlxc.atoms.spherical_waves import Array, Points, SphericalWaves


class Multipoles:
    """Solves Poisson's equation in a sphere beyond which there are no electrons.

    A density is the sum over L of n_L(r) P_L(x), with P_L Legendre's polynomials; only even ones are there, since both
    hemispheres are alike. In waves chi_k that vanish at the sphere's radius R the potential of n_L is the sum over k of
    (4 pi / k^2) <chi_k|n_L> chi_k(r), plus what it is at R, 4 pi Q / ((2L + 1) R^(L + 1)) with Q the integral of
    n_L r^(L + 2), times (r / R)^L.

    Args:
        points: The grid.
        radius: The radius R of the sphere, bohr.
        largest: The largest k, 1/bohr.
        order: The largest L.
    """

    def __init__(self, points: Points, radius: float, largest: float, order: int) -> None:
        self._points, self._radius = points, radius
        waves = SphericalWaves(radius, largest**2 / 2, 0.0, order + 1)
        self._orders = range(0, order + 1, 2)
        self._waves = {ell: waves.on(ell, points.radius)[0] for ell in self._orders}
        self._inverse = {ell: 4 * pi / waves.lengths[ell] ** 2 for ell in self._orders}

    def potential(self, density: Array) -> Array:
        """The potential of the electrons, hartree, of a density ``(nradius, nangle)``."""
        points, total = self._points, np.zeros_like(density)
        weights = points.radial_weights * points.radius**2
        for order in self._orders:
            legendre = eval_legendre(order, points.cosine)
            part = (2 * order + 1) / (4 * pi) * density @ (points.angular_weights * legendre)
            waves, scaled = self._waves[order], (points.radius / self._radius) ** order
            radial = waves @ (self._inverse[order] * (waves.T @ (weights * part)))
            at_edge = 4 * pi / ((2 * order + 1) * self._radius) * (weights * part * scaled).sum()
            total += np.outer(radial + at_edge * scaled, legendre)
        return total
