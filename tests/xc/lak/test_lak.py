"""LAK is that of libxc: its exchange point by point, its correlation in an atom, and what both must keep."""

from __future__ import annotations

import json
from math import factorial, log, pi
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from densities import POWER_OF_DENSITY, energy_and_derivatives, random_ingredients, uniform_kinetic_energy
from torch import Tensor

from mlxc.xc.catalogue import card_of, functional
from mlxc.xc.lak.functional import LAK
from mlxc.xc.lda import LDA

REFERENCE: dict[str, Any] = json.loads(Path(__file__).with_name("reference.json").read_text())


def along_x(gradient: Tensor) -> Tensor:
    return torch.stack([gradient, torch.zeros_like(gradient), torch.zeros_like(gradient)], -2)


class Exchange(LAK):
    """Its exchange alone."""

    def forward(self, rho: Tensor, grad: Tensor, tau: Tensor) -> Tensor:
        return self.exchange(rho, grad, tau)


@pytest.mark.parametrize("nspin", [1, 2])
def test_exchange_is_that_of_libxc_with_all_derivatives(nspin: int) -> None:
    ingredients = random_ingredients(nspin)
    density = ingredients["rho"].detach().sum(0)
    found, expected = (energy_and_derivatives(xc, ingredients) for xc in (Exchange(), functional("mgga_x_lak")))
    for name, values in expected.items():
        scale = density ** POWER_OF_DENSITY[name]
        torch.testing.assert_close((found[name] * scale).detach(), (values * scale).detach(), rtol=1e-8, atol=1e-8)


def test_correlation_is_that_of_libxc_in_a_nitrogen_atom_without_spin() -> None:
    atom = {name: torch.tensor(values, dtype=torch.float64) for name, values in REFERENCE["nitrogen"].items()}
    density, gradient = atom["density"], atom["squared_gradient"].sqrt()
    found = LAK().correlation(density[None], along_x(gradient)[None], atom["tau"][None]) / density
    torch.testing.assert_close(found, atom["correlation_per_electron_ha"], rtol=1e-12, atol=0)


def phosphorus(r: np.ndarray) -> dict[str, Tensor]:
    """Spin densities, their gradients and those of kinetic energy along a radius, of Slater orbitals."""
    fields = np.zeros((3, 2, len(r)))
    for shell in REFERENCE["phosphorus"]["shells"]:
        n, zeta = np.array(shell["powers"])[:, None], np.array(shell["exponents"])[:, None]
        norms = (2 * zeta) ** (n + 0.5) / np.sqrt([[factorial(2 * int(one))] for one in n[:, 0]])
        basis = norms * r ** (n - 1) * np.exp(-zeta * r)
        coefficients = np.array(shell["coefficients"])
        orbitals, slopes = coefficients @ basis, coefficients @ (basis * ((n - 1) / r - zeta))
        ell = shell["angular_momentum"]
        parts = (orbitals**2, 2 * orbitals * slopes, (slopes**2 + ell * (ell + 1) * (orbitals / r) ** 2) / 2)
        fields += np.stack([np.array(shell["electrons"]) @ part for part in parts]) / (4 * pi)
    rho, gradient, tau = torch.from_numpy(fields)
    return {"rho": rho, "grad": along_x(gradient), "tau": tau}


def radial_points(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Radii and the volumes that they stand for.

    O. Treutler, R. Ahlrichs, J. Chem. Phys. 102, 346 (1995), with the rule of J. M. Perez-Jorda, A. D. Becke,
    E. San-Fabian, J. Chem. Phys. 100, 6520 (1994), as in the tests of libxc: what it misses of correlation is 1e-6 Ha.
    """
    angle = np.arange(1, count + 1) * pi / (count + 1)
    sine, cosine = np.sin(angle), np.cos(angle)
    left = 2 * angle / pi - 2 / pi * (1 + 2 / 3 * sine**2) * sine * cosine  # 1 - x
    r = np.log(2 / left) / log(2)
    return r, 4 * pi * r**2 * 16 / 3 / (count + 1) * sine**4 / (log(2) * left)


@pytest.mark.parametrize(("spin", "expected"), REFERENCE["phosphorus"]["energies_ha"].items())
def test_a_phosphorus_atom_has_the_energies_of_libxc(spin: str, expected: dict[str, float]) -> None:
    for part, energy in expected.items():
        r, volumes = radial_points({"exchange": 200, "correlation": 400}[part])
        atom = phosphorus(r)
        if spin == "unpolarised":
            atom = {name: values.sum(0, keepdim=True) for name, values in atom.items()}
        seen = atom["rho"].sum(0) > 1e-15
        density: Tensor = getattr(LAK(), part)(**{name: values[..., seen] for name, values in atom.items()})
        assert float((density.detach() * torch.from_numpy(volumes)[seen]).sum()) == pytest.approx(energy, rel=1e-10)


def test_the_uniform_gas_is_exact() -> None:
    rho = torch.logspace(-4, 1, 20, dtype=torch.float64) * torch.tensor([[0.7], [0.3]], dtype=torch.float64)
    found = LAK()(rho, torch.zeros(2, 3, 20, dtype=torch.float64), uniform_kinetic_energy(rho))
    alpha_is_one = LAK().exchange(rho, torch.zeros(2, 3, 20, dtype=torch.float64), uniform_kinetic_energy(rho))
    torch.testing.assert_close(found, LDA()(rho), rtol=1e-12, atol=0)
    torch.testing.assert_close(alpha_is_one, LDA().exchange(rho), rtol=1e-12, atol=0)


def test_one_electron_has_no_correlation() -> None:
    """In a hydrogen atom alpha is zero, and the spin is that of the one electron."""
    r = torch.linspace(0.1, 8, 40, dtype=torch.float64)
    density = torch.exp(-2 * r) / pi
    nothing = torch.full_like(density, 1e-30)
    gradient = torch.stack([along_x(-2 * density), torch.zeros(3, 40, dtype=torch.float64)])
    tau = torch.stack([density / 2, nothing])
    found = LAK().correlation(torch.stack([density, nothing]), gradient, tau)
    assert float((found / density).abs().max()) < 1e-10


@pytest.mark.parametrize("nspin", [1, 2])
def test_no_vacuum_has_anything_that_is_not_finite(nspin: int) -> None:
    rho = torch.logspace(-30, -3, 60, dtype=torch.float64).expand(nspin, -1).contiguous()
    for size in (0.0, 1e-10, 1.0):
        ingredients = {"rho": rho.clone(), "grad": along_x(size * rho), "tau": size**2 * rho / 8}
        for field in ingredients.values():
            field.requires_grad_()
        for values in energy_and_derivatives(LAK(), ingredients).values():
            assert torch.isfinite(values).all()


def test_it_has_a_name_and_a_card() -> None:
    assert isinstance(functional("LAK"), LAK)
    card = card_of("lak")
    assert card is not None
    assert card.origin == "non-empirical"
