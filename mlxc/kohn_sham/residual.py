"""How far a density is from self-consistency: measures of what came out of a step minus what went in."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi

import torch
from torch import Tensor

from mlxc.grid.fields import Fields
from mlxc.grid.grid import Grid
from mlxc.terms.hartree import hartree_energy

# Wavelengths, bohr, between the bands of a spectrum of residuals. Charge that sloshes does so over more than the first.
WAVELENGTHS = (10.0, 5.0, 2.5)


@dataclass(frozen=True)
class DensityResidual:
    """An SCF has converged when its density residual is small.

    Attributes:
        tolerance: The bound of the integral of |n_out - n_in| per electron.
    """

    tolerance: float = 1e-6

    def reached(self, residual: float) -> bool:
        """Whether a density residual is below the tolerance."""
        return residual < self.tolerance


def density_residual(grid: Grid, change: Tensor, nelectrons: float) -> float:
    """Integral of |n_out - n_in| per electron, of Fourier coefficients ``(nspin, ngvector)``, summed over spins."""
    return float(grid.integrate(grid.real(change).abs()).sum()) / nelectrons


def fields_residual(grid: Grid, change: Fields, nelectrons: float, kinetic_energy: float) -> float:
    """The larger one of the residuals of the density and of tau, each in units of its own integral.

    Args:
        grid: The grid that the fields live on.
        change: What came out minus what went in, Fourier coefficients.
        nelectrons: The number of electrons.
        kinetic_energy: The kinetic energy of the electrons, hartree.
    """
    residual = density_residual(grid, change.density, nelectrons)
    return residual if change.tau is None else max(residual, density_residual(grid, change.tau, kinetic_energy))


def residual_energy(grid: Grid, change: Tensor) -> float:
    """Energy of the residual, hartree: the Hartree energy of n_out - n_in, and for its magnetisation as much as for a
    charge with wave vector 2 pi / bohr. F differs from its minimum by about as much.

    It is the measure of Quantum ESPRESSO (``estimated scf accuracy``), so that runs can be stopped at the same one:
    P. Giannozzi et al., J. Phys.: Condens. Matter 21, 395502 (2009).

    Args:
        grid: The grid that the densities live on.
        change: n_out - n_in, Fourier coefficients, shape ``(nspin, ngvector)``.
    """
    energy = hartree_energy(grid, change.sum(0))
    if len(change) == 2:
        magnetisation = torch.view_as_real(change[0] - change[1])
        energy = energy + grid.volume / (2 * pi) * magnetisation.square().sum()
    return float(energy)


def residual_spectrum(grid: Grid, change: Tensor) -> tuple[float, ...]:
    """Shares of the squared norm of a residual's charge in bands of wavelengths, the longest first; their sum is one.

    The bands are separated by ``WAVELENGTHS``.

    Args:
        grid: The grid that the densities live on.
        change: n_out - n_in, Fourier coefficients, shape ``(nspin, ngvector)``.
    """
    power = torch.view_as_real(change.sum(0)).square().sum(-1) * (grid.squares > 0)
    longest_first = torch.tensor([(2 * pi / length) ** 2 for length in WAVELENGTHS], device=power.device)
    band = torch.bucketize(grid.squares, longest_first.to(grid.squares.dtype))
    shares = torch.zeros(len(WAVELENGTHS) + 1, dtype=power.dtype, device=power.device).index_add_(0, band, power)
    return tuple((shares / shares.sum().clamp(min=1e-300)).tolist())
