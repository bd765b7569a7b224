"""Which densities make a lattice constant: the parts add up to what a finite difference of whole functionals says."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

import mlxc
from mlxc import FrozenLibrary
from mlxc.frozen.curve import SolidCurve
from mlxc.frozen.resolved import ALPHA_EDGES, RS_EDGES, S_EDGES, resolved_lattice_constant
from mlxc.xc.analysis.domain import reduced_variables


@pytest.fixture(scope="module")
def library() -> FrozenLibrary:
    return FrozenLibrary()


class Scaled(nn.Module):
    """A functional that is larger by a factor where the density has one of some r_s and s."""

    def __init__(self, functional: nn.Module, by: float, rs: tuple[float, float], s: tuple[float, float]) -> None:
        super().__init__()
        self.ingredients = ("rho", "grad", "tau")
        self.functional, self.by, self.rs, self.s = functional, by, rs, s

    def forward(self, rho: Tensor, grad: Tensor, tau: Tensor) -> Tensor:
        given = {"rho": rho, "grad": grad, "tau": tau}
        seen = reduced_variables(**given)
        inside = torch.ones_like(seen["rs"], dtype=torch.bool)
        for name, (low, high) in (("rs", self.rs), ("s", self.s)):
            inside &= (seen[name] > low) & (seen[name] <= high)
        energy: Tensor = self.functional(**{name: given[name] for name in self.functional.ingredients})
        return energy * (1 + self.by * inside.double())


def lattice_constant(curve: SolidCurve, functional: nn.Module) -> float:
    with torch.no_grad():
        return float(curve.predictions(functional)["lattice_constant_ang"])


def by_finite_difference(curve: SolidCurve, functional: nn.Module, *where: tuple[float, float]) -> float:
    step = 1e-5
    more, less = (lattice_constant(curve, Scaled(functional, by, *where)) for by in (step, -step))
    return (more - less) / (2 * step)


EVERYWHERE = (-1.0, float("inf"))


@pytest.mark.parametrize("name", ["pbe", "r2scan"])
@pytest.mark.parametrize("solid", ["Na_bcc", "Ni_fcc"])
def test_the_parts_add_up_to_the_response_to_a_scaled_functional(library: FrozenLibrary, solid: str, name: str) -> None:
    curve, functional = library.curve(solid), mlxc.functional(name)
    found = resolved_lattice_constant(curve, functional)
    expected = by_finite_difference(curve, functional, EVERYWHERE, EVERYWHERE)
    assert found.total == pytest.approx(expected, rel=1e-5)
    assert float(found.by_alpha.sum()) == pytest.approx(expected, rel=1e-5)
    assert found.by_rs_and_s.shape == (len(RS_EDGES) - 1, len(S_EDGES) - 1)
    assert len(found.by_alpha) == len(ALPHA_EDGES) - 1


def test_a_part_is_the_response_to_a_functional_that_is_scaled_there_only(library: FrozenLibrary) -> None:
    curve, functional = library.curve("Ag_fcc"), mlxc.functional("pbe")
    found = resolved_lattice_constant(curve, functional).by_rs_and_s
    row, column = divmod(int(found.abs().argmax()), len(S_EDGES) - 1)
    where = (RS_EDGES[row], RS_EDGES[row + 1]), (S_EDGES[column], S_EDGES[column + 1])
    assert float(found[row, column]) == pytest.approx(by_finite_difference(curve, functional, *where), rel=1e-4)


@pytest.mark.parametrize("solid", ["Na_bcc", "Ag_fcc"])
def test_two_functionals_differ_by_the_sum_of_the_parts_to_first_order(library: FrozenLibrary, solid: str) -> None:
    curve, pbe = library.curve(solid), mlxc.functional("pbe")
    near = mlxc.functional("0.98*pbe + 0.02*pbesol")
    found = resolved_lattice_constant(curve, near, against=pbe)
    difference = lattice_constant(curve, near) - lattice_constant(curve, pbe)
    assert found.total == pytest.approx(difference, rel=0.02)
