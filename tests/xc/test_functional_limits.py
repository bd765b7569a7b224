"""Exact limits and bounds that the papers build into their functionals."""

from __future__ import annotations

from math import pi

import pytest
import torch
from densities import random_ingredients, those_of, uniform_kinetic_energy
from torch import Tensor, nn

from mlxc.xc.catalogue import functional
from mlxc.xc.gga import PBE, RPBE
from mlxc.xc.mgga import R2SCAN, SCAN

BEYOND_LDA = ["pbe", "pbesol", "rpbe", "scan", "r2scan"]
META_GGA = {"scan": SCAN, "r2scan": R2SCAN}


def exchange(xc: nn.Module, ingredients: dict[str, Tensor]) -> Tensor:
    energy: Tensor = xc.exchange(**those_of(xc, ingredients))  # type: ignore[operator]
    return energy


def correlation(xc: nn.Module, ingredients: dict[str, Tensor]) -> Tensor:
    energy: Tensor = xc.correlation(**those_of(xc, ingredients))  # type: ignore[operator]
    return energy


def slowly_varying_gas(density: float) -> tuple[dict[str, Tensor], Tensor]:
    """One period of a weak wave in a uniform gas, its tau by the second-order gradient expansion; and its s^2."""
    fermi = (3 * pi**2 * density) ** (1 / 3)
    wave_vector, amplitude = 0.02 * fermi, 0.02
    phase = torch.arange(64, dtype=torch.float64) * (2 * pi / 64)
    rho = density * (1 + amplitude * torch.cos(phase))[None]
    grad = torch.zeros(1, 3, 64, dtype=torch.float64)
    grad[0, 2] = -density * amplitude * wave_vector * torch.sin(phase)
    laplacian = -density * amplitude * wave_vector**2 * torch.cos(phase)
    squared = grad.square().sum(1)
    tau = uniform_kinetic_energy(rho) + squared / (72 * rho) + laplacian / 6
    s2 = squared[0] / (4 * (3 * pi**2) ** (2 / 3) * rho[0] ** (8 / 3))
    return {"rho": rho, "grad": grad, "tau": tau}, s2


@pytest.mark.parametrize("nspin", [1, 2])
@pytest.mark.parametrize("name", BEYOND_LDA)
def test_a_uniform_gas_has_the_energy_of_the_local_density_approximation(name: str, nspin: int) -> None:
    rho = random_ingredients(nspin)["rho"].detach()
    uniform = {"rho": rho, "grad": rho.new_zeros(nspin, 3, rho.shape[1]), "tau": uniform_kinetic_energy(rho)}
    xc = functional(name)
    assert torch.allclose(xc(**those_of(xc, uniform)), functional("lda")(rho=rho), rtol=1e-10)


@pytest.mark.parametrize("name", ["lda", *BEYOND_LDA])
def test_exchange_of_two_spins_is_the_mean_of_two_unpolarised_exchanges(name: str) -> None:
    xc, ingredients = functional(name), random_ingredients(2)
    doubled = ({key: 2 * values[spin : spin + 1] for key, values in ingredients.items()} for spin in (0, 1))
    expected = sum(exchange(xc, density) for density in doubled) / 2
    assert torch.allclose(exchange(xc, ingredients), expected, rtol=1e-12)


@pytest.mark.parametrize("name", ["lda", *BEYOND_LDA])
def test_exchange_scales_linearly_when_the_density_is_compressed(name: str) -> None:
    # n(r) -> l^3 n(l r) multiplies E_x by l, hence the energy per volume by l^4.
    xc, ingredients, factor = functional(name), random_ingredients(2), 3.0
    powers = {"rho": 3, "grad": 4, "tau": 5}
    compressed = {key: factor ** powers[key] * values for key, values in ingredients.items()}
    assert torch.allclose(exchange(xc, compressed), factor**4 * exchange(xc, ingredients), rtol=1e-10)


@pytest.mark.parametrize("nspin", [1, 2])
@pytest.mark.parametrize("name", ["lda", *BEYOND_LDA])
def test_correlation_never_raises_the_energy(name: str, nspin: int) -> None:
    xc = functional(name)
    assert bool((correlation(xc, random_ingredients(nspin)) <= 0).all())


@pytest.mark.parametrize("name", META_GGA)
def test_the_hydrogen_atom_has_its_exact_exchange_and_no_correlation(name: str) -> None:
    radius = torch.linspace(1e-3, 20, 20_000, dtype=torch.float64)
    up = torch.exp(-2 * radius) / pi
    rho = torch.stack([up, 1e-16 * up])
    grad = torch.zeros(2, 3, len(radius), dtype=torch.float64)
    grad[:, 0] = -2 * rho
    atom = {"rho": rho, "grad": grad, "tau": grad.square().sum(1) / (8 * rho)}
    shell = 4 * pi * radius**2
    xc = functional(name)
    assert float(torch.trapezoid(exchange(xc, atom) * shell, radius)) == pytest.approx(-5 / 16, abs=1e-4)
    assert float((correlation(xc, atom) / up).abs().max()) < 1e-12


@pytest.mark.parametrize("name", META_GGA)
def test_exchange_enhancement_of_scan_is_at_most_that_of_a_single_orbital(name: str) -> None:
    s2 = torch.cat([torch.zeros(1), torch.logspace(-8, 12, 200)]).double()
    alpha = torch.cat([torch.zeros(1), torch.logspace(-6, 6, 200)]).double()
    enhancement = META_GGA[name]().enhancement(s2[:, None], alpha)
    assert float(enhancement.max()) == pytest.approx(1.174, abs=1e-12)
    assert bool((enhancement > 0).all())


@pytest.mark.parametrize(
    ("name", "coefficient"),
    [
        ("pbe", 0.2195149727645171),
        ("rpbe", 0.2195149727645171),
        ("pbesol", 10 / 81),
        ("scan", 10 / 81),
        ("r2scan", 10 / 81),
    ],
)
@pytest.mark.parametrize("density", [0.003, 0.03, 1.0])
def test_exchange_of_a_slowly_varying_density_has_its_second_order_coefficient(
    name: str, coefficient: float, density: float
) -> None:
    ingredients, s2 = slowly_varying_gas(density)
    local = exchange(functional("lda"), ingredients)
    gradient_energy = (exchange(functional(name), ingredients) - local).sum()
    assert float(gradient_energy / (local * s2).sum()) == pytest.approx(coefficient, rel=5e-3)


@pytest.mark.parametrize("name", META_GGA)
@pytest.mark.parametrize("density", [0.003, 0.03, 1.0])
def test_correlation_of_a_slowly_varying_density_has_its_second_order_coefficient(name: str, density: float) -> None:
    ingredients, s2 = slowly_varying_gas(density)
    rho = ingredients["rho"][0]
    rs = (3 / (4 * pi * rho)) ** (1 / 3)
    beta = 0.06672455060314922 * (1 + 0.1 * rs) / (1 + 0.1778 * rs)
    t2 = (3 * pi**2 / 16) ** (2 / 3) * s2 / rs
    gradient_energy = (correlation(functional(name), ingredients) - correlation(functional("lda"), ingredients)).sum()
    assert float(gradient_energy / (rho * beta * t2).sum()) == pytest.approx(1, rel=5e-3)


@pytest.mark.parametrize("xc", [PBE(), RPBE()], ids=["pbe", "rpbe"])
def test_exchange_enhancement_rises_to_the_lieb_oxford_bound(xc: PBE) -> None:
    enhancement = xc.enhancement(torch.logspace(-8, 12, 200, dtype=torch.float64))
    assert bool((enhancement.diff() >= 0).all())
    assert float(enhancement[-1]) == pytest.approx(1.804, abs=1e-9)
    assert bool((enhancement <= 1.804).all())
