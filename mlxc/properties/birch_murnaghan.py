"""The Birch-Murnaghan equation of state: E(V) is a polynomial in V^(-2/3), a cubic one in the third order.

F. Birch, Phys. Rev. 71, 809 (1947).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import TYPE_CHECKING, Literal, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mlxc.errors import MlxcError

if TYPE_CHECKING:
    from torch import Tensor

Number = TypeVar("Number", float, "Tensor")


class FitError(MlxcError):
    """The points have no minimum that an equation of state could describe."""


class FewPointsError(FitError):
    """The points are too few for an equation of state."""


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

    def scatter(self, volumes: ArrayLike, energies: ArrayLike) -> float:
        """Root mean square distance of points from the curve, as a share of the range of their energies."""
        energies = np.asarray(energies, dtype=np.float64)
        return float(np.sqrt(np.mean((energies - self(volumes)) ** 2)) / np.ptp(energies))

    def __call__(self, volume: ArrayLike) -> NDArray[np.float64]:
        """Energy at ``volume``."""
        x = (self.volume0 / np.asarray(volume, dtype=np.float64)) ** (2 / 3)
        shape = (x - 1) ** 3 * self.bulk_modulus_derivative + (x - 1) ** 2 * (6 - 4 * x)
        return np.asarray(self.energy0 + 9 * self.volume0 * self.bulk_modulus / 16 * shape)


def fit_birch_murnaghan(
    volumes: ArrayLike,
    energies: ArrayLike,
    order: Literal[2, 3] = 3,
    trusted: tuple[float, float] | None = None,
) -> BirchMurnaghan:
    """Least-squares fit.

    Args:
        volumes: The volumes, shape ``(npoint,)``, at least one more than the order.
        energies: The energies, same shape.
        order: The order of the polynomial in V^(-2/3); the second order fixes the derivative of the bulk modulus at 4.
        trusted: The volumes between which a minimum is believed; by default the smallest and the largest of the points.

    Raises:
        FitError: too few points, or no minimum between the trusted volumes.
    """
    v = np.asarray(volumes, dtype=np.float64)
    e = np.asarray(energies, dtype=np.float64)
    if (different := len(np.unique(v))) <= order:
        raise FewPointsError(f"An equation of state needs at least {order + 1} points, not {different}.")
    lowest, highest = (v.min(), v.max()) if trusted is None else trusted
    # y = (V / mean V)^(-2/3) = centre + half x with x between -1 and 1, which keeps the equations well conditioned.
    scale = v.mean()
    y = (v / scale) ** (-2 / 3)
    centre, half = (y.max() + y.min()) / 2, (y.max() - y.min()) / 2
    powers = ((y - centre) / half)[:, None] ** np.arange(order + 1)
    c0, c1, c2, c3 = (*np.linalg.lstsq(powers, e - e.mean(), rcond=None)[0].tolist(), 0.0)[:4]
    x = _minimum(c1, c2, c3)
    y0 = float(centre + half * x)
    if not (y0 > 0 and lowest <= scale * y0**-1.5 <= highest):
        raise FitError(f"The energies have no minimum between {lowest:.4g} and {highest:.4g}{_where_it_lies(v, e)}.")
    volume0, energy0 = float(scale * y0**-1.5), c0 + x * (c1 + x * (c2 + x * c3)) + float(e.mean())
    second, third = (2 * c2 + 6 * c3 * x) / half**2, 6 * c3 / half**3
    return BirchMurnaghan(energy0, volume0, *moduli(volume0, y0, float(second), float(third)))


def _minimum(c1: float, c2: float, c3: float) -> float:
    """Where c1 x + c2 x^2 + c3 x^3 has its minimum, without cancellation; not a number where it has none."""
    discriminant = c2 * c2 - 3 * c1 * c3
    if discriminant <= 0 or (c2 <= 0 and c3 == 0):
        return nan
    root = discriminant**0.5
    return -c1 / (c2 + root) if c2 > 0 else (root - c2) / (3 * c3)


def moduli(volume0: Number, y: Number, second: Number, third: Number) -> tuple[Number, Number]:
    """The bulk modulus and its derivative with respect to the pressure, at a minimum of E(y).

    Args:
        volume0: volume at the minimum.
        y: V^(-2/3) at the minimum, in any unit.
        second: d2E/dy2 there.
        third: d3E/dy3 there.
    """
    # dy/dV = -(2/3) y / V; at the minimum E'(y) = 0, which leaves these two derivatives with respect to V.
    d2 = second * (2 * y / (3 * volume0)) ** 2
    d3 = -third * (2 * y / (3 * volume0)) ** 3 - second * (20 / 9) * y**2 / volume0**3
    return volume0 * d2, -1 - volume0 * d3 / d2


def _where_it_lies(volumes: NDArray[np.float64], energies: NDArray[np.float64]) -> str:
    """Words that name the side on which the energies still fall, if they fall on one."""
    by_volume = np.argsort(volumes)
    lowest = int(energies[by_volume].argmin())
    if lowest == 0:
        return ": they still fall at the smallest, so choose smaller ones as well"
    if lowest == len(volumes) - 1:
        return ": they still fall at the largest, so choose larger ones as well"
    return ": choose points around the equilibrium"
