"""The energy of a crystal as a function of its total magnetic moment, and where it has minima. Imports no torch.

Where the moment M (Bohr magnetons) is held, each spin has a Fermi level of its own, and they tell the slope,

    dF/dM = (mu_up - mu_down) / 2.

A moment that the crystal keeps by itself is a minimum of F(M), where the levels meet; K. Schwarz, P. Mohn, J. Phys. F
14, L129 (1984); V. L. Moruzzi, P. M. Marcus, K. Schwarz, P. Mohn, Phys. Rev. B 34, 1784 (1986). Since F(-M) = F(M), the
energy has an extremum at M = 0: a maximum where Stoner's criterion is met, E. C. Stoner, Proc. R. Soc. London A 165,
372 (1938).

A crystal may have several states with one moment. Computed on the way up, each from the one at the moment before, and
on the way down again, they are different branches where the energies differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import cached_property
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from scipy.interpolate import PPoly

# The way up, the way down, and a state that is found on both ways.
Branch = Literal["up", "down", "both"]
# Energies per atom of one state differ by less, hartree: the errors of a converged SCF are a hundred times smaller.
SAME_STATE_HA = 1e-6
# Moments are the same within this, Bohr magneton.
SAME_MOMENT = 1e-9
# The slope that may be left at M = 0 of a state without a moment, hartree per Bohr magneton.
LEVEL_HA = 1e-5
# Extrema are told apart at this distance, in units of the range of moments.
RESOLUTION = 1e-3


@dataclass(frozen=True)
class MomentPoint:
    """The state at one moment; all energies are per cell.

    Attributes:
        moment: The moment that is held, Bohr magneton per cell.
        free_energy_ha: F = E - TS.
        energies_ha: The terms of F.
        polarisation_energy_ha: E_xc minus what it would be with the same density and all spins paired, which is what
            the moment gains by exchange and correlation; at M = 0 there is none, unless moments of atoms cancel.
        iterations: The number of SCF steps.
        converged: Whether the SCF has converged.
        fermi_level_up_ha, fermi_level_down_ha: The Fermi levels of both spins; None where occupations are fixed.
        branch: The way on which the state was found.
    """

    moment: float
    free_energy_ha: float
    energies_ha: Mapping[str, float]
    polarisation_energy_ha: float
    iterations: int
    converged: bool
    fermi_level_up_ha: float | None
    fermi_level_down_ha: float | None
    branch: Branch

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """The point that :meth:`to_dict` has written; what else there is does not matter."""
        return cls(**{field.name: data[field.name] for field in fields(cls)})

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)

    @property
    def slope_ha(self) -> float | None:
        """dF/dM, hartree per Bohr magneton; None where occupations are fixed."""
        if self.fermi_level_up_ha is None or self.fermi_level_down_ha is None:
            return None
        return (self.fermi_level_up_ha - self.fermi_level_down_ha) / 2


@dataclass(frozen=True)
class Extremum:
    """A minimum or a maximum of F(M).

    Attributes:
        moment: Where it lies, Bohr magneton per cell.
        free_energy_ha: F there, per cell.
        is_minimum: Whether it is a minimum.
    """

    moment: float
    free_energy_ha: float
    is_minimum: bool


@dataclass(frozen=True)
class MomentCurve:
    """F(M) through points, ascending in the moment; where there are several branches, the lowest counts.

    Between points it is the cubic that has their energies and slopes; next to M = 0 the polynomial in M^2, since a term
    of third order would tell M from -M. With fixed occupations there is nothing between points: each spin holds whole
    electrons.

    Attributes:
        points: The points of all branches.
    """

    points: tuple[MomentPoint, ...]

    @cached_property
    def lowest(self) -> tuple[MomentPoint, ...]:
        """The lowest point at each moment."""
        return tuple(min(points, key=lambda point: point.free_energy_ha) for points in _by_moment(self.points))

    def __call__(self, moments: ArrayLike) -> NDArray[np.float64]:
        """F at moments within the range, hartree per cell."""
        if self._between is None:
            known = [p.moment for p in self.lowest], [p.free_energy_ha for p in self.lowest]
            return np.asarray(np.interp(np.asarray(moments, dtype=np.float64), *known))
        return np.asarray(self._between(moments))

    @cached_property
    def _between(self) -> PPoly | None:
        slopes = [point.slope_ha for point in self.lowest]
        if len(slopes) < 2 or None in slopes:
            return None
        from scipy.interpolate import CubicHermiteSpline, PPoly

        moments = [point.moment for point in self.lowest]
        cubic = CubicHermiteSpline(moments, [point.free_energy_ha for point in self.lowest], slopes)
        coefficients = np.pad(cubic.c, ((1, 0), (0, 0)))
        for index, (first, second) in enumerate(pairwise(self.lowest)):
            if _is_even(first):
                coefficients[:, index] = _even(first.free_energy_ha, second, first.moment)
            elif _is_even(second):
                coefficients[:, index] = _even(second.free_energy_ha, first, first.moment)
        return PPoly(coefficients, moments)

    @cached_property
    def extrema(self) -> tuple[Extremum, ...]:
        """Minima and maxima, ascending in the moment; the ends of the range are none, but for M = 0."""
        return tuple(self._of_points() if self._between is None else self._of_curve(self._between))

    @property
    def minima(self) -> tuple[Extremum, ...]:
        """The moments that the crystal can keep by itself."""
        return tuple(extremum for extremum in self.extrema if extremum.is_minimum)

    @property
    def ground(self) -> Extremum | None:
        """The lowest minimum; None where there is none, or a point at an end of the range lies below it."""
        lowest = min(self.minima, key=lambda extremum: extremum.free_energy_ha, default=None)
        if lowest is None or lowest.free_energy_ha > min(p.free_energy_ha for p in self.lowest) + SAME_STATE_HA:
            return None
        return lowest

    def _of_curve(self, curve: PPoly) -> Iterator[Extremum]:
        first, last = self.lowest[0].moment, self.lowest[-1].moment
        apart, slope = RESOLUTION * (last - first), curve.derivative()
        roots = slope.roots(extrapolate=False)
        known = first - 2 * apart
        if _is_zero(first):
            yield Extremum(first, float(curve(first)), bool(slope(first + apart) > 0))
            known = first
        for root in np.sort(roots[np.isfinite(roots)]):
            before, after = slope(root - apart), slope(root + apart)
            mirrored = _is_zero(last) and root > last - apart
            if root > known + apart and before * after < 0 and not mirrored:
                yield Extremum(float(root), float(curve(root)), bool(before < 0))
                known = root
        if _is_zero(last):
            yield Extremum(last, float(curve(last)), bool(slope(last - apart) < 0))

    def _of_points(self) -> Iterator[Extremum]:
        energies = [point.free_energy_ha for point in self.lowest]
        if len(energies) < 2:
            return
        # On the other side of M = 0 lies the mirror image.
        first = energies[1] if _is_zero(self.lowest[0].moment) else np.nan
        last = energies[-2] if _is_zero(self.lowest[-1].moment) else np.nan
        for point, before, after in zip(self.lowest, [first, *energies], [*energies[1:], last], strict=False):
            energy = point.free_energy_ha
            if before > energy < after or before < energy > after:
                yield Extremum(point.moment, energy, bool(before > energy))

    @property
    def hysteresis(self) -> list[dict[str, float]]:
        """The ranges of moments in which the way up and the way down find different states, as plain data."""
        ranges = []
        for differ, group in groupby(_by_moment(self.points), key=lambda points: len(points) > 1):
            if differ:
                inside = list(group)
                energies = [[point.free_energy_ha for point in points] for points in inside]
                ranges.append(
                    {
                        "lowest_moment": inside[0][0].moment,
                        "highest_moment": inside[-1][0].moment,
                        "largest_difference_ha": max(max(both) - min(both) for both in energies),
                    }
                )
        return ranges

    def to_dict(self) -> dict[str, Any]:
        """Curve, extrema and points as plain data; what is not known is None."""
        ground = self.ground
        return {
            "moments_bohr_magneton": [point.moment for point in self.lowest],
            "free_energies_ha": [point.free_energy_ha for point in self.lowest],
            "moment0_bohr_magneton": ground and ground.moment,
            "free_energy0_ha": ground and ground.free_energy_ha,
            "minima": [_plain(minimum) | {"is_global": minimum == ground} for minimum in self.minima],
            "maxima": [_plain(extremum) for extremum in self.extrema if not extremum.is_minimum],
            "hysteresis": self.hysteresis,
            "points": [point.to_dict() for point in self.points],
        }


def joined_sweeps(points: Iterable[MomentPoint], natoms: int) -> MomentCurve:
    """The curve of points that were found on the way up and, perhaps, on the way down again.

    Args:
        points: The points in any order.
        natoms: The number of atoms in the cell: where the energies per atom agree, both ways have found one state.
    """
    joined: list[MomentPoint] = []
    for ways in _by_moment(points):
        energies = [point.free_energy_ha for point in ways]
        if len(ways) > 1 and max(energies) - min(energies) <= natoms * SAME_STATE_HA:
            joined.append(replace(ways[0], branch="both"))
        else:
            joined += ways
    return MomentCurve(tuple(joined))


def _by_moment(points: Iterable[MomentPoint]) -> list[Sequence[MomentPoint]]:
    """The points at each moment, ascending."""
    ordered = sorted(points, key=lambda point: point.moment)
    return [list(group) for _, group in groupby(ordered, key=lambda point: round(point.moment / SAME_MOMENT))]


def _is_even(point: MomentPoint) -> bool:
    """Whether the point lies at M = 0 and is its own mirror image, as one whose atoms' moments cancel may not be."""
    return _is_zero(point.moment) and abs(point.slope_ha or 0.0) < LEVEL_HA


def _even(zero: float, point: MomentPoint, origin: float) -> NDArray[np.float64]:
    """F(0) + a M^2 + b M^4 through a point with its slope: coefficients of powers of M - origin, the highest first."""
    moment, rise = point.moment, point.free_energy_ha - zero
    half = (point.slope_ha or 0.0) * moment / 2
    even = np.polynomial.Polynomial([zero, 0.0, (2 * rise - half) / moment**2, 0.0, (half - rise) / moment**4])
    shifted = even(np.polynomial.Polynomial([origin, 1.0])).coef
    return np.asarray(np.pad(shifted, (0, 5 - len(shifted)))[::-1], dtype=np.float64)


def _is_zero(moment: float) -> bool:
    return abs(moment) <= SAME_MOMENT


def _plain(extremum: Extremum) -> dict[str, Any]:
    return {"moment": extremum.moment, "free_energy_ha": extremum.free_energy_ha}
