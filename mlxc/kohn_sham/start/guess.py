"""Where the SCF starts: superposed densities and orbitals of free atoms."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mlxc.basis.protocol import Basis
from mlxc.crystal.magnetism import shifted_to
from mlxc.grid.grid import Grid
from mlxc.kohn_sham.diagonalisation.orthonormal import inner_products, orthonormalise
from mlxc.pseudo.atom import free_atom
from mlxc.pseudo.ions import Ions


def superposed_density(grid: Grid, ions: Ions) -> Tensor:
    """Fourier coefficients ``(ngvector,)`` of the free atoms' densities, scaled to the crystal's electrons."""
    lengths = grid.lengths
    total = torch.zeros(len(lengths), dtype=torch.complex128, device=grid.device)
    for symbol, pseudopotential in ions.pseudopotentials.items():
        form = free_atom(pseudopotential).density_form_factor(lengths)
        total += form / grid.volume * grid.structure_factor(ions.positions_of(symbol))
    return total * (ions.nelectrons / (total[0].real * grid.volume))


def superposed_spin_density(
    grid: Grid, ions: Ions, moments: NDArray[np.float64], nspin: int, total_moment: float | None = None
) -> Tensor:
    """Fourier coefficients ``(nspin, ngvector)`` of free atoms' densities, polarised by the atoms' moments.

    Args:
        grid: The grid of the crystal.
        ions: The ions, to which the electrons belong.
        moments: The moment of each atom, Bohr magneton.
        nspin: The number of spins, 1 or 2.
        total_moment: The total, Bohr magneton per cell, to which the moments are shifted; None to leave them.
    """
    total = superposed_density(grid, ions)
    if nspin == 1:
        return total[None]
    if total_moment is not None:
        moments = shifted_to(total_moment, moments)
    magnetisation = torch.zeros_like(total)
    lengths = grid.lengths
    for symbol, position, wanted in zip(ions.species, ions.positions, moments, strict=True):
        charge = ions.pseudopotentials[symbol].charge
        form = free_atom(ions.pseudopotentials[symbol]).density_form_factor(lengths) / grid.volume
        magnetisation += form * grid.phases(position) * (np.clip(wanted, -charge, charge) / charge)
    return torch.stack([total + magnetisation, total - magnetisation]) / 2


def starting_orbitals(basis: Basis, ions: Ions, nband: int, seed: int) -> Tensor:
    """At least ``nband`` orthonormal orbitals for each k point, shape ``(nk, norbital, nfunction)``."""
    orbitals = basis.starting_orbitals(ions, nband, seed)
    for own in orbitals.split(1):  # one k point after the other, for the sake of the memory
        own.copy_(orthonormalise(own))
    return orbitals


def with_more_orbitals(orbitals: Tensor, basis: Basis, ions: Ions, nband: int, seed: int) -> Tensor:
    """At least ``nband`` orthonormal orbitals: given ones, and what orbitals of free atoms have outside their space.

    A wave of low kinetic energy would have little in common with a localised level, which a search that begins with
    such waves finds late or passes over.

    Args:
        orbitals: Orthonormal orbitals, shape ``(nk * nspin, norbital, nfunction)``; they come back as they are if they
            are enough.
        basis: The basis of the orbitals.
        ions: The ions, whose free atoms have the others.
        nband: The number of orbitals that are wanted.
        seed: The seed of the noise in the others.
    """
    norbital = orbitals.shape[1]
    if norbital >= nband:
        return orbitals
    atomic = starting_orbitals(basis, ions, nband, seed).repeat(len(orbitals) // len(basis.kpoints), 1, 1)
    outside = atomic - inner_products(orbitals, atomic).mT @ orbitals
    # As many combinations as the atoms have orbitals more than there are, those with the largest part outside.
    combinations = torch.linalg.eigh(inner_products(outside, outside)).eigenvectors[..., norbital:]
    return orthonormalise(torch.cat([orbitals, combinations.mT @ outside], dim=1))
