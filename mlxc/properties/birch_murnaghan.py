"""The third-order Birch-Murnaghan equation of state: E(V) is a cubic polynomial in V^(-2/3).

F. Birch, Phys. Rev. 71, 809 (1947).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mlxc.errors import MlxcError


class FitError(MlxcError):
    """The points have no minimum that an equation of state could describe."""


@dataclass(frozen=True)
class BirchMurnaghan:
    """Parameters of the fit, in whatever units of energy and volume the points had.

    Attributes:
        energy0: energy at the minimum.
        volume0: volume at the minimum.
        bulk_modulus: V d2E/dV2 at the minimum, energy per volume.
        bulk_modulus_derivative: dB/dP at the minimum.
    """

    energy0: float
    volume0: float
    bulk_modulus: float
    bulk_modulus_derivative: float

    def __call__(self, volume: ArrayLike) -> NDArray[np.float64]:
        """Energy at ``volume``."""
        x = (self.volume0 / np.asarray(volume, dtype=np.float64)) ** (2 / 3)
        shape = (x - 1) ** 3 * self.bulk_modulus_derivative + (x - 1) ** 2 * (6 - 4 * x)
        return np.asarray(self.energy0 + 9 * self.volume0 * self.bulk_modulus / 16 * shape)


def fit_birch_murnaghan(volumes: ArrayLike, energies: ArrayLike) -> BirchMurnaghan:
    """Least-squares fit through at least four points.

    Raises:
        FitError: fewer than four points, or no minimum between the smallest and the largest volume.
    """
    v = np.asarray(volumes, dtype=np.float64)
    e = np.asarray(energies, dtype=np.float64)
    if len(v) < 4:
        raise FitError(f"An equation of state needs at least 4 points, not {len(v)}.")
    # y = (V / mean V)^(-2/3) is near one, which keeps the normal equations well conditioned.
    scale = v.mean()
    cubic = np.polynomial.Polynomial.fit((v / scale) ** (-2 / 3), e - e.mean(), 3).convert()
    first, second, third = cubic.deriv(1), cubic.deriv(2), cubic.deriv(3)
    roots = first.roots()
    inside = [
        float(y.real)
        for y in np.atleast_1d(roots)
        if abs(y.imag) < 1e-12 and second(y.real) > 0 and v.min() <= scale * y.real**-1.5 <= v.max()
    ]
    if not inside:
        raise FitError(f"The energies have no minimum between {v.min():.4g} and {v.max():.4g}{_where_it_lies(v, e)}.")
    y = inside[0]
    volume0 = scale * y**-1.5
    # dy/dV = -(2/3) y / V; at the minimum E'(y) = 0, which leaves these two derivatives with respect to V.
    d2 = second(y) * (2 * y / (3 * volume0)) ** 2
    d3 = -third(y) * (2 * y / (3 * volume0)) ** 3 - second(y) * (20 / 9) * y**2 / volume0**3
    return BirchMurnaghan(
        float(cubic(y) + e.mean()), float(volume0), float(volume0 * d2), float(-1 - volume0 * d3 / d2)
    )


def _where_it_lies(volumes: NDArray[np.float64], energies: NDArray[np.float64]) -> str:
    """Words on the side on which the energies still fall, if they do on one."""
    by_volume = np.argsort(volumes)
    lowest = int(energies[by_volume].argmin())
    if lowest == 0:
        return ": they still fall at the smallest, so choose smaller ones as well"
    if lowest == len(volumes) - 1:
        return ": they still fall at the largest, so choose larger ones as well"
    return ": choose points around the equilibrium"
