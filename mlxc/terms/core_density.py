"""The density of the core electrons that overlaps with the valence: the nonlinear core correction.

Exchange and correlation are not linear in the density, so they need the sum of both.
S. G. Louie, S. Froyen, M. L. Cohen, Phys. Rev. B 26, 1738 (1982).

A meta-GGA needs the core's kinetic energy as well, or it would see electrons without any. Pseudopotentials do not say
what that is, but it is at least that of one orbital, |grad n|^2 / 8n (C. F. von Weizsaecker, Z. Phys. 96, 431 (1935)),
which is what it is taken to be. This functional is convex and homogeneous, so that tau of core and valence together is
nowhere less than it is of their density: alpha is not negative.
"""

from __future__ import annotations

import torch
from torch import Tensor

from mlxc.basis.grid import Grid
from mlxc.terms.ions import Ions
from mlxc.terms.local_pseudopotential import structure_factor

# Less than this, electrons/bohr^3, is no core but the ringing of a sharp one on a coarse grid.
LEAST_CORE = 1e-4


def core_fields(grid: Grid, ions: Ions) -> Tensor | None:
    """Density and kinetic-energy density of the ions' partial cores, None if no ion has one.

    Returns:
        on the grid, shape ``(2, n1, n2, n3)``, electrons/bohr^3 and hartree/bohr^3.
    """
    coefficients: Tensor | None = None
    for symbol, pseudopotential in ions.pseudopotentials.items():
        form = pseudopotential.core_density_form_factor(grid.lengths)
        if form is not None:
            ion = form / grid.volume * structure_factor(grid, ions.positions_of(symbol))
            coefficients = ion if coefficients is None else coefficients + ion
    if coefficients is None:
        return None
    density = grid.real(coefficients)
    return torch.stack([density, _von_weizsaecker(grid, density)])


def with_core(fields: Tensor, core: Tensor | None) -> Tensor:
    """Fields of the valence electrons plus the core's, on the grid, shape ``(nfield, nspin, n1, n2, n3)``.

    Each spin has its share of the core.
    """
    return fields if core is None else fields + core[: len(fields), None] / fields.shape[1]


def _von_weizsaecker(grid: Grid, density: Tensor) -> Tensor:
    """|grad n|^2 / 8n where there is a core, and smoothly nothing where there is none."""
    positive = density.clamp_min(0)
    return grid.gradient(density).square().sum(0) / 8 * positive**2 / (positive**3 + LEAST_CORE**3)
