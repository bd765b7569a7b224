"""The exchange-correlation energy of a density on a grid, its potential and its kernel, for any functional."""

from __future__ import annotations

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


def xc_energy(functional: nn.Module, grid: Grid, density: Tensor) -> Tensor:
    """E_xc per cell, hartree, differentiable in the density and in the functional's parameters.

    Args:
        functional: returns the XC energy per volume from its declared ingredients.
        grid: that the density lives on.
        density: shape ``(nspin, n1, n2, n3)``, electrons/bohr^3.
    """
    ingredients = {"rho": floored(density).flatten(1)}
    if "grad" in declared_ingredients(functional):
        ingredients["grad"] = grid.gradient(density).flatten(2)
    energy_density: Tensor = functional(**ingredients)
    return energy_density.sum() * (grid.volume / grid.size)


def xc_potential(functional: nn.Module, grid: Grid, density: Tensor) -> tuple[Tensor, Tensor]:
    """E_xc, and v_xc = dE_xc/dn, shape ``(nspin, n1, n2, n3)``, hartree, both detached.

    The potential is the exact derivative of the discretised energy, so the SCF minimises what it reports.
    """
    density = density.detach().requires_grad_()
    with torch.enable_grad():
        energy = xc_energy(functional, grid, density)
    (derivative,) = torch.autograd.grad(energy, density)
    return energy.detach(), derivative * (grid.size / grid.volume)
