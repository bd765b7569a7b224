"""Orbitals of a free atom in a sphere: spherical waves below the cutoff that plane waves of a crystal have.

An orbital of angular momentum m about the axis is a sum over l and k of c_lk chi_lk(r) Theta_lm(x) exp(i m phi), with
chi_lk(r) = N j_l(kr), which vanishes at the sphere's radius, and x the cosine of the polar angle. Such waves are
orthonormal, and their kinetic energy is k^2 / 2: an atom in them has the error of the cutoff that it has in plane
waves, and no images.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from math import pi, sqrt

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import sph_harm_y, spherical_jn

from mlxc.basis.planewave.cutoff import kinetic_energies

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Points:
    """A grid of half a plane through the axis, which stands for all of space by symmetry.

    Attributes:
        radius: Distances from the nucleus, bohr, shape ``(nradius,)``.
        radial_weights: The weights of an integral over them, without r^2.
        cosine: Cosines of the polar angle, shape ``(nangle,)``, of one hemisphere.
        angular_weights: The weights of an integral over all angles; their sum is 4 pi.
    """

    radius: Array
    radial_weights: Array
    cosine: Array
    angular_weights: Array

    @classmethod
    def gauss(cls, largest: float, nradius: int, nangle: int) -> Points:
        """Gauss-Legendre points, in the root of the radius, so that they are dense near the nucleus."""
        x, weights = np.polynomial.legendre.leggauss(nradius)
        t = (x + 1) / 2
        cosine, angular = np.polynomial.legendre.leggauss(2 * nangle)
        return cls(largest * t**2, largest * t * weights, cosine[nangle:], 4 * pi * angular[nangle:])

    def shells(self, nearest: float, farthest: float, nangle: int) -> Points:
        """Those between two distances, bohr, each with so many angles in one hemisphere as are given."""
        chosen = (self.radius >= nearest) & (self.radius < farthest)
        angles = Points.gauss(self.radius[-1], 1, nangle)
        return Points(self.radius[chosen], self.radial_weights[chosen], angles.cosine, angles.angular_weights)

    @property
    def volumes(self) -> Array:
        """The volume that each point stands for, bohr^3, shape ``(nradius, nangle)``."""
        return np.asarray(np.outer(self.radial_weights * self.radius**2, self.angular_weights))

    def harmonic(self, ell: int, m: int) -> tuple[Array, Array]:
        """Theta_lm, of which the square has the integral 1 over all angles, and its derivative by the polar angle."""
        value, slopes = sph_harm_y(ell, m, np.arccos(self.cosine), 0.0, diff_n=1)
        return np.asarray(value.real), np.asarray(slopes[..., 0].real)


class SphericalWaves:
    """The waves of all angular momenta up to one.

    Args:
        largest_radius: The radius of the sphere, bohr.
        ecut: The cutoff, hartree.
        smoothing: The width below the cutoff over which kinetic energies rise, hartree.
        ells: Angular momenta from 0 to ``ells - 1``.

    Attributes:
        largest_radius: See above.
        ells: See above.
        lengths: k by l, 1/bohr.
        norms: N by l, bohr^(-3/2).
        kinetic: Kinetic energies by l, hartree.
    """

    def __init__(self, largest_radius: float, ecut: float, smoothing: float, ells: int) -> None:
        self.largest_radius, self.ells = largest_radius, ells
        zeros = [_zeros(ell, sqrt(2 * ecut) * largest_radius) for ell in range(ells)]
        self.lengths = [found / largest_radius for found in zeros]
        self.norms = [
            sqrt(2 / largest_radius**3) / np.abs(spherical_jn(ell + 1, found)) for ell, found in enumerate(zeros)
        ]
        self.kinetic = [_kinetic(lengths, ecut, smoothing) for lengths in self.lengths]

    def on(self, ell: int, radius: Array) -> tuple[Array, Array]:
        """chi and its slope on a radial grid, each ``(nradius, nwave)``."""
        kr = np.outer(radius, self.lengths[ell])
        values, slopes = spherical_jn(ell, kr), spherical_jn(ell, kr, derivative=True)
        return np.asarray(self.norms[ell] * values), np.asarray(self.norms[ell] * self.lengths[ell] * slopes)


def _kinetic(lengths: Array, ecut: float, smoothing: float) -> Array:
    vectors = torch.zeros(len(lengths), 3, dtype=torch.float64)
    vectors[:, 0] = torch.from_numpy(lengths)
    return np.asarray(kinetic_energies(vectors, ecut, smoothing).numpy())


def _zeros(ell: int, largest: float) -> Array:
    """The zeros of j_l below a number; between each two of them is one of j_(l+1)."""
    zeros = pi * np.arange(1, int(largest / pi) + ell + 2)
    for order in range(1, ell + 1):
        bessel = partial(spherical_jn, order)
        zeros = np.array([brentq(bessel, *pair, xtol=1e-13) for pair in pairwise(zeros)])
    return np.asarray(zeros[zeros < largest])
