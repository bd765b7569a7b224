"""Exchange-correlation functionals against libxc, their limits, and their behaviour in a vacuum."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pyscf.dft import libxc

from mlxc.basis.grid import Grid
from mlxc.terms.xc import floored, xc_energy, xc_potential
from mlxc.xc.catalogue import functional, functional_names
from mlxc.xc.gga import PBE

LIBXC = {
    "lda": "LDA_X,LDA_C_PW_MOD",
    "lda_xc_teter93": "LDA_XC_TETER93",
    "pbe": "GGA_X_PBE,GGA_C_PBE",
    "pbesol": "GGA_X_PBE_SOL,GGA_C_PBE_SOL",
}
DENSITIES = st.lists(st.floats(1e-6, 1e2), min_size=1, max_size=5)
# Reduced gradients of bulk matter and beyond.
GRADIENTS = st.floats(0, 10)


def ingredients(name: str, rho: torch.Tensor, grad: torch.Tensor) -> dict[str, torch.Tensor]:
    return {"rho": rho, "grad": grad} if "grad" in functional(name).ingredients else {"rho": rho}


@pytest.mark.parametrize("name", LIBXC)
@settings(deadline=None, max_examples=25)
@given(densities=DENSITIES, s=GRADIENTS)
def test_unpolarised_energy_density_equals_that_of_libxc(name: str, densities: list[float], s: float) -> None:
    rho = torch.tensor(densities, dtype=torch.float64)
    grad = torch.zeros(3, len(rho), dtype=torch.float64)
    grad[1] = s * 2 * (3 * torch.pi**2) ** (1 / 3) * rho ** (4 / 3)
    ours = functional(name)(**ingredients(name, rho[None], grad[None]))
    rows = torch.cat([rho[None], grad]) if functional(name).ingredients == ("rho", "grad") else rho
    theirs = torch.tensor(libxc.eval_xc(LIBXC[name], rows.numpy(), deriv=0)[0]) * rho
    assert torch.allclose(ours, theirs, rtol=3e-7, atol=1e-14)


@pytest.mark.parametrize("name", LIBXC)
@settings(deadline=None, max_examples=25)
@given(up=st.floats(1e-4, 10), down=st.floats(1e-4, 10), s=GRADIENTS)
def test_polarised_energy_density_equals_that_of_libxc(name: str, up: float, down: float, s: float) -> None:
    rho = torch.tensor([[up], [down]], dtype=torch.float64)
    grad = torch.zeros(2, 3, 1, dtype=torch.float64)
    grad[:, 0] = s * rho ** (4 / 3)
    grad[1, 2] = 0.3 * s * rho[1] ** (4 / 3)
    ours = functional(name)(**ingredients(name, rho, grad))
    rows = torch.cat([rho[:, None], grad], dim=1) if functional(name).ingredients == ("rho", "grad") else rho
    theirs = torch.tensor(libxc.eval_xc(LIBXC[name], rows.numpy(), spin=1, deriv=0)[0]) * rho.sum(0)
    assert torch.allclose(ours, theirs, rtol=3e-7, atol=1e-14)


@pytest.mark.parametrize("name", functional_names())
@settings(deadline=None, max_examples=25)
@given(density=st.floats(1e-6, 1e2), s=GRADIENTS)
def test_equal_spins_give_the_unpolarised_energy(name: str, density: float, s: float) -> None:
    rho = torch.tensor([[density]], dtype=torch.float64)
    grad = torch.full((1, 3, 1), s * density ** (4 / 3), dtype=torch.float64)
    halves = ingredients(name, rho.repeat(2, 1) / 2, grad.repeat(2, 1, 1) / 2)
    assert torch.allclose(functional(name)(**halves), functional(name)(**ingredients(name, rho, grad)), rtol=1e-12)


def test_a_uniform_density_makes_pbe_the_local_density_approximation() -> None:
    rho, grad = torch.tensor([[0.01, 0.1, 1.0]], dtype=torch.float64), torch.zeros(1, 3, 3, dtype=torch.float64)
    assert torch.allclose(functional("pbe")(rho=rho, grad=grad), functional("lda")(rho=rho))


def test_exchange_enhancement_stays_below_the_lieb_oxford_bound() -> None:
    s2 = torch.logspace(-8, 12, 200, dtype=torch.float64)
    enhancement = PBE().enhancement(s2)
    assert bool((enhancement <= 1.804).all())
    assert bool((enhancement.diff() >= 0).all())


@pytest.mark.parametrize("name", functional_names())
def test_potential_is_the_derivative_of_the_energy_also_in_a_vacuum(name: str) -> None:
    grid = Grid(torch.eye(3, dtype=torch.float64) * 8, (12, 12, 12), radius=4.0)
    x = torch.linspace(0, 1, 13, dtype=torch.float64)[:-1] - 0.5
    density = 0.3 * torch.exp(-60 * (x[:, None, None] ** 2 + x[:, None] ** 2 + x**2))[None] + 1e-9
    direction = torch.zeros_like(density)
    direction[0, 6, 6, 6] = 1.0
    xc = functional(name)
    _, potential = xc_potential(xc, grid, density)
    step = 1e-5
    upper, lower = (float(xc_energy(xc, grid, density + sign * step * direction).detach()) for sign in (1, -1))
    expected = float((potential * direction).sum() * grid.volume / grid.size)
    assert (upper - lower) / (2 * step) == pytest.approx(expected, rel=1e-6)
    assert bool(torch.isfinite(potential).all())


@pytest.mark.parametrize("name", functional_names())
@pytest.mark.parametrize("level", [0.0, 1e-30, 1e-14, 1e-12, 1e-8, 1e3])
def test_energy_potential_and_kernel_are_finite_at_any_density(name: str, level: float) -> None:
    grid = Grid(torch.eye(3, dtype=torch.float64) * 6, (6, 6, 6), radius=2.0)
    ripple = torch.linspace(-1, 1, 216, dtype=torch.float64).reshape(1, 6, 6, 6)
    density = (level * (1 + 0.1 * ripple)).requires_grad_()
    energy = xc_energy(functional(name), grid, density)
    (potential,) = torch.autograd.grad(energy, density, create_graph=True)
    (kernel,) = torch.autograd.grad((potential * ripple).sum(), density)
    for values in (energy, potential, kernel):
        assert bool(torch.isfinite(values).all())


@given(st.floats(-1.0, 1e3))
def test_the_low_density_switch_is_positive_and_leaves_real_densities_alone(value: float) -> None:
    density = torch.tensor(value, dtype=torch.float64)
    assert float(floored(density)) > 0
    if value > 1e-6:
        assert float(floored(density)) == pytest.approx(value, rel=2e-6)


def test_gradients_and_second_gradients_of_pbe_agree_with_finite_differences() -> None:
    rho = torch.tensor([[0.02, 0.3], [0.05, 0.1]], dtype=torch.float64, requires_grad=True)
    grad = torch.tensor([[[0.01, 0.2], [0, 0.1], [0.03, 0]], [[0.02, 0.05], [0.01, 0], [0, 0.1]]], dtype=torch.float64)
    grad.requires_grad_()
    xc = PBE(trainable=False)
    assert torch.autograd.gradcheck(lambda r, g: xc(r, g), (rho, grad))
    assert torch.autograd.gradgradcheck(lambda r, g: xc(r, g), (rho, grad))
