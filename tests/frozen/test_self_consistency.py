"""What self-consistency may change: nothing for the functional of the densities, and of second order for all others."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

import mlxc
from mlxc.frozen.curve import compute_curve
from mlxc.frozen.library import FrozenLibrary
from mlxc.frozen.screening import screen
from mlxc.frozen.self_consistency import SelfConsistencyEstimate
from mlxc.frozen.snapshot import Snapshot
from mlxc.observables.of_curves import lattice_constant

SOLIDS = ("Al_fcc", "Si_diamond", "Ni_fcc")
LIBRARY = FrozenLibrary()


def weights(name: str) -> dict[str, float]:
    estimate = SelfConsistencyEstimate(LIBRARY, SOLIDS)
    potential = estimate.potential(mlxc.functional(name))
    found = {solid: estimate.weight(potential, solid) for solid in SOLIDS}
    return {solid: weight for solid, weight in found.items() if weight is not None}


def slope_of_energy(snapshot: Snapshot, names: tuple[str, str]) -> Tensor:
    """d(e' - e)/d|grad n| of a crystal without spin, by central differences."""
    found = []
    for name in names:
        module, step = mlxc.functional(name), 1e-5
        sides = [
            module(rho=snapshot.ingredients["rho"], grad=snapshot.ingredients["grad"] * (1 + sign * step))
            for sign in (1, -1)
        ]
        found.append((sides[0] - sides[1]) / (2 * step * snapshot.ingredients["grad"].norm(dim=1)[0]))
    return (found[0] - found[1]).detach()


def test_the_functional_of_the_densities_changes_nothing() -> None:
    assert set(weights("pbe").values()) == {0.0}
    rows = screen(["pbe", "pbesol"], LIBRARY, solids=["Al_fcc"]).rows
    assert rows[0].self_consistency_percent == 0
    assert 0 < (rows[1].self_consistency_percent or 0.0) < 0.05


def test_what_changes_is_of_second_order_in_the_difference_of_functionals() -> None:
    whole, half = weights("pbesol"), weights("0.5*pbe + 0.5*pbesol")
    for solid in SOLIDS:
        assert half[solid] == pytest.approx(whole[solid] / 4, rel=1e-9)


def test_the_estimate_is_the_integral_of_the_squared_gradient_potential() -> None:
    snapshots = LIBRARY.curve("Si_diamond").snapshots
    middle = snapshots[len(snapshots) // 2]
    potential = slope_of_energy(middle, ("pbesol", "pbe"))
    integral = float((middle.volumes * middle.ingredients["rho"][0] * potential.square()).sum())
    # It takes some of the points only.
    assert weights("pbesol")["Si_diamond"] == pytest.approx(integral, rel=0.2)


def test_a_functional_without_a_derivative_has_no_estimate() -> None:
    class Constant(torch.nn.Module):
        ingredients = ("rho", "grad")

        def forward(self, rho: Tensor, grad: Tensor) -> Tensor:
            return -rho.sum(0).detach()

    estimate = SelfConsistencyEstimate(LIBRARY, SOLIDS)
    assert estimate.weight(estimate.potential(Constant()), "Al_fcc") is None
    (row,) = screen([Constant()], LIBRARY, solids=["Al_fcc"]).rows
    assert row.self_consistency_percent is None


def test_who_asks_for_one_solid_waits_for_a_few_only() -> None:
    class Counted(torch.nn.Module):
        ingredients = ("rho", "grad")
        points = 0

        def forward(self, rho: Tensor, grad: Tensor) -> Tensor:
            self.points += rho.shape[-1]
            return -grad.square().sum((0, 1))

    estimate, counted = SelfConsistencyEstimate(LIBRARY, LIBRARY.names), Counted()
    potential = estimate.potential(counted)
    assert estimate.weight(potential, LIBRARY.names[0]) is not None
    few = counted.points
    for name in LIBRARY.names:
        assert estimate.weight(potential, name) is not None
    assert 0 < few < counted.points / 5


@pytest.mark.thorough
@pytest.mark.parametrize("name", ["pbesol", pytest.param("r2scan", marks=pytest.mark.slow)])
def test_a_self_consistent_lattice_constant_is_within_the_estimate(name: str) -> None:
    (row,) = screen([name], LIBRARY, solids=["Al_fcc"]).rows
    curve = compute_curve(LIBRARY.solids["Al_fcc"], name)
    found = lattice_constant(curve.energy_curve(mlxc.functional(name)))
    assert found is not None
    assert row.lattice_constant_ang is not None
    assert row.self_consistency_percent is not None
    change = 100 * abs(float(found) / row.lattice_constant_ang - 1)
    assert change < row.self_consistency_percent < 0.2
