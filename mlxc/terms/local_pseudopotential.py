"""The electrons' energy in the local part of the pseudopotentials."""

from __future__ import annotations

import torch
from torch import Tensor

from mlxc.basis.grid import Grid
from mlxc.crystal import Crystal
from mlxc.pseudo.gth import GTHPseudopotential


def local_potential(grid: Grid, crystal: Crystal, pseudopotentials: dict[str, GTHPseudopotential]) -> Tensor:
    """Fourier coefficients ``(ngvector,)``, hartree, of the ions' local potential; G = 0 is left to the core term."""
    lengths = grid.squares.sqrt()
    total = torch.zeros(len(lengths), dtype=torch.complex128, device=grid.device)
    for symbol, pseudopotential in pseudopotentials.items():
        total += pseudopotential.local_form_factor(lengths) / grid.volume * structure_factor(grid, crystal, symbol)
    total[0] = 0
    return total


def structure_factor(grid: Grid, crystal: Crystal, symbol: str) -> Tensor:
    """Sum over the atoms of one element of exp(-iG.R), shape ``(ngvector,)``."""
    positions = [x for x, s in zip(crystal.positions, crystal.species, strict=True) if s == symbol]
    return torch.stack([grid.phases(position) for position in positions]).sum(0)


def local_energy(grid: Grid, potential: Tensor, density: Tensor) -> Tensor:
    """Integral of n V_loc per cell, hartree, from Fourier coefficients of both."""
    return grid.volume * (density.conj() * potential).sum().real


def core_energy(crystal: Crystal, pseudopotentials: dict[str, GTHPseudopotential]) -> Tensor:
    """The G = 0 term N/V sum_a alpha_a: how the local potential of ions differs on average from that of point charges.

    J. Ihm, A. Zunger, M. L. Cohen, J. Phys. C 12, 4409 (1979).
    """
    zero = torch.zeros((), dtype=torch.float64)
    alpha = sum((pseudopotentials[symbol].local_form_factor(zero) for symbol in crystal.species), zero)
    electrons = sum(pseudopotentials[symbol].charge for symbol in crystal.species)
    return electrons / crystal.volume * alpha
