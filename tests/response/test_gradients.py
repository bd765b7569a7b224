"""Gradients of the free energy with respect to the functional's parameters."""

from __future__ import annotations

import pytest
import torch

import mlxc
from mlxc import Crystal, FermiDirac, PlaneWaves
from mlxc.xc.gga import PBE, PBE_MU


def free_energy(xc: torch.nn.Module) -> torch.Tensor:
    return mlxc.scf(
        Crystal.load("al"), xc=xc, basis=PlaneWaves(8.0), kmesh=(3, 3, 3), smearing=FermiDirac(0.01), tolerance=1e-9
    ).energy


@pytest.mark.thorough
def test_gradient_equals_the_finite_difference_of_converged_energies() -> None:
    xc = mlxc.functional("pbe-kappa-mu")
    free_energy(xc).backward()
    step = 1e-3
    for parameter, shifted in (("kappa", {"kappa": 0.804}), ("mu", {"mu": PBE_MU})):
        ((name, value),) = shifted.items()
        upper, lower = (float(free_energy(PBE(**{name: value + sign * step}))) for sign in (1, -1))
        gradient = float(xc.get_parameter(parameter).grad)
        assert gradient == pytest.approx((upper - lower) / (2 * step), rel=1e-5)


def test_an_ordinary_module_with_ingredients_is_a_functional() -> None:
    class ScaledSlater(torch.nn.Module):
        ingredients = ("rho",)

        def __init__(self) -> None:
            super().__init__()
            self.scale = torch.nn.Parameter(torch.tensor(-0.738558766382022, dtype=torch.float64))

        def forward(self, rho: torch.Tensor) -> torch.Tensor:
            return self.scale * rho.sum(0) ** (4 / 3)

    xc = ScaledSlater()
    energy = free_energy(xc)
    energy.backward()
    assert torch.isfinite(energy)
    assert float(xc.scale.grad) > 0


def test_an_object_without_ingredients_is_refused_in_words() -> None:
    with pytest.raises(mlxc.InputError, match="ingredients"):
        mlxc.functional(torch.nn.Linear(1, 1))
