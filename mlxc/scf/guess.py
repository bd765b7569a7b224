"""Where the SCF starts: superposed densities and orbitals of free atoms."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mlxc.basis.grid import Grid
from mlxc.basis.planewave import PlaneWaveBasis
from mlxc.scf.atom import free_atom
from mlxc.scf.eigensolver import orthonormalise
from mlxc.terms.ions import Ions
from mlxc.terms.local_pseudopotential import structure_factor
from mlxc.terms.nonlocal_pseudopotential import angular_part, position_phases


def superposed_density(grid: Grid, ions: Ions) -> Tensor:
    """Fourier coefficients ``(ngvector,)`` of the free atoms' densities, scaled to the crystal's electrons."""
    lengths = grid.lengths
    total = torch.zeros(len(lengths), dtype=torch.complex128, device=grid.device)
    for symbol, pseudopotential in ions.pseudopotentials.items():
        form = free_atom(pseudopotential).density_form_factor(lengths)
        total += form / grid.volume * structure_factor(grid, ions.positions_of(symbol))
    return total * (ions.nelectrons / (total[0].real * grid.volume))


def superposed_spin_density(
    grid: Grid, ions: Ions, moments: NDArray[np.float64], nspin: int, moment: float | None = None
) -> Tensor:
    """Fourier coefficients ``(nspin, ngvector)`` of free atoms' densities, polarised by the atoms' moments.

    Args:
        grid: of the crystal.
        ions: whose electrons they are.
        moments: of each atom, Bohr magneton; if all are zero each atom starts with one.
        nspin: 1 or 2.
        moment: if given, the magnetisation is scaled to this total, Bohr magneton per cell.
    """
    total = superposed_density(grid, ions)
    if nspin == 1:
        return total[None]
    if not moments.any():
        moments = np.ones_like(moments)
    magnetisation = torch.zeros_like(total)
    lengths = grid.lengths
    for symbol, position, wanted in zip(ions.species, ions.positions, moments, strict=True):
        charge = ions.pseudopotentials[symbol].charge
        form = free_atom(ions.pseudopotentials[symbol]).density_form_factor(lengths) / grid.volume
        magnetisation += form * grid.phases(position) * (np.clip(wanted, -charge, charge) / charge)
    if moment is not None and abs(moments.sum()) > 1e-6:
        magnetisation *= moment / (magnetisation[0].real * grid.volume)
    return torch.stack([total + magnetisation, total - magnetisation]) / 2


def atomic_orbitals(basis: PlaneWaveBasis, ions: Ions) -> Tensor:
    """The occupied shells of all free atoms as plane waves, not orthonormal, shape ``(nk, norbital, nplanewave)``."""
    lengths = basis.kplusg.norm(dim=-1)
    shapes: dict[str, Tensor] = {}
    for symbol, pseudopotential in ions.pseudopotentials.items():
        atom = free_atom(pseudopotential)
        shapes[symbol] = torch.cat(
            [
                angular_part(basis.kplusg, ell) * atom.orbital_form_factor(shell, lengths)
                for shell, ell in enumerate(atom.angular_momenta)
            ]
        )
    blocks = [
        shapes[symbol] * position_phases(basis, position)
        for symbol, position in zip(ions.species, ions.positions, strict=True)
    ]
    return torch.cat(blocks).transpose(0, 1) * basis.mask[:, None, :] / basis.grid.volume**0.5


def starting_orbitals(basis: PlaneWaveBasis, ions: Ions, nband: int, seed: int) -> Tensor:
    """More than ``nband`` orthonormal orbitals for each k point: atomic ones and the lowest plane waves."""
    atomic = atomic_orbitals(basis, ions)
    extra = max(nband - atomic.shape[1], 0) + nband // 2 + 2
    return orthonormalise(torch.cat([atomic, lowest_waves(basis, extra, seed)], dim=1))


def lowest_waves(basis: PlaneWaveBasis, count: int, seed: int) -> Tensor:
    """The plane waves of lowest kinetic energy, shape ``(nk, count, nplanewave)``.

    A little noise keeps the start from having a symmetry that the ground state has not.
    """
    generator = torch.Generator().manual_seed(seed)
    shape = (basis.nkpoints, count, basis.nplanewaves)
    noise = torch.randn(shape, generator=generator, dtype=torch.complex128).to(basis.device)
    waves = 0.02 * noise / (1 + basis.kinetic[:, None, :]) ** 2
    waves.diagonal(dim1=1, dim2=2).add_(1)
    return waves * basis.mask[:, None, :]
