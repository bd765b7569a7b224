"""A clamped functional is itself inside its domain, and outside it what it is at the domain's edge."""

from __future__ import annotations

import pytest
import torch
from densities import energy_and_derivatives, random_ingredients

from mlxc.xc.analysis.clamped import Clamped
from mlxc.xc.analysis.domain import reduced_variables
from mlxc.xc.analysis.probe import enhancement_at
from mlxc.xc.catalogue import functional
from mlxc.xc.lda import uniform_exchange

NOWHERE_OUTSIDE = {"rs": (0.0, 1e3), "s": (0.0, 1e6)}


@pytest.mark.parametrize("name", ["lda", "pbe", "r2scan"])
@pytest.mark.parametrize("nspin", [1, 2])
def test_inside_its_domain_a_clamped_functional_is_the_functional(name: str, nspin: int) -> None:
    ingredients = random_ingredients(nspin)
    plain = energy_and_derivatives(functional(name), ingredients)
    clamped = energy_and_derivatives(Clamped(functional(name), NOWHERE_OUTSIDE), ingredients)
    for quantity, values in plain.items():
        torch.testing.assert_close(clamped[quantity], values, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", ["pbe", "r2scan"])
def test_beyond_its_domain_the_enhancement_factor_is_that_of_the_edge(name: str) -> None:
    rs, s, alpha = (torch.tensor([value], dtype=torch.float64) for value in (9.0, 8.0, 1.0))
    edge_rs, edge_s = torch.full_like(rs, 4.0), torch.full_like(s, 2.0)
    clamped = Clamped(functional(name), {"rs": (0.1, 4.0), "s": (0.0, 2.0)})
    found = enhancement_at(clamped, rs, None, s, alpha)
    expected = enhancement_at(functional(name), edge_rs, None, edge_s, alpha)
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=0)


@pytest.mark.parametrize("nspin", [1, 2])
def test_its_derivatives_are_those_of_its_energy(nspin: int) -> None:
    clamped = Clamped(functional("pbe"), {"rs": (0.5, 3.0), "s": (0.0, 1.5)})
    ingredients = {key: value[..., :30].detach() for key, value in random_ingredients(nspin).items()}
    s = reduced_variables(ingredients["rho"], ingredients["grad"])["s"]
    assert s.min() < 1.5 < s.max()

    rho, grad = ingredients["rho"], ingredients["grad"]

    def energy(share: torch.Tensor, slope: torch.Tensor) -> torch.Tensor:
        return clamped(rho * share, grad * slope) / uniform_exchange(rho.sum(0))

    ones = (torch.ones_like(rho, requires_grad=True), torch.ones_like(grad, requires_grad=True))
    assert torch.autograd.gradcheck(energy, ones, rtol=1e-5, atol=1e-6)


def test_a_vanishing_gradient_gives_finite_derivatives() -> None:
    clamped = Clamped(functional("pbe"), {"rs": (0.5, 3.0), "s": (0.0, 1.5)})
    rho = torch.tensor([[1e-12, 0.1]], dtype=torch.float64, requires_grad=True)
    grad = torch.zeros(1, 3, 2, dtype=torch.float64, requires_grad=True)
    slopes = torch.autograd.grad(clamped(rho, grad).sum(), (rho, grad))
    assert all(bool(torch.isfinite(slope).all()) for slope in slopes)
