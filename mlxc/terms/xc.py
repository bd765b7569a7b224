"""The exchange-correlation energy of a density on a grid, its potential and its kernel, for any functional."""

from __future__ import annotations

from math import pi

import torch
from torch import Tensor, nn

from mlxc.basis.grid import Grid
from mlxc.xc.functional import declared_ingredients

# The low-density switch: functionals see no density below this, electrons/bohr^3, and those well above it as they are.
DENSITY_FLOOR = 1e-12


def floored(density: Tensor) -> Tensor:
    """A density that is positive everywhere, smooth in its argument: n for n >> DENSITY_FLOOR, the floor for n <= 0.

    Energy, potential and kernel pass through the same switch, so they stay derivatives of each other in a vacuum.
    """
    return DENSITY_FLOOR + (density + torch.sqrt(density.square() + 4 * DENSITY_FLOOR**2)) / 2


def xc_energy(functional: nn.Module, grid: Grid, density: Tensor, tau: Tensor | None = None) -> Tensor:
    """E_xc per cell, hartree, differentiable in the density and in the functional's parameters.

    Args:
        functional: returns the XC energy per volume from its declared ingredients.
        grid: that the density lives on.
        density: shape ``(nspin, n1, n2, n3)``, electrons/bohr^3.
        tau: kinetic-energy density of the orbitals, same shape, hartree/bohr^3, for a meta-GGA.
    """
    ingredients = {"rho": floored(density).flatten(1)}
    if "grad" in declared_ingredients(functional):
        ingredients["grad"] = grid.gradient(density).flatten(2)
    if tau is not None:
        ingredients["tau"] = floored(tau).flatten(1)
    energy_density: Tensor = functional(**ingredients)
    return energy_density.sum() * (grid.volume / grid.size)


def xc_potential(
    functional: nn.Module, grid: Grid, density: Tensor, tau: Tensor | None = None
) -> tuple[Tensor, Tensor, Tensor | None]:
    """E_xc, v_xc = dE_xc/dn and, for a meta-GGA, v_tau = dE_xc/dtau, all detached.

    The potentials, shape ``(nspin, n1, n2, n3)``, hartree and a pure number, are the exact derivatives of the
    discretised energy, so the SCF minimises what it reports.
    """
    inputs = [field.detach().requires_grad_() for field in (density, tau) if field is not None]
    with torch.enable_grad():
        energy = xc_energy(functional, grid, *inputs)
    derivatives = [d * (grid.size / grid.volume) for d in torch.autograd.grad(energy, inputs)]
    return energy.detach(), derivatives[0], derivatives[1] if tau is not None else None


def kinetic_density_guess(grid: Grid, density: Tensor) -> Tensor:
    """tau of a slowly varying gas of this density, von Weizsaecker's plus Thomas and Fermi's, hartree/bohr^3.

    Args:
        grid: that the density lives on.
        density: shape ``(nspin, n1, n2, n3)``, electrons/bohr^3.
    """
    safe = floored(density)
    squares = grid.gradient(density).square().sum(1)
    degeneracy = len(density)  # a spin channel is half of an unpolarised gas of twice its density
    thomas_fermi = 0.3 * (3 * pi**2) ** (2 / 3) * (degeneracy * safe) ** (5 / 3) / degeneracy
    return squares / (8 * safe) + thomas_fermi
