"""How far a density is from self-consistency: measures of what came out of a step minus what went in."""

from __future__ import annotations

from math import pi

import torch
from torch import Tensor

from mlxc.basis.grid import Grid
from mlxc.terms.hartree import hartree_energy


def density_residual(grid: Grid, change: Tensor, nelectrons: float) -> float:
    """Integral of |n_out - n_in| per electron, of Fourier coefficients ``(nspin, ngvector)``, summed over spins."""
    return float(grid.integrate(grid.real(change).abs()).sum()) / nelectrons


def residual_energy(grid: Grid, change: Tensor) -> float:
    """Energy of the residual, hartree: the Hartree energy of n_out - n_in, and for its magnetisation as much as for a
    charge with wave vector 2 pi / bohr. F differs from its minimum by about as much.

    It is the measure of Quantum ESPRESSO (``estimated scf accuracy``), so that runs can be stopped at the same one:
    P. Giannozzi et al., J. Phys.: Condens. Matter 21, 395502 (2009).

    Args:
        grid: that the densities live on.
        change: Fourier coefficients, shape ``(nspin, ngvector)``.
    """
    energy = hartree_energy(grid, change.sum(0))
    if len(change) == 2:
        magnetisation = torch.view_as_real(change[0] - change[1])
        energy = energy + grid.volume / (2 * pi) * magnetisation.square().sum()
    return float(energy)
