"""The energy against the moment: extrema of curves that are known in closed form, and branches."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlxc.properties.moment_curve import Branch, MomentCurve, MomentPoint, joined_sweeps

ZERO_TO_THREE = np.linspace(0, 3, 9)


def point(moment: float, energy: float, slope: float | None, branch: Branch = "up") -> MomentPoint:
    """A point whose Fermi levels are apart by twice the slope."""
    levels = (None, None) if slope is None else (0.1 + slope, 0.1 - slope)
    return MomentPoint(moment, energy, {"xc": -1.0}, -0.01 * moment**2, 7, True, *levels, branch)


def curve_of(coefficients: list[float], moments: np.ndarray, with_slopes: bool = True) -> MomentCurve:
    """F(M) as a polynomial in M^2, Landau's expansion, at some moments."""
    powers = np.zeros(2 * len(coefficients) - 1)
    powers[::2] = coefficients
    energy = np.polynomial.Polynomial(powers)
    slope = energy.deriv()
    return MomentCurve(tuple(point(m, energy(m), float(slope(m)) if with_slopes else None) for m in moments.tolist()))


def test_the_slope_is_half_the_distance_of_the_fermi_levels() -> None:
    assert point(1.0, -1.0, 0.03).slope_ha == pytest.approx(0.03)
    assert point(1.0, -1.0, None).slope_ha is None


@given(st.floats(0.005, 0.03), st.floats(0.4, 2.4))
def test_a_ferromagnet_has_its_minimum_where_landau_has_it(criterion: float, wanted: float) -> None:
    """F = -a M^2 + b M^4 has a maximum at 0 and a minimum at sqrt(a / 2b)."""
    quartic = criterion / (2 * wanted**2)
    curve = curve_of([-5.0, -criterion, quartic], ZERO_TO_THREE)
    maximum, minimum = curve.extrema
    assert (maximum.moment, maximum.is_minimum) == (0.0, False)
    assert minimum.moment == pytest.approx(wanted, abs=0.02)
    assert minimum.free_energy_ha == pytest.approx(-5 - criterion**2 / (4 * quartic), abs=2e-4)
    assert curve.ground == minimum


def test_the_curve_between_points_is_more_exact_with_more_points() -> None:
    """F = -a M^2 + b M^4; the error of a cubic with the right slopes is of fourth order in the distance."""
    moments = np.linspace(0, 3, 601)
    exact = -0.02 * moments**2 + 0.0025 * moments**4
    curves = [curve_of([0.0, -0.02, 0.0025], np.linspace(0, 3, n)) for n in (4, 7, 13)]
    errors = [np.abs(curve(moments) - exact).max() for curve in curves]
    assert errors[0] == pytest.approx(16 * errors[1], rel=0.05)
    assert errors[1] == pytest.approx(16 * errors[2], rel=0.05)


def test_without_stoners_criterion_the_only_minimum_is_at_zero() -> None:
    curve = curve_of([-5.0, 0.01, 0.002], ZERO_TO_THREE)
    assert [(e.moment, e.free_energy_ha) for e in curve.extrema] == [(0.0, -5.0)]
    assert curve.ground is not None
    assert curve.ground.moment == 0


def test_next_to_zero_the_curve_is_even_on_both_sides() -> None:
    """F = 0.01 M^2 + 0.02 M^4: a cubic through the same points would have a maximum at 0, and minima beside it."""
    for moments in ([0.0, 1.0, 1.5], [-1.5, -1.0, 0.0], [-1.0, 0.0, 1.0, 1.5]):
        curve = curve_of([-5.0, 0.01, 0.02], np.array(moments))
        ((place, is_minimum),) = [(e.moment, e.is_minimum) for e in curve.extrema]
        assert place == pytest.approx(0, abs=1e-9)
        assert is_minimum
        inside = np.linspace(max(moments[0], -1.0), min(moments[-1], 1.0), 21)
        assert curve(inside) == pytest.approx(-5 + 0.01 * inside**2 + 0.02 * inside**4, abs=1e-12)


def test_two_states_are_two_minima_with_a_maximum_between_them() -> None:
    """F = M^2 (M^2 - 4)^2 / 100 - tilt M^2: metastable at zero, as iron with an fcc lattice can be."""
    curve = curve_of([0.0, 0.16 - 0.01, -0.08, 0.01], np.linspace(0, 3, 16))
    assert [e.is_minimum for e in curve.extrema] == [True, False, True]
    zero, _, high = curve.extrema
    assert high.free_energy_ha < zero.free_energy_ha == 0
    assert curve.ground == high
    plain = curve.to_dict()
    assert [minimum["is_global"] for minimum in plain["minima"]] == [False, True]
    assert plain["moment0_bohr_magneton"] == high.moment


def test_a_curve_over_both_signs_is_symmetric() -> None:
    curve = curve_of([0.0, -0.02, 0.0025], np.linspace(-3, 3, 13))
    low, zero, high = curve.extrema
    assert (low.moment, zero.moment) == pytest.approx((-high.moment, 0.0), abs=1e-9)
    assert [e.is_minimum for e in curve.extrema] == [True, False, True]


@pytest.mark.parametrize("moments", [(0.0, 0.5, 1.0), (2.5, 3.0, 4.0)])
def test_an_end_of_the_range_is_no_minimum(moments: tuple[float, ...]) -> None:
    curve = curve_of([0.0, -0.02, 0.0025], np.array(moments))
    assert not curve.minima
    assert curve.ground is None
    assert curve.to_dict()["moment0_bohr_magneton"] is None


def test_with_fixed_occupations_a_point_is_the_minimum() -> None:
    triplet = curve_of([0.0, -0.02, 0.0025], np.array([0.0, 2.0, 4.0]), with_slopes=False)
    assert [(e.moment, e.is_minimum) for e in triplet.extrema] == [(0.0, False), (2.0, True)]
    mirrored = curve_of([0.0, -0.02, 0.0025], np.array([-4.0, -2.0, 0.0]), with_slopes=False)
    assert [(e.moment, e.is_minimum) for e in mirrored.extrema] == [(-2.0, True), (0.0, False)]
    singlet = curve_of([0.0, 0.02], np.array([0.0, 2.0, 4.0]), with_slopes=False)
    assert [(e.moment, e.is_minimum) for e in singlet.extrema] == [(0.0, True)]
    # Nothing is known between the points.
    assert singlet(1.0) == pytest.approx((singlet(0.0) + singlet(2.0)) / 2)


def test_both_ways_are_one_curve_where_they_find_the_same_state() -> None:
    up = [point(m, -1.0 - m, -1.0) for m in (0.0, 1.0)]
    down = [point(m, -1.0 - m + 1e-8, -1.0, "down") for m in (1.0, 0.0)]
    curve = joined_sweeps([*up, point(2.0, -3.0, -1.0, "both"), *down], natoms=1)
    assert [p.branch for p in curve.points] == ["both"] * 3
    assert not curve.hysteresis


def test_where_both_ways_differ_the_lower_one_counts_and_both_are_kept() -> None:
    up = [point(m, e, 0.0) for m, e in ((0.0, 0.0), (1.0, 0.2), (2.0, 0.5))]
    down = [point(m, e, 0.0, "down") for m, e in ((2.0, 0.1), (1.0, 0.3), (0.0, 0.0))]
    curve = joined_sweeps([*up, point(3.0, 0.2, 0.0, "both"), *down], natoms=1)
    assert [(p.moment, p.branch) for p in curve.points] == [
        (0.0, "both"), (1.0, "up"), (1.0, "down"), (2.0, "up"), (2.0, "down"), (3.0, "both"),
    ]  # fmt: skip
    assert [p.branch for p in curve.lowest] == ["both", "up", "down", "both"]
    (place,) = curve.hysteresis
    assert (place["lowest_moment"], place["highest_moment"]) == (1.0, 2.0)
    assert place["largest_difference_ha"] == pytest.approx(0.4)


def test_a_point_is_the_same_after_it_was_plain_data() -> None:
    original = point(0.5, -1.0, 0.01)
    record = {"kind": "moment", "index": 0, **original.to_dict()}
    assert MomentPoint.from_dict(record) == original
