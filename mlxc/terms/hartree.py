"""The electrostatic energy of the density with itself, E_H = 1/2 integral integral n n' / |r - r'|."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi

import torch
from torch import Tensor

from mlxc.grid.fields import Fields
from mlxc.grid.grid import Grid
from mlxc.terms.term import DensityTerm, ElectronicState, Setting


@dataclass(frozen=True)
class Hartree:
    """The repulsion of the electrons' mean charge."""

    def on(self, setting: Setting) -> HartreeTerm:
        """See :class:`~mlxc.terms.term.TermDefinition`."""
        return HartreeTerm(setting.basis.grid)


class HartreeTerm(DensityTerm):
    """E_H on a grid."""

    name = "hartree"
    electric = True

    def __init__(self, grid: Grid) -> None:
        self._grid = grid

    def energy(self, state: ElectronicState) -> Tensor:
        """See :func:`hartree_energy`."""
        return hartree_energy(self._grid, state.fields.density.sum(0))

    def potential(self, fields: Fields) -> Fields:
        """See :func:`hartree_potential`."""
        return Fields(hartree_potential(self._grid, fields.density.sum(0))[None])


def coulomb_kernel(grid: Grid) -> Tensor:
    """4 pi / G^2 on the grid's sphere; the G = 0 term belongs to the neutral whole and is zero here."""
    squares = grid.squares
    return 4 * pi / torch.where(squares == 0, torch.inf, squares)


def hartree_energy(grid: Grid, density: Tensor) -> Tensor:
    """E_H per cell, hartree, of Fourier coefficients ``(ngvector,)`` of the total density."""
    return grid.volume / 2 * (coulomb_kernel(grid) * torch.view_as_real(density).square().sum(-1)).sum()


def hartree_potential(grid: Grid, density: Tensor) -> Tensor:
    """Fourier coefficients ``(ngvector,)`` of v_H = dE_H/dn, hartree."""
    return coulomb_kernel(grid) * density
