"""Which densities make a lattice constant: the parts add up to what a finite difference of whole functionals says."""

from __future__ import annotations

from collections.abc import Callable
from math import log

import pytest
import torch
from scipy.interpolate import BSpline
from torch import Tensor, nn

import mlxc
from mlxc import FrozenLibrary
from mlxc.frozen.curve import SolidCurve
from mlxc.frozen.resolved import (
    ALPHA_NODES,
    RS_NODES,
    S_NODES,
    bumps,
    cohesive_slopes,
    curve_slopes,
    resolved,
    resolved_lattice_constant,
)
from mlxc.frozen.screener import Screener
from mlxc.xc.analysis.domain import reduced_variables


@pytest.fixture(scope="module")
def library() -> FrozenLibrary:
    return FrozenLibrary()


class Scaled(nn.Module):
    """A functional that is larger by a share of its own which depends on r_s and s."""

    ingredients = ("rho", "grad", "tau")

    def __init__(self, functional: nn.Module, by: float, shape: Callable[[Tensor, Tensor], Tensor]) -> None:
        super().__init__()
        self.functional, self.by, self.shape = functional, by, shape

    def forward(self, rho: Tensor, grad: Tensor, tau: Tensor) -> Tensor:
        given = {"rho": rho, "grad": grad, "tau": tau}
        seen = reduced_variables(**given)
        energy: Tensor = self.functional(**{name: given[name] for name in self.functional.ingredients})
        return energy * (1 + self.by * self.shape(seen["rs"], seen["s"]))


def lattice_constant(curve: SolidCurve, functional: nn.Module) -> float:
    with torch.no_grad():
        return float(curve.predictions(functional)["lattice_constant_ang"])


def by_finite_difference(curve: SolidCurve, functional: nn.Module, shape: Callable[[Tensor, Tensor], Tensor]) -> float:
    step = 1e-5
    more, less = (lattice_constant(curve, Scaled(functional, by, shape)) for by in (step, -step))
    return (more - less) / (2 * step)


@pytest.mark.parametrize("name", ["pbe", "r2scan"])
@pytest.mark.parametrize("solid", ["Na_bcc", "Ni_fcc"])
def test_the_parts_add_up_to_the_response_to_a_scaled_functional(library: FrozenLibrary, solid: str, name: str) -> None:
    curve, functional = library.curve(solid), mlxc.functional(name)
    found = resolved_lattice_constant(curve, functional)
    expected = by_finite_difference(curve, functional, lambda rs, s: torch.ones_like(rs))
    assert found.total == pytest.approx(expected, rel=1e-5)
    assert float(found.by_alpha.sum()) == pytest.approx(expected, rel=1e-5)
    assert found.by_rs_and_s.shape == (len(RS_NODES), len(S_NODES))
    assert len(found.by_alpha) == len(ALPHA_NODES)


@pytest.mark.parametrize("quantity", ["bulk_modulus_gpa", "cohesive_energy_ev"])
def test_parts_of_a_modulus_and_of_a_cohesive_energy_add_up_as_well(library: FrozenLibrary, quantity: str) -> None:
    pbe, screener = mlxc.functional("pbe"), Screener(library)
    difference = library.difference("Si_diamond")
    assert difference is not None
    slopes = {
        "bulk_modulus_gpa": lambda: curve_slopes(difference.curve, pbe, "bulk_modulus"),
        "cohesive_energy_ev": lambda: cohesive_slopes(difference, pbe),
    }[quantity]()
    scaled = [screener.row(screener.candidate(f"{1 + by}*pbe"), "Si_diamond", "") for by in (1e-4, -1e-4)]
    expected = (getattr(scaled[0], quantity) - getattr(scaled[1], quantity)) / 2e-4
    assert resolved(slopes, pbe).total == pytest.approx(expected, rel=1e-4)


def test_a_part_is_the_response_to_a_functional_that_is_scaled_there_only(library: FrozenLibrary) -> None:
    curve, functional = library.curve("Ag_fcc"), mlxc.functional("pbe")
    found = resolved_lattice_constant(curve, functional).by_rs_and_s
    row, column = divmod(int(found.abs().argmax()), len(S_NODES))

    def bump(rs: Tensor, s: Tensor) -> Tensor:
        spline = BSpline.basis_element([-2, -1, 0, 1, 2], extrapolate=False)
        places = (rs / RS_NODES[row]).log() / log(RS_NODES[1] / RS_NODES[0]), (s - S_NODES[column]) / S_NODES[1]
        first, second = (torch.nan_to_num(torch.from_numpy(spline(place.numpy()))) for place in places)
        return first * second

    assert float(found[row, column]) == pytest.approx(by_finite_difference(curve, functional, bump), rel=1e-4)


def test_bumps_add_up_to_one_everywhere() -> None:
    values = torch.linspace(-1, 9, 101, dtype=torch.float64)
    assert bumps(values, [0.0, 2.0, 4.0, 6.0]).sum(1) == pytest.approx(torch.ones(101), abs=1e-12)


@pytest.mark.parametrize("solid", ["Na_bcc", "Ag_fcc"])
def test_two_functionals_differ_by_the_sum_of_the_parts_to_first_order(library: FrozenLibrary, solid: str) -> None:
    curve, pbe = library.curve(solid), mlxc.functional("pbe")
    near = mlxc.functional("0.98*pbe + 0.02*pbesol")
    found = resolved_lattice_constant(curve, near, against=pbe, around=pbe)
    difference = lattice_constant(curve, near) - lattice_constant(curve, pbe)
    assert found.total == pytest.approx(difference, rel=0.02)
