"""The electrons' energy in the local part of the pseudopotentials."""

from __future__ import annotations

import torch
from torch import Tensor

from mlxc.grid.grid import Grid
from mlxc.pseudo.ions import Ions


def local_potential(grid: Grid, ions: Ions) -> Tensor:
    """Fourier coefficients ``(ngvector,)``, hartree, of the ions' local potential; G = 0 is left to the core term."""
    lengths = grid.lengths
    total = torch.zeros(len(lengths), dtype=torch.complex128, device=grid.device)
    for symbol, pseudopotential in ions.pseudopotentials.items():
        form = pseudopotential.local_form_factor(lengths) / grid.volume
        total = total + form * structure_factor(grid, ions.positions_of(symbol))
    return torch.where(lengths == 0, 0.0, total)


def structure_factor(grid: Grid, positions: Tensor) -> Tensor:
    """Sum over fractional positions ``(n, 3)`` of exp(-iG.R), shape ``(ngvector,)``."""
    return torch.stack([grid.phases(position) for position in positions]).sum(0)


def local_energy(grid: Grid, potential: Tensor, density: Tensor) -> Tensor:
    """Integral of n V_loc per cell, hartree, from Fourier coefficients of both."""
    return grid.volume * (density.conj() * potential).sum().real


def core_energy(ions: Ions, volume: Tensor) -> Tensor:
    """The G = 0 term N/V sum_a alpha_a: how the local potential of ions differs on average from that of point charges.

    J. Ihm, A. Zunger, M. L. Cohen, J. Phys. C 12, 4409 (1979).
    """
    zero = torch.zeros((), dtype=torch.float64, device=volume.device)
    alpha = sum((ions.pseudopotentials[symbol].local_form_factor(zero) for symbol in ions.species), zero)
    return ions.nelectrons / volume * alpha
