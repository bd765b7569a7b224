"""Exchange-correlation functionals against libxc, their limits, and their behaviour in a vacuum."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
import torch
from densities import (
    AGREEMENT,
    POWER_OF_DENSITY,
    energy_and_derivatives,
    random_density,
    random_ingredients,
    those_of,
    uniform_kinetic_energy,
)
from hypothesis import example, given, settings
from hypothesis import strategies as st
from models import MODELS
from pyscf.dft import libxc
from torch import nn

from mlxc.grid.fields import Fields
from mlxc.grid.grid import Grid
from mlxc.terms.xc import floored, kinetic_density_guess, xc_energy, xc_potential
from mlxc.xc.catalogue import functional, functional_names

LIBXC = {
    "lda": "LDA_X,LDA_C_PW_MOD",
    "lda_xc_teter93": "LDA_XC_TETER93",
    "pbe": "GGA_X_PBE,GGA_C_PBE",
    "pbesol": "GGA_X_PBE_SOL,GGA_C_PBE_SOL",
    "rpbe": "GGA_X_RPBE,GGA_C_PBE",
    "scan": "MGGA_X_SCAN,MGGA_C_SCAN",
    "r2scan": "MGGA_X_R2SCAN,MGGA_C_R2SCAN",
}

EVERY: dict[str, Callable[[], nn.Module]] = {name: partial(functional, name) for name in functional_names()} | MODELS
seeds = st.integers(0, 2**31)
TWICE_DIFFERENTIABLE = {name: EVERY[name] for name in ("lda", "pbe", "rpbe", "scan", "r2scan", "pbe-proxy", *MODELS)}


@pytest.mark.parametrize("nspin", [1, 2])
@pytest.mark.parametrize("name", LIBXC)
def test_energy_and_its_derivatives_equal_those_of_libxc(name: str, nspin: int) -> None:
    ingredients = random_ingredients(nspin)
    ours = energy_and_derivatives(functional(name), ingredients)
    rows = [values.detach().reshape(nspin, -1, 400) for values in those_of(functional(name), ingredients).values()]
    fields = torch.cat(rows, 1).numpy()
    density = ingredients["rho"].detach().sum(0)
    arguments = (LIBXC[name], fields if nspin == 2 else fields[0])
    theirs = {"energy": torch.tensor(libxc.eval_xc_eff(*arguments, deriv=0, spin=nspin - 1)) * density}
    derivative = torch.tensor(libxc.eval_xc_eff(*arguments, deriv=1, spin=nspin - 1)).reshape(fields.shape)
    theirs |= {"rho": derivative[:, 0], "grad": derivative[:, 1:4], "tau": derivative[:, 4:].squeeze(1)}
    for quantity, values in ours.items():
        scale = density ** POWER_OF_DENSITY[quantity]
        assert torch.allclose(values * scale, theirs[quantity] * scale, rtol=AGREEMENT, atol=AGREEMENT), quantity


@pytest.mark.parametrize("build", EVERY.values(), ids=EVERY)
@given(seed=seeds)
@settings(max_examples=5)
def test_equal_spins_give_the_unpolarised_energy(build: Callable[[], nn.Module], seed: int) -> None:
    xc = build()
    total = those_of(xc, random_ingredients(1, seed=seed))
    halves = {key: values.repeat(2, *[1] * (values.dim() - 1)) / 2 for key, values in total.items()}
    assert torch.allclose(xc(**halves), xc(**total), rtol=1e-12)


@pytest.mark.parametrize("build", EVERY.values(), ids=EVERY)
@given(seed=seeds, vacuum=st.floats(-12, -3))
@settings(max_examples=5)
def test_potential_is_the_derivative_of_the_energy_also_in_a_vacuum(
    build: Callable[[], nn.Module], seed: int, vacuum: float
) -> None:
    grid = Grid(torch.eye(3, dtype=torch.float64) * 8, (12, 12, 12), radius=4.0)
    density, direction = random_density(grid, seed, 10**vacuum)
    xc = build()
    # More than the guess, whose alpha is one, where SCAN has an essential singularity.
    tau = 1.2 * kinetic_density_guess(grid, density) if "tau" in xc.ingredients else None
    potential = xc_potential(xc, grid, Fields(density, tau=tau))[1].density
    step = 1e-5
    upper, lower = (
        float(xc_energy(xc, grid, Fields(density + sign * step * direction, tau=tau)).detach()) for sign in (1, -1)
    )
    expected = float((potential * direction).sum() * grid.volume / grid.size)
    scale = float((potential * direction).abs().sum() * grid.volume / grid.size)
    assert (upper - lower) / (2 * step) == pytest.approx(expected, abs=1e-6 * scale)
    assert bool(torch.isfinite(potential).all())


@pytest.mark.parametrize("build", EVERY.values(), ids=EVERY)
@given(level=st.floats(-30, 3).map(lambda exponent: 10**exponent))
@example(level=0.0)
@example(level=1e-30)
@example(level=1e3)
@settings(max_examples=5)
def test_energy_potential_and_kernel_are_finite_at_any_density(build: Callable[[], nn.Module], level: float) -> None:
    grid = Grid(torch.eye(3, dtype=torch.float64) * 6, (6, 6, 6), radius=2.0)
    ripple = torch.linspace(-1, 1, 216, dtype=torch.float64).reshape(1, 6, 6, 6)
    density = (level * (1 + 0.1 * ripple)).requires_grad_()
    xc = build()
    tau = kinetic_density_guess(grid, density) if "tau" in xc.ingredients else None
    energy = xc_energy(xc, grid, Fields(density, tau=tau))
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


@pytest.mark.parametrize("nspin", [1, 2])
@pytest.mark.parametrize("density", [1e-12, 1e-8, 1e-2, 1e3])
@pytest.mark.parametrize("name", ["scan", "r2scan"])
def test_meta_gga_energy_potential_and_kernel_are_finite_for_every_kind_of_bond(
    name: str, density: float, nspin: int
) -> None:
    s = torch.tensor([0.0, 1e-9, 1e-4, 0.1, 1.0, 30.0], dtype=torch.float64)
    alpha = torch.tensor([0.0, 1e-12, 0.5, 0.9989, 0.9991, 1.0, 1.0009, 1.0011, 2.5, 1e6], dtype=torch.float64)
    s, alpha = (values.flatten() for values in torch.meshgrid(s, alpha, indexing="ij"))
    rho = torch.full((nspin, len(s)), density, dtype=torch.float64)
    rho[1:] = 1e-12  # all but fully polarised
    grad = torch.zeros(nspin, 3, len(s), dtype=torch.float64)
    grad[:, 0] = 2 * (3 * torch.pi**2) ** (1 / 3) * rho ** (4 / 3) * s
    tau = grad.square().sum(1) / (8 * rho) + alpha * uniform_kinetic_energy(rho)
    ingredients = {key: values.requires_grad_() for key, values in {"rho": rho, "grad": grad, "tau": tau}.items()}
    first = energy_and_derivatives(functional(name), ingredients)
    derivatives = [first[key] for key in ingredients]
    second = torch.autograd.grad(derivatives, list(ingredients.values()), [torch.ones_like(d) for d in derivatives])
    for values in (*first.values(), *second):
        assert bool(torch.isfinite(values).all())


@pytest.mark.parametrize("nspin", [1, 2])
@pytest.mark.parametrize(
    "build",
    [
        pytest.param(build, id=name, marks=pytest.mark.thorough if name in ("scan", "r2scan") else ())
        for name, build in TWICE_DIFFERENTIABLE.items()
    ],
)
def test_gradients_and_second_gradients_agree_with_finite_differences(
    build: Callable[[], nn.Module], nspin: int
) -> None:
    xc = build()
    rho = torch.tensor([[0.2, 0.3], [0.15, 0.1]], dtype=torch.float64)[:nspin]
    grad = torch.tensor([[[0.1, 0.2], [0, 0.1], [0.1, 0]], [[0.1, 0.05], [0.05, 0], [0, 0.1]]], dtype=torch.float64)
    tau = torch.tensor([[0.1, 0.4], [0.15, 0.08]], dtype=torch.float64)[:nspin]
    wanted = those_of(xc, {"rho": rho, "grad": grad[:nspin], "tau": tau})
    arguments = [values.clone().requires_grad_() for values in wanted.values()]
    assert torch.autograd.gradcheck(lambda *values: xc(*values), arguments)
    assert torch.autograd.gradgradcheck(lambda *values: xc(*values), arguments)
